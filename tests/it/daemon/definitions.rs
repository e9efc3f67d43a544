//! The files of `-o llb -O DIR/`, solved by a daemon for a client that knows nothing of the plan.

use std::path::Path;

use bollard_buildkit_proto::moby::buildkit::v1::control_client::ControlClient;
use bollard_buildkit_proto::moby::buildkit::v1::{DiskUsageRequest, PruneRequest};
use cogpack_content::Platform;
use cogpack_io_buildkit::address::Address;
use cogpack_io_buildkit::connection::Connection;
use cogpack_io_buildkit::directories::{Directories, Directory};
use cogpack_io_buildkit::exports::{METHODS, ToFile};
use cogpack_io_buildkit::session::Services;
use cogpack_io_buildkit::solve::{Exporter, Graph, Request, solve};
use cogpack_io_buildkit::update::Update;
use cogpack_tests::engines;
use cogpack_tests::terminal::cogpackc;
use tokio::sync::mpsc::unbounded_channel;
use tokio_stream::StreamExt as _;
use tokio_util::sync::CancellationToken;

/// Takes away what a daemon remembers of ops that tell this mark, and nothing of others.
async fn forget(connection: &Connection, mark: &str) {
    let mut control = ControlClient::new(connection.channel());
    let known = control.disk_usage(DiskUsageRequest::default()).await.expect("is answered").into_inner();
    let known = known.record.into_iter().filter(|record| record.description.contains(mark));
    // All at once, because what others build on is kept as long as they are.
    let filter = known.map(|record| format!("id=={}", record.id)).collect();
    let request = PruneRequest { filter, all: true, ..PruneRequest::default() };
    let mut removed = control.prune(request).await.expect("is answered").into_inner();
    let mut forgotten = 0;
    while let Some(record) = removed.next().await {
        record.expect("is told");
        forgotten += 1;
    }
    assert!(forgotten > 0, "{mark} was to be forgotten");
}

/// Solves the definition in a directory, and gives the image's digest and the programs that ran.
async fn solved(connection: &Connection, made: &Path, source: &Path) -> (String, Vec<String>) {
    let read = |name: &str| std::fs::read(made.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let opened = ("source".to_owned(), Directory::open(source).expect("the context is a directory"));
    let directories = Directories::new([opened].into());
    let image = ToFile::to_stream(std::io::sink());
    let attributes = [("source-date-epoch", "0"), ("rewrite-timestamp", "true")];
    let attributes = attributes.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let request = Request {
        graphs: vec![Graph {
            platform: Platform::linux_amd64(),
            definition: read("llb.pb"),
            config: read("image-config.json"),
            base_config: Vec::new(),
        }],
        exporters: vec![Exporter { kind: "oci".to_owned(), attributes: attributes.into() }],
        services: Services::new()
            .add(directories.to_server(), Directories::METHODS)
            .add(image.to_server(), METHODS),
        ..Request::default()
    };
    let (updates, mut news) = unbounded_channel();
    let solved = solve(connection, request, updates, CancellationToken::new()).await.expect("it builds");
    let mut ran = Vec::new();
    while let Some(update) = news.recv().await {
        if let Update::Vertex { name, completed: Some(_), cached: false, .. } = update
            && name.contains(": run ")
        {
            ran.push(name);
        }
    }
    (solved.exporter_response["containerimage.digest"].clone(), ran)
}

#[test]
fn the_files_of_a_definition_give_one_image_though_a_daemon_has_forgotten_the_first() {
    let (Some(engine), Some(registry)) = (engines::newer(), engines::registry()) else { return };
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mark = format!("wire-definitions-{}", std::process::id());
    let plan = format!(
        "cpk 1
image @base = \"{registry}/base/debian:bookworm-slim\"
context @source = dir \"source\"
stage %made from image @base {{
  run \"mkdir /made; echo {mark} >/made/said\"
}}
stage %app from image @base {{
  copy contents \".\" from @source to \"/src/{mark}\"
  copy \"/made/said\" from %made to \"/said/{mark}\"
  run \"cat /said/{mark} /src/{mark}/hello >/both\"
}}
export from %app {{ cmd [\"cat\", \"/both\"] label said = \"{mark}\" }}
"
    );
    std::fs::write(folder.path().join("plan.cpk"), plan).expect("is writable");
    let source = folder.path().join("source");
    std::fs::create_dir(&source).expect("is writable");
    std::fs::write(source.join("hello"), &mark).expect("is writable");
    let answer = cogpackc(folder.path(), &["plan.cpk", "-o", "llb", "-O", "made/"]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    let made = folder.path().join("made");

    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be made");
    runtime.block_on(async {
        let address = Address::of_engine(&engine.host, None).expect("the rig's address is one");
        let connection = Connection::open(&address).await.expect("the rig's engine is up");
        let (first, ran) = solved(&connection, &made, &source).await;
        assert_eq!(ran.len(), 2, "{ran:?}");
        let (_, again) = solved(&connection, &made, &source).await;
        assert!(again.is_empty(), "{again:?}");
        forget(&connection, &mark).await;
        let (second, ran) = solved(&connection, &made, &source).await;
        assert_eq!(ran.len(), 2, "not all was forgotten: {ran:?}");
        assert_eq!(first, second);
    });
}
