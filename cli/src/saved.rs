//! Base images out of archives, and out of the Docker Engine, which gives them away as archives: taken
//! into the store, where the build reads them.

use std::path::Path;

use cogpack_content::{Digest, Platform};
use cogpack_io_docker::engine::Engine;
use cogpack_io_layout::read::{Layout, StoredImage, Wanted};
use cogpack_io_layout::saved::{Saved, SavedError};

use crate::commands::build::daemon;
use crate::failure::Failure;
use crate::packages::Machine;

/// An image, and where it is.
type Taken = (Layout, StoredImage);

/// The image of an archive.
pub fn of_archive(
    path: &Path,
    wanted: Wanted<'_>,
    platform: &Platform,
    machine: Machine<'_>,
) -> Result<Taken, Failure> {
    let image = Saved::open(path, &machine.store()?).and_then(|saved| saved.image(wanted, platform));
    image.map_err(|error| not_taken(&error, &format!("`{}`", path.display()), wanted.digest))
}

/// An image that the Engine has.
pub fn of_engine(
    name: &str,
    digest: Option<Digest>,
    platform: &Platform,
    machine: Machine<'_>,
) -> Result<Taken, Failure> {
    let store = machine.store()?;
    let work = store.work().map_err(|error| Failure::of(&error))?;
    let archive = work.path().join("image.tar");
    let endpoint = daemon::engine_of(machine.docker())?;
    let saving = async { Engine::at(&endpoint)?.save(name, &archive).await };
    daemon::runtime()?.block_on(saving).map_err(|error| {
        let failure = Failure::of(&error);
        match error.help() {
            Some(help) => failure.with_hint(help),
            None => failure,
        }
    })?;
    let image =
        Saved::open(&archive, &store).and_then(|saved| saved.image(Wanted { digest, tag: None }, platform));
    image.map_err(|error| not_taken(&error, &format!("`{name}` of the Docker Engine"), digest))
}

fn not_taken(error: &SavedError, what: &str, digest: Option<Digest>) -> Failure {
    let Failure { message, mut causes, hint } = Failure::of(error);
    causes.insert(0, message);
    // A disk that is full has a way out of its own.
    let otherwise = match digest {
        Some(_) => {
            "the plan pins this image's digest, which archives of `docker save` need not keep: read it \
             from an OCI image layout, or leave `--layout` out, and it is pulled"
        }
        None => {
            "`--layout` takes archives of `docker save`, `podman save` and `skopeo copy … oci-archive:FILE`"
        }
    };
    Failure {
        message: format!("cannot build on {what}"),
        causes,
        hint: hint.or_else(|| Some(otherwise.to_owned())),
    }
}
