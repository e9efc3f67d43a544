//! Tests of the text form as a whole; those of its parts stand beside them.

mod limits;
mod random;
mod reading;
mod writing;
