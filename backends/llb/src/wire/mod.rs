//! The bytes that BuildKit hashes: ops in its own field order.

pub(crate) mod encode;
pub(crate) mod op;
pub(crate) mod writer;

pub(crate) use op::{Action, Copy, Edit, Exec, File, Mount, MountKind, Op, Owner, Principal, Source};
pub(crate) use writer::Writer;
