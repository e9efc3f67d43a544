//! Asks `uv` which packages in which versions keep a project's wishes.
//!
//! Resolving is its work: it knows the index, its mirrors and logins from the machine's own
//! configuration, and what it answers is a `pylock.toml` (PEP 751). What is asked of it is written here
//! alone; what comes of it is judged where locks are read.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cogpack_content::Platform;
use cogpack_packages_wheels::lock::sources::without_wheels;

use crate::logins::without_logins_of_addresses;

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
    /// The builds of torch, where they are not those of the package index: `cpu`, `cu126`.
    pub torch: Option<String>,
    /// Whether versions before a release count.
    pub prereleases: bool,
    /// Where packages are beside those of indexes, as `UV_FIND_LINKS` says it; where there is nothing
    /// beside, what uv itself is told counts.
    pub find_links: Option<String>,
    /// Package indexes beside those that uv is told of itself.
    pub indexes: Indexes,
    /// Whether only what uv has in its cache is taken.
    pub offline: bool,
    /// A lock of before, whose versions are kept where they can be.
    pub before: Option<&'w Path>,
}

/// Package indexes as variables of uv say them. They may hold logins, so nothing shows them.
#[derive(Clone, Default)]
pub struct Indexes(pub Vec<(&'static str, String)>);

impl fmt::Debug for Indexes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} variables", self.0.len())
    }
}

impl Indexes {
    /// A text without the logins of these indexes: who reads a lock, or what uv says, may be anybody.
    fn without_logins(&self, text: String) -> String {
        let addresses = self.0.iter().flat_map(|(_, list)| list.split_whitespace());
        let logins = addresses.filter_map(|address| {
            let (_, behind) = address.split_once("://")?;
            let authority = behind.split(['/', '?', '#']).next()?;
            Some(&authority[..=authority.rfind('@')?])
        });
        logins.fold(text, |text, login| text.replace(login, ""))
    }
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
    /// No versions keep all wishes.
    #[error("`uv` found no versions that keep all requirements")]
    Unresolved {
        /// What it says, a line each.
        said: Vec<String>,
    },
    /// It could not look: an index did not answer, or a file says what it does not understand.
    #[error("`uv` could not look for versions")]
    Failed {
        /// What it says, a line each.
        said: Vec<String>,
    },
    /// Its answer is no text.
    #[error("`uv` gave a lock that is no UTF-8 text")]
    NotText,
}

/// What keeps all wishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The lock.
    pub lock: String,
    /// The packages in it that have no wheels, by name.
    pub built: BTreeSet<String>,
}

/// The lock that keeps all wishes. `path` is where programs are looked for.
///
/// Wheels are asked for first. Where that fails for want of some, uv is asked without that rule, to know
/// which packages have none, and then once more with the rule for all but these, so that no other
/// package comes in a version without wheels.
pub fn resolve(wishes: &Wishes<'_>, path: Option<&OsStr>) -> Result<Resolved, UvError> {
    let uv = found(path).ok_or(UvError::Missing)?;
    let lock = resolved(&uv, wishes)?;
    let built = without_wheels(&lock);
    Ok(Resolved { lock, built })
}

fn resolved(uv: &Path, wishes: &Wishes<'_>) -> Result<String, UvError> {
    let of_wheels = match asked(uv, wishes, &Sources::Of(Vec::new())) {
        Err(UvError::Unresolved { said } | UvError::Failed { said }) if lacks_wheels(&said) => said,
        answered => return answered,
    };
    let of_any = match asked(uv, wishes, &Sources::All) {
        // Nor are there versions with sources: that wheels are wanted makes it no clearer.
        Err(UvError::Unresolved { .. }) => return Err(UvError::Unresolved { said: of_wheels }),
        answered => answered?,
    };
    let names = without_wheels(&of_any);
    match asked(uv, wishes, &Sources::Of(names.into_iter().collect())) {
        // Some have wheels, and none for these machines.
        Err(UvError::Unresolved { .. } | UvError::Failed { .. }) => Ok(of_any),
        answered => answered,
    }
}

/// Which packages may come as sources.
enum Sources {
    All,
    Of(Vec<String>),
}

/// Whether uv says that there are no wheels of something.
fn lacks_wheels(said: &[String]) -> bool {
    said.iter().any(|line| line.contains("wheel") || line.contains("source distributions"))
}

/// What uv answers.
fn asked(uv: &Path, wishes: &Wishes<'_>, sources: &Sources) -> Result<String, UvError> {
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
    command.current_dir(wishes.project).args(arguments(wishes, sources));
    command.arg("--output-file").arg(&answer).args(&wishes.files).arg(&lines);
    if let Some(links) = &wishes.find_links {
        command.env("UV_FIND_LINKS", links);
    }
    command.envs(wishes.indexes.0.iter().map(|(name, value)| (*name, value)));
    let ran = command.stdin(Stdio::null()).output().map_err(UvError::Run)?;
    if !ran.status.success() {
        let said = String::from_utf8_lossy(&ran.stderr).replace(&*lines.to_string_lossy(), "cog.yaml");
        let said = lines_of(&without_logins_of_addresses(&wishes.indexes.without_logins(said)));
        // Without a solution it ends with 1, with all else that goes wrong with 2 (uv 0.13).
        let has_looked = ran.status.code() == Some(1);
        return Err(if has_looked { UvError::Unresolved { said } } else { UvError::Failed { said } });
    }
    let lock = String::from_utf8(fs::read(&answer).map_err(UvError::Run)?).map_err(|_| UvError::NotText)?;
    let lock = wishes.indexes.without_logins(lock);
    Ok(match (folder.path().canonicalize(), wishes.project.canonicalize()) {
        (Ok(folder), Ok(project)) => with_paths_of(&project, &folder, &lock),
        (Err(_), _) | (_, Err(_)) => lock,
    })
}

/// What uv said, without its own words for what is an error and what is its cause.
fn lines_of(said: &str) -> Vec<String> {
    let lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
    let without = |line: &str| {
        let line = ["error: ", "cause: ", "Caused by: "]
            .iter()
            .find_map(|word| line.strip_prefix(word))
            .unwrap_or(line);
        line.to_owned()
    };
    lines.map(without).collect()
}

/// A lock whose paths go from the project on, in place of the folder that it was written to.
fn with_paths_of(project: &Path, folder: &Path, lock: &str) -> String {
    let common =
        project.components().zip(folder.components()).take_while(|(one, other)| one == other).count();
    let up = folder.components().skip(common).map(|_| "..".to_owned());
    let down = project.components().skip(common).map(|part| part.as_os_str().to_string_lossy().into_owned());
    let written = up.chain(down).collect::<Vec<_>>().join("/");
    lock.replace(&format!("path = \"{written}/"), "path = \"./")
        .replace(&format!("path = \"{written}\""), "path = \".\"")
}

/// What uv is told, but for files.
fn arguments<'w>(wishes: &'w Wishes<'_>, sources: &'w Sources) -> Vec<&'w str> {
    let mut arguments = vec!["pip", "compile", "--quiet", "--no-header", "--no-annotate"];
    arguments.extend(["--format", "pylock.toml", "--python-version", &wishes.python]);
    if let Sources::Of(names) = sources {
        arguments.extend(["--only-binary", ":all:"]);
        arguments.extend(names.iter().flat_map(|name| ["--no-binary", name.as_str()]));
    }
    match wishes.platforms.as_slice() {
        [platform] => {
            if let Some(name) = name_of(platform) {
                arguments.extend(["--python-platform", name]);
            }
        }
        _ => {
            arguments.push("--universal");
        }
    }
    for (option, names) in [("--extra", &wishes.extras), ("--group", &wishes.groups)] {
        for name in names {
            arguments.extend([option, name.as_str()]);
        }
    }
    // It has builds of its own for each CUDA, on an index of its own, which serves its packages alone.
    if let Some(builds) = &wishes.torch {
        arguments.extend(["--torch-backend", builds]);
    }
    if wishes.prereleases {
        arguments.extend(["--prerelease", "allow"]);
    }
    if wishes.offline {
        arguments.push("--offline");
    }
    arguments
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_a_lock_go_from_the_project_on() {
        let lock = "path = \"../../work/own/wheels/a.whl\"\npath = \"../../work/own\"\npath = \"../x\"\n";
        assert_eq!(
            with_paths_of(Path::new("/work/own"), Path::new("/tmp/there"), lock),
            "path = \"./wheels/a.whl\"\npath = \".\"\npath = \"../x\"\n"
        );
        assert_eq!(
            with_paths_of(Path::new("/tmp/own"), Path::new("/tmp/there"), "path = \"../own/a.whl\""),
            "path = \"./a.whl\""
        );
    }

    #[test]
    fn no_login_of_an_index_is_in_what_comes_of_it() {
        let indexes = Indexes(vec![
            ("UV_DEFAULT_INDEX", "https://reader:hun%40ter2@a.example:8443/simple/?x=@y".to_owned()),
            ("UV_EXTRA_INDEX_URL", "https://token@b.example https://c.example/@scope".to_owned()),
        ]);
        let text =
            "https://reader:hun%40ter2@a.example:8443/f https://token@b.example/g https://c.example/@scope";
        assert_eq!(
            indexes.without_logins(text.to_owned()),
            "https://a.example:8443/f https://b.example/g https://c.example/@scope"
        );
        assert_eq!(format!("{indexes:?}"), "2 variables");
    }

    #[test]
    fn the_builds_of_torch_and_what_has_only_sources_are_named_to_uv() {
        let told = |torch: Option<&str>, lines: &[&str], sources: &[&str]| {
            let wishes = Wishes {
                project: Path::new("."),
                python: "3.12".to_owned(),
                platforms: vec![Platform::linux_amd64()],
                files: Vec::new(),
                extras: vec!["more".to_owned()],
                groups: Vec::new(),
                lines: lines.iter().map(|line| (*line).to_owned()).collect(),
                torch: torch.map(str::to_owned),
                prereleases: false,
                find_links: None,
                indexes: Indexes::default(),
                offline: true,
                before: None,
            };
            let sources = Sources::Of(sources.iter().map(|name| (*name).to_owned()).collect());
            arguments(&wishes, &sources).join(" ")
        };
        let all = |sources: &str| {
            format!(
                "pip compile --quiet --no-header --no-annotate --format pylock.toml --python-version 3.12 \
                 --only-binary :all:{sources} --python-platform x86_64-manylinux_2_28 --extra more"
            )
        };
        assert_eq!(told(None, &["torch"], &[]), format!("{} --offline", all("")));
        assert_eq!(
            told(Some("cu126"), &["torch"], &[]),
            format!("{} --torch-backend cu126 --offline", all(""))
        );
        assert_eq!(
            told(None, &[], &["docopt", "crcmod"]),
            format!("{} --offline", all(" --no-binary docopt --no-binary crcmod"))
        );
    }
}
