//! Inputs of a request, judged before anything is built or started: whether they are those of the
//! model, and how text on a command line becomes JSON.

mod given;
mod of_document;
mod problem;
mod signature;
#[cfg(test)]
mod tests;
mod validate;

pub use given::Given;
pub use problem::InputProblem;
pub use signature::{Misfit, Signature};
