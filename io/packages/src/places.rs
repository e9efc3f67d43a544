//! Where locked files are looked for, and how they come into the store.

use std::fs::File;
use std::io::{self, Read, Seek as _, Write};
use std::path::PathBuf;

use cogpack_content::Digest;
use cogpack_io_store::copying::{Halted, copy};
use cogpack_io_store::{Store, StoreError};
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::archives::Archives;
use crate::index;
use crate::web::{Web, WebError, without_secrets};

/// The places of a machine where packages may be.
#[derive(Debug, Clone)]
pub struct Places {
    /// Where what was found is kept, and looked for first.
    pub store: Store,
    /// Directories with packages, as `PIP_FIND_LINKS` and `COGPACK_DEBS` name them.
    pub directories: Vec<PathBuf>,
    /// The package index, where the machine names one.
    pub index: Index,
    /// What asks addresses and the index.
    pub web: Web,
}

/// What knows where files are.
#[derive(Debug, Clone)]
pub enum Index {
    /// The machine names none.
    Nothing,
    /// One of the simple repository API.
    Simple(Url),
    /// Those of Debian archives.
    Archives(Archives),
}

/// A file that is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'p> {
    /// Its name.
    pub file: &'p str,
    /// The project that it belongs to, as an index has it.
    pub project: &'p str,
    /// What it must hash to.
    pub digest: &'p Digest,
    /// Where the plan says that it is.
    pub url: Option<&'p str>,
}

/// Why a file is not had.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// It is nowhere.
    #[error("it is {}", nowhere(.asked))]
    Nowhere {
        /// Who was asked.
        asked: Asked,
    },
    /// The plan does not say what it must hash to, which is refused before.
    #[error("the plan has no hash of it")]
    Unlocked,
    /// The address that the plan gives is none.
    #[error("`{url}` is no address that a file can be fetched from")]
    Address {
        /// What the plan says.
        url: String,
    },
    /// It is another one.
    #[error("the file from `{from}` has the digest `{found}`")]
    Digest {
        /// Where it is from.
        from: String,
        /// What its bytes hash to.
        found: Digest,
    },
    /// The network.
    #[error(transparent)]
    Web(#[from] WebError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file of the machine.
    #[error("read `{}`", path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// What happened.
        #[source]
        source: io::Error,
    },
}

/// Who was asked for a file that is nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// How many directories.
    pub directories: usize,
    /// The index, without what may be secret.
    pub index: Option<String>,
}

fn nowhere(asked: &Asked) -> String {
    let directories = match asked.directories {
        0 => String::new(),
        1 => "not in the directory of packages".to_owned(),
        many => format!("not in the {many} directories of packages"),
    };
    match (&asked.index, directories.is_empty()) {
        (Some(index), true) => format!("not in the package index `{index}`"),
        (Some(index), false) => format!("{directories}, nor in the package index `{index}`"),
        (None, true) => "at no place that the plan or this machine names".to_owned(),
        (None, false) => directories,
    }
}

impl Places {
    /// Gets a file into the store, and opens it there.
    pub fn get(&self, wanted: Wanted<'_>) -> Result<File, LookupError> {
        if let Some(kept) = self.store.blob(wanted.digest)? {
            return Ok(kept);
        }
        for directory in &self.directories {
            let path = directory.join(wanted.file);
            match File::open(&path) {
                Ok(mut file) => {
                    let from = path.display().to_string();
                    return self.keep(wanted.digest, &from, |kept| {
                        kept.take(&mut file).map_err(|halted| match halted {
                            Halted::Read(source) => LookupError::Disk { path: path.clone(), source },
                            Halted::Write(error) => error.into(),
                        })
                    });
                }
                Err(error) if is_missing(&error) => {}
                Err(source) => return Err(LookupError::Disk { path, source }),
            }
        }
        let url = self.address(wanted)?;
        let from = without_secrets(&url);
        self.keep(wanted.digest, &from, |kept| self.download(&url, kept))
    }

    /// Gets a file of which nobody knows what it hashes to. Nothing of it is kept: who wants it again asks
    /// for it again.
    pub fn get_unlocked(&self, text: &str) -> Result<(File, Digest), LookupError> {
        let url = web_address(text)?;
        let work = self.store.work()?;
        let path = work.path().join("file");
        let mut got = Hashed::create(path.clone())?;
        self.download(&url, &mut got)?;
        let digest = got.digest();
        // The name goes with the directory, and the file with whoever has it open.
        Ok((File::open(&path).map_err(|source| LookupError::Disk { path, source })?, digest))
    }

    /// Fetches what is at an address. Where the disk takes no more, the server is not asked again.
    fn download(&self, url: &Url, kept: &mut Hashed) -> Result<(), LookupError> {
        let mut unwritten = None;
        self.web.get(url, "*/*", |answer| {
            // What an earlier try has left goes.
            match kept.rewind().map_err(Halted::Write).and_then(|()| kept.take(answer)) {
                Ok(()) => Ok(()),
                Err(Halted::Read(error)) => Err(error),
                Err(Halted::Write(error)) => {
                    unwritten = Some(error);
                    Ok(())
                }
            }
        })?;
        unwritten.map_or(Ok(()), |error| Err(error.into()))
    }

    fn address(&self, wanted: Wanted<'_>) -> Result<Url, LookupError> {
        if let Some(text) = wanted.url {
            return web_address(text);
        }
        let (found, index) = match &self.index {
            Index::Nothing => (None, None),
            Index::Simple(index) => {
                let found = index::find(&self.web, index, wanted.project, wanted.file)?;
                (found, Some(without_secrets(index)))
            }
            Index::Archives(archives) => {
                (archives.find(&self.web, wanted.file, wanted.digest)?, archives.shown())
            }
        };
        found.ok_or(LookupError::Nowhere { asked: Asked { directories: self.directories.len(), index } })
    }

    /// Keeps what `write` writes, if it has this digest.
    fn keep(
        &self,
        digest: &Digest,
        from: &str,
        write: impl FnOnce(&mut Hashed) -> Result<(), LookupError>,
    ) -> Result<File, LookupError> {
        let work = self.store.work()?;
        let path = work.path().join("file");
        let mut kept = Hashed::create(path.clone())?;
        write(&mut kept)?;
        let found = kept.digest();
        if found != *digest {
            return Err(LookupError::Digest { from: from.to_owned(), found });
        }
        self.store.keep_blob(digest, &path)?;
        self.store
            .blob(digest)?
            .ok_or_else(|| LookupError::Disk { path, source: io::ErrorKind::NotFound.into() })
    }
}

fn web_address(text: &str) -> Result<Url, LookupError> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.ok_or_else(|| LookupError::Address { url: shown(text) })
}

/// A file of the store that is hashed while it is written.
struct Hashed {
    path: PathBuf,
    file: File,
    hash: Sha256,
}

impl Hashed {
    fn create(path: PathBuf) -> Result<Self, StoreError> {
        match File::create_new(&path) {
            Ok(file) => Ok(Self { path, file, hash: Sha256::new() }),
            Err(source) => Err(StoreError::Disk { attempt: "write", path, source }),
        }
    }

    fn rewind(&mut self) -> Result<(), StoreError> {
        let emptied = self.file.rewind().and_then(|()| self.file.set_len(0));
        emptied.map_err(|source| StoreError::Disk { attempt: "write", path: self.path.clone(), source })?;
        self.hash = Sha256::new();
        Ok(())
    }

    /// Writes all that comes.
    fn take(&mut self, from: &mut dyn Read) -> Result<(), Halted> {
        let path = self.path.clone();
        copy(from, self, &path).map(drop)
    }

    fn digest(&self) -> Digest {
        Digest::from_sha256(self.hash.clone().finalize().into())
    }
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.hash.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Whether a directory just does not have it, or is not there itself.
fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// What was to be an address, without what may be a login in it.
fn shown(text: &str) -> String {
    match (text.find("://"), text.rfind('@')) {
        (Some(scheme), Some(login)) if login > scheme => {
            format!("{}…{}", &text[..scheme + 3], &text[login..])
        }
        (Some(_) | None, Some(_) | None) => text.to_owned(),
    }
}
