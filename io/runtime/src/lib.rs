//! Runs programs on filesystems that lie in parts on this machine's disk, by an OCI runtime.
//!
//! A *part* is what one layer or one program adds to a filesystem: a directory as the kernel's
//! overlay has its layers ([`part`]). [`runtime`] finds a program that runs containers, [`job`]
//! says what is run and what is mounted, [`user_namespace`] makes an ordinary user root for it, [`run`](mod@run) does it in a mount namespace of its own
//! that nobody else sees and that goes with the process. [`abilities`] finds out before whether the
//! runtime does what it is told.
//!
//! Deliberately not here: what layers and plans are, and what is kept from build to build.

pub mod part;

pub mod job;
pub mod machine;
pub mod processors;
pub mod runtime;
pub mod user_namespace;

pub mod run;

pub mod abilities;

mod agent;
mod container;
mod deadline;
mod leash;
mod mount_points;
mod overlay;
mod system_calls;

pub use run::{RunError, run};
pub use runtime::{NoRuntime, Runtime};
