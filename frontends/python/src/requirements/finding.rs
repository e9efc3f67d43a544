//! What is wrong with a line of a requirements file.

use cogpack_frontends_source::Place;
use miette::Diagnostic;

use crate::requirement::RequirementFinding;

/// What is wrong with a requirements file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum RequirementsFinding {
    /// A requirement.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Requirement(#[from] RequirementFinding),
    /// An option that nobody knows.
    #[error("there is no option `{option}`")]
    #[diagnostic(code("project::requirements::unknown-option"), help("{way_out}"))]
    UnknownOption {
        /// The option.
        option: String,
        /// What was meant.
        way_out: String,
        /// Where.
        #[label("unknown option")]
        place: Place,
    },
    /// An option of pip that changes what cannot be locked.
    #[error("the option `{option}` is not taken: {why}")]
    #[diagnostic(code("project::requirements::refused-option"), help("{way_out}"))]
    RefusedOption {
        /// The option.
        option: String,
        /// Why.
        why: &'static str,
        /// What to do.
        way_out: &'static str,
        /// Where.
        #[label("not taken")]
        place: Place,
    },
    /// An option without its value, or with one too many.
    #[error("the option `{option}` {problem}")]
    #[diagnostic(
        code("project::requirements::option-value"),
        help("write it as in `{example}`, alone on its line")
    )]
    OptionValue {
        /// The option.
        option: String,
        /// What is wrong.
        problem: &'static str,
        /// An example.
        example: &'static str,
        /// Where.
        #[label("here")]
        place: Place,
    },
    /// A file that is not there, or cannot be read.
    #[error("`{path}` is named here, and {problem}")]
    #[diagnostic(code("project::requirements::no-such-file"), help("{way_out}"))]
    NoSuchFile {
        /// As it is written.
        path: String,
        /// What is wrong.
        problem: String,
        /// What to do.
        way_out: &'static str,
        /// Where.
        #[label("not read")]
        place: Place,
    },
    /// A file of requirements at an address.
    #[error("requirements are not fetched from an address")]
    #[diagnostic(
        code("project::requirements::remote"),
        help(
            "put the file into the project, and name it by its path: what is fetched may be another tomorrow"
        )
    )]
    Remote {
        /// Where.
        #[label("an address")]
        place: Place,
    },
    /// Files that name each other.
    #[error("requirements files name each other in a circle: {chain}")]
    #[diagnostic(code("project::requirements::cycle"), help("take one of these lines away"))]
    Cycle {
        /// The files.
        chain: String,
        /// Where.
        #[label("this closes the circle")]
        place: Place,
    },
    /// A repository without its package's name.
    #[error("a repository is named without its package")]
    #[diagnostic(code("project::requirements::repository"), help("{way_out}"))]
    Repository {
        /// What to write.
        way_out: String,
        /// Where.
        #[label("which package is it?")]
        place: Place,
    },
    /// An address without its package's name.
    #[error("an address is named without its package, and the name of its file does not say it")]
    #[diagnostic(code("project::requirements::unnamed-address"), help("write it as in `name @ {address}`"))]
    UnnamedAddress {
        /// The address.
        address: String,
        /// Where.
        #[label("which package is it?")]
        place: Place,
    },
    /// A user and a password in an address.
    #[error("the address has a user in it, which would be kept with the image")]
    #[diagnostic(
        code("project::requirements::credentials"),
        help(
            "take it out; an index with a login is named where packages are fetched, by UV_DEFAULT_INDEX, UV_INDEX_URL \
             or PIP_INDEX_URL"
        )
    )]
    Credentials {
        /// Where.
        #[label("in this address")]
        place: Place,
    },
    /// `${TOKEN}`
    #[error("`{variable}` is not filled in: equal files must mean equal images")]
    #[diagnostic(
        code("project::requirements::variable"),
        help(
            "write the value; an index with a login is named where packages are fetched, by UV_DEFAULT_INDEX, \
             UV_INDEX_URL or PIP_INDEX_URL"
        )
    )]
    Variable {
        /// As it is written.
        variable: String,
        /// Where.
        #[label("a variable of the machine that builds")]
        place: Place,
    },
    /// No hash.
    #[error("`{text}` is no hash that is compared here")]
    #[diagnostic(
        code("project::requirements::hash"),
        help("write `--hash=sha256:` and 64 hexadecimal digits")
    )]
    Hash {
        /// As it is written.
        text: String,
        /// Where.
        #[label("not a SHA-256 hash")]
        place: Place,
    },
    /// Hashes on some lines only.
    #[error("this requirement has no hash, where each must have one")]
    #[diagnostic(
        code("project::requirements::hash-missing"),
        help("give each a hash and one version (`==`), or take all hashes away")
    )]
    HashMissing {
        /// This one.
        #[label("no `--hash` here")]
        place: Place,
    },
    /// A file that is no package.
    #[error("`{path}` is no package that can be installed")]
    #[diagnostic(
        code("project::requirements::local-kind"),
        help(
            "name a wheel (`.whl`), an archive of sources (`.tar.gz`, `.zip`) or a directory with `pyproject.toml`"
        )
    )]
    LocalKind {
        /// As it is written.
        path: String,
        /// Where.
        #[label("neither a wheel nor sources")]
        place: Place,
    },
    /// A constraint that says more than versions.
    #[error("a constraint names a package and its versions only, and this {what}")]
    #[diagnostic(
        code("project::requirements::constraint"),
        help("move it to the requirements, or take away what is too much")
    )]
    Constraint {
        /// What is too much.
        what: &'static str,
        /// Where.
        #[label("in a file of constraints")]
        place: Place,
    },
}
