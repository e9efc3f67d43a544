//! Variables of the image: `environment`.

use std::collections::BTreeMap;

use cogpack_frontends_source::{Place, Placed};
use cogpack_ir::plan::EnvName;
use miette::Diagnostic;

use crate::shape::{Fields, Form, Reading};

/// `NAME=VALUE`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// The name.
    pub name: EnvName,
    /// The value, which may be empty.
    pub value: String,
}

/// What is wrong with a variable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum EnvironmentFinding {
    /// No `=`.
    #[error("a variable has the form `NAME=VALUE`, and `{text}` has no `=`")]
    #[diagnostic(
        code("project::cog-yaml::variable"),
        help("write it as in `- {text}=value`; `cogpackc` takes no variables of the machine that builds")
    )]
    Form {
        /// What is written.
        text: String,
        /// Where.
        #[label("no value")]
        place: Place,
    },
    /// No name.
    #[error("`{name}` is no name of a variable")]
    #[diagnostic(
        code("project::cog-yaml::variable-name"),
        help("use letters, digits and `_`, and begin with no digit")
    )]
    Name {
        /// What is written.
        name: String,
        /// Where.
        #[label("before the `=`")]
        place: Place,
    },
    /// A zero byte.
    #[error("the value of the variable `{name}` has a zero byte")]
    #[diagnostic(code("project::cog-yaml::variable-zero"), help("take it away: a variable ends at one"))]
    Zero {
        /// Its name.
        name: String,
        /// Where.
        #[label("in here")]
        place: Place,
    },
    /// Twice.
    #[error("the variable `{name}` is set twice")]
    #[diagnostic(code("project::cog-yaml::variable-twice"), help("keep one of the two"))]
    Twice {
        /// Its name.
        name: String,
        /// The second.
        #[label("set again here")]
        place: Place,
        /// The first.
        #[label("set first here")]
        first: Place,
    },
    /// One that the image sets.
    #[error("the variable `{name}` cannot be set here: {why}")]
    #[diagnostic(code("project::cog-yaml::variable-denied"), help("{way_out}"))]
    Denied {
        /// Its name.
        name: String,
        /// Whose it is.
        why: &'static str,
        /// What to do.
        way_out: &'static str,
        /// Where.
        #[label("belongs to the image")]
        place: Place,
    },
}

const LIST: Form = Form {
    key: "environment",
    expected: "a list of `NAME=VALUE`",
    example: "environment: [\"LOG_LEVEL=debug\"]",
};
const ITEM: Form =
    Form { key: "environment[]", expected: "a text `NAME=VALUE`", example: "- LOG_LEVEL=debug" };

const OF_THE_IMAGE: &[&str] =
    &["LD_LIBRARY_PATH", "LIBRARY_PATH", "PATH", "PYTHONPATH", "PYTHONUNBUFFERED", "VIRTUAL_ENV"];
const OF_DOWNLOADS: &[&str] = &["HF_ENDPOINT", "HF_HUB_ENABLE_HF_TRANSFER"];
const PREFIXES_OF_THE_PLATFORM: &[&str] = &["KUBERNETES_", "PGET_", "R8_", "REPLICATE_"];
const PREFIXES_OF_THE_GPU: &[&str] = &["CUDA_", "NVIDIA_", "NV_"];

pub(crate) fn read(reading: &mut Reading, fields: &Fields<'_>) -> Vec<Placed<Variable>> {
    let Some(node) = fields.value("environment") else { return Vec::new() };
    let mut first: BTreeMap<EnvName, Place> = BTreeMap::new();
    let mut variables = Vec::new();
    for text in reading.texts(node, LIST, ITEM) {
        let place = text.place;
        let Some((name, value)) = text.split_once('=') else {
            reading.found(EnvironmentFinding::Form { text: text.value, place });
            continue;
        };
        // A plan may carry over `.` and `-` from images, but no shell reads such a variable.
        let known = EnvName::new(name).ok().filter(|_| !name.contains(['.', '-']));
        let Some(known) = known else {
            reading.found(EnvironmentFinding::Name { name: name.to_owned(), place });
            continue;
        };
        if let Some((why, way_out)) = denied(name) {
            reading.found(EnvironmentFinding::Denied { name: name.to_owned(), why, way_out, place });
            continue;
        }
        if value.contains('\0') {
            reading.found(EnvironmentFinding::Zero { name: name.to_owned(), place });
            continue;
        }
        if let Some(first) = first.get(&known).copied() {
            reading.found(EnvironmentFinding::Twice { name: name.to_owned(), place, first });
            continue;
        }
        first.insert(known.clone(), place);
        variables.push(Placed::new(Variable { name: known, value: value.to_owned() }, place));
    }
    variables
}

/// Why a variable is not the project's to set, and what to do.
fn denied(name: &str) -> Option<(&'static str, &'static str)> {
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    if OF_THE_IMAGE.contains(&name) {
        Some((
            "the image sets it, so that Python and its packages are found",
            "take it away, or set it in the program, before it is needed",
        ))
    } else if OF_DOWNLOADS.contains(&name) {
        Some(("where the image runs, it says how weights are fetched", "take it away"))
    } else if begins(PREFIXES_OF_THE_PLATFORM) {
        Some(("names that begin so belong to what runs the image", "choose a name that begins otherwise"))
    } else if begins(PREFIXES_OF_THE_GPU) {
        Some((
            "names that begin so belong to CUDA and its driver",
            "set it in the program, before it uses CUDA; which CUDA there is, `build.cuda` says",
        ))
    } else {
        None
    }
}
