//! What only shows when a plan is resolved: that it exports nothing, and what it leans on
//! without having it fixed.

use std::collections::BTreeMap;

use miette::Diagnostic;

use super::KnownConfigs;
use super::evaluate::Evaluation;
use crate::finding::{Finding, Place};
use crate::plan::{BaseImage, ContextKind, Export, Input, InputName, Plan};

/// What only shows when a plan is resolved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum ResolveFinding {
    /// Nothing becomes the image.
    #[error("the plan exports nothing, so there is no image to make")]
    #[diagnostic(code(cpk::export::missing), help("say what becomes the image: `export from %stage`"))]
    NoExport,
    /// An image whose content or config is left to the day of the build.
    #[error("{what}")]
    #[diagnostic(code(cpk::image::unpinned), severity(Warning), help("{way_out}"))]
    Unpinned {
        /// Which image, and what it costs.
        what: String,
        /// What to write.
        way_out: String,
        /// The declaration.
        #[label("declared here")]
        place: Place,
    },
}

/// How an image is used by the stages that the export needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Use {
    /// Files are read from it.
    Files,
    /// Something starts from it, so that its config counts, too.
    Start,
}

/// Adds one warning for each image in use that is not pinned, or whose config is not known.
pub(super) fn warn_of_unpinned(
    plan: &Plan,
    images: &BTreeMap<InputName, BaseImage>,
    evaluation: &Evaluation,
    needed: &[bool],
    export: &Export,
    known: &KnownConfigs,
    warnings: &mut Vec<Finding>,
) {
    for (input, how) in uses(plan, evaluation, needed, export) {
        let finding = match input {
            Input::Image(name) => of_image(images, name, how),
            Input::Context(name) => of_context(plan, name, how, known),
            Input::Scratch | Input::Stage(_) | Input::Phase(_) => None,
        };
        warnings.extend(finding.map(Finding::from));
    }
}

fn uses<'e>(
    plan: &'e Plan,
    evaluation: &'e Evaluation,
    needed: &[bool],
    export: &'e Export,
) -> BTreeMap<&'e Input, Use> {
    let mut uses = BTreeMap::new();
    let mut note = |input: &'e Input, how: Use| match input {
        Input::Image(_) | Input::Context(_) => {
            let known = uses.entry(input).or_insert(how);
            *known = how.max(*known);
        }
        Input::Scratch | Input::Stage(_) | Input::Phase(_) => {}
    };
    note(&export.from.value, Use::Start);
    for (stage, _) in evaluation.stages(plan).zip(needed).filter(|(_, needed)| **needed) {
        stage.for_each_input(|input| note(&input.value, Use::Files));
        if let Some(from) = &stage.from {
            note(&from.value, Use::Start);
        }
    }
    uses
}

fn of_image(images: &BTreeMap<InputName, BaseImage>, name: &InputName, how: Use) -> Option<ResolveFinding> {
    let image = images.get(name)?;
    let pinned = image.digest.is_some() || image.reference.digest().is_some();
    let needs_config = how == Use::Start && image.config.is_none();
    let (what, way_out) = match (pinned, needs_config) {
        (true, false) => return None,
        (false, false) => (
            format!("the image `{name}` is not pinned: two builds of this plan may give two images"),
            format!(
                "write the digest under `image {name}`, `digest sha256:…`, as `cogpackc check --fix PLAN` does; {}",
                in_a_project("it", image)
            ),
        ),
        (true, true) => (
            format!("the config of the image `{name}` is not known: what it sets counts as unset"),
            format!(
                "write what it sets under `image {name}` (`env`, `workdir`, `user`, `cmd` …), or `config empty`, as \
                 `cogpackc check --fix PLAN` does; {}",
                in_a_project("it", image)
            ),
        ),
        (false, true) => (
            format!(
                "the image `{name}` is not pinned and its config is not known: two builds of this plan may give \
                 two images, and what the image sets counts as unset"
            ),
            format!(
                "write under `image {name}` its `digest` and what it sets (`env`, `workdir`, `user`, `cmd` …), \
                 as `cogpackc check --fix PLAN` does; {}; or take it from a local layout: \
                 `context {name} = oci \"PATH\"`",
                in_a_project("both", image)
            ),
        ),
    };
    Some(ResolveFinding::Unpinned { what, way_out, place: image.span.place() })
}

/// The way out of a plan that is made anew of its project each time.
fn in_a_project(what: &str, image: &BaseImage) -> String {
    let text = image.reference.value.to_string();
    let name = text.split_once('@').map_or(text.as_str(), |(name, _)| name);
    format!(
        "the plan of a project has {what} from a catalogue of its own: `cogpackc catalogue add {name} -O bases.toml`, \
         and `catalogue = [\"bases.toml\"]` in `cogpack.toml`"
    )
}

fn of_context(plan: &Plan, name: &InputName, how: Use, known: &KnownConfigs) -> Option<ResolveFinding> {
    let context = plan.contexts.get(name)?;
    let ContextKind::Oci(_) = &context.kind else { return None };
    if how == Use::Files || known.contains_key(name) {
        return None;
    }
    Some(ResolveFinding::Unpinned {
        what: format!("the config of the layout `{name}` has not been read: what it sets counts as unset"),
        way_out: "compile where the layout is, so that its config can be read".to_owned(),
        place: context.span.place(),
    })
}
