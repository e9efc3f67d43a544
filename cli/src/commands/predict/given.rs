//! What the command line gives the model: inputs and variables.

use std::path::Path;

use cogpack_io_model_server::data_url::DataUrl;
use cogpack_io_project::files;
use serde_json::{Map, Value};

use super::arguments::Predict;
use super::typed::Types;
use crate::console::Console;
use crate::failure::Failure;

/// The most that a file of an input may have: it travels as text, in one piece.
const LARGEST_FILE: u64 = 512 << 20;

/// Inputs as they were given, files read.
pub enum Given {
    /// One by one, in order.
    Named(Vec<(String, Text)>),
    /// All at once.
    Whole(Value),
}

/// What stands behind the `=`.
pub enum Text {
    /// Itself.
    Plain(String),
    /// A file, as a URL that holds it.
    File(String),
}

impl Given {
    /// Reads what the command line gives.
    pub fn read(arguments: &Predict, console: &mut Console<'_>) -> Result<Self, Failure> {
        if let Some(text) = &arguments.json {
            return whole(text, console).map(Self::Whole);
        }
        let named = arguments.inputs.iter().map(|text| named(text, &console.directory));
        named.collect::<Result<_, _>>().map(Self::Named)
    }

    /// What is sent.
    pub fn input(&self, types: &Types) -> Result<Value, Failure> {
        let named = match self {
            Self::Whole(value) => return Ok(value.clone()),
            Self::Named(named) => named,
        };
        let mut input = Map::new();
        for (name, _) in named {
            if input.contains_key(name) {
                continue;
            }
            let texts: Vec<&str> =
                named.iter().filter(|(other, _)| other == name).map(|(_, text)| text.text()).collect();
            input.insert(name.clone(), types.value(name, &texts)?);
        }
        Ok(Value::Object(input))
    }
}

impl Text {
    fn text(&self) -> &str {
        match self {
            Self::Plain(text) | Self::File(text) => text,
        }
    }
}

fn named(text: &str, directory: &Path) -> Result<(String, Text), Failure> {
    let Some((name, value)) = text.split_once('=').filter(|(name, _)| !name.is_empty()) else {
        return Err(Failure::new("an input is not of the form `NAME=VALUE`")
            .with_hint("write `-i NAME=VALUE`, or `-i NAME=@FILE` for what is in a file"));
    };
    let Some(path) = value.strip_prefix('@') else {
        return Ok((name.to_owned(), Text::Plain(value.to_owned())));
    };
    let full = directory.join(path);
    let bytes = read(&full, path, &format!("the input `{name}`"))?;
    Ok((name.to_owned(), Text::File(DataUrl::of_file(path, bytes).text())))
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

fn whole(text: &str, console: &mut Console<'_>) -> Result<Value, Failure> {
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
    match serde_json::from_slice(&bytes) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err(malformed("no JSON object".to_owned())),
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
