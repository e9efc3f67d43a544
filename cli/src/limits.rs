//! What the daemon can do, from the command line: `--limits none|FILE|probe`.

use std::path::Path;

use cogpack_backends_llb::Limits;
use cogpack_build::buildkit::BuildKit;

use crate::arguments::LimitsChoice;
use crate::commands::build::daemon;
use crate::console::Console;
use crate::failure::Failure;

/// The limits that were asked for; all that is known today where none were.
pub fn limits(choice: Option<&LimitsChoice>, console: &Console<'_>) -> Result<Limits, Failure> {
    match choice {
        None => Ok(Limits::all()),
        Some(LimitsChoice::None) => Ok(Limits::baseline()),
        Some(LimitsChoice::File(path)) => read(&console.directory.join(path), path),
        Some(LimitsChoice::Probe) => probe(console),
    }
}

/// What the daemon says that `cogpackc build` would use.
fn probe(console: &Console<'_>) -> Result<Limits, Failure> {
    let address = daemon::address(None, None, console)?;
    let daemon = daemon::runtime()?.block_on(BuildKit::connect(&address)).map_err(|error| {
        Failure::of(&error).with_hint(
            "name a daemon with BUILDKIT_HOST or DOCKER_HOST, or say `--limits none` for what all can do",
        )
    })?;
    Ok(daemon.limits())
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
