//! Inputs, by their tag `"input"`: `{ "input": "stage", "name": "venv" }`.

use super::reader::At;
use super::tree::ObjectWriter;
use crate::plan::{Input, InputName, PhaseName, Spanned, StageName};

#[derive(Clone, Copy)]
enum Tag {
    Scratch,
    Image,
    Stage,
    Phase,
    Context,
}

const TAGS: [(&str, Tag); 5] = [
    ("scratch", Tag::Scratch),
    ("image", Tag::Image),
    ("stage", Tag::Stage),
    ("phase", Tag::Phase),
    ("context", Tag::Context),
];

pub(super) fn write(input: &Input) -> ObjectWriter {
    let (tag, name) = match input {
        Input::Scratch => ("scratch", None),
        Input::Image(name) => ("image", Some(name.as_str())),
        Input::Stage(name) => ("stage", Some(name.as_str())),
        Input::Phase(name) => ("phase", Some(name.as_str())),
        Input::Context(name) => ("context", Some(name.as_str())),
    };
    let mut object = ObjectWriter::tagged("input", tag);
    object.put_some("name", name);
    object
}

pub(super) fn read(at: &At<'_>) -> Option<Spanned<Input>> {
    let mut fields = at.fields()?;
    let tag = fields.required("input", |at| at.word(&TAGS))?;
    let input = match tag {
        Tag::Scratch => Some(Input::Scratch),
        Tag::Image => fields.required("name", |at| at.checked(InputName::new)).map(Input::Image),
        Tag::Stage => fields.required("name", |at| at.checked(StageName::new)).map(Input::Stage),
        Tag::Phase => fields.required("name", |at| at.checked(PhaseName::new)).map(Input::Phase),
        Tag::Context => fields.required("name", |at| at.checked(InputName::new)).map(Input::Context),
    };
    fields.close();
    Some(at.spanned(input?))
}
