//! Base images out of registries: found before a plan is lowered, because it must be known what
//! they set; fetched while the image is made. All that comes is kept in the store, as blobs.

use std::fs;
use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use cogpack_backends_oci_direct::documents::{Index, Manifest};
use cogpack_content::{Digest, ImageReference, Platform};
use cogpack_io_layout::read::{
    LARGEST_DOCUMENT, Layout, ReadError, StoredImage, Wanted as InLayout, for_platform,
};
use cogpack_io_registry::blobs::{WantedBlob, Watch};
use cogpack_io_registry::manifests::Wanted;
use cogpack_io_registry::{Registries, RegistryError, Repository};
use cogpack_io_store::{Store, StoreError};

use crate::progress::Amount;

/// Most layers that come at once: more connections than this only divide what there is.
const AT_ONCE: usize = 4;
/// How often it is told how far a layer is: after so many bytes.
const TOLD_AFTER: u64 = 1 << 20;
/// Indexes in indexes in indexes have no use.
const DEEPEST_INDEX: usize = 4;

/// Why an image did not come.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The registry, or the way to it.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What came is no image that can be built on.
    #[error("the image `{name}` cannot be built on")]
    Image {
        /// Its name.
        name: String,
        /// Why not.
        #[source]
        source: Box<ReadError>,
    },
    /// There is no image for the platform.
    #[error("`{name}` has {count} for {platform}")]
    Platform {
        /// Its name.
        name: String,
        /// How many, in words.
        count: String,
        /// What was asked for.
        platform: Platform,
    },
}

impl PullError {
    /// Whether the same might succeed in a moment, with nothing changed here.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Registry(error) => error.is_retryable(),
            Self::Store(error) => error.is_retryable(),
            Self::Image { .. } | Self::Platform { .. } => false,
        }
    }

    /// A way out, where one can be told.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Registry(error) => error.help(),
            Self::Platform { .. } => Some("build for a platform that it has: `--platform`".to_owned()),
            Self::Image { .. } | Self::Store(_) => None,
        }
    }
}

/// Gets images from registries into a store.
pub struct Puller {
    registries: Registries,
    store: Store,
}

/// An image whose documents are here, and whose layers are in its registry.
#[derive(Clone)]
pub struct Found {
    /// What its name stood for: the digest of its manifest or index.
    pub digest: Digest,
    /// Where it will be whole.
    pub layout: Layout,
    /// The image.
    pub image: StoredImage,
    /// Its layers.
    pub pull: Pull,
}

/// The layers of an image in a registry.
#[derive(Clone)]
pub struct Pull {
    /// The image, with the digest that its name stood for.
    pub name: String,
    puller: Arc<Puller>,
    repository: Repository,
}

/// How far a layer is.
pub struct Moved {
    /// Which.
    pub layer: String,
    /// How much of it is here.
    pub amount: Amount,
    /// Whether that was all.
    pub complete: bool,
}

impl Puller {
    /// From these registries, into this store.
    pub fn new(registries: Registries, store: Store) -> Arc<Self> {
        Arc::new(Self { registries, store })
    }

    /// Finds an image, and gets the documents that tell of it.
    pub fn find(
        self: &Arc<Self>,
        reference: &ImageReference,
        digest: Option<Digest>,
        platform: &Platform,
    ) -> Result<Found, PullError> {
        let repository = Repository::of(reference);
        let wanted = match digest.or(reference.digest()) {
            Some(digest) => Wanted::Digest(digest),
            None => Wanted::Tag(reference.tag().unwrap_or("latest").to_owned()),
        };
        let (digest, mut document) = self.manifest(&repository, &wanted)?;
        let name = reference.normalised(Some(&digest));
        let none =
            |count: String| PullError::Platform { name: name.clone(), count, platform: platform.clone() };
        for _ in 0..DEEPEST_INDEX {
            // Both have a schema version; only an index has manifests.
            let Ok(index) = serde_json::from_slice::<Index>(&document) else { break };
            let descriptor = for_platform(&index, platform).map_err(none)?;
            // What is no digest is refused below, with the rest of what may be wrong.
            let Ok(nested) = descriptor.digest.parse() else { break };
            document = self.manifest(&repository, &Wanted::Digest(nested))?.1;
        }
        if let Ok(manifest) = serde_json::from_slice::<Manifest>(&document)
            && let Ok(config) = manifest.config.digest.parse()
            && manifest.config.size <= LARGEST_DOCUMENT
            && self.kept(&config)?.is_none()
        {
            let wanted = WantedBlob { digest: config, size: manifest.config.size };
            self.blob(&repository, wanted, &Quietly)?;
        }
        let layout = Layout::of_store(&self.store);
        let read = layout.image(InLayout { digest: Some(digest), tag: None }, platform);
        let image =
            read.map_err(|source| PullError::Image { name: name.clone(), source: Box::new(source) })?;
        Ok(Found { digest, layout, image, pull: Pull { name, puller: Arc::clone(self), repository } })
    }

    /// A manifest or index. What was pinned and is here need not be asked for.
    fn manifest(&self, repository: &Repository, wanted: &Wanted) -> Result<(Digest, Vec<u8>), PullError> {
        if let Wanted::Digest(digest) = wanted
            && let Some(kept) = self.kept(digest)?
        {
            return Ok((*digest, kept));
        }
        let found = self.registries.manifest(repository, wanted)?;
        let work = self.store.work()?;
        let path = work.path().join("document");
        let disk = |source| StoreError::Disk { attempt: "write", path: path.clone(), source };
        fs::write(&path, &found.bytes).map_err(disk)?;
        self.store.keep_blob(&found.digest, &path)?;
        Ok((found.digest, found.bytes))
    }

    /// A document that is kept and whole.
    fn kept(&self, digest: &Digest) -> Result<Option<Vec<u8>>, PullError> {
        let Some(file) = self.store.blob(digest)? else { return Ok(None) };
        let mut bytes = Vec::new();
        let read = file.take(LARGEST_DOCUMENT).read_to_end(&mut bytes);
        Ok((read.is_ok() && Digest::of(&bytes) == *digest).then_some(bytes))
    }

    fn blob(&self, repository: &Repository, wanted: WantedBlob, watch: &dyn Watch) -> Result<(), PullError> {
        // Each process makes its own, and the last one to be ready gives it the name: they are equal.
        let work = self.store.work()?;
        let path = work.path().join("blob");
        self.registries.blob(repository, wanted, &path, watch)?;
        Ok(self.store.keep_blob(&wanted.digest, &path)?)
    }
}

impl Pull {
    /// The layers that are not here.
    pub fn missing(&self, image: &StoredImage) -> Result<Vec<WantedBlob>, PullError> {
        let mut missing: Vec<WantedBlob> = Vec::new();
        for layer in &image.layers {
            let wanted = WantedBlob { digest: layer.blob.blob.digest, size: layer.blob.blob.size };
            // A manifest may name one layer a thousand times.
            if !missing.contains(&wanted) && self.puller.store.blob(&wanted.digest)?.is_none() {
                missing.push(wanted);
            }
        }
        Ok(missing)
    }

    /// Gets layers, several at once.
    pub fn fetch(
        &self,
        missing: Vec<WantedBlob>,
        told: &(dyn Fn(Moved) + Sync),
        is_cancelled: &(dyn Fn() -> bool + Sync),
    ) -> Result<(), PullError> {
        let waiting = Mutex::new(missing.into_iter());
        let (failed, failure) = (AtomicBool::new(false), Mutex::new(None));
        std::thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| {
                    loop {
                        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
                        let Some(wanted) = next.filter(|_| !failed.load(Ordering::Relaxed)) else { break };
                        let stops = || failed.load(Ordering::Relaxed) || is_cancelled();
                        let layer = Arrival { wanted, here: Mutex::default(), told, stops: &stops };
                        if let Err(error) = self.puller.blob(&self.repository, wanted, &layer) {
                            // The first one is the cause; it ends the others.
                            failed.store(true, Ordering::Relaxed);
                            failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                        }
                    }
                });
            }
        });
        failure.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
    }
}

/// Nobody watches what is small.
struct Quietly;

impl Watch for Quietly {
    fn received(&self, _more: i64) {}

    fn is_cancelled(&self) -> bool {
        false
    }
}

/// A layer that comes.
struct Arrival<'a> {
    wanted: WantedBlob,
    /// How much of it is here, and of how much that was told.
    here: Mutex<(u64, u64)>,
    told: &'a (dyn Fn(Moved) + Sync),
    stops: &'a (dyn Fn() -> bool + Sync),
}

impl Watch for Arrival<'_> {
    fn received(&self, more: i64) {
        let mut here = self.here.lock().unwrap_or_else(PoisonError::into_inner);
        here.0 = here.0.saturating_add_signed(more);
        let complete = here.0 == self.wanted.size;
        if complete || here.0.abs_diff(here.1) >= TOLD_AFTER {
            here.1 = here.0;
            let amount = Amount { done: here.0, total: Some(self.wanted.size) };
            let layer = format!("sha256:{}", &self.wanted.digest.hex()[..12]);
            (self.told)(Moved { layer, amount, complete });
        }
    }

    fn is_cancelled(&self) -> bool {
        (self.stops)()
    }
}
