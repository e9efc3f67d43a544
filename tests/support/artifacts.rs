//! The artifacts of a plan as texts that snapshots hold: the Dockerfile once for each dialect.

use std::path::Path;

use crate::oci;
use crate::terminal::cogpackc;

/// What each backend makes of a plan, or what it says against it: file name and text.
pub fn of(plan: &Path) -> Vec<(&'static str, String)> {
    vec![
        ("llb.txt", emitted(plan, "llb.txt", "llb.txt", &[])),
        ("Dockerfile", emitted(plan, "dockerfile", "dockerfile/Dockerfile", &[])),
        ("Dockerfile.built-in", emitted(plan, "dockerfile", "dockerfile/Dockerfile", &["--syntax", "none"])),
        (
            "Dockerfile.buildah",
            emitted(plan, "dockerfile", "dockerfile/Dockerfile", &["--dialect", "buildah"]),
        ),
        ("Dockerfile.legacy", emitted(plan, "dockerfile", "dockerfile/Dockerfile", &["--dialect", "legacy"])),
        ("oci.txt", emitted(plan, "oci", "oci", &[])),
    ]
}

fn emitted(plan: &Path, format: &str, name: &str, options: &[&str]) -> String {
    let output = tempfile::tempdir().expect("a temporary folder can be made");
    let folder = plan.parent().expect("a plan stands in a folder");
    let plan = plan.file_name().and_then(|name| name.to_str()).expect("a plan has a name");
    let path = output.path().join("out/");
    let path = path.to_str().expect("the path is UTF-8");
    let arguments = [&[plan, "-o", format, "-O", path], options].concat();
    let answer = cogpackc(folder, &arguments);
    let refusals: Vec<String> = refusals(&answer.stderr);
    match answer.code {
        0 if format == "oci" => oci::listing(&Path::new(path).join(name)),
        0 => std::fs::read_to_string(Path::new(path).join(name)).expect("it was written"),
        1 if !refusals.is_empty() => {
            assert!(!Path::new(path).exists(), "a refusal writes nothing");
            refusals.join("")
        }
        code => panic!("{plan} -o {format} gave {code}: {}", answer.stderr),
    }
}

/// The refusals of a backend in what was said: code and message of each, without drawing. Those
/// alike say their code once.
pub fn refusals(said: &str) -> Vec<String> {
    let mut refusals = Vec::new();
    let mut code = "";
    for line in said.lines().map(str::trim) {
        if line.starts_with("cpk::") {
            code = line;
        } else if let Some(message) = line.strip_prefix('×')
            && code.starts_with("cpk::unsupported::")
        {
            refusals.push(format!("refused: {code} {}\n", message.trim()));
        }
    }
    refusals
}
