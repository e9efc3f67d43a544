//! Copies on real daemons: each row is a plan of one copy, built by every engine, and what the
//! engine makes must be what the contract says ([`cogpack_backends_contract::copy`]).
//!
//! Each row is built in four ways: from a directory that is sent and from a stage, where the
//! source's owners are others than root; and onto what the stage started from or what the same
//! layer has made.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use cogpack_backends_contract::Backend;
use cogpack_backends_oci_direct::inputs::Inputs;
use cogpack_backends_oci_direct::{AssemblyProblem, OciDirect};
use cogpack_io_project::context_files::ContextFiles;
use cogpack_io_project::walk::walk;
use cogpack_ir::plan::ContextKind;
use cogpack_tests::engines::{self, Engine};
use cogpack_tests::filesystem::{Listing, Sketch, list_tar, list_tree};
use cogpack_tests::plans::resolved;
use cogpack_tests::solve::{Builder, Looking, Unbuilt};
use futures_util::StreamExt;

use super::copy_rows::{Expected, rows};

/// Where a row's source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// In a directory that is sent.
    Context,
    /// In a stage.
    Stage,
}

/// Where what is there before comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Onto {
    /// From the stage that the copy's starts from, which may make the copy a layer on its own.
    Base,
    /// From the layer that the copy is in.
    Layer,
}

/// The contexts and stages of a copy, the last of which is `%after`. What stands behind each name
/// keeps them apart from those of other copies in one plan; a context's directory has its name.
pub fn stages(behind: &str, source: &Sketch, before: &Sketch, copy: &str, from: From, onto: Onto) -> String {
    let [source_name, before_name] = ["source", "before"].map(|name| format!("{name}{behind}"));
    let (input, source) = match from {
        From::Context => (format!("from @{source_name}"), String::new()),
        From::Stage => (format!("from %{source_name}"), source.ops(&source_name)),
    };
    let copy = copy.replace("from I", &input);
    let before = before.ops(&before_name);
    let (base, layer) = match onto {
        Onto::Base => (before.as_str(), ""),
        Onto::Layer => ("", before.as_str()),
    };
    format!(
        "context @{source_name} = dir \"{source_name}\"
context @{before_name} = dir \"{before_name}\"
stage %{source_name} from scratch {{
{source}}}
stage %base{behind} from scratch {{
{base}}}
stage %after{behind} from %base{behind} {{
  env PATH = \"/bin\"
  layer all {{
{layer}  {copy}
  }}
}}
"
    )
}

/// The plan of one copy.
pub fn plan(behind: &str, source: &Sketch, before: &Sketch, copy: &str, from: From, onto: Onto) -> String {
    let stages = stages(behind, source, before, copy, from, onto);
    format!("cpk 1\n{stages}export from %after{behind}\n")
}

/// What the contract says that a plan makes, whose contexts stand in `folder`.
pub fn contract(plan: &str, folder: &Path) -> Result<Listing, String> {
    let plan = resolved(plan);
    let recipe = OciDirect::default().lower(&plan).map_err(|refused| format!("{refused:?}"))?;
    let (mut directories, mut files) = (BTreeMap::new(), ContextFiles::default());
    for (name, context) in recipe.directories() {
        if let ContextKind::Directory(directory) = &context.kind {
            let root = folder.join(&directory.path.value);
            directories.insert(name.clone(), walk(&root, name, &directory.rules).expect("it can be walked"));
            files.directories.insert(name.clone(), root);
        }
    }
    let inputs = Inputs { directories, ..Inputs::default() };
    match recipe.assemble(&inputs, &files, 0) {
        Ok(assembly) => Ok(list_tree(&assembly.rootfs.tree, folder)),
        Err(problems) => Err(problems.iter().map(AssemblyProblem::to_string).collect()),
    }
}

/// Rows are built so many at a time.
const AT_ONCE: usize = 4;

/// Builds all rows in all ways on one engine, and gives what was not as expected.
async fn check(engine: &Engine, looks: Looking) -> Vec<String> {
    let builder = Arc::new(Builder::connect(engine, looks).await);
    let builds =
        rows(engine.merges, looks).into_iter().enumerate().map(|(number, (row, from, onto, expected))| {
            let builder = Arc::clone(&builder);
            async move {
                let (source, before, copy) = row;
                let folder = tempfile::tempdir().expect("a temporary folder can be made");
                let [source, before] = [("source", source), ("before", before)].map(|(name, text)| {
                    let sketch = Sketch::new(text);
                    let context = folder.path().join(name);
                    std::fs::create_dir(&context).expect("it can be made");
                    sketch.write(&context);
                    sketch
                });
                let plan = plan("", &source, &before, copy, from, onto);
                let contract = contract(&plan, folder.path());
                let unique = format!("copies-{}-{number}-{looks:?}", std::process::id());
                let built = builder.files(&plan, folder.path(), &unique).await.map(|tar| list_tar(&tar));
                let is_as_expected = match (expected, &built) {
                    (Expected::ContractOrRefused, Err(Unbuilt::Refused(_))) => true,
                    (Expected::Contract | Expected::ContractOrRefused, built) => match (&contract, built) {
                        (Ok(contract), Ok(built)) => contract == built,
                        (Err(_), Err(_)) => true,
                        (Ok(_), Err(_)) | (Err(_), Ok(_)) => false,
                    },
                    (Expected::Refused(words), Err(Unbuilt::Refused(refusals))) => {
                        refusals.iter().any(|refusal| refusal.contains(words))
                    }
                    (Expected::Failed, Err(Unbuilt::Failed(_))) => true,
                    (Expected::Refused(_) | Expected::Failed, _) => false,
                };
                (!is_as_expected).then(|| {
                    format!(
                        "{row:?} {from:?} {onto:?}: {expected:?}\n  the contract: {}\n  the daemon:   {}",
                        shown(&contract),
                        shown(&built)
                    )
                })
            }
        });
    futures_util::stream::iter(builds).buffered(AT_ONCE).filter_map(std::future::ready).collect().await
}

pub fn shown(result: &Result<Listing, impl std::fmt::Debug>) -> String {
    match result {
        Ok(listing) => {
            listing.iter().map(|(path, what)| format!("{path} {what}")).collect::<Vec<_>>().join(", ")
        }
        Err(why) => format!("{why:?}"),
    }
}

fn every_row_is_as_the_contract_says(engine: Option<Engine>, looks: Looking) {
    let Some(engine) = engine else { return };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be made");
    let wrong = runtime.block_on(check(&engine, looks));
    assert!(wrong.is_empty(), "{} rows on the {} engine:\n{}", wrong.len(), engine.name, wrong.join("\n"));
}

#[test]
fn the_older_engine_copies_as_the_contract_says() {
    every_row_is_as_the_contract_says(engines::older(), Looking::AtAll);
}

#[test]
fn the_newer_engine_copies_as_the_contract_says() {
    every_row_is_as_the_contract_says(engines::newer(), Looking::AtAll);
}

#[test]
fn definitions_that_are_made_without_a_look_copy_as_the_contract_says_or_are_refused() {
    for engine in [engines::older(), engines::newer()] {
        every_row_is_as_the_contract_says(engine, Looking::AtThePlan);
    }
}
