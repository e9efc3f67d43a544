//! Numbers and names as bytes, one after the other.

/// Takes them.
#[derive(Default)]
pub(super) struct Writer(pub(super) Vec<u8>);

impl Writer {
    pub(super) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub(super) fn small(&mut self, number: u32) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub(super) fn large(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        // No name, link or path comes near: page by page they are counted before.
        self.small(bytes.len() as u32);
        self.0.extend_from_slice(bytes);
    }
}

/// Gives them back in the same order. What was not written in that order is our bug.
pub(super) struct Reader<'b>(pub(super) &'b [u8]);

impl<'b> Reader<'b> {
    pub(super) fn byte(&mut self) -> u8 {
        self.take::<1>()[0]
    }

    pub(super) fn small(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }

    pub(super) fn large(&mut self) -> u64 {
        u64::from_le_bytes(self.take())
    }

    pub(super) fn bytes(&mut self) -> &'b [u8] {
        let length = self.small() as usize;
        let (bytes, rest) = self.0.split_at(length);
        self.0 = rest;
        bytes
    }

    pub(super) fn take<const N: usize>(&mut self) -> [u8; N] {
        let (bytes, rest) = self.0.split_at(N);
        self.0 = rest;
        let mut taken = [0; N];
        taken.copy_from_slice(bytes);
        taken
    }
}
