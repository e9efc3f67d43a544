//! 61–78: what ends up in the filesystem. Where a program would have to run, the definition that
//! a daemon gets is looked at; the end-to-end tests run such plans.

use cogpack_tests::places::root;
use cogpack_tests::plans::{config_and_listing, image_listing, plan, regular_files};

const PROJECT: &[(&str, &str)] = &[
    ("files/a.txt", "a"),
    ("files/b.txt", "b"),
    ("files/c.txt", "c"),
    ("files/.cog/state", "x"),
    ("files/cog.yaml", "build: {}"),
    ("files/cache/big", "x"),
    ("files/src/predict.py", "pass"),
    ("files/src/lib/predict.rb", "nil"),
];

fn files_of(ops: &str) -> Vec<String> {
    let text = plan(&format!("stage %a from scratch {{\n{ops}\n}}"), "%a");
    regular_files(&image_listing(&text, PROJECT)).into_iter().map(str::to_owned).collect()
}

#[test]
fn b61_files_are_copied_from_a_stage() {
    let text = plan(
        "stage %s from scratch { file \"/x\" = \"x\" }\nstage %a from scratch { copy \"/x\" from %s to \"/y\" }",
        "%a",
    );
    assert_eq!(regular_files(&image_listing(&text, PROJECT)), ["y"]);
}

#[test]
fn b62_files_are_copied_from_an_image() {
    let text = plan("stage %a from scratch { copy \"/etc/passwd\" from image @i to \"/p\" }", "%a");
    let (_, listing) = config_and_listing(&text);
    assert!(listing.contains("docker.io/library/base") && listing.contains("/etc/passwd"), "{listing}");
}

/// The test of the earlier system passed whatever happened: a file from an address became a
/// directory. The file has a name here, and is copied by it.
#[test]
fn b63_a_file_from_an_address_is_copied_by_its_name() {
    let text = plan(
        "context @h = http \"https://example.org/model.json\"\nstage %a from scratch { copy \"model.json\" from @h to \"/resp.json\" }",
        "%a",
    );
    let (_, listing) = config_and_listing(&text);
    assert!(
        listing.contains("https://example.org/model.json") && listing.contains("/resp.json"),
        "{listing}"
    );
}

#[test]
fn b64_two_of_three_files() {
    assert_eq!(files_of("copy \"a.txt\" \"b.txt\" from @c into \"/\""), ["a.txt", "b.txt"]);
}

#[test]
fn b65_a_path_in_a_context() {
    assert_eq!(files_of("copy \"src/predict.py\" from @c to \"/predict.py\""), ["predict.py"]);
}

/// `.cog/` is never part of a context, even if nobody excludes it.
#[test]
fn b66_what_is_excluded_is_left_out() {
    let files =
        files_of("copy contents \".\" from @c to \"/\" { exclude \"**/cache\" exclude \"**/cog.yaml\" }");
    assert_eq!(files, ["a.txt", "b.txt", "c.txt", "src/lib/predict.rb", "src/predict.py"]);
}

#[test]
fn b67_only_what_is_included_is_taken() {
    let files = files_of("copy contents \".\" from @c to \"/\" { include \"**/predict.*\" }");
    assert_eq!(files, ["src/lib/predict.rb", "src/predict.py"]);
}

#[test]
fn b68_includes_and_excludes_together() {
    let files =
        files_of("copy contents \".\" from @c to \"/\" { include \"**/predict.*\" exclude \"**/*.rb\" }");
    assert_eq!(files, ["src/predict.py"]);
}

/// A wildcard used to flatten directories: `src/*` put what was in `src/lib` beside
/// `predict.py`. Each match lands under its own name here.
#[test]
fn b69_what_a_wildcard_matches_lands_under_its_own_name() {
    let files = files_of("copy \"src/*\" from @c into \"/files\"");
    assert_eq!(files, ["files/lib/predict.rb", "files/predict.py"]);
}

#[test]
fn b70_what_a_run_leaves_is_there_in_the_next_stage() {
    let text =
        plan("stage %s from image @i { run \"echo x > /x\" }\nstage %a from %s { run \"cat /x\" }", "%a");
    let (_, listing) = config_and_listing(&text);
    let first = listing.find("echo x > /x").expect("the first run is there");
    let second = listing.find("cat /x").expect("the second run is there");
    assert!(first < second, "{listing}");
}

#[test]
fn b71_to_b74_directories_files_of_the_plan_images_and_stages_are_mounted() {
    let text = plan(
        "context @f = files {\n file \"f\" = \"f\"\n}\nstage %s from scratch { file \"/s\" = \"s\" }\nstage %a from image @i {\n run \"ls\" {\n mount @c at /c\n mount @f at /f\n mount image @i at /i\n mount %s at /s\n }\n}",
        "%a",
    );
    let (_, listing) = config_and_listing(&text);
    for target in ["/c", "/f", "/i", "/s"] {
        assert!(listing.contains(target), "{target} is not mounted\n{listing}");
    }
}

#[test]
fn b75_a_file_has_the_content_that_the_plan_says() {
    let text = plan("stage %a from scratch { file \"/etc/motd\" mode 0600 = \"hello\" }", "%a");
    let listing = image_listing(&text, PROJECT);
    assert!(listing.contains("- 0600 0:0 etc/motd 5 bytes 2cf24dba5fb0"), "{listing}");
}

#[test]
fn b76_a_copy_from_a_context_keeps_what_is_in_it() {
    assert_eq!(files_of("copy \"src\" from @c to \"/src\""), ["src/lib/predict.rb", "src/predict.py"]);
}

#[test]
fn b77_what_nobody_copies_is_not_there() {
    assert_eq!(files_of("copy \"a.txt\" from @c to \"/a.txt\""), ["a.txt"]);
}

/// The fixture's own notes and its test disagreed on the place; the plan says it here.
#[test]
fn b78_a_built_project_has_its_code_where_the_plan_puts_it() {
    let folder = root().join("examples/language-detector");
    let output = tempfile::tempdir().expect("a temporary folder can be made");
    let path = output.path().join("out");
    let path = path.to_str().expect("the path is UTF-8");
    let answer = cogpack_tests::terminal::cogpackc(&folder, &["app.cpk", "-o", "oci", "-O", path]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    let listing = cogpack_tests::oci::listing(&output.path().join("out"));
    assert!(regular_files(&listing).contains(&"src/predict.py"), "{listing}");
}
