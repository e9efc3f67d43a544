//! What a daemon sends back: a file or a tree of files, received by the session. Nothing gets its
//! name before the build has gone well.

use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use cogpack_content::Platform;
use cogpack_io_buildkit::exports::{ExportFailure, METHODS, ToDirectory, ToFile};
use cogpack_io_buildkit::session::Services;
use cogpack_io_docker::engine::Engine;
use cogpack_io_layout::archive;
use cogpack_io_layout::unpack::{check_destination, unpack};
use cogpack_io_project::aside::Aside;

use crate::exporting::{Export, Receive};
use crate::failure::BuildError;
use crate::outcome::Layer;

/// What is being received.
pub enum Receiver {
    /// Nothing.
    Nothing,
    /// One file.
    File(ToFile),
    /// An archive of an image.
    Image(ToFile),
    /// An archive of a layout, to be unpacked there.
    Layout(ToFile, PathBuf),
    /// A tree of files.
    Directory(ToDirectory),
    /// An archive for an engine, which is loaded from this file.
    Loaded {
        file: ToFile,
        path: PathBuf,
        engine: Box<Engine>,
        /// Goes with what is in it when all is done.
        _folder: Aside,
    },
}

/// Makes room for what `exports` send, and says why where there is none.
pub async fn receiver(
    exports: &[Export],
    standard_output: Box<dyn Write + Send>,
) -> Result<Receiver, BuildError> {
    let taken = |failure: ExportFailure| BuildError::Here {
        attempted: "make room for the result".to_owned(),
        source: Box::new(failure),
    };
    let Some(receive) = exports.iter().find_map(|export| export.receive.as_ref()) else {
        return Ok(Receiver::Nothing);
    };
    Ok(match receive {
        Receive::File(path) => Receiver::File(file(path.as_deref(), standard_output).map_err(taken)?),
        Receive::Image(path) => Receiver::Image(file(path.as_deref(), standard_output).map_err(taken)?),
        Receive::Layout(path) => {
            check_destination(path).map_err(|error| BuildError::Here {
                attempted: "make room for the layout".to_owned(),
                source: Box::new(error),
            })?;
            Receiver::Layout(ToFile::unnamed_in(above(path)).map_err(taken)?, path.clone())
        }
        Receive::Directory(path) => Receiver::Directory(ToDirectory::new(path).map_err(taken)?),
        Receive::Load(endpoint) => {
            let engine = Engine::connect(endpoint).await.map_err(|error| BuildError::Here {
                attempted: "reach the engine that the image is for".to_owned(),
                source: Box::new(error),
            })?;
            let temporary = std::env::temp_dir();
            let folder = Aside::within(&temporary).map_err(|error| BuildError::Here {
                attempted: format!("make a directory in `{}`", temporary.display()),
                source: Box::new(error),
            })?;
            let path = folder.path().join("image.tar");
            let file = ToFile::new(&path).map_err(taken)?;
            Receiver::Loaded { file, path, engine: Box::new(engine), _folder: folder }
        }
    })
}

impl Receiver {
    /// `services` with the one that receives.
    pub fn serve(&self, services: Services) -> Services {
        match self {
            Self::Nothing => services,
            Self::File(file) | Self::Image(file) | Self::Layout(file, _) | Self::Loaded { file, .. } => {
                services.add(file.to_server(), METHODS)
            }
            Self::Directory(directory) => services.add(directory.to_server(), METHODS),
        }
    }

    /// Why the result could not be taken, if so.
    pub fn failure(&self) -> Option<ExportFailure> {
        match self {
            Self::Nothing => None,
            Self::File(file) | Self::Image(file) | Self::Layout(file, _) | Self::Loaded { file, .. } => {
                file.take_failure()
            }
            Self::Directory(directory) => directory.take_failure(),
        }
    }

    /// Whether all of an image's manifest is kept where it goes; not, where nobody can tell.
    pub async fn keeps_manifests(&self) -> bool {
        match self {
            Self::Loaded { engine, .. } => engine.keeps_manifests().await.unwrap_or(false),
            Self::Nothing | Self::File(_) | Self::Image(_) | Self::Layout(..) | Self::Directory(_) => true,
        }
    }

    /// Puts what was received where it belongs, and gives the layers that are seen on the way: those
    /// of the images for these platforms.
    pub async fn finish(self, platforms: &[Platform]) -> Result<Vec<Layer>, BuildError> {
        let written = |failure: ExportFailure| BuildError::Here {
            attempted: "take the result".to_owned(),
            source: Box::new(failure),
        };
        match self {
            Self::Nothing => Ok(Vec::new()),
            Self::File(file) => file.commit().map(|_| Vec::new()).map_err(written),
            Self::Image(file) => {
                let archive = file.commit().map_err(written)?;
                Ok(archive.map(|mut archive| layers_in(&mut archive, platforms)).unwrap_or_default())
            }
            Self::Directory(directory) => directory.commit().map(|()| Vec::new()).map_err(written),
            Self::Layout(file, path) => {
                let mut archive = file.into_reader().map_err(written)?;
                let layers = layers_in(&mut archive, platforms);
                let attempted = || "unpack the layout".to_owned();
                archive
                    .rewind()
                    .map_err(|error| BuildError::Here { attempted: attempted(), source: Box::new(error) })?;
                unpack(std::io::BufReader::new(archive), &path)
                    .map_err(|error| BuildError::Here { attempted: attempted(), source: Box::new(error) })?;
                Ok(layers)
            }
            Self::Loaded { file, path, engine, _folder } => {
                file.commit().map_err(written)?;
                engine.load(&path).await.map_err(|error| BuildError::Here {
                    attempted: "load the image into the engine".to_owned(),
                    source: Box::new(error),
                })?;
                Ok(Vec::new())
            }
        }
    }
}

/// A place for one file, or standard output.
fn file(path: Option<&Path>, standard_output: Box<dyn Write + Send>) -> Result<ToFile, ExportFailure> {
    match path {
        Some(path) => ToFile::new(path),
        None => Ok(ToFile::to_stream(standard_output)),
    }
}

/// The layers of the images in an archive, for a summary; none where there are other images.
fn layers_in(archive: &mut (impl Read + Seek), platforms: &[Platform]) -> Vec<Layer> {
    let mut found = Vec::new();
    for platform in platforms {
        let layers = archive::layers(archive, platform).unwrap_or_default().into_iter();
        found.extend(layers.map(|layer: archive::ArchivedLayer| Layer {
            digest: Some(layer.digest),
            size: layer.size,
            compressed: layer.is_compressed,
            made_by: layer.created_by,
            platform: Some(platform.clone()),
        }));
    }
    found
}

fn above(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    }
}
