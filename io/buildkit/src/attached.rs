//! The streams of a program that an Engine runs in a container, as one pair of directions.
//!
//! Without a terminal, an Engine sends what the program prints in frames: the first byte tells what
//! it is, the last four of eight how long it is. What we send travels as it is.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::dial::Stream;

const HEADER: usize = 8;
/// More of a program's complaints than this helps nobody.
const LONGEST_COMPLAINT: usize = 4096;

/// What the program has complained so far. It outlives the stream, to explain why that ended.
#[derive(Debug, Clone, Default)]
pub(crate) struct Complaints(Arc<Mutex<Vec<u8>>>);

impl Complaints {
    fn add(&self, bytes: &[u8]) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = LONGEST_COMPLAINT.saturating_sub(held.len());
        held.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// All of it as one line, where there is any.
    pub(crate) fn text(&self) -> Option<String> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&held);
        let words: Vec<&str> = text.split_whitespace().collect();
        Some(words.join(" ")).filter(|text| !text.is_empty())
    }
}

/// The stream of an attached program.
pub(crate) struct Attached {
    stream: Stream,
    state: State,
    complaints: Complaints,
}

#[derive(Clone, Copy)]
enum State {
    Header {
        bytes: [u8; HEADER],
        filled: usize,
    },
    Printed {
        left: usize,
    },
    Complained {
        left: usize,
    },
    /// The Engine speaks instead of the program: it could not be started.
    Unframed,
}

const NEXT_HEADER: State = State::Header { bytes: [0; HEADER], filled: 0 };

impl Attached {
    pub(crate) fn new(stream: Stream) -> (Self, Complaints) {
        let complaints = Complaints::default();
        (Self { stream, state: NEXT_HEADER, complaints: complaints.clone() }, complaints)
    }

    /// Reads what is no output, and says how many bytes came.
    fn poll_aside(&mut self, context: &mut Context<'_>, most: usize) -> Poll<io::Result<usize>> {
        let mut bytes = [0; 1024];
        let most = most.min(bytes.len());
        let mut aside = ReadBuf::new(&mut bytes[..most]);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut aside))?;
        self.complaints.add(aside.filled());
        Poll::Ready(Ok(aside.filled().len()))
    }
}

impl AsyncRead for Attached {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if out.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        loop {
            match this.state {
                State::Header { mut bytes, filled } => {
                    let mut header = ReadBuf::new(&mut bytes[filled..]);
                    ready!(Pin::new(&mut this.stream).poll_read(context, &mut header))?;
                    let came = header.filled().len();
                    this.state = match filled + came {
                        HEADER => after_header(bytes),
                        0 => return Poll::Ready(Ok(())),
                        _ if came == 0 => {
                            this.complaints.add(&bytes[..filled]);
                            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
                        }
                        filled => State::Header { bytes, filled },
                    };
                    if let State::Unframed = this.state {
                        this.complaints.add(&bytes);
                    }
                }
                State::Printed { left: 0 } | State::Complained { left: 0 } => this.state = NEXT_HEADER,
                State::Printed { left } => {
                    let most = left.min(out.remaining());
                    let mut part = ReadBuf::new(out.initialize_unfilled_to(most));
                    ready!(Pin::new(&mut this.stream).poll_read(context, &mut part))?;
                    let came = part.filled().len();
                    if came == 0 {
                        return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
                    }
                    out.advance(came);
                    this.state = State::Printed { left: left - came };
                    return Poll::Ready(Ok(()));
                }
                State::Complained { left } => {
                    let came = ready!(this.poll_aside(context, left))?;
                    if came == 0 {
                        return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
                    }
                    this.state = State::Complained { left: left - came };
                }
                State::Unframed => {
                    if ready!(this.poll_aside(context, usize::MAX))? == 0 {
                        return Poll::Ready(Err(io::Error::new(
                            io::ErrorKind::InvalidData,
                            "the program could not be started",
                        )));
                    }
                }
            }
        }
    }
}

fn after_header(bytes: [u8; HEADER]) -> State {
    let [kind, 0, 0, 0, a, b, c, d] = bytes else { return State::Unframed };
    let left = u32::from_be_bytes([a, b, c, d]) as usize;
    match kind {
        0 | 1 => State::Printed { left },
        2 => State::Complained { left },
        _ => State::Unframed,
    }
}

impl AsyncWrite for Attached {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// What is read of these bytes when they come in pieces of this size.
    async fn read(bytes: &[u8], piece: usize) -> (io::Result<Vec<u8>>, Option<String>) {
        let (ours, mut theirs) = tokio::io::duplex(piece);
        let (mut attached, complaints) = Attached::new(Box::new(ours));
        let bytes = bytes.to_vec();
        let writer = tokio::spawn(async move {
            // The reader may give up before all is written.
            let _ = theirs.write_all(&bytes).await;
        });
        let mut all = Vec::new();
        let outcome = attached.read_to_end(&mut all).await.map(|_| all);
        drop(attached);
        writer.await.unwrap();
        (outcome, complaints.text())
    }

    fn frame(kind: u8, data: &str) -> Vec<u8> {
        let length = u32::try_from(data.len()).unwrap();
        [&[kind, 0, 0, 0][..], &length.to_be_bytes(), data.as_bytes()].concat()
    }

    #[tokio::test]
    async fn output_and_complaints_are_told_apart_however_they_are_cut() {
        let bytes =
            [frame(1, "one "), frame(2, "oh\n"), frame(1, ""), frame(2, "dear"), frame(1, "two")].concat();
        for piece in [1, 3, 8, 9, 1000] {
            let (outcome, complaints) = read(&bytes, piece).await;
            assert_eq!(outcome.unwrap(), b"one two", "{piece}");
            assert_eq!(complaints.as_deref(), Some("oh dear"), "{piece}");
        }
    }

    #[tokio::test]
    async fn an_end_inside_a_frame_is_an_error() {
        let bytes = frame(1, "all of it");
        for end in [3, 8, 12] {
            let (outcome, _) = read(&bytes[..end], 1000).await;
            assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::UnexpectedEof, "{end}");
        }
    }

    #[tokio::test]
    async fn what_the_engine_says_instead_of_the_program_is_kept() {
        let (outcome, complaints) = read(b"OCI runtime exec failed: no such program", 1000).await;
        assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(complaints.as_deref(), Some("OCI runtime exec failed: no such program"));
    }
}
