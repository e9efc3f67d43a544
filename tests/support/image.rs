//! Images as tools save them: what is in their root filesystem, and what their config says.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use flate2::read::MultiGzDecoder;
use serde_json::Value;

use crate::filesystem::{Listing, list_entry};

/// What an image is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The root filesystem.
    pub files: Listing,
    /// Which names are one file: the first of them, and the others after it.
    pub links: Listing,
    /// What the config says, by the field's name; a field that says nothing is not there.
    pub config: BTreeMap<String, Value>,
}

/// One entry of a layer.
#[derive(Debug, Clone)]
enum Change {
    /// A path and what it is from here on.
    Is(String, String),
    /// A path that is another name of what another path is.
    Same(String, String),
    /// A path that is gone, with all below.
    Gone(String),
    /// A directory of which all that lower layers have put into it is gone.
    Emptied(String),
}

/// Layers that were read, by their diff ids: images of one base share them.
static READ: Mutex<BTreeMap<String, Arc<Vec<Change>>>> = Mutex::new(BTreeMap::new());

/// The fields of a config that say how a container runs. What else stands in a config says who
/// made it, when and how.
const FIELDS: &[&str] = &[
    "Cmd",
    "Entrypoint",
    "Env",
    "ExposedPorts",
    "Healthcheck",
    "Labels",
    "Shell",
    "StopSignal",
    "User",
    "Volumes",
    "WorkingDir",
];

/// Reads the images of an archive, by the names that they were saved under: what `docker save` and
/// `docker-archive:` of other tools write.
pub fn saved(archive: &Path) -> BTreeMap<String, Image> {
    let files = Files::of(archive);
    let manifest: Value = serde_json::from_slice(files.get("manifest.json")).expect("the manifest is JSON");
    let mut images = BTreeMap::new();
    for image in manifest.as_array().expect("a manifest lists images") {
        let config = files.get(image["Config"].as_str().expect("an image has a config"));
        let config: Value = serde_json::from_slice(config).expect("a config is JSON");
        let layers = image["Layers"].as_array().expect("an image lists its layers");
        let diff_ids = config["rootfs"]["diff_ids"].as_array().cloned().unwrap_or_default();
        assert_eq!(layers.len(), diff_ids.len(), "each layer has a diff id");
        let mut root = Root::default();
        for (layer, diff_id) in layers.iter().zip(&diff_ids) {
            let diff_id = diff_id.as_str().expect("a diff id is text");
            let bytes = || files.get(layer.as_str().expect("a layer is named"));
            root.apply(&read(diff_id, bytes));
        }
        let links = root.links();
        let read = Image { files: root.files, links, config: settings(&config["config"]) };
        for name in image["RepoTags"].as_array().into_iter().flatten() {
            images.insert(name.as_str().expect("a name is text").to_owned(), read.clone());
        }
    }
    images
}

/// The platforms of the images of an archive, as their configs say.
pub fn platforms(archive: &Path) -> BTreeSet<String> {
    let files = Files::of(archive);
    let configs = files.bytes.values().filter_map(|bytes| serde_json::from_slice::<Value>(bytes).ok());
    let told = configs.filter_map(|config| {
        // Only a config lists what its layers hold; what a builder attests is for no platform.
        config["rootfs"]["diff_ids"].as_array()?;
        let (system, architecture) = (config["os"].as_str()?, config["architecture"].as_str()?);
        (system != "unknown").then(|| format!("{system}/{architecture}"))
    });
    told.collect()
}

/// The files of an archive. Where one layer is that of several images, the later ones may be links.
struct Files {
    bytes: BTreeMap<String, Vec<u8>>,
    links: BTreeMap<String, String>,
}

impl Files {
    fn of(archive: &Path) -> Self {
        let (mut bytes, mut links) = (BTreeMap::new(), BTreeMap::new());
        let file = std::fs::File::open(archive).expect("the archive was written");
        for entry in tar::Archive::new(file).entries().expect("it is a tar") {
            let mut entry = entry.expect("it is a tar");
            let path = entry.path().expect("paths are text").to_string_lossy().into_owned();
            if entry.header().entry_type().is_symlink() {
                let target = entry.link_name().ok().flatten().expect("a link has a target");
                let above = Path::new(&path).parent().unwrap_or(Path::new(""));
                links.insert(path.clone(), lexical(&above.join(target)));
            } else if entry.header().entry_type().is_file() {
                let mut content = Vec::new();
                entry.read_to_end(&mut content).expect("it is a tar");
                bytes.insert(path, content);
            }
        }
        Self { bytes, links }
    }

    fn get(&self, path: &str) -> &[u8] {
        let path = self.links.get(path).map_or(path, String::as_str);
        self.bytes.get(path).unwrap_or_else(|| panic!("the archive has no `{path}`"))
    }
}

/// The path without `..`, as no directory on the way is a link.
fn lexical(path: &Path) -> String {
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => {
                parts.pop();
            }
            std::path::Component::Normal(name) => parts.push(name.to_string_lossy().into_owned()),
            std::path::Component::CurDir
            | std::path::Component::RootDir
            | std::path::Component::Prefix(_) => {}
        }
    }
    parts.join("/")
}

fn read<'b>(diff_id: &str, bytes: impl FnOnce() -> &'b [u8]) -> Arc<Vec<Change>> {
    let lock = || READ.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = lock().get(diff_id) {
        return Arc::clone(known);
    }
    let bytes = bytes();
    let changes =
        if bytes.starts_with(&[0x1f, 0x8b]) { changes(MultiGzDecoder::new(bytes)) } else { changes(bytes) };
    let changes = Arc::new(changes);
    lock().insert(diff_id.to_owned(), Arc::clone(&changes));
    changes
}

fn changes(layer: impl Read) -> Vec<Change> {
    let mut changes = Vec::new();
    for entry in tar::Archive::new(layer).entries().expect("a layer is a tar") {
        let mut entry = entry.expect("a layer is a tar");
        let path = entry.path().expect("paths are text").to_string_lossy().into_owned();
        let path = path.trim_start_matches("./").trim_matches('/').to_owned();
        if path.is_empty() || path == "." {
            continue;
        }
        let (above, name) = path.rsplit_once('/').unwrap_or(("", &path));
        changes.push(if name == ".wh..wh..opq" {
            Change::Emptied(above.to_owned())
        } else if let Some(gone) = name.strip_prefix(".wh.") {
            Change::Gone(if above.is_empty() { gone.to_owned() } else { format!("{above}/{gone}") })
        } else if entry.header().entry_type().is_hard_link() {
            let other = entry.link_name_bytes().expect("a hard link has a target");
            let other = String::from_utf8_lossy(&other).trim_start_matches("./").trim_matches('/').to_owned();
            Change::Same(path, other)
        } else {
            let capability = capability(&mut entry);
            let what = list_entry(&mut entry);
            Change::Is(path, format!("{what}{capability}"))
        });
    }
    // What a layer takes away is what lower ones have put there, wherever in it that stands.
    changes.sort_by_key(|change| !matches!(change, Change::Gone(_) | Change::Emptied(_)));
    changes
}

/// What a program may do by its file, if anything, as the disk says it.
fn capability(entry: &mut tar::Entry<'_, impl Read>) -> String {
    const KEY: &str = "SCHILY.xattr.security.capability";
    let extensions = entry.pax_extensions().expect("a layer is a tar").into_iter().flatten();
    let found = extensions.map(|it| it.expect("a layer is a tar")).find(|it| it.key() == Ok(KEY));
    found.map_or_else(String::new, |found| {
        let digits: Vec<String> = found.value_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        format!(" capability {}", digits.concat())
    })
}

/// A root filesystem, as far as its layers are laid over each other.
#[derive(Default)]
struct Root {
    files: Listing,
    /// Which file a name is one of; none for directories.
    numbers: BTreeMap<String, usize>,
    /// How many files there were.
    count: usize,
}

impl Root {
    fn apply(&mut self, changes: &[Change]) {
        for change in changes {
            match change {
                Change::Gone(path) => {
                    self.files.remove(path);
                    self.numbers.remove(path);
                    self.remove_below(path);
                }
                Change::Emptied(path) => self.remove_below(path),
                Change::Is(path, what) => {
                    if what.starts_with("directory ") {
                        self.numbers.remove(path);
                    } else {
                        self.remove_below(path);
                        self.numbers.insert(path.clone(), self.count);
                        self.count += 1;
                    }
                    self.files.insert(path.clone(), what.clone());
                }
                Change::Same(path, other) => {
                    let missing = || panic!("{path}: `{other}` is not there");
                    let what = self.files.get(other).unwrap_or_else(missing).clone();
                    self.files.insert(path.clone(), what);
                    self.numbers.extend(self.numbers.get(other).map(|number| (path.clone(), *number)));
                }
            }
        }
    }

    fn remove_below(&mut self, path: &str) {
        let start = format!("{path}/");
        // Those that begin alike stand together; a look at all files for each of them would take longer than builds.
        let all = self.files.range(start.clone()..);
        let below = all.map_while(|(other, _)| other.starts_with(&start).then(|| other.clone()));
        for other in below.collect::<Vec<_>>() {
            self.files.remove(&other);
            self.numbers.remove(&other);
        }
    }

    fn links(&self) -> Listing {
        let mut names: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        for (path, number) in &self.numbers {
            names.entry(*number).or_default().push(path);
        }
        let several = names.into_values().filter(|names| names.len() > 1);
        several.map(|names| (names[0].to_owned(), format!("is {}", names[1..].join(", ")))).collect()
    }
}

fn settings(config: &Value) -> BTreeMap<String, Value> {
    let says_something = |value: &Value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(object) => !object.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    };
    let mut settings: BTreeMap<String, Value> = FIELDS
        .iter()
        .filter_map(|field| Some(((*field).to_owned(), config.get(*field)?.clone())))
        .filter(|(_, value)| says_something(value))
        .collect();
    // A container that is told no directory starts in this one.
    settings.entry("WorkingDir".to_owned()).or_insert_with(|| "/".into());
    settings
}

/// How many differences are shown.
const SHOWN: usize = 40;

/// What is otherwise in `built` than in `wanted`, a line each; nothing where they are the same.
pub fn differences(wanted: &Image, built: &Image) -> String {
    let mut lines = Vec::new();
    let config = |image: &Image| {
        image.config.iter().map(|(field, value)| (format!("config {field}"), value.to_string())).collect()
    };
    compare(&config(wanted), &config(built), &mut lines);
    compare(&wanted.files, &built.files, &mut lines);
    compare(&wanted.links, &built.links, &mut lines);
    let mut text = String::new();
    for line in lines.iter().take(SHOWN) {
        // A String takes whatever is written to it.
        let _ = writeln!(text, "    {line}");
    }
    if lines.len() > SHOWN {
        let _ = writeln!(text, "    and {} lines more", lines.len() - SHOWN);
    }
    text
}

fn compare(wanted: &Listing, built: &Listing, lines: &mut Vec<String>) {
    let mut keys: Vec<&String> = wanted.keys().chain(built.keys()).collect();
    keys.sort();
    keys.dedup();
    for key in keys {
        let (wanted, built) = (wanted.get(key), built.get(key));
        if wanted == built {
            continue;
        }
        lines.extend(wanted.map(|what| format!("- {key} {what}")));
        lines.extend(built.map(|what| format!("+ {key} {what}")));
    }
}
