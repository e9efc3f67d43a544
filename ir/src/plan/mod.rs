//! The plan: what a `.cpk` text says, as values.
//!
//! A [`Plan`] holds no handle, no path on this machine that was looked at and no closure, so it
//! can be printed, parsed, hashed and compared. Where a value was written ([`Span`]) is kept for
//! messages, but takes no part in comparing: two plans that differ only in places are equal.
//!
//! Reading order: [`Stage`], [`Op`], [`Input`], then the rest.

pub mod base;
pub mod context;
pub mod copy;
pub mod execution;
pub mod export;
pub mod file_ops;
pub mod image_config;
pub mod input;
pub mod mount;
pub mod names;
pub mod op;
pub mod order;
pub mod owner;
pub mod path_rules;
pub mod phase;
pub mod span;
pub mod stage;
pub mod stock;
pub mod template;
pub mod volume;
pub mod walk;

use std::collections::{BTreeMap, BTreeSet};

use cogpack_content::Platform;

pub use base::BaseImage;
pub use context::{Context, ContextKind};
pub use copy::{Copy, CopyForm};
pub use execution::{EnvSetting, Execution, Network};
pub use export::{Export, Listing, Setting, Texts};
pub use file_ops::{FileContent, MakeDirectory, MakeFile, MakeSymlink, Remove};
pub use image_config::{Healthcheck, HealthcheckTest, ImageConfig, Port, Protocol};
pub use input::Input;
pub use mount::{Mount, MountKind, SecretTarget, Sharing};
pub use names::{
    BlockName, CacheName, EnvName, InputName, LayerName, PhaseName, SecretName, SshName, StageName,
};
pub use op::{EnvChange, EnvEdit, Layer, Op, OpKind, Provenance};
pub use owner::{Mode, Owner};
pub use path_rules::{PathRule, PathRules, RuleKind};
pub use phase::Phase;
pub use span::{Span, Spanned};
pub use stage::Stage;
pub use template::{Piece, Template};
pub use walk::{for_each_op, for_each_op_mut};

/// One whole plan. [`order::canonicalise`] puts a plan made by hand into the order that printing
/// uses; parsing and reading JSON do so themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What the image is built for; never empty ([`Platform::linux_amd64`] where nothing is said).
    pub platforms: BTreeSet<Spanned<Platform>>,
    /// Base images by name. Images and contexts share one space of names.
    pub images: BTreeMap<InputName, BaseImage>,
    /// Contexts by name: all that a build may read from outside the plan, images apart.
    pub contexts: BTreeMap<InputName, Context>,
    /// Secrets that a builder must be given values for; the span is the declaration's.
    pub secrets: BTreeMap<SecretName, SecretDeclaration>,
    /// Caches that survive from build to build; the span is the declaration's.
    pub caches: BTreeMap<CacheName, Span>,
    /// Phases by name. Empty means [`stock::phases`]; use [`Plan::phases`] to see them.
    pub declared_phases: BTreeMap<PhaseName, Phase>,
    /// Stages. Within a phase their order is the order they run in where `from` is left out.
    pub stages: Vec<Stage>,
    /// What becomes the image. A plan without one can be checked, but not emitted.
    pub export: Option<Export>,
}

/// `secret NAME [optional]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretDeclaration {
    /// Whether the build may go on where no value is given; the mount is then absent.
    pub optional: bool,
    /// The declaration.
    pub span: Span,
}

impl Plan {
    /// A plan that says nothing: one platform, no stage.
    pub fn empty() -> Self {
        Self {
            platforms: BTreeSet::from([Spanned::nowhere(Platform::linux_amd64())]),
            images: BTreeMap::new(),
            contexts: BTreeMap::new(),
            secrets: BTreeMap::new(),
            caches: BTreeMap::new(),
            declared_phases: BTreeMap::new(),
            stages: Vec::new(),
            export: None,
        }
    }

    /// The phases in force: the declared ones, or the stock chains where none is declared.
    pub fn phases(&self) -> std::borrow::Cow<'_, BTreeMap<PhaseName, Phase>> {
        if self.declared_phases.is_empty() {
            std::borrow::Cow::Owned(stock::phases())
        } else {
            std::borrow::Cow::Borrowed(&self.declared_phases)
        }
    }
}
