//! `cogpackc diff OLD NEW`: what a change of a plan builds again.

pub mod arguments;
mod driver;
mod json_form;
mod markdown;
mod place;
pub mod since;
pub mod sizes;
mod text;
mod told;

use std::path::Path;

use arguments::{Diff, DiffFormat};
use cogpack_compiler::{World, compile};
use cogpack_content::{Digest, Platform};
use cogpack_diff::keys::Contents;
use cogpack_diff::{Compared, Difference};
use cogpack_ir::plan::{InputName, Plan};
use cogpack_ir::resolve::Resolved;
use place::Place;
use sizes::Sizes;

use crate::bases::Bases;
use crate::console::Console;
use crate::failure::Failure;
use crate::packages::Machine;
use crate::plan_file::PlanFile;
use crate::progress::palette::Palette;
use crate::report::Format;
use crate::{COULD_NOT_RUN, DONE, FINDINGS, front};

/// A plan that was read, for comparing.
struct Read {
    file: PlanFile,
    plan: Plan,
    resolved: Resolved,
}

/// Two plans and what differs between them.
struct Answer<'a> {
    old: &'a PlanFile,
    new: &'a PlanFile,
    found: Difference,
    sizes: Option<Sizes>,
}

/// Compares, and prints.
pub fn run(arguments: &Diff, console: &mut Console<'_>) -> Result<u8, Failure> {
    if let Some(words) = &arguments.git_driver {
        return driver::run(words, console);
    }
    let (Some(old), Some(new)) = (&arguments.old, &arguments.new) else {
        return Err(Failure::new("two plans are compared").with_hint("name the old one, then the new one"));
    };
    let Some([old, new]) = both(old, new, arguments, console)? else { return Ok(COULD_NOT_RUN) };
    let (old, new) = (&old, &new);
    let found = difference(old, new);
    let sizes = match &arguments.sizes {
        Some(image) => Some(sizes::of(image, &old.plan, &found, console)?),
        None => None,
    };
    let code = if found.is_empty() { DONE } else { FINDINGS };
    let answer = Answer { old: &old.file, new: &new.file, found, sizes };
    let text = match arguments.form() {
        DiffFormat::Text => text::text(&answer, Palette { coloured: console.colours_data() }),
        DiffFormat::Json => json_form::text(&answer),
        DiffFormat::Markdown => markdown::text(&answer),
    };
    console.data(text.as_bytes());
    Ok(code)
}

/// Reads and resolves two plans; `None` where one has findings, which are shown.
fn both(
    old: &Path,
    new: &Path,
    arguments: &Diff,
    console: &mut Console<'_>,
) -> Result<Option<[Read; 2]>, Failure> {
    refuse_one_input_twice(old, new)?;
    let mut read = |path: &Path| -> Result<Option<Read>, Failure> {
        let (planning, format) = (&arguments.planning, arguments.format);
        let place = Place { path, other: if path == old { new } else { old }, planning, format };
        let Some(file) = place.plan(console)? else { return Ok(None) };
        understood(file, &planning.platforms, format, console)
    };
    let Some(old) = read(old)? else { return Ok(None) };
    Ok(read(new)?.map(|new| [old, new]))
}

fn refuse_one_input_twice(old: &Path, new: &Path) -> Result<(), Failure> {
    match old == new && old.as_os_str() == "-" {
        true => Err(Failure::new("standard input can be read once, and `-` stands for it twice")),
        false => Ok(()),
    }
}

/// Reads and resolves a plan, for some of its platforms only; none named means all. What is wrong with it is shown, what its author should know is not: that
/// is said where the plan is checked.
fn understood(
    file: PlanFile,
    platforms: &[Platform],
    format: Format,
    console: &mut Console<'_>,
) -> Result<Option<Read>, Failure> {
    let resolved = match cogpack_compiler::parse(&file.text) {
        Ok(mut plan) => {
            front::choose(platforms, &mut plan)?;
            let bases = Bases::read(&plan, &[], &file, Machine::new(None, console))?;
            resolved(plan, &bases.world())
        }
        Err(findings) => Err(findings),
    };
    match resolved {
        Ok((plan, resolved)) => Ok(Some(Read { file, plan, resolved })),
        Err(findings) => {
            front::show(&findings, &file, format, console);
            Ok(None)
        }
    }
}

fn resolved(plan: Plan, world: &World) -> Result<(Plan, Resolved), Vec<cogpack_ir::finding::Finding>> {
    let resolved = compile(plan.clone(), world)?;
    Ok((plan, resolved))
}

fn difference(old: &Read, new: &Read) -> Difference {
    let nothing = std::collections::BTreeMap::<InputName, Digest>::new();
    Difference::between(old.compared(&nothing), new.compared(&nothing))
}

impl Read {
    /// For comparing, with what is known of the files of its contexts.
    fn compared<'r>(&'r self, contents: &'r dyn Contents) -> Compared<'r> {
        Compared { written: &self.plan, resolved: &self.resolved, contents }
    }
}
