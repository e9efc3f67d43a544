//! The files of a commit, as a part of the store: looked for by the address and the id, and fetched where
//! they are not there.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use cogpack_content::Digest;
use cogpack_content::repository::is_of_server;
use cogpack_io_store::{Store, StoreError};
use cogpack_ir::plan::context::GitContext;
use cogpack_ir::plan::{InputName, Span};

use crate::fetch::Fetch;
use crate::problem::RepositoryProblem;
use crate::program::{Cancel, Git, GitError, Patience};
use crate::words::shown;

/// Changes when the same commit would be laid out otherwise.
const FORM: &str = "git checkout 1";

/// Why there is no checkout.
#[derive(Debug, thiserror::Error)]
pub enum CheckoutError {
    /// The plan, or what it names.
    #[error(transparent)]
    Plan(Box<RepositoryProblem>),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file of the machine.
    #[error("{attempt} `{}`", path.display())]
    Disk {
        /// What was attempted.
        attempt: &'static str,
        /// On what.
        path: PathBuf,
        /// What happened.
        #[source]
        source: io::Error,
    },
    /// git cannot do what it does everywhere.
    #[error("lay out `{url}`")]
    Git {
        /// The repository.
        url: String,
        /// What happened.
        #[source]
        source: GitError,
    },
    /// Nobody wants it any more.
    #[error("it was cancelled")]
    Cancelled,
}

impl From<RepositoryProblem> for CheckoutError {
    fn from(problem: RepositoryProblem) -> Self {
        Self::Plan(Box::new(problem))
    }
}

/// What failed on the disk, for `map_err`.
pub(crate) fn disk<'p>(
    attempt: &'static str,
    path: &'p Path,
) -> impl FnOnce(io::Error) -> CheckoutError + 'p {
    move |source| CheckoutError::Disk { attempt, path: path.to_owned(), source }
}

/// That git found no room below a directory, in its words.
pub(crate) fn no_room(below: &Path, said: String) -> CheckoutError {
    disk("write", below)(io::Error::new(io::ErrorKind::StorageFull, said))
}

/// The files of one context.
#[derive(Debug)]
pub struct Checkout {
    /// The directory that is the root of the context.
    pub root: PathBuf,
    /// Held, so that nobody throws it away while it is read.
    pub store: Store,
}

/// The repositories of a plan, to be fetched.
#[derive(Debug)]
pub struct Repositories {
    /// Where they are kept.
    pub store: Store,
    /// Where programs are looked for.
    pub path: Option<OsString>,
    /// Each context, and where the plan declares it.
    pub contexts: Vec<(InputName, GitContext, Span)>,
}

impl Repositories {
    /// Fetches all that are not there yet, one after the other, and has them written to the disk.
    pub fn fetch(self, cancel: &Cancel) -> Vec<(InputName, Result<Checkout, CheckoutError>)> {
        let Self { store, path, contexts } = self;
        let mut fetched = Vec::with_capacity(contexts.len());
        for (name, context, span) in contexts {
            let checkout = checkout(&store, path.as_deref(), &context, span, cancel);
            fetched.push((name, checkout));
        }
        // What is fetched from far away is not fetched again because the machine went down.
        if let Err(error) = store.settle()
            && let Some((_, last)) = fetched.last_mut()
            && last.is_ok()
        {
            *last = Err(error.into());
        }
        fetched
    }
}

fn checkout(
    store: &Store,
    path: Option<&OsStr>,
    context: &GitContext,
    span: Span,
    cancel: &Cancel,
) -> Result<Checkout, CheckoutError> {
    let url = &context.url;
    if !is_of_server(url) {
        let why = "it is not the address of a server".to_owned();
        return Err(RepositoryProblem::Fetch { url: shown(url), why, span: url.span }.into());
    }
    let commit = context.commit.as_ref().map(|commit| commit.to_ascii_lowercase());
    // What is there needs no git.
    let kept = commit.as_ref().and_then(|commit| store.part(&id(url, commit)));
    let tree = match kept {
        Some(kept) => kept,
        None => {
            let work = store.work()?;
            let git = Git::find(path, work.path(), cancel).map_err(|error| match error {
                GitError::Cancelled => CheckoutError::Cancelled,
                GitError::Full { said } => no_room(work.path(), said),
                error @ (GitError::Missing
                | GitError::Old { .. }
                | GitError::Run(_)
                | GitError::Failed { .. }
                | GitError::Silent
                | GitError::Long) => {
                    let url = shown(url);
                    RepositoryProblem::Program { url, why: why(&error), span: context.url.span }.into()
                }
            })?;
            let place = context.commit.as_ref().map_or(span, |commit| commit.span);
            let mut fetch = Fetch::new(&git, work.path(), context.url.span, place);
            let commit = match commit {
                Some(commit) => commit,
                None => head(&git, work.path(), url, context.url.span)?,
            };
            match store.part(&id(url, &commit)) {
                Some(kept) => kept,
                None => {
                    let tree = work.path().join("tree");
                    fs::create_dir(&tree).map_err(disk("make", &tree))?;
                    fetch.lay_out(url, &commit, &tree)?;
                    store.keep_part(&id(url, &commit), &tree)?
                }
            }
        }
    };
    let root = below(&tree, context)?;
    Ok(Checkout { root, store: store.clone() })
}

/// What a checkout is kept by.
fn id(url: &str, commit: &str) -> Digest {
    Digest::of(format!("{FORM}\n{url}\n{commit}\n").as_bytes())
}

/// The commit that a server gives to whoever asks for none.
fn head(git: &Git, work: &Path, url: &str, span: Span) -> Result<String, CheckoutError> {
    let fetch = |why: String| RepositoryProblem::Fetch { url: shown(url), why, span };
    let mut asking = git.command(work);
    asking.env_remove("GIT_DIR").env("GIT_CEILING_DIRECTORIES", work.parent().unwrap_or(work));
    asking.args(["ls-remote", "--quiet", "--", url, "HEAD"]);
    let said = match git.answer_of(Patience::Server, &mut asking) {
        Err(GitError::Cancelled) => return Err(CheckoutError::Cancelled),
        Err(GitError::Full { said }) => return Err(no_room(work, said)),
        said => said.map_err(|error| fetch(why(&error)))?,
    };
    let said = String::from_utf8_lossy(&said);
    let commit = said.lines().find_map(|line| line.strip_suffix("\tHEAD"));
    let is_commit = |commit: &&str| {
        [40, 64].contains(&commit.len()) && commit.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let commit = commit.filter(is_commit).ok_or_else(|| fetch("it has no HEAD".to_owned()))?;
    Ok(commit.to_owned())
}

/// The directory of a checkout that is the root of the context. Links that lead to it stay within the
/// checkout.
fn below(tree: &Path, context: &GitContext) -> Result<PathBuf, CheckoutError> {
    let Some(subdir) = &context.subdir else { return Ok(tree.to_owned()) };
    let problem = |why: &str| RepositoryProblem::Directory {
        path: subdir.value.clone(),
        why: why.to_owned(),
        span: subdir.span,
    };
    let whole = fs::canonicalize(tree).map_err(disk("find", tree))?;
    let asked = whole.join(subdir.trim_start_matches('/'));
    let found = match fs::canonicalize(&asked) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Err(problem("is not in the commit").into());
        }
        found => found.map_err(disk("find", &asked))?,
    };
    if !found.starts_with(&whole) {
        return Err(problem("leads out of the repository").into());
    }
    if !found.is_dir() {
        return Err(problem("is a file of the commit").into());
    }
    Ok(found)
}

/// What became of git, with what is behind it.
pub(crate) fn why(error: &GitError) -> String {
    match error {
        GitError::Run(source) => format!("{error}: {source}"),
        GitError::Missing
        | GitError::Old { .. }
        | GitError::Failed { .. }
        | GitError::Full { .. }
        | GitError::Silent
        | GitError::Long
        | GitError::Cancelled => error.to_string(),
    }
}
