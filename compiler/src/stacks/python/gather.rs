//! Gathers the facts of a project: all that is read of it, in the order in which one follows from another.
//!
//! Whoever plans is told everything that is wrong at once. What hangs on a part that is refused is left alone:
//! nothing is said of packages while it is not known which there are, nor of a lock that nobody can make yet.

use cogpack_catalogue::Catalogue;
use cogpack_frontends_schema::Schema;
use cogpack_frontends_schema::document::openapi;
use cogpack_frontends_source::{InFile, Kind, Placed, Source, SourcePath, Unread};
use cogpack_packages_wheels::target::PythonVersion;

use super::blocks::PROJECT;
use super::certificates::{self, Alone};
use super::debs::{self, Wished};
use super::decisions::Known;
use super::facts::{Base, BaseFrom, Decided, InstallFile, PythonFacts, schemas};
use super::finding::PythonFinding;
use super::fit::Fit;
use super::installers::asks_for_no_environment;
use super::named::named;
use super::said::{Read, Said, read_each};
use super::start::{Start, is_of_one_program, start};
use super::versions::Settled;
use super::{ahead, build_base, lock, lock_inputs, serves, versions};
use crate::composer::desk::At;
use crate::stacks::request::BaseWish;
use crate::stacks::why::{Candidate, Why};
use crate::stacks::{Findings, ProjectFinding, Request, text};

/// Who the program runs as: what whoever plans says, else the settings.
fn user(request: &Request, said: &Said) -> Option<Decided<String>> {
    if let Some(value) = request.user.clone() {
        return Some(Decided { value, at: None, because: "`--user` says so" });
    }
    let user = said.settings().user.as_ref()?;
    let at = said.at_setting(user.place);
    Some(Decided { value: user.value.clone(), at, because: "the setting `user` says so" })
}

/// The files that a setting names. One that is not there goes to `slips`.
fn install_files(
    source: &Source,
    said: &Said,
    named: &[Placed<SourcePath>],
    slips: &mut Findings,
) -> Result<Vec<InstallFile>, Unread> {
    let mut files = Vec::new();
    for named in named {
        if source.kind(&named.value)? == Some(Kind::File) {
            let (path, at) = (named.value.clone(), said.at_setting(named.place));
            files.push(InstallFile { path, at, asks_for_no_environment: false });
            continue;
        }
        let (path, place) = (named.value.to_string(), named.place.into());
        let finding = PythonFinding::NoInstallFile { path, place };
        slips.push(InFile::new(said.settings_file(), finding.into()));
    }
    Ok(files)
}

/// Looks whether the directory of weights is a file of the project, or below one; that goes to `slips`.
fn weight_targets(source: &Source, said: &Said, slips: &mut Findings) -> Result<(), Unread> {
    for weight in &said.cog.weights {
        let target = &weight.target;
        let of_project = target.strip_prefix(PROJECT).and_then(|rest| rest.strip_prefix('/'));
        let Some(of_project) = of_project else { continue };
        let ends = of_project.match_indices('/').map(|(at, _)| at).chain([of_project.len()]);
        for path in ends.filter_map(|end| SourcePath::new(&of_project[..end]).ok()) {
            if source.kind(&path)? == Some(Kind::File) {
                let (target, file, place) = (target.value.clone(), path.to_string(), target.place.into());
                let finding = PythonFinding::WeightTarget { target, file, place };
                slips.push(InFile::new(&said.config, finding.into()));
                break;
            }
        }
    }
    Ok(())
}

/// What the image starts from, as far as it could be looked for.
#[derive(Default)]
struct Looked {
    base: Option<Base>,
    /// The images of the catalogue that were looked at.
    candidates: Vec<Candidate>,
    /// What a base of Debian packages is to be of.
    debs: Option<Wished>,
    findings: Findings,
}

/// Looks for it. No lock is read of a project that is refused: none can be made of it.
fn look_for_base(
    source: &Source,
    request: &Request,
    catalogue: &Catalogue,
    said: &Said,
    (python, fit): &(Decided<PythonVersion>, Fit),
    is_refused: bool,
) -> Result<Looked, Unread> {
    let mut looked = Looked::default();
    let base = match versions::wish(request, said) {
        Some(BaseWish::Debian) => match debs::of(request, catalogue, said, python, fit) {
            Ok(wished) => {
                let wished = looked.debs.insert(wished);
                match is_refused {
                    true => return Ok(looked),
                    false => debs::base(source, request, said, python, wished)?,
                }
            }
            Err(findings) => Err(findings),
        },
        None | Some(BaseWish::Catalogue | BaseWish::Image(_)) => {
            let (base, candidates) = versions::base(request, catalogue, said, python, fit);
            looked.candidates = candidates;
            base
        }
    };
    looked.base = kept(base, &mut looked.findings);
    Ok(looked)
}

/// What there is; what is wrong where there is nothing goes to `findings`.
fn kept<T>(found: Result<T, Findings>, findings: &mut Findings) -> Option<T> {
    found.map_err(|wrong| findings.extend(wrong)).ok()
}

/// Whether nothing can be planned with these.
fn are_errors(findings: &Findings) -> bool {
    findings.iter().any(|found| found.finding.is_error())
}

/// Who says that the base is of Debian packages.
fn by_whom(request: &Request, said: &Said) -> (At, &'static str) {
    let of_settings = said.settings().base.as_ref().filter(|_| request.base.is_none());
    match of_settings {
        Some(base) => (said.at_setting(base.place), "the setting `base` says so"),
        None => (None, "`--base` says so"),
    }
}

/// That the base has some CUDA, where packages open its libraries of which nothing says what they are made for.
/// Whoever names the base has chosen.
fn any_cuda(request: &Request, said: &Said, fit: &Fit, base: &Base) -> Option<InFile<ProjectFinding>> {
    let BaseFrom::Image { cuda: [Some(cuda), _], .. } = &base.from else { return None };
    let is_any = fit.of_base.as_ref().is_some_and(|of_base| of_base.cuda.is_empty());
    let is_named = matches!(versions::wish(request, said), Some(BaseWish::Image(_)));
    let gpu = said.cog.build.gpu.as_ref().filter(|_| is_any && !is_named)?;
    let finding = PythonFinding::AnyCuda { cuda: cuda.to_string(), place: gpu.place.into() };
    Some(InFile::new(&said.config, finding.into()))
}

/// The facts of a project and warnings about it, or all that is wrong with it. What is decided is noted in `why`
/// in either case.
pub fn gather(
    source: &Source,
    request: &Request,
    why: &mut Why,
) -> Result<Result<(PythonFacts, Findings), Findings>, Unread> {
    ahead::ask(source, request)?;
    let Read { said, mut findings, are_packages_known } = read_each(source, request)?;
    let is_refused = are_errors(&findings);
    let catalogue = versions::catalogue(source, request, &said)?;
    let settled = match (&catalogue, are_packages_known) {
        (Ok(catalogue), true) => kept(versions::settled(request, &said, catalogue), &mut findings),
        (Ok(_), false) => None,
        (Err(found), _) => {
            findings.extend(found.iter().cloned());
            None
        }
    };
    let settled = settled.map(|Settled { python, fit, warnings }| {
        findings.extend(warnings);
        (python, fit)
    });
    let needs = match &settled {
        Some((python, fit)) => {
            kept(lock_inputs::of(source, request, &said, python.value, fit)?, &mut findings)
        }
        None => None,
    };
    let packages = match needs.filter(|_| !is_refused) {
        Some(needs) => kept(lock::read(source, request, &needs)?, &mut findings),
        None => None,
    };
    let settled = settled.map(|(python, fit)| match &packages {
        Some(packages) => (python, fit.beside(packages, &request.platforms)),
        None => (python, fit),
    });
    let catalogue = catalogue.unwrap_or_default();
    let looked = match &settled {
        Some(settled) => look_for_base(source, request, &catalogue, &said, settled, is_refused)?,
        None => Looked::default(),
    };
    findings.extend(looked.findings);
    // What the settings name is read whatever else is missing: a lock takes a while, and is not to be made for a
    // project that has no plan with it either.
    let pre_install = install_files(source, &said, &said.settings().pre_install, &mut findings)?;
    let sources: Vec<_> = said.settings().apt_sources.iter().cloned().collect();
    let apt_sources = install_files(source, &said, &sources, &mut findings)?.pop();
    let certificates = certificates::read(source, &said, &mut findings)?;
    weight_targets(source, &said, &mut findings)?;
    let mut post_install = install_files(source, &said, &said.settings().post_install, &mut findings)?;
    for file in &mut post_install {
        let script = text(source, &file.path)?.ok().flatten();
        file.asks_for_no_environment = script.is_some_and(|it| asks_for_no_environment(it, &said));
    }
    let start = match (start(source, &said)?, is_refused) {
        (Ok(start), false) => Some(start),
        // What is started may be said by what cannot be read.
        (Ok(start), true) => {
            Some(start).filter(|(start, _)| start.value == Start::Server || said.settings().command.is_some())
        }
        (Err(found), false) => {
            findings.extend(found);
            None
        }
        (Err(found), true) => {
            findings.extend(found.into_iter().filter(|found| is_of_one_program(&found.finding)));
            None
        }
    };
    let schemas = match request.openapi_schema {
        Some(_) => Some(Vec::new()),
        None => kept(schemas(source, &said.config, &said.cog)?, &mut findings),
    };
    if let (Some(schemas), Some((python, _))) = (&schemas, &settled) {
        findings.extend(serves::findings(&said, schemas, python, packages.as_ref()));
    }
    if let (Some((Decided { value: Start::Server, .. }, _)), Some(packages)) = (&start, &packages)
        && let (None, Some(lock)) = (&packages.cog_version, &packages.lock)
    {
        let way_out = "`cogpackc lock DIR` makes it anew, with cog's server in it";
        let finding = PythonFinding::NoCog { lock: lock.to_string(), way_out };
        findings.push(InFile::new(lock, finding.into()));
    }
    let strip = said.settings().strip.as_ref().filter(|wanted| wanted.value);
    if let Some(wanted) = strip
        && packages.as_ref().is_some_and(|packages| packages.sources.is_empty())
    {
        let finding = PythonFinding::Strip { place: wanted.place.into() };
        findings.push(InFile::new(said.settings_file(), finding.into()));
    }
    let strip = strip.map(|wanted| said.at_setting(wanted.place));
    let mut base = looked.base;
    let mut installs_authorities = false;
    if let (Some(base), Some((_, fit))) = (&base, &settled) {
        findings.extend(any_cuda(request, &said, fit, base));
    }
    if let Some(base) = &mut base {
        findings.extend(named(&said).and_then(|named| named.unlike(base)));
        let is_of_debs = base.trusts(&certificates);
        let installs_others = certificates::are_installed_beside(&said, base, &certificates);
        if !installs_others {
            match certificates::alone(request, &said, base) {
                Alone::Nothing => {}
                Alone::Installed => installs_authorities = true,
                Alone::Warned(warning) => findings.push(*warning),
            }
        }
        let installs = installs_others || installs_authorities;
        let has_no_use = apt_sources.is_some() && (is_of_debs || !installs);
        if let Some(named) = sources.first().filter(|_| has_no_use) {
            let finding = PythonFinding::AptSources { place: named.place.into() };
            findings.push(InFile::new(said.settings_file(), finding.into()));
        }
    }
    let mut build_base = None;
    let system = base.as_ref().map(|base| base.system.clone());
    let system = system.or(looked.debs.as_ref().map(Wished::system));
    if let (Some((python, _)), Some(system)) = (&settled, &system) {
        let (chosen, candidates) = match &packages {
            Some(packages) => {
                let (chosen, candidates) =
                    build_base::choose(request, &catalogue, &said, python, system, packages);
                (kept(chosen, &mut findings).flatten(), candidates)
            }
            None => {
                let (chosen, candidates) = build_base::look(request, &catalogue, &said, python, system);
                (chosen.ok(), candidates)
            }
        };
        build_base = chosen;
        why.build_bases = candidates;
    }
    why.bases = looked.candidates;
    let user = user(request, &said);
    // One that nothing is settled with all the same may be named.
    let only_named = named(&said).map(|named| named.decided());
    let debs = looked.debs.as_ref().map(|wished| {
        let (at, because) = by_whom(request, &said);
        (wished, at, because)
    });
    let known = Known {
        said: &said,
        python: settled.as_ref().map(|(python, _)| python).or(only_named.as_ref()),
        fit: settled.as_ref().map(|(_, fit)| fit),
        base: base.as_ref(),
        debs,
        packages: packages.as_ref(),
        build_base: build_base.as_ref(),
        start: start.as_ref().map(|(start, _)| start),
        user: user.as_ref(),
        certificates: &certificates,
        installs_authorities,
    };
    why.decisions = known.decisions();
    let (Some((python, fit)), Some(base), Some(packages), Some((start, installed)), Some(schemas), false) =
        (settled, base, packages, start, schemas, are_errors(&findings))
    else {
        return Ok(Err(findings));
    };
    let made = || {
        let version = packages.cog_version.as_deref().unwrap_or_default();
        let schemas: Vec<&Schema> = schemas.iter().collect();
        (!schemas.is_empty()).then(|| openapi(&schemas, version).to_string())
    };
    let schema = request.openapi_schema.clone().filter(|_| said.is_model()).or_else(made);
    let concurrency = serves::concurrency(&said, &schemas);
    let wanted = said.settings().precompile.as_ref().filter(|wanted| wanted.value);
    let of_settings = wanted.map(|wanted| said.at_setting(wanted.place));
    let precompile = if request.precompile { Some(None) } else { of_settings };
    let facts = PythonFacts {
        said,
        python,
        fit,
        base,
        build_base,
        packages,
        start,
        installed,
        schema,
        concurrency,
        user,
        precompile,
        apt_sources,
        certificates,
        installs_authorities,
        pre_install,
        post_install,
        strip,
    };
    Ok(Ok((facts, findings)))
}
