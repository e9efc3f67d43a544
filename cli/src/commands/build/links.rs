//! Which copied paths of directories are no links, looked up where they are: such a copy shares
//! its cache with a Dockerfile's.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cogpack_backends_llb::links::{Paths, questions};
use cogpack_ir::plan::InputName;
use cogpack_ir::resolve::Resolved;

/// The paths that a plan asks about, and that are files or directories.
pub fn no_links(plan: &Resolved, directories: &BTreeMap<InputName, PathBuf>) -> Paths {
    let mut paths = questions(plan);
    for (name, paths) in &mut paths {
        let directory = directories.get(name);
        paths.retain(|path| {
            let found = directory.and_then(|directory| directory.join(path).symlink_metadata().ok());
            found.is_some_and(|found| !found.is_symlink())
        });
    }
    paths
}
