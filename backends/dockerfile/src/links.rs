//! Links as sources of a copy from a stage or image.
//!
//! A plan's `copy` keeps a link that it is told to copy, unless it says `follow`; `COPY` always
//! follows. Where the plan shows what stands at the path, that settles it. Where a program of
//! the image may have made it, a stage of its own checks that it is no link before anything is
//! copied from there: the build then fails where `COPY` would do something else.

use cogpack_ir::plan::{ContextKind, CopyForm, Input, OpKind, Span, Template};

use crate::copy::from_name;
use crate::section::{Section, absolute, split};
use crate::words::json_list;

/// What a plan shows about a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// A `symlink` made it.
    Link,
    /// It is a file or directory, or missing, which `COPY` reports.
    NoLink,
    /// A program of an image can tell.
    Hidden,
    /// Nothing that runs can tell: it came with a copied tree, onto a filesystem without programs.
    Untold,
}

/// What to copy `path` from so that a link at it is noticed; `None` where it is refused.
pub(crate) fn checked(
    section: &mut Section<'_, '_>,
    input: &Input,
    path: &str,
    span: Span,
) -> Option<String> {
    let from = from_name(section.lowering, input, span)?;
    match shown(section, input, path) {
        Shown::NoLink => Some(from),
        Shown::Hidden => {
            let key = (input.clone(), path.to_owned());
            if let Some(name) = section.lowering.checked.get(&key) {
                return Some(name.clone());
            }
            let base = match input {
                Input::Stage(name) => name.as_str(),
                Input::Image(name) => name.as_str(),
                Input::Scratch | Input::Phase(_) | Input::Context(_) => "input",
            };
            let name = section.lowering.names.fresh(&format!("{base}-checked"));
            let check = json_list(&["test", "!", "-L", path]);
            let lines = [
                "# COPY would follow a link, the plan keeps it; `follow` in the plan takes this check away"
                    .to_owned(),
                format!("FROM {from} AS {name}"),
                "USER 0".to_owned(),
                format!("RUN {check}"),
            ];
            section.lowering.sections.push(lines.join("\n"));
            section.lowering.checked.insert(key, name.clone());
            Some(name)
        }
        Shown::Link | Shown::Untold => {
            section.lowering.refuse(
                "cpk::unsupported::link",
                format!("a copy of `{path}`, which may be a link: `COPY` follows it, the plan keeps it"),
                span,
                "write `follow`, or copy the directory that it is in",
            );
            None
        }
    }
}

/// Looks backwards through the ops that led to what `input` holds.
fn shown(section: &Section<'_, '_>, input: &Input, path: &str) -> Shown {
    let plan = section.lowering.plan;
    let mut input = input.clone();
    let mut untold = false;
    loop {
        let stage = match &input {
            Input::Scratch if untold => return Shown::Untold,
            Input::Scratch => return Shown::NoLink,
            Input::Image(_) => return Shown::Hidden,
            Input::Phase(_) if section.lowering.is_bare(&input) => return Shown::Untold,
            Input::Phase(_) => return Shown::Hidden,
            Input::Context(name) => {
                let contexts = &section.lowering.plan.plan().contexts;
                return match contexts.get(name).map(|context| &context.kind) {
                    Some(ContextKind::Http(_)) => Shown::NoLink,
                    Some(ContextKind::Oci(_)) => Shown::Hidden,
                    Some(
                        ContextKind::Git(_)
                        | ContextKind::Directory(_)
                        | ContextKind::Files(_)
                        | ContextKind::Wheels(_)
                        | ContextKind::Debs(_),
                    )
                    | None => Shown::Untold,
                };
            }
            Input::Stage(name) => plan.id(name),
        };
        for step in plan.steps(stage).iter().rev() {
            let at = |template: &Template| template.as_literal().map(|path| absolute(&path));
            match &step.op.kind {
                OpKind::Run { .. } | OpKind::Exec { .. } => return Shown::Hidden,
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
