//! Every step from text to artifact, each alone: `cargo bench -p cogpack-benches`.
//!
//! For the whole process, from a file of text to a file of LLB, see `benches/whole-process`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::Arc;

use cogpack_backends_contract::Backend;
use cogpack_backends_contract::content::NoFiles;
use cogpack_backends_dockerfile::Dockerfile;
use cogpack_backends_llb::{Llb, SourceText};
use cogpack_backends_oci_direct::{Inputs, OciDirect};
use cogpack_benches::{SIZES, chain, copies, one_directory, variables};
use cogpack_cli::{Console, Environment};
use cogpack_compiler::World;
use cogpack_content::Digest;
use cogpack_diff::{Compared, Difference};
use cogpack_ir::plan::{InputName, Plan};
use cogpack_ir::resolve::{Resolved, resolve};
use cogpack_ir::verify::{Verified, verify};
use cogpack_ir::{json, syntax};
use divan::Bencher;
use divan::counter::ItemsCount;

fn main() {
    divan::main();
}

fn parsed(text: &str) -> Plan {
    let parsed = syntax::parse(text);
    assert!(parsed.findings.is_empty());
    parsed.plan
}

fn verified(text: &str) -> Verified {
    verify(parsed(text)).expect("the generated plan breaks no rule")
}

fn resolved(text: &str) -> Resolved {
    resolve(verified(text), &World::default().configs).expect("the generated plan resolves")
}

#[divan::bench(args = SIZES, max_time = 5)]
fn parse(bencher: Bencher<'_, '_>, stages: usize) {
    let text = chain(stages);
    bencher.counter(ItemsCount::new(stages)).bench(|| syntax::parse(&text));
}

#[divan::bench(args = SIZES, max_time = 5)]
fn print(bencher: Bencher<'_, '_>, stages: usize) {
    let plan = parsed(&chain(stages));
    bencher.counter(ItemsCount::new(stages)).bench(|| syntax::print(&plan));
}

#[divan::bench(args = SIZES, max_time = 5)]
fn write_json(bencher: Bencher<'_, '_>, stages: usize) {
    let plan = parsed(&chain(stages));
    bencher.counter(ItemsCount::new(stages)).bench(|| json::write(&plan));
}

#[divan::bench(args = SIZES, max_time = 5)]
fn verify_plan(bencher: Bencher<'_, '_>, stages: usize) {
    let plan = parsed(&chain(stages));
    bencher.counter(ItemsCount::new(stages)).with_inputs(|| plan.clone()).bench_values(verify);
}

#[divan::bench(args = SIZES, max_time = 5)]
fn resolve_plan(bencher: Bencher<'_, '_>, stages: usize) {
    let verified = verified(&chain(stages));
    let world = World::default();
    bencher
        .counter(ItemsCount::new(stages))
        .with_inputs(|| verified.clone())
        .bench_values(|verified| resolve(verified, &world.configs));
}

#[divan::bench(args = SIZES, max_time = 5)]
fn emit_llb(bencher: Bencher<'_, '_>, stages: usize) {
    let text = chain(stages);
    let plan = resolved(&text);
    let backend = Llb::new(SourceText { name: "plan.cpk".to_owned(), text: Arc::new(text.clone()) });
    // What is said of vertices is only written out where somebody asks for it.
    let emitted = || -> usize {
        let images = backend.lower(&plan).expect("it can be expressed");
        images.iter().flat_map(|image| image.definition.pieces()).map(|piece| piece.len()).sum()
    };
    bencher.counter(ItemsCount::new(stages)).bench(emitted);
}

#[divan::bench(args = SIZES, max_time = 5)]
fn emit_dockerfile(bencher: Bencher<'_, '_>, stages: usize) {
    let plan = resolved(&chain(stages));
    let backend = Dockerfile::default();
    bencher.counter(ItemsCount::new(stages)).bench(|| backend.lower(&plan).expect("it can be expressed"));
}

/// From a resolved plan to layers, config and manifest, bytes of layers apart.
#[divan::bench(args = SIZES, max_time = 5)]
fn emit_oci(bencher: Bencher<'_, '_>, stages: usize) {
    assemble(bencher, &copies(stages), stages);
}

/// The same, with one directory that every stage adds a file to.
#[divan::bench(args = SIZES, max_time = 5)]
fn emit_oci_one_directory(bencher: Bencher<'_, '_>, stages: usize) {
    assemble(bencher, &one_directory(stages), stages);
}

fn assemble(bencher: Bencher<'_, '_>, text: &str, stages: usize) {
    let plan = resolved(text);
    let backend = OciDirect::default();
    bencher.counter(ItemsCount::new(stages)).bench(|| {
        let recipe = backend.lower(&plan).expect("it can be expressed");
        recipe.assemble(&Inputs::default(), &NoFiles, 0).expect("it can be assembled")
    });
}

/// Two plans of which the second has other names, another first stage, so that everything runs again,
/// and every tenth program says something else.
#[divan::bench(args = SIZES, max_time = 5)]
fn diff(bencher: Bencher<'_, '_>, stages: usize) {
    let old = chain(stages);
    let new = old.replace("%s", "%t").replace("step-0\"", "first\"").replace("5\"\n}", "other\"\n}");
    let nothing = BTreeMap::<InputName, Digest>::new();
    let [(old, old_resolved), (new, new_resolved)] = [old, new].map(|text| (parsed(&text), resolved(&text)));
    let of = |written, resolved| Compared { written, resolved, contents: &nothing };
    bencher
        .counter(ItemsCount::new(stages))
        .bench(|| Difference::between(of(&old, &old_resolved), of(&new, &new_resolved)));
}

/// The whole command, of two plans of one stage in which each program sees one variable more, and of which one
/// in the middle is another: half of the programs run again, each for a reason of its own.
#[divan::bench(args = [100, 1_000, 10_000], max_time = 5)]
fn explain_variables(bencher: Bencher<'_, '_>, count: usize) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let old = variables(count);
    let middle = format!("env V{0} = \"{0}\"", count / 2);
    let new = old.replace(&middle, &middle.replace(" = \"", " = \"not "));
    for (name, text) in [("old.cpk", &old), ("new.cpk", &new)] {
        std::fs::write(folder.path().join(name), text).expect("can be written");
    }
    bencher.counter(ItemsCount::new(count)).bench(|| {
        let (mut said, mut talk) = (Vec::new(), Vec::new());
        let mut console = Console {
            stdin: &mut std::io::empty(),
            stdout: &mut said,
            stderr: &mut talk,
            directory: folder.path().to_owned(),
            environment: Environment::default(),
            stdout_is_terminal: false,
            stderr_is_terminal: false,
        };
        let words = ["cogpackc", "explain", "new.cpk", "--since", "old.cpk"].map(OsString::from);
        assert_eq!(cogpack_cli::run(words, &mut console), 0);
        said
    });
}
