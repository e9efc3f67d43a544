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
use cogpack_content::Digest;
use prost::Message as _;

use crate::definition::CUSTOM_NAME;
use crate::{LlbImage, Needs};

/// The listing of an image.
pub fn listing(image: &LlbImage) -> String {
    let mut out = format!("llb for {}\n", image.platform);
    match pb::Definition::decode(image.definition.to_bytes().as_slice()) {
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

/// A vertex, read back.
struct Vertex {
    digest: String,
    op: Result<pb::Op, prost::DecodeError>,
    metadata: pb::OpMetadata,
    title: String,
}

fn definition_text(definition: &pb::Definition, out: &mut String) {
    let vertices = read(definition);
    let titles: BTreeMap<&str, &str> =
        vertices.iter().map(|vertex| (vertex.digest.as_str(), vertex.title.as_str())).collect();
    for vertex in &vertices {
        say(out, format_args!("\n{} = ", vertex.title));
        match &vertex.op {
            Ok(op) => ops::write(out, op, &titles),
            Err(error) => say(out, format_args!("not an op: {error}\n")),
        }
        metadata_text(out, vertex, definition.source.as_ref());
    }
    out.push_str("\ndigests\n");
    for vertex in &vertices {
        say(out, format_args!("  {} {}\n", vertex.digest, vertex.title));
    }
}

fn read(definition: &pb::Definition) -> Vec<Vertex> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let last = definition.def.len().saturating_sub(1);
    let mut vertices: Vec<Vertex> = Vec::with_capacity(definition.def.len());
    for (place, bytes) in definition.def.iter().enumerate() {
        let digest = Digest::of(bytes).to_string();
        let metadata = definition.metadata.get(&digest).cloned().unwrap_or_default();
        let stem = match metadata.description.get(CUSTOM_NAME) {
            Some(name) => stem(name),
            None if place == last => "result",
            None => "vertex",
        };
        let count = counts.entry(stem.to_owned()).or_default();
        *count += 1;
        // Only a stage has more than one vertex as a rule, so only there the first is numbered.
        let title = match (stem.starts_with('%'), *count) {
            (false, 1) => stem.to_owned(),
            (_, count) => format!("{stem}.{count}"),
        };
        vertices.push(Vertex { digest, op: pb::Op::decode(bytes.as_slice()), metadata, title });
    }
    vertices
}

/// What a name starts with: `%venv` of `build.app-deps %venv: run …`.
fn stem(name: &str) -> &str {
    let place = name.split_once(": ").map_or(name, |(place, _)| place);
    place.rsplit(' ').next().unwrap_or(place)
}

fn metadata_text(out: &mut String, vertex: &Vertex, source: Option<&pb::Source>) {
    let metadata = &vertex.metadata;
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
    let locations = source.and_then(|source| source.locations.get(&vertex.digest));
    let lines: Vec<String> = locations
        .into_iter()
        .flat_map(|locations| &locations.locations)
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
