//! What a `run` or `exec` can see. A program is an unknown function of that and of nothing else, so two are
//! equal only if all of it is.

use std::collections::BTreeMap;

use cogpack_backends_contract::programs;
use cogpack_ir::plan::{CacheName, EnvName, Network, SecretName, SecretTarget, Sharing, SshName};
use cogpack_ir::plan::{Execution, MountKind};
use cogpack_ir::resolve::{EnvValue, State, Step};

use crate::filesystem::{Failure, Filesystem, Node};
use crate::text::known_or_written;

/// All that a program can see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The program and its arguments.
    pub arguments: Vec<String>,
    /// Its variables; no value is one that is not known.
    pub environment: BTreeMap<String, Option<String>>,
    /// Variables whose values are secrets.
    pub secrets: BTreeMap<EnvName, SecretName>,
    /// Where it starts.
    pub directory: String,
    /// Who runs it; root where nothing is said.
    pub user: Option<String>,
    /// Its network.
    pub network: Network,
    /// What it runs on.
    pub root: Filesystem,
    /// By their targets: what is mounted over that.
    pub mounts: BTreeMap<String, Mounted>,
    /// Agents whose places are the builder's choice.
    pub agents: Vec<Option<SshName>>,
}

/// What is mounted. Of what a cache holds nothing is known: no result may depend on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mounted {
    /// A directory, and whether the program may write to it.
    Directory(Filesystem, bool),
    /// A file, likewise.
    File(Node, bool),
    /// What survives from build to build.
    Cache(CacheName, Sharing),
    /// The file of a secret.
    Secret(SecretName),
    /// The socket of an agent.
    Agent(Option<SshName>),
    /// Memory of at most so many bytes.
    Memory(Option<u64>),
}

/// Where a program is looked for where no variable says so, by every builder.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The directory that the program of a step starts in; `None` for ops that run nothing.
pub fn directory(step: &Step<'_>) -> Option<String> {
    let (_, execution) = programs::execution(step)?;
    Some(match &execution.workdir {
        Some(workdir) => known_or_written(workdir),
        None => step.state.workdir.as_deref().unwrap_or("/").to_owned(),
    })
}

/// What the program of a step sees on `root`, which has the directory that it starts in; `files` gives what
/// is mounted of an input.
pub fn seen<'s>(
    step: &Step<'s>,
    root: &Filesystem,
    mut files: impl FnMut(&'s MountKind) -> Result<Option<Mounted>, Failure>,
) -> Result<Option<Seen>, Failure> {
    let (Some((arguments, execution)), Some(directory)) = (programs::execution(step), directory(step)) else {
        return Ok(None);
    };
    let mut seen = Seen {
        arguments: arguments.into_iter().map(std::borrow::Cow::into_owned).collect(),
        environment: environment(step.state, execution),
        secrets: BTreeMap::new(),
        directory,
        user: match &execution.user {
            Some(user) => Some(known_or_written(user)),
            None => step.state.user.as_deref().map(str::to_owned),
        },
        network: execution.network,
        root: root.clone(),
        mounts: BTreeMap::new(),
        agents: Vec::new(),
    };
    for mount in &execution.mounts {
        let mounted = match &mount.kind {
            MountKind::Bind { .. } => files(&mount.kind)?,
            MountKind::Cache { name, sharing, .. } => Some(Mounted::Cache(name.value.clone(), *sharing)),
            MountKind::Secret { name, target: SecretTarget::File(_) } => {
                Some(Mounted::Secret(name.value.clone()))
            }
            MountKind::Secret { name, target: SecretTarget::Env(variable) } => {
                seen.secrets.insert(variable.value.clone(), name.value.clone());
                None
            }
            MountKind::Ssh { name, target: Some(_) } => {
                Some(Mounted::Agent(name.as_ref().map(|name| name.value.clone())))
            }
            MountKind::Ssh { name, target: None } => {
                seen.agents.push(name.as_ref().map(|name| name.value.clone()));
                None
            }
            MountKind::Tmpfs { size, .. } => Some(Mounted::Memory(*size)),
        };
        let target = mount.kind.target().map(|target| known_or_written(target));
        seen.mounts.extend(target.zip(mounted));
    }
    Ok(Some(seen))
}

fn environment(state: &State, execution: &Execution) -> BTreeMap<String, Option<String>> {
    let mut environment = BTreeMap::from([("PATH".to_owned(), Some(PATH.to_owned()))]);
    for (name, value) in state.env.iter() {
        let value = match value {
            EnvValue::Known(value) => Some(value.to_string()),
            EnvValue::Open => None,
        };
        environment.insert(name.as_str().to_owned(), value);
    }
    for setting in &execution.env {
        environment.insert(setting.name.as_str().to_owned(), Some(known_or_written(&setting.value)));
    }
    environment
}
