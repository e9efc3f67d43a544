//! `# test lints`: what is legal and costs. `# lint: CODE` stands on each guilty line, and nowhere else. What
//! `check --fix` makes of a case is kept beside what `check` says of it, and what `--unsafe-fixes` makes of that.
//! `# file PATH: LINE` gives the directory of the plan a file, line by line.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use cogpack_compiler::World;
use cogpack_ir::{explain, syntax};
use cogpack_tests::cases::{self, Case};
use cogpack_tests::places::{files_below, root, shown};
use cogpack_tests::plans::folder_with;
use cogpack_tests::snapshot::Snapshots;
use cogpack_tests::terminal::{cogpackc, cogpackc_with_input};
use serde_json::Value;

/// The findings of `check` about a text, as JSON.
fn findings(text: &str, switches: &[&str]) -> Vec<Value> {
    let answer =
        cogpackc_with_input(Path::new("/"), &[&["check", "-", "--format", "json"], switches].concat(), text);
    let said: Value = serde_json::from_slice(&answer.stdout).expect("is JSON");
    said["findings"].as_array().expect("is a list").clone()
}

/// Line and code of each finding.
fn remarks(text: &str) -> BTreeSet<(u64, String)> {
    let remark = |finding: &Value| {
        let line = finding["labels"][0]["line"].as_u64().expect("a finding has a place");
        (line, finding["code"].as_str().expect("and a code").to_owned())
    };
    findings(text, &[]).iter().map(remark).collect()
}

fn expected(text: &str) -> BTreeSet<(u64, String)> {
    let mut remarks = BTreeSet::new();
    for (line, text) in (1..).zip(text.lines()) {
        let Some((_, codes)) = text.split_once("# lint: ") else { continue };
        let codes = codes.split([',', ' ']).filter(|code| !code.is_empty());
        remarks.extend(codes.map(|code| (line, code.to_owned())));
    }
    remarks
}

#[test]
fn cases_have_the_findings_they_name() {
    let mut wrong = String::new();
    for Case { name, text, .. } in cases::of("lints") {
        let (found, expected) = (remarks(&text), expected(&text));
        assert!(!expected.is_empty(), "{name} names no finding");
        if found != expected {
            let extra: Vec<_> = found.difference(&expected).collect();
            let missing: Vec<_> = expected.difference(&found).collect();
            wrong.push_str(&format!("{name}: found without a word {extra:?}, not found {missing:?}\n"));
        }
        for finding in findings(&text, &[]) {
            let message = finding["message"].as_str().expect("has one");
            assert!(finding["help"].is_string(), "{name}: `{message}` shows no way out");
            let lower = message.chars().next().is_some_and(|first| !first.is_uppercase());
            assert!(lower && !message.ends_with('.'), "{name}: the message `{message}`");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// All comments of a text, in whatever order; what is allowed may be written anew.
fn comments(text: &str) -> BTreeSet<String> {
    let parsed = syntax::parse(text);
    let texts = parsed.comments.texts().into_iter().filter(|text| !text.starts_with("# allow "));
    texts.map(str::to_owned).collect()
}

/// The files of the directory that a case lies in, by what it says of them.
pub fn project_of(text: &str) -> BTreeMap<String, String> {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("# file ")) {
        let (path, line) = line.split_once(": ").expect("a file of a case has a path and a line");
        files.entry(path.to_owned()).or_default().push_str(&format!("{line}\n"));
    }
    files
}

/// A case in a directory with its files.
fn folder_of(text: &str) -> tempfile::TempDir {
    let files = project_of(text);
    let files = files.iter().map(|(path, text)| (path.as_str(), text.as_str()));
    folder_with(&files.chain([("plan.cpk", text)]).collect::<Vec<_>>())
}

/// The texts of a case after `check --fix`, and after `--unsafe-fixes` as well.
pub fn mended(text: &str) -> [String; 2] {
    let folder = folder_of(text);
    [
        &["check", "--fix", "--offline", "plan.cpk"][..],
        &["check", "--fix", "--offline", "--unsafe-fixes", "plan.cpk"],
    ]
    .map(|arguments| {
        let fix = cogpackc(folder.path(), arguments);
        assert_eq!(fix.code, 0, "{}", fix.stderr);
        fs::read_to_string(folder.path().join("plan.cpk")).expect("it is there")
    })
}

/// How many findings there are of a text where it lies.
fn number_of_findings(folder: &Path) -> usize {
    let answer = cogpackc(folder, &["check", "plan.cpk", "--format", "json"]);
    let said: Value = serde_json::from_slice(&answer.stdout).expect("is JSON");
    said["findings"].as_array().expect("is a list").len()
}

/// What a person reads of each case, and what becomes of it.
#[test]
fn what_is_mended_is_clean_and_keeps_its_comments() {
    let mut snapshots = Snapshots::default();
    let mut mended_at_all = 0;
    for Case { name, text, .. } in cases::of("lints") {
        let before = cogpackc_with_input(Path::new("/"), &["check", "-"], &text);
        assert_eq!(before.code, 0, "{name}: {}", before.stderr);
        let folder = folder_of(&text);
        // What servers say, `asked.rs` asks servers of its own.
        let file = folder.path().join("plan.cpk");
        let (mut said, mut plan) = (before.text().to_owned() + &before.stderr, text.clone());
        for (with, of_with) in
            [(&["--fix", "--offline"][..], "fixed"), (&["--fix", "--unsafe-fixes", "--offline"], "unsafe")]
        {
            let arguments = [&["check", "plan.cpk"], with].concat();
            let number = number_of_findings(folder.path());
            let fix = cogpackc(folder.path(), &arguments);
            assert_eq!(fix.code, 0, "{name}: {}", fix.stderr);
            let fixed = fs::read_to_string(&file).expect("it is there");
            let mended = fix.stderr.matches(": mended ").count();
            let is_safe = of_with == "fixed";
            if is_safe || mended > 0 {
                said += &format!("\n# check {}\n{}", with.join(" "), fix.stderr);
                snapshots.check(&format!("{name}.{of_with}.cpk"), &fixed);
            }

            assert_eq!(comments(&fixed), comments(&plan), "{name}");
            let is_canonical = |text: &str| syntax::format(text).as_deref() == Ok(text);
            assert_eq!(is_canonical(&fixed), is_canonical(&plan), "{name}");
            let parsed = cogpack_compiler::parse(&fixed).expect("it is a plan");
            let resolved = cogpack_compiler::compile(parsed, &World::default()).expect("it keeps every rule");
            let left = cogpack_lints::lint(&resolved, &fixed, &cogpack_lints::OutOfSight);
            // A comment may allow what could be mended, and a project that is seen may forbid it.
            let allowed = text.contains("# allow ") || text.contains("# file ");
            assert!(
                allowed || left.iter().all(|lint| !lint.repair.is_made(!is_safe)),
                "{name} has findings left that can be mended"
            );
            // What a mended comment allows is neither mended nor left.
            let of_a_comment = fix.stderr.contains(": mended lint::allow::unknown: writes");
            let gone = number - number_of_findings(folder.path());
            assert!(gone == mended || of_a_comment && gone > mended, "{name}: {}", fix.stderr);
            mended_at_all += mended;
            // Once is enough, and a plan of which nothing is mended is as it was.
            let again = cogpackc(folder.path(), &arguments);
            assert!(!again.stderr.contains(": mended "), "{name}: {}", again.stderr);
            assert_eq!(fs::read_to_string(&file).expect("it is there"), fixed, "{name}");
            if mended == 0 {
                assert_eq!(fixed, plan, "{name}");
            }
            plan = fixed;
        }
        snapshots.check(&format!("{name}.txt"), &said);
    }
    assert!(mended_at_all > 10, "only {mended_at_all} findings were mended");
    snapshots.check("lints/examples.txt", &of_examples());
    snapshots.finish("lints");
}

/// What is found in plans of examples, and in one that a front end has made; `project.rs` looks at others.
fn of_examples() -> String {
    let mut plans: BTreeMap<String, String> = BTreeMap::new();
    for folder in ["examples", "tests/projects", "snapshots/plans"] {
        for path in files_below(&root().join(folder), ".cpk") {
            plans.insert(shown(&path), fs::read_to_string(&path).expect("can be read"));
        }
    }
    assert!(plans.len() > 6, "only {} plans were found", plans.len());
    let mut said = String::new();
    for (name, text) in plans {
        let lints = findings(&text, &[]).into_iter().filter_map(|finding| {
            let code = finding["code"].as_str()?.to_owned();
            let message = finding["message"].as_str()?;
            code.starts_with("lint::").then(|| format!("  {code}: {message}\n"))
        });
        said += &format!("{name}\n{}", lints.collect::<String>());
    }
    said
}

const COSTLY: &str = "cpk 1\n\nplatform linux/amd64\n\nstage %app from scratch {\n  \
                      file \"/a\" mode 0666 = \"a\"\n  mkdir \"/b\" mode 0777\n}\n\n\
                      export from %app {\n  cmd [\"/a\"]\n}\n";

/// The codes and severities that `check` says with these switches, and its exit code.
fn switched(switches: &[&str]) -> (u8, Vec<String>) {
    let folder = folder_with(&[("plan.cpk", COSTLY)]);
    let answer = cogpackc(folder.path(), &[&["check", "plan.cpk", "--format", "json"], switches].concat());
    let said: Value = serde_json::from_slice(&answer.stdout).expect("is JSON");
    let line = |finding: &Value| {
        let word = |key: &str| finding[key].as_str().unwrap_or_default().replace("lint::", "");
        format!("{} {}", word("severity"), word("code"))
    };
    (answer.code, said["findings"].as_array().expect("is a list").iter().map(line).collect())
}

#[test]
fn switches_leave_out_and_stop() {
    let mode = "warning mode::world-writable".to_owned();
    let denied = "error mode::world-writable".to_owned();
    let root = "advice user::root".to_owned();
    assert_eq!(switched(&[]), (0, vec![mode.clone(), mode.clone(), root.clone()]));
    assert_eq!(switched(&["--allow", "lint::mode"]), (0, vec![root.clone()]));
    assert_eq!(switched(&["--allow", "lint"]), (0, vec![]));
    assert_eq!(
        switched(&["--deny", "lint::mode::world-writable"]),
        (1, vec![denied.clone(), denied.clone(), root.clone()])
    );
    // What is said more closely counts, in either order.
    let closely = ["--allow", "lint::user::root", "--deny", "lint"];
    assert_eq!(switched(&closely), (1, vec![denied.clone(), denied.clone()]));
    assert_eq!(
        switched(&["--allow", "lint,cpk", "--deny", "lint::user"]),
        (1, vec!["error user::root".to_owned()])
    );
    let folder = folder_with(&[("plan.cpk", COSTLY)]);
    let slip = cogpackc(folder.path(), &["check", "plan.cpk", "--deny", "lint::user::rot"]);
    assert_eq!((slip.code, slip.text()), (2, ""));
    assert!(slip.stderr.contains("hint: did you mean `lint::user::root`?"), "{}", slip.stderr);
    // What breaks a rule is no matter of switches.
    let broken = cogpackc_with_input(Path::new("/"), &["check", "-", "--allow", "cpk"], "cpk 1\nstage %a\n");
    assert_eq!(broken.code, 1, "{}", broken.stderr);
}

#[test]
fn only_check_speaks_of_costs() {
    let folder = folder_with(&[("plan.cpk", COSTLY)]);
    for arguments in
        [&["plan.cpk", "-o", "llb.txt"][..], &["resolve", "plan.cpk"], &["plan.cpk", "-o", "json"]]
    {
        let answer = cogpackc(folder.path(), arguments);
        assert_eq!((answer.code, answer.stderr.as_str()), (0, ""), "{arguments:?}");
    }
}

#[test]
fn fixing_tells_what_it_did_and_spares_what_it_must_not_touch() {
    let folder =
        folder_with(&[("plan.cpk", COSTLY), ("broken.cpk", "cpk 1\nstage %a from %b\nexport from %a\n")]);
    let answer = cogpackc(folder.path(), &["check", "--fix", "plan.cpk", "broken.cpk", "--format", "json"]);
    assert_eq!(answer.code, 1, "{}", answer.stderr);
    let documents = serde_json::Deserializer::from_slice(&answer.stdout).into_iter::<Value>();
    let said: Vec<Value> = documents.map(|it| it.expect("is JSON")).collect();
    assert_eq!(said.len(), 4, "{said:#?}");
    assert_eq!(said[0]["mended"][0]["code"], "lint::mode::world-writable");
    assert_eq!(
        (&said[0]["mended"][0]["line"], &said[0]["mended"][0]["what"]),
        (&6.into(), &"makes the mode 0664".into())
    );
    assert_eq!(said[0]["left"].as_array().map(Vec::len), Some(2));
    assert_eq!(said[2]["mended"], serde_json::json!([]));
    let broken = fs::read_to_string(folder.path().join("broken.cpk")).expect("is there");
    assert_eq!(broken, "cpk 1\nstage %a from %b\nexport from %a\n");

    // JSON is for programs to write, and standard input is no file.
    let document = cogpackc(folder.path(), &["plan.cpk", "-o", "json"]);
    let costly = document.text().replace("0664", "0666");
    fs::write(folder.path().join("plan.json"), &costly).expect("can be written");
    let json = cogpackc(folder.path(), &["check", "--fix", "plan.json"]);
    assert_eq!(json.code, 0, "{}", json.stderr);
    assert!(json.stderr.contains("left lint::mode::world-writable: only the text form"), "{}", json.stderr);
    assert_eq!(fs::read_to_string(folder.path().join("plan.json")).expect("is there"), costly);
    let piped = cogpackc_with_input(folder.path(), &["check", "--fix", "-"], COSTLY);
    assert_eq!((piped.code, piped.text()), (2, ""));
}

#[test]
fn a_secret_is_shown_in_no_format() {
    let text = fs::read_to_string(root().join("tests/cases/lints/secrets.cpk")).expect("can be read");
    // Something else is found beside a value.
    let text = text
        .replace("  # lint: lint::secret::value", "")
        .replace("  env SAFE", "  mkdir \"/data\" mode 0777\n  env SAFE");
    let values = ["not-to-be-shown", "AKIAIOSFODNN7EXAMPLE"];
    assert!(values.iter().all(|value| text.contains(value)));
    for switches in [
        &["--format", "text"][..],
        &["--format", "json"],
        &["--format", "sarif"],
        &["--fix"],
        &["--allow", "lint::secret", "--deny", "cpk"],
    ] {
        let folder = folder_with(&[("plan.cpk", &text)]);
        let answer = cogpackc(folder.path(), &[&["check", "plan.cpk"], switches].concat());
        let said = answer.text().to_owned() + &answer.stderr;
        let is_allowed = switches.contains(&"--allow");
        assert_eq!(said.contains("lint::secret::value"), !is_allowed, "{switches:?}: {said}");
        for value in values {
            assert!(!said.contains(value), "{switches:?} shows {value}");
        }
    }
}

/// `docs/lints.md` has a row for each lint, with what the cases show of it.
#[test]
fn the_page_lists_every_lint_as_it_is() {
    let page = fs::read_to_string(root().join("docs/lints.md")).expect("the page is there");
    let (mut severities, mut fixes) = (BTreeMap::new(), BTreeMap::new());
    for Case { text, .. } in cases::of("lints") {
        for finding in findings(&text, &[]) {
            let word = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
            severities.insert(word("code"), word("severity"));
        }
        let folder = folder_of(&text);
        let of_safe = (&["--fix", "--offline"][..], "yes");
        for (with, word) in [of_safe, (&["--fix", "--unsafe-fixes", "--offline"], "`--unsafe-fixes`")] {
            let told = cogpackc(folder.path(), &[&["check", "plan.cpk"], with].concat()).stderr;
            for line in told.lines() {
                // A server that is asked says what mends it.
                let asks = line.contains("would be asked, and `--offline` was said");
                let done = if line.contains(": left ") && asks { ": left " } else { ": mended " };
                let Some((_, rest)) = line.split_once(done) else { continue };
                let Some((code, _)) = rest.split_once(": ") else { continue };
                let of_code: &mut BTreeSet<&str> = fixes.entry(code.to_owned()).or_default();
                // What is asked is left each time.
                if done == ": mended " || of_code.is_empty() {
                    of_code.insert(word);
                }
            }
        }
    }
    let mut rows = String::new();
    let lints = explain::all().filter(|explanation| explanation.code.starts_with("lint::"));
    for explain::Explanation { code, title, .. } in lints {
        let severity = severities.get(*code).unwrap_or_else(|| panic!("no case shows {code}"));
        let fix = match fixes.get(*code).map(|words| words.iter().copied().collect::<Vec<_>>()) {
            None => "no".to_owned(),
            Some(words) => words.into_iter().rev().collect::<Vec<_>>().join(", "),
        };
        rows += &format!("| `{code}` | {title} | {severity} | {fix} |\n");
    }
    assert!(page.contains(&rows), "docs/lints.md lacks these rows:\n{rows}");
}

/// A region of SARIF: lines and columns from 1, the end not before the start, and all of it in the text.
fn assert_region(region: &Value, text: &str) {
    let number = |key: &str| usize::try_from(region[key].as_u64().expect(key)).expect("fits");
    let (start, end) =
        ((number("startLine"), number("startColumn")), (number("endLine"), number("endColumn")));
    assert!(start.0 >= 1 && start.1 >= 1 && start <= end, "{region}");
    for (line, column) in [start, end] {
        let length = text.split('\n').nth(line - 1).expect("the line is there").chars().count();
        assert!(column <= length + 1, "{region}");
    }
}

/// A text after the replacements of a fix of SARIF, which are about the text before all of them.
fn replaced(text: &str, replacements: &[Value]) -> String {
    let offset = |line: &Value, column: &Value| {
        let (line, column) = (line.as_u64().expect("a line"), column.as_u64().expect("a column"));
        let before = text.split_inclusive('\n').take(line as usize - 1).map(str::len).sum::<usize>();
        before + text[before..].chars().take(column as usize - 1).map(char::len_utf8).sum::<usize>()
    };
    let mut edits: Vec<(usize, usize, &str)> = Vec::new();
    for replacement in replacements {
        let region = &replacement["deletedRegion"];
        edits.push((
            offset(&region["startLine"], &region["startColumn"]),
            offset(&region["endLine"], &region["endColumn"]),
            replacement["insertedContent"]["text"].as_str().expect("a text"),
        ));
    }
    edits.sort_unstable();
    let mut changed = text.to_owned();
    for (start, end, with) in edits.into_iter().rev() {
        changed.replace_range(start..end, with);
    }
    changed
}

/// The rules of SARIF 2.1.0 that readers depend on, over all cases at once.
#[test]
fn a_log_keeps_the_rules_of_sarif() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mut texts = BTreeMap::new();
    for Case { name, text, .. } in cases::of("lints") {
        // A name that no address may hold as it is.
        let file = format!("{} é.cpk", name.trim_start_matches("lints/"));
        fs::write(folder.path().join(&file), &text).expect("can be written");
        texts.insert(file, text);
    }
    let absolute = folder.path().join("broken.cpk");
    fs::write(&absolute, "cpk 1\nstage %a from %b\n").expect("can be written");
    let mut arguments = vec!["check", "--format", "sarif", "--deny", "lint::user"];
    arguments.extend(texts.keys().map(String::as_str));
    arguments.push(absolute.to_str().expect("is text"));
    let answer = cogpackc(folder.path(), &arguments);
    assert_eq!((answer.code, answer.stderr.as_str()), (1, ""));
    let log: Value = serde_json::from_slice(&answer.stdout).expect("is one JSON document");
    assert_eq!(log["version"], "2.1.0");
    assert!(log["$schema"].as_str().is_some_and(|schema| schema.ends_with("sarif-2.1.0.json")));
    assert_eq!(log["runs"].as_array().map(Vec::len), Some(1));
    let run = &log["runs"][0];
    assert_eq!(run["tool"]["driver"]["name"], "cogpackc");
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let rules = run["tool"]["driver"]["rules"].as_array().expect("a list");
    let ids: BTreeSet<&str> = rules.iter().filter_map(|rule| rule["id"].as_str()).collect();
    assert_eq!(ids.len(), rules.len(), "a rule is listed once");
    for rule in rules {
        assert!(rule["shortDescription"]["text"].is_string() && rule["help"]["text"].is_string(), "{rule}");
        assert!(
            rule["help"]["markdown"].as_str().is_some_and(|text| text.contains("```\ncpk 1\n")),
            "{rule}"
        );
    }
    let artifacts = run["artifacts"].as_array().expect("a list");
    assert_eq!(artifacts.len(), texts.len() + 1);
    let results = run["results"].as_array().expect("a list");
    assert!(results.len() > 40, "only {} results", results.len());
    let mut levels = BTreeSet::new();
    let mut fixes = 0;
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().expect("a number")).expect("fits");
        assert_eq!(rules[index]["id"], result["ruleId"]);
        levels.insert(result["level"].as_str().expect("a level"));
        assert!(
            result["message"]["text"].as_str().is_some_and(|text| text.contains("\n\nhelp: ")),
            "{result}"
        );
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().expect("a uri");
        let of_an_address = |letter: char| letter.is_ascii_alphanumeric() || "-._~%/".contains(letter);
        assert!(uri.chars().all(of_an_address) && !uri.starts_with('/'), "{uri}");
        let artifact =
            usize::try_from(place["artifactLocation"]["index"].as_u64().expect("a number")).expect("fits");
        assert_eq!(artifacts[artifact]["location"]["uri"], uri);
        let Some(text) = texts.get(&uri.replace("%20", " ").replace("%C3%A9", "é")) else {
            assert_eq!(uri, "broken.cpk");
            continue;
        };
        assert_region(&place["region"], text);
        for fix in result["fixes"].as_array().into_iter().flatten() {
            fixes += 1;
            assert!(fix["description"]["text"].is_string());
            let change = &fix["artifactChanges"][0];
            assert_eq!(change["artifactLocation"]["uri"], uri);
            let replacements = change["replacements"].as_array().expect("a list");
            for replacement in replacements {
                assert_region(&replacement["deletedRegion"], text);
            }
            // Each by itself takes its finding away.
            let after = findings(&replaced(text, replacements), &[]).len();
            let before = findings(text, &[]).len();
            // What a mended comment allows is gone with it.
            let allows = result["ruleId"] == "lint::allow::unknown" && after < before;
            assert!(after + 1 == before || allows, "{fix}");
        }
    }
    assert_eq!(levels, BTreeSet::from(["error", "note", "warning"]));
    assert!(fixes > 10, "only {fixes} fixes");
}
