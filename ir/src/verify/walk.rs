//! Walking the ops of a stage, layers included.

use crate::plan::{Copy, Execution, Op, OpKind};

/// Calls `each` with every op of a block, a layer before the ops in it.
pub(super) fn for_each_op<'a>(ops: &'a [Op], each: &mut impl FnMut(&'a Op)) {
    for op in ops {
        each(op);
        if let OpKind::Layer(layer) = &op.kind {
            for_each_op(&layer.ops, each);
        }
    }
}

/// What an op executes with; `None` for ops that execute nothing.
pub(super) fn execution_of(op: &Op) -> Option<&Execution> {
    match &op.kind {
        OpKind::Run { execution, .. } | OpKind::Exec { execution, .. } => Some(execution),
        OpKind::Copy(_)
        | OpKind::File(_)
        | OpKind::Mkdir(_)
        | OpKind::Symlink(_)
        | OpKind::Remove(_)
        | OpKind::Env(_)
        | OpKind::Workdir(_)
        | OpKind::User(_)
        | OpKind::Shell(_)
        | OpKind::Layer(_)
        | OpKind::By(_) => None,
    }
}

/// The copy that an op is; `None` for other ops.
pub(super) fn copy_of(op: &Op) -> Option<&Copy> {
    match &op.kind {
        OpKind::Copy(copy) => Some(copy),
        OpKind::Run { .. }
        | OpKind::Exec { .. }
        | OpKind::File(_)
        | OpKind::Mkdir(_)
        | OpKind::Symlink(_)
        | OpKind::Remove(_)
        | OpKind::Env(_)
        | OpKind::Workdir(_)
        | OpKind::User(_)
        | OpKind::Shell(_)
        | OpKind::Layer(_)
        | OpKind::By(_) => None,
    }
}

/// Whether an op itself changes the filesystem; a layer does so only through what is in it.
pub(super) fn changes_files(op: &Op) -> bool {
    match &op.kind {
        OpKind::Run { .. }
        | OpKind::Exec { .. }
        | OpKind::Copy(_)
        | OpKind::File(_)
        | OpKind::Mkdir(_)
        | OpKind::Symlink(_)
        | OpKind::Remove(_) => true,
        OpKind::Env(_)
        | OpKind::Workdir(_)
        | OpKind::User(_)
        | OpKind::Shell(_)
        | OpKind::Layer(_)
        | OpKind::By(_) => false,
    }
}
