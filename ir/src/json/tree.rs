//! A JSON document as a tree in which every value and every key knows its place.
//!
//! The plan's document is read from this tree by hand and not by derived code, because what is
//! wrong with a document must be said of all its places at once, each with its own bytes. Derived
//! readers stop at the first mistake, and lose the place inside every tagged value.

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::plan::Span;

/// One value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) span: Span,
}

/// The kinds of values, numbers split by whether a plan has a use for them.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Null,
    Flag(bool),
    Whole(u64),
    /// A number with a sign, a fraction or more than 64 bits: nothing in a plan is one.
    OtherNumber,
    Text(String),
    List(Vec<Node>),
    Object(Vec<Member>),
}

/// One key of an object with its value.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) key: String,
    pub(super) key_span: Span,
    pub(super) node: Node,
}

impl Value {
    /// What a message calls a value of this kind.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Flag(_) => "true or false",
            Self::Whole(_) => "a whole number",
            Self::OtherNumber => "a number that is not a whole one",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

impl From<Value> for Node {
    fn from(value: Value) -> Self {
        Self { value, span: Span::NOWHERE }
    }
}

impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned()).into()
    }
}

impl From<String> for Node {
    fn from(text: String) -> Self {
        Value::Text(text).into()
    }
}

impl From<u64> for Node {
    fn from(number: u64) -> Self {
        Value::Whole(number).into()
    }
}

impl<T: Into<Node>> From<Vec<T>> for Node {
    fn from(items: Vec<T>) -> Self {
        Value::List(items.into_iter().map(Into::into).collect()).into()
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.value {
            // The writer makes neither; a number that nothing takes reads back as nothing taken.
            Value::Null | Value::OtherNumber => serializer.serialize_unit(),
            Value::Flag(flag) => serializer.serialize_bool(*flag),
            Value::Whole(number) => serializer.serialize_u64(*number),
            Value::Text(text) => serializer.serialize_str(text),
            Value::List(items) => serializer.collect_seq(items),
            Value::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for member in members {
                    map.serialize_entry(&member.key, &member.node)?;
                }
                map.end()
            }
        }
    }
}

/// An object under construction: keys stand in the order in which they are put, and what says
/// nothing is left out.
#[derive(Debug, Default)]
pub(super) struct ObjectWriter(Vec<Member>);

impl ObjectWriter {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// An object that starts with a tag, which says how the keys after it are to be read.
    pub(super) fn tagged(tag: &str, word: &str) -> Self {
        let mut object = Self::new();
        object.put(tag, word);
        object
    }

    pub(super) fn put(&mut self, key: &str, node: impl Into<Node>) {
        self.0.push(Member { key: key.to_owned(), key_span: Span::NOWHERE, node: node.into() });
    }

    pub(super) fn put_some(&mut self, key: &str, node: Option<impl Into<Node>>) {
        if let Some(node) = node {
            self.put(key, node);
        }
    }

    /// Left out where it is false.
    pub(super) fn put_flag(&mut self, key: &str, flag: bool) {
        if flag {
            self.put(key, Node::from(Value::Flag(true)));
        }
    }

    /// Left out where it is empty.
    pub(super) fn put_list<T: Into<Node>>(&mut self, key: &str, items: impl IntoIterator<Item = T>) {
        let items: Vec<Node> = items.into_iter().map(Into::into).collect();
        if !items.is_empty() {
            self.put(key, Node::from(Value::List(items)));
        }
    }

    /// An object whose keys are names; left out where it is empty.
    pub(super) fn put_entries<K: AsRef<str>, T: Into<Node>>(
        &mut self,
        key: &str,
        entries: impl IntoIterator<Item = (K, T)>,
    ) {
        let mut object = Self::new();
        for (name, node) in entries {
            object.put(name.as_ref(), node);
        }
        if !object.0.is_empty() {
            self.put(key, object);
        }
    }
}

impl From<ObjectWriter> for Node {
    fn from(object: ObjectWriter) -> Self {
        Value::Object(object.0).into()
    }
}
