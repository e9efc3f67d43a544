//! Which ops leave the same on another filesystem than the one the plan does them on.
//!
//! Where a target cannot merge what the stages of a parallel phase changed, their ops are done
//! one after the other instead. The stages write different paths (the verifier sees to that), so
//! that is the same for every op that does not look at what else is there.

use cogpack_ir::plan::{OpKind, Owner, Spanned};
use cogpack_ir::resolve::Step;

use crate::accounts::numeric;

/// Why an op may leave something else on another filesystem; `None` where it does not.
pub fn why_not_done_again(step: &Step<'_>) -> Option<&'static str> {
    match &step.op.kind {
        OpKind::Run { .. } | OpKind::Exec { .. } => {
            Some("only a comparison tells what a program changed and deleted")
        }
        OpKind::Copy(_)
        | OpKind::File(_)
        | OpKind::Mkdir(_)
        | OpKind::Symlink(_)
        | OpKind::Remove(_)
        | OpKind::Workdir(_)
        | OpKind::Env(_)
        | OpKind::User(_)
        | OpKind::Shell(_)
        | OpKind::Layer(_)
        | OpKind::By(_) => {
            owner_by_name(step).map(|_| "its owner may be another one beside the other stages")
        }
    }
}

/// To whom an op gives files by name, which account files of the filesystem explain.
pub fn owner_by_name<'a>(step: &Step<'a>) -> Option<&'a Spanned<Owner>> {
    let owner = match &step.op.kind {
        OpKind::Copy(copy) => copy.owner.as_ref(),
        OpKind::File(file) => file.owner.as_ref(),
        OpKind::Mkdir(directory) => directory.owner.as_ref(),
        OpKind::Run { .. }
        | OpKind::Exec { .. }
        | OpKind::Symlink(_)
        | OpKind::Remove(_)
        | OpKind::Workdir(_)
        | OpKind::Env(_)
        | OpKind::User(_)
        | OpKind::Shell(_)
        | OpKind::Layer(_)
        | OpKind::By(_) => None,
    };
    owner.filter(|owner| numeric(&owner.value).is_none())
}
