//! What a build writes into a directory that its plan reads: the next build would find it there, and
//! copy it.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use cogpack_build::order::Destination;
use cogpack_io_project::would_take::would_take;
use cogpack_ir::plan::{ContextKind, InputName};

use super::outputs;
use super::plan::Source;
use crate::console::Console;
use crate::report::{self, Format};

/// Says so of each destination that a context of the plan would take.
pub fn tell(destinations: &[Destination], source: &Source, format: Format, console: &mut Console<'_>) {
    for path in outputs::paths(destinations) {
        for (name, inside) in contexts_with(path, source) {
            let message = format!(
                "note: the next build copies `{inside}` with the context `{name}`, in whose directory it is \
                 written: write it elsewhere, or name it in `.dockerignore`"
            );
            report::remark(&message, format, console);
        }
    }
}

/// The contexts that would take a file, each with its path in the context.
fn contexts_with(path: &Path, source: &Source) -> Vec<(InputName, String)> {
    // Links above it lead to where it is.
    let Some(path) = whole(path) else { return Vec::new() };
    let within = |(name, root): (&InputName, &PathBuf)| {
        let root = root.canonicalize().ok()?;
        let inside = path.strip_prefix(&root).ok()?;
        let ContextKind::Directory(context) = &source.plan.contexts.get(name)?.kind else { return None };
        let parts: Vec<Vec<u8>> = inside.iter().map(|part| part.as_bytes().to_vec()).collect();
        let is_taken = !parts.is_empty() && would_take(&root, &context.rules, &parts);
        is_taken.then(|| (name.clone(), inside.display().to_string()))
    };
    source.directories.iter().filter_map(within).collect()
}

/// Where a path leads whose last parts may not be there yet.
fn whole(path: &Path) -> Option<PathBuf> {
    let there = path.ancestors().find(|above| above.exists())?;
    Some(there.canonicalize().ok()?.join(path.strip_prefix(there).ok()?))
}
