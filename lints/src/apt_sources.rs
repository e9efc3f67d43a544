//! Whether the packages of a step come from the archives that its base image names, as apt takes them without
//! being told anything: what is asked of these archives is else about others.

use std::borrow::Cow;

use cogpack_ir::plan::{BaseImage, Input, OpKind};
use cogpack_ir::shell::Command;

use crate::look::{Look, StageLook, StepLook, is_within, path_of};

/// Where apt reads which archives there are, and what it is to prefer.
const APT: &str = "/etc/apt";

/// What of it only says what becomes of downloads.
const HARMLESS: [&str; 2] = ["/etc/apt/apt.conf.d/docker-clean", "/etc/apt/apt.conf.d/keep-cache"];

/// What changes it without naming it.
const CHANGES: [&str; 5] = ["sources.list", "add-apt-repository", "apt-key", "--add-architecture", "extrepo"];

/// Options of `-o` that choose no version.
const HARMLESS_OPTIONS: [&str; 4] = ["Dpkg::", "Acquire::Retries", "APT::Install-", "Debug::"];

/// Whether a command says itself which packages apt prefers.
pub(crate) fn is_told(command: &Command) -> Option<Cow<'static, str>> {
    let mut words = command.arguments.iter().map(|word| word.text.as_str());
    while let Some(word) = words.next() {
        let is_one = |short: &str, long: &str| {
            word == long
                || word.starts_with(&format!("{long}="))
                || word.starts_with(short) && !word.starts_with("--")
        };
        if is_one("-o", "--option") {
            let value = match word {
                "-o" | "--option" => words.next().unwrap_or_default(),
                joined => joined.trim_start_matches("--option=").trim_start_matches("-o"),
            };
            if HARMLESS_OPTIONS.iter().any(|harmless| value.starts_with(harmless)) {
                continue;
            }
        } else if !is_one("-t", "--target-release")
            && !is_one("-c", "--config-file")
            && !is_one("-a", "--host-architecture")
            && !word.starts_with("--default-release")
        {
            continue;
        }
        return Some(format!("the command tells apt by `{word}` what to prefer").into());
    }
    None
}

/// The image that a stage stands on, if all steps up to this one leave the sources of apt as they are there.
pub(crate) fn base<'a>(
    look: &Look<'a>,
    stage: &StageLook<'a>,
    number: usize,
) -> Result<&'a BaseImage, Cow<'static, str>> {
    let (mut stage, mut steps) = (stage, &stage.steps[..=number]);
    loop {
        if steps.iter().any(changes) {
            let why = "a step before it, or itself, changes which archives apt asks, or how: what they have is not asked";
            return Err(why.into());
        }
        match look.start_of(stage) {
            Some(start) => (stage, steps) = (start, &start.steps[..]),
            None => break,
        }
    }
    let from = look.resolved.stage(stage.id).from.as_ref();
    let image = match from.map(|from| &from.value) {
        Some(Input::Image(name)) => look.resolved.plan().images.get(name),
        Some(Input::Scratch | Input::Context(_) | Input::Stage(_) | Input::Phase(_)) | None => None,
    };
    image.ok_or(Cow::Borrowed("its stage stands on no image of a registry, whose archives could be asked"))
}

fn changes(step: &StepLook<'_>) -> bool {
    let names = |text: &str| {
        let rest = HARMLESS.iter().fold(text.to_owned(), |rest, harmless| rest.replace(harmless, ""));
        rest.contains(APT) || CHANGES.iter().any(|word| rest.contains(word))
    };
    let is_of_apt = |path: &str| is_within(path, APT) && !HARMLESS.contains(&path);
    // What is put above it may bring it along.
    let is_around = |path: &str| is_of_apt(path) || is_within(APT, path);
    if step.mounts().any(is_around) {
        return true;
    }
    match &step.step.op.kind {
        OpKind::Run { script, .. } => names(script),
        OpKind::Exec { argv, .. } => argv.iter().any(|word| names(word)),
        OpKind::Copy(copy) => is_around(path_of(&copy.form.destination().value)),
        OpKind::File(file) => is_of_apt(path_of(&file.path.value)),
        OpKind::Symlink(link) => is_around(path_of(&link.path.value)),
        OpKind::Remove(remove) => is_around(path_of(&remove.path.value)),
        OpKind::Mkdir(_)
        | OpKind::Env(_)
        | OpKind::Workdir(_)
        | OpKind::User(_)
        | OpKind::Shell(_)
        | OpKind::Layer(_)
        | OpKind::By(_) => false,
    }
}
