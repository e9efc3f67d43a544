//! The reasons of a plan for programs: `cogpackc plan --why --format json`, as `docs/json.md`
//! describes it.

use cogpack_compiler::stacks::{Candidate, Detected, Evidence, Why};
use serde::Serialize;

use crate::report::json::{self, VERSION};

#[derive(Serialize)]
struct Document<'w> {
    version: u32,
    why: Body<'w>,
}

#[derive(Serialize)]
struct Body<'w> {
    stack: &'w str,
    evidence: Vec<String>,
    decisions: Vec<Decision<'w>>,
    bases: Vec<Base<'w>>,
    build_bases: Vec<Base<'w>>,
    blocks: Vec<Block<'w>>,
}

#[derive(Serialize)]
struct Decision<'w> {
    what: &'w str,
    value: &'w str,
    because: &'w str,
    file: Option<String>,
    line: Option<u32>,
}

#[derive(Serialize)]
struct Base<'w> {
    name: &'w str,
    chosen: bool,
    against: &'w [String],
}

#[derive(Serialize)]
struct Block<'w> {
    name: &'w str,
    /// Whether it has a part in the plan.
    used: bool,
    evidence: Vec<String>,
    /// Why it has nothing to do, where it has not.
    idle_because: Option<&'w str>,
}

fn base(candidate: &Candidate) -> Base<'_> {
    Base { name: &candidate.name, chosen: candidate.is_chosen, against: &candidate.against }
}

pub(super) fn text(why: &Why) -> String {
    let files = |evidence: &[Evidence]| evidence.iter().map(|one| one.file.to_string()).collect();
    let decisions = why.decisions.iter().map(|decision| Decision {
        what: &decision.what,
        value: &decision.value,
        because: &decision.because,
        file: decision.at.as_ref().map(|(file, _)| file.to_string()),
        line: decision.at.as_ref().map(|(_, line)| *line),
    });
    let blocks = why.blocks.iter().map(|(name, detected)| match detected {
        Detected::Yes(evidence) => Block { name, used: true, evidence: files(evidence), idle_because: None },
        Detected::No(reason) => Block { name, used: false, evidence: Vec::new(), idle_because: Some(reason) },
    });
    let body = Body {
        stack: why.stack,
        evidence: files(&why.evidence),
        decisions: decisions.collect(),
        bases: why.bases.iter().map(base).collect(),
        build_bases: why.build_bases.iter().map(base).collect(),
        blocks: blocks.collect(),
    };
    json::text(&Document { version: VERSION, why: body })
}
