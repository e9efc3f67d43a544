//! Whole projects: the resolved plan and all three artifacts.

use std::path::PathBuf;

use cogpack_tests::artifacts;
use cogpack_tests::places::{files_below, root};
use cogpack_tests::snapshot::Snapshots;
use cogpack_tests::terminal::cogpackc;

/// The plans of projects and examples, with the name of each.
fn plans() -> Vec<(String, PathBuf)> {
    let mut plans = Vec::new();
    for folder in ["tests/projects", "examples"] {
        for path in files_below(&root().join(folder), ".cpk") {
            let project =
                path.parent().and_then(|project| project.file_name()).expect("a plan is in a project");
            let plan = path.file_stem().expect("a plan has a name").to_string_lossy();
            plans.push((format!("{}/{plan}", project.to_string_lossy()), path));
        }
    }
    plans
}

#[test]
fn projects_resolve_and_are_emitted_as_their_snapshots_say() {
    let mut snapshots = Snapshots::default();
    for (name, path) in plans() {
        let folder = path.parent().expect("a plan is in a project");
        let plan = path.file_name().and_then(|name| name.to_str()).expect("a plan has a name");
        let resolved = cogpackc(folder, &["resolve", plan]);
        assert_eq!(resolved.code, 0, "{name}: {}", resolved.stderr);
        snapshots.check(&format!("projects/{name}/resolved.cpk"), resolved.text());
        for (file, text) in artifacts::of(&path) {
            snapshots.check(&format!("projects/{name}/{file}"), &text);
        }
    }
    snapshots.finish("projects");
}

/// What people review of the smallest model is short, and nothing of it is hidden.
#[test]
fn the_plan_of_a_text_model_is_below_eighty_lines() {
    let planned = cogpackc(&root().join("tests/projects"), &["plan", "string-model"]);
    assert_eq!(planned.code, 0, "{}", planned.stderr);
    let lines = planned.text().lines().count();
    assert!(lines < 80, "{lines} lines:\n{}", planned.text());
    let mut snapshots = Snapshots::default();
    snapshots.check("plans/string-model.cpk", planned.text());
    snapshots.finish("plans");
}

/// The text model in a folder of its own.
fn text_model() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    for file in ["cog.yaml", "predict.py", "pylock.cog.toml"] {
        let from = root().join("tests/projects/string-model").join(file);
        std::fs::copy(from, folder.path().join(file)).expect("can be copied");
    }
    folder
}

#[test]
fn another_file_stands_in_for_cog_yaml_with_locks_of_its_own() {
    let folder = text_model();
    let model = folder.path();
    let of_cog_yaml = cogpackc(model, &["plan"]);
    assert_eq!(of_cog_yaml.code, 0, "{}", of_cog_yaml.stderr);
    std::fs::create_dir_all(model.join("config/more")).expect("can be made");
    let rename = |from: &str, to: &str| std::fs::rename(model.join(from), model.join(to)).expect("is there");
    for (from, to, lock) in [
        (("cog.yaml", "pylock.cog.toml"), "other.yaml", "pylock.other.toml"),
        (("other.yaml", "pylock.other.toml"), "config/gpu.v2.yaml", "pylock.config-gpu-v2.toml"),
    ] {
        rename(from.0, to);
        let missing = cogpackc(model, &["plan", "--file", to]);
        assert_eq!(missing.code, 1, "{}", missing.stderr);
        for said in [
            "project::lock::missing",
            &format!("there is no `{lock}`"),
            &format!("`cogpackc lock DIR -f {to}`"),
        ] {
            assert!(missing.stderr.replace("\n  │ ", " ").contains(said), "{said}: {}", missing.stderr);
        }
        rename(from.1, lock);
        let planned = cogpackc(model, &["plan", ".", "-f", to]);
        assert_eq!(planned.code, 0, "{}", planned.stderr);
        // Only who asked for something is another file; paths in it are those of the project.
        let expected = of_cog_yaml.text().replace("at \"cog.yaml\"", &format!("at \"{to}\""));
        assert_eq!(planned.text(), expected.replace("pylock.cog.toml", lock));
        let compiled = cogpackc(model, &[".", "-f", to, "-o", "cpk"]);
        assert_eq!(compiled.text(), planned.text(), "{}", compiled.stderr);
        let below = cogpackc(&model.join("config/more"), &["plan", "-f", to]);
        assert_eq!(below.text(), planned.text(), "{}", below.stderr);
    }
    // What is wrong in it is told in it.
    std::fs::write(model.join("config/gpu.v2.yaml"), "build: {python: 3}\n").expect("can be written");
    let wrong = cogpackc(model, &["plan", "-f", "config/gpu.v2.yaml"]);
    assert!(wrong.code == 1 && wrong.stderr.contains("config/gpu.v2.yaml:1:"), "{}", wrong.stderr);
}

#[test]
fn a_file_in_place_of_cog_yaml_is_one_of_the_project() {
    let folder = text_model();
    let model = folder.path();
    let plan = "cpk 1\n\nstage %app from scratch {\n  env WRITTEN = \"yes\"\n}\n\nexport from %app\n";
    for (file, said) in [
        ("../cog.yaml", "`../cog.yaml` is no file of a project"),
        ("/etc/cog.yaml", "`/etc/cog.yaml` is no file of a project"),
        (".", "`.` is no file of a project"),
        ("nothing.yaml", "there is no file `nothing.yaml` in the project `.`"),
    ] {
        let refused = cogpackc(model, &["plan", ".", "-f", file]);
        assert_eq!(refused.code, 2, "{file}: {}", refused.stderr);
        assert!(
            refused.stderr.contains(said) && refused.stderr.contains("hint: `-f` names"),
            "{}",
            refused.stderr
        );
    }
    // A plan that somebody has written says all of it itself.
    std::fs::write(model.join("plan.cpk"), plan).expect("can be written");
    let refused = cogpackc(model, &["build", ".", "-f", "cog.yaml"]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(
        refused.stderr.contains("`--file` is for projects, and `plan.cpk` is a plan"),
        "{}",
        refused.stderr
    );
}

/// What is no text cannot be shown, but how far it is one can.
#[test]
fn a_file_that_is_no_text_is_told_by_its_line_and_column() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    std::fs::write(folder.path().join("main.py"), "print(1)\n").expect("can be written");
    std::fs::write(folder.path().join("requirements.txt"), b"six\n# gr\xfcn\n").expect("can be written");
    let answer = cogpackc(folder.path(), &["plan"]);
    assert_eq!(answer.code, 1);
    for part in
        ["project::file::not-text", "[requirements.txt:2:5]", "# gr\u{fffd}", "not UTF-8 from here on"]
    {
        assert!(answer.stderr.contains(part), "{part}: {}", answer.stderr);
    }
    let answer = cogpackc(folder.path(), &["plan", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&answer.stderr).expect("it is JSON");
    let label = &report["findings"][0]["labels"][0];
    assert_eq!((&label["line"], &label["column"], &label["offset"]), (&2.into(), &5.into(), &8.into()));
}

/// Whoever works in a directory of a model means the model, as with cog.
#[test]
fn a_directory_below_a_model_means_the_model() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let model = folder.path();
    let from = root().join("tests/projects/string-model");
    for path in files_below(&from, "") {
        let to = model.join(path.strip_prefix(&from).expect("it is below"));
        std::fs::create_dir_all(to.parent().expect("it is in the folder")).expect("can be made");
        std::fs::copy(path, to).expect("can be copied");
    }
    let below = model.join("data/more");
    std::fs::create_dir_all(&below).expect("can be made");
    let (above, planned) = (cogpackc(model, &["plan"]), cogpackc(&below, &["plan"]));
    assert_eq!((planned.code, above.text()), (0, planned.text()), "{}", planned.stderr);
    // Where a directory is named, it is meant.
    assert_eq!(cogpackc(model, &["plan", "data"]).code, 1);
    // One with a project of its own is that project.
    std::fs::write(below.join("requirements.txt"), "").expect("can be written");
    let own = cogpackc(&below, &["plan"]);
    assert!(own.code == 1 && !own.stderr.contains("../"), "{}", own.stderr);
    std::fs::remove_file(below.join("requirements.txt")).expect("can be removed");
    // What is wrong is told by the way from here.
    std::fs::write(model.join("cog.yaml"), "build: {python: 3}\n").expect("can be written");
    let wrong = cogpackc(&below, &["plan"]);
    assert!(wrong.code == 1 && wrong.stderr.contains("../../cog.yaml:1:"), "{}", wrong.stderr);
    // The plan that somebody has written for the model goes before what is planned, as it does in its directory.
    let plan = "cpk 1\n\nstage %app from scratch {\n  env WRITTEN = \"yes\"\n}\n\nexport from %app\n";
    std::fs::write(model.join("plan.cpk"), plan).expect("can be written");
    let written = cogpackc(&below, &[".", "-o", "cpk"]);
    assert!(written.text().contains("WRITTEN"), "{}", written.stderr);
}
