//! Stages: a list, because inside a phase their order has a meaning.

use super::reader::At;
use super::tree::ObjectWriter;
use super::{input, op};
use crate::plan::{PhaseName, Stage, StageName};

pub(super) fn write(stage: &Stage) -> ObjectWriter {
    let mut object = ObjectWriter::tagged("name", stage.name.as_str());
    object.put_some("phase", stage.phase.as_ref().map(|phase| phase.as_str()));
    object.put_some("from", stage.from.as_ref().map(|from| input::write(from)));
    object.put_list("provides", stage.provides.iter().map(|word| word.as_str()));
    object.put_list("ops", stage.ops.iter().map(op::write));
    object
}

pub(super) fn read(at: &At<'_>) -> Option<Stage> {
    let mut fields = at.fields()?;
    let name = fields.required("name", |at| Some(at.spanned(at.checked(StageName::new)?)));
    let phase = fields.optional("phase", |at| Some(at.spanned(at.checked(PhaseName::new)?)));
    let from = fields.optional("from", input::read);
    let provides =
        fields.optional("provides", |at| at.set(|at| Some(at.spanned(at.owned_text()?)))).unwrap_or_default();
    let ops = fields.list("ops", op::read);
    fields.close();
    Some(Stage { name: name?, phase, from, provides, ops })
}
