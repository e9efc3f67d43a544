//! All that is known of a Python project, gathered before any block has its turn.

use cogpack_content::{Digest, ImageReference};
use cogpack_frontends_cog_yaml::{CogYaml, read};
use cogpack_frontends_schema::document::openapi;
use cogpack_frontends_schema::{Schema, Target, Use, schema};
use cogpack_frontends_source::{InFile, Place, Source, SourcePath, Unread};
use cogpack_packages_wheels::target::PythonVersion;

use super::COG_YAML;
use super::finding::PythonFinding;
use super::lock::{self, Locked};
use super::{lock_inputs, versions};
use crate::composer::desk::At;
use crate::stacks::detect::{Evidence, Weight};
use crate::stacks::why::{Candidate, Decision};
use crate::stacks::{Findings, Request, text};

/// The facts.
#[derive(Debug, Clone)]
pub struct PythonFacts {
    /// The project's `cog.yaml`.
    pub cog_yaml: SourcePath,
    /// What it says.
    pub cog: CogYaml,
    /// Which Python.
    pub python: Decided<PythonVersion>,
    /// What the image starts from.
    pub base: Base,
    /// The base images that were looked at.
    pub bases: Vec<Candidate>,
    /// The packages.
    pub packages: Locked,
    /// The OpenAPI document of the model, on one line.
    pub schema: Option<String>,
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

/// The image that a model runs on, and the Python in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// Its name.
    pub reference: ImageReference,
    /// Its digest, where it is known.
    pub digest: Option<Digest>,
    /// The path that starts its Python.
    pub interpreter: String,
}

impl PythonFacts {
    /// A line of `cog.yaml`.
    pub fn at(&self, place: Place) -> At {
        Some((self.cog_yaml.clone(), u32::try_from(place.line).unwrap_or(u32::MAX)))
    }

    /// That `cog.yaml` says something.
    pub fn evidence(&self) -> Vec<Evidence> {
        vec![Evidence { weight: Weight::Image, file: self.cog_yaml.clone() }]
    }

    /// What was decided, for people.
    pub fn decisions(&self) -> Vec<Decision> {
        let python = Decision {
            what: "Python".to_owned(),
            value: self.python.value.to_string(),
            at: self.python.at.clone(),
            because: self.python.because.to_owned(),
        };
        let count = self.packages.frameworks.len() + self.packages.packages.len();
        let packages = Decision {
            what: "packages".to_owned(),
            value: format!("{count} wheels"),
            at: Some((self.packages.lock.clone(), 1)),
            because: "what the lock file names for this Python and these platforms".to_owned(),
        };
        vec![python, packages]
    }
}

/// What the model takes and gives, as its Python files say it.
fn schemas(source: &Source, cog: &CogYaml) -> Result<Result<Vec<Schema>, Findings>, Unread> {
    let mut schemas = Vec::new();
    let mut findings = Findings::new();
    let handlers = [(&cog.run, Use::Run), (&cog.train, Use::Train)];
    for (handler, used_for) in handlers {
        let Some(handler) = handler else { continue };
        let target = Target { file: handler.file.clone(), name: handler.name.clone(), used_for };
        match schema(source, &target)? {
            Ok(schema) => schemas.push(schema),
            Err(found) => findings.extend(found.into_iter().map(InFile::of)),
        }
    }
    Ok(if findings.is_empty() { Ok(schemas) } else { Err(findings) })
}

/// The facts of a project and warnings about it, or all that is wrong with it.
pub fn gather(
    source: &Source,
    request: &Request,
) -> Result<Result<(PythonFacts, Findings), Findings>, Unread> {
    let cog_yaml = SourcePath::new(COG_YAML).expect("the name is a path");
    let found = match text(source, &cog_yaml)? {
        Ok(Some(text)) => text,
        Ok(None) => {
            return Ok(Err(vec![InFile::new(&SourcePath::root(), PythonFinding::NoCogYaml.into())]));
        }
        Err(finding) => return Ok(Err(vec![finding])),
    };
    let (cog, warnings) = match read(&cog_yaml, found, request.strictness) {
        Ok((cog, warnings)) => (cog, warnings.into_iter().map(InFile::of).collect::<Findings>()),
        Err(findings) => return Ok(Err(findings.into_iter().map(InFile::of).collect())),
    };
    let mut findings = warnings;
    let python = match versions::python(source, &cog_yaml, &cog)? {
        Ok(python) => python,
        Err(finding) => {
            findings.push(finding);
            return Ok(Err(findings));
        }
    };
    let base = versions::base(request, &cog_yaml, &python);
    let packages = match lock_inputs::of(source, request, &cog_yaml, &cog, python.value)? {
        Ok(inputs) => lock::read(source, request, &inputs)?,
        Err(findings) => Err(findings),
    };
    let schemas = match request.openapi_schema {
        Some(_) => Ok(Vec::new()),
        None => schemas(source, &cog)?,
    };
    match (base, packages, schemas) {
        (Ok((base, bases)), Ok(packages), Ok(schemas)) => {
            let version = packages.cog_version.as_deref().unwrap_or_default();
            let made = || {
                let schemas: Vec<&Schema> = schemas.iter().collect();
                (!schemas.is_empty()).then(|| openapi(&schemas, version).to_string())
            };
            let schema = request.openapi_schema.clone().or_else(made);
            let facts = PythonFacts { cog_yaml, cog, python, base, bases, packages, schema };
            Ok(Ok((facts, findings)))
        }
        (base, packages, schemas) => {
            findings.extend(base.err().unwrap_or_default());
            findings.extend(packages.err().unwrap_or_default());
            findings.extend(schemas.err().unwrap_or_default());
            Ok(Err(findings))
        }
    }
}
