//! The files of a locked set: got several at once, each compared with its digest, and read by
//! whoever knows its kind.

use std::collections::BTreeMap;
use std::fs::File;

use cogpack_ir::plan::context::LockedFile;

use crate::parallel::in_parallel;
use crate::places::{LookupError, Places, Wanted};
use crate::problem::{Kind, PackageError, PackageProblem};

/// What `read` makes of each file, in the order of their names. What is wrong with any of them is
/// told of all at once; what is wrong with the machine ends it.
pub fn read_all<T: Send>(
    files: &BTreeMap<String, LockedFile>,
    read: impl Fn(&str, &LockedFile) -> Result<T, PackageError> + Sync,
) -> Result<Vec<T>, PackageError> {
    let files: Vec<_> = files.iter().collect();
    let mut problems = Vec::new();
    let mut all = Vec::with_capacity(files.len());
    for made in in_parallel(&files, |(file, locked)| read(file, locked)) {
        match made {
            Ok(made) => all.push(made),
            Err(PackageError::Plan(found)) => problems.extend(found),
            Err(error @ PackageError::Machine { .. }) => return Err(error),
        }
    }
    if problems.is_empty() { Ok(all) } else { Err(PackageError::Plan(problems)) }
}

/// Gets a file, wherever it is. `project` is what an index knows it by.
pub fn get(
    kind: Kind,
    file: &str,
    project: &str,
    locked: &LockedFile,
    places: &Places,
) -> Result<File, PackageError> {
    let of_machine = |source| PackageError::Machine { file: file.to_owned(), source };
    let digest = locked.digest.as_ref().ok_or_else(|| of_machine(LookupError::Unlocked))?;
    let wanted = Wanted { file, project, digest, url: locked.url.as_ref().map(|url| url.as_str()) };
    let (file, expected, span) = (file.to_owned(), *digest, locked.span);
    places.get(wanted).map_err(|error| match error {
        LookupError::Nowhere { asked } => PackageProblem::Missing { kind, file, asked, span }.into(),
        LookupError::Digest { from, found } => {
            PackageProblem::Digest { file, from, expected, found, span }.into()
        }
        source @ (LookupError::Unlocked
        | LookupError::Address { .. }
        | LookupError::Web(_)
        | LookupError::Store(_)
        | LookupError::Disk { .. }) => PackageError::Machine { file, source },
    })
}
