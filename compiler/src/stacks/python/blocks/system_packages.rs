//! Packages of the distribution: `build.system_packages`.

use std::collections::BTreeSet;

use cogpack_ir::plan::{Execution, Input, Mount, MountKind, OpKind, Span, Spanned};

use super::certificates::UPDATE;
use super::init::PACKAGE;
use super::source::project_files;
use super::{PythonFacts, input, literal};
use crate::composer::{Desk, StageParts};
use crate::stacks::block::{Block, Detected};
use crate::stacks::python::certificates::{self, Public, are_installed_beside};
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

    fn after(&self) -> &'static [&'static str] {
        &["ca-certificates"]
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
        // So are public authorities, without which no program can tell who answers it.
        add_certificates(facts, lacks_certificates(facts), &mut words);
        let first = packages.first().and_then(|package| facts.at(package.place));
        let of_python = || facts.python.at.clone().filter(|_| facts.base.python == PythonOf::Package);
        let authority = || facts.certificates.first().and_then(|authority| authority.at.clone());
        desk.at(first.or_else(of_python).or_else(authority));
        let Some(run) = installed(facts, &words, desk) else { return };
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

/// Adds the package of public authorities for an image that `lacks` it.
pub(super) fn add_certificates(facts: &PythonFacts, lacks: bool, words: &mut Vec<String>) {
    let packages = &facts.cog().build.system_packages;
    if lacks && packages.iter().all(|package| package.name != certificates::PACKAGE) {
        words.push(certificates::PACKAGE.to_owned());
    }
}

/// Whether the base is not known to have public authorities.
fn lacks_certificates(facts: &PythonFacts) -> bool {
    match &facts.base.from {
        BaseFrom::Debs(_) => false,
        BaseFrom::Image { public, .. } => *public != Public::There,
    }
}

/// What installs packages; nothing where there are none.
pub(super) fn installed(facts: &PythonFacts, words: &[String], desk: &mut Desk<'_>) -> Option<OpKind> {
    // The order has no meaning to apt, and one order is one cache key.
    let words: BTreeSet<&str> = words.iter().map(String::as_str).collect();
    let words: Vec<&str> = words.into_iter().collect();
    if words.is_empty() {
        return None;
    }
    let mut execution = Execution::default();
    // Of the image's own sources none counts beside those that the project names.
    let options = facts.apt_sources.as_ref().map(|sources| {
        project_files(desk);
        let ending = if sources.path.as_str().ends_with(".list") { "list" } else { "sources" };
        let target = format!("/mnt/apt.{ending}");
        let mount = MountKind::Bind {
            source: Spanned::nowhere(Input::Context(input("source"))),
            select: Some(literal(sources.path.as_str())),
            target: literal(&target),
            writable: false,
        };
        execution.mounts.push(Mount { kind: mount, span: Span::NOWHERE });
        format!(" -o Dir::Etc::SourceList={target} -o Dir::Etc::SourceParts=-")
    });
    // Of a package that was there already no script is run.
    let is_of_certificates = |word: &&str| word.split('=').next() == Some(certificates::PACKAGE);
    let update = match !facts.certificates.is_empty() && words.iter().any(is_of_certificates) {
        true => format!("\n{UPDATE}"),
        false => String::new(),
    };
    let apt_get = format!("apt-get{}", options.unwrap_or_default());
    let script = format!(
        "set -e\n{apt_get} update -qq\nDEBIAN_FRONTEND=noninteractive {apt_get} install -qqy --no-install-recommends \\\n  \
         {}{update}\nrm -rf /var/lib/apt/lists/*",
        words.join(" \\\n  ")
    );
    Some(OpKind::Run { script: Spanned::nowhere(script), execution: Box::new(execution) })
}

/// Whether packages of the distribution are installed: those that the project names, its Python, or public
/// authorities.
pub(super) fn installs_packages(facts: &PythonFacts) -> bool {
    facts.installs_authorities || are_installed_beside(&facts.said, &facts.base, &facts.certificates)
}
