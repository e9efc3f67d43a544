//! Names, one type for each kind of thing that has one.
//!
//! `Display` is exactly the text form, sigil included (`%venv`), so plans, messages and logs
//! read alike; [`as_str`](StageName::as_str) is the bare word.

use std::fmt;
use std::sync::Arc;

/// A text that is not a name of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a name for {kind}: {rule}")]
pub struct InvalidName {
    /// The refused text.
    pub text: String,
    /// What it was to name.
    pub kind: &'static str,
    /// The rule it breaks.
    pub rule: &'static str,
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $sigil:literal, $kind:literal, $check:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks and wraps the bare word, without its sigil.
            pub fn new(text: &str) -> Result<Self, InvalidName> {
                match $check(text) {
                    Ok(()) => Ok(Self(text.into())),
                    Err(rule) => Err(InvalidName { text: text.to_owned(), kind: $kind, rule }),
                }
            }

            /// The bare word, without its sigil.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str($sigil)?;
                out.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, out)
            }
        }
    };
}

name!(/** A stage, written `%venv`. */ StageName, "%", "a stage", plain);
name!(/** An image or a context, written `@source`. */ InputName, "@", "an image or context", plain);
name!(/** A phase, written `build.app-deps`. */ PhaseName, "", "a phase", plain);
name!(/** A secret, written `hf-token`. */ SecretName, "", "a secret", plain);
name!(/** A cache, written `uv`. */ CacheName, "", "a cache", plain);
name!(/** An ssh agent or key, written `default`. */ SshName, "", "an ssh agent", plain);
name!(/** A layer, written `deps`. */ LayerName, "", "a layer", plain);
name!(/** A block of a front end, written `uv`. */ BlockName, "", "a block", plain);
name!(/** An environment variable, written `PATH`. */ EnvName, "", "a variable", variable);

/// Longest name. Long enough for any generated one, and short enough for a line of a terminal.
const LONGEST: usize = 128;

fn plain(text: &str) -> Result<(), &'static str> {
    let bytes = text.as_bytes();
    if !bytes.first().is_some_and(u8::is_ascii_alphanumeric) {
        return Err("it must start with an ASCII letter or a digit");
    }
    if !bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte)) {
        return Err("it has only ASCII letters, digits, `.`, `_` and `-`");
    }
    if bytes.last() == Some(&b'.') || text.contains("..") {
        return Err("a `.` stands between two parts");
    }
    if bytes.len() > LONGEST {
        return Err("it has at most 128 characters");
    }
    Ok(())
}

fn variable(text: &str) -> Result<(), &'static str> {
    let bytes = text.as_bytes();
    if !bytes.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_') {
        return Err("it must start with an ASCII letter or `_`");
    }
    // Dots and dashes are no shell identifiers, but images in the wild carry such variables.
    if !bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(byte)) {
        return Err("it has only ASCII letters, digits, `_`, `.` and `-`");
    }
    if bytes.len() > LONGEST {
        return Err("it has at most 128 characters");
    }
    Ok(())
}
