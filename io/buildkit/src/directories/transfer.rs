//! One transfer under way: owns the stream and the disk, and lets the [`Sender`] say what is next.
//!
//! A task of its own takes the daemon's packets off the stream as they come. They are small and
//! many, and HTTP/2 ends connections on which too many small frames lie unread, so nothing may
//! keep that task: it hands them on through a queue without a limit, which the number of files
//! bounds. All other queues are short, so memory does not grow with what is sent.

use std::sync::{Arc, Mutex, mpsc as blocking};

use bollard_buildkit_proto::fsutil::types::packet::PacketType;
use bollard_buildkit_proto::fsutil::types::{Packet, Stat};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_stream::{Stream, StreamExt};
use tonic::Status;

use super::failure::DirectoryFailure;
use super::filter::Filter;
use super::follow::follow;
use super::reader::{Job, Piece, READERS, read_jobs};
use super::request::Wanted;
use super::sender::{Action, Event, ProtocolError, Sender, packet};
use super::walk::{Go, walk};
use super::{Offered, Shared};
use crate::outgoing::Outgoing;

/// Packets that may wait for the stream, and pieces that may wait to become packets.
const WAITING: usize = 64;

/// Starts to send what is wanted of a directory.
pub fn start<S>(offered: Arc<Offered>, wanted: Wanted, packets: S, shared: Arc<Shared>) -> Outgoing
where
    S: Stream<Item = Result<Packet, Status>> + Send + Unpin + 'static,
{
    Outgoing::of(WAITING, |outgoing| async move {
        let ended = Transfer::run(&offered, wanted, packets, &outgoing).await;
        if let Err(failure) = ended {
            let status = failure.to_status();
            shared.record(failure);
            let message = status.message().as_bytes().to_vec();
            // The packet is what the daemon shows best; the status ends what does not know it.
            let told = outgoing.send(Ok(Packet { data: message, ..packet(PacketType::PacketErr) })).await;
            if told.is_ok() {
                // Nobody to tell any more is no failure of its own.
                drop(outgoing.send(Err(status)).await);
            }
        }
    })
}

/// What the walk says.
enum Walked {
    Found(Stat),
    Ended(Result<(), DirectoryFailure>),
}

struct Transfer<'t> {
    offered: &'t Offered,
    directory: String,
    sender: Sender,
    announced: Announced,
    jobs: blocking::Sender<Job>,
    outgoing: &'t mpsc::Sender<Result<Packet, Status>>,
}

/// What was said of each file, by number.
#[derive(Default)]
struct Announced {
    paths: String,
    /// Where the path ends (it starts where the one before ends), the size, and the time.
    entries: Vec<(usize, i64, i64)>,
}

impl Announced {
    fn push(&mut self, stat: &Stat) {
        self.paths.push_str(&stat.path);
        self.entries.push((self.paths.len(), stat.size, stat.mod_time));
    }

    fn job(&self, id: u32) -> Option<Job> {
        let index = usize::try_from(id).ok()?;
        let (end, size, modified) = *self.entries.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.entries[before].0);
        let path = self.paths.get(start..end)?.to_owned();
        Some(Job { id, path, size: u64::try_from(size).ok()?, modified })
    }
}

impl Transfer<'_> {
    async fn run<S>(
        offered: &Arc<Offered>,
        wanted: Wanted,
        mut packets: S,
        outgoing: &mpsc::Sender<Result<Packet, Status>>,
    ) -> Result<(), DirectoryFailure>
    where
        S: Stream<Item = Result<Packet, Status>> + Send + Unpin + 'static,
    {
        let mut tasks = JoinSet::new();
        let directory = wanted.name.clone();

        let (into_received, mut received) = mpsc::unbounded_channel();
        tasks.spawn(async move {
            while let Some(packet) = packets.next().await {
                if into_received.send(packet).is_err() {
                    return;
                }
            }
        });

        let (into_walked, mut walked) = mpsc::channel(4 * WAITING);
        let walker = Arc::clone(offered);
        tasks.spawn_blocking(move || {
            let ended = walk_wanted(&walker, &wanted, &into_walked);
            // Where nobody listens, nobody is to be told.
            drop(into_walked.blocking_send(Walked::Ended(ended)));
        });

        let (jobs, from_jobs) = blocking::channel();
        let from_jobs = Arc::new(Mutex::new(from_jobs));
        let (into_pieces, mut pieces) = mpsc::channel(WAITING);
        for _ in 0..READERS {
            let (offered, directory) = (Arc::clone(offered), directory.clone());
            let (from_jobs, into_pieces) = (Arc::clone(&from_jobs), into_pieces.clone());
            tasks.spawn_blocking(move || read_jobs(&offered.root, &directory, &from_jobs, &into_pieces));
        }
        drop(into_pieces);

        offered.counters.start();
        let (sender, announced) = (Sender::default(), Announced::default());
        let mut transfer = Transfer { offered, directory, sender, announced, jobs, outgoing };
        let mut walking = true;
        loop {
            let event = tokio::select! {
                packet = received.recv() => match packet {
                    Some(Ok(packet)) => Event::Received(packet),
                    // A stream that breaks says less than what broke it, which others report.
                    Some(Err(_)) | None => return Err(transfer.protocol(ProtocolError::Ended)),
                },
                Some(piece) = pieces.recv() => match piece {
                    Piece::Chunk(id, data) => Event::Chunk(id, data),
                    Piece::End(id) => Event::EndOfFile(id),
                    Piece::Failed(failure) => return Err(failure),
                },
                Some(found) = walked.recv(), if walking => match found {
                    Walked::Found(stat) => Event::Found(stat),
                    Walked::Ended(Ok(())) => {
                        walking = false;
                        Event::WalkEnded
                    }
                    Walked::Ended(Err(failure)) => return Err(failure),
                },
            };
            if transfer.take(event).await? == Go::Home {
                return Ok(());
            }
        }
    }

    /// Does what an event asks for.
    async fn take(&mut self, event: Event) -> Result<Go, DirectoryFailure> {
        if let Event::Found(stat) = &event {
            self.announced.push(stat);
            self.offered.counters.entry();
        }
        if let Event::Chunk(_, data) = &event {
            self.offered.counters.bytes(data.len());
        }
        if let Event::EndOfFile(_) = &event {
            self.offered.counters.file();
        }
        match self.sender.on(event).map_err(|error| self.protocol(error))? {
            Action::Send(packet) => self.send(packet).await.map(|()| Go::On),
            Action::SendLast(packet) => {
                self.offered.counters.complete();
                self.send(packet).await.map(|()| Go::Home)
            }
            Action::Read(id) => {
                let gone = || self.protocol(ProtocolError::NoSuchFile(id));
                let job = self.announced.job(id).ok_or_else(gone)?;
                self.jobs.send(job).map_err(|_| self.protocol(ProtocolError::NotRead(id)))?;
                Ok(Go::On)
            }
        }
    }

    async fn send(&self, packet: Packet) -> Result<(), DirectoryFailure> {
        self.outgoing.send(Ok(packet)).await.map_err(|_| self.protocol(ProtocolError::Ended))
    }

    fn protocol(&self, reason: ProtocolError) -> DirectoryFailure {
        DirectoryFailure::Protocol { directory: self.directory.clone(), reason }
    }
}

fn walk_wanted(
    offered: &Offered,
    wanted: &Wanted,
    sink: &mpsc::Sender<Walked>,
) -> Result<(), DirectoryFailure> {
    let followed = follow(&offered.root, &wanted.name, &wanted.follow)?;
    let filter = Filter::new(offered.ignored.clone(), wanted, followed)?;
    walk(&offered.root, &wanted.name, &filter, &mut |stat| match sink.blocking_send(Walked::Found(stat)) {
        Ok(()) => Go::On,
        Err(_) => Go::Home,
    })
}
