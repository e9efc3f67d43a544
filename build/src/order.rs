//! What a builder is asked for: an artifact, what it may read, and where the image is to go.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;

use cogpack_backends_llb::{Entitlement, LlbImage};
use cogpack_content::{ImageReference, Platform};

use cogpack_io_buildkit::address::Endpoint;
use cogpack_io_registry::settings::Settings as RegistrySettings;

use crate::serving::Served;

/// One build.
pub struct Order {
    /// What is built: one image for each platform.
    pub images: Vec<LlbImage>,
    /// The configs of the images that they build on, as they are in their registries, where they
    /// are known.
    pub base_configs: BTreeMap<Platform, Vec<u8>>,
    /// What the build may read beside the artifact.
    pub served: Served,
    /// What the ops may do beyond the usual.
    pub allowed: BTreeSet<Entitlement>,
    /// What the image is called.
    pub names: Vec<ImageReference>,
    /// Annotations of its manifest.
    pub annotations: BTreeMap<String, String>,
    /// What this machine says of registries, which are asked what was pushed.
    pub registries: RegistrySettings,
    /// Where the store of this machine is, or may be made: what a build learns of the daemon's results
    /// is noted there, for the next one.
    pub store: Option<PathBuf>,
    /// The engine that images are loaded into, where the builder is not reached by way of it.
    pub engine: Option<Endpoint>,
    /// What stands for standard output, where an image goes there.
    pub standard_output: Box<dyn Write + Send>,
    /// Where it goes. Nowhere is a choice too: then it is only built.
    pub destinations: Vec<Destination>,
    /// Where results of other builds are.
    pub cache_from: Vec<Cache>,
    /// Where results go, for other builds.
    pub cache_to: Vec<Cache>,
    /// Whether the daemon notes the build in its history, with all that it tells of it. That takes it a
    /// good part of the time of a build that finds all in its cache.
    pub is_noted: bool,
    /// What everything is dated, in seconds since 1970.
    pub time: u64,
    /// Whether somebody asked for that time. If not, files of an image that stays with the daemon or
    /// its engine keep the times they were made at: a daemon dates files anew by packing all layers
    /// again, at each build, also where nothing else has to be done.
    pub is_time_given: bool,
}

/// Where an image goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// Into the image store of the Engine by way of which the builder is reached, else of the one that
    /// the order names.
    Engine {
        /// What else the exporter is told.
        settings: Settings,
    },
    /// Into the image store of the daemon, or to registries.
    Image {
        /// Whether it is pushed.
        push: bool,
        /// What else the exporter is told.
        settings: Settings,
    },
    /// Into a file.
    File {
        /// Of which kind.
        form: FileForm,
        /// Where; `None` is standard output.
        path: Option<PathBuf>,
        /// What else the exporter is told.
        settings: Settings,
    },
    /// Into a directory, as an OCI image layout.
    Layout {
        /// Where.
        path: PathBuf,
        /// What else the exporter is told.
        settings: Settings,
    },
    /// Into a directory, as the files of the image.
    Directory {
        /// Where.
        path: PathBuf,
        /// What else the exporter is told.
        settings: Settings,
    },
}

/// Settings of an exporter that have no meaning here, such as `compression`.
pub type Settings = BTreeMap<String, String>;

/// Kinds of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileForm {
    /// What `docker load` reads.
    Docker,
    /// A tar of an OCI image layout.
    Oci,
    /// A tar of the files of the image.
    Files,
}

/// A place for results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    /// `registry`, `local`, `inline` and others that the daemon knows.
    pub kind: String,
    /// What it is told.
    pub settings: Settings,
}
