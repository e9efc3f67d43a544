//! Rewriting plans so that their images cost less and mean the same.
//!
//! A [`Pass`] takes a resolved plan and gives another one, and says of each place what it did or why it held
//! back. [`optimise`] runs passes in order and resolves the plan again after each; what a plan means, and with
//! it whether a pass has kept that, [`judge`] asks the interpreter. Which passes there are, in which order
//! they run and from which level on, is the table in [`order`].
//!
//! Three things hold for all of them:
//!
//! - A program is an unknown function of all that it sees. So nothing moves from one side of a program to the
//!   other, and no script is edited; that several programs leave one layer changes nothing for any of them.
//! - Where a path leads on a base that nobody has looked at is not known: any directory of it may be a link.
//!   So only [independent layers](cogpack_backends_contract::layers) change places, whose paths are literal.
//! - The stages of a parallel phase are joined by what each of their layers has changed, so their layers are
//!   left as they are.

pub mod facts;
pub mod judge;
pub mod note;
pub mod optimise;
pub mod order;
pub mod passes;

mod pieces;
mod places;
mod scripts;

pub use facts::{Facts, Sizes};
pub use note::{Kind, Note};
pub use optimise::{Broken, Optimised, Step, optimise};
pub use order::{Level, PASSES, Pass, named, of_level};
