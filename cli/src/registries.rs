//! What this machine says of registries: in the configuration of its Docker Engine, which is the
//! user's own where the Engine is.

use std::path::Path;

use cogpack_io_registry::settings::Settings;

use crate::console::Console;
use crate::failure::Failure;

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
