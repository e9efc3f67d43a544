//! All that is known of a Python project, gathered before any block has its turn.

use cogpack_catalogue::WantedOs;
use cogpack_content::{Digest, ImageReference};
use cogpack_frontends_cog_yaml::CogYaml;
use cogpack_frontends_schema::document::openapi;
use cogpack_frontends_schema::{Schema, Signature, Target, Use, schema};
use cogpack_frontends_source::{InFile, Kind, Place, Placed, Source, SourcePath, Unread};
use cogpack_ir::plan::context::{DebsContext, LocalCertificate};
use cogpack_ir::plan::{ImageConfig, Span};
use cogpack_packages_wheels::target::PythonVersion;
use pep440_rs::Version;

use super::blocks::PROJECT;
use super::build_base::{self, BuildBase};
use super::certificates::{self, Alone, Authority, Public};
use super::debs;
use super::finding::PythonFinding;
use super::fit::Fit;
use super::installers::asks_for_no_environment;
use super::lock::{self, Locked};
use super::named::named;
use super::on_demand::OnDemand;
use super::said::{Said, at, read_all};
use super::serves;
use super::start::{Installed, Start, start};
use super::{ahead, lock_inputs, versions};
use crate::composer::desk::At;
use crate::stacks::detect::{Evidence, Weight};
use crate::stacks::request::BaseWish;
use crate::stacks::why::{Candidate, Decision};
use crate::stacks::{Findings, Request, text};

/// The facts.
#[derive(Debug, Clone)]
pub struct PythonFacts {
    /// What the project's files say.
    pub said: Said,
    /// Which Python.
    pub python: Decided<PythonVersion>,
    /// The builds of frameworks that fit, and whether a GPU is to be used.
    pub fit: Fit,
    /// What the image starts from.
    pub base: Base,
    /// The base images that were looked at.
    pub bases: Vec<Candidate>,
    /// What packages are built in; none where all of them are wheels.
    pub build_base: Option<BuildBase>,
    /// The images that were looked at for that.
    pub build_bases: Vec<Candidate>,
    /// The packages.
    pub packages: Locked,
    /// What the image starts.
    pub start: Decided<Start>,
    /// The project as a package.
    pub installed: Option<Installed>,
    /// The OpenAPI document of the model, on one line.
    pub schema: Option<String>,
    /// How many predictions are served at once, where somebody says so.
    pub concurrency: Option<u32>,
    /// Who the program runs as, where somebody says it.
    pub user: Option<Decided<String>>,
    /// That byte code is wanted, and which line says so.
    pub precompile: Option<At>,
    /// Where apt installs from, in place of what the base says.
    pub apt_sources: Option<InstallFile>,
    /// Authorities that are trusted beside those of the distribution.
    pub certificates: Vec<Authority>,
    /// That apt runs to bring public authorities, and for nothing else.
    pub installs_authorities: bool,
    /// What runs before packages are installed.
    pub pre_install: Vec<InstallFile>,
    /// What runs when they are.
    pub post_install: Vec<InstallFile>,
    /// That libraries of what is built are to be without symbols for debuggers.
    pub strip: Option<At>,
}

/// A file of the project that is there while its image is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallFile {
    /// The file.
    pub path: SourcePath,
    /// Which line asks for it.
    pub at: At,
    /// Whether it runs when there is an environment, and asks uv for a Python that is in none.
    pub asks_for_no_environment: bool,
}

/// Something that was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided<T> {
    /// What it is.
    pub value: T,
    /// Which line said so.
    pub at: At,
    /// Why, in a few words.
    pub because: &'static str,
}

/// What a model runs on, and the Python in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// What it is.
    pub from: BaseFrom,
    /// The path that starts its Python.
    pub interpreter: String,
    /// The version of that Python, as far as it is known.
    pub version: Option<Version>,
    /// Where that Python is from.
    pub python: PythonOf,
    /// What is compiled for it must be compiled for.
    pub system: System,
}

/// The system that compiled code is for: a C library and the place of a Python.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct System {
    /// The release of a distribution.
    pub os: WantedOs,
    /// The directory that its Python is installed below.
    pub prefix: String,
}

/// Where a Python is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PythonOf {
    /// The base has it.
    Base,
    /// The distribution of the base has a package of it, which is still to be installed.
    Package,
    /// The base has none that fits, and it is unpacked from an archive.
    Archive(OnDemand),
}

/// What an image starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BaseFrom {
    /// An image of a registry.
    Image {
        /// Its name.
        reference: ImageReference,
        /// Its digest, where it is known.
        digest: Option<Digest>,
        /// What the image of that digest sets, where it is known.
        config: Option<Box<ImageConfig>>,
        /// Whether the catalogue knows that it has an init.
        has_init: bool,
        /// What it knows of public authorities in it.
        public: Public,
        /// Which CUDA and which cuDNN it knows to be in it.
        cuda: [Option<Version>; 2],
    },
    /// Debian packages alone, of the lock.
    Debs(DebsContext),
}

impl Base {
    /// Makes a set of Debian packages trust these authorities too; whether the base is one.
    fn trusts(&mut self, authorities: &[Authority]) -> bool {
        match &mut self.from {
            BaseFrom::Image { .. } => false,
            BaseFrom::Debs(set) => {
                let local = |authority: &Authority| {
                    let (text, span) = (authority.text.clone(), Span::NOWHERE);
                    (authority.file.clone(), LocalCertificate { text, span })
                };
                set.certificates.extend(authorities.iter().map(local));
                true
            }
        }
    }
}

impl PythonFacts {
    /// What `cog.yaml` says.
    pub fn cog(&self) -> &CogYaml {
        &self.said.cog
    }

    /// A line of the file that says what is run.
    pub fn at(&self, place: Place) -> At {
        self.said.at(place)
    }

    /// That this file says something.
    pub fn evidence(&self) -> Vec<Evidence> {
        vec![Evidence { weight: Weight::Image, file: self.said.config.clone() }]
    }

    /// What was decided, for people.
    pub fn decisions(&self) -> Vec<Decision> {
        let python = Decision {
            what: "Python".to_owned(),
            value: self.named_python(),
            at: self.python.at.clone(),
            because: self.python.because.to_owned(),
        };
        let debs = match &self.base.from {
            BaseFrom::Image { .. } => None,
            BaseFrom::Debs(set) => Some(Decision {
                what: "base".to_owned(),
                value: format!("{} Debian packages", set.packages.len()),
                at: Some((self.said.named.deb_lock(), 1)),
                because: "the base is to be of such, and the lock file names these for this platform"
                    .to_owned(),
            }),
        };
        let count = self.packages.frameworks.len() + self.packages.packages.len();
        let built = self.packages.sources.len();
        let build_base = match &self.build_base {
            None => Decision {
                what: "build base".to_owned(),
                value: "none".to_owned(),
                at: None,
                because: "no package is built from sources".to_owned(),
            },
            Some(base) => Decision {
                what: "build base".to_owned(),
                value: base.reference.to_string(),
                at: self.packages.lock.clone().map(|lock| (lock, 1)),
                because: base.because.to_owned(),
            },
        };
        let because = match (&self.packages.lock, self.packages.is_own) {
            (None, _) => "no file requires any",
            (Some(_), false) => "what the lock file names for this Python and these platforms",
            (Some(_), true) => "what the project's own lock file names for this Python and these platforms",
        };
        let packages = Decision {
            what: "packages".to_owned(),
            value: match (count, built) {
                (1, 0) => "1 wheel".to_owned(),
                (count, 0) => format!("{count} wheels"),
                (1, built) => format!("1 wheel, and {built} from sources"),
                (count, built) => format!("{count} wheels, and {built} from sources"),
            },
            at: self.packages.lock.clone().map(|lock| (lock, 1)),
            because: because.to_owned(),
        };
        let installers = self.packages.installers.iter().map(|called| Decision {
            what: "installer".to_owned(),
            value: called.requirement.to_string(),
            at: at(&called.file, called.place),
            because: "this line calls it: as one of the packages it installs where they are".to_owned(),
        });
        let start = Decision {
            what: "command".to_owned(),
            value: match &self.start.value {
                Start::Server => "cog's server".to_owned(),
                Start::Command(words) => words.join(" "),
                Start::OfBase => "that of the base image".to_owned(),
            },
            at: self.start.at.clone(),
            because: self.start.because.to_owned(),
        };
        let user = self.user.as_ref().map(|user| Decision {
            what: "user".to_owned(),
            value: user.value.clone(),
            at: user.at.clone(),
            because: user.because.to_owned(),
        });
        let authorities = self.certificates.first().map(|first| Decision {
            what: "authorities".to_owned(),
            value: self.certificates.iter().map(|one| one.file.as_str()).collect::<Vec<_>>().join(", "),
            at: first.at.clone(),
            because: "the setting `ca-certificates` names them, and they are trusted beside public ones"
                .to_owned(),
        });
        let public = self.installs_authorities.then(|| Decision {
            what: "public authorities".to_owned(),
            value: format!("`{}`, by apt", certificates::PACKAGE),
            at: None,
            because: "the base is known to have none, and without any no program can tell who answers it"
                .to_owned(),
        });
        let mut decisions = vec![python];
        decisions.extend(match &self.base.python {
            PythonOf::Archive(archive) => {
                let others = match &self.base.from {
                    BaseFrom::Image { .. } => "base that fits",
                    BaseFrom::Debs(_) => "release of Debian",
                };
                Some(archive.decision(&self.named_python(), others))
            }
            PythonOf::Base | PythonOf::Package => None,
        });
        let cudnn = match &self.base.from {
            BaseFrom::Image { cuda: [_, cudnn], .. } => cudnn.as_ref(),
            BaseFrom::Debs(_) => None,
        };
        decisions.extend(self.fit.decisions(cudnn));
        let requirements = self.unnamed_requirements();
        decisions.extend([debs, requirements, Some(packages)].into_iter().flatten());
        decisions.extend(installers);
        let others = [Some(build_base), Some(start), user, authorities, public];
        decisions.extend(others.into_iter().flatten());
        decisions
    }
}

impl PythonFacts {
    /// Which Python, to the patch version where a file names that.
    pub(super) fn named_python(&self) -> String {
        named(&self.said).map_or_else(|| self.python.value.to_string(), |named| named.release.to_string())
    }

    /// That a file of requirements counts which `cog.yaml` does not name.
    fn unnamed_requirements(&self) -> Option<Decision> {
        let said = &self.said;
        let does_count = said.is_of_cog && !said.names_packages() && !self.packages.is_own;
        let file = said.project.requirements.as_ref()?.files.first().filter(|_| does_count)?;
        Some(Decision {
            what: "requirements".to_owned(),
            value: file.to_string(),
            at: Some((file.clone(), 1)),
            because: "`cog.yaml` names no packages, so those of this file count, which cog itself reads only where \
                      `python_requirements` names it"
                .to_owned(),
        })
    }
}

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

/// What the model takes and gives, as its Python files say it.
pub(super) fn schemas(
    source: &Source,
    config: &SourcePath,
    cog: &CogYaml,
) -> Result<Result<Vec<Schema>, Findings>, Unread> {
    let mut schemas = Vec::new();
    let mut findings = Findings::new();
    let handlers = [(&cog.run, Use::Run), (&cog.train, Use::Train)];
    for (handler, used_for) in handlers {
        let Some(handler) = handler else { continue };
        let target = Target { file: handler.file.clone(), name: handler.name.clone(), used_for };
        match schema(source, &target)? {
            Ok(schema) => schemas.push(schema),
            Err(found) => findings.extend(found.into_iter().map(|InFile { file, mut finding }| {
                let is_named = finding.is_named_at(handler.place.into());
                InFile::new(if is_named { config } else { &file }, finding.into())
            })),
        }
    }
    Ok(if findings.is_empty() { Ok(schemas) } else { Err(findings) })
}

/// What the model takes when it is asked, by the document that was given for it or else by its Python files.
pub fn signature(source: &Source, request: &Request) -> Result<Option<Signature>, Unread> {
    if let Some(document) = &request.openapi_schema {
        let document = serde_json::from_str(document).ok();
        return Ok(document.as_ref().and_then(Signature::of_document));
    }
    let Ok((said, _)) = read_all(source, request)? else { return Ok(None) };
    let schemas = schemas(source, &said.config, &said.cog)?.unwrap_or_default();
    // A server of trainings answers those where it is asked for predictions.
    let asked = schemas.iter().find(|schema| schema.used_for == Use::Run).or(schemas.first());
    Ok(asked.map(Signature::from))
}

/// The facts of a project and warnings about it, or all that is wrong with it.
pub fn gather(
    source: &Source,
    request: &Request,
) -> Result<Result<(PythonFacts, Findings), Findings>, Unread> {
    ahead::ask(source, request)?;
    let (said, mut findings) = match read_all(source, request)? {
        Ok(read) => read,
        Err(findings) => return Ok(Err(findings)),
    };
    let (python, fit) = match versions::settle(source, request, &said)? {
        Ok(versions::Settled { python, fit, warnings }) => {
            findings.extend(warnings);
            (python, fit)
        }
        Err(found) => {
            findings.extend(found);
            return Ok(Err(findings));
        }
    };
    let packages = match lock_inputs::of(source, request, &said, python.value, &fit)? {
        Ok(needs) => lock::read(source, request, &needs)?,
        Err(findings) => Err(findings),
    };
    let fit = match &packages {
        Ok(packages) => fit.beside(packages, &request.platforms),
        Err(_) => fit,
    };
    let catalogue = versions::catalogue(source, request, &said)?;
    let base = match versions::wish(request, &said) {
        Some(BaseWish::Debian) => match &catalogue {
            Ok(catalogue) => {
                debs::base(source, request, catalogue, &said, &python, &fit)?.map(|base| (base, Vec::new()))
            }
            Err(findings) => Err(findings.clone()),
        },
        None | Some(BaseWish::Catalogue | BaseWish::Image(_)) => match &catalogue {
            Ok(catalogue) => versions::base(request, catalogue, &said, &python, &fit),
            Err(findings) => Err(findings.clone()),
        },
    };
    // What the settings name is read whatever else is missing: a lock takes a while, and is not to be made for a
    // project that has no plan with it either.
    let mut slips = Findings::new();
    let pre_install = install_files(source, &said, &said.settings().pre_install, &mut slips)?;
    let sources: Vec<_> = said.settings().apt_sources.iter().cloned().collect();
    let apt_sources = install_files(source, &said, &sources, &mut slips)?.pop();
    let certificates = certificates::read(source, &said, &mut slips)?;
    weight_targets(source, &said, &mut slips)?;
    let mut post_install = install_files(source, &said, &said.settings().post_install, &mut slips)?;
    for file in &mut post_install {
        let script = text(source, &file.path)?.ok().flatten();
        file.asks_for_no_environment = script.is_some_and(|it| asks_for_no_environment(it, &said));
    }
    let start = start(source, &said)?;
    let schemas = match request.openapi_schema {
        Some(_) => Ok(Vec::new()),
        None => schemas(source, &said.config, &said.cog)?,
    };
    if let Ok(schemas) = &schemas {
        slips.extend(serves::findings(&said, schemas, &python, packages.as_ref().ok()));
    }
    match (base, packages, start, schemas) {
        (Ok((mut base, bases)), Ok(packages), Ok((start, installed)), Ok(schemas)) => {
            if let (Start::Server, None, Some(lock)) = (&start.value, &packages.cog_version, &packages.lock) {
                let way_out = "`cogpackc lock DIR` makes it anew, with cog's server in it";
                let finding = PythonFinding::NoCog { lock: lock.to_string(), way_out };
                findings.push(InFile::new(lock, finding.into()));
                return Ok(Err(findings));
            }
            findings.extend(named(&said).and_then(|named| named.unlike(&base)));
            let catalogue = catalogue.unwrap_or_default();
            let chosen = build_base::choose(request, &catalogue, &said, &python, &base, &packages);
            let (build_base, build_bases) = match chosen {
                Ok(chosen) => chosen,
                Err(found) => {
                    findings.extend(found);
                    return Ok(Err(findings));
                }
            };
            let version = packages.cog_version.as_deref().unwrap_or_default();
            let made = || {
                let schemas: Vec<&Schema> = schemas.iter().collect();
                (!schemas.is_empty()).then(|| openapi(&schemas, version).to_string())
            };
            let concurrency = serves::concurrency(&said, &schemas);
            let schema = request.openapi_schema.clone().filter(|_| said.is_model()).or_else(made);
            let user = user(request, &said);
            let wanted = said.settings().precompile.as_ref().filter(|wanted| wanted.value);
            let of_settings = wanted.map(|wanted| said.at_setting(wanted.place));
            let strip = said.settings().strip.as_ref().filter(|wanted| wanted.value);
            if let Some(wanted) = strip.filter(|_| packages.sources.is_empty()) {
                let finding = PythonFinding::Strip { place: wanted.place.into() };
                slips.push(InFile::new(said.settings_file(), finding.into()));
            }
            let strip = strip.map(|wanted| said.at_setting(wanted.place));
            let is_of_debs = base.trusts(&certificates);
            let installs_others = certificates::are_installed_beside(&said, &base, &certificates);
            let installs_authorities = !installs_others
                && match certificates::alone(request, &said, &base) {
                    Alone::Nothing => false,
                    Alone::Installed => true,
                    Alone::Warned(warning) => {
                        findings.push(*warning);
                        false
                    }
                };
            let installs = installs_others || installs_authorities;
            if let Some(named) = sources.first().filter(|_| is_of_debs || !installs) {
                let finding = PythonFinding::AptSources { place: named.place.into() };
                slips.push(InFile::new(said.settings_file(), finding.into()));
            }
            if !slips.is_empty() {
                findings.extend(slips);
                return Ok(Err(findings));
            }
            let precompile = if request.precompile { Some(None) } else { of_settings };
            let facts = PythonFacts {
                said,
                python,
                fit,
                base,
                bases,
                build_base,
                build_bases,
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
        (base, packages, start, schemas) => {
            findings.extend(base.err().unwrap_or_default());
            findings.extend(packages.err().unwrap_or_default());
            findings.extend(start.err().unwrap_or_default());
            findings.extend(schemas.err().unwrap_or_default());
            findings.extend(slips);
            Ok(Err(findings))
        }
    }
}
