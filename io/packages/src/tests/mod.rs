//! Packages out of directories of this machine.

mod debs;
mod wheels;
