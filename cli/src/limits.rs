//! What the daemon can do, from the command line: `--limits none|FILE|probe`.

use std::path::Path;

use cogpack_backends_llb::Limits;

use crate::arguments::LimitsChoice;
use crate::failure::Failure;

/// The limits that were asked for; all that is known today where none were.
pub fn limits(choice: Option<&LimitsChoice>, directory: &Path) -> Result<Limits, Failure> {
    match choice {
        None => Ok(Limits::all()),
        Some(LimitsChoice::None) => Ok(Limits::baseline()),
        Some(LimitsChoice::File(path)) => read(&directory.join(path), path),
        Some(LimitsChoice::Probe) => Err(Failure::new("cannot ask a daemon what it can do while compiling")
            .with_hint(
                "give a file with its capability ids, or `--limits none` for what every daemon can do",
            )),
    }
}

fn read(path: &Path, shown: &Path) -> Result<Limits, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::new(format!("cannot read the limits `{}`: {error}", shown.display()))
            .with_hint("`--limits` takes `none`, `probe`, or a file with a capability id on each line")
    })?;
    Limits::parse(&text).map_err(|error| {
        Failure::new(format!("`{}` is no file of limits: {error}", shown.display()))
            .with_hint("write a capability id on each line, or a JSON array of them")
    })
}
