//! A Dockerfile whose directory lies in the context that it reads: written again, nothing of the
//! first time is part of the second.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use cogpack_content::Digest;
use cogpack_tests::terminal::cogpackc;

const PLAN: &str = "cpk 1
context @source = dir \".\" {
  exclude \"**/__pycache__\"
}
image @base = \"base\"
  env PATH = \"/bin\"
stage %app from image @base {
  copy contents \".\" from @source to \"/src\"
}
export from %app
";

/// Every file below a directory, with its bytes.
fn files_in(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut left = vec![directory.to_owned()];
    while let Some(next) = left.pop() {
        for entry in fs::read_dir(next).expect("is a directory") {
            let path = entry.expect("is there").path();
            if path.is_dir() {
                left.push(path);
            } else {
                let name = path.strip_prefix(directory).expect("is below").display().to_string();
                found.insert(name, fs::read(&path).expect("can be read"));
            }
        }
    }
    found
}

#[test]
fn what_was_written_before_is_not_gathered() {
    for (destination, dialect, count) in [
        ("deploy", "legacy", 2),
        ("deploy", "buildkit", 2),
        ("deploy/deep", "buildah", 2),
        (".", "buildkit", 2),
    ] {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        fs::write(folder.path().join("plan.cpk"), PLAN).expect("is writable");
        fs::write(folder.path().join("a.py"), "a = 1\n").expect("is writable");
        let arguments =
            ["plan.cpk", "-o", "dockerfile", "-O", destination, "--self-contained", "--dialect", dialect];
        let mut ejects = Vec::new();
        for _ in 0..3 {
            let answer = cogpackc(folder.path(), &arguments);
            assert_eq!(answer.code, 0, "{}", answer.stderr);
            ejects.push(files_in(&folder.path().join(destination)));
        }
        let gathered = ejects[0].keys().filter(|path| path.contains("contexts/")).count();
        assert_eq!(gathered, count, "{destination} {dialect}: {:?}", ejects[0].keys());
        assert!(ejects.windows(2).all(|two| two[0] == two[1]), "{destination} {dialect}");
    }
}

#[test]
fn what_others_put_beside_it_is() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    fs::write(folder.path().join("plan.cpk"), PLAN).expect("is writable");
    fs::create_dir(folder.path().join("deploy")).expect("is writable");
    fs::write(folder.path().join("deploy/start.sh"), "exec python\n").expect("is writable");
    let arguments = ["plan.cpk", "-o", "dockerfile", "-O", "deploy", "--self-contained"];
    for _ in 0..2 {
        let answer = cogpackc(folder.path(), &arguments);
        assert_eq!(answer.code, 0, "{}", answer.stderr);
        let files = files_in(&folder.path().join("deploy"));
        let gathered: Vec<&String> = files.keys().filter(|path| path.contains("contexts/")).collect();
        assert_eq!(gathered, ["contexts/source/deploy/start.sh", "contexts/source/plan.cpk"]);
    }
}

#[test]
fn writing_a_dockerfile_into_a_context_changes_nothing_of_the_image() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let project = folder.path().join("project");
    fs::create_dir(&project).expect("is writable");
    let plan =
        PLAN.replace("stage %app from image @base {", "stage %app from scratch {\n  env PATH = \"/bin\"");
    fs::write(project.join("plan.cpk"), plan).expect("is writable");
    fs::write(project.join("a.py"), "a = 1\n").expect("is writable");
    let told = |arguments: &[&str]| {
        let answer = cogpackc(&project, arguments);
        assert_eq!(answer.code, 0, "{}", answer.stderr);
    };
    let image = || {
        told(&["plan.cpk", "-o", "oci", "-O", "../image.tar"]);
        Digest::of(&fs::read(folder.path().join("image.tar")).expect("was written"))
    };
    let before = image();
    for destination in ["deploy", "other/deep"] {
        told(&["plan.cpk", "-o", "dockerfile", "-O", destination, "--self-contained"]);
    }
    told(&["plan.cpk", "-o", "dockerfile", "-O", "in-place"]);
    assert_eq!(image(), before);
    let ignored = fs::read_to_string(project.join("in-place/Dockerfile.dockerignore")).expect("is there");
    for eject in ["deploy", "other", "in-place"] {
        assert!(ignored.lines().any(|line| line == eject), "{ignored}");
    }
    // What somebody else puts there is a part of it, for builders of the Dockerfile as well.
    fs::write(project.join("in-place/start.sh"), "exec python\n").expect("is writable");
    assert_ne!(image(), before);
    told(&["plan.cpk", "-o", "dockerfile", "-O", "in-place"]);
    let ignored = fs::read_to_string(project.join("in-place/Dockerfile.dockerignore")).expect("is there");
    assert!(ignored.ends_with("in-place\n!in-place/start.sh\n"), "{ignored}");
}

#[test]
fn what_not_all_clients_leave_out_is_not_left_to_an_ignore_file() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    for (name, text) in [("a.py", "a = 1\n"), ("é", "left out\n"), ("b c", "left out\n")] {
        fs::write(folder.path().join(name), text).expect("is writable");
    }
    for (pattern, dialect, is_said) in [
        ("b c", "buildkit", true),
        ("é", "buildkit", false),
        ("é", "buildah", true),
        ("b\u{2028}", "buildkit", false),
        ("b\u{2028}", "buildah", true),
    ] {
        let plan = PLAN.replace("**/__pycache__", pattern);
        fs::write(folder.path().join("plan.cpk"), plan).expect("is writable");
        let arguments = ["plan.cpk", "-o", "dockerfile", "-O", "deploy", "--dialect", dialect];
        let answer = cogpackc(folder.path(), &arguments);
        assert_eq!(answer.code, 0, "{}", answer.stderr);
        let files = files_in(&folder.path().join("deploy"));
        let gathered = files.contains_key("contexts/source/a.py");
        let ignored =
            files.get("Dockerfile.dockerignore").map(|text| String::from_utf8_lossy(text).into_owned());
        assert_eq!((ignored.is_some(), gathered), (is_said, !is_said), "{pattern} {dialect}: {files:?}");
        let last = pattern.chars().last().expect("it has letters");
        let said = pattern.replace([' ', '\u{2028}'], &format!("[{}]", if last == 'c' { ' ' } else { last }));
        assert!(ignored.is_none_or(|text| text.lines().any(|line| line == said)), "{said}");
    }
}

#[test]
fn the_directory_of_an_eject_is_named_in_an_ignore_file_whatever_its_letters() {
    for (destination, line) in [("#out", "\\#out"), ("!o [p]", "\\!o[ ]\\[p\\]"), (" out ", "[ ]out[ ]")] {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        fs::write(folder.path().join("plan.cpk"), PLAN).expect("is writable");
        let answer = cogpackc(folder.path(), &["plan.cpk", "-o", "dockerfile", "-O", destination]);
        assert_eq!(answer.code, 0, "{}", answer.stderr);
        let ignored = fs::read_to_string(folder.path().join(destination).join("Dockerfile.dockerignore"))
            .expect("it is there");
        assert!(ignored.lines().any(|it| it == line), "{ignored}");
    }
}
