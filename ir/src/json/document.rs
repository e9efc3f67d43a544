//! The whole document.

use std::collections::BTreeSet;

use super::finding::JsonFinding;
use super::reader::At;
use super::tree::{Node, ObjectWriter};
use super::{VERSION, context, export, image, stage};
use crate::plan::{
    CacheName, InputName, Phase, PhaseName, Plan, SecretDeclaration, SecretName, Span, Spanned,
};
use crate::syntax::SyntaxFinding;

pub(super) fn write(plan: &Plan) -> Node {
    let mut object = ObjectWriter::new();
    object.put("version", VERSION);
    object.put_list("platforms", plan.platforms.iter().map(|platform| platform.to_string()));
    object
        .put_entries("images", plan.images.iter().map(|(name, image)| (name.as_str(), image::write(image))));
    object.put_entries(
        "contexts",
        plan.contexts.iter().map(|(name, context)| (name.as_str(), context::write(context))),
    );
    object.put_entries(
        "secrets",
        plan.secrets.iter().map(|(name, secret)| (name.as_str(), write_secret(secret))),
    );
    object.put_entries("caches", plan.caches.keys().map(|name| (name.as_str(), ObjectWriter::new())));
    object.put_entries(
        "phases",
        plan.declared_phases.iter().map(|(name, phase)| (name.as_str(), write_phase(phase))),
    );
    object.put_list("stages", plan.stages.iter().map(stage::write));
    object.put_some("export", plan.export.as_ref().map(export::write));
    object.into()
}

pub(super) fn read(at: &At<'_>) -> Option<Plan> {
    let mut fields = at.fields()?;
    fields.required("version", version)?;
    let mut plan = Plan::empty();
    if let Some(platforms) = fields.optional("platforms", platforms) {
        plan.platforms = platforms;
    }
    plan.images = fields.optional("images", |at| at.entries(InputName::new, image::read)).unwrap_or_default();
    plan.contexts =
        fields.optional("contexts", |at| at.entries(InputName::new, context::read)).unwrap_or_default();
    for (name, image) in &plan.images {
        if let Some(context) = plan.contexts.get(name) {
            let what = format!("the image or context `{name}`");
            let (first, second) = (image.span.into(), context.span.into());
            at.report::<()>(SyntaxFinding::Taken { what, first, second });
        }
    }
    plan.secrets =
        fields.optional("secrets", |at| at.entries(SecretName::new, read_secret)).unwrap_or_default();
    plan.caches = fields.optional("caches", |at| at.entries(CacheName::new, read_cache)).unwrap_or_default();
    plan.declared_phases =
        fields.optional("phases", |at| at.entries(PhaseName::new, read_phase)).unwrap_or_default();
    plan.stages = fields.list("stages", stage::read);
    plan.export = fields.optional("export", export::read);
    fields.close();
    Some(plan)
}

/// Nothing else is read where the version is another one: it would all look like mistakes.
fn version(at: &At<'_>) -> Option<()> {
    match at.whole()? {
        VERSION => Some(()),
        found => at.report(JsonFinding::Version { found, span: at.span() }),
    }
}

fn platforms(at: &At<'_>) -> Option<BTreeSet<Spanned<cogpack_content::Platform>>> {
    let platforms = at.set(|at| Some(at.spanned(at.parsed()?)))?;
    if at.items()?.is_empty() {
        return at.refuse("a plan is for at least one platform");
    }
    Some(platforms)
}

fn write_secret(secret: &SecretDeclaration) -> ObjectWriter {
    let mut object = ObjectWriter::new();
    object.put_flag("optional", secret.optional);
    object
}

fn read_secret(at: &At<'_>, span: Span) -> Option<SecretDeclaration> {
    let mut fields = at.fields()?;
    let optional = fields.flag("optional");
    fields.close();
    Some(SecretDeclaration { optional, span })
}

fn read_cache(at: &At<'_>, span: Span) -> Option<Span> {
    at.fields()?.close();
    Some(span)
}

fn write_phase(phase: &Phase) -> ObjectWriter {
    let mut object = ObjectWriter::new();
    object.put_flag("parallel", phase.parallel);
    object.put_list("after", phase.after.iter().map(|name| name.as_str()));
    object
}

fn read_phase(at: &At<'_>, span: Span) -> Option<Phase> {
    let mut fields = at.fields()?;
    let parallel = fields.flag("parallel");
    let after = fields
        .optional("after", |at| at.set(|at| Some(at.spanned(at.checked(PhaseName::new)?))))
        .unwrap_or_default();
    fields.close();
    Some(Phase { after, parallel, span })
}
