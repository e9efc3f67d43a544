//! A Dockerfile whose directory lies in the context that it reads: written again, nothing of the
//! first time is part of the second.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

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
