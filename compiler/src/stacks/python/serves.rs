//! What cog's server can serve: rules that otherwise only the container would tell, after its build.

use cogpack_frontends_cog_yaml::versions::SdkVersion;
use cogpack_frontends_schema::{Schema, Use};
use cogpack_frontends_source::{InFile, SourcePath};
use cogpack_packages_wheels::target::PythonVersion;
use miette::SourceSpan;
use pep440_rs::Version;

use super::facts::Decided;
use super::finding::PythonFinding;
use super::lock::Locked;
use super::said::Said;
use crate::stacks::{Findings, ProjectFinding};

/// The oldest cog whose classes have a method `run`.
const WITH_RUN: [u64; 2] = [0, 20];
/// The oldest one that serves a schema which is read and not run.
const OLDEST: [u64; 2] = [0, 17];
/// The oldest Python on which cog's server runs predictions side by side.
const OLDEST_PYTHON: PythonVersion = PythonVersion { major: 3, minor: 11 };

/// How many predictions a model serves at once, where somebody says so: what stands above its method
/// goes before `cog.yaml`, as cog has it.
pub(super) fn concurrency(said: &Said, schemas: &[Schema]) -> Option<u32> {
    let of_run = schemas.iter().find(|schema| schema.used_for == Use::Run);
    let above = of_run.and_then(|schema| schema.handler.concurrency);
    above.or(said.cog.concurrency.as_ref().map(|concurrency| concurrency.max.value.get()))
}

/// What its server cannot serve of a model. Packages may not be locked yet.
pub(super) fn findings(
    said: &Said,
    schemas: &[Schema],
    python: &Decided<PythonVersion>,
    packages: Option<&Locked>,
) -> Findings {
    let mut findings = Findings::new();
    let of_run = schemas.iter().find(|schema| schema.used_for == Use::Run);
    findings.extend(of_run.and_then(|schema| several_at_once(said, schema, python)));
    findings.extend(old_cog(said, schemas, packages));
    findings
}

fn several_at_once(
    said: &Said,
    schema: &Schema,
    python: &Decided<PythonVersion>,
) -> Option<InFile<ProjectFinding>> {
    let (handler, declared) = (&schema.handler, schema.handler.declared.as_ref()?);
    let of_yaml = said.cog.concurrency.as_ref().filter(|_| handler.concurrency.is_none());
    let (max, file, place): (u32, &SourcePath, SourceSpan) = match (handler.concurrency, of_yaml) {
        (Some(max), _) => (max, &declared.file, declared.at.clone().into()),
        (None, Some(said_so)) => (said_so.max.value.get(), &said.config, said_so.max.place.into()),
        (None, None) => return None,
    };
    if max == 1 {
        return None;
    }
    let finding = if !handler.is_async {
        let (handler, file) = (handler.name.clone(), declared.file.to_string());
        PythonFinding::NotAsync { max, handler, file, place }
    } else if python.value < OLDEST_PYTHON {
        let because = python.because.to_owned();
        PythonFinding::ConcurrencyPython { max, python: python.value.to_string(), because, place }
    } else {
        return None;
    };
    Some(InFile::new(file, finding.into()))
}

/// A version of cog that does not know the model's method, or that nothing is built for here.
fn old_cog(said: &Said, schemas: &[Schema], packages: Option<&Locked>) -> Option<InFile<ProjectFinding>> {
    let asked = said.cog.build.sdk_version.as_ref();
    let exactly = asked.and_then(|asked| match &asked.value {
        SdkVersion::Exactly(version) => Some(version.clone()),
        SdkVersion::Prerelease => None,
    });
    let locked = packages.and_then(|packages| packages.cog_version.as_ref()?.parse::<Version>().ok());
    let version = locked.or_else(|| exactly.clone())?;
    let asked = asked.filter(|_| exactly.as_ref() == Some(&version));
    let lock = packages.and_then(|packages| packages.lock.as_ref());
    let file = if asked.is_some() { &said.config } else { lock.unwrap_or(&said.config) };
    if version < Version::new(OLDEST) {
        let version = version.to_string();
        return Some(InFile::new(file, PythonFinding::CogTooOld { version }.into()));
    }
    let handler = schemas.iter().map(|schema| &schema.handler).find(|handler| handler.name == "run")?;
    let class = handler.class.clone().filter(|_| version < Version::new(WITH_RUN))?;
    let way_out = match asked {
        Some(_) => "write `sdk_version: \"0.20.0\"` or a newer one",
        None => "ask for `cog>=0.20` where the lock's requirements stand, and make it anew",
    };
    let finding = PythonFinding::OldCog {
        version: version.to_string(),
        class,
        method: handler.name.clone(),
        way_out,
        place: asked.map(|asked| asked.place.into()),
    };
    Some(InFile::new(file, finding.into()))
}
