//! What all files of a project say, read before anything is decided.

use cogpack_frontends_cog_yaml::handler::Handler;
use cogpack_frontends_cog_yaml::named_files::{NamedFileFinding, named_files};
use cogpack_frontends_cog_yaml::{CogYaml, CogYamlFinding, read};
use cogpack_frontends_python::project::{self, PythonFinding as FileFinding, PythonProject};
use cogpack_frontends_python::pyproject::{ProjectTable, Settings, Target};
use cogpack_frontends_python::setup::Setup;
use cogpack_frontends_source::{InFile, Place, Placed, Source, SourcePath, Unread};

use super::finding::PythonFinding;
use crate::composer::desk::At;
use crate::stacks::{ConfigFile, Findings, ImageName, ProjectFinding, Request, text};

/// All of it.
#[derive(Debug, Clone)]
pub struct Said {
    /// The file that says what is run: `cog.yaml`; where there is none, the one with the settings, or
    /// the one that declares the project.
    pub config: SourcePath,
    /// The file that was looked for as a `cog.yaml`.
    pub named: ConfigFile,
    /// Whether that is a `cog.yaml`.
    pub is_of_cog: bool,
    /// What `cog.yaml` says, or settings in place of it.
    pub cog: CogYaml,
    /// What the files of the Python project say.
    pub project: PythonProject,
}

impl Said {
    /// A line of the file that says what is run.
    pub fn at(&self, place: Place) -> At {
        at(&self.config, place)
    }

    /// What cogpackc is told.
    pub fn settings(&self) -> &Settings {
        &self.project.settings
    }

    /// A line of the file with the settings.
    pub fn at_setting(&self, place: Place) -> At {
        self.settings().stated.as_ref().and_then(|stated| at(&stated.file, place))
    }

    /// The file that findings about settings stand in.
    pub fn settings_file(&self) -> &SourcePath {
        self.settings().stated.as_ref().map_or(&self.config, |stated| &stated.file)
    }

    /// Whether `cog.yaml` names Python packages itself, so that no other file does.
    pub fn names_packages(&self) -> bool {
        names_packages(&self.cog)
    }

    /// What the image is called where whoever builds says nothing else.
    pub fn image_name(&self) -> ImageName {
        match (&self.cog.image, &self.cog.model) {
            (Some(image), _) => ImageName::Image(image.value.clone()),
            (None, Some(model)) => ImageName::Model(model.reference().clone()),
            (None, None) if self.is_of_cog => ImageName::OfDirectory,
            (None, None) => ImageName::Unsaid,
        }
    }

    /// Whether cog's server is in the image.
    pub fn is_model(&self) -> bool {
        self.is_of_cog || self.cog.run.is_some()
    }

    /// `[project]`, or what `setup.py` and `setup.cfg` say in its place.
    pub fn table(&self) -> Option<&ProjectTable> {
        let of_pyproject = self.project.pyproject.as_ref().and_then(|pyproject| pyproject.project.as_ref());
        of_pyproject.or(self.project.declared.as_ref().map(|declared| &declared.table))
    }

    /// The file with a part of the table.
    pub fn table_in(&self, part: fn(&Setup) -> &SourcePath) -> SourcePath {
        self.project.declared.as_ref().map_or_else(|| beside("pyproject.toml"), |setup| part(setup).clone())
    }
}

/// A line of a file.
pub fn at(file: &SourcePath, place: Place) -> At {
    Some((file.clone(), u32::try_from(place.line).unwrap_or(u32::MAX)))
}

/// A file beside `cog.yaml`.
pub fn beside(name: &str) -> SourcePath {
    SourcePath::new(name).expect("the name is a path")
}

fn names_packages(cog: &CogYaml) -> bool {
    cog.build.python_requirements.is_some() || !cog.build.python_packages.is_empty()
}

/// What the files say, and what is wrong with them.
pub(super) struct Read {
    /// What they say, as far as it can be read.
    pub said: Said,
    /// What is wrong, and what their author should know.
    pub findings: Findings,
    /// Whether it is known which Python and which packages are asked for. Where this cannot be read, which files
    /// count and what fits together cannot be said.
    pub are_packages_known: bool,
}

/// What the files say, with warnings; or all that is wrong with them.
pub fn read_all(source: &Source, request: &Request) -> Result<Result<(Said, Findings), Findings>, Unread> {
    let Read { said, findings, .. } = read_each(source, request)?;
    let is_error = |found: &InFile<ProjectFinding>| found.finding.is_error();
    Ok(if findings.iter().any(is_error) { Err(findings) } else { Ok((said, findings)) })
}

/// What each file says by itself: one that cannot be read hides nothing of the others.
pub(super) fn read_each(source: &Source, request: &Request) -> Result<Read, Unread> {
    let cog_yaml = request.config.path().clone();
    let mut findings = Findings::new();
    let mut are_packages_known = true;
    let (is_of_cog, cog) = match text(source, &cog_yaml)? {
        Ok(None) => (false, CogYaml::default()),
        Ok(Some(text)) => match read(&cog_yaml, text, request.strictness) {
            Ok((cog, warnings)) => {
                findings.extend(warnings.into_iter().map(InFile::of));
                (true, cog)
            }
            Err(refused) => {
                findings.extend(refused.findings.into_iter().map(InFile::of));
                are_packages_known = refused.is_build_known;
                (true, refused.readable)
            }
        },
        Err(finding) => {
            findings.push(finding);
            are_packages_known = false;
            (true, CogYaml::default())
        }
    };
    let mut cog = cog;
    let named = cog.build.python_requirements.clone();
    // Files of Python are looked for where their schema is read.
    let absent = named_files(&cog, &cog_yaml, source)?.into_iter().filter(|found| {
        let key = "build.python_requirements";
        matches!(&found.finding, CogYamlFinding::NamedFile(NamedFileFinding::Absent { key: of, .. }) if *of == key)
    });
    findings.extend(absent.map(InFile::of));
    let (mut project, mut wrong) =
        project::read(&SourcePath::root(), named.as_ref().map(|named| &named.value), source)?;
    // Whether files that `cog.yaml` does not name count, it may say where it cannot be read.
    if names_packages(&cog) || !are_packages_known {
        wrong.retain(|found| !found.finding.is_of_unsaid_dependencies());
    }
    if named.is_none() && (names_packages(&cog) || !are_packages_known) {
        wrong.retain(|found| !matches!(found.finding, FileFinding::Requirements(_)));
        project.requirements = None;
    }
    findings.extend(wrong.into_iter().map(InFile::of));
    let settings = &project.settings;
    let stated_in =
        settings.stated.as_ref().map(|stated| stated.file.clone()).unwrap_or_else(SourcePath::root);
    match (&settings.target, is_of_cog) {
        (Some(target), true) => {
            let finding = PythonFinding::TargetBesideCogYaml { place: target.place.into() };
            findings.push(InFile::new(&stated_in, finding.into()));
        }
        (Some(_), false) => cog.run = run_of(settings),
        (None, _) => {}
    }
    if let (Some(said), Some(other)) = (&settings.python, &cog.build.python_version)
        && (said.minor != other.minor
            || said.patch.zip(other.patch).is_some_and(|(said, other)| said != other))
    {
        let finding = PythonFinding::PythonTwice {
            python: said.to_string(),
            other: other.to_string(),
            line: other.place.line,
            place: said.place.into(),
        };
        findings.push(InFile::new(&stated_in, finding.into()));
        are_packages_known = false;
    }
    let config = if is_of_cog { cog_yaml } else { config(&project) };
    let said = Said { config, named: request.config.clone(), is_of_cog, cog, project };
    Ok(Read { said, findings, are_packages_known })
}

/// What is run as settings say it, in place of a `cog.yaml`.
pub(super) fn run_of(settings: &Settings) -> Option<Placed<Handler>> {
    let handler = |target: Target| Handler { file: target.file, written: target.written, name: target.name };
    settings.target.clone().map(|target| target.map(handler))
}

/// The file that says most of a project without a `cog.yaml`.
fn config(project: &PythonProject) -> SourcePath {
    let settings = project.settings.stated.as_ref().map(|stated| stated.file.clone());
    let pyproject = project.pyproject.as_ref().map(|_| beside("pyproject.toml"));
    let requirements =
        project.requirements.as_ref().and_then(|requirements| requirements.files.first().cloned());
    let setup = project.setup.first().cloned();
    settings.or(pyproject).or(requirements).or(setup).unwrap_or_else(SourcePath::root)
}
