//! `cogpackc diff --git-driver`: what `git diff` shows of a plan.
//!
//! Git runs the driver with a path and two files that hold its old and new content, or `/dev/null`
//! where there is none, and takes any exit code but 0 for a failure of the driver, after which it
//! shows nothing more. So what cannot be compared as plans is compared as text.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::Arc;

use cogpack_compiler::World;

use super::{Answer, Read, difference, resolved, text};
use crate::console::Console;
use crate::failure::Failure;
use crate::plan_file::PlanFile;
use crate::progress::palette::Palette;
use crate::progress::text::plain;
use crate::{DONE, line_diff};

/// Compares what git names.
pub fn run(words: &[OsString], console: &mut Console<'_>) -> Result<u8, Failure> {
    let word = |place: usize| words.get(place).map(OsString::as_os_str);
    let Some(path) = word(0) else { return Err(misused()) };
    let (Some(old), Some(new)) = (word(1), word(4)) else {
        if words.len() == 1 {
            // Git says no more of a file whose merge has conflicts.
            console.data(format!("{}: not merged\n", plain(&path.to_string_lossy())).as_bytes());
            return Ok(DONE);
        }
        return Err(misused());
    };
    let shown = path.to_string_lossy().into_owned();
    // A renamed file has its new path behind all others.
    let shown_new = word(7).map_or_else(|| shown.clone(), |path| path.to_string_lossy().into_owned());
    let old = file(old, &format!("a/{shown}"), console)?;
    let new = file(new, &format!("b/{shown_new}"), console)?;
    let colours = Palette { coloured: console.colours_data() };
    let answer = match (read(&old), read(&new)) {
        (Some(one), Some(other)) => {
            let found = difference(&one, &other);
            text::text(&Answer { old: &old, new: &new, found, sizes: None }, colours)
        }
        (_, _) => line_diff::unified((&old.shown, &old.text), (&new.shown, &new.text)),
    };
    console.data(answer.as_bytes());
    Ok(DONE)
}

fn misused() -> Failure {
    Failure::new("`--git-driver` takes what git gives to a driver: a path, and seven words on its content").with_hint(
        "set it up by `git config diff.cogpackc.command 'cogpackc diff --git-driver'` and `*.cpk diff=cogpackc` \
         in `.gitattributes`",
    )
}

fn file(path: &OsStr, shown: &str, console: &Console<'_>) -> Result<PlanFile, Failure> {
    let path = Path::new(path);
    let full = console.directory.join(path);
    let bytes = match path == Path::new("/dev/null") {
        true => Vec::new(),
        false => std::fs::read(&full).map_err(|error| {
            let mut failure = Failure::new(format!("read `{}`", path.display()));
            failure.causes.push(error.to_string());
            failure
        })?,
    };
    Ok(PlanFile {
        shown: shown.to_owned(),
        path: None,
        text: Arc::new(String::from_utf8_lossy(&bytes).into_owned()),
        directory: console.directory.clone(),
    })
}

/// The plan of a file, if it is one without mistakes. Nothing of this machine is looked at.
fn read(file: &PlanFile) -> Option<Read> {
    let plan = cogpack_compiler::parse(&file.text).ok()?;
    let (plan, resolved) = resolved(plan, &World::default()).ok()?;
    Some(Read { file: file.clone(), plan, resolved })
}
