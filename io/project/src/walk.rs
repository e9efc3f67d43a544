//! Walks the directory of a `dir` context once, into a tree that says where each file's bytes
//! are. No file is opened here.
//!
//! What is part of it: what the ignore file leaves, of that what the plan's own rules take, and
//! never what is ours ([`own`](crate::own)). Directories above what is taken come along. Permission bits are
//! kept; owner and group are root's, as BuildKit's client sends them; the root of a context is
//! 0755, since nothing says otherwise for every machine. Times and extended attributes are no
//! part of a context. Sockets are passed over: no layer can hold one, and nothing is in it. Named
//! pipes and devices are refused, because no builder could make the same of them.

mod ahead;
mod files;
mod look;
mod sight;

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::num::NonZeroUsize;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, Scope};
use std::time::{Duration, SystemTime};

use cogpack_backends_contract::content::{Content, DiskStamp, Moment};
use cogpack_backends_contract::entries::Entries;
use cogpack_backends_contract::glob::InvalidGlob;
use cogpack_backends_contract::listed::Lister;
use cogpack_backends_contract::tree::{Attributes, Directory, Ids, Name, Node, Tree};
use cogpack_ir::plan::{InputName, Mode, PathRule};
use rustix::fs::{Dir, FileType};

use self::ahead::{Ahead, Found, Listing};
use self::files::{Files, Links};
pub use self::look::Look;
use self::sight::{Seen, Sight};
use crate::ignore_file::{IgnoreError, IgnoreFile};
use crate::own::Own;
use crate::pattern_list::Matched;
use crate::room::Room;

/// Why a directory cannot be a context.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// The context's directory is something else.
    #[error("`{}` is not a directory, and the context `{context}` needs one", path.display())]
    NoDirectory {
        /// The context.
        context: InputName,
        /// Its directory.
        path: PathBuf,
    },
    /// Something in it could not be looked at.
    #[error("{attempt} `{}` for the context `{context}`", path.display())]
    Read {
        /// The context.
        context: InputName,
        /// What was attempted, for instance `list`.
        attempt: &'static str,
        /// What it was attempted on.
        path: PathBuf,
        /// What happened.
        #[source]
        source: io::Error,
    },
    /// Something in it that no image can have from a context.
    #[error("`{}` is {kind}, which cannot be part of the context `{context}`: exclude it", path.display())]
    Special {
        /// The context.
        context: InputName,
        /// Where it is.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// Directories within directories without end.
    #[error("`{}` is more than {DEEPEST} directories deep in the context `{context}`", path.display())]
    TooDeep {
        /// The context.
        context: InputName,
        /// Where it is.
        path: PathBuf,
    },
    /// The ignore file.
    #[error(transparent)]
    Ignore(#[from] IgnoreError),
    /// The plan's rules.
    #[error("the rules of the context `{context}`")]
    Rules {
        /// The context.
        context: InputName,
        /// The pattern that is none.
        #[source]
        source: InvalidGlob,
    },
}

/// The coarsest clock by which filesystems date files (that of FAT), and a little.
const TICK: Duration = Duration::from_millis(2_100);
/// What a tree holds.
const DEEPEST: usize = 1000;
/// Processes may have a thousand files open, in some places a quarter of that.
const MOST_OPEN: usize = 64;
/// So many threads look at a context at most: the kernel gains little by more.
const MOST_AT_ONCE: usize = 4;

/// Walks the directory `root` of the context `context`, taking what `rules` take.
pub fn walk(root: &Path, context: &InputName, rules: &[PathRule]) -> Result<Tree<Content>, WalkError> {
    walk_within(&Room::default(), root, context, rules)
}

/// The same in the room that the contexts of a build have together.
pub fn walk_within(
    room: &Room,
    root: &Path,
    context: &InputName,
    rules: &[PathRule],
) -> Result<Tree<Content>, WalkError> {
    walk_beside(other_threads, room, root, context, rules)
}

/// How many threads are of use beside the one that walks.
fn other_threads() -> usize {
    let processors = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    processors.min(MOST_AT_ONCE) - 1
}

/// The same beside so many other threads, where there is enough to do for them.
fn walk_beside(
    others: fn() -> usize,
    room: &Room,
    root: &Path,
    context: &InputName,
    rules: &[PathRule],
) -> Result<Tree<Content>, WalkError> {
    match fs::metadata(root) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => return Err(WalkError::NoDirectory { context: context.clone(), path: root.to_owned() }),
        Err(source) => {
            let context = context.clone();
            return Err(WalkError::Read { context, attempt: "look at", path: root.to_owned(), source });
        }
    }
    let invalid = |source| WalkError::Rules { context: context.clone(), source };
    let sight = Sight::new(root, rules).map_err(invalid)?.less(IgnoreFile::of_directory(root)?);
    walked(others, room, context, &sight, Own::default())
}

/// Walks a directory that is somebody else's, as the checkout of a repository: all that is in it is taken,
/// whatever an ignore file in it says, and nothing in it is ours.
pub fn walk_whole(room: &Room, root: &Path, context: &InputName) -> Result<Tree<Content>, WalkError> {
    let nothing_said = |source| WalkError::Rules { context: context.clone(), source };
    let sight = Sight::new(root, &[]).map_err(nothing_said)?;
    walked(other_threads, room, context, &sight, Own::nothing())
}

/// Walks, taking what is in sight and not what is ours.
fn walked(
    others: fn() -> usize,
    room: &Room,
    context: &InputName,
    sight: &Sight<'_>,
    own: Own,
) -> Result<Tree<Content>, WalkError> {
    let ahead = Ahead::new(sight, room);
    let began = SystemTime::now();
    let (path, components, links) = (Vec::new(), Vec::new(), Links::new(room, context));
    let children = thread::scope(|scope| {
        let _over = ahead.until_over();
        let (ahead, others) = (&ahead, Some(others));
        let mut walk =
            Walk { context, room, sight, ahead, scope, others, own, path, components, links, began };
        walk.children(None, &sight.place(b""), &sight.at_root())
    })?;
    let mut tree = Tree::empty();
    if let Some(root) = tree.directory_mut(&[]) {
        root.children = children;
    }
    Ok(tree)
}

struct Walk<'w, 's> {
    context: &'w InputName,
    room: &'w Room,
    sight: &'w Sight<'w>,
    ahead: &'s Ahead<'w>,
    scope: &'s Scope<'s, 'w>,
    /// How many others may look ahead, until there is enough to do for them.
    others: Option<fn() -> usize>,
    own: Own,
    /// Where the walk is, relative to the root.
    path: Vec<u8>,
    /// The same, part by part.
    components: Vec<Name>,
    /// Files with several names.
    links: Links<'w>,
    /// When the walk began.
    began: SystemTime,
}

impl Walk<'_, '_> {
    /// What is taken of the directory that the walk has come to, which is in another one that may be open.
    fn children(
        &mut self,
        above: Option<&Arc<Dir>>,
        directory: &Path,
        matched: &Matched,
    ) -> Result<Entries<Node<Content>>, WalkError> {
        let Listing { names, seen, open } = match self.ahead.come_to(&self.path) {
            Found::Listed(listing) => listing,
            Found::Alone(known) => self.list(known.as_ref().or(above), directory, matched)?,
        };
        // Who goes deep holds as many directories open.
        let open = open.filter(|_| self.components.len() < MOST_OPEN);
        let mut seen = seen.into_iter();
        self.own.enter(&self.path, directory, names.some());
        let length = self.path.len();
        let mut children = Entries::new();
        let mut files = Files::new(Lister::new(self.context, &self.path));
        let reading = |source| self.failed("read the names in", directory, source);
        for (known, name) in (1..).zip(names.iter().map_err(reading)?) {
            let name = &*name.map_err(|source| self.failed("read the names in", directory, source))?;
            if length > 0 {
                self.path.push(b'/');
            }
            self.path.extend_from_slice(name);
            self.components.push(name.to_vec());
            match self.taken(open.as_deref(), seen.next(), directory, matched)? {
                Taken::Nothing => {}
                Taken::Link(target) => {
                    children.insert(name, Node::Symlink { ids: Ids::ROOT, target });
                }
                Taken::File(look) => {
                    files.add(name, &look, self.began, &mut self.links, &mut children);
                }
                Taken::Directory { attributes, itself, matched } => {
                    // Other names of the files so far may be below.
                    files.settle(&mut self.links, &mut children);
                    let path = directory.join(OsStr::from_bytes(name));
                    let below = self.children(open.as_ref(), &path, &matched)?;
                    if itself && !self.own.made(&self.path) || !below.is_empty() {
                        let directory = Directory { attributes, children: below };
                        children.insert(name, Node::Directory(Arc::new(directory)));
                    }
                }
            }
            self.components.pop();
            self.path.truncate(length);
            self.room.add(known, &mut children);
        }
        files.settle(&mut self.links, &mut children);
        if children.is_empty() {
            // Only of these is it asked below whether an eject made them.
            self.own.look_below(&self.path, directory, names.some());
        }
        self.room.settle(&mut children);
        Ok(children)
    }

    /// Lists a directory with which nobody has begun.
    fn list(
        &mut self,
        above: Option<&Arc<Dir>>,
        directory: &Path,
        matched: &Matched,
    ) -> Result<Listing, WalkError> {
        let listed = self.ahead.list(above.map(|above| &**above), &self.path, matched);
        let listing = listed.map_err(|source| self.failed("list", directory, source))?;
        if self.ahead.expect(&self.path, &listing)
            && let Some(others) = self.others.take()
        {
            let ahead = self.ahead;
            for _ in 0..others() {
                // Who gets no thread walks alone.
                let _ = thread::Builder::new().spawn_scoped(self.scope, || ahead.help());
            }
        }
        Ok(listing)
    }

    /// What stands at the path that the walk has come to, which is a name in `directory`, as far as that
    /// was not `seen`.
    fn taken(
        &mut self,
        open: Option<&Dir>,
        seen: Option<Seen>,
        directory: &Path,
        above: &Matched,
    ) -> Result<Taken, WalkError> {
        if self.own.holds(&self.path) {
            return Ok(Taken::Nothing);
        }
        let name = self.components.last().map(Vec::as_slice).unwrap_or_default();
        let path = || directory.join(OsStr::from_bytes(name));
        let seen = match seen {
            Some(seen) => seen,
            None => {
                let seen = self.sight.see(&self.path, &self.components, open, directory, above);
                seen.map_err(|source| self.failed("look at", &path(), source))?
            }
        };
        let (look, is_taken, matched) = match seen {
            Seen::Nothing => return Ok(Taken::Nothing),
            Seen::Something { look, is_taken, matched } => (look, is_taken, matched),
        };
        let kind = look.kind();
        if kind.is_dir() {
            if self.components.len() > DEEPEST {
                return Err(WalkError::TooDeep { context: self.context.clone(), path: path() });
            }
            return Ok(Taken::Directory { attributes: attributes(&look), itself: is_taken, matched });
        }
        if !is_taken {
            return Ok(Taken::Nothing);
        }
        if kind.is_symlink() {
            let path = path();
            let target =
                fs::read_link(&path).map_err(|source| self.failed("read the link", &path, source))?;
            return Ok(Taken::Link(target.into_os_string().into_vec().into()));
        }
        if kind.is_file() {
            return Ok(Taken::File(look));
        }
        if kind == FileType::Socket {
            return Ok(Taken::Nothing);
        }
        let kind = match () {
            () if kind.is_fifo() => "a named pipe",
            () if kind.is_block_device() || kind.is_char_device() => "a device",
            () => "no file, directory or link",
        };
        Err(WalkError::Special { context: self.context.clone(), path: path(), kind })
    }

    fn failed(&self, attempt: &'static str, path: &Path, source: io::Error) -> WalkError {
        WalkError::Read { context: self.context.clone(), attempt, path: path.to_owned(), source }
    }
}

/// What a walk takes of a path.
enum Taken {
    Nothing,
    File(Look),
    Link(Box<[u8]>),
    Directory {
        attributes: Attributes,
        /// Whether it is taken for itself, and not only for what is in it.
        itself: bool,
        matched: Matched,
    },
}

/// What the disk says of a file that was looked at after `began`.
pub fn stamp(look: &Look, began: SystemTime) -> DiskStamp {
    let Look { device, inode, modified, changed, .. } = *look;
    let settling = began.checked_sub(TICK).and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
    let settled = settling.is_some_and(|time| {
        let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        modified.max(changed) < Moment { seconds, nanoseconds: time.subsec_nanos() }
    });
    DiskStamp { device, inode, modified, changed, settled }
}

fn attributes(look: &Look) -> Attributes {
    // Twelve bits are always a mode.
    let mode = Mode::new(look.mode & 0o7777).unwrap_or(Mode::FILE);
    Attributes { mode, ids: Ids::ROOT }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;
    use std::process::Command;

    use cogpack_backends_contract::tree::{components, text};
    use cogpack_ir::plan::{RuleKind, Spanned};

    use super::sight::{leads, may_lead_below};

    use super::*;

    fn context() -> InputName {
        InputName::new("source").expect("is a name")
    }

    fn make(root: &Path, files: &[&str]) {
        for file in files {
            let path = root.join(file);
            fs::create_dir_all(path.parent().expect("is below the root")).expect("is writable");
            fs::write(&path, file).expect("is writable");
        }
    }

    fn rules(rules: &[&str]) -> Vec<PathRule> {
        let rule = |rule: &&str| PathRule {
            kind: if rule.starts_with('+') { RuleKind::Include } else { RuleKind::Exclude },
            pattern: Spanned::nowhere(rule[1..].to_owned()),
        };
        rules.iter().map(rule).collect()
    }

    fn paths(root: &Path, taken: &[&str]) -> String {
        let tree = walk(root, &context(), &rules(taken)).expect("can be walked");
        let paths = tree.walk().into_iter().map(|(path, node)| match node {
            Node::Directory(_) => format!("{}/", text(&path)),
            Node::File { .. } | Node::Symlink { .. } | Node::Special { .. } => text(&path),
        });
        paths.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_ignore_file_and_the_rules_both_decide() {
        let root = tempfile::tempdir().expect("makes a directory");
        let root = root.path();
        make(
            root,
            &["a.py", "a.pyc", "d/b.py", "d/e/c.pyc", ".cog/state", "d/.cog/kept", "build/out", "build/keep"],
        );
        assert_eq!(
            paths(root, &[]),
            "/a.py /a.pyc /build/ /build/keep /build/out /d/ /d/.cog/ /d/.cog/kept /d/b.py /d/e/ /d/e/c.pyc"
        );
        assert_eq!(paths(root, &["+**/*.py"]), "/a.py /d/ /d/b.py");
        fs::write(root.join(".dockerignore"), "**/*.pyc\nbuild\n!build/keep\n!.cog\n").expect("is writable");
        assert_eq!(
            paths(root, &["-.dockerignore", "-d/.cog"]),
            "/a.py /build/ /build/keep /d/ /d/b.py /d/e/"
        );
        assert_eq!(paths(root, &["+build", "+d/e/*"]), "/build/ /build/keep");
    }

    #[test]
    fn directories_that_no_rule_can_reach_are_not_looked_into() {
        let root = tempfile::tempdir().expect("makes a directory");
        let root = root.path();
        make(root, &["src/a/x", "src/b/y", "data/z"]);
        assert_eq!(paths(root, &["+src/*/x"]), "/src/ /src/a/ /src/a/x");
        assert_eq!(paths(root, &["-src", "+src/a"]), "/data/ /data/z /src/ /src/a/ /src/a/x");
        let leads = leads(&rules(&["-data", "+src/a/*.py", "+lib"])).expect("are patterns");
        for (directory, reached) in
            [("src", true), ("src/a", true), ("src/a/b", true), ("src/b", false), ("data", false)]
        {
            assert_eq!(may_lead_below(&leads, &components(directory.as_bytes())), reached, "{directory}");
        }
    }

    #[test]
    fn modes_links_and_odd_names_are_kept() {
        let root = tempfile::tempdir().expect("makes a directory");
        let root = root.path();
        make(root, &["b", "tool"]);
        fs::set_permissions(root.join("tool"), fs::Permissions::from_mode(0o4750)).expect("is ours");
        fs::hard_link(root.join("b"), root.join("a")).expect("is writable");
        symlink("../outside", root.join("link")).expect("is writable");
        let odd = OsStr::from_bytes(b"odd\xff");
        fs::write(root.join(odd), "x").expect("is writable");
        let tree = walk(root, &context(), &[]).expect("can be walked");
        let content = |path: &[u8]| match tree.get(&components(path)) {
            Some(Node::File { attributes, content: Content::Context(file) }) => {
                (attributes.mode.bits(), file.path(), file.is_linked(), file.size())
            }
            other => panic!("{other:?} is no file"),
        };
        assert_eq!(content(b"tool"), (0o4750, b"tool".to_vec(), false, 4));
        assert_eq!(content(b"a"), content(b"b"));
        assert_eq!((content(b"b").1, content(b"b").2), (b"a".to_vec(), true));
        assert_eq!(content(b"odd\xff").1, b"odd\xff");
        let Some(Node::Symlink { target, .. }) = tree.get(&[b"link"]) else { panic!("no link") };
        assert_eq!(*target, b"../outside"[..]);
    }

    #[test]
    fn names_of_one_file_find_each_other_however_many_there_are() {
        let root = tempfile::tempdir().expect("makes a directory");
        let root = root.path();
        let name = |number: usize| format!("{:05}", number * 7_919 % 17_011);
        // More than what knows them again keeps in memory, and the second name comes in another directory.
        for directory in ["first", "second"] {
            fs::create_dir(root.join(directory)).expect("is writable");
        }
        for number in 0..17_000 {
            let first = root.join("first").join(name(number));
            fs::write(&first, number.to_string()).expect("is writable");
            fs::hard_link(first, root.join("second").join(name(number))).expect("is writable");
        }
        for room in [Room::default(), Room::of(1_000)] {
            // Of a name that is left out nothing is known.
            for (taken, of_second) in [(&[][..], "first"), (&["-first"][..], "second")] {
                let tree = walk_within(&room, root, &context(), &rules(taken)).expect("can be walked");
                let second = tree.directory(&[b"second"]).expect("is a directory");
                assert_eq!(second.children.iter().count(), 17_000);
                for entry in &second.children {
                    let (name, node) = entry.parts();
                    let Node::File { content: Content::Context(file), .. } = node else {
                        panic!("{node:?} is no file")
                    };
                    assert_eq!(
                        (file.path(), file.is_linked()),
                        ([of_second.as_bytes(), name].join(&b'/'), true)
                    );
                }
            }
        }
    }

    #[test]
    fn what_was_changed_a_moment_ago_may_change_again_unseen() {
        let root = tempfile::tempdir().expect("makes a directory");
        make(root.path(), &["file"]);
        let metadata = fs::metadata(root.path().join("file")).expect("is there");
        let modified = metadata.modified().expect("is dated");
        for (later, settled) in [(0, false), (2, false), (3, true)] {
            let stamp = stamp(&Look::from(&metadata), modified + Duration::from_secs(later));
            assert_eq!(stamp.settled, settled, "{later} seconds later");
            assert_eq!((stamp.inode, stamp.device), (metadata.ino(), metadata.dev()));
        }
        // A date that was set says nothing: what counts is when it was set.
        let file = fs::File::options().write(true).open(root.path().join("file")).expect("is there");
        file.set_modified(modified - Duration::from_secs(1000)).expect("can be set");
        let metadata = file.metadata().expect("is there");
        assert!(!stamp(&Look::from(&metadata), modified + Duration::from_secs(1)).settled);
    }

    #[test]
    fn sockets_are_passed_over_and_pipes_are_refused_unless_they_are_excluded() {
        let root = tempfile::tempdir().expect("makes a directory");
        let root = root.path();
        let _socket = UnixListener::bind(root.join("run.sock")).expect("is writable");
        assert_eq!(paths(root, &[]), "");
        let made = Command::new("mkfifo").arg(root.join("run.pipe")).status().expect("every system has it");
        assert!(made.success());
        let error = walk(root, &context(), &[]).expect_err("holds a pipe").to_string();
        assert!(error.contains("run.pipe` is a named pipe") && error.contains("`@source`"), "{error}");
        assert_eq!(paths(root, &["-*.pipe"]), "");
        assert!(matches!(walk(&root.join("missing"), &context(), &[]), Err(WalkError::Read { .. })));
        make(root, &["file"]);
        assert!(matches!(walk(&root.join("file"), &context(), &[]), Err(WalkError::NoDirectory { .. })));
    }
}
