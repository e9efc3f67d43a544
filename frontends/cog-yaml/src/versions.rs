//! Versions that `build` names: of Python, of CUDA and cuDNN, and of cog's own package.

use std::fmt;

use cogpack_frontends_source::{Place, Placed};
use miette::Diagnostic;
use pep440_rs::Version;

use crate::shape::{Fields, Form, Reading};

/// The oldest minor version of Python 3 for which cog's package is made.
pub const OLDEST_PYTHON: u32 = 10;
/// The newest one.
pub const NEWEST_PYTHON: u32 = 14;

/// `3.12` or `3.12.4`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PythonVersion {
    /// 12
    pub minor: u32,
    /// 4, where it is said.
    pub patch: Option<u32>,
}

impl fmt::Display for PythonVersion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "3.{}", self.minor)?;
        self.patch.map_or(Ok(()), |patch| write!(out, ".{patch}"))
    }
}

/// `12.4` or `12.4.1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CudaVersion {
    /// 12
    pub major: u32,
    /// 4
    pub minor: u32,
    /// 1, where it is said.
    pub patch: Option<u32>,
}

impl fmt::Display for CudaVersion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.major, self.minor)?;
        self.patch.map_or(Ok(()), |patch| write!(out, ".{patch}"))
    }
}

/// `8`, `8.9` or `8.9.7`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CudnnVersion(Vec<u32>);

impl CudnnVersion {
    /// Its numbers, one to four, the greatest first.
    pub fn numbers(&self) -> &[u32] {
        &self.0
    }
}

impl fmt::Display for CudnnVersion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.0.iter().map(u32::to_string).collect();
        out.write_str(&numbers.join("."))
    }
}

/// Which version of cog's own package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SdkVersion {
    /// This one.
    Exactly(Version),
    /// The newest, one before its release too.
    Prerelease,
}

impl fmt::Display for SdkVersion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(version) => version.fmt(out),
            Self::Prerelease => out.write_str("prerelease"),
        }
    }
}

/// What is wrong with a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum VersionFinding {
    /// No version of Python.
    #[error("`{text}` is no version of Python: it must be `3.MINOR` or `3.MINOR.PATCH`")]
    #[diagnostic(code("project::cog-yaml::python-version"), help("{way_out}"))]
    Python {
        /// What is written.
        text: String,
        /// What was meant.
        way_out: String,
        /// Where.
        #[label("not read as a version")]
        place: Place,
    },
    /// One that is not served.
    #[error(
        "Python {python} is not among the versions 3.{OLDEST_PYTHON} to 3.{NEWEST_PYTHON} that are served"
    )]
    #[diagnostic(code("project::cog-yaml::python-range"), help("{way_out}"))]
    PythonRange {
        /// What is written.
        python: String,
        /// What was meant.
        way_out: String,
        /// Where.
        #[label("too old or too new")]
        place: Place,
    },
    /// No version of CUDA.
    #[error("`{text}` is no version of CUDA: it must be `MAJOR.MINOR`, from 11.0 on")]
    #[diagnostic(code("project::cog-yaml::cuda"), help("write it as in `cuda: \"12.4\"`"))]
    Cuda {
        /// What is written.
        text: String,
        /// Where.
        #[label("not served")]
        place: Place,
    },
    /// No version of cuDNN.
    #[error("`{text}` is no version of cuDNN: it must be numbers divided by dots")]
    #[diagnostic(code("project::cog-yaml::cudnn"), help("write it as in `cudnn: \"9\"`"))]
    Cudnn {
        /// What is written.
        text: String,
        /// Where.
        #[label("not read as a version")]
        place: Place,
    },
    /// No version of cog.
    #[error("`{text}` is no version of the package `cog`")]
    #[diagnostic(
        code("project::cog-yaml::sdk-version"),
        help("write a version as in `sdk_version: \"0.17.0\"`, or `prerelease`")
    )]
    Sdk {
        /// What is written.
        text: String,
        /// Where.
        #[label("neither a version nor `prerelease`")]
        place: Place,
    },
    /// An old version of cog.
    #[error("version {version} of the package `cog` cannot serve what is built here")]
    #[diagnostic(code("project::cog-yaml::sdk-too-old"), help("take 0.17.0 or a newer one"))]
    SdkTooOld {
        /// Which.
        version: Version,
        /// Where.
        #[label("before 0.17.0")]
        place: Place,
    },
}

const PYTHON: Form = Form {
    key: "build.python_version",
    expected: "a text, the version of Python",
    example: "python_version: \"3.12\"",
};
const CUDA: Form =
    Form { key: "build.cuda", expected: "a text, the version of CUDA", example: "cuda: \"12.4\"" };
const CUDNN: Form =
    Form { key: "build.cudnn", expected: "a text, the version of cuDNN", example: "cudnn: \"9\"" };
const SDK: Form = Form {
    key: "build.sdk_version",
    expected: "a text, a version of the package `cog`",
    example: "sdk_version: \"0.17.0\"",
};

/// Numbers divided by dots, without anything else.
fn numbers(text: &str) -> Option<Vec<u32>> {
    let number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())?;
    text.split('.').map(number).collect()
}

pub(crate) fn python(reading: &mut Reading, fields: &Fields<'_>) -> Option<Placed<PythonVersion>> {
    let text = reading.text(fields.value("python_version")?, PYTHON)?;
    let place = text.place;
    let version = match numbers(text.trim()).as_deref() {
        Some([3, minor]) => PythonVersion { minor: *minor, patch: None },
        Some([3, minor, patch]) => PythonVersion { minor: *minor, patch: Some(*patch) },
        Some([2, ..]) => {
            let way_out = format!("write a newer one, as in `python_version: \"3.{NEWEST_PYTHON}\"`");
            reading.found(VersionFinding::PythonRange { python: text.value, way_out, place });
            return None;
        }
        Some(_) | None => {
            let way_out = match text.trim().strip_prefix(['>', '=', '~', '^', '<', '!']) {
                Some(_) => "write the one version that the image has, without a comparison".to_owned(),
                None => "write it as in `python_version: \"3.12\"`".to_owned(),
            };
            reading.found(VersionFinding::Python { text: text.value, way_out, place });
            return None;
        }
    };
    if (OLDEST_PYTHON..=NEWEST_PYTHON).contains(&version.minor) {
        return Some(Placed::new(version, place));
    }
    // What is written without quotes is often a number that somebody's tool has shortened.
    let way_out = match version.minor {
        1 => "did you mean `\"3.10\"`?".to_owned(),
        minor if minor > NEWEST_PYTHON => format!("write `python_version: \"3.{NEWEST_PYTHON}\"`"),
        _ => format!("write `python_version: \"3.{OLDEST_PYTHON}\"` or a newer one"),
    };
    reading.found(VersionFinding::PythonRange { python: text.value, way_out, place });
    None
}

pub(crate) fn cuda(reading: &mut Reading, fields: &Fields<'_>) -> Option<Placed<CudaVersion>> {
    let text = reading.text(fields.value("cuda")?, CUDA)?;
    let version = match numbers(text.trim()).as_deref() {
        Some(&[major, minor]) if major >= 11 => Some(CudaVersion { major, minor, patch: None }),
        Some(&[major, minor, patch]) if major >= 11 => Some(CudaVersion { major, minor, patch: Some(patch) }),
        Some(_) | None => None,
    };
    if version.is_none() {
        reading.found(VersionFinding::Cuda { text: text.value, place: text.place });
    }
    version.map(|version| Placed::new(version, text.place))
}

pub(crate) fn cudnn(reading: &mut Reading, fields: &Fields<'_>) -> Option<Placed<CudnnVersion>> {
    let text = reading.text(fields.value("cudnn")?, CUDNN)?;
    let version = numbers(text.trim()).filter(|numbers| numbers.len() <= 4);
    if version.is_none() {
        reading.found(VersionFinding::Cudnn { text: text.value, place: text.place });
    }
    version.map(|numbers| Placed::new(CudnnVersion(numbers), text.place))
}

pub(crate) fn sdk(reading: &mut Reading, fields: &Fields<'_>) -> Option<Placed<SdkVersion>> {
    let text = reading.text(fields.value("sdk_version")?, SDK)?;
    let place = text.place;
    if text.value == "prerelease" {
        return Some(text.map(|_| SdkVersion::Prerelease));
    }
    let Ok(version) = text.parse::<Version>() else {
        reading.found(VersionFinding::Sdk { text: text.value, place });
        return None;
    };
    // cog itself has no schema for one before.
    if version < Version::new([0, 17]) {
        reading.found(VersionFinding::SdkTooOld { version, place });
        return None;
    }
    Some(Placed::new(SdkVersion::Exactly(version), place))
}
