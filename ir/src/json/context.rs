//! Contexts, by their tag `"context"`, which is the word of the text form.

use super::reader::{At, Fields, any_key};
use super::tree::ObjectWriter;
use super::{content, path_rules};
use crate::plan::context::{
    DebsContext, DirectoryContext, GitContext, HttpContext, InlineFile, LocalCertificate, LockedFile,
    OciContext, UnpackedArchive, WheelsContext,
};
use crate::plan::{Context, ContextKind, Span, Spanned};

#[derive(Clone, Copy)]
enum Tag {
    Directory,
    Http,
    Git,
    Oci,
    Files,
    Wheels,
    Debs,
}

const TAGS: [(&str, Tag); 7] = [
    ("dir", Tag::Directory),
    ("http", Tag::Http),
    ("git", Tag::Git),
    ("oci", Tag::Oci),
    ("files", Tag::Files),
    ("wheels", Tag::Wheels),
    ("debs", Tag::Debs),
];

pub(super) fn write(context: &Context) -> ObjectWriter {
    let mut object;
    match &context.kind {
        ContextKind::Directory(directory) => {
            object = ObjectWriter::tagged("context", "dir");
            object.put("path", directory.path.as_str());
            object.put_list("rules", directory.rules.iter().map(path_rules::write));
        }
        ContextKind::Http(http) => {
            object = ObjectWriter::tagged("context", "http");
            object.put("url", http.url.as_str());
            object.put_some("checksum", http.checksum.map(|digest| digest.to_string()));
            object.put_some("name", http.name.as_ref().map(|name| name.as_str()));
            object.put_some("mode", http.mode.map(|mode| mode.to_string()));
        }
        ContextKind::Git(git) => {
            object = ObjectWriter::tagged("context", "git");
            object.put("url", git.url.as_str());
            object.put_some("commit", git.commit.as_ref().map(|commit| commit.as_str()));
            object.put_some("subdir", git.subdir.as_ref().map(|subdir| subdir.as_str()));
        }
        ContextKind::Oci(layout) => {
            object = ObjectWriter::tagged("context", "oci");
            object.put("path", layout.path.as_str());
            object.put_some("digest", layout.digest.as_ref().map(|digest| digest.to_string()));
            object.put_some("tag", layout.tag.as_ref().map(|tag| tag.as_str()));
        }
        ContextKind::Files(files) => {
            object = ObjectWriter::tagged("context", "files");
            object.put_entries("files", files.iter().map(|(path, file)| (path, write_inline(file))));
        }
        ContextKind::Wheels(wheels) => {
            object = ObjectWriter::tagged("context", "wheels");
            object.put_some("python", wheels.python.as_ref().map(|python| python.as_str()));
            object.put_some("interpreter", wheels.interpreter.as_ref().map(|path| path.as_str()));
            object.put_entries("wheels", wheels.wheels.iter().map(|(name, file)| (name, write_locked(file))));
        }
        ContextKind::Debs(debs) => {
            object = ObjectWriter::tagged("context", "debs");
            object.put_some("suite", debs.suite.as_deref());
            object.put_entries("debs", debs.packages.iter().map(|(name, file)| (name, write_locked(file))));
            let archives = debs.archives.iter();
            object.put_entries("archives", archives.map(|(name, one)| (name, write_archive(one))));
            let certificates = debs.certificates.iter();
            object.put_entries("certificates", certificates.map(|(name, one)| (name, one.text.as_str())));
        }
    }
    object
}

pub(super) fn read(at: &At<'_>, span: Span) -> Option<Context> {
    let mut fields = at.fields()?;
    let kind = match fields.required("context", |at| at.word(&TAGS))? {
        Tag::Directory => directory(&mut fields).map(ContextKind::Directory),
        Tag::Http => http(&mut fields).map(ContextKind::Http),
        Tag::Git => git(&mut fields).map(ContextKind::Git),
        Tag::Oci => oci(&mut fields).map(ContextKind::Oci),
        Tag::Files => Some(ContextKind::Files(
            fields.optional("files", |at| at.entries(any_key, read_inline)).unwrap_or_default(),
        )),
        Tag::Wheels => Some(ContextKind::Wheels(WheelsContext {
            python: fields.optional("python", spanned_text),
            interpreter: fields.optional("interpreter", spanned_text),
            wheels: fields.optional("wheels", |at| at.entries(any_key, read_locked)).unwrap_or_default(),
        })),
        Tag::Debs => Some(ContextKind::Debs(DebsContext {
            suite: fields.optional("suite", At::owned_text),
            packages: fields.optional("debs", |at| at.entries(any_key, read_locked)).unwrap_or_default(),
            archives: fields.optional("archives", |at| at.entries(any_key, read_archive)).unwrap_or_default(),
            certificates: fields
                .optional("certificates", |at| at.entries(any_key, read_certificate))
                .unwrap_or_default(),
        })),
    };
    fields.close();
    Some(Context { kind: kind?, span })
}

fn spanned_text(at: &At<'_>) -> Option<Spanned<String>> {
    Some(at.spanned(at.owned_text()?))
}

fn directory(fields: &mut Fields<'_>) -> Option<DirectoryContext> {
    let path = fields.required("path", spanned_text);
    let rules = fields.list("rules", path_rules::read);
    Some(DirectoryContext { path: path?, rules })
}

fn http(fields: &mut Fields<'_>) -> Option<HttpContext> {
    let url = fields.required("url", spanned_text);
    let checksum = fields.optional("checksum", At::parsed);
    let name = fields.optional("name", spanned_text);
    let mode = fields.optional("mode", At::parsed);
    Some(HttpContext { url: url?, checksum, name, mode })
}

fn git(fields: &mut Fields<'_>) -> Option<GitContext> {
    let url = fields.required("url", spanned_text);
    let commit = fields.optional("commit", spanned_text);
    let subdir = fields.optional("subdir", spanned_text);
    Some(GitContext { url: url?, commit, subdir })
}

fn oci(fields: &mut Fields<'_>) -> Option<OciContext> {
    let path = fields.required("path", spanned_text);
    let digest = fields.optional("digest", |at| Some(at.spanned(at.parsed()?)));
    let tag = fields.optional("tag", spanned_text);
    Some(OciContext { path: path?, digest, tag })
}

fn write_inline(file: &InlineFile) -> ObjectWriter {
    let mut object = ObjectWriter::new();
    object.put_some("mode", file.mode.map(|mode| mode.to_string()));
    content::write(&file.content, &mut object);
    object
}

fn read_inline(at: &At<'_>, span: Span) -> Option<InlineFile> {
    let mut fields = at.fields()?;
    let mode = fields.optional("mode", At::parsed);
    let content = content::read(&mut fields);
    fields.close();
    Some(InlineFile { mode, content: content?, span })
}

fn write_archive(archive: &UnpackedArchive) -> ObjectWriter {
    let mut object = write_locked(&archive.file);
    object.put("at", archive.place.as_str());
    object
}

fn read_archive(at: &At<'_>, span: Span) -> Option<UnpackedArchive> {
    let mut fields = at.fields()?;
    let digest = fields.optional("hash", At::parsed);
    let url = fields.optional("url", spanned_text);
    let place = fields.required("at", spanned_text);
    fields.close();
    Some(UnpackedArchive { place: place?, file: LockedFile { digest, url, span } })
}

fn read_certificate(at: &At<'_>, span: Span) -> Option<LocalCertificate> {
    Some(LocalCertificate { text: at.owned_text()?, span })
}

fn write_locked(file: &LockedFile) -> ObjectWriter {
    let mut object = ObjectWriter::new();
    object.put_some("hash", file.digest.map(|digest| digest.to_string()));
    object.put_some("url", file.url.as_ref().map(|url| url.as_str()));
    object
}

fn read_locked(at: &At<'_>, span: Span) -> Option<LockedFile> {
    let mut fields = at.fields()?;
    let digest = fields.optional("hash", At::parsed);
    let url = fields.optional("url", spanned_text);
    fields.close();
    Some(LockedFile { digest, url, span })
}
