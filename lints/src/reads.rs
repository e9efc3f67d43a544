//! What an installation reads of a directory that was copied for it: the files that its command names, what these
//! name in turn, and what its program looks for beside them. And what it writes there, which must not be in the
//! directory, since the copy behind it would be laid over that.
//!
//! Known of each program by its documentation: pip (requirements file format), uv (projects, `uv pip`), npm,
//! yarn and pnpm (`ci` and frozen lock files, life cycle scripts), Poetry, Go modules, Composer. Where a program
//! reads other files as well, or may change its lock file, nothing is said, and why.

use std::collections::BTreeSet;

use cogpack_ir::plan::context::DirectoryContext;
use cogpack_ir::shell::Command;

use crate::look::is_within;
use crate::project::{Project, Seen};

/// Reads what installations name.
pub(crate) struct Reader<'p> {
    /// Who can see the files.
    pub(crate) project: &'p dyn Project,
    /// The directory that was copied.
    pub(crate) directory: &'p DirectoryContext,
    /// Its name in messages.
    pub(crate) context: &'p str,
    /// Where it was copied to, without a slash at the end.
    pub(crate) destination: &'p str,
    /// What is read of it, by paths that are relative to it.
    pub(crate) files: BTreeSet<String>,
    /// What nobody could look at.
    pub(crate) unseen: bool,
    /// What a person should look at all the same.
    pub(crate) look: Option<&'static str>,
}

/// Why nothing can be said.
pub(crate) type Why = String;

/// How many files one installation may name.
const MOST: usize = 50;

/// What a program that goes by a directory reads and writes there.
struct ByDirectory {
    required: &'static [&'static str],
    optional: &'static [&'static str],
    /// What it writes, or what makes it read more.
    absent: &'static [&'static str],
    /// Parts of its files that name more files, and what is said then.
    leads_on: &'static [&'static str],
}

/// Scripts of `package.json` that an installation runs, and what else leads to other files.
const NODE: [&str; 11] = [
    "\"preinstall\":",
    "\"install\":",
    "\"postinstall\":",
    "\"prepublish\":",
    "\"preprepare\":",
    "\"prepare\":",
    "\"postprepare\":",
    "\"workspaces\":",
    "\"file:",
    "\"link:",
    "\"portal:",
];

/// The same where no script is run.
const NODE_WITHOUT_SCRIPTS: [&str; 4] = ["\"workspaces\":", "\"file:", "\"link:", "\"portal:"];

impl Reader<'_> {
    /// Adds what a command reads that is started in `directory`.
    pub(crate) fn read(&mut self, command: &Command, directory: &str) -> Result<(), Why> {
        if command.arguments.iter().any(|word| !word.is_literal) {
            return Err(format!("what `{}` is told, only a shell can say", command.name));
        }
        match command.name.as_str() {
            "pip" => self.pip(command, directory),
            "uv" if command.begins(&["pip"], &[]) => {
                self.pip(command, directory)?;
                if directory == self.destination {
                    for name in ["uv.toml", "pyproject.toml", ".python-version"] {
                        self.optional(name)?;
                    }
                    self.absent(".venv", "uv")?;
                }
                Ok(())
            }
            "uv" if command.has("--frozen") || command.has("--locked") => self.by_directory(
                command,
                directory,
                &ByDirectory {
                    required: &["pyproject.toml", "uv.lock"],
                    optional: &["uv.toml", ".python-version"],
                    absent: &[".venv"],
                    leads_on: &["workspace", "{path=", ",path=", "\npath=", "file:"],
                },
            ),
            "uv" => Err("without `--frozen` or `--locked` uv may write `uv.lock`".to_owned()),
            "npm" if command.begins(&["ci"], &["--prefix", "-C"]) => {
                self.node(command, directory, &[], "package-lock.json")
            }
            "npm" => Err("`npm install` may write `package-lock.json`; `npm ci` does not".to_owned()),
            "yarn" if command.has("--frozen-lockfile") || command.has("--immutable") => {
                self.node(command, directory, &[".yarnrc", ".yarnrc.yml"], "yarn.lock")
            }
            "yarn" => {
                Err("without `--immutable` or `--frozen-lockfile` yarn may write `yarn.lock`".to_owned())
            }
            "pnpm" if command.has("--frozen-lockfile") => {
                self.node(command, directory, &[], "pnpm-lock.yaml")
            }
            "pnpm" => Err("without `--frozen-lockfile` pnpm may write `pnpm-lock.yaml`".to_owned()),
            "poetry" => self.by_directory(
                command,
                directory,
                &ByDirectory {
                    required: &["pyproject.toml", "poetry.lock"],
                    optional: &["poetry.toml"],
                    absent: &[".venv"],
                    leads_on: &["{path=", ",path=", "\npath=", "file:"],
                },
            ),
            "go" => {
                self.look =
                    Some("`go.sum`: Go before 1.18 may add to it, and the copy behind takes that back");
                self.by_directory(
                    command,
                    directory,
                    &ByDirectory {
                        required: &["go.mod"],
                        optional: &["go.sum"],
                        absent: &["go.work", "vendor"],
                        leads_on: &["=>./", "=>../", "=>/"],
                    },
                )
            }
            "composer"
                if ["--no-scripts", "--no-autoloader", "--no-plugins"].iter().all(|it| command.has(it)) =>
            {
                self.by_directory(
                    command,
                    directory,
                    &ByDirectory {
                        required: &["composer.json", "composer.lock"],
                        optional: &["auth.json"],
                        absent: &["vendor"],
                        leads_on: &["\"type\":\"path\"", "\"artifact\""],
                    },
                )
            }
            "composer" => {
                Err("Composer reads the project, unless `--no-scripts --no-autoloader --no-plugins` is said"
                    .to_owned())
            }
            "cargo" => Err("`cargo fetch` wants the sources of each crate beside its manifest".to_owned()),
            "bundle" => Err("a Gemfile is a program, and may read any file".to_owned()),
            name => Err(format!("which files `{name}` reads is not known")),
        }
    }

    fn node(
        &mut self,
        command: &Command,
        directory: &str,
        own: &'static [&'static str],
        lock: &'static str,
    ) -> Result<(), Why> {
        for name in own {
            self.optional(name)?;
        }
        let scripts: &[&str] = if command.has("--ignore-scripts") { &NODE_WITHOUT_SCRIPTS } else { &NODE };
        for text in [self.require("package.json")?].into_iter().flatten() {
            leads_on("package.json", &text, scripts)?;
        }
        self.by_directory(
            command,
            directory,
            &ByDirectory {
                required: &[],
                optional: &[".npmrc"],
                absent: &[
                    "node_modules",
                    "binding.gyp",
                    ".yarn",
                    ".pnp.cjs",
                    "pnpm-workspace.yaml",
                    ".pnpmfile.cjs",
                    "npm-shrinkwrap.json",
                ],
                leads_on: &NODE_WITHOUT_SCRIPTS,
            },
        )?;
        let text = self.require(lock)?;
        if let Some(text) = &text {
            leads_on(lock, text, &["\"link\":true", "\"file:", "link:", "portal:"])?;
        }
        // Only npm's lock file says of each package whether it has one, since its second version.
        let says_none = lock == "package-lock.json"
            && text.is_some_and(|text| {
                let packed: String = text.split_whitespace().collect();
                !packed.contains("\"hasInstallScript\"") && !packed.contains("\"lockfileVersion\":1,")
            });
        if !says_none && !command.has("--ignore-scripts") {
            self.look = Some(
                "the scripts that packages run when they are installed, which may look for files of the project",
            );
        }
        Ok(())
    }

    fn by_directory(&mut self, command: &Command, directory: &str, of: &ByDirectory) -> Result<(), Why> {
        let elsewhere =
            ["--project", "--directory", "--prefix", "-C", "-P", "--cwd", "--dir", "--working-dir"];
        if directory != self.destination || elsewhere.iter().any(|option| command.has(option)) {
            return Err(format!("`{}` does not run in `{}` itself", command.name, self.destination));
        }
        for name in of.required {
            if let Some(text) = self.require(name)? {
                leads_on(name, &text, of.leads_on)?;
            }
        }
        for name in of.optional {
            self.optional(name)?;
        }
        for name in of.absent {
            self.absent(name, &command.name)?;
        }
        Ok(())
    }

    /// pip, and uv where it takes pip's words.
    fn pip(&mut self, command: &Command, directory: &str) -> Result<(), Why> {
        let mut words = command.arguments.iter().map(|word| word.text.as_str());
        let mut named = Vec::new();
        while let Some(word) = words.next() {
            let (option, value) = match word.split_once('=') {
                Some((option, value)) if option.starts_with("--") => (option, Some(value)),
                Some(_) | None => (word, None),
            };
            match option {
                "-r" | "--requirement" | "--requirements" | "-c" | "--constraint" | "--constraints" => {
                    named.extend(value.or_else(|| words.next()));
                }
                "-t" | "--target" | "--prefix" | "--root" | "--src" | "-f" | "--find-links"
                | "--override" | "--overrides" | "--build-constraint" | "--config-file" | "--group" => {
                    return Err(format!("`{option}` names another place"));
                }
                _ if option.starts_with("-r") || option.starts_with("-c") => named.push(&option[2..]),
                _ => self.no_path(word, "the command")?,
            }
        }
        for path in named {
            let path = joined(directory, path)?;
            self.requirements(&path)?;
        }
        Ok(())
    }

    /// A requirements file, and those that it includes.
    fn requirements(&mut self, path: &str) -> Result<(), Why> {
        // What was not copied is none of the copy's business.
        let Some(path) = self.relative(path) else { return Ok(()) };
        if self.files.contains(&path) {
            return Ok(());
        }
        if self.files.len() >= MOST {
            return Err(format!("it names more than {MOST} files"));
        }
        let Some(text) = self.require(&path)? else { return Ok(()) };
        let above = path.rsplit_once('/').map_or("", |(above, _)| above);
        let above = format!("{}/{above}", self.destination);
        for line in text.replace("\\\r\n", " ").replace("\\\n", " ").lines() {
            let line = line.trim();
            let line =
                if line.starts_with('#') { "" } else { line.split(" #").next().unwrap_or(line).trim() };
            if line.is_empty() {
                continue;
            }
            let (option, value) = match line.split_once([' ', '=']) {
                Some((option, value)) if option.starts_with('-') => (option, value.trim()),
                Some(_) | None => (line, ""),
            };
            match option {
                "-r" | "--requirement" | "-c" | "--constraint" => {
                    let included = joined(&above, value)?;
                    self.requirements(&included)?;
                }
                "-e" | "--editable" | "-f" | "--find-links" => {
                    return Err(format!("`{path}` has `{option}`, which names another place"));
                }
                _ if option.starts_with("-r") || option.starts_with("-c") || option.starts_with("-e") => {
                    return Err(format!("`{path}` has `{option}`, which is not followed"));
                }
                _ if option.starts_with('-') => {}
                _ => self.no_path(line.split(';').next().unwrap_or(line).trim(), &format!("`{path}`"))?,
            }
        }
        Ok(())
    }

    /// Refuses what pip takes for a path: whatever has a slash and is no address, and archives.
    fn no_path(&self, word: &str, whose: &str) -> Result<(), Why> {
        let is_address = word.contains("://") && !word.contains("file:");
        let is_archive =
            [".whl", ".zip", ".tar.gz", ".tar.bz2", ".tgz"].iter().any(|end| word.ends_with(end));
        let is_path = word == "." || word.starts_with(".[") || word.contains('/') || word.contains("file:");
        match is_address || !(is_archive || is_path) {
            true => Ok(()),
            false => Err(format!("{whose} names `{word}`, which is a file or a part of the project")),
        }
    }

    /// A path of the image as one of the copied directory; `None` where it is elsewhere.
    fn relative(&self, path: &str) -> Option<String> {
        is_within(path, self.destination)
            .then(|| path[self.destination.len()..].trim_start_matches('/').to_owned())
    }

    /// A virtual environment, or whatever else a program makes at a path of the image.
    pub(crate) fn makes(&mut self, path: &str, program: &str) -> Result<(), Why> {
        match self.relative(path).as_deref().map(|path| path.split('/').next().unwrap_or(path)) {
            None => Ok(()),
            Some("") => Err(format!("`{program}` changes `{}` itself", self.destination)),
            Some(first) => {
                let first = first.to_owned();
                self.absent(&first, program)
            }
        }
    }

    /// A file that must be there.
    fn require(&mut self, path: &str) -> Result<Option<String>, Why> {
        let found = self.seen(path)?;
        match found {
            Seen::Nothing => return Err(format!("`{path}` is not in `{}`", self.context)),
            Seen::Unknown | Seen::Text(_) | Seen::Other => {}
        }
        self.files.insert(path.to_owned());
        Ok(text(found))
    }

    /// A file that may be there. One that nobody can look at is taken for missing.
    fn optional(&mut self, path: &str) -> Result<(), Why> {
        match self.seen(path)? {
            Seen::Text(_) => drop(self.files.insert(path.to_owned())),
            Seen::Nothing | Seen::Unknown | Seen::Other => {}
        }
        Ok(())
    }

    fn seen(&mut self, path: &str) -> Result<Seen, Why> {
        let is_plain = |letter: char| letter.is_alphanumeric() || "-_./+@ ".contains(letter);
        if !path.chars().all(is_plain) {
            return Err(format!("`{path}` is not a plain name"));
        }
        let seen = self.project.look(self.directory, path);
        match seen {
            Seen::Other => return Err(format!("`{path}` in `{}` is no plain file of text", self.context)),
            Seen::Unknown => self.unseen = true,
            Seen::Nothing | Seen::Text(_) => {}
        }
        Ok(seen)
    }

    /// What must not be there.
    fn absent(&mut self, path: &str, program: &str) -> Result<(), Why> {
        match self.project.look(self.directory, path) {
            Seen::Nothing => Ok(()),
            Seen::Unknown => {
                self.unseen = true;
                Ok(())
            }
            Seen::Text(_) | Seen::Other => Err(format!(
                "`{path}` in `{}` is where `{program}` installs, or leads it to more files; `exclude` it, if nobody needs it",
                self.context
            )),
        }
    }
}

fn text(seen: Seen) -> Option<String> {
    match seen {
        Seen::Text(text) => Some(text),
        Seen::Unknown | Seen::Nothing | Seen::Other => None,
    }
}

/// Refuses a file that names other ones.
fn leads_on(name: &str, text: &str, parts: &[&str]) -> Result<(), Why> {
    let packed: String = text.chars().filter(|letter| *letter == '\n' || !letter.is_whitespace()).collect();
    match parts.iter().find(|part| packed.contains(**part)) {
        Some(part) => {
            Err(format!("`{name}` has `{}`, which may lead to other files of the project", part.trim()))
        }
        None => Ok(()),
    }
}

/// A path as a program sees it that runs in `directory`.
pub(crate) fn joined(directory: &str, path: &str) -> Result<String, Why> {
    let full = if path.starts_with('/') { path.to_owned() } else { format!("{directory}/{path}") };
    let parts: Vec<&str> = full.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.contains(&"..") || path.contains("://") || path.contains('$') || path.is_empty() {
        return Err(format!("where `{path}` is, is not followed"));
    }
    Ok(format!("/{}", parts.join("/")))
}
