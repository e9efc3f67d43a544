//! What a daemon knows of base images whose config the plan does not record: asked for before the
//! plan is lowered, so that what builds on them is known, and each once for each platform.

use std::collections::BTreeMap;

use cogpack_build::buildkit::BuildKit;
use cogpack_build::serving::{Served, logins_only};
use cogpack_content::Platform;
use cogpack_io_buildkit::failure::Failure as DaemonFailure;
use cogpack_io_layout::image_config;
use cogpack_ir::plan::{BaseImage, ImageConfig, Input, InputName};
use cogpack_ir::resolve::Resolved;
use tokio_util::sync::CancellationToken;

use super::plan::Source;
use crate::failure::Failure;
use crate::progress::text::one_line;

/// What was learnt of bases, for one platform.
#[derive(Debug, Default)]
pub struct Learnt {
    /// Their configs, where the plan does not record them.
    pub configs: BTreeMap<InputName, ImageConfig>,
    /// The config of the one that the exported image builds on, as it is in its registry.
    pub of_export: Option<Vec<u8>>,
}

/// Looks up the bases that the export needs.
pub async fn learn(
    source: &Source,
    platform: &Platform,
    daemon: &BuildKit,
    served: &Served,
    cancel: &CancellationToken,
) -> Result<Learnt, Failure> {
    let mut learnt = Learnt { configs: source.bases.configs(), of_export: None };
    let below = base_of(&source.resolved, &source.resolved.export().from.value);
    for (name, image) in images(source) {
        let is_below = below == Some(name);
        if image.config.is_some() && !is_below {
            continue;
        }
        let reference = image.reference.value.normalised(image.digest.as_ref().map(|digest| &digest.value));
        let found =
            daemon.connection().resolve_image_config(&reference, platform, logins_only(served), cancel).await;
        let found = match found {
            Ok(found) => found,
            // What the plan records is enough to build; the daemon may have the files at hand.
            Err(_) if image.config.is_some() && !cancel.is_cancelled() => continue,
            Err(error) => return Err(not_found(&error, name, &reference)),
        };
        if is_below {
            learnt.of_export = Some(found.config.clone());
        }
        if image.config.is_some() {
            continue;
        }
        let read = image_config::read(&found.config).map_err(|error| {
            Failure::of(&error).with_hint(format!("the config of `{reference}` is not one that images have"))
        })?;
        learnt.configs.insert(name.clone(), read.config);
    }
    Ok(learnt)
}

/// The image that a filesystem starts from, by way of stages and phases.
fn base_of<'a>(resolved: &'a Resolved, input: &'a Input) -> Option<&'a InputName> {
    let mut input = input;
    // Stages read only what comes before them, so this ends.
    loop {
        input = match input {
            Input::Image(name) => return Some(name),
            Input::Scratch | Input::Context(_) => return None,
            Input::Stage(name) => &resolved.stage(resolved.id(name)).from.as_ref()?.value,
            Input::Phase(name) => &resolved.merge(name).base,
        };
    }
}

/// Images that stages of the export start from.
fn images(source: &Source) -> BTreeMap<&InputName, &BaseImage> {
    let resolved = &source.resolved;
    let stages = resolved.order().iter().filter_map(|id| resolved.stage(*id).from.as_ref());
    let starts = stages.chain([&resolved.export().from]);
    let named = starts.filter_map(|from| match &from.value {
        Input::Image(name) => resolved.plan().images.get_key_value(name),
        Input::Scratch | Input::Stage(_) | Input::Phase(_) | Input::Context(_) => None,
    });
    named.collect()
}

fn not_found(error: &DaemonFailure, name: &InputName, reference: &str) -> Failure {
    let message = match error {
        DaemonFailure::Refused { message, .. } => message,
        DaemonFailure::Build(failure) => &failure.message,
        DaemonFailure::Unreachable { .. }
        | DaemonFailure::NotBuildKit { .. }
        | DaemonFailure::Lost { .. }
        | DaemonFailure::Cancelled
        | DaemonFailure::Unsendable { .. } => return Failure::of(error),
    };
    let mut failure = Failure::new(format!("the daemon cannot look up `{reference}`, the image `{name}`"))
        .with_hint("check its name, and that the daemon may pull it; with its `env` and the like under the `image` line, nobody needs to look it up");
    failure.causes.push(one_line(message));
    failure
}
