//! How the phases and stages of a plan hang together.
//!
//! [`PhaseGraph`] says what each phase takes in and gives out; [`StageGraph`] says where each
//! stage starts and what it reads; [`cycles`] finds circles in both and in their union.
//!
//! All of it works on plans with breaches, too: what cannot be told because of one is
//! [`Outlet::Broken`], so that one breach is not reported twice. Time is linear in the size of
//! the plan (up to the logarithm of a name's look-up), and nothing recurses along a chain.

pub mod cycles;
pub mod outlet;
pub mod phases;
pub mod stages;

pub use cycles::{Cycle, CycleKind};
pub use outlet::Outlet;
pub use phases::PhaseGraph;
pub use stages::StageGraph;

#[cfg(test)]
mod tests;
