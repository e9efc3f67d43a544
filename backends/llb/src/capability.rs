//! What an op needs a daemon to be able to do, in BuildKit's own words.
//!
//! Each vertex lists what it uses in its metadata. A daemon that lacks one of these refuses the
//! build at once ("unknown API capability …"), where it would otherwise skip a field it has never
//! heard of and build something else.

macro_rules! capabilities {
    ($($(#[$doc:meta])* $name:ident = $id:literal,)*) => {
        /// One capability. The order is the byte order of the ids.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Capability { $($(#[$doc])* $name,)* }

        impl Capability {
            /// All that this backend ever asks for.
            pub(crate) const ALL: &[Self] = &[$(Self::$name,)*];

            /// BuildKit's id.
            pub(crate) fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }
        }
    };
}

capabilities! {
    /// The `constraints` field of an op.
    Constraints = "constraints",
    /// Diffs.
    Diff = "diffop",
    /// Arguments, environment, directory and user of an exec.
    ExecMetaBase = "exec.meta.base",
    /// Network modes.
    ExecMetaNetwork = "exec.meta.network",
    /// The daemon sets `PATH` where the environment has none.
    ExecMetaSetsDefaultPath = "exec.meta.setsdefaultpath",
    /// Mounts of files of other vertices.
    ExecMountBind = "exec.mount.bind",
    /// Such mounts that may be written to, the writes being thrown away.
    ExecMountBindScrap = "exec.mount.bind.readwrite-nooutput",
    /// Cache mounts.
    ExecMountCache = "exec.mount.cache",
    /// Their sharing.
    ExecMountCacheSharing = "exec.mount.cache.sharing",
    /// Secrets.
    ExecMountSecret = "exec.mount.secret",
    /// Mounts of a part of a filesystem.
    ExecMountSelector = "exec.mount.selector",
    /// Sockets of ssh agents.
    ExecMountSsh = "exec.mount.ssh",
    /// Memory.
    ExecMountTmpfs = "exec.mount.tmpfs",
    /// A limit to it.
    ExecMountTmpfsSize = "exec.mount.tmpfs.size",
    /// Secrets in variables.
    ExecSecretEnv = "exec.secretenv",
    /// File ops.
    FileBase = "file.base",
    /// Patterns in copies.
    FileCopyPatterns = "file.copy.includeexcludepatterns",
    /// Removing a link, and not what it points to.
    FileRmNoFollow = "file.rm.nofollowsymlink",
    /// Making links.
    FileSymlink = "file.symlink.create",
    /// Merges.
    Merge = "mergeop",
    /// Names of vertices.
    MetaDescription = "meta.description",
    /// Making vertices anew that are in a cache.
    MetaIgnoreCache = "meta.ignorecache",
    /// The `platform` field of an op.
    Platform = "platform",
    /// Git repositories.
    SourceGit = "source.git",
    /// Their whole address beside their identity.
    SourceGitFullUrl = "source.git.fullurl",
    /// A directory of one.
    SourceGitSubdir = "source.git.subdir",
    /// Files from a server.
    SourceHttp = "source.http",
    /// Their checksum.
    SourceHttpChecksum = "source.http.checksum",
    /// Their mode.
    SourceHttpMode = "source.http.perm",
    /// Images of a registry.
    SourceImage = "source.image",
    /// Directories of the client.
    SourceLocal = "source.local",
    /// Leaving files out of them.
    SourceLocalExclude = "source.local.excludepatterns",
    /// Taking only what some paths lead to.
    SourceLocalFollow = "source.local.followpaths",
    /// Taking only some files of them.
    SourceLocalInclude = "source.local.includepatterns",
    /// A name under which the daemon keeps its copy of one.
    SourceLocalSharedKeyHint = "source.local.sharedkeyhint",
    /// What keeps two builds from taking each other's directory.
    SourceLocalUnique = "source.local.unique",
    /// Images of an OCI image layout of the client.
    SourceOciLayout = "source.ocilayout",
}

impl Capability {
    /// The one with this id.
    pub(crate) fn of_id(id: &str) -> Option<Self> {
        Self::ALL.binary_search_by(|capability| capability.id().cmp(id)).ok().map(|place| Self::ALL[place])
    }

    /// Whether every supported daemon has it, from BuildKit 0.8 on.
    pub(crate) fn is_old(self) -> bool {
        match self {
            Self::Diff
            | Self::ExecMountTmpfsSize
            | Self::ExecSecretEnv
            | Self::FileCopyPatterns
            | Self::FileRmNoFollow
            | Self::FileSymlink
            | Self::Merge
            | Self::SourceGitSubdir
            | Self::SourceOciLayout => false,
            Self::Constraints
            | Self::ExecMetaBase
            | Self::ExecMetaNetwork
            | Self::ExecMetaSetsDefaultPath
            | Self::ExecMountBind
            | Self::ExecMountBindScrap
            | Self::ExecMountCache
            | Self::ExecMountCacheSharing
            | Self::ExecMountSecret
            | Self::ExecMountSelector
            | Self::ExecMountSsh
            | Self::ExecMountTmpfs
            | Self::FileBase
            | Self::MetaDescription
            | Self::MetaIgnoreCache
            | Self::Platform
            | Self::SourceGit
            | Self::SourceGitFullUrl
            | Self::SourceHttp
            | Self::SourceHttpChecksum
            | Self::SourceHttpMode
            | Self::SourceImage
            | Self::SourceLocal
            | Self::SourceLocalExclude
            | Self::SourceLocalFollow
            | Self::SourceLocalInclude
            | Self::SourceLocalSharedKeyHint
            | Self::SourceLocalUnique => true,
        }
    }
}

/// A set of capabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Capabilities(u64);

impl Capabilities {
    /// All of them.
    pub(crate) const ALL: Self = Self(u64::MAX >> (u64::BITS as usize - Capability::ALL.len()));

    /// Whether one is in the set.
    pub(crate) fn has(self, capability: Capability) -> bool {
        self.0 & 1 << capability as u64 != 0
    }

    /// Adds one.
    pub(crate) fn add(&mut self, capability: Capability) {
        self.0 |= 1 << capability as u64;
    }

    /// With one more.
    #[must_use]
    pub(crate) fn with(mut self, capability: Capability) -> Self {
        self.add(capability);
        self
    }

    /// Those in the set, in the order of their ids.
    pub(crate) fn iter(self) -> impl Iterator<Item = Capability> {
        Capability::ALL.iter().copied().filter(move |capability| self.has(*capability))
    }
}

impl FromIterator<Capability> for Capabilities {
    fn from_iter<I: IntoIterator<Item = Capability>>(capabilities: I) -> Self {
        capabilities.into_iter().fold(Self::default(), Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_in_order_and_fit_the_set() {
        assert!(Capability::ALL.is_sorted_by(|one, next| one.id() < next.id()));
        assert!(Capability::ALL.len() <= 64);
        let all: Capabilities = Capability::ALL.iter().copied().collect();
        assert!(all.iter().eq(Capability::ALL.iter().copied()));
        assert_eq!(all, Capabilities::ALL);
        assert!(Capability::ALL.iter().all(|one| Capability::of_id(one.id()) == Some(*one)));
    }
}
