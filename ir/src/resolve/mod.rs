//! From what was written to what backends take: every input concrete, every variable expanded,
//! every stage's environment known at each of its ops.

pub mod resolved;
pub mod state;

pub use resolved::{Merge, Resolved, StageId, Step};
pub use state::{EnvValue, State};
