//! Walking the ops of a stage, layers included.

use super::{Copy, Execution, Op, OpKind};

/// Calls `each` with every op of a block, a layer before the ops in it.
pub fn for_each_op<'a>(ops: &'a [Op], each: &mut impl FnMut(&'a Op)) {
    for op in ops {
        each(op);
        if let OpKind::Layer(layer) = &op.kind {
            for_each_op(&layer.ops, each);
        }
    }
}

impl Op {
    /// What the op executes with; `None` for ops that execute nothing.
    pub fn execution(&self) -> Option<&Execution> {
        match &self.kind {
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

    /// The copy that the op is; `None` for other ops.
    pub fn copy(&self) -> Option<&Copy> {
        match &self.kind {
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
}
