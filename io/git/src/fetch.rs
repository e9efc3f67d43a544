//! One repository: its commit fetched, looked at before anything of it is written to the disk as a file, and
//! laid out.

use std::fs;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use cogpack_content::repository::is_of_server;
use cogpack_ir::plan::Span;

use crate::checkout::{CheckoutError, disk, no_room, why};
use crate::problem::RepositoryProblem;
use crate::program::{Git, GitError, Patience};
use crate::submodules::{self, Submodule};
use crate::words::{self, shown};

/// Submodules of submodules.
const DEEPEST: usize = 16;
/// All repositories of a context.
const MOST_REPOSITORIES: usize = 1000;
/// All files of a context.
const MOST_FILES: u64 = 2_000_000;
/// What they may hold together, or [`TIMES`] as much as was fetched where that is more: as layers of bases.
const MOST_BYTES: u64 = 1 << 30;
const TIMES: u64 = 100;
/// The commit of another repository, in git's trees.
const SUBMODULE: &[u8] = b"160000";

/// Fetches what one context needs.
pub struct Fetch<'g> {
    git: &'g Git,
    /// Where repositories are, while they are needed.
    work: &'g Path,
    /// Where the plan names the repository, and its commit.
    span: Span,
    of_commit: Span,
    repositories: usize,
    files: u64,
    bytes: u64,
    fetched: u64,
}

impl<'g> Fetch<'g> {
    /// Nothing is fetched yet.
    pub fn new(git: &'g Git, work: &'g Path, span: Span, of_commit: Span) -> Self {
        Self { git, work, span, of_commit, repositories: 0, files: 0, bytes: 0, fetched: 0 }
    }

    /// Lays the files of a commit out in an empty directory, with those of its submodules. The address is one
    /// of a server.
    pub fn lay_out(&mut self, url: &str, commit: &str, into: &Path) -> Result<(), CheckoutError> {
        self.repository(url, commit, into, 0)
    }

    fn repository(
        &mut self,
        url: &str,
        commit: &str,
        into: &Path,
        depth: usize,
    ) -> Result<(), CheckoutError> {
        let repository = self.work.join(format!("repository-{}", self.repositories));
        self.repositories += 1;
        self.fetch(url, commit, &repository, depth)?;
        let named = self.look(url, commit, &repository)?;
        let span = self.span;
        let failed = |error| self.failed(url, error);
        let mut laying = self.git.command(&repository);
        laying.env("GIT_WORK_TREE", into).args(["read-tree", "--reset", "-u", commit]);
        self.git.answer(&mut laying).map_err(failed)?;
        let known = match named.is_empty() {
            true => Vec::new(),
            false => submodules::of(self.git, &repository, commit).map_err(failed)?,
        };
        // Only its files are needed from here on.
        fs::remove_dir_all(&repository).map_err(disk("remove", &repository))?;
        for (path, commit) in named {
            let problem = |why: String| RepositoryProblem::Submodule {
                url: shown(url),
                path: shown(&String::from_utf8_lossy(&path)),
                why,
                span,
            };
            let Some(Submodule { url: said, is_left_out, .. }) =
                known.iter().find(|known| known.path == path)
            else {
                return Err(problem("has no address in `.gitmodules`".to_owned()).into());
            };
            if *is_left_out {
                continue;
            }
            let address = submodules::address(url, said).filter(|address| is_of_server(address));
            let Some(address) = address else {
                return Err(
                    problem(format!("has the address `{}`, which is none of a server", shown(said))).into()
                );
            };
            if depth == DEEPEST || self.repositories == MOST_REPOSITORIES {
                return Err(problem("is one too many".to_owned()).into());
            }
            let Some(place) = real_directory(into, &path) else {
                return Err(problem("is at no place of its own".to_owned()).into());
            };
            let fetched = self.repository(&address, &commit, &place, depth + 1);
            fetched.map_err(|error| match error {
                CheckoutError::Plan(inner)
                    if depth == 0 && !matches!(*inner, RepositoryProblem::Submodule { .. }) =>
                {
                    problem(format!("is not fetched: {inner}")).into()
                }
                other @ (CheckoutError::Plan(_)
                | CheckoutError::Store(_)
                | CheckoutError::Disk { .. }
                | CheckoutError::Git { .. }
                | CheckoutError::Cancelled) => other,
            })?;
        }
        Ok(())
    }

    /// Gets the commit alone where the server gives it, and all that has a name where it does not.
    fn fetch(&self, url: &str, commit: &str, repository: &Path, depth: usize) -> Result<(), CheckoutError> {
        let format = if commit.len() == 64 { "sha256" } else { "sha1" };
        let mut making = self.git.command(self.work);
        making.env_remove("GIT_DIR").args(["init", "--quiet", "--bare", "--template="]);
        making.arg(format!("--object-format={format}")).arg(repository);
        self.git.answer(&mut making).map_err(|error| self.failed(url, error))?;
        let ask = |words: &[&str]| {
            let mut fetching = self.git.command(repository);
            if depth > 0 {
                // As git has it: only what a person has written may lead to this machine.
                fetching.env("GIT_PROTOCOL_FROM_USER", "0");
            }
            fetching.args([
                "fetch",
                "--progress",
                "--no-tags",
                "--no-write-fetch-head",
                "--no-auto-maintenance",
            ]);
            self.git.answer_of(Patience::Server, fetching.args(words)).map(|_| ())
        };
        let alone = ask(&["--depth=1", "--", url, commit]);
        match alone {
            Ok(()) => {}
            Err(error @ (GitError::Cancelled | GitError::Silent | GitError::Full { .. })) => {
                return Err(self.failed(url, error));
            }
            Err(_) => ask(&["--", url, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"])
                .map_err(|error| self.failed(url, error))?,
        }
        let (url, commit) = (shown(url), commit.to_owned());
        let absent =
            |what| RepositoryProblem::Commit { url, commit: commit.clone(), what, span: self.of_commit };
        let mut asking = self.git.command(repository);
        match self.git.answer(asking.args(["cat-file", "-t", &commit])) {
            Ok(kind) if kind == b"commit\n" => Ok(()),
            Ok(kind) => Err(absent(Some(shown(String::from_utf8_lossy(&kind).trim()))).into()),
            Err(GitError::Cancelled) => Err(CheckoutError::Cancelled),
            Err(_) => Err(absent(None).into()),
        }
    }

    /// Looks through the trees of a commit, and gives the commits of other repositories that it names.
    fn look(
        &mut self,
        url: &str,
        commit: &str,
        repository: &Path,
    ) -> Result<Vec<(Vec<u8>, String)>, CheckoutError> {
        self.fetched += size(&repository.join("objects"))?;
        let most = MOST_BYTES.max(self.fetched.saturating_mul(TIMES));
        let (mut named, mut rest) = (Vec::new(), Vec::new());
        let (mut files, mut bytes) = (self.files, self.bytes);
        let mut listing = self.git.command(repository);
        listing.args(["ls-tree", "-r", "-z", "-l", "--full-tree", commit]);
        let listed = self.git.run(Patience::Disk, &mut listing, |more| {
            rest.extend_from_slice(more);
            let mut lines = rest.as_slice();
            while let Some((line, behind)) = words::split(lines, 0) {
                lines = behind;
                files += 1;
                let Some((said, path)) = words::split(line, b'\t') else { continue };
                let said: Vec<&[u8]> = said.split(|byte| *byte == b' ').filter(|it| !it.is_empty()).collect();
                if let [mode, _, id, size] = said[..] {
                    let (id, size) = (String::from_utf8_lossy(id), String::from_utf8_lossy(size));
                    bytes += size.parse().unwrap_or(0);
                    if mode == SUBMODULE {
                        named.push((path.to_vec(), id.into_owned()));
                    }
                }
            }
            rest = lines.to_vec();
            if files > MOST_FILES || bytes > most {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        listed.map_err(|error| self.failed(url, error))?;
        (self.files, self.bytes) = (files, bytes);
        let what = match () {
            () if files > MOST_FILES => format!("more than {MOST_FILES} files"),
            () if bytes > most => {
                format!("files of more than {most} bytes, of which {} were fetched", self.fetched)
            }
            () => return Ok(named),
        };
        Err(RepositoryProblem::Large { url: shown(url), commit: commit.to_owned(), what, span: self.span }
            .into())
    }

    fn failed(&self, url: &str, error: GitError) -> CheckoutError {
        match error {
            GitError::Cancelled => CheckoutError::Cancelled,
            GitError::Full { said } => no_room(self.work, said),
            error @ (GitError::Failed { .. } | GitError::Silent) => {
                RepositoryProblem::Fetch { url: shown(url), why: why(&error), span: self.span }.into()
            }
            source @ (GitError::Missing | GitError::Old { .. } | GitError::Run(_) | GitError::Long) => {
                CheckoutError::Git { url: shown(url), source }
            }
        }
    }
}

/// The directory at a path of a commit, if it is there and nothing on the way is a link.
fn real_directory(into: &Path, path: &[u8]) -> Option<PathBuf> {
    let mut place = into.to_owned();
    for part in Path::new(std::ffi::OsStr::from_bytes(path)).components() {
        let Component::Normal(name) = part else { return None };
        place.push(name);
        if !fs::symlink_metadata(&place).ok()?.is_dir() {
            return None;
        }
    }
    Some(place)
}

/// How many bytes are in the files of a directory.
fn size(directory: &Path) -> Result<u64, CheckoutError> {
    let (mut bytes, mut waiting) = (0, vec![directory.to_owned()]);
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(&directory).map_err(disk("list", &directory))? {
            let entry = entry.map_err(disk("list", &directory))?;
            let metadata = entry.metadata().map_err(disk("look at", &directory))?;
            if metadata.is_dir() {
                waiting.push(entry.path());
            } else {
                bytes += metadata.len();
            }
        }
    }
    Ok(bytes)
}
