//! Images made in this process, their programs run by an OCI runtime of this machine: no daemon.
//!
//! Reading order: [`order`] (what is asked for), `drive` (the plan's evaluation and its programs),
//! [`pull`] (bases out of registries), `shelf` (filesystems on disk), `part` (between trees and directories, with `later`), `program` (from what a
//! plan says of a program to what a runtime is told), `key` (what a finished step is known by),
//! `write` (where the image goes). [`container`] runs what an image itself says, on its own files.

use cogpack_io_runtime::Runtime;
use cogpack_io_runtime::run::Cancel;
use cogpack_io_store::Store;
use tokio_util::sync::CancellationToken;

use crate::builder::Builder;
use crate::failure::BuildError;
use crate::outcome::Outcome;
use crate::progress::Progresses;

mod account;
pub mod container;
mod content;
mod drive;
mod key;
mod later;
pub mod order;
mod part;
mod program;
pub mod pull;
mod shelf;
mod telling;
mod write;

pub use order::Order;
pub use write::check as check_destinations;

/// Builds in this process.
#[derive(Debug, Clone)]
pub struct Direct {
    programs: Option<Programs>,
}

/// What running programs takes.
#[derive(Debug, Clone)]
pub struct Programs {
    /// What runs them.
    pub runtime: Runtime,
    /// Where what they leave is kept.
    pub store: Store,
}

impl Direct {
    /// For plans that run programs.
    pub fn with(programs: Programs) -> Self {
        Self { programs: Some(programs) }
    }

    /// For plans that run none: these need neither a runtime nor a store nor root.
    pub fn without_programs() -> Self {
        Self { programs: None }
    }
}

impl Builder for Direct {
    type Order = Order;

    fn name(&self) -> &'static str {
        "direct"
    }

    async fn build(
        &self,
        order: Order,
        progress: Progresses,
        cancel: CancellationToken,
    ) -> Result<Outcome, BuildError> {
        let (programs, stop) = (self.programs.clone(), Cancel::default());
        let stopping = stop.clone();
        let building =
            tokio::task::spawn_blocking(move || drive::build(&order, programs.as_ref(), &progress, &stop));
        let mut building = std::pin::pin!(building);
        let ended = tokio::select! {
            ended = &mut building => ended,
            () = cancel.cancelled() => {
                stopping.cancel();
                building.await
            }
        };
        match ended {
            Ok(outcome) => outcome,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(BuildError::Cancelled),
        }
    }
}
