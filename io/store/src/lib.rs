//! Keeps what builds on this machine make, so that the next build need not make it again.
//!
//! ```text
//! STORE/version           the form of the store
//! STORE/lock              held shared by every build, and alone by whoever throws things away
//! STORE/keeping.lock      held by whoever gives something its name, or takes one from a damaged blob
//! STORE/blobs/sha256/     blobs by their digest, as in an image layout
//! STORE/used/             when somebody last asked for a blob
//! STORE/parts/            what one layer or one program adds to a filesystem, as a directory, and
//!                         beside it a mark that says whether it is whole
//! STORE/steps/            by the key of a finished step, the part that came of it
//! STORE/layers/           by the key of a packed layer, its blob and what it was packed from
//! STORE/hints/            what made a build quicker, and would be found out again without it
//! STORE/caches/           the directories of cache mounts
//! STORE/work/             what is being made, each under a lock of whoever makes it
//! ```
//!
//! Several processes may use a store at once, and each may be killed at any moment. What is made
//! is made in `work/`, and then renamed to where it is looked for: so what has a name is whole, as
//! long as the machine runs. Before the machine goes down it may not have been written; parts say in
//! their marks whether they were, and all else is read such that half of it is nothing. What a killed
//! process leaves in `work/` is thrown away by the next one that opens the store.
//!
//! A blob may be a file of layouts too, by links. One that was written to since it was kept ([`whole`]) is
//! taken away when somebody asks for it, and made or fetched anew.
//!
//! A store holds programs that run as root for whoever finds them, so only its owner may look in.

pub mod blobs;
pub mod caches;
pub mod copying;
pub mod failure;
pub mod hints;
pub mod layers;
pub mod steps;
pub mod store;
pub mod whole;
pub mod work;

mod marks;

pub mod gc;
pub mod usage;
pub mod verify;

pub use failure::StoreError;
pub use store::Store;
