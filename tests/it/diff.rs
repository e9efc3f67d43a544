//! `cogpackc diff`: what a change of a plan builds again, in every form; and that the edits it writes make
//! the new plan.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use cogpack_backends_contract::Backend;
use cogpack_backends_llb::{Llb, SourceText};
use cogpack_content::Digest;
use cogpack_diff::edits;
use cogpack_tests::cases;
use cogpack_tests::places::root;
use cogpack_tests::plans::{folder_with, resolved};
use cogpack_tests::snapshot::Snapshots;
use cogpack_tests::terminal::{Answer, cogpackc, cogpackc_with_input};

/// Both plans of each case, by the name of its folder.
fn all() -> BTreeMap<String, [String; 2]> {
    let mut pairs: BTreeMap<String, [String; 2]> = BTreeMap::new();
    for case in cases::of("diff") {
        let (folder, which) = case.name.rsplit_once('/').expect("a case is in a folder of its own");
        let pair = pairs.entry(folder.to_owned()).or_default();
        pair[usize::from(which.ends_with("new"))] = case.text;
    }
    pairs
}

fn compared(texts: &[String; 2], more: &[&str]) -> Answer {
    let [old, new] = texts;
    let folder = folder_with(&[("old.cpk", old), ("new.cpk", new)]);
    cogpackc(folder.path(), &[&["diff", "old.cpk", "new.cpk"], more].concat())
}

#[test]
fn what_is_told_is_what_was_told() {
    let mut snapshots = Snapshots::default();
    for (name, texts) in all() {
        for (ending, form) in [("txt", "text"), ("md", "markdown"), ("json", "json")] {
            let answer = compared(&texts, &["-o", form]);
            assert_eq!((answer.code, answer.stderr.as_str()), (1, ""), "{name}");
            snapshots.check(&format!("{name}.{ending}"), answer.text());
        }
        let [old, new] = &texts;
        let folder = folder_with(&[("old.cpk", old), ("new.cpk", new)]);
        let why = cogpackc(folder.path(), &["explain", "new.cpk", "--since", "old.cpk"]);
        assert_eq!((why.code, why.stderr.as_str()), (0, ""), "{name}");
        snapshots.check(&format!("{name}.since.txt"), why.text());
        let told = compared(&texts, &[]);
        assert!(told.text().lines().count() <= 50, "{name} is more than a screen");
    }
    snapshots.finish("diff");
}

#[test]
fn edits_make_the_new_plan_of_the_old_one() {
    for (name, texts) in all() {
        let answer = compared(&texts, &["--format", "json"]);
        let document: serde_json::Value = serde_json::from_str(answer.text()).expect("is JSON");
        let [old, new] = texts.map(|text| cogpack_compiler::parse(&text).expect("a case is a plan"));
        let patch = document["edits"].as_array().expect("has edits");
        assert_eq!(edits::apply(&old, patch).expect("can be applied"), new, "{name}");
    }
}

#[test]
fn a_plan_is_itself_however_it_is_written() {
    for (name, [old, new]) in all() {
        for text in [old, new] {
            let json = cogpackc_with_input(Path::new("/"), &["-", "-o", "json"], &text);
            let folder = folder_with(&[("a.cpk", &text), ("a.json", json.text())]);
            let answer = cogpackc(folder.path(), &["diff", "a.cpk", "a.json"]);
            let left = (answer.code, answer.text(), answer.stderr.as_str());
            assert_eq!(left, (0, "", ""), "{name}");
        }
    }
}

/// What is told to run again is what BuildKit has other vertices for. A directory's vertex carries its name
/// and all that is used of it, which keys know better: of plans with one, only that nothing runs again
/// which has its vertices.
#[test]
fn ops_that_run_again_are_other_vertices() {
    for (name, texts) in all() {
        let vertices = |text: &str| -> BTreeSet<Digest> {
            let plan = resolved(text);
            let source =
                SourceText { name: "plan.cpk".to_owned(), text: std::sync::Arc::new(text.to_owned()) };
            let images = Llb::new(source).lower(&plan).expect("can be said");
            let vertices = images[0].digests.iter();
            // The last one only says which one is the image.
            vertices.take(images[0].digests.len() - 1).copied().collect()
        };
        let [before, after] = [vertices(&texts[0]), vertices(&texts[1])];
        let answer = compared(&texts, &["--format", "json"]);
        let document: serde_json::Value = serde_json::from_str(answer.text()).expect("is JSON");
        let nothing_runs = document["runs"].as_array().expect("has runs").is_empty();
        if texts[0].contains("context @") {
            assert!(nothing_runs || !after.is_subset(&before), "{name}");
        } else {
            assert_eq!(nothing_runs, after.is_subset(&before), "{name}");
        }
    }
}

#[test]
fn what_cannot_be_compared_exits_with_two() {
    let good = "cpk 1\nstage %a from scratch {\n  file \"/a\" = \"\"\n}\nexport from %a\n";
    let bad = "cpk 1\nstage %a from %a {}\nexport from %a\n";
    let folder = folder_with(&[("good.cpk", good), ("bad.cpk", bad)]);
    let run = |words: &[&str]| cogpackc(folder.path(), &[&["diff"], words].concat());
    let answer = run(&["good.cpk", "bad.cpk"]);
    assert_eq!((answer.code, answer.text()), (2, ""));
    assert!(answer.stderr.contains("cpk::stage::cycle"), "{}", answer.stderr);
    for words in [&["good.cpk"][..], &["good.cpk", "none.cpk"], &["-", "-"], &["--git-driver", "a", "b"]] {
        assert_eq!(run(words).code, 2, "{words:?}");
    }
    let answer = run(&["good.cpk", "good.cpk", "--sizes", "bad.cpk"]);
    assert_eq!(answer.code, 2);
    assert!(answer.stderr.contains("and not an OCI image layout"), "{}", answer.stderr);
}

#[test]
fn sizes_are_those_of_the_image_of_the_old_plan() {
    let plan = |first: &str, second: &str| {
        format!(
            "cpk 1\nstage %a from scratch {{\n  env PATH = \"/bin\"\n  file \"/a\" = \"{first}\"\n  \
             file \"/b\" = \"{second}\"\n}}\nexport from %a\n"
        )
    };
    let (old, new) = (plan("one", "two"), plan("one", "three"));
    let folder = folder_with(&[
        ("old.cpk", &old),
        ("new.cpk", &new),
        ("other.cpk", &old.replace("file \"/a\" = \"one\"\n", "")),
    ]);
    let built = cogpackc(folder.path(), &["old.cpk", "-o", "oci", "-O", "layout"]);
    assert_eq!(built.code, 0, "{}", built.stderr);
    let words = ["diff", "old.cpk", "new.cpk", "--sizes", "layout"];
    let answer = cogpackc(folder.path(), &[&words[..], &["--format", "json"]].concat());
    let document: serde_json::Value = serde_json::from_str(answer.text()).expect("is JSON");
    let index: serde_json::Value = read(&folder.path().join("layout/index.json"));
    let blob = |digest: &serde_json::Value| {
        let hex = digest.as_str().expect("is a digest").replace("sha256:", "sha256/");
        read(&folder.path().join("layout/blobs").join(hex))
    };
    let manifest = blob(&index["manifests"][0]["digest"]);
    let sizes: Vec<u64> = manifest["layers"]
        .as_array()
        .expect("has layers")
        .iter()
        .filter_map(|it| it["size"].as_u64())
        .collect();
    assert_eq!(document["sizes"]["stay"], sizes[0]);
    assert_eq!(document["sizes"]["again"], sizes[1]);
    assert!(cogpackc(folder.path(), &words).text().contains(" are pushed and pulled again"));
    let other = cogpackc(folder.path(), &["diff", "other.cpk", "new.cpk", "--sizes", "layout"]);
    assert_eq!(other.code, 2);
    assert!(other.stderr.contains("has 2 layers of stages, and the plan makes 1 layer"), "{}", other.stderr);
}

fn read(path: &Path) -> serde_json::Value {
    let text = std::fs::read_to_string(path).expect("can be read");
    serde_json::from_str(&text).expect("is JSON")
}

#[test]
fn a_plan_of_a_git_revision_is_compared() {
    let old = "cpk 1\nstage %a from scratch {\n  file \"/a\" = \"1\"\n}\nexport from %a\n";
    let new = old.replace("\"1\"", "\"2\"");
    let folder = folder_with(&[("model/plan.cpk", old)]);
    let git = |words: &[&str]| {
        let done = Command::new("git")
            .args(["-c", "user.name=A", "-c", "user.email=a@example.org"])
            .args(words)
            .current_dir(folder.path())
            .output();
        assert!(done.expect("git is there").status.success(), "{words:?}");
    };
    git(&["init", "-q"]);
    git(&["add", "-A"]);
    git(&["commit", "-q", "-m", "one"]);
    std::fs::write(folder.path().join("model/plan.cpk"), &new).expect("can be written");
    for (directory, words) in [
        (folder.path().to_owned(), ["HEAD:model/plan.cpk", "model/plan.cpk"]),
        (folder.path().to_owned(), ["HEAD:model", "model"]),
        (folder.path().join("model"), ["HEAD:./plan.cpk", "plan.cpk"]),
        (folder.path().join("model"), ["HEAD:model/plan.cpk", "plan.cpk"]),
    ] {
        let answer = cogpackc(&directory, &[&["diff"], &words[..]].concat());
        assert_eq!((answer.code, answer.stderr.as_str()), (1, ""), "{words:?}");
        assert!(answer.text().contains("+ file \"/a\" = \"2\""), "{}", answer.text());
        let [old, new] = words;
        let why = cogpackc(&directory, &["explain", new, "--since", old]);
        assert_eq!((why.code, why.stderr.as_str()), (0, ""), "{words:?}");
        assert!(why.text().contains("1 of 1 layer of the image is new"), "{}", why.text());
    }
    let missing = cogpackc(folder.path(), &["diff", "HEAD:none.cpk", "model"]);
    assert_eq!(missing.code, 2);
    assert!(missing.stderr.contains("read `HEAD:none.cpk` from git"), "{}", missing.stderr);
}

#[test]
fn plans_are_compared_for_the_platforms_that_are_asked_for() {
    let old =
        "cpk 1\nplatform linux/amd64\nstage %a from scratch {\n  file \"/a\" = \"1\"\n}\nexport from %a\n";
    let new = old.replace("amd64\n", "amd64\nplatform linux/arm64\n");
    let folder = folder_with(&[("old.cpk", old), ("new.cpk", &new)]);
    let run = |more: &[&str]| cogpackc(folder.path(), &[&["diff", "old.cpk", "new.cpk"], more].concat());
    assert_eq!(run(&[]).code, 1);
    assert_eq!(
        (run(&["--platform", "linux/amd64"]).code, run(&["--platform", "linux/amd64"]).text()),
        (0, "")
    );
    let other = run(&["--platform", "linux/arm64"]);
    assert_eq!(other.code, 2);
    assert!(other.stderr.contains("the plan is not for the platform `linux/arm64`"), "{}", other.stderr);
}

/// Git gives a driver a path, and a file, a digest and a mode of each side; `/dev/null` stands for no file.
#[test]
fn git_shows_plans_by_the_driver() {
    let old = "cpk 1\nstage %a from scratch {\n  file \"/a\" = \"1\"\n}\nexport from %a\n";
    let new = old.replace("\"1\"", "\"2\"");
    let folder = folder_with(&[("old", old), ("new", &new), ("broken", "cpk 1\nstage\n")]);
    let shown = |old: &str, new: &str| {
        let words = ["diff", "--git-driver", "app/plan.cpk", old, "0a", "100644", new, "0b", "100644"];
        let answer = cogpackc(folder.path(), &words);
        // Whatever differs: git takes another code for a driver that broke.
        assert_eq!((answer.code, answer.stderr.as_str()), (0, ""), "{old} {new}");
        answer.text().to_owned()
    };
    let told = cogpackc(folder.path(), &["diff", "old", "new"])
        .text()
        .replace("old → new", "a/app/plan.cpk → b/app/plan.cpk");
    assert_eq!(shown("old", "new"), told);
    assert_eq!(shown("old", "old"), "");
    // What is no plan is shown line by line.
    assert!(shown("/dev/null", "new").contains("\n+cpk 1\n"), "{}", shown("/dev/null", "new"));
    let broken = shown("old", "broken");
    assert!(broken.starts_with("--- a/app/plan.cpk\n+++ b/app/plan.cpk\n@@ "), "{broken}");
    let unmerged = cogpackc(folder.path(), &["diff", "--git-driver", "app/plan.cpk"]);
    assert_eq!((unmerged.code, unmerged.text()), (0, "app/plan.cpk: not merged\n"));
}

/// The page shows what is printed, under the names that it has there.
#[test]
fn the_page_shows_what_is_printed() {
    let page = std::fs::read_to_string(root().join("docs/diff.md")).expect("the page is there");
    let printed = compared(&all()["diff/pull-request"], &[]);
    let printed = printed.text().replace("old.cpk → new.cpk", "HEAD:plan.cpk → plan.cpk");
    assert!(page.contains(&format!("$ cogpackc diff HEAD:plan.cpk plan.cpk\n{printed}```\n")), "{printed}");
    let [old, new] = &all()["diff/pull-request"];
    let folder = folder_with(&[("old.cpk", old), ("new.cpk", new)]);
    let why = cogpackc(folder.path(), &["explain", "new.cpk", "--since", "old.cpk"]);
    assert!(page.contains(&format!("--since old.cpk\n{}```\n", why.text())), "{}", why.text());
}

#[test]
fn each_op_that_runs_again_is_led_to_by_one_that_does_for_the_same_reason() {
    for (name, texts) in all() {
        let [old, new] = &texts;
        let folder = folder_with(&[("old.cpk", old), ("new.cpk", new)]);
        let answer =
            cogpackc(folder.path(), &["explain", "new.cpk", "--since", "old.cpk", "--format", "json"]);
        let document: serde_json::Value = serde_json::from_str(answer.text()).expect("is JSON");
        let runs = document["runs"].as_array().expect("has runs");
        for (place, run) in runs.iter().enumerate() {
            // From each op the way leads to one that nothing led to, and never round.
            let (mut at, mut steps) = (place, 0);
            while let Some(next) = runs[at]["led_to_by"]["run"].as_u64() {
                at = usize::try_from(next).expect("is a place");
                assert_eq!(runs[at]["cause"], run["cause"], "{name}");
                steps += 1;
                assert!(steps <= runs.len(), "{name}: the way to op {place} leads round");
            }
        }
        let again = cogpackc(folder.path(), &["explain", "new.cpk", "--since", "new.cpk"]);
        assert_eq!(again.text(), "new.cpk since new.cpk: nothing runs again\n");
    }
}
