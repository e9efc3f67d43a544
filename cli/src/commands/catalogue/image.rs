//! The image to look into, from where the command line says it is, and its files.

use std::collections::BTreeMap;
use std::io::{self, Read};

use cogpack_backends_contract::content::{Content, NoFiles};
use cogpack_backends_contract::tree::{Node, Tree, text};
use cogpack_catalogue::look::Filesystem;
use cogpack_content::{Digest, ImageReference, Platform};
use cogpack_io_layout::base_files::BaseFiles;
use cogpack_io_layout::read::{Layout, StoredImage, Wanted};
use cogpack_ir::plan::{ImageConfig, InputName};

use super::arguments::Add;
use crate::commands::build::daemon;
use crate::console::Console;
use crate::failure::Failure;
use crate::packages::Machine;
use crate::{bases, registries, saved};

/// An image that is here.
pub struct Image {
    layout: Layout,
    image: StoredImage,
    tree: Tree<Content>,
    /// The digest that a registry has it by; `None` where nobody knows.
    pub digest: Option<Digest>,
}

/// An image's files, for looking into.
pub struct Files<'a> {
    tree: &'a Tree<Content>,
    contents: BaseFiles<'a>,
}

impl Image {
    /// Gets it.
    pub fn get(add: &Add, console: &Console<'_>) -> Result<Self, Failure> {
        let machine = Machine::new(add.store.as_deref(), console);
        let (layout, image, digest) = match &add.layout {
            Some(place) => local(add, place, machine)?,
            None => {
                let way_out = "`--layout DIR` reads the image from this machine";
                pulled(&add.image, None, &add.platform, machine, console, way_out)?
            }
        };
        Self::read(layout, image, digest)
    }

    /// Gets one from its registry.
    pub fn of_registry(
        reference: &ImageReference,
        digest: Option<Digest>,
        platform: &Platform,
        console: &Console<'_>,
    ) -> Result<Self, Failure> {
        let machine = Machine::new(None, console);
        let way_out = "without the image nobody knows what its apt asks";
        let (layout, image, digest) = pulled(reference, digest, platform, machine, console, way_out)?;
        Self::read(layout, image, digest)
    }

    fn read(layout: Layout, image: StoredImage, digest: Option<Digest>) -> Result<Self, Failure> {
        let tree = layout.base(&image).map_err(|error| Failure::of(&error))?.tree;
        Ok(Self { layout, image, tree, digest })
    }

    /// What its config sets.
    pub fn config(&self) -> ImageConfig {
        self.image.config.clone()
    }

    /// It, as those have it who open files of images.
    pub fn named(&self) -> BTreeMap<InputName, (Layout, StoredImage)> {
        let name = InputName::new("image").ok();
        name.map(|name| (name, (self.layout.clone(), self.image.clone()))).into_iter().collect()
    }

    /// Its files; `named` is what [`Image::named`] gives.
    pub fn files<'a>(&'a self, named: &'a BTreeMap<InputName, (Layout, StoredImage)>) -> Files<'a> {
        Files { tree: &self.tree, contents: BaseFiles::new(named, &NoFiles) }
    }
}

type Found = (Layout, StoredImage, Option<Digest>);

fn local(add: &Add, place: &str, machine: Machine<'_>) -> Result<Found, Failure> {
    let pinned = add.image.digest();
    if let Some(image) = place.strip_prefix("docker-daemon:").filter(|image| !image.is_empty()) {
        let (layout, image) = saved::of_engine(image, pinned, &add.platform, machine)?;
        return Ok((layout, image, pinned));
    }
    let (place, tag) = bases::tagged(place, |place| machine.path(place.as_ref()).exists());
    let path = machine.path(place.as_ref());
    let wanted = Wanted { digest: pinned, tag };
    if path.is_file() {
        // An archive of `docker save` has another manifest than the registry.
        let (layout, image) = saved::of_archive(&path, wanted, &add.platform, machine)?;
        return Ok((layout, image, pinned));
    }
    let failed = |error| {
        Failure::of(&error).with_hint(
            "`--layout` takes a directory that is an OCI image layout, `DIR` or `DIR:TAG`, an archive, or `docker-daemon:IMAGE`",
        )
    };
    let layout = Layout::open(&path).map_err(failed)?;
    let image = layout.image(wanted, &add.platform).map_err(failed)?;
    let digest = Some(pinned.unwrap_or(image.manifest));
    Ok((layout, image, digest))
}

fn pulled(
    reference: &ImageReference,
    digest: Option<Digest>,
    platform: &Platform,
    machine: Machine<'_>,
    console: &Console<'_>,
    way_out: &str,
) -> Result<Found, Failure> {
    // Credential helpers are programs that are waited for.
    let runtime = daemon::runtime()?;
    let _entered = runtime.enter();
    let puller = registries::puller(machine, console)?;
    let failed = |error| registries::not_pulled(&error, way_out);
    let found = puller.find(reference, digest, platform).map_err(failed)?;
    let missing = found.pull.missing(&found.image).map_err(failed)?;
    found.pull.fetch(missing, &|_| {}, &|| false).map_err(failed)?;
    Ok((found.layout, found.image, Some(found.digest)))
}

impl Filesystem for Files<'_> {
    type Error = io::Error;

    fn names(&self, directory: &str) -> Vec<String> {
        let Ok(path) = self.tree.resolve(directory.as_bytes(), true) else { return Vec::new() };
        let Some(directory) = self.tree.directory(&path) else { return Vec::new() };
        let entries = directory.children.iter();
        entries.map(|entry| String::from_utf8_lossy(entry.name()).into_owned()).collect()
    }

    fn resolved(&self, path: &str) -> Option<String> {
        let path = self.tree.resolve(path.as_bytes(), true).ok()?;
        self.tree.get(&path)?;
        Some(text(&path))
    }

    fn bytes(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        let Ok(path) = self.tree.resolve(path.as_bytes(), true) else { return Ok(None) };
        let Some(Node::File { content, .. }) = self.tree.get(&path) else { return Ok(None) };
        let mut bytes = Vec::new();
        content.open(&self.contents)?.read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }
}
