//! Mounts, by their tag `"mount"`.

use super::finding::JsonFinding;
use super::input;
use super::reader::{At, Fields};
use super::tree::ObjectWriter;
use crate::plan::{
    CacheName, EnvName, Mount, MountKind, SecretName, SecretTarget, Sharing, Spanned, SshName, Template,
};

#[derive(Clone, Copy)]
enum Tag {
    Bind,
    Cache,
    Secret,
    Ssh,
    Tmpfs,
}

const TAGS: [(&str, Tag); 5] = [
    ("bind", Tag::Bind),
    ("cache", Tag::Cache),
    ("secret", Tag::Secret),
    ("ssh", Tag::Ssh),
    ("tmpfs", Tag::Tmpfs),
];

const SHARINGS: [(&str, Sharing); 3] =
    [("shared", Sharing::Shared), ("private", Sharing::Private), ("locked", Sharing::Locked)];

pub(super) fn write(mount: &Mount) -> ObjectWriter {
    match &mount.kind {
        MountKind::Bind { source, select, target, writable } => {
            let mut object = ObjectWriter::tagged("mount", "bind");
            object.put("source", input::write(source));
            object.put_some("select", select.as_ref().map(|select| select.as_written()));
            object.put("at", target.as_written());
            object.put_flag("writable", *writable);
            object
        }
        MountKind::Cache { name, target, sharing } => {
            let mut object = ObjectWriter::tagged("mount", "cache");
            object.put("name", name.as_str());
            object.put("at", target.as_written());
            let sharing = match sharing {
                Sharing::Shared => None,
                Sharing::Private => Some("private"),
                Sharing::Locked => Some("locked"),
            };
            object.put_some("sharing", sharing);
            object
        }
        MountKind::Secret { name, target } => {
            let mut object = ObjectWriter::tagged("mount", "secret");
            object.put("name", name.as_str());
            match target {
                SecretTarget::File(path) => object.put("at", path.as_written()),
                SecretTarget::Env(variable) => object.put("env", variable.as_str()),
            }
            object
        }
        MountKind::Ssh { name, target } => {
            let mut object = ObjectWriter::tagged("mount", "ssh");
            object.put_some("name", name.as_ref().map(|name| name.as_str()));
            object.put_some("at", target.as_ref().map(|target| target.as_written()));
            object
        }
        MountKind::Tmpfs { target, size } => {
            let mut object = ObjectWriter::tagged("mount", "tmpfs");
            object.put("at", target.as_written());
            object.put_some("size", *size);
            object
        }
    }
}

pub(super) fn read(at: &At<'_>) -> Option<Mount> {
    let mut fields = at.fields()?;
    let kind = match fields.required("mount", |at| at.word(&TAGS))? {
        Tag::Bind => bind(&mut fields),
        Tag::Cache => cache(&mut fields),
        Tag::Secret => secret(&mut fields),
        Tag::Ssh => Some(MountKind::Ssh {
            name: fields.optional("name", |at| Some(at.spanned(at.checked(SshName::new)?))),
            target: fields.optional("at", template),
        }),
        Tag::Tmpfs => tmpfs(&mut fields),
    };
    fields.close();
    Some(Mount { kind: kind?, span: at.span() })
}

/// A text in which `${NAME}` stands for a variable.
pub(super) fn template(at: &At<'_>) -> Option<Spanned<Template>> {
    Some(at.spanned(Template::written(at.text()?)))
}

fn bind(fields: &mut Fields<'_>) -> Option<MountKind> {
    let source = fields.required("source", input::read);
    let select = fields.optional("select", template);
    let target = fields.required("at", template);
    let writable = fields.flag("writable");
    Some(MountKind::Bind { source: source?, select, target: target?, writable })
}

fn cache(fields: &mut Fields<'_>) -> Option<MountKind> {
    let name = fields.required("name", |at| Some(at.spanned(at.checked(CacheName::new)?)));
    let target = fields.required("at", template);
    let sharing = fields.optional("sharing", |at| at.word(&SHARINGS)).unwrap_or(Sharing::Shared);
    Some(MountKind::Cache { name: name?, target: target?, sharing })
}

fn secret(fields: &mut Fields<'_>) -> Option<MountKind> {
    let name = fields.required("name", |at| Some(at.spanned(at.checked(SecretName::new)?)));
    fields.exclude("at", "env");
    let file = fields.optional("at", template).map(SecretTarget::File);
    let variable =
        fields.optional("env", |at| Some(at.spanned(at.checked(EnvName::new)?))).map(SecretTarget::Env);
    if !fields.has("at") && !fields.has("env") {
        let (place, span) = (fields.at().pointer.clone(), fields.at().span());
        fields.at().report::<()>(JsonFinding::MissingKey { place, key: "at", span });
    }
    Some(MountKind::Secret { name: name?, target: file.or(variable)? })
}

fn tmpfs(fields: &mut Fields<'_>) -> Option<MountKind> {
    let target = fields.required("at", template);
    let size = fields.optional("size", At::whole);
    Some(MountKind::Tmpfs { target: target?, size })
}
