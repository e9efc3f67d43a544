//! Looks at single things of a directory, for who decides by them how a build is made.

use std::fs::FileType;
use std::path::Path;

use cogpack_backends_contract::content::Content;
use cogpack_backends_contract::tree::{Node, Tree};
use cogpack_ir::plan::{InputName, PathRule};

use crate::walk::{WalkError, walk};

/// What stands at a path below `directory`; `None` where nothing does, or where a link is on the
/// way to it.
pub fn file_type(directory: &Path, path: &str) -> Option<FileType> {
    let mut at = directory.to_owned();
    let mut found = None;
    for name in path.split('/') {
        if found.is_some_and(|found: FileType| found.is_symlink()) {
            return None;
        }
        at.push(name);
        found = Some(at.symlink_metadata().ok()?.file_type());
    }
    found
}

/// Whether nothing in the context `context` has setuid, setgid or sticky.
pub fn has_plain_modes(directory: &Path, context: &InputName, rules: &[PathRule]) -> Result<bool, WalkError> {
    Ok(is_plain(&walk(directory, context, rules)?))
}

/// The same of what has been walked.
pub fn is_plain(tree: &Tree<Content>) -> bool {
    const PERMISSIONS: u32 = 0o777;
    tree.walk().into_iter().all(|(_, node)| match node {
        Node::Directory(directory) => directory.attributes.mode.bits() <= PERMISSIONS,
        Node::File { attributes, .. } | Node::Special { attributes, .. } => {
            attributes.mode.bits() <= PERMISSIONS
        }
        Node::Symlink { .. } => true,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn what_stands_behind_a_link_is_not_told() {
        let root = tempfile::tempdir().expect("makes a directory");
        let root = root.path();
        fs::create_dir_all(root.join("d/e")).expect("is writable");
        fs::write(root.join("d/f"), "").expect("is writable");
        symlink("d", root.join("l")).expect("is writable");
        let told =
            |path| file_type(root, path).map(|found| (found.is_dir(), found.is_file(), found.is_symlink()));
        assert_eq!(told("d/e"), Some((true, false, false)));
        assert_eq!(told("d/f"), Some((false, true, false)));
        assert_eq!(told("l"), Some((false, false, true)));
        for hidden in ["l/f", "d/f/x", "none"] {
            assert_eq!(told(hidden), None, "{hidden}");
        }
    }

    #[test]
    fn special_modes_are_seen_where_the_rules_take_them() {
        let root = tempfile::tempdir().expect("makes a directory");
        let name = InputName::new("source").expect("is a name");
        let of = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("is ours");
            has_plain_modes(root.path(), &name, &[]).expect("can be walked")
        };
        let directory = root.path().join("d");
        let file = directory.join("f");
        fs::create_dir(&directory).expect("is writable");
        fs::write(&file, "").expect("is writable");
        assert!(of(&file, 0o777));
        assert!(!of(&file, 0o4755));
        assert!(of(&file, 0o600));
        assert!(!of(&directory, 0o2755));
    }
}
