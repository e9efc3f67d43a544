//! Fetches the commits of a plan's repositories, with the machine's own `git`, and adds their trees to the
//! others.

use cogpack_io_git::checkout::{CheckoutError, Repositories};
use cogpack_io_git::program::Cancel;
use cogpack_io_project::room::Room;
use cogpack_io_project::walk::walk_whole;
use cogpack_ir::plan::{Context, ContextKind, InputName};

use crate::commands::build::watch::Interrupts;
use crate::contexts::Walked;
use crate::emit::{Refusals, boxed};
use crate::failure::Failure;
use crate::packages::Machine;

/// Fetches those of `contexts` that are commits of repositories; `None` where somebody lost patience.
pub async fn fetch<'c>(
    contexts: impl IntoIterator<Item = (&'c InputName, &'c Context)>,
    machine: Machine<'_>,
    interrupts: &mut Interrupts,
    walked: &mut Walked,
) -> Result<Option<Result<(), Refusals>>, Failure> {
    let of_git = |(name, context): (&InputName, &Context)| match &context.kind {
        ContextKind::Git(git) => Some((name.clone(), git.clone(), context.span)),
        ContextKind::Directory(_)
        | ContextKind::Http(_)
        | ContextKind::Oci(_)
        | ContextKind::Files(_)
        | ContextKind::Wheels(_)
        | ContextKind::Debs(_) => None,
    };
    let contexts: Vec<_> = contexts.into_iter().filter_map(of_git).collect();
    if contexts.is_empty() {
        return Ok(Some(Ok(())));
    }
    let path = machine.docker().path.clone();
    let repositories = Repositories { store: machine.store()?, path, contexts };
    let cancel = Cancel::default();
    let told = cancel.clone();
    let mut fetching = tokio::task::spawn_blocking(move || repositories.fetch(&told));
    let fetched = loop {
        tokio::select! {
            fetched = &mut fetching => break fetched,
            // What was begun is ended at once.
            () = interrupts.next() => cancel.cancel(),
        }
    };
    let fetched = match fetched {
        Ok(fetched) => fetched,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    };
    if cancel.is_cancelled() {
        return Ok(None);
    }
    let mut problems = Vec::new();
    for (name, checkout) in fetched {
        match checkout {
            Ok(checkout) => {
                let tree = walk_whole(&Room::default(), &checkout.root, &name)
                    .map_err(|error| Failure::of(&error))?;
                walked.trees.insert(name.clone(), tree);
                walked.files.directories.directories.insert(name.clone(), checkout.root.clone());
                walked.files.checkouts.insert(name, checkout);
            }
            Err(CheckoutError::Plan(problem)) => problems.push(*problem),
            Err(CheckoutError::Cancelled) => return Ok(None),
            Err(
                error @ (CheckoutError::Store(_) | CheckoutError::Disk { .. } | CheckoutError::Git { .. }),
            ) => {
                return Err(Failure::of(&error));
            }
        }
    }
    Ok(Some(if problems.is_empty() { Ok(()) } else { Err(boxed(problems)) }))
}
