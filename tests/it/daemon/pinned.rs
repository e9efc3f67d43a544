//! `cogpackc opt --pass pin`: what a registry says of an image becomes part of the plan.

use std::path::Path;
use std::process::Command;

use cogpack_cli::Environment;
use cogpack_tests::engines;
use cogpack_tests::terminal::{Answer, cogpackc_in};

fn folder_with(image: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let plan = format!(
        "cpk 1\n\nimage @python = \"{image}\"\n\nstage %app from image @python {{\n  mkdir \"/a\"\n}}\n\n\
         export from %app\n"
    );
    std::fs::write(folder.path().join("plan.cpk"), plan).expect("can be written");
    folder
}

fn cogpackc(folder: &Path, arguments: &[&str]) -> Answer {
    let environment = Environment { store: Some(folder.join("store")), ..Environment::default() };
    cogpackc_in(environment, folder, arguments)
}

#[test]
fn what_the_registry_says_is_written_into_the_plan() {
    let (Some(_), Some(registry)) = (engines::newer(), engines::registry()) else { return };
    let image = format!("{registry}/base/python:3.11-slim");
    let folder = folder_with(&image);
    let answer = cogpackc(
        folder.path(),
        &["opt", "--pass", "pin", "plan.cpk", "--stats", "--format", "text", "-O", "pinned.cpk"],
    );
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    // While it is being pinned nobody is told that it is not.
    assert!(!answer.stderr.contains("unpinned"), "{}", answer.stderr);
    let skopeo = Command::new("skopeo")
        .args(["inspect", "--tls-verify=false", "--format", "{{.Digest}}", &format!("docker://{image}")])
        .output()
        .expect("the rig installs skopeo");
    let digest = String::from_utf8(skopeo.stdout).expect("a digest is text").trim().to_owned();
    assert!(answer.stderr.contains(&format!("is {digest} at the moment")), "{}", answer.stderr);
    let pinned = std::fs::read_to_string(folder.path().join("pinned.cpk")).expect("was written");
    let declared = pinned.split_once("stage").expect("there is a stage").0;
    assert!(declared.contains(&format!("\n  digest {digest}\n")), "{pinned}");
    assert!(declared.contains("\n  env PATH = "), "{pinned}");
    // Nothing is left to be told of it, by whoever reads it next.
    let checked = cogpackc(folder.path(), &["check", "pinned.cpk"]);
    assert!(!checked.stderr.contains("unpinned"), "{}", checked.stderr);
    let again = cogpackc(folder.path(), &["opt", "--pass", "pin", "pinned.cpk"]);
    assert_eq!((again.code, again.text()), (0, pinned.as_str()), "{}", again.stderr);
}

#[test]
fn an_image_that_no_registry_has_is_told() {
    let (Some(_), Some(registry)) = (engines::newer(), engines::registry()) else { return };
    let folder = folder_with(&format!("{registry}/base/nobody-has-this:1"));
    let answer = cogpackc(folder.path(), &["opt", "--pass", "pin", "plan.cpk", "-O", "pinned.cpk"]);
    assert_ne!(answer.code, 0);
    assert!(answer.stderr.contains("nobody-has-this"), "{}", answer.stderr);
    assert!(answer.stderr.contains("`pin` asks the registry"), "{}", answer.stderr);
    assert!(!folder.path().join("pinned.cpk").exists());
}
