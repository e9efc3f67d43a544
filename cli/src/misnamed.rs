//! A first word that is neither a command nor a plan, told as what it most likely is: a command
//! with a slip in it. clap takes it for a plan, and finds fault with what comes after. And a second
//! plan where a command takes one, which clap only calls unexpected.

use std::ffi::OsString;
use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use cogpack_ir::suggest::nearest;

use crate::failure::Failure;

/// What to say of a command line that was not understood, if its first word is the trouble.
pub fn command(words: &[OsString], directory: &Path) -> Option<Failure> {
    let word = words.get(1)?.to_str()?;
    let is_a_path = word.contains(['.', '/']) || directory.join(word).exists();
    let command = crate::command();
    let known = || command.get_subcommands().map(clap::Command::get_name);
    if word.is_empty() || word.starts_with('-') || is_a_path || known().any(|name| name == word) {
        return None;
    }
    let failure = Failure::new(format!("there is no command `{word}`, and no plan of that name"));
    Some(match nearest(word, known()) {
        Some(near) => failure.with_hint(format!("did you mean `cogpackc {near}`?")),
        None => failure.with_hint("`cogpackc --help` lists the commands; `cogpackc PLAN -o FORMAT` compiles"),
    })
}

/// What to say of several plans for `build`, if these are the trouble.
pub fn second_build(words: &[OsString], error: &clap::Error) -> Option<Failure> {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidArg) else { return None };
    let is_second = error.kind() == ErrorKind::UnknownArgument && !word.starts_with('-');
    (is_second && words.get(1)? == "build").then(|| {
        Failure::new(format!("`cogpackc build` builds one plan, and `{word}` is one more")).with_hint(
            "build them one by one; `cogpackc PLAN PLAN… -o oci -O DIR` makes one layout of plans that run \
             no programs",
        )
    })
}
