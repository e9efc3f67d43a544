//! A program that a stage runs, as data: all that whoever has a runtime must know, and nothing of
//! how it is run.

use std::borrow::Cow;

use cogpack_backends_contract::content::Content;
use cogpack_backends_contract::tree::{Name, PathProblem, Tree};
use cogpack_ir::plan::{
    CacheName, EnvName, Execution, InputName, Mount, MountKind, Network, SecretName, SecretTarget, Sharing,
    Span, Template,
};
use cogpack_ir::resolve::{EnvValue, StageId, State};

/// What tells a program where the socket of its ssh agent is.
const AGENT_VARIABLE: &str = "SSH_AUTH_SOCK";
/// What a plan calls the agent that has no name.
const DEFAULT_AGENT: &str = "default";
/// Where a program is looked for where no variable says so, by every builder.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A program to be run.
#[derive(Debug, Clone)]
pub struct Program {
    /// The stage whose program it is. A stage waits for one at a time.
    pub stage: StageId,
    /// The place of its op among the steps of the stage.
    pub step: usize,
    /// Its op.
    pub span: Span,
    /// The program and its arguments.
    pub arguments: Vec<String>,
    /// Its variables, without those that are secrets.
    pub environment: Vec<(String, String)>,
    /// Variables whose values are secrets.
    pub secrets: Vec<SecretVariable>,
    /// Where it starts; the directory is there.
    pub directory: String,
    /// Who runs it, as the plan says it; root where nothing is said.
    pub user: Option<String>,
    /// What network it sees.
    pub network: Network,
    /// What it runs on.
    pub root: Filesystem,
    /// What is mounted over that, a mount above before those below it.
    pub mounts: Vec<ProgramMount>,
}

/// A filesystem, and which one it came from: what whoever keeps filesystems on disk need not write
/// once more.
#[derive(Debug, Clone, Default)]
pub struct Filesystem {
    /// All that is in it.
    pub tree: Tree<Content>,
    /// What it has grown out of.
    pub origin: Origin,
}

/// A filesystem that exists outside of the plan.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Origin {
    /// None: all of it is made by file ops.
    #[default]
    Nothing,
    /// A base image's.
    Base(InputName),
    /// The one that a program left: its stage, and the place of its op there.
    Program(StageId, usize),
}

/// A variable whose value is a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretVariable {
    /// The variable.
    pub variable: EnvName,
    /// The secret.
    pub secret: SecretName,
    /// Whether the program runs without it.
    pub optional: bool,
}

/// One mount of a program.
#[derive(Debug, Clone)]
pub struct ProgramMount {
    /// Where: an absolute path in the program's root.
    pub target: String,
    /// What.
    pub what: Mounted,
}

/// What can be mounted.
#[derive(Debug, Clone)]
pub enum Mounted {
    /// Files of a context, an image or a stage.
    Files {
        /// All of them.
        from: Filesystem,
        /// The directory or file of them that is mounted: a path that leads through no link.
        select: Vec<Name>,
        /// Whether the program may write. What it writes is thrown away.
        writable: bool,
    },
    /// A directory that survives from build to build.
    Cache {
        /// Its name.
        name: CacheName,
        /// What happens when two want it at once.
        sharing: Sharing,
    },
    /// Memory.
    Tmpfs {
        /// The most it may hold, in bytes.
        size: Option<u64>,
    },
    /// A file that holds a secret.
    Secret {
        /// Its name.
        name: SecretName,
        /// Whether the program runs without it.
        optional: bool,
    },
    /// The socket of an ssh agent.
    Agent {
        /// The agent's name.
        name: String,
    },
}

/// Why something cannot be mounted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MountProblem {
    /// It is not there.
    #[error("`{0}` is not there to be mounted")]
    Missing(String),
    /// Its path cannot be walked.
    #[error(transparent)]
    Path(#[from] PathProblem),
}

/// The variables that a program would need and nobody knows: they lean on a base whose config is
/// not known.
pub fn open_variables<'a>(state: &'a State, execution: &'a Execution) -> Vec<&'a EnvName> {
    let is_set_here = |name: &EnvName| execution.env.iter().any(|setting| setting.name.value == *name);
    let open = state.env.iter().filter(|(name, value)| **value == EnvValue::Open && !is_set_here(name));
    open.map(|(name, _)| name).collect()
}

/// The stage's variables in their order, with those of the execution: one that is there already
/// keeps its place.
pub fn environment(state: &State, execution: &Execution) -> Vec<(String, String)> {
    let mut environment: Vec<(String, String)> = Vec::with_capacity(state.env.len());
    for (name, value) in state.env.iter() {
        let value = match value {
            EnvValue::Known(value) => value.to_string(),
            // The execution sets it anew: others are refused before anything is evaluated.
            EnvValue::Open => String::new(),
        };
        environment.push((name.as_str().to_owned(), value));
    }
    for setting in &execution.env {
        let value = literal(&setting.value);
        match environment.iter_mut().find(|(name, _)| *name == setting.name.as_str()) {
            Some((_, old)) => *old = value,
            None => environment.push((setting.name.as_str().to_owned(), value)),
        }
    }
    if !environment.iter().any(|(name, _)| name == "PATH") {
        environment.push(("PATH".to_owned(), DEFAULT_PATH.to_owned()));
    }
    if !environment.iter().any(|(name, _)| name == AGENT_VARIABLE)
        && let Some(socket) = agents(execution).next()
    {
        environment.push((AGENT_VARIABLE.to_owned(), socket.target));
    }
    environment
}

/// The text of a template that leans on nothing open, as all do by now.
pub fn literal(template: &Template) -> String {
    template.as_literal().map_or_else(|| template.as_written().to_owned(), Cow::into_owned)
}

/// The sockets of ssh agents that an execution mounts.
pub fn agents(execution: &Execution) -> impl Iterator<Item = ProgramMount> {
    let of_agents = execution.mounts.iter().filter_map(|mount| match &mount.kind {
        MountKind::Ssh { name, target } => Some((name, target)),
        MountKind::Bind { .. }
        | MountKind::Cache { .. }
        | MountKind::Secret { .. }
        | MountKind::Tmpfs { .. } => None,
    });
    of_agents.enumerate().map(|(place, (name, target))| ProgramMount {
        target: match target {
            Some(target) => literal(target),
            // Where other builders put it.
            None => format!("/run/buildkit/ssh_agent.{place}"),
        },
        what: Mounted::Agent {
            name: name.as_ref().map_or_else(|| DEFAULT_AGENT.to_owned(), |name| name.as_str().to_owned()),
        },
    })
}

/// A mount that shows nothing of any filesystem; `None` for files, agents and variables.
pub fn plain_mount(mount: &Mount, is_optional: impl Fn(&SecretName) -> bool) -> Option<ProgramMount> {
    let (target, what) = match &mount.kind {
        MountKind::Cache { name, target, sharing } => {
            (target, Mounted::Cache { name: name.value.clone(), sharing: *sharing })
        }
        MountKind::Tmpfs { target, size } => (target, Mounted::Tmpfs { size: *size }),
        MountKind::Secret { name, target: SecretTarget::File(target) } => {
            (target, Mounted::Secret { name: name.value.clone(), optional: is_optional(name) })
        }
        MountKind::Secret { target: SecretTarget::Env(_), .. }
        | MountKind::Bind { .. }
        | MountKind::Ssh { .. } => return None,
    };
    Some(ProgramMount { target: literal(target), what })
}

/// The variables of an execution whose values are secrets.
pub fn secret_variables(
    execution: &Execution,
    is_optional: impl Fn(&SecretName) -> bool,
) -> Vec<SecretVariable> {
    let variable = |mount: &Mount| match &mount.kind {
        MountKind::Secret { name, target: SecretTarget::Env(variable) } => Some(SecretVariable {
            variable: variable.value.clone(),
            secret: name.value.clone(),
            optional: is_optional(name),
        }),
        MountKind::Secret { target: SecretTarget::File(_), .. }
        | MountKind::Bind { .. }
        | MountKind::Cache { .. }
        | MountKind::Ssh { .. }
        | MountKind::Tmpfs { .. } => None,
    };
    execution.mounts.iter().filter_map(variable).collect()
}
