//! What the command line gives the model: inputs and variables.

use std::collections::BTreeMap;
use std::path::Path;

use cogpack_frontends_schema::{Given as Judged, Misfit, Signature};
use cogpack_io_model_server::data_url::DataUrl;
use cogpack_io_project::files;
use serde_json::{Map, Value};

use super::arguments::Predict;
use super::json_once::Once;
use crate::console::Console;
use crate::failure::Failure;

/// The most that a file of an input may have: it travels as text, in one piece.
const LARGEST_FILE: u64 = 512 << 20;

/// Inputs as they were given.
pub enum Given {
    /// One by one, in order: the name and the text behind `=`.
    Named(Vec<(String, String)>),
    /// All at once.
    Whole(Map<String, Value>),
}

/// Inputs on their way to a model.
pub enum Inputs {
    /// What is sent: it fits what the model takes.
    Judged(Value),
    /// Nobody has said yet what the model takes.
    Open(Given),
}

impl Given {
    /// Reads what the command line gives.
    pub fn read(arguments: &Predict, console: &mut Console<'_>) -> Result<Self, Failure> {
        if let Some(text) = &arguments.json {
            return whole(text, console).map(Self::Whole);
        }
        arguments.inputs.iter().map(|text| named(text)).collect::<Result<_, _>>().map(Self::Named)
    }

    /// What is sent to a model that takes this, or all that does not fit. Files are read.
    pub fn judged(
        &self,
        signature: &Signature,
        directory: &Path,
    ) -> Result<Result<Value, Vec<Misfit>>, Failure> {
        let (input, unread) = match self {
            Self::Whole(input) => (input.clone(), Vec::new()),
            Self::Named(named) => {
                let arguments: Vec<String> =
                    named.iter().map(|(name, text)| format!("{name}={text}")).collect();
                let (given, unread) = signature.given(arguments.iter().map(String::as_str));
                let mut input = Map::new();
                for (name, given) in given {
                    let value = sent(&name, given, directory)?;
                    input.insert(name, value);
                }
                (input, unread)
            }
        };
        let misfits = signature.judge(&input, unread);
        Ok(if misfits.is_empty() { Ok(Value::Object(input)) } else { Err(misfits) })
    }

    /// The same with files in place of their names, where only `@` tells that one is meant.
    pub fn with_files(self, directory: &Path) -> Result<Self, Failure> {
        let Self::Named(named) = self else { return Ok(self) };
        let read = |(name, text): (String, String)| {
            let text = match text.strip_prefix('@') {
                Some(path) => file(&name, path, directory)?,
                None => text,
            };
            Ok((name, text))
        };
        named.into_iter().map(read).collect::<Result<_, Failure>>().map(Self::Named)
    }

    /// What is sent to a model that never says what it takes: texts.
    pub fn as_texts(&self) -> Value {
        let named = match self {
            Self::Whole(input) => return Value::Object(input.clone()),
            Self::Named(named) => named,
        };
        let mut texts: BTreeMap<&String, Vec<&String>> = BTreeMap::new();
        for (name, text) in named {
            texts.entry(name).or_default().push(text);
        }
        let value = |texts: Vec<&String>| match texts.as_slice() {
            [text] => Value::from(text.as_str()),
            texts => texts.iter().map(|text| Value::from(text.as_str())).collect(),
        };
        texts.into_iter().map(|(name, texts)| (name.clone(), value(texts))).collect()
    }
}

/// A value with its files in it.
fn sent(name: &str, given: Judged, directory: &Path) -> Result<Value, Failure> {
    match given {
        Judged::Json(value) => Ok(value),
        Judged::File(path) => file(name, &path, directory).map(Value::from),
        Judged::List(items) => items.into_iter().map(|item| sent(name, item, directory)).collect(),
    }
}

fn named(text: &str) -> Result<(String, String), Failure> {
    let named = text.split_once('=').filter(|(name, _)| !name.is_empty());
    named.map(|(name, value)| (name.to_owned(), value.to_owned())).ok_or_else(|| {
        Failure::new("an input is not of the form `NAME=VALUE`")
            .with_hint("write `-i NAME=VALUE`, or `-i NAME=@FILE` for what is in a file")
    })
}

/// A file, as a URL that holds it.
fn file(name: &str, path: &str, directory: &Path) -> Result<String, Failure> {
    let bytes = read(&directory.join(path), path, &format!("the input `{name}`"))?;
    Ok(DataUrl::of_file(path, bytes).text())
}

fn read(full: &Path, shown: &str, what: &str) -> Result<Vec<u8>, Failure> {
    match files::read_limited(full, LARGEST_FILE) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(too_large(shown, what)),
        Err(error) => Err(Failure::new(format!("cannot read {what} in `{shown}`: {error}"))
            .with_hint("what stands behind `@` is the path of a file")),
    }
}

fn too_large(shown: &str, what: &str) -> Failure {
    Failure::new(format!("{what} in `{shown}` is larger than {} MiB", LARGEST_FILE >> 20))
        .with_hint("put it where the model can fetch it, and send its address")
}

fn whole(text: &str, console: &mut Console<'_>) -> Result<Map<String, Value>, Failure> {
    let (shown, bytes) = match text.strip_prefix('@') {
        None => ("--json", text.as_bytes().to_vec()),
        Some("-") => match files::read_all_limited(console.stdin, LARGEST_FILE) {
            Ok(Some(bytes)) => ("standard input", bytes),
            Ok(None) => return Err(too_large("standard input", "what")),
            Err(error) => return Err(Failure::new(format!("cannot read standard input: {error}"))),
        },
        Some(path) => (path, read(&console.directory.join(path), path, "the inputs")?),
    };
    let malformed = |what: String| {
        Failure::new(format!("the inputs in `{shown}` are {what}"))
            .with_hint("write an object of all inputs, for instance `--json '{\"prompt\": \"a cat\"}'`")
    };
    match serde_json::from_slice(&bytes).map(|Once(value)| value) {
        Ok(Value::Object(input)) => Ok(input),
        Ok(_) => Err(malformed("no JSON object".to_owned())),
        Err(error) if error.is_data() => {
            Err(Failure::new(format!("the inputs in `{shown}` cannot be told apart: {error}"))
                .with_hint("leave one of the two out"))
        }
        Err(error) => Err(malformed(format!(
            "no JSON: line {}, column {} is not understood",
            error.line(),
            error.column()
        ))),
    }
}

/// `-e`: the model's variables. What they hold is said nowhere.
pub fn variables(texts: &[String], console: &Console<'_>) -> Result<Vec<(String, String)>, Failure> {
    let variable = |text: &String| {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, value.to_owned()),
            None => {
                let value = console.environment.named(text).ok_or_else(|| {
                    Failure::new(format!("the variable `{text}` is not set"))
                        .with_hint(format!("set it, or write `-e {text}=VALUE`"))
                })?;
                let value = value.to_str().ok_or_else(|| {
                    Failure::new(format!("the variable `{text}` holds no text, so no model can be given it"))
                })?;
                (text.as_str(), value.to_owned())
            }
        };
        if name.is_empty() {
            return Err(Failure::new("a variable of `-e` has no name").with_hint("write `-e NAME=VALUE`"));
        }
        Ok((name.to_owned(), value))
    };
    texts.iter().map(variable).collect()
}
