//! Base images that no layout holds: found in their registries before the plan is lowered for good.

use std::collections::BTreeMap;
use std::sync::Arc;

use cogpack_backends_oci_direct::Recipe;
use cogpack_build::direct::pull::{Found, PullError, Puller};
use cogpack_content::{Digest, ImageReference, Platform};
use cogpack_io_registry::RegistryError;
use cogpack_ir::plan::InputName;

use super::plan::Source;
use super::watch::Interrupts;
use crate::console::Console;
use crate::failure::Failure;
use crate::packages::Machine;
use crate::registries;

/// An image that is wanted: its name in the plan, its reference, and its digest where it is pinned.
type Wanted = (InputName, ImageReference, Option<Digest>);

/// Whether a recipe uses images that no layout holds.
pub fn is_to_find(source: &Source, recipe: &Recipe) -> bool {
    let at_hand = source.bases.names();
    source.plan.images.keys().any(|name| recipe.uses(name) && !at_hand.contains(name))
}

/// Finds the images that a recipe uses and no layout holds; `None` where somebody lost patience.
pub async fn find(
    source: &Source,
    recipe: &Recipe,
    machine: Machine<'_>,
    interrupts: &mut Interrupts,
    console: &Console<'_>,
) -> Result<Option<BTreeMap<InputName, Found>>, Failure> {
    let at_hand = source.bases.names();
    let images = source.plan.images.iter();
    let wanted: Vec<Wanted> = images
        .filter(|(name, _)| recipe.uses(name) && !at_hand.contains(*name))
        .map(|(name, image)| {
            (name.clone(), image.reference.value.clone(), image.digest.as_ref().map(|digest| digest.value))
        })
        .collect();
    if wanted.is_empty() {
        return Ok(Some(BTreeMap::new()));
    }
    let platform =
        source.plan.platforms.first().map_or_else(Platform::linux_amd64, |first| first.value.clone());
    let puller = registries::puller(machine, console)?;
    let finding = tokio::task::spawn_blocking(move || find_all(&puller, wanted, &platform));
    tokio::select! {
        found = finding => match found {
            Ok(found) => found.map(Some),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        },
        // Nothing is made yet that would have to be ended.
        () = interrupts.next() => Ok(None),
    }
}

/// Asks for all of them at once.
fn find_all(
    puller: &Arc<Puller>,
    wanted: Vec<Wanted>,
    platform: &Platform,
) -> Result<BTreeMap<InputName, Found>, Failure> {
    std::thread::scope(|scope| {
        let asking: Vec<_> = wanted
            .into_iter()
            .map(|(name, reference, digest)| {
                let is_pinned = digest.or(reference.digest()).is_some();
                let found = scope.spawn(move || puller.find(&reference, digest, platform));
                (name, is_pinned, found)
            })
            .collect();
        let found = asking.into_iter().map(|(name, is_pinned, found)| match found.join() {
            Ok(Ok(found)) => Ok((name, found)),
            Ok(Err(error)) => Err(not_found(&error, &name, is_pinned)),
            Err(panic) => std::panic::resume_unwind(panic),
        });
        found.collect()
    })
}

fn not_found(error: &PullError, name: &InputName, is_pinned: bool) -> Failure {
    let offline = format!("`--layout {}=DIR` reads the image @{0} from this machine", name.as_str());
    let failure = registries::not_pulled(error, &offline);
    match error {
        // The store knows images by their digests: what a tag names only the registry tells.
        PullError::Registry(RegistryError::Transport { .. }) if !is_pinned => failure.with_another_way_out(
            "of an image with a `digest` nobody is asked for what the store has: `cogpackc check --fix PLAN` writes it \
             into a plan, `cogpackc catalogue add` into the catalogue of a project",
        ),
        PullError::Registry(_)
        | PullError::Store(_)
        | PullError::Image { .. }
        | PullError::Platform { .. } => failure,
    }
}
