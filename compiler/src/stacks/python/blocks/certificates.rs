//! Authorities whose certificates are trusted: the setting `ca-certificates`.

use cogpack_ir::plan::{EnvEdit, Execution, Network, OpKind, Spanned};

use super::system_packages::installs_packages;
use super::{PythonFacts, env, file, variable};
use crate::composer::{Desk, Origin, StageParts};
use crate::stacks::block::{Block, Detected};
use crate::stacks::detect::{Evidence, Weight};
use crate::stacks::python::certificates::{DIRECTORY, Public};
use crate::stacks::python::facts::BaseFrom;

/// Puts the project's own authorities beside those of the distribution, before anything connects.
pub(super) struct Certificates;

/// What adds certificates of [`DIRECTORY`] to all the places where programs look.
pub(super) const UPDATE: &str = "update-ca-certificates";

/// All certificates in one file.
const BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";

/// What makes programs look there that bring authorities of their own: requests and pip, and what is made
/// of OpenSSL or httpx.
const VARIABLES: [&str; 2] = ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"];

impl Block<PythonFacts> for Certificates {
    fn name(&self) -> &'static str {
        "ca-certificates"
    }

    fn provides(&self) -> &'static [&'static str] {
        &["ca-certificates"]
    }

    fn requires(&self) -> &'static [&'static str] {
        &["base"]
    }

    fn detect(&self, facts: &PythonFacts) -> Detected {
        let named = &facts.said.settings().ca_certificates;
        let evidence = named.iter().map(|file| Evidence { weight: Weight::Image, file: file.value.clone() });
        match (facts.certificates.is_empty(), base_has_some(facts) || installs_packages(facts)) {
            (false, _) => Detected::Yes(evidence.collect()),
            (true, true) => Detected::No("the project names no authorities beside those of the distribution"),
            (true, false) => Detected::No(
                "the project names no authorities, and the base is not known to have any: a warning tells the ways out",
            ),
        }
    }

    fn plan(&self, facts: &PythonFacts, desk: &mut Desk<'_>) {
        let first = facts.certificates.first();
        desk.at(first.and_then(|first| first.at.clone()));
        let ops = match &facts.base.from {
            BaseFrom::Image { public, .. } => trusted(facts, *public == Public::There, desk),
            // They are in the set of packages, which is made without running anything.
            BaseFrom::Debs(_) => variables(),
        };
        desk.stage("export.base", "ca-certificates", StageParts { ops, ..StageParts::default() });
    }
}

/// Whether programs of the base find public authorities.
fn base_has_some(facts: &PythonFacts) -> bool {
    match &facts.base.from {
        BaseFrom::Debs(_) => true,
        BaseFrom::Image { public, .. } => *public == Public::There,
    }
}

/// What makes an image trust the project's authorities; nothing where there are none. One that lacks the
/// package gets it, and the bundle with it, where its packages are installed.
pub(super) fn trusted(
    facts: &PythonFacts,
    has_certificates: bool,
    desk: &Desk<'_>,
) -> Vec<(OpKind, Option<Origin>)> {
    let block = desk.origin().block;
    let files = facts.certificates.iter().map(|authority| {
        let made = file(&format!("{DIRECTORY}/{}", authority.file), &authority.text);
        (made, Some(Origin { block: block.clone(), at: authority.at.clone() }))
    });
    let mut ops: Vec<_> = files.collect();
    if ops.is_empty() {
        return ops;
    }
    if has_certificates {
        let execution = Box::new(Execution { network: Network::None, ..Execution::default() });
        ops.push((OpKind::Run { script: Spanned::nowhere(UPDATE.to_owned()), execution }, None));
    }
    ops.extend(variables());
    ops
}

fn variables() -> Vec<(OpKind, Option<Origin>)> {
    VARIABLES.map(|name| (env(variable(name), EnvEdit::Set, BUNDLE), None)).into()
}
