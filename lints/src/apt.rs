//! `apt-get`: lists that stay in a layer, and packages without a version.

use std::borrow::Cow;
use std::collections::BTreeSet;

use cogpack_ir::finding::Place;
use cogpack_ir::plan::OpKind;
use cogpack_ir::shell::{Command, Word};
use miette::Diagnostic;

use crate::ask::{AskVersions, Question};
use crate::look::{Look, StageLook, StepLook, is_within, path_of};
use crate::repair::{NOT_IN_JSON, Repair};
use crate::{Lint, apt_sources, caches, few};

/// What apt leaves behind, or leaves open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum AptFinding {
    /// Package lists in a layer.
    #[error("the package lists of apt stay in the image: tens of megabytes that are old tomorrow")]
    #[diagnostic(
        code("lint::apt::lists"),
        severity(Warning),
        help(
            "keep them out of the layer: `mount cache apt-lists at /var/lib/apt/lists sharing locked`, or `rm -rf \
             /var/lib/apt/lists/*` at the end of the same script"
        )
    )]
    Lists {
        /// The command.
        #[label("this fetches the lists, and nothing removes them in the same layer")]
        place: Place,
    },
    /// Packages without versions.
    #[error("{packages} {} no version: the archive decides on the day of the build", if *.one { "has" } else { "have" })]
    #[diagnostic(
        code("lint::apt::version"),
        severity(Advice),
        help(
            "name one, `NAME=VERSION`, or take the packages from a `debs` context, which `cogpackc lock debs NAME` \
             prints with a hash for each"
        )
    )]
    Version {
        /// Their names.
        packages: String,
        /// Whether it is one.
        one: bool,
        /// The command.
        #[label("whatever version is there is installed")]
        place: Place,
    },
}

pub(crate) const LISTS: &str = "/var/lib/apt/lists";

/// Options of apt with a value behind them.
const WITH_VALUE: [&str; 8] =
    ["-o", "--option", "-t", "--target-release", "-c", "--config-file", "-a", "--host-architecture"];

pub(crate) fn is_apt(command: &Command) -> bool {
    ["apt-get", "apt"].contains(&command.name.as_str())
}

/// Whether a command is this one of apt.
pub(crate) fn does(command: &Command, what: &str) -> bool {
    is_apt(command) && command.begins(&[what], &WITH_VALUE)
}

pub(crate) fn check(look: &Look<'_>, lints: &mut Vec<Lint>) {
    let reads_above = look.above(|stage| stage.steps.iter().find(|step| reads(step)).map(|_| ()));
    for (stage, reads_above) in look.stages.iter().zip(reads_above) {
        for (number, step) in stage.steps.iter().enumerate() {
            if stage.is_in_image {
                lists(look, (step, &stage.steps[number + 1..]), reads_above.is_some(), lints);
            }
            for command in step.commands.iter().filter(|command| does(command, "install")) {
                version(look, (stage, number), command, lints);
            }
        }
    }
}

/// Whether a step installs from lists that it has not fetched itself.
fn reads(step: &StepLook<'_>) -> bool {
    let first = step.commands.iter().find(|command| does(command, "update") || does(command, "install"));
    first.is_some_and(|command| does(command, "install"))
}

/// Looks at one step, with those behind it in its stage.
fn lists(
    look: &Look<'_>,
    (step, later): (&StepLook<'_>, &[StepLook<'_>]),
    is_read_above: bool,
    lints: &mut Vec<Lint>,
) {
    let Some(command) = step.commands.iter().find(|command| does(command, "update")) else { return };
    if step.is_mounted(LISTS) || removes(step, LISTS) {
        return;
    }
    let is_in_same_layer = |other: &&StepLook<'_>| {
        let names = |step: &StepLook<'_>| step.step.layer.map(|layer| layer.value.clone());
        names(step).is_some() && names(other) == names(step)
    };
    if later.iter().filter(is_in_same_layer).any(|other| removes(other, LISTS)) {
        return;
    }
    let repair = match is_read_above || later.iter().any(reads) {
        true => Repair::none("a later step installs from these lists: join the two first"),
        false => caches::mount(look, step, "apt-lists", LISTS, " sharing locked"),
    };
    let place = step.place(look.text, &command.extent);
    lints.push(Lint::new(AptFinding::Lists { place }, &step.scopes, repair));
}

/// Whether a step removes a path, or all that is in it.
pub(crate) fn removes(step: &StepLook<'_>, path: &str) -> bool {
    if let OpKind::Remove(remove) = &step.step.op.kind {
        return is_within(path, path_of(&remove.path.value));
    }
    step.commands.iter().filter(|command| command.name == "rm").any(|command| {
        let is_it = |word: &str| {
            let word = word.trim_end_matches('*').trim_end_matches('/');
            !word.is_empty() && is_within(path, word)
        };
        command.has_letter('r', "--recursive") && command.operands(&[]).iter().any(|word| is_it(&word.text))
    })
}

/// Looks at a command of one step of a stage.
fn version(
    look: &Look<'_>,
    (stage, number): (&StageLook<'_>, usize),
    command: &Command,
    lints: &mut Vec<Lint>,
) {
    let step = &stage.steps[number];
    let words: Vec<&Word> = command
        .operands(&WITH_VALUE)
        .into_iter()
        .skip(1)
        // A word that a shell replaces may hold a version, and a path is the file itself.
        .filter(|word| word.is_literal && !word.text.contains(['=', '/']) && !word.text.ends_with('-'))
        .collect();
    let packages: BTreeSet<&str> = words.iter().map(|word| word.text.as_str()).collect();
    if packages.is_empty() {
        return;
    }
    let repair = match asked(look, (stage, number), command, &words) {
        Ok(question) => Repair::Ask(Question::Versions(question)),
        Err(why) => Repair::None(why),
    };
    let (one, packages) = (packages.len() == 1, few(packages.into_iter()));
    let place = step.place(look.text, &command.extent);
    lints.push(Lint::new(AptFinding::Version { packages, one, place }, &step.scopes, repair));
}

/// What is asked about these words of a command, each the name of a package.
fn asked(
    look: &Look<'_>,
    (stage, number): (&StageLook<'_>, usize),
    command: &Command,
    words: &[&Word],
) -> Result<AskVersions, Cow<'static, str>> {
    if !look.text.can_be_changed() {
        return Err(NOT_IN_JSON.into());
    }
    let OpKind::Run { script, .. } = &stage.steps[number].step.op.kind else {
        return Err(
            "versions are written into scripts, and this is a list of words: write it as a `run`".into()
        );
    };
    if !command.is_in_script {
        return Err("it stands in a script within the script".into());
    }
    if let Some(why) = apt_sources::is_told(command) {
        return Err(why);
    }
    // `:` names an architecture.
    if let Some(word) = words.iter().find(|word| word.text.contains([':', '^'])) {
        return Err(format!("`{}` is not the name of one package", word.text).into());
    }
    let image = Box::new(apt_sources::base(look, stage, number)?.clone());
    let place = |word: &&Word| {
        let at = look.text.behind(script.span, script, word.extent.end);
        Some((at?, word.text.clone()))
    };
    let places: Option<Vec<(usize, String)>> = words.iter().map(place).collect();
    let places = places.ok_or("its string is written in a way that is not followed")?;
    Ok(AskVersions { image, packages: words.iter().map(|word| word.text.clone()).collect(), places })
}
