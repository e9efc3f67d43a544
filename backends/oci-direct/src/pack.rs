//! Compresses a layer and takes both its digests, in one pass, in bounded memory, and on all the
//! processors that it may use.
//!
//! Who fills a [`Packer`] reads files and lays them out; beside it, a thread hashes what comes,
//! some compress block by block, and one puts the blocks back in order, hashes them and passes
//! them on. A layer of one block is made without any of these threads.

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, Scope, ScopedJoinHandle};

use cogpack_content::Digest;
use cogpack_content::threads::joined;
use sha2::{Digest as _, Sha256};

use crate::blob::{Blob, LayerBlob};
use crate::block::{Block, Blocks};
use crate::compression::{BLOCK, BlockCoder, Coding};
use crate::tar::Room;

/// The bytes of a block that is not compressed: as many as disks like to take at once. Nothing of
/// the layer depends on it.
const PLAIN_BLOCK: usize = 4 << 20;
/// How many of these wait for one thread: some, so that nobody waits for anybody, and few, because
/// several such layers are made at once.
const PLAIN_WAITING: usize = 2;

/// How a layer is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packing {
    /// How it is compressed.
    pub coding: Coding,
    /// How many threads compress. The bytes do not depend on it.
    pub threads: NonZeroUsize,
    /// Where in a file its first byte goes, as far as that is known: what is not compressed is passed
    /// on in pieces that disks take there. The bytes do not depend on it.
    pub place: u64,
}

/// Packs what `fill` writes, and passes it on to `sink`; gives that back, and what went into it.
/// The error is the one of `fill`, or of the sink: where the sink failed, `fill` was told so.
pub fn pack<W: Write + Send, E: From<io::Error>>(
    packing: Packing,
    sink: W,
    fill: impl FnOnce(&mut dyn Room) -> Result<(), E>,
) -> Result<(W, LayerBlob), E> {
    std::thread::scope(|scope| {
        let blocks = Blocks::new(match packing.coding {
            Coding::Gzip { .. } | Coding::Zstd { .. } => BLOCK,
            Coding::Plain => PLAIN_BLOCK,
        });
        let block = match packing.coding {
            Coding::Gzip { .. } | Coding::Zstd { .. } => blocks.empty(),
            Coding::Plain => blocks.empty_at(packing.place),
        };
        let mut packer = Packer { scope, packing, blocks, block, stage: Stage::Alone(sink) };
        fill(&mut packer)?;
        Ok(packer.finish()?)
    })
}

/// Takes an uncompressed layer.
struct Packer<'scope, 'env, W> {
    scope: &'scope Scope<'scope, 'env>,
    packing: Packing,
    blocks: Blocks,
    /// What has come and is not a whole block yet.
    block: Block,
    stage: Stage<'scope, W>,
}

/// Who does the work.
enum Stage<'scope, W> {
    /// The one who fills it: there is one block so far.
    Alone(W),
    /// Threads.
    Together(Team<'scope, W>),
    /// Nobody any more: it has failed.
    Failed,
}

/// The threads of one layer. They end when the channels to them close.
struct Team<'scope, W> {
    /// To the thread that hashes.
    hashing: SyncSender<Arc<Block>>,
    hasher: ScopedJoinHandle<'scope, Digest>,
    /// To the threads that compress; none where nothing is compressed.
    coding: Option<mpsc::Sender<Job>>,
    /// To the thread that puts blocks in order.
    ordering: SyncSender<Turn>,
    joiner: ScopedJoinHandle<'scope, io::Result<Joined<W>>>,
}

/// A block to compress, and where it goes then.
struct Job {
    block: Arc<Block>,
    done: SyncSender<io::Result<Vec<u8>>>,
}

/// The next block of a layer.
enum Turn {
    /// As it is.
    Plain(Arc<Block>),
    /// When it is compressed.
    Coded(Receiver<io::Result<Vec<u8>>>),
}

impl<'scope, W: Write + Send + 'scope> Packer<'scope, '_, W> {
    /// Passes the block on, and begins the next.
    fn pass_on(&mut self) -> io::Result<()> {
        let block = std::mem::replace(&mut self.block, self.blocks.empty());
        let mut team = match std::mem::replace(&mut self.stage, Stage::Failed) {
            Stage::Alone(sink) => Team::start(self.scope, self.packing, sink)?,
            Stage::Together(team) => team,
            Stage::Failed => return Err(io::Error::other("the layer could not be written before")),
        };
        if team.take(block).is_err() {
            // Whoever ended has the reason.
            return Err(team.failure());
        }
        self.stage = Stage::Together(team);
        Ok(())
    }

    fn finish(mut self) -> io::Result<(W, LayerBlob)> {
        match self.stage {
            Stage::Alone(sink) => {
                let Packing { coding, .. } = self.packing;
                let mut joining = Joining::new(coding, sink);
                match BlockCoder::new(coding)? {
                    Some(mut coder) => joining.add(&coder.code(&self.block)?)?,
                    None => joining.add(&self.block)?,
                }
                Ok(joining.finish().layer(Digest::of(&self.block)))
            }
            Stage::Together(_) | Stage::Failed => {
                if !self.block.is_empty() {
                    self.pass_on()?;
                }
                match self.stage {
                    Stage::Together(team) => team.finish(),
                    Stage::Alone(_) | Stage::Failed => Err(io::Error::other("the layer was not written")),
                }
            }
        }
    }
}

impl<'scope, W: Write + Send + 'scope> Write for Packer<'scope, '_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.block.is_full() {
            self.pass_on()?;
        }
        Ok(self.block.take(bytes))
    }

    /// Does nothing: a flush in the middle would show in the compressed bytes.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'scope, W: Write + Send + 'scope> Room for Packer<'scope, '_, W> {
    fn room(&mut self) -> io::Result<&mut [u8]> {
        if self.block.is_full() {
            self.pass_on()?;
        }
        Ok(self.block.room())
    }

    fn filled(&mut self, count: usize) {
        self.block.filled(count);
    }
}

impl<'scope, W: Write + Send + 'scope> Team<'scope, W> {
    fn start(scope: &'scope Scope<'scope, '_>, packing: Packing, sink: W) -> io::Result<Self> {
        let Packing { coding, threads, place: _ } = packing;
        let threads = threads.get();
        // What is under way at once, and so the memory, is bounded by the length of this queue.
        let waiting = match coding {
            Coding::Gzip { .. } | Coding::Zstd { .. } => 2 * threads,
            Coding::Plain => PLAIN_WAITING,
        };
        let (ordering, turns) = mpsc::sync_channel::<Turn>(waiting);
        let (hashing, blocks) = mpsc::sync_channel::<Arc<Block>>(waiting);
        let hasher = Builder::new().spawn_scoped(scope, move || {
            let mut hash = Sha256::new();
            blocks.iter().for_each(|block| hash.update(&**block));
            Digest::from_sha256(hash.finalize().into())
        })?;
        let (jobs, to_do) = mpsc::channel::<Job>();
        let to_do = Arc::new(Mutex::new(to_do));
        let mut compresses = false;
        for _ in 0..threads {
            let Some(mut coder) = BlockCoder::new(coding)? else { break };
            compresses = true;
            let to_do = Arc::clone(&to_do);
            Builder::new().spawn_scoped(scope, move || {
                loop {
                    let next = to_do.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(Job { block, done }) = next else { break };
                    // Nobody waits for it where the layer has failed.
                    drop(done.send(coder.code(&block)));
                }
            })?;
        }
        let mut joining = Joining::new(coding, sink);
        let joiner = Builder::new().spawn_scoped(scope, move || {
            for turn in turns {
                match turn {
                    Turn::Plain(block) => joining.add(&block)?,
                    Turn::Coded(coming) => {
                        let coded = coming.recv().map_err(|_| io::Error::other("a thread has ended"))?;
                        joining.add(&coded?)?;
                    }
                }
            }
            Ok(joining.finish())
        })?;
        Ok(Self { hashing, hasher, coding: compresses.then_some(jobs), ordering, joiner })
    }

    /// Gives a block to everybody whom it concerns; an error where one of them has ended.
    fn take(&mut self, block: Block) -> Result<(), ()> {
        let block = Arc::new(block);
        self.hashing.send(Arc::clone(&block)).map_err(drop)?;
        let Some(jobs) = &self.coding else {
            return self.ordering.send(Turn::Plain(block)).map_err(drop);
        };
        let (done, coming) = mpsc::sync_channel(1);
        self.ordering.send(Turn::Coded(coming)).map_err(drop)?;
        jobs.send(Job { block, done }).map_err(drop)
    }

    fn finish(self) -> io::Result<(W, LayerBlob)> {
        let Self { hashing, hasher, coding, ordering, joiner } = self;
        drop((hashing, coding, ordering));
        let diff_id = joined(hasher);
        Ok(joined(joiner)?.layer(diff_id))
    }

    /// Why somebody ended early.
    fn failure(self) -> io::Error {
        self.finish().err().unwrap_or_else(|| io::Error::other("a thread has ended"))
    }
}

/// Puts the blocks of a layer together.
struct Joining<W> {
    sink: W,
    /// Of the blob, where it is not the archive itself.
    hash: Option<Sha256>,
    size: u64,
}

/// A layer that is whole.
struct Joined<W> {
    sink: W,
    /// None where the blob is the archive.
    digest: Option<Digest>,
    size: u64,
}

impl<W: Write> Joining<W> {
    fn new(coding: Coding, sink: W) -> Self {
        let hash = match coding {
            Coding::Gzip { .. } | Coding::Zstd { .. } => Some(Sha256::new()),
            Coding::Plain => None,
        };
        Self { sink, hash, size: 0 }
    }

    fn add(&mut self, block: &[u8]) -> io::Result<()> {
        if let Some(hash) = &mut self.hash {
            hash.update(block);
        }
        self.size += block.len() as u64;
        self.sink.write_all(block)
    }

    fn finish(self) -> Joined<W> {
        let digest = self.hash.map(|hash| Digest::from_sha256(hash.finalize().into()));
        Joined { sink: self.sink, digest, size: self.size }
    }
}

impl<W> Joined<W> {
    fn layer(self, diff_id: Digest) -> (W, LayerBlob) {
        let Self { sink, digest, size } = self;
        (sink, LayerBlob { blob: Blob { digest: digest.unwrap_or(diff_id), size }, diff_id })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::bufread::MultiGzDecoder;

    use super::*;

    const CODINGS: [Coding; 3] = [Coding::Gzip { level: 5 }, Coding::Zstd { level: 3 }, Coding::Plain];

    fn packing(coding: Coding, threads: usize) -> Packing {
        Packing { coding, threads: NonZeroUsize::new(threads).expect("is not zero"), place: 0 }
    }

    fn packed(packing: Packing, pieces: &[&[u8]]) -> (Vec<u8>, LayerBlob) {
        let fill = |packer: &mut dyn Room| {
            pieces.iter().try_for_each(|piece| packer.write_all(piece).and_then(|()| packer.flush()))
        };
        pack::<_, io::Error>(packing, Vec::new(), fill).expect("a vector takes all")
    }

    fn plain(coding: Coding, bytes: &[u8]) -> Vec<u8> {
        match coding {
            Coding::Gzip { .. } => {
                let mut plain = Vec::new();
                MultiGzDecoder::new(bytes).read_to_end(&mut plain).expect("is gzip");
                plain
            }
            Coding::Zstd { .. } => zstd::stream::decode_all(bytes).expect("is Zstandard"),
            Coding::Plain => bytes.to_vec(),
        }
    }

    /// Bytes of which some compress, more than three blocks of them, and more than two that are not
    /// compressed.
    fn content() -> Vec<u8> {
        (0..8_500_000u32).map(|number| (number.wrapping_mul(number) >> 11) as u8 & 0x3f).collect()
    }

    #[test]
    fn both_digests_are_those_of_the_bytes() {
        let large = content();
        for coding in CODINGS {
            for content in
                [&b""[..], b"some layer", &large[..BLOCK], &large[..=BLOCK], &large[..PLAIN_BLOCK], &large]
            {
                let (bytes, layer) = packed(packing(coding, 2), &[content]);
                assert_eq!(layer.blob, Blob { digest: Digest::of(&bytes), size: bytes.len() as u64 });
                assert_eq!(layer.diff_id, Digest::of(content));
                assert!(plain(coding, &bytes) == content, "{coding:?}, {} bytes", content.len());
            }
        }
    }

    #[test]
    fn the_bytes_do_not_depend_on_threads_or_on_how_the_layer_arrives() {
        let content = content();
        for coding in CODINGS {
            let whole = packed(packing(coding, 1), &[&content]);
            for (threads, size) in [(1, 1_000), (2, BLOCK - 1), (3, BLOCK + 1), (7, 65_536)] {
                let pieces = content.chunks(size).collect::<Vec<_>>();
                assert!(packed(packing(coding, threads), &pieces) == whole, "{coding:?}, {threads}, {size}");
            }
        }
    }

    #[test]
    fn the_bytes_do_not_depend_on_where_in_a_file_they_go() {
        let content = content();
        for coding in CODINGS {
            let whole = packed(packing(coding, 2), &[&content]);
            for place in [512, 1_536, 4_096, 5_000_000_001] {
                let elsewhere = Packing { place, ..packing(coding, 2) };
                assert!(packed(elsewhere, &[&content]) == whole, "{coding:?}, {place}");
            }
        }
    }

    #[test]
    fn the_gzip_header_names_no_time_and_no_system() {
        let (bytes, _) = packed(packing(CODINGS[0], 1), &[b"x"]);
        assert_eq!(&bytes[..10], b"\x1f\x8b\x08\0\0\0\0\0\0\xff");
    }

    /// Takes some bytes, and then no more.
    struct Full(usize);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_is_told_as_such_wherever_it_happens() {
        let content = content();
        for coding in CODINGS {
            let (bytes, _) = packed(packing(coding, 2), &[&content]);
            for room in [0, 5, bytes.len() / 2, bytes.len() - 1] {
                let fill = |packer: &mut dyn Room| {
                    content.chunks(10_000).try_for_each(|piece| packer.write_all(piece))
                };
                let failed = pack::<_, io::Error>(packing(coding, 2), Full(room), fill).map(|_| ());
                let kind = failed.expect_err("there is no room").kind();
                assert_eq!(kind, io::ErrorKind::StorageFull, "{coding:?}, room for {room}");
            }
        }
    }

    #[test]
    fn what_fails_to_fill_it_is_told_and_ends_it() {
        let content = content();
        for coding in CODINGS {
            let fill = |packer: &mut dyn Room| {
                packer.write_all(&content)?;
                Err(io::Error::from(io::ErrorKind::PermissionDenied))
            };
            let failed = pack(packing(coding, 2), Vec::new(), fill).map(|_| ());
            assert_eq!(failed.expect_err("it was not filled").kind(), io::ErrorKind::PermissionDenied);
        }
    }
}
