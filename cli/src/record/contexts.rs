//! The files of `dir` contexts that ops take, and by what they are known again.
//!
//! Most are known by the digest of their bytes. So that a build never waits for many gigabytes to be read only
//! to be compared, files above some size are known by what the disk says of them: the size up to which
//! all that ops take have no more than [`MOST_BYTES`] together. It follows from the sizes alone, so that
//! equal contexts have equal records.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use cogpack_backends_contract::content::{Content, ContextFile, DiskStamp, Moment, Stamp};
use cogpack_backends_contract::entries::Entries;
use cogpack_backends_contract::listed::Listed;
use cogpack_backends_contract::tree::{Attributes, Directory, Node, Tree};
use cogpack_content::Digest;
use cogpack_diff::files::used::{Sizes, Used, used};
use cogpack_diff::files::{ContextFiles, Known};
use cogpack_diff::keys::reads;
use cogpack_io_project::room::Room;
use cogpack_io_project::seen::SeenFiles;
use cogpack_ir::plan::{Context, ContextKind, InputName};
use cogpack_ir::resolve::Resolved;

use crate::contexts::{ContextContents, Walked, walk_all_within};
use crate::failure::Failure;
use crate::plan_file::PlanFile;
use crate::record::summary::Summing;

/// No more bytes are read only to be compared, but for files that were written a moment before.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

/// So many entries of what is known stay in memory, and of a walk beside that of a builder.
const IN_MEMORY: usize = 8_192;

/// Contexts as somebody has walked them already, by name.
pub type Trees = BTreeMap<InputName, Tree<Content>>;

/// The `dir` contexts that ops of a plan read, by name.
pub fn read_by_ops(plan: &Resolved) -> impl Iterator<Item = (&InputName, &Context)> {
    let is_read = |name: &InputName| !reads(plan, name).is_empty();
    let contexts = plan.plan().contexts.iter();
    contexts.filter(move |(name, context)| matches!(context.kind, ContextKind::Directory(_)) && is_read(name))
}

/// Walks those that are not among `walked`. Contexts are where the plan says, or where `elsewhere` does.
pub fn walk(
    plan: &Resolved,
    file: &PlanFile,
    elsewhere: &BTreeMap<InputName, PathBuf>,
    walked: Trees,
) -> Result<Walked, Failure> {
    let missing = read_by_ops(plan).filter(|(name, _)| !walked.contains_key(*name));
    let mut all = walk_all_within(&Room::of(IN_MEMORY), missing, file, elsewhere)?;
    for (name, context) in read_by_ops(plan).filter(|(name, _)| walked.contains_key(*name)) {
        let root = crate::contexts::root_of(name, context, file, elsewhere);
        all.files.directories.directories.extend(root.map(|root| (name.clone(), root)));
    }
    all.trees.extend(walked);
    Ok(all)
}

/// By what all of it is known to be what it was another time, without a look into any file; `None` where
/// something was written a moment before.
pub fn summary(plan: &PlanFile, trees: &Trees) -> Option<Digest> {
    let mut summing = Summing::new(&plan.text);
    for (name, tree) in trees {
        summing.context(name, tree)?;
    }
    Some(summing.done())
}

/// What is known of files for a record of a build. What cannot be read, because it changes, is what it was
/// when it was walked: so it is another one afterwards.
pub fn to_record(plan: &Resolved, walked: &Walked, seen: &mut SeenFiles) -> Result<ContextFiles, Failure> {
    known(plan, walked, seen, None)
}

/// What is known of files for comparing them with what was known `then`, by the same as then.
pub fn to_compare(
    plan: &Resolved,
    walked: &Walked,
    seen: &mut SeenFiles,
    then: &ContextFiles,
) -> Result<ContextFiles, Failure> {
    known(plan, walked, seen, Some(then))
}

fn known(
    plan: &Resolved,
    walked: &Walked,
    seen: &mut SeenFiles,
    then: Option<&ContextFiles>,
) -> Result<ContextFiles, Failure> {
    let used = used(plan, &walked.trees);
    let sizes = used.values().fold(Sizes::default(), |sizes, used| sizes.and(used.sizes()));
    let (room, largest) = (Room::of(IN_MEMORY), sizes.most_within(MOST_BYTES));
    let mut files = ContextFiles::default();
    for (name, used) in &used {
        let Some(tree) = walked.trees.get(name) else { continue };
        let is_compared = then.is_some();
        let mut knowing = Knowing {
            name,
            used,
            seen: &mut *seen,
            files: &walked.files,
            room: &room,
            largest,
            is_compared,
            path: Vec::new(),
        };
        let then = then.and_then(|then| then.get(name));
        let children = knowing.children(tree.root(), then.map(Tree::root))?;
        let mut known = Tree::empty();
        if let Some(root) = known.directory_mut(&[]) {
            root.children = children;
        }
        files.insert(name.clone(), known);
    }
    Ok(files)
}

/// Goes through a context, beside what it was then.
struct Knowing<'k> {
    name: &'k InputName,
    used: &'k Used,
    seen: &'k mut SeenFiles,
    files: &'k ContextContents,
    room: &'k Room,
    /// Larger files are known by what the disk says of them.
    largest: u64,
    is_compared: bool,
    path: Vec<u8>,
}

impl Knowing<'_> {
    fn children(
        &mut self,
        now: &Directory<Content>,
        then: Option<&Directory<Content>>,
    ) -> Result<Entries<Node<Content>>, Failure> {
        let mut children = Entries::new();
        let length = self.path.len();
        for (count, entry) in (1..).zip(&now.children) {
            let (name, node) = entry.parts();
            if length > 0 {
                self.path.push(b'/');
            }
            self.path.extend_from_slice(name);
            let then = then.and_then(|then| then.children.get(name));
            if let Some(node) = self.node(node, then.as_deref())? {
                children.insert(name, node);
            }
            self.path.truncate(length);
            self.room.add(count, &mut children);
        }
        self.room.settle(&mut children);
        Ok(children)
    }

    /// What stands there; `None` where nobody takes it.
    fn node(
        &mut self,
        node: &Node<Content>,
        then: Option<&Node<Content>>,
    ) -> Result<Option<Node<Content>>, Failure> {
        Ok(match node {
            Node::Directory(directory) => {
                let then = match then {
                    Some(Node::Directory(then)) => Some(&**then),
                    Some(Node::File { .. } | Node::Symlink { .. } | Node::Special { .. }) | None => None,
                };
                let itself = self.used.takes_directory(&self.path);
                let children = self.children(directory, then)?;
                let attributes = if itself { directory.attributes } else { Attributes::ON_THE_WAY };
                let is_taken = itself || !children.is_empty();
                is_taken.then(|| Node::Directory(Arc::new(Directory { attributes, children })))
            }
            // One may lead to what is taken.
            Node::Symlink { .. } => Some(node.clone()),
            Node::File { attributes, content: Content::Context(listed) } => {
                // Of several names of a file one is its path.
                let path = listed.path();
                if !self.used.takes_file(&path) {
                    return Ok(None);
                }
                let then = match then {
                    Some(Node::File { content: Content::Context(then), .. }) => Known::of(then),
                    Some(
                        Node::File { .. } | Node::Directory(_) | Node::Symlink { .. } | Node::Special { .. },
                    )
                    | None => None,
                };
                let (size, stamp) = self.known(listed, then)?;
                let file =
                    ContextFile { context: self.name.clone(), path, size, linked: listed.is_linked(), stamp };
                Some(Node::File { attributes: *attributes, content: Content::Context(file.into()) })
            }
            Node::File { .. } | Node::Special { .. } => None,
        })
    }

    /// By what a file is known again, of which that was known then.
    fn known(&mut self, file: &Listed, then: Option<Known>) -> Result<(u64, Stamp), Failure> {
        let (is_settled, look) = match *file.stamp() {
            Stamp::Disk(stamp) => {
                (stamp.settled, Stamp::Disk(DiskStamp { device: 0, settled: true, ..stamp }))
            }
            other @ (Stamp::Digest(_) | Stamp::None) => (false, other),
        };
        let is_read = match then {
            Some(Known::Digest(_)) => true,
            Some(Known::Look(_)) => false,
            // What was written a moment before may be changed again, and look the same. What was not there then
            // is new whatever is in it.
            None => file.size() <= self.largest || !is_settled && !self.is_compared,
        };
        if !is_read {
            return Ok((file.size(), look));
        }
        match self.seen.digest(file, self.files) {
            Ok(digest) => Ok(Known::Digest(digest).stamp()),
            Err(_) if !self.is_compared => Ok((file.size(), look)),
            Err(error) => {
                let path = String::from_utf8_lossy(&file.path()).into_owned();
                let mut failure = Failure::new(format!("read `{path}` of the context `{}`", self.name));
                failure.causes.push(error.to_string());
                Err(failure)
            }
        }
    }
}

/// A moment as text.
pub fn moment_text(Moment { seconds, nanoseconds }: Moment) -> String {
    format!("{seconds}.{nanoseconds:09}")
}

/// What the text of a moment says.
pub fn moment(text: &str) -> Option<Moment> {
    let (seconds, nanoseconds) = text.split_once('.')?;
    Some(Moment { seconds: seconds.parse().ok()?, nanoseconds: nanoseconds.parse().ok()? })
}
