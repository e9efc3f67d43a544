//! Where a block puts what it asks for.

use std::collections::BTreeSet;

use cogpack_frontends_source::SourcePath;
use cogpack_ir::plan::names::InvalidName;
use cogpack_ir::plan::{
    BaseImage, BlockName, CacheName, Context, Input, InputName, OpKind, PhaseName, SecretName, StageName,
    stock,
};

use super::export::ExportDesk;
use super::finding::ComposeFinding;
use super::origin::Origin;
use super::{Asked, Composer, PhaseProblem, Placed, phase_problem};

/// A place in the project: a file, and a line of it counted from 1.
pub type At = Option<(SourcePath, u32)>;

/// What a stage consists of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StageParts {
    /// What it starts from; left out: the stage before it in its phase, or the phase's input.
    pub from: Option<Input>,
    /// What others may ask whether somebody provides it.
    pub provides: BTreeSet<String>,
    /// Its ops, each with the place that made the block ask where it is another than the stage's.
    pub ops: Vec<(OpKind, Option<Origin>)>,
}

/// The desk of one block.
pub struct Desk<'c> {
    composer: &'c mut Composer,
    block: BlockName,
    at: At,
}

impl<'c> Desk<'c> {
    pub(super) fn new(composer: &'c mut Composer, block: &str) -> Self {
        let named = BlockName::new(block);
        // Blocks' names are constants of ours; another one is told like any name.
        let name = named.clone().unwrap_or_else(|_| plain_block());
        let at = composer.ground.clone();
        let mut desk = Self { composer, block: name, at };
        if let Err(invalid) = named {
            desk.bad_name(invalid);
        }
        desk
    }

    /// Says which line of the project makes the block ask for what comes next; nothing where it would ask
    /// for it in any project.
    pub fn at(&mut self, at: At) -> &mut Self {
        self.at = at.or_else(|| self.composer.ground.clone());
        self
    }

    /// Who asks, at this moment.
    pub fn origin(&self) -> Origin {
        Origin { block: self.block.clone(), at: self.at.clone() }
    }

    /// Puts a stage into a phase, after those that this block put there before.
    pub fn stage(&mut self, phase: &str, name: &str, parts: StageParts) {
        let by = self.origin();
        let (Some(phase), Some(name)) = (self.name(PhaseName::new(phase)), self.name(StageName::new(name)))
        else {
            return;
        };
        if let Some(problem) = phase_problem(&phase) {
            let stage = name.as_str().to_owned();
            self.composer.findings.push(match problem {
                PhaseProblem::Complete => ComposeFinding::Complete { by, stage },
                PhaseProblem::Unknown => {
                    let known = [&stock::BUILD[..], &stock::EXPORT[..]].concat();
                    let known = known.into_iter().filter(|name| *name != stock::COMPLETE);
                    let known = known.collect::<Vec<_>>().join(", ");
                    ComposeFinding::UnknownPhase { by, stage, phase: phase.as_str().to_owned(), known }
                }
            });
            return;
        }
        if let Some(first) = self.composer.stages.get(&name) {
            self.composer.findings.push(ComposeFinding::StageTwice {
                stage: name.as_str().to_owned(),
                first: first.by.clone(),
                second: by,
            });
            return;
        }
        let turn = self.composer.turn;
        self.composer.sequence.push(name.clone());
        self.composer.stages.insert(name, Asked { thing: Placed { phase, parts, turn }, by });
    }

    /// Adds ops to a stage that this block made before.
    pub fn add(&mut self, stage: &str, ops: Vec<OpKind>) {
        let by = self.origin();
        let Some(name) = self.name(StageName::new(stage)) else { return };
        match self.composer.stages.get_mut(&name) {
            Some(asked) if asked.by.block == self.block => {
                asked.thing.parts.ops.extend(ops.into_iter().map(|kind| (kind, Some(by.clone()))));
            }
            other => {
                let owner = other.map_or("nobody".to_owned(), |asked| asked.by.to_string());
                self.composer.findings.push(ComposeFinding::ForeignStage {
                    stage: stage.to_owned(),
                    owner,
                    by,
                });
            }
        }
    }

    /// Declares a base image; the same one may be declared by several blocks.
    pub fn image(&mut self, name: &str, image: BaseImage) {
        let by = self.origin();
        let Some(name) = self.name(InputName::new(name)) else { return };
        let taken = self.composer.contexts.get(&name).map(|asked| asked.by.clone());
        let other = self.composer.images.get(&name).filter(|asked| asked.thing != image);
        match taken.or_else(|| other.map(|asked| asked.by.clone())) {
            Some(first) => self.input_twice(&name, first),
            None => {
                self.composer.images.entry(name).or_insert(Asked { thing: image, by });
            }
        }
    }

    /// Declares a context; the same one may be declared by several blocks.
    pub fn context(&mut self, name: &str, context: Context) {
        let by = self.origin();
        let Some(name) = self.name(InputName::new(name)) else { return };
        let taken = self.composer.images.get(&name).map(|asked| asked.by.clone());
        let other = self.composer.contexts.get(&name).filter(|asked| asked.thing != context);
        match taken.or_else(|| other.map(|asked| asked.by.clone())) {
            Some(first) => self.input_twice(&name, first),
            None => {
                self.composer.contexts.entry(name).or_insert(Asked { thing: context, by });
            }
        }
    }

    /// Declares a secret; it is optional only where all who use it can do without.
    pub fn secret(&mut self, name: &str, optional: bool) {
        let by = self.origin();
        let Some(name) = self.name(SecretName::new(name)) else { return };
        let asked = self.composer.secrets.entry(name).or_insert(Asked { thing: optional, by });
        asked.thing &= optional;
    }

    /// Declares a cache.
    pub fn cache(&mut self, name: &str) {
        let by = self.origin();
        let Some(name) = self.name(CacheName::new(name)) else { return };
        self.composer.caches.entry(name).or_insert(by);
    }

    /// What the block wants of the exported image.
    pub fn export(&mut self) -> ExportDesk<'_> {
        let by = self.origin();
        ExportDesk::new(&mut self.composer.export, by)
    }

    fn input_twice(&mut self, name: &InputName, first: Origin) {
        let second = self.origin();
        let name = name.as_str().to_owned();
        self.composer.findings.push(ComposeFinding::InputTwice { name, first, second });
    }

    fn name<T>(&mut self, name: Result<T, InvalidName>) -> Option<T> {
        name.map_err(|invalid| self.bad_name(invalid)).ok()
    }

    fn bad_name(&mut self, invalid: InvalidName) {
        let by = self.origin();
        self.composer.findings.push(ComposeFinding::Name {
            by,
            name: invalid.text,
            rule: invalid.rule.to_owned(),
        });
    }
}

fn plain_block() -> BlockName {
    BlockName::new("block").expect("the word is a name")
}
