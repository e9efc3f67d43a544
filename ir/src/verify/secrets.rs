//! A secret reaches only the op that mounts it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use miette::Diagnostic;

use super::copies::literal;
use super::paths;
use crate::finding::{Finding, Place};
use crate::plan::{
    CacheName, EnvName, EnvSetting, Execution, Mount, MountKind, Op, OpKind, SecretTarget, Spanned,
};
use crate::resolve::State;

/// How a secret could reach what it must not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum SecretFinding {
    /// The variable of a secret is one of the stage's, which the image keeps.
    #[error("the secret `{secret}` shows in `{variable}`, which the stage sets as well")]
    #[diagnostic(
        code(cpk::secret::exposed),
        help(
            "show it in a variable of another name: the image keeps what the stage sets, so a value must never go there"
        )
    )]
    StageVariable {
        /// The secret.
        secret: String,
        /// The variable.
        variable: String,
        /// The mount.
        #[label("the stage has a variable of this name")]
        place: Place,
    },
    /// The variable of a secret is set in the same op.
    #[error("the secret `{secret}` shows in `{variable}`, which this op sets as well")]
    #[diagnostic(
        code(cpk::secret::exposed),
        help("keep one of them: a value written in the plan is no secret")
    )]
    OpVariable {
        /// The secret.
        secret: String,
        /// The variable.
        variable: String,
        /// The mount.
        #[label("the secret's variable")]
        place: Place,
        /// The `env`.
        #[label("the same variable with a value that everybody can read")]
        setting: Place,
    },
    /// The file of a secret is inside a cache.
    #[error("the secret `{secret}` shows at `{path}`, inside the cache `{cache}`")]
    #[diagnostic(
        code(cpk::secret::exposed),
        help("show it outside the cache: what is left in a cache, every later build can read")
    )]
    InCache {
        /// The secret.
        secret: String,
        /// Its file.
        path: String,
        /// The cache.
        cache: String,
        /// The secret's target.
        #[label("this is below the cache's target")]
        place: Place,
        /// The cache's target.
        #[label("the cache is here")]
        target: Place,
    },
}

/// Checks the ops of a block; `states` has what holds before each op that is no layer or `by`.
pub(super) fn check(ops: &[Op], states: &mut impl Iterator<Item = Arc<State>>, findings: &mut Vec<Finding>) {
    for op in ops {
        match &op.kind {
            OpKind::Layer(layer) => check(&layer.ops, states, findings),
            OpKind::By(_) => {}
            OpKind::Run { .. }
            | OpKind::Exec { .. }
            | OpKind::Copy(_)
            | OpKind::File(_)
            | OpKind::Mkdir(_)
            | OpKind::Symlink(_)
            | OpKind::Remove(_)
            | OpKind::Env(_)
            | OpKind::Workdir(_)
            | OpKind::User(_)
            | OpKind::Shell(_) => {
                let state = states.next();
                if let (Some(execution), Some(state)) = (op.execution(), state) {
                    check_execution(execution, &state, findings);
                }
            }
        }
    }
}

fn check_execution(execution: &Execution, state: &State, findings: &mut Vec<Finding>) {
    let targets: Vec<CacheTarget<'_>> = execution.mounts.iter().filter_map(CacheTarget::of).collect();
    let mut caches: BTreeMap<Vec<&str>, Vec<usize>> = BTreeMap::new();
    for (place, cache) in targets.iter().enumerate() {
        caches.entry(paths::parts(&cache.path).collect()).or_default().push(place);
    }
    let mut settings: BTreeMap<&EnvName, &EnvSetting> = BTreeMap::new();
    for setting in &execution.env {
        settings.entry(&setting.name.value).or_insert(setting);
    }
    for mount in &execution.mounts {
        let MountKind::Secret { name, target } = &mount.kind else { continue };
        match target {
            SecretTarget::Env(variable) => {
                check_variable(name.as_str(), variable, settings.get(&variable.value), state, findings)
            }
            SecretTarget::File(file) => {
                let Some(path) = literal(file) else { continue };
                // Equal paths are the overlap of two mounts, which is another finding.
                let parts: Vec<&str> = paths::parts(&path).collect();
                let above = (0..parts.len()).filter_map(|depth| caches.get(&parts[..depth]));
                let above: BTreeSet<usize> = above.flatten().copied().collect();
                for cache in above.into_iter().map(|place| &targets[place]) {
                    let finding = SecretFinding::InCache {
                        secret: name.to_string(),
                        path: path.clone(),
                        cache: cache.name.to_string(),
                        place: file.span.place(),
                        target: cache.place,
                    };
                    findings.push(finding.into());
                }
            }
        }
    }
}

/// Where an execution has a cache.
struct CacheTarget<'p> {
    name: &'p CacheName,
    path: String,
    place: Place,
}

impl<'p> CacheTarget<'p> {
    fn of(mount: &'p Mount) -> Option<Self> {
        let MountKind::Cache { name, target, .. } = &mount.kind else { return None };
        Some(Self { name, path: literal(target)?, place: target.span.place() })
    }
}

fn check_variable(
    secret: &str,
    variable: &Spanned<EnvName>,
    setting: Option<&&EnvSetting>,
    state: &State,
    findings: &mut Vec<Finding>,
) {
    let (secret, place) = (secret.to_owned(), variable.span.place());
    if let Some(setting) = setting {
        let (variable, setting) = (variable.to_string(), setting.span.place());
        findings.push(SecretFinding::OpVariable { secret, variable, place, setting }.into());
    } else if state.variable(variable.as_str()).is_some() {
        findings.push(SecretFinding::StageVariable { secret, variable: variable.to_string(), place }.into());
    }
}
