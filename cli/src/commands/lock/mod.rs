//! `cogpackc lock debs`: chooses packages out of an archive, and prints the context that fixes them.

pub mod arguments;

use std::collections::{BTreeMap, BTreeSet};

use arguments::{DebsRequest, Lock, Set};
use cogpack_io_packages::apt::{SignedBy, Source};
use cogpack_io_packages::debs::architecture_of;
use cogpack_io_packages::lock::{LockError, LockedDeb, Request, Unsolvable, lock};
use cogpack_io_packages::web::Web;
use cogpack_ir::plan::context::{DebsContext, LockedFile};
use cogpack_ir::plan::{Context, ContextKind, InputName, Plan, Span, Spanned};
use cogpack_ir::{json, syntax};
use url::Url;

use crate::DONE;
use crate::console::Console;
use crate::failure::Failure;
use crate::packages::Machine;
use crate::report::Format;

/// Locks what was asked for, and gives the exit code.
pub fn run(arguments: &Lock, console: &mut Console<'_>) -> Result<u8, Failure> {
    match &arguments.set {
        Set::Debs(request) => debs(request, arguments.format, console),
    }
}

fn debs(request: &DebsRequest, format: Format, console: &mut Console<'_>) -> Result<u8, Failure> {
    let name = InputName::new(request.name.trim_start_matches('@')).map_err(|error| Failure::of(&error))?;
    let architecture = architecture_of(&request.platform).ok_or_else(|| {
        Failure::new(format!("packages cannot be locked for `{}`", request.platform))
            .with_hint("sets are installed for linux/amd64 and linux/arm64")
    })?;
    let machine = Machine::new(None, console);
    let apt = machine.apt();
    let sources = sources(request, machine, architecture)?;
    let without: BTreeSet<String> = request.without.iter().cloned().collect();
    let wanted = Request {
        names: &request.packages,
        without: &without,
        essential: request.essential,
        architecture,
        sources: &sources,
        apt: &apt,
    };
    let locked = lock(&wanted, &Web::new(), &machine.store()?).map_err(|error| failure(&error))?;
    let plan = plan(name, request.suite.clone(), locked);
    match format {
        Format::Text => console.data(context(&plan).as_bytes()),
        Format::Json => console.data(json::write(&plan).as_bytes()),
    }
    Ok(DONE)
}

/// The archives that were given, or else those that the machine names.
fn sources(request: &DebsRequest, machine: Machine<'_>, architecture: &str) -> Result<Vec<Source>, Failure> {
    if let Some(mirror) = &request.mirror {
        let archive = Url::parse(mirror).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let archive = archive.ok_or_else(|| {
            Failure::new(format!("`{mirror}` is not the address of an archive"))
                .with_hint("write it in full, from `http://` on, without `dists`")
        })?;
        let suite = request.suite.clone().ok_or_else(|| {
            Failure::new("an archive has many suites, and none was named")
                .with_hint("add for instance `--suite bookworm`")
        })?;
        let keys: Vec<_> = request.keyring.iter().map(|path| machine.path(path)).collect();
        return Ok(vec![Source {
            archive,
            suite,
            components: request.components.clone(),
            architectures: Vec::new(),
            signed_by: (!keys.is_empty()).then_some(SignedBy::Files(keys)),
        }]);
    }
    let mut sources = machine.archives()?;
    let suite = request.suite.as_deref();
    sources.retain(|source| source.is_for(architecture) && suite.is_none_or(|suite| source.is_of(suite)));
    if sources.is_empty() {
        let of = suite.map_or_else(String::new, |suite| format!(" of the suite `{suite}`"));
        return Err(Failure::new(format!("this machine names no archive{of} in `{}`", machine.apt().display()))
            .with_hint("name one: `--mirror ADDRESS --suite NAME --keyring FILE`, or a directory like /etc/apt with COGPACK_APT"));
    }
    Ok(sources)
}

fn failure(error: &LockError) -> Failure {
    let failure = Failure::of(error);
    match error {
        LockError::Signature { .. } => failure.with_hint(
            "the package `gpgv` brings the program; `--keyring FILE`, with `--mirror`, names the keys of an archive",
        ),
        LockError::Unsolvable(Unsolvable::NothingToLeaveOut(_) | Unsolvable::AskedForAndLeftOut(_)) => {
            failure.with_hint("correct the name, or leave this `--without` away")
        }
        LockError::Unsolvable(
            Unsolvable::Unknown(_)
            | Unsolvable::Unmet { .. }
            | Unsolvable::Version { .. }
            | Unsolvable::Conflict { .. },
        ) => failure.with_hint("name another package, or leave one out with `--without NAME`"),
        LockError::Expired { .. } => failure.with_hint("ask a mirror that is kept up to date"),
        LockError::Web(_) | LockError::Store(_) | LockError::Keys { .. } | LockError::Digest { .. } => failure,
    }
}

/// A plan that has the context, and nothing else.
fn plan(name: InputName, suite: Option<String>, locked: Vec<LockedDeb>) -> Plan {
    let packages: BTreeMap<String, LockedFile> = locked
        .into_iter()
        .map(|deb| {
            let locked = LockedFile {
                digest: Some(deb.digest),
                url: Some(Spanned::nowhere(deb.url)),
                span: Span::NOWHERE,
            };
            (deb.file, locked)
        })
        .collect();
    let mut plan = Plan::empty();
    let kind = ContextKind::Debs(DebsContext { suite, packages });
    plan.contexts.insert(name, Context { kind, span: Span::NOWHERE });
    plan
}

/// The context as plans have it, without what every plan begins with.
fn context(plan: &Plan) -> String {
    let text = syntax::print(plan);
    text.find("context ").map_or(String::new(), |start| text[start..].to_owned())
}
