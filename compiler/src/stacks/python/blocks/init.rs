//! A small init as the first process: it reaps what ends, and passes signals on.

use super::PythonFacts;
use super::system_packages::installs_packages;
use crate::composer::Desk;
use crate::stacks::block::{Block, Detected};
use crate::stacks::python::facts::BaseFrom;
use crate::stacks::python::start::Start;

/// Starts the program by tini, where the image has it.
pub(super) struct Init;

/// The package, and where Debian and Ubuntu have its program.
pub(super) const PACKAGE: &str = "tini";
const PROGRAM: &str = "/usr/bin/tini";

impl Block<PythonFacts> for Init {
    fn name(&self) -> &'static str {
        "init"
    }

    fn requires(&self) -> &'static [&'static str] {
        &["base"]
    }

    fn after(&self) -> &'static [&'static str] {
        &["system-packages"]
    }

    fn detect(&self, facts: &PythonFacts) -> Detected {
        match (&facts.start.value, has_init(facts)) {
            (Start::OfBase, _) => Detected::No("the base image says what is started, and how"),
            (Start::Server | Start::Command(_), false) => {
                Detected::No("the image has no `tini`: engines bring one, as `docker run --init` does")
            }
            (Start::Server | Start::Command(_), true) => Detected::Yes(Vec::new()),
        }
    }

    fn plan(&self, _: &PythonFacts, desk: &mut Desk<'_>) {
        desk.export().entrypoint([PROGRAM, "--"].map(str::to_owned).to_vec());
    }
}

/// Whether the program is there: in a base of packages always, and in an image where it is known to be
/// or where packages are installed anyway, of which it is one then.
pub(in crate::stacks::python) fn has_init(facts: &PythonFacts) -> bool {
    match &facts.base.from {
        BaseFrom::Debs(_) => true,
        BaseFrom::Image { has_init, .. } => *has_init || installs_packages(facts),
    }
}
