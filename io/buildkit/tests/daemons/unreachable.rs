//! What is in the way to a daemon is told. Most of this needs none.

use cogpack_io_buildkit::address::{Address, Endpoint};
use cogpack_io_buildkit::connection::Connection;
use cogpack_io_buildkit::failure::{Failure, Obstacle};
use tokio::io::AsyncWriteExt;
use tokio::net::UnixListener;

use crate::found::{daemons, socket_of};

fn both_ways(path: &std::path::Path) -> [Address; 2] {
    let endpoint = Endpoint::Unix(path.to_owned());
    [Address::Daemon(endpoint.clone()), Address::Engine(endpoint)]
}

async fn obstacle(address: &Address) -> (Obstacle, Option<&'static str>) {
    let failure = Connection::open(address).await.unwrap_err();
    let help = failure.help();
    match failure {
        Failure::Unreachable { obstacle, .. } => (obstacle, help),
        other @ (Failure::NotBuildKit { .. }
        | Failure::Refused { .. }
        | Failure::Build(_)
        | Failure::Lost { .. }
        | Failure::Cancelled
        | Failure::Unanswered
        | Failure::Declined
        | Failure::Unsendable { .. }) => panic!("{address}: {other:?}"),
    }
}

#[tokio::test]
async fn a_socket_that_is_not_there() {
    let directory = tempfile::tempdir().unwrap();
    for address in both_ways(&directory.path().join("none.sock")) {
        let (obstacle, help) = obstacle(&address).await;
        assert!(matches!(obstacle, Obstacle::NoSocket), "{obstacle:?}");
        assert!(help.unwrap().starts_with("start "), "{help:?}");
    }
}

#[tokio::test]
async fn a_socket_that_nobody_listens_at() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("left.sock");
    drop(UnixListener::bind(&path).unwrap());
    for address in both_ways(&path) {
        let (obstacle, _) = obstacle(&address).await;
        assert!(matches!(obstacle, Obstacle::NobodyListens), "{obstacle:?}");
    }
}

/// Time stands still but for what is waited for, so this takes no time.
#[tokio::test(start_paused = true)]
async fn a_socket_that_nobody_answers_at() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("silent.sock");
    let _listener = UnixListener::bind(&path).unwrap();
    for address in both_ways(&path) {
        let (obstacle, _) = obstacle(&address).await;
        assert!(matches!(obstacle, Obstacle::NoAnswer { seconds: 20 }), "{obstacle:?}");
    }
}

#[tokio::test]
async fn whoever_answers_and_is_no_buildkit_is_named_as_such() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("web.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let server = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let answer =
                b"HTTP/1.1 404 Not Found\r\nContent-Length: 29\r\n\r\n{\"message\":\"page not found\"}\r\n";
            // The client may have hung up already.
            let _ = stream.write_all(answer).await;
            let _ = stream.shutdown().await;
        }
    });
    let [daemon, engine] = both_ways(&path);
    let failure = Connection::open(&daemon).await.unwrap_err();
    assert!(matches!(failure, Failure::NotBuildKit { .. }), "{failure:?}");
    assert!(failure.help().unwrap().contains("DOCKER_HOST"), "{failure:?}");
    let failure = Connection::open(&engine).await.unwrap_err();
    assert!(matches!(failure, Failure::NotBuildKit { .. }), "{failure:?}");
    assert!(failure.to_string().contains("page not found"), "{failure}");
    assert!(failure.help().unwrap().contains("18.09"), "{failure:?}");
    server.abort();
}

#[tokio::test]
async fn the_one_kind_of_daemon_is_not_taken_for_the_other() {
    for found in daemons() {
        let [as_daemon, as_engine] = both_ways(&socket_of(&found));
        let mistaken = match found.address {
            Address::Engine(_) => as_daemon,
            Address::Daemon(_) | Address::Container { .. } => as_engine,
        };
        let failure = Connection::open(&mistaken).await.unwrap_err();
        assert!(matches!(failure, Failure::NotBuildKit { .. }), "{}: {failure:?}", found.name);
        assert!(!failure.is_retryable());
    }
}
