//! What is run, on what, and with what mounted: all that a runtime is told.

use std::path::PathBuf;

/// A program and its surroundings.
#[derive(Clone)]
pub struct Job {
    /// The parts of its root filesystem, lowest first.
    pub parts: Vec<PathBuf>,
    /// The program and its arguments.
    pub arguments: Vec<String>,
    /// Its variables. Some of them may be secrets, so nothing shows a job.
    pub environment: Vec<(String, String)>,
    /// The directory that it starts in, which is there.
    pub directory: String,
    /// Who runs it.
    pub account: Account,
    /// What network it sees.
    pub network: Network,
    /// What is mounted, a mount above before those below it.
    pub mounts: Vec<Mount>,
}

/// A user by number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Account {
    /// The user.
    pub user: u32,
    /// The group.
    pub group: u32,
    /// More groups.
    pub more_groups: Vec<u32>,
}

/// What network a program sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// The machine's.
    Machine,
    /// None but loopback.
    None,
}

/// One mount.
#[derive(Clone)]
pub struct Mount {
    /// Where: an absolute path that leads through no link of the root filesystem.
    pub target: Vec<u8>,
    /// What.
    pub what: Mounted,
}

/// What can be mounted.
#[derive(Clone)]
pub enum Mounted {
    /// A directory or file of a filesystem in parts.
    Parts {
        /// The parts, lowest first.
        parts: Vec<PathBuf>,
        /// The path in them, without a slash at either end; empty for all.
        select: Vec<u8>,
        /// Whether the program may write. What it writes is thrown away.
        writable: bool,
    },
    /// A directory of this machine, to be written.
    Directory(PathBuf),
    /// Memory.
    Tmpfs {
        /// The most it may hold, in bytes.
        size: Option<u64>,
    },
    /// A file that exists in memory alone, for reading.
    File {
        /// Its bytes, which may be a secret.
        bytes: Vec<u8>,
        /// Its mode; root owns it.
        mode: u32,
    },
    /// An ssh agent that listens here; programs may use it, and not change it.
    Agent(PathBuf),
}

/// A stream of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Output,
    /// Standard error.
    Errors,
}

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// With this exit code.
    Exited(i32),
    /// It was never started, and the runtime says why.
    NotStarted(String),
    /// We were asked to stop.
    Cancelled,
}
