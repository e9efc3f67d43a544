//! Where a Dockerfile will stand, and what of the plan's contexts a build can read from there.
//!
//! The lowering touches no disk, so whoever writes the Dockerfile says this before. Left at its
//! default, the Dockerfile's own directory is the build context, and all that a build reads is
//! laid in it: that works with every builder, and everywhere.

use std::collections::{BTreeMap, BTreeSet};

use cogpack_ir::plan::InputName;

/// Where a Dockerfile will stand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Surroundings {
    /// The build context, where that is not the Dockerfile's own directory.
    pub root: Option<Root>,
    /// Other `dir` contexts that can be given to the build by name, with the path of each as the
    /// command names it. Which of them are depends on the dialect too.
    pub named: BTreeMap<InputName, String>,
    /// Whether nothing can lie beside the Dockerfile, because it goes to standard output.
    pub alone: bool,
    /// Sources of `optional` copies that are not there.
    pub missing: BTreeSet<(InputName, String)>,
    /// What the patterns of copies match that can stand in a Dockerfile, where that is files without
    /// setuid and setgid, and nothing else.
    pub matches: BTreeMap<(InputName, String), BTreeSet<String>>,
    /// Sources of copies with a mode that are files, without setuid and setgid.
    pub files: BTreeSet<(InputName, String)>,
    /// Sources of copies with `follow` that are links.
    pub links: BTreeSet<(InputName, String)>,
}

/// A `dir` context that is the build context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// Which.
    pub context: InputName,
    /// Its path as the command names it, for instance `.`.
    pub path: String,
    /// The Dockerfile as the command names it; `-` for standard input.
    pub file: String,
    /// The way from the build context to the Dockerfile's directory; `None` where that is
    /// outside, so that nothing beside the Dockerfile can be read.
    pub beside: Option<String>,
}
