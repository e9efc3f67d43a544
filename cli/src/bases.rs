//! Base images that are read on this machine: those that `--layout` names, out of layouts, archives
//! and the Docker Engine, and those of the plan's own `oci` contexts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cogpack_backends_oci_direct::inputs::BaseImage;
use cogpack_compiler::World;
use cogpack_content::{Digest, Platform};
use cogpack_io_layout::read::{Layout, StoredImage, Wanted};
use cogpack_ir::plan::{ContextKind, ImageConfig, InputName, Plan};
use cogpack_ir::resolve::KnownTriggers;
use cogpack_ir::suggest::nearest;

use crate::failure::Failure;
use crate::packages::Machine;
use crate::plan_file::PlanFile;
use crate::saved;

/// The images that were found, by their name in the plan.
#[derive(Debug, Default)]
pub struct Bases {
    images: BTreeMap<InputName, (Layout, StoredImage)>,
}

impl Bases {
    /// Opens what the command line and the plan name. A layout that the command line names must
    /// be there; one that the plan names is missed only by a backend that needs it.
    pub fn read(
        plan: &Plan,
        named: &[String],
        file: &PlanFile,
        machine: Machine<'_>,
    ) -> Result<Self, Failure> {
        let platform = plan.platforms.first().map_or_else(Platform::linux_amd64, |first| first.value.clone());
        let mut bases = Self::default();
        for (name, context) in &plan.contexts {
            if let ContextKind::Oci(oci) = &context.kind {
                let path = file.directory.join(&oci.path.value);
                if path.exists() {
                    let digest = oci.digest.as_ref().map(|digest| digest.value);
                    bases.add(
                        name,
                        &path,
                        Wanted { digest, tag: oci.tag.as_ref().map(|tag| tag.as_str()) },
                        &platform,
                    )?;
                }
            }
        }
        for argument in named {
            let (name, place) = split(argument)?;
            let name = known_name(plan, name)?;
            let (place, tag) = tagged(place, |place| machine.path(Path::new(place)).exists());
            let digest: Option<Digest> = plan.images[&name].digest.as_ref().map(|digest| digest.value);
            let path = machine.path(Path::new(place));
            let taken = if let Some(image) = of_engine(argument) {
                saved::of_engine(image, digest, &platform, machine)?
            } else if path.is_file() {
                saved::of_archive(&path, Wanted { digest, tag }, &platform, machine)?
            } else {
                bases.add(&name, &path, Wanted { digest, tag }, &platform)?;
                continue;
            };
            bases.images.insert(name, taken);
        }
        Ok(bases)
    }

    fn add(
        &mut self,
        name: &InputName,
        path: &Path,
        wanted: Wanted<'_>,
        platform: &Platform,
    ) -> Result<(), Failure> {
        let hint = match wanted.digest {
            Some(_) => "the plan pins this image's digest: the layout must hold just that image",
            None => {
                "`--layout` takes a directory that is an OCI image layout, as `skopeo copy … oci:DIR:TAG` makes it, an archive, or `docker-daemon:IMAGE`"
            }
        };
        let failed = |error| Failure::of(&error).with_hint(hint);
        let layout = Layout::open(path).map_err(failed)?;
        let image = layout.image(wanted, platform).map_err(failed)?;
        self.images.insert(name.clone(), (layout, image));
        Ok(())
    }

    /// One that was found elsewhere.
    pub fn insert(&mut self, name: InputName, layout: Layout, image: StoredImage) {
        self.images.insert(name, (layout, image));
    }

    /// What they are called in the plan.
    pub fn names(&self) -> BTreeSet<InputName> {
        self.images.keys().cloned().collect()
    }

    /// Their configs, for resolving.
    pub fn configs(&self) -> BTreeMap<InputName, ImageConfig> {
        self.images.iter().map(|(name, (_, image))| (name.clone(), image.config.clone())).collect()
    }

    /// Their build triggers, where they have some.
    pub fn triggers(&self) -> KnownTriggers {
        let found = self.images.iter().filter(|(_, (_, image))| !image.triggers.is_empty());
        found.map(|(name, (_, image))| (name.clone(), image.triggers.clone())).collect()
    }

    /// What is known of them, for compiling.
    pub fn world(&self) -> World {
        World { configs: self.configs(), triggers: self.triggers() }
    }

    /// The images themselves, with the layouts that they are in.
    pub fn images(&self) -> &BTreeMap<InputName, (Layout, StoredImage)> {
        &self.images
    }

    /// The same, to keep.
    pub fn into_images(self) -> BTreeMap<InputName, (Layout, StoredImage)> {
        self.images
    }

    /// The layouts, for copying layers out of.
    pub fn layouts(&self) -> Vec<Layout> {
        self.images.values().map(|(layout, _)| layout.clone()).collect()
    }

    /// Reads the layers of all of them.
    pub fn trees(&self) -> Result<BTreeMap<InputName, BaseImage>, Failure> {
        let read = |(name, (layout, image)): (&InputName, &(Layout, StoredImage))| {
            let base = layout.base(image).map_err(|error| Failure::of(&error))?;
            Ok((name.clone(), base))
        };
        self.images.iter().map(read).collect()
    }
}

/// `NAME=docker-daemon:IMAGE`, as skopeo and podman write it.
fn of_engine(argument: &str) -> Option<&str> {
    argument.split_once('=')?.1.strip_prefix("docker-daemon:").filter(|image| !image.is_empty())
}

/// `NAME=DIR[:TAG]`
fn split(argument: &str) -> Result<(&str, &str), Failure> {
    let malformed = || {
        Failure::new(format!("`--layout {argument}` does not read `NAME=DIR` or `NAME=DIR:TAG`"))
            .with_hint("for instance `--layout python=layouts/python:3.11-slim` for the image @python")
    };
    let (name, place) = argument.split_once('=').ok_or_else(malformed)?;
    if name.is_empty() || place.is_empty() {
        return Err(malformed());
    }
    Ok((name, place))
}

/// `DIR[:TAG]`. A colon in the directory's last part starts the tag, as in other tools. In a layout of
/// several images these have their whole names for a tag, with colons and slashes: then it is the
/// first colon after what is there.
pub fn tagged(place: &str, is_there: impl Fn(&str) -> bool) -> (&str, Option<&str>) {
    let parts = place.match_indices(':').map(|(at, _)| (&place[..at], &place[at + 1..]));
    let mut parts = parts.filter(|(path, tag)| !path.is_empty() && !tag.is_empty());
    if let Some((path, tag)) = parts.clone().find(|(path, _)| is_there(path)) {
        return (path, Some(tag));
    }
    match parts.next_back() {
        Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
        Some(_) | None => (place, None),
    }
}

fn known_name(plan: &Plan, name: &str) -> Result<InputName, Failure> {
    let bare = name.strip_prefix('@').unwrap_or(name);
    match InputName::new(bare) {
        Ok(name) if plan.images.contains_key(&name) => Ok(name),
        Ok(_) | Err(_) => {
            let failure = Failure::new(format!("the plan declares no image `@{bare}`"));
            Err(match nearest(bare, plan.images.keys().map(InputName::as_str)) {
                Some(near) => failure.with_hint(format!("did you mean `--layout {near}=…`?")),
                None => failure.with_hint("`--layout` takes the name of an image that the plan declares"),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::tagged;

    #[test]
    fn a_tag_may_be_a_whole_name() {
        let there = |known: &'static str| move |path: &str| path == known;
        for (place, known, expected) in [
            ("dir", "dir", ("dir", None)),
            ("dir:1", "dir", ("dir", Some("1"))),
            ("dir:docker.io/me/a:1", "dir", ("dir", Some("docker.io/me/a:1"))),
            ("a:b/dir:1", "a:b/dir", ("a:b/dir", Some("1"))),
            ("a:b/dir", "a:b/dir", ("a:b/dir", None)),
            ("missing:1", "other", ("missing", Some("1"))),
            ("dir:", "dir", ("dir:", None)),
        ] {
            assert_eq!(tagged(place, there(known)), expected, "{place}");
        }
    }
}
