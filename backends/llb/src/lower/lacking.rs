//! What a daemon lacks, said by name and with a way out.

use cogpack_backends_contract::Unsupported;
use cogpack_ir::plan::Span;

use super::gap;
use crate::capability::Capability;

/// Refuses the op that `name` names, which needs what the daemon lacks.
pub(super) fn refuse(missing: Capability, name: &str, span: Span) -> Unsupported {
    gap(
        "cpk::unsupported::capability",
        format!("`{name}` needs `{}`, which this daemon lacks", missing.id()),
        span,
        way_out(missing),
    )
}

fn way_out(missing: Capability) -> &'static str {
    match missing {
        Capability::ExecSecretEnv => {
            "mount the secret as a file, `mount secret NAME at /run/secrets/NAME`, and read it in the script; \
             or build on a newer daemon, Docker 26 for instance"
        }
        Capability::ExecMountTmpfsSize => {
            "leave out `size`, so that the kernel's own limit holds; \
             or build on a newer daemon, Docker 26 for instance"
        }
        Capability::FileCopyPatterns => {
            "copy from a `dir` context that has these rules itself; \
             or build on a newer daemon, Docker 26 for instance"
        }
        Capability::FileRmNoFollow => {
            "start from an image that has `rm`, which then removes it; \
             or build on a newer daemon, Docker 26 for instance"
        }
        Capability::FileSymlink => {
            "set the mode with `chmod` in a `run`; or build on a newer daemon, Docker 28 for instance"
        }
        Capability::SourceOciLayout => {
            "load the image into a registry and name it by `image`; \
             or build on a newer daemon, Docker 26 for instance"
        }
        Capability::SourceGitSubdir => {
            "leave out `subdir`, and copy from that directory; \
             or build on a newer daemon, Docker 26 for instance"
        }
        Capability::Merge | Capability::Diff => {
            "use BuildKit 0.10 or newer; in Docker, switch the containerd image store on"
        }
        Capability::Constraints
        | Capability::ExecMetaBase
        | Capability::ExecMetaNetwork
        | Capability::ExecMetaSetsDefaultPath
        | Capability::ExecMountBind
        | Capability::ExecMountBindScrap
        | Capability::ExecMountCache
        | Capability::ExecMountCacheSharing
        | Capability::ExecMountSecret
        | Capability::ExecMountSelector
        | Capability::ExecMountSsh
        | Capability::ExecMountTmpfs
        | Capability::FileBase
        | Capability::MetaDescription
        | Capability::MetaIgnoreCache
        | Capability::Platform
        | Capability::SourceGit
        | Capability::SourceGitFullUrl
        | Capability::SourceHttp
        | Capability::SourceHttpChecksum
        | Capability::SourceHttpMode
        | Capability::SourceImage
        | Capability::SourceLocal
        | Capability::SourceLocalExclude
        | Capability::SourceLocalFollow
        | Capability::SourceLocalInclude
        | Capability::SourceLocalSharedKeyHint
        | Capability::SourceLocalUnique => {
            "build on Docker 20.10, BuildKit 0.8 or newer; where this is one, look at the list of `--limits`"
        }
    }
}
