//! The graph under construction.
//!
//! A vertex is encoded, hashed and checked the moment it is added, so a graph that exists is
//! sound: its inputs are there before it, and equal ops are one vertex. What is said about it
//! goes to the [`definition`](crate::definition), which may be written beside.

use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::thread::Scope;

use cogpack_content::{Digest, Platform};
use cogpack_ir::plan::Span;
use indexmap::IndexSet;

use crate::annotations::{DigestText, Group};
use crate::capability::{Capabilities, Capability};
use crate::check::{self, Breach};
use crate::definition::{Batch, Writing};
use crate::definition_bytes::DefinitionBytes;
use crate::source_map::SourceText;
use crate::wire::op::VertexId;
use crate::wire::{Op, encode};

/// Vertices in the order they were added, each after what it reads.
#[derive(Debug)]
pub(crate) struct Graph<'a> {
    platform: Platform,
    /// Whether nothing but sources may come out of a cache.
    ignores_caches: bool,
    /// The vertices' digests; the place of each is its vertex.
    vertices: IndexSet<Digest, BuildHasherDefault<FirstBytes>>,
    /// What the definition has not got yet.
    batch: Batch,
    definition: Writing<'a>,
}

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

/// What a vertex is called, and where the plan asks for it. None of it is hashed.
#[derive(Debug, Clone)]
pub(crate) struct Label {
    /// For people.
    pub(crate) name: String,
    /// The statement of the plan.
    pub(crate) span: Span,
    /// The group it is shown in.
    pub(crate) group: Option<Arc<Group>>,
}

/// A finished graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finished {
    /// A `pb.Definition`.
    pub(crate) definition: DefinitionBytes,
    /// The digests of its vertices in order, the terminal one last.
    pub(crate) digests: Arc<Vec<Digest>>,
}

impl<'a> Graph<'a> {
    /// A graph without a vertex, for one platform, of a plan with this text; with room for about
    /// so many vertices. `scope` is where its definition may be written.
    pub(crate) fn new(
        scope: &'a Scope<'a, '_>,
        platform: Platform,
        source: &'a SourceText,
        about: usize,
        ignores_caches: bool,
    ) -> Self {
        Self {
            platform,
            ignores_caches,
            vertices: IndexSet::with_capacity_and_hasher(about, BuildHasherDefault::default()),
            batch: Batch::with_room(),
            definition: Writing::begin(scope, source, about),
        }
    }

    /// Adds a vertex. Where the same op is there already, that one is the answer, and it keeps
    /// its name and gains a place.
    pub(crate) fn add(&mut self, op: &Op<'_>, label: Label) -> Result<VertexId, Breach> {
        check::op(op, self.vertices.len())?;
        if u32::try_from(self.vertices.len()).is_err() {
            return Err(Breach::TooManyVertices);
        }
        if self.batch.is_full() {
            let full = std::mem::replace(&mut self.batch, Batch::with_room());
            self.definition.add(full);
        }
        let inputs = op.inputs();
        // The check has seen that they are there.
        let digests = inputs.iter().map(|input| DigestText::of(&self.vertices[input.0 as usize]));
        let written = self.batch.ops.len();
        let digest = Digest::of(self.batch.ops.framed(1, |to| encode::op(to, op, &self.platform, digests)));
        let (place, is_new) = self.vertices.insert_full(digest);
        let id = VertexId(place as u32);
        if is_new {
            let mut capabilities = check::capabilities(op);
            // What sources give is known by its content, so it is asked for as ever.
            if self.ignores_caches && !matches!(op, Op::Source(_)) {
                capabilities.add(Capability::MetaIgnoreCache);
            }
            self.batch.vertex(capabilities, &label.name, label.group);
        } else {
            self.batch.ops.truncate(written);
        }
        self.batch.place(id, label.span);
        Ok(id)
    }

    /// Notes another place of the plan that asks for a vertex.
    pub(crate) fn also_at(&mut self, vertex: VertexId, span: Span) {
        self.batch.place(vertex, span);
    }

    /// Ends the graph with what is to be solved.
    pub(crate) fn finish(mut self, root: VertexId) -> Result<Finished, Breach> {
        let last = self.vertices.get_index(root.0 as usize).ok_or(Breach::MissingInput { vertex: root.0 })?;
        let last = DigestText::of(last);
        let terminal = Digest::of(self.batch.ops.framed(1, |to| encode::terminal(to, last.as_str())));
        let used = [Capability::Constraints, Capability::MetaDescription, Capability::Platform];
        let used: Capabilities =
            used.into_iter().chain(self.ignores_caches.then_some(Capability::MetaIgnoreCache)).collect();
        self.batch.vertex(used, "", None);
        self.definition.add(self.batch);
        let digests: Arc<Vec<Digest>> = Arc::new(self.vertices.into_iter().chain([terminal]).collect());
        Ok(Finished { definition: self.definition.end(Arc::clone(&digests)), digests })
    }
}
