//! Where weights come from: `weights[].source`.

use std::fmt;

use cogpack_frontends_source::{Place, Placed};
use miette::Diagnostic;

use crate::document::{Content, Node};
use crate::shape::{Form, Reading, ShapeFinding, Table};
use crate::weights::WeightFinding;

/// One source of weights, and which of its files are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightSource {
    /// `uri`
    pub uri: Placed<WeightUri>,
    /// `include`: patterns of files that are meant; all where there are none.
    pub include: Vec<Placed<String>>,
    /// `exclude`: patterns of files that are not, whatever `include` says.
    pub exclude: Vec<Placed<String>>,
}

/// An address of weights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WeightUri {
    /// A directory, as it is written behind `file://`.
    Directory(String),
    /// A repository of a hub of models.
    Hub {
        /// `org/name`
        repository: String,
        /// What is behind `@`, unless that is `main`.
        revision: Option<String>,
    },
    /// One file.
    File(String),
}

impl fmt::Display for WeightUri {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path) => write!(out, "file://{path}"),
            Self::Hub { repository, revision: None } => write!(out, "hf://{repository}"),
            Self::Hub { repository, revision: Some(revision) } => write!(out, "hf://{repository}@{revision}"),
            Self::File(address) => out.write_str(address),
        }
    }
}

/// What is wrong with a source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum SourceFinding {
    /// No address.
    #[error("`{uri}` is no source of weights: {problem}")]
    #[diagnostic(code("project::cog-yaml::weight-source"), help("{way_out}"))]
    Uri {
        /// What is written.
        uri: String,
        /// What is wrong.
        problem: &'static str,
        /// What to do.
        way_out: &'static str,
        /// Where.
        #[label("not read from there")]
        place: Place,
    },
    /// No source at all.
    #[error("the list of sources is empty")]
    #[diagnostic(code("project::cog-yaml::weight-no-source"), help("add one, as in `- uri: hf://org/repo`"))]
    Empty {
        /// Where.
        #[label("nothing in here")]
        place: Place,
    },
    /// No pattern.
    #[error("`{pattern}` is no pattern of files: {problem}")]
    #[diagnostic(code("project::cog-yaml::weight-pattern"), help("{way_out}"))]
    Pattern {
        /// What is written.
        pattern: String,
        /// What is wrong.
        problem: &'static str,
        /// What to do.
        way_out: &'static str,
        /// Where.
        #[label("not a pattern")]
        place: Place,
    },
}

const SOURCE: Form = Form {
    key: "weights[].source",
    expected: "a mapping or a list of mappings",
    example: "source: { uri: hf://org/repo }",
};
const URI: Form =
    Form { key: "weights[].source.uri", expected: "a text, an address", example: "uri: hf://org/repo" };
const PATTERNS: [Form; 2] = [
    Form {
        key: "weights[].source.include",
        expected: "a list of patterns",
        example: "include: [\"*.safetensors\"]",
    },
    Form { key: "weights[].source.exclude", expected: "a list of patterns", example: "exclude: [\"*.bin\"]" },
];
const TABLE: Table =
    Table { owner: "a source of weights", keys: &["exclude", "include", "uri"], elsewhere: &[] };

pub(super) fn read(reading: &mut Reading, node: &Node) -> Vec<WeightSource> {
    match &node.content {
        Content::List(items) if items.is_empty() => {
            reading.found(WeightFinding::Source(SourceFinding::Empty { place: node.place }));
            Vec::new()
        }
        Content::List(items) => items.iter().filter_map(|item| source(reading, item)).collect(),
        Content::Mapping(_) | Content::Null | Content::Scalar { .. } => {
            source(reading, node).into_iter().collect()
        }
    }
}

fn source(reading: &mut Reading, node: &Node) -> Option<WeightSource> {
    let fields = reading.fields(node, SOURCE, &TABLE)?;
    let [include, exclude] = PATTERNS.map(|form| {
        let key = form.key.rsplit('.').next().unwrap_or_default();
        match fields.value(key) {
            Some(node) => patterns(reading, node, form),
            None => Vec::new(),
        }
    });
    let Some(node) = fields.value("uri") else {
        let way_out = "add where the files are, as in `uri: hf://org/repo`";
        reading.found(ShapeFinding::Missing { key: "weights[].source.uri", way_out, place: fields.place });
        return None;
    };
    let text = reading.text(node, URI)?;
    match uri(&text) {
        Ok(uri) => Some(WeightSource { uri: Placed::new(uri, text.place), include, exclude }),
        Err((problem, way_out)) => {
            let place = text.place;
            // A password is not said once more.
            let uri = match (text.split_once("://"), text.split_once('@')) {
                (Some((scheme, _)), Some((before, after))) if before.contains(':') => {
                    format!("{scheme}://…@{after}")
                }
                _ => text.value,
            };
            let finding = SourceFinding::Uri { uri, problem, way_out, place };
            reading.found(WeightFinding::Source(finding));
            None
        }
    }
}

fn uri(text: &str) -> Result<WeightUri, (&'static str, &'static str)> {
    const FORMS: &str = "write `hf://ORG/REPO`, `https://…/FILE`, or `file://./DIRECTORY`";
    if text.is_empty() || text.contains(char::is_whitespace) || text.contains('\0') {
        return Err(("it is empty or has a space", FORMS));
    }
    let (scheme, rest) = text.split_once("://").unwrap_or(("file", text));
    match scheme {
        "file" => directory(rest).map(WeightUri::Directory),
        "hf" | "huggingface" => {
            let (repository, revision) = match rest.split_once('@') {
                Some((repository, revision)) => (repository, Some(revision)),
                None => (rest, None),
            };
            let is_part = |part: &str| !part.is_empty() && part != "." && part != "..";
            let is_pair = repository.split('/').count() == 2 && repository.split('/').all(is_part);
            if !is_pair || revision == Some("") {
                return Err((
                    "behind `hf://` stand an organisation, `/` and a repository",
                    "write `hf://ORG/REPO` or `hf://ORG/REPO@REVISION`; single files `include` names",
                ));
            }
            let revision = revision.filter(|revision| *revision != "main").map(str::to_owned);
            Ok(WeightUri::Hub { repository: repository.to_owned(), revision })
        }
        "http" | "https" => {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            let path = path.split(['?', '#']).next().unwrap_or_default();
            if host.contains('@') {
                return Err(("it has a user in it", "take it out: the address stays in the image's records"));
            }
            if host.is_empty() || path.rsplit('/').next().is_none_or(str::is_empty) {
                return Err(("it names no file", "write the address of one file, up to its name"));
            }
            Ok(WeightUri::File(text.to_owned()))
        }
        "s3" | "gs" | "gcs" | "az" | "oci" => Err((
            "weights are not fetched from there",
            "give the file by `https://`, put it on a hub, or fetch the files first and name their directory",
        )),
        _ => Err(("its scheme is not known", FORMS)),
    }
}

fn directory(path: &str) -> Result<String, (&'static str, &'static str)> {
    let mut below = 0_i32;
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => below -= 1,
            _ => below += 1,
        }
        if below < 0 {
            return Err((
                "it leads out of the project",
                "move the files into the project, or name them by an absolute path",
            ));
        }
    }
    if below == 0 {
        return Err(("it is the project itself", "name a directory of it, as in `file://./weights`"));
    }
    Ok(path.to_owned())
}

fn patterns(reading: &mut Reading, node: &Node, form: Form) -> Vec<Placed<String>> {
    let item = Form { expected: "a text, a pattern", example: "- \"*.safetensors\"", ..form };
    let texts = reading.texts(node, form, item);
    let mut patterns = Vec::new();
    for text in texts {
        let problem = if text.trim().is_empty() {
            Some(("it is empty", "take it away"))
        } else if text.trim_start().starts_with('!') {
            Some((
                "it begins with `!`",
                "write what it takes back under the other of `include` and `exclude`",
            ))
        } else if text.contains('\\') {
            Some(("it has a `\\`", "divide paths by `/`"))
        } else {
            None
        };
        match problem {
            None => patterns.push(text.map(|pattern| pattern.trim().to_owned())),
            Some((problem, way_out)) => {
                let place = text.place;
                let finding = SourceFinding::Pattern { pattern: text.value, problem, way_out, place };
                reading.found(WeightFinding::Source(finding));
            }
        }
    }
    patterns
}
