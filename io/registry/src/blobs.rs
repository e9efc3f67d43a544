//! Blobs: layers and configs, by their digest. What has come of one stays when the connection
//! breaks, and the rest is asked for.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use cogpack_content::Digest;
use sha2::{Digest as _, Sha256};

use crate::endpoint::Endpoint;
use crate::failure::RegistryError;
use crate::manifests::nobody;
use crate::registries::{Question, Registries, Repository, pause};

/// How often a server is asked that gives nothing.
const MOST_TRIES: u32 = 4;
/// Who has given so much since it was asked is not one that gives nothing.
const PROGRESS: u64 = 1 << 20;

/// Who is told how it goes, and may stop it.
pub trait Watch: Sync {
    /// So many bytes more have come; fewer where what had come was thrown away.
    fn received(&self, more: i64);
    /// Whether it is to stop.
    fn is_cancelled(&self) -> bool;
}

/// A blob that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WantedBlob {
    /// Its digest.
    pub digest: Digest,
    /// Its length.
    pub size: u64,
}

/// A blob on its way.
struct Coming<'c> {
    attempted: &'c str,
    wanted: WantedBlob,
    file: File,
    /// Where the file is, for messages.
    path: &'c Path,
    hash: Sha256,
    length: u64,
    watch: &'c dyn Watch,
}

impl Registries {
    /// Writes a blob into a new file. It has the digest and the length that were asked for.
    pub fn blob(
        &self,
        repository: &Repository,
        wanted: WantedBlob,
        to: &Path,
        watch: &dyn Watch,
    ) -> Result<(), RegistryError> {
        let attempted =
            format!("pull the blob {} of {}/{}", wanted.digest, repository.registry, repository.path);
        let path = format!("blobs/{}", wanted.digest);
        let file = File::create_new(to).map_err(|source| disk(&attempted, to, source))?;
        let mut coming =
            Coming { attempted: &attempted, wanted, file, path: to, hash: Sha256::new(), length: 0, watch };
        let mut last = None;
        for endpoint in self.endpoints(&repository.registry) {
            let mut tries = 1;
            loop {
                let before = coming.length;
                let question =
                    Question { attempted: &attempted, repository, path: &path, accept: "*/*", from: before };
                match self.some_of(&endpoint, question, &mut coming) {
                    Ok(()) => return Ok(()),
                    Err(error @ (RegistryError::Cancelled { .. } | RegistryError::Disk { .. })) => {
                        return Err(error);
                    }
                    Err(error) if error.is_retryable() && tries < MOST_TRIES => {
                        tries = if coming.length >= before + PROGRESS { 1 } else { tries + 1 };
                        std::thread::sleep(pause(tries));
                    }
                    Err(error) => {
                        last = Some(error);
                        break;
                    }
                }
            }
        }
        Err(last.unwrap_or_else(|| nobody(&attempted, repository)))
    }

    /// Takes what comes of a blob; done where that is all of it.
    fn some_of(
        &self,
        endpoint: &Endpoint,
        question: Question<'_>,
        coming: &mut Coming<'_>,
    ) -> Result<(), RegistryError> {
        if coming.watch.is_cancelled() {
            return Err(RegistryError::Cancelled { attempted: coming.attempted.to_owned() });
        }
        let nonsense = |reason: String| RegistryError::Nonsense {
            attempted: question.attempted.to_owned(),
            from: endpoint.host.clone(),
            reason,
        };
        // All had come, and only the end of the answer was missing.
        if coming.length < coming.wanted.size || coming.wanted.size == 0 {
            let mut answer = self.ask(endpoint, question)?;
            if question.from > 0 && answer.status() != 206 {
                coming.begin_anew()?;
            }
            if coming.length > 0 && first_byte(&answer) != Some(coming.length) {
                coming.begin_anew()?;
                return Err(nonsense("sends other bytes than those that were asked for".to_owned()));
            }
            coming.take(&mut answer.body_mut().as_reader(), endpoint)?;
        }
        if coming.length < coming.wanted.size {
            let source = io::ErrorKind::UnexpectedEof.into();
            let attempted = coming.attempted.to_owned();
            return Err(RegistryError::Transport { attempted, from: endpoint.host.clone(), source });
        }
        let found = Digest::from_sha256(coming.hash.clone().finalize().into());
        if found != coming.wanted.digest {
            let expected = coming.wanted.digest;
            coming.begin_anew()?;
            let attempted = coming.attempted.to_owned();
            return Err(RegistryError::Digest { attempted, from: endpoint.host.clone(), expected, found });
        }
        Ok(())
    }
}

impl Coming<'_> {
    fn take(&mut self, from: &mut dyn Read, endpoint: &Endpoint) -> Result<(), RegistryError> {
        let mut buffer = vec![0; 1 << 17];
        loop {
            if self.watch.is_cancelled() {
                return Err(RegistryError::Cancelled { attempted: self.attempted.to_owned() });
            }
            let count = match from.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => {
                    let attempted = self.attempted.to_owned();
                    return Err(RegistryError::Transport { attempted, from: endpoint.host.clone(), source });
                }
            };
            if self.length + count as u64 > self.wanted.size {
                let reason = format!("sends more than the {} bytes that the blob has", self.wanted.size);
                self.begin_anew()?;
                let (attempted, from) = (self.attempted.to_owned(), endpoint.host.clone());
                return Err(RegistryError::Nonsense { attempted, from, reason });
            }
            self.hash.update(&buffer[..count]);
            let written = self.file.write_all(&buffer[..count]);
            written.map_err(|source| self.disk(source))?;
            self.length += count as u64;
            self.watch.received(count as i64);
        }
    }

    /// Throws away what has come.
    fn begin_anew(&mut self) -> Result<(), RegistryError> {
        let emptied = self.file.rewind().and_then(|()| self.file.set_len(0));
        emptied.map_err(|source| self.disk(source))?;
        self.watch.received(-i64::try_from(self.length).unwrap_or(i64::MAX));
        (self.hash, self.length) = (Sha256::new(), 0);
        Ok(())
    }

    fn disk(&self, source: io::Error) -> RegistryError {
        disk(self.attempted, self.path, source)
    }
}

fn disk(attempted: &str, path: &Path, source: io::Error) -> RegistryError {
    RegistryError::Disk { attempted: attempted.to_owned(), path: path.to_owned(), source }
}

/// The first byte of an answer that is a part.
fn first_byte(answer: &ureq::http::Response<ureq::Body>) -> Option<u64> {
    let range = answer.headers().get("content-range")?.to_str().ok()?;
    range.trim().strip_prefix("bytes ")?.split('-').next()?.trim().parse().ok()
}
