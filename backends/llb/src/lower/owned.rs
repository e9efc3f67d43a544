//! Who owns what vertices leave, for daemons whose caches do not ask.
//!
//! A daemon finds the result of a copy again by the bytes, names and modes of what is copied. Owners were no
//! part of that before BuildKit 0.11 ([moby/buildkit#3295](https://github.com/moby/buildkit/pull/3295)): a
//! copy that leaves files whose they are, as one does that [brings a thing to its
//! place](super::files), is taken for done where nothing but an owner in what it copies has changed, and
//! the image keeps the old one. The edits of a vertex are in its key whatever they do, so such a copy stands
//! behind an edit that does nothing and is another one where owners are: it removes, if it is there, a file
//! that is called after them. Where all is root's there is none, and the key is what it always was.
//!
//! Not seen is whose programs make a file, and whose the files of images are: a program that another one
//! follows runs again itself, but what only reads its files does not.

use std::collections::BTreeMap;

use cogpack_content::Digest;

use super::Lowering;
use crate::wire::op::VertexId;
use crate::wire::{Action, File, Op, Owner, Principal};

/// Enough of a digest to tell owners apart.
const DIGITS: usize = 16;

/// What file ops of ours have said of owners on the way to a vertex.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owned {
    /// All of it in its order.
    said: Digest,
    /// Whether somebody but root was named.
    is_others: bool,
}

/// By vertex; nothing where no owner was said.
pub(super) type OwnedBy = BTreeMap<VertexId, Owned>;

impl Owned {
    fn and(before: Option<Self>, said: &[u8], is_others: bool) -> Self {
        let hash = before.map(|before| before.said.hex()).unwrap_or_default();
        let said = Digest::of(&[hash.as_bytes(), b" ", said].concat());
        Self { said, is_others: is_others || before.is_some_and(|before| before.is_others) }
    }

    fn and_owner(before: Option<Self>, owner: &Owner) -> Self {
        let text = |principal: &Principal| match principal {
            Principal::Id(id) => id.to_string(),
            Principal::Name(name, _) => name.clone(),
        };
        let group = owner.group.as_ref().map(text).unwrap_or_default();
        Self::and(before, format!("{}:{group}", text(&owner.user)).as_bytes(), *owner != Owner::ROOT)
    }

    /// What is said in both.
    fn with(before: Option<Self>, more: Option<Self>) -> Option<Self> {
        match more {
            Some(more) => Some(Self::and(before, more.said.hex().as_bytes(), more.is_others)),
            None => before,
        }
    }
}

impl<'a> Lowering<'a> {
    /// Notes what an op says of owners, for what copies from it.
    pub(super) fn note_owners(&mut self, vertex: VertexId, op: &Op<'_>) {
        if self.settings.limits.compare_owners() {
            return;
        }
        let left_by = |vertex: &VertexId| self.owned.get(vertex).copied();
        let owned = match op {
            Op::Source(_) => None,
            Op::Exec(exec) => exec.inputs.first().and_then(left_by),
            Op::Merge(layers) => layers.iter().map(left_by).fold(None, Owned::with),
            Op::Diff { upper, .. } => left_by(upper),
            Op::File(file) => {
                let at =
                    |place: Option<&usize>| place.and_then(|place| file.inputs.get(*place)).and_then(left_by);
                let mut owned = at(file.base.as_ref());
                for edit in &file.edits {
                    owned = match (&edit.action, &edit.owner) {
                        (Action::Remove { .. } | Action::Symlink { .. }, _) => owned,
                        (_, Some(owner)) => Some(Owned::and_owner(owned, owner)),
                        (Action::Copy(copy), None) => Owned::with(owned, at(Some(&copy.from))),
                        (Action::Mkfile { .. } | Action::Mkdir { .. } | Action::MkdirInside { .. }, None) => {
                            Some(Owned::and_owner(owned, &Owner::ROOT))
                        }
                    };
                }
                owned
            }
        };
        if let Some(owned) = owned {
            self.owned.insert(vertex, owned);
        }
    }

    /// Makes a file op that goes on to copy from a vertex, owners and all, another one for other owners.
    pub(super) fn tell_owners_apart(&self, file: &mut File<'a>, from: VertexId) {
        if let Some(owned) = self.owned.get(&from).filter(|owned| owned.is_others) {
            let digits = &owned.said.hex()[..DIGITS];
            let path = format!("/.cogpack-owners-{digits}").into();
            file.push(Action::Remove { path, optional: true, may_be_link: false });
        }
    }
}
