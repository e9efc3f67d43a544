//! Manifests and indexes: small documents, by a tag or by their digest.

use std::io::Read;

use cogpack_content::Digest;

use crate::failure::RegistryError;
use crate::registries::{Question, Registries, Repository, pause};

/// What is asked for: every form of a manifest or an index of today.
const ACCEPTED: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, \
     application/vnd.docker.distribution.manifest.v2+json";
/// Registries take none that are longer.
const LONGEST: u64 = 8 << 20;
/// How often each server is asked in all.
const MOST_TRIES: u32 = 4;

/// By what a manifest is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// By the name that it has now.
    Tag(String),
    /// By what it is.
    Digest(Digest),
}

/// A manifest or an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The digest of its bytes.
    pub digest: Digest,
    /// What it is, in the registry's words.
    pub media_type: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Registries {
    /// A manifest or an index. What was asked for by its digest has it.
    pub fn manifest(&self, repository: &Repository, wanted: &Wanted) -> Result<Document, RegistryError> {
        let (separator, name) = match wanted {
            Wanted::Tag(tag) => (':', tag.clone()),
            Wanted::Digest(digest) => ('@', digest.to_string()),
        };
        let attempted =
            format!("pull the manifest {}/{}{separator}{name}", repository.registry, repository.path);
        let path = format!("manifests/{name}");
        let question = Question { attempted: &attempted, repository, path: &path, accept: ACCEPTED, from: 0 };
        let mut last = None;
        for endpoint in self.endpoints(&repository.registry) {
            for tries in 2.. {
                let found = self.ask(&endpoint, question).and_then(|mut answer| {
                    let header = |name| {
                        let text = answer.headers().get(name).and_then(|value| value.to_str().ok());
                        text.unwrap_or_default().to_owned()
                    };
                    let (media_type, said) = (header("content-type"), header("docker-content-digest"));
                    let mut bytes = Vec::new();
                    let read = answer.body_mut().as_reader().take(LONGEST + 1).read_to_end(&mut bytes);
                    read.map_err(|source| RegistryError::Transport {
                        attempted: attempted.clone(),
                        from: endpoint.host.clone(),
                        source,
                    })?;
                    if bytes.len() as u64 > LONGEST {
                        return Err(RegistryError::Nonsense {
                            attempted: attempted.clone(),
                            from: endpoint.host.clone(),
                            reason: format!("sends a manifest of more than {LONGEST} bytes"),
                        });
                    }
                    let digest = Digest::of(&bytes);
                    let expected = match wanted {
                        Wanted::Digest(digest) => Some(*digest),
                        // Other algorithms than ours are not compared.
                        Wanted::Tag(_) => said.parse().ok(),
                    };
                    match expected.filter(|expected| *expected != digest) {
                        Some(expected) => Err(RegistryError::Digest {
                            attempted: attempted.clone(),
                            from: endpoint.host.clone(),
                            expected,
                            found: digest,
                        }),
                        None => Ok(Document { digest, media_type, bytes }),
                    }
                });
                match found.map_err(|error| of(wanted, error)) {
                    Err(error) if error.is_retryable() && tries <= MOST_TRIES => {
                        std::thread::sleep(pause(tries))
                    }
                    Err(error) => {
                        last = Some(error);
                        break;
                    }
                    Ok(document) => return Ok(document),
                }
            }
        }
        Err(last.unwrap_or_else(|| nobody(&attempted, repository)))
    }
}

/// That there is nothing, told as what there is nothing of: a tag may be wrong, a digest is gone.
fn of(wanted: &Wanted, error: RegistryError) -> RegistryError {
    match (wanted, error) {
        (Wanted::Digest(_), RegistryError::Refused { attempted, from, status: 404, said }) => {
            RegistryError::NoDigest { attempted, from, said }
        }
        (Wanted::Digest(_) | Wanted::Tag(_), error) => error,
    }
}

/// There is nobody to ask.
pub(crate) fn nobody(attempted: &str, repository: &Repository) -> RegistryError {
    RegistryError::Nonsense {
        attempted: attempted.to_owned(),
        from: repository.registry.clone(),
        reason: "has a name that is no host".to_owned(),
    }
}
