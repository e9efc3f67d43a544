//! Installs a `wheels` context: its wheels, got in parallel, become one tree whose files are read
//! out of the archives.

use std::collections::BTreeMap;
use std::io::{self, Read};

use cogpack_backends_contract::content::Content;
use cogpack_backends_contract::tree::{PathProblem, Tree};
use cogpack_content::{Digest, Platform};
use cogpack_ir::plan::context::{LockedFile, WheelsContext};
use cogpack_ir::plan::{InputName, Span};
use cogpack_packages_wheels::archive::Archive;
use cogpack_packages_wheels::checked::Checked;
use cogpack_packages_wheels::file_name::WheelName;
use cogpack_packages_wheels::install::{Environment, Installed, WheelProblem, install, unreadable};
use cogpack_packages_wheels::target::{PythonVersion, Target};
use cogpack_packages_wheels::zip::{InvalidArchive, ZipWheel};
use cogpack_packages_wheels::{InvalidWheel, WheelSet};
use rawzip::FileReader;

use crate::parallel::in_parallel;
use crate::places::{LookupError, Places, Wanted};
use crate::problem::{PackageError, PackageProblem};

/// What the first line of scripts names where the plan says nothing.
const INTERPRETER: &str = "/usr/bin/python3";

/// The wheels of a context, installed: a tree, and the archives that its files are in.
#[derive(Debug)]
pub struct InstalledWheels {
    set: WheelSet,
    /// In the order of the set's wheels.
    archives: Vec<ZipWheel<FileReader>>,
}

/// What became of one wheel.
type Got = Result<(Installed, ZipWheel<FileReader>), Failed>;

enum Failed {
    Plan(Box<PackageProblem>),
    Machine(Box<PackageError>),
}

impl InstalledWheels {
    /// Gets and installs the wheels of a context, which is at `span` of the plan, for all of
    /// these platforms. What is wrong with any of them is told of all at once.
    pub fn install(
        context: &WheelsContext,
        span: Span,
        platforms: &[Platform],
        places: &Places,
    ) -> Result<Self, PackageError> {
        let environment = environment(context, span, platforms)?;
        let wheels: Vec<_> = context.wheels.iter().collect();
        let mut problems = Vec::new();
        let mut archives = BTreeMap::new();
        let mut installed = Vec::with_capacity(wheels.len());
        for got in in_parallel(&wheels, |(file, locked)| get(file, locked, &environment, places)) {
            match got {
                Ok((wheel, archive)) => {
                    archives.insert(wheel.name.to_string(), archive);
                    installed.push(wheel);
                }
                Err(Failed::Plan(problem)) => problems.push(*problem),
                Err(Failed::Machine(error)) => return Err(*error),
            }
        }
        if !problems.is_empty() {
            return Err(PackageError::Plan(problems));
        }
        let set = WheelSet::join(installed, &environment.targets)
            .map_err(|problem| PackageError::Plan(vec![PackageProblem::Conflict { problem, span }]))?;
        let archives = set.wheels().iter().filter_map(|wheel| archives.remove(&wheel.name.to_string()));
        Ok(Self { archives: archives.collect(), set })
    }

    /// The tree of the context that has this name.
    pub fn tree(&self, context: &InputName) -> Result<Tree<Content>, PathProblem> {
        self.set.tree(context)
    }

    /// Opens a file of the tree. Its end is an error where its bytes are not those that the
    /// wheel's `RECORD` promises.
    pub fn open(&self, path: &[u8]) -> io::Result<Box<dyn Read + '_>> {
        let origin = std::str::from_utf8(path).ok().and_then(|path| self.set.origin(path));
        let found = origin.and_then(|origin| Some((origin, self.archives.get(origin.wheel)?)));
        let Some((origin, archive)) = found else {
            return Err(io::Error::new(io::ErrorKind::NotFound, "no wheel brings it"));
        };
        let bytes = archive.open(origin.entry)?;
        Ok(match origin.digest {
            Some(digest) => Box::new(Checked::new(bytes, digest)),
            None => bytes,
        })
    }
}

fn environment(
    context: &WheelsContext,
    span: Span,
    platforms: &[Platform],
) -> Result<Environment, PackageError> {
    // That one is missing is refused before by `cpk::context::wheels-python`.
    let (text, at) = context.python.as_ref().map_or(("", span), |python| (&*python.value, python.span));
    let python: PythonVersion = text
        .parse()
        .map_err(|problem| PackageError::Plan(vec![PackageProblem::Python { problem, span: at }]))?;
    let target = |platform: &Platform| Target { python, platform: platform.clone() };
    Ok(Environment {
        python,
        interpreter: context.interpreter.clone().unwrap_or_else(|| INTERPRETER.to_owned()),
        targets: platforms.iter().map(target).collect(),
    })
}

fn get(file: &str, locked: &LockedFile, environment: &Environment, places: &Places) -> Got {
    let span = locked.span;
    let invalid = |problem| Failed::Plan(Box::new(PackageProblem::Invalid { problem, span }));
    let whole = |problem| invalid(InvalidWheel { wheel: file.to_owned(), entry: None, problem });
    let name: WheelName = file.parse().map_err(|problem| whole(WheelProblem::Name(problem)))?;
    // Nothing is fetched that would not be installed.
    for target in &environment.targets {
        target.fit(&name.tags).map_err(|misfit| whole(misfit.into()))?;
    }
    let machine = |source| Failed::Machine(Box::new(PackageError::Machine { file: file.to_owned(), source }));
    let digest = locked.digest.as_ref().ok_or_else(|| machine(LookupError::Unlocked))?;
    let wanted = Wanted { file, project: &name.package(), digest, url: locked.url.as_deref() };
    let bytes = places.get(wanted).map_err(|error| failed(file, digest, span, error))?;
    let length = match bytes.metadata() {
        Ok(metadata) => metadata.len(),
        Err(source) => return Err(machine(LookupError::Disk { path: file.into(), source })),
    };
    let archive = ZipWheel::read(FileReader::from(bytes), length)
        .map_err(|problem: InvalidArchive| invalid(unreadable(&name, problem)))?;
    let installed = install(&name, &archive, environment).map_err(invalid)?;
    Ok((installed, archive))
}

fn failed(file: &str, expected: &Digest, span: Span, error: LookupError) -> Failed {
    let file = file.to_owned();
    let problem = match error {
        LookupError::Nowhere { asked } => PackageProblem::Missing { file, asked, span },
        LookupError::Digest { from, found } => {
            PackageProblem::Digest { file, from, expected: *expected, found, span }
        }
        source @ (LookupError::Unlocked
        | LookupError::Address { .. }
        | LookupError::Web(_)
        | LookupError::Store(_)
        | LookupError::Disk { .. }) => {
            return Failed::Machine(Box::new(PackageError::Machine { file, source }));
        }
    };
    Failed::Plan(Box::new(problem))
}
