//! What is wrong with a project, of any family.

use cogpack_catalogue::CatalogueFinding;
use cogpack_catalogue::choose::NoneFits;
use cogpack_frontends_cog_yaml::CogYamlFinding;
use cogpack_frontends_python::project::PythonFinding as PythonFileFinding;
use cogpack_frontends_schema::SchemaFinding;
use cogpack_frontends_source::FileFinding;
use miette::{Diagnostic, Severity};

use super::python::debs_finding::DebsFinding;
use super::python::finding::PythonFinding;
use super::python::fit::FitFinding;
use super::python::unsolvable::UnsolvableRequirements;
use crate::composer::ComposeFinding;

/// A finding of any family. Which file its labels are ranges of, whoever holds it says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum ProjectFinding {
    /// Which stack it is.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Stack(#[from] StackFinding),
    /// `cog.yaml`.
    #[error(transparent)]
    #[diagnostic(transparent)]
    CogYaml(#[from] CogYamlFinding),
    /// The Python project.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Python(#[from] PythonFinding),
    /// A base of Debian packages, or their lock.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Debs(#[from] DebsFinding),
    /// What the Python project requires together.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Unsolvable(#[from] UnsolvableRequirements),
    /// A file of the Python project.
    #[error(transparent)]
    #[diagnostic(transparent)]
    PythonFile(#[from] PythonFileFinding),
    /// What fits together.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Fit(#[from] FitFinding),
    /// What the model takes and gives.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Schema(#[from] SchemaFinding),
    /// A catalogue of base images.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Catalogue(#[from] CatalogueFinding),
    /// No base image fits.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Base(#[from] NoneFits),
    /// A file that cannot be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] FileFinding),
    /// How what blocks ask for fits together.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Compose(#[from] ComposeFinding),
}

impl ProjectFinding {
    /// Whether nothing can be planned with it.
    pub fn is_error(&self) -> bool {
        self.severity().unwrap_or(Severity::Error) == Severity::Error
    }
}

/// Why no stack was chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum StackFinding {
    /// No stack knows such a project.
    #[error("there is nothing here that an image could be planned from")]
    #[diagnostic(
        code("project::stack::none"),
        help(
            "for a model in Python write a `cog.yaml` that says what is run, for instance `run: \
             \"predict.py:Predictor\"`; another project in Python has a `pyproject.toml`, a `requirements.txt` or a \
             `main.py`; or write the plan itself, `plan.cpk`. The kinds of projects are: {known}"
        )
    )]
    None {
        /// The stacks there are.
        known: String,
    },
    /// Several stacks do, for equally good reasons.
    #[error("the project could be planned in more than one way: {claims}")]
    #[diagnostic(
        code("project::stack::several"),
        help("say which: `--stack {first}`, or the setting `stack = \"{first}\"` of the project")
    )]
    Several {
        /// Each stack and its best evidence.
        claims: String,
        /// One of them.
        first: String,
    },
    /// A name that no stack has.
    #[error("there is no stack `{named}`")]
    #[diagnostic(code("project::stack::unknown"), help("{}", unknown_help(near, known)))]
    Unknown {
        /// What was named.
        named: String,
        /// A stack with a near name.
        near: Option<String>,
        /// The stacks there are.
        known: String,
    },
    /// A stack that finds nothing of its own.
    #[error("the project has nothing that the stack `{named}` plans")]
    #[diagnostic(code("project::stack::unfit"), help("leave `--stack` away, and the project's files decide"))]
    Unfit {
        /// What was named.
        named: String,
    },
}

fn unknown_help(near: &Option<String>, known: &str) -> String {
    match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the stacks are: {known}"),
    }
}
