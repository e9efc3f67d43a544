//! The vertices of a graph: which line of the plan each is of, what it is, and whether a daemon ran it.

use std::collections::{BTreeMap, BTreeSet};

use bollard_buildkit_proto::pb;
use cogpack_backends_llb::origins::Origin;
use cogpack_backends_llb::{LlbImage, origins};
use cogpack_content::Digest;
use cogpack_io_buildkit::update::Update;
use prost::Message as _;

/// A vertex that does what an op says. Images and contexts do not, nor does what lays layers one over the
/// other, and what only looks at files first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vertex {
    /// What daemons call it.
    pub digest: Digest,
    /// A digest of what it says and stands on, in which a directory of the client's is the same
    /// whatever is used of it and whatever it is called.
    pub own: Digest,
    /// The first line of each op that is in it.
    pub lines: BTreeSet<u32>,
}

/// The vertices of an image that ops ask for, in the order of the definition.
pub fn vertices(image: &LlbImage) -> Vec<Vertex> {
    let definition =
        pb::Definition::decode(image.definition.to_bytes().as_slice()).expect("it is a definition");
    let origins = origins(image);
    let mut own: BTreeMap<String, Digest> = BTreeMap::new();
    let mut vertices = Vec::new();
    for (bytes, digest) in definition.def.iter().zip(image.digests.iter()) {
        let mut op = pb::Op::decode(bytes.as_slice()).expect("it is an op");
        if let Some(pb::op::Op::Source(source)) = &mut op.op
            && source.identifier.starts_with("local://")
        {
            *source = pb::SourceOp { identifier: "local://".to_owned(), ..pb::SourceOp::default() };
        }
        for input in &mut op.inputs {
            input.digest = own[&input.digest].to_string();
        }
        let of_it = Digest::of(&op.encode_to_vec());
        own.insert(digest.to_string(), of_it);
        let changes_files = matches!(op.op, Some(pb::op::Op::Exec(_) | pb::op::Op::File(_)));
        let is_an_op = |origin: &&Origin| {
            changes_files && origin.place.starts_with('%') && is_named_for_an_op(&origin.what)
        };
        let Some(origin) = origins.get(digest).filter(is_an_op) else { continue };
        let lines = origin.lines.iter().map(|lines| *lines.start()).collect();
        vertices.push(Vertex { digest: *digest, own: of_it, lines });
    }
    vertices
}

/// Whether this is the name of an op, and not of what serves one.
fn is_named_for_an_op(what: &str) -> bool {
    let keyword = what.split(' ').next().unwrap_or_default();
    matches!(keyword, "run" | "exec" | "copy" | "file" | "mkdir" | "symlink" | "remove" | "workdir")
}

/// The vertices that were made, and not found in a cache.
///
/// One that stands on nothing is told to begin and to end when its key is asked for, and again when it
/// is made; so it was made where it began twice. Older daemons tell of both in one word where they
/// come quickly, so there nobody knows.
pub fn ran(told: &[Update]) -> BTreeSet<String> {
    let mut began: BTreeMap<&str, BTreeSet<i64>> = BTreeMap::new();
    let mut asked = BTreeSet::new();
    let mut found = BTreeSet::new();
    for update in told {
        let Update::Vertex { digest, inputs, started: Some(started), cached, .. } = update else { continue };
        if *cached {
            found.insert(digest.clone());
        }
        if inputs.is_empty() {
            asked.insert(digest.as_str());
        }
        began.entry(digest).or_default().insert(*started);
    }
    let ran = began.into_iter().filter(|(digest, began)| began.len() > usize::from(asked.contains(digest)));
    let ran: BTreeSet<String> = ran.map(|(digest, _)| digest.to_owned()).collect();
    &ran - &found
}
