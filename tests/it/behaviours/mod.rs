//! The behaviours that the first system of this kind (cogpack, a branch of Cog) had tests for,
//! each kept, or shown in the meaning it has here.
//!
//! Numbers are those of the list of its tests, 1 to 78. Where the meaning is another here, the
//! test's name says the new one and its comment why. 33 to 38 are about the block that sets up
//! uv; front ends come later, so what these blocks must lead to is shown as the plan itself.

mod composing;
mod config;
mod contexts;
mod files;
mod forms;
mod inputs;
