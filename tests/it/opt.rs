//! `cogpackc opt` and `-O0` to `-O2` as their users meet them.

use std::path::Path;

use cogpack_passes::PASSES;
use cogpack_tests::places::{names_in, root};
use cogpack_tests::terminal::{cogpackc, cogpackc_with_input};

const HEAD: &str = "cpk 1\n\nimage @base = \"debian:bookworm-slim\"\n  digest \
    sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n  config empty\n\n";

fn folder_with(plans: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    for (name, plan) in plans {
        std::fs::write(folder.path().join(name), plan).expect("can be written");
    }
    folder
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).expect("was written")
}

#[test]
fn a_plan_is_rewritten_and_what_was_done_is_told() {
    let plan = format!(
        "{HEAD}stage %app from image @base {{\n  env A = \"1\"\n  env A = \"2\"\n  \
         run \"apt-get update && apt-get install -y git\"\n  run \"rm -rf /var/lib/apt/lists\"\n}}\n\n\
         stage %tests from %app {{\n  run \"make test\"\n}}\n\nexport from %app\n"
    );
    let folder = folder_with(&[("plan.cpk", &plan)]);
    let answer = cogpackc(folder.path(), &["opt", "-O2", "plan.cpk", "--stats", "--verify-passes"]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    let after = answer.text().split_once("stage").expect("there is a stage").1;
    insta::assert_snapshot!(after, @r#"
     %app from image @base {
      env A = "2"
      layer apt {
        run "apt-get update && apt-get install -y git"
        run "rm -rf /var/lib/apt/lists"
      }
    }

    export from %app
    "#);
    let told = answer.stderr.split_once("drop-dead").expect("the passes are told").1;
    insta::assert_snapshot!(told, @r"
    -stages: changed the plan, means the same in 4 of 4 made-up worlds
      plan.cpk:14: nothing that is exported reads %tests
    fold-env: changed the plan, means the same in 4 of 4 made-up worlds
      plan.cpk:8: `A` is set later, and no program looks at it before
    merge-runs: changed the plan, means the same in 4 of 4 made-up worlds
      plan.cpk:10: 2 programs of apt leave one layer, `apt`
    ");
    // Rewriting what was rewritten changes nothing, and tells so.
    let again = cogpackc_with_input(folder.path(), &["opt", "-O2", "-", "--stats"], answer.text());
    assert_eq!(again.text(), answer.text());
    assert_eq!(again.stderr, "<stdin>: no pass found anything to do\n");
}

#[test]
fn levels_and_passes_are_chosen_on_the_command_line() {
    let plan = format!(
        "{HEAD}stage %app from image @base {{\n  run \"apt-get install -y a\"\n  run \"apt-get install -y b\"\n}}\n\n\
         stage %tests from %app\n\nexport from %app\n"
    );
    let folder = folder_with(&[("plan.cpk", &plan)]);
    let of = |arguments: &[&str]| {
        let answer = cogpackc(folder.path(), &[&["opt", "plan.cpk"], arguments].concat());
        assert_eq!(answer.code, 0, "{}", answer.stderr);
        let text = answer.text().to_owned();
        (text.contains("%tests"), text.contains("layer apt"))
    };
    assert_eq!(of(&["-O0"]), (true, false));
    assert_eq!(of(&[]), (false, false));
    assert_eq!(of(&["-O1"]), (false, false));
    assert_eq!(of(&["-O2"]), (false, true));
    assert_eq!(of(&["--optimise", "2"]), (false, true));
    assert_eq!(of(&["--pass", "merge-runs"]), (true, true));
    let answer = cogpackc(folder.path(), &["opt", "plan.cpk", "--pass", "merge-run"]);
    assert_eq!(answer.code, 2);
    assert!(answer.stderr.contains("did you mean `merge-runs`?"), "{}", answer.stderr);
    // What is compiled is rewritten as far; the layers of the image are told by the listing.
    let listing = |level: &str| cogpackc(folder.path(), &["plan.cpk", "-o", "llb.txt", level]).stdout;
    assert!(!listing("-O1").is_empty());
    assert_eq!(listing("-O0"), listing("-O1"));
    assert_ne!(listing("-O1"), listing("-O2"));
    // Behind `--` it is a path, as it is behind `-O`.
    let answer = cogpackc(folder.path(), &["opt", "plan.cpk", "-O", "2"]);
    assert_eq!((answer.code, names_in(folder.path())), (0, vec!["2".to_owned(), "plan.cpk".to_owned()]));
}

#[test]
fn plans_that_begin_alike_get_stages_that_are_alike_to_the_byte() {
    let model = |name: &str| {
        format!(
            "{HEAD}stage %{name} from image @base {{\n  run \"pip install torch\"\n  run \"make {name}\"\n}}\n\n\
             export from %{name}\n"
        )
    };
    let folder = folder_with(&[("a.cpk", &model("a")), ("b.cpk", &model("b"))]);
    let answer = cogpackc(folder.path(), &["opt", "a.cpk", "b.cpk", "-O", "out", "--stats"]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    let shared = |name: &str| {
        let text = read(folder.path(), &format!("out/{name}.cpk"));
        let start = text.find("stage %shared-1").unwrap_or_else(|| panic!("{text}"));
        text[start..start + text[start..].find("\n}\n").expect("it ends")].to_owned()
    };
    assert_eq!(shared("a"), shared("b"));
    assert!(shared("a").contains("pip install torch"));
    insta::assert_snapshot!(answer.stderr, @r"
    dedupe-stages: changed the plan
      a.cpk:7: %a begins with what %shared-1 does
    dedupe-stages: changed the plan
      b.cpk:7: %b begins with what %shared-1 does
    ");
    // Nothing is written over, and two plans of one name have no two places.
    let answer = cogpackc(folder.path(), &["opt", "a.cpk", "b.cpk", "-O", "."]);
    assert_eq!(answer.code, 2);
    assert!(answer.stderr.contains("is the plan itself"), "{}", answer.stderr);
    let answer = cogpackc(folder.path(), &["opt", "a.cpk", "b.cpk"]);
    assert!(answer.stderr.contains("several plans cannot share standard output"), "{}", answer.stderr);
}

#[test]
fn what_passes_do_is_there_for_programs() {
    let plan =
        format!("{HEAD}stage %app from image @base {{\n  user \"a\"\n  user \"b\"\n}}\n\nexport from %app\n");
    let folder = folder_with(&[("plan.cpk", &plan)]);
    let answer = cogpackc(folder.path(), &["opt", "plan.cpk", "--format", "json", "--verify-passes"]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    let told: serde_json::Value = serde_json::from_str(answer.text()).expect("is JSON");
    assert_eq!(told[0]["file"], "plan.cpk");
    assert_eq!(told[0]["plan"]["stages"][0]["name"], "app");
    let passes = told[0]["passes"].as_array().expect("is a list");
    let fold = passes.iter().find(|pass| pass["pass"] == "fold-env").expect("it has run");
    assert_eq!((&fold["changed"], &fold["worlds_compared"]), (&true.into(), &4.into()));
    assert_eq!((&fold["notes"][0]["kind"], &fold["notes"][0]["line"]), (&"did".into(), &8.into()));
}

#[test]
fn the_page_on_passes_names_each_with_its_level() {
    let listed = cogpackc(&root(), &["opt", "--list"]);
    let page = std::fs::read_to_string(root().join("docs/passes.md")).expect("is there");
    for (pass, line) in PASSES.iter().zip(listed.text().lines()) {
        assert!(line.starts_with(pass.name()) && line.ends_with(pass.summary()), "{line}");
        let level = ["-O1", "-O2"].into_iter().find(|level| line.contains(level)).unwrap_or("by name");
        let row = format!(
            "| `{}` | {} | {} |",
            pass.name(),
            level.replace("-O", "`-O").replace("1", "1`").replace("2", "2`"),
            pass.summary()
        );
        assert!(page.contains(&row), "docs/passes.md has not the row {row}");
    }
}

#[test]
fn what_is_saved_is_told_where_the_image_is_there() {
    let plan = "cpk 1\n\ncontext @source = dir \"files\"\n\nstage %app from scratch {\n  \
                copy \"large\" from @source to \"/tmp/large\"\n  file \"/kept\" = \"kept\"\n  \
                remove \"/tmp/large\"\n}\n\nexport from %app\n";
    let folder = folder_with(&[("plan.cpk", plan)]);
    std::fs::create_dir(folder.path().join("files")).expect("can be made");
    let noise: Vec<u8> =
        (0..200_000u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    std::fs::write(folder.path().join("files/large"), noise).expect("can be written");
    let built = cogpackc(folder.path(), &["plan.cpk", "-O0", "-o", "oci", "-O", "layout"]);
    assert_eq!(built.code, 0, "{}", built.stderr);
    let of = |arguments: &[&str]| {
        let answer =
            cogpackc(folder.path(), &[&["opt", "plan.cpk", "-O2", "--format", "json"], arguments].concat());
        assert_eq!(answer.code, 0, "{}", answer.stderr);
        let told: serde_json::Value = serde_json::from_str(answer.text()).expect("is JSON");
        let passes = told[0]["passes"].as_array().expect("is a list").clone();
        passes.into_iter().find(|pass| pass["pass"] == "drop-add-then-remove").expect("it has run")
    };
    assert!(of(&[])["notes"][0]["saves"].is_null());
    // Of several plans each has its own image: of the second nothing is removed that was added.
    let kept = plan.replace("  remove \"/tmp/large\"\n", "");
    std::fs::write(folder.path().join("kept.cpk"), kept.replace("/tmp/large", "/opt/large"))
        .expect("can be written");
    let built = cogpackc(folder.path(), &["kept.cpk", "-O0", "-o", "oci", "-O", "other"]);
    assert_eq!(built.code, 0, "{}", built.stderr);
    let saved = of(&["--sizes", "layout"])["notes"][0]["saves"].as_u64().expect("is known");
    // That is the blob of the layer, whatever it is compressed to.
    let blobs = folder.path().join("layout/blobs/sha256");
    let sizes: Vec<u64> = names_in(&blobs)
        .iter()
        .map(|name| std::fs::metadata(blobs.join(name)).expect("is there").len())
        .collect();
    assert!(saved > 5_000 && sizes.contains(&saved), "{saved} is none of {sizes:?}");
    assert_eq!(of(&["kept.cpk", "--sizes", "layout", "--sizes", "other"])["notes"][0]["saves"], saved);
    let answer = cogpackc(folder.path(), &["opt", "plan.cpk", "kept.cpk", "--sizes", "layout", "-O", "both"]);
    assert_eq!(answer.code, 2);
    assert!(answer.stderr.contains("`--sizes` names 1 image for 2 plans"), "{}", answer.stderr);
    let answer = cogpackc(folder.path(), &["opt", "plan.cpk", "--sizes", "files"]);
    assert_eq!(answer.code, 2);
    assert!(answer.stderr.contains("--sizes"), "{}", answer.stderr);
}

#[test]
fn the_plan_after_each_pass_is_shown_and_what_held_back_is_told_with_its_line() {
    let plan = format!(
        "{HEAD}context @source = dir \"src\"\n\nstage %app from image @base {{\n  env A = \"1\"\n  env A = \"2\"\n  \
         run \"apt-get install -y a\"\n  run \"apt-get install -y b\" {{\n    mount @source at /src\n  }}\n}}\n\n\
         stage %tests from %app {{\n  run \"make test\"\n}}\n\nexport from %app\n"
    );
    let folder = folder_with(&[("plan.cpk", &plan)]);
    let answer = cogpackc(folder.path(), &["opt", "plan.cpk", "--print-after-all", "--stats", "-O2"]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    // Only those that changed it, each with the whole plan; the last one is the answer.
    let after: Vec<&str> = answer.stderr.split("# plan.cpk after ").skip(1).collect();
    let names: Vec<&str> = after.iter().filter_map(|shown| shown.lines().next()).collect();
    assert_eq!(names, ["drop-dead-stages", "fold-env"]);
    assert!(after[0].contains("env A = \"1\"") && !after[0].contains("%tests"), "{}", after[0]);
    assert!(after[1].contains(answer.text()), "{}", after[1]);
    assert!(
        answer.stderr.contains("  plan.cpk:13: held back: it sees files of another input"),
        "{}",
        answer.stderr
    );
}
