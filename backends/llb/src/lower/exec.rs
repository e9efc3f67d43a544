//! `run` and `exec`, with their mounts.

use std::borrow::Cow;

use cogpack_backends_contract::image_config::open_variable;
use cogpack_backends_contract::{Unsupported, programs};
use cogpack_ir::plan::{
    Execution, Mount as PlanMount, MountKind as PlanMountKind, Network, Op as PlanOp, SecretTarget, Span,
};
use cogpack_ir::resolve::{EnvValue, State, Step};

use super::stage::{Chain, Site};
use super::{Lowering, Root, gap, paths};
use crate::Entitlement;
use crate::graph::Label;
use crate::wire::op::{SecretVariable, VertexId, place_of};
use crate::wire::{Exec, Mount, MountKind, Op};

/// What tells a program where the socket of its ssh agent is.
const AGENT_VARIABLE: &str = "SSH_AUTH_SOCK";

/// Where the programs are that every system has.
const SYSTEM_PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// What a plan calls the agent that has no name.
const DEFAULT_AGENT: &str = "default";

impl<'a> Lowering<'a> {
    /// Runs a step on `root`; `None` for steps that run nothing.
    pub(super) fn execute(
        &mut self,
        step: &Step<'a>,
        root: Root,
        label: Label,
    ) -> Result<Option<VertexId>, Unsupported> {
        let state = step.state;
        let Some((arguments, execution)) = programs::execution(step) else { return Ok(None) };
        let mut exec = Exec {
            inputs: root.into_iter().collect(),
            arguments,
            environment: environment(state, execution, step.op)?,
            directory: match &execution.workdir {
                Some(workdir) => paths::path(workdir)?,
                None => paths::clean(state.workdir.as_deref().unwrap_or("/").into()),
            },
            user: match &execution.user {
                Some(user) => paths::literal(user)?,
                None => state.user.as_deref().unwrap_or_default().into(),
            },
            mounts: vec![Mount { target: "/".into(), kind: MountKind::Root { input: root.map(|_| 0) } }],
            network: execution.network,
            secret_environment: Vec::new(),
        };
        if execution.network == Network::Host {
            self.needs.entitlements.insert(Entitlement::NetworkHost);
        }
        self.mounts(&mut exec, &execution.mounts)?;
        self.add(&Op::Exec(exec), label, step.op.span).map(Some)
    }

    /// Runs a program that every system has on what a chain has made so far, as root; the chain
    /// goes on from what it leaves. For what the daemon itself cannot do to files.
    pub(super) fn run_as_root(
        &mut self,
        site: &mut Site<'_>,
        chain: &mut Chain<'a>,
        step: &Step<'a>,
        arguments: Vec<Cow<'a, str>>,
    ) -> Result<(), Unsupported> {
        let span = step.op.span;
        let root = self.before(site, chain, span)?;
        let label = self.helper_label(site, &arguments.join(" "), span);
        let vertex = self.run_program(root, arguments, label, span)?;
        *chain = Chain::on(Some(vertex), site);
        Ok(())
    }

    /// Runs a program as root in `/`, with nothing mounted. It is looked for where systems keep
    /// theirs and nowhere else: on the plan's own PATH it may be missing, or be the project's.
    pub(super) fn run_program(
        &mut self,
        root: impl Into<Root>,
        arguments: Vec<Cow<'_, str>>,
        label: Label,
        span: Span,
    ) -> Result<VertexId, Unsupported> {
        let root = root.into();
        let exec = Exec {
            inputs: root.into_iter().collect(),
            arguments,
            environment: vec![("PATH", SYSTEM_PATH.into())],
            directory: "/".into(),
            user: "".into(),
            mounts: vec![Mount { target: "/".into(), kind: MountKind::Root { input: root.map(|_| 0) } }],
            network: Network::Default,
            secret_environment: Vec::new(),
        };
        self.add(&Op::Exec(exec), label, span)
    }

    /// Mounts by target, a mount above before one below it; then secrets; then sockets.
    fn mounts(&mut self, exec: &mut Exec<'a>, mounts: &'a [PlanMount]) -> Result<(), Unsupported> {
        let mut secrets = Vec::new();
        let mut sockets = Vec::new();
        for mount in mounts {
            match &mount.kind {
                PlanMountKind::Bind { source, select, target, writable } => {
                    let root = self.root(&source.value, source.span)?;
                    let selector = match select {
                        Some(select) => paths::path(select)?,
                        None => "/".into(),
                    };
                    exec.mounts.push(Mount {
                        target: paths::path(target)?,
                        kind: MountKind::Bind {
                            input: root.map(|root| place_of(&mut exec.inputs, root)),
                            selector: if selector == "/" { "".into() } else { selector },
                            readonly: !writable,
                        },
                    });
                }
                PlanMountKind::Cache { name, target, sharing } => exec.mounts.push(Mount {
                    target: paths::path(target)?,
                    // With the slash it is the cache that a Dockerfile's `id=NAME` names.
                    kind: MountKind::Cache { id: format!("/{}", name.as_str()), sharing: *sharing },
                }),
                PlanMountKind::Tmpfs { target, size } => exec.mounts.push(Mount {
                    target: paths::path(target)?,
                    kind: MountKind::Tmpfs { size: tmpfs_size(*size, mount.span)? },
                }),
                PlanMountKind::Secret { name, target } => {
                    let declared = self.plan.plan().secrets.get(&name.value);
                    let optional = declared.is_some_and(|secret| secret.optional);
                    self.needs.secrets.insert(name.value.clone(), optional);
                    match target {
                        SecretTarget::File(target) => secrets.push(Mount {
                            target: paths::path(target)?,
                            kind: MountKind::Secret { id: name.as_str(), optional },
                        }),
                        SecretTarget::Env(variable) => exec.secret_environment.push(SecretVariable {
                            id: name.as_str(),
                            name: variable.as_str(),
                            optional,
                        }),
                    }
                }
                PlanMountKind::Ssh { name, target } => {
                    let target = match target {
                        Some(target) => paths::path(target)?,
                        None => format!("/run/buildkit/ssh_agent.{}", sockets.len()).into(),
                    };
                    // BuildKit's own word for the default agent is the empty one.
                    let id = name.as_ref().map(|name| name.as_str()).filter(|name| *name != DEFAULT_AGENT);
                    self.needs.agents.insert(id.unwrap_or(DEFAULT_AGENT).to_owned());
                    sockets.push(Mount { target, kind: MountKind::Ssh { id: id.unwrap_or_default() } });
                }
            }
        }
        exec.mounts.sort_by(|one, other| one.target.cmp(&other.target));
        // Sorted like BuildKit's client sorts them; the inputs follow the mounts.
        renumber(exec);
        if let Some(first) = sockets.first()
            && !exec.environment.iter().any(|(name, _)| *name == AGENT_VARIABLE)
        {
            exec.environment.push((AGENT_VARIABLE, first.target.clone()));
        }
        exec.mounts.append(&mut secrets);
        exec.mounts.append(&mut sockets);
        Ok(())
    }
}

/// Puts the inputs into the order in which the mounts name them.
fn renumber(exec: &mut Exec<'_>) {
    let before = std::mem::take(&mut exec.inputs);
    for mount in &mut exec.mounts {
        if let MountKind::Root { input: Some(input) } | MountKind::Bind { input: Some(input), .. } =
            &mut mount.kind
        {
            *input = place_of(&mut exec.inputs, before[*input]);
        }
    }
}

/// The stage's variables in their order, with those of this execution: one that is there
/// already keeps its place.
fn environment<'a>(
    state: &'a State,
    execution: &'a Execution,
    op: &PlanOp,
) -> Result<Vec<(&'a str, Cow<'a, str>)>, Unsupported> {
    let mut environment = Vec::with_capacity(state.env.len() + execution.env.len());
    for (name, value) in state.env.iter() {
        // What this execution sets anew needs no value from before.
        let is_set_here = || execution.env.iter().any(|setting| setting.name.value == *name);
        match value {
            EnvValue::Known(value) => environment.push((name.as_str(), Cow::Borrowed(&**value))),
            EnvValue::Open if is_set_here() => environment.push((name.as_str(), Cow::Borrowed(""))),
            EnvValue::Open => return Err(open_variable(crate::NAME, name.as_str(), op.span)),
        }
    }
    for setting in &execution.env {
        let value = paths::literal(&setting.value)?;
        match environment.iter_mut().find(|(name, _)| *name == setting.name.as_str()) {
            Some((_, old)) => *old = value,
            None => environment.push((setting.name.as_str(), value)),
        }
    }
    Ok(environment)
}

fn tmpfs_size(size: Option<u64>, span: Span) -> Result<i64, Unsupported> {
    i64::try_from(size.unwrap_or_default()).map_err(|_| {
        gap(
            "cpk::unsupported::tmpfs-size",
            "a tmpfs of more than 8 EiB",
            span,
            "say a size that the machine has",
        )
    })
}
