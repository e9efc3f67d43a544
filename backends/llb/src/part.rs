//! Definitions of just one vertex of another definition.

use std::collections::BTreeSet;

use bollard_buildkit_proto::pb;
use cogpack_content::Digest;
use prost::Message as _;

use crate::LlbImage;

/// A definition that was read back.
pub(crate) struct Whole {
    definition: pb::Definition,
    /// Its vertices in order, the terminal one apart.
    pub(crate) vertices: Vec<(String, pb::Op)>,
}

impl Whole {
    pub(crate) fn of(image: &LlbImage) -> Self {
        // Bytes that this backend wrote can be read.
        let definition = pb::Definition::decode(image.definition.to_bytes().as_slice()).unwrap_or_default();
        let count = image.digests.len().saturating_sub(1);
        let read = |(digest, bytes): (&Digest, &Vec<u8>)| {
            (digest.to_string(), pb::Op::decode(bytes.as_slice()).unwrap_or_default())
        };
        let vertices = image.digests.iter().zip(&definition.def).take(count).map(read).collect();
        Self { definition, vertices }
    }

    /// The definition of one of its vertices: a `pb.Definition` that ends with it.
    pub(crate) fn up_to(&self, end: Digest) -> Vec<u8> {
        let end = end.to_string();
        let mut wanted = BTreeSet::from([end.as_str()]);
        for (digest, op) in self.vertices.iter().rev() {
            if wanted.contains(digest.as_str()) {
                wanted.extend(op.inputs.iter().map(|input| input.digest.as_str()));
            }
        }
        let ops = self.vertices.iter().zip(&self.definition.def);
        let mut ops: Vec<Vec<u8>> = ops
            .filter(|((digest, _), _)| wanted.contains(digest.as_str()))
            .map(|(_, op)| op.clone())
            .collect();
        let mut metadata = self.definition.metadata.clone();
        metadata.retain(|digest, _| wanted.contains(digest.as_str()));
        let input = pb::Input { digest: end.clone(), index: 0 };
        let terminal = pb::Op { inputs: vec![input], ..pb::Op::default() }.encode_to_vec();
        if let Some(of_terminal) = self.of_terminal() {
            metadata.insert(Digest::of(&terminal).to_string(), of_terminal);
        }
        ops.push(terminal);
        let mut source = self.definition.source.clone();
        if let Some(source) = &mut source {
            source.locations.retain(|digest, _| wanted.contains(digest.as_str()));
        }
        pb::Definition { def: ops, metadata, source }.encode_to_vec()
    }

    /// What the definition says of its own terminal vertex: what it takes to read it.
    fn of_terminal(&self) -> Option<pb::OpMetadata> {
        let terminal = Digest::of(self.definition.def.last()?);
        self.definition.metadata.get(&terminal.to_string()).cloned()
    }
}
