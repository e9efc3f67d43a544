//! What all backends share: the [`Backend`] trait, what a target cannot express, and the
//! meaning of copies, layers and the image config, defined once.

pub mod backend;
pub mod unsupported;

pub use backend::Backend;
pub use unsupported::Unsupported;
