//! What each dialect can say, as one table.
//!
//! The versions are those in which a feature left its trial period, by the release notes of
//! `docker/dockerfile`. The column of buildah is what 1.28 does and all later ones do; that of
//! the classic builder what Docker 20.10 does, and kaniko too.

use crate::dialect::{Dialect, Version};

/// Something that not every dialect can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Feature {
    /// `RUN --mount=type=bind`, read only.
    BindMount,
    /// The same, with writes that are thrown away.
    WritableMount,
    /// Bind mounts of the build context that show what the builder was sent: ignored files
    /// left out, all owned by root.
    ContextMount,
    /// `RUN --mount=type=cache`
    CacheMount,
    /// `sharing=private`
    PrivateCache,
    /// `RUN --mount=type=tmpfs`
    MemoryMount,
    /// The same with a size.
    MemorySize,
    /// `RUN --mount=type=secret`
    SecretMount,
    /// The same with `env=`.
    SecretVariable,
    /// `RUN --mount=type=ssh`
    AgentMount,
    /// `RUN --network`
    Network,
    /// Here-documents in `RUN` and `COPY`.
    HereDocument,
    /// The files that these become in `COPY` are 0644 without being told; before, also 0664.
    DefaultFileMode,
    /// `COPY --link`
    Link,
    /// `COPY --chmod`
    Mode,
    /// `COPY --exclude`
    Exclude,
    /// `ADD --checksum`
    Checksum,
    /// `ADD` of a git repository.
    Repository,
    /// `COPY --from` of a directory that the command line names.
    NamedContext,
    /// The same of an image in a layout.
    Layout,
    /// An ignore file that is the Dockerfile's own.
    OwnIgnoreFile,
    /// Files of the build context with setuid or setgid keep these.
    SetIds,
    /// The same of directories.
    DirectorySetIds,
    /// The same of files in stages and images.
    StageSetIds,
    /// Sources with letters that have a meaning in wildcards.
    SourcePatterns,
    /// A file that is to land on a link goes where that points to.
    LinkAtDestination,
    /// A volume with spaces at its ends.
    SpacedVolume,
    /// Files of the build context are root's unless `--chown` says otherwise.
    RootsFiles,
    /// A copy of a stage from its root on.
    WholeStage,
    /// `COPY` of a link takes what it points to.
    FollowedLink,
    /// Words in the values of `--mount`, in which quotes, `\` and `$` have a meaning.
    MountWords,
}

// Buildah takes `<<` of a `COPY` for the name of a file up to 1.28; 1.39 knows here-documents, but makes
// a line break of an empty one.
//
// Buildah 1.28 has mounts, and after the `RUN` it takes away what stood at their targets before, with all
// that was in it. So something else stands in for those that the base may have a directory for.

/// One row: since which version of BuildKit's frontend, whether buildah, whether the classic
/// builder.
type Row = (Feature, Version, bool, bool);

const fn since(minor: u32) -> Version {
    Version::of(1, minor)
}

#[rustfmt::skip]
const TABLE: [Row; 31] = [
    //                           buildkit   buildah  legacy
    (Feature::BindMount,         since(2),  false,   false),
    (Feature::WritableMount,     since(2),  false,   false),
    (Feature::ContextMount,      since(2),  false,   false),
    (Feature::CacheMount,        since(2),  false,   false),
    (Feature::PrivateCache,      since(2),  false,   false),
    (Feature::MemoryMount,       since(2),  false,   false),
    (Feature::MemorySize,        since(3),  false,   false),
    (Feature::SecretMount,       since(2),  true,    false),
    (Feature::SecretVariable,    since(10), false,   false),
    (Feature::AgentMount,        since(2),  true,    false),
    (Feature::Network,           since(3),  false,   false),
    (Feature::HereDocument,      since(4),  false,   false),
    (Feature::DefaultFileMode,   since(7),  false,   false),
    (Feature::Link,              since(4),  false,   false),
    (Feature::Mode,              since(2),  true,    false),
    (Feature::Exclude,           since(19), false,   false),
    (Feature::Checksum,          since(6),  false,   false),
    (Feature::Repository,        since(6),  false,   false),
    (Feature::NamedContext,      since(4),  true,    false),
    (Feature::Layout,            since(5),  false,   false),
    (Feature::OwnIgnoreFile,     since(2),  true,    false),
    (Feature::SetIds,            since(2),  false,   false),
    (Feature::DirectorySetIds,   since(2),  false,   true),
    (Feature::StageSetIds,       since(2),  false,   false),
    (Feature::SourcePatterns,     since(2),  false,   true),
    (Feature::LinkAtDestination, since(2),  false,   true),
    (Feature::SpacedVolume,      since(2),  false,   true),
    (Feature::RootsFiles,        since(2),  true,    false),
    (Feature::WholeStage,        since(2),  true,    false),
    (Feature::FollowedLink,      since(2),  true,    false),
    (Feature::MountWords,        since(4),  false,   false),
];

/// Since when a dialect can say something: `None` for never. Where its language has no
/// versions, since the first.
pub(crate) fn said_since(dialect: &Dialect, feature: Feature) -> Option<Version> {
    const FIRST: Version = Version::of(1, 0);
    let (_, version, buildah, legacy) = TABLE.iter().find(|(it, ..)| *it == feature)?;
    match dialect {
        Dialect::BuildKit { .. } => Some(*version),
        Dialect::Buildah => buildah.then_some(FIRST),
        Dialect::Legacy => legacy.then_some(FIRST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_feature_has_its_row() {
        for (place, (feature, ..)) in TABLE.iter().enumerate() {
            assert_eq!(*feature as usize, place, "{feature:?} stands where it is declared");
        }
        assert_eq!(Feature::MountWords as usize + 1, TABLE.len());
    }
}
