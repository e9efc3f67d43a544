//! Small filesystems as one line of text: written to a disk, said as ops of a plan, and listed.
//!
//! `dir/`, `file=content`, `link->target` and `other=>file` (a hard link), separated by spaces;
//! directories above are made. An entry may end in `:MODE` of four digits and then `@UID:GID`;
//! without these it is 0755 or 0644, and root's.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use cogpack_backends_contract::content::Content;
use cogpack_backends_contract::tree::{Attributes, Node, Tree};
use cogpack_content::Digest;

/// The content of longer files is shown as its digest.
const LONGEST_SHOWN: usize = 200;

/// What a path is, in one line, by its path without a `/` in front.
pub type Listing = BTreeMap<String, String>;

/// A filesystem that was read from its one line.
#[derive(Debug, Clone)]
pub struct Sketch(Vec<Entry>);

#[derive(Debug, Clone)]
struct Entry {
    path: String,
    kind: Kind,
    mode: Option<u32>,
    /// `UID:GID`
    owner: Option<String>,
}

#[derive(Debug, Clone)]
enum Kind {
    Directory,
    File(String),
    Link(String),
    HardLink(String),
}

impl Sketch {
    /// Reads one.
    pub fn new(text: &str) -> Self {
        Self(text.split_whitespace().map(Entry::new).collect())
    }

    /// Writes it below a folder. Owners are left to whoever writes.
    pub fn write(&self, folder: &Path) {
        for entry in &self.0 {
            let path = folder.join(&entry.path);
            let above = path.parent().expect("it stands below the folder");
            fs::create_dir_all(above).expect("directories can be made");
            match &entry.kind {
                Kind::Directory => fs::create_dir_all(&path),
                Kind::File(content) => fs::write(&path, content),
                Kind::Link(target) => symlink(target, &path),
                Kind::HardLink(other) => fs::hard_link(folder.join(other), &path),
            }
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
        // The umask had its say above, and a directory may forbid what was to be put into it.
        for entry in self.0.iter().rev() {
            let mode = match (&entry.kind, entry.mode) {
                (Kind::Directory, mode) => mode.unwrap_or(0o755),
                (Kind::File(_), mode) => mode.unwrap_or(0o644),
                (Kind::Link(_) | Kind::HardLink(_), _) => continue,
            };
            let permissions = fs::Permissions::from_mode(mode);
            fs::set_permissions(folder.join(&entry.path), permissions).expect("modes can be set");
        }
    }

    /// The ops of a stage that make it from nothing, where the context `@name` is a directory that
    /// it was [written](Self::write) to. A context says all but the owners.
    pub fn ops(&self, name: &str) -> String {
        match self.0.is_empty() {
            true => String::new(),
            false => format!("  copy contents \".\" from @{name} to \"/\"\n{}", self.owners("")),
        }
    }

    /// The ops that give what was copied to the directory `place` its owners.
    pub fn owners(&self, place: &str) -> String {
        let mut ops = String::new();
        for entry in &self.0 {
            let Some(owner) = &entry.owner else { continue };
            let path = format!("{place}/{}", entry.path);
            // A String takes whatever is written to it.
            let _ = match &entry.kind {
                Kind::Directory => {
                    let mode = entry.mode.unwrap_or(0o755);
                    writeln!(ops, "  mkdir \"{path}\" mode {mode:04o} owner {owner}")
                }
                Kind::File(content) => {
                    let mode = entry.mode.unwrap_or(0o644);
                    writeln!(ops, "  file \"{path}\" mode {mode:04o} owner {owner} = \"{content}\"")
                }
                Kind::Link(_) | Kind::HardLink(_) => panic!("{path}: no op gives a link an owner"),
            };
        }
        ops
    }

    /// The same, with links that lead to the root, or out of it, leading to the directory `place`:
    /// for one that stands there and takes it for its root.
    pub fn moved(&self, place: &str) -> Self {
        let mut entries = self.0.clone();
        for entry in &mut entries {
            let Kind::Link(target) = &mut entry.kind else { continue };
            let rest = target.trim_start_matches("../");
            let ups = (target.len() - rest.len()) / "../".len();
            if target.starts_with('/') {
                target.insert_str(0, place);
            } else if ups > entry.path.matches('/').count() {
                // Up to the root it goes from there as well, and then a little further.
                *target = format!("{}{}/{rest}", "../".repeat(ups), &place[1..]);
                target.insert_str(0, &"../".repeat(place.matches('/').count()));
            }
        }
        Self(entries)
    }

    /// The same without setuid, setgid and sticky.
    pub fn without_special_bits(&self) -> Self {
        let mut entries = self.0.clone();
        entries.iter_mut().for_each(|entry| entry.mode = entry.mode.map(|mode| mode & 0o777));
        Self(entries)
    }

    /// The ops that set the modes with setuid, setgid and sticky below `place`, by a program.
    pub fn special_bits(&self, place: &str) -> String {
        let mut ops = String::new();
        for entry in self.0.iter().filter(|entry| entry.mode.is_some_and(|mode| mode > 0o777)) {
            let (mode, path) = (entry.mode.unwrap_or_default(), &entry.path);
            // A String takes whatever is written to it.
            let _ = writeln!(ops, "  run \"chmod {mode:04o} {place}/{path}\"");
        }
        ops
    }

    /// Whether a file has setuid or setgid.
    pub fn has_set_ids(&self) -> bool {
        let is_one = |entry: &Entry| {
            matches!(entry.kind, Kind::File(_)) && entry.mode.is_some_and(|mode| mode & 0o6000 != 0)
        };
        self.0.iter().any(is_one)
    }
}

impl Entry {
    fn new(text: &str) -> Self {
        let (text, owner) = match text.split_once('@') {
            Some((text, owner)) => (text, Some(owner.to_owned())),
            None => (text, None),
        };
        let (text, mode) = match text.rsplit_once(':') {
            Some((text, mode)) if mode.len() == 4 => {
                (text, Some(u32::from_str_radix(mode, 8).expect("a mode is octal")))
            }
            Some(_) | None => (text, None),
        };
        let (path, kind) = if let Some((path, target)) = text.split_once("->") {
            (path, Kind::Link(target.to_owned()))
        } else if let Some((path, other)) = text.split_once("=>") {
            (path, Kind::HardLink(other.to_owned()))
        } else if let Some((path, content)) = text.split_once('=') {
            (path, Kind::File(content.to_owned()))
        } else {
            (text.trim_end_matches('/'), Kind::Directory)
        };
        Self { path: path.to_owned(), kind, mode, owner }
    }
}

fn directory(mode: u64, user: u64, group: u64) -> String {
    format!("directory {mode:04o} {user}:{group}")
}

fn file(mode: u64, user: u64, group: u64, content: &[u8]) -> String {
    let shown = match std::str::from_utf8(content) {
        Ok(text) if content.len() <= LONGEST_SHOWN => format!("`{text}`"),
        Ok(_) | Err(_) => format!("{} bytes {}", content.len(), Digest::of(content)),
    };
    format!("file {mode:04o} {user}:{group} {shown}")
}

fn link(user: u64, group: u64, target: &[u8]) -> String {
    format!("link {user}:{group} to `{}`", String::from_utf8_lossy(target))
}

/// Lists a tree whose files are part of the plan, or of contexts below `contexts`, each in a
/// folder of its own name.
pub fn list_tree(tree: &Tree<Content>, contexts: &Path) -> Listing {
    let list = |node: &Node<Content>| match node {
        Node::Directory(it) => {
            let (mode, user, group) = numbers(&it.attributes);
            directory(mode, user, group)
        }
        Node::File { attributes, content } => {
            let (mode, user, group) = numbers(attributes);
            let bytes = match content {
                Content::Inline(content) => content.0.to_vec(),
                Content::Context(file) => {
                    let file = file.file();
                    let path = std::str::from_utf8(&file.path).expect("paths in sketches are text");
                    fs::read(contexts.join(file.context.as_str()).join(path)).expect("the file is there")
                }
                Content::Layer(_) | Content::Kept(_) => panic!("no image is read here"),
            };
            file(mode, user, group, &bytes)
        }
        Node::Symlink { ids, target } => link(ids.user.into(), ids.group.into(), target),
        Node::Special { .. } => panic!("no plan can make a device"),
    };
    let shown = |path: &[Vec<u8>]| String::from_utf8_lossy(&path.join(&b'/')).into_owned();
    tree.walk().into_iter().map(|(path, node)| (shown(&path), list(&node))).collect()
}

fn numbers(attributes: &Attributes) -> (u64, u64, u64) {
    let mode = u64::from_str_radix(&attributes.mode.to_string(), 8).expect("a mode shows as octal");
    (mode, attributes.ids.user.into(), attributes.ids.group.into())
}

/// Lists a tar of a root filesystem. A hard link is listed as the file that it is.
pub fn list_tar(bytes: &[u8]) -> Listing {
    let mut listing = Listing::new();
    for entry in tar::Archive::new(bytes).entries().expect("it is a tar") {
        let mut entry = entry.expect("it is a tar");
        let path = entry.path().expect("paths are text").to_string_lossy().trim_matches('/').to_owned();
        if path.is_empty() || path == "." {
            continue;
        }
        let shown = if entry.header().entry_type().is_hard_link() {
            let target = entry.link_name_bytes().expect("a hard link has a target");
            let other = String::from_utf8_lossy(&target).trim_start_matches('/').to_owned();
            listing[&other].clone()
        } else {
            list_entry(&mut entry)
        };
        listing.insert(path, shown);
    }
    listing
}

/// What an entry of a tar is, in one line, if it is no hard link.
pub(crate) fn list_entry(entry: &mut tar::Entry<'_, impl Read>) -> String {
    let header = entry.header().clone();
    let mode = u64::from(header.mode().expect("a header has a mode")) & 0o7777;
    let user = header.uid().expect("a header has a user");
    let group = header.gid().expect("a header has a group");
    let kind = header.entry_type();
    if kind.is_dir() {
        directory(mode, user, group)
    } else if kind.is_symlink() {
        link(user, group, &entry.link_name_bytes().unwrap_or_default())
    } else if kind.is_character_special() || kind.is_block_special() || kind.is_fifo() {
        let number = |part: std::io::Result<Option<u32>>| part.ok().flatten().unwrap_or_default();
        let (major, minor) = (number(header.device_major()), number(header.device_minor()));
        format!("special {mode:04o} {user}:{group} {kind:?} {major}:{minor}")
    } else {
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        assert!(kind.is_file(), "{path}: a root filesystem with an entry of type {kind:?}");
        let mut content = Vec::new();
        entry.read_to_end(&mut content).expect("it is a tar");
        file(mode, user, group, &content)
    }
}
