//! What a build may read on this machine, and the services that let a daemon read it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use cogpack_io_buildkit::auth::{self, Auth, Logins};
use cogpack_io_buildkit::directories::{Directories, Directory, Machine};
use cogpack_io_buildkit::secrets::{self, Secrets};
use cogpack_io_buildkit::session::Services;
use cogpack_io_buildkit::ssh::{self, Agents};
use cogpack_ir::plan::InputName;

use crate::failure::BuildError;
use crate::logins::SharedLogins;

/// All that a build may read beside its artifact. What the plan does not name is not in it.
pub struct Served {
    /// The directories of `dir` contexts.
    pub directories: BTreeMap<InputName, PathBuf>,
    /// Directories of archives that stand for contexts, each named by its digest.
    pub archives: BTreeMap<InputName, PathBuf>,
    /// The image layouts of `oci` contexts.
    pub layouts: BTreeMap<InputName, PathBuf>,
    /// Secrets by id.
    pub secrets: Secrets,
    /// Ssh agents by id.
    pub agents: Agents,
    /// Logins for registries.
    pub logins: Arc<dyn Logins>,
}

/// Directories that are offered, to be asked how much of them was sent.
pub fn directories(served: &Served) -> Result<Directories, BuildError> {
    let open = |(name, path): (&InputName, &PathBuf)| {
        let directory = Directory::open(path).map_err(|error| BuildError::Here {
            attempted: format!("offer the context `{name}`"),
            source: Box::new(error),
        })?;
        Ok((name.as_str().to_owned(), directory))
    };
    let directories = served.directories.iter().map(open);
    let archives = served.archives.iter().map(|archive| {
        let (name, directory) = open(archive)?;
        Ok((name, directory.named_by_content()))
    });
    let opened = directories.chain(archives).collect::<Result<BTreeMap<_, _>, BuildError>>()?;
    Ok(Directories::new(opened))
}

/// The services of a session that only looks something up.
pub fn logins_only(served: &Served) -> Services {
    Services::new().add(Auth::new(SharedLogins(Arc::clone(&served.logins))).into_server(), auth::METHODS)
}

/// The services of a session, those that receive results apart.
pub fn services(served: &Served, directories: &Directories) -> Services {
    let mut services = logins_only(served)
        .with_shared_key(directories.shared_key(&Machine::here()))
        .add(served.secrets.clone().into_server(), secrets::METHODS);
    if !served.directories.is_empty() || !served.archives.is_empty() {
        services = services.add(directories.to_server(), Directories::METHODS);
    }
    services.add(served.agents.clone().into_server(), ssh::METHODS)
}
