//! Packages of the distribution: `build.system_packages`.

use std::collections::BTreeSet;

use cogpack_ir::plan::{Execution, OpKind, Spanned};

use super::PythonFacts;
use super::init::PACKAGE;
use crate::composer::{Desk, StageParts};
use crate::stacks::block::{Block, Detected};
use crate::stacks::python::facts::{BaseFrom, PythonOf};
use crate::stacks::python::start::Start;

/// Installs packages by apt, without what they merely recommend, and without leaving its lists.
pub(super) struct SystemPackages;

impl Block<PythonFacts> for SystemPackages {
    fn name(&self) -> &'static str {
        "system-packages"
    }

    fn provides(&self) -> &'static [&'static str] {
        &["system-packages"]
    }

    fn requires(&self) -> &'static [&'static str] {
        &["base"]
    }

    fn detect(&self, facts: &PythonFacts) -> Detected {
        match (installs_packages(facts), &facts.base.from) {
            (false, _) => Detected::No("the project names no packages of the distribution"),
            (true, BaseFrom::Image { .. }) => Detected::Yes(facts.evidence()),
            (true, BaseFrom::Debs(_)) => Detected::No("the packages are of the base, which is made of such"),
        }
    }

    fn plan(&self, facts: &PythonFacts, desk: &mut Desk<'_>) {
        let packages = &facts.cog().build.system_packages;
        let mut words = named(facts);
        // Where packages are installed anyway, an init is one more; see the block `init`.
        let names_init = packages.iter().any(|package| package.name == PACKAGE);
        if facts.start.value != Start::OfBase && !names_init {
            words.push(PACKAGE.to_owned());
        }
        if facts.base.python == PythonOf::Package {
            words.push("python3".to_owned());
        }
        let Some(script) = script(&words) else { return };
        let first = packages.first().and_then(|package| facts.at(package.place));
        desk.at(first.or_else(|| facts.python.at.clone()));
        let run = OpKind::Run { script: Spanned::nowhere(script), execution: Box::<Execution>::default() };
        desk.stage(
            "export.base",
            "system-packages",
            StageParts { ops: vec![(run, None)], ..StageParts::default() },
        );
    }
}

/// The packages that the project names, as apt takes them.
pub(super) fn named(facts: &PythonFacts) -> Vec<String> {
    let words = facts.cog().build.system_packages.iter().map(|package| match &package.version {
        Some(version) => format!("{}={version}", package.name),
        None => package.name.clone(),
    });
    words.collect()
}

/// What installs packages; nothing where there are none.
pub(super) fn script(words: &[String]) -> Option<String> {
    // The order has no meaning to apt, and one order is one cache key.
    let words: BTreeSet<&str> = words.iter().map(String::as_str).collect();
    let words: Vec<&str> = words.into_iter().collect();
    (!words.is_empty()).then(|| {
        format!(
            "set -e\napt-get update -qq\nDEBIAN_FRONTEND=noninteractive apt-get install -qqy --no-install-recommends \\\n  \
             {}\nrm -rf /var/lib/apt/lists/*",
            words.join(" \\\n  ")
        )
    })
}

/// Whether packages of the distribution are installed: those that the project names, or its Python.
pub(super) fn installs_packages(facts: &PythonFacts) -> bool {
    !facts.cog().build.system_packages.is_empty() || facts.base.python == PythonOf::Package
}
