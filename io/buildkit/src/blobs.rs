//! The session service for blobs of image layouts on this machine: bases and contexts that the daemon
//! reads, and build caches that it reads and writes.
//!
//! Which image of a layout is wanted is decided elsewhere: the daemon knows only digests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tonic::Status;

use self::server::ContentServer;
use self::stores::Store;

pub mod cache_index;
mod ingest;
mod messages;
pub mod server;
mod stores;

/// The methods that a session with this service announces.
pub const METHODS: &[&str] = &[
    "/containerd.services.content.v1.Content/Abort",
    "/containerd.services.content.v1.Content/Info",
    "/containerd.services.content.v1.Content/Read",
    "/containerd.services.content.v1.Content/Status",
    "/containerd.services.content.v1.Content/Write",
];

/// Why a directory cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// There is no layout.
    #[error("`{}` is no OCI image layout: it has no `blobs` directory", path.display())]
    NoLayout {
        /// The directory.
        path: PathBuf,
    },
    /// Its name was given before.
    #[error("the layout `{name}` is given twice")]
    Twice {
        /// The name.
        name: String,
    },
}

/// The layouts of one build, by name.
#[derive(Debug, Clone, Default)]
pub struct Layouts {
    stores: BTreeMap<String, Arc<Store>>,
}

impl Layouts {
    /// Lets the daemon read a layout, as the `oci.store` named `name` of a source.
    pub fn add_layout(&mut self, name: &str, root: &Path) -> Result<(), LayoutError> {
        if !root.join("blobs").is_dir() {
            return Err(LayoutError::NoLayout { path: root.to_owned() });
        }
        self.add(format!("oci:{name}"), Store::new(root, false))
    }

    /// Lets the daemon read and write a build cache, as the `src` or `dest` named `name` of a
    /// cache of the type `local`. Nothing need be there yet. The name is the daemon's word for it;
    /// no path is told.
    pub fn add_cache(&mut self, name: &str, root: &Path) -> Result<(), LayoutError> {
        self.add(format!("local:{name}"), Store::new(root, true))
    }

    /// Whether nothing is served.
    pub fn is_empty(&self) -> bool {
        self.stores.is_empty()
    }

    /// The service, to be added to a session.
    pub fn into_server(self) -> ContentServer {
        ContentServer { layouts: self }
    }

    fn add(&mut self, id: String, store: Store) -> Result<(), LayoutError> {
        if self.stores.contains_key(&id) {
            return Err(LayoutError::Twice { name: id });
        }
        self.stores.insert(id, Arc::new(store));
        Ok(())
    }

    fn find(&self, id: &str) -> Result<Arc<Store>, Status> {
        self.stores
            .get(id)
            .cloned()
            .ok_or_else(|| Status::not_found(format!("the layout `{id}` is not served")))
    }
}

#[cfg(test)]
mod tests;
