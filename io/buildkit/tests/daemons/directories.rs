//! Directories go to daemons, and come back as trees.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use cogpack_io_buildkit::directories::{Directories, Directory, DirectoryFailure, Machine, Sent};
use cogpack_io_buildkit::exports::{self, ToDirectory, ToFile};
use cogpack_io_buildkit::failure::Failure;
use cogpack_io_buildkit::session::Services;
use cogpack_io_buildkit::solve::Request;

use crate::building::{built, exporter, graph_for};
use crate::definitions::Definition;
use crate::found::{Found, connected, daemons};

const NAME: &str = "sync-context";

/// A definition of the directory alone.
fn directory(attributes: &[(&str, &str)]) -> Vec<u8> {
    let mut definition = Definition::default();
    // A vertex that two builds have in common is one, and reads the directory of one of them.
    static BUILDS: AtomicU32 = AtomicU32::new(0);
    let unique = format!("{}-{}", std::process::id(), BUILDS.fetch_add(1, Ordering::Relaxed));
    let all = [&[("local.sharedkeyhint", NAME), ("local.unique", unique.as_str())], attributes].concat();
    let local = definition.source_with(&format!("local://{NAME}"), &all);
    definition.finish(&local, &[])
}

fn offer(root: &Path) -> Directories {
    let directory = Directory::open(root).expect("is a directory");
    Directories::new(BTreeMap::from([(NAME.to_owned(), directory)]))
}

/// Sends a directory and does nothing with it.
async fn sent(found: &Found, root: &Path) -> (Result<(), Failure>, Directories) {
    let directories = offer(root);
    let services = Services::new()
        .add(directories.to_server(), Directories::METHODS)
        .with_shared_key(directories.shared_key(&Machine::here()));
    let request =
        Request { graphs: vec![graph_for("linux/amd64", directory(&[]))], services, ..Request::default() };
    let (outcome, _) = built(&connected(found).await, request).await;
    (outcome.map(drop), directories)
}

/// Sends a directory, and takes what the daemon has of it then.
async fn returned(found: &Found, root: &Path, attributes: &[(&str, &str)], to: &Path) -> Sent {
    let directories = offer(root);
    let place = ToDirectory::new(to).expect("is writable");
    let services = Services::new()
        .add(directories.to_server(), Directories::METHODS)
        .add(place.to_server(), exports::METHODS)
        .with_shared_key(directories.shared_key(&Machine::here()));
    let request = Request {
        graphs: vec![graph_for("linux/amd64", directory(attributes))],
        exporters: vec![exporter("local", &[])],
        services,
        ..Request::default()
    };
    let (outcome, _) = built(&connected(found).await, request).await;
    outcome.unwrap_or_else(|failure| panic!("{}: {failure}", found.name));
    place.commit().expect("is complete");
    directories.sent()[NAME]
}

fn make(root: &Path, files: &[(&str, &str)]) {
    for (file, content) in files {
        let path = root.join(file);
        fs::create_dir_all(path.parent().expect("is below the root")).expect("is writable");
        fs::write(&path, content).expect("is writable");
    }
}

/// Every path with what it is, so that two trees can be compared.
fn listing(root: &Path) -> BTreeMap<String, String> {
    let mut listing = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).expect("is a directory") {
            let path = entry.expect("is an entry").path();
            let metadata = fs::symlink_metadata(&path).expect("is there");
            let name = path.strip_prefix(root).expect("is below").to_string_lossy().into_owned();
            let (mode, time) = (metadata.mode(), (metadata.mtime(), metadata.mtime_nsec()));
            let shown = match () {
                () if metadata.is_dir() => {
                    open.push(path);
                    format!("{mode:o} directory")
                }
                () if metadata.is_symlink() => {
                    format!("link to {}", fs::read_link(&path).expect("is a link").display())
                }
                () if metadata.file_type().is_socket() => "a socket".to_owned(),
                () => {
                    format!("{mode:o} {time:?} {} {:?}", metadata.nlink(), fs::read(&path).expect("is there"))
                }
            };
            listing.insert(name, shown);
        }
    }
    listing
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_comes_back_as_it_was() {
    for found in daemons() {
        let around = tempfile::tempdir().expect("makes a directory");
        let (root, to) = (around.path().join("from"), around.path().join("to"));
        let large = "0123456789abcdef".repeat(100_000);
        make(&root, &[("a/b/c", "text"), ("a-b", "x"), ("a/empty", ""), ("large", &large)]);
        make(
            &root,
            &[
                ("odd names/* [x] \\ \"'", "1"),
                ("odd names/ünïcode\u{1f40b}", "2"),
                ("odd names/new\nline", "3"),
            ],
        );
        make(&root, &[(".dockerignore", "ignored\n"), ("ignored/x", ""), (".cog/state", "")]);
        fs::hard_link(root.join("large"), root.join("a/other")).expect("is writable");
        symlink("../a/b", root.join("a/link")).expect("is writable");
        symlink("/nowhere/ü", root.join("dangling")).expect("is writable");
        fs::set_permissions(root.join("a/b/c"), fs::Permissions::from_mode(0o751)).expect("is ours");
        fs::set_permissions(root.join("a/b"), fs::Permissions::from_mode(0o1777)).expect("is ours");
        let _socket = UnixListener::bind(root.join("socket")).expect("is writable");
        let sent = returned(&found, &root, &[], &to).await;
        assert!(sent.is_complete, "{}", found.name);
        let mut expected = listing(&root);
        expected
            .retain(|path, _| !path.starts_with("ignored") && !path.starts_with(".cog") && path != "socket");
        assert_eq!(listing(&to), expected, "{}", found.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_comes_by_patterns() {
    for found in daemons() {
        let around = tempfile::tempdir().expect("makes a directory");
        let (root, to) = (around.path().join("from"), around.path().join("to"));
        make(
            &root,
            &[("src/é/a.py", ""), ("src/b.txt", ""), ("src/c.py", ""), ("real/x", ""), ("other", "")],
        );
        symlink("real", root.join("link")).expect("is writable");
        let attributes = [
            ("local.includepattern", r#"["src/é", "**/*.py"]"#),
            ("local.excludepatterns", r#"["src/c*"]"#),
            ("local.followpaths", r#"["link/x"]"#),
        ];
        returned(&found, &root, &attributes, &to).await;
        let paths: Vec<String> = listing(&to).into_keys().collect();
        assert_eq!(paths, ["link", "real", "real/x", "src", "src/é", "src/é/a.py"], "{}", found.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_changed_is_sent_again() {
    for found in daemons() {
        let root = tempfile::tempdir().expect("makes a directory");
        let root = root.path();
        for file in 0..6_200 {
            let directory = root.join(format!("{:02}", file % 50));
            fs::create_dir_all(&directory).expect("is writable");
            fs::write(directory.join(format!("{file:05}")), format!("{file}")).expect("is writable");
        }
        let send = || async {
            let (outcome, directories) = sent(&found, root).await;
            outcome.unwrap_or_else(|failure| panic!("{}: {failure}", found.name));
            directories.sent()[NAME]
        };
        let first = send().await;
        assert_eq!((first.entries, first.files), (6_250, 6_200), "{}", found.name);
        let second = send().await;
        assert_eq!((second.entries, second.files, second.bytes), (6_250, 0, 0), "{}", found.name);
        fs::write(root.join("07/00007"), "changed").expect("is writable");
        let third = send().await;
        assert_eq!((third.files, third.bytes), (1, 7), "{}", found.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_sent_is_named_by_us_and_by_the_daemon() {
    for found in daemons() {
        let root = tempfile::tempdir().expect("makes a directory");
        make(root.path(), &[("a", "text")]);
        let odd = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"odd\xff");
        fs::write(root.path().join(odd), "x").expect("is writable");
        let (outcome, directories) = sent(&found, root.path()).await;
        let failure = outcome.expect_err("a name is not UTF-8");
        let said = format!("{failure} {failure:?}");
        assert!(said.contains("odd") && said.contains("not UTF-8"), "{}: {said}", found.name);
        assert!(!said.contains(&*root.path().to_string_lossy()), "{}: {said}", found.name);
        let kept = directories.failure();
        assert!(matches!(kept, Some(DirectoryFailure::Unsendable { .. })), "{}: {kept:?}", found.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_grows_meanwhile_ends_the_build_with_its_name() {
    for found in daemons() {
        let root = tempfile::tempdir().expect("makes a directory");
        for file in 0..500 {
            fs::write(root.path().join(format!("{file:03}")), "text").expect("is writable");
        }
        let path = root.path().join("999-log");
        let mut log = fs::File::create(&path).expect("is writable");
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let writing = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                log.write_all(b"line\n").expect("is writable");
                std::thread::sleep(Duration::from_micros(50));
            }
        });
        let (outcome, directories) = sent(&found, root.path()).await;
        stop.store(true, Ordering::Relaxed);
        writing.join().expect("ends well");
        // What the daemon says of it depends on what reaches it first: why the stream ended, or that it
        // ended (`EOF`). What a build tells is what is kept here.
        outcome.expect_err("a file grows");
        let kept = directories.failure();
        assert!(
            matches!(&kept, Some(DirectoryFailure::Changed { path, .. }) if path == "999-log"),
            "{}: {kept:?}",
            found.name
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_is_there_when_it_is_committed() {
    for found in daemons() {
        let around = tempfile::tempdir().expect("makes a directory");
        let out = around.path().join("out.tar");
        let place = ToFile::new(&out).expect("is writable");
        let mut definition = Definition::default();
        let file = definition.file("/hello", "sync");
        let request = Request {
            graphs: vec![graph_for("linux/amd64", definition.finish(&file, &[]))],
            exporters: vec![exporter("tar", &[])],
            services: Services::new().add(place.to_server(), exports::METHODS),
            ..Request::default()
        };
        let (outcome, _) = built(&connected(&found).await, request).await;
        outcome.unwrap_or_else(|failure| panic!("{}: {failure}", found.name));
        assert!(!out.exists());
        let received = place.received();
        place.commit().expect("is complete");
        assert_eq!(fs::metadata(&out).expect("is there").len(), received);
        assert!(received > 1024 && received.is_multiple_of(512), "{}: {received}", found.name);
    }
}
