//! The framework and what comes with it, in a layer of its own, which other models with the same one share.

use super::{PythonFacts, VENV, copy_all, wheels};
use crate::composer::{Desk, StageParts};
use crate::stacks::block::{Block, Detected};
use crate::stacks::detect::{Evidence, Weight};

/// Copies installed wheels into the virtual environment, as a layer that does not depend on the base.
pub(super) struct Framework;

impl Block<PythonFacts> for Framework {
    fn name(&self) -> &'static str {
        "framework"
    }

    fn provides(&self) -> &'static [&'static str] {
        &["framework"]
    }

    fn requires(&self) -> &'static [&'static str] {
        &["python"]
    }

    fn after(&self) -> &'static [&'static str] {
        &[]
    }

    fn detect(&self, facts: &PythonFacts) -> Detected {
        match facts.packages.frameworks.is_empty() {
            true => Detected::No("the locked packages have no framework"),
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
        desk.context("framework", wheels(&facts.python.value.to_string(), &facts.packages.frameworks));
        let ops = vec![(copy_all("framework", VENV), None)];
        desk.stage("export.runtime", "framework", StageParts { ops, ..StageParts::default() });
    }
}
