//! One build, with everything that it said.

use std::collections::BTreeMap;

use cogpack_io_buildkit::connection::Connection;
use cogpack_io_buildkit::failure::Failure;
use cogpack_io_buildkit::solve::{Exporter, Graph, Request, Solved, solve};
use cogpack_io_buildkit::update::Update;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::definitions::Definition;
use crate::found::image_with_a_shell;

pub fn graph_for(platform: &str, definition: Vec<u8>) -> Graph {
    let (os, architecture) = platform.split_once('/').unwrap();
    let config = serde_json::json!({
        "architecture": architecture, "os": os, "config": { "Env": ["WHO=us"], "WorkingDir": "/srv" },
    });
    Graph {
        platform: platform.parse().unwrap(),
        definition,
        config: config.to_string().into_bytes(),
        base_config: Vec::new(),
    }
}

/// A request for an image with one file.
pub fn one_file(data: &str) -> Request {
    let mut definition = Definition::default();
    let file = definition.file("/hello", data);
    Request { graphs: vec![graph_for("linux/amd64", definition.finish(&file, &[]))], ..Request::default() }
}

/// A request to run a script, which is called `the script` and stands in line 3 of `plan.cpk`.
pub fn script(text: &str) -> Request {
    let mut definition = Definition::default();
    let base = definition.source(&image_with_a_shell());
    let run = definition.shell(&base, "the script", text);
    let graph = graph_for("linux/amd64", definition.finish(&run, &[(&run, 3)]));
    Request { graphs: vec![graph], ..Request::default() }
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

/// Everything that programs printed.
pub fn printed(news: &[Update]) -> String {
    let mut text = Vec::new();
    for update in news {
        if let Update::Log { data, .. } = update {
            text.extend_from_slice(data);
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// Whether nothing had to be done for the vertex of a name, by the last that was told of it.
pub fn cached(news: &[Update], wanted: &str) -> Option<bool> {
    news.iter().rev().find_map(|update| match update {
        Update::Vertex { name, cached, completed: Some(_), .. } if name == wanted => Some(*cached),
        Update::Vertex { .. } | Update::Transfer { .. } | Update::Log { .. } | Update::Warning { .. } => None,
    })
}

/// The name of a vertex.
pub fn name_of(news: &[Update], wanted: &str) -> Option<String> {
    news.iter().find_map(|update| match update {
        Update::Vertex { digest, name, .. } if digest == wanted => Some(name.clone()),
        Update::Vertex { .. } | Update::Transfer { .. } | Update::Log { .. } | Update::Warning { .. } => None,
    })
}
