//! All other packages of the model, cog's runtime among them.

use super::{PythonFacts, VENV, copy_all, wheels};
use crate::composer::{Desk, StageParts};
use crate::stacks::block::{Block, Detected};
use crate::stacks::detect::{Evidence, Weight};

/// Copies installed wheels into the virtual environment, as a layer that does not depend on the base.
pub(super) struct Packages;

impl Block<PythonFacts> for Packages {
    fn name(&self) -> &'static str {
        "packages"
    }

    fn provides(&self) -> &'static [&'static str] {
        &["packages"]
    }

    fn requires(&self) -> &'static [&'static str] {
        &["python"]
    }

    fn after(&self) -> &'static [&'static str] {
        &["framework"]
    }

    fn detect(&self, facts: &PythonFacts) -> Detected {
        match facts.packages.packages.is_empty() {
            true => Detected::No("the lock has no other packages"),
            false => Detected::Yes(
                facts
                    .packages
                    .lock
                    .iter()
                    .map(|file| Evidence { weight: Weight::Declaration, file: file.clone() })
                    .collect(),
            ),
        }
    }

    fn plan(&self, facts: &PythonFacts, desk: &mut Desk<'_>) {
        desk.at(facts.packages.lock.clone().map(|lock| (lock, 1)));
        desk.context("packages", wheels(&facts.python.value.to_string(), &facts.packages.packages));
        let ops = vec![(copy_all("packages", VENV), None)];
        desk.stage("export.runtime", "packages", StageParts { ops, ..StageParts::default() });
    }
}
