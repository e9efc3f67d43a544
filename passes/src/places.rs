//! Where copies land, as far as the plan alone tells.

use cogpack_ir::plan::{Copy, OpKind, Spanned, Template};

use crate::pieces::Piece;

/// The names of an absolute path from the root on.
pub(crate) type Place = Vec<String>;

/// The names of a path that leans on no variable.
pub(crate) fn place(path: &Spanned<Template>) -> Option<Place> {
    path.as_literal().map(|path| names(&path))
}

/// The names of a path.
pub(crate) fn names(path: &str) -> Place {
    path.split('/').filter(|name| !matches!(*name, "" | ".")).map(str::to_owned).collect()
}

/// Whether nothing at or below the one is at or below the other, and neither is on the way to the other.
pub(crate) fn are_apart(one: &[String], other: &[String]) -> bool {
    !one.starts_with(other) && !other.starts_with(one)
}

/// Where the copies of a piece land. `None` where it does anything else to files, or leans on a variable: then
/// it cannot stand elsewhere.
pub(crate) fn landings(piece: &Piece) -> Option<Vec<Place>> {
    let mut landings = Vec::new();
    for item in &piece.items {
        match &item.op.kind {
            OpKind::Copy(copy) => landings.push(landing(copy)?),
            OpKind::Env(_) | OpKind::User(_) | OpKind::Shell(_) => {}
            OpKind::Run { .. }
            | OpKind::Exec { .. }
            | OpKind::File(_)
            | OpKind::Mkdir(_)
            | OpKind::Symlink(_)
            | OpKind::Remove(_)
            | OpKind::Workdir(_)
            | OpKind::Layer(_)
            | OpKind::By(_) => return None,
        }
    }
    Some(landings)
}

/// The destination of a copy, all of whose texts are known.
fn landing(copy: &Copy) -> Option<Place> {
    copy.form.sources().iter().all(|source| place(source).is_some()).then_some(())?;
    place(copy.form.destination())
}

/// Whether the copies of two pieces have nothing to do with each other.
pub(crate) fn pieces_are_apart(one: &Piece, other: &Piece) -> bool {
    let (Some(one), Some(other)) = (landings(one), landings(other)) else { return false };
    one.iter().all(|one| other.iter().all(|other| are_apart(one, other)))
}
