//! Which builder builds, and the options that mean something to one of them only. With the other
//! they are refused by name: an option that does nothing is worse than none.

use cogpack_build::order::{Destination, FileForm};
use cogpack_io_docker::contexts::{Chosen, choose};

use super::arguments::{Build, Builder};
use crate::console::Console;
use crate::failure::Failure;

/// The builder that the command line names; else the one that its options are for; else BuildKit,
/// unless there is no Engine on this machine and nobody has named another daemon: that is to be told.
pub fn builder(
    arguments: &Build,
    destinations: &[Destination],
    console: &Console<'_>,
) -> Result<(Builder, Option<String>), Failure> {
    if let Some(builder) = named(arguments)? {
        return Ok((builder, None));
    }
    // What is wrong with what names a daemon is told by whoever asks for one.
    let needs_daemon = destinations.iter().any(|to| match to {
        Destination::Engine { .. } | Destination::Image { .. } | Destination::Directory { .. } => true,
        Destination::File { form: FileForm::Files, .. } => true,
        Destination::File { form: FileForm::Oci | FileForm::Docker, .. } | Destination::Layout { .. } => {
            false
        }
    });
    if needs_daemon || console.environment.buildkit_host.is_some() {
        return Ok((Builder::Buildkit, None));
    }
    match choose(&console.environment.docker) {
        Ok(chosen) if chosen.is_absent() => Ok((Builder::Direct, Some(without_daemon(&chosen)))),
        Ok(_) | Err(_) => Ok((Builder::Buildkit, None)),
    }
}

fn without_daemon(absent: &Chosen) -> String {
    format!(
        "no Docker Engine is at {}: building without a daemon, as `--builder direct` does",
        absent.endpoint
    )
}

/// The builder that the command line says, by its name or by an option that is for it alone.
fn named(arguments: &Build) -> Result<Option<Builder>, Failure> {
    let given =
        |options: &[(&'static str, bool)]| options.iter().find(|(_, is)| *is).map(|(option, _)| *option);
    let for_direct =
        given(&[("--layout", !arguments.layouts.is_empty()), ("--runtime", arguments.runtime.is_some())]);
    let for_buildkit = given(&[
        ("--buildkit", arguments.buildkit.is_some()),
        ("--buildkit-tls", arguments.buildkit_tls.is_some()),
        ("--limits", arguments.limits.is_some()),
        ("--cache-from", !arguments.cache_from.is_empty()),
        ("--cache-to", !arguments.cache_to.is_empty()),
        ("--history", arguments.history),
    ]);
    let meaningless =
        |option, builder| Failure::new(format!("`{option}` means nothing to `--builder {builder}`"));
    match (arguments.builder, for_direct, for_buildkit) {
        (Some(Builder::Direct), _, Some(option)) => Err(meaningless(option, "direct")
            .with_hint("leave it out, or build by a daemon, with `--builder buildkit`")),
        (Some(Builder::Buildkit), Some(option), _) => Err(meaningless(option, "buildkit")
            .with_hint("leave it out, or build without a daemon, with `--builder direct`")),
        (Some(builder), ..) => Ok(Some(builder)),
        (None, Some(one), Some(other)) => Err(Failure::new(format!(
            "`{one}` is for builds without a daemon, and `{other}` for builds by one"
        ))
        .with_hint("leave one of them out")),
        (None, Some(_), None) => Ok(Some(Builder::Direct)),
        (None, None, Some(_)) => Ok(Some(Builder::Buildkit)),
        (None, None, None) => Ok(None),
    }
}
