//! Base images and contexts.
//!
//! | in the plan | in the graph |
//! |---|---|
//! | `image` | `docker-image://` with the full name and, where it is pinned or was looked up, the digest |
//! | `dir` | `local://NAME`; the client sends what is used of the directory under the context's name |
//! | `files` | a chain of file actions on the empty filesystem |
//! | `http` | the address; name and mode are always said, as BuildKit's own defaults differ |
//! | `git` over http(s) or git | `git://HOST/PATH#COMMIT:SUBDIR` |
//! | `oci` | `oci-layout://` with the digest that the plan pins or that was looked up; the client serves the layout under the context's name |
//! | `wheels`, `debs`, installed | the same, of a layout that was made for it; where the daemon reads no layouts, `local://NAME` of a tar that is unpacked |
//!
//! Git over ssh needs host keys that a plan does not carry. It is refused, and so are wheels and
//! packages that nobody has installed.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use cogpack_backends_contract::Unsupported;
use cogpack_backends_contract::paths::{PatternPair, Selection};
use cogpack_content::Digest;
use cogpack_ir::plan::context::{DirectoryContext, GitContext, HttpContext, InlineFile, OciContext};
use cogpack_ir::plan::{ContextKind, InputName, Mode, Span};

use super::{Lowering, Root, gap, label, paths, unverified};
use crate::installed::{InstalledContext, NOT_INSTALLED};
use crate::wire::{Action, Copy, File, Op, Source};

/// Our own directory in a project; no part of any context.
const OWN: &str = ".cog";

impl<'a> Lowering<'a> {
    /// A base image.
    pub(super) fn image(&mut self, name: &'a InputName, span: Span) -> Result<Root, Unsupported> {
        let Some(image) = self.plan.plan().images.get(name) else { return Ok(None) };
        let digest = image.digest.as_ref().map(|digest| &digest.value);
        let reference = image.reference.normalised(digest);
        let exact = image.reference.normalised(digest.or(self.settings.digests.get(name)));
        let source = Source {
            identifier: format!("docker-image://{exact}").into(),
            attributes: BTreeMap::new(),
            per_platform: true,
        };
        let label = label(format!("image {name}: {reference}"), image.span);
        self.add(&Op::Source(source), label, span).map(Some)
    }

    /// A context.
    pub(super) fn context(&mut self, name: &'a InputName, span: Span) -> Result<Root, Unsupported> {
        let Some(context) = self.plan.plan().contexts.get(name) else { return Ok(None) };
        let (source, title) = match &context.kind {
            ContextKind::Files(files) => return self.files(name, files, context.span),
            ContextKind::Directory(it) => {
                self.needs.directories.insert(name.clone());
                (self.directory(name, it)?, format!("context {name}: dir {}", it.path.value))
            }
            ContextKind::Http(it) => (http(it)?, format!("context {name}: {}", it.url.value)),
            ContextKind::Git(it) => (git(it)?, format!("context {name}: git {}", it.url.value)),
            ContextKind::Oci(it) => {
                let pinned = it.digest.as_ref().map(|digest| &digest.value);
                let digest =
                    pinned.or(self.settings.digests.get(name)).ok_or_else(|| undigested(name, it))?;
                self.needs.layouts.insert(name.clone());
                (layout(name, digest), format!("context {name}: oci {}", it.path.value))
            }
            ContextKind::Wheels(_) => return self.installed(name, "wheels", context.span, span),
            ContextKind::Debs(_) => return self.installed(name, "debs", context.span, span),
        };
        let label = label(title, context.span);
        self.add(&Op::Source(source), label, span).map(Some)
    }

    fn directory(
        &self,
        name: &'a InputName,
        context: &'a DirectoryContext,
    ) -> Result<Source<'a>, Unsupported> {
        let patterns =
            Selection::new(&context.rules).map_err(|error| bad_pattern(&error, context.path.span))?;
        let PatternPair { includes, excludes } = patterns.to_pattern_pair();
        let includes = self.used.narrowed(name, includes, &self.settings.known);
        let hint = Cow::Borrowed(name.as_str());
        Ok(self.local(name, hint, PatternPair { includes, excludes }, self.used.paths(name)))
    }

    pub(super) fn local(
        &self,
        name: &'a InputName,
        shared_key_hint: Cow<'a, str>,
        patterns: PatternPair,
        followed: Option<Vec<&str>>,
    ) -> Source<'a> {
        let mut attributes: BTreeMap<&'static str, Cow<'a, str>> = BTreeMap::new();
        if !patterns.includes.is_empty() {
            attributes.insert("local.includepattern", json_list(&patterns.includes).into());
        }
        // Our own client never sends it; others must be told. Behind all others, so that none takes
        // it back.
        let mut excludes = patterns.excludes;
        if excludes.last().is_none_or(|last| last != OWN) {
            excludes.push(OWN.to_owned());
        }
        attributes.insert("local.excludepatterns", json_list(&excludes).into());
        // Together with includes, followed paths would add to them.
        if patterns.includes.is_empty()
            && let Some(followed) = followed
        {
            attributes.insert("local.followpaths", json_list(&followed).into());
        }
        attributes.insert("local.sharedkeyhint", shared_key_hint);
        attributes.insert("local.unique", self.settings.unique.as_str().into());
        Source { identifier: format!("local://{}", name.as_str()).into(), attributes, per_platform: false }
    }

    /// An installed set of packages, which is declared at `place`.
    fn installed(
        &mut self,
        name: &'a InputName,
        kind: &str,
        place: Span,
        span: Span,
    ) -> Result<Root, Unsupported> {
        let settings = self.settings;
        let title = |does: &str| label(format!("context {name}: {does}{kind}"), place);
        match settings.installed.get(name) {
            Some(InstalledContext::Layout(digest)) => {
                self.needs.layouts.insert(name.clone());
                self.add(&Op::Source(layout(name, digest)), title(""), span).map(Some)
            }
            Some(InstalledContext::Archive(file)) => {
                self.needs.directories.insert(name.clone());
                let only = PatternPair { includes: vec![file.clone()], excludes: Vec::new() };
                let source = self.local(name, Cow::Borrowed(name.as_str()), only, None);
                let archive = self.add(&Op::Source(source), title(""), span)?;
                let mut unpacked = File::on(None);
                let from = unpacked.input(archive);
                let copy = Copy::plain(from, format!("/{file}").into(), "/".into());
                unpacked.push(Action::Copy(Copy { unpack: true, ..copy }));
                self.add(&Op::File(unpacked), title("unpack "), span).map(Some)
            }
            Some(InstalledContext::Empty) => Ok(None),
            None => Err(not_installed(kind, name, span)),
        }
    }

    /// Small files in a filesystem of their own, directories first.
    fn files(
        &mut self,
        name: &'a InputName,
        files: &'a BTreeMap<String, InlineFile>,
        span: Span,
    ) -> Result<Root, Unsupported> {
        if files.is_empty() {
            return Ok(None);
        }
        let mut made = File::on(None);
        let written: Vec<(Cow<'a, str>, &'a InlineFile)> =
            files.iter().map(|(path, file)| (paths::clean(path.as_str().into()), file)).collect();
        let directories: BTreeSet<&str> = written
            .iter()
            .filter_map(|(path, _)| paths::split(path))
            .map(|(directory, _)| directory)
            .filter(|directory| *directory != "/")
            .collect();
        for directory in directories {
            let path = Cow::Owned(directory.to_owned());
            made.push(Action::Mkdir { path, mode: Mode::DIRECTORY.bits() });
        }
        for (path, file) in written {
            let mode = permissions(file.mode.unwrap_or(Mode::FILE), file.span)?;
            made.push(Action::Mkfile { path, mode, data: Cow::Borrowed(&file.content.0) });
        }
        let label = label(format!("context {name}: files"), span);
        self.add(&Op::File(made), label, span).map(Some)
    }
}

/// The permission bits of a mode; BuildKit drops the three above them.
fn permissions(mode: Mode, span: Span) -> Result<u32, Unsupported> {
    match mode.bits() {
        bits @ 0..=0o777 => Ok(bits),
        _ => Err(gap(
            "cpk::unsupported::mode-bits",
            format!(
                "mode `{mode}`, because BuildKit drops the setuid, setgid and sticky bits of files it makes"
            ),
            span,
            format!("leave them out here, and say `mode {mode}` where the file is copied"),
        )),
    }
}

pub(super) fn bad_pattern(error: &cogpack_backends_contract::glob::InvalidGlob, span: Span) -> Unsupported {
    unverified(&error.to_string(), span)
}

fn not_installed(kind: &str, name: &InputName, span: Span) -> Unsupported {
    gap(
        NOT_INSTALLED,
        format!("`{name}`, because no daemon can install `{kind}`"),
        span,
        "use `cogpackc build`, which installs it and serves it to the daemon; `-o llb -O DIR/`, which lays it beside the definition; or emit an image with `-o oci`",
    )
}

fn http<'a>(context: &'a HttpContext) -> Result<Source<'a>, Unsupported> {
    let url = context.url.value.as_str();
    let last_part = || {
        let address = url.split(['?', '#']).next().unwrap_or(url);
        address.split_once("://").and_then(|(_, rest)| rest.rsplit_once('/')).map(|(_, name)| name)
    };
    let name = context
        .name
        .as_ref()
        .map(|name| name.as_str())
        .or_else(last_part)
        .filter(|name| !name.is_empty())
        .ok_or_else(|| unverified(&format!("the file of `{url}` has no name"), context.url.span))?;
    let mode = permissions(context.mode.unwrap_or(Mode::FILE), context.url.span)?;
    let mut attributes = BTreeMap::from([
        ("http.filename", Cow::Borrowed(name)),
        ("http.perm", Cow::Owned(format!("0{mode:o}"))),
    ]);
    if let Some(checksum) = &context.checksum {
        attributes.insert("http.checksum", checksum.to_string().into());
    }
    Ok(Source { identifier: url.into(), attributes, per_platform: false })
}

fn git<'a>(context: &'a GitContext) -> Result<Source<'a>, Unsupported> {
    let url = context.url.value.as_str();
    let address = ["https://", "http://", "git://"].iter().find_map(|scheme| url.strip_prefix(scheme));
    let Some(address) = address.filter(|address| !address.contains(['@', '#'])) else {
        return Err(gap(
            "cpk::unsupported::git-address",
            format!("`{url}`: only http, https and git addresses without a user can be lowered"),
            context.url.span,
            "use the repository's https address, or a checkout as a `dir` context",
        ));
    };
    let mut identifier = format!("git://{address}");
    let subdir = context.subdir.as_ref().map(|subdir| paths::clean(subdir.as_str().into()));
    let subdir = subdir.as_deref().filter(|subdir| *subdir != "/").map(|subdir| &subdir[1..]);
    if context.commit.is_some() || subdir.is_some() {
        identifier.push('#');
        identifier.push_str(context.commit.as_ref().map(|commit| commit.value.as_str()).unwrap_or_default());
    }
    if let Some(subdir) = subdir {
        identifier.push(':');
        identifier.push_str(subdir);
    }
    let attributes = BTreeMap::from([("git.fullurl", url.into())]);
    Ok(Source { identifier: identifier.into(), attributes, per_platform: false })
}

fn undigested(name: &InputName, context: &OciContext) -> Unsupported {
    gap(
        "cpk::unsupported::oci-digest",
        format!("`{name}`, because BuildKit names an image of a layout by its digest alone"),
        context.path.span,
        "write the `digest` that the layout's `index.json` gives, or use `cogpackc build`, which looks it up",
    )
}

/// An image of a layout. The name before the digest is free, but must have a `/`; the store is what
/// the client serves, `--oci-layout NAME=PATH` in buildctl's words.
fn layout<'a>(name: &'a InputName, digest: &Digest) -> Source<'a> {
    Source {
        identifier: format!("oci-layout://cogpack/{}@{digest}", name.as_str().to_lowercase()).into(),
        attributes: BTreeMap::from([("oci.store", name.as_str().into())]),
        per_platform: true,
    }
}

/// A JSON array of texts, as BuildKit's attributes want lists.
fn json_list(items: &[impl AsRef<str>]) -> String {
    serde_json::Value::from_iter(items.iter().map(AsRef::as_ref)).to_string()
}
