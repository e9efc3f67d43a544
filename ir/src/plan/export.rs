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
    pub ports: Listing<BTreeSet<Spanned<Port>>>,
    /// Volumes.
    pub volumes: Listing<BTreeSet<Spanned<String>>>,
    /// Labels. A key's place stands for the whole label.
    pub labels: Listing<Texts>,
    /// Annotations of the manifest. A base's annotations are never inherited, so there is
    /// nothing to clear.
    pub annotations: Texts,
    /// The word `export`.
    pub span: Span,
}

/// Texts by key, each with the place of its key.
pub type Texts = BTreeMap<Spanned<String>, String>;

/// What happens to an inherited value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Setting<T> {
    /// Nothing is said: it stays.
    #[default]
    Inherit,
    /// `clear …`, written there: it is gone.
    Clear(Span),
    /// It becomes this.
    Set(Spanned<T>),
}

/// What happens to an inherited list: it may be cleared first, and is then added to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing<T> {
    /// Where `clear …` is written, if it is: what is inherited is gone.
    pub cleared: Option<Span>,
    /// What is added.
    pub added: T,
}

impl<T> Setting<T> {
    /// Whether an inherited value is taken away.
    pub fn is_cleared(&self) -> bool {
        match self {
            Self::Clear(_) => true,
            Self::Inherit | Self::Set(_) => false,
        }
    }

    /// Where something is said of it, if it is.
    pub fn span(&self) -> Option<Span> {
        match self {
            Self::Inherit => None,
            Self::Clear(span) => Some(*span),
            Self::Set(value) => Some(value.span),
        }
    }
}

/// Texts without their places.
pub fn without_places(texts: &Texts) -> BTreeMap<String, String> {
    texts.iter().map(|(key, text)| (key.value.clone(), text.clone())).collect()
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
