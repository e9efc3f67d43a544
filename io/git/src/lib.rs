//! Fetches commits of repositories with the machine's own `git`, into the store: each once, by its address
//! and its id.
//!
//! A library would be a second implementation of git's protocols, of ssh and of what keeps logins, and the
//! user's settings would mean something else to it. What git is told and what not is in [`program`].
//!
//! | module | what it does |
//! |---|---|
//! | [`program`] | runs git |
//! | [`words`] | what git says, as it may be shown |
//! | [`checkout`] | the files of a commit, as a part of the store |
//! | [`fetch`] | one repository: fetched, looked at, laid out |
//! | [`submodules`] | the repositories that a commit names |
//! | [`problem`] | what is wrong, as findings about the plan |

pub mod checkout;
pub mod fetch;
pub mod problem;
pub mod program;
pub mod submodules;
pub mod words;

#[cfg(test)]
mod tests;

pub use checkout::{Checkout, CheckoutError, Repositories};
pub use problem::RepositoryProblem;
pub use program::Cancel;
