//! The catalogue: its format, its findings, what is shipped, and what is chosen.

mod choosing;
mod format;
mod frameworks;
mod looking;
mod mutated;
mod pythons;
mod shown;
