//! What a service sends while its own tasks make it.

use std::pin::Pin;
use std::task::{Context, Poll};

use bollard_buildkit_proto::fsutil::types::Packet;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_stream::Stream;
use tonic::Status;

/// Packets to the daemon. Dropping them, as happens when the daemon goes away, ends the tasks.
pub struct Outgoing {
    packets: mpsc::Receiver<Result<Packet, Status>>,
    _tasks: JoinSet<()>,
}

impl Outgoing {
    /// What `work` sends, of which as many packets as `waiting` may wait.
    pub(crate) fn of<W>(waiting: usize, work: impl FnOnce(mpsc::Sender<Result<Packet, Status>>) -> W) -> Self
    where
        W: Future<Output = ()> + Send + 'static,
    {
        let (sender, packets) = mpsc::channel(waiting);
        let mut tasks = JoinSet::new();
        tasks.spawn(work(sender));
        Self { packets, _tasks: tasks }
    }
}

impl Stream for Outgoing {
    type Item = Result<Packet, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.packets.poll_recv(context)
    }
}
