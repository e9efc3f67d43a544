//! What is sent of a directory is what the contract of all backends says of its rules.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use cogpack_backends_contract::paths::Selection;
use cogpack_ir::plan::{InputName, PathRule, RuleKind, Spanned};
use proptest::prelude::*;

use super::super::filter::Filter;
use super::super::request::Wanted;
use super::super::walk::{Go, walk};
use super::super::{Directories, Directory};
use super::peer::{Asking, Peer};
use cogpack_io_project::ignore_file::IgnoreFile;

const NAMES: [&str; 7] = ["a", "b", "c.py", "a-b", "a b", "[x]", "é"];

fn rule() -> impl Strategy<Value = PathRule> {
    let part = prop_oneof![
        4 => prop::sample::select(NAMES.to_vec()).prop_map(|name| match name {
            "[x]" => r"\[x\]".to_owned(),
            name => name.to_owned(),
        }),
        1 => Just("*".to_owned()),
        1 => Just("**".to_owned()),
        1 => Just("*.py".to_owned()),
        1 => Just("?".to_owned()),
        1 => Just("a[^x]b".to_owned()),
        1 => Just("a[ -z]b".to_owned()),
    ];
    (any::<bool>(), prop::collection::vec(part, 1..4)).prop_map(|(includes, parts)| PathRule {
        kind: if includes { RuleKind::Include } else { RuleKind::Exclude },
        pattern: Spanned::nowhere(parts.join("/")),
    })
}

fn tree() -> impl Strategy<Value = BTreeSet<Vec<&'static str>>> {
    let path = prop::collection::vec(prop::sample::select(NAMES.to_vec()), 1..4);
    prop::collection::btree_set(path, 1..12)
}

/// Makes the paths, each a file unless another is below it.
fn make(root: &Path, paths: &BTreeSet<Vec<&str>>) {
    for path in paths {
        let path = root.join(path.join("/"));
        fs::create_dir_all(path.parent().expect("is below the root")).ok();
        if !path.is_dir() && path.parent().is_some_and(Path::is_dir) {
            fs::write(&path, "x").expect("is writable");
        }
    }
}

/// Every path below `root`, with its kind.
fn all(root: &Path, at: &str, found: &mut BTreeMap<String, bool>) {
    for entry in fs::read_dir(root.join(at)).expect("is a directory") {
        let entry = entry.expect("is an entry");
        let name = entry.file_name().into_string().expect("is text");
        let path = if at.is_empty() { name } else { format!("{at}/{name}") };
        let is_directory = entry.file_type().expect("is known").is_dir();
        if is_directory {
            all(root, &path, found);
        }
        found.insert(path, is_directory);
    }
}

/// What the contract takes: each path that the selection takes, and the directories above it.
fn taken(root: &Path, selection: &Selection) -> BTreeSet<String> {
    let mut found = BTreeMap::new();
    all(root, "", &mut found);
    let takes = |path: &str| selection.takes(&path.split('/').collect::<Vec<_>>());
    let taken: Vec<&String> = found.keys().filter(|path| takes(path)).collect();
    let above =
        |path: &str| path.match_indices('/').map(|(end, _)| path[..end].to_owned()).collect::<Vec<_>>();
    taken.into_iter().flat_map(|path| above(path).into_iter().chain([path.clone()])).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_same_paths_are_sent_as_the_contract_and_the_walk_of_layers_take(
        paths in tree(),
        rules in prop::collection::vec(rule(), 0..5),
    ) {
        let root = tempfile::tempdir().expect("makes a directory");
        make(root.path(), &paths);
        let Ok(selection) = Selection::new(&rules) else { return Ok(()) };
        // As the graph carries them.
        let pair = selection.to_pattern_pair();
        let wanted = Wanted { includes: pair.includes, excludes: pair.excludes, ..Wanted::default() };
        let filter = Filter::new(IgnoreFile::default(), &wanted, Some(Vec::new())).expect("are patterns");
        let mut sent = BTreeSet::new();
        walk(root.path(), "source", &filter, &mut |stat| {
            sent.insert(stat.path);
            Go::On
        })
        .expect("can be walked");
        prop_assert_eq!(&sent, &taken(root.path(), &selection));

        let context = InputName::new("source").expect("is a name");
        let layers = cogpack_io_project::walk::walk(root.path(), &context, &rules).expect("can be walked");
        let layers = layers.walk().into_iter().map(|(path, _)| path.join(&b'/'));
        let layers = layers.map(|path| String::from_utf8(path).expect("is text")).collect();
        prop_assert_eq!(&sent, &layers);
    }
}

#[tokio::test]
async fn the_ignore_file_agrees_with_the_walk_of_layers() {
    let root = tempfile::tempdir().expect("makes a directory");
    let root = root.path();
    for path in
        ["a.py", "a.pyc", "d/b.py", "d/e/c.pyc", ".cog/state", "d/.cog/kept", "build/out", "build/keep"]
    {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("is below the root")).expect("is writable");
        fs::write(path, "x").expect("is writable");
    }
    for ignored in ["", "**/*.pyc\nbuild\n!build/keep\n!.cog\n", "*\n!d\nd/e", "a*\n!*.py\n# x\n/d//e/\n"] {
        fs::write(root.join(".dockerignore"), ignored).expect("is writable");
        let directory = Directory::open(root).expect("is a directory");
        let directories = Directories::new(BTreeMap::from([("source".to_owned(), directory)]));
        let peer = Peer::call(&directories, Asking::of("source")).await.expect("is offered");
        let received = peer.receive(|_| false).await.expect("arrives");
        let context = InputName::new("source").expect("is a name");
        let layers = cogpack_io_project::walk::walk(root, &context, &[]).expect("can be walked");
        let layers: BTreeSet<Vec<u8>> = layers.walk().into_iter().map(|(path, _)| path.join(&b'/')).collect();
        let sent: BTreeSet<Vec<u8>> =
            received.stats.iter().map(|stat| stat.path.clone().into_bytes()).collect();
        assert_eq!(sent, layers, "{ignored}");
    }
}
