//! Looking ahead of a walk: it takes the same, whoever looks and whatever they fail to see.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use cogpack_backends_contract::content::{Content, DiskStamp, Stamp};
use cogpack_backends_contract::tree::{Node, Tree, text};
use cogpack_ir::plan::{InputName, PathRule, RuleKind, Spanned};

use super::*;
use crate::ignore_file::IgnoreFile;
use crate::walk::walk_beside;

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("is below the root")).expect("can be made");
    fs::write(path, text).expect("is writable");
}

/// Each path with all that is known of what stands there.
fn told(tree: &Tree<Content>) -> Vec<String> {
    let told = tree.walk().into_iter().map(|(path, node)| {
        let what = match node {
            Node::Directory(directory) => format!("{:?}", directory.attributes),
            Node::File { attributes, content: Content::Context(file) } => {
                let Stamp::Disk(DiskStamp { device, inode, modified, changed, settled: _ }) = *file.stamp()
                else {
                    panic!("{file:?} is on no disk")
                };
                let (path, size, linked) = (file.path(), file.size(), file.is_linked());
                format!("{attributes:?} {path:?} {size} {linked} {device} {inode} {modified:?} {changed:?}")
            }
            other @ (Node::File { .. } | Node::Symlink { .. } | Node::Special { .. }) => format!("{other:?}"),
        };
        format!("{} {what}", text(&path))
    });
    told.collect()
}

#[test]
fn a_walk_takes_the_same_whoever_looks_ahead() {
    let folder = tempfile::tempdir().expect("makes a directory");
    let root = folder.path();
    // More than lies ahead of a walk, in directories that follow each other otherwise than their paths do.
    for directory in ["b", "b-", "b.d", "a/b/c", "a/b-c", "ab", "Z", "data", ".cog"] {
        for number in 0..40 {
            for file in 0..30 {
                write(&root.join(format!("{directory}/{number:02}-/{file}")), "");
            }
            let first = root.join(format!("{directory}/{number:02}-/0"));
            fs::hard_link(&first, root.join(format!("{directory}/{number:02}"))).expect("is writable");
            // By this name it comes first.
            fs::hard_link(&first, root.join(format!("Y{number:02}{}", directory.replace('/', "+"))))
                .expect("is writable");
        }
        symlink("elsewhere", root.join(directory).join("link")).expect("is writable");
    }
    // The walk sees these one by one, and what is in them before and after others.
    for number in 0..MOST_NAMES {
        write(&root.join(format!("large/{number:04}")), "");
    }
    for directory in ["0", "0500x", "9"] {
        write(&root.join("large").join(directory).join("file"), "text");
    }
    write(&root.join(".dockerignore"), "**/1*-/2\ndata\n!data/07-\n");
    let context = InputName::new("source").expect("is a name");
    let exclude = PathRule { kind: RuleKind::Exclude, pattern: Spanned::nowhere("**/1*-/3".to_owned()) };
    let rules = [exclude];
    let walked = |others: fn() -> usize| {
        let tree = walk_beside(others, &Room::default(), root, &context, &rules).expect("can be walked");
        told(&tree)
    };
    let alone = walked(|| 0);
    let paths: Vec<&str> = alone.iter().filter_map(|line| line.split(' ').next()).collect();
    for (path, is_taken) in [
        ("/b/10-/1", true),
        ("/b/10-/2", false),
        ("/b/10-/3", false),
        ("/b.d/39-/29", true),
        ("/data/07-/0", true),
        ("/data/08-", false),
        ("/.cog", false),
        ("/large/0500x/file", true),
    ] {
        assert_eq!(paths.contains(&path), is_taken, "{path}");
    }
    for others in [|| 1, || 3] {
        let beside = walked(others);
        let differs = alone.iter().zip(&beside).find(|(one, other)| one != other);
        assert!(alone == beside, "{} and {} entries: {differs:?}", alone.len(), beside.len());
    }
}

/// Ahead of a walk of `a`, `b`, `c` with three files each, with what is in the root expected.
fn with_ahead(test: impl FnOnce(&Ahead<'_>, &Path)) {
    let folder = tempfile::tempdir().expect("makes a directory");
    let root = folder.path();
    for directory in ["a", "b", "c", ".cog"] {
        for file in 0..3 {
            write(&root.join(directory).join(file.to_string()), "");
        }
    }
    let sight = Sight::new(root, &[]).expect("there are no rules").less(IgnoreFile::default());
    let room = Room::default();
    let ahead = Ahead::new(&sight, &room);
    let listing = ahead.list(None, b"", &sight.at_root()).expect("can be listed");
    assert_eq!(listing.seen.len(), 4);
    assert!(!ahead.expect(b"", &listing), "is worth no thread");
    test(&ahead, root);
}

fn look_at_all(ahead: &Ahead<'_>) {
    loop {
        let next = ahead.state().begin();
        let Some((place, task)) = next else { return };
        ahead.look(place, &task);
    }
}

#[test]
fn what_was_seen_lies_there_until_the_walk_has_come_past() {
    with_ahead(|ahead, _| {
        let waiting: Vec<Vec<u8>> = ahead.state().waiting.keys().map(|place| place.0.clone()).collect();
        assert_eq!(waiting, [b"a", b"b", b"c"]);
        look_at_all(ahead);
        assert_eq!(ahead.state().names, 9);
        let Found::Listed(Listing { names, seen, open }) = ahead.come_to(b"b") else {
            panic!("was not looked at")
        };
        assert_eq!((names.in_memory(), seen.len(), open.is_some()), (3, 3, false));
        // The walk has passed over the first one.
        assert_eq!(ahead.state().names, 3);
        assert!(matches!(ahead.come_to(b"b/0"), Found::Alone(None)));
        assert!(matches!(ahead.come_to(b"d"), Found::Alone(None)));
        let state = ahead.state();
        assert_eq!((state.names, state.begun.len(), state.waiting.len()), (0, 0, 0));
    });
}

#[test]
fn what_cannot_be_looked_at_is_left_to_the_walk() {
    with_ahead(|ahead, root| {
        fs::remove_dir_all(root.join("a")).expect("is there");
        look_at_all(ahead);
        assert!(matches!(ahead.come_to(b"a"), Found::Alone(None)));
        assert!(matches!(ahead.come_to(b"b"), Found::Listed(_)));
    });
    // With which nobody has begun, it may be opened in the one above.
    with_ahead(|ahead, _| assert!(matches!(ahead.come_to(b"a"), Found::Alone(Some(_)))));
}

#[test]
fn the_walk_waits_for_nobody_who_has_given_up() {
    with_ahead(|ahead, _| {
        let begun = ahead.state().begin();
        let (place, _task) = begun.expect("waits");
        assert_eq!(place.0, b"a");
        let found = std::thread::scope(|scope| {
            let walk = scope.spawn(|| matches!(ahead.come_to(b"a"), Found::Alone(_)));
            // Until it has looked at all others, and waits.
            while !ahead.state().is_walk_waiting {
                std::thread::yield_now();
            }
            assert_eq!(ahead.state().names, 6);
            drop(Begun { ahead, place });
            walk.join().expect("does not panic")
        });
        assert!(found);
    });
}

#[test]
fn directories_come_in_the_order_of_a_walk() {
    let mut places = ["b", "a-b", "a/b", "", "a", "a/b/c", "a b", "a/b-c"].map(|path| Place(path.into()));
    places.sort();
    let places = places.map(|place| String::from_utf8(place.0).expect("is text"));
    assert_eq!(places, ["", "a", "a/b", "a/b/c", "a/b-c", "a b", "a-b", "b"]);
}
