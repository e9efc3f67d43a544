//! Takes a result that is a tree of files, which the exporter `local` sends.
//!
//! Modes, times, links and hard links are kept. Everything belongs to whoever runs this, as with
//! all clients; so devices can be made by root alone. Extended attributes are not kept.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bollard_buildkit_proto::fsutil::types::Packet;
use bollard_buildkit_proto::fsutil::types::packet::PacketType;
use bollard_buildkit_proto::moby::filesync::packet::file_send_server::{FileSend, FileSendServer};
use cogpack_io_project::aside::Aside;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};

use super::failure::{DIRECTORY, ExportFailure};
use super::place::place;
use super::receiver::{AT_ONCE, Action, Entry, ReceiveError, Receiver};
use super::slot::Slot;
use super::tree::Tree;
use crate::directories::sender::packet;
use crate::outgoing::Outgoing;

/// Bytes of files that may wait for the disk.
const WAITING: usize = 16 << 20;

/// A place for one tree. Clones are handles on the same place.
#[derive(Clone)]
pub struct ToDirectory {
    inner: Arc<Inner>,
}

struct Inner {
    destination: PathBuf,
    slot: Slot<Aside, (Arc<Aside>, Vec<Entry>)>,
    received: AtomicU64,
}

/// Where in the temporary directory the tree is.
const MADE: &str = "tree";

impl ToDirectory {
    /// A tree at `destination`, which is made once all has come; what is in it and not in the
    /// tree stays. That it can be written there is tried now, before anything is built.
    pub fn new(destination: &Path) -> Result<Self, ExportFailure> {
        let failed = |source| ExportFailure::write(DIRECTORY, destination, source);
        // A link to a directory stays one.
        let (destination, within) = match fs::canonicalize(destination) {
            Ok(there) if there.is_dir() => (there.clone(), there),
            Ok(there) => {
                let reason = "it is a file, and the result is a directory";
                return Err(ExportFailure::Occupied { path: there, reason });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let above = match destination.parent() {
                    Some(parent) if !parent.as_os_str().is_empty() => parent,
                    Some(_) | None => Path::new("."),
                };
                fs::create_dir_all(above).map_err(failed)?;
                (destination.to_owned(), above.to_owned())
            }
            Err(error) => return Err(failed(error)),
        };
        let aside = Aside::within(&within).map_err(failed)?;
        fs::create_dir(aside.path().join(MADE)).map_err(failed)?;
        let (slot, received) = (Slot::new(aside), AtomicU64::new(0));
        Ok(Self { inner: Arc::new(Inner { destination, slot, received }) })
    }

    /// The service, for a session.
    pub fn to_server(&self) -> FileSendServer<Self> {
        FileSendServer::new(self.clone())
    }

    /// How many bytes of files have come.
    pub fn received(&self) -> u64 {
        self.inner.received.load(Ordering::Relaxed)
    }

    /// Why the result could not be taken, if so. What the daemon says of it says less.
    pub fn take_failure(&self) -> Option<ExportFailure> {
        self.inner.slot.take_failure()
    }

    /// Puts the tree where it belongs, after the build has gone well.
    pub fn commit(self) -> Result<(), ExportFailure> {
        let (aside, entries) = self.inner.slot.take()?;
        place(&aside.path().join(MADE), &entries, &self.inner.destination)
    }
}

impl Inner {
    /// Receives the tree, and keeps what came of it.
    async fn receive<S>(self: Arc<Self>, mut packets: S, outgoing: mpsc::Sender<Result<Packet, Status>>)
    where
        S: Stream<Item = Result<Packet, Status>> + Unpin,
    {
        let received = match self.slot.begin() {
            Err(failure) => Err(failure),
            Ok(aside) => {
                let aside = Arc::new(aside);
                self.receive_into(&aside, &mut packets, &outgoing).await.map(|entries| (aside, entries))
            }
        };
        match received {
            Ok(received) => {
                // The daemon hangs up as soon as it knows, so by then it must be true.
                self.slot.end(Ok(received));
                drop(outgoing.send(Ok(packet(PacketType::PacketFin))).await);
                // What still comes is its answer to that.
                while let Some(Ok(_)) = packets.next().await {}
            }
            Err(failure) => {
                let status = failure.to_status();
                if !matches!(failure, ExportFailure::Twice) {
                    self.slot.end(Err(failure));
                }
                // Nobody to tell any more is no failure of its own.
                drop(outgoing.send(Err(status)).await);
            }
        }
    }

    async fn receive_into<S>(
        self: &Arc<Self>,
        aside: &Arc<Aside>,
        packets: &mut S,
        outgoing: &mpsc::Sender<Result<Packet, Status>>,
    ) -> Result<Vec<Entry>, ExportFailure>
    where
        S: Stream<Item = Result<Packet, Status>> + Unpin,
    {
        // Announcements are many and small and may not be kept waiting on the stream, so this
        // has no limit of its own; that of bytes of files is the semaphore's.
        let (actions, from_actions) = mpsc::unbounded_channel();
        let room = Arc::new(Semaphore::new(WAITING));
        let (writer, room_of_writer) = (Arc::clone(self), Arc::clone(&room));
        // The writer holds the directory, so that it is not removed while it is written to.
        let aside = Arc::clone(aside);
        let mut writing = JoinSet::new();
        writing.spawn_blocking(move || {
            writer.write(Tree::new(aside.path().join(MADE)), from_actions, &room_of_writer)
        });
        let mut receiver = Receiver::default();
        let mut ended = Ok(());
        'packets: loop {
            let packet = tokio::select! {
                packet = packets.next() => packet,
                // It ends early only where it failed.
                Some(written) = writing.join_next() => return joined(Some(written)),
            };
            let Some(Ok(packet)) = packet else {
                ended = Err(ReceiveError::Ended);
                break;
            };
            let todo = match receiver.on(packet) {
                Ok(todo) => todo,
                Err(error) => {
                    ended = Err(error);
                    break;
                }
            };
            for action in todo {
                match action {
                    Action::Finish => break 'packets,
                    Action::Send(packet) => {
                        if outgoing.send(Ok(packet)).await.is_err() {
                            ended = Err(ReceiveError::Ended);
                            break 'packets;
                        }
                    }
                    action @ (Action::Make(..) | Action::Append(..) | Action::Close(_)) => {
                        if let Action::Append(_, data) = &action {
                            let bytes = u32::try_from(data.len().min(WAITING)).unwrap_or(u32::MAX);
                            // The writer gives back what it has written, and all when it fails.
                            if let Ok(permit) = room.acquire_many(bytes).await {
                                permit.forget();
                            }
                        }
                        if actions.send(action).is_err() {
                            break 'packets;
                        }
                    }
                }
            }
        }
        drop(actions);
        let written = joined(writing.join_next().await);
        // What the disk says is the cause of what the stream says.
        match (written, ended) {
            (Ok(_), Err(error)) => Err(error.into()),
            (written, _) => written,
        }
    }

    /// Does what is to be done on the disk, and gives what has been made.
    fn write(
        &self,
        mut tree: Tree,
        mut actions: mpsc::UnboundedReceiver<Action>,
        room: &Semaphore,
    ) -> Result<Vec<Entry>, ExportFailure> {
        let _closes = CloseOnDrop(room);
        while let Some(action) = actions.blocking_recv() {
            match action {
                Action::Make(id, entry) => tree.make(id, entry)?,
                Action::Append(id, data) => {
                    tree.append(id, &data)?;
                    self.received.fetch_add(data.len() as u64, Ordering::Relaxed);
                    room.add_permits(data.len().min(WAITING));
                }
                Action::Close(id) => tree.close(id)?,
                // These are no business of the disk.
                Action::Send(_) | Action::Finish => {}
            }
        }
        tree.finish()
    }
}

/// Lets go of whoever waits for room, however the writer ends.
struct CloseOnDrop<'s>(&'s Semaphore);

impl Drop for CloseOnDrop<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

type Written = Result<Vec<Entry>, ExportFailure>;

fn joined(written: Option<Result<Written, tokio::task::JoinError>>) -> Written {
    match written {
        Some(Ok(written)) => written,
        // The task was cancelled, or there was none.
        Some(Err(_)) | None => Err(ExportFailure::Incomplete),
    }
}

#[tonic::async_trait]
impl FileSend for ToDirectory {
    type DiffCopyStream = Outgoing;

    async fn diff_copy(
        &self,
        request: Request<Streaming<Packet>>,
    ) -> Result<Response<Self::DiffCopyStream>, Status> {
        let (inner, packets) = (Arc::clone(&self.inner), request.into_inner());
        // All that may be asked for at once, and the end.
        Ok(Response::new(Outgoing::of(AT_ONCE + 2, |outgoing| inner.receive(packets, outgoing))))
    }
}
