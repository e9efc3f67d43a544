//! BuildKit's ops as values that borrow from the plan.
//!
//! Every vertex this backend makes has exactly one output, so an input is a vertex and no index
//! beside it: an exec's output is its root filesystem, a file op's that of its last action.

use std::borrow::Cow;
use std::collections::BTreeMap;

use cogpack_ir::plan::{Network, Sharing};

/// The place of a vertex in its graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct VertexId(pub(crate) u32);

/// One op.
#[derive(Debug, Clone)]
pub(crate) enum Op<'a> {
    /// Files from elsewhere.
    Source(Source<'a>),
    /// One program run to its end.
    Exec(Exec<'a>),
    /// A chain of edits, one layer.
    File(File<'a>),
    /// Filesystems one on top of the other, first lowest.
    Merge(Vec<VertexId>),
    /// What `upper` changes in `lower`.
    Diff {
        /// From here.
        lower: VertexId,
        /// To here.
        upper: VertexId,
    },
}

/// Files from elsewhere.
#[derive(Debug, Clone)]
pub(crate) struct Source<'a> {
    /// Scheme and address.
    pub(crate) identifier: Cow<'a, str>,
    /// Settings, by BuildKit's names.
    pub(crate) attributes: BTreeMap<&'static str, Cow<'a, str>>,
    /// Whether it differs from platform to platform: images do, files do not.
    pub(crate) per_platform: bool,
}

/// One program run to its end.
#[derive(Debug, Clone)]
pub(crate) struct Exec<'a> {
    /// Filesystems that mounts name by place.
    pub(crate) inputs: Vec<VertexId>,
    /// Program and arguments.
    pub(crate) arguments: Vec<Cow<'a, str>>,
    /// Variables in order; the order is part of the cache key.
    pub(crate) environment: Vec<(&'a str, Cow<'a, str>)>,
    /// The working directory, absolute.
    pub(crate) directory: Cow<'a, str>,
    /// The user; empty means root.
    pub(crate) user: Cow<'a, str>,
    /// Mounts, the root among them, in the order of their targets; then secrets; then sockets.
    pub(crate) mounts: Vec<Mount<'a>>,
    /// What network it sees.
    pub(crate) network: Network,
    /// Variables whose values are secrets.
    pub(crate) secret_environment: Vec<SecretVariable<'a>>,
}

/// A variable whose value is a secret.
#[derive(Debug, Clone)]
pub(crate) struct SecretVariable<'a> {
    /// The secret's id.
    pub(crate) id: &'a str,
    /// The variable.
    pub(crate) name: &'a str,
    /// Whether the build may go on without it.
    pub(crate) optional: bool,
}

/// One mount of an exec.
#[derive(Debug, Clone)]
pub(crate) struct Mount<'a> {
    /// Absolute.
    pub(crate) target: Cow<'a, str>,
    /// What is mounted.
    pub(crate) kind: MountKind<'a>,
}

/// The kinds of mounts.
#[derive(Debug, Clone)]
pub(crate) enum MountKind<'a> {
    /// The filesystem the program changes: what it leaves there is the vertex's output.
    Root {
        /// A place among the inputs; `None` is the empty filesystem.
        input: Option<usize>,
    },
    /// Files to read, or to write and forget.
    Bind {
        /// A place among the inputs; `None` is the empty filesystem.
        input: Option<usize>,
        /// The part that is mounted, absolute; empty for all of it.
        selector: Cow<'a, str>,
        /// Whether writing is refused.
        readonly: bool,
    },
    /// A directory that survives.
    Cache {
        /// Its id on the daemon.
        id: String,
        /// What happens when two want it at once.
        sharing: Sharing,
    },
    /// Memory.
    Tmpfs {
        /// Its limit in bytes; 0 for the kernel's.
        size: i64,
    },
    /// A secret in a file of mode 0400.
    Secret {
        /// Its id.
        id: &'a str,
        /// Whether the build may go on without it.
        optional: bool,
    },
    /// The socket of an ssh agent, of mode 0600.
    Ssh {
        /// Its id; empty for the default one.
        id: &'a str,
    },
}

/// A chain of edits: one vertex, one cache key, one layer. Each edits what the one before left.
#[derive(Debug, Clone, Default)]
pub(crate) struct File<'a> {
    /// Filesystems that actions name by place.
    pub(crate) inputs: Vec<VertexId>,
    /// What the first action edits: a place among the inputs; `None` is the empty filesystem.
    pub(crate) base: Option<usize>,
    /// The edits.
    pub(crate) edits: Vec<Edit<'a>>,
}

/// One edit.
#[derive(Debug, Clone)]
pub(crate) struct Edit<'a> {
    /// What it does.
    pub(crate) action: Action<'a>,
    /// Who owns what it makes; `None` is root, and for a copy whoever owned the original.
    pub(crate) owner: Option<Owner>,
}

/// The kinds of edits.
#[derive(Debug, Clone)]
pub(crate) enum Action<'a> {
    /// Copies files.
    Copy(Copy<'a>),
    /// Makes a file.
    Mkfile {
        /// Absolute.
        path: Cow<'a, str>,
        /// Permission bits.
        mode: u32,
        /// The bytes.
        data: Cow<'a, [u8]>,
    },
    /// Makes a directory and those above it; leaves one that is there alone.
    Mkdir {
        /// Absolute.
        path: Cow<'a, str>,
        /// Permission bits.
        mode: u32,
    },
    /// Makes a directory, mode 0755, in one that is there; fails where there is none.
    MkdirInside {
        /// Absolute.
        path: Cow<'a, str>,
    },
    /// Removes a path with all below it.
    Remove {
        /// Absolute.
        path: Cow<'a, str>,
        /// Whether it is fine that nothing is there.
        optional: bool,
        /// Whether a link may be there: older daemons follow it.
        may_be_link: bool,
    },
    /// Makes a symbolic link.
    Symlink {
        /// What the link says.
        target: Cow<'a, str>,
        /// The link, absolute.
        path: Cow<'a, str>,
    },
}

impl Action<'_> {
    /// What it makes or removes, in the case of a copy where to.
    pub(crate) fn path(&self) -> &str {
        match self {
            Self::Copy(copy) => &copy.destination,
            Self::Mkfile { path, .. }
            | Self::Mkdir { path, .. }
            | Self::MkdirInside { path }
            | Self::Remove { path, .. }
            | Self::Symlink { path, .. } => path,
        }
    }
}

/// A copy. BuildKit makes the directories above the destination, mode 0755.
#[derive(Debug, Clone)]
pub(crate) struct Copy<'a> {
    /// Where from: a place among the inputs.
    pub(crate) from: usize,
    /// Absolute.
    pub(crate) source: Cow<'a, str>,
    /// Absolute; with a `/` at its end it is made a directory first.
    pub(crate) destination: Cow<'a, str>,
    /// Permission bits for all that is copied.
    pub(crate) mode: Option<u32>,
    /// Whether a link that `source` names is followed. Links below it never are.
    pub(crate) follow: bool,
    /// Whether a directory's content is copied, and not the directory.
    pub(crate) contents: bool,
    /// Whether `source` may hold wildcards.
    pub(crate) wildcard: bool,
    /// Whether wildcards may match nothing.
    pub(crate) may_be_empty: bool,
    /// Whether a file that is a tar is unpacked into the destination.
    pub(crate) unpack: bool,
    /// Patterns of which one must match below a copied directory.
    pub(crate) includes: Cow<'a, [String]>,
    /// Patterns of what is left out, `!` taking back.
    pub(crate) excludes: Cow<'a, [String]>,
}

/// A user and, where it is said, a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    /// The user.
    pub(crate) user: Principal,
    /// The group.
    pub(crate) group: Option<Principal>,
}

/// A user or a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Principal {
    /// By number.
    Id(u32),
    /// By a name that is looked up in the filesystem at a place among the inputs.
    Name(String, usize),
}

/// Where an edit of a chain takes its filesystem from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Nothing, or the empty filesystem.
    Nothing,
    /// A place among the inputs, or behind them the result of an earlier edit.
    At(usize),
}

impl Place {
    /// BuildKit's number for it.
    pub(crate) fn number(self) -> i64 {
        match self {
            Self::Nothing => -1,
            Self::At(place) => i64::try_from(place).unwrap_or(i64::MAX),
        }
    }
}

impl From<Option<usize>> for Place {
    fn from(place: Option<usize>) -> Self {
        place.map_or(Self::Nothing, Self::At)
    }
}

impl<'a> Copy<'a> {
    /// A copy without flags.
    pub(crate) fn plain(from: usize, source: Cow<'a, str>, destination: Cow<'a, str>) -> Self {
        Self {
            from,
            source,
            destination,
            mode: None,
            follow: false,
            contents: false,
            wildcard: false,
            may_be_empty: false,
            unpack: false,
            includes: Cow::Borrowed(&[]),
            excludes: Cow::Borrowed(&[]),
        }
    }
}

impl Owner {
    /// Root and root's group.
    pub(crate) const ROOT: Self = Self { user: Principal::Id(0), group: Some(Principal::Id(0)) };
}

impl<'a> File<'a> {
    /// A chain on `base`, without an edit yet.
    pub(crate) fn on(base: Option<VertexId>) -> Self {
        Self { inputs: base.into_iter().collect(), base: base.map(|_| 0), edits: Vec::new() }
    }

    /// The place of `vertex` among the inputs; it becomes one where it is not.
    pub(crate) fn input(&mut self, vertex: VertexId) -> usize {
        place_of(&mut self.inputs, vertex)
    }

    /// Adds an edit whose results are root's.
    pub(crate) fn push(&mut self, action: Action<'a>) {
        self.edits.push(Edit { action, owner: None });
    }
}

/// The place of `vertex` in `inputs`; it is added where it is not there.
pub(crate) fn place_of(inputs: &mut Vec<VertexId>, vertex: VertexId) -> usize {
    inputs.iter().position(|input| *input == vertex).unwrap_or_else(|| {
        inputs.push(vertex);
        inputs.len() - 1
    })
}

impl Op<'_> {
    /// The vertices it reads, in the order in which the op numbers them.
    pub(crate) fn inputs(&self) -> Cow<'_, [VertexId]> {
        match self {
            Self::Source(_) => Cow::Borrowed(&[]),
            Self::Exec(exec) => Cow::Borrowed(&exec.inputs),
            Self::File(file) => Cow::Borrowed(&file.inputs),
            Self::Merge(inputs) => Cow::Borrowed(inputs),
            Self::Diff { lower, upper } => Cow::Owned(vec![*lower, *upper]),
        }
    }
}
