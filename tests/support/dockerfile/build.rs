//! What the instructions of a Dockerfile do: files, configs, and what is run.
//!
//! Programs are not run but noted, all but those that the emitter calls to change files. What they
//! would do to files is not known, so a judge compares files of plans whose programs do nothing.

use std::collections::BTreeMap;

use cogpack_backends_contract::tree::{Attributes, Ids, components};
use cogpack_ir::plan::{EnvName, ImageConfig, Mode};

use super::copying::{self, Files, Told, problem};
use super::lines::{Dockerfile, Instruction};
use super::mounts::{self, Options};
use super::operands::{self, Operands};
use super::rules::Rules;
use super::{Unreadable, words};

pub use config::normalised;
pub use programs::{without_env, without_export};

mod config;
mod programs;

/// What a build is given.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// The main context.
    pub context: Files,
    /// Named contexts.
    pub named: BTreeMap<String, Files>,
    /// What each base image says; there is no file in them.
    pub images: BTreeMap<String, ImageConfig>,
    /// The numbers of the users and groups that they know.
    pub accounts: BTreeMap<String, u32>,
    /// What `ARG` is given.
    pub arguments: BTreeMap<String, String>,
}

/// One program that a stage runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Variables.
    pub env: BTreeMap<String, String>,
    /// User, empty for root.
    pub user: String,
    /// Directory.
    pub workdir: String,
    /// Mounts, in order.
    pub mounts: Vec<Options>,
    /// `--network`.
    pub network: Option<String>,
}

/// A stage when it has ended.
#[derive(Debug, Clone)]
pub struct Stage {
    /// Its name, in small letters.
    pub name: String,
    /// Its filesystem.
    pub files: Files,
    /// What its image would say.
    pub config: ImageConfig,
    /// What it runs.
    pub runs: Vec<Run>,
    /// What `ARG` names, with what it was given, or its default.
    arguments: BTreeMap<String, String>,
    command_was_set: bool,
}

/// What builders set where a base does not.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Does what a Dockerfile says, and gives all stages; the last one is the image.
pub fn build(dockerfile: &Dockerfile, rules: &Rules, given: &Given) -> Result<Vec<Stage>, Unreadable> {
    let mut stages: Vec<Stage> = Vec::new();
    for instruction in &dockerfile.instructions {
        if instruction.keyword == "FROM" {
            let stage = from(instruction, rules, given, &stages)?;
            stages.push(stage);
            continue;
        }
        let Some((stage, before)) = stages.split_last_mut() else {
            // An `ARG` may stand above the first `FROM`; then it concerns nobody but that.
            if instruction.keyword == "ARG" {
                continue;
            }
            return Unreadable::new(format!("`{}` before any `FROM`", instruction.keyword));
        };
        let mut builder = Builder { stage, before, rules, given, heredoc_mode: heredoc_mode(dockerfile) };
        builder.instruction(instruction).map_err(|Unreadable(why)| {
            Unreadable(format!("{} in {}: {why}", instruction.keyword, builder.stage.name))
        })?;
    }
    Ok(stages)
}

fn from(
    instruction: &Instruction,
    rules: &Rules,
    given: &Given,
    stages: &[Stage],
) -> Result<Stage, Unreadable> {
    let Operands::Separate(operands) = &instruction.operands else {
        return Unreadable::new("FROM is no list of words");
    };
    let (base, name) = match &operands[..] {
        [base] => (base, stages.len().to_string()),
        [base, word, name] if word.eq_ignore_ascii_case("as") && is_stage_name(name) => (base, name.clone()),
        other => return Unreadable::new(format!("FROM {other:?}")),
    };
    let base = words::word(base, rules, &|_| None)?;
    let mut stage = match stages.iter().find(|stage| stage.name == base) {
        Some(stage) => stage.clone(),
        None => {
            let config = match given.images.get(&base) {
                Some(config) => config.clone(),
                None if base == "scratch" => ImageConfig::default(),
                None => return Unreadable::new(format!("FROM an image that is none: `{base}`")),
            };
            Stage {
                name: String::new(),
                files: Files::empty(),
                config,
                runs: Vec::new(),
                arguments: BTreeMap::new(),
                command_was_set: false,
            }
        }
    };
    if stages.iter().any(|stage| stage.name == name) {
        return Unreadable::new(format!("two stages are called `{name}`"));
    }
    stage.name = name;
    stage.runs.clear();
    stage.arguments.clear();
    stage.command_was_set = false;
    if !stage.config.env.iter().any(|(name, _)| name.as_str() == "PATH") {
        config::set_variable(&mut stage.config, "PATH", PATH)?;
    }
    Ok(stage)
}

fn is_stage_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || b"-_.".contains(&it))
}

/// A stage while it is built.
struct Builder<'b> {
    stage: &'b mut Stage,
    before: &'b [Stage],
    rules: &'b Rules,
    given: &'b Given,
    /// Of a here-document's file.
    heredoc_mode: Mode,
}

/// What mode the file of a here-document has: the first versions that had them said 0664, of which
/// a daemon's umask made 0644 or not.
fn heredoc_mode(dockerfile: &Dockerfile) -> Mode {
    const FIRST_WITH_0644: u32 = 7;
    let version = dockerfile.syntax.as_deref().and_then(|syntax| syntax.rsplit_once(":1."));
    let minor: Option<u32> = version.and_then(|(_, minor)| minor.parse().ok());
    let mode = if minor.is_some_and(|minor| minor >= FIRST_WITH_0644) { 0o644 } else { 0o664 };
    Mode::new(mode).expect("has no more bits")
}

impl Builder<'_> {
    fn word(&self, text: &str) -> Result<String, Unreadable> {
        words::word(text, self.rules, &|name| self.variable(name))
    }

    fn variable(&self, name: &str) -> Option<String> {
        let env = self.stage.config.env.iter().find(|(it, _)| it.as_str() == name);
        env.map(|(_, value)| value.clone()).or_else(|| self.stage.arguments.get(name).cloned())
    }

    fn instruction(&mut self, instruction: &Instruction) -> Result<(), Unreadable> {
        let Instruction { keyword, flags, operands, heredocs: _ } = instruction;
        if !flags.is_empty() && !matches!(keyword.as_str(), "RUN" | "COPY" | "HEALTHCHECK") {
            return Unreadable::new(format!("flags: {flags:?}"));
        }
        match (keyword.as_str(), operands) {
            ("RUN", _) => self.run(instruction),
            ("COPY", Operands::List(words) | Operands::Separate(words)) => self.copy(instruction, words),
            ("WORKDIR", Operands::Text(text)) => {
                let path = self.word(text)?;
                self.workdir(&path)
            }
            ("ARG", Operands::Separate(arguments)) => {
                for argument in arguments {
                    let (name, default) = argument.split_once('=').unwrap_or((argument, ""));
                    let value = match self.given.arguments.get(name) {
                        Some(given) => given.clone(),
                        None => self.word(default)?,
                    };
                    self.stage.arguments.insert(name.to_owned(), value);
                }
                Ok(())
            }
            (_, _) => self.configure(instruction),
        }
    }

    fn workdir(&mut self, path: &str) -> Result<(), Unreadable> {
        if path.is_empty() {
            return Unreadable::new("no path");
        }
        let path = self.absolute(path);
        let parts = components(path.as_bytes());
        let real = problem(self.stage.files.resolve(path.as_bytes(), true))?;
        if self.stage.files.directory(&real).is_none() && !self.is_root() {
            return Unreadable::new(format!("a user would own the new directory `{path}`"));
        }
        problem(self.stage.files.make_directories(&real, Attributes::ON_THE_WAY))?;
        let cleaned: Vec<String> =
            parts.iter().map(|part| String::from_utf8_lossy(part).into_owned()).collect();
        self.stage.config.workdir = Some(format!("/{}", cleaned.join("/")));
        Ok(())
    }

    fn is_root(&self) -> bool {
        let user = self.stage.config.user.as_deref().unwrap_or_default();
        matches!(user.split(':').next(), None | Some("" | "0" | "root"))
    }

    fn absolute(&self, path: &str) -> String {
        match path.starts_with('/') {
            true => path.to_owned(),
            false => format!("{}/{path}", self.stage.config.workdir.as_deref().unwrap_or_default()),
        }
    }

    /// A flag's name and value.
    fn flag(&self, flag: &str, known: &[&str]) -> Result<(String, String), Unreadable> {
        let flag = if self.rules.flags_are_words { self.word(flag)? } else { flag.to_owned() };
        let (name, value) = flag.split_once('=').unwrap_or((&flag, "true"));
        if !known.contains(&name) {
            return Unreadable::new(format!("{} knows no flag `--{name}` here", self.rules.name));
        }
        Ok((name.to_owned(), value.to_owned()))
    }

    fn copy(&mut self, instruction: &Instruction, operands: &[String]) -> Result<(), Unreadable> {
        let mut from = None;
        let mut told = Told {
            always_wildcards: self.rules.flags_are_words,
            may_match_nothing: !self.rules.run_flags.is_empty() && !self.rules.flags_are_words,
            ..Told::default()
        };
        for flag in &instruction.flags {
            let (name, value) = self.flag(flag, self.rules.copy_flags)?;
            match name.as_str() {
                "from" => from = Some(value),
                "chown" if self.rules.flags_are_words => {
                    told.owner = Some(programs::ids(&value, &self.given.accounts)?)
                }
                "chown" => told.owner = Some(programs::ids(&self.word(&value)?, &self.given.accounts)?),
                "chmod" => told.mode = Some(problem(value.parse())?),
                "link" => {}
                other => return Unreadable::new(format!("this judge does not know `--{other}`")),
            }
        }
        let files = match &from {
            None => {
                told.owner = told.owner.or(Some(Ids::ROOT));
                &self.given.context
            }
            Some(name) => self.files_of(name)?,
        };
        let mut operands: Vec<String> =
            operands.iter().map(|operand| self.word(operand)).collect::<Result<_, _>>()?;
        let Some(destination) = operands.pop().filter(|_| !operands.is_empty()) else {
            return Unreadable::new("no source and destination");
        };
        let mut files = files.clone();
        for heredoc in &instruction.heredocs {
            if heredoc.expands && heredoc.content.contains(['$', '\\']) {
                return Unreadable::new("this judge reads no variables in here-documents");
            }
            let source = format!("here-documents/{}", heredoc.name);
            let parts = components(source.as_bytes());
            problem(files.make_directories(&parts[..1], Attributes::ON_THE_WAY))?;
            let file = programs::file(heredoc.content.clone().into_bytes(), self.heredoc_mode);
            problem(files.insert(&parts, file))?;
            let marks = [format!("<<{}", heredoc.name), format!("<<-{}", heredoc.name)];
            operands.iter_mut().filter(|it| marks.contains(it)).for_each(|it| it.clone_from(&source));
        }
        let destination = self.absolute(&destination);
        copying::copy(&files, &operands, &destination, told, &mut self.stage.files)
    }

    fn files_of(&self, name: &str) -> Result<&Files, Unreadable> {
        if let Some(stage) = self.before.iter().find(|stage| stage.name == name) {
            return Ok(&stage.files);
        }
        match self.given.named.get(name) {
            Some(files) => Ok(files),
            None => Unreadable::new(format!("there is no stage or context `{name}`")),
        }
    }

    fn run(&mut self, instruction: &Instruction) -> Result<(), Unreadable> {
        let mut mounts = Vec::new();
        let mut network = None;
        for flag in &instruction.flags {
            let (name, value) = self.flag(flag, self.rules.run_flags)?;
            match name.as_str() {
                "mount" => {
                    mounts.push(mounts::read(&value, self.rules, &|name| self.variable(name))?);
                }
                "network" => network = Some(value),
                other => return Unreadable::new(format!("this judge does not know `--{other}`")),
            }
        }
        let argv = match &instruction.operands {
            Operands::List(argv) => argv.clone(),
            Operands::Text(script) => self.with_shell(programs::script(script, &instruction.heredocs)?),
            other @ (Operands::Separate(_) | Operands::Pairs(_)) => {
                return Unreadable::new(format!("{other:?}"));
            }
        };
        let is_root = self.is_root();
        if programs::change(&argv, is_root, &self.given.accounts, &mut self.stage.files)? {
            return Ok(());
        }
        let mut env: BTreeMap<String, String> = self.stage.arguments.clone();
        env.extend(
            self.stage.config.env.iter().map(|(name, value)| (name.as_str().to_owned(), value.clone())),
        );
        let argv = programs::without_env(argv, &mut env);
        let workdir = self.stage.config.workdir.clone().unwrap_or_else(|| "/".to_owned());
        let user = self.stage.config.user.clone().unwrap_or_default();
        self.stage.runs.push(Run { argv, env, user, workdir, mounts, network });
        Ok(())
    }

    fn with_shell(&self, script: String) -> Vec<String> {
        let usual = || vec!["/bin/sh".to_owned(), "-c".to_owned()];
        let mut argv = self.stage.config.shell.clone().unwrap_or_else(usual);
        argv.push(script);
        argv
    }

    fn command(&self, operands: &Operands) -> Result<Vec<String>, Unreadable> {
        match operands {
            Operands::List(argv) => Ok(argv.clone()),
            Operands::Text(script) => Ok(self.with_shell(script.clone())),
            other @ (Operands::Separate(_) | Operands::Pairs(_)) => Unreadable::new(format!("{other:?}")),
        }
    }

    fn env_name(name: &str) -> Result<EnvName, Unreadable> {
        problem(EnvName::new(name))
    }

    fn list(text: &str) -> Result<Option<Vec<String>>, Unreadable> {
        operands::list(text)
    }
}
