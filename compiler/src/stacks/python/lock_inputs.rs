//! What a project's packages are to be: those of its own lock file, or what a lock is to be made of.
//!
//! The digest of all that a lock is made of stands in the lock, so that a lock of other wishes is known
//! as one without asking anybody.

use std::collections::BTreeSet;

use cogpack_content::{Digest, Platform};
use cogpack_frontends_cog_yaml::versions::SdkVersion;
use cogpack_frontends_python::lock::LockFile;
use cogpack_frontends_python::merge::merge;
use cogpack_frontends_python::project::PythonFinding as FileFinding;
use cogpack_frontends_python::requirement::{PackageName, Wanted, Written, parse};
use cogpack_frontends_python::requirements::{RequirementsFinding, Stated};
use cogpack_frontends_source::{InFile, Source, SourcePath, Unread};
use cogpack_packages_wheels::lock::marker::Environment;
use cogpack_packages_wheels::target::{PythonVersion, Target};

use super::finding::PythonFinding;
use super::fit::Fit;
use super::installers::{self, Installers};
use super::said::{Said, beside, read_all};
use super::start::is_package;
use super::versions;
use crate::stacks::{Findings, ProjectFinding, Request, text};

/// What the packages are to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Needs {
    /// Nobody asks for any.
    Nothing,
    /// What the project's own lock file names.
    Own(OwnLock),
    /// What is locked of these.
    Locked(LockInputs),
}

/// A project's own lock file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnLock {
    /// The file.
    pub file: SourcePath,
    /// Which Python, and the last number of its version where that is said.
    pub python: (PythonVersion, Option<u32>),
    /// Which extras of the project.
    pub extras: BTreeSet<String>,
    /// Which of its dependency groups.
    pub groups: BTreeSet<String>,
    /// The project's own name, where it is installed and the file has it.
    pub(super) itself: Option<PackageName>,
    /// What the file holds.
    pub(super) held: LockFile,
}

/// All that a resolver is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockInputs {
    /// Which Python.
    pub python: PythonVersion,
    /// For which machines.
    pub platforms: BTreeSet<Platform>,
    /// Files of requirements, as pip reads them, and `pyproject.toml`.
    pub files: Vec<SourcePath>,
    /// Extras of the project in `pyproject.toml`.
    pub extras: BTreeSet<String>,
    /// Its dependency groups.
    pub groups: BTreeSet<String>,
    /// Requirements that stand in no such file.
    pub lines: Vec<String>,
    /// The builds of torch, where they are not those of the package index.
    pub torch: Option<String>,
    /// Whether versions before a release count.
    pub prereleases: bool,
    /// Whether a file of the project says which index stands in place of the usual one.
    pub names_index: bool,
    /// All that is required, and which versions there may be of what others require.
    pub(super) required: Vec<Stated>,
    pub(super) constraints: Vec<Stated>,
    /// Those of it that are required because commands call them.
    pub(super) installers: Vec<Stated>,
    /// That a model wants cog's server, where no file says which version.
    pub(super) server: Option<Box<Stated>>,
    /// The project's own name, where it is installed.
    pub(super) itself: Option<PackageName>,
    /// Files that may change what the others mean, and all of these: what the lock depends on.
    texts: Vec<(SourcePath, String)>,
}

impl LockInputs {
    /// What tells these inputs from all others.
    pub fn digest(&self) -> Digest {
        let mut text = format!("python {}\nprereleases {}\n", self.python, self.prereleases);
        for platform in &self.platforms {
            text.push_str(&format!("platform {platform}\n"));
        }
        for (what, names) in [("extra", &self.extras), ("group", &self.groups)] {
            text.extend(names.iter().map(|name| format!("{what} {name}\n")));
        }
        text.extend(self.torch.iter().map(|builds| format!("torch {builds}\n")));
        for line in &self.lines {
            text.push_str(&format!("line {} {line}\n", line.len()));
        }
        for (file, content) in &self.texts {
            text.push_str(&format!("file {file} {}\n{content}\n", content.len()));
        }
        Digest::of(text.as_bytes())
    }

    /// Requirements that say what their package's file may hash to.
    pub(super) fn hashed(&self) -> impl Iterator<Item = &Stated> {
        self.required.iter().filter(|stated| !stated.hashes.is_empty())
    }

    /// What of the requirements a lock does not hold that says nothing of what it was made of.
    pub(super) fn misfits(&self, request: &Request, lock: &LockFile) -> Findings {
        let (python, patch, nothing) = (self.python, None, BTreeSet::new());
        let around = Around { request, python, patch, extras: &nothing, groups: &nothing };
        // A constraint by itself brings no package.
        let is_held = |stated: &&Stated| {
            stated.requirement.name.as_ref().is_some_and(|name| lock.packages.contains_key(name))
        };
        let constraints = self.constraints.iter().filter(is_held);
        // Which Pythons it is for, whoever chooses out of it looks at.
        let lock = LockFile { requires_python: None, ..lock.clone() };
        around.misfits(&lock, &self.required.iter().chain(constraints).cloned().collect::<Vec<_>>())
    }
}

/// What the packages of a project are to be.
pub fn inputs(source: &Source, request: &Request) -> Result<Result<Needs, Findings>, Unread> {
    let said = match read_all(source, request)? {
        Ok((said, _)) => said,
        Err(findings) => return Ok(Err(findings)),
    };
    match versions::settle(source, request, &said)? {
        Ok(settled) => of(source, request, &said, settled.python.value, &settled.fit),
        Err(findings) => Ok(Err(findings)),
    }
}

/// The same of files that have been read.
pub(super) fn of(
    source: &Source,
    request: &Request,
    said: &Said,
    python: PythonVersion,
    fit: &Fit,
) -> Result<Result<Needs, Findings>, Unread> {
    let (mut required, mut findings) = required(said);
    let Installers { wanted: mut installers, needed } = installers::called(source, said)?;
    let names = |names: &[cogpack_frontends_source::Placed<String>]| {
        names.iter().map(|name| name.value.clone()).collect::<BTreeSet<String>>()
    };
    let (extras, groups) = (names(&said.settings().extras), names(&said.settings().groups));
    let around = Around { request, python, patch: patch(said, python), extras: &extras, groups: &groups };
    let name = || said.table().and_then(|table| Some(table.name.as_ref()?.value.clone()));
    let itself = if is_package(said) { name() } else { None };
    let own = said.project.locks.first().filter(|_| !said.names_packages());
    if let Some(lock) = own {
        findings.extend(around.misfits(lock, &required));
        let cog = PackageName::new("cog").expect("the word is a name");
        if said.is_model() && !lock.packages.contains_key(&cog) {
            let file = lock.file.to_string();
            let way_out = "add it to the project's dependencies and lock them anew, by uv for instance with `uv add cog`";
            findings.push(InFile::new(&said.config, PythonFinding::NoCog { lock: file, way_out }.into()));
        }
        findings.extend(needed.and_then(|called| {
            let program = called.requirement.name.filter(|name| !lock.packages.contains_key(name))?;
            let (lock, program, place) = (lock.file.to_string(), program.to_string(), called.place.into());
            Some(InFile::new(&called.file, PythonFinding::NoInstaller { lock, program, place }.into()))
        }));
        let itself = itself.filter(|itself| lock.packages.contains_key(itself));
        let (file, python, held) = (lock.file.clone(), (python, around.patch), lock.clone());
        let own = OwnLock { file, python, extras, groups, itself, held };
        return Ok(if findings.is_empty() { Ok(Needs::Own(own)) } else { Err(findings) });
    }
    // Whoever requires it in any case has said in which version.
    let says = |stated: &Stated, called: &Stated| {
        stated.requirement.marker.is_none() && stated.requirement.name == called.requirement.name
    };
    installers.retain(|called| !required.iter().any(|stated| says(stated, called)));
    required.extend(installers.iter().cloned());
    let no_constraints = Vec::new();
    let constraints =
        said.project.requirements.as_ref().map_or(&no_constraints, |requirements| &requirements.constraints);
    findings.extend(around.conflicts(&required, constraints));
    findings.extend(required.iter().filter_map(|stated| sources(stated, itself.is_some())));
    if !findings.is_empty() {
        return Ok(Err(findings));
    }
    let mut lines: Vec<String> =
        said.cog.build.python_packages.iter().map(|package| package.value.clone()).collect();
    let mut prereleases = false;
    if said.is_model() {
        lines.push(match said.cog.build.sdk_version.as_ref().map(|said| &said.value) {
            Some(SdkVersion::Exactly(version)) => format!("cog=={version}"),
            Some(SdkVersion::Prerelease) => {
                prereleases = true;
                "cog".to_owned()
            }
            None => "cog".to_owned(),
        });
    }
    lines.extend(installers.iter().map(|called| called.requirement.to_string()));
    // No resolver reads these without running them. Those of their extras are among them.
    let of_setup = required.iter().filter(|stated| said.project.setup.contains(&stated.file));
    lines.extend(of_setup.map(|stated| stated.requirement.to_string()));
    let mut files = Vec::new();
    let mut texts = Vec::new();
    if let Some(pyproject) = said.project.pyproject.as_ref().filter(|_| !said.names_packages()) {
        let of_file: Vec<String> = required
            .iter()
            .filter(|stated| stated.file == beside("pyproject.toml"))
            .map(|stated| stated.requirement.to_string())
            .collect();
        if !of_file.is_empty() {
            files.push(beside("pyproject.toml"));
            let of_file = format!("{}\n{}", of_file.join("\n"), pyproject.uv.text);
            texts.push((beside("pyproject.toml"), of_file));
        }
    }
    if let Some(requirements) = &said.project.requirements {
        files.extend(requirements.files.first().cloned());
        for file in &requirements.files {
            match text(source, file)? {
                Ok(content) => texts.push((file.clone(), content.unwrap_or_default().to_owned())),
                Err(finding) => return Ok(Err(vec![finding])),
            }
        }
    }
    // What a directory requires is for the files in it to say.
    for stated in &required {
        let Wanted::Directory { path, .. } = &stated.requirement.wanted else { continue };
        for name in ["pyproject.toml", "setup.py", "setup.cfg"] {
            let Ok(file) = path.join(name) else { continue };
            match text(source, &file)? {
                Ok(content) if !path.as_str().is_empty() => {
                    texts.extend(content.map(|content| (file, content.to_owned())));
                }
                Ok(_) | Err(_) => {}
            }
        }
    }
    texts.sort();
    texts.dedup();
    if required.is_empty() && lines.is_empty() {
        return Ok(Ok(Needs::Nothing));
    }
    if required.iter().all(|stated| stated.hashes.is_empty()) {
        lines.extend(fit.frameworks.iter().flat_map(|chosen| chosen.adds.iter().cloned()));
    }
    let torch = fit.torch_builds().map(str::to_owned);
    let platforms = request.platforms.clone();
    let constraints = constraints.clone();
    let server = server(said).filter(|_| of_server(said).is_none()).map(Box::new);
    let names_index = names_index(said);
    let extras = if said.project.declared.is_some() { BTreeSet::new() } else { extras };
    let inputs = LockInputs {
        python,
        platforms,
        files,
        extras,
        groups,
        lines,
        torch,
        prereleases,
        names_index,
        required,
        constraints,
        installers,
        server,
        itself,
        texts,
    };
    Ok(Ok(Needs::Locked(inputs)))
}

/// The last number of the Python's version, where the project says it.
fn patch(said: &Said, python: PythonVersion) -> Option<u32> {
    let of_settings = said.settings().python.as_ref().map(|said| said.value);
    let of_file = said.project.python_version.as_ref().map(|said| said.finding.value);
    of_settings.or(of_file).filter(|release| release.minor == python.minor)?.patch
}

/// What is required, and which versions there may be of it, of what counts on some of the platforms.
pub(super) fn counting(request: &Request, said: &Said, python: PythonVersion) -> (Vec<Stated>, Vec<Stated>) {
    let nothing = BTreeSet::new();
    let counts = |stated: &Stated| {
        let Some(condition) = &stated.requirement.marker else { return true };
        request.platforms.iter().any(|platform| {
            let target = Target { python, platform: platform.clone() };
            // No Python has had so many releases of one minor version.
            let environment = Environment { target: &target, patch: 99, extras: &nothing, groups: &nothing };
            condition.marker.holds(&environment).unwrap_or(true)
        })
    };
    let (required, _) = required(said);
    let constraints = said.project.requirements.as_ref().map(|of_file| of_file.constraints.clone());
    let of_platforms = |all: Vec<Stated>| all.into_iter().filter(|stated| counts(stated)).collect();
    (of_platforms(required), of_platforms(constraints.unwrap_or_default()))
}

/// All that the files require, in the order of reading, and what is wrong with it.
fn required(said: &Said) -> (Vec<Stated>, Findings) {
    let mut required = Vec::new();
    let mut findings = Findings::new();
    for package in &said.cog.build.python_packages {
        match parse(Written { text: package, place: package.place, is_verbatim: false }) {
            Ok(requirement) => required.push(Stated {
                requirement,
                file: said.config.clone(),
                place: package.place,
                hashes: BTreeSet::new(),
            }),
            Err(finding) => {
                let finding = FileFinding::from(RequirementsFinding::from(finding));
                findings.push(InFile::new(&said.config, finding.into()));
            }
        }
    }
    required.extend(of_server(said));
    let is_declared = said.project.pyproject.is_some() || said.project.declared.is_some();
    if is_declared && !said.names_packages() {
        let table = said.table();
        required.extend(table.into_iter().flat_map(|table| table.dependencies.iter().cloned()));
        let nothing = Default::default();
        let extras = table.map_or(&nothing, |table| &table.optional_dependencies);
        let groups = said.project.pyproject.as_ref().map_or(&nothing, |pyproject| &pyproject.groups);
        let wanted = [
            ("extra", &said.settings().extras, extras),
            ("dependency group", &said.settings().groups, groups),
        ];
        for (kind, names, known) in wanted {
            for name in names {
                match known.get(&name.value) {
                    Some(of_name) => required.extend(of_name.iter().cloned()),
                    None => findings.extend(unknown(said, kind, name, known.keys())),
                }
            }
        }
    }
    if let Some(requirements) = &said.project.requirements {
        required.extend(requirements.required.iter().cloned());
    }
    (required, findings)
}

/// The version of cog's own package that `build.sdk_version` asks for, as a requirement like any other.
fn of_server(said: &Said) -> Option<Stated> {
    let version = said.cog.build.sdk_version.as_ref().filter(|_| said.is_model())?;
    let (place, file) = (version.place, said.config.clone());
    match &version.value {
        SdkVersion::Exactly(exactly) => {
            let text = format!("cog=={exactly}");
            let requirement = parse(Written { text: &text, place, is_verbatim: false }).ok()?;
            Some(Stated { requirement, file, place, hashes: BTreeSet::new() })
        }
        // It says which releases count, and not which one it is to be.
        SdkVersion::Prerelease => None,
    }
}

/// cog's own package, which a model wants without saying so.
fn server(said: &Said) -> Option<Stated> {
    let handler = said.cog.run.as_ref().or(said.cog.train.as_ref()).map(|handler| handler.place);
    let version = said.cog.build.sdk_version.as_ref().map(|version| version.place);
    let place = version.or(handler).filter(|_| said.is_model())?;
    let requirement = parse(Written { text: "cog", place, is_verbatim: false }).ok()?;
    Some(Stated { requirement, file: said.config.clone(), place, hashes: BTreeSet::new() })
}

/// Whether a file of the project names the index that stands in place of the usual one, or none at all.
fn names_index(said: &Said) -> bool {
    let of_requirements = said.project.requirements.as_ref().map(|requirements| &requirements.indexes);
    let pyproject = said.project.pyproject.as_ref().filter(|_| !said.names_packages());
    of_requirements.is_some_and(|indexes| indexes.index.is_some() || indexes.none.is_some())
        || pyproject.is_some_and(|pyproject| pyproject.uv.names_default_index)
}

/// That there is no way to a package from here: from a repository of another kind than git's, or from the
/// project's own directory where that is no package.
fn sources(stated: &Stated, is_installed: bool) -> Option<InFile<ProjectFinding>> {
    let (what, way_out) = match &stated.requirement.wanted {
        Wanted::Versions(_) | Wanted::Wheel(_) | Wanted::Address(_) | Wanted::Sources(_) => return None,
        Wanted::Repository(address) if is_git(address) => return None,
        Wanted::Repository(address) => {
            let way_out = format!(
                "name it by `git+https://` or `git+ssh://`; or make a wheel of it, `pip wheel --no-deps -w wheels \
                 {address}`, put it into the project and write its path in place of this, `./wheels/FILE.whl`"
            );
            ("a repository that cannot be fetched here", way_out)
        }
        Wanted::Directory { path, .. } if !path.as_str().is_empty() || is_installed => return None,
        Wanted::Directory { .. } => {
            let way_out = "say in `pyproject.toml` that the project is a package, by `[project]` with its `name` and \
                           a `[build-system]`; or take this away: its files are in the image in any case";
            ("a directory that is no package", way_out.to_owned())
        }
    };
    let (requirement, place) = (stated.requirement.to_string(), stated.place.into());
    Some(InFile::new(&stated.file, PythonFinding::Sources { requirement, what, way_out, place }.into()))
}

/// What the resolver and builders fetch by git.
fn is_git(address: &str) -> bool {
    ["git+https://", "git+ssh://"].iter().any(|scheme| address.starts_with(scheme))
}

fn unknown<'k>(
    said: &Said,
    kind: &'static str,
    name: &cogpack_frontends_source::Placed<String>,
    known: impl Iterator<Item = &'k String>,
) -> Option<InFile<ProjectFinding>> {
    let stated = said.settings().stated.as_ref()?;
    let near = cogpack_ir::suggest::nearest(&name.value, known.map(String::as_str));
    let way_out =
        cogpack_ir::suggest::did_you_mean(near, "write it into `pyproject.toml`, or take it away here");
    let (name, place) = (name.value.clone(), name.place.into());
    Some(InFile::new(&stated.file, PythonFinding::UnknownExtra { kind, name, way_out, place }.into()))
}

/// What requirements are judged for.
struct Around<'a> {
    request: &'a Request,
    python: PythonVersion,
    patch: Option<u32>,
    extras: &'a BTreeSet<String>,
    groups: &'a BTreeSet<String>,
}

impl Around<'_> {
    /// What each platform finds, what several find told once.
    fn each(&self, find: impl Fn(&Environment<'_>) -> Findings) -> Findings {
        let mut findings = Findings::new();
        for platform in &self.request.platforms {
            let target = Target { python: self.python, platform: platform.clone() };
            let environment = Environment {
                target: &target,
                // No Python has had so many releases of one minor version.
                patch: self.patch.unwrap_or(99),
                extras: self.extras,
                groups: self.groups,
            };
            let found = find(&environment);
            findings.extend(found.into_iter().filter(|one| !findings.contains(one)).collect::<Vec<_>>());
        }
        findings
    }

    fn misfits(&self, lock: &LockFile, required: &[Stated]) -> Findings {
        let of = |found: InFile<_>| InFile::new(&found.file, FileFinding::from(found.finding).into());
        self.each(|environment| lock.misfits(required, environment).into_iter().map(of).collect())
    }

    fn conflicts(&self, required: &[Stated], constraints: &[Stated]) -> Findings {
        let of = |found: InFile<_>| InFile::new(&found.file, FileFinding::from(found.finding).into());
        self.each(|environment| match merge(required, constraints, environment) {
            Ok((_, conflicts)) => conflicts.into_iter().map(of).collect(),
            // Markers that cannot be answered are findings where they are read.
            Err(_) => Findings::new(),
        })
    }
}
