//! All that is known of a Python project, gathered before any block has its turn.

use cogpack_catalogue::WantedOs;
use cogpack_content::{Digest, ImageReference};
use cogpack_frontends_cog_yaml::CogYaml;
use cogpack_frontends_schema::{Schema, Signature, Target, Use, schema};
use cogpack_frontends_source::{InFile, Place, Source, SourcePath, Unread};
use cogpack_ir::plan::context::{DebsContext, LocalCertificate};
use cogpack_ir::plan::{ImageConfig, Span};
use cogpack_packages_wheels::target::PythonVersion;
use pep440_rs::Version;

use super::build_base::BuildBase;
use super::certificates::{Authority, Public};
use super::fit::Fit;
use super::lock::Locked;
use super::named::named;
use super::on_demand::OnDemand;
use super::said::{Said, read_all};
use super::start::{Installed, Start};
use crate::composer::desk::At;
use crate::stacks::detect::{Evidence, Weight};
use crate::stacks::{Findings, Request};

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
    /// What packages are built in; none where all of them are wheels.
    pub build_base: Option<BuildBase>,
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
    pub(super) fn trusts(&mut self, authorities: &[Authority]) -> bool {
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

    /// Which Python, to the patch version where a file names that.
    pub(super) fn named_python(&self) -> String {
        named_python(&self.said, &self.python)
    }

    /// That this file says something.
    pub fn evidence(&self) -> Vec<Evidence> {
        vec![Evidence { weight: Weight::Image, file: self.said.config.clone() }]
    }
}

/// Which Python, to the patch version where a file names that.
pub(super) fn named_python(said: &Said, python: &Decided<PythonVersion>) -> String {
    named(said).map_or_else(|| python.value.to_string(), |named| named.release.to_string())
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
