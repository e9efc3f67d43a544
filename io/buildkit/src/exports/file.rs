//! Takes a result that is one file, which the exporters that make archives send.

use std::fs::{self, File, Permissions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bollard_buildkit_proto::moby::filesync::v1::BytesMessage;
use bollard_buildkit_proto::moby::filesync::v1::file_send_server::{FileSend, FileSendServer};
use cogpack_io_project::aside::Aside;
use tempfile::NamedTempFile;
use tokio::sync::mpsc;
use tokio_stream::{Empty, Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};

use super::failure::{BESIDE, ExportFailure, IN};
use super::slot::Slot;

/// Chunks that may wait for the disk.
const WAITING: usize = 16;

/// A place for one file. Clones are handles on the same place.
#[derive(Clone)]
pub struct ToFile {
    inner: Arc<Inner>,
}

struct Inner {
    /// Where the file goes in the end; `None` for what has no name.
    destination: Option<PathBuf>,
    slot: Slot<Sink, Sink>,
    received: AtomicU64,
}

enum Sink {
    /// A file that has no name of its own yet, and the directory that it is in until then.
    Aside(NamedTempFile, Aside),
    /// A file that never has one, and the directory that it takes its room from.
    Unnamed(File, PathBuf),
    /// Something that takes bytes as they come.
    Stream(Box<dyn Write + Send>),
}

impl ToFile {
    /// A file at `destination`, which is replaced in one step once all has come. That it can be
    /// written there is tried now, before anything is built.
    pub fn new(destination: &Path) -> Result<Self, ExportFailure> {
        let failed = |source| ExportFailure::write(BESIDE, destination, source);
        let roomless = |source: io::Error| ExportFailure::without_room(BESIDE, destination, &source);
        // A link to a file stays one.
        let target = match fs::canonicalize(destination) {
            Ok(target) => target,
            Err(error) if error.kind() == io::ErrorKind::NotFound => destination.to_owned(),
            Err(error) => return Err(failed(error)),
        };
        let mut permissions = Permissions::from_mode(0o666);
        match fs::metadata(&target) {
            Ok(existing) if existing.is_dir() => {
                let reason = "it is a directory, and the result is a file";
                return Err(ExportFailure::Occupied { path: destination.to_owned(), reason });
            }
            Ok(existing) if !existing.is_file() => {
                // A pipe or a device: there is nothing to replace.
                return Ok(Self::to_stream(File::options().write(true).open(&target).map_err(failed)?));
            }
            Ok(existing) => permissions = existing.permissions(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        let mut builder = tempfile::Builder::new();
        // Less the umask, as for any new file.
        builder.permissions(permissions);
        let aside = Aside::within(above(&target)).map_err(roomless)?;
        let file = builder.tempfile_in(aside.path()).map_err(roomless)?;
        Ok(Self::with(Some(target), Sink::Aside(file, aside)))
    }

    /// A file without a name, in `directory`, for a result that is to be read again.
    pub fn unnamed_in(directory: &Path) -> Result<Self, ExportFailure> {
        let roomless = |source: io::Error| ExportFailure::without_room(IN, directory, &source);
        Ok(Self::with(
            None,
            Sink::Unnamed(tempfile::tempfile_in(directory).map_err(roomless)?, directory.to_owned()),
        ))
    }

    /// A stream that takes the bytes as they come, such as standard output.
    pub fn to_stream(stream: impl Write + Send + 'static) -> Self {
        Self::with(None, Sink::Stream(Box::new(stream)))
    }

    fn with(destination: Option<PathBuf>, sink: Sink) -> Self {
        let (slot, received) = (Slot::new(sink), AtomicU64::new(0));
        Self { inner: Arc::new(Inner { destination, slot, received }) }
    }

    /// The service, for a session.
    pub fn to_server(&self) -> FileSendServer<Self> {
        FileSendServer::new(self.clone())
    }

    /// How many bytes have come.
    pub fn received(&self) -> u64 {
        self.inner.received.load(Ordering::Relaxed)
    }

    /// Why the result could not be taken, if so. What the daemon says of it says less.
    pub fn take_failure(&self) -> Option<ExportFailure> {
        self.inner.slot.take_failure()
    }

    /// Gives the file its name, after the build has gone well, and the file itself to whoever wants
    /// to look at it; a stream has none.
    pub fn commit(self) -> Result<Option<File>, ExportFailure> {
        match (self.inner.slot.take()?, &self.inner.destination) {
            (Sink::Aside(file, _aside), Some(destination)) => {
                let failed = |source| ExportFailure::write("write", destination, source);
                file.as_file().sync_all().map_err(failed)?;
                let file = file.persist(destination).map_err(|error| failed(error.error))?;
                let directory = File::open(above(destination));
                directory.and_then(|directory| directory.sync_all()).map_err(failed)?;
                Ok(Some(file))
            }
            // What has no name has none to be given.
            (Sink::Aside(..) | Sink::Unnamed(..) | Sink::Stream(_), _) => Ok(None),
        }
    }

    /// The file from its first byte, after the build has gone well; it is gone when it is closed.
    pub fn into_reader(self) -> Result<impl Read + Seek, ExportFailure> {
        match self.inner.slot.take()? {
            Sink::Unnamed(mut file, directory) => {
                let failed = |source| ExportFailure::write("read a file in", &directory, source);
                file.rewind().map_err(failed)?;
                Ok(file)
            }
            Sink::Aside(..) | Sink::Stream(_) => Err(ExportFailure::Incomplete),
        }
    }
}

impl Inner {
    async fn receive(
        self: Arc<Self>,
        messages: impl Stream<Item = Result<BytesMessage, Status>>,
    ) -> Result<(), Status> {
        let sink = self.slot.begin().map_err(|failure| failure.to_status())?;
        let (chunks, from_chunks) = mpsc::channel(WAITING);
        let writer = Arc::clone(&self);
        let writing = tokio::task::spawn_blocking(move || writer.write(sink, from_chunks));
        let mut messages = pin!(messages);
        let mut ended = Ok(());
        while let Some(message) = messages.next().await {
            match message {
                Ok(message) => {
                    // The writer has failed, and says why below.
                    if chunks.send(message.data).await.is_err() {
                        break;
                    }
                }
                Err(status) => {
                    ended = Err(status);
                    break;
                }
            }
        }
        drop(chunks);
        let written = writing.await.map_err(|error| Status::internal(error.to_string()))?;
        // What the disk says is the cause of what the stream says.
        let received = match (written, &ended) {
            (Ok(_), Err(_)) => Err(ExportFailure::Incomplete),
            (written, _) => written,
        };
        let answer = match &received {
            Err(ExportFailure::Incomplete) => ended,
            received => received.as_ref().map(drop).map_err(ExportFailure::to_status),
        };
        self.slot.end(received);
        answer
    }

    fn write(&self, mut sink: Sink, mut chunks: mpsc::Receiver<Vec<u8>>) -> Result<Sink, ExportFailure> {
        let shown = self.destination.clone().unwrap_or_default();
        while let Some(chunk) = chunks.blocking_recv() {
            match &mut sink {
                Sink::Aside(file, _) => {
                    file.write_all(&chunk).map_err(|source| ExportFailure::write("write", &shown, source))?;
                }
                Sink::Unnamed(file, directory) => file
                    .write_all(&chunk)
                    .map_err(|source| ExportFailure::write("write a file in", directory, source))?,
                Sink::Stream(stream) => stream.write_all(&chunk).map_err(ExportFailure::Stream)?,
            }
            self.received.fetch_add(chunk.len() as u64, Ordering::Relaxed);
        }
        if let Sink::Stream(stream) = &mut sink {
            stream.flush().map_err(ExportFailure::Stream)?;
        }
        Ok(sink)
    }
}

fn above(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    }
}

#[tonic::async_trait]
impl FileSend for ToFile {
    type DiffCopyStream = Empty<Result<BytesMessage, Status>>;

    async fn diff_copy(
        &self,
        request: Request<Streaming<BytesMessage>>,
    ) -> Result<Response<Self::DiffCopyStream>, Status> {
        Arc::clone(&self.inner).receive(request.into_inner()).await?;
        Ok(Response::new(tokio_stream::empty()))
    }
}
