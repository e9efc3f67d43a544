//! Short ways from a text to what it means.

use std::collections::BTreeSet;

use cogpack_compiler::World;
use cogpack_ir::finding::Finding;
use cogpack_ir::plan::{Input, StageName};
use cogpack_ir::resolve::Resolved;
use miette::Diagnostic;

/// The resolved plan of a text without a mistake.
pub fn resolved(text: &str) -> Resolved {
    let plan = cogpack_compiler::parse(text).unwrap_or_else(|findings| panic!("{text}\n{findings:#?}"));
    match cogpack_compiler::compile(plan, &World::default()) {
        Ok(resolved) => resolved,
        Err(findings) => panic!("{text}\n{findings:#?}"),
    }
}

/// The codes of the errors in a text; none for a text without a mistake.
pub fn errors(text: &str) -> BTreeSet<String> {
    let findings = match cogpack_compiler::parse(text) {
        Err(findings) => findings,
        Ok(plan) => cogpack_compiler::compile(plan, &World::default()).err().unwrap_or_default(),
    };
    findings.iter().filter(|finding| finding.is_error()).map(code).collect()
}

fn code(finding: &Finding) -> String {
    finding.code().expect("every finding has a code").to_string()
}

/// What a stage starts from.
pub fn start(resolved: &Resolved, stage: &str) -> String {
    let id = resolved.id(&StageName::new(stage).expect("is a name"));
    resolved.stage(id).from.as_ref().expect("a resolved stage has a start").to_string()
}

/// What the ops of a stage read, in order; `from` apart.
pub fn inputs(resolved: &Resolved, stage: &str) -> Vec<String> {
    let id = resolved.id(&StageName::new(stage).expect("is a name"));
    let mut inputs = Vec::new();
    resolved
        .stage(id)
        .for_each_input(|input: &cogpack_ir::plan::Spanned<Input>| inputs.push(input.to_string()));
    inputs.remove(0);
    inputs
}

/// A plan with the stock phases around `stages`, exporting `export`.
pub fn plan(declarations_and_stages: &str, export: &str) -> String {
    format!(
        "cpk 1\nimage @i = \"base\"\n  config empty\ncontext @c = dir \"files\"\n{declarations_and_stages}\nexport from {export}\n"
    )
}

/// The image config (the whole JSON document) of a plan, and its LLB as a listing. The plan may
/// read the context `files`, which stands beside the cases of the backends.
pub fn config_and_listing(text: &str) -> (serde_json::Value, String) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    std::fs::write(folder.path().join("plan.cpk"), text).expect("can be written");
    let answer = crate::terminal::cogpackc(folder.path(), &["plan.cpk", "-o", "llb,llb.txt", "-O", "out"]);
    assert_eq!(answer.code, 0, "{text}\n{}", answer.stderr);
    let read =
        |name: &str| std::fs::read_to_string(folder.path().join("out").join(name)).expect("was written");
    (serde_json::from_str(&read("image-config.json")).expect("is JSON"), read("llb.txt"))
}

/// A folder that holds these files.
pub fn folder_with(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    for (path, content) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("it stands in the folder")).expect("can be made");
        std::fs::write(path, content).expect("can be written");
    }
    folder
}

/// What OCI-direct makes of a plan whose folder holds these files, as a listing.
pub fn image_listing(text: &str, files: &[(&str, &str)]) -> String {
    let folder = folder_with(files);
    std::fs::write(folder.path().join("plan.cpk"), text).expect("can be written");
    let answer = crate::terminal::cogpackc(folder.path(), &["plan.cpk", "-o", "oci", "-O", "out"]);
    assert_eq!(answer.code, 0, "{text}\n{}", answer.stderr);
    crate::oci::listing(&folder.path().join("out"))
}

/// The paths of the regular files in a listing, in the order of the layers.
pub fn regular_files(listing: &str) -> Vec<&str> {
    let files = listing.lines().filter(|line| line.starts_with("- "));
    files.map(|line| line.split(' ').nth(3).expect("a line names its path")).collect()
}
