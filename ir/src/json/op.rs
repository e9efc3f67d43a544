//! Ops, by their tag `"op"`, which is the word that the text form opens them with.

use super::mount::template;
use super::reader::{At, Fields};
use super::tree::ObjectWriter;
use super::{content, copy, execution};
use crate::plan::{
    BlockName, EnvChange, EnvEdit, EnvName, Layer, LayerName, MakeDirectory, MakeFile, MakeSymlink, Op,
    OpKind, Provenance, Remove, Spanned,
};

#[derive(Clone, Copy)]
enum Tag {
    Run,
    Exec,
    Copy,
    File,
    Mkdir,
    Symlink,
    Remove,
    Env,
    Unset,
    Workdir,
    User,
    Shell,
    By,
    Layer,
}

const TAGS: [(&str, Tag); 14] = [
    ("run", Tag::Run),
    ("exec", Tag::Exec),
    ("copy", Tag::Copy),
    ("file", Tag::File),
    ("mkdir", Tag::Mkdir),
    ("symlink", Tag::Symlink),
    ("remove", Tag::Remove),
    ("env", Tag::Env),
    ("unset", Tag::Unset),
    ("workdir", Tag::Workdir),
    ("user", Tag::User),
    ("shell", Tag::Shell),
    ("by", Tag::By),
    ("layer", Tag::Layer),
];

#[derive(Clone, Copy)]
enum Edit {
    Set,
    Prepend,
    Append,
}

const EDITS: [(&str, Edit); 3] = [("set", Edit::Set), ("prepend", Edit::Prepend), ("append", Edit::Append)];

pub(super) fn write(op: &Op) -> ObjectWriter {
    let mut object = ObjectWriter::tagged("op", tag_of(&op.kind));
    match &op.kind {
        OpKind::Run { script, execution } => {
            object.put("script", script.as_str());
            execution::write(execution, &mut object);
        }
        OpKind::Exec { argv, execution } => {
            object.put("argv", argv.value.clone());
            execution::write(execution, &mut object);
        }
        OpKind::Copy(copy) => copy::write(copy, &mut object),
        OpKind::File(file) => {
            object.put("path", file.path.as_written());
            object.put_some("mode", file.mode.as_ref().map(|mode| mode.to_string()));
            object.put_some("owner", file.owner.as_ref().map(|owner| owner.to_string()));
            content::write(&file.content, &mut object);
        }
        OpKind::Mkdir(directory) => {
            object.put("path", directory.path.as_written());
            object.put_some("mode", directory.mode.as_ref().map(|mode| mode.to_string()));
            object.put_some("owner", directory.owner.as_ref().map(|owner| owner.to_string()));
        }
        OpKind::Symlink(link) => {
            object.put("target", link.target.as_written());
            object.put("path", link.path.as_written());
        }
        OpKind::Remove(remove) => {
            object.put("path", remove.path.as_written());
            object.put_flag("optional", remove.optional);
        }
        OpKind::Env(change) => {
            object.put("name", change.name.as_str());
            let (edit, value) = match &change.edit {
                EnvEdit::Set(value) => (None, Some(value)),
                EnvEdit::Prepend(value) => (Some("prepend"), Some(value)),
                EnvEdit::Append(value) => (Some("append"), Some(value)),
                EnvEdit::Unset => (None, None),
            };
            object.put_some("edit", edit);
            object.put_some("value", value.map(|value| value.as_written()));
        }
        OpKind::Workdir(path) => object.put("path", path.as_written()),
        OpKind::User(user) => object.put("user", user.as_written()),
        OpKind::Shell(argv) => object.put("argv", argv.value.clone()),
        OpKind::Layer(layer) => {
            object.put("name", layer.name.as_str());
            object.put_list("ops", layer.ops.iter().map(write));
        }
        OpKind::By(provenance) => {
            object.put("block", provenance.block.as_str());
            if let Some((file, line)) = &provenance.at {
                object.put("file", file.as_str());
                object.put("line", u64::from(*line));
            }
        }
    }
    object
}

fn tag_of(kind: &OpKind) -> &'static str {
    match kind {
        OpKind::Run { .. } => "run",
        OpKind::Exec { .. } => "exec",
        OpKind::Copy(_) => "copy",
        OpKind::File(_) => "file",
        OpKind::Mkdir(_) => "mkdir",
        OpKind::Symlink(_) => "symlink",
        OpKind::Remove(_) => "remove",
        OpKind::Env(EnvChange { edit: EnvEdit::Unset, .. }) => "unset",
        OpKind::Env(_) => "env",
        OpKind::Workdir(_) => "workdir",
        OpKind::User(_) => "user",
        OpKind::Shell(_) => "shell",
        OpKind::Layer(_) => "layer",
        OpKind::By(_) => "by",
    }
}

pub(super) fn read(at: &At<'_>) -> Option<Op> {
    let mut fields = at.fields()?;
    let tag = fields.required("op", |at| at.word(&TAGS))?;
    let kind = read_kind(tag, &mut fields);
    fields.close();
    Some(Op { kind: kind?, span: at.span() })
}

fn read_kind(tag: Tag, fields: &mut Fields<'_>) -> Option<OpKind> {
    match tag {
        Tag::Run => {
            let script = fields.required("script", |at| Some(at.spanned(at.owned_text()?)));
            let execution = Box::new(execution::read(fields));
            Some(OpKind::Run { script: script?, execution })
        }
        Tag::Exec => {
            let argv = fields.required("argv", argv);
            let execution = Box::new(execution::read(fields));
            Some(OpKind::Exec { argv: argv?, execution })
        }
        Tag::Copy => Some(OpKind::Copy(Box::new(copy::read(fields)?))),
        Tag::File => {
            let path = fields.required("path", template);
            let mode = fields.optional("mode", |at| Some(at.spanned(at.parsed()?)));
            let owner = fields.optional("owner", |at| Some(at.spanned(at.parsed()?)));
            let content = content::read(fields);
            Some(OpKind::File(Box::new(MakeFile { path: path?, mode, owner, content: content? })))
        }
        Tag::Mkdir => {
            let path = fields.required("path", template);
            let mode = fields.optional("mode", |at| Some(at.spanned(at.parsed()?)));
            let owner = fields.optional("owner", |at| Some(at.spanned(at.parsed()?)));
            Some(OpKind::Mkdir(Box::new(MakeDirectory { path: path?, mode, owner })))
        }
        Tag::Symlink => {
            let target = fields.required("target", template);
            let path = fields.required("path", template);
            Some(OpKind::Symlink(Box::new(MakeSymlink { target: target?, path: path? })))
        }
        Tag::Remove => {
            let path = fields.required("path", template);
            let optional = fields.flag("optional");
            Some(OpKind::Remove(Remove { path: path?, optional }))
        }
        Tag::Env => {
            let name = variable(fields);
            let edit = fields.optional("edit", |at| at.word(&EDITS)).unwrap_or(Edit::Set);
            let value = fields.required("value", template);
            let edit = match edit {
                Edit::Set => EnvEdit::Set(value?),
                Edit::Prepend => EnvEdit::Prepend(value?),
                Edit::Append => EnvEdit::Append(value?),
            };
            Some(OpKind::Env(EnvChange { name: name?, edit }))
        }
        Tag::Unset => Some(OpKind::Env(EnvChange { name: variable(fields)?, edit: EnvEdit::Unset })),
        Tag::Workdir => fields.required("path", template).map(OpKind::Workdir),
        Tag::User => fields.required("user", template).map(OpKind::User),
        Tag::Shell => fields.required("argv", argv).map(OpKind::Shell),
        Tag::By => by(fields).map(OpKind::By),
        Tag::Layer => {
            let name = fields.required("name", |at| Some(at.spanned(at.checked(LayerName::new)?)));
            let ops = fields.list("ops", read);
            Some(OpKind::Layer(Layer { name: name?, ops }))
        }
    }
}

fn argv(at: &At<'_>) -> Option<Spanned<Vec<String>>> {
    Some(at.spanned(at.texts()?))
}

fn variable(fields: &mut Fields<'_>) -> Option<Spanned<EnvName>> {
    fields.required("name", |at| Some(at.spanned(at.checked(EnvName::new)?)))
}

fn by(fields: &mut Fields<'_>) -> Option<Provenance> {
    let block = fields.required("block", |at| Some(at.spanned(at.checked(BlockName::new)?)));
    let at = if fields.has("file") || fields.has("line") {
        let file = fields.required("file", At::owned_text);
        let line = fields.required("line", At::whole_of_32_bits);
        Some((file?, line?))
    } else {
        // Asked for all the same, so that the list of known keys has them.
        fields.optional("file", At::owned_text).zip(fields.optional("line", At::whole_of_32_bits))
    };
    Some(Provenance { block: block?, at })
}
