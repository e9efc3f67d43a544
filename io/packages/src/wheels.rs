//! Installs a `wheels` context: its wheels, got in parallel, become one tree whose files are read
//! out of the archives.

use std::collections::BTreeMap;
use std::io::{self, Read};

use cogpack_backends_contract::content::Content;
use cogpack_backends_contract::tree::{PathProblem, Tree};
use cogpack_content::Platform;
use cogpack_ir::plan::context::{LockedFile, WheelsContext};
use cogpack_ir::plan::{InputName, Span};
use cogpack_packages_wheels::archive::Archive;
use cogpack_packages_wheels::checked::Checked;
use cogpack_packages_wheels::file_name::WheelName;
use cogpack_packages_wheels::install::{self, Environment, Installed, install, unreadable};
use cogpack_packages_wheels::target::{PythonVersion, Target};
use cogpack_packages_wheels::zip::{InvalidArchive, ZipWheel};
use cogpack_packages_wheels::{InvalidWheel, WheelSet};
use rawzip::FileReader;

use crate::locked;
use crate::places::{LookupError, Places};
use crate::problem::{Kind, PackageError};
use crate::wheel_problem::WheelProblem;

/// What the first line of scripts names where the plan says nothing.
const INTERPRETER: &str = "/usr/bin/python3";

/// The wheels of a context, installed: a tree, and the archives that its files are in.
#[derive(Debug)]
pub struct InstalledWheels {
    set: WheelSet,
    /// In the order of the set's wheels.
    archives: Vec<ZipWheel<FileReader>>,
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
        let got = locked::read_all(&context.wheels, |file, locked| get(file, locked, &environment, places))?;
        let (wheels, archives): (Vec<Installed>, Vec<_>) = got.into_iter().unzip();
        let names = wheels.iter().map(|wheel| wheel.name.to_string());
        let mut archives: BTreeMap<String, ZipWheel<FileReader>> = names.zip(archives).collect();
        let set = WheelSet::join(wheels, &environment.targets)
            .map_err(|problem| WheelProblem::Conflict { problem, span })?;
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
    let python: PythonVersion = text.parse().map_err(|problem| WheelProblem::Python { problem, span: at })?;
    let target = |platform: &Platform| Target { python, platform: platform.clone() };
    Ok(Environment {
        python,
        interpreter: context.interpreter.as_ref().map_or(INTERPRETER, |path| path.as_str()).to_owned(),
        targets: platforms.iter().map(target).collect(),
    })
}

fn get(
    file: &str,
    locked: &LockedFile,
    environment: &Environment,
    places: &Places,
) -> Result<(Installed, ZipWheel<FileReader>), PackageError> {
    let span = locked.span;
    let invalid = |problem| WheelProblem::Invalid { problem, span };
    let whole = |problem| invalid(InvalidWheel { wheel: file.to_owned(), entry: None, problem });
    let name: WheelName = file.parse().map_err(|problem| whole(install::WheelProblem::Name(problem)))?;
    // Nothing is fetched that would not be installed.
    for target in &environment.targets {
        target.fit(&name.tags).map_err(|misfit| whole(misfit.into()))?;
    }
    let bytes = locked::get(Kind::Wheels, file, &name.package(), locked, places)?;
    let length = bytes.metadata().map_err(|source| {
        let source = LookupError::Disk { path: file.into(), source };
        PackageError::Machine { file: file.to_owned(), source }
    })?;
    let archive = ZipWheel::read(FileReader::from(bytes), length.len())
        .map_err(|problem: InvalidArchive| invalid(unreadable(&name, problem)))?;
    let installed = install(&name, &archive, environment).map_err(invalid)?;
    Ok((installed, archive))
}
