//! The locked packages of a model: what its lock file names for its Python and its platforms.

use std::collections::BTreeSet;
use std::sync::Arc;

use cogpack_frontends_python::lock::{self, LockFile};
use cogpack_frontends_python::project::PythonFinding as FileFinding;
use cogpack_frontends_python::requirement::PackageName;
use cogpack_frontends_python::requirements::Stated;
use cogpack_frontends_source::{DigestOf, InFile, Place, Source, SourcePath, Unread};
use cogpack_packages_wheels::file_name::normalised;
use cogpack_packages_wheels::lock::sources::{LockedSource, SourcePlace};
use cogpack_packages_wheels::lock::{
    Chosen, LockDocument, LockProblem, LockedWheel, Request as WheelRequest, choose_with_sources,
};
use cogpack_packages_wheels::target::Target;

use super::finding::PythonFinding;
use super::lock_inputs::{LockInputs, Needs, OwnLock, inputs};
use super::sources::{self, Built};
use crate::stacks::{Findings, Request, text};

/// The packages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Locked {
    /// The lock file; none where nothing is required.
    pub lock: Option<SourcePath>,
    /// Whether the project has it from its own tool.
    pub is_own: bool,
    /// The framework and what comes with it.
    pub frameworks: Vec<LockedWheel>,
    /// All others.
    pub packages: Vec<LockedWheel>,
    /// Packages that are built from sources.
    pub sources: Vec<Built>,
    /// What is among them because it is called while the image is built, and installs packages.
    pub installers: Vec<Stated>,
    /// The version of cog's runtime.
    pub cog_version: Option<String>,
    /// Directories of the project that have some of the files.
    pub directories: BTreeSet<SourcePath>,
}

impl Locked {
    /// Whether a wheel for this target has the libraries of cuDNN in it.
    pub(super) fn brings_cudnn(&self, target: &Target) -> bool {
        // Not all of the name have them: a frontend has only headers.
        let has = |name: &str| name == "nvidia-cudnn" || name.starts_with("nvidia-cudnn-cu");
        self.frameworks.iter().any(|wheel| has(&wheel.file.package()) && target.fit(&wheel.file.tags).is_ok())
    }
}

/// What speaks against the lock of a project: nothing where it is there and of the project's wishes.
pub fn is_fresh(source: &Source, request: &Request) -> Result<Findings, Unread> {
    Ok(match inputs(source, request)? {
        Ok(needs) => read(source, request, &needs)?.err().unwrap_or_default(),
        Err(findings) => findings,
    })
}

/// Packages that come with a framework, in a version that the framework names: they change when it
/// does, and are most of its size.
const FRAMEWORKS: [&str; 8] =
    ["jax", "jaxlib", "tensorflow", "tensorflow-cpu", "torch", "torchaudio", "torchvision", "triton"];
const OF_FRAMEWORKS: [&str; 3] = ["nvidia-", "jax-cuda", "tensorflow-intel"];

/// What the lock file says.
pub(super) fn read(
    source: &Source,
    request: &Request,
    needs: &Needs,
) -> Result<Result<Locked, Findings>, Unread> {
    let (lock, inputs) = match needs {
        Needs::Nothing => return Ok(Ok(Locked::default())),
        Needs::Own(own) => (own.file.clone(), None),
        Needs::Locked(inputs) => (request.config.lock(), Some(inputs)),
    };
    let found = match text(source, &lock)? {
        Ok(Some(text)) => text,
        Ok(None) => {
            return Ok(Err(vec![InFile::new(
                &SourcePath::root(),
                PythonFinding::NoLock { config: request.config.clone() }.into(),
            )]));
        }
        Err(finding) => return Ok(Err(vec![finding])),
    };
    let is_recorded = match (inputs, recorded(found)) {
        (None, _) => true,
        (Some(inputs), Some((recorded, place))) if recorded != inputs.digest().to_string() => {
            let why = lacks(&lock, found, inputs).unwrap_or_else(|| {
                "it was made of other requirements, for another Python or for other platforms".to_owned()
            });
            let (option, place) = (request.config.option(), place.into());
            let finding = PythonFinding::Stale { why, option, place };
            return Ok(Err(vec![InFile::new(&lock, finding.into())]));
        }
        (Some(_), Some(_)) => true,
        (Some(_), None) => false,
    };
    let held = match needs {
        // It was read with the project's other files.
        Needs::Own(own) => Ok(own.held.clone()),
        Needs::Nothing | Needs::Locked(_) => lock::read(&lock, found),
    };
    // Somebody else's lock: whether it is of these wishes, what it holds must tell.
    if let Some(inputs) = inputs.filter(|_| !is_recorded) {
        let misfits = match &held {
            Ok(held) => inputs.misfits(request, held),
            Err(unread) => {
                vec![InFile::new(&unread.file, FileFinding::from(unread.finding.clone()).into())]
            }
        };
        if !misfits.is_empty() {
            return Ok(Err(misfits));
        }
    }
    let held = held.ok();
    let nothing = BTreeSet::new();
    let (python, patch, extras, groups, itself) = match needs {
        Needs::Own(OwnLock { python: (python, patch), extras, groups, itself, .. }) => {
            (*python, *patch, extras, groups, itself)
        }
        Needs::Locked(LockInputs { python, itself, .. }) => (*python, None, &nothing, &nothing, itself),
        Needs::Nothing => return Ok(Ok(Locked::default())),
    };
    let targets: Vec<Target> =
        request.platforms.iter().map(|platform| Target { python, platform: platform.clone() }).collect();
    // The project itself is installed where it lies, and is a directory to its lock.
    let holds = |itself: &&PackageName| match needs {
        // Whoever wants an own lock has looked.
        Needs::Nothing | Needs::Own(_) => true,
        Needs::Locked(_) => held.as_ref().is_some_and(|held| held.packages.contains_key(itself)),
    };
    let without = itself.iter().filter(holds).map(|itself| itself.as_str().to_owned()).collect();
    let wanted = WheelRequest { targets: &targets, patch, extras, groups, without: &without };
    let document = match held.as_ref().and_then(|held| held.document.clone()) {
        Some(document) => Ok(document),
        None => LockDocument::read(found).map(Arc::new).map_err(|problem| vec![problem]),
    };
    let (chosen, sources) = match document.and_then(|document| choose_with_sources(&document, &wanted)) {
        Ok(Chosen { mut wheels, sources }) => {
            for wheel in &mut wheels {
                wheel.url = wheel.url.as_deref().map(without_login);
            }
            (wheels, sources)
        }
        Err(problems) => {
            let told = |problem: LockProblem| {
                let place = place(&problem, found, held.as_ref()).map(Into::into);
                InFile::new(&lock, PythonFinding::Lock { problem, place }.into())
            };
            return Ok(Err(problems.into_iter().map(told).collect()));
        }
    };
    let name = |wheel: &LockedWheel| normalised(&wheel.file.distribution);
    let others = inputs.iter().flat_map(|inputs| inputs.hashed()).filter_map(|stated| {
        let of = stated.requirement.name.as_ref()?;
        let wheel = chosen
            .iter()
            .find(|wheel| name(wheel) == of.as_str() && !stated.hashes.contains(&wheel.digest))?;
        let (file, place) = (format!("`{}`", wheel.file), stated.place.into());
        Some(InFile::new(&stated.file, PythonFinding::OtherHash { file, place }.into()))
    });
    let mut others: Findings = others.collect();
    others.extend(inputs.iter().flat_map(|inputs| inputs.hashed()).filter_map(|stated| {
        let of = stated.requirement.name.as_ref()?;
        let is_other = |source: &&LockedSource| match &source.place {
            SourcePlace::Archive { digest, .. } => !stated.hashes.contains(digest),
            SourcePlace::Repository { .. } | SourcePlace::Directory { .. } => true,
        };
        let source = sources.iter().filter(|source| source.name == of.as_str()).find(is_other)?;
        let (file, place) = (format!("the sources of {}", source.name), stated.place.into());
        Some(InFile::new(&stated.file, PythonFinding::OtherHash { file, place }.into()))
    }));
    if !others.is_empty() {
        return Ok(Err(others));
    }
    let sources = match sources::checked(source, &lock, sources)? {
        Ok(sources) => sources,
        Err(findings) => return Ok(Err(findings)),
    };
    let directories = match local(source, &lock, &chosen)? {
        Ok(directories) => directories,
        Err(findings) => return Ok(Err(findings)),
    };
    let cog_version =
        chosen.iter().find(|wheel| name(wheel) == "cog").map(|wheel| wheel.file.version.clone());
    let cog_version = cog_version.or_else(|| {
        let cog = sources.iter().find(|built| built.name.as_str() == "cog")?;
        cog.version.as_ref().map(ToString::to_string)
    });
    let (frameworks, packages) = chosen.into_iter().partition(|wheel| is_of_a_framework(&name(wheel)));
    let is_own = inputs.is_none();
    let (lock, installers) = (Some(lock), inputs.map(|inputs| inputs.installers.clone()).unwrap_or_default());
    Ok(Ok(Locked { lock, is_own, frameworks, packages, sources, installers, cog_version, directories }))
}

/// An installer that a command calls and a lock does not hold, which older releases have made for instance.
fn lacks(lock: &SourcePath, found: &str, inputs: &LockInputs) -> Option<String> {
    let held = lock::read(lock, found).ok()?.packages;
    let is_lacking = |called: &&Stated| {
        called.requirement.name.as_ref().is_some_and(|program| !held.contains_key(program))
    };
    let called = inputs.installers.iter().find(is_lacking)?;
    let (program, file, line) = (&called.requirement, &called.file, called.place.line);
    Some(format!("it does not hold `{program}`, which is called by {file}:{line} to install packages"))
}

/// Where a lock has what is wrong with it.
fn place(problem: &LockProblem, text: &str, held: Option<&LockFile>) -> Option<Place> {
    if let LockProblem::Syntax { line, .. } = problem {
        let mut lines = text.split_inclusive('\n');
        let start = lines.clone().take(line - 1).map(str::len).sum();
        let length = lines.nth(line - 1).unwrap_or_default().trim_end().len();
        return Some(Place { start, length, line: *line });
    }
    let package = PackageName::new(problem.package()?)?;
    Some(held?.packages.get(&package)?.first()?.place)
}

/// The directories of wheels that are files of the project, each of which is the one that was locked.
fn local(
    source: &Source,
    lock: &SourcePath,
    chosen: &[LockedWheel],
) -> Result<Result<BTreeSet<SourcePath>, Findings>, Unread> {
    let mut directories = BTreeSet::new();
    let mut findings = Findings::new();
    for wheel in chosen {
        let Some(named) = wheel.path.as_deref().filter(|_| wheel.url.is_none()) else { continue };
        let (wheel, digest) = (wheel.file.to_string(), wheel.digest);
        let problem = match lock.directory().join(named) {
            Err(problem) => problem.to_string(),
            Ok(path) => match source.digest(&path)? {
                DigestOf::Is(found, _) if *found == digest && path.name() == wheel => {
                    directories.insert(path.directory());
                    continue;
                }
                DigestOf::Is(..) => "it is another file than the one that was locked".to_owned(),
                DigestOf::Absent => "there is no such file".to_owned(),
                DigestOf::Unreadable(why) => why.clone(),
            },
        };
        let path = named.to_owned();
        findings.push(InFile::new(lock, PythonFinding::LocalWheel { path, problem }.into()));
    }
    Ok(if findings.is_empty() { Ok(directories) } else { Err(findings) })
}

/// The key below `[tool.cogpack]` that says what a lock was made of.
const INPUTS: &str = "inputs = \"";

/// A lock as a resolver made it, with a record of what it was made of.
pub fn with_record(lock: &str, inputs: &LockInputs) -> String {
    let lock = lock.trim_end();
    format!("# Made by `cogpackc lock`.\n{lock}\n\n[tool.cogpack]\n{INPUTS}{}\"\n", inputs.digest())
}

/// What a lock says that it was made of, and where; nothing of one that somebody else has made.
fn recorded(lock: &str) -> Option<(&str, std::ops::Range<usize>)> {
    let table = lock.find("\n[tool.cogpack]\n")?;
    let start = table + lock[table..].find(INPUTS)? + INPUTS.len();
    let length = lock[start..].find('"')?;
    Some((&lock[start..start + length], start..start + length))
}

/// An address without the login that it may have: a plan is for everybody to read.
pub(super) fn without_login(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

/// Whether a package is a framework or comes with one.
pub(super) fn is_of_a_framework(name: &str) -> bool {
    FRAMEWORKS.contains(&name) || OF_FRAMEWORKS.iter().any(|prefix| name.starts_with(prefix))
}
