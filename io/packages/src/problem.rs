//! What is wrong with a plan's packages, as findings about the plan; and what is wrong with the
//! machine, which is not.

use cogpack_content::Digest;
use cogpack_ir::plan::Span;

use crate::deb_problem::DebProblem;
use crate::places::{Asked, LookupError};
use crate::wheel_problem::WheelProblem;

/// What a set is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Python wheels.
    Wheels,
    /// Debian packages.
    Debs,
    /// Files of servers.
    Downloads,
    /// Archives that lie beside Debian packages.
    Archives,
}

impl Kind {
    /// What to do about a file that is nowhere.
    fn way_to_a_file(self) -> &'static str {
        match self {
            Self::Wheels => {
                "write its address into the plan, `url \"https://…\"`; or name a directory that has it with \
                 PIP_FIND_LINKS, or an index with PIP_INDEX_URL"
            }
            Self::Archives => {
                "a Python on demand has another server by UV_PYTHON_INSTALL_MIRROR, or an archive of your own by a `[[python]]` \
                 of a catalogue; any archive: write its address into the plan, `url \"https://…\"`, or name a directory that has it with COGPACK_DEBS"
            }
            Self::Downloads => {
                "write the address of a server that has it into the plan, `http \"https://…\"`"
            }
            Self::Debs => {
                "archives keep only the latest version: write the address of this one into the plan, \
                 `url \"https://…\"`, name a directory that has it with COGPACK_DEBS, or lock the set again"
            }
        }
    }
}

/// What is wrong with a plan's packages.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum PackageProblem {
    /// A file is nowhere.
    #[error("`{file}` cannot be found: {}", LookupError::Nowhere { asked: asked.clone() })]
    #[diagnostic(code(cpk::packages::missing), help("{}", kind.way_to_a_file()))]
    Missing {
        /// What it is one of.
        kind: Kind,
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
        code(cpk::packages::digest),
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
    /// A server does not give the file of an `http` context.
    #[error("`{file}` cannot be fetched: {why}")]
    #[diagnostic(code(cpk::packages::download), help("{way_out}"))]
    Download {
        /// Its name.
        file: String,
        /// What happened.
        why: String,
        /// What to do.
        way_out: &'static str,
        /// Where the plan names it.
        #[label("nothing comes from here")]
        span: Span,
    },
    /// What only wheels can have.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Wheel(#[from] WheelProblem),
    /// What only Debian packages can have.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Deb(#[from] DebProblem),
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

impl PackageError {
    /// A way out, where one can be told.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Machine { file, source: LookupError::Web(_) } => Some(way_to_a_download(file)),
            Self::Plan(_) | Self::Machine { .. } => None,
        }
    }
}

/// What to do where a server does not give a file, by what the server calls it.
pub(crate) fn way_to_a_download(file: &str) -> &'static str {
    // So python-build-standalone names its archives, and uv after it.
    if file.starts_with("cpython-") {
        return "UV_PYTHON_INSTALL_MIRROR names a mirror of the server that Pythons come from, and a `[[python]]` of a catalogue \
                of your own another archive; Debian 13 has packages of Python 3.13, and Debian 12 of 3.11";
    }
    match file.rsplit_once('.').map(|(_, ending)| ending) {
        Some("whl") => {
            "check the network and its proxy; PIP_FIND_LINKS names directories that have the file, and PIP_INDEX_URL another \
             index"
        }
        Some("deb") => "check the network and its proxy; COGPACK_DEBS names directories that have the file",
        Some(_) | None => {
            "see what `curl -I` says of the address; a file that wants a login is fetched in a stage, by a `run` with \
             `mount secret`"
        }
    }
}

impl<P: Into<PackageProblem>> From<P> for PackageError {
    fn from(problem: P) -> Self {
        Self::Plan(vec![problem.into()])
    }
}
