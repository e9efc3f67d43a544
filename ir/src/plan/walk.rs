//! Walking the ops of a stage, layers included.

use super::{Copy, Execution, Input, MountKind, Op, OpKind, Spanned};

/// Calls `each` with every op of a block, a layer before the ops in it.
pub fn for_each_op<'a>(ops: &'a [Op], each: &mut impl FnMut(&'a Op)) {
    for op in ops {
        each(op);
        if let OpKind::Layer(layer) = &op.kind {
            for_each_op(&layer.ops, each);
        }
    }
}

/// The same for ops that are to be changed; the ops of a layer are those that `each` leaves in it.
pub fn for_each_op_mut(ops: &mut [Op], each: &mut impl FnMut(&mut Op)) {
    for op in ops {
        each(op);
        if let OpKind::Layer(layer) = &mut op.kind {
            for_each_op_mut(&mut layer.ops, each);
        }
    }
}

impl Op {
    /// Calls `each` with every input the op reads, in order; of a layer with none, its ops have them.
    pub fn for_each_input<'a>(&'a self, mut each: impl FnMut(&'a Spanned<Input>)) {
        if let Some(copy) = self.copy() {
            each(&copy.from);
        }
        for mount in self.execution().iter().flat_map(|execution| &execution.mounts) {
            if let MountKind::Bind { source, .. } = &mount.kind {
                each(source);
            }
        }
    }

    /// The same for inputs that are to be changed.
    pub fn for_each_input_mut(&mut self, mut each: impl FnMut(&mut Spanned<Input>)) {
        match &mut self.kind {
            OpKind::Copy(copy) => each(&mut copy.from),
            OpKind::Run { execution, .. } | OpKind::Exec { execution, .. } => {
                for mount in &mut execution.mounts {
                    if let MountKind::Bind { source, .. } = &mut mount.kind {
                        each(source);
                    }
                }
            }
            OpKind::File(_)
            | OpKind::Mkdir(_)
            | OpKind::Symlink(_)
            | OpKind::Remove(_)
            | OpKind::Env(_)
            | OpKind::Workdir(_)
            | OpKind::User(_)
            | OpKind::Shell(_)
            | OpKind::Layer(_)
            | OpKind::By(_) => {}
        }
    }

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
