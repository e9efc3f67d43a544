//! A protobuf writer that puts fields exactly where it is told to.
//!
//! BuildKit hashes ops in the field order of its own Go encoder, which is not the order of the
//! field numbers, so the generated encoders cannot be used for what is hashed. Writing straight
//! from borrowed data also spares a copy of every environment.

/// Bytes of a message under construction.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

/// The wire type of integers and flags.
const VARINT: u64 = 0;
/// The wire type of texts, bytes and messages.
const DELIMITED: u64 = 2;
/// Bytes of the longest number.
const MOST_OF_A_VARINT: usize = 10;

/// How many bytes an integer field takes; none where it is 0.
pub(crate) fn integer_length(field: u64, value: u64) -> usize {
    if value == 0 { 0 } else { varint_length(field << 3 | VARINT) + varint_length(value) }
}

/// How many bytes a text, a byte string or a message of so many bytes takes.
pub(crate) fn delimited_length(field: u64, length: usize) -> usize {
    varint_length(field << 3 | DELIMITED) + varint_length(length as u64) + length
}

fn varint_length(value: u64) -> usize {
    value.checked_ilog2().unwrap_or_default() as usize / 7 + 1
}

impl Writer {
    /// Nothing yet, with room for about so many bytes.
    pub(crate) fn with_room(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes) }
    }

    /// How many bytes have been written.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// What has been written.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Adds what another has written.
    pub(crate) fn append(&mut self, other: &Self) {
        self.bytes.extend_from_slice(&other.bytes);
    }

    /// Shortens what has been written to its first bytes.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.bytes.truncate(length);
    }

    /// An integer field; left out where it is 0, as proto3 has it. Negative ones take ten bytes.
    pub(crate) fn integer(&mut self, field: u64, value: i64) {
        if value != 0 {
            self.integer_of_choice(field, value);
        }
    }

    /// An integer field that is written even where it is 0, because it is a member of a oneof.
    pub(crate) fn integer_of_choice(&mut self, field: u64, value: i64) {
        self.varint(field << 3 | VARINT);
        self.varint(value.cast_unsigned());
    }

    /// A flag; left out where it is not set.
    pub(crate) fn flag(&mut self, field: u64, value: bool) {
        self.integer(field, i64::from(value));
    }

    /// A text field; left out where it is empty.
    pub(crate) fn text(&mut self, field: u64, value: &str) {
        if !value.is_empty() {
            self.element(field, value.as_bytes());
        }
    }

    /// One text or byte string of a repeated field, or of a map's entry: written even where it
    /// is empty.
    pub(crate) fn element(&mut self, field: u64, value: &[u8]) {
        self.bytes.reserve(value.len() + 2 * MOST_OF_A_VARINT);
        self.delimited(field, value.len());
        self.bytes.extend_from_slice(value);
    }

    /// What stands before a text, a byte string or a message of so many bytes.
    pub(crate) fn delimited(&mut self, field: u64, length: usize) {
        self.varint(field << 3 | DELIMITED);
        self.varint(length as u64);
    }

    /// A byte field; left out where it is empty.
    pub(crate) fn blob(&mut self, field: u64, value: &[u8]) {
        if !value.is_empty() {
            self.element(field, value);
        }
    }

    /// A nested message, written even where nothing is in it.
    pub(crate) fn message(&mut self, field: u64, body: impl FnOnce(&mut Self)) {
        self.framed(field, body);
    }

    /// The same; gives what is in the message.
    pub(crate) fn framed(&mut self, field: u64, body: impl FnOnce(&mut Self)) -> &[u8] {
        self.varint(field << 3 | DELIMITED);
        // Most messages are shorter than 128 bytes, so their length takes the one byte that is
        // kept free for it; longer ones are moved to make room.
        let place = self.bytes.len();
        self.bytes.push(0);
        body(self);
        let end = self.bytes.len();
        let mut length = (end - place - 1) as u64;
        let mut at = place;
        if length >= 0x80 {
            let extra = (length.ilog2() / 7) as usize;
            self.bytes.resize(end + extra, 0);
            self.bytes.copy_within(place + 1..end, place + 1 + extra);
            while length >= 0x80 {
                self.bytes[at] = (length & 0x7f) as u8 | 0x80;
                length >>= 7;
                at += 1;
            }
        }
        self.bytes[at] = length as u8;
        &self.bytes[at + 1..]
    }

    /// One `name=value` of a repeated text field.
    pub(crate) fn variable(&mut self, field: u64, name: &str, value: &str) {
        let length = name.len() + 1 + value.len();
        self.bytes.reserve(length + 2 * MOST_OF_A_VARINT);
        self.varint(field << 3 | DELIMITED);
        self.varint(length as u64);
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(b'=');
        self.bytes.extend_from_slice(value.as_bytes());
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(body: impl FnOnce(&mut Writer)) -> Vec<u8> {
        let mut writer = Writer::default();
        body(&mut writer);
        writer.into_bytes()
    }

    #[test]
    fn defaults_are_left_out_except_where_they_choose() {
        assert_eq!(
            written(|to| {
                to.integer(1, 0);
                to.flag(2, false);
                to.text(3, "");
                to.blob(4, b"");
            }),
            b""
        );
        assert_eq!(written(|to| to.integer_of_choice(2, 0)), [0x10, 0]);
        assert_eq!(written(|to| to.element(1, b"")), [0x0a, 0]);
        assert_eq!(written(|to| to.message(11, |_| {})), [0x5a, 0]);
    }

    #[test]
    fn numbers_are_varints() {
        assert_eq!(written(|to| to.integer(1, 300)), [0x08, 0xac, 0x02]);
        assert_eq!(
            written(|to| to.integer(1, -1)),
            [0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]
        );
    }

    #[test]
    fn lengths_grow_with_the_message() {
        for length in [0_usize, 120, 125, 126, 127, 128, 16_379, 16_380, 16_381, 16_384, 2_097_152] {
            let text = vec![b'x'; length];
            let message = written(|to| to.message(1, |to| to.element(2, &text)));
            let flat = written(|to| to.element(2, &text));
            assert_eq!(message, written(|to| to.element(1, &flat)), "{length}");
        }
    }
}
