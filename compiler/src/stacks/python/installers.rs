//! Programs that install Python packages into the image by the project's own word: what `build.run` and files of
//! `post-install` call.
//!
//! The environment of a model sees nothing of the base's packages, and so nothing of its pip either. The pip of a
//! base, where it has one, installs for the base's own Python, where no program of the image looks. So an installer
//! that is called is one of the packages: it lies in the environment, goes before any other on `PATH`, and
//! installs there, on each base. What runs before there is an environment (`pre-install`) is not asked for, and
//! neither is what a line names by another directory: whoever writes `/usr/bin/pip` means that one.
//!
//! uv installs into the environment that `VIRTUAL_ENV` names, unless `--system` asks for a Python that is in none:
//! projects say that where an image has no environment, as those that cog makes. What is meant is where the model
//! finds it, so such a call is told the environment by `UV_PYTHON`, which uv goes by before it looks for one.
//!
//! A lock of ours gets the installer. One of the project's own is used as it is, and is refused where a call can
//! only end with packages that nobody finds.

use std::collections::BTreeSet;

use cogpack_frontends_python::requirement::{PackageName, Written, parse};
use cogpack_frontends_python::requirements::Stated;
use cogpack_frontends_source::{Place, Source, SourcePath, Unread};
use cogpack_ir::shell::{Command, commands_of};

use super::blocks::VENV;
use super::said::Said;
use crate::stacks::text;

/// Options of pip and of uv, before and behind their commands, whose value is a word of its own.
const WITH_VALUE: [&str; 29] = [
    "--cache-dir",
    "--cert",
    "--client-cert",
    "--config-file",
    "--directory",
    "--exists-action",
    "--extra-index-url",
    "--find-links",
    "--index-url",
    "--keyring-provider",
    "--log",
    "--prefix",
    "--project",
    "--proxy",
    "--python",
    "--resume-retries",
    "--retries",
    "--root",
    "--target",
    "--timeout",
    "--trusted-host",
    "--use-deprecated",
    "--use-feature",
    "-c",
    "-f",
    "-i",
    "-p",
    "-r",
    "-t",
];

/// Options that name another place than the environment, or install nothing.
const ELSEWHERE: [&str; 8] =
    ["--dry-run", "--help", "--prefix", "--python", "--root", "--system", "--target", "--version"];

/// Variables that do the same.
const VARIABLES_ELSEWHERE: [&str; 8] = [
    "PATH",
    "PIP_PREFIX",
    "PIP_PYTHON",
    "PIP_ROOT",
    "PIP_TARGET",
    "UV_PYTHON",
    "UV_SYSTEM_PYTHON",
    "VIRTUAL_ENV",
];

/// Asks uv for a Python that is in no environment.
const SYSTEM: (&str, &str) = ("--system", "UV_SYSTEM_PYTHON");

/// What is called.
#[derive(Debug, Default)]
pub(super) struct Installers {
    /// What a lock that is made here gets, each as a requirement that stands where it is called first.
    pub wanted: Vec<Stated>,
    /// What no lock can do without: the pip of a base would install, and the model would not find it.
    pub needed: Option<Stated>,
}

/// A script of the project, and where the project names it.
struct Script<'s> {
    file: &'s SourcePath,
    place: Place,
    text: &'s str,
}

/// The installers that are called.
pub(super) fn called(source: &Source, said: &Said) -> Result<Installers, Unread> {
    let mut scripts = Vec::new();
    for named in &said.settings().post_install {
        // One that cannot be read is told where it is run.
        if let Ok(Some(text)) = text(source, &named.value)? {
            scripts.push(Script { file: said.settings_file(), place: named.place, text });
        }
    }
    let lines = said.cog.build.commands.iter().map(|command| &command.line);
    scripts.extend(lines.map(|line| Script { file: &said.config, place: line.place, text: &line.value }));
    let mut installers = Installers::default();
    // The calls before bring one themselves: `pip install uv`, `python -m ensurepip`.
    let (mut brings_pip, mut brings_uv) = (false, false);
    let is_new = |wanted: &[Stated], program: &Stated| {
        wanted.iter().all(|before| before.requirement.name != program.requirement.name)
    };
    for script in &scripts {
        let mut is_in_another = false;
        for command in commands_of(script.text) {
            is_in_another |= enters_another(&command);
            brings_pip |= brings_by_itself(&command);
            if is_of_another_directory(&command) {
                continue;
            }
            let installs = installs(&command);
            match command.name.as_str() {
                "pip" => {
                    installers.wanted.extend(script.calls("pip").filter(|it| is_new(&installers.wanted, it)));
                    let is_needed = installs && !is_in_another && !brings_pip && !goes_elsewhere(&command);
                    if is_needed && installers.needed.is_none() {
                        installers.needed = script.calls("pip");
                    }
                    brings_uv |= installs && names(&command, "uv");
                }
                "uv" if installs => {
                    // Whether a base has an uv is not known, and the environment is where any uv installs.
                    let uv = script.calls("uv").filter(|_| !brings_uv);
                    installers.wanted.extend(uv.filter(|it| is_new(&installers.wanted, it)));
                    brings_pip |= names(&command, "pip");
                }
                _ => {}
            }
        }
    }
    Ok(installers)
}

/// Whether uv is called for a Python that is in no environment, and nothing says which one.
pub(super) fn asks_for_no_environment(script: &str, said: &Said) -> bool {
    let (option, variable) = SYSTEM;
    let mut is_set = said.cog.environment.iter().any(|set| set.value.name.as_str() == variable);
    commands_of(script).iter().any(|command| {
        is_set |= command.name == "export" && command.has(variable);
        let asks = is_set || command.has(option) || command.env.contains_key(variable);
        let says_which = ["--prefix", "--python", "--target", "-p", "-t"].iter().any(|it| command.has(it));
        command.name == "uv" && installs(command) && asks && !says_which
    })
}

impl Script<'_> {
    /// That it calls this program.
    fn calls(&self, program: &str) -> Option<Stated> {
        let written = Written { text: program, place: self.place, is_verbatim: false };
        let requirement = parse(written).ok()?;
        Some(Stated { requirement, file: self.file.clone(), place: self.place, hashes: BTreeSet::new() })
    }
}

/// Whether the program is named by a directory that is not the environment's.
fn is_of_another_directory(command: &Command) -> bool {
    let Some((directory, _)) = command.program.text.rsplit_once('/') else { return false };
    let of_environment = [VENV, "$VIRTUAL_ENV", "${VIRTUAL_ENV}"];
    of_environment.iter().all(|place| directory.strip_prefix(place) != Some("/bin"))
}

/// Whether it changes what is installed.
fn installs(command: &Command) -> bool {
    let calls: &[&[&str]] = match command.name.as_str() {
        "pip" => &[&["install"], &["uninstall"]],
        "uv" => &[&["pip", "install"], &["pip", "uninstall"], &["pip", "sync"]],
        _ => return false,
    };
    calls.iter().any(|words| command.begins(words, &WITH_VALUE))
}

/// Whether it says that another place than the environment is meant.
fn goes_elsewhere(command: &Command) -> bool {
    ELSEWHERE.iter().any(|option| command.has(option))
        || command.has_letter('t', "--target")
        || command.has_letter('h', "--help")
        || VARIABLES_ELSEWHERE.iter().any(|variable| command.env.contains_key(*variable))
}

/// Whether what follows in the script is in another environment: `. /opt/tools/bin/activate`.
fn enters_another(command: &Command) -> bool {
    let first = command.arguments.first().map_or("", |word| word.text.as_str());
    match command.name.as_str() {
        "." | "source" => first.ends_with("/activate") && !first.starts_with(VENV),
        "conda" | "mamba" | "micromamba" => first == "activate",
        _ => false,
    }
}

/// Whether it brings pip without one.
fn brings_by_itself(command: &Command) -> bool {
    command.name == "ensurepip" || command.arguments.iter().any(|word| word.text.ends_with("get-pip.py"))
}

/// Whether a package of this name is among what it installs.
fn names(command: &Command, package: &str) -> bool {
    let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    command.operands(&WITH_VALUE).iter().skip(1).any(|word| {
        let end = word.text.find(|letter| !is_of_name(letter)).unwrap_or(word.text.len());
        PackageName::new(&word.text[..end]).is_some_and(|name| name.as_str() == package)
    })
}
