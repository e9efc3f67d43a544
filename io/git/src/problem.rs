//! What is wrong with a repository of a plan, as findings.

use cogpack_ir::plan::Span;

/// What is wrong with a repository.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum RepositoryProblem {
    /// There is nothing to fetch it with.
    #[error("the repository `{url}` cannot be fetched: {why}")]
    #[diagnostic(
        code(cpk::git::program),
        help(
            "install git, 2.32 or later; or let a daemon fetch it, with `--builder buildkit`; or declare a checkout \
             as a `dir` context"
        )
    )]
    Program {
        /// The repository.
        url: String,
        /// What is wrong with the program.
        why: String,
        /// Where the plan names it.
        #[label("this repository")]
        span: Span,
    },
    /// The server does not give it.
    #[error("the repository `{url}` cannot be fetched: {why}")]
    #[diagnostic(
        code(cpk::git::fetch),
        help(
            "see what `git ls-remote {url}` says: logins and proxies are those of git's own settings, and nobody is \
             asked for a password"
        )
    )]
    Fetch {
        /// The repository.
        url: String,
        /// What git says.
        why: String,
        /// Where the plan names it.
        #[label("this repository")]
        span: Span,
    },
    /// It does not have the commit.
    #[error("the repository `{url}` has no commit `{commit}`{}", what.as_ref().map(|what| format!(": that is a {what}")).unwrap_or_default())]
    #[diagnostic(
        code(cpk::git::commit),
        help(
            "write what `git rev-parse REVISION^{{commit}}` prints of a commit that a branch or tag of it holds"
        )
    )]
    Commit {
        /// The repository.
        url: String,
        /// The id.
        commit: String,
        /// What has the id, where something has.
        what: Option<String>,
        /// Where the plan names it.
        #[label("this commit")]
        span: Span,
    },
    /// It does not have the directory.
    #[error("`{path}` {why}")]
    #[diagnostic(
        code(cpk::git::directory),
        help("write the path of a directory from the root of the repository on")
    )]
    Directory {
        /// The directory.
        path: String,
        /// What is wrong with it.
        why: String,
        /// Where the plan names it.
        #[label("not a directory of the commit")]
        span: Span,
    },
    /// It names a repository that is none.
    #[error("the submodule `{path}` of `{url}` {why}")]
    #[diagnostic(
        code(cpk::git::submodule),
        help("name a commit whose submodules can be fetched, or declare a checkout as a `dir` context")
    )]
    Submodule {
        /// The repository.
        url: String,
        /// Where the submodule is.
        path: String,
        /// What is wrong with it.
        why: String,
        /// Where the plan names the repository.
        #[label("this repository")]
        span: Span,
    },
    /// It has more than any that is meant.
    #[error("the commit `{commit}` of `{url}` has {what}")]
    #[diagnostic(
        code(cpk::git::large),
        help("look what is in it; if it is meant so, declare a checkout as a `dir` context")
    )]
    Large {
        /// The repository.
        url: String,
        /// The commit.
        commit: String,
        /// What is too much.
        what: String,
        /// Where the plan names the repository.
        #[label("this repository")]
        span: Span,
    },
}
