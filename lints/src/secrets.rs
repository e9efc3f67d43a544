//! Values in `env` that look like secrets. A plan is read by many, and so is the config of an image.
//!
//! Messages name the variable, and never say its value; who shows the text of a plan hides it.

use cogpack_ir::finding::Place;
use cogpack_ir::plan::{EnvEdit, EnvName, OpKind, Span, Spanned, Template};
use miette::Diagnostic;

use crate::Lint;
use crate::look::Look;
use crate::repair::Repair;
use crate::secret_mounts;

/// A value that should not be written down.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum SecretFinding {
    /// A variable of a stage, of a step or of the image.
    #[error(
        "`{variable}` holds what looks like a secret{shape}: everybody who reads the plan or the image has it"
    )]
    #[diagnostic(
        code("lint::secret::value"),
        severity(Warning),
        help(
            "take the value away, and make a new one, since this one is known; where a step needs it, declare \
             `secret NAME` and mount it: `mount secret NAME as env {variable}`"
        )
    )]
    Written {
        /// The variable.
        variable: String,
        /// What it looks like, behind a comma.
        shape: String,
        /// The value.
        #[label("this value")]
        place: Place,
    },
}

pub(crate) fn check(look: &Look<'_>, lints: &mut Vec<Lint>) {
    for step in look.stages.iter().flat_map(|stage| &stage.steps) {
        let mut told = |name: &Spanned<EnvName>, value: &Spanned<Template>, repair: &dyn Fn() -> Repair| {
            // What it is expanded to was written somewhere else.
            let written = look.text.at(value.span).trim_matches('"');
            if let Some(shape) = looks_like_a_secret(name.as_str(), written) {
                let finding = SecretFinding::Written {
                    variable: name.to_string(),
                    shape: shape.to_owned(),
                    place: value.span.place(),
                };
                lints.push(Lint { hidden: inside(value.span), ..Lint::new(finding, &step.scopes, repair()) });
            }
        };
        if let OpKind::Env(change) = &step.step.op.kind {
            match &change.edit {
                EnvEdit::Set(value) | EnvEdit::Prepend(value) | EnvEdit::Append(value) => {
                    told(&change.name, value, &|| {
                        secret_mounts::of_stage(look, step, &change.name, &change.edit)
                    })
                }
                EnvEdit::Unset => {}
            }
        }
        for set in step.execution().into_iter().flat_map(|execution| &execution.env) {
            told(&set.name, &set.value, &|| secret_mounts::of_execution(look, step, set));
        }
    }
}

/// A string without its quotes.
fn inside(span: Span) -> Option<Span> {
    let range = span.range()?;
    (range.len() > 2).then(|| Span::new(range.start + 1, range.end - 1))
}

/// Words that names of secrets end with.
const NAMES: [&str; 12] = [
    "TOKEN",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "SECRET",
    "APIKEY",
    "API_KEY",
    "ACCESS_KEY",
    "SECRET_KEY",
    "PRIVATE_KEY",
    "AUTH_KEY",
    "CREDENTIALS",
];

/// What keys of well-known services begin with, how long the rest is at least, and whose they are.
const KEYS: [(&str, usize, &str); 20] = [
    ("AKIA", 16, "a key of AWS"),
    ("ASIA", 16, "a key of AWS"),
    ("ghp_", 36, "a token of GitHub"),
    ("gho_", 36, "a token of GitHub"),
    ("ghu_", 36, "a token of GitHub"),
    ("ghs_", 36, "a token of GitHub"),
    ("github_pat_", 22, "a token of GitHub"),
    ("glpat-", 20, "a token of GitLab"),
    ("xoxb-", 10, "a token of Slack"),
    ("xoxp-", 10, "a token of Slack"),
    ("hf_", 30, "a token of Hugging Face"),
    ("npm_", 36, "a token of npm"),
    ("pypi-", 50, "a token of a package index"),
    ("AIza", 35, "a key of Google"),
    ("sk-ant-", 20, "a key of an API"),
    ("sk-", 32, "a key of an API"),
    ("sk_live_", 20, "a key of an API"),
    ("rk_live_", 20, "a key of an API"),
    ("r8_", 37, "a token of Replicate"),
    ("dop_v1_", 60, "a token of DigitalOcean"),
];

/// What a value looks like, behind a comma; nothing behind it where only the name says so. `None` where it is
/// no secret.
fn looks_like_a_secret(name: &str, value: &str) -> Option<String> {
    if let Some(shape) = shape(value) {
        return Some(format!(", {shape}"));
    }
    let name = name.to_ascii_uppercase().replace(['-', '.'], "_");
    let is_named = NAMES
        .iter()
        .any(|word| name.strip_suffix(word).is_some_and(|before| before.is_empty() || before.ends_with('_')));
    (is_named && could_be_one(value)).then(String::new)
}

/// Whether a value could be a secret at all: no place where one is, no switch, and written out.
fn could_be_one(value: &str) -> bool {
    let is_a_word = ["", "true", "false", "yes", "no", "on", "off", "none", "null", "0", "1"]
        .contains(&value.to_ascii_lowercase().as_str());
    !is_a_word
        && !value.starts_with('/')
        && !value.starts_with("./")
        && !value.contains("${")
        && !value.contains("://")
}

fn shape(value: &str) -> Option<&'static str> {
    let is_of_a_key = |letter: char| letter.is_ascii_alphanumeric() || "_-".contains(letter);
    for word in value.split(|letter| !is_of_a_key(letter)) {
        let known = KEYS
            .iter()
            .find(|(begins, length, _)| word.strip_prefix(begins).is_some_and(|rest| rest.len() >= *length));
        if let Some((_, _, whose)) = known {
            return Some(whose);
        }
    }
    if value.contains("-----BEGIN ") && value.contains("PRIVATE KEY-----") {
        return Some("a private key");
    }
    let has_password = value.split_once("://").is_some_and(|(_, rest)| {
        let authority = rest.split('/').next().unwrap_or_default();
        let user = authority.rsplit_once('@').map(|(user, _)| user);
        user.and_then(|user| user.split_once(':')).is_some_and(|(_, password)| could_be_one(password))
    });
    has_password.then_some("an address with a password")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_told_by_name_or_shape_and_other_values_are_not() {
        for (name, value, is_one) in [
            ("API_TOKEN", "abc123", true),
            ("POSTGRES_PASSWORD", "postgres", true),
            ("X", "ghp_0123456789abcdefghijklmnopqrstuvwxyzAB", true),
            ("DATABASE_URL", "postgres://me:hunter2@db/x", true),
            ("KEY", "-----BEGIN RSA PRIVATE KEY-----", true),
            ("DATABASE_URL", "postgres://me:${PASSWORD}@db/x", false),
            ("TOKEN_FILE", "/run/secrets/token", false),
            ("TOKEN", "/run/secrets/token", false),
            ("MAX_TOKENS", "4096", false),
            ("TOKENIZERS_PARALLELISM", "false", false),
            ("USE_AUTH_TOKEN", "true", false),
            ("API_TOKEN", "${OTHER}", false),
            ("API_TOKEN", "", false),
            ("MONKEY", "banana", false),
            ("SECRET_PATH", "x", false),
            ("NAME", "sk-learn", false),
        ] {
            assert_eq!(looks_like_a_secret(name, value).is_some(), is_one, "{name}={value}");
        }
    }
}
