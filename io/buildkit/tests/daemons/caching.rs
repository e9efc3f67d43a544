//! A build cache in a directory of this machine: written by one build, used by another.

use bollard_buildkit_proto::moby::buildkit::v1::control_client::ControlClient;
use bollard_buildkit_proto::moby::buildkit::v1::{DiskUsageRequest, PruneRequest};
use cogpack_io_buildkit::address::Endpoint;
use cogpack_io_buildkit::blobs::cache_index::{self, DEFAULT_TAG};
use cogpack_io_buildkit::blobs::{self, Layouts};
use cogpack_io_buildkit::connection::Connection;
use cogpack_io_buildkit::session::Services;
use cogpack_io_buildkit::solve::{CacheSource, Request};
use tokio_stream::StreamExt as _;

use crate::building::{built, cached, graph_for};
use crate::definitions::Definition;
use crate::found::{Found, connected, image_with_a_shell, newer_daemons, unheard_of};

fn cache(attributes: &[(&str, &str)]) -> CacheSource {
    let attributes = attributes.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    CacheSource { kind: "local".to_owned(), attributes: attributes.collect() }
}

/// Takes away what the daemon itself remembers of the script, while no test counts on its cache: BuildKit
/// then also drops what builds that go on have found there. See `unpruned` of the tests' engines.
async fn forget(found: &Found, connection: &Connection, mark: &str) {
    let Endpoint::Unix(socket) = &found.engine else { panic!("the rig's daemons have sockets") };
    let alone =
        std::fs::File::options().append(true).create(true).open(format!("{}.pruning", socket.display()));
    let alone = alone.unwrap();
    alone.lock().unwrap();
    let mut control = ControlClient::new(connection.channel());
    let records = control.disk_usage(DiskUsageRequest::default()).await.unwrap().into_inner().record;
    let known = records.into_iter().find(|record| record.description.contains(mark));
    let filter = vec![format!("id=={}", known.expect("the daemon remembers the script").id)];
    let request = PruneRequest { filter, all: true, ..PruneRequest::default() };
    let mut removed = control.prune(request).await.unwrap().into_inner();
    let mut count = 0;
    while let Some(record) = removed.next().await {
        record.unwrap();
        count += 1;
    }
    assert_eq!(count, 1, "{mark} was to be forgotten");
}

#[tokio::test]
async fn what_one_build_wrote_another_uses() {
    for found in newer_daemons() {
        let connection = connected(&found).await;
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("cache");
        let mark = unheard_of();
        let request = || {
            let mut layouts = Layouts::default();
            layouts.add_cache("cache-1", &root).unwrap();
            let mut definition = Definition::default();
            let base = definition.source(&image_with_a_shell());
            let script = format!("head -c 3000000 /dev/urandom >/noise; date +%N >/time; echo {mark}");
            let run = definition.program(&base, "the script", &["/bin/sh", "-c", &script], |_| {});
            Request {
                graphs: vec![graph_for("linux/amd64", definition.finish(&run, &[]))],
                services: Services::new().add(layouts.into_server(), blobs::METHODS),
                ..Request::default()
            }
        };
        assert_eq!(cache_index::find(&root, DEFAULT_TAG).unwrap(), None);
        let mut writing = request();
        writing.cache_to = vec![cache(&[("dest", "cache-1"), ("mode", "max")])];
        let (outcome, news) = built(&connection, writing).await;
        let solved = outcome.unwrap_or_else(|failure| panic!("{}: {failure}", found.name));
        assert_eq!(cached(&news, "the script"), Some(false), "{}", found.name);
        let manifest = solved.exporter_response.get("cache.manifest");
        let manifest = manifest.unwrap_or_else(|| panic!("{}: {solved:?}", found.name));
        cache_index::record(&root, DEFAULT_TAG, manifest).unwrap();

        let digest = cache_index::find(&root, DEFAULT_TAG).unwrap().unwrap().to_string();
        let reading = || {
            let mut reading = request();
            reading.cache_from = vec![cache(&[("src", "cache-1"), ("digest", &digest)])];
            reading
        };
        forget(&found, &connection, &mark).await;
        let (outcome, news) = built(&connection, reading()).await;
        outcome.unwrap_or_else(|failure| panic!("{}: {failure}", found.name));
        assert_eq!(cached(&news, "the script"), Some(true), "{}", found.name);

        // What is there already is not written again.
        let mut again = reading();
        again.cache_to = vec![cache(&[("dest", "cache-1"), ("mode", "max")])];
        let (outcome, _) = built(&connection, again).await;
        outcome.unwrap_or_else(|failure| panic!("{}: {failure}", found.name));
        let left = std::fs::read_dir(root.join("ingest")).unwrap().count();
        assert_eq!(left, 0, "{}", found.name);
    }
}
