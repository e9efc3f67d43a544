//! What an image has in it, by its files and its config alone: nothing of it is run.

mod cuda;
mod os_release;
mod packages;
mod python;

use std::collections::{BTreeMap, BTreeSet};

use cogpack_content::{Digest, ImageReference, Platform};
use cogpack_ir::plan::ImageConfig;
use miette::Diagnostic;

use crate::config;
use crate::entry::{Entry, Extent, Role};

/// The files of an image. Paths are absolute, without `.` and `..`.
pub trait Filesystem {
    /// Why a file that is there cannot be read.
    type Error: std::error::Error + Send + Sync + 'static;

    /// What is in a directory, in the order of its names; nothing where there is none.
    fn names(&self, directory: &str) -> Vec<String>;

    /// The file or directory that a path leads to, through all links; `None` where nothing is there.
    fn resolved(&self, path: &str) -> Option<String>;

    /// The bytes of a file, links followed; `None` where none is there.
    fn bytes(&self, path: &str) -> Result<Option<Vec<u8>>, Self::Error>;
}

/// An image, and what its name and config say.
#[derive(Debug, Clone)]
pub struct Image {
    /// Its name.
    pub reference: ImageReference,
    /// Its digest, where it is one that a registry has.
    pub digest: Option<Digest>,
    /// The platforms that were looked at.
    pub platforms: BTreeSet<Platform>,
    /// What its config sets.
    pub config: ImageConfig,
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// The image, for a catalogue.
    pub entry: Entry,
    /// What each fact was seen by, a sentence each.
    pub evidence: Vec<String>,
}

/// Why an image cannot be told of.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum LookError<E: std::error::Error + 'static> {
    /// A file of it cannot be read.
    #[error("read `{path}` of the image")]
    #[diagnostic(code(project::catalogue::file), help("the image is damaged where it lies: get it again"))]
    File {
        /// The file.
        path: String,
        /// Why not.
        #[source]
        source: E,
    },
    /// It does not say which distribution it is.
    #[error("the image does not say which distribution it is: it has no `/etc/os-release` with an `ID`")]
    #[diagnostic(
        code(project::catalogue::os),
        help("write its entry by hand, as docs/catalogue.md shows, if plans are to start from it")
    )]
    Os,
}

/// Where programs are looked for if the config does not say.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Looks into an image.
pub fn look<F: Filesystem>(image: Image, files: &F) -> Result<Looked, LookError<F::Error>> {
    let env = config::env(&image.config);
    let view = View { files, env: &env };
    let mut evidence = Vec::new();
    let os = os_release::read(&view)?.ok_or(LookError::Os)?;
    let packages = packages::read(&view)?;
    let python = python::find(&view, &packages, &mut evidence)?;
    let cuda = cuda::cuda(&view, &mut evidence)?;
    let cudnn = cuda::cudnn(&view, &packages, &mut evidence);
    let compiler = ["cc", "gcc", "clang"].into_iter().find_map(|name| view.program(name));
    let extent = match compiler {
        Some(compiler) => {
            evidence.push(format!("it is for development, because it has the compiler `{compiler}`"));
            Extent::Development
        }
        None if python.is_some() || cudnn.is_some() => Extent::Runtime,
        None => Extent::Minimal,
    };
    let Image { reference, digest, platforms, config } = image;
    // Of a name alone nobody knows what the next image sets.
    let config = digest.map(|_| config);
    let roles = Role::ALL.into_iter().collect();
    // All that it has are listed.
    let lacks = BTreeSet::new();
    let entry = Entry {
        reference,
        digest,
        platforms,
        roles,
        extent,
        os,
        python,
        cuda,
        cudnn,
        packages,
        lacks,
        env,
        config,
    };
    Ok(Looked { entry, evidence })
}

/// An image's files and variables, for those that look for something.
struct View<'a, F> {
    files: &'a F,
    env: &'a BTreeMap<String, String>,
}

impl<F: Filesystem> View<'_, F> {
    /// A file as text, whatever is no text in it replaced.
    fn text(&self, path: &str) -> Result<Option<String>, LookError<F::Error>> {
        let read = self.files.bytes(path);
        let bytes = read.map_err(|source| LookError::File { path: path.to_owned(), source })?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// The path of a program, as a shell would find it.
    fn program(&self, name: &str) -> Option<String> {
        let path = self.env.get("PATH").map_or(DEFAULT_PATH, String::as_str);
        let absolute = path.split(':').filter(|directory| directory.starts_with('/'));
        let mut places = absolute.map(|directory| format!("{}/{name}", directory.trim_end_matches('/')));
        places.find(|place| self.files.resolved(place).is_some())
    }
}

/// The directory that holds a path.
fn parent(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((parent, _)) => parent,
    }
}
