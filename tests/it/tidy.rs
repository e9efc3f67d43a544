//! The house keeps its shape: what may import what, how files open, how long they are, that pure
//! rooms stay pure, and that every code and every pass has its case.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cogpack_ir::explain;
use cogpack_tests::places::{files_below, root, shown};

use crate::explain::SEEN_WHEN_IT_RUNS;

/// Which room may import which. A new arrow is a design decision: change this table and the one
/// in ARCHITECTURE.md in the same commit.
const IMPORTS: &[(&str, &[&str])] = &[
    ("content", &[]),
    ("ir", &["content"]),
    ("catalogue", &["content", "ir"]),
    (
        "compiler",
        &[
            "catalogue",
            "content",
            "frontends/cog-yaml",
            "frontends/python",
            "frontends/schema",
            "frontends/source",
            "ir",
            "packages/wheels",
        ],
    ),
    ("frontends/schema", &["content", "frontends/source", "ir"]),
    ("frontends/source", &["content"]),
    ("frontends/cog-yaml", &["content", "frontends/source", "ir"]),
    ("frontends/python", &["content", "frontends/schema", "frontends/source", "ir", "packages/wheels"]),
    ("backends/contract", &["content", "ir"]),
    ("lints", &["ir"]),
    ("meaning", &["backends/contract", "content", "ir"]),
    ("diff", &["backends/contract", "content", "ir"]),
    ("passes", &["backends/contract", "content", "ir", "meaning"]),
    ("backends/llb", &["backends/contract", "content", "ir"]),
    ("backends/dockerfile", &["backends/contract", "content", "ir"]),
    ("backends/oci-direct", &["backends/contract", "content", "ir"]),
    ("packages/debs", &["backends/contract", "content", "ir"]),
    ("packages/wheels", &["backends/contract", "content", "ir"]),
    ("io/layout", &["backends/contract", "backends/oci-direct", "content", "io/project", "io/store", "ir"]),
    ("io/project", &["backends/contract", "backends/oci-direct", "content", "frontends/source", "ir"]),
    ("io/buildkit", &["content", "io/project"]),
    ("io/docker", &["content", "io/buildkit"]),
    ("io/git", &["content", "io/store", "ir"]),
    ("io/store", &["content"]),
    ("io/web", &[]),
    (
        "io/packages",
        &["backends/contract", "content", "io/store", "io/web", "ir", "packages/debs", "packages/wheels"],
    ),
    ("io/registry", &["content", "io/buildkit", "io/web"]),
    ("io/runtime", &[]),
    ("io/model-server", &[]),
    (
        "build",
        &[
            "backends/contract",
            "backends/llb",
            "backends/oci-direct",
            "content",
            "io/buildkit",
            "io/docker",
            "io/layout",
            "io/project",
            "io/registry",
            "io/runtime",
            "io/store",
            "ir",
        ],
    ),
    (
        "cli",
        &[
            "backends/contract",
            "backends/dockerfile",
            "backends/llb",
            "backends/oci-direct",
            "build",
            "catalogue",
            "compiler",
            "content",
            "diff",
            "frontends/cog-yaml",
            "frontends/schema",
            "frontends/source",
            "io/buildkit",
            "io/docker",
            "io/git",
            "io/layout",
            "io/model-server",
            "io/packages",
            "io/project",
            "io/registry",
            "io/runtime",
            "io/store",
            "ir",
            "lints",
            "passes",
        ],
    ),
];

/// Rooms that touch no disk, network, clock, environment or chance, and run nothing.
const PURE: &[&str] = &[
    "ir",
    "catalogue",
    "compiler",
    "diff",
    "frontends",
    "lints",
    "meaning",
    "passes",
    "backends",
    "packages",
];

/// What a pure room's source must not name outside its tests. Clippy knows more of it, and that
/// hash maps may be looked into but not listed.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::time",
    "SystemTime",
    "Instant::now",
    "async fn",
    "tokio",
];

const LONGEST_FILE: usize = 600;

fn sources() -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for folder in [
        "backends",
        "benches",
        "build",
        "catalogue",
        "cli",
        "compiler",
        "content",
        "diff",
        "frontends",
        "fuzz",
        "io",
        "ir",
        "lints",
        "meaning",
        "packages",
        "passes",
        "tests",
    ] {
        files.extend(files_below(&root().join(folder), ".rs"));
    }
    files.retain(|path| !shown(path).contains("/target/"));
    assert!(files.len() > 60, "the search for sources found only {}", files.len());
    files
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", shown(path)))
}

#[test]
fn every_file_says_what_it_is_for_and_is_not_too_long() {
    let mut breaches = Vec::new();
    for path in sources() {
        let text = read(&path);
        if !text.starts_with("//! ") && !text.starts_with("#![no_main]\n//! ") {
            breaches.push(format!("{} does not open with `//!`", shown(&path)));
        }
        let lines = text.lines().count();
        if lines > LONGEST_FILE {
            breaches.push(format!("{} has {lines} lines; {LONGEST_FILE} is the most", shown(&path)));
        }
    }
    assert!(breaches.is_empty(), "{breaches:#?}");
}

/// The rooms that a manifest's `[dependencies]` name; tests may import anything.
fn rooms_imported_by(manifest: &str) -> BTreeSet<String> {
    let dependencies = manifest.split("\n[dependencies]\n").nth(1).unwrap_or_default();
    let end = dependencies.find("\n[").unwrap_or(dependencies.len());
    dependencies[..end]
        .lines()
        .filter_map(|line| line.strip_prefix("cogpack-"))
        .map(|line| line.split(['.', ' ', '=']).next().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn rooms_import_only_what_the_table_allows() {
    let mut breaches = Vec::new();
    let mut known: BTreeMap<String, &str> = BTreeMap::new();
    for (room, _) in IMPORTS {
        known.insert(room.replace('/', "-"), room);
    }
    for (room, allowed) in IMPORTS {
        let manifest = read(&root().join(room).join("Cargo.toml"));
        for imported in rooms_imported_by(&manifest) {
            match known.get(&imported) {
                Some(other) if allowed.contains(other) => {}
                _ => breaches.push(format!("{room} imports {imported}")),
            }
        }
    }
    assert!(breaches.is_empty(), "{breaches:#?}");
}

#[test]
fn every_member_is_in_the_import_table() {
    let manifest = read(&root().join("Cargo.toml"));
    let members =
        manifest.split("members = [").nth(1).and_then(|rest| rest.split(']').next()).unwrap_or_default();
    for member in
        members.lines().map(|line| line.trim().trim_matches(['"', ','])).filter(|line| !line.is_empty())
    {
        let is_test = ["tests", "benches"].contains(&member);
        assert!(is_test || IMPORTS.iter().any(|(room, _)| *room == member), "`{member}` is not in the table");
    }
}

#[test]
fn the_table_in_the_architecture_is_this_one() {
    let architecture = read(&root().join("ARCHITECTURE.md"));
    for (room, allowed) in IMPORTS {
        let cells = allowed.join(", ");
        let cells = if cells.is_empty() { "nothing of ours" } else { &cells };
        let row = format!("| `{room}` | {cells} |");
        assert!(architecture.contains(&row), "ARCHITECTURE.md lacks the row {row}");
    }
}

/// The text of a source before its unit tests, without comments. That its tests stand in a file
/// beside it, as `mod tests;` says, ends nothing.
fn code_of(text: &str) -> String {
    let before_tests = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    before_tests
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn pure_rooms_touch_nothing() {
    let mut breaches = Vec::new();
    for room in PURE {
        for path in files_below(&root().join(room), ".rs") {
            let name = shown(&path);
            // Property tests and benches beside the sources may use anything.
            if !name.contains("/src/") || name.ends_with("/tests.rs") || name.contains("/tests/") {
                continue;
            }
            let code = code_of(&read(&path));
            for word in IMPURE {
                if code.contains(word) {
                    breaches.push(format!("{name} names `{word}`"));
                }
            }
        }
    }
    assert!(breaches.is_empty(), "{breaches:#?}");
}

#[test]
fn pure_rooms_tell_clippy_so() {
    for room in PURE {
        assert!(root().join(room).join("clippy.toml").is_file(), "{room} has no clippy.toml");
    }
}

/// The codes that a source gives to its findings: in `code(…)` of a derive, or as a text of its own.
fn codes_in(source: &str) -> BTreeSet<String> {
    let of_a_code =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || ":-".contains(letter);
    let mut found = BTreeSet::new();
    // Whatever stands in `code(…)`, and as texts what begins as those do that are known.
    for (opening, first) in [("code(", ""), ("\"", "cpk::"), ("\"", "lint::"), ("\"", "project::")] {
        for (at, _) in source.match_indices(opening) {
            let code = source[at + opening.len()..].trim_start().trim_start_matches('"');
            let code = code.split(|letter| !of_a_code(letter)).next().unwrap_or_default();
            if code.starts_with(first) && code.contains("::") && !code.ends_with(':') {
                found.insert(code.to_owned());
            }
        }
    }
    found
}

/// The codes of all findings and refusals.
fn codes_in_sources() -> BTreeSet<String> {
    let is_of_a_test =
        |name: &str| name.contains("/tests") || name.starts_with("tests/") || name.contains("/explain/");
    let of_rooms = sources().into_iter().filter(|path| !is_of_a_test(&shown(path)));
    of_rooms.flat_map(|path| codes_in(&code_of(&read(&path)))).collect()
}

const COMPOSER: &str = "compiler/src/composer/tests.rs";
/// Where repositories are fetched.
const REPOSITORIES: &str = "io/git/src/tests.rs";
const BOTH_ORIGINS: &str = "what_cannot_both_be_is_told_with_both_origins";

/// Codes that neither a case nor an example shows, and the unit test that does: the file, and the
/// test's name.
const SHOWN_BY_A_UNIT_TEST: &[(&str, &str, &str)] = &[
    (
        "cpk::build::failed",
        "cli/src/commands/build/results.rs",
        "an_op_that_failed_is_shown_on_its_lines_with_the_end_of_its_output",
    ),
    ("cpk::build::unknown-owner", "build/src/names.rs", "the_code_is_stable"),
    ("cpk::build::parallel", "build/src/side_by_side.rs", "the_code_is_stable"),
    ("cpk::git::commit", REPOSITORIES, "what_cannot_be_fetched_is_told"),
    ("cpk::git::directory", REPOSITORIES, "what_cannot_be_fetched_is_told"),
    ("cpk::git::fetch", REPOSITORIES, "what_cannot_be_fetched_is_told"),
    ("cpk::git::large", REPOSITORIES, "a_commit_that_names_one_file_a_million_times_is_not_laid_out"),
    ("cpk::git::program", REPOSITORIES, "what_cannot_be_fetched_is_told"),
    ("cpk::git::submodule", REPOSITORIES, "submodules_lead_to_servers_alone"),
    ("cpk::internal::llb", "backends/llb/src/lower/mod.rs", "our_own_mistakes_ask_to_be_reported"),
    (
        "cpk::packages::download",
        "io/packages/src/downloads.rs",
        "a_server_that_gives_nothing_is_told_where_the_plan_names_the_file",
    ),
    (
        "cpk::oci::input",
        "backends/oci-direct/src/tests.rs",
        "what_cannot_be_done_is_said_once_for_each_stage",
    ),
    (
        "cpk::unsupported::platforms",
        "backends/oci-direct/src/tests.rs",
        "what_needs_another_backend_is_refused_by_name",
    ),
    ("project::catalogue::file", "catalogue/src/tests/looking.rs", "a_file_that_cannot_be_read_is_named"),
    (
        "project::catalogue::os",
        "catalogue/src/tests/looking.rs",
        "what_cannot_be_told_is_left_out_or_refused",
    ),
    ("project::compose::complete", COMPOSER, BOTH_ORIGINS),
    ("project::compose::cycle", COMPOSER, "blocks_that_wait_for_each_other_are_told_as_a_circle"),
    ("project::compose::export", COMPOSER, BOTH_ORIGINS),
    ("project::compose::foreign-stage", COMPOSER, BOTH_ORIGINS),
    ("project::compose::input-twice", COMPOSER, BOTH_ORIGINS),
    ("project::compose::name", COMPOSER, BOTH_ORIGINS),
    ("project::compose::nobody-provides", COMPOSER, "an_order_that_cannot_be_is_told_as_a_path"),
    ("project::compose::provided-twice", COMPOSER, "an_order_that_cannot_be_is_told_as_a_path"),
    ("project::compose::stage-twice", COMPOSER, BOTH_ORIGINS),
    ("project::compose::unknown-phase", COMPOSER, BOTH_ORIGINS),
    (
        "project::file::unreadable",
        "frontends/source/src/file.rs",
        "what_keeps_a_file_from_being_read_is_told",
    ),
    (
        "project::fit::other-platform",
        "compiler/src/stacks/python/fit/tests.rs",
        "a_platform_that_the_table_is_not_about_is_told",
    ),
    (
        "project::input::form",
        "frontends/schema/src/input/tests.rs",
        "arguments_that_cannot_be_it_are_problems",
    ),
    (
        "project::lock::unsolvable",
        "compiler/src/stacks/python/tests/unsolvable.rs",
        "requirements_that_stand_against_each_other_are_told_by_their_lines",
    ),
    ("project::schema::endless", "frontends/schema/src/scope/files.rs", "files_that_no_case_can_be"),
    ("project::stack::several", "compiler/src/stacks/tests.rs", "what_does_not_decide_is_told"),
];

/// Codes that a case names, a snapshot records as refused, or an example breaks. The examples run
/// in `explain::examples_do_what_they_say`.
fn codes_with_a_case() -> BTreeSet<String> {
    let mut shown = BTreeSet::new();
    for ending in [".cpk", ".json"] {
        for path in files_below(&root().join("tests/cases"), ending) {
            let text = read(&path);
            let words = text.split(['\n', ' ', ',', '"']);
            shown.extend(words.filter(|word| word.starts_with("cpk::")).map(str::to_owned));
        }
    }
    for path in files_below(&root().join("snapshots"), "") {
        // Some snapshots are no texts.
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap_or_default()).into_owned();
        let refusals = text.lines().filter_map(|line| line.strip_prefix("refused: "));
        shown.extend(refusals.filter_map(|refusal| refusal.split(' ').next()).map(str::to_owned));
    }
    let runs = |explanation: &&explain::Explanation| {
        !explanation.breaks.is_empty() && !SEEN_WHEN_IT_RUNS.contains(&explanation.code)
    };
    let with_examples = explain::all().filter(runs);
    shown.extend(with_examples.map(|explanation| explanation.code.to_owned()));
    shown
}

#[test]
fn every_finding_code_has_a_case_and_an_explanation() {
    let codes = codes_in_sources();
    assert!(codes.len() > 40, "the search for codes found only {codes:?}");
    let with_case = codes_with_a_case();
    let by_unit_test: BTreeSet<&str> = SHOWN_BY_A_UNIT_TEST.iter().map(|(code, _, _)| *code).collect();
    let without_case: Vec<_> = codes
        .iter()
        .filter(|code| !with_case.contains(*code) && !by_unit_test.contains(code.as_str()))
        .collect();
    assert!(without_case.is_empty(), "codes without a case: {without_case:#?}");
    let without_text: Vec<_> = codes.iter().filter(|code| explain::explain(code).is_none()).collect();
    assert!(without_text.is_empty(), "codes that `cogpackc explain` does not know: {without_text:#?}");
    let left_over: Vec<_> =
        explain::all().map(|known| known.code).filter(|code| !codes.contains(*code)).collect();
    assert!(left_over.is_empty(), "explanations of codes that no source gives: {left_over:#?}");
}

#[test]
fn codes_that_only_a_unit_test_shows_have_that_test() {
    let with_case = codes_with_a_case();
    for (code, file, test) in SHOWN_BY_A_UNIT_TEST {
        assert!(!with_case.contains(*code), "{code} has a case, so it needs no place in the list");
        let text = read(&root().join(file));
        let (_, body) = text
            .split_once(&format!("#[test]\nfn {test}() {{"))
            .or_else(|| text.split_once(&format!("#[test]\n    fn {test}() {{")))
            .unwrap_or_else(|| panic!("{file} has no test `{test}`"));
        let body = body.split("#[test]").next().unwrap_or_default();
        assert!(body.contains("assert"), "`{test}` asserts nothing");
        assert!(body.contains(code), "`{test}` does not say `{code}`");
    }
}

/// The folders that passes lack, and the folders that belong to no pass.
fn unmatched_passes(passes: &BTreeSet<String>, folders: &BTreeSet<String>) -> Vec<String> {
    passes.symmetric_difference(folders).cloned().collect()
}

#[test]
fn every_pass_has_a_folder_of_cases() {
    let names = |folder: &str| -> BTreeSet<String> {
        let entries = std::fs::read_dir(root().join(folder)).into_iter().flatten();
        entries
            .map(|entry| entry.expect("can be read").path())
            .filter_map(|path| path.file_stem().map(|name| name.to_string_lossy().replace('_', "-")))
            .filter(|name| name != "mod")
            .collect()
    };
    let unmatched = unmatched_passes(&names("passes/src/passes"), &names("tests/cases/passes"));
    assert!(unmatched.is_empty(), "a pass without cases, or cases without their pass: {unmatched:?}");
    // The check itself, since a tree without passes would not show that it can fail.
    let one = BTreeSet::from(["merge-runs".to_owned()]);
    assert_eq!(unmatched_passes(&one, &BTreeSet::new()), ["merge-runs"]);
    assert_eq!(unmatched_passes(&BTreeSet::new(), &one), ["merge-runs"]);
}
