//! Owners that a plan writes by name, and where a daemon looks each up.
//!
//! A daemon takes a name that it does not find for root's and tells nobody. Whoever can read files
//! of what a daemon makes can look before it does: [`lookups`] says into what, and for what. A
//! definition by itself cannot make a daemon look.

use std::collections::{BTreeMap, BTreeSet};

use bollard_buildkit_proto::pb;
use cogpack_content::Digest;
use cogpack_ir::plan::{Owner, Spanned};
use miette::{Diagnostic, SourceSpan};
use pb::file_action::Action;
use pb::user_opt::User;
use prost::Message as _;

use crate::LlbImage;

/// Owners by name that are looked up in one filesystem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnersByName {
    /// The vertex that is the filesystem.
    pub within: Digest,
    /// As the plan writes them, each where it does.
    pub owners: Vec<Spanned<Owner>>,
}

/// A filesystem to make, and what to look for in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup<'i> {
    /// The beginning of the image's definition: a `pb.Definition` that ends with the filesystem.
    pub definition: Vec<u8>,
    /// The owners that it must know.
    pub owners: &'i [Spanned<Owner>],
}

/// A warning: a definition that nobody looks after names an owner.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
#[error("nobody looks whether `{owner}` is there before this definition is solved")]
#[diagnostic(
    severity(Warning),
    code("cpk::llb::owner-name"),
    help("write the numbers, for instance `owner 1000:1000`; or build with `cogpackc build`, which looks")
)]
pub struct OwnerNotLookedUp {
    /// The owner.
    pub owner: Owner,
    /// Where the plan writes it.
    #[label("a daemon takes root for a name that it does not find")]
    pub span: Option<SourceSpan>,
}

/// The owners of images that a daemon looks up by itself.
pub fn not_looked_up(images: &[LlbImage]) -> Vec<OwnerNotLookedUp> {
    let mut found: Vec<OwnerNotLookedUp> = Vec::new();
    for owner in images.iter().flat_map(|image| &image.owners).flat_map(|it| &it.owners) {
        let one = OwnerNotLookedUp { owner: owner.value.clone(), span: owner.span.place() };
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

/// What an image's owners are looked up in, in rounds: a filesystem of one round has names in it
/// that were looked up in rounds before, and in no later ones.
pub fn lookups(image: &LlbImage) -> Vec<Vec<Lookup<'_>>> {
    if image.owners.is_empty() {
        return Vec::new();
    }
    let whole = Whole::of(image);
    let mut rounds: BTreeMap<usize, Vec<Lookup<'_>>> = BTreeMap::new();
    for OwnersByName { within, owners } in &image.owners {
        let end = within.to_string();
        let round = whole.rounds.get(&end).copied().unwrap_or_default();
        rounds.entry(round).or_default().push(Lookup { definition: whole.up_to(&end), owners });
    }
    rounds.into_values().collect()
}

/// A definition that was read back.
struct Whole {
    definition: pb::Definition,
    /// Its vertices in order, the terminal one apart, each with its inputs.
    vertices: Vec<(String, Vec<String>)>,
    /// How many ops with names, one after the other, it takes to come to a vertex.
    rounds: BTreeMap<String, usize>,
}

impl Whole {
    fn of(image: &LlbImage) -> Self {
        // Bytes that this backend wrote can be read.
        let definition = pb::Definition::decode(image.definition.to_bytes().as_slice()).unwrap_or_default();
        let mut vertices = Vec::with_capacity(image.digests.len());
        let mut rounds: BTreeMap<String, usize> = BTreeMap::new();
        let count = image.digests.len().saturating_sub(1);
        for (digest, bytes) in image.digests.iter().zip(&definition.def).take(count) {
            let op = pb::Op::decode(bytes.as_slice()).unwrap_or_default();
            let inputs: Vec<String> = op.inputs.iter().map(|input| input.digest.clone()).collect();
            let before = inputs.iter().filter_map(|input| rounds.get(input)).max().copied();
            let of_vertex = before.unwrap_or_default() + usize::from(names_an_owner(&op));
            rounds.insert(digest.to_string(), of_vertex);
            vertices.push((digest.to_string(), inputs));
        }
        Self { definition, vertices, rounds }
    }

    /// The definition of one of its vertices.
    fn up_to(&self, end: &str) -> Vec<u8> {
        let mut wanted = BTreeSet::from([end]);
        for (digest, inputs) in self.vertices.iter().rev() {
            if wanted.contains(digest.as_str()) {
                wanted.extend(inputs.iter().map(String::as_str));
            }
        }
        let ops = self.vertices.iter().zip(&self.definition.def);
        let mut ops: Vec<Vec<u8>> = ops
            .filter(|((digest, _), _)| wanted.contains(digest.as_str()))
            .map(|(_, op)| op.clone())
            .collect();
        let mut metadata = self.definition.metadata.clone();
        metadata.retain(|digest, _| wanted.contains(digest.as_str()));
        let input = pb::Input { digest: end.to_owned(), index: 0 };
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

/// Whether an op has a daemon look a name up.
fn names_an_owner(op: &pb::Op) -> bool {
    let Some(pb::op::Op::File(file)) = &op.op else { return false };
    let owners = file.actions.iter().filter_map(|action| match action.action.as_ref()? {
        Action::Copy(copy) => copy.owner.as_ref(),
        Action::Mkfile(made) => made.owner.as_ref(),
        Action::Mkdir(made) => made.owner.as_ref(),
        Action::Rm(_) | Action::Symlink(_) => None,
    });
    let mut parts = owners.flat_map(|owner| [&owner.user, &owner.group]).flatten();
    parts.any(|part| matches!(part.user, Some(User::ByName(_))))
}
