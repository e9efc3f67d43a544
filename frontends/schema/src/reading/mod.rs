//! From a class or function to its schema.

pub mod decorators;
pub mod fields;
pub mod input_types;
pub mod inputs;
pub mod outputs;
mod pattern;
pub mod rules;
mod shared;
pub mod target;
