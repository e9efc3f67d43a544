//! Builds that are ended: by us, or by the loss of the daemon.

use std::time::Duration;

use cogpack_io_buildkit::connection::Connection;
use cogpack_io_buildkit::failure::Failure;
use cogpack_io_buildkit::solve::{Solved, solve};
use cogpack_io_buildkit::update::Update;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::building::script;
use crate::found::{connected, daemons};
use crate::proxy::Proxy;

/// Far longer than anything here takes; who waits so long would wait forever.
const FOREVER: Duration = Duration::from_secs(60);

/// Whether a program with this in its command line runs on this machine.
fn runs(mark: &str) -> bool {
    std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        std::fs::read(entry.path().join("cmdline"))
            .is_ok_and(|line| line.windows(mark.len()).any(|window| window == mark.as_bytes()))
    })
}

async fn ends(mark: &str) -> bool {
    for _ in 0..100 {
        if !runs(mark) {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    false
}

/// Begins a build that would take hours, and calls `then` when it is well under way.
async fn interrupted(
    connection: &Connection,
    mark: &str,
    then: impl FnOnce(&CancellationToken),
) -> Result<Solved, Failure> {
    let (updates, mut news) = mpsc::unbounded_channel();
    let cancel = CancellationToken::new();
    let request = script(&format!("echo under way; sleep {mark}"));
    let building = solve(connection, request, updates, cancel.clone());
    let interrupting = async {
        while let Some(update) = news.recv().await {
            if matches!(&update, Update::Log { data, .. } if data.starts_with(b"under way")) {
                break;
            }
        }
        assert!(runs(mark), "the program does not run on this machine, so its end could not be seen");
        then(&cancel);
    };
    let both = async { tokio::join!(building, interrupting).0 };
    tokio::time::timeout(FOREVER, both).await.expect("the build ends")
}

/// Seconds that nobody else sleeps for.
fn mark(number: usize) -> String {
    format!("7654{number}.{}", std::process::id())
}

#[tokio::test]
async fn a_cancelled_build_leaves_nothing_running() {
    for (number, found) in daemons().into_iter().enumerate() {
        let connection = connected(&found).await;
        let mark = mark(number);
        let outcome = interrupted(&connection, &mark, CancellationToken::cancel).await;
        assert!(matches!(outcome, Err(Failure::Cancelled)), "{}: {outcome:?}", found.name);
        assert!(ends(&mark).await, "{}: the program still runs", found.name);
        // The connection is as good as before.
        connection.abilities().await.unwrap();
    }
}

#[tokio::test]
async fn a_build_that_is_cancelled_before_it_begins_does_not_begin() {
    for found in daemons() {
        let connection = connected(&found).await;
        let cancel = CancellationToken::new();
        cancel.cancel();
        let (updates, mut news) = mpsc::unbounded_channel();
        let outcome = solve(&connection, script("true"), updates, cancel).await;
        assert!(matches!(outcome, Err(Failure::Cancelled)), "{}: {outcome:?}", found.name);
        assert!(news.recv().await.is_none(), "{}", found.name);
    }
}

#[tokio::test]
async fn a_daemon_that_goes_away_is_told_in_one_error() {
    for (number, found) in daemons().into_iter().enumerate() {
        let proxy = Proxy::unix(&found).await;
        let address = proxy.address(&found);
        let connection = Connection::open(&address).await.unwrap();
        let mark = mark(number + 100);
        let outcome = interrupted(&connection, &mark, |_| proxy.cut()).await;
        let Err(failure) = outcome else { panic!("{}: {outcome:?}", found.name) };
        assert!(matches!(failure, Failure::Lost { .. }), "{}: {failure:?}", found.name);
        assert!(failure.is_retryable());
        assert!(failure.to_string().starts_with(&format!("lost the daemon at {address}")), "{failure}");
        assert!(ends(&mark).await, "{}: the program still runs", found.name);
        let failure = connection.abilities().await.unwrap_err();
        assert!(
            matches!(failure, Failure::Lost { .. } | Failure::Unreachable { .. }),
            "{}: {failure:?}",
            found.name
        );
    }
}

/// It takes a few seconds to give up on a daemon, so all of them hang at the same time.
#[tokio::test]
async fn a_daemon_that_hangs_keeps_nobody_who_wants_to_go() {
    let hanging = daemons().into_iter().enumerate().map(async |(number, found)| {
        let proxy = Proxy::unix(&found).await;
        let connection = Connection::open(&proxy.address(&found)).await.unwrap();
        let mark = mark(number + 200);
        let outcome = interrupted(&connection, &mark, |cancel| {
            proxy.freeze();
            cancel.cancel();
        })
        .await;
        assert!(matches!(outcome, Err(Failure::Unanswered)), "{}: {outcome:?}", found.name);
        // What could not be told to the daemon it learns from the end of the connection.
        proxy.cut();
        assert!(ends(&mark).await, "{}: the program still runs", found.name);
    });
    futures_util::future::join_all(hanging).await;
}
