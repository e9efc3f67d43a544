//! Mends a copy of a whole directory before an installation: what the installation reads is copied before it,
//! and the whole directory behind it.
//!
//! ```text
//! copy contents "." from @source to "/app"      copy "requirements.txt" from @source into "/app"
//! run "pip install -r /app/requirements.txt"  ⇒ run "pip install -r /app/requirements.txt"
//!                                               copy contents "." from @source to "/app"
//! ```
//!
//! The image has the same files: the small copy makes the same directory with the same owner, the large one
//! writes all of its files once more, and what the installation writes lies where the large one has nothing.
//! The files are copied and not mounted, so that who installs may read them as before, and so that a program that
//! runs in the directory finds it. Nothing is done where another step in between may see the difference.

use std::collections::{BTreeMap, BTreeSet};

use cogpack_ir::plan::context::DirectoryContext;
use cogpack_ir::plan::{ContextKind, Copy, EnvName, Input, OpKind};
use cogpack_ir::resolve::EnvValue;
use cogpack_ir::shell::Command;

use crate::look::{Look, StageLook, StepLook, is_within, path_of};
use crate::order::installs_what_is_named;
use crate::project::Project;
use crate::reads::{Reader, Why, joined};
use crate::repair::{Edit, NOT_IN_JSON, Repair};

/// Programs that touch nothing but what is theirs or what they are told.
const HARMLESS: [&str; 21] = [
    "apt-get",
    "apt",
    "apk",
    "dnf",
    "microdnf",
    "yum",
    "useradd",
    "groupadd",
    "adduser",
    "addgroup",
    "mkdir",
    "rm",
    "chown",
    "chmod",
    "echo",
    "true",
    "set",
    "export",
    "locale-gen",
    "update-ca-certificates",
    "corepack",
];

/// Variables by which programs are told of files.
const NAME_FILES: [&str; 24] = [
    "PIP_REQUIREMENT",
    "PIP_CONSTRAINT",
    "PIP_CONFIG_FILE",
    "PIP_FIND_LINKS",
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_ROOT",
    "PIP_SRC",
    "UV_CONSTRAINT",
    "UV_OVERRIDE",
    "UV_BUILD_CONSTRAINT",
    "UV_CONFIG_FILE",
    "UV_FIND_LINKS",
    "UV_PROJECT",
    "UV_WORKING_DIRECTORY",
    "UV_PROJECT_ENVIRONMENT",
    "NPM_CONFIG_PREFIX",
    "npm_config_prefix",
    "NPM_CONFIG_USERCONFIG",
    "npm_config_userconfig",
    "GOFLAGS",
    "GOWORK",
    "COMPOSER",
    "COMPOSER_VENDOR_DIR",
];

/// What variables begin with that installers go by, beside those that only say where programs are.
const GONE_BY: [&str; 13] = [
    "PIP_", "UV_", "NPM_", "YARN_", "PNPM_", "POETRY_", "COMPOSER", "GO", "BUNDLE_", "CARGO_", "HOME",
    "XDG_", "NODE_",
];

/// How many stages back files are looked at.
const FARTHEST: usize = 100;

/// Places where installations write: nothing is copied there after them.
const INSTALLED: [&str; 14] = [
    "/usr/bin",
    "/usr/lib",
    "/usr/local/bin",
    "/usr/local/lib",
    "/usr/share",
    "/usr/include",
    "/etc",
    "/var",
    "/bin",
    "/sbin",
    "/lib",
    "/lib64",
    "/tmp",
    "/root",
];

pub(crate) fn repair(
    look: &Look<'_>,
    stage: &StageLook<'_>,
    number: usize,
    copy: &Copy,
    project: &dyn Project,
) -> Repair {
    if !look.text.can_be_changed() {
        return Repair::none(NOT_IN_JSON);
    }
    match reordered(look, stage, number, copy, project) {
        Ok(repair) => repair,
        Err(why) => Repair::none(why),
    }
}

fn reordered(
    look: &Look<'_>,
    stage: &StageLook<'_>,
    number: usize,
    copy: &Copy,
    project: &dyn Project,
) -> Result<Repair, Why> {
    let step = &stage.steps[number];
    let installs = |step: &StepLook<'_>| step.commands.iter().any(installs_what_is_named);
    let behind = &stage.steps[number + 1..];
    let Some(last) = behind.iter().rposition(installs) else {
        return Err("what installs is not in this stage".to_owned());
    };
    let (between, last) = (&behind[..=last], &behind[last]);
    if step.step.layer.is_some() || last.step.layer.is_some() || step.step.by != last.step.by {
        return Err("the copy or the installation is in a layer or a block of its own".to_owned());
    }
    if copy.replace || copy.follow || copy.optional {
        return Err("the copy does more than copying: `replace`, `follow` or `optional`".to_owned());
    }
    let directory = directory_of(look, copy).ok_or("the copy is not of a directory")?;
    let destination = joined("/", path_of(&copy.form.destination().value))?;
    let written = copy.form.destination().span;
    let is_plain =
        |text: &str| text.chars().all(|letter| letter.is_alphanumeric() || "-_./".contains(letter));
    if !is_plain(look.text.at(written).trim_matches('"')) {
        return Err("the name of the directory is not a plain one".to_owned());
    }
    if INSTALLED.iter().any(|place| touch(place, &destination)) {
        return Err(format!("`{destination}` may hold what is installed"));
    }
    let context = copy.from.value.to_string();
    let mut reader = Reader {
        project,
        directory,
        context: &context,
        destination: &destination,
        files: BTreeSet::new(),
        unseen: false,
        look: None,
    };
    for step in between {
        let line = step.step.op.span.range().map_or(0, |range| look.text.line_number(range.start));
        passes(step, &mut reader).map_err(|why| format!("line {line}: {why}"))?;
    }
    let Reader { files, unseen, look: own, .. } = reader;
    if files.is_empty() {
        return Err(format!(
            "the installation names no file of `{destination}`, and may find some by itself"
        ));
    }
    if is_named_in_a_file(look, stage, &destination) {
        return Err(format!(
            "a file that the plan writes names `{destination}`, and may lead the installation there"
        ));
    }
    let copies = copies(copy, &destination, &files)?;
    moved(look, step, last, &copies).map(|edits| {
        let names = crate::few(files.iter().map(String::as_str));
        let what = format!("copies {names} before what installs, and all behind it");
        let unread = unseen.then(|| {
            format!(
                "what else the installation reads, and what of `{context}` it overwrites: the directory `{}` could \
                 not be looked into",
                directory.path.value
            )
        });
        match unread.or_else(|| own.map(str::to_owned)) {
            Some(look) => Repair::with_a_look(what, look, edits),
            None => Repair::new(what, edits),
        }
    })
}

fn directory_of<'a>(look: &Look<'a>, copy: &Copy) -> Option<&'a DirectoryContext> {
    let Input::Context(name) = &copy.from.value else { return None };
    match look.resolved.plan().contexts.get(name).map(|context| &context.kind) {
        Some(ContextKind::Directory(directory)) => Some(directory),
        Some(
            ContextKind::Http(_)
            | ContextKind::Git(_)
            | ContextKind::Oci(_)
            | ContextKind::Files(_)
            | ContextKind::Wheels(_)
            | ContextKind::Debs(_),
        )
        | None => None,
    }
}

/// Whether one of two paths is in the other.
fn touch(one: &str, other: &str) -> bool {
    is_within(one, other) || is_within(other, one)
}

/// Whether a step does the same before the copy of the whole directory, with only the files that are read.
fn passes(step: &StepLook<'_>, reader: &mut Reader<'_>) -> Result<(), Why> {
    let changes = |path: &str| {
        let path = joined("/", path)?;
        match touch(&path, reader.destination) {
            true => Err(format!("it changes `{path}` as well")),
            false => Ok(()),
        }
    };
    match &step.step.op.kind {
        OpKind::Run { .. } | OpKind::Exec { .. } => runs(step, reader),
        OpKind::Copy(copy) => changes(path_of(&copy.form.destination().value)),
        OpKind::File(file) => changes(file.path.value.as_written()),
        OpKind::Mkdir(directory) => changes(directory.path.value.as_written()),
        OpKind::Symlink(link) => changes(link.path.value.as_written()),
        OpKind::Remove(removed) => changes(removed.path.value.as_written()),
        // The paths of the copy are plain, so that no variable is in them; the directory is there by then.
        OpKind::Env(_) | OpKind::Workdir(_) | OpKind::User(_) | OpKind::Shell(_) => Ok(()),
        OpKind::Layer(_) | OpKind::By(_) => Ok(()),
    }
}

/// The same of a step that runs something.
fn runs(step: &StepLook<'_>, reader: &mut Reader<'_>) -> Result<(), Why> {
    let destination = reader.destination;
    if step.mounts().any(|target| touch(target, destination)) {
        return Err(format!("it mounts something at `{destination}`"));
    }
    let own = step.execution().and_then(|execution| execution.workdir.as_ref());
    let state = step.step.state.workdir.as_deref();
    let mut directory = joined("/", own.map_or(state.unwrap_or("/"), |own| own.value.as_written()))?;
    let script =
        if let OpKind::Run { script, .. } = &step.step.op.kind { Some(script.value.as_str()) } else { None };
    if step.commands.is_empty() || script.is_some_and(|script| script.contains(['$', '`', '('])) {
        return Err("what it runs and reads, only a shell can say".to_owned());
    }
    if let Some(variable) = NAME_FILES.iter().find(|name| is_set(step, name)) {
        return Err(format!("`{variable}` names other files"));
    }
    if let Some((variable, _)) =
        step.step.state.env.iter().find(|(name, value)| leads(name, value, destination))
    {
        return Err(format!("`{variable}` names `{destination}`"));
    }
    for place in
        ["PATH", "VIRTUAL_ENV"].iter().filter_map(|name| step.variable(name)).flat_map(|it| it.split(':'))
    {
        if is_within(place, destination) {
            reader.makes(place, "the environment of the installation")?;
        }
    }
    for command in &step.commands {
        if command.is_redirected {
            return Err(format!("`{}` reads or writes a file or a pipe", command.name));
        }
        if let Some(path) = program(step, script, command).filter(|path| path.contains('/')) {
            let path = joined(&directory, path)?;
            if is_within(&path, destination) {
                reader.makes(&path, &command.name)?;
            }
        }
        if installs_what_is_named(command) {
            reader.read(command, &directory)?;
            continue;
        }
        match command.name.as_str() {
            "cd" => match command.operands(&[]).as_slice() {
                [to] if to.is_literal => directory = joined(&directory, &to.text)?,
                _ => return Err("where `cd` goes is not said".to_owned()),
            },
            "venv" | "virtualenv" => {
                for operand in command.operands(&["--python", "-p", "--prompt"]) {
                    let path = joined(&directory, &operand.text)?;
                    reader.makes(&path, "venv")?;
                }
            }
            "pip" => harmless(command, &directory, destination, true)?,
            name if HARMLESS.contains(&name) => harmless(command, &directory, destination, false)?,
            name => return Err(format!("`{name}` may read what is copied")),
        }
    }
    Ok(())
}

/// The program of a command as it is written.
fn program<'s>(step: &'s StepLook<'_>, script: Option<&'s str>, command: &Command) -> Option<&'s str> {
    match (script, &step.step.op.kind) {
        (Some(script), _) => script.get(command.extent.clone())?.split_whitespace().next(),
        (None, OpKind::Exec { argv, .. }) => argv.value.first().map(String::as_str),
        (None, _) => None,
    }
}

/// Whether a variable that an installer goes by leads into the directory.
fn leads(name: &EnvName, value: &EnvValue, destination: &str) -> bool {
    let is_gone_by = GONE_BY.iter().any(|begins| name.as_str().to_ascii_uppercase().starts_with(begins));
    is_gone_by
        && match value {
            EnvValue::Known(value) => value.contains(destination),
            EnvValue::Open => true,
        }
}

/// Whether a file that the plan writes itself, here or in a stage before, names the directory: the
/// configuration of an installer may.
fn is_named_in_a_file(look: &Look<'_>, stage: &StageLook<'_>, destination: &str) -> bool {
    let is_in = |text: &[u8]| String::from_utf8_lossy(text).contains(destination);
    let names_it =
        |step: &StepLook<'_>| matches!(&step.step.op.kind, OpKind::File(file) if is_in(&file.content.0));
    let mut of = Some(stage);
    for _ in 0..FARTHEST {
        let Some(here) = of else { return false };
        if here.steps.iter().any(names_it) {
            return true;
        }
        of = look.start_of(here);
    }
    true
}

fn is_set(step: &StepLook<'_>, name: &str) -> bool {
    step.variable(name).is_some() || step.commands.iter().any(|command| command.env.contains_key(name))
}

/// A program that touches what it is told, and is told nothing of the directory.
fn harmless(command: &Command, directory: &str, destination: &str, is_pip: bool) -> Result<(), Why> {
    if is_pip && !command.begins(&["install"], &[]) {
        return Err("`pip` may read what is copied".to_owned());
    }
    // A name without a slash is one of a file only to programs of files.
    let is_of_files = ["mkdir", "rm", "chown", "chmod"].contains(&command.name.as_str());
    for text in command.arguments.iter().map(|word| word.text.as_str()) {
        let is_path =
            text.contains('/') || text == "." || text == ".." || is_of_files && !text.starts_with('-');
        let touches =
            is_path && !text.contains("://") && touch(&before_wildcards(directory, text)?, destination);
        let names_a_file = is_path && !text.contains("://") || ["-r", "-c", "-e", "-f"].contains(&text);
        if touches || text.starts_with('~') || is_pip && names_a_file {
            return Err(format!("`{}` may change or read what is copied", command.name));
        }
    }
    Ok(())
}

/// A path up to the first part that a shell replaces; all that it may name lies below.
fn before_wildcards(directory: &str, path: &str) -> Result<String, Why> {
    let plain = match path.find(['*', '?', '[', '{']) {
        Some(wildcard) => path[..wildcard].rsplit_once('/').map_or(".", |(above, _)| above),
        None => path,
    };
    joined(directory, if plain.is_empty() { "/" } else { plain })
}

/// The statements that copy what is read, one for each directory.
fn copies(copy: &Copy, destination: &str, files: &BTreeSet<String>) -> Result<Vec<String>, Why> {
    let mut by_directory: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for file in files {
        let above = file.rsplit_once('/').map_or("", |(above, _)| above);
        by_directory.entry(above).or_default().push(file);
    }
    // Whose the directory is that the first copy makes.
    if copy.owner.is_some() && !by_directory.contains_key("") {
        return Err(format!("whose `{destination}` is, the copy of the whole directory says"));
    }
    let owner = copy.owner.as_ref().map_or_else(String::new, |owner| format!(" owner {}", owner.value));
    let mode = copy.mode.as_ref().map_or_else(String::new, |mode| format!(" mode {}", mode.value));
    let from = &copy.from.value;
    Ok(by_directory
        .into_iter()
        .map(|(above, files)| {
            let files: Vec<String> = files.into_iter().map(|file| format!("\"{file}\"")).collect();
            let into =
                if above.is_empty() { destination.to_owned() } else { format!("{destination}/{above}") };
            format!("copy {} from {from} into \"{into}\"{owner}{mode}", files.join(" "))
        })
        .collect())
}

/// The changes of the text: the statement of the copy, with the comments above and behind it, goes behind the
/// installation.
fn moved(
    look: &Look<'_>,
    copy: &StepLook<'_>,
    install: &StepLook<'_>,
    copies: &[String],
) -> Result<Vec<Edit>, Why> {
    let text = look.text;
    let (Some(from), Some(to)) = (copy.step.op.span.range(), install.step.op.span.range()) else {
        return Err(NOT_IN_JSON.to_owned());
    };
    let first = text.line_start(from.start);
    let shares = !text.0[first..from.start].trim().is_empty()
        || !text.ends_its_line(from.end)
        || !text.ends_its_line(to.end);
    if shares {
        return Err("the copy or the installation shares its line with other statements".to_owned());
    }
    let mut start = first;
    while start > 0 {
        let above = text.line_start(start - 1);
        if !text.0[above..start].trim_start().starts_with('#') {
            break;
        }
        start = above;
    }
    let (end, behind) = (text.line_end(from.end), text.line_end(to.end));
    let indentation = text.indentation(from.start);
    let before: String = copies.iter().map(|copy| format!("{indentation}{copy}\n")).collect();
    Ok(vec![Edit::replace(start..end, before), Edit::insert(behind, text.0[start..end].to_owned())])
}
