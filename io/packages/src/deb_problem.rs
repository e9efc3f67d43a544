//! What is wrong with a plan's Debian packages, as findings about the plan.

use cogpack_content::{Digest, Platform};
use cogpack_ir::plan::Span;
use cogpack_packages_debs::PackageProblem as InvalidDeb;
use cogpack_packages_debs::set::{ScriptProblem, SetProblem};

use crate::places::{Asked, LookupError};

/// What is wrong with a plan's Debian packages.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum DebProblem {
    /// A file is nowhere.
    #[error("`{file}` cannot be found: {}", LookupError::Nowhere { asked: asked.clone() })]
    #[diagnostic(
        code(cpk::debs::missing),
        help(
            "archives keep only the latest version: write the address of this one into the plan, \
             `url \"https://…\"`, name a directory that has it with COGPACK_DEBS, or lock the set again"
        )
    )]
    Missing {
        /// Its name.
        file: String,
        /// Who was asked.
        asked: Asked,
        /// Where the plan names it.
        #[label("this file")]
        span: Span,
    },
    /// A file is not the one that was locked.
    #[error("`{file}` from `{from}` is not the file that was locked: its digest is `{found}`")]
    #[diagnostic(
        code(cpk::debs::digest),
        help(
            "the plan says `hash {expected}`; find out which of the two files is meant before you change it"
        )
    )]
    Digest {
        /// Its name.
        file: String,
        /// Where it was found.
        from: String,
        /// What the plan says.
        expected: Digest,
        /// What it hashes to.
        found: Digest,
        /// Where the plan names it.
        #[label("this file")]
        span: Span,
    },
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
