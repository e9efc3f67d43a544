//! Where there may be links: as sources of copies from a stage or image, and where copies land.
//!
//! A plan's `copy` keeps a link that it is told to copy, unless it says `follow`; `COPY` always
//! follows. Where the plan shows what stands at the path, that settles it. Where a program of
//! the image may have made it, the build [checks](crate::checks) that it is no link.

use cogpack_backends_contract::glob::has_wildcard;
use cogpack_backends_contract::layers::is_independent;
use cogpack_ir::plan::{ContextKind, CopyForm, Input, Op, OpKind, Template};

use crate::section::{Section, absolute, split};

/// What a plan shows about a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// A `symlink` made it.
    Link,
    /// It is a file or directory, or missing, which `COPY` reports.
    NoLink,
    /// A program of an image can tell.
    Hidden,
    /// The same, but it may also have come with a tree that was copied since something ran.
    Covered,
    /// Nothing that runs can tell: it came with a copied tree, onto a filesystem without programs.
    Untold,
}

/// Looks backwards through the ops that led to what `input` holds.
pub(crate) fn shown(section: &Section<'_, '_>, input: &Input, path: &str) -> Shown {
    look_back(section, input, None, path)
}

/// Where later copies of the stage land, named, on what nothing will have changed since `op`.
pub(crate) fn landings_after(section: &Section<'_, '_>, op: &Op) -> Vec<String> {
    let Input::Stage(stage) = &section.of else { return Vec::new() };
    let plan = section.lowering.plan;
    let steps = plan.steps(plan.id(stage));
    let mut landings = Vec::new();
    for step in steps.iter().skip_while(|step| !std::ptr::eq(step.op, op)).skip(1) {
        let copy = match &step.op.kind {
            OpKind::Copy(copy) => copy,
            // What a link above leads to is another path.
            OpKind::Run { .. } | OpKind::Exec { .. } | OpKind::Symlink(_) => break,
            OpKind::File(_)
            | OpKind::Remove(_)
            | OpKind::Mkdir(_)
            | OpKind::Workdir(_)
            | OpKind::Env(_)
            | OpKind::User(_)
            | OpKind::Shell(_)
            | OpKind::Layer(_)
            | OpKind::By(_) => continue,
        };
        // Layers on their own look at nothing; what is missing lands nowhere.
        if is_independent(copy) || copy.replace || copy.optional {
            continue;
        }
        let Some(destination) = copy.form.destination().as_literal().map(|path| absolute(&path)) else {
            continue;
        };
        let named: Vec<String> = match &copy.form {
            CopyForm::To { .. } => vec![destination],
            CopyForm::Contents { .. } => Vec::new(),
            CopyForm::Into { sources, .. } => sources
                .iter()
                .filter_map(|source| source.as_literal())
                .filter(|source| !has_wildcard(source))
                .map(|source| absolute(&format!("{destination}/{}", split(&absolute(&source)).1)))
                .collect(),
        };
        let is_seen = |path: &String| shown_before(section, step.op, path) == Shown::Hidden;
        landings.extend(named.into_iter().filter(is_seen));
    }
    landings
}

/// The same as [`shown`] for what the stage itself holds before one of its ops.
pub(crate) fn shown_before(section: &Section<'_, '_>, op: &Op, path: &str) -> Shown {
    look_back(section, &section.of, Some(op), path)
}

fn look_back(section: &Section<'_, '_>, input: &Input, mut before: Option<&Op>, path: &str) -> Shown {
    let plan = section.lowering.plan;
    let mut input = input.clone();
    let mut untold = false;
    let hidden = |untold: bool| if untold { Shown::Covered } else { Shown::Hidden };
    loop {
        let stage = match &input {
            Input::Scratch if untold => return Shown::Untold,
            Input::Scratch => return Shown::NoLink,
            Input::Image(_) => return hidden(untold),
            Input::Phase(_) if section.lowering.is_bare(&input) => return Shown::Untold,
            Input::Phase(_) => return hidden(untold),
            Input::Context(name) => {
                let contexts = &section.lowering.plan.plan().contexts;
                return match contexts.get(name).map(|context| &context.kind) {
                    Some(ContextKind::Http(_)) => Shown::NoLink,
                    // Whoever emits knows all of its files, and refuses what they show.
                    Some(ContextKind::Debs(_)) if !untold => Shown::NoLink,
                    Some(ContextKind::Debs(_)) => Shown::Covered,
                    Some(ContextKind::Oci(_)) => hidden(untold),
                    Some(
                        ContextKind::Git(_)
                        | ContextKind::Directory(_)
                        | ContextKind::Files(_)
                        | ContextKind::Wheels(_),
                    )
                    | None => Shown::Untold,
                };
            }
            Input::Stage(name) => plan.id(name),
        };
        let steps = plan.steps(stage);
        let stop = before.take().and_then(|op| steps.iter().position(|step| std::ptr::eq(step.op, op)));
        for step in steps[..stop.unwrap_or(steps.len())].iter().rev() {
            let at = |template: &Template| template.as_literal().map(|path| absolute(&path));
            match &step.op.kind {
                OpKind::Run { .. } | OpKind::Exec { .. } => return hidden(untold),
                OpKind::Symlink(link) if at(&link.path).as_deref() == Some(path) => return Shown::Link,
                OpKind::File(file) if at(&file.path).as_deref() == Some(path) => return Shown::NoLink,
                OpKind::Remove(removed) if at(&removed.path).is_some_and(|it| is_within(path, &it)) => {
                    return if untold { Shown::Untold } else { Shown::NoLink };
                }
                OpKind::Copy(copy) => match at(copy.form.destination()) {
                    // As lowered, `COPY` leaves no link at its destination where none was.
                    Some(destination) if destination == path && copy.replace => return Shown::NoLink,
                    Some(destination) if destination == path => {}
                    // What was named lands as no link either; the rest of a tree may be anything.
                    Some(destination) if is_within(path, &destination) => {
                        let is_named =
                            matches!(copy.form, CopyForm::Into { .. }) && split(path).0 == destination;
                        untold |= !is_named;
                    }
                    Some(_) => {}
                    None => untold = true,
                },
                OpKind::Symlink(_)
                | OpKind::File(_)
                | OpKind::Remove(_)
                | OpKind::Mkdir(_)
                | OpKind::Workdir(_)
                | OpKind::Env(_)
                | OpKind::User(_)
                | OpKind::Shell(_)
                | OpKind::Layer(_)
                | OpKind::By(_) => {}
            }
        }
        // A stage without `from` starts from nothing.
        input = plan.stage(stage).from.as_ref().map_or(Input::Scratch, |from| from.value.clone());
    }
}

/// Whether `path` is `directory` or below it.
fn is_within(path: &str, directory: &str) -> bool {
    directory == "/"
        || path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
