//! What a build in this process makes for one platform, or for all that have the same files: the plan
//! for this builder, with all that it reads on this machine.

use std::collections::{BTreeMap, BTreeSet};

use cogpack_backends_contract::Backend;
use cogpack_backends_oci_direct::{Configs, OciDirect, Recipe, Runs};
use cogpack_build::direct::order::Part;
use cogpack_build::direct::pull::Found;
use cogpack_content::Platform;
use miette::Diagnostic;

use super::arguments::Build;
use super::plan::{Source, shown_or};
use super::watch::Interrupts;
use super::without_registry;
use super::{INTERRUPTED, pulled};
use crate::console::Console;
use crate::failure::Failure;
use crate::note::Note;
use crate::packages::Machine;
use crate::plan_file::PlanFile;
use crate::report::{self, Stream};
use crate::{FINDINGS, contexts, front, repositories};

/// Makes parts of a build.
pub struct Maker<'a> {
    pub arguments: &'a Build,
    pub file: &'a PlanFile,
    /// Whether programs can be run.
    pub runs: Runs,
    /// The platforms whose programs cannot.
    pub foreign: BTreeSet<Platform>,
    /// Says what is waited for.
    pub note: Note,
}

/// Where base images may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// Wherever they are, they will be here.
    Anywhere,
    /// They are here.
    Here,
}

impl Maker<'_> {
    /// The plan for this builder; `None` where it is refused, and shown.
    pub fn recipe(&self, source: &Source, at: At, console: &mut Console<'_>) -> Option<Recipe> {
        let images = source.plan.images.keys().filter(|_| at == At::Anywhere).cloned();
        let at_hand = source.bases.names().into_iter().chain(images).collect();
        let configs = match at {
            At::Anywhere => Configs::ToCome,
            At::Here => Configs::Known,
        };
        let backend = OciDirect { at_hand, runs: self.runs, foreign: self.foreign.clone(), configs };
        let lowered = backend.lower(&source.resolved);
        lowered.map_err(|refused| show(&refused, self.arguments, self.file, console)).ok()
    }

    /// Reads what a plan needs that has this recipe wherever its bases are; an exit code where that
    /// ends the build. What is to be said of one platform's plan is to be said of the next as well, so
    /// warnings of the first one are shown.
    pub async fn part(
        &self,
        mut source: Source,
        recipe: Recipe,
        is_first: bool,
        interrupts: &mut Interrupts,
        console: &mut Console<'_>,
    ) -> Result<Result<Part, u8>, Failure> {
        if pulled::is_to_find(&source, &recipe) {
            self.note.show("asking registries for the images that the plan builds on", console);
        }
        let machine = Machine::new(self.arguments.store.as_deref(), console);
        let found = pulled::find(&source, &recipe, machine, interrupts, console).await;
        self.note.clear(console);
        let found = found.map_err(|failure| {
            failure.with_other_ways_out(without_registry(self.arguments, self.file, console))
        })?;
        let Some(found) = found else { return Ok(Err(INTERRUPTED)) };
        let mut pulls = BTreeMap::new();
        for (name, Found { layout, image, pull, digest: _ }) in found {
            source.bases.insert(name.clone(), layout, image);
            pulls.insert(name, pull);
        }
        let recipe = match pulls.is_empty() {
            true => recipe,
            false => {
                // What they set is known now.
                let world = source.bases.world();
                let compiled = cogpack_compiler::compile(source.plan.clone(), &world);
                let Some(resolved) = shown_or(compiled, self.arguments, self.file, console) else {
                    return Ok(Err(FINDINGS));
                };
                source.resolved = resolved;
                match self.recipe(&source, At::Here, console) {
                    Some(recipe) => recipe,
                    None => return Ok(Err(FINDINGS)),
                }
            }
        };
        let warnings = source.resolved.warnings();
        if is_first && !warnings.is_empty() {
            front::show(warnings, self.file, self.arguments.format, console);
        }
        let mut walked = contexts::walk_all(recipe.directories(), self.file, &source.directories)?;
        let sets: Vec<String> = recipe.packages().keys().map(ToString::to_string).collect();
        let repositories = recipe.repositories();
        if let Some(name) = repositories.keys().next() {
            self.note.show(&format!("fetching the commit of {name}"), console);
        }
        let machine = Machine::new(self.arguments.store.as_deref(), console);
        let checked_out = repositories::fetch(repositories, machine, interrupts, &mut walked).await;
        self.note.clear(console);
        let Some(checked_out) = checked_out? else { return Ok(Err(INTERRUPTED)) };
        if !sets.is_empty() {
            self.note.show(&format!("installing the packages of {}", sets.join(", ")), console);
        } else if let Some(name) = recipe.downloads().keys().next() {
            self.note.show(&format!("fetching the file of {name}"), console);
        }
        let machine = Machine::new(self.arguments.store.as_deref(), console);
        let installed = machine.install(recipe.packages(), &recipe.platforms(), &mut walked);
        let fetched = machine.fetch(recipe.downloads(), &mut walked);
        self.note.clear(console);
        if let Err(refused) = installed?.and(fetched?).and(checked_out) {
            let refused: Vec<&dyn Diagnostic> = refused.iter().map(|it| &**it).collect();
            report::findings(&refused, self.file, self.arguments.format, Stream::Talk, console);
            return Ok(Err(FINDINGS));
        }
        let mut bases = source.bases.into_images();
        bases.retain(|name, _| recipe.uses(name));
        let (directories, layers, files) = (walked.trees, walked.layers, Box::new(walked.files));
        Ok(Ok(Part { recipe, directories, layers, files, bases, pulls }))
    }
}

/// Shows what was found of a plan.
pub fn show<D: Diagnostic>(found: &[D], arguments: &Build, file: &PlanFile, console: &mut Console<'_>) {
    let diagnostics: Vec<&dyn Diagnostic> = found.iter().map(|it| it as &dyn Diagnostic).collect();
    report::findings(&diagnostics, file, arguments.format, Stream::Talk, console);
}
