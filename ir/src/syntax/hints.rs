//! What was probably meant by a word that is right in itself and stands in the wrong place.

use super::kinds::Kind;
use super::scan::DECLARATIONS;
use super::words::{EQUALS, INPUT, SIGNED};
use crate::suggest::nearest;

/// What `word` is for, where a statement of `kind` or one of `values` was expected.
pub(super) fn of_word(word: &str, kind: Kind, values: &[&str]) -> Option<String> {
    let signed = SIGNED.iter().find(|(_, name)| values.contains(name));
    if let Some((sign, _)) = signed
        && word.starts_with(|letter: char| letter.is_ascii_alphanumeric())
    {
        return Some(format!("a name here begins with `{sign}`: `{sign}{word}`"));
    }
    if values.contains(&INPUT) && word.starts_with(|letter: char| letter.is_ascii_alphanumeric()) {
        return Some(
            "an image is declared first, `image @NAME = \"…\"`, and then it is `image @NAME`; a stage is \
             `%NAME`, a context `@NAME`"
                .to_owned(),
        );
    }
    let way_out = match (kind, word) {
        (Kind::Stage | Kind::Layer, "from" | "FROM") => {
            "what a stage starts from stands before its `{`: `stage %NAME from INPUT { … }`"
        }
        (Kind::Stage | Kind::Layer, "in") => {
            "the phase of a stage stands before its `{`: `stage %NAME in PHASE { … }`"
        }
        (Kind::Export, "from") => "what is exported stands before the `{`: `export from INPUT { … }`",
        (Kind::Layer, "layer") => "layers do not nest: close this one first",
        (Kind::Layer, "provides") => "say it in the stage, outside the layer",
        (Kind::Stage | Kind::Layer, "mount" | "network") => {
            "it is said in the block of the op that it is for: `run \"SCRIPT\" { … }`"
        }
        (
            Kind::Stage | Kind::Layer,
            "annotation" | "clear" | "cmd" | "entrypoint" | "expose" | "healthcheck" | "label"
            | "stop-signal" | "volume",
        ) => "it is said of the image and not of a stage: in the block of `export from INPUT { … }`",
        (Kind::Export, "env" | "run" | "exec" | "copy" | "file" | "mkdir" | "shell") => {
            "say it in the stage that is exported"
        }
        (Kind::Declaration, "FROM" | "from") => {
            "an image is declared, and a stage starts from it: `image @NAME = \"REFERENCE\"` and \
             `stage %NAME from image @NAME { … }`"
        }
        (
            Kind::Declaration
            | Kind::Image
            | Kind::Rules
            | Kind::Http
            | Kind::Git
            | Kind::Oci
            | Kind::Files
            | Kind::Wheels
            | Kind::Debs
            | Kind::Locked
            | Kind::Stage
            | Kind::Layer
            | Kind::Execution
            | Kind::Export,
            _,
        ) => return None,
    };
    Some(way_out.to_owned())
}

/// The name that was left out, where the statement that `before` ends with has taken the word of
/// the next statement for it.
pub(super) fn of_forgotten_name(before: &str, kind: Kind) -> Option<String> {
    let mut words = before.split_whitespace().rev();
    let (taken, statement) = (words.next()?, words.next()?);
    let (named, begins): (&[&str], &[&str]) = match kind {
        Kind::Declaration => (&["cache", "secret", "phase"], &DECLARATIONS),
        Kind::Stage | Kind::Layer => (&["provides", "layer", "unset"], kind.words()),
        Kind::Image
        | Kind::Rules
        | Kind::Http
        | Kind::Git
        | Kind::Oci
        | Kind::Files
        | Kind::Wheels
        | Kind::Debs
        | Kind::Locked
        | Kind::Execution
        | Kind::Export => return None,
    };
    (named.contains(&statement) && begins.contains(&taken)).then(|| {
        format!("`{taken}` was read as the name of this `{statement}`; write the name that is missing: `{statement} NAME`")
    })
}

/// The word of a change to a variable, where `before` ends with a slip of it, which was read as the
/// name of the variable.
pub(super) fn of_change(before: &str, values: &[&str]) -> Option<String> {
    let mut words = before.split_whitespace().rev();
    let (taken, statement) = (words.next()?, words.next()?);
    let meant = nearest(taken, ["append", "prepend"])?;
    (statement == "env" && values == [EQUALS]).then(|| format!("did you mean `env {meant}`?"))
}
