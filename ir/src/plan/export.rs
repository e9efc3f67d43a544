//! What becomes the image, and what its config says beside what the stage already does.

use std::collections::{BTreeMap, BTreeSet};

use super::image_config::{Healthcheck, Port};
use super::input::Input;
use super::span::{Span, Spanned};

/// `export from INPUT { … }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// The filesystem and the inherited config.
    pub from: Spanned<Input>,
    /// The entry point. Unlike in a Dockerfile, setting it leaves the command as it is.
    pub entrypoint: Setting<Vec<String>>,
    /// The command.
    pub cmd: Setting<Vec<String>>,
    /// The user of the image's processes.
    pub user: Setting<String>,
    /// Their working directory.
    pub workdir: Setting<String>,
    /// The signal that asks the main program to stop.
    pub stop_signal: Setting<String>,
    /// How a runtime finds out whether the container is well.
    pub healthcheck: Setting<Healthcheck>,
    /// Ports.
    pub ports: Listing<BTreeSet<Port>>,
    /// Volumes.
    pub volumes: Listing<BTreeSet<String>>,
    /// Labels.
    pub labels: Listing<BTreeMap<String, String>>,
    /// Annotations of the manifest. A base's annotations are never inherited, so there is
    /// nothing to clear.
    pub annotations: BTreeMap<String, String>,
    /// The word `export`.
    pub span: Span,
}

/// What happens to an inherited value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Setting<T> {
    /// Nothing is said: it stays.
    #[default]
    Inherit,
    /// `clear …`: it is gone.
    Clear,
    /// It becomes this.
    Set(Spanned<T>),
}

/// What happens to an inherited list: it may be cleared first, and is then added to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing<T> {
    /// `clear …`: what is inherited is gone.
    pub cleared: bool,
    /// What is added.
    pub added: T,
}

impl Export {
    /// An export of `from` that says nothing else.
    pub fn of(from: Spanned<Input>) -> Self {
        Self {
            from,
            entrypoint: Setting::Inherit,
            cmd: Setting::Inherit,
            user: Setting::Inherit,
            workdir: Setting::Inherit,
            stop_signal: Setting::Inherit,
            healthcheck: Setting::Inherit,
            ports: Listing::default(),
            volumes: Listing::default(),
            labels: Listing::default(),
            annotations: BTreeMap::new(),
            span: Span::NOWHERE,
        }
    }
}
