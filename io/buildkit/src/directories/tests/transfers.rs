//! What is sent, and what happens when something goes wrong on the way.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use bollard_buildkit_proto::fsutil::types::Packet;
use bollard_buildkit_proto::fsutil::types::packet::PacketType;
use tonic::Code;

use super::super::sender::packet;
use super::super::{Change, Directories, Directory, DirectoryFailure, Machine, Sent, mode};
use super::peer::{Asking, Peer};

fn offer(root: &Path) -> Directories {
    let directory = Directory::open(root).expect("is a directory");
    Directories::new(BTreeMap::from([("source".to_owned(), directory)]))
}

fn make(root: &Path, files: &[(&str, &str)]) {
    for (file, content) in files {
        let path = root.join(file);
        fs::create_dir_all(path.parent().expect("is below the root")).expect("is writable");
        fs::write(&path, content).expect("is writable");
    }
}

fn sent(directories: &Directories) -> Sent {
    directories.sent()["source"]
}

#[tokio::test]
async fn a_tree_arrives_as_it_is() {
    let root = tempfile::tempdir().expect("makes a directory");
    let root = root.path();
    let large = "0123456789abcdef".repeat(20_000);
    make(root, &[("a/one", "1"), ("a/empty", ""), ("b", "two"), ("large", &large), (".cog/state", "x")]);
    make(root, &[(".dockerignore", "*.log\n"), ("x.log", "noise")]);
    symlink("a/one", root.join("link")).expect("is writable");
    fs::hard_link(root.join("b"), root.join("c")).expect("is writable");
    let directories = offer(root);
    let peer = Peer::call(&directories, Asking::of("source")).await.expect("is offered");
    let received = peer.receive(|_| true).await.expect("arrives");
    assert_eq!(received.paths(), [".dockerignore", "a", "a/empty", "a/one", "b", "c", "large", "link"]);
    let contents: Vec<(&str, usize)> =
        received.contents.iter().map(|(path, content)| (path.as_str(), content.len())).collect();
    assert_eq!(
        contents,
        [(".dockerignore", 6), ("a/empty", 0), ("a/one", 1), ("b", 3), ("large", large.len())]
    );
    assert_eq!(received.contents["large"], large.as_bytes());
    assert_eq!(received.stats[5].linkname, "b");
    let bytes = 6 + 1 + 3 + large.len() as u64;
    assert_eq!(sent(&directories), Sent { entries: 8, files: 5, bytes, is_complete: true });
    assert!(directories.failure().is_none());
}

#[tokio::test]
async fn a_daemon_that_has_all_is_sent_no_bytes() {
    let root = tempfile::tempdir().expect("makes a directory");
    make(root.path(), &[("a", "1"), ("b", "2")]);
    let directories = offer(root.path());
    let peer = Peer::call(&directories, Asking::of("source")).await.expect("is offered");
    peer.receive(|stat| stat.path == "b").await.expect("arrives");
    assert_eq!(sent(&directories), Sent { entries: 2, files: 1, bytes: 1, is_complete: true });
    let directories = offer(root.path());
    let peer = Peer::call(&directories, Asking::of("source")).await.expect("is offered");
    peer.receive(|_| false).await.expect("arrives");
    assert_eq!(sent(&directories), Sent { entries: 2, files: 0, bytes: 0, is_complete: true });
}

/// HTTP/2 ends a connection on which thousands of small frames lie unread, as all these requests
/// are where nobody takes them off while files are sent.
#[tokio::test(flavor = "multi_thread")]
async fn more_than_five_thousand_files_arrive() {
    let root = tempfile::tempdir().expect("makes a directory");
    for file in 0..6_500 {
        // So much that it does not fit into the pipe while nobody reads.
        fs::write(root.path().join(format!("{file:05}")), [b'x'; 8_000]).expect("is writable");
    }
    let directories = offer(root.path());
    let mut peer = Peer::call(&directories, Asking::of("source")).await.expect("is offered");
    let stats = peer.announcements().await.expect("arrive");
    assert_eq!(stats.len(), 6_500);
    // All at once, and nothing is read until the last is asked for.
    for id in 0..stats.len() {
        peer.ask(id);
    }
    peer.until_left(stats.len()).await;
    let mut ended = 0;
    while ended < stats.len() {
        let data = peer.next().await.expect("is sent");
        ended += usize::from(data.data.is_empty());
    }
    peer.send(packet(PacketType::PacketFin));
    assert_eq!(peer.next().await.expect("is sent"), packet(PacketType::PacketFin));
    assert!(sent(&directories).is_complete);
}

#[tokio::test]
async fn only_what_is_offered_can_be_asked_for() {
    let root = tempfile::tempdir().expect("makes a directory");
    let directories = offer(root.path());
    for name in ["other", "../source", "/", ""] {
        let Err(refused) = Peer::call(&directories, Asking::of(name)).await else { panic!("{name}") };
        assert_eq!(refused.code(), Code::NotFound);
        assert!(refused.message().ends_with("this build offers `source`"), "{refused}");
    }
    assert!(
        matches!(directories.failure(), Some(DirectoryFailure::Unknown { asked, .. }) if asked == "other")
    );
    let nameless = Asking { metadata: Vec::new() };
    assert!(
        matches!(Peer::call(&directories, nameless).await, Err(refused) if refused.code() == Code::InvalidArgument)
    );
}

#[tokio::test]
async fn a_file_that_vanishes_ends_the_transfer_with_its_name() {
    let root = tempfile::tempdir().expect("makes a directory");
    make(root.path(), &[("d/a", "text"), ("d/b", "text")]);
    for (change, expected) in [
        ((|path: &Path| fs::remove_file(path)) as fn(&Path) -> _, Change::Vanished),
        (|path: &Path| fs::write(path, "more text"), Change::Grew),
        (|path: &Path| fs::write(path, "t"), Change::Shrank),
    ] {
        make(root.path(), &[("d/b", "text")]);
        let directories = offer(root.path());
        let mut peer = Peer::call(&directories, Asking::of("source")).await.expect("is offered");
        peer.announcements().await.expect("arrive");
        change(&root.path().join("d/b")).expect("is ours");
        peer.ask(2);
        let told = peer.next().await.expect("a packet comes first");
        let told = String::from_utf8(told.data).expect("is text");
        assert_eq!(told, format!("`d/b` of the directory `source` {expected} while the directory was sent"));
        assert_eq!(peer.next().await.expect_err("the transfer ended").message(), told);
        let failure = directories.failure().expect("is kept");
        assert!(matches!(failure, DirectoryFailure::Changed { change, .. } if change == expected));
        assert!(failure.is_retryable());
        assert!(!told.contains(&*root.path().to_string_lossy()), "{told}");
        assert!(!sent(&directories).is_complete);
    }
}

#[tokio::test]
async fn a_daemon_out_of_order_is_told_so_and_one_that_leaves_ends_the_transfer() {
    let root = tempfile::tempdir().expect("makes a directory");
    make(root.path(), &[("a", "text")]);
    let directories = offer(root.path());
    let mut peer = Peer::call(&directories, Asking::of("source")).await.expect("is offered");
    peer.announcements().await.expect("arrive");
    peer.ask(9);
    let told = peer.next().await.expect("a packet comes first");
    assert_eq!(told.r#type(), PacketType::PacketErr);
    assert!(peer.next().await.expect_err("the transfer ended").message().contains("the number 9"));

    let directories = offer(root.path());
    let mut peer = Peer::call(&directories, Asking::of("source")).await.expect("is offered");
    peer.announcements().await.expect("arrive");
    let gave_up = Packet { data: b"no space left".to_vec(), ..packet(PacketType::PacketErr) };
    peer.send(gave_up);
    while peer.next().await.is_ok() {}
    assert!(directories.failure().is_none(), "what the daemon says itself is no failure of the directory");

    let directories = offer(root.path());
    let weak = std::sync::Arc::downgrade(&directories.offered["source"]);
    let mut peer = Peer::call(&directories, Asking::of("source")).await.expect("is offered");
    peer.announcements().await.expect("arrive");
    drop((peer, directories));
    // All tasks and threads of the transfer let go of the directory.
    let gone = async {
        while weak.strong_count() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), gone).await.expect("the transfer ends");
}

#[tokio::test]
async fn a_part_is_sent_by_patterns_and_by_followed_links() {
    let root = tempfile::tempdir().expect("makes a directory");
    make(root.path(), &[("src/a.py", ""), ("src/b.txt", ""), ("real/café", ""), ("other", "")]);
    symlink("real", root.path().join("link")).expect("is writable");
    let directories = offer(root.path());
    let texts = |texts: &[&str]| texts.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    let asking = Asking::of("source")
        .with("include-patterns", &texts(&["src"]))
        .with("exclude-patterns", &texts(&["**/*.txt"]))
        .with("followpaths", &texts(&["link%2Fcaf%C3%A9"]))
        .with("followpaths-encoded", &texts(&["1"]));
    let peer = Peer::call(&directories, asking).await.expect("is offered");
    let received = peer.receive(|_| true).await.expect("arrives");
    assert_eq!(received.paths(), ["link", "real", "real/café", "src", "src/a.py"]);
    assert_eq!(mode::kind(received.stats[0].mode), mode::SYMLINK);

    let broken = Asking::of("source").with("include-patterns", &texts(&["[a"]));
    let mut peer = Peer::call(&directories, broken).await.expect("is offered");
    peer.next().await.expect("a packet comes first");
    let refused = peer.next().await.expect_err("is refused");
    assert!(refused.message().contains("by `[a`"), "{refused}");
}

#[test]
fn the_shared_key_is_that_of_the_machine_and_the_paths() {
    let root = tempfile::tempdir().expect("makes a directory");
    make(root.path(), &[("a/x", ""), ("b/x", "")]);
    let key = |machine: &str, directories: &[(&str, &str)]| {
        let open = |(name, path): &(&str, &str)| {
            ((*name).to_owned(), Directory::open(&root.path().join(path)).expect("is a directory"))
        };
        Directories::new(directories.iter().map(open).collect()).shared_key(&Machine::named(machine))
    };
    let first = key("m", &[("source", "a")]);
    assert_eq!(first, key("m", &[("source", "b/../a")]));
    let others = [
        key("n", &[("source", "a")]),
        key("m", &[("source", "b")]),
        key("m", &[("other", "a")]),
        key("m", &[("source", "a"), ("other", "b")]),
    ];
    assert!(!others.contains(&first));
    let named_by_content = |path| {
        let directory = Directory::open(&root.path().join(path)).expect("is a directory").named_by_content();
        Directories::new([("source".to_owned(), directory)].into()).shared_key(&Machine::named("m"))
    };
    assert_eq!(named_by_content("a"), named_by_content("b"));
    assert_ne!(named_by_content("a"), first);
    assert!(first.len() == 64 && first.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert!(!Machine::here().eq(&Machine::named("")), "this machine has an identity");
}
