//! The order in which a tree is received, without sockets and files: packets in, actions out.
//!
//! The daemon announces all that is in the tree, parents first; then we ask for the files, a
//! limited number at a time, and have all when the last has come. That nothing is asked for earlier keeps
//! what may be under way small while announcements come as fast as they can.
//!
//! Nothing that is announced can leave the tree: a path has plain names only, what it is in must
//! have been announced as a directory, and a hard link leads to a file that was announced. So no
//! link is ever gone through.

use std::collections::{BTreeMap, VecDeque};

use bollard_buildkit_proto::fsutil::types::packet::PacketType;
use bollard_buildkit_proto::fsutil::types::{Packet, Stat};

use crate::directories::mode;
use crate::directories::sender::packet;

/// Something in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Below the root.
    pub path: String,
    /// What it is.
    pub kind: Kind,
    /// Unix's twelve bits.
    pub permissions: u32,
    /// When it was last written to, in nanoseconds.
    pub modified: i64,
}

/// What something in the tree is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A directory.
    Directory,
    /// A file with this many bytes.
    File {
        /// Bytes.
        size: u64,
    },
    /// Another name of a file.
    HardLink {
        /// The file's first name.
        target: String,
    },
    /// A symbolic link and what it says.
    Symlink {
        /// What it says.
        target: String,
    },
    /// A named pipe.
    Pipe,
    /// A device with its two numbers.
    Device {
        /// Whether it takes characters, or else blocks.
        takes_characters: bool,
        /// The first number.
        major: u32,
        /// The second.
        minor: u32,
    },
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Make this; a file is made empty, and has this number.
    Make(u32, Entry),
    /// Send this.
    Send(Packet),
    /// Add to the file with this number.
    Append(u32, Vec<u8>),
    /// The file with this number has all its bytes.
    Close(u32),
    /// All is there: say so to the daemon, which needs us no more then.
    Finish,
}

/// What the daemon sent that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiveError {
    /// A path that leaves the tree, or is none.
    #[error("it names `{0}`, which is no path inside a tree")]
    Path(String),
    /// Something in a directory that is none.
    #[error("it names `{0}`, and did not say before that what it is in is a directory")]
    Orphan(String),
    /// A path that was named before.
    #[error("it names `{0}` twice")]
    Twice(String),
    /// A hard link to what is no file.
    #[error("it says that `{path}` is another name of `{target}`, which is no file of the tree")]
    Link {
        /// The link.
        path: String,
        /// What it leads to.
        target: String,
    },
    /// A kind of file that there is none of, or a size or number out of range.
    #[error("it says of `{0}` what no file can be")]
    Kind(String),
    /// A file with more or fewer bytes than were announced.
    #[error("`{path}` has {sent} bytes, and {announced} were announced")]
    Size {
        /// The file.
        path: String,
        /// As many as were to come.
        announced: u64,
        /// As many as came.
        sent: u64,
    },
    /// Bytes that nobody asked for.
    #[error("it sent bytes of a file with the number {0}, which was not asked for")]
    NotAskedFor(u32),
    /// Something that is not its to send, or not now.
    #[error("it sent a packet of the kind {0} out of order")]
    OutOfOrder(i32),
    /// It gave up.
    #[error("it gave up: {0}")]
    GaveUp(String),
    /// The stream ended in the middle.
    #[error("it went away before all was there")]
    Ended,
    /// More entries than numbers.
    #[error("there is more than the protocol has numbers for")]
    TooMany,
}

/// How many files are asked for at a time.
pub const AT_ONCE: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    Directory,
    File,
    Other,
}

#[derive(Debug)]
struct UnderWay {
    path: String,
    announced: u64,
    sent: u64,
}

/// One tree being received.
#[derive(Debug, Default)]
pub struct Receiver {
    known: BTreeMap<String, Known>,
    count: u32,
    all_announced: bool,
    wanted: VecDeque<(u32, UnderWay)>,
    under_way: BTreeMap<u32, UnderWay>,
}

impl Receiver {
    /// What is to be done about a packet.
    pub fn on(&mut self, received: Packet) -> Result<Vec<Action>, ReceiveError> {
        let kind = received.r#type;
        match PacketType::try_from(kind) {
            Ok(PacketType::PacketStat) if !self.all_announced => match received.stat {
                Some(stat) => self.announced(stat),
                None => {
                    self.all_announced = true;
                    Ok(self.ask())
                }
            },
            Ok(PacketType::PacketData) => self.data(received.id, received.data),
            Ok(PacketType::PacketErr) => {
                Err(ReceiveError::GaveUp(String::from_utf8_lossy(&received.data).into_owned()))
            }
            Ok(PacketType::PacketStat | PacketType::PacketFin | PacketType::PacketReq) | Err(_) => {
                Err(ReceiveError::OutOfOrder(kind))
            }
        }
    }

    fn announced(&mut self, stat: Stat) -> Result<Vec<Action>, ReceiveError> {
        let id = self.count;
        self.count = id.checked_add(1).ok_or(ReceiveError::TooMany)?;
        let kind = self.kind(&stat)?;
        self.check_place(&stat.path)?;
        let known = match &kind {
            Kind::Directory => Known::Directory,
            Kind::File { .. } => Known::File,
            Kind::HardLink { target } => {
                if self.known.get(target) != Some(&Known::File) {
                    return Err(ReceiveError::Link { path: stat.path, target: target.clone() });
                }
                Known::File
            }
            Kind::Symlink { .. } | Kind::Pipe | Kind::Device { .. } => Known::Other,
        };
        if self.known.insert(stat.path.clone(), known).is_some() {
            return Err(ReceiveError::Twice(stat.path));
        }
        let mut actions = Vec::with_capacity(2);
        let (path, permissions) = (stat.path, mode::to_permissions(stat.mode));
        let is_empty = kind == Kind::File { size: 0 };
        if let Kind::File { size: announced @ 1.. } = kind {
            self.wanted.push_back((id, UnderWay { path: path.clone(), announced, sent: 0 }));
        }
        actions.push(Action::Make(id, Entry { path, kind, permissions, modified: stat.mod_time }));
        if is_empty {
            actions.push(Action::Close(id));
        }
        Ok(actions)
    }

    fn kind(&self, stat: &Stat) -> Result<Kind, ReceiveError> {
        let nonsense = || ReceiveError::Kind(stat.path.clone());
        let number = |number: i64| u32::try_from(number).map_err(|_| nonsense());
        Ok(match mode::kind(stat.mode) {
            0 if stat.linkname.is_empty() => {
                Kind::File { size: u64::try_from(stat.size).map_err(|_| nonsense())? }
            }
            0 => Kind::HardLink { target: stat.linkname.clone() },
            mode::DIRECTORY => Kind::Directory,
            // What a link says may be anything but nothing.
            mode::SYMLINK if !stat.linkname.is_empty() && !stat.linkname.contains('\0') => {
                Kind::Symlink { target: stat.linkname.clone() }
            }
            mode::PIPE => Kind::Pipe,
            mode::DEVICE => Kind::Device {
                takes_characters: false,
                major: number(stat.devmajor)?,
                minor: number(stat.devminor)?,
            },
            CHARACTER_DEVICE => Kind::Device {
                takes_characters: true,
                major: number(stat.devmajor)?,
                minor: number(stat.devminor)?,
            },
            _ => return Err(nonsense()),
        })
    }

    /// Whether something may stand at `path`.
    fn check_place(&self, path: &str) -> Result<(), ReceiveError> {
        let is_name = |name: &str| !matches!(name, "" | "." | "..") && !name.contains('\0');
        if !path.split('/').all(is_name) {
            return Err(ReceiveError::Path(path.to_owned()));
        }
        match path.rsplit_once('/') {
            Some((above, _)) if self.known.get(above) != Some(&Known::Directory) => {
                Err(ReceiveError::Orphan(path.to_owned()))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn data(&mut self, id: u32, data: Vec<u8>) -> Result<Vec<Action>, ReceiveError> {
        let file = self.under_way.get_mut(&id).ok_or(ReceiveError::NotAskedFor(id))?;
        file.sent += data.len() as u64;
        let is_end = data.is_empty();
        if file.sent > file.announced || (is_end && file.sent < file.announced) {
            let UnderWay { path, announced, sent } = file;
            return Err(ReceiveError::Size { path: path.clone(), announced: *announced, sent: *sent });
        }
        if !is_end {
            return Ok(vec![Action::Append(id, data)]);
        }
        self.under_way.remove(&id);
        let mut actions = vec![Action::Close(id)];
        actions.extend(self.ask());
        Ok(actions)
    }

    /// Asks for as much as may be under way, or says that all is there.
    fn ask(&mut self) -> Vec<Action> {
        let mut actions = Vec::new();
        while self.under_way.len() < AT_ONCE
            && let Some((id, file)) = self.wanted.pop_front()
        {
            self.under_way.insert(id, file);
            actions.push(Action::Send(Packet { id, ..packet(PacketType::PacketReq) }));
        }
        if self.under_way.is_empty() {
            actions.push(Action::Finish);
        }
        actions
    }
}

/// The two bits that a character device has.
const CHARACTER_DEVICE: u32 = mode::DEVICE | mode::CHARACTER_DEVICE;
