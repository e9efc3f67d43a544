//! Whole results through a real client and server of gRPC over a pipe in memory.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use bollard_buildkit_proto::fsutil::types::packet::PacketType;
use bollard_buildkit_proto::fsutil::types::{Packet, Stat};
use bollard_buildkit_proto::moby::filesync::packet::file_send_client::FileSendClient as TreeClient;
use bollard_buildkit_proto::moby::filesync::v1::BytesMessage;
use bollard_buildkit_proto::moby::filesync::v1::file_send_client::FileSendClient;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::{Code, Status};

use super::receiver::{Action, ReceiveError, Receiver};
use super::{ExportFailure, ToDirectory, ToFile};
use crate::directories::sender::packet;
use crate::directories::{Directories, Directory, mode};
use crate::in_memory;

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("is a directory");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("is an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Sends chunks to `place`, and hangs up in the middle after the last if that is asked for.
async fn send_file(place: &ToFile, chunks: &[&str]) -> Result<(), Status> {
    let mut client = FileSendClient::new(in_memory::connect(place.to_server()).await);
    let messages: Vec<_> =
        chunks.iter().map(|chunk| BytesMessage { data: chunk.as_bytes().to_vec() }).collect();
    let mut answers = client.diff_copy(tokio_stream::iter(messages)).await?.into_inner();
    assert!(answers.message().await?.is_none());
    Ok(())
}

#[tokio::test]
async fn a_file_gets_its_name_when_it_is_committed() {
    let directory = tempfile::tempdir().expect("makes a directory");
    let out = directory.path().join("out.tar");
    fs::write(&out, "before").expect("is writable");
    fs::set_permissions(&out, fs::Permissions::from_mode(0o640)).expect("is ours");
    let link = directory.path().join("link");
    symlink("out.tar", &link).expect("is writable");
    let place = ToFile::new(&link).expect("is writable");
    send_file(&place, &["some ", "bytes"]).await.expect("is taken");
    assert_eq!(place.received(), 10);
    assert_eq!(fs::read_to_string(&out).expect("is there"), "before");
    place.commit().expect("is complete");
    assert_eq!(fs::read_to_string(&out).expect("is there"), "some bytes");
    assert_eq!(fs::metadata(&out).expect("is there").mode() & 0o777, 0o640);
    assert_eq!(names(directory.path()), ["link", "out.tar"]);
}

#[tokio::test]
async fn a_file_that_is_not_committed_leaves_nothing() {
    let directory = tempfile::tempdir().expect("makes a directory");
    let place = ToFile::new(&directory.path().join("out.tar")).expect("is writable");
    send_file(&place, &["bytes"]).await.expect("is taken");
    let again = send_file(&place, &["more"]).await.expect_err("there is one place");
    assert_eq!(again.code(), Code::AlreadyExists);
    drop(place);
    // The server lets go of it with the connection.
    while !names(directory.path()).is_empty() {
        tokio::task::yield_now().await;
    }
    let place = ToFile::new(&directory.path().join("out.tar")).expect("is writable");
    assert!(matches!(place.commit(), Err(ExportFailure::Incomplete)));
    assert!(names(directory.path()).is_empty());
}

#[tokio::test]
async fn a_daemon_that_hangs_up_leaves_nothing() {
    let directory = tempfile::tempdir().expect("makes a directory");
    let place = ToFile::new(&directory.path().join("out.tar")).expect("is writable");
    let mut client = FileSendClient::new(in_memory::connect(place.to_server()).await);
    let (into, messages) = mpsc::unbounded_channel();
    into.send(BytesMessage { data: b"half".to_vec() }).expect("is open");
    let calling = tokio::spawn(async move { client.diff_copy(UnboundedReceiverStream::new(messages)).await });
    while place.received() < 4 {
        tokio::task::yield_now().await;
    }
    calling.abort();
    assert!(calling.await.is_err());
    drop((into, place));
    while !names(directory.path()).is_empty() {
        tokio::task::yield_now().await;
    }
}

/// Something that has no room.
struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn trouble_with_the_disk_is_told_and_kept() {
    let place = ToFile::to_stream(Full);
    let told = send_file(&place, &["bytes"]).await.expect_err("there is no room");
    assert!(told.message().starts_with("the client could not write the result"), "{told}");
    assert!(matches!(place.take_failure(), Some(ExportFailure::Stream(_))));
    let directory = tempfile::tempdir().expect("makes a directory");
    assert!(matches!(ToFile::new(directory.path()), Err(ExportFailure::Occupied { .. })));
    assert!(matches!(ToFile::new(&directory.path().join("a/b")), Err(ExportFailure::Write { .. })));
}

#[test]
fn a_place_that_is_not_there_is_told_by_its_own_name() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let missing = folder.path().join("none");
    let told = |failure: ExportFailure| {
        let cause = std::error::Error::source(&failure).map(ToString::to_string);
        (failure.to_string(), cause.unwrap_or_default())
    };
    let no_such = "there is no such directory".to_owned();
    let file = missing.join("image.tar");
    let beside = ToFile::new(&file).err().map(told);
    assert_eq!(beside, Some((format!("create a file beside `{}`", file.display()), no_such.clone())));
    let within = ToFile::unnamed_in(&missing).err().map(told);
    assert_eq!(within, Some((format!("create a file in `{}`", missing.display()), no_such)));
}

#[tokio::test]
async fn a_file_without_a_name_can_be_read() {
    let directory = tempfile::tempdir().expect("makes a directory");
    let place = ToFile::unnamed_in(directory.path()).expect("is writable");
    send_file(&place, &["some ", "bytes"]).await.expect("is taken");
    let mut text = String::new();
    place.into_reader().expect("is complete").read_to_string(&mut text).expect("is readable");
    assert_eq!(text, "some bytes");
    while !names(directory.path()).is_empty() {
        tokio::task::yield_now().await;
    }
}

/// Sends the directory `from` to `place`, as a daemon sends its trees.
async fn send_tree(from: &Path, place: &ToDirectory) -> Result<(), Status> {
    let directory = Directory::open(from).expect("is a directory");
    let directories = Directories::new(BTreeMap::from([("tree".to_owned(), directory)]));
    let (into, answers) = mpsc::unbounded_channel();
    let packets = directories.send_to_peer("tree", UnboundedReceiverStream::new(answers));
    let mut client = TreeClient::new(in_memory::connect(place.to_server()).await);
    let packets = packets.map_while(Result::ok);
    let mut answers = client.diff_copy(packets).await?.into_inner();
    while let Some(answer) = answers.message().await? {
        // The sender has ended when the last one comes.
        drop(into.send(Ok(answer)));
    }
    Ok(())
}

#[tokio::test]
async fn a_tree_arrives_as_it_is() {
    let from = tempfile::tempdir().expect("makes a directory");
    let from = from.path();
    fs::create_dir_all(from.join("a/locked")).expect("is writable");
    let large = "0123456789".repeat(50_000);
    for (path, content) in [("a/x", "x"), ("a/empty", ""), ("a/locked/y", "y"), ("large", &large)] {
        fs::write(from.join(path), content).expect("is writable");
    }
    for file in 0..200 {
        fs::write(from.join(format!("many-{file:03}")), file.to_string()).expect("is writable");
    }
    symlink("/etc", from.join("a/link")).expect("is writable");
    fs::hard_link(from.join("large"), from.join("other")).expect("is writable");
    fs::set_permissions(from.join("a/x"), fs::Permissions::from_mode(0o4751)).expect("is ours");
    fs::set_permissions(from.join("a/locked"), fs::Permissions::from_mode(0o555)).expect("is ours");

    let around = tempfile::tempdir().expect("makes a directory");
    let to = around.path().join("below/out");
    let place = ToDirectory::new(&to).expect("is writable");
    send_tree(from, &place).await.expect("is taken");
    assert_eq!(place.received(), 2 + large.len() as u64 + 490);
    assert!(!to.exists(), "it is not there before it is committed");
    place.commit().expect("is complete");
    assert_eq!(names(&around.path().join("below")), ["out"]);
    assert_eq!(names(&to).len(), 203);
    let of = |root: &Path, path: &str| {
        let metadata = fs::symlink_metadata(root.join(path)).expect("is there");
        (metadata.mode(), metadata.mtime(), metadata.mtime_nsec())
    };
    for path in ["a", "a/x", "a/empty", "a/locked", "a/locked/y", "a/link", "large", "many-007"] {
        assert_eq!(of(&to, path), of(from, path), "{path}");
    }
    assert_eq!(fs::read_to_string(to.join("other")).expect("is there"), large);
    assert_eq!(fs::read_to_string(to.join("many-123")).expect("is there"), "123");
    let inode = |path: &str| fs::metadata(to.join(path)).expect("is there").ino();
    assert_eq!(inode("large"), inode("other"));
    assert_eq!(fs::read_link(to.join("a/link")).expect("is a link"), Path::new("/etc"));
    for root in [from, &to] {
        fs::set_permissions(root.join("a/locked"), fs::Permissions::from_mode(0o755)).expect("is ours");
    }
}

#[tokio::test]
async fn a_tree_goes_over_what_is_there_and_through_no_link() {
    let from = tempfile::tempdir().expect("makes a directory");
    fs::create_dir_all(from.path().join("d/e")).expect("is writable");
    fs::write(from.path().join("d/e/new"), "new").expect("is writable");
    fs::write(from.path().join("file"), "new").expect("is writable");
    let around = tempfile::tempdir().expect("makes a directory");
    let (to, outside) = (around.path().join("out"), around.path().join("outside"));
    for directory in [&to, &outside] {
        fs::create_dir(directory).expect("is writable");
    }
    fs::write(to.join("kept"), "old").expect("is writable");
    fs::write(outside.join("secret"), "old").expect("is writable");
    symlink("../outside", to.join("d")).expect("is writable");
    symlink("../outside/secret", to.join("file")).expect("is writable");
    let place = ToDirectory::new(&to).expect("is writable");
    send_tree(from.path(), &place).await.expect("is taken");
    place.commit().expect("is complete");
    assert_eq!(names(&to), ["d", "file", "kept"]);
    assert_eq!(fs::read_to_string(to.join("d/e/new")).expect("is there"), "new");
    assert_eq!(fs::read_to_string(to.join("file")).expect("is there"), "new");
    assert_eq!(names(&outside), ["secret"]);
    assert_eq!(fs::read_to_string(outside.join("secret")).expect("is there"), "old");

    // A directory where the tree has a file stops all of it, before anything is moved.
    fs::remove_file(to.join("file")).expect("is ours");
    fs::create_dir(to.join("file")).expect("is writable");
    fs::write(from.path().join("d/e/new"), "newer").expect("is writable");
    let place = ToDirectory::new(&to).expect("is writable");
    send_tree(from.path(), &place).await.expect("is taken");
    assert!(matches!(place.commit(), Err(ExportFailure::Occupied { .. })));
    assert_eq!(fs::read_to_string(to.join("d/e/new")).expect("is there"), "new");
    assert_eq!(names(&to), ["d", "file", "kept"]);
}

#[tokio::test]
async fn a_tree_that_breaks_off_leaves_nothing() {
    let around = tempfile::tempdir().expect("makes a directory");
    let to = around.path().join("out");
    let place = ToDirectory::new(&to).expect("is writable");
    let mut client = TreeClient::new(in_memory::connect(place.to_server()).await);
    let stat = Stat { path: "../escape".to_owned(), mode: 0o644, ..Stat::default() };
    let packets = vec![Packet { stat: Some(stat), ..packet(PacketType::PacketStat) }];
    let mut answers = client.diff_copy(tokio_stream::iter(packets)).await.expect("is served").into_inner();
    let told = answers.message().await.expect_err("it leaves the tree");
    assert!(told.message().contains("`../escape`"), "{told}");
    assert!(matches!(place.take_failure(), Some(ExportFailure::Receive(ReceiveError::Path(_)))));
    assert!(matches!(place.commit(), Err(ExportFailure::Incomplete)));
    drop((client, answers));
    while !names(around.path()).is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(matches!(ToDirectory::new(Path::new("/proc/self/stat")), Err(ExportFailure::Occupied { .. })));
}

fn announce(path: &str, mode: u32, linkname: &str) -> Packet {
    let stat =
        Stat { path: path.to_owned(), mode, linkname: linkname.to_owned(), size: 4, ..Stat::default() };
    Packet { stat: Some(stat), ..packet(PacketType::PacketStat) }
}

fn refused(packets: &[Packet]) -> ReceiveError {
    let mut receiver = Receiver::default();
    let (last, first) = packets.split_last().expect("is not empty");
    for packet in first {
        receiver.on(packet.clone()).expect("is in order");
    }
    receiver.on(last.clone()).expect_err("is refused")
}

#[test]
fn nothing_leaves_the_tree() {
    for path in ["", ".", "..", "/etc/passwd", "a/../../b", "a//b", "./a", "a/", "a\0b"] {
        assert_eq!(refused(&[announce(path, 0o644, "")]), ReceiveError::Path(path.to_owned()), "{path}");
    }
    let through_a_link = [announce("l", mode::SYMLINK | 0o777, "/etc"), announce("l/passwd", 0o644, "")];
    assert_eq!(refused(&through_a_link), ReceiveError::Orphan("l/passwd".to_owned()));
    assert_eq!(refused(&[announce("d/x", 0o644, "")]), ReceiveError::Orphan("d/x".to_owned()));
    for target in ["/etc/passwd", "../x", "missing", "l"] {
        let link = [announce("l", mode::SYMLINK | 0o777, "/etc"), announce("x", 0o644, target)];
        let expected = ReceiveError::Link { path: "x".to_owned(), target: target.to_owned() };
        assert_eq!(refused(&link), expected);
    }
    // The second would be written through the link that the first has made.
    let twice = [announce("l", mode::SYMLINK | 0o777, "/etc/passwd"), announce("l", 0o644, "")];
    assert_eq!(refused(&twice), ReceiveError::Twice("l".to_owned()));
    assert_eq!(refused(&[announce("s", mode::SOCKET, "")]), ReceiveError::Kind("s".to_owned()));
}

#[test]
fn files_have_as_many_bytes_as_were_announced() {
    let end = packet(PacketType::PacketStat);
    let data = |id, data: &[u8]| Packet { id, data: data.to_vec(), ..packet(PacketType::PacketData) };
    let size = |sent| ReceiveError::Size { path: "a".to_owned(), announced: 4, sent };
    let file = announce("a", 0o644, "");
    assert_eq!(refused(&[file.clone(), end.clone(), data(0, b"12345")]), size(5));
    assert_eq!(refused(&[file.clone(), end.clone(), data(0, b"12"), data(0, b"")]), size(2));
    assert_eq!(refused(&[file.clone(), data(0, b"1")]), ReceiveError::NotAskedFor(0));
    assert_eq!(refused(&[file.clone(), end.clone(), file]), ReceiveError::OutOfOrder(0));
    assert_eq!(refused(&[packet(PacketType::PacketFin)]), ReceiveError::OutOfOrder(3));
    let gave_up = Packet { data: b"no".to_vec(), ..packet(PacketType::PacketErr) };
    assert_eq!(refused(&[gave_up]), ReceiveError::GaveUp("no".to_owned()));
}

#[test]
fn few_files_are_asked_for_at_a_time() {
    let mut receiver = Receiver::default();
    for file in 0..100 {
        receiver.on(announce(&format!("{file:03}"), 0o644, "")).expect("is in order");
    }
    let asked = receiver.on(packet(PacketType::PacketStat)).expect("is in order");
    assert_eq!(asked.len(), super::receiver::AT_ONCE);
    for id in 0..100 {
        let data = Packet { id, data: b"1234".to_vec(), ..packet(PacketType::PacketData) };
        receiver.on(data).expect("was asked for");
        let last = receiver.on(Packet { id, ..packet(PacketType::PacketData) }).expect("was asked for");
        let finished = last.contains(&Action::Finish);
        assert_eq!(finished, id == 99);
    }
}
