//! What the images of a plan are at the moment, by their registries: what the pass `pin` writes into the plan.

use std::collections::BTreeMap;
use std::sync::Arc;

use cogpack_build::direct::pull::{Found, Puller};
use cogpack_content::{Digest, ImageReference, Platform};
use cogpack_ir::finding::Finding;
use cogpack_ir::plan::InputName;
use cogpack_ir::resolve::{ResolveFinding, Resolved};
use cogpack_passes::Optimised;
use cogpack_passes::facts::Pin;

use crate::bases::Bases;
use crate::commands::build::daemon;
use crate::console::Console;
use crate::failure::Failure;
use crate::packages::Machine;
use crate::registries;

/// The pass.
pub const PASS: &str = "pin";

/// What is to be told of a plan that was rewritten. What an image lacks is told as it is when the plan was
/// pinned, if it was: until then nobody is told of what is being mended.
pub fn warnings(before: &Resolved, optimised: &Optimised) -> Vec<Finding> {
    let pinned = optimised.steps.iter().rfind(|step| step.pass == PASS).and_then(|step| step.after.as_ref());
    let of = |plan: &Resolved, is_wanted: fn(&Finding) -> bool| -> Vec<Finding> {
        plan.warnings().iter().filter(|warning| is_wanted(warning)).cloned().collect()
    };
    match pinned {
        None => before.warnings().to_vec(),
        Some(pinned) => [of(before, |warning| !is_of_image(warning)), of(pinned, is_of_image)].concat(),
    }
}

/// Whether a warning is of what pinning mends.
fn is_of_image(warning: &Finding) -> bool {
    matches!(warning, Finding::Resolve(ResolveFinding::Unpinned { .. }))
}

/// Asks for each image that has no digest and that nobody has put a layout in the place of. Of several
/// platforms all must be there; a config is told where it is the same for all.
pub fn of(
    plan: &Resolved,
    bases: &Bases,
    console: &Console<'_>,
) -> Result<BTreeMap<InputName, Pin>, Failure> {
    let here = bases.names();
    let asked: Vec<_> = plan
        .plan()
        .images
        .iter()
        .filter(|(name, image)| image.digest.is_none() && !here.contains(*name))
        .collect();
    if asked.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut platforms: Vec<Platform> =
        plan.plan().platforms.iter().map(|platform| platform.value.clone()).collect();
    let first = if platforms.is_empty() { Platform::linux_amd64() } else { platforms.remove(0) };
    // Credential helpers are programs that are waited for.
    let runtime = daemon::runtime()?;
    let _entered = runtime.enter();
    let puller = registries::puller(Machine::new(None, console), console)?;
    let mut pins = BTreeMap::new();
    for (name, image) in asked {
        pins.insert(name.clone(), pin(&puller, &image.reference.value, None, &first, &platforms)?);
    }
    Ok(pins)
}

/// What a name, or a digest where there is one, stands for on one platform and on others.
pub fn pin(
    puller: &Arc<Puller>,
    reference: &ImageReference,
    digest: Option<Digest>,
    first: &Platform,
    others: &[Platform],
) -> Result<Pin, Failure> {
    let find = |digest: Option<Digest>, platform: &Platform| -> Result<Found, Failure> {
        puller.find(reference, digest, platform).map_err(|error| {
            let way_out = "`pin` asks the registry of each image that has no `digest`; those with a `--layout` \
                           are left as they are";
            registries::not_pulled(&error, way_out)
        })
    };
    let found = find(digest, first)?;
    let mut config = Some(found.image.config);
    for platform in others {
        // What the name stood for a moment ago.
        let other = find(Some(found.digest), platform)?;
        config = config.filter(|config| *config == other.image.config);
    }
    Ok(Pin { digest: found.digest, config })
}
