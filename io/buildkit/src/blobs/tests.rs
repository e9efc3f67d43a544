//! Layouts as a daemon meets them: the service behind a socket, and a client that calls it as
//! containerd's client does.

use std::fs;

use bytes::Bytes;
use cogpack_content::Digest;
use http::uri::PathAndQuery;
use tempfile::TempDir;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Channel;
use tonic::{Code, Request};
use tonic_prost::ProstCodec;

use super::messages::*;
use super::*;

struct Client {
    inner: tonic::client::Grpc<Channel>,
    store: &'static str,
}

impl Client {
    async fn of(layouts: Layouts, store: &'static str) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tonic::transport::Server::builder()
            .add_service(layouts.into_server())
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(server);
        let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
        Self { inner: tonic::client::Grpc::new(channel).max_decoding_message_size(4 << 20), store }
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("buildkit-attachable-store-id", self.store.parse().unwrap());
        request
    }

    fn path(method: &str) -> PathAndQuery {
        let path = format!("/containerd.services.content.v1.Content/{method}");
        assert!(method == "List" || METHODS.contains(&path.as_str()));
        path.parse().unwrap()
    }

    async fn info(&mut self, digest: &str) -> Result<Info, Status> {
        self.inner.ready().await.unwrap();
        let request = self.request(InfoRequest { digest: digest.to_owned() });
        let codec: ProstCodec<InfoRequest, InfoResponse> = ProstCodec::default();
        let answer = self.inner.unary(request, Self::path("Info"), codec).await?;
        Ok(answer.into_inner().info.unwrap())
    }

    async fn read(&mut self, digest: &Digest, offset: i64, size: i64) -> Result<Vec<u8>, Status> {
        self.inner.ready().await.unwrap();
        let request = self.request(ReadContentRequest { digest: digest.to_string(), offset, size });
        let codec: ProstCodec<ReadContentRequest, ReadContentResponse> = ProstCodec::default();
        let mut answers = self.inner.server_streaming(request, Self::path("Read"), codec).await?.into_inner();
        let mut bytes = Vec::new();
        while let Some(answer) = answers.next().await {
            let answer = answer?;
            assert_eq!(answer.offset, offset.max(0) + bytes.len() as i64);
            bytes.extend_from_slice(&answer.data);
        }
        Ok(bytes)
    }

    async fn write(
        &mut self,
        requests: Vec<WriteContentRequest>,
    ) -> (Vec<WriteContentResponse>, Option<Status>) {
        self.inner.ready().await.unwrap();
        let request = self.request(tokio_stream::iter(requests));
        let codec: ProstCodec<WriteContentRequest, WriteContentResponse> = ProstCodec::default();
        let mut answers = match self.inner.streaming(request, Self::path("Write"), codec).await {
            Ok(answers) => answers.into_inner(),
            Err(status) => return (Vec::new(), Some(status)),
        };
        let mut found = Vec::new();
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(answer) => found.push(answer),
                Err(status) => return (found, Some(status)),
            }
        }
        (found, None)
    }
}

fn layout_with(blobs: &[(Digest, &[u8])]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("blobs/sha256");
    fs::create_dir_all(&folder).unwrap();
    for (digest, bytes) in blobs {
        fs::write(folder.join(digest.hex()), bytes).unwrap();
    }
    directory
}

async fn reader_of(directory: &TempDir) -> Client {
    let mut layouts = Layouts::default();
    layouts.add_layout("base", directory.path()).unwrap();
    Client::of(layouts, "oci:base").await
}

async fn writer_to(directory: &TempDir) -> Client {
    let mut layouts = Layouts::default();
    layouts.add_cache("cache-1", directory.path()).unwrap();
    Client::of(layouts, "local:cache-1").await
}

/// Bytes without a period that a mistake in offsets could hide behind.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    std::iter::repeat_with(&mut next).take(length).collect()
}

#[tokio::test]
async fn blobs_are_read_whole_and_in_parts() {
    let bytes = noise((5 << 20) + 17);
    let digest = Digest::of(&bytes);
    let empty = Digest::of(b"");
    let directory = layout_with(&[(digest, &bytes), (empty, b"")]);
    let mut client = reader_of(&directory).await;

    let info = client.info(&digest.to_string()).await.unwrap();
    assert_eq!((info.digest, info.size), (digest.to_string(), bytes.len() as i64));
    assert_eq!(client.read(&digest, 0, 0).await.unwrap(), bytes);
    assert_eq!(client.read(&digest, -1, -1).await.unwrap(), bytes);
    assert_eq!(client.read(&digest, 3, 1 << 40).await.unwrap(), bytes[3..]);
    assert_eq!(client.read(&digest, 2 << 20, 5).await.unwrap(), bytes[2 << 20..][..5]);
    assert_eq!(client.read(&digest, bytes.len() as i64, 0).await.unwrap(), b"");
    assert_eq!(client.read(&empty, 0, 0).await.unwrap(), b"");
    let beyond = client.read(&digest, bytes.len() as i64 + 1, 0).await.unwrap_err();
    assert_eq!(beyond.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_damaged_blob_is_never_given_to_its_end() {
    let bytes = noise(100_000);
    let digest = Digest::of(b"what it should be");
    let directory = layout_with(&[(digest, &bytes)]);
    let mut client = reader_of(&directory).await;

    let whole = client.read(&digest, 0, 0).await.unwrap_err();
    assert_eq!(whole.code(), Code::DataLoss);
    let damaged = format!("is damaged: its digest is {}", Digest::of(&bytes));
    assert!(whole.message().ends_with(&damaged), "{}", whole.message());
    // Daemons read large blobs by one call for each part.
    let mut outcome = Ok(Vec::new());
    for start in (0..bytes.len()).step_by(30_000) {
        assert!(outcome.is_ok(), "refused before {start}");
        outcome = client.read(&digest, start as i64, 30_000).await;
    }
    assert_eq!(outcome.unwrap_err().code(), Code::DataLoss);
}

#[tokio::test]
async fn what_is_not_there_is_told_as_daemons_read_it() {
    let directory = layout_with(&[]);
    fs::create_dir(directory.path().join("blobs/sha256").join(Digest::of(b"folder").hex())).unwrap();
    let mut client = reader_of(&directory).await;
    for absent in [Digest::of(b"absent"), Digest::of(b"folder")] {
        assert_eq!(client.info(&absent.to_string()).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(client.read(&absent, 0, 0).await.unwrap_err().code(), Code::NotFound);
    }
    for text in ["", "sha256:../../index.json", "sha512:00"] {
        assert_eq!(client.info(text).await.unwrap_err().code(), Code::InvalidArgument);
    }
    client.store = "oci:other";
    let status = client.info(&Digest::of(b"absent").to_string()).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::NotFound, "the layout `oci:other` is not served"));

    let list: ProstCodec<Empty, Empty> = ProstCodec::default();
    client.inner.ready().await.unwrap();
    let request = client.request(Empty {});
    let status = client.inner.unary(request, Client::path("List"), list).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
}

fn step(action: WriteAction, offset: usize, data: &[u8]) -> WriteContentRequest {
    WriteContentRequest {
        action: action.into(),
        r#ref: "layer".to_owned(),
        offset: offset as i64,
        data: Bytes::copy_from_slice(data),
        ..Default::default()
    }
}

fn commit(offset: usize, total: usize, digest: &Digest) -> WriteContentRequest {
    let expected = digest.to_string();
    WriteContentRequest { total: total as i64, expected, ..step(WriteAction::Commit, offset, b"") }
}

#[tokio::test]
async fn a_blob_is_written_checked_and_then_there() {
    let directory = tempfile::tempdir().unwrap();
    let mut client = writer_to(&directory).await;
    let bytes = noise(9 << 20);
    let digest = Digest::of(&bytes);
    let (first, rest) = bytes.split_at(8 << 20);
    let opened = WriteContentRequest { expected: digest.to_string(), ..step(WriteAction::Stat, 0, b"") };
    let (answers, failure) = client
        .write(vec![
            opened.clone(),
            step(WriteAction::Write, 0, b"a false start"),
            step(WriteAction::Write, 0, first),
            step(WriteAction::Write, first.len(), rest),
            commit(bytes.len(), bytes.len(), &digest),
        ])
        .await;
    assert!(failure.is_none(), "{failure:?}");
    let offsets: Vec<i64> = answers.iter().map(|answer| answer.offset).collect();
    assert_eq!(offsets, [0, 13, 8 << 20, 9 << 20, 9 << 20]);
    assert_eq!(answers.last().unwrap().digest, digest.to_string());
    assert_eq!(client.read(&digest, 0, 0).await.unwrap(), bytes);
    assert_eq!(fs::read_dir(directory.path().join("ingest")).unwrap().count(), 0);

    let (_, again) = client.write(vec![opened]).await;
    assert_eq!(again.unwrap().code(), Code::AlreadyExists);
}

#[tokio::test]
async fn what_is_written_wrongly_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut client = writer_to(&directory).await;
    let digest = Digest::of(b"layer");
    let unnamed = WriteContentRequest { r#ref: String::new(), ..step(WriteAction::Write, 0, b"layer") };
    let written = step(WriteAction::Write, 0, b"layer");
    let cases = [
        (vec![unnamed], "a blob is to be written, and has no name yet"),
        (vec![step(WriteAction::Write, 7, b"layer")], "0 bytes are written, and the next are for 7"),
        (vec![written.clone(), commit(5, 6, &digest)], "a blob of 6 bytes was to be written, and 5 came"),
        (vec![written.clone(), commit(5, 5, &Digest::of(b"else"))], "was to be written, and sha256:"),
        (vec![WriteContentRequest { action: 9, ..written.clone() }], "9 is no action of writing"),
    ];
    for (requests, message) in cases {
        let (_, failure) = client.write(requests).await;
        let failure = failure.unwrap();
        assert_eq!(failure.code(), Code::InvalidArgument, "{message}");
        assert!(failure.message().contains(message), "{}", failure.message());
    }
    // A call that ends before it commits is given up.
    let (answers, failure) = client.write(vec![written]).await;
    assert!(answers.len() == 1 && failure.is_none());
    assert_eq!(client.info(&digest.to_string()).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(fs::read_dir(directory.path().join("ingest")).unwrap().count(), 0);

    let read_only = layout_with(&[]);
    let (_, failure) = reader_of(&read_only).await.write(vec![step(WriteAction::Stat, 0, b"")]).await;
    assert_eq!(failure.unwrap().code(), Code::FailedPrecondition);
}

#[tokio::test]
async fn only_one_call_writes_under_a_name() {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::new(directory.path(), true));
    let first = ingest::Ingest::begin(&store, &step(WriteAction::Stat, 0, b"")).unwrap();
    let second = ingest::Ingest::begin(&store, &step(WriteAction::Stat, 0, b"")).unwrap_err();
    assert_eq!(Status::from(second).code(), Code::Unavailable);
    drop(first);
    ingest::Ingest::begin(&store, &step(WriteAction::Stat, 0, b"")).unwrap();
}

#[test]
fn a_layout_must_be_one_and_names_are_given_once() {
    let directory = layout_with(&[]);
    let mut layouts = Layouts::default();
    assert!(layouts.add_layout("none", &directory.path().join("none")).is_err());
    assert!(layouts.is_empty());
    layouts.add_layout("base", directory.path()).unwrap();
    let twice = layouts.add_layout("base", directory.path()).unwrap_err();
    assert_eq!(twice.to_string(), "the layout `oci:base` is given twice");
}

#[test]
fn a_cache_is_found_by_tag_and_replaced_by_the_next_export() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("cache");
    assert_eq!(cache_index::find(&root, "latest").unwrap(), None);
    let descriptor = |digest: &Digest| {
        format!(r#"{{"mediaType":"application/vnd.oci.image.index.v1+json","digest":"{digest}","size":7}}"#)
    };
    let digests = [b"1", b"2", b"3"].map(|bytes| Digest::of(bytes));
    for (tag, digest) in [("latest", digests[0]), ("main", digests[1]), ("latest", digests[2])] {
        cache_index::record(&root, tag, &descriptor(&digest)).unwrap();
    }
    assert_eq!(cache_index::find(&root, "latest").unwrap(), Some(digests[2]));
    assert_eq!(cache_index::find(&root, "main").unwrap(), Some(digests[1]));
    assert_eq!(cache_index::find(&root, "other").unwrap(), None);
    let index = fs::read_to_string(root.join("index.json")).unwrap();
    assert_eq!(index.matches("digest").count(), 2, "{index}");
    assert!(root.join("oci-layout").exists());

    for descriptor in ["", "[]", "{}"] {
        assert!(cache_index::record(&root, "latest", descriptor).is_err(), "{descriptor}");
    }
    fs::write(root.join("index.json"), "[]").unwrap();
    let broken = cache_index::find(&root, "latest").unwrap_err().to_string();
    assert!(broken.ends_with("is no index of a build cache: it is no object"), "{broken}");
}
