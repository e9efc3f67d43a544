//! Owners that a plan writes by name, and where a daemon looks each up.
//!
//! A daemon takes a name that it does not find for root's and tells nobody. Whoever can read files
//! of what a daemon makes can look before it does: [`lookups`] says into what, and for what. A
//! definition by itself cannot make a daemon look.

use std::collections::BTreeMap;

use bollard_buildkit_proto::pb;
use cogpack_content::Digest;
use cogpack_ir::plan::{Owner, Spanned};
use miette::{Diagnostic, SourceSpan};
use pb::file_action::Action;
use pb::user_opt::User;

use crate::LlbImage;
use crate::part::Whole;

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
    let of_vertices = rounds(&whole);
    let mut rounds: BTreeMap<usize, Vec<Lookup<'_>>> = BTreeMap::new();
    for OwnersByName { within, owners } in &image.owners {
        let round = of_vertices.get(within.to_string().as_str()).copied().unwrap_or_default();
        rounds.entry(round).or_default().push(Lookup { definition: whole.up_to(*within), owners });
    }
    rounds.into_values().collect()
}

/// How many ops with names, one after the other, it takes to come to each vertex.
fn rounds(whole: &Whole) -> BTreeMap<&str, usize> {
    let mut rounds: BTreeMap<&str, usize> = BTreeMap::new();
    for (digest, op) in &whole.vertices {
        let before = op.inputs.iter().filter_map(|input| rounds.get(input.digest.as_str())).max().copied();
        rounds.insert(digest, before.unwrap_or_default() + usize::from(names_an_owner(op)));
    }
    rounds
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
