//! Which Python a project runs on, and which image brings it.

use cogpack_catalogue::entry::Role;
use cogpack_catalogue::{
    Catalogue, Choice, Cudnn, Entry, Frameworks, NoneFits, RuledOut, Wanted, WantedOs, choose,
};
use cogpack_frontends_python::common::have_common_version;
use cogpack_frontends_python::pyproject::Base as Standing;
use cogpack_frontends_source::{InFile, Placed, Source, SourcePath, Unread};
use cogpack_packages_wheels::target::PythonVersion;
use pep440_rs::VersionSpecifiers;

use super::blocks::INIT;
use super::certificates::Public;
use super::debs;
use super::facts::{Base, BaseFrom, Decided, PythonOf, System};
use super::finding::PythonFinding;
use super::fit::{Asked, Fit, fit};
use super::lock_inputs::counting;
use super::named::named;
use super::on_demand;
use super::said::{Said, at};
use crate::stacks::request::BaseWish;
use crate::stacks::why::Candidate;
use crate::stacks::{Findings, ProjectFinding, Request, text};

/// The Python where no file says which, and before it those that a project may want instead: the
/// newest of them first, and last the one that fewer packages have wheels for.
const DEFAULT: u32 = 13;
const OTHERS: [u32; 5] = [12, 11, 10, 9, 14];

/// Which Python, which builds of frameworks and what of the base fit all that the project asks for, with
/// what its author should know; or what does not fit together.
pub(super) fn settle(
    source: &Source,
    request: &Request,
    said: &Said,
) -> Result<Result<Settled, Findings>, Unread> {
    Ok(catalogue(source, request, said)?.and_then(|catalogue| settled(request, said, &catalogue)))
}

/// The Python, what fits it, and what its author should know.
pub(super) struct Settled {
    pub python: Decided<PythonVersion>,
    pub fit: Fit,
    pub warnings: Findings,
}

/// The same with base images that are read already.
pub(super) fn settled(request: &Request, said: &Said, catalogue: &Catalogue) -> Result<Settled, Findings> {
    let decided = python(said)?;
    let has_own_lock = !said.project.locks.is_empty() && !said.names_packages();
    let named = named(said).map(|named| (named.file, named.place));
    let is_settled = named.is_some() || has_own_lock;
    let required = said.table().and_then(|table| table.requires_python.as_ref()).filter(|_| !is_settled);
    // What a lock file of the project names is chosen already.
    let (packages, constraints) = match has_own_lock {
        true => (Vec::new(), Vec::new()),
        false => counting(request, said, decided.value),
    };
    let base = match wish(request, said) {
        Some(BaseWish::Image(named)) => catalogue.find(&named).map(|listed| &listed.entry),
        None | Some(BaseWish::Catalogue | BaseWish::Debian) => None,
    };
    let build = &said.cog.build;
    let asked = Asked {
        config: &said.config,
        python: is_settled.then_some((decided.value, named)),
        requires_python: required.map(|required| {
            (required.value.clone(), said.table_in(|setup| &setup.python_in), required.place)
        }),
        gpu: build.gpu.as_ref(),
        cuda: build.cuda.as_ref(),
        cudnn: build.cudnn.as_ref(),
        required: &packages,
        constraints: &constraints,
        names_an_index: names_an_index(said),
        base: base.filter(|base| base.python.is_some()),
        catalogue,
        platforms: &request.platforms,
    };
    let (fit, warnings) = fit(&asked).map_err(|found| vec![InFile::of(*found)])?;
    let decided = match fit.python == decided.value {
        true => decided,
        false => Decided {
            value: fit.python,
            at: fit.frameworks.first().and_then(|chosen| chosen.by.clone()),
            because: "no file says which, and this one fits the packages and the base",
        },
    };
    Ok(Settled { python: decided, fit, warnings: warnings.into_iter().map(InFile::of).collect() })
}

/// Whether the project says where its packages come from.
fn names_an_index(said: &Said) -> bool {
    let of_file = said.project.requirements.as_ref().is_some_and(|requirements| {
        let indexes = &requirements.indexes;
        indexes.index.is_some()
            || !indexes.extra.is_empty()
            || !indexes.pages.is_empty()
            || indexes.none.is_some()
    });
    of_file || said.project.pyproject.as_ref().is_some_and(|pyproject| pyproject.uv.text.contains("index"))
}

/// Which Python: what `cog.yaml` says, else the settings, else `.python-version`, else the newest that
/// `requires-python` allows, else the default.
fn python(said: &Said) -> Result<Decided<PythonVersion>, Findings> {
    let project = &said.project;
    let version = |minor| PythonVersion { major: 3, minor };
    let pyproject = said.table_in(|setup| &setup.python_in);
    let required = said.table().and_then(|table| table.requires_python.as_ref());
    match (named(said), required) {
        (Some(named), Some(required)) if !named.is_allowed(required, allows) => {
            let finding = PythonFinding::PythonNotAllowed {
                python: named.release.to_string(),
                by: format!("{}:{}", named.file, named.place.line),
                wanted: required.to_string(),
                place: required.place.into(),
            };
            Err(vec![InFile::new(&pyproject, finding.into())])
        }
        (Some(named), _) => Ok(named.decided()),
        (None, Some(required)) => newest(required, &pyproject),
        (None, None) => {
            let of_lock = project.locks.first().filter(|_| !said.names_packages());
            let required = of_lock.and_then(|lock| lock.requires_python.as_ref());
            let fits = |minor: &u32| required.is_none_or(|required| allows(required, *minor));
            let minor = std::iter::once(DEFAULT).chain(OTHERS).find(fits).unwrap_or(DEFAULT);
            let because = match required {
                Some(_) => "no file says which, and the lock file is for this one",
                None => "no file says which, and this is the one that most packages have wheels for",
            };
            Ok(Decided { value: version(minor), at: None, because })
        }
    }
}

fn newest(
    required: &Placed<VersionSpecifiers>,
    pyproject: &SourcePath,
) -> Result<Decided<PythonVersion>, Findings> {
    match std::iter::once(DEFAULT).chain(OTHERS).find(|minor| allows(required, *minor)) {
        Some(minor) => Ok(Decided {
            value: PythonVersion { major: 3, minor },
            at: at(pyproject, required.place),
            because: "no file says which, and `requires-python` allows this one",
        }),
        None => {
            let (wanted, place) = (required.to_string(), required.place.into());
            Err(vec![InFile::new(pyproject, PythonFinding::NoPython { wanted, place }.into())])
        }
    }
}

/// Whether some release of a minor version is allowed.
fn allows(required: &VersionSpecifiers, minor: u32) -> bool {
    let releases: VersionSpecifiers = of(PythonVersion { major: 3, minor });
    have_common_version(&[required, &releases])
}

/// All releases of a minor version.
pub(super) fn of(python: PythonVersion) -> VersionSpecifiers {
    format!("=={python}.*").parse().expect("a release with a wildcard is a specifier")
}

/// The base images that are known: those that whoever plans names, then those of catalogues that the
/// settings name, then the others.
pub(super) fn catalogue(
    source: &Source,
    request: &Request,
    said: &Said,
) -> Result<Result<Catalogue, Findings>, Unread> {
    let mut catalogue = request.catalogue.clone();
    let mut findings = Findings::new();
    for named in said.settings().catalogue.iter().rev() {
        match text(source, &named.value)? {
            Ok(Some(text)) => match Catalogue::read(named.as_str(), text) {
                Ok(read) => catalogue = catalogue.with(read),
                Err(found) => {
                    findings.extend(found.into_iter().map(|found| InFile::new(&named.value, found.into())));
                }
            },
            Ok(None) => {
                let (file, place) = (named.to_string(), named.place.into());
                let stated = said.settings_file();
                findings.push(InFile::new(stated, PythonFinding::NoFile { file, place }.into()));
            }
            Err(finding) => findings.push(finding),
        }
    }
    if let Some(named) = &request.named {
        catalogue = catalogue.with(named.clone());
    }
    Ok(if findings.is_empty() { Ok(catalogue) } else { Err(findings) })
}

/// The image of the catalogue for a Python, or why there is none; and all that were looked at, as far as any
/// was.
pub(super) fn base(
    request: &Request,
    catalogue: &Catalogue,
    said: &Said,
    python: &Decided<PythonVersion>,
    fit: &Fit,
) -> (Result<Base, Findings>, Vec<Candidate>) {
    let exactly = named(said).and_then(|named| named.exactly());
    let (chosen, choice) = chosen(request, catalogue, said, exactly.as_ref(), python, fit);
    let made = chosen.and_then(|chosen| {
        let made = of_entry(request, catalogue, exactly.as_ref(), python, &chosen);
        made.map_err(|finding| told(request, said, finding)).map(|made| (made, chosen))
    });
    let candidates = candidates(&choice, made.as_ref().ok().map(|(_, chosen)| chosen));
    (made.map(|(made, _)| made), candidates)
}

/// What is wrong with a base, at the setting that names it.
fn told(request: &Request, said: &Said, finding: PythonFinding) -> Findings {
    vec![InFile::new(base_file(request, said), finding.into())]
}

/// The file that says which base it is to be.
fn base_file<'s>(request: &Request, said: &'s Said) -> &'s SourcePath {
    let is_said = request.base.is_none() && wish(request, said).is_some();
    let stated = said.settings().stated.as_ref().filter(|_| is_said);
    stated.map_or(&said.config, |stated| &stated.file)
}

fn chosen(
    request: &Request,
    catalogue: &Catalogue,
    said: &Said,
    exactly: Option<&VersionSpecifiers>,
    python: &Decided<PythonVersion>,
    fit: &Fit,
) -> (Result<Entry, Findings>, Choice) {
    let of_patch = exactly.and_then(|python| {
        let wanted = with_python(request, python, fit);
        let choice = choose(catalogue, &wanted);
        let chosen = choice.chosen.clone().or_else(|| on_demand::base(request, catalogue, &wanted, python));
        chosen.map(|chosen| (Ok(chosen), choice))
    });
    match (wish(request, said), of_patch) {
        (Some(BaseWish::Image(named)), _) => {
            let listed = catalogue.find(&named).map(|listed| listed.entry.clone());
            let unknown = || told(request, said, PythonFinding::UnknownBase { named: named.to_string() });
            (listed.ok_or_else(unknown), choice(request, catalogue, python.value, fit).1)
        }
        (None | Some(BaseWish::Catalogue | BaseWish::Debian), Some(of_patch)) => of_patch,
        (None | Some(BaseWish::Catalogue | BaseWish::Debian), None) => {
            let (wanted, choice) = choice(request, catalogue, python.value, fit);
            let bare = || on_demand::base(request, catalogue, &wanted, &of(python.value));
            let chosen = match choice.entry(&wanted) {
                Ok(chosen) => Ok(chosen.clone()),
                Err(none) => bare().ok_or_else(|| vec![asked_for(said, fit, base_file(request, said), none)]),
            };
            (chosen, choice)
        }
    }
}

/// What is made of an image of the catalogue.
fn of_entry(
    request: &Request,
    catalogue: &Catalogue,
    exactly: Option<&VersionSpecifiers>,
    python: &Decided<PythonVersion>,
    chosen: &Entry,
) -> Result<Base, PythonFinding> {
    let archive = |python: &VersionSpecifiers| on_demand::of(request, catalogue, chosen, python);
    let (interpreter, version, python) = match (&chosen.python, exactly.and_then(archive)) {
        (Some(python), _) => (python.interpreter.clone(), Some(python.version.clone()), PythonOf::Base),
        (None, None) if has_package_of(chosen, python.value) => {
            (PACKAGED.to_owned(), None, PythonOf::Package)
        }
        (None, of_patch) => match of_patch.or_else(|| archive(&of(python.value))) {
            Some(archive) => {
                let version = Some(archive.version.clone());
                (on_demand::interpreter(python.value), version, PythonOf::Archive(archive))
            }
            None => {
                let (base, python) = (chosen.reference.to_string(), python.value.to_string());
                return Err(PythonFinding::BaseWithoutPython { base, python });
            }
        },
    };
    let system = System {
        os: WantedOs { id: chosen.os.id.clone(), version: Some(chosen.os.version.clone()) },
        prefix: match (&chosen.python, &python) {
            (Some(python), _) => python.prefix.clone(),
            (None, PythonOf::Archive(_)) => on_demand::PREFIX.to_owned(),
            (None, PythonOf::Base | PythonOf::Package) => DISTRIBUTION.to_owned(),
        },
    };
    Ok(Base {
        from: BaseFrom::Image {
            reference: chosen.reference.clone(),
            digest: chosen.digest,
            config: chosen.config.clone().map(Box::new),
            has_init: chosen.packages.contains_key(INIT),
            public: Public::of(chosen),
            cuda: [chosen.cuda.clone(), chosen.cudnn.clone()],
        },
        interpreter,
        version,
        python,
        system,
    })
}

/// That no image fits, at the line that asks for what they lack.
fn asked_for(said: &Said, fit: &Fit, file: &SourcePath, none: NoneFits) -> InFile<ProjectFinding> {
    let cuda = debs::cuda_of_base(said).filter(|_| fit.of_base.is_some());
    let cuda = cuda.map(|place| (said.config.clone(), place));
    match cuda.or(named(said).map(|named| (named.file, named.place))) {
        Some((file, place)) => InFile::new(&file, NoneFits { place: Some(place.into()), ..none }.into()),
        None => InFile::new(file, none.into()),
    }
}

/// The images that were looked at, and what became of each.
pub(super) fn candidates(choice: &Choice, chosen: Option<&Entry>) -> Vec<Candidate> {
    let candidate = |(entry, against): &(Entry, Vec<RuledOut>)| Candidate {
        name: entry.reference.to_string(),
        against: against.iter().map(ToString::to_string).collect(),
        is_chosen: chosen.is_some_and(|chosen| entry.reference == chosen.reference),
    };
    choice.considered.iter().map(candidate).collect()
}

/// Where the packages of a distribution are.
pub(super) const DISTRIBUTION: &str = "/usr";

/// The Python that a distribution has a package of.
const PACKAGED: &str = "/usr/bin/python3";

/// The images that there are for what is wanted. One with a CUDA seldom has a Python; then one will do
/// whose distribution has a package of it.
fn choice(request: &Request, catalogue: &Catalogue, python: PythonVersion, fit: &Fit) -> (Wanted, Choice) {
    let wanted = with_python(request, &of(python), fit);
    let first = choose(catalogue, &wanted);
    if first.chosen.is_some() || fit.of_base.is_none() {
        return (wanted, first);
    }
    let distributions = Frameworks::shipped().distributions;
    let with_package = distributions.into_iter().rev().filter(|one| of(python).contains(&one.python));
    let mut instead = with_package.map(|one| {
        let os = Some(WantedOs { id: one.id, version: Some(one.version) });
        let wanted = Wanted { python: None, os, ..wanted.clone() };
        let choice = choose(catalogue, &wanted);
        (wanted, choice)
    });
    instead.find(|(_, choice)| choice.chosen.is_some()).unwrap_or((wanted, first))
}

/// What an image with a Python must have beside it.
fn with_python(request: &Request, python: &VersionSpecifiers, fit: &Fit) -> Wanted {
    Wanted {
        role: Role::Runtime,
        platforms: request.platforms.clone(),
        python: Some(python.clone()),
        prefix: None,
        cuda: fit.of_base.as_ref().map(|of_base| of_base.cuda.clone()),
        cudnn: fit.of_base.as_ref().map_or(Cudnn::Unused, |of_base| of_base.cudnn.clone()),
        os: None,
        packages: Default::default(),
    }
}

/// Whether the distribution of an image has a package of that Python.
fn has_package_of(base: &Entry, python: PythonVersion) -> bool {
    let is = |id: &str, version: &str| base.os.id == id && base.os.version == version;
    let distributions = Frameworks::shipped().distributions;
    distributions.iter().any(|one| is(&one.id, &one.version) && of(python).contains(&one.python))
}

/// What the image shall start from: what whoever plans says, else the settings.
pub(super) fn wish(request: &Request, said: &Said) -> Option<BaseWish> {
    let of_settings = said.settings().base.as_ref().map(|base| match &base.value {
        Standing::Catalogue => BaseWish::Catalogue,
        Standing::Debian => BaseWish::Debian,
        Standing::Image(named) => BaseWish::Image(named.clone()),
    });
    request.base.clone().or(of_settings)
}
