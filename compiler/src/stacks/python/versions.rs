//! Which Python a model runs on, and which image brings it.

use cogpack_catalogue::entry::Role;
use cogpack_catalogue::{Wanted, choose};
use cogpack_frontends_cog_yaml::CogYaml;
use cogpack_frontends_source::{InFile, Source, SourcePath, Text, Unread};
use cogpack_packages_wheels::target::PythonVersion;
use pep440_rs::VersionSpecifiers;

use super::facts::{Base, Decided};
use super::finding::PythonFinding;
use crate::stacks::finding::ProjectFinding;
use crate::stacks::request::BaseWish;
use crate::stacks::why::Candidate;
use crate::stacks::{Findings, Request, place_of_line};

/// The Python where no file says which.
const DEFAULT: PythonVersion = PythonVersion { major: 3, minor: 13 };

/// A file that says which Python, as many tools read it.
const PYTHON_VERSION: &str = ".python-version";

/// Which Python: what `cog.yaml` says, else what `.python-version` says, else the default.
#[allow(clippy::type_complexity)]
pub(super) fn python(
    source: &Source,
    cog_yaml: &SourcePath,
    cog: &CogYaml,
) -> Result<Result<Decided<PythonVersion>, InFile<ProjectFinding>>, Unread> {
    if let Some(said) = &cog.build.python_version {
        let value = PythonVersion { major: 3, minor: said.value.minor };
        let line = u32::try_from(said.place.line).unwrap_or(u32::MAX);
        let because = "`build.python_version` says so";
        return Ok(Ok(Decided { value, at: Some((cog_yaml.clone(), line)), because }));
    }
    let file = SourcePath::new(PYTHON_VERSION).expect("the name is a path");
    let Text::Is(text) = source.text(&file)? else {
        let because = "no file says which, and this is the one that most packages have wheels for";
        return Ok(Ok(Decided { value: DEFAULT, at: None, because }));
    };
    let line_of = |(line, number): (&'_ str, u32)| {
        let said = line.split('#').next().unwrap_or_default().trim().to_owned();
        (!said.is_empty()).then_some((said, number))
    };
    let said = text.lines().zip(1..).find_map(line_of);
    let (line, number) = said.unwrap_or((String::new(), 1));
    let parts: Vec<&str> = line.splitn(3, '.').collect();
    let release = parts[..parts.len().min(2)].join(".");
    match release.parse() {
        Ok(value) => {
            let because = "the file `.python-version` says so";
            Ok(Ok(Decided { value, at: Some((file, number)), because }))
        }
        Err(_) => {
            let place = place_of_line(text, number);
            let finding = PythonFinding::PythonVersionFile { said: line, place };
            Ok(Err(InFile::new(&file, finding.into())))
        }
    }
}

/// The image of the catalogue for a Python, and all that were looked at.
pub(super) fn base(
    request: &Request,
    cog_yaml: &SourcePath,
    python: &Decided<PythonVersion>,
) -> Result<(Base, Vec<Candidate>), Findings> {
    let told = |finding: PythonFinding| vec![InFile::new(cog_yaml, finding.into())];
    let specifiers: VersionSpecifiers =
        format!("=={}.*", python.value).parse().expect("a release with a wildcard is a specifier");
    let wanted = Wanted {
        role: Role::Runtime,
        platforms: request.platforms.clone(),
        python: Some(specifiers),
        cuda: None,
        cudnn: None,
        os: None,
        packages: Default::default(),
    };
    let choice = choose(&request.catalogue, &wanted);
    let chosen = match &request.base {
        None | Some(BaseWish::Catalogue) => {
            choice.entry(&wanted).cloned().map_err(|none| vec![InFile::new(cog_yaml, none.into())])?
        }
        Some(BaseWish::Debian) => return Err(told(PythonFinding::DebianBase)),
        Some(BaseWish::Image(named)) => {
            let listed = request.catalogue.find(named).map(|listed| listed.entry.clone());
            listed.ok_or_else(|| told(PythonFinding::UnknownBase { named: named.to_string() }))?
        }
    };
    let name = chosen.reference.to_string();
    let Some(in_base) = &chosen.python else {
        return Err(told(PythonFinding::BaseWithoutPython { base: name }));
    };
    let candidates = choice.considered.iter().map(|(entry, against)| Candidate {
        name: entry.reference.to_string(),
        against: against.iter().map(ToString::to_string).collect(),
        is_chosen: entry.reference == chosen.reference,
    });
    let base = Base {
        reference: chosen.reference.clone(),
        digest: chosen.digest,
        interpreter: in_base.interpreter.clone(),
    };
    Ok((base, candidates.collect()))
}
