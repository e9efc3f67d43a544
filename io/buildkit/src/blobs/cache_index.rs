//! The index of a build cache in a directory: which of its manifests is the cache, by tag.
//!
//! A daemon writes blobs and tells the manifest; giving it a name is left to us. The form is that of
//! an OCI image layout, and the same that other clients of BuildKit write, so that a cache can be
//! handed from one to the other.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use cogpack_content::Digest;
use cogpack_io_project::aside::Aside;
use serde_json::{Map, Value, json};

/// The tag of a cache that no tag was said of.
pub const DEFAULT_TAG: &str = "latest";

const REFERENCE_NAME: &str = "org.opencontainers.image.ref.name";
const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";

/// Why an index cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CacheIndexError {
    /// The system said no.
    #[error("{attempted} `{}`", path.display())]
    System {
        /// What was tried.
        attempted: &'static str,
        /// The file.
        path: PathBuf,
        /// What happened.
        #[source]
        source: io::Error,
    },
    /// It is no index.
    #[error("`{}` is no index of a build cache: {reason}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The daemon told something else than a manifest.
    #[error("the daemon told no manifest of the build cache: {reason}")]
    NoManifest {
        /// Why not.
        reason: String,
    },
}

/// The manifest with this tag, to be imported; none where nothing has been exported yet.
pub fn find(root: &Path, tag: &str) -> Result<Option<Digest>, CacheIndexError> {
    let path = root.join("index.json");
    let Some(index) = read(&path)? else { return Ok(None) };
    let Some(entry) = manifests(&index).iter().find(|entry| has_tag(entry, tag)) else { return Ok(None) };
    let broken = |reason: String| CacheIndexError::Broken { path: path.clone(), reason };
    let digest = entry.get("digest").and_then(Value::as_str);
    let digest = digest.ok_or_else(|| broken(format!("the entry for `{tag}` has no digest")))?;
    digest.parse().map(Some).map_err(|error: cogpack_content::InvalidDigest| broken(error.to_string()))
}

/// Names the manifest that the daemon told after an export. `descriptor` is what it told, as
/// `cache.manifest` of its answer.
pub fn record(root: &Path, tag: &str, descriptor: &str) -> Result<(), CacheIndexError> {
    let told = |reason: String| CacheIndexError::NoManifest { reason };
    let mut entry: Map<String, Value> =
        serde_json::from_str(descriptor).map_err(|error| told(error.to_string()))?;
    if !entry.get("digest").is_some_and(Value::is_string) {
        return Err(told("it has no digest".to_owned()));
    }
    let annotations = entry.entry("annotations").or_insert_with(|| json!({}));
    if !annotations.is_object() {
        *annotations = json!({});
    }
    annotations[REFERENCE_NAME] = json!(tag);

    let system = |attempted, path: &Path| {
        let path = path.to_owned();
        move |source| CacheIndexError::System { attempted, path, source }
    };
    fs::create_dir_all(root).map_err(system("make the directory", root))?;
    // Two builds may export into one directory; the file of the lock is left behind, because
    // whoever removes it cannot know who waits for it.
    let lock = root.join("index.json.lock");
    let held =
        File::create(&lock).and_then(|file| file.lock().map(|()| file)).map_err(system("lock", &lock))?;

    let path = root.join("index.json");
    let mut index = read(&path)?.unwrap_or_else(|| json!({"schemaVersion": 2, "mediaType": INDEX_TYPE}));
    let mut entries: Vec<Value> =
        manifests(&index).iter().filter(|entry| !has_tag(entry, tag)).cloned().collect();
    entries.push(Value::Object(entry));
    index["manifests"] = Value::Array(entries);
    replace(root, &path, &index).map_err(system("write", &path))?;
    let mark = root.join("oci-layout");
    if !mark.exists() {
        replace(root, &mark, &json!({"imageLayoutVersion": "1.0.0"})).map_err(system("write", &mark))?;
    }
    drop(held);
    Ok(())
}

fn read(path: &Path) -> Result<Option<Value>, CacheIndexError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(CacheIndexError::System { attempted: "read", path: path.to_owned(), source });
        }
    };
    let broken = |reason: String| CacheIndexError::Broken { path: path.to_owned(), reason };
    let index: Value = serde_json::from_slice(&bytes).map_err(|error| broken(error.to_string()))?;
    if index.is_object() { Ok(Some(index)) } else { Err(broken("it is no object".to_owned())) }
}

fn manifests(index: &Value) -> &[Value] {
    index.get("manifests").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn has_tag(entry: &Value, tag: &str) -> bool {
    entry.get("annotations").and_then(|annotations| annotations.get(REFERENCE_NAME)).and_then(Value::as_str)
        == Some(tag)
}

fn replace(root: &Path, path: &Path, document: &Value) -> io::Result<()> {
    let aside = Aside::within(root)?;
    let mut file = tempfile::NamedTempFile::new_in(aside.path())?;
    file.write_all(document.to_string().as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
