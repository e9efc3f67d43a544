//! What a Cog model takes and gives, read from its Python without running it.

pub mod document;
pub mod input;
pub mod model;
pub mod target;

pub use input::{Given, InputProblem};
pub use model::Schema;
pub use target::{NoTarget, Target, Use};
