//! A definition for people: `llb.txt`.
//!
//! Written from the bytes and not from the plan, so that it shows what a daemon gets. One block a
//! vertex, in the order of the definition. A vertex is called after where it comes from (`@build`,
//! `%venv.2`: the second vertex of `%venv`) and digests stand in one table at the end, so that a
//! small change of the plan is a small change here.

mod ops;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bollard_buildkit_proto::pb;
use bytes::Bytes;
use cogpack_content::{Digest, Lookup};
use prost::Message;

use crate::annotations::CUSTOM_NAME;
use crate::{LlbImage, Needs};

/// The listing of an image.
pub fn listing(image: &LlbImage) -> String {
    let mut out = format!("llb for {}\n", image.platform);
    match Definition::decode(Bytes::from(image.definition.to_bytes())) {
        Ok(definition) => definition_text(&definition, &mut out),
        Err(error) => say(&mut out, format_args!("\nnot a definition: {error}\n")),
    }
    needs_text(&image.needs, &mut out);
    out.push_str("\nconfig\n");
    match serde_json::from_slice::<serde_json::Value>(&image.config) {
        Ok(config) => say(&mut out, format_args!("{config:#}\n")),
        Err(error) => say(&mut out, format_args!("not JSON: {error}\n")),
    }
    out
}

/// A `pb.Definition` whose parts stay bytes until each is shown: read all at once, the maps and
/// texts of a hundred thousand stages are two gigabytes.
#[derive(Clone, PartialEq, Message)]
struct Definition {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    ops: Vec<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "2")]
    metadata: Vec<Bytes>,
    #[prost(message, optional, tag = "3")]
    source: Option<Source>,
}

/// The same of a `pb.Source`.
#[derive(Clone, PartialEq, Message)]
struct Source {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    locations: Vec<Bytes>,
}

/// An entry of a definition's map of metadata.
#[derive(Clone, PartialEq, Message)]
struct Described {
    #[prost(string, tag = "1")]
    digest: String,
    #[prost(message, optional, tag = "2")]
    metadata: Option<pb::OpMetadata>,
}

/// An entry of a source's map of locations.
#[derive(Clone, PartialEq, Message)]
struct Located {
    #[prost(string, tag = "1")]
    digest: String,
    #[prost(message, optional, tag = "2")]
    locations: Option<pb::Locations>,
}

/// What whoever sends it must serve and ask for, as options of `buildctl build` name it.
fn needs_text(needs: &Needs, out: &mut String) {
    if *needs == Needs::default() {
        return;
    }
    out.push_str("\nclient\n");
    needs.directories.iter().for_each(|name| field(out, "local", name.as_str()));
    needs.layouts.iter().for_each(|name| field(out, "oci-layout", name.as_str()));
    for (name, optional) in &needs.secrets {
        let optional = if *optional { " optional" } else { "" };
        field(out, "secret", format_args!("{}{optional}", name.as_str()));
    }
    needs.agents.iter().for_each(|id| field(out, "ssh", id));
    needs.entitlements.iter().for_each(|entitlement| field(out, "allow", entitlement));
}

fn definition_text(definition: &Definition, out: &mut String) {
    let described = by_digest(&definition.metadata, |entry: &Described| entry.digest.parse().ok());
    let locations = definition.source.iter().flat_map(|source| source.locations.iter());
    let located = by_digest(locations, |entry: &Located| entry.digest.parse().ok());
    let digests: Vec<Digest> = definition.ops.iter().map(|op| Digest::of(op)).collect();
    let titles = titles(&digests, &described);
    let by_vertex: Lookup<Digest, &str> =
        digests.iter().copied().zip(titles.iter().map(String::as_str)).collect();
    for ((op, digest), title) in definition.ops.iter().zip(&digests).zip(&titles) {
        say(out, format_args!("\n{title} = "));
        match pb::Op::decode(op.as_ref()) {
            Ok(op) => ops::write(out, &op, &by_vertex),
            Err(error) => say(out, format_args!("not an op: {error}\n")),
        }
        let locations = located.get(digest).and_then(read::<Located>).and_then(|entry| entry.locations);
        metadata_text(out, &metadata_of(digest, &described), &locations.unwrap_or_default());
    }
    out.push_str("\ndigests\n");
    for (digest, title) in digests.iter().zip(&titles) {
        say(out, format_args!("  {digest} {title}\n"));
    }
}

/// Entries of a map by the digest that each is of.
fn by_digest<'d, E: Message + Default>(
    entries: impl IntoIterator<Item = &'d Bytes>,
    digest: impl Fn(&E) -> Option<Digest>,
) -> Lookup<Digest, &'d Bytes> {
    entries.into_iter().filter_map(|bytes| Some((digest(&read(&bytes)?)?, bytes))).collect()
}

fn read<E: Message + Default>(bytes: &&Bytes) -> Option<E> {
    E::decode(bytes.as_ref()).ok()
}

fn metadata_of(digest: &Digest, described: &Lookup<Digest, &Bytes>) -> pb::OpMetadata {
    described.get(digest).and_then(read::<Described>).and_then(|entry| entry.metadata).unwrap_or_default()
}

/// What each vertex is called here.
fn titles(digests: &[Digest], described: &Lookup<Digest, &Bytes>) -> Vec<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let last = digests.len().saturating_sub(1);
    let title = |(place, digest): (usize, &Digest)| {
        let metadata = metadata_of(digest, described);
        let stem = match metadata.description.get(CUSTOM_NAME) {
            Some(name) => stem(name),
            None if place == last => "result",
            None => "vertex",
        };
        let count = counts.entry(stem.to_owned()).or_default();
        *count += 1;
        // Only a stage has more than one vertex as a rule, so only there the first is numbered.
        match (stem.starts_with('%'), *count) {
            (false, 1) => stem.to_owned(),
            (_, count) => format!("{stem}.{count}"),
        }
    };
    digests.iter().enumerate().map(title).collect()
}

/// What a name starts with: `%venv` of `build.app-deps %venv: run …`.
fn stem(name: &str) -> &str {
    let place = name.split_once(": ").map_or(name, |(place, _)| place);
    place.rsplit(' ').next().unwrap_or(place)
}

fn metadata_text(out: &mut String, metadata: &pb::OpMetadata, locations: &pb::Locations) {
    for (key, value) in &metadata.description {
        let key = if key == CUSTOM_NAME { "name" } else { key };
        field(out, key, value);
    }
    if let Some(group) = &metadata.progress_group {
        field(out, "group", format_args!("{} ({})", group.id, group.name));
    }
    let needs: Vec<&str> =
        metadata.caps.iter().filter(|(_, needed)| **needed).map(|(id, _)| id.as_str()).collect();
    field(out, "needs", needs.join(" "));
    let lines: Vec<String> = locations
        .locations
        .iter()
        .flat_map(|location| &location.ranges)
        .map(|range| {
            let line = |position: Option<pb::Position>| position.map_or(0, |position| position.line);
            match (line(range.start), line(range.end)) {
                (first, last) if first == last => first.to_string(),
                (first, last) => format!("{first}-{last}"),
            }
        })
        .collect();
    if !lines.is_empty() {
        field(out, "lines", lines.join(" "));
    }
}

/// One line of a block.
fn field(out: &mut String, name: &str, value: impl std::fmt::Display) {
    say(out, format_args!("  {name} {value}\n"));
}

/// Adds to a text, which cannot fail.
fn say(out: &mut String, words: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(words);
}
