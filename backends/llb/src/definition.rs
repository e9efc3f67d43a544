//! A `Definition` that is being written: ops, then what is said of each, then the source map.
//!
//! Nothing here is hashed and nothing here decides what a vertex is, so it can be done beside
//! the walk that makes the vertices. They come in [`Batch`]es, and the bytes are the same
//! whoever writes them and when.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{Scope, ScopedJoinHandle};

use cogpack_content::Digest;
use cogpack_content::threads::joined;
use cogpack_ir::plan::Span;

use crate::annotations::{Annotations, Group, Names};
use crate::capability::Capabilities;
use crate::definition_bytes::{DefinitionBytes, Piece};
use crate::source_map::{self, LineIndex, Lines, SourceText};
use crate::wire::Writer;
use crate::wire::op::VertexId;

/// Vertices that were added one after the other, and places where the plan asks for them or for
/// earlier ones.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// The vertices' ops, framed as the definition's first field.
    pub(crate) ops: Writer,
    names: Names,
    places: Vec<(VertexId, Span)>,
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
    /// The ops of each batch as they came: they are much of a definition, and so not copied.
    ops: Vec<Piece>,
    names: Vec<Names>,
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
            names: Names::with_room(BATCH),
            places: Vec::with_capacity(BATCH),
        }
    }

    /// Whether it should be handed on.
    pub(crate) fn is_full(&self) -> bool {
        self.names.len() >= BATCH
    }

    /// Adds what is said of the vertex whose op was written last.
    pub(crate) fn vertex(&mut self, capabilities: Capabilities, name: &str, group: Option<Arc<Group>>) {
        self.names.add(name, capabilities, group);
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
    pub(crate) fn end(self, digests: Arc<Vec<Digest>>) -> DefinitionBytes {
        match self {
            Self::Here(assembly) => assembly.end(digests),
            Self::Beside { batches, thread } => {
                drop(batches);
                joined(thread).end(digests)
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
            names: Vec::with_capacity(about / BATCH + 1),
            places: Vec::with_capacity(about),
        }
    }

    fn add(&mut self, batch: Batch) {
        for (vertex, span) in &batch.places {
            self.places.extend(self.lines.lines(*span).map(|lines| (*vertex, lines)));
        }
        self.names.push(batch.names);
        self.ops.push(Piece::Bytes(batch.ops.into_bytes()));
    }

    fn end(self, digests: Arc<Vec<Digest>>) -> DefinitionBytes {
        let Self { source, ops: mut pieces, names, places, .. } = self;
        let annotations = Annotations::new(digests, names, places);
        pieces.extend(annotations.metadata().map(Piece::Said));
        let (before_text, behind_text) = source_map::info_around(2, source);
        let info = before_text.len() + source.text.len() + behind_text.len();
        let mut head = Writer::default();
        head.delimited(3, annotations.locations_length() + info);
        pieces.push(Piece::Bytes(head.into_bytes()));
        pieces.extend(annotations.locations().map(Piece::Said));
        pieces.extend([
            Piece::Bytes(before_text.into_bytes()),
            Piece::Text(Arc::clone(&source.text)),
            Piece::Bytes(behind_text.into_bytes()),
        ]);
        DefinitionBytes::new(pieces, annotations)
    }
}

/// Bytes of most ops; only a guess, so that growing seldom moves what is there.
const USUAL_OP: usize = 256;
