//! The agent protocol as far as a build may speak it: which requests pass, found in a stream of
//! bytes without any socket.
//!
//! A request is its length in four bytes, its kind in one, and the rest. A build lists keys and
//! signs with them. Whatever would add, remove, lock or unlock keys is answered here with the
//! protocol's failure and never reaches the agent, so that no build changes what a person has set up.

/// Agents of OpenSSH take no longer message.
const LONGEST_MESSAGE: usize = 256 * 1024;
const LENGTH_BYTES: usize = 4;

const LIST_KEYS: u8 = 11;
const SIGN: u8 = 13;

/// What a refused request is answered with: a message of one byte, the kind `failure`.
pub const FAILURE: [u8; 5] = [0, 0, 0, 1, 5];

/// One request of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// For the agent, as it came.
    Forward(Vec<u8>),
    /// Not for the agent.
    Refuse,
}

/// A message that breaks the protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a message of {length} bytes is not of the agent protocol")]
pub struct BrokenMessage {
    /// The length it announced.
    pub length: usize,
}

/// Bytes that came from a build, and have not made a whole request yet.
#[derive(Debug, Default)]
pub struct Requests {
    pending: Vec<u8>,
}

impl Requests {
    /// Takes more bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
    }

    /// Whether nothing is left of a request.
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// The next request, once it is whole.
    pub fn next(&mut self) -> Result<Option<Ask>, BrokenMessage> {
        let Some(header) = self.pending.first_chunk::<LENGTH_BYTES>() else { return Ok(None) };
        let end = LENGTH_BYTES + message_length(*header)?;
        if self.pending.len() < end {
            return Ok(None);
        }
        let rest = self.pending.split_off(end);
        let message = std::mem::replace(&mut self.pending, rest);
        Ok(Some(match message[LENGTH_BYTES] {
            LIST_KEYS | SIGN => Ask::Forward(message),
            _ => Ask::Refuse,
        }))
    }
}

/// The length that the first four bytes of a message announce: that of what follows them.
pub fn message_length(header: [u8; LENGTH_BYTES]) -> Result<usize, BrokenMessage> {
    let length = usize::try_from(u32::from_be_bytes(header)).unwrap_or(usize::MAX);
    if (1..=LONGEST_MESSAGE).contains(&length) { Ok(length) } else { Err(BrokenMessage { length }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(1 + body.len()).unwrap();
        [&length.to_be_bytes()[..], &[kind], body].concat()
    }

    #[test]
    fn requests_are_found_however_the_bytes_are_cut() {
        let messages = [message(LIST_KEYS, b""), message(SIGN, b"key and data"), message(LIST_KEYS, b"")];
        let bytes = messages.concat();
        for size in 1..=bytes.len() {
            let mut requests = Requests::default();
            let mut found = Vec::new();
            for piece in bytes.chunks(size) {
                requests.push(piece);
                while let Some(ask) = requests.next().unwrap() {
                    found.push(ask);
                }
            }
            assert_eq!(found, messages.clone().map(Ask::Forward), "in pieces of {size}");
            assert!(requests.is_empty());
        }
    }

    #[test]
    fn nothing_but_listing_and_signing_passes() {
        for kind in (0..=u8::MAX).filter(|kind| ![LIST_KEYS, SIGN].contains(kind)) {
            let mut requests = Requests::default();
            requests.push(&message(kind, b"anything"));
            assert_eq!(requests.next(), Ok(Some(Ask::Refuse)), "kind {kind}");
        }
    }

    #[test]
    fn lengths_that_no_agent_takes_are_refused_at_once() {
        for length in [0u32, 256 * 1024 + 1, u32::MAX] {
            let mut requests = Requests::default();
            requests.push(&length.to_be_bytes());
            assert_eq!(requests.next(), Err(BrokenMessage { length: length as usize }));
        }
    }
}
