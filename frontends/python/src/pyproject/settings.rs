//! What cogpackc itself is told: `[tool.cogpack]` in `pyproject.toml`, or the file `cogpack.toml` of the
//! same keys, for projects whose files are of other tools.
//!
//! A key more: a field of [`Settings`], an arm of [`read`], a word in [`KEYS`].

use std::fmt;

use cogpack_content::ImageReference;
use cogpack_frontends_source::{InFile, Named, Place, Placed, SourcePath};
use cogpack_ir::plan::Owner;
use cogpack_ir::suggest::{did_you_mean, nearest};
use cogpack_packages_wheels::file_name::normalised;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::PyprojectFinding;
use super::tables::Reading;
use crate::python_version::PythonRelease;

/// The settings. What they do not say is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Which file says them, and where they begin in it.
    pub stated: Option<InFile<Place>>,
    /// `base`: what the image stands on.
    pub base: Option<Placed<Base>>,
    /// `build-base`: the image that packages are built in.
    pub build_base: Option<Placed<ImageReference>>,
    /// `python`: which Python the image has.
    pub python: Option<Placed<PythonRelease>>,
    /// `user`: who runs the program.
    pub user: Option<Placed<String>>,
    /// `precompile`: whether byte code is made.
    pub precompile: Option<Placed<bool>>,
    /// `pre-install`: files of the project that run before its packages are installed.
    pub pre_install: Vec<Placed<SourcePath>>,
    /// `post-install`: files of the project that run when its packages are installed.
    pub post_install: Vec<Placed<SourcePath>>,
    /// `apt-sources`: the file of the project that says where apt installs packages from.
    pub apt_sources: Option<Placed<SourcePath>>,
    /// `ca-certificates`: files of the project with certificates of authorities that are trusted.
    pub ca_certificates: Vec<Placed<SourcePath>>,
    /// `strip`: whether symbols of libraries are taken away.
    pub strip: Option<Placed<bool>>,
    /// `target`: what answers, `FILE.py:NAME`.
    pub target: Option<Placed<Target>>,
    /// `command`: what the image starts, in words.
    pub command: Option<Placed<Vec<String>>>,
    /// `stack`: the kind of project, where its files do not decide.
    pub stack: Option<Placed<String>>,
    /// `catalogue`: catalogues of base images, files of the project.
    pub catalogue: Vec<Placed<SourcePath>>,
    /// `extras`: those of the project that are installed, by normalised name.
    pub extras: Vec<Placed<String>>,
    /// `groups`: its dependency groups that are, by normalised name.
    pub groups: Vec<Placed<String>>,
}

/// What an image stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// The image of the catalogue that fits.
    Catalogue,
    /// Packages of Debian alone.
    Debian,
    /// This image.
    Image(ImageReference),
}

/// What answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The file.
    pub file: SourcePath,
    /// Its path as it is written.
    pub written: String,
    /// The class or the function.
    pub name: String,
}

impl fmt::Display for Target {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.written, self.name)
    }
}

impl fmt::Display for Base {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Catalogue => out.write_str("catalogue"),
            Self::Debian => out.write_str("debian"),
            Self::Image(reference) => reference.fmt(out),
        }
    }
}

const KEYS: &[&str] = &[
    "apt-sources",
    "base",
    "build-base",
    "ca-certificates",
    "catalogue",
    "command",
    "extras",
    "groups",
    "post-install",
    "pre-install",
    "precompile",
    "python",
    "stack",
    "strip",
    "target",
    "user",
];

/// Reads the settings of a file that has nothing else in it.
pub fn read_alone(file: &SourcePath, text: &str) -> (Settings, Vec<InFile<PyprojectFinding>>) {
    let mut reading = Reading::of(file, text);
    let (document, errors) = DeTable::parse_recoverable(text);
    reading.syntax(&errors);
    let settings = match errors.is_empty() {
        true => read(&mut reading, document.get_ref(), Place::of(text, 0, 0), "`cogpack.toml`"),
        false => Settings::default(),
    };
    (settings, reading.told())
}

pub(super) fn read(
    reading: &mut Reading<'_>,
    table: &DeTable<'_>,
    place: Place,
    owner: &'static str,
) -> Settings {
    let stated = Some(InFile::new(reading.file, place));
    let mut settings = Settings { stated, ..Settings::default() };
    for (name, value) in table {
        let name_of = name.get_ref().as_ref();
        let key = name_of.to_owned();
        match name_of {
            "precompile" => settings.precompile = reading.truth(&key, value),
            "strip" => settings.strip = reading.truth(&key, value),
            "base" => {
                settings.base = setting(reading, &key, value, base);
            }
            "apt-sources" => {
                let directory = reading.file.directory();
                settings.apt_sources = setting(reading, &key, value, |text| apt_sources(&directory, text));
            }
            "build-base" => {
                let image = |text: &str| text.parse().map_err(|_| "it is the name of an image");
                settings.build_base = setting(reading, &key, value, image);
            }
            "python" => {
                let release =
                    |text: &str| text.parse().map_err(|_| "a version is written as in `3.12` or `3.12.4`");
                settings.python = setting(reading, &key, value, release);
            }
            "user" => {
                settings.user = setting(reading, &key, value, user);
            }
            "command" => settings.command = command(reading, &key, value),
            "stack" => settings.stack = reading.text(&key, value),
            "ca-certificates" => settings.ca_certificates = files(reading, &key, value),
            "catalogue" => settings.catalogue = files(reading, &key, value),
            "pre-install" => settings.pre_install = files(reading, &key, value),
            "post-install" => settings.post_install = files(reading, &key, value),
            "extras" => settings.extras = names(reading, &key, value),
            "groups" => settings.groups = names(reading, &key, value),
            "target" => settings.target = setting(reading, &key, value, target),
            other => {
                let listed = KEYS.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
                let otherwise = format!("take it away; the settings are {listed}");
                let way_out = of_cog_yaml(other)
                    .unwrap_or_else(|| did_you_mean(nearest(other, KEYS.iter().copied()), &otherwise));
                let (key, place) = (other.to_owned(), reading.place(name.span()));
                reading.found(PyprojectFinding::UnknownSetting { owner, key, way_out, place });
            }
        }
    }
    settings
}

/// What to do with a key of `cog.yaml`, which is none of the settings: those that have one of their own here
/// are called by it.
fn of_cog_yaml(key: &str) -> Option<String> {
    let written = key.replace('-', "_");
    let way_out = match &*written {
        "run" | "predict" => {
            "write the model as `target`, as in `target = \"run.py:Runner\"`, or as `run` of `cog.yaml` where \
             there is one; another program is the `command`, and commands of the build belong in `cog.yaml`, \
             as `run` below `build`"
        }
        "python_version" => "write it as `python`, as in `python = \"3.12\"`",
        "python_packages" | "python_requirements" => {
            "write requirements into `dependencies` of `[project]`, or into `requirements.txt`: both are read \
             without a setting"
        }
        // By its spelling alone it may be either.
        "pre_install" if key != "pre-install" => {
            "did you mean `pre-install`, files of the project that run? Commands belong in `cog.yaml`, as `run` \
             below `build`"
        }
        "sdk_version" => {
            "write a requirement of `cog`, as in `cog==0.17.0`, or `sdk_version` below `build` of `cog.yaml`"
        }
        "cuda" | "cudnn" | "gpu" | "system_packages" => {
            return Some(format!("move it to `cog.yaml`, below `build`, where it is called `{written}`"));
        }
        "build" | "concurrency" | "environment" | "image" | "model" | "train" | "weights" => {
            return Some(format!("move it to `cog.yaml`, where `{written}` stands at the left"));
        }
        _ => return None,
    };
    Some(way_out.to_owned())
}

fn setting<T>(
    reading: &mut Reading<'_>,
    key: &str,
    value: &Spanned<DeValue<'_>>,
    check: impl FnOnce(&str) -> Result<T, &'static str>,
) -> Option<Placed<T>> {
    let text = reading.text(key, value)?;
    match check(&text.value) {
        Ok(value) => Some(Placed::new(value, text.place)),
        Err(way_out) => {
            let (key, place) = (key.to_owned(), text.place);
            reading.found(PyprojectFinding::Setting { key, text: text.value, way_out, place });
            None
        }
    }
}

/// The words of a command, of which there is one at least.
fn command(
    reading: &mut Reading<'_>,
    key: &str,
    value: &Spanned<DeValue<'_>>,
) -> Option<Placed<Vec<String>>> {
    let place = reading.place(value.span());
    let items = value.get_ref().as_array().filter(|items| items.iter().next().is_some());
    let words = items.map(|items| items.iter().map(|item| item.get_ref().as_str().map(str::to_owned)));
    let Some(words) = words.and_then(|words| words.collect::<Option<Vec<String>>>()) else {
        reading.wrong(key, "a list of words, as in `[\"python\", \"-m\", \"app\"]`", value);
        return None;
    };
    Some(Placed::new(words, place))
}

/// Names as packages have them.
fn names(reading: &mut Reading<'_>, key: &str, value: &Spanned<DeValue<'_>>) -> Vec<Placed<String>> {
    let items = reading.list(key, value);
    let texts = items.into_iter().filter_map(|item| reading.text(key, item)).collect::<Vec<_>>();
    texts.into_iter().map(|text| text.map(|text| normalised(&text))).collect()
}

/// Paths from the file on that names them.
fn files(reading: &mut Reading<'_>, key: &str, value: &Spanned<DeValue<'_>>) -> Vec<Placed<SourcePath>> {
    let directory = reading.file.directory();
    let mut files = Vec::new();
    for item in reading.list(key, value) {
        let named = setting(reading, key, item, |text| match directory.join(text) {
            Ok(path) if !path.as_str().is_empty() => Ok(path),
            Ok(_) | Err(_) => Err("name a file of the project, by its path from this file on"),
        });
        files.extend(named);
    }
    files
}

/// Where apt installs from, which is read by how its name ends.
fn apt_sources(directory: &SourcePath, text: &str) -> Result<SourcePath, &'static str> {
    let path =
        directory.join(text).map_err(|_| "name a file of the project, by its path from this file on")?;
    match text.ends_with(".list") || text.ends_with(".sources") {
        true => Ok(path),
        false => Err("apt reads a file by its name, which ends in `.list` or `.sources`"),
    }
}

fn base(text: &str) -> Result<Base, &'static str> {
    match text {
        "catalogue" => Ok(Base::Catalogue),
        "debian" => Ok(Base::Debian),
        other => {
            let reference =
                other.parse().map_err(|_| "it is `catalogue`, `debian`, or the name of an image")?;
            Ok(Base::Image(reference))
        }
    }
}

/// A class or a function of a file of the project.
fn target(text: &str) -> Result<Target, &'static str> {
    let named = Named::read(text).map_err(|_| "it has the form `FILE.py:NAME`, as in `run.py:Runner`")?;
    let file = SourcePath::new(named.path).map_err(|_| "its file must be one of the project")?;
    Ok(Target { file, written: named.path.to_owned(), name: named.name.to_owned() })
}

/// A name or a number, with a group where one is written behind `:`.
fn user(text: &str) -> Result<String, &'static str> {
    let is_name = |part: &str| {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        !part.is_empty() && part.bytes().all(is_letter) && !part.starts_with('-')
    };
    let parts: Vec<&str> = text.split(':').collect();
    let is_account = text.parse::<Owner>().is_ok();
    match is_account && parts.len() <= 2 && parts.iter().all(|part| is_name(part)) {
        true => Ok(text.to_owned()),
        false => Err("it is a name or a number, as in `app` or `1000:1000`"),
    }
}
