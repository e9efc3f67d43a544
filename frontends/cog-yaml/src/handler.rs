//! What is run: `run.py:Runner`.

use std::fmt;

use cogpack_frontends_source::{Named, Place, Placed, SourcePath};
use miette::Diagnostic;

use crate::shape::{Fields, Form, Reading};

/// A class or a function of a file of the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handler {
    /// The file.
    pub file: SourcePath,
    /// The path to it as it is written, relative to the directory of `cog.yaml`.
    pub written: String,
    /// The class or the function.
    pub name: String,
}

impl fmt::Display for Handler {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.written, self.name)
    }
}

/// What is wrong with what is run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum HandlerFinding {
    /// No such form.
    #[error("`{key}` has the form `FILE.py:NAME`, and `{text}` {problem}")]
    #[diagnostic(
        code("project::cog-yaml::handler"),
        help("write the file, `:` and the class or function, as in `{key}: run.py:Runner`")
    )]
    Form {
        /// `run`, `predict` or `train`.
        key: &'static str,
        /// What is written.
        text: String,
        /// What it lacks.
        problem: String,
        /// Where.
        #[label("names no class or function of a file")]
        place: Place,
    },
    /// Both names of one key.
    #[error("`predict` and `run` are two names of one key")]
    #[diagnostic(code("project::cog-yaml::predict-and-run"), help("keep `run`, which is the newer name"))]
    Both {
        /// The older.
        #[label("the older name")]
        place: Place,
        /// The newer.
        #[label("the newer name")]
        run: Place,
    },
    /// The older name.
    #[error("`predict` is now called `run`")]
    #[diagnostic(
        code("project::cog-yaml::deprecated-predict"),
        severity(Warning),
        help("write `run:` instead; it means the same")
    )]
    Predict {
        /// The key.
        #[label("the older name")]
        place: Place,
    },
}

pub(crate) fn read(reading: &mut Reading, fields: &Fields<'_>, key: &'static str) -> Option<Placed<Handler>> {
    let example = match key {
        "train" => "train: train.py:train",
        _ => "run: run.py:Runner",
    };
    let form = Form { key, expected: "a text `FILE.py:NAME`", example };
    let text = reading.text(fields.value(key)?, form)?;
    match parse(&text) {
        Ok(handler) => Some(text.map(|_| handler)),
        Err(problem) => {
            reading.found(HandlerFinding::Form { key, text: text.value, problem, place: text.place });
            None
        }
    }
}

/// A path from the project's directory on, wherever the file is that says it.
fn parse(text: &str) -> Result<Handler, String> {
    let named = Named::read(text).map_err(|why| why.to_string())?;
    let out_of_reach = |problem| format!("is out of reach: {problem}");
    let file = SourcePath::new(named.path).map_err(out_of_reach)?;
    Ok(Handler { file, written: named.path.to_owned(), name: named.name.to_owned() })
}
