//! How many bytes a change pushes and pulls again, by the image that was built of the old plan.
//!
//! Which blob is which layer follows from their order, the topmost first: bases have as many layers as
//! they have. An image that was made by these builders says in its history which of its layers are of
//! stages, and if there are not as many of these as the plan has, it is of another plan and nothing is
//! said. What a layer will have that is made again is not known before it is: what it had stands for it.

use std::ops::Range;
use std::path::Path;

use cogpack_content::{ImageReference, Platform};
use cogpack_diff::{Difference, LayerState};
use cogpack_io_layout::read::{Layout, StoredImage, Wanted};
use cogpack_ir::plan::Plan;

use crate::commands::build::daemon;
use crate::console::Console;
use crate::failure::Failure;
use crate::packages::Machine;
use crate::progress::text::{bytes, counted};
use crate::{bases, registries};

/// What layers have.
pub struct Sizes {
    /// By layer of the new image: what it had in the old one, compressed.
    pub layers: Vec<Option<u64>>,
    /// What stays.
    pub stay: u64,
    /// What is pushed and pulled again, as far as it was there before.
    pub again: u64,
    /// How many layers are new, and so have a size that nobody knows.
    pub unknown: usize,
}

/// The sizes by the image at a place.
pub fn of(place: &str, old: &Plan, found: &Difference, console: &Console<'_>) -> Result<Sizes, Failure> {
    let blobs = blobs(place, old, found.old_layers, console)?;
    let (base, made) = blobs.split_at(blobs.len() - found.old_layers);
    let mut sizes = Sizes { layers: Vec::new(), stay: 0, again: 0, unknown: 0 };
    let mut base = Some(base.iter().sum::<u64>());
    for layer in &found.layers {
        let stays = layer.state == LayerState::Stays;
        let was = match (&layer.stage, layer.was) {
            (None, _) => base.take().filter(|_| stays),
            (Some(_), Some(was)) => made.get(was).copied(),
            (Some(_), None) => None,
        };
        match (was, stays) {
            (Some(was), true) => sizes.stay += was,
            (Some(was), false) => sizes.again += was,
            (None, _) => sizes.unknown += 1,
        }
        sizes.layers.push(was);
    }
    Ok(sizes)
}

/// The sizes of all blobs of the image at a place, from the base on, of which `made` are of stages of `plan`.
pub fn blobs(place: &str, plan: &Plan, made: usize, console: &Console<'_>) -> Result<Vec<u64>, Failure> {
    let platform = plan.platforms.first().map_or_else(Platform::linux_amd64, |first| first.value.clone());
    let image = image(place, &platform, console)?;
    let blobs: Vec<u64> = image.layers.iter().map(|layer| layer.blob.blob.size).collect();
    let history = image.history.iter().filter(|entry| !entry.empty_layer);
    let of_stages =
        history.filter(|entry| is_of_a_stage(entry.created_by.as_deref(), entry.comment.as_deref())).count();
    if made > blobs.len() || of_stages > 0 && of_stages != made {
        let there = if of_stages > 0 { of_stages } else { blobs.len() };
        return Err(Failure::new(format!(
            "`{place}` has {} of stages, and the plan makes {}",
            counted(there as u64, "layer"),
            counted(made as u64, "layer")
        ))
        .with_hint("name the image that was built of that plan, or leave `--sizes` out"));
    }
    Ok(blobs)
}

fn image(place: &str, platform: &Platform, console: &Console<'_>) -> Result<StoredImage, Failure> {
    let machine = Machine::new(None, console);
    let (directory, tag) = bases::tagged(place, |place| machine.path(place.as_ref()).exists());
    let path = machine.path(Path::new(directory));
    if path.is_dir() {
        let failed = |error| {
            Failure::of(&error)
                .with_hint("`--sizes` takes an OCI image layout, `DIR` or `DIR:TAG`, or an image")
        };
        let layout = Layout::open(&path).map_err(failed)?;
        return layout.image(Wanted { digest: None, tag }, platform).map_err(failed);
    }
    if path.is_file() {
        return Err(Failure::new(format!("`{place}` is a file, and not an OCI image layout"))
            .with_hint("unpack the archive, and name the directory"));
    }
    let reference: ImageReference = place.parse().map_err(|error| {
        Failure::of(&error).with_hint("`--sizes` takes an OCI image layout, `DIR` or `DIR:TAG`, or an image")
    })?;
    // Credential helpers are programs that are waited for.
    let runtime = daemon::runtime()?;
    let _entered = runtime.enter();
    let puller = registries::puller(machine, console)?;
    // The layers themselves are not asked for.
    let found = puller.find(&reference, None, platform).map_err(|error| {
        registries::not_pulled(&error, "`--sizes DIR` reads an OCI image layout on this machine")
    })?;
    Ok(found.image)
}

impl Sizes {
    /// What some layers had; `None` where that is not known of one of them.
    pub fn of_layers(&self, layers: Range<usize>) -> Option<String> {
        let sizes = self.layers.get(layers)?.iter().copied().sum::<Option<u64>>()?;
        Some(bytes(sizes))
    }

    /// All of it in a sentence.
    pub fn summary(&self) -> String {
        let unknown = match self.unknown {
            0 => String::new(),
            more => format!(", and {} of unknown size", counted(more as u64, "layer")),
        };
        format!("{} stay; about {} are pushed and pulled again{unknown}", bytes(self.stay), bytes(self.again))
    }
}

/// Whether a layer was made by one of these builders: here it names its stage, and BuildKit says of each
/// that has no history of its own that it was there when the image was exported.
fn is_of_a_stage(created_by: Option<&str>, comment: Option<&str>) -> bool {
    let place = created_by.and_then(|text| text.split_once(": ")).map(|(place, _)| place);
    let is_named = place.and_then(|place| place.rsplit(' ').next()).is_some_and(|it| it.starts_with('%'));
    is_named || comment == Some("buildkit.exporter.image.v0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_of_stages_are_told_from_those_of_bases() {
        for (created_by, comment, expected) in [
            (Some("%app: file \"/a\""), None, true),
            (Some("build.app-deps %app: run make: all"), None, true),
            (Some("mount / from exec /bin/sh -c make"), Some("buildkit.exporter.image.v0"), true),
            (Some("RUN /bin/sh -c make # buildkit"), Some("buildkit.dockerfile.v0"), false),
            (Some("/bin/sh -c #(nop) ADD file: in / "), None, false),
            (None, None, false),
        ] {
            assert_eq!(is_of_a_stage(created_by, comment), expected, "{created_by:?}");
        }
    }
}
