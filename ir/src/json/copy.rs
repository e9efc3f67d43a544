//! `copy`, by its `"form"`: `to`, `into` or `contents`.

use super::mount::template;
use super::reader::Fields;
use super::tree::ObjectWriter;
use super::{input, path_rules};
use crate::plan::{Copy, CopyForm};

#[derive(Clone, Copy)]
enum Tag {
    To,
    Into,
    Contents,
}

const TAGS: [(&str, Tag); 3] = [("to", Tag::To), ("into", Tag::Into), ("contents", Tag::Contents)];

pub(super) fn write(copy: &Copy, object: &mut ObjectWriter) {
    match &copy.form {
        CopyForm::To { source, .. } => {
            object.put("form", "to");
            object.put("source", source.as_written());
        }
        CopyForm::Into { sources, .. } => {
            object.put("form", "into");
            let sources: Vec<&str> = sources.iter().map(|source| source.as_written()).collect();
            object.put("sources", sources);
        }
        CopyForm::Contents { directory, .. } => {
            object.put("form", "contents");
            object.put("source", directory.as_written());
        }
    }
    object.put("from", input::write(&copy.from));
    object.put("destination", copy.form.destination().as_written());
    object.put_flag("replace", copy.replace);
    object.put_flag("optional", copy.optional);
    object.put_flag("follow", copy.follow);
    object.put_some("owner", copy.owner.as_ref().map(|owner| owner.to_string()));
    object.put_some("mode", copy.mode.as_ref().map(|mode| mode.to_string()));
    object.put_list("rules", copy.rules.iter().map(path_rules::write));
}

pub(super) fn read(fields: &mut Fields<'_>) -> Option<Copy> {
    let form = match fields.required("form", |at| at.word(&TAGS))? {
        Tag::To => {
            let source = fields.required("source", template);
            let destination = fields.required("destination", template);
            source.zip(destination).map(|(source, destination)| CopyForm::To { source, destination })
        }
        Tag::Into => {
            let sources = fields.required("sources", |at| {
                let sources = at.list(template)?;
                if sources.is_empty() { at.refuse("a copy has at least one source") } else { Some(sources) }
            });
            let directory = fields.required("destination", template);
            sources.zip(directory).map(|(sources, directory)| CopyForm::Into { sources, directory })
        }
        Tag::Contents => {
            let directory = fields.required("source", template);
            let destination = fields.required("destination", template);
            directory
                .zip(destination)
                .map(|(directory, destination)| CopyForm::Contents { directory, destination })
        }
    };
    let from = fields.required("from", input::read);
    let replace = fields.flag("replace");
    let optional = fields.flag("optional");
    let follow = fields.flag("follow");
    let owner = fields.optional("owner", |at| Some(at.spanned(at.parsed()?)));
    let mode = fields.optional("mode", |at| Some(at.spanned(at.parsed()?)));
    let rules = fields.list("rules", path_rules::read);
    Some(Copy { form: form?, from: from?, replace, optional, follow, owner, mode, rules })
}
