//! The keys of base images and contexts: what decides which files they hold.
//!
//! Where what a context holds is known, that is its key and nothing else of it. Otherwise its
//! declaration stands for it: who keeps two such keys must know for himself that the directories
//! are the same. The names of images and contexts take no part.

use std::collections::BTreeMap;

use cogpack_backends_contract::glob::has_wildcard;
use cogpack_content::Digest;
use cogpack_ir::plan::context::{InlineFile, LockedFile};
use cogpack_ir::plan::{BaseImage, Context, ContextKind, Copy, InputName, Mode, Template};

use super::record::Record;
use super::says::{clean, path_rules};
use crate::files::Landed;

/// What of an input an op takes.
#[derive(Debug, Clone, Copy)]
pub enum Taken<'p> {
    /// All of it: something starts from it.
    All,
    /// What is copied.
    Copied(&'p Copy),
    /// What is mounted: this part of it, or all.
    Mounted(Option<&'p Template>),
}

/// What is known of the files of contexts.
pub trait Contents {
    /// By what it is known whether the files that are taken of a context are the same; `None`
    /// where nobody has looked. Less than what is taken makes a wrong key, more a needless change.
    fn taken(&self, context: &InputName, taken: Taken<'_>) -> Option<Digest>;

    /// What is taken, to be compared file by file; `None` where that is not known.
    fn landed(&self, _: &InputName, _: Taken<'_>) -> Option<Landed> {
        None
    }
}

/// Digests of whole contexts; an empty map knows nothing.
impl Contents for BTreeMap<InputName, Digest> {
    fn taken(&self, context: &InputName, _: Taken<'_>) -> Option<Digest> {
        self.get(context).copied()
    }
}

/// The key of a base image. One that is pinned is what its digest says, by whatever name.
pub(super) fn image(image: &BaseImage) -> Digest {
    match &image.digest {
        Some(digest) => Record::of("pinned image").key(&digest.value).digest(),
        None => Record::of("image").text(&image.reference.normalised(None)).digest(),
    }
}

/// The key of what is taken of a context, and whether it is one of the bytes of the files.
pub(super) fn context(
    name: &InputName,
    context: &Context,
    taken: Taken<'_>,
    contents: &dyn Contents,
) -> (Digest, bool) {
    if let Some(known) = contents.taken(name, taken) {
        return (Record::of("contents").key(&known).digest(), true);
    }
    (declared(context, taken), matches!(context.kind, ContextKind::Files(_)))
}

/// The key of a context in which nobody has looked.
fn declared(context: &Context, taken: Taken<'_>) -> Digest {
    match &context.kind {
        ContextKind::Directory(it) => path_rules(Record::of("dir").text(&it.path.value), &it.rules).digest(),
        ContextKind::Http(it) => {
            let record = Record::of("http").maybe(it.name.as_ref().map(|name| name.value.as_str()));
            let record = record.number(it.mode.unwrap_or(Mode::FILE).bits().into());
            match (&it.checksum, &it.name) {
                (Some(checksum), Some(_)) => record.key(checksum).digest(),
                // The file is called as the address ends.
                (Some(checksum), None) => record.key(checksum).text(last_part(&it.url.value)).digest(),
                (None, _) => record.text(&it.url.value).digest(),
            }
        }
        ContextKind::Git(it) => {
            let record = Record::of("git").maybe(it.subdir.as_ref().map(|subdir| subdir.value.as_str()));
            match &it.commit {
                Some(commit) => record.text(&commit.value).digest(),
                None => record.text("unpinned").text(&it.url.value).digest(),
            }
        }
        ContextKind::Oci(it) => match &it.digest {
            Some(digest) => Record::of("pinned image").key(&digest.value).digest(),
            None => Record::of("oci")
                .text(&it.path.value)
                .maybe(it.tag.as_ref().map(|tag| tag.value.as_str()))
                .digest(),
        },
        ContextKind::Files(files) => inline(files, taken),
        ContextKind::Wheels(it) => {
            let record = Record::of("wheels")
                .maybe(it.python.as_ref().map(|python| python.value.as_str()))
                .maybe(it.interpreter.as_ref().map(|interpreter| interpreter.value.as_str()));
            locked(record, &it.wheels)
        }
        ContextKind::Debs(it) => {
            let mut record = Record::of("debs").maybe(it.suite.as_deref());
            for (file, archive) in &it.archives {
                record = record.text("archive").text(file).text(&archive.place.value);
                record = of_locked(record, &archive.file);
            }
            for (file, certificate) in &it.certificates {
                record = record.text("certificate").text(file).text(&certificate.text);
            }
            locked(record, &it.packages)
        }
    }
}

/// Small files: those that may be taken.
fn inline(files: &BTreeMap<String, InlineFile>, taken: Taken<'_>) -> Digest {
    let places = places(taken);
    let mut record = Record::of("files");
    for (path, file) in files {
        if places.as_ref().is_some_and(|places| !places.iter().any(|place| is_at_or_below(path, place))) {
            continue;
        }
        let mode = file.mode.unwrap_or(Mode::FILE).bits();
        record = record.text(path).number(mode.into()).bytes(&file.content.0);
    }
    record.digest()
}

/// The paths that are taken, clean; `None` where that cannot be told.
fn places(taken: Taken<'_>) -> Option<Vec<String>> {
    let literal = |template: &Template| {
        let path = template.as_literal()?;
        (!has_wildcard(&path)).then(|| clean(&path))
    };
    match taken {
        Taken::All | Taken::Mounted(None) => None,
        Taken::Mounted(Some(select)) => literal(select).map(|place| vec![place]),
        Taken::Copied(copy) => copy.form.sources().iter().map(|source| literal(source)).collect(),
    }
}

fn is_at_or_below(path: &str, place: &str) -> bool {
    let path = clean(path);
    place == "/" || path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A locked set. A file with a digest is that file, wherever it is fetched from.
fn locked(mut record: Record, files: &BTreeMap<String, LockedFile>) -> Digest {
    for (name, file) in files {
        record = of_locked(record.text(name), file);
    }
    record.digest()
}

/// What tells one file of a locked set from another of its name.
fn of_locked(record: Record, file: &LockedFile) -> Record {
    match &file.digest {
        Some(digest) => record.key(digest),
        None => record.maybe(file.url.as_ref().map(|url| url.value.as_str())),
    }
}

fn last_part(url: &str) -> &str {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    path.rsplit('/').next().unwrap_or(path)
}
