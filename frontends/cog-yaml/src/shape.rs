//! Whether values have the form that their key asks for, and whether keys are known.

use std::collections::BTreeMap;
use std::sync::Arc;

use cogpack_frontends_source::{Place, Placed};
use cogpack_ir::suggest::{did_you_mean, nearest};
use miette::Diagnostic;

use crate::document::{Content, Key, Node, truth, truth_or_answer};
use crate::finding::CogYamlFinding;
use crate::read::Strictness;

/// What is wrong with the form of a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum ShapeFinding {
    /// A key that nobody knows.
    #[error("{owner} has no key `{key}`")]
    #[diagnostic(code("project::cog-yaml::unknown-key"), help("{way_out}"))]
    UnknownKey {
        /// The key.
        key: String,
        /// Whose key it would be.
        owner: &'static str,
        /// What was meant, or which keys there are.
        way_out: String,
        /// The key.
        #[label("unknown key")]
        place: Place,
    },
    /// The same, where unknown keys are let pass.
    #[error("{owner} has no key `{key}`, so it changes nothing")]
    #[diagnostic(code("project::cog-yaml::unknown-key"), severity(Warning), help("{way_out}"))]
    IgnoredKey {
        /// The key.
        key: String,
        /// Whose key it would be.
        owner: &'static str,
        /// What was meant, or which keys there are.
        way_out: String,
        /// The key.
        #[label("without effect")]
        place: Place,
    },
    /// A value of another kind.
    #[error("`{key}` must be {expected}, and this is {found}")]
    #[diagnostic(code("project::cog-yaml::wrong-type"), help("{way_out}"))]
    WrongType {
        /// The key.
        key: &'static str,
        /// What must stand there.
        expected: &'static str,
        /// What does.
        found: &'static str,
        /// The form it should have.
        way_out: String,
        /// The value.
        #[label("{found}")]
        place: Place,
    },
    /// A key that must be there.
    #[error("`{key}` is missing")]
    #[diagnostic(code("project::cog-yaml::missing-key"), help("{way_out}"))]
    Missing {
        /// The key.
        key: &'static str,
        /// What to add.
        way_out: &'static str,
        /// Where it should stand.
        #[label("it belongs in here")]
        place: Place,
    },
}

/// A document that is being read, and what was found up to here.
pub(crate) struct Reading {
    pub strictness: Strictness,
    pub findings: Vec<CogYamlFinding>,
}

/// The keys of a mapping that are known, each with its value.
pub(crate) struct Fields<'n> {
    pub place: Place,
    found: BTreeMap<&'n str, (&'n Key, &'n Node)>,
}

impl<'n> Fields<'n> {
    /// A key that has a value.
    pub fn get(&self, key: &str) -> Option<(&'n Key, &'n Node)> {
        self.found.get(key).copied()
    }

    /// The value of a key.
    pub fn value(&self, key: &str) -> Option<&'n Node> {
        self.get(key).map(|(_, node)| node)
    }
}

/// A mapping of `cog.yaml`: what it is called, and which keys it has.
pub(crate) struct Table {
    pub owner: &'static str,
    pub keys: &'static [&'static str],
    /// Where a key that is not here may belong: keys, and what to say of them.
    pub elsewhere: &'static [(&'static [&'static str], &'static str)],
}

/// A form that a value may have: its name, and an example.
#[derive(Clone, Copy)]
pub(crate) struct Form {
    pub key: &'static str,
    pub expected: &'static str,
    pub example: &'static str,
}

impl Reading {
    pub fn found(&mut self, finding: impl Into<CogYamlFinding>) {
        self.findings.push(finding.into());
    }

    /// The known keys of a mapping; the others are findings. Keys without a value are not there.
    pub fn fields<'n>(&mut self, node: &'n Node, form: Form, table: &Table) -> Option<Fields<'n>> {
        let Content::Mapping(entries) = &node.content else {
            self.wrong(node, form);
            return None;
        };
        let mut found = BTreeMap::new();
        for (key, value) in entries {
            if !table.keys.contains(&&*key.text) {
                self.unknown(key, table);
            } else if !matches!(value.content, Content::Null) {
                found.insert(&*key.text, (key, &**value));
            }
        }
        Some(Fields { place: node.place, found })
    }

    fn unknown(&mut self, key: &Key, table: &Table) {
        let Table { owner, keys, elsewhere } = *table;
        let told = elsewhere.iter().find(|(keys, _)| keys.contains(&&*key.text));
        let way_out = match told {
            Some((_, told)) => told.replace("KEY", &key.text),
            None => {
                let listed: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
                let otherwise = format!("take it away; the keys here are {}", listed.join(", "));
                did_you_mean(nearest(&key.text, keys.iter().copied()), &otherwise)
            }
        };
        let (key, place) = (key.text.clone(), key.place);
        self.found(match self.strictness {
            Strictness::Strict => ShapeFinding::UnknownKey { key, owner, way_out, place },
            Strictness::Lenient => ShapeFinding::IgnoredKey { key, owner, way_out, place },
        });
    }

    /// A value is not what it should be.
    pub fn wrong(&mut self, node: &Node, form: Form) {
        let Form { key, expected, example } = form;
        let way_out = match &node.content {
            // What a line such as `- pip install "a: b"` becomes without its quotes.
            Content::Mapping(entries)
                if example.starts_with("- ") && entries.iter().any(|(key, _)| key.text.contains(' ')) =>
            {
                format!("put a text that holds `: ` in quotes, as in `{example}`")
            }
            Content::Null | Content::Scalar { .. } | Content::List(_) | Content::Mapping(_) => {
                format!("write it as in `{example}`")
            }
        };
        let finding =
            ShapeFinding::WrongType { key, expected, found: node.in_words(), way_out, place: node.place };
        self.found(finding);
    }

    /// A text; a number is taken as it is written.
    pub fn text(&mut self, node: &Node, form: Form) -> Option<Placed<String>> {
        match &node.content {
            Content::Scalar { text, is_plain } if !is_plain || truth(text).is_none() => {
                Some(Placed::new(text.clone(), node.place))
            }
            Content::Scalar { .. } | Content::Null | Content::List(_) | Content::Mapping(_) => {
                self.wrong(node, form);
                None
            }
        }
    }

    /// `true` or `false`, or `yes` and `no` and what else cog takes for them, without quotes.
    pub fn truth(&mut self, node: &Node, form: Form) -> Option<Placed<bool>> {
        let value = match &node.content {
            Content::Scalar { text, is_plain: true } => truth_or_answer(text),
            Content::Scalar { .. } | Content::Null | Content::List(_) | Content::Mapping(_) => None,
        };
        if value.is_none() {
            self.wrong(node, form);
        }
        value.map(|value| Placed::new(value, node.place))
    }

    /// The items of a list.
    pub fn list<'n>(&mut self, node: &'n Node, form: Form) -> &'n [Arc<Node>] {
        match &node.content {
            Content::List(items) => items,
            Content::Null | Content::Scalar { .. } | Content::Mapping(_) => {
                self.wrong(node, form);
                &[]
            }
        }
    }

    /// The texts of a list.
    pub fn texts(&mut self, node: &Node, list: Form, item: Form) -> Vec<Placed<String>> {
        self.list(node, list).iter().filter_map(|node| self.text(node, item)).collect()
    }
}
