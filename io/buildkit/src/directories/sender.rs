//! The order in which a directory is sent, without sockets and files: events in, actions out.
//!
//! We announce what the walk comes to, each with a number counted from 0, and then that there is
//! no more. Meanwhile the daemon asks for the files it wants, by number, each at most once. The
//! bytes of several files may be under way at once; an empty chunk ends one. When the daemon has
//! all, it says so, and we answer that.

use bollard_buildkit_proto::fsutil::types::packet::PacketType;
use bollard_buildkit_proto::fsutil::types::{Packet, Stat};

/// What happened.
#[derive(Debug)]
pub enum Event {
    /// The walk came to something.
    Found(Stat),
    /// The walk came to its end.
    WalkEnded,
    /// The daemon sent something.
    Received(Packet),
    /// Bytes of a file were read.
    Chunk(u32, Vec<u8>),
    /// A file was read to its end.
    EndOfFile(u32),
}

/// What is to be done about it.
#[derive(Debug, PartialEq)]
pub enum Action {
    /// Send this.
    Send(Packet),
    /// Read the file with this number.
    Read(u32),
    /// Send this, and then no more.
    SendLast(Packet),
}

/// What the daemon did out of order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// A number that no announced file has.
    #[error("the daemon asked for the file with the number {0}, which it was not told of")]
    NoSuchFile(u32),
    /// A file that is under way, or has been sent.
    #[error("the daemon asked for the file with the number {0} a second time")]
    AskedTwice(u32),
    /// The end, though something is missing.
    #[error("the daemon said that it has all, but {0}")]
    FinishedEarly(&'static str),
    /// A packet that only we send.
    #[error("the daemon sent a packet of the kind {0}, which is not its to send")]
    Unexpected(i32),
    /// The daemon gave up.
    #[error("the daemon gave up: {0}")]
    GaveUp(String),
    /// The stream ended in the middle.
    #[error("the daemon went away before it had all")]
    Ended,
    /// More entries than numbers.
    #[error("there is more to send than the protocol has numbers for")]
    TooMany,
    /// Bytes of a file that nobody asked for. Ours, not the daemon's.
    #[error("the file with the number {0} is not being read")]
    NotRead(u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Its announcement says all of it.
    Whole,
    /// A file that may be asked for.
    Announced,
    /// A file that was asked for.
    UnderWay,
    /// A file whose last byte was sent.
    Sent,
}

/// One transfer.
#[derive(Debug, Default)]
pub struct Sender {
    /// By number.
    entries: Vec<State>,
    under_way: usize,
    walk_ended: bool,
}

impl Sender {
    /// What is to be done about an event.
    pub fn on(&mut self, event: Event) -> Result<Action, ProtocolError> {
        match event {
            Event::Found(stat) => self.found(stat),
            Event::WalkEnded => {
                self.walk_ended = true;
                Ok(Action::Send(packet(PacketType::PacketStat)))
            }
            Event::Received(received) => self.received(received),
            Event::Chunk(id, data) => {
                self.expect_under_way(id)?;
                Ok(Action::Send(Packet { id, data, ..packet(PacketType::PacketData) }))
            }
            Event::EndOfFile(id) => {
                *self.expect_under_way(id)? = State::Sent;
                self.under_way -= 1;
                Ok(Action::Send(Packet { id, ..packet(PacketType::PacketData) }))
            }
        }
    }

    fn found(&mut self, stat: Stat) -> Result<Action, ProtocolError> {
        if u32::try_from(self.entries.len()).is_err() {
            return Err(ProtocolError::TooMany);
        }
        let is_file = super::mode::is_file(stat.mode) && stat.linkname.is_empty();
        self.entries.push(if is_file { State::Announced } else { State::Whole });
        Ok(Action::Send(Packet { stat: Some(stat), ..packet(PacketType::PacketStat) }))
    }

    fn received(&mut self, received: Packet) -> Result<Action, ProtocolError> {
        match PacketType::try_from(received.r#type) {
            Ok(PacketType::PacketReq) => self.requested(received.id),
            Ok(PacketType::PacketFin) if !self.walk_ended => {
                Err(ProtocolError::FinishedEarly("it was not told of all"))
            }
            Ok(PacketType::PacketFin) if self.under_way > 0 => {
                Err(ProtocolError::FinishedEarly("it asked for files that are still under way"))
            }
            Ok(PacketType::PacketFin) => Ok(Action::SendLast(packet(PacketType::PacketFin))),
            Ok(PacketType::PacketErr) => {
                Err(ProtocolError::GaveUp(String::from_utf8_lossy(&received.data).into_owned()))
            }
            Ok(PacketType::PacketStat | PacketType::PacketData) | Err(_) => {
                Err(ProtocolError::Unexpected(received.r#type))
            }
        }
    }

    fn requested(&mut self, id: u32) -> Result<Action, ProtocolError> {
        let state = usize::try_from(id).ok().and_then(|index| self.entries.get_mut(index));
        match state {
            Some(state @ State::Announced) => {
                *state = State::UnderWay;
                self.under_way += 1;
                Ok(Action::Read(id))
            }
            Some(State::UnderWay | State::Sent) => Err(ProtocolError::AskedTwice(id)),
            Some(State::Whole) | None => Err(ProtocolError::NoSuchFile(id)),
        }
    }

    fn expect_under_way(&mut self, id: u32) -> Result<&mut State, ProtocolError> {
        let state = usize::try_from(id).ok().and_then(|index| self.entries.get_mut(index));
        state.filter(|state| **state == State::UnderWay).ok_or(ProtocolError::NotRead(id))
    }
}

/// An empty packet of one kind.
pub(crate) fn packet(kind: PacketType) -> Packet {
    Packet { r#type: kind.into(), ..Packet::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str) -> Event {
        Event::Found(Stat { path: path.to_owned(), mode: 0o644, size: 4, ..Stat::default() })
    }

    fn received(kind: PacketType, id: u32) -> Event {
        Event::Received(Packet { id, ..packet(kind) })
    }

    fn sender_of(events: impl IntoIterator<Item = Event>) -> Sender {
        let mut sender = Sender::default();
        for event in events {
            sender.on(event).expect("is in order");
        }
        sender
    }

    fn directory() -> Event {
        Event::Found(Stat { path: "d".to_owned(), mode: 1 << 31 | 0o755, ..Stat::default() })
    }

    #[test]
    fn a_transfer_goes_from_announcements_to_the_answer() {
        let mut sender = sender_of([directory(), file("d/a"), file("d/b")]);
        assert_eq!(sender.on(received(PacketType::PacketReq, 2)), Ok(Action::Read(2)));
        assert_eq!(sender.on(Event::WalkEnded), Ok(Action::Send(packet(PacketType::PacketStat))));
        assert_eq!(sender.on(received(PacketType::PacketReq, 1)), Ok(Action::Read(1)));
        let data = |id, data: &[u8]| {
            Ok(Action::Send(Packet { id, data: data.to_vec(), ..packet(PacketType::PacketData) }))
        };
        assert_eq!(sender.on(Event::Chunk(2, b"text".to_vec())), data(2, b"text"));
        assert_eq!(sender.on(Event::Chunk(1, b"te".to_vec())), data(1, b"te"));
        assert_eq!(sender.on(Event::EndOfFile(2)), data(2, b""));
        assert_eq!(sender.on(Event::Chunk(1, b"xt".to_vec())), data(1, b"xt"));
        assert_eq!(sender.on(Event::EndOfFile(1)), data(1, b""));
        let last = sender.on(received(PacketType::PacketFin, 0));
        assert_eq!(last, Ok(Action::SendLast(packet(PacketType::PacketFin))));
    }

    #[test]
    fn a_daemon_may_want_no_file_at_all() {
        let mut sender = sender_of([file("a"), Event::WalkEnded]);
        assert!(matches!(sender.on(received(PacketType::PacketFin, 0)), Ok(Action::SendLast(_))));
    }

    #[test]
    fn only_announced_files_can_be_asked_for_and_only_once() {
        let link = Stat { path: "l".to_owned(), mode: 0o644, linkname: "a".to_owned(), ..Stat::default() };
        let mut sender = sender_of([directory(), file("a"), Event::Found(link)]);
        for id in [0, 2, 3, u32::MAX] {
            assert_eq!(sender.on(received(PacketType::PacketReq, id)), Err(ProtocolError::NoSuchFile(id)));
        }
        assert_eq!(sender.on(received(PacketType::PacketReq, 1)), Ok(Action::Read(1)));
        assert_eq!(sender.on(received(PacketType::PacketReq, 1)), Err(ProtocolError::AskedTwice(1)));
        sender.on(Event::EndOfFile(1)).expect("was asked for");
        assert_eq!(sender.on(received(PacketType::PacketReq, 1)), Err(ProtocolError::AskedTwice(1)));
    }

    #[test]
    fn the_end_comes_when_all_is_there() {
        let mut sender = sender_of([file("a")]);
        let early = sender.on(received(PacketType::PacketFin, 0));
        assert!(matches!(early, Err(ProtocolError::FinishedEarly(_))));
        let mut sender = sender_of([file("a"), Event::WalkEnded, received(PacketType::PacketReq, 0)]);
        let early = sender.on(received(PacketType::PacketFin, 0));
        assert!(matches!(early, Err(ProtocolError::FinishedEarly(_))));
    }

    #[test]
    fn what_is_not_the_daemons_to_send_is_refused() {
        for kind in [PacketType::PacketStat, PacketType::PacketData] {
            let refused = sender_of([]).on(received(kind, 0));
            assert_eq!(refused, Err(ProtocolError::Unexpected(kind.into())));
        }
        let unknown = Packet { r#type: 17, ..Packet::default() };
        assert_eq!(sender_of([]).on(Event::Received(unknown)), Err(ProtocolError::Unexpected(17)));
        let gave_up = Packet { data: b"disk full".to_vec(), ..packet(PacketType::PacketErr) };
        let gave_up = sender_of([]).on(Event::Received(gave_up));
        assert_eq!(gave_up, Err(ProtocolError::GaveUp("disk full".to_owned())));
        assert_eq!(sender_of([file("a")]).on(Event::EndOfFile(0)), Err(ProtocolError::NotRead(0)));
        assert_eq!(sender_of([]).on(Event::Chunk(9, vec![1])), Err(ProtocolError::NotRead(9)));
    }
}
