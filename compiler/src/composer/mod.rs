//! Puts a plan together out of what blocks ask for, none of which knows the others.
//!
//! A block is given a [`Desk`]: it puts stages into phases by key, declares what they read, and says
//! what it wants of the exported image. Each thing keeps its [`Origin`], the block and the line of the
//! project that made it ask. Where two blocks want what cannot both be, [`Composer::finish`] tells it
//! with both origins, and no plan comes out. The order of blocks is that of [`order`], so it makes no
//! difference in which order they were asked.

pub mod desk;
pub mod export;
pub mod finding;
pub mod order;
pub mod origin;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use cogpack_content::Platform;
use cogpack_ir::plan::{
    BaseImage, CacheName, Context, InputName, Op, OpKind, PhaseName, Plan, Provenance, SecretDeclaration,
    SecretName, Span, Spanned, Stage, StageName, order::canonicalise, stock,
};

pub use desk::{At, Desk, StageParts};
pub use finding::ComposeFinding;
pub use order::{BlockOrder, block_order};
pub use origin::Origin;

use export::ExportWishes;

/// A thing, and who asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Asked<T> {
    thing: T,
    by: Origin,
}

/// A stage as it was asked for: its phase, its parts, and which block's turn it was.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Placed {
    phase: PhaseName,
    parts: StageParts,
    turn: usize,
}

/// All that was asked for so far.
#[derive(Debug, Clone)]
pub struct Composer {
    platforms: BTreeSet<Platform>,
    /// Where the project says that it is one: the place of what no line of it asks for.
    ground: At,
    stages: BTreeMap<StageName, Asked<Placed>>,
    /// Stages in the order in which they were asked for.
    sequence: Vec<StageName>,
    images: BTreeMap<InputName, Asked<BaseImage>>,
    contexts: BTreeMap<InputName, Asked<Context>>,
    secrets: BTreeMap<SecretName, Asked<bool>>,
    caches: BTreeMap<CacheName, Origin>,
    export: ExportWishes,
    findings: Vec<ComposeFinding>,
    turn: usize,
}

impl Composer {
    /// Nothing asked for yet, for an image on these platforms. What no line of the project asks for has the
    /// place `ground`.
    pub fn new(platforms: BTreeSet<Platform>, ground: At) -> Self {
        Self {
            platforms,
            ground,
            stages: BTreeMap::new(),
            sequence: Vec::new(),
            images: BTreeMap::new(),
            contexts: BTreeMap::new(),
            secrets: BTreeMap::new(),
            caches: BTreeMap::new(),
            export: ExportWishes::default(),
            findings: Vec::new(),
            turn: 0,
        }
    }

    /// The desk of one block; blocks take their turns in the order of [`block_order`].
    pub fn desk(&mut self, block: &str) -> Desk<'_> {
        self.turn += 1;
        Desk::new(self, block)
    }

    /// The plan, or all that stands against it.
    pub fn finish(mut self) -> Result<Plan, Vec<ComposeFinding>> {
        self.findings.append(&mut self.export.take_findings());
        if !self.findings.is_empty() {
            return Err(self.findings);
        }
        let mut plan = Plan::empty();
        if !self.platforms.is_empty() {
            plan.platforms = self.platforms.into_iter().map(Spanned::nowhere).collect();
        }
        plan.images = things(self.images);
        plan.contexts = things(self.contexts);
        plan.secrets = self.secrets.into_iter().map(|(name, asked)| (name, secret(asked.thing))).collect();
        plan.caches = self.caches.into_keys().map(|name| (name, Span::NOWHERE)).collect();
        let mut stages = self.stages;
        let placed = self.sequence.into_iter().filter_map(|name| {
            let asked = stages.remove(&name)?;
            Some((asked.thing.turn, stage(name, asked)))
        });
        // Stable: the stages of one block stay in the order in which it asked for them.
        let mut placed: Vec<_> = placed.collect();
        placed.sort_by_key(|(turn, _)| *turn);
        plan.stages = placed.into_iter().map(|(_, stage)| stage).collect();
        plan.export = Some(self.export.into_export());
        canonicalise(&mut plan);
        Ok(plan)
    }
}

fn things<T>(asked: BTreeMap<InputName, Asked<T>>) -> BTreeMap<InputName, T> {
    asked.into_iter().map(|(name, asked)| (name, asked.thing)).collect()
}

fn secret(optional: bool) -> SecretDeclaration {
    SecretDeclaration { optional, span: Span::NOWHERE }
}

/// A stage whose ops each follow the line that they come from.
fn stage(name: StageName, asked: Asked<Placed>) -> Stage {
    let Asked { thing: Placed { phase, parts, .. }, by } = asked;
    let mut ops = Vec::new();
    let mut told: Option<Origin> = None;
    for (kind, origin) in parts.ops {
        let origin = match origin {
            Some(Origin { block, at: None }) => Origin { block, at: by.at.clone() },
            Some(origin) => origin,
            None => by.clone(),
        };
        if told.as_ref() != Some(&origin) {
            ops.push(op(OpKind::By(provenance(&origin))));
            told = Some(origin);
        }
        ops.push(op(kind));
    }
    Stage {
        name: Spanned::nowhere(name),
        phase: Some(Spanned::nowhere(phase)),
        from: parts.from.map(Spanned::nowhere),
        provides: parts.provides.into_iter().map(Spanned::nowhere).collect(),
        ops,
    }
}

fn op(kind: OpKind) -> Op {
    Op { kind, span: Span::NOWHERE }
}

fn provenance(origin: &Origin) -> Provenance {
    let at = origin.at.as_ref().map(|(file, line)| (file.to_string(), *line));
    Provenance { block: Spanned::nowhere(origin.block.clone()), at }
}

/// Whether stages may be put into a phase of this name, and why not.
fn phase_problem(phase: &PhaseName) -> Option<PhaseProblem> {
    if phase.as_str() == stock::COMPLETE {
        return Some(PhaseProblem::Complete);
    }
    (!stock::phases().contains_key(phase)).then_some(PhaseProblem::Unknown)
}

/// Why no stage goes into a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PhaseProblem {
    /// There is none of this name.
    Unknown,
    /// It is the handle for the final build output.
    Complete,
}
