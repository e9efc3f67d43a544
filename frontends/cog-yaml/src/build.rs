//! What the image is built of: `build`.

use std::fmt;

use cogpack_frontends_source::{Place, Placed, SourcePath};
use miette::Diagnostic;

use crate::commands::{self, Command};
use crate::shape::{Fields, Form, Reading, ShapeFinding, Table};
use crate::versions::{self, CudaVersion, CudnnVersion, PythonVersion, SdkVersion};

/// `build`, as far as it says anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Build {
    /// Where `build` is written; nothing where there is none.
    pub place: Option<Place>,
    /// `python_version`
    pub python_version: Option<Placed<PythonVersion>>,
    /// `python_requirements`: the file.
    pub python_requirements: Option<Placed<SourcePath>>,
    /// `python_packages`: requirements, each as it is written.
    pub python_packages: Vec<Placed<String>>,
    /// `system_packages`: packages of the distribution, in the order of writing.
    pub system_packages: Vec<Placed<SystemPackage>>,
    /// `run`, and behind that `pre_install`, which has always come last whatever its name says.
    pub commands: Vec<Command>,
    /// `gpu`; false where it is not said.
    pub gpu: Option<Placed<bool>>,
    /// `cuda`
    pub cuda: Option<Placed<CudaVersion>>,
    /// `cudnn`
    pub cudnn: Option<Placed<CudnnVersion>>,
    /// `sdk_version`
    pub sdk_version: Option<Placed<SdkVersion>>,
}

/// A package of the distribution, `ffmpeg` or `ffmpeg=7:5.1.6-0+deb12u1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SystemPackage {
    /// Its name, with an architecture where one is written behind `:`.
    pub name: String,
    /// The version behind `=`.
    pub version: Option<String>,
}

impl fmt::Display for SystemPackage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.name)?;
        self.version.as_ref().map_or(Ok(()), |version| write!(out, "={version}"))
    }
}

/// What is wrong with `build`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum BuildFinding {
    /// Two lists of Python packages.
    #[error("`python_packages` and `python_requirements` exclude each other")]
    #[diagnostic(
        code("project::cog-yaml::packages-and-requirements"),
        help("move the packages into the requirements file, and take `python_packages` away")
    )]
    TwoLists {
        /// The older.
        #[label("packages here")]
        place: Place,
        /// The newer.
        #[label("a file of requirements here")]
        requirements: Place,
    },
    /// A file that is out of reach.
    #[error("`python_requirements` must name a file of the project, and in `{text}` {problem}")]
    #[diagnostic(
        code("project::cog-yaml::requirements-path"),
        help("write a path relative to `cog.yaml`, as in `python_requirements: requirements.txt`")
    )]
    RequirementsPath {
        /// What is written.
        text: String,
        /// What is wrong.
        problem: String,
        /// Where.
        #[label("no file of the project")]
        place: Place,
    },
    /// No package.
    #[error("`{text}` is no name of a system package: {problem}")]
    #[diagnostic(code("project::cog-yaml::system-package"), help("{way_out}"))]
    SystemPackage {
        /// What is written.
        text: String,
        /// What is wrong.
        problem: &'static str,
        /// What to do.
        way_out: &'static str,
        /// Where.
        #[label("not a package")]
        place: Place,
    },
    /// A package in two versions, or in one and in any.
    #[error("the system package `{name}` is asked for twice, and not alike")]
    #[diagnostic(
        code("project::cog-yaml::system-package-twice"),
        help("keep one of the two: apt installs one version of a package")
    )]
    SystemPackageTwice {
        /// Its name.
        name: String,
        /// The second.
        #[label("otherwise here")]
        place: Place,
        /// The first.
        #[label("first here")]
        first: Place,
    },
    /// An older form.
    #[error("`python_packages` is the older form of `python_requirements`")]
    #[diagnostic(
        code("project::cog-yaml::deprecated-python-packages"),
        severity(Warning),
        help(
            "move the packages into `requirements.txt`, one a line, and write `python_requirements: requirements.txt`"
        )
    )]
    PythonPackages {
        /// The key.
        #[label("the older form")]
        place: Place,
    },
    /// An older form.
    #[error("`pre_install` is the older form of `run`, and runs after it")]
    #[diagnostic(
        code("project::cog-yaml::deprecated-pre-install"),
        severity(Warning),
        help("move the commands to the end of `run`; they mean the same there")
    )]
    PreInstall {
        /// The key.
        #[label("the older form")]
        place: Place,
    },
}

/// The keys of `build`.
pub(crate) const KEYS: &[&str] = &[
    "cuda",
    "cudnn",
    "gpu",
    "pre_install",
    "python_packages",
    "python_requirements",
    "python_version",
    "run",
    "sdk_version",
    "system_packages",
];

const TABLE: Table = Table {
    owner: "`build`",
    keys: KEYS,
    elsewhere: &[
        (
            &["concurrency", "environment", "image", "model", "predict", "train", "weights"],
            "`KEY` belongs to the left, beside `build`",
        ),
        (&["fast", "cog_runtime"], "take `KEY` away: cog has it no more"),
        (&["python"], "did you mean `python_version`?"),
        (&["requirements"], "did you mean `python_requirements`?"),
        (&["packages"], "did you mean `system_packages`?"),
    ],
};

const BUILD: Form =
    Form { key: "build", expected: "a mapping", example: "build: { python_version: \"3.12\" }" };
const REQUIREMENTS: Form = Form {
    key: "build.python_requirements",
    expected: "a text, the path of a file",
    example: "python_requirements: requirements.txt",
};
const PACKAGES: Form = Form {
    key: "build.python_packages",
    expected: "a list of requirements",
    example: "python_packages: [\"numpy==2.1.0\"]",
};
const PACKAGE: Form =
    Form { key: "build.python_packages[]", expected: "a text, a requirement", example: "- numpy==2.1.0" };
const SYSTEM_PACKAGES: Form = Form {
    key: "build.system_packages",
    expected: "a list of packages",
    example: "system_packages: [\"ffmpeg\"]",
};
const SYSTEM_PACKAGE: Form =
    Form { key: "build.system_packages[]", expected: "a text, the name of a package", example: "- ffmpeg" };
const GPU: Form = Form { key: "build.gpu", expected: "true or false", example: "gpu: true" };

pub(crate) fn read(reading: &mut Reading, document: &Fields<'_>) -> Build {
    let Some((key, node)) = document.get("build") else { return Build::default() };
    let Some(fields) = reading.fields(node, BUILD, &TABLE) else { return Build::default() };
    if fields.get("python_version").is_none() {
        let way_out = "add the version that the image has, as in `python_version: \"3.12\"`";
        reading.found(ShapeFinding::Missing { key: "build.python_version", way_out, place: key.place });
    }
    let mut commands = commands::run(reading, &fields);
    if let Some((key, node)) = fields.get("pre_install") {
        reading.found(BuildFinding::PreInstall { place: key.place });
        commands.extend(commands::pre_install(reading, node));
    }
    Build {
        place: Some(key.place),
        python_version: versions::python(reading, &fields),
        python_requirements: requirements(reading, &fields),
        python_packages: packages(reading, &fields),
        system_packages: system_packages(reading, &fields),
        commands,
        gpu: fields.value("gpu").and_then(|node| reading.truth(node, GPU)),
        cuda: versions::cuda(reading, &fields),
        cudnn: versions::cudnn(reading, &fields),
        sdk_version: versions::sdk(reading, &fields),
    }
}

/// A path from the project's directory on, wherever the file is that says it.
fn requirements(reading: &mut Reading, fields: &Fields<'_>) -> Option<Placed<SourcePath>> {
    let text = reading.text(fields.value("python_requirements")?, REQUIREMENTS)?;
    match SourcePath::new(&text) {
        Ok(path) if !path.as_str().is_empty() => Some(text.map(|_| path)),
        refused => {
            let problem = match refused {
                Err(problem) => problem.to_string(),
                Ok(_) => "it is the project's directory".to_owned(),
            };
            reading.found(BuildFinding::RequirementsPath { text: text.value, problem, place: text.place });
            None
        }
    }
}

fn packages(reading: &mut Reading, fields: &Fields<'_>) -> Vec<Placed<String>> {
    let Some((key, node)) = fields.get("python_packages") else { return Vec::new() };
    reading.found(match fields.get("python_requirements") {
        Some((requirements, _)) => {
            BuildFinding::TwoLists { place: key.place, requirements: requirements.place }
        }
        None => BuildFinding::PythonPackages { place: key.place },
    });
    reading.texts(node, PACKAGES, PACKAGE)
}

fn system_packages(reading: &mut Reading, fields: &Fields<'_>) -> Vec<Placed<SystemPackage>> {
    let Some(node) = fields.value("system_packages") else { return Vec::new() };
    let mut packages: Vec<Placed<SystemPackage>> = Vec::new();
    for text in reading.texts(node, SYSTEM_PACKAGES, SYSTEM_PACKAGE) {
        match system_package(&text) {
            Ok(package) => {
                let other = packages.iter().find(|other| other.name == package.name);
                if let Some(other) = other.filter(|other| other.version != package.version) {
                    let (name, place, first) = (package.name, text.place, other.place);
                    reading.found(BuildFinding::SystemPackageTwice { name, place, first });
                    continue;
                }
                packages.push(Placed::new(package, text.place));
            }
            Err((problem, way_out)) => {
                let place = text.place;
                let text = text.value;
                reading.found(BuildFinding::SystemPackage { text, problem, way_out, place });
            }
        }
    }
    packages
}

/// A name as Debian's policy has it (5.6.1), with an architecture and a version where they are written.
fn system_package(text: &str) -> Result<SystemPackage, (&'static str, &'static str)> {
    let (name, version) = match text.split_once('=') {
        Some((name, version)) => (name, Some(version)),
        None => (text, None),
    };
    let is_one_of =
        |more: &'static str| move |byte: u8| byte.is_ascii_alphanumeric() || more.as_bytes().contains(&byte);
    if text.starts_with('-') {
        return Err(("it is an option", "name packages only: how they are installed is decided here"));
    }
    if text.contains(char::is_whitespace) {
        return Err(("it has a space", "write each package as an item of its own"));
    }
    if text.contains(['/', '\\']) {
        return Err(("it is a path or a release", "name a package of the distribution, as in `ffmpeg`"));
    }
    if name.contains(['<', '>', '~', '!']) {
        return Err((
            "it has a comparison",
            "write the name alone, or `NAME=VERSION` for one version exactly",
        ));
    }
    if name.contains(|letter: char| letter.is_ascii_uppercase()) {
        return Err(("names of packages have no capital letters", "write it in small letters, as in `curl`"));
    }
    let (plain, machine) = match name.split_once(':') {
        Some((plain, machine)) => (plain, Some(machine)),
        None => (name, None),
    };
    if machine.is_some_and(|machine| machine.is_empty() || !machine.bytes().all(is_one_of("-"))) {
        return Err((
            "what is behind `:` is no architecture",
            "write the name alone, or one architecture behind it, as in `libc6:amd64`",
        ));
    }
    let is_name = plain.len() >= 2
        && plain.starts_with(|first: char| first.is_ascii_alphanumeric())
        && plain.bytes().all(is_one_of("+-."));
    if !is_name {
        return Err((
            "names have two characters or more: letters, digits, `+`, `-` and `.`",
            "write it as in `libgl1`",
        ));
    }
    if let Some(version) = version
        && (version.is_empty() || !version.bytes().all(is_one_of("+-.:~*")))
    {
        return Err(("what is behind `=` is no version", "write `NAME=VERSION`, or the name alone"));
    }
    Ok(SystemPackage { name: name.to_owned(), version: version.map(str::to_owned) })
}
