//! What a daemon knows of base images whose config the plan does not record: asked for before the
//! plan is lowered, so that what builds on them is known, and each once for each platform.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cogpack_build::hints;
use cogpack_compiler::World;
use cogpack_content::{Digest, Platform};
use cogpack_io_buildkit::abilities::{Inquiry, ResolvedImage};
use cogpack_io_buildkit::failure::Failure as DaemonFailure;
use cogpack_io_layout::image_config;
use cogpack_io_layout::read::{Layout, StoredImage, Wanted};
use cogpack_ir::plan::{BaseImage, ContextKind, Input, InputName};
use cogpack_ir::resolve::Resolved;
use futures_util::future::try_join_all;
use tokio_util::sync::CancellationToken;

use super::plan::Source;
use crate::failure::Failure;
use crate::progress::text::one_line;

/// What was learnt of bases, for one platform.
#[derive(Debug, Default)]
pub struct Learnt {
    /// Their configs, where the plan does not record them, and their build triggers.
    pub world: World,
    /// The digests that their names stand for now, and the tags of layouts, where the plan does not
    /// pin them.
    pub digests: BTreeMap<InputName, Digest>,
    /// The config of the one that the exported image builds on, as it is in its registry or layout.
    pub of_export: Option<Vec<u8>>,
}

/// Looks up the bases that the export needs, all at once.
pub async fn learn(
    source: &Source,
    layouts: &BTreeMap<InputName, PathBuf>,
    platform: &Platform,
    inquiry: &Inquiry,
    cancel: &CancellationToken,
) -> Result<Learnt, Failure> {
    let below = base_of(&source.resolved, &source.resolved.export().from.value);
    let of_export = of_layout(source, layouts, platform);
    let mut learnt = Learnt { world: source.bases.world(), of_export, ..Learnt::default() };
    for (name, context) in &source.plan.contexts {
        if let ContextKind::Oci(oci) = &context.kind
            && oci.digest.is_none()
            && let Some(image) = in_layout(source, layouts, name, platform)
        {
            learnt.digests.insert(name.clone(), image.manifest);
        }
    }
    let asked =
        images(source).into_iter().filter(|(name, image)| image.config.is_none() || below == Some(*name));
    let found =
        try_join_all(asked.map(|(name, image)| look_up(name, image, platform, inquiry, cancel))).await?;
    for (name, image, found) in found.into_iter().flatten() {
        if image.digest.is_none()
            && let Some(digest) = found.digest.as_ref().and_then(|digest| digest.parse().ok())
        {
            learnt.digests.insert(name.clone(), digest);
        }
        if image.config.is_none() {
            let read = image_config::read(&found.config).map_err(|error| {
                let reference = image.reference.value.normalised(None);
                Failure::of(&error)
                    .with_hint(format!("the config of `{reference}` is not one that images have"))
            })?;
            learnt.world.configs.insert(name.clone(), read.config);
            learnt.world.triggers.insert(name.clone(), read.triggers);
        } else if let Ok(read) = image_config::read(&found.config) {
            // Of what else is wrong with it nothing is used here: the plan says it.
            learnt.world.triggers.insert(name.clone(), read.triggers);
        }
        if below == Some(name) {
            learnt.of_export = Some(found.config);
        }
    }
    Ok(learnt)
}

/// What the daemon says of one image; nothing where it cannot say, and need not.
async fn look_up<'a>(
    name: &'a InputName,
    image: &'a BaseImage,
    platform: &Platform,
    inquiry: &Inquiry,
    cancel: &CancellationToken,
) -> Result<Option<(&'a InputName, &'a BaseImage, ResolvedImage)>, Failure> {
    let reference = image.reference.value.normalised(image.digest.as_ref().map(|digest| &digest.value));
    match inquiry.resolve_image_config(&reference, platform, cancel).await {
        Ok(found) => Ok(Some((name, image, found))),
        // What the plan records is enough to build; the daemon may have the files at hand.
        Err(_) if image.config.is_some() && !cancel.is_cancelled() => Ok(None),
        Err(error) => Err(not_found(&error, name, image)),
    }
}

/// The config of the image that the exported one builds on, where it is in one of these layouts.
pub fn of_layout(
    source: &Source,
    layouts: &BTreeMap<InputName, PathBuf>,
    platform: &Platform,
) -> Option<Vec<u8>> {
    let below = base_of(&source.resolved, &source.resolved.export().from.value)?;
    in_layout(source, layouts, below, platform).map(|image| image.document)
}

/// An image that is in a layout, where it is one: of the plan's own, or one that was made of
/// packages. What is wrong with a layout is told by whoever serves it.
fn in_layout(
    source: &Source,
    layouts: &BTreeMap<InputName, PathBuf>,
    name: &InputName,
    platform: &Platform,
) -> Option<StoredImage> {
    let wanted = match &source.plan.contexts.get(name)?.kind {
        ContextKind::Oci(context) => {
            let digest = context.digest.as_ref().map(|digest| digest.value);
            Wanted { digest, tag: context.tag.as_ref().map(|tag| tag.as_str()) }
        }
        ContextKind::Wheels(_) | ContextKind::Debs(_) => Wanted::default(),
        ContextKind::Directory(_) | ContextKind::Http(_) | ContextKind::Git(_) | ContextKind::Files(_) => {
            return None;
        }
    };
    Layout::open(layouts.get(name)?).ok()?.image(wanted, platform).ok()
}

/// The image that a filesystem starts from, by way of stages and phases: one of a registry, or one
/// of a layout that is a context.
fn base_of<'a>(resolved: &'a Resolved, input: &'a Input) -> Option<&'a InputName> {
    let mut input = input;
    // Stages read only what comes before them, so this ends.
    loop {
        input = match input {
            Input::Image(name) | Input::Context(name) => return Some(name),
            Input::Scratch => return None,
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

fn not_found(error: &DaemonFailure, name: &InputName, image: &BaseImage) -> Failure {
    let message = match error {
        DaemonFailure::Refused { message, .. } => message,
        DaemonFailure::Build(failure) => &failure.message,
        DaemonFailure::Unreachable { .. }
        | DaemonFailure::NotBuildKit { .. }
        | DaemonFailure::Lost { .. }
        | DaemonFailure::Cancelled
        | DaemonFailure::Unanswered
        | DaemonFailure::Declined
        | DaemonFailure::Unsendable { .. } => return Failure::of(error),
    };
    let reference = image.reference.value.normalised(image.digest.as_ref().map(|digest| &digest.value));
    let hint = match hints::wants_login(message) {
        true => hints::hidden(image.reference.value.registry()),
        false => {
            "check its name, and that the daemon may pull it; with its `env` and the like under the `image` \
                  line, nobody needs to look it up"
                .to_owned()
        }
    };
    let mut failure =
        Failure::new(format!("the daemon cannot look up `{reference}`, the image `{name}`")).with_hint(hint);
    failure.causes.push(one_line(message));
    failure
}
