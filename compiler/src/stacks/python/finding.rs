//! What is wrong with a Python project as a whole.

use cogpack_packages_wheels::lock::LockProblem;
use miette::{Diagnostic, SourceSpan};

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum PythonFinding {
    /// Nothing says what is run.
    #[error("the project has no `cog.yaml`, which says what the model runs")]
    #[diagnostic(
        code("project::python::no-cog-yaml"),
        help(
            "write one: `run: \"predict.py:Predictor\"` is enough, with the file and the class or function of yours"
        )
    )]
    NoCogYaml,
    /// `.python-version` says something else.
    #[error("`{said}` is not a version of Python")]
    #[diagnostic(
        code("project::python::version-file"),
        help(
            "write a version as in `3.12`, or say it in `cog.yaml`: `build: {{ python_version: \"3.12\" }}`"
        )
    )]
    PythonVersionFile {
        /// What it says.
        said: String,
        /// Where.
        #[label("no version")]
        place: SourceSpan,
    },
    /// There is no lock.
    #[error("the packages of the project are not locked: there is no `pylock.cog.toml`")]
    #[diagnostic(
        code("project::lock::missing"),
        help("`cogpackc lock DIR` makes it: which packages in which versions, each with its hash")
    )]
    NoLock,
    /// The lock is of other wishes.
    #[error(
        "the lock is out of date: it was made of other requirements, for another Python or for other platforms"
    )]
    #[diagnostic(
        code("project::lock::stale"),
        help("`cogpackc lock DIR` makes it anew; packages that nobody asked to change keep their versions")
    )]
    Stale {
        /// Where the lock says what it was made of.
        #[label("of other inputs")]
        place: SourceSpan,
    },
    /// There is no such file.
    #[error("there is no file `{file}`")]
    #[diagnostic(code("project::python::no-requirements"), help("write it, or take away what names it"))]
    NoRequirements {
        /// Its path.
        file: String,
        /// Where `cog.yaml` names it, or the file that takes it in.
        #[label("named here")]
        place: SourceSpan,
    },
    /// The lock gives no set of wheels.
    #[error("the lock cannot be installed: {problem}")]
    #[diagnostic(
        code("project::lock::problem"),
        help(
            "`cogpackc lock DIR` makes the lock anew; what only has sources needs another version, or a wheel of its own"
        )
    )]
    Lock {
        /// What is wrong.
        problem: LockProblem,
    },
    /// A base that is not in the catalogue.
    #[error("nothing is known of what is in the image `{named}`")]
    #[diagnostic(
        code("project::base::unknown"),
        help("`cogpackc catalogue add {named}` looks into it and writes an entry for `--catalogue`")
    )]
    UnknownBase {
        /// The image.
        named: String,
    },
    /// A base without Python.
    #[error("the image `{base}` has no Python")]
    #[diagnostic(code("project::base::no-python"), help("name another image, or let the catalogue decide"))]
    BaseWithoutPython {
        /// The image.
        base: String,
    },
    /// Debian packages alone.
    #[error("a base of Debian packages is not planned yet")]
    #[diagnostic(
        code("project::base::debian"),
        help("a plan by hand can have one: see `debs` in the language reference")
    )]
    DebianBase,
}
