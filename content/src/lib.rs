//! The nouns every room shares: digests, image references, addresses of repositories, platforms, dates and
//! certificates; and two tools, a map that can only be looked into and work in two halves.
//!
//! Deliberately not here: anything that knows a plan, a disk or a network.

pub mod certificate;
pub mod digest;
pub mod lookup;
pub mod platform;
pub mod reference;
pub mod repository;
pub mod threads;
pub mod time;

pub use certificate::{Certificate, PemProblem};
pub use digest::{Digest, InvalidDigest};
pub use lookup::Lookup;
pub use platform::{InvalidPlatform, Platform};
pub use reference::{ImageReference, InvalidReference};
