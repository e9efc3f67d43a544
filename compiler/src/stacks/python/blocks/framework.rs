//! The framework and what comes with it, in a layer of its own, which other models with the same one share.

use cogpack_frontends_source::SourcePath;
use cogpack_packages_wheels::lock::LockedWheel;

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
        locked(facts, &facts.packages.frameworks, "the locked packages have no framework")
    }

    fn plan(&self, facts: &PythonFacts, desk: &mut Desk<'_>) {
        lays_down("framework", facts, &facts.packages.frameworks, desk);
    }
}

/// Whether there are locked wheels, and that the lock names them.
pub(super) fn locked(facts: &PythonFacts, wheels: &[LockedWheel], none: &'static str) -> Detected {
    let evidence = |file: &SourcePath| Evidence { weight: Weight::Declaration, file: file.clone() };
    match wheels.is_empty() {
        true => Detected::No(none),
        false => Detected::Yes(facts.packages.lock.iter().map(evidence).collect()),
    }
}

/// A context of locked wheels, and a stage of that name that copies what they install.
pub(super) fn lays_down(name: &str, facts: &PythonFacts, locked: &[LockedWheel], desk: &mut Desk<'_>) {
    desk.at(facts.packages.lock.clone().map(|lock| (lock, 1)));
    desk.context(name, wheels(&facts.python.value.to_string(), locked));
    let ops = vec![(copy_all(name, VENV), None)];
    desk.stage("export.runtime", name, StageParts { ops, ..StageParts::default() });
}
