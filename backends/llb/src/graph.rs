//! The graph under construction, and the `Definition` it becomes.
//!
//! A vertex is encoded, hashed and checked the moment it is added, so a graph that exists is
//! sound: its inputs are there before it, and equal ops are one vertex.

use std::collections::HashMap;

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
    by_digest: HashMap<Digest, VertexId>,
    places: Vec<(VertexId, Lines)>,
    groups: Vec<Group>,
    /// Room for one op, kept between ops.
    room: Writer,
}

#[derive(Debug)]
struct Vertex {
    /// `sha256:` and 64 digits.
    digest: String,
    capabilities: Capabilities,
    name: String,
    group: Option<GroupId>,
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
    pub(crate) digests: Vec<String>,
}

impl Graph {
    /// A graph without a vertex, for one platform.
    pub(crate) fn new(platform: Platform) -> Self {
        Self {
            platform,
            vertices: Vec::new(),
            framed: Writer::default(),
            by_digest: HashMap::new(),
            places: Vec::new(),
            groups: Vec::new(),
            room: Writer::default(),
        }
    }

    /// Adds a vertex. Where the same op is there already, that one is the answer, and it keeps
    /// its name and gains a place.
    pub(crate) fn add(&mut self, op: &Op<'_>, label: Label) -> Result<VertexId, Breach> {
        check::op(op, self.vertices.len())?;
        let inputs = op.inputs();
        let digests = inputs.iter().map(|input| self.vertices[input.0 as usize].digest.as_str());
        self.room.clear();
        encode::op(&mut self.room, op, &self.platform, digests);
        let digest = Digest::of(self.room.as_bytes());
        let next = VertexId(u32::try_from(self.vertices.len()).map_err(|_| Breach::TooManyVertices)?);
        let id = *self.by_digest.entry(digest).or_insert(next);
        if id == next {
            self.framed.element(1, self.room.as_bytes());
            let capabilities = check::capabilities(op);
            self.vertices.push(Vertex {
                digest: format!("sha256:{}", digest.hex()),
                capabilities,
                name: label.name,
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
        encode::terminal(&mut self.room, &last.digest);
        self.framed.element(1, self.room.as_bytes());
        let digest = Digest::of(self.room.as_bytes()).to_string();
        let mut digests = Vec::with_capacity(self.vertices.len() + 1);

        let mut definition = self.framed;
        for vertex in self.vertices {
            definition.message(2, |to| {
                to.text(1, &vertex.digest);
                to.message(2, |to| {
                    write_metadata(
                        to,
                        &vertex.name,
                        vertex.capabilities,
                        vertex.group.map(|id| &self.groups[id.0]),
                    );
                });
            });
            digests.push(vertex.digest);
        }
        definition.message(2, |to| {
            to.text(1, &digest);
            let used = [Capability::Constraints, Capability::MetaDescription, Capability::Platform];
            to.message(2, |to| write_metadata(to, "", used.into_iter().collect(), None));
        });

        self.places.sort_unstable();
        self.places.dedup();
        definition.message(3, |to| {
            for of_one in self.places.chunk_by(|one, next| one.0 == next.0) {
                to.message(1, |to| {
                    to.text(1, &digests[of_one[0].0.0 as usize]);
                    to.message(2, |to| of_one.iter().for_each(|(_, lines)| lines.write_location(to, 1)));
                });
            }
            source_map::write_info(to, 2, source);
        });
        digests.push(digest);
        Ok(Finished { definition: definition.into_bytes(), digests })
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

/// The key under which clients look for a vertex's name.
pub(crate) const CUSTOM_NAME: &str = "llb.customname";
