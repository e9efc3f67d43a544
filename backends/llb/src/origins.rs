//! From what a daemon reports back to the plan: which vertex is which op on which lines.
//!
//! Read from the definition's own names and source map, so nothing is kept beside the bytes.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use bollard_buildkit_proto::pb;
use cogpack_content::Digest;
use prost::Message as _;

use crate::LlbImage;
use crate::annotations::CUSTOM_NAME;

/// Where a vertex comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The whole name, as clients show it: `build.app-deps %venv: run make`.
    pub name: String,
    /// The phase of its stage; `None` for inputs, and for stages in no phase.
    pub phase: Option<String>,
    /// Its stage, input or phase as the plan writes it: `%venv`, `@source`.
    pub place: String,
    /// What it does, in the plan's words and shortened: `run make`.
    pub what: String,
    /// The plan's lines that ask for it, counted from 1; several where equal ops are one vertex.
    pub lines: Vec<RangeInclusive<u32>>,
    /// The layer or op whose vertices are shown as one, where there are several.
    pub group: Option<Group>,
}

/// Vertices that belong together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// Equal for all of them, and for no others.
    pub id: String,
    /// For people.
    pub name: String,
}

/// The origins of an image's vertices by digest; the terminal one, which does nothing, is no
/// line's.
pub fn origins(image: &LlbImage) -> BTreeMap<Digest, Origin> {
    // Bytes that this backend wrote can be read, and what cannot has no origin.
    let definition = pb::Definition::decode(image.definition.to_bytes().as_slice()).unwrap_or_default();
    let vertices = image.digests.iter().take(image.digests.len().saturating_sub(1));
    vertices
        .filter_map(|digest| {
            let text = digest.to_string();
            let metadata = definition.metadata.get(&text)?;
            let locations = definition.source.as_ref().and_then(|source| source.locations.get(&text));
            Some((*digest, origin(metadata, locations)))
        })
        .collect()
}

fn origin(metadata: &pb::OpMetadata, locations: Option<&pb::Locations>) -> Origin {
    let name = metadata.description.get(CUSTOM_NAME).cloned().unwrap_or_default();
    // `build.app-deps %venv: run make`, `image @base: debian`, `merge phase build.parts`.
    let (head, what) = name.split_once(": ").unwrap_or((&name, &name));
    let (before, place) = head.rsplit_once(' ').unwrap_or(("", head));
    let is_of_a_stage = place.starts_with('%') && !before.is_empty();
    let lines = locations.into_iter().flat_map(|locations| &locations.locations);
    Origin {
        phase: is_of_a_stage.then(|| before.to_owned()),
        place: place.to_owned(),
        what: what.to_owned(),
        lines: lines.flat_map(|location| &location.ranges).filter_map(lines_of).collect(),
        group: metadata
            .progress_group
            .as_ref()
            .map(|group| Group { id: group.id.clone(), name: group.name.clone() }),
        name,
    }
}

fn lines_of(range: &pb::Range) -> Option<RangeInclusive<u32>> {
    let [first, last] = [range.start, range.end].map(|position| u32::try_from(position?.line).ok());
    Some(first?..=last?)
}
