//! What a model takes and gives, as values.

pub mod declared;
pub mod input;
pub mod output;
pub mod value;

pub use declared::Declared;
pub use input::{Input, InputType, Scalar, Shape};
pub use output::{Field, Output};
pub use value::Value;

use crate::target::Use;

/// What is known of one target: a class or function that answers predictions or trainings.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// What it is used for.
    pub used_for: Use,
    /// Its inputs, in the order of its parameters.
    pub inputs: Vec<Input>,
    /// What it gives.
    pub output: Output,
    /// The method or function itself.
    pub handler: Handler,
}

/// The method or function that is called for each request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handler {
    /// Its name: `run`, `predict`, or that of the function.
    pub name: String,
    /// Where it is defined; nothing for one that no file has.
    pub declared: Option<Declared>,
    /// The class whose method it is; nothing of a function.
    pub class: Option<String>,
    /// Whether it is `async def`.
    pub is_async: bool,
    /// How many requests it serves at a time, where `@cog.concurrent` says so.
    pub concurrency: Option<u32>,
    /// Whether `@cog.streaming` stands above it.
    pub streaming: bool,
    /// The `setup` of its class.
    pub setup: Option<Setup>,
}

/// What is called once, before the first request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setup {
    /// Whether it is `async def`.
    pub is_async: bool,
    /// Whether it takes `weights`.
    pub weights: bool,
}

impl Schema {
    /// The input of this name.
    pub fn input(&self, name: &str) -> Option<&Input> {
        self.inputs.iter().find(|input| input.name == name)
    }
}
