//! An image as text, for people and for tests: its layers' entries and its config, but no digest
//! of anything that has to be read first.

use std::fmt::Write as _;

use cogpack_backends_contract::tree::{Attributes, Ids, SpecialKind, text};

use crate::evaluate::ImageLayer;
use crate::image::Assembly;
use crate::layer::{Bytes, EntryKind, LayerEntry};

/// Lists an image.
pub fn listing(image: &Assembly) -> String {
    let mut out = String::new();
    let platforms: Vec<String> = image.platforms.iter().map(ToString::to_string).collect();
    line(&mut out, format_args!("platforms {}", platforms.join(" ")));
    for (key, value) in &image.annotations {
        line(&mut out, format_args!("annotation {key} = {value:?}"));
    }
    for step in image.rootfs.history.steps() {
        let comment = step.comment.as_deref().map(|comment| format!("  # {comment}")).unwrap_or_default();
        match &step.layer {
            None => line(&mut out, format_args!("\nnothing  {}{comment}", step.created_by)),
            Some(ImageLayer::Base(base)) => {
                line(&mut out, format_args!("\nbase {}  {}{comment}", base.diff_id(), step.created_by));
            }
            Some(ImageLayer::Made(layer)) => {
                line(&mut out, format_args!("\nlayer  {}{comment}", step.created_by));
                layer.each(|listed| line(&mut out, format_args!("  {}", entry(listed))));
            }
        }
    }
    out
}

fn entry(entry: LayerEntry<'_>) -> String {
    let path = text(&entry.components());
    match entry.kind {
        EntryKind::Directory(attributes) => format!("{} {path}/", shown(attributes)),
        EntryKind::File(attributes, Bytes::Inline(content)) => {
            format!("{} {path} ({} bytes in the plan)", shown(attributes), content.0.len())
        }
        EntryKind::File(attributes, Bytes::Context(file)) => {
            let (size, context, source) = (file.size(), file.context(), file.path());
            let source = String::from_utf8_lossy(&source);
            format!("{} {path} ({size} bytes of {context} {source})", shown(attributes))
        }
        EntryKind::File(attributes, Bytes::Kept(file)) => {
            let source = String::from_utf8_lossy(&file.path);
            format!("{} {path} ({} bytes of what is kept as {source})", shown(attributes), file.size)
        }
        EntryKind::Special(attributes, kind) => {
            let kind = match kind {
                SpecialKind::CharacterDevice { major, minor } => format!("character device {major}:{minor}"),
                SpecialKind::BlockDevice { major, minor } => format!("block device {major}:{minor}"),
                SpecialKind::Pipe => "pipe".to_owned(),
            };
            format!("{} {path} ({kind})", shown(attributes))
        }
        EntryKind::Symlink(ids, target) => {
            format!("link {} {path} -> {}", owner(ids), String::from_utf8_lossy(target))
        }
        EntryKind::Whiteout => format!("gone {path}"),
    }
}

fn shown(attributes: Attributes) -> String {
    format!("{} {}", attributes.mode, owner(attributes.ids))
}

fn owner(ids: Ids) -> String {
    format!("{}:{}", ids.user, ids.group)
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a text does not fail.
    let _ = writeln!(out, "{text}");
}
