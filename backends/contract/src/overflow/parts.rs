//! What entries of trees have in common, as bytes.

use cogpack_content::Digest;
use cogpack_ir::plan::Mode;

use super::text::{Reader, Writer};
use crate::content::{DiskStamp, Moment, Stamp};
use crate::tree::{Attributes, Ids};

/// By what a file is known again.
const NOTHING: u8 = 0;
const DIGEST: u8 = 1;
const DISK: u8 = 2;

impl Writer {
    pub(super) fn ids(&mut self, ids: Ids) {
        self.small(ids.user);
        self.small(ids.group);
    }

    pub(super) fn attributes(&mut self, attributes: Attributes) {
        self.small(attributes.mode.bits());
        self.ids(attributes.ids);
    }

    pub(super) fn digest(&mut self, digest: &Digest) {
        self.0.extend_from_slice(digest.sha256());
    }

    pub(super) fn stamp(&mut self, stamp: &Stamp) {
        match stamp {
            Stamp::None => self.byte(NOTHING),
            Stamp::Digest(digest) => {
                self.byte(DIGEST);
                self.digest(digest);
            }
            Stamp::Disk(stamp) => {
                self.byte(DISK);
                self.large(stamp.device);
                self.large(stamp.inode);
                for Moment { seconds, nanoseconds } in [stamp.modified, stamp.changed] {
                    self.large(seconds.cast_unsigned());
                    self.small(nanoseconds);
                }
                self.byte(stamp.settled.into());
            }
        }
    }
}

impl Reader<'_> {
    pub(super) fn ids(&mut self) -> Ids {
        Ids { user: self.small(), group: self.small() }
    }

    pub(super) fn attributes(&mut self) -> Attributes {
        // It was one when it was written.
        let mode = Mode::new(self.small()).unwrap_or(Mode::FILE);
        Attributes { mode, ids: self.ids() }
    }

    pub(super) fn digest(&mut self) -> Digest {
        Digest::from_sha256(self.take())
    }

    pub(super) fn stamp(&mut self) -> Stamp {
        match self.byte() {
            NOTHING => Stamp::None,
            DIGEST => Stamp::Digest(self.digest()),
            _ => {
                let (device, inode) = (self.large(), self.large());
                let mut moment = || Moment { seconds: self.large().cast_signed(), nanoseconds: self.small() };
                let (modified, changed) = (moment(), moment());
                Stamp::Disk(DiskStamp { device, inode, modified, changed, settled: self.byte() != 0 })
            }
        }
    }
}
