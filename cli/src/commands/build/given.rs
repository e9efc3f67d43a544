//! What the command line gives to the ops of a plan: secrets, ssh agents, permissions, caches.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cogpack_backends_llb::Entitlement;
use cogpack_build::order::Cache;
use cogpack_build::requirements::{missing, requirements};
use cogpack_io_buildkit::secrets::{LARGEST_SECRET, Secret, Secrets};
use cogpack_io_buildkit::ssh::Agents;
use cogpack_io_project::files;
use cogpack_ir::resolve::Resolved;
use miette::Diagnostic;

use super::NOT_GIVEN;
use super::arguments::Build;
use super::attributes::Attributes;
use crate::console::Console;
use crate::failure::Failure;
use crate::plan_file::PlanFile;
use crate::report::{self, Stream};

/// Caches that are read, and caches that are written.
pub struct Caches {
    /// Read.
    pub from: Vec<Cache>,
    /// Written.
    pub to: Vec<Cache>,
}

/// What the ops of a plan may use.
pub struct Given<'g> {
    /// Secrets by id.
    pub secrets: &'g Secrets,
    /// Ssh agents by id.
    pub agents: &'g Agents,
    /// What they may do beyond the usual.
    pub allowed: &'g BTreeSet<Entitlement>,
}

impl Given<'_> {
    /// Shows what the plan asks for and nobody gave, and gives the exit code if there is any.
    pub fn refuse_what_is_missing(
        &self,
        plan: &Resolved,
        arguments: &Build,
        file: &PlanFile,
        console: &mut Console<'_>,
    ) -> Option<u8> {
        let missing = missing(
            &requirements(plan),
            |id| self.secrets.contains(id),
            |id| self.agents.contains(id),
            self.allowed,
        );
        if missing.is_empty() {
            return None;
        }
        let diagnostics: Vec<&dyn Diagnostic> =
            missing.iter().map(|missing| missing as &dyn Diagnostic).collect();
        report::findings(&diagnostics, file, arguments.format, Stream::Talk, console);
        Some(NOT_GIVEN)
    }
}

/// `--cache-from` and `--cache-to`.
pub fn caches(arguments: &Build) -> Result<Caches, Failure> {
    let cache = |option: &'static str, text: &String| {
        // A bare name has always meant an image of a registry.
        let mut attributes = match text.contains('=') {
            true => Attributes::parse(option, "type", text)?,
            false if text == "inline" => Attributes::parse(option, "type", "inline")?,
            false => Attributes::parse(option, "ref", &format!("type=registry,ref={text}"))?,
        };
        Ok(Cache { kind: attributes.need("type")?, settings: attributes.rest() })
    };
    let all =
        |option, texts: &[String]| texts.iter().map(|text| cache(option, text)).collect::<Result<_, _>>();
    Ok(Caches {
        from: all("--cache-from", &arguments.cache_from)?,
        to: all("--cache-to", &arguments.cache_to)?,
    })
}

/// `--allow`.
pub fn allowed(texts: &[String]) -> Result<BTreeSet<Entitlement>, Failure> {
    let entitlement = |text: &String| match text.as_str() {
        "network.host" => Ok(Entitlement::NetworkHost),
        _ => Err(Failure::new(format!("`--allow {text}`: nothing in a plan can need that"))
            .with_hint("`--allow network.host` is all that a plan can need")),
    };
    texts.iter().map(entitlement).collect()
}

/// `--secret`: the values, read here and sent to the daemon when an op mounts them.
pub fn secrets(texts: &[String], console: &mut Console<'_>) -> Result<Secrets, Failure> {
    let mut secrets = Secrets::default();
    for text in texts {
        let mut attributes = Attributes::parse("--secret", "id", text)?;
        let id = attributes.need("id")?;
        let kind = attributes.take("type");
        let file = attributes.take("src").or_else(|| attributes.take("source"));
        let variable = attributes.take("env");
        attributes.clone().nothing_more("a secret has `id`, and `src` or `env`")?;
        let bytes = match (file, variable, kind.as_deref()) {
            (Some(_), Some(_), _) => {
                return Err(attributes.failure("it is given twice", "say `src` or `env`, not both"));
            }
            (None, Some(variable), None | Some("env")) => from_variable(&variable, console)?,
            // `type=env,src=VARIABLE` is how builders have said it before there was `env`.
            (Some(variable), None, Some("env")) => from_variable(&variable, console)?,
            (None, None, None | Some("env")) => from_variable(&id, console)?,
            (Some(path), None, None | Some("file")) => from_file(&path, console)?,
            (None, Some(_), Some("file")) | (None, None, Some("file")) => {
                return Err(attributes.failure("it names no file", "add `src=FILE`"));
            }
            (_, _, Some(kind)) => {
                return Err(attributes.failure(
                    &format!("nothing is known of the type `{kind}`"),
                    "write `type=file` or `type=env`",
                ));
            }
        };
        secrets.add(&id, Secret::new(bytes)).map_err(|error| Failure::of(&error))?;
    }
    Ok(secrets)
}

fn from_variable(name: &str, console: &Console<'_>) -> Result<Vec<u8>, Failure> {
    let value = console.environment.named(name).ok_or_else(|| {
        Failure::new(format!("the secret's variable `{name}` is not set"))
            .with_hint("set it, or read the secret from a file: `--secret id=NAME,src=FILE`")
    })?;
    Ok(value.as_encoded_bytes().to_vec())
}

fn from_file(path: &str, console: &mut Console<'_>) -> Result<Vec<u8>, Failure> {
    let limit = LARGEST_SECRET as u64;
    let (shown, read) = match path {
        "-" => ("standard input", files::read_all_limited(console.stdin, limit)),
        path => (path, files::read_limited(&console.directory.join(path), limit)),
    };
    match read {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(Failure::new(format!("the secret in `{shown}` is larger than {} KiB", limit / 1024))
            .with_hint("daemons take no larger ones: keep the rest in a file of a context")),
        Err(error) => Err(Failure::new(format!("cannot read the secret in `{shown}`: {error}"))),
    }
}

/// `--ssh`.
pub async fn agents(texts: &[String], console: &Console<'_>) -> Result<Agents, Failure> {
    let mut agents = Agents::default();
    for text in texts {
        let (id, paths) = text.split_once('=').unwrap_or((text, ""));
        let failed = |error: cogpack_io_buildkit::ssh::AgentError| {
            let failure = Failure::of(&error);
            match error.help() {
                Some(help) => failure.with_hint(help),
                None => failure,
            }
        };
        if paths.is_empty() {
            let socket = console.environment.named("SSH_AUTH_SOCK").ok_or_else(|| {
                Failure::new(format!("`--ssh {text}` forwards an agent, and SSH_AUTH_SOCK names none"))
                    .with_hint(format!("start one with `ssh-agent`, or name a key: `--ssh {id}=KEY`"))
            })?;
            agents.add_socket(id, Path::new(socket)).await.map_err(failed)?;
            continue;
        }
        let paths: Vec<PathBuf> = paths.split(',').map(|path| console.directory.join(path)).collect();
        match paths.as_slice() {
            [only] if is_socket(only) => agents.add_socket(id, only).await.map_err(failed)?,
            keys => agents.add_keys(id, keys).await.map_err(failed)?,
        }
    }
    Ok(agents)
}

fn is_socket(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket())
}
