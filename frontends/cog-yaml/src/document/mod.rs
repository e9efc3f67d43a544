//! A YAML document as a small tree in which everything has its place.
//!
//! Numbers stay the text that is written. Anchors and aliases are followed, up to a size that no
//! honest document has; keys that merge (`<<`), tags of one's own, keys that are no texts and a
//! second document are refused by name.

mod load;
mod offsets;

use std::sync::Arc;

use cogpack_frontends_source::Place;
use miette::Diagnostic;

pub(crate) use load::load;

/// Lists in mappings in lists: more than any key of `cog.yaml` has, and less than a stack.
pub(crate) const DEPTH: usize = 32;

/// Values in a document, those behind an alias counted each time.
pub(crate) const MOST_VALUES: usize = 20_000;

/// A value.
#[derive(Debug)]
pub(crate) struct Node {
    pub place: Place,
    pub content: Content,
    /// How many values it is, itself and what is behind aliases among them.
    pub size: usize,
}

/// What a value is.
#[derive(Debug)]
pub(crate) enum Content {
    /// Nothing, `~` or `null`.
    Null,
    /// A text, or what is written without quotes and may mean a number, true or false.
    Scalar { text: String, is_plain: bool },
    /// A list.
    List(Vec<Arc<Node>>),
    /// A mapping, in the order of writing; no key is there twice.
    Mapping(Vec<(Key, Arc<Node>)>),
}

/// A key of a mapping.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub text: String,
    pub place: Place,
}

impl Node {
    /// The value in words.
    pub fn in_words(&self) -> &'static str {
        match &self.content {
            Content::Null => "nothing",
            Content::List(_) => "a list",
            Content::Mapping(_) => "a mapping",
            Content::Scalar { text, is_plain: true } if truth(text).is_some() => "true or false",
            Content::Scalar { text, is_plain: true } if text.parse::<f64>().is_ok() => "a number",
            Content::Scalar { .. } => "a text",
        }
    }
}

/// What YAML takes for true and for false.
pub(crate) fn truth(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

/// What a key that is true or false takes for them: beside the words of YAML 1.2, those of 1.1. Cog reads
/// `cog.yaml` by go-yaml 2, whose table of words (`resolve.go`) has both. No other key looks here: where a text
/// is asked for, `yes` is the text `yes`, with cog as well.
pub(crate) fn truth_or_answer(text: &str) -> Option<bool> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        other => truth(other),
    }
}

/// Why a text is no YAML document that is read here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum DocumentFinding {
    /// It is no YAML.
    #[error("this is not YAML: {problem}")]
    #[diagnostic(code("project::cog-yaml::syntax"), help("{way_out}"))]
    Syntax {
        /// What is wrong, in the reader's words.
        problem: String,
        /// What to do.
        way_out: String,
        /// Where reading stopped.
        #[label("reading stopped here")]
        place: Place,
    },
    /// A tab where YAML counts spaces.
    #[error("a line is indented with a tab")]
    #[diagnostic(
        code("project::cog-yaml::tab"),
        help("indent with spaces: a tab has no width that YAML could count")
    )]
    Tab {
        /// The tab.
        #[label("this is a tab")]
        place: Place,
    },
    /// A list or a text as the whole document.
    #[error("the document is {found}, and not a mapping of keys to values")]
    #[diagnostic(code("project::cog-yaml::not-a-mapping"), help("begin with a key, as in `build:`"))]
    NotAMapping {
        /// What it is.
        found: &'static str,
        /// Where it begins.
        #[label("here a key and `:` should stand")]
        place: Place,
    },
    /// A second document.
    #[error("there is a second document, and only one is read")]
    #[diagnostic(
        code("project::cog-yaml::several-documents"),
        help("take away the line `---` and what follows it, or move it to a file of its own")
    )]
    Several {
        /// Where it begins.
        #[label("a second document begins here")]
        place: Place,
    },
    /// A key twice.
    #[error("the key `{key}` is there twice")]
    #[diagnostic(code("project::cog-yaml::duplicate-key"), help("keep one of the two"))]
    Duplicate {
        /// The key.
        key: String,
        /// The second one.
        #[label("written again here")]
        place: Place,
        /// The first one.
        #[label("written first here")]
        first: Place,
    },
    /// A key that is no text.
    #[error("a key is {found}, and not a text")]
    #[diagnostic(
        code("project::cog-yaml::odd-key"),
        help(
            "write one of the keys that `cog.yaml` has; put a text that begins with `{{`, `[` or `*` in quotes"
        )
    )]
    OddKey {
        /// What it is.
        found: &'static str,
        /// Where it is.
        #[label("this stands where a key should")]
        place: Place,
    },
    /// `<<: *base`
    #[error("mappings are not merged by the key `<<`")]
    #[diagnostic(
        code("project::cog-yaml::merge"),
        help("write the keys out, or take the whole value over by an alias, as in `build: *base`")
    )]
    Merge {
        /// The key.
        #[label("no key of `cog.yaml`")]
        place: Place,
    },
    /// An alias of what it stands in.
    #[error("this alias stands in what it stands for")]
    #[diagnostic(code("project::cog-yaml::alias"), help("write the value instead of the alias"))]
    Alias {
        /// The alias.
        #[label("has no end")]
        place: Place,
    },
    /// `!python/object`
    #[error("the tag `{tag}` means nothing here")]
    #[diagnostic(code("project::cog-yaml::tag"), help("take the tag away; a text goes in quotes"))]
    Tag {
        /// The tag.
        tag: String,
        /// What it is of.
        #[label("the value that has it")]
        place: Place,
    },
    /// Too deep.
    #[error("values are nested more than {DEPTH} deep")]
    #[diagnostic(
        code("project::cog-yaml::nested"),
        help("no key of `cog.yaml` has values that deep: take it away")
    )]
    Nested {
        /// The first that is too deep.
        #[label("one too many")]
        place: Place,
    },
    /// Too large.
    #[error("the document has more than {MOST_VALUES} values")]
    #[diagnostic(
        code("project::cog-yaml::size"),
        help("values behind an alias count each time it is used: write fewer, or move lists into files")
    )]
    Size {
        /// Where counting ended.
        #[label("counting ended here")]
        place: Place,
    },
}
