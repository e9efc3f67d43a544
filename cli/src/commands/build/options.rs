//! Options that mean something to one builder only. With the other they are refused by name: an
//! option that does nothing is worse than none.

use super::arguments::{Build, Builder};
use crate::failure::Failure;

/// Refuses options of the builder that does not build.
pub fn check(arguments: &Build) -> Result<(), Failure> {
    let (given, hint): (&[(&str, bool)], _) = match arguments.builder {
        Builder::Direct => (
            &[
                ("--buildkit", arguments.buildkit.is_some()),
                ("--buildkit-tls", arguments.buildkit_tls.is_some()),
                ("--limits", arguments.limits.is_some()),
                ("--cache-from", !arguments.cache_from.is_empty()),
                ("--cache-to", !arguments.cache_to.is_empty()),
            ],
            "leave it out, or build by a daemon, with `--builder buildkit`",
        ),
        Builder::Buildkit => (
            &[
                ("--layout", !arguments.layouts.is_empty()),
                ("--runtime", arguments.runtime.is_some()),
                ("--store", arguments.store.is_some()),
            ],
            "leave it out, or build without a daemon, with `--builder direct`",
        ),
    };
    match given.iter().find(|(_, is_given)| *is_given) {
        Some((option, _)) => {
            let builder = match arguments.builder {
                Builder::Direct => "`--builder direct`",
                Builder::Buildkit => "`--builder buildkit`, which is the default",
            };
            Err(Failure::new(format!("`{option}` means nothing to {builder}")).with_hint(hint))
        }
        None => Ok(()),
    }
}
