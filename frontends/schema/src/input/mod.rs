//! Inputs of a request, judged before anything is built or started: whether they are those of the
//! model, and how text on a command line becomes JSON.

mod given;
mod problem;
#[cfg(test)]
mod tests;
mod validate;

pub use given::Given;
pub use problem::InputProblem;
