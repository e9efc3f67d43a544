//! Weights that are brought beside the image: `weights`.

use cogpack_frontends_source::{Place, Placed};
use miette::Diagnostic;

use crate::document::{Content, Node};
use crate::shape::{Fields, Form, Reading, ShapeFinding, Table};

mod sources;

pub use sources::{SourceFinding, WeightSource, WeightUri};

/// A set of files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weight {
    /// `name`
    pub name: Placed<String>,
    /// `target`: the directory in the image, absolute, without `.` or `..`.
    pub target: Placed<String>,
    /// `source`: where they come from; of a file that two have, the later one counts.
    pub sources: Vec<WeightSource>,
}

/// What is wrong with weights.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum WeightFinding {
    /// No model.
    #[error("`weights` need `model`, the repository that they are pushed to")]
    #[diagnostic(code("project::cog-yaml::weights-model"), help("{way_out}"))]
    NoModel {
        /// What to do.
        way_out: &'static str,
        /// The key.
        #[label("no `model` beside it")]
        place: Place,
    },
    /// No name.
    #[error("`{name}` is no name of weights")]
    #[diagnostic(
        code("project::cog-yaml::weight-name"),
        help("use lower-case letters and digits, with one `-`, `_` or `.` between them, as in `sd-xl.base`")
    )]
    Name {
        /// What is written.
        name: String,
        /// Where.
        #[label("not a name")]
        place: Place,
    },
    /// A name twice.
    #[error("two weights are called `{name}`")]
    #[diagnostic(
        code("project::cog-yaml::weight-twice"),
        help("give each a name of its own, or write one with a list of sources")
    )]
    Twice {
        /// The name.
        name: String,
        /// The second.
        #[label("again here")]
        place: Place,
        /// The first.
        #[label("first here")]
        first: Place,
    },
    /// No target.
    #[error("`target` must be an absolute directory below `/`, and this is `{target}`")]
    #[diagnostic(code("project::cog-yaml::weight-target"), help("write it as in `target: /src/weights`"))]
    Target {
        /// What is written.
        target: String,
        /// Where.
        #[label("not such a directory")]
        place: Place,
    },
    /// One target in another.
    #[error("the target `{target}` is {relation} `{other}`, which other weights have")]
    #[diagnostic(
        code("project::cog-yaml::weight-overlap"),
        help("give each a directory of its own, none in another")
    )]
    Overlap {
        /// The second.
        target: String,
        /// `the same as`, `in` or `around`.
        relation: &'static str,
        /// The first.
        other: String,
        /// The second.
        #[label("this target")]
        place: Place,
        /// The first.
        #[label("and this one")]
        first: Place,
    },
    /// What is wrong with a source.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Source(#[from] SourceFinding),
}

const LIST: Form = Form {
    key: "weights",
    expected: "a list of weights",
    example: "weights: [{ name: base, target: /src/weights, source: { uri: hf://org/repo } }]",
};
const ITEM: Form = Form {
    key: "weights[]",
    expected: "a mapping",
    example: "- { name: base, target: /src/weights, source: { uri: hf://org/repo } }",
};
const NAME: Form = Form { key: "weights[].name", expected: "a text", example: "name: base" };
const TARGET: Form =
    Form { key: "weights[].target", expected: "a text, a directory", example: "target: /src/weights" };
const TABLE: Table = Table {
    owner: "an item of `weights`",
    keys: &["name", "source", "target"],
    elsewhere: &[(&["uri", "include", "exclude"], "`KEY` belongs below `source`")],
};

pub(crate) fn read(reading: &mut Reading, document: &Fields<'_>) -> Vec<Weight> {
    let Some((key, node)) = document.get("weights") else { return Vec::new() };
    let items = reading.list(node, LIST);
    if document.get("model").is_none() && !matches!(&node.content, Content::List(items) if items.is_empty()) {
        let way_out = match document.get("image") {
            Some(_) => "write the repository as `model` instead of `image`",
            None => "add it, as in `model: registry.example/team/model`",
        };
        reading.found(WeightFinding::NoModel { way_out, place: key.place });
    }
    let mut weights: Vec<Weight> = Vec::new();
    for item in items {
        let Some(weight) = weight(reading, item) else { continue };
        if let Some(other) = weights.iter().find(|other| other.name.value == weight.name.value) {
            let (name, place) = (weight.name.value.clone(), weight.name.place);
            reading.found(WeightFinding::Twice { name, place, first: other.name.place });
        }
        let overlap =
            weights.iter().find_map(|other| Some((relation(&weight.target, &other.target)?, other)));
        if let Some((relation, other)) = overlap {
            reading.found(WeightFinding::Overlap {
                target: weight.target.value.clone(),
                relation,
                other: other.target.value.clone(),
                place: weight.target.place,
                first: other.target.place,
            });
        }
        weights.push(weight);
    }
    weights
}

fn weight(reading: &mut Reading, item: &Node) -> Option<Weight> {
    let fields = reading.fields(item, ITEM, &TABLE)?;
    let mut missing = |key, way_out| {
        reading.found(ShapeFinding::Missing { key, way_out, place: fields.place });
    };
    if fields.get("name").is_none() {
        missing("weights[].name", "add it, as in `name: base`");
    }
    if fields.get("target").is_none() {
        missing("weights[].target", "add the directory in the image, as in `target: /src/weights`");
    }
    if fields.get("source").is_none() {
        missing("weights[].source", "add where they come from, as in `source: { uri: hf://org/repo }`");
    }
    let name = fields.value("name").and_then(|node| name(reading, node));
    let target = fields.value("target").and_then(|node| target(reading, node));
    let sources = fields.value("source").map(|node| sources::read(reading, node));
    Some(Weight { name: name?, target: target?, sources: sources? })
}

fn name(reading: &mut Reading, node: &Node) -> Option<Placed<String>> {
    let name = reading.text(node, NAME)?;
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(is_letter);
    if name.split(['.', '_', '-']).all(is_part) {
        return Some(name);
    }
    reading.found(WeightFinding::Name { name: name.value, place: name.place });
    None
}

/// The directory without `.`, `..` and what is written twice.
fn target(reading: &mut Reading, node: &Node) -> Option<Placed<String>> {
    let target = reading.text(node, TARGET)?;
    let mut parts: Vec<&str> = Vec::new();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    let is_directory =
        target.starts_with('/') && !parts.is_empty() && !target.contains(['\0', '\n', '\r', '\\']);
    if is_directory {
        let clean = format!("/{}", parts.join("/"));
        return Some(Placed::new(clean, target.place));
    }
    reading.found(WeightFinding::Target { target: target.value, place: target.place });
    None
}

fn relation(target: &str, other: &str) -> Option<&'static str> {
    let is_in =
        |inner: &str, outer: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'));
    if target == other {
        Some("the same as")
    } else if is_in(target, other) {
        Some("in")
    } else {
        is_in(other, target).then_some("around")
    }
}
