//! All other packages of the model, cog's runtime among them.

use super::PythonFacts;
use super::framework::{lays_down, locked};
use crate::composer::Desk;
use crate::stacks::block::{Block, Detected};

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
        locked(facts, &facts.packages.packages, "the lock has no other packages")
    }

    fn plan(&self, facts: &PythonFacts, desk: &mut Desk<'_>) {
        lays_down("packages", facts, &facts.packages.packages, desk);
    }
}
