//! Models that need torch, tensorflow or jax, on a CPU and on GPUs, for linux/amd64 and for linux/arm64:
//! what is locked for them, what they stand on, and their plans.
//!
//! No GPU is needed for it, and no index. `tests/frameworks` has a folder for each, whose lock
//! `cogpackc lock` and `uv` made of what the package index had, versions, names and hashes; the name of
//! the package index stands in none of them, so they say `files.example`. The builds of `torch-cpu` and
//! `torch-cuda-12.9` are on torch's own index, which could not be reached: their locks were made in the
//! same way, through the address of that index, of pages that stand in its place with the names, hashes
//! and metadata of the real files. `tests/end-to-end/24-torch-index.sh` makes them again, and
//! `tests/end-to-end/torch-index/README.md` says where these pages are from. No lock is written by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use cogpack_compiler::stacks::python::lock_inputs::{Needs, inputs};
use cogpack_compiler::stacks::{Request, plan};
use cogpack_content::Platform;
use cogpack_frontends_source::MemoryProject;
use cogpack_ir::{syntax, verify};
use cogpack_tests::places::root;
use cogpack_tests::snapshot::Snapshots;

const FILES: [&str; 4] = ["cog.yaml", "requirements.txt", "predict.py", "pylock.cog.toml"];

/// The models by the names of their folders, each with the texts of its files.
fn models() -> BTreeMap<String, [String; 4]> {
    let folder = root().join("tests/frameworks");
    let entries = std::fs::read_dir(&folder).expect("the folder is there");
    let names = entries.map(|entry| entry.expect("it is read").file_name().into_string().expect("a text"));
    let texts = |name: String| {
        let path = |file: &str| folder.join(&name).join(file);
        let text = |file: &str| std::fs::read_to_string(path(file)).expect(file);
        (name.clone(), FILES.map(text))
    };
    names.map(texts).collect()
}

#[test]
fn frameworks_are_planned_for_cpus_and_gpus_as_is_kept() {
    let mut snapshots = Snapshots::default();
    for (name, texts) in models() {
        let files = FILES.into_iter().zip(texts.iter().map(String::as_str));
        let project = MemoryProject::new(files).expect("these are files");
        let platform: Platform = match name.ends_with("-arm64") {
            true => "linux/arm64".parse().expect("a platform"),
            false => Platform::linux_amd64(),
        };
        let request = Request {
            // What the model takes is the same for all of them, and long.
            openapi_schema: Some("{}".to_owned()),
            platforms: BTreeSet::from([platform]),
            ..Request::plain()
        };
        let needs = project.plan(|source| inputs(source, &request)).expect("nothing is wrong");
        let Needs::Locked(needs) = needs else { panic!("{name}: nothing is locked") };
        let mut answer = format!("# {}{}\n# what is locked\n", texts[1], texts[0]);
        let builds = needs.torch.as_deref().unwrap_or("those of the package index");
        writeln!(answer, "Python {}, builds of torch: {builds}", needs.python).expect("a String takes all");
        writeln!(answer, "more requirements: {}\n", needs.lines.join(", ")).expect("a String takes all");
        let planned = project.plan(|source| plan(source, &request)).expect("nothing is wrong");
        assert!(planned.warnings.is_empty(), "{name}: {:?}", planned.warnings);
        writeln!(answer, "# why\n{}\n# the plan", planned.why.text()).expect("a String takes all");
        answer += &syntax::print(&planned.plan);
        verify::verify(planned.plan).unwrap_or_else(|findings| panic!("{name}: {findings:?}"));
        snapshots.check(&format!("frameworks/{name}.txt"), &answer);
    }
    snapshots.finish("frameworks");
}
