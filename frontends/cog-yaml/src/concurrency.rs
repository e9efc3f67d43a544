//! Predictions side by side: `concurrency.max`.

use std::num::NonZeroU32;

use cogpack_frontends_source::{Place, Placed};
use miette::Diagnostic;

use crate::shape::{Fields, Form, Reading, ShapeFinding, Table};
use crate::versions::PythonVersion;

/// How many predictions run at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concurrency {
    /// `max`.
    pub max: Placed<NonZeroU32>,
}

/// What is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum ConcurrencyFinding {
    /// No number from 1 on.
    #[error("`concurrency.max` must be a whole number from 1 on, and this is `{text}`")]
    #[diagnostic(code("project::cog-yaml::concurrency"), help("write it as in `max: 4`"))]
    Number {
        /// What is written.
        text: String,
        /// Where.
        #[label("no such number")]
        place: Place,
    },
    /// An old Python.
    #[error("several predictions at once need Python 3.11 or newer, and this is for Python {python}")]
    #[diagnostic(
        code("project::cog-yaml::concurrency-python"),
        help("set `python_version: \"3.11\"` or newer, or `max: 1`")
    )]
    Python {
        /// Which.
        python: PythonVersion,
        /// The number.
        #[label("more than one at once")]
        place: Place,
        /// The version.
        #[label("an older Python")]
        version: Place,
    },
    /// There is a newer form.
    #[error("`concurrency` is now said in Python")]
    #[diagnostic(
        code("project::cog-yaml::deprecated-concurrency"),
        severity(Warning),
        help("write `@cog.concurrent(max={max})` above the method that predicts, and take this key away")
    )]
    Deprecated {
        /// The number.
        max: NonZeroU32,
        /// The key.
        #[label("the older form")]
        place: Place,
    },
}

const FORM: Form = Form { key: "concurrency", expected: "a mapping", example: "concurrency: { max: 4 }" };
const MAX: Form = Form { key: "concurrency.max", expected: "a whole number", example: "max: 4" };
const TABLE: Table = Table {
    owner: "`concurrency`",
    keys: &["max"],
    elsewhere: &[(&["default_target"], "take `KEY` away: it has never had an effect")],
};

pub(crate) fn read(
    reading: &mut Reading,
    fields: &Fields<'_>,
    python: Option<&Placed<PythonVersion>>,
) -> Option<Concurrency> {
    let (key, node) = fields.get("concurrency")?;
    let fields = reading.fields(node, FORM, &TABLE)?;
    let Some(node) = fields.value("max") else {
        let way_out = "write it as in `max: 4`";
        reading.found(ShapeFinding::Missing { key: "concurrency.max", way_out, place: key.place });
        return None;
    };
    let text = reading.text(node, MAX)?;
    let Ok(max) = text.parse::<NonZeroU32>() else {
        reading.found(ConcurrencyFinding::Number { text: text.value, place: text.place });
        return None;
    };
    if let Some(version) = python.filter(|version| max.get() > 1 && version.minor < 11) {
        let (python, version) = (version.value, version.place);
        reading.found(ConcurrencyFinding::Python { python, place: text.place, version });
    }
    reading.found(ConcurrencyFinding::Deprecated { max, place: key.place });
    Some(Concurrency { max: text.map(|_| max) })
}
