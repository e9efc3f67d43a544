//! What holds at one point of a stage beside its filesystem: environment, working directory,
//! user, shell, and what of the base's config is inherited untouched.

use std::sync::Arc;

use super::environment::Environment;
use crate::plan::{EnvName, ImageConfig};

/// The state before an op, or at the end of a stage. Shared between ops that change nothing of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Whether the base's config is known. Where it is not, only what the plan itself says is
    /// here, and a warning of the plan says what that costs.
    pub base_known: bool,
    /// The environment: the base's in its order, then others in the order they were first set.
    /// A variable that changes keeps its place, as in Docker's builders.
    pub env: Environment,
    /// The working directory; `None` means `/`.
    pub workdir: Option<Arc<str>>,
    /// The user; `None` means root.
    pub user: Option<Arc<str>>,
    /// What a `run`'s script is handed to.
    pub shell: Arc<[String]>,
    /// The base's config: entry point, command, ports, volumes, labels, stop signal and health
    /// check are inherited from it until `export` says otherwise. Its env, workdir, user and
    /// shell are where the fields above start from.
    pub inherited: Arc<ImageConfig>,
}

/// The value of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvValue {
    /// This text.
    Known(Arc<str>),
    /// It leans on a variable of a base whose config is not known.
    Open,
}

impl State {
    /// The shell where neither base nor plan says another.
    pub const DEFAULT_SHELL: [&str; 2] = ["/bin/sh", "-c"];

    /// The state of `scratch`: nothing is set, and that is known.
    pub fn scratch() -> Self {
        Self::of_base(Some(&ImageConfig::default()))
    }

    /// The state at the start of an image with this config, or with one that is not known.
    pub fn of_base(config: Option<&ImageConfig>) -> Self {
        let known = config.cloned().unwrap_or_default();
        Self {
            base_known: config.is_some(),
            env: known
                .env
                .iter()
                .map(|(name, value)| (name.clone(), EnvValue::Known(value.as_str().into())))
                .collect(),
            workdir: known.workdir.as_deref().map(Into::into),
            user: known.user.as_deref().map(Into::into),
            shell: match &known.shell {
                Some(shell) => shell.as_slice().into(),
                None => Self::DEFAULT_SHELL.map(str::to_owned).into(),
            },
            inherited: Arc::new(known),
        }
    }

    /// With a variable of this value; `None` where it has that already.
    pub(super) fn with_variable(&self, name: &EnvName, value: EnvValue) -> Option<Self> {
        if self.variable(name.as_str()) == Some(&value) {
            return None;
        }
        let mut state = self.clone();
        state.env.set(name.clone(), value);
        Some(state)
    }

    /// Without a variable; `None` where it is not set.
    pub(super) fn without_variable(&self, name: &EnvName) -> Option<Self> {
        self.variable(name.as_str())?;
        let mut state = self.clone();
        state.env.unset(name);
        Some(state)
    }

    /// With another working directory; `None` where it is that one.
    pub(super) fn in_directory(&self, workdir: Arc<str>) -> Option<Self> {
        (self.workdir.as_ref() != Some(&workdir)).then(|| Self { workdir: Some(workdir), ..self.clone() })
    }

    /// With another user; `None` where it is that one.
    pub(super) fn as_user(&self, user: Arc<str>) -> Option<Self> {
        (self.user.as_ref() != Some(&user)).then(|| Self { user: Some(user), ..self.clone() })
    }

    /// With another shell; `None` where it is that one.
    pub(super) fn with_shell(&self, shell: &[String]) -> Option<Self> {
        (*self.shell != *shell).then(|| Self { shell: shell.into(), ..self.clone() })
    }

    /// The value of a variable; `None` where it is not set as far as is known.
    pub fn variable(&self, name: &str) -> Option<&EnvValue> {
        self.env.get(name)
    }
}
