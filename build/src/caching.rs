//! Caches that other builds share, and layouts that a build reads: both are blobs of this machine
//! that the daemon asks for by digest.
//!
//! A cache of the type `local` is a directory here. The daemon is told a name for it and no path;
//! which of its manifests is the cache stands in its index, which only this side reads and writes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cogpack_io_buildkit::address::Address;
use cogpack_io_buildkit::blobs::{self, Layouts, cache_index};
use cogpack_io_buildkit::session::Services;
use cogpack_io_buildkit::solve::CacheSource;

use crate::failure::BuildError;
use crate::order::{Cache, Order, Settings};

/// What a build reads and writes by digest.
pub struct Blobs {
    served: Layouts,
    from: Vec<CacheSource>,
    to: Vec<CacheSource>,
    /// Directories whose index names what was written to them, and the tag for it.
    written: Vec<(PathBuf, String)>,
}

/// What a cache of the type `local` is called where it is read, and where it is written.
const LOCAL: &str = "local";

impl Blobs {
    /// What an order asks for.
    pub fn new(order: &Order) -> Result<Self, BuildError> {
        let mut served = Layouts::default();
        for (name, path) in &order.served.layouts {
            served.add_layout(name.as_str(), path).map_err(|error| here("serve an image layout", error))?;
        }
        let mut blobs = Self { served, from: Vec::new(), to: Vec::new(), written: Vec::new() };
        for cache in &order.cache_from {
            let cache = if cache.kind == LOCAL { blobs.read_local(cache)? } else { Some(told(cache)) };
            blobs.from.extend(cache);
        }
        for cache in &order.cache_to {
            let cache = if cache.kind == LOCAL { blobs.write_local(cache)? } else { told(cache) };
            blobs.to.push(cache);
        }
        Ok(blobs)
    }

    /// A cache in a directory; `None` where nothing has been written to it yet, as before a first
    /// build.
    fn read_local(&mut self, cache: &Cache) -> Result<Option<CacheSource>, BuildError> {
        let mut settings = cache.settings.clone();
        let root = directory(&mut settings, "src", "--cache-from type=local,src=DIR")?;
        let tag = settings.remove("tag").unwrap_or_else(|| cache_index::DEFAULT_TAG.to_owned());
        if !settings.contains_key("digest") {
            let found = cache_index::find(&root, &tag).map_err(|error| here("read a build cache", error))?;
            let Some(digest) = found else { return Ok(None) };
            settings.insert("digest".to_owned(), digest.to_string());
        }
        let name = format!("cache-from-{}", self.from.len());
        self.served.add_cache(&name, &root).map_err(|error| here("serve a build cache", error))?;
        settings.insert("src".to_owned(), name);
        Ok(Some(CacheSource { kind: LOCAL.to_owned(), attributes: settings }))
    }

    fn write_local(&mut self, cache: &Cache) -> Result<CacheSource, BuildError> {
        let mut settings = cache.settings.clone();
        let root = directory(&mut settings, "dest", "--cache-to type=local,dest=DIR")?;
        let tag = settings.remove("tag").unwrap_or_else(|| cache_index::DEFAULT_TAG.to_owned());
        if !self.written.is_empty() {
            return Err(BuildError::Unable {
                what: "one build can write only one cache of the type `local`".to_owned(),
                help: "leave one, and copy its directory".to_owned(),
            });
        }
        let name = format!("cache-to-{}", self.to.len());
        self.served.add_cache(&name, &root).map_err(|error| here("serve a build cache", error))?;
        settings.insert("dest".to_owned(), name);
        self.written.push((root, tag));
        Ok(CacheSource { kind: LOCAL.to_owned(), attributes: settings })
    }

    /// Where the daemon looks for results.
    pub fn cache_from(&self) -> Vec<CacheSource> {
        self.from.clone()
    }

    /// Where the daemon puts results.
    pub fn cache_to(&self) -> Vec<CacheSource> {
        self.to.clone()
    }

    /// `services` with the one that serves blobs, where there are any.
    pub fn serve(&self, services: Services) -> Services {
        match self.served.is_empty() {
            true => services,
            false => services.add(self.served.clone().into_server(), blobs::METHODS),
        }
    }

    /// Names what was written, now that all of it is there.
    pub fn finish(&self, answers: &BTreeMap<String, String>) -> Result<(), BuildError> {
        for (root, tag) in &self.written {
            let manifest = answers.get("cache.manifest").map(String::as_str).unwrap_or_default();
            cache_index::record(root, tag, manifest).map_err(|error| here("write a build cache", error))?;
        }
        Ok(())
    }
}

/// What a daemon means that knows no such cache: it says so in words of its own, and there is no list of
/// caches to ask it for before.
pub fn unknown(message: &str, address: &Address) -> Option<BuildError> {
    let kind = message.split_once("unknown cache exporter: ")?.1.trim().trim_matches('"');
    Some(BuildError::Unable {
        what: format!("the daemon at {address} has no cache exporter of the type `{kind}`"),
        help: "`--cache-to type=inline` writes the cache into the image where the daemon has no other; or use a \
               newer daemon"
            .to_owned(),
    })
}

fn told(cache: &Cache) -> CacheSource {
    CacheSource { kind: cache.kind.clone(), attributes: cache.settings.clone() }
}

fn directory(settings: &mut Settings, key: &str, form: &str) -> Result<PathBuf, BuildError> {
    settings.remove(key).filter(|path| !path.is_empty()).map(PathBuf::from).ok_or_else(|| {
        BuildError::Unable {
            what: format!("a cache of the type `local` has no `{key}`"),
            help: format!("write `{form}`"),
        }
    })
}

fn here(attempted: &str, error: impl std::error::Error + Send + Sync + 'static) -> BuildError {
    BuildError::Here { attempted: attempted.to_owned(), source: Box::new(error) }
}
