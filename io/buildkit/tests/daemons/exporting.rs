//! Results go where they are to go.

use std::sync::{Arc, Mutex};

use bollard_buildkit_proto::moby::filesync::v1::BytesMessage;
use bollard_buildkit_proto::moby::filesync::v1::file_send_server::{FileSend, FileSendServer};
use cogpack_io_buildkit::session::Services;
use cogpack_io_buildkit::update::Update;
use tokio_stream::StreamExt;
use tonic::{Request, Response, Status, Streaming};

use crate::building::{built, exporter, graph_for, one_file};
use crate::found::{connected, daemons};

/// Takes one archive.
#[derive(Default, Clone)]
struct Archive(Arc<Mutex<Vec<u8>>>);

#[tonic::async_trait]
impl FileSend for Archive {
    type DiffCopyStream = tokio_stream::Empty<Result<BytesMessage, Status>>;

    async fn diff_copy(
        &self,
        request: Request<Streaming<BytesMessage>>,
    ) -> Result<Response<Self::DiffCopyStream>, Status> {
        let mut incoming = request.into_inner();
        while let Some(message) = incoming.next().await {
            self.0.lock().unwrap().extend_from_slice(&message?.data);
        }
        Ok(Response::new(tokio_stream::empty()))
    }
}

fn contains(bytes: &[u8], part: &str) -> bool {
    bytes.windows(part.len()).any(|window| window == part.as_bytes())
}

#[tokio::test]
async fn an_image_in_the_engine_has_our_config() {
    for found in daemons() {
        let connection = connected(&found).await;
        let tag = found.own_name("config");
        let mut request = one_file("exported");
        request.exporters = vec![exporter("moby", &[("name", &tag)])];
        let (outcome, _) = built(&connection, request).await;
        let solved = outcome.unwrap_or_else(|failure| panic!("{}: {failure}", found.name));
        let digest = solved.exporter_response.get("containerimage.digest");
        assert!(digest.is_some_and(|digest| digest.starts_with("sha256:")), "{}: {solved:?}", found.name);
        let config = found.docker(&["image", "inspect", "--format", "{{json .Config}}", &tag]);
        let config: serde_json::Value = serde_json::from_str(&config).unwrap();
        assert_eq!(config["WorkingDir"], "/srv", "{}: {config}", found.name);
        assert_eq!(config["Env"], serde_json::json!(["WHO=us"]), "{}: {config}", found.name);
        found.docker(&["image", "rm", &tag]);
    }
}

#[tokio::test]
async fn a_second_build_is_told_to_be_cached() {
    for found in daemons() {
        let connection = connected(&found).await;
        for _ in 0..2 {
            let (outcome, news) = built(&connection, one_file("cached")).await;
            outcome.unwrap();
            let ended = news.iter().any(|update| matches!(update, Update::Vertex { name, completed: Some(_), .. } if name == "make /hello"));
            assert!(ended, "{}: {news:?}", found.name);
        }
        let (_, news) = built(&connection, one_file("cached")).await;
        let cached = news.iter().any(
            |update| matches!(update, Update::Vertex { name, cached: true, .. } if name == "make /hello"),
        );
        assert!(cached, "{}: {news:?}", found.name);
    }
}

#[tokio::test]
async fn a_filesystem_comes_back_as_an_archive() {
    for found in daemons() {
        let connection = connected(&found).await;
        let archive = Archive::default();
        let mut request = one_file("brought back");
        request.exporters = vec![exporter("tar", &[])];
        request.services = Services::new()
            .add(FileSendServer::new(archive.clone()), &["/moby.filesync.v1.FileSend/DiffCopy"]);
        let (outcome, _) = built(&connection, request).await;
        outcome.unwrap_or_else(|failure| panic!("{}: {failure}", found.name));
        let bytes = archive.0.lock().unwrap();
        assert!(contains(&bytes, "hello") && contains(&bytes, "brought back"), "{}", found.name);
    }
}

#[tokio::test]
async fn two_platforms_become_one_index() {
    for found in daemons().into_iter().filter(|found| found.newer) {
        let connection = connected(&found).await;
        let archive = Archive::default();
        let mut request = one_file("on both");
        let definition = request.graphs[0].definition.clone();
        request.graphs.push(graph_for("linux/arm64", definition));
        request.exporters = vec![exporter("oci", &[])];
        request.services = Services::new()
            .add(FileSendServer::new(archive.clone()), &["/moby.filesync.v1.FileSend/DiffCopy"]);
        let (outcome, _) = built(&connection, request).await;
        outcome.unwrap_or_else(|failure| panic!("{}: {failure}", found.name));
        let bytes = archive.0.lock().unwrap();
        assert!(contains(&bytes, r#""architecture":"arm64""#), "{}", found.name);
        assert!(contains(&bytes, r#""architecture":"amd64""#), "{}", found.name);
    }
}

#[tokio::test]
async fn nothing_at_all_is_an_empty_image() {
    for found in daemons() {
        let connection = connected(&found).await;
        let tag = found.own_name("empty");
        let mut request = one_file("");
        request.graphs[0].definition.clear();
        request.exporters = vec![exporter("moby", &[("name", &tag)])];
        let (outcome, _) = built(&connection, request).await;
        outcome.unwrap_or_else(|failure| panic!("{}: {failure}", found.name));
        let layers = found.docker(&["image", "inspect", "--format", "{{len .RootFS.Layers}}", &tag]);
        assert_eq!(layers, "0", "{}", found.name);
        found.docker(&["image", "rm", &tag]);
    }
}
