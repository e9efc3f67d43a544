//! What the lowering makes: a Dockerfile, and what has to lie beside it.
//!
//! The directory that holds both is the whole build context, so `docker build` needs no flag
//! that an old engine lacks, and no ignore file can get between. Deliberately not here: reading
//! contexts and writing files, which the one who emits does.

use std::collections::{BTreeMap, BTreeSet};

use cogpack_ir::plan::{Copy, FileContent, InputName, Mode};

/// A Dockerfile and what it reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// The text, for a file called `Dockerfile`.
    pub dockerfile: String,
    /// What lies beside it, by path relative to it; no path is below another.
    pub beside: BTreeMap<String, Beside>,
    /// The arguments of `docker` that build it, run in its directory. Sources of secrets are
    /// left to be filled in.
    pub command: Vec<String>,
}

/// One thing beside the Dockerfile. Modes and links must be written exactly; owners have no
/// effect, as builders take every file of a context as root's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Beside {
    /// A whole context: a directory with its content (made even where it is empty).
    Context {
        /// Which.
        name: InputName,
        /// Paths in it that must not be links: `COPY` would follow them, the plan does not.
        never_links: BTreeSet<String>,
    },
    /// What a copy makes of a context on an empty filesystem: a directory, made even where
    /// nothing lands in it.
    Copied {
        /// The context.
        context: InputName,
        /// The copy, its destination relative to this directory.
        copy: Box<Copy>,
        /// What of its result `COPY` would not keep.
        never: Never,
    },
    /// A directory with one file.
    File {
        /// The file's name in it.
        name: String,
        /// Its mode.
        mode: Mode,
        /// Its bytes.
        content: FileContent,
    },
    /// A directory with one link.
    Symlink {
        /// The link's name in it.
        name: String,
        /// What it says.
        target: String,
    },
}

/// What must not come of a [`Beside::Copied`]; if it does, the plan cannot be emitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Never {
    /// Anything is fine.
    Nothing,
    /// A link at the top: `COPY` would follow it.
    LinkAtTop,
    /// A directory at the top: `COPY` would give it its own mode even where one is there.
    DirectoryAtTop,
}
