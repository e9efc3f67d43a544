//! Asks `uv` which packages in which versions keep a project's wishes.
//!
//! Resolving is its work: it knows the index, its mirrors and logins from the machine's own
//! configuration, and what it answers is a `pylock.toml` (PEP 751). What is asked of it is written here
//! alone; what comes of it is judged where locks are read.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cogpack_content::Platform;

/// What is to be resolved.
#[derive(Debug, Clone)]
pub struct Wishes<'w> {
    /// The project's directory, which files of requirements are relative to.
    pub project: &'w Path,
    /// The Python, `3.12`.
    pub python: String,
    /// For which machines.
    pub platforms: Vec<Platform>,
    /// Files of requirements and `pyproject.toml`, relative to the project.
    pub files: Vec<PathBuf>,
    /// Extras that `pyproject.toml` has.
    pub extras: Vec<String>,
    /// Dependency groups that it has.
    pub groups: Vec<String>,
    /// Requirements that stand in no file.
    pub lines: Vec<String>,
    /// Whether versions before a release count.
    pub prereleases: bool,
    /// Whether only what uv has in its cache is taken.
    pub offline: bool,
    /// A lock of before, whose versions are kept where they can be.
    pub before: Option<&'w Path>,
}

/// Why nothing was resolved.
#[derive(Debug, thiserror::Error)]
pub enum UvError {
    /// There is no such program.
    #[error("run `uv`, which chooses the versions of Python packages: it is not on PATH")]
    Missing,
    /// It could not be run.
    #[error("run `uv`")]
    Run(#[source] io::Error),
    /// A file could not be written for it.
    #[error("write the requirements for `uv`")]
    Write(#[source] io::Error),
    /// It found no solution, or no index.
    #[error("`uv` chose no versions")]
    Unresolved {
        /// What it says.
        said: String,
    },
    /// Its answer is no text.
    #[error("`uv` gave a lock that is no UTF-8 text")]
    NotText,
}

/// The lock that keeps all wishes. `path` is where programs are looked for.
pub fn resolve(wishes: &Wishes<'_>, path: Option<&OsStr>) -> Result<String, UvError> {
    let uv = found(path).ok_or(UvError::Missing)?;
    let folder = tempfile::tempdir().map_err(UvError::Write)?;
    let lines = folder.path().join("requirements.txt");
    fs::write(&lines, format!("{}\n", wishes.lines.join("\n"))).map_err(UvError::Write)?;
    // Of uv's locks only those are read that are called like one, and the old versions are taken from
    // the file that is written over.
    let answer = folder.path().join("pylock.toml");
    if let Some(before) = wishes.before {
        fs::copy(before, &answer).map_err(UvError::Write)?;
    }
    let mut command = Command::new(uv);
    command.current_dir(wishes.project).args(["pip", "compile", "--quiet", "--no-header", "--no-annotate"]);
    command.args(["--format", "pylock.toml", "--only-binary", ":all:", "--python-version", &wishes.python]);
    match wishes.platforms.as_slice() {
        [platform] => {
            if let Some(name) = name_of(platform) {
                command.args(["--python-platform", name]);
            }
        }
        _ => {
            command.arg("--universal");
        }
    }
    for (option, names) in [("--extra", &wishes.extras), ("--group", &wishes.groups)] {
        for name in names {
            command.args([option, name]);
        }
    }
    if wishes.prereleases {
        command.args(["--prerelease", "allow"]);
    }
    if wishes.offline {
        command.arg("--offline");
    }
    command.arg("--output-file").arg(&answer).args(&wishes.files).arg(&lines);
    let ran = command.stdin(Stdio::null()).output().map_err(UvError::Run)?;
    if !ran.status.success() {
        let said = String::from_utf8_lossy(&ran.stderr).replace(&*lines.to_string_lossy(), "cog.yaml");
        return Err(UvError::Unresolved { said: said.trim().to_owned() });
    }
    String::from_utf8(fs::read(&answer).map_err(UvError::Run)?).map_err(|_| UvError::NotText)
}

/// What uv calls a platform, with the oldest C library that wheels of today are made for.
fn name_of(platform: &Platform) -> Option<&'static str> {
    match platform.to_string().as_str() {
        "linux/amd64" => Some("x86_64-manylinux_2_28"),
        "linux/arm64" => Some("aarch64-manylinux_2_28"),
        _ => None,
    }
}

fn found(path: Option<&OsStr>) -> Option<PathBuf> {
    let mut places = std::env::split_paths(path?).map(|directory| directory.join("uv"));
    places.find(|place| place.is_file())
}
