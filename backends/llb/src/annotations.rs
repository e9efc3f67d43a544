//! What a definition says of its vertices beside their ops: names, capabilities, groups, places.
//!
//! None of it is hashed, and written out it is half of a large definition. So it is kept as
//! values, and its bytes are made a piece at a time, for whoever asks for them.

use std::ops::Range;
use std::sync::Arc;

use cogpack_backends_contract::titles::push_shown;
use cogpack_content::Digest;

use crate::capability::{Capabilities, Capability};
use crate::source_map::Lines;
use crate::wire::Writer;
use crate::wire::op::VertexId;
use crate::wire::writer::delimited_length;

/// Vertices that a client shows as one.
#[derive(Debug)]
pub(crate) struct Group {
    /// Apart from those of all other groups; that is the caller's business.
    pub(crate) id: String,
    /// For people.
    pub(crate) name: String,
}

/// What is said of vertices that were added one after the other.
#[derive(Debug, Default)]
pub(crate) struct Names {
    vertices: Vec<Named>,
    /// Their names, one behind the other.
    text: String,
}

#[derive(Debug)]
struct Named {
    capabilities: Capabilities,
    /// Where its name ends in the text; it starts where the one before ends.
    end: usize,
    group: Option<Arc<Group>>,
}

/// What is said of all vertices.
#[derive(Debug, Default)]
pub(crate) struct Annotations {
    /// The digests of all vertices in order.
    digests: Arc<Vec<Digest>>,
    /// Each with the place of its first vertex among all.
    names: Vec<(usize, Names)>,
    /// Where the plan asks for each; sorted, none twice.
    places: Vec<(VertexId, Lines)>,
}

/// Some bytes of a definition that are made from annotations.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    /// The metadata of the vertices that were added together.
    Metadata(usize),
    /// The source map's part on vertices that these places are of.
    Locations(Range<usize>),
}

/// How many places make one part: their bytes stay in a processor's cache until they are used.
const PLACES: usize = 512;

impl Names {
    /// With room for so many.
    pub(crate) fn with_room(vertices: usize) -> Self {
        Self { vertices: Vec::with_capacity(vertices), text: String::with_capacity(vertices * USUAL_NAME) }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.vertices.len()
    }

    /// Adds what is said of the next vertex.
    pub(crate) fn add(&mut self, name: &str, capabilities: Capabilities, group: Option<Arc<Group>>) {
        push_shown(&mut self.text, name);
        self.vertices.push(Named { capabilities, end: self.text.len(), group });
    }
}

impl Annotations {
    /// Of vertices with these digests.
    pub(crate) fn new(
        digests: Arc<Vec<Digest>>,
        names: Vec<Names>,
        mut places: Vec<(VertexId, Lines)>,
    ) -> Self {
        places.sort_unstable();
        places.dedup();
        let mut first = 0;
        let numbered = |names: Names| {
            let behind = first + names.len();
            (std::mem::replace(&mut first, behind), names)
        };
        Self { digests, names: names.into_iter().map(numbered).collect(), places }
    }

    /// The parts that are the definition's metadata, in order.
    pub(crate) fn metadata(&self) -> impl Iterator<Item = Part> {
        (0..self.names.len()).map(Part::Metadata)
    }

    /// The parts that are the source map's locations, in order.
    pub(crate) fn locations(&self) -> impl Iterator<Item = Part> {
        let mut start = 0;
        std::iter::from_fn(move || {
            let (last, _) = *self.places.get(start..)?.iter().take(PLACES).next_back()?;
            // A vertex's places stay together.
            let end = start + self.places[start..].partition_point(|(vertex, _)| *vertex <= last);
            Some(Part::Locations(std::mem::replace(&mut start, end)..end))
        })
    }

    /// How many bytes the locations are.
    pub(crate) fn locations_length(&self) -> usize {
        let of_one = |places: &[(VertexId, Lines)]| {
            let lines: usize = places.iter().map(|(_, lines)| lines.location_length(1)).sum();
            delimited_length(1, delimited_length(1, DIGEST_TEXT) + delimited_length(2, lines))
        };
        self.places.chunk_by(is_of_one_vertex).map(of_one).sum()
    }

    /// The bytes of a part.
    pub(crate) fn written(&self, part: &Part) -> Vec<u8> {
        match part {
            Part::Metadata(batch) => {
                self.names.get(*batch).map(|(first, names)| self.written_metadata(*first, names))
            }
            Part::Locations(range) => {
                self.places.get(range.clone()).map(|places| self.written_locations(places))
            }
        }
        .unwrap_or_default()
        .into_bytes()
    }

    fn written_metadata(&self, first: usize, names: &Names) -> Writer {
        let mut to = Writer::with_room(names.len() * USUAL_METADATA + names.text.len());
        let mut start = 0;
        for (vertex, digest) in names.vertices.iter().zip(&self.digests[first..]) {
            let name = &names.text[std::mem::replace(&mut start, vertex.end)..vertex.end];
            to.message(2, |to| {
                to.text(1, DigestText::of(digest).as_str());
                to.message(2, |to| write_metadata(to, name, vertex.capabilities, vertex.group.as_deref()));
            });
        }
        to
    }

    fn written_locations(&self, places: &[(VertexId, Lines)]) -> Writer {
        let mut to = Writer::with_room(places.len() * USUAL_LOCATION);
        for of_one in places.chunk_by(is_of_one_vertex) {
            to.message(1, |to| {
                to.text(1, DigestText::of(&self.digests[of_one[0].0.0 as usize]).as_str());
                to.message(2, |to| of_one.iter().for_each(|(_, lines)| lines.write_location(to, 1)));
            });
        }
        to
    }
}

fn is_of_one_vertex(one: &(VertexId, Lines), next: &(VertexId, Lines)) -> bool {
    one.0 == next.0
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

/// `sha256:` and 64 digits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DigestText([u8; DIGEST_TEXT]);

/// How long that is.
const DIGEST_TEXT: usize = 71;

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

/// Bytes of most names; only a guess, as are the others, so that growing seldom moves what is there.
const USUAL_NAME: usize = 64;

/// Bytes of most vertices' metadata beside their names.
const USUAL_METADATA: usize = 160;

/// Bytes of most vertices' places.
const USUAL_LOCATION: usize = 96;

/// The key under which clients look for a vertex's name.
pub(crate) const CUSTOM_NAME: &str = "llb.customname";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source_map::LineIndex;

    #[test]
    fn a_vertex_has_its_places_in_one_part() {
        let text = "\n".repeat(3 * PLACES);
        let index = LineIndex::of(&text);
        let digests: Vec<Digest> = (0..3_u8).map(|place| Digest::of(&[place])).collect();
        let line = |at| index.lines(cogpack_ir::plan::Span::new(at, at + 1));
        let places = (0..3 * PLACES).filter_map(|at| Some((VertexId(at as u32 % 3), line(at)?)));
        let annotations = Annotations::new(Arc::new(digests), Vec::new(), places.collect());
        let parts: Vec<Vec<u8>> = annotations.locations().map(|part| annotations.written(&part)).collect();
        assert_eq!(parts.iter().map(Vec::len).sum::<usize>(), annotations.locations_length());
        let digest_texts = parts.iter().map(|part| part.windows(7).filter(|it| it == b"sha256:").count());
        assert_eq!(digest_texts.collect::<Vec<_>>(), [1, 1, 1]);
        assert_eq!(annotations.metadata().count(), 0);
    }
}
