//! What is wrong with a plan's Debian packages, as findings about the plan.

use cogpack_content::Platform;
use cogpack_ir::plan::Span;
use cogpack_packages_debs::PackageProblem as InvalidDeb;
use cogpack_packages_debs::set::{ScriptProblem, SetProblem};

/// What is wrong with a plan's Debian packages.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum DebProblem {
    /// A package for other machines.
    #[error("`{file}` is not for the plan's platform `{platform}`")]
    #[diagnostic(
        code(cpk::debs::architecture),
        help("lock the set for that platform; sets are installed for linux/amd64 and linux/arm64")
    )]
    Architecture {
        /// Its name.
        file: String,
        /// What the plan is for.
        platform: Platform,
        /// Where the plan names it.
        #[label("this package")]
        span: Span,
    },
    /// A package that cannot be read.
    #[error("the package `{file}`: {problem}")]
    #[diagnostic(code(cpk::debs::invalid), help("lock another version of the package"))]
    Invalid {
        /// Its name.
        file: String,
        /// What is wrong with it.
        problem: InvalidDeb,
        /// Where the plan names it.
        #[label("this package")]
        span: Span,
    },
    /// An archive beside packages that cannot be read, or is not one directory.
    #[error("the archive `{file}`: {problem}")]
    #[diagnostic(
        code(cpk::debs::invalid),
        help(
            "give an archive of which `tar -tf` lists one directory and what is in it, named as it is packed"
        )
    )]
    InvalidArchive {
        /// Its name.
        file: String,
        /// What is wrong with it.
        problem: InvalidDeb,
        /// Where the plan names it.
        #[label("this archive")]
        span: Span,
    },
    /// A package with a script that nobody knows.
    #[error("{problem}")]
    #[diagnostic(
        code(cpk::debs::script),
        help(
            "scripts of packages are not run: take the package out of the set, and copy what you need of it \
             from an image in which it is installed"
        )
    )]
    Script {
        /// Which.
        problem: ScriptProblem,
        /// Where the plan names it.
        #[label("this package")]
        span: Span,
    },
    /// Packages that cannot be beside each other.
    #[error("{problem}")]
    #[diagnostic(
        code(cpk::debs::conflict),
        help("take one of the two out, or give it a context of its own that goes to another directory")
    )]
    Conflict {
        /// Which, and why.
        problem: SetProblem,
        /// The context.
        #[label("this set")]
        span: Span,
    },
}
