//! Files that a plan is made of.

use cogpack_frontends_source::{InFile, Source, SourcePath, Unread, file};

use super::finding::ProjectFinding;

/// The text of a file; `None` where there is none.
#[allow(clippy::type_complexity)]
pub(crate) fn text<'s>(
    source: &'s Source,
    path: &SourcePath,
) -> Result<Result<Option<&'s str>, InFile<ProjectFinding>>, Unread> {
    Ok(file::text(source, path)?.map_err(InFile::of))
}
