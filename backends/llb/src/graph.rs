//! The graph under construction, and the `Definition` it becomes.
//!
//! A vertex is encoded, hashed and checked the moment it is added, so a graph that exists is
//! sound: its inputs are there before it, and equal ops are one vertex.

#![expect(clippy::disallowed_types, reason = "one map of digests is looked into and never listed")]

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use cogpack_content::{Digest, Platform};

use crate::capability::{Capabilities, Capability};
use crate::check::{self, Breach};
use crate::source_map::{self, Lines, SourceText};
use crate::wire::op::VertexId;
use crate::wire::{Op, Writer, encode};

/// Vertices in the order they were added, each after what it reads.
#[derive(Debug)]
pub(crate) struct Graph {
    platform: Platform,
    vertices: Vec<Vertex>,
    /// The vertices' bytes, already framed as the definition's first field.
    framed: Writer,
    /// Looked up and never walked, so its order reaches no output.
    by_digest: HashMap<Digest, VertexId, BuildHasherDefault<FirstBytes>>,
    places: Vec<(VertexId, Lines)>,
    groups: Vec<Group>,
    /// The names of all vertices, one behind the other.
    names: String,
    /// Room for one op, kept between ops.
    room: Writer,
}

#[derive(Debug)]
struct Vertex {
    digest: Digest,
    capabilities: Capabilities,
    /// Where its name ends among the names; it starts where the one before ends.
    name_end: usize,
    group: Option<GroupId>,
}

/// `sha256:` and 64 digits.
#[derive(Debug, Clone, Copy)]
struct DigestText([u8; 71]);

/// Hashes a digest by taking its first bytes: it is one already.
#[derive(Debug, Default)]
struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Vertices that a client shows as one.
#[derive(Debug)]
struct Group {
    id: String,
    name: String,
}

/// The place of a group in its graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GroupId(usize);

/// What a vertex is called, and where the plan asks for it. None of it is hashed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Label {
    /// For people.
    pub(crate) name: String,
    /// The plan's lines.
    pub(crate) lines: Option<Lines>,
    /// The group it is shown in.
    pub(crate) group: Option<GroupId>,
}

/// A finished graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finished {
    /// A `pb.Definition`.
    pub(crate) definition: Vec<u8>,
    /// The digests of its vertices in order, the terminal one last.
    pub(crate) digests: Vec<Digest>,
}

impl Graph {
    /// A graph without a vertex, for one platform, with room for about so many, and for a source
    /// of so many bytes.
    pub(crate) fn new(platform: Platform, about: usize, source: usize) -> Self {
        Self {
            platform,
            vertices: Vec::with_capacity(about),
            // Room that is never written to costs nothing, and moving what was written does.
            framed: Writer::with_room(about * (USUAL_OP + USUAL_METADATA) + source),
            by_digest: HashMap::with_capacity_and_hasher(about, BuildHasherDefault::default()),
            places: Vec::with_capacity(about),
            groups: Vec::new(),
            names: String::with_capacity(about * USUAL_NAME),
            room: Writer::default(),
        }
    }

    /// Adds a vertex. Where the same op is there already, that one is the answer, and it keeps
    /// its name and gains a place.
    pub(crate) fn add(&mut self, op: &Op<'_>, label: Label) -> Result<VertexId, Breach> {
        check::op(op, self.vertices.len())?;
        let inputs = op.inputs();
        let digests = inputs.iter().map(|input| DigestText::of(&self.vertices[input.0 as usize].digest));
        self.room.clear();
        encode::op(&mut self.room, op, &self.platform, digests);
        let digest = Digest::of(self.room.as_bytes());
        let next = VertexId(u32::try_from(self.vertices.len()).map_err(|_| Breach::TooManyVertices)?);
        let id = *self.by_digest.entry(digest).or_insert(next);
        if id == next {
            self.framed.element(1, self.room.as_bytes());
            self.names.push_str(&label.name);
            self.vertices.push(Vertex {
                digest,
                capabilities: check::capabilities(op),
                name_end: self.names.len(),
                group: label.group,
            });
        }
        self.places.extend(label.lines.map(|lines| (id, lines)));
        Ok(id)
    }

    /// Notes another place of the plan that asks for a vertex.
    pub(crate) fn also_at(&mut self, vertex: VertexId, lines: Option<Lines>) {
        self.places.extend(lines.map(|lines| (vertex, lines)));
    }

    /// A group of this id; ids are the caller's to keep apart.
    pub(crate) fn group(&mut self, id: String, name: String) -> GroupId {
        self.groups.push(Group { id, name });
        GroupId(self.groups.len() - 1)
    }

    /// Ends the graph with what is to be solved.
    pub(crate) fn finish(mut self, root: VertexId, source: &SourceText) -> Result<Finished, Breach> {
        let last = self.vertices.get(root.0 as usize).ok_or(Breach::MissingInput { vertex: root.0 })?;
        self.room.clear();
        encode::terminal(&mut self.room, DigestText::of(&last.digest).as_str());
        self.framed.element(1, self.room.as_bytes());
        let terminal = Digest::of(self.room.as_bytes());

        let mut definition = self.framed;
        let mut name_start = 0;
        for vertex in &self.vertices {
            let name = &self.names[name_start..vertex.name_end];
            let group = vertex.group.map(|id| &self.groups[id.0]);
            name_start = vertex.name_end;
            definition.message(2, |to| {
                to.text(1, DigestText::of(&vertex.digest).as_str());
                to.message(2, |to| write_metadata(to, name, vertex.capabilities, group));
            });
        }
        definition.message(2, |to| {
            to.text(1, DigestText::of(&terminal).as_str());
            let used = [Capability::Constraints, Capability::MetaDescription, Capability::Platform];
            to.message(2, |to| write_metadata(to, "", used.into_iter().collect(), None));
        });

        self.places.sort_unstable();
        self.places.dedup();
        definition.message(3, |to| {
            for of_one in self.places.chunk_by(|one, next| one.0 == next.0) {
                to.message(1, |to| {
                    let digest = &self.vertices[of_one[0].0.0 as usize].digest;
                    to.text(1, DigestText::of(digest).as_str());
                    to.message(2, |to| of_one.iter().for_each(|(_, lines)| lines.write_location(to, 1)));
                });
            }
            source_map::write_info(to, 2, source);
        });
        let digests = self.vertices.iter().map(|vertex| vertex.digest).chain([terminal]).collect();
        Ok(Finished { definition: definition.into_bytes(), digests })
    }
}

impl AsRef<str> for DigestText {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl DigestText {
    fn of(digest: &Digest) -> Self {
        let mut text = *b"sha256:0000000000000000000000000000000000000000000000000000000000000000";
        text[7..].copy_from_slice(&digest.hex_digits());
        Self(text)
    }

    fn as_str(&self) -> &str {
        // Nothing but ASCII was put in.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

fn write_metadata(to: &mut Writer, name: &str, capabilities: Capabilities, group: Option<&Group>) {
    if !name.is_empty() {
        to.message(2, |to| {
            to.text(1, CUSTOM_NAME);
            to.text(2, name);
        });
    }
    for capability in capabilities.iter() {
        to.message(5, |to| {
            to.text(1, capability.id());
            to.flag(2, true);
        });
    }
    if let Some(group) = group {
        to.message(6, |to| {
            to.text(1, &group.id);
            to.text(2, &group.name);
        });
    }
}

/// Bytes of most ops; only a guess, so that growing seldom moves what is there.
const USUAL_OP: usize = 256;

/// Bytes of most names.
const USUAL_NAME: usize = 64;

/// Bytes of most vertices' metadata and places.
const USUAL_METADATA: usize = 288;

/// The key under which clients look for a vertex's name.
pub(crate) const CUSTOM_NAME: &str = "llb.customname";
