//! What a client must bring to a build: what it serves to the daemon, and what it asks it to allow.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use cogpack_ir::plan::{InputName, SecretName};

/// What a definition asks of the client that sends it. Stages that the export does not need ask
/// for nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Needs {
    /// The `dir` contexts whose directories are sent, under their own names.
    pub directories: BTreeSet<InputName>,
    /// The `oci` contexts whose layouts are served as stores, under their own names.
    pub layouts: BTreeSet<InputName>,
    /// Secrets, and whether the build may go on without each.
    pub secrets: BTreeMap<SecretName, bool>,
    /// Ids of ssh agents as the daemon asks for them; the one without a name is `default`.
    pub agents: BTreeSet<String>,
    /// What the daemon must allow.
    pub entitlements: BTreeSet<Entitlement>,
}

/// Something a daemon does only for clients that ask for it, and only where its own settings
/// allow it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entitlement {
    /// The network of the daemon's machine.
    NetworkHost,
}

impl Entitlement {
    /// BuildKit's id, as `--allow` takes it.
    pub const fn id(self) -> &'static str {
        match self {
            Self::NetworkHost => "network.host",
        }
    }
}

impl fmt::Display for Entitlement {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.id())
    }
}
