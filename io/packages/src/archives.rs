//! Asks Debian archives where a package is, by its digest. Who asks compares the file with the
//! digest, so the index itself need not be trusted for this.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use cogpack_content::Digest;
use cogpack_packages_debs::compression::unpacked;
use cogpack_packages_debs::file_name::DebName;
use cogpack_packages_debs::paragraphs::paragraphs;
use url::Url;

use crate::apt::{Source, below_archive};
use crate::web::{Web, WebError, without_secrets};

/// The index of everything that Debian has is some sixty megabytes long.
pub const LONGEST_INDEX: u64 = 1 << 30;

/// Where each file of an index is, by its digest.
type Files = BTreeMap<String, String>;

/// The archives of a machine, and what they have said.
#[derive(Debug, Clone)]
pub struct Archives {
    sources: Arc<[Source]>,
    known: Arc<Mutex<BTreeMap<Url, Arc<Files>>>>,
}

impl Archives {
    /// Those of `sources`.
    pub fn new(sources: Vec<Source>) -> Self {
        Self { sources: sources.into(), known: Arc::default() }
    }

    /// Their addresses, for people; nothing where there are none.
    pub fn shown(&self) -> Option<String> {
        let mut shown: Vec<String> =
            self.sources.iter().map(|source| without_secrets(&source.archive)).collect();
        shown.dedup();
        (!shown.is_empty()).then(|| shown.join("`, `"))
    }

    /// Where a file is; nothing where no archive has it.
    pub fn find(&self, web: &Web, file: &str, digest: &Digest) -> Result<Option<Url>, WebError> {
        let architecture = file.parse::<DebName>().map(|name| name.architecture).unwrap_or_default();
        for source in &*self.sources {
            // What is for all machines stands in the index of each.
            let machines = match architecture.as_str() {
                "all" => source.architectures.first().map_or("amd64", |first| first),
                one => one,
            };
            if !source.is_for(machines) {
                continue;
            }
            for component in &source.components {
                let index = source.of_suite(&format!("{component}/binary-{machines}/Packages.xz"));
                if let Some(path) = self.files(web, &index)?.get(&digest.hex()) {
                    return Ok(Some(below_archive(&source.archive, path)));
                }
            }
        }
        Ok(None)
    }

    fn files(&self, web: &Web, index: &Url) -> Result<Arc<Files>, WebError> {
        // Whoever comes second waits, and does not ask again.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(files) = known.get(index) {
            return Ok(Arc::clone(files));
        }
        let files = match web.get(index, "*/*", |answer| files_of(answer)) {
            Err(WebError::Status { status: 404, .. }) => Files::new(),
            files => files?,
        };
        let files = Arc::new(files);
        known.insert(index.clone(), Arc::clone(&files));
        Ok(files)
    }
}

fn files_of(packed: &mut dyn Read) -> io::Result<Files> {
    let mut text = Vec::new();
    if let Some(bytes) = unpacked("Packages.xz", packed)? {
        bytes.take(LONGEST_INDEX).read_to_end(&mut text)?;
    }
    let text = String::from_utf8_lossy(&text);
    let file = |paragraph: cogpack_packages_debs::paragraphs::Paragraph| {
        Some((paragraph.get("SHA256")?.to_owned(), paragraph.get("Filename")?.to_owned()))
    };
    Ok(paragraphs(&text).filter_map(file).collect())
}
