//! A `Definition` that is being written: ops, then what is said of each, then the source map.
//!
//! Nothing here is hashed and nothing here decides what a vertex is, so it can be done beside
//! the walk that makes the vertices. They come in [`Batch`]es, and the bytes are the same
//! whoever writes them and when.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{Scope, ScopedJoinHandle};

use cogpack_content::Digest;
use cogpack_content::threads::{both, joined};
use cogpack_ir::plan::Span;

use crate::capability::{Capabilities, Capability};
use crate::definition_bytes::DefinitionBytes;
use crate::source_map::{self, LineIndex, Lines, SourceText};
use crate::wire::Writer;
use crate::wire::op::VertexId;

/// `sha256:` and 64 digits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DigestText([u8; 71]);

/// Vertices that a client shows as one.
#[derive(Debug)]
pub(crate) struct Group {
    /// Apart from those of all other groups; that is the caller's business.
    pub(crate) id: String,
    /// For people.
    pub(crate) name: String,
}

/// Vertices that were added one after the other, and places where the plan asks for them or for
/// earlier ones.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// The vertices' ops, framed as the definition's first field.
    pub(crate) ops: Writer,
    vertices: Vec<Vertex>,
    /// Their names, one behind the other.
    names: String,
    places: Vec<(VertexId, Span)>,
}

#[derive(Debug)]
struct Vertex {
    digest: Digest,
    capabilities: Capabilities,
    /// Where its name ends among the names; it starts where the one before ends.
    name_end: usize,
    group: Option<Arc<Group>>,
}

/// Who writes a definition.
#[derive(Debug)]
pub(crate) enum Writing<'a> {
    /// Who adds the vertices.
    Here(Assembly<'a>),
    /// A thread of its own, which ends when nothing can be sent to it any more.
    Beside { batches: SyncSender<Batch>, thread: ScopedJoinHandle<'a, Assembly<'a>> },
}

/// What has been written.
#[derive(Debug)]
pub(crate) struct Assembly<'t> {
    source: &'t SourceText,
    lines: LineIndex<'t>,
    /// The ops of each batch as they came: they are most of a definition, and so not copied.
    ops: Vec<Vec<u8>>,
    metadata: Writer,
    places: Vec<(VertexId, Lines)>,
}

/// From how many vertices on a thread pays.
const WORTH_A_THREAD: usize = 1_000;

/// How many vertices go together: enough that handing them over costs nothing, and so few that
/// they are still in a processor's cache when they are written.
const BATCH: usize = 256;

/// How many batches may wait. More would only fill memory.
const WAITING: usize = 16;

impl Batch {
    /// A batch with room for what comes.
    pub(crate) fn with_room() -> Self {
        Self {
            ops: Writer::with_room(BATCH * USUAL_OP),
            vertices: Vec::with_capacity(BATCH),
            names: String::with_capacity(BATCH * USUAL_NAME),
            places: Vec::with_capacity(BATCH),
        }
    }

    /// Whether it should be handed on.
    pub(crate) fn is_full(&self) -> bool {
        self.vertices.len() >= BATCH
    }

    /// Adds what is said of the vertex whose op was written last.
    pub(crate) fn vertex(
        &mut self,
        digest: Digest,
        capabilities: Capabilities,
        name: &str,
        group: Option<Arc<Group>>,
    ) {
        self.names.push_str(name);
        self.vertices.push(Vertex { digest, capabilities, name_end: self.names.len(), group });
    }

    /// Adds a place that asks for a vertex of this batch or of one before.
    pub(crate) fn place(&mut self, vertex: VertexId, span: Span) {
        self.places.push((vertex, span));
    }
}

impl<'a> Writing<'a> {
    /// Begins a definition of about so many vertices. It is written in `scope` where that pays.
    pub(crate) fn begin(scope: &'a Scope<'a, '_>, source: &'a SourceText, about: usize) -> Self {
        if about < WORTH_A_THREAD {
            return Self::Here(Assembly::new(source, about));
        }
        let (batches, received) = sync_channel(WAITING);
        let thread = scope.spawn(move || {
            let mut assembly = Assembly::new(source, about);
            received.into_iter().for_each(|batch| assembly.add(batch));
            assembly
        });
        Self::Beside { batches, thread }
    }

    /// Adds a batch behind those before it.
    pub(crate) fn add(&mut self, batch: Batch) {
        match self {
            Self::Here(assembly) => assembly.add(batch),
            // It is only gone where it has panicked, which the end brings to light.
            Self::Beside { batches, .. } => drop(batches.send(batch)),
        }
    }

    /// Ends the definition; `digests` are those of all its vertices.
    pub(crate) fn end(self, digests: &[Digest]) -> DefinitionBytes {
        match self {
            Self::Here(assembly) => assembly.end(digests, false),
            Self::Beside { batches, thread } => {
                drop(batches);
                joined(thread).end(digests, true)
            }
        }
    }
}

impl<'t> Assembly<'t> {
    fn new(source: &'t SourceText, about: usize) -> Self {
        Self {
            source,
            lines: LineIndex::of(&source.text),
            ops: Vec::with_capacity(about / BATCH + 1),
            // Room that is never written to costs nothing, and moving what was written does.
            metadata: Writer::with_room(about * USUAL_METADATA),
            places: Vec::with_capacity(about),
        }
    }

    fn add(&mut self, batch: Batch) {
        let mut name_start = 0;
        for vertex in &batch.vertices {
            let name = &batch.names[name_start..vertex.name_end];
            name_start = vertex.name_end;
            self.metadata.message(2, |to| {
                to.text(1, DigestText::of(&vertex.digest).as_str());
                to.message(2, |to| write_metadata(to, name, vertex.capabilities, vertex.group.as_deref()));
            });
        }
        for (vertex, span) in &batch.places {
            self.places.extend(self.lines.lines(*span).map(|lines| (*vertex, lines)));
        }
        self.ops.push(batch.ops.into_bytes());
    }

    fn end(self, digests: &[Digest], worth_a_thread: bool) -> DefinitionBytes {
        let Self { source, ops: mut pieces, metadata, mut places, .. } = self;
        places.sort_unstable();
        places.dedup();
        let (first, second) = places.split_at(boundary_near_the_middle(&places));
        let (first, second) =
            both(worth_a_thread, || locations(first, digests), || locations(second, digests));
        let mut info = Writer::default();
        source_map::write_info(&mut info, 2, source);
        let mut head = Writer::default();
        head.delimited(3, first.len() + second.len() + info.len());
        pieces.extend([metadata, head, first, second, info].map(Writer::into_bytes));
        DefinitionBytes::from(pieces)
    }
}

/// About the middle of sorted places, where one vertex ends and the next begins.
fn boundary_near_the_middle(places: &[(VertexId, Lines)]) -> usize {
    let middle = places.len() / 2;
    let vertex = places.get(middle).map(|(vertex, _)| *vertex);
    places.partition_point(|(earlier, _)| Some(*earlier) < vertex)
}

/// The source map's part on vertices whose places these are, sorted.
fn locations(places: &[(VertexId, Lines)], digests: &[Digest]) -> Writer {
    let mut locations = Writer::with_room(places.len() * USUAL_LOCATION);
    for of_one in places.chunk_by(|one, next| one.0 == next.0) {
        locations.message(1, |to| {
            to.text(1, DigestText::of(&digests[of_one[0].0.0 as usize]).as_str());
            to.message(2, |to| of_one.iter().for_each(|(_, lines)| lines.write_location(to, 1)));
        });
    }
    locations
}

impl AsRef<str> for DigestText {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl DigestText {
    /// The text of a digest.
    pub(crate) fn of(digest: &Digest) -> Self {
        let mut text = *b"sha256:0000000000000000000000000000000000000000000000000000000000000000";
        text[7..].copy_from_slice(&digest.hex_digits());
        Self(text)
    }

    /// The same, to be read.
    pub(crate) fn as_str(&self) -> &str {
        // Nothing but ASCII was put in.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

fn write_metadata(to: &mut Writer, name: &str, capabilities: Capabilities, group: Option<&Group>) {
    // Only what is made anew says so; that the last vertex does, which makes nothing, tells a daemon
    // what it must know of.
    to.flag(1, capabilities.has(Capability::MetaIgnoreCache));
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

/// Bytes of most vertices' places.
const USUAL_LOCATION: usize = 96;

/// The key under which clients look for a vertex's name.
pub(crate) const CUSTOM_NAME: &str = "llb.customname";
