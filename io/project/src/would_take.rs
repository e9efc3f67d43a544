//! Whether a context takes a file that may not be there yet, so that whoever is to write it can be told.

use std::path::Path;

use cogpack_backends_contract::paths::Selection;
use cogpack_ir::plan::PathRule;

use crate::ignore_file::IgnoreFile;

/// Whether a walk of the directory `root` by `rules` would take what stands at a path, given part by
/// part. Of an ignore file that cannot be read the walk tells, and not this.
pub fn would_take(root: &Path, rules: &[PathRule], path: &[Vec<u8>]) -> bool {
    let (Ok(selection), Ok(ignore)) = (Selection::new(rules), IgnoreFile::of_directory(root)) else {
        return false;
    };
    let mut matched = ignore.at_root();
    for end in 1..=path.len() {
        matched = ignore.at(&path[..end].join(&b'/'), &matched);
    }
    selection.takes(path) && !ignore.leaves_out(&matched)
}

#[cfg(test)]
mod tests {
    use cogpack_ir::plan::{RuleKind, Spanned};

    use super::*;

    #[test]
    fn rules_and_the_ignore_file_both_decide() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let rule = |kind, pattern: &str| PathRule { kind, pattern: Spanned::nowhere(pattern.to_owned()) };
        let rules = [rule(RuleKind::Exclude, "out"), rule(RuleKind::Include, "out/kept")];
        let takes = |path: &str| {
            let parts: Vec<Vec<u8>> = path.split('/').map(|part| part.as_bytes().to_vec()).collect();
            would_take(folder.path(), &rules, &parts)
        };
        assert!(takes("app.tar") && takes("out/kept/app.tar") && !takes("out/app.tar"));
        std::fs::write(folder.path().join(".dockerignore"), "*.tar\n").expect("can be written");
        assert!(!takes("app.tar") && takes("app.txt"));
    }
}
