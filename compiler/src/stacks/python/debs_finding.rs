//! What is wrong with a base of Debian packages alone, and with their lock.

use cogpack_content::Platform;
use miette::{Diagnostic, SourceSpan};

use crate::stacks::ConfigFile;

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum DebsFinding {
    /// A CUDA that packages of Debian do not bring.
    #[error("CUDA is wanted of the base, and one of Debian packages has none")]
    #[diagnostic(
        code("project::base::debian-cuda"),
        help(
            "take a base image, with `--base catalogue`; or a framework whose wheels bring CUDA, as those of torch and \
             jax; or no GPU"
        )
    )]
    DebianCuda {
        /// Where it is asked for, as far as `cog.yaml` says it.
        #[label("wanted here")]
        place: Option<SourceSpan>,
    },
    /// No release of Debian has that Python.
    #[error("no release of Debian has Python {python}, and no catalogue an archive of it for {platforms}")]
    #[diagnostic(
        code("project::base::debian"),
        help(
            "Debian has Python {has}: ask for one of these in `cog.yaml`, as in `build: {{ python_version: \"3.13\" \
             }}`; or name an archive of {python}, as a `[[python]]` of a catalogue of your own, with `--catalogue FILE`; \
             or take a base image, with `--base catalogue`"
        )
    )]
    DebianPython {
        /// The one that is asked for.
        python: String,
        /// The platforms that the image is for.
        platforms: String,
        /// Those that there are.
        has: String,
        /// Where it is asked for, where a file names it.
        #[label("asked for here")]
        place: Option<SourceSpan>,
    },
    /// One set of packages is for one kind of machine.
    #[error("a base of Debian packages is made for one platform at a time")]
    #[diagnostic(
        code("project::base::debian-platforms"),
        help("name one of them, with `--platform`, and build the others each by itself")
    )]
    DebianPlatforms,
    /// There is no lock of Debian packages.
    #[error("the Debian packages of the project are not locked: there is no `{}`", .config.deb_lock())]
    #[diagnostic(
        code("project::debs::missing"),
        help(
            "`cogpackc lock DIR{} --base debian` makes it: which packages in which versions, each with its hash", config.option()
        )
    )]
    NoDebLock {
        /// What it is for.
        config: ConfigFile,
    },
    /// The lock is of other wishes.
    #[error(
        "the lock of Debian packages is out of date: it was made of other packages or of another release"
    )]
    #[diagnostic(
        code("project::debs::stale"),
        help("`cogpackc lock DIR{option} --base debian` makes it anew, of what the archive has now")
    )]
    StaleDebs {
        /// What names the file that it is for.
        option: String,
        /// Where the lock says what it was made of.
        #[label("of other inputs")]
        place: SourceSpan,
    },
    /// The lock is no part of a plan.
    #[error("the lock of Debian packages cannot be read: {problem}")]
    #[diagnostic(
        code("project::debs::problem"),
        help(
            "`cogpackc lock DIR --base debian` makes it anew; `cogpackc check` shows what is wrong, and where"
        )
    )]
    DebLock {
        /// What is wrong first.
        problem: String,
    },
    /// The lock is for other machines.
    #[error("the lock of Debian packages has none for {platform}")]
    #[diagnostic(
        code("project::debs::platform"),
        help(
            "`cogpackc lock DIR --base debian --platform {platform}` adds them, made anew for each platform named"
        )
    )]
    NoDebsFor {
        /// The machine.
        platform: Platform,
    },
    /// The archive has another version.
    #[error("`{package}` is to be {version}, and the lock has {locked}")]
    #[diagnostic(
        code("project::debs::version"),
        help(
            "an archive has the latest version alone: ask for that one, or for none; or take a base image and apt"
        )
    )]
    DebVersion {
        /// The package.
        package: String,
        /// The version that is asked for.
        version: String,
        /// The one in the lock.
        locked: String,
        /// Where it is asked for.
        #[label("asked for here")]
        place: SourceSpan,
    },
}
