//! What this machine says of registries: in the configuration of its Docker Engine, which is the
//! user's own where the Engine is. And who gets images from them.

use std::path::Path;
use std::sync::Arc;

use cogpack_build::direct::pull::{PullError, Puller};
use cogpack_build::logins::waiting;
use cogpack_io_registry::Registries;
use cogpack_io_registry::settings::Settings;

use crate::commands::build::daemon;
use crate::console::Console;
use crate::failure::Failure;
use crate::packages::Machine;

/// The Engine of the machine goes by this.
const OF_THE_MACHINE: &str = "/etc/docker/daemon.json";
/// An Engine of a user goes by this, below the home directory.
const OF_THE_USER: &str = ".config/docker/daemon.json";

/// The settings: the user's, else the machine's.
pub fn settings(console: &Console<'_>) -> Result<Settings, Failure> {
    let of_the_user = console.environment.docker.home.as_ref().map(|home| home.join(OF_THE_USER));
    let path =
        of_the_user.filter(|path| path.exists()).unwrap_or_else(|| Path::new(OF_THE_MACHINE).to_owned());
    Settings::read(&path).map_err(|error| {
        Failure::of(&error).with_hint("correct it: it says which registries have mirrors, or no encryption")
    })
}

/// Gets images with the user's logins, into the machine's store. Credential helpers are programs that are
/// waited for, so this is called within a runtime.
pub fn puller(machine: Machine<'_>, console: &Console<'_>) -> Result<Arc<Puller>, Failure> {
    let login = waiting(Arc::new(daemon::logins(console)?));
    Ok(Puller::new(Registries::new(settings(console)?, login), machine.store()?))
}

/// That an image did not come, with one more way out; but a disk that is full has one of its own.
pub fn not_pulled(error: &PullError, way_out: &str) -> Failure {
    let failure = Failure::of(error);
    match (error.help(), &failure.hint) {
        (Some(help), _) => failure.with_hint(format!("{help}; {way_out}")),
        (None, Some(_)) => failure,
        (None, None) => failure.with_hint(way_out),
    }
}
