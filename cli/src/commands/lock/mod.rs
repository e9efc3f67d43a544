//! `cogpackc lock debs`: chooses packages out of an archive, and prints the context that fixes them;
//! `cogpackc lock wheels`: the same of a lock file; `cogpackc lock DIR`: the lock of a project.

pub mod arguments;
pub mod project;
pub mod project_debs;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use arguments::{Archive, DebsRequest, Lock, Set, WheelsRequest};
use cogpack_content::{Digest, Platform};
use cogpack_io_packages::apt::{SignedBy, Source};
use cogpack_io_packages::debs::architecture_of;
use cogpack_io_packages::lock::{Doing, LockError, Request, Unsolvable, lock};
use cogpack_io_packages::lock_wheels::{
    self, LockProblem, PythonVersion, Target, WheelLockError, lock_wheels, normalised,
};
use cogpack_io_packages::web::Web;
use cogpack_ir::plan::context::{DebsContext, LockedFile, WheelsContext};
use cogpack_ir::plan::{Context, ContextKind, InputName, Plan, Span, Spanned};
use cogpack_ir::{json, syntax};
use url::Url;

use crate::DONE;
use crate::console::Console;
use crate::failure::Failure;
use crate::note::Note;
use crate::packages::Machine;
use crate::progress::text;
use crate::report::Format;

/// Locks what was asked for, and gives the exit code.
pub fn run(arguments: &Lock, console: &mut Console<'_>) -> Result<u8, Failure> {
    match &arguments.set {
        None => project::run(&arguments.project, arguments.format, console),
        Some(Set::Debs(request)) => debs(request, arguments.format, console),
        Some(Set::Wheels(request)) => wheels(request, arguments.format, console),
    }
}

fn debs(request: &DebsRequest, format: Format, console: &mut Console<'_>) -> Result<u8, Failure> {
    let name = context_name(&request.name)?;
    let architecture = architecture(&request.platform)?;
    let sources = sources(request, Machine::new(None, console), architecture)?;
    let without: BTreeSet<String> = request.without.iter().cloned().collect();
    let wanted = Wanted {
        names: &request.packages,
        without: &without,
        essential: request.essential,
        architecture,
        sources: &sources,
        suite: request.suite.as_deref(),
    };
    Ok(print(name, ContextKind::Debs(wanted.locked(format, console)?), format, console))
}

/// The packages that a set is made of.
struct Wanted<'w> {
    names: &'w [String],
    without: &'w BTreeSet<String>,
    essential: bool,
    architecture: &'w str,
    sources: &'w [Source],
    suite: Option<&'w str>,
}

impl Wanted<'_> {
    /// Asks the archives, and chooses.
    fn locked(&self, format: Format, console: &mut Console<'_>) -> Result<DebsContext, Failure> {
        let machine = Machine::new(None, console);
        let Self { names, without, essential, architecture, sources, .. } = *self;
        let wanted = Request { names, without, essential, architecture, sources, apt: &machine.apt() };
        let store = machine.store()?;
        let note = Note::shown(console.stderr_is_terminal && format == Format::Text);
        let locked = lock(&wanted, &Web::new(), &store, &mut telling(note, console));
        note.clear(console);
        let locked = locked.map_err(|error| failure(&error))?;
        let files = locked.into_iter().map(|deb| (deb.file, locked_file(deb.digest, Some(deb.url))));
        let (suite, packages) = (self.suite.map(str::to_owned), files.collect());
        Ok(DebsContext { suite, packages, archives: BTreeMap::new(), certificates: BTreeMap::new() })
    }
}

/// What Debian calls a platform.
pub fn architecture(platform: &Platform) -> Result<&'static str, Failure> {
    architecture_of(platform).ok_or_else(|| {
        Failure::new(format!("packages cannot be locked for `{platform}`"))
            .with_hint("sets are installed for linux/amd64 and linux/arm64")
    })
}

/// Says what is done, as often as people can read it.
pub fn telling(note: Note, console: &mut Console<'_>) -> impl FnMut(Doing<'_>) {
    const PAINT_INTERVAL: Duration = Duration::from_millis(100);
    let mut painted = Instant::now();
    move |doing| match doing {
        Doing::Fetching { index, bytes: 0 } => {
            painted = Instant::now();
            note.show(&format!("asking for {index}"), console);
        }
        Doing::Fetching { index, bytes } if painted.elapsed() >= PAINT_INTERVAL => {
            painted = Instant::now();
            note.show(&format!("{} of {index}", text::bytes(bytes)), console);
        }
        Doing::Fetching { .. } => {}
        Doing::Choosing { among } => {
            note.show(&format!("choosing among {}", text::counted(among as u64, "package")), console);
        }
    }
}

fn wheels(request: &WheelsRequest, format: Format, console: &mut Console<'_>) -> Result<u8, Failure> {
    let name = context_name(&request.name)?;
    let (python, patch) = python(&request.python)?;
    let target = |platform: &Platform| Target { python, platform: platform.clone() };
    let targets: Vec<Target> = request.platforms.iter().map(target).collect();
    let names =
        |names: &[String]| -> BTreeSet<String> { names.iter().map(|name| normalised(name)).collect() };
    let (extras, groups) = (names(&request.extras), names(&request.groups));
    let wanted = lock_wheels::Request {
        targets: &targets,
        patch,
        extras: &extras,
        groups: &groups,
        without: &names(&request.without),
    };
    let path = Machine::new(None, console).path(&request.file);
    let locked = lock_wheels(&path, &request.file, &wanted).map_err(|error| unlocked(error, request))?;
    let files =
        locked.into_iter().map(|wheel| (wheel.file.to_string(), locked_file(wheel.digest, wheel.url)));
    let kind = ContextKind::Wheels(WheelsContext {
        python: Some(Spanned::nowhere(python.to_string())),
        interpreter: request.interpreter.clone().map(Spanned::nowhere),
        wheels: files.collect(),
    });
    Ok(print(name, kind, format, console))
}

/// `3.11` or `3.11.4`.
fn python(text: &str) -> Result<(PythonVersion, Option<u32>), Failure> {
    let invalid = || {
        Failure::new(format!("`{text}` is not a release of Python that wheels can be installed for"))
            .with_hint("write it as `3.11`, or as `3.11.4`")
    };
    let mut numbers = text.splitn(3, '.');
    let minor = [numbers.next(), numbers.next()].into_iter().flatten().collect::<Vec<_>>().join(".");
    let patch = numbers.next().map(str::parse).transpose().map_err(|_| invalid())?;
    Ok((minor.parse().map_err(|_| invalid())?, patch))
}

fn context_name(name: &str) -> Result<InputName, Failure> {
    InputName::new(name.trim_start_matches('@')).map_err(|error| Failure::of(&error))
}

/// A lock file that gives no set, with all that is wrong with it, and the way out of the first.
fn unlocked(error: WheelLockError, request: &WheelsRequest) -> Failure {
    let mut failure = Failure::of(&error);
    let WheelLockError::Problems { problems, .. } = error else { return failure };
    failure.causes.extend(problems.iter().map(ToString::to_string));
    let Some(first) = problems.first() else { return failure };
    match first {
        LockProblem::Syntax { .. } | LockProblem::File { .. } => {
            failure.with_hint("let the tool that wrote the lock file write it anew")
        }
        LockProblem::Unknown => failure.with_hint(
            "most tools can write a `pylock.toml`: `uv export --format pylock.toml`, `pip lock`, `pdm export --format pylock`",
        ),
        LockProblem::Version(_) => failure.with_hint("a newer cogpackc may know it"),
        LockProblem::Environment { .. } => {
            failure.with_hint("name another `--python` or `--platform`, or lock the project for this one")
        }
        LockProblem::Absent { .. } => failure.with_hint("correct the name, or leave that option away"),
        LockProblem::Patch { .. } => {
            failure.with_hint(format!("say the Python in full, for instance `--python {}.0`", request.python))
        }
        LockProblem::NotAWheel { package, .. } | LockProblem::NoneFits { package, .. } => failure.with_hint(format!(
            "build it in a stage that has a compiler, and leave it out here with `--without {package}`"
        )),
        LockProblem::Marker { .. }
        | LockProblem::Several { .. }
        | LockProblem::Unmet { .. }
        | LockProblem::Project(_)
        | LockProblem::Conflicts => failure
            .with_hint("write a `pylock.toml` for what the image needs: `uv export --format pylock.toml -o pylock.toml`"),
    }
}

/// The archives that were given, or else those that the machine names.
fn sources(request: &DebsRequest, machine: Machine<'_>, architecture: &str) -> Result<Vec<Source>, Failure> {
    if let Some(named) = named_archive(&request.archive, request.suite.as_deref(), machine)? {
        return Ok(vec![named]);
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

/// The archive that was given, if one was.
fn named_archive(
    named: &Archive,
    suite: Option<&str>,
    machine: Machine<'_>,
) -> Result<Option<Source>, Failure> {
    let Some(mirror) = &named.mirror else { return Ok(None) };
    let archive = Url::parse(mirror).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let archive = archive.ok_or_else(|| {
        Failure::new(format!("`{mirror}` is not the address of an archive"))
            .with_hint("write it in full, from `http://` on, without `dists`")
    })?;
    let suite = suite.ok_or_else(|| {
        Failure::new("an archive has many suites, and none was named")
            .with_hint("add for instance `--suite bookworm`")
    })?;
    let keys: Vec<_> = named.keyring.iter().map(|path| machine.path(path)).collect();
    Ok(Some(Source {
        archive,
        suite: suite.to_owned(),
        components: named.components.clone(),
        architectures: Vec::new(),
        signed_by: (!keys.is_empty()).then_some(SignedBy::Files(keys)),
    }))
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
            | Unsolvable::Several { .. }
            | Unsolvable::Unmet { .. }
            | Unsolvable::Version { .. }
            | Unsolvable::Conflict { .. },
        ) => failure.with_hint("name another package, or leave one out with `--without NAME`"),
        LockError::Expired { .. } => failure.with_hint("ask a mirror that is kept up to date"),
        LockError::Web(_) => failure.with_hint(
            "check the network and its proxy; `--mirror ADDRESS --keyring FILE` asks another archive, and COGPACK_APT names a \
             directory like /etc/apt with the archives and keys to use",
        ),
        LockError::Store(_) | LockError::Keys { .. } | LockError::Digest { .. } => failure,
    }
}

/// Prints a context: a plan that has it, and nothing else.
fn print(name: InputName, kind: ContextKind, format: Format, console: &mut Console<'_>) -> u8 {
    let mut plan = Plan::empty();
    plan.contexts.insert(name, Context { kind, span: Span::NOWHERE });
    match format {
        Format::Text => console.data(context(&plan).as_bytes()),
        Format::Json => console.data(json::write(&plan).as_bytes()),
    }
    DONE
}

fn locked_file(digest: Digest, url: Option<String>) -> LockedFile {
    LockedFile { digest: Some(digest), url: url.map(Spanned::nowhere), span: Span::NOWHERE }
}

/// The context as plans have it, without what every plan begins with.
fn context(plan: &Plan) -> String {
    let text = syntax::print(plan);
    text.find("context ").map_or(String::new(), |start| text[start..].to_owned())
}
