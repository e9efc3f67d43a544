//! What is wrong with a `pyproject.toml`.

use cogpack_frontends_source::{Place, SourcePath};
use miette::Diagnostic;

use crate::requirement::RequirementFinding;

/// What is wrong with a `pyproject.toml`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum PyprojectFinding {
    /// A requirement.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Requirement(#[from] RequirementFinding),
    /// It is no TOML.
    #[error("this is not TOML: {problem}")]
    #[diagnostic(
        code("project::pyproject::syntax"),
        help("texts stand in quotes, lists in `[` and `]`, and each key is there once")
    )]
    Syntax {
        /// What is wrong, in the reader's words.
        problem: String,
        /// Where reading stopped.
        #[label("here")]
        place: Place,
    },
    /// A value of another kind.
    #[error("`{key}` must be {expected}, and this is a value of the type {found}")]
    #[diagnostic(code("project::pyproject::wrong-type"), help("write {expected}"))]
    WrongType {
        /// The key.
        key: String,
        /// What must stand there.
        expected: &'static str,
        /// What does.
        found: &'static str,
        /// The value.
        #[label("not {expected}")]
        place: Place,
    },
    /// No name of a project.
    #[error("`{name}` is no name of a project")]
    #[diagnostic(
        code("project::pyproject::name"),
        help("use letters, digits, `-`, `_` and `.`, with a letter or a digit at both ends")
    )]
    Name {
        /// What is written.
        name: String,
        /// Where.
        #[label("not a name")]
        place: Place,
    },
    /// No versions of Python.
    #[error("`requires-python` says versions, and `{text}` is none")]
    #[diagnostic(
        code("project::pyproject::requires-python"),
        help("write it as in `requires-python = \">=3.11\"`")
    )]
    RequiresPython {
        /// What is written.
        text: String,
        /// Where.
        #[label("not read as versions")]
        place: Place,
    },
    /// Dependencies that a program would have to say.
    #[error("the dependencies are `dynamic`: a program would have to be run to learn them")]
    #[diagnostic(
        code("project::pyproject::dynamic"),
        help(
            "write them as `dependencies` below `[project]`, or keep them in `requirements.txt` and lock that"
        )
    )]
    Dynamic {
        /// Where.
        #[label("not said in this file")]
        place: Place,
    },
    /// Dependencies in the form of another tool.
    #[error("the dependencies are in the form of Poetry alone")]
    #[diagnostic(
        code("project::pyproject::poetry"),
        help(
            "write `[project]` with `dependencies`, which Poetry 2 reads as well, or export a `requirements.txt`"
        )
    )]
    Poetry {
        /// Where.
        #[label("not read here")]
        place: Place,
    },
    /// A group that is not there.
    #[error("there is no dependency group `{name}`")]
    #[diagnostic(code("project::pyproject::group"), help("{way_out}"))]
    UnknownGroup {
        /// Which.
        name: String,
        /// What was meant.
        way_out: String,
        /// Where it is included.
        #[label("no group has this name")]
        place: Place,
    },
    /// Groups that include each other.
    #[error("dependency groups include each other in a circle: {chain}")]
    #[diagnostic(code("project::pyproject::group-cycle"), help("take one of these away"))]
    GroupCycle {
        /// The groups.
        chain: String,
        /// Where.
        #[label("this closes the circle")]
        place: Place,
    },
    /// Settings in two files.
    #[error("the settings stand in two files: here, and in `{other}`")]
    #[diagnostic(
        code("project::pyproject::settings-twice"),
        help("move all of them to one of the two, and take the other away")
    )]
    SettingsTwice {
        /// The other file.
        other: SourcePath,
        /// Where.
        #[label("settings here too")]
        place: Place,
    },
    /// A setting that nobody knows.
    #[error("{owner} has no setting `{key}`")]
    #[diagnostic(code("project::pyproject::unknown-setting"), help("{way_out}"))]
    UnknownSetting {
        /// What has its keys.
        owner: &'static str,
        /// The key.
        key: String,
        /// What was meant.
        way_out: String,
        /// Where.
        #[label("unknown setting")]
        place: Place,
    },
    /// A setting's value.
    #[error("`{key}` cannot be `{text}`")]
    #[diagnostic(code("project::pyproject::setting"), help("{way_out}"))]
    Setting {
        /// The key.
        key: String,
        /// What is written.
        text: String,
        /// What it may be.
        way_out: &'static str,
        /// Where.
        #[label("not such a value")]
        place: Place,
    },
}

impl PyprojectFinding {
    /// Whether it is that this file does not say what the project depends on.
    pub(crate) fn is_of_unsaid_dependencies(&self) -> bool {
        matches!(self, Self::Dynamic { .. } | Self::Poetry { .. })
    }
}
