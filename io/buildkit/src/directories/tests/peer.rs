//! The daemon's side of a transfer, as far as these tests need it.

use std::collections::BTreeMap;

use bollard_buildkit_proto::fsutil::types::packet::PacketType;
use bollard_buildkit_proto::fsutil::types::{Packet, Stat};
use bollard_buildkit_proto::moby::filesync::packet::file_sync_client::FileSyncClient;
use futures_util::stream;
use tokio::sync::{mpsc, watch};
use tokio_stream::StreamExt;
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::Channel;
use tonic::{Request, Status, Streaming};

use super::super::sender::packet;
use super::super::{Directories, mode};
use crate::in_memory;

/// What a daemon asks for in one call.
pub struct Asking {
    pub metadata: Vec<(&'static str, String)>,
}

impl Asking {
    pub fn of(name: &str) -> Self {
        Self { metadata: vec![("dir-name", name.to_owned())] }
    }

    pub fn with(mut self, key: &'static str, values: &[String]) -> Self {
        self.metadata.extend(values.iter().map(|value| (key, value.clone())));
        self
    }
}

/// A transfer under way.
pub struct Peer {
    pub into: mpsc::UnboundedSender<Packet>,
    pub from: Streaming<Packet>,
    /// How many packets have left us.
    left: watch::Receiver<usize>,
    // Holds the connection.
    _channel: Channel,
}

/// What came over.
#[derive(Debug, Default)]
pub struct Received {
    pub stats: Vec<Stat>,
    pub contents: BTreeMap<String, Vec<u8>>,
}

impl Received {
    pub fn paths(&self) -> Vec<&str> {
        self.stats.iter().map(|stat| stat.path.as_str()).collect()
    }
}

impl Peer {
    pub async fn call(directories: &Directories, asking: Asking) -> Result<Self, Status> {
        let channel = in_memory::connect(directories.to_server()).await;
        let mut client = FileSyncClient::new(channel.clone());
        let (into, requests) = mpsc::unbounded_channel();
        let (says_left, left) = watch::channel(0);
        // Each packet in a frame of its own, as daemons send them.
        let packets = stream::unfold((requests, says_left), |(mut requests, says_left)| async move {
            tokio::task::yield_now().await;
            let packet: Packet = requests.recv().await?;
            says_left.send_modify(|left| *left += 1);
            Some((packet, (requests, says_left)))
        });
        let mut request = Request::new(packets);
        for (key, value) in asking.metadata {
            let value = AsciiMetadataValue::try_from(value.as_bytes()).expect("is a header");
            request.metadata_mut().append(key, value);
        }
        let from = client.diff_copy(request).await?.into_inner();
        Ok(Self { into, from, left, _channel: channel })
    }

    pub fn ask(&self, id: usize) {
        let id = u32::try_from(id).expect("is a number");
        self.send(Packet { id, ..packet(PacketType::PacketReq) });
    }

    /// Waits until so many packets have left us, or none will any more.
    pub async fn until_left(&mut self, count: usize) {
        // An error is that the connection has ended, which the next packet tells.
        drop(self.left.wait_for(|left| *left >= count).await);
    }

    pub fn send(&self, packet: Packet) {
        self.into.send(packet).expect("is open");
    }

    pub async fn next(&mut self) -> Result<Packet, Status> {
        self.from.next().await.unwrap_or_else(|| Err(Status::ok("the stream ended")))
    }

    /// All that is announced, without asking for anything.
    pub async fn announcements(&mut self) -> Result<Vec<Stat>, Status> {
        let mut stats = Vec::new();
        while let Some(stat) = self.next().await?.stat {
            stats.push(stat);
        }
        Ok(stats)
    }

    /// Receives as a daemon does that wants the files that `wants` says.
    pub async fn receive(mut self, wants: impl Fn(&Stat) -> bool) -> Result<Received, Status> {
        let mut received = Received::default();
        let (mut open, mut announced_all, mut finished) = (0, false, false);
        loop {
            if announced_all && open == 0 && !finished {
                finished = true;
                self.send(packet(PacketType::PacketFin));
            }
            let Some(next) = self.from.next().await else { break };
            let next = next?;
            match PacketType::try_from(next.r#type).expect("is a kind") {
                PacketType::PacketStat => match next.stat {
                    Some(stat) => {
                        if mode::is_file(stat.mode) && stat.linkname.is_empty() && wants(&stat) {
                            self.ask(received.stats.len());
                            open += 1;
                        }
                        received.stats.push(stat);
                    }
                    None => announced_all = true,
                },
                PacketType::PacketData => {
                    let path = received.stats[next.id as usize].path.clone();
                    let content = received.contents.entry(path).or_default();
                    if next.data.is_empty() {
                        open -= 1;
                    }
                    content.extend(next.data);
                }
                PacketType::PacketErr => {
                    return Err(Status::aborted(String::from_utf8_lossy(&next.data)));
                }
                PacketType::PacketFin => assert!(finished, "the end was said before it was"),
                PacketType::PacketReq => panic!("asked for a file"),
            }
        }
        assert!(finished, "the stream ended early");
        Ok(received)
    }
}
