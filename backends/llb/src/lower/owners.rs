//! Whom files belong to, as BuildKit's actions say it.

use cogpack_backends_contract::{Unsupported, accounts};
use cogpack_ir::plan::{Owner as PlanOwner, Spanned};

use super::stage::Chain;
use super::{Lowering, gap};
use crate::wire::{Owner, Principal};

impl<'a> Lowering<'a> {
    /// An owner. Names are looked up in what the chain stands on, and that is noted.
    pub(super) fn owner(
        &mut self,
        chain: &Chain<'a>,
        owner: &'a Spanned<PlanOwner>,
    ) -> Result<Owner, Unsupported> {
        if let Some(ids) = accounts::numeric(&owner.value) {
            return Ok(Owner { user: Principal::Id(ids.user), group: Some(Principal::Id(ids.group)) });
        }
        let (Some(place), Some(base)) = (chain.file.base, chain.base()) else {
            return Err(gap(
                "cpk::unsupported::owner-name",
                format!("owner `{}` on the empty filesystem, which knows no names", owner.value),
                owner.span,
                "write user and group as numbers, for instance `1000:1000`",
            ));
        };
        let Some(group) = &owner.value.group else {
            return Err(gap(
                "cpk::unsupported::owner-group",
                format!("owner `{}`: BuildKit takes the user's own group where none is said", owner.value),
                owner.span,
                format!("say the group: `{}:GROUP`", owner.value.user),
            ));
        };
        self.owners.entry(base).or_default().push(owner);
        let principal = |text: &str| match accounts::number(text) {
            Some(id) => Principal::Id(id),
            None => Principal::Name(text.to_owned(), place),
        };
        Ok(Owner { user: principal(&owner.value.user), group: Some(principal(group)) })
    }
}
