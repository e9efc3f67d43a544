//! Whole plans through the backend.

mod audit;
mod check;
mod installed;
mod layers;
mod limits;
mod lowering;
mod oracle;
mod owners;
mod soundness;
mod used;

use std::sync::Arc;

use bollard_buildkit_proto::pb;
use cogpack_backends_contract::{Backend as _, Unsupported};
use cogpack_ir::{resolve, syntax, verify};
use prost::Message as _;

use crate::{Limits, Llb, LlbImage, SourceText};

/// Lowers a text.
fn lower(text: &str) -> Result<LlbImage, Vec<Unsupported>> {
    lower_with(text, |_| {})
}

/// The image for the first platform.
fn lower_with(text: &str, change: impl FnOnce(&mut Llb)) -> Result<LlbImage, Vec<Unsupported>> {
    let images = lower_all(text, change)?;
    Ok(images.into_iter().next().expect("a plan has a platform"))
}

fn lower_all(text: &str, change: impl FnOnce(&mut Llb)) -> Result<Vec<LlbImage>, Vec<Unsupported>> {
    let parsed = syntax::parse(text);
    assert!(parsed.findings.is_empty(), "{:?}", parsed.findings);
    let verified = verify::verify(parsed.plan).unwrap_or_else(|findings| panic!("{findings:?}"));
    let resolved = resolve::resolve(verified, &resolve::KnownConfigs::new())
        .unwrap_or_else(|findings| panic!("{findings:?}"));
    let mut backend = Llb::new(SourceText { name: "plan.cpk".to_owned(), text: Arc::new(text.to_owned()) });
    change(&mut backend);
    backend.lower(&resolved)
}

/// Lowers a text that can be lowered.
fn lowered(text: &str) -> LlbImage {
    lower(text).unwrap_or_else(|gaps| panic!("{gaps:?}"))
}

fn definition(image: &LlbImage) -> pb::Definition {
    pb::Definition::decode(image.definition.to_bytes().as_slice()).unwrap_or_else(|error| panic!("{error}"))
}

/// A current daemon, but for merges and diffs.
fn without_merges() -> Limits {
    Limits::from_ids(Limits::all().ids().filter(|id| !["mergeop", "diffop"].contains(id)))
}

/// A plan that uses nearly everything.
const RICH: &str = include_str!("rich.cpk");
