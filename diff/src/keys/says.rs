//! What an op says itself, and what it sees of the state around it, each as a digest.
//!
//! The inputs that it reads take no part by name: their keys stand beside. Paths are compared
//! without detours, as builders do.

use cogpack_backends_contract::{accounts, programs};
use cogpack_content::Digest;
use cogpack_ir::plan::{
    Copy, CopyForm, EnvEdit, Execution, MountKind, Network, Op, OpKind, Owner, PathRules, RuleKind,
    SecretTarget, Sharing, Spanned, Template,
};
use cogpack_ir::resolve::{State, Step};

use super::record::Record;
use super::variables::Variables;

/// What a plan calls the agent that has no name.
const DEFAULT_AGENT: &str = "default";

/// How much of what an op says is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// All of it.
    All,
    /// What decides whether it runs again. The name of a cache and how it is shared do not since BuildKit
    /// 0.13 (moby/buildkit#4585), any more than what is in it.
    Deciding,
}

/// What an op says itself.
pub(super) fn says(step: &Step<'_>, asked: Asked, optional: impl Fn(&str) -> bool) -> Digest {
    match &step.op.kind {
        OpKind::Run { script, execution } => {
            with_execution(Record::of("run").text(&programs::script(script)), execution, asked, optional)
        }
        OpKind::Exec { argv, execution } => {
            let record = Record::of("exec").texts(argv.iter().map(String::as_str));
            with_execution(record, execution, asked, optional)
        }
        OpKind::Copy(copy) => with_copy(copy),
        OpKind::File(file) => {
            let mode = file.mode.as_ref().map_or(cogpack_ir::plan::Mode::FILE, |mode| mode.value);
            let record = Record::of("file").text(&path(&file.path)).number(mode.bits().into());
            owner(record, file.owner.as_ref()).bytes(&file.content.0)
        }
        OpKind::Mkdir(directory) => {
            let mode = directory.mode.as_ref().map(|mode| mode.value.to_string());
            owner(
                Record::of("mkdir").text(&path(&directory.path)).maybe(mode.as_deref()),
                directory.owner.as_ref(),
            )
        }
        OpKind::Symlink(link) => Record::of("symlink").text(link.target.as_written()).text(&path(&link.path)),
        OpKind::Remove(remove) => Record::of("remove").text(&path(&remove.path)).flag(remove.optional),
        OpKind::Workdir(directory) => Record::of("workdir").text(&path(directory)),
        OpKind::Env(change) => {
            let record = Record::of("env").text(change.name.as_str());
            match &change.edit {
                EnvEdit::Set(value) => record.text("set").text(value.as_written()),
                EnvEdit::Prepend(value) => record.text("prepend").text(value.as_written()),
                EnvEdit::Append(value) => record.text("append").text(value.as_written()),
                EnvEdit::Unset => record.text("unset"),
            }
        }
        OpKind::User(user) => Record::of("user").text(user.as_written()),
        OpKind::Shell(shell) => Record::of("shell").texts(shell.iter().map(String::as_str)),
        // Dissolved into the steps around them.
        OpKind::Layer(_) | OpKind::By(_) => Record::of("nothing"),
    }
    .digest()
}

/// What an op sees of environment, working directory, user and shell; the same for all that see
/// nothing of it. `variables` are those of its state.
pub(super) fn sees(step: &Step<'_>, variables: &mut Variables) -> Digest {
    let record = Record::of("sees");
    let Some(execution) = step.op.execution() else { return record.digest() };
    let state: &State = step.state;
    let record = match has_shell(step.op) {
        true => record.texts(state.shell.iter().map(String::as_str)),
        false => record.texts([]),
    };
    let directory = clean(state.workdir.as_deref().unwrap_or("/"));
    let record = record.maybe(execution.workdir.is_none().then_some(directory.as_str()));
    let user = state.user.as_deref().unwrap_or_default();
    let record = record.maybe(execution.user.is_none().then_some(user));
    record.key(&variables.seen(&state.env, execution)).digest()
}

fn has_shell(op: &Op) -> bool {
    matches!(op.kind, OpKind::Run { .. })
}

fn with_execution(
    record: Record,
    execution: &Execution,
    asked: Asked,
    optional: impl Fn(&str) -> bool,
) -> Record {
    let mut record = record.text(match execution.network {
        Network::Default => "network",
        Network::None => "no network",
        Network::Host => "the network of the host",
    });
    record = record.maybe(execution.user.as_ref().map(|user| user.as_written()));
    record = record.maybe(execution.workdir.as_ref().map(path).as_deref());
    for setting in &execution.env {
        record = record.text("env").text(setting.name.as_str()).text(setting.value.as_written());
    }
    for mount in &execution.mounts {
        record = match &mount.kind {
            MountKind::Bind { source: _, select, target, writable } => record
                .text("bind")
                .maybe(select.as_ref().map(path).as_deref())
                .text(&path(target))
                .flag(*writable),
            MountKind::Cache { name, target, sharing } => {
                let target = path(target);
                // A shared one with the name of its place is what a Dockerfile has that says neither, and
                // daemons that knew the name by its place before know it so still.
                let is_plain = *sharing == Sharing::Shared && target == format!("/{}", name.as_str());
                let record = record.text("cache").text(&target).flag(is_plain);
                match asked {
                    Asked::Deciding => record,
                    Asked::All => record.text(name.as_str()).text(match sharing {
                        Sharing::Shared => "shared",
                        Sharing::Private => "private",
                        Sharing::Locked => "locked",
                    }),
                }
            }
            MountKind::Secret { name, target } => {
                let record = record.text("secret").text(name.as_str()).flag(optional(name.as_str()));
                match target {
                    SecretTarget::File(target) => record.text("at").text(&path(target)),
                    SecretTarget::Env(variable) => record.text("as").text(variable.as_str()),
                }
            }
            MountKind::Ssh { name, target } => record
                .text("ssh")
                .text(name.as_ref().map_or(DEFAULT_AGENT, |name| name.as_str()))
                .maybe(target.as_ref().map(path).as_deref()),
            MountKind::Tmpfs { target, size } => {
                record.text("tmpfs").text(&path(target)).number(size.unwrap_or_default())
            }
        };
    }
    record
}

fn with_copy(copy: &Copy) -> Record {
    let record = match &copy.form {
        CopyForm::To { source, destination } => {
            Record::of("copy to").text(&path(source)).text(&path(destination))
        }
        CopyForm::Into { sources, directory } => {
            let sources: Vec<String> = sources.iter().map(path).collect();
            Record::of("copy into").texts(sources.iter().map(String::as_str)).text(&path(directory))
        }
        CopyForm::Contents { directory, destination } => {
            Record::of("copy contents").text(&path(directory)).text(&path(destination))
        }
    };
    let record = record.flag(copy.replace).flag(copy.optional).flag(copy.follow);
    let mode = copy.mode.as_ref().map(|mode| mode.value.to_string());
    path_rules(owner(record.maybe(mode.as_deref()), copy.owner.as_ref()), &copy.rules)
}

/// Rules, in their order.
pub(super) fn path_rules(mut record: Record, rules: &PathRules) -> Record {
    for rule in rules {
        record = record.flag(matches!(rule.kind, RuleKind::Include)).text(&rule.pattern.value);
    }
    record.number(rules.len() as u64)
}

/// An owner; `5` and `5:5` are one.
fn owner(record: Record, owner: Option<&Spanned<Owner>>) -> Record {
    let Some(owner) = owner else { return record.maybe(None) };
    match accounts::numeric(&owner.value) {
        Some(ids) => record.maybe(Some(&format!("{}:{}", ids.user, ids.group))),
        None => record.maybe(Some(&owner.value.to_string())),
    }
}

/// A path without detours; with them where a variable in it is not known.
fn path(template: &Spanned<Template>) -> String {
    match template.as_literal() {
        Some(path) => clean(&path),
        None => template.as_written().to_owned(),
    }
}

/// `/a/b` for `a//b/`, `./a/b` and `/a/b`.
pub(super) fn clean(path: &str) -> String {
    let parts = path.split('/').filter(|part| !part.is_empty() && *part != ".");
    let cleaned: String = parts.flat_map(|part| ["/", part]).collect();
    if cleaned.is_empty() { "/".to_owned() } else { cleaned }
}
