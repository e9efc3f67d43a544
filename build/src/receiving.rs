//! What a daemon sends back: a file or a tree of files, received by the session.

use cogpack_io_buildkit::session::Services;

use crate::exporting::Export;
use crate::failure::BuildError;

/// What is being received; nothing has its name before [`Receiver::finish`].
pub struct Receiver;

/// The services with those that receive what `exports` send.
pub fn receiver(exports: &[Export], services: Services) -> Result<(Services, Receiver), BuildError> {
    match exports.iter().find_map(|export| export.receive.as_ref()) {
        None => Ok((services, Receiver)),
        Some(_) => Err(BuildError::Unable {
            what: "files and directories cannot be received yet".to_owned(),
            help: "build into an engine, or push".to_owned(),
        }),
    }
}

impl Receiver {
    /// Gives what was received its name.
    pub fn finish(self) -> Result<(), BuildError> {
        Ok(())
    }
}
