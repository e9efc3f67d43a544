//! Build records: what a build leaves in `.cog/records`, and what `explain --since` tells by it. Built in
//! this process, without programs, so that it takes no daemon; `daemon` and the end-to-end scripts have some.

use std::fs;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, symlink};
use std::path::Path;
use std::time::Duration;

use cogpack_tests::places::root;
use cogpack_tests::plans::folder_with;
use cogpack_tests::terminal::{Answer, cogpackc, cogpackc_with_input};
use serde_json::Value;
use tempfile::TempDir;

const PLAN: &str = r#"cpk 1

context @source = dir "."

stage %deps from scratch {
  copy "requirements.txt" from @source to "/srv/requirements.txt"
  mkdir "/deps"
}

stage %app from %deps {
  copy contents "src" from @source to "/app"
  mkdir "/etc/app"
}

export from %app
"#;

fn project() -> TempDir {
    let folder = folder_with(&[("plan.cpk", PLAN), ("requirements.txt", "numpy\n"), ("README.md", "one")]);
    fs::create_dir(folder.path().join("src")).expect("can be made");
    fs::write(folder.path().join("src/predict.py"), "one").expect("is writable");
    folder
}

/// Builds; gives the image's digest.
fn built(folder: &Path, plan: &str, more: &[&str]) -> String {
    let out = tempfile::tempdir().expect("makes a directory");
    let to = format!("type=layout,dest={}", out.path().join("out").display());
    let words = ["build", plan, "--builder", "direct", "--progress", "quiet", "-o", &to];
    let answer = cogpackc(folder, &[&words, more].concat());
    assert_eq!((answer.code, answer.stderr.as_str()), (0, ""));
    answer.text().trim().to_owned()
}

fn explained(folder: &Path, since: &str) -> Answer {
    let answer = cogpackc(folder, &["explain", "plan.cpk", "--since", since]);
    assert_eq!((answer.code, answer.stderr.as_str()), (0, ""));
    answer
}

const RECORD: &str = ".cog/records/plan.cpk.json";

fn record(folder: &Path) -> String {
    fs::read_to_string(folder.join(RECORD)).expect("a record was written")
}

/// A record without its times.
fn timeless(record: &str) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(map) => {
                map.remove("took_ms");
                map.values_mut().for_each(strip);
            }
            Value::Array(list) => list.iter_mut().for_each(strip),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut value = serde_json::from_str(record).expect("is JSON");
    strip(&mut value);
    value
}

#[test]
fn a_file_that_changed_since_the_last_build_is_told_with_what_it_leads_to() {
    let folder = project();
    let at = folder.path();
    built(at, "plan.cpk", &[]);
    assert_eq!(
        explained(at, "last").text(),
        "plan.cpk since the last build of `plan.cpk`: nothing runs again\n"
    );
    fs::write(at.join("README.md"), "two").expect("is writable");
    assert!(explained(at, "last").text().ends_with("nothing runs again\n"));
    fs::write(at.join("requirements.txt"), "torch\n").expect("is writable");
    fs::write(at.join("src/train.py"), "new").expect("is writable");
    fs::remove_file(at.join("src/predict.py")).expect("is there");
    let page = fs::read_to_string(root().join("docs/diff.md")).expect("the page is there");
    let told = explained(at, "last");
    assert!(page.contains(&format!("--since last\n{}```\n", told.text())), "{}", told.text());
    // Nothing stands for it as well.
    let answer = cogpackc(at, &["explain", "plan.cpk", "--since"]);
    assert_eq!(
        answer.text(),
        explained(at, RECORD)
            .text()
            .replace(&format!("since {RECORD}"), "since the last build of `plan.cpk`")
    );
    built(at, "plan.cpk", &[]);
    assert!(explained(at, "last").text().ends_with("nothing runs again\n"));
}

#[test]
fn the_record_tells_what_the_old_plan_tells() {
    let folder = project();
    let at = folder.path();
    built(at, "plan.cpk", &[]);
    fs::copy(at.join("plan.cpk"), at.join("old.cpk")).expect("is writable");
    let changed = PLAN.replace("mkdir \"/deps\"", "mkdir \"/dependencies\"").replace("%app", "%application");
    fs::write(at.join("plan.cpk"), changed).expect("is writable");
    let (by_record, by_plan) = (explained(at, "last"), explained(at, "old.cpk"));
    assert!(by_plan.text().contains("`mkdir \"/dependencies\"` of %deps is changed"), "{}", by_plan.text());
    assert_eq!(by_record.text().replace("the last build of `plan.cpk`", "old.cpk"), by_plan.text());
    let plan = fs::read_to_string(at.join("plan.cpk")).expect("is there");
    let by_input = cogpackc_with_input(at, &["explain", "-", "--since", "old.cpk"], &plan);
    assert_eq!(by_input.text(), by_plan.text().replace("plan.cpk since", "<stdin> since"));
    let refused = cogpackc_with_input(at, &["explain", "-", "--since", RECORD], &plan);
    assert!(refused.stderr.contains("and not of standard input"), "{}", refused.stderr);
}

#[test]
fn a_record_changes_no_image_and_no_plan_wherever_it_lies() {
    let folder = project();
    let at = folder.path();
    fs::create_dir(at.join("deploy")).expect("can be made");
    let nested = PLAN.replace("dir \".\"", "dir \"..\"").replace("\"src\"", "\".\"");
    fs::write(at.join("deploy/plan.cpk"), nested).expect("is writable");
    let first = built(at, "deploy/plan.cpk", &["--no-record"]);
    assert!(!at.join("deploy/.cog").exists());
    for _ in 0..2 {
        assert_eq!(built(at, "deploy/plan.cpk", &[]), first);
        built(at, "plan.cpk", &[]);
    }
    assert!(at.join("deploy").join(RECORD).exists() && at.join(RECORD).exists());
    let answer = cogpackc(at, &["explain", "deploy/plan.cpk", "--since", "last"]);
    assert!(answer.text().ends_with("nothing runs again\n"), "{}", answer.text());
    assert_eq!(fs::read_to_string(at.join(".cog/records/.gitignore")).expect("is there"), "*\n");
    assert!(!record(&at.join("deploy")).contains(".cog"));
    // What somebody else keeps beside it is theirs.
    fs::write(at.join("deploy/.cog/state"), "theirs").expect("is writable");
    assert_ne!(built(at, "deploy/plan.cpk", &[]), first);
}

#[test]
fn records_of_equal_builds_differ_in_times_alone() {
    let (one, other) = (project(), project());
    for folder in [&one, &other] {
        built(folder.path(), "plan.cpk", &[]);
    }
    let texts = [&one, &other].map(|folder| record(folder.path()));
    assert_eq!(timeless(&texts[0]), timeless(&texts[1]));
    let home = one.path().to_str().expect("is text");
    assert!(!texts[0].contains(home), "{}", texts[0]);
    let record = timeless(&texts[0]);
    let states: Vec<&Value> =
        record["ops"].as_array().expect("is a list").iter().map(|op| &op["state"]).collect();
    assert_eq!(states, ["ran"; 4]);
    let contexts = serde_json::to_string_pretty(&record["contexts"]).expect("is JSON");
    insta::assert_snapshot!(contexts, @r#"
    {
      "source": {
        "requirements.txt": "0644 sha256:e09f656c130b9c08b2c5ab7187c891295e449ed77febea2a6ceee9cc98ccb0fc",
        "src": "0755",
        "src/predict.py": "0644 sha256:7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"
      }
    }
    "#);
}

#[test]
fn where_no_record_can_be_written_the_build_says_so_and_is_done() {
    let folder = project();
    let at = folder.path();
    let elsewhere = tempfile::tempdir().expect("makes a directory");
    let words =
        ["build", "plan.cpk", "--builder", "direct", "--progress", "quiet", "-o", "type=oci,dest=/dev/null"];
    fs::write(at.join(".cog"), "a file").expect("is writable");
    let answer = cogpackc(at, &words);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    assert!(answer.stderr.contains("note: there is no record of this build"), "{}", answer.stderr);
    assert!(answer.stderr.contains("`--no-record` asks for none"), "{}", answer.stderr);
    fs::remove_file(at.join(".cog")).expect("is there");
    symlink(elsewhere.path(), at.join(".cog")).expect("is writable");
    let answer = cogpackc(at, &words);
    assert!(answer.code == 0 && answer.stderr.contains("`.cog` is a link"), "{}", answer.stderr);
    assert!(fs::read_dir(elsewhere.path()).expect("is there").next().is_none());
    // Standard input is no place to come back to.
    fs::remove_file(at.join(".cog")).expect("is there");
    let answer = cogpackc_with_input(at, &[&["build", "-"], &words[2..]].concat(), PLAN);
    assert_eq!((answer.code, answer.stderr.as_str()), (0, ""));
    assert!(!at.join(".cog").exists());
}

/// Until what was written is no longer so young that it might be changed again and look the same.
fn settle() {
    std::thread::sleep(Duration::from_millis(2_300));
}

#[test]
fn of_very_many_files_the_one_that_changed_is_told_and_none_is_listed_again_while_nothing_has() {
    let project = project();
    let folder = project.path();
    fs::create_dir_all(folder.join("src/many")).expect("can be made");
    for number in 0..12_000 {
        fs::write(folder.join(format!("src/many/{number:05}.py")), "").expect("is writable");
    }
    built(folder, "plan.cpk", &[]);
    // Files that were written a moment before are read again.
    let unchanged = folder.join(".cog/records/plan.cpk.unchanged");
    assert!(!unchanged.exists());
    settle();
    built(folder, "plan.cpk", &[]);
    let first = record(folder);
    assert!(first.contains("\"src/many/11999.py\": \"0644 sha256:"), "{}", first.len());
    let left = || {
        let names =
            ["plan.cpk.seen", "plan.cpk.unchanged"].map(|name| folder.join(".cog/records").join(name));
        names.map(|path| fs::metadata(path).expect("is there").ino())
    };
    let before = left();
    assert_eq!(built(folder, "plan.cpk", &[]), built(folder, "plan.cpk", &["--no-record"]));
    assert_eq!((timeless(&record(folder)), left()), (timeless(&first), before));
    // A build of which the record would say the same leaves it, dated anew.
    let dated = || {
        let found = fs::metadata(folder.join(RECORD)).expect("is there");
        (found.ino(), found.modified().expect("is dated"))
    };
    let (first, (place, date)) = (record(folder), dated());
    built(folder, "plan.cpk", &[]);
    assert_eq!((record(folder), dated().0), (first.clone(), place));
    assert!(dated().1 > date);
    // What is said otherwise there is said anew, though no file has changed.
    let other = first.replace("\"builder\": \"direct\"", "\"builder\": \"daemon\"");
    assert_ne!(other, first);
    fs::write(folder.join(RECORD), other).expect("is writable");
    built(folder, "plan.cpk", &[]);
    assert_eq!((timeless(&record(folder)), left()), (timeless(&first), before));
    assert!(explained(folder, "last").text().ends_with("nothing runs again\n"));
    // What does not fit the record says nothing of it.
    for damaged in [first.replace("11999", "11998"), first.clone() + " "] {
        fs::write(folder.join(RECORD), damaged).expect("is writable");
        built(folder, "plan.cpk", &[]);
        assert_eq!(timeless(&record(folder)), timeless(&first));
        assert_ne!(left(), before);
    }
    fs::write(folder.join("src/many/05000.py"), "two").expect("is writable");
    fs::remove_file(folder.join("src/many/00001.py")).expect("is there");
    let answer = explained(folder, "last");
    assert!(
        answer.text().contains("\n`src/many/00001.py` and `src/many/05000.py` of @source are changed\n"),
        "{}",
        answer.text()
    );
    built(folder, "plan.cpk", &[]);
    assert!(explained(folder, "last").text().ends_with("nothing runs again\n"));
    assert_ne!(timeless(&record(folder)), timeless(&first));
}

#[test]
fn weights_beside_a_model_are_known_by_what_the_disk_says_of_them() {
    let project = project();
    let folder = project.path();
    let (model, other) = (folder.join("src/model.bin"), folder.join("src/other.bin"));
    let sized = |path: &Path, size| {
        fs::File::create(path).and_then(|file| file.set_len(size)).expect("is writable");
    };
    sized(&model, 300 << 20);
    settle();
    built(folder, "plan.cpk", &[]);
    assert!(record(folder).contains("\"src/model.bin\": \"0644 314572800 "), "{}", record(folder));
    assert!(record(folder).contains("\"src/predict.py\": \"0644 sha256:"), "{}", record(folder));
    let home = folder.to_str().expect("is text");
    assert!(!record(folder).contains(home), "{}", record(folder));
    let why = || {
        let told = explained(folder, "last").text().to_owned();
        told.lines().filter(|line| line.starts_with('`')).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(why(), [""; 0]);
    fs::write(folder.join("src/predict.py"), "two").expect("is writable");
    assert_eq!(why(), ["`src/predict.py` of @source is changed"]);
    fs::write(folder.join("src/predict.py"), "one").expect("is writable");
    assert_eq!(why(), [""; 0]);
    // By time only, and by its bytes alone: who has set the time back has changed the file afterwards.
    let open = || fs::File::options().write(true).open(&model).expect("is there");
    let modified = fs::metadata(&model).and_then(|found| found.modified()).expect("is dated");
    open().set_modified(modified + Duration::from_secs(1)).expect("is ours");
    assert_eq!(why(), ["`src/model.bin` of @source is dated anew"]);
    open().write_all_at(b"x", 1 << 20).expect("is writable");
    open().set_modified(modified).expect("is ours");
    assert_eq!(why(), ["`src/model.bin` of @source is dated anew"]);
    open().set_len(301 << 20).expect("is writable");
    assert_eq!(why(), ["`src/model.bin` of @source is changed"]);
    sized(&other, 300 << 20);
    assert_eq!(why(), ["`src/model.bin` and `src/other.bin` of @source are changed"]);
    fs::remove_file(&model).expect("is there");
    fs::rename(&other, folder.join("src/another.bin")).expect("is there");
    assert_eq!(why(), ["`src/another.bin` and `src/model.bin` of @source are changed"]);
    fs::remove_file(folder.join("src/another.bin")).expect("is there");
    assert_eq!(why(), ["`src/model.bin` of @source is gone"]);
}

#[test]
fn a_record_of_a_cogpackc_that_listed_no_files_is_compared_by_its_plan() {
    let project = project();
    let folder = project.path();
    built(folder, "plan.cpk", &[]);
    let listed = record(folder);
    let (before, _) = listed.split_once("\"contexts\": ").expect("lists files");
    let earlier =
        format!("{before}\"contexts\": null\n}}\n").replace("\"build_record\": 2", "\"build_record\": 1");
    fs::write(folder.join(RECORD), earlier).expect("is writable");
    fs::write(folder.join("src/predict.py"), "two").expect("is writable");
    let answer = cogpackc(folder, &["explain", "plan.cpk", "--since", "last"]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    assert!(answer.text().ends_with("nothing runs again\n"), "{}", answer.text());
    assert!(answer.stderr.contains("lists no files"), "{}", answer.stderr);
}

#[test]
fn each_op_has_its_key_the_size_of_its_layer_and_its_time() {
    let project = project();
    let plan = PLAN.replace("mkdir \"/deps\"", "layer both { mkdir \"/deps\" mkdir \"/more\" }");
    fs::write(project.path().join("plan.cpk"), plan).expect("is writable");
    built(project.path(), "plan.cpk", &[]);
    let record: Value = serde_json::from_str(&record(project.path())).expect("is JSON");
    let ops = record["ops"].as_array().expect("is a list");
    let layers = record["layers"].as_array().expect("is a list");
    assert_eq!((ops.len(), layers.len()), (5, 4));
    for (op, layer) in ops.iter().zip([0, 1, 1, 2, 3]) {
        assert!(op["key"].as_str().is_some_and(|key| key.starts_with("sha256:")), "{op}");
        assert!(op["size"].as_u64() > Some(0) && op["size"] == layers[layer]["size"], "{op} {layers:?}");
        assert!(op["took_ms"].is_u64() && op["state"] == "ran", "{op}");
    }
    let keys: std::collections::BTreeSet<&str> = ops.iter().filter_map(|op| op["key"].as_str()).collect();
    assert_eq!(keys.len(), 4, "{keys:?}");
}

#[test]
fn a_build_that_fails_leaves_the_record_of_the_one_before() {
    let folder = project();
    let at = folder.path();
    built(at, "plan.cpk", &[]);
    let before = record(at);
    fs::rename(at.join("requirements.txt"), at.join("requirements.in")).expect("is there");
    let failed = cogpackc(at, &["build", ".", "--builder", "direct", "-o", "type=oci,dest=/dev/null"]);
    assert_ne!(failed.code, 0);
    assert_eq!(record(at), before);
    let why = explained(at, "last");
    assert!(why.text().contains("`requirements.txt` of @source is gone"), "{}", why.text());
}

#[test]
fn a_record_that_cannot_be_compared_is_refused_with_a_way_out() {
    let folder = project();
    let at = folder.path();
    let refused = |words: &[&str]| {
        let answer = cogpackc(at, &[&["explain"], words].concat());
        assert_eq!((answer.code, answer.text()), (2, ""), "{words:?}: {}", answer.stderr);
        answer.stderr
    };
    let mut told = vec![refused(&["plan.cpk", "--since", "last"])];
    built(at, "plan.cpk", &[]);
    let whole = record(at);
    fs::write(at.join("later.json"), whole.replace("\"build_record\": 2", "\"build_record\": 3"))
        .expect("is writable");
    told.push(refused(&["plan.cpk", "--since", "later.json"]));
    fs::write(at.join("cut.json"), whole.split_once("\"ops\"").expect("lists ops").0).expect("is writable");
    told.push(refused(&["plan.cpk", "--since", "cut.json"]));
    fs::write(at.join("other.cpk"), PLAN).expect("is writable");
    told.push(refused(&["other.cpk", "--since", RECORD]));
    fs::write(at.join("plan.cpk"), PLAN.replace("cpk 1", "cpk 1\nplatform linux/arm64"))
        .expect("is writable");
    told.push(refused(&["plan.cpk", "--since", "last"]));
    told.push(refused(&["-", "--since", "last"]));
    fs::write(at.join(RECORD), "").expect("is writable");
    told.push(refused(&["plan.cpk", "--since", "last"]));
    insta::assert_snapshot!(told.join("\n"), @r"
    error: there is no record of the last build of `plan.cpk`

    hint: `cogpackc build` writes one when it is done, unless `--no-record` is said; `--since` takes a plan as well: a file, or `REVISION:PATH` of git

    error: read `later.json`
      because: it is of version 3, and this cogpackc reads records up to version 2

    hint: use the cogpackc that built it, or build again with this one

    error: `cut.json` is not whole
      because: EOF while parsing a value at line 11 column 2

    hint: build again: that writes it anew

    error: `.cog/records/plan.cpk.json` is of a build of `plan.cpk`, and not of `other.cpk`

    hint: `--since last` finds the record of a plan's last build; two plans are compared by naming both

    error: the record of the last build of `plan.cpk` is of a build for linux/amd64, and the plan is for linux/arm64, for which everything runs

    hint: build the plan for that platform once

    error: a plan on standard input has no last build

    hint: name the plan's file, or a record in `.cog/records`

    error: the record of the last build of `plan.cpk` is not whole
      because: EOF while parsing a value at line 1 column 0

    hint: build again: that writes it anew
    ");
}

/// A build may be given a context from another directory, of which its record holds no path.
#[test]
fn a_context_in_another_directory_is_compared_where_the_command_line_says_it_is() {
    let (folder, other) = (project(), project());
    let source = other.path().join("src/predict.py");
    fs::write(&source, "another one").expect("is writable");
    let given = format!("source={}", other.path().display());
    built(folder.path(), "plan.cpk", &["--build-context", &given]);
    let explained_with = |since: &[&str]| {
        let words = [&["explain", "plan.cpk", "--since"], since].concat();
        cogpackc(folder.path(), &words)
    };
    let told = |answer: &Answer| {
        assert_eq!((answer.code, answer.stderr.as_str()), (0, ""));
        answer.text().contains("`src/predict.py` of @source is changed")
    };
    // The plan's own directory has other files.
    assert!(told(&explained_with(&["last"])));
    let same = explained_with(&["last", "--build-context", &given]);
    assert!(!told(&same));
    assert!(same.text().contains("nothing runs again"), "{}", same.text());
    fs::write(&source, "a third one").expect("is writable");
    assert!(told(&explained_with(&["last", "--build-context", &given])));

    let slip = explained_with(&["last", "--build-context", "sorce=."]);
    assert_eq!(slip.code, 2);
    assert!(slip.stderr.contains("hint: did you mean `--build-context source=…`?"), "{}", slip.stderr);
    fs::write(folder.path().join("old.cpk"), PLAN).expect("is writable");
    let plan = explained_with(&["old.cpk", "--build-context", &given]);
    assert_eq!(plan.code, 2);
    assert!(plan.stderr.contains("is for the files of a record, and `old.cpk` is a plan"), "{}", plan.stderr);
}
