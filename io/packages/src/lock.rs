//! Locks a set of Debian packages: asks archives what they have, looks that they sign what they
//! say, and chooses.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use cogpack_content::Digest;
use cogpack_io_store::{Store, StoreError};
use cogpack_packages_debs::compression::unpacked;
use cogpack_packages_debs::index::{Candidate, candidates, vouched};
use cogpack_packages_debs::paragraphs::{Paragraph, paragraphs};
use cogpack_packages_debs::solve::Archive;
pub use cogpack_packages_debs::solve::Unsolvable;
use url::Url;

use crate::apt::{SignedBy, Source, below_archive};
use crate::archives::LONGEST_INDEX;
use crate::openpgp::{SignatureError, keys, verified};
use crate::web::{Web, WebError, without_secrets};

/// How much of an index comes before somebody is told.
const AT_ONCE: u64 = 1 << 16;

/// What is wanted.
#[derive(Debug, Clone)]
pub struct Request<'r> {
    /// The packages.
    pub names: &'r [String],
    /// Packages that are left out with all that they need.
    pub without: &'r BTreeSet<String>,
    /// Whether what every Debian system has is wanted too.
    pub essential: bool,
    /// For which machine.
    pub architecture: &'r str,
    /// Where packages are.
    pub sources: &'r [Source],
    /// The directory like `/etc/apt` with the keys that are trusted where a source names none.
    pub apt: &'r Path,
}

/// What is done at a moment, for people who wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing<'d> {
    /// An index is asked for, and so many bytes of it have come.
    Fetching {
        /// Where it is, without what may be secret.
        index: &'d str,
        /// How much has come.
        bytes: u64,
    },
    /// Packages are chosen out of so many.
    Choosing {
        /// How many there are.
        among: usize,
    },
}

/// Who is told of it.
pub type Told<'t> = dyn FnMut(Doing<'_>) + 't;

/// A package of the set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedDeb {
    /// The name of its file.
    pub file: String,
    /// What it hashes to.
    pub digest: Digest,
    /// Where it is, without a login that the machine may need there: plans have no secrets.
    pub url: String,
}

/// Why no set is locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// The network.
    #[error(transparent)]
    Web(#[from] WebError),
    /// The store, in which signatures are looked at.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file of keys.
    #[error("read the keys in `{}`", path.display())]
    Keys {
        /// The file.
        path: PathBuf,
        /// What happened.
        #[source]
        source: io::Error,
    },
    /// Who signed.
    #[error("the index `{index}` is not to be trusted")]
    Signature {
        /// The index.
        index: String,
        /// Why.
        #[source]
        source: SignatureError,
    },
    /// The signature is good, and too old.
    #[error("the index `{index}` is out of date since {until}, so somebody may be showing an old one")]
    Expired {
        /// The index.
        index: String,
        /// Until when it was good.
        until: String,
    },
    /// An index that the signed one does not vouch for.
    #[error("`{index}` is not what the archive has signed")]
    Digest {
        /// The index.
        index: String,
    },
    /// The packages.
    #[error(transparent)]
    Unsolvable(#[from] Unsolvable),
}

/// Locks a set: the packages and all that they need, by the names of their files.
pub fn lock(
    request: &Request<'_>,
    web: &Web,
    store: &Store,
    told: &mut Told<'_>,
) -> Result<Vec<LockedDeb>, LockError> {
    let asking = Asking { apt: request.apt, architecture: request.architecture, web, store };
    let mut all = Vec::new();
    for (number, source) in request.sources.iter().enumerate() {
        all.extend(asking.suite(number, source, told)?.packages);
    }
    told(Doing::Choosing { among: all.len() });
    let archive = Archive::new(all);
    let mut names: Vec<String> = request.names.to_vec();
    if request.essential {
        names.extend(archive.essential().filter(|name| !request.without.contains(*name)).map(str::to_owned));
    }
    let chosen = archive.solve(&names, request.without)?;
    let mut locked: Vec<LockedDeb> = chosen
        .into_iter()
        .filter_map(|candidate| {
            let source = request.sources.get(candidate.archive)?;
            let file = candidate.file_name().to_string();
            let url = without_secrets(&below_archive(&source.archive, &candidate.path));
            Some(LockedDeb { file, digest: candidate.digest, url })
        })
        .collect();
    locked.sort_by(|one, other| one.file.cmp(&other.file));
    Ok(locked)
}

/// With what an archive is asked.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// The directory like `/etc/apt` with the keys that are trusted where a source names none.
    pub apt: &'a Path,
    /// For which machine.
    pub architecture: &'a str,
    /// The way there.
    pub web: &'a Web,
    /// Signatures are looked at in it.
    pub store: &'a Store,
}

/// What a suite has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suite {
    /// What its signed index says of it.
    pub release: Paragraph,
    /// The packages of its components, for the one machine.
    pub packages: Vec<Candidate>,
}

impl Asking<'_> {
    /// What a suite has, after looking at its signature; `number` is the place of its source among others.
    pub fn suite(&self, number: usize, source: &Source, told: &mut Told<'_>) -> Result<Suite, LockError> {
        let address = source.of_suite("InRelease");
        let index = without_secrets(&address);
        let signed = fetched(&address, self.web, told)?;
        let keyrings = keyrings(self.apt, source.signed_by.as_ref())?;
        let work = self.store.work()?;
        let text = verified(&signed, &keyrings, work.path()).map_err(|error| match error {
            // A disk that takes nothing says nothing about the index.
            SignatureError::Disk { attempt, path, source } => {
                StoreError::Disk { attempt, path, source }.into()
            }
            source @ (SignatureError::Program(_)
            | SignatureError::NoKeys
            | SignatureError::Untrusted { .. }) => LockError::Signature { index: index.clone(), source },
        })?;
        let release = paragraphs(&text).next().unwrap_or_default();
        if let Some(until) = release.get("Valid-Until") {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
            if seconds(until).is_none_or(|until| until < now) {
                return Err(LockError::Expired { index, until: until.to_owned() });
            }
        }
        let mut packages = Vec::new();
        for component in &source.components {
            let file = format!("{component}/binary-{}/Packages.xz", self.architecture);
            // A component without packages for this machine is not named.
            let Some(digest) = vouched(&release, &file) else { continue };
            let address = source.of_suite(&file);
            let packed = fetched(&address, self.web, told)?;
            let refused = || LockError::Digest { index: without_secrets(&address) };
            if Digest::of(&packed) != digest {
                return Err(refused());
            }
            let mut text = Vec::new();
            let bytes = unpacked(&file, &packed[..]).ok().flatten().ok_or_else(refused)?;
            bytes.take(LONGEST_INDEX).read_to_end(&mut text).map_err(|_| refused())?;
            packages.extend(candidates(&String::from_utf8_lossy(&text), number));
        }
        Ok(Suite { release, packages })
    }
}

/// An index, whole.
fn fetched(address: &Url, web: &Web, told: &mut Told<'_>) -> Result<Vec<u8>, WebError> {
    let index = &without_secrets(address);
    told(Doing::Fetching { index, bytes: 0 });
    web.get(address, "*/*", |answer| {
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < LONGEST_INDEX
            && answer.take(AT_ONCE.min(LONGEST_INDEX - bytes.len() as u64)).read_to_end(&mut bytes)? > 0
        {
            told(Doing::Fetching { index, bytes: bytes.len() as u64 });
        }
        Ok(bytes)
    })
}

/// The keys that are trusted for a source.
fn keyrings(apt: &Path, signed_by: Option<&SignedBy>) -> Result<Vec<Vec<u8>>, LockError> {
    let files = match signed_by {
        Some(SignedBy::Key(text)) => return Ok(vec![keys(text.clone().into_bytes())]),
        Some(SignedBy::Read(files)) => return Ok(files.iter().cloned().map(keys).collect()),
        Some(SignedBy::Files(files)) => files.clone(),
        None => {
            let mut files: Vec<PathBuf> = match fs::read_dir(apt.join("trusted.gpg.d")) {
                Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect(),
                Err(_) => Vec::new(),
            };
            files.retain(|path| path.extension().is_some_and(|ending| ending == "gpg" || ending == "asc"));
            files.extend(Some(apt.join("trusted.gpg")).filter(|path| path.is_file()));
            files.sort();
            files
        }
    };
    let read = |path: PathBuf| match fs::read(&path) {
        Ok(bytes) => Ok(keys(bytes)),
        Err(source) => Err(LockError::Keys { path, source }),
    };
    files.into_iter().map(read).collect()
}

/// `Sat, 21 Nov 2026 20:00:00 UTC` in seconds since 1970; nothing for what is no such time.
fn seconds(text: &str) -> Option<u64> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [_, day, month, year, time, "UTC" | "GMT"] = words[..] else { return None };
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = months.iter().position(|name| *name == month)? as u64 + 1;
    let (day, year): (u64, u64) = (day.parse().ok()?, year.parse().ok()?);
    let parts: Vec<u64> = time.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [hour, minute, second] = parts[..] else { return None };
    if !(1970..=9999).contains(&year) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // Days since 1970, with years that begin in March, so that leap days come last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    Some((days - 719_468) * 86_400 + hour * 3_600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        assert_eq!(seconds("Thu, 01 Jan 1970 00:00:00 UTC"), Some(0));
        assert_eq!(seconds("Sat, 21 Nov 2026 20:00:01 UTC"), Some(1_795_291_201));
        assert_eq!(seconds("Tue, 29 Feb 2000 12:00:00 UTC"), Some(951_825_600));
        for text in [
            "",
            "tomorrow",
            "Sat, 21 Nov 2026 20:00:01 CET",
            "Sat, 99 Nov 2026 20:00:01 UTC",
            "Sat, 21 Nov 0001 20:00:01 UTC",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
