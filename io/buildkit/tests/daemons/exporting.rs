//! Results go where they are to go.

use std::collections::BTreeMap;

use cogpack_io_buildkit::failure::Failure;
use cogpack_io_buildkit::solve::{Exporter, Graph, Request, Solved, solve};
use cogpack_io_buildkit::update::Update;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::definitions::Definition;
use crate::found::{connected, daemons};
use cogpack_io_buildkit::connection::Connection;

pub fn graph(definition: Vec<u8>) -> Graph {
    let config = serde_json::json!({
        "architecture": "amd64", "os": "linux", "config": { "Env": ["WHO=wire"], "WorkingDir": "/srv" },
    });
    Graph { platform: "linux/amd64".parse().unwrap(), definition, config: config.to_string().into_bytes() }
}

pub fn exporter(kind: &str, attributes: &[(&str, &str)]) -> Exporter {
    let attributes: BTreeMap<_, _> =
        attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Exporter { kind: kind.to_owned(), attributes }
}

/// Builds, and gives all the news with the outcome.
pub async fn built(connection: &Connection, request: Request) -> (Result<Solved, Failure>, Vec<Update>) {
    let (updates, mut news) = mpsc::unbounded_channel();
    let outcome = solve(connection, request, updates, CancellationToken::new()).await;
    let mut all = Vec::new();
    while let Some(update) = news.recv().await {
        all.push(update);
    }
    (outcome, all)
}

#[tokio::test]
async fn what_a_daemon_can_do_is_known() {
    for found in daemons() {
        let connection = connected(&found).await;
        let abilities = connection.abilities().await.unwrap();
        println!("{}: {abilities:#?}", found.name);
    }
}

#[tokio::test]
async fn a_result_can_be_thrown_away() {
    for found in daemons() {
        let connection = connected(&found).await;
        let mut definition = Definition::default();
        let file = definition.file("/hello", "wire");
        let request = Request { graphs: vec![graph(definition.finish(&file, &[]))], ..Request::default() };
        let (outcome, news) = built(&connection, request).await;
        println!("{}: {outcome:?} {news:#?}", found.name);
        outcome.unwrap();
    }
}
