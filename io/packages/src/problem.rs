//! What is wrong with a plan's packages, as findings about the plan; and what is wrong with the
//! machine, which is not.

use cogpack_content::Digest;
use cogpack_ir::plan::Span;
use cogpack_packages_wheels::InvalidWheel;
use cogpack_packages_wheels::set::SetProblem;
use cogpack_packages_wheels::target::InvalidPython;

use crate::deb_problem::DebProblem;
use crate::places::{Asked, LookupError};

/// What is wrong with a plan's packages.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum PackageProblem {
    /// Of a set of Debian packages.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Deb(#[from] DebProblem),
    /// A file is nowhere.
    #[error("`{file}` cannot be found: {}", LookupError::Nowhere { asked: asked.clone() })]
    #[diagnostic(
        code(cpk::wheels::missing),
        help(
            "write its address into the plan, `url \"https://…\"`; or name a directory that has it with \
             PIP_FIND_LINKS, or an index with PIP_INDEX_URL"
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
        code(cpk::wheels::digest),
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
    /// The Python they are for.
    #[error("{problem}")]
    #[diagnostic(code(cpk::wheels::python), help("write for instance `python \"3.12\"`"))]
    Python {
        /// What is wrong.
        problem: InvalidPython,
        /// What the plan says.
        #[label("this version")]
        span: Span,
    },
    /// A wheel that is not to be installed.
    #[error("{problem}")]
    #[diagnostic(
        code(cpk::wheels::invalid),
        help("lock another wheel of the package: another release, or one for this Python and platform")
    )]
    Invalid {
        /// What is wrong with it.
        problem: InvalidWheel,
        /// Where the plan names it.
        #[label("this wheel")]
        span: Span,
    },
    /// Wheels that cannot be beside each other.
    #[error("{problem}")]
    #[diagnostic(
        code(cpk::wheels::conflict),
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

/// Why packages are not installed.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// The plan.
    #[error("{} of the plan's packages cannot be installed", .0.len())]
    Plan(Vec<PackageProblem>),
    /// The machine, or its network.
    #[error("`{file}` could not be got")]
    Machine {
        /// The file that was wanted.
        file: String,
        /// What happened.
        #[source]
        source: LookupError,
    },
}
