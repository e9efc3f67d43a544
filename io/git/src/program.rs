//! The machine's own `git`, told what it needs to know of its user and nothing else, and not waited for for
//! ever.
//!
//! Of the user's settings it has those that say how servers are reached: logins, addresses that stand for
//! others, proxies, certificates, ssh. It has none of those that change what a checkout is: line ends,
//! filters, attributes, hooks and templates. So whoever asks for a commit gets the same files.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::words::{self, Words};

/// A server that has not said anything for so long has gone. It packs what is wanted before it sends it,
/// and tells how far it is.
const LONGEST_SILENCE: Duration = Duration::from_secs(120);
/// How often it is looked whether the build is still wanted.
const LOOK: Duration = Duration::from_millis(100);
/// How often it is looked whether a program has ended that has closed its output.
const MOMENT: Duration = Duration::from_millis(2);
/// How long is waited for what a program said last.
const LAST_WORDS: Duration = Duration::from_millis(50);
/// Files of submodules and lists of settings are shorter.
const LONGEST_ANSWER: usize = 4 << 20;
/// The first version that can be told to read no settings, and given some by the environment.
const OLDEST: (u32, u32) = (2, 32);

/// The beginnings of settings that say how servers are reached.
const REACHING: [&str; 5] = ["credential.", "url.", "http.", "ssh.", "protocol."];
/// Single settings that say so.
const REACHING_TOO: [&str; 3] = ["core.sshcommand", "core.askpass", "core.gitproxy"];

/// What git is told besides.
const TOLD: [(&str, &str); 23] = [
    // Whatever the user allows: an address never runs a program.
    ("protocol.ext.allow", "never"),
    ("core.hooksPath", "/dev/null"),
    ("core.attributesFile", "/dev/null"),
    ("core.excludesFile", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("init.defaultBranch", "main"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("fetch.recurseSubmodules", "false"),
    ("submodule.recurse", "false"),
    ("transfer.fsckObjects", "true"),
    ("fetch.fsckObjects", "true"),
    // Mistakes in who wrote a commit and when, and in how a mode is written, that old programs have made in
    // repositories which many use. No file becomes another one by them.
    ("fetch.fsck.badDate", "ignore"),
    ("fetch.fsck.badDateOverflow", "ignore"),
    ("fetch.fsck.badEmail", "ignore"),
    ("fetch.fsck.badName", "ignore"),
    ("fetch.fsck.badTimezone", "ignore"),
    ("fetch.fsck.missingEmail", "ignore"),
    ("fetch.fsck.missingNameBeforeEmail", "ignore"),
    ("fetch.fsck.missingSpaceBeforeDate", "ignore"),
    ("fetch.fsck.missingSpaceBeforeEmail", "ignore"),
    ("fetch.fsck.zeroPaddedDate", "ignore"),
    ("fetch.fsck.zeroPaddedFilemode", "ignore"),
];

/// Variables that lead git to another repository or to other settings, or have it say what nobody asks for.
const TAKEN_AWAY: [&str; 30] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_ATTR_SOURCE",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CURL_VERBOSE",
    "GIT_DEFAULT_HASH",
    "GIT_DIR",
    "GIT_GLOB_PATHSPECS",
    "GIT_GRAFT_FILE",
    "GIT_ICASE_PATHSPECS",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INDEX_VERSION",
    "GIT_LITERAL_PATHSPECS",
    "GIT_NAMESPACE",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_TEMPLATE_DIR",
    "GIT_TRACE",
    "GIT_TRACE2",
    "GIT_TRACE2_EVENT",
    "GIT_TRACE2_PERF",
    "GIT_TRACE_CURL",
    "GIT_TRACE_PACKET",
    "GIT_TRACE_SETUP",
    "GIT_WORK_TREE",
];

/// Why git did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// There is none.
    #[error("`git` is not on PATH")]
    Missing,
    /// It is too old.
    #[error("`{}` is of version {found}, and can be used from 2.32 on", program.display())]
    Old {
        /// Which.
        program: PathBuf,
        /// What it says of itself.
        found: String,
    },
    /// It cannot be run.
    #[error("run `git`")]
    Run(#[source] io::Error),
    /// It failed.
    #[error("git says: {said}")]
    Failed {
        /// What it says, without logins.
        said: String,
    },
    /// The disk that it writes to takes no more.
    #[error("git says: {said}")]
    Full {
        /// What it says, without logins.
        said: String,
    },
    /// Its server is silent.
    #[error("nothing has come for {} seconds", LONGEST_SILENCE.as_secs())]
    Silent,
    /// It says more than it should.
    #[error("git answers more than {LONGEST_ANSWER} bytes")]
    Long,
    /// Nobody wants it any more.
    #[error("it was cancelled")]
    Cancelled,
}

/// Tells whoever fetches that it is no longer wanted.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Says so.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was said.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// For how long git may be silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// It waits for a server.
    Server,
    /// It works on the disk, which may take as long as it takes.
    Disk,
}

/// The program.
#[derive(Debug)]
pub struct Git {
    program: PathBuf,
    settings: Vec<(OsString, OsString)>,
    cancel: Cancel,
}

impl Git {
    /// Finds it in one of the directories of `path`, and asks it for the user's settings. `beside` is a
    /// directory that is no repository.
    pub fn find(path: Option<&OsStr>, beside: &Path, cancel: &Cancel) -> Result<Self, GitError> {
        let mut places =
            path.into_iter().flat_map(std::env::split_paths).map(|directory| directory.join("git"));
        let program = places.find(|place| place.is_file()).ok_or(GitError::Missing)?;
        let mut git = Self { program, settings: Vec::new(), cancel: cancel.clone() };
        let said = git.answer(git.with_all_settings(beside).arg("version"))?;
        let said = String::from_utf8_lossy(&said).trim().to_owned();
        if version(&said).is_none_or(|version| version < OLDEST) {
            let found = said.trim_start_matches("git version ").to_owned();
            return Err(GitError::Old { program: git.program, found });
        }
        let mut asking = git.with_all_settings(beside);
        let listed = git.answer(asking.args(["config", "--list", "--includes", "--show-scope", "-z"]))?;
        git.settings = reaching(&listed);
        git.settings.extend(TOLD.map(|(key, value)| (key.into(), value.into())));
        Ok(git)
    }

    /// A command on a repository.
    pub fn command(&self, repository: &Path) -> Command {
        let mut command = self.bare(repository);
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
        command.env_remove("GIT_CONFIG_PARAMETERS").env("GIT_ATTR_NOSYSTEM", "1");
        command.env("GIT_CONFIG_COUNT", self.settings.len().to_string());
        for (place, (key, value)) in self.settings.iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{place}"), key);
            command.env(format!("GIT_CONFIG_VALUE_{place}"), value);
        }
        command
    }

    /// A command that reads all settings of the user.
    fn with_all_settings(&self, beside: &Path) -> Command {
        let mut command = self.bare(beside);
        command.env_remove("GIT_DIR").env("GIT_CEILING_DIRECTORIES", beside.parent().unwrap_or(beside));
        command
    }

    /// Through a shell, because files are to have the modes that they have elsewhere, and nobody is to be
    /// asked for a password on a terminal that shows a build.
    fn bare(&self, repository: &Path) -> Command {
        let mut command = Command::new("/bin/sh");
        let script = "umask 022; export SSH_ASKPASS=\"${SSH_ASKPASS:-false}\" SSH_ASKPASS_REQUIRE=force; exec \"$0\" \"$@\"";
        command.args(["-c", script]).arg(&self.program).current_dir(repository);
        TAKEN_AWAY.iter().for_each(|name| {
            command.env_remove(name);
        });
        command.env("GIT_DIR", repository).env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C");
        command.env("GIT_NO_REPLACE_OBJECTS", "1").env("GIT_NO_LAZY_FETCH", "1");
        command
    }

    /// What a command answers that works on the disk.
    pub fn answer(&self, command: &mut Command) -> Result<Vec<u8>, GitError> {
        self.answer_of(Patience::Disk, command)
    }

    /// What a command answers.
    pub fn answer_of(&self, patience: Patience, command: &mut Command) -> Result<Vec<u8>, GitError> {
        let mut answer = Vec::new();
        self.run(patience, command, |bytes| {
            answer.extend_from_slice(bytes);
            match answer.len() {
                0..=LONGEST_ANSWER => ControlFlow::Continue(()),
                _ => ControlFlow::Break(()),
            }
        })?;
        if answer.len() > LONGEST_ANSWER { Err(GitError::Long) } else { Ok(answer) }
    }

    /// Runs a command, and gives away what it answers until that is enough: then it is ended. It is ended
    /// with all that it has started when nobody wants it any more, or when it is silent for too long.
    pub fn run(
        &self,
        patience: Patience,
        command: &mut Command,
        mut take: impl FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<(), GitError> {
        let piped = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut running = Running::start(piped.process_group(0))?;
        let mut words = Words::default();
        let mut heard = Instant::now();
        loop {
            if self.cancel.is_cancelled() {
                return Err(GitError::Cancelled);
            }
            match running.pieces.recv_timeout(LOOK) {
                Ok(Piece::Answered(bytes)) => {
                    heard = Instant::now();
                    if take(&bytes).is_break() {
                        return Ok(());
                    }
                }
                Ok(Piece::Said(bytes)) => {
                    heard = Instant::now();
                    words.add(&bytes);
                }
                Ok(Piece::End) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if patience == Patience::Server && heard.elapsed() > LONGEST_SILENCE {
                return Err(GitError::Silent);
            }
        }
        let status = loop {
            match running.ended()? {
                Some(status) => break status,
                None if self.cancel.is_cancelled() => return Err(GitError::Cancelled),
                None => std::thread::sleep(MOMENT),
            }
        };
        // Who was started by it may hold the stream open, as connections of ssh that are kept do.
        while let Ok(piece) = running.pieces.recv_timeout(LAST_WORDS) {
            match piece {
                Piece::Said(bytes) => words.add(&bytes),
                Piece::Answered(_) | Piece::End => {}
            }
        }
        if status.success() {
            return Ok(());
        }
        let said = words.of_failure().unwrap_or_else(|| format!("nothing, and ends with {status}"));
        Err(match words.tell_of_a_full_disk() {
            true => GitError::Full { said },
            false => GitError::Failed { said },
        })
    }
}

/// A part of what a program writes.
enum Piece {
    Answered(Vec<u8>),
    Said(Vec<u8>),
    /// It answers no more.
    End,
}

/// A program and all that it starts. It is ended when this goes.
struct Running {
    child: Child,
    has_ended: bool,
    pieces: Receiver<Piece>,
}

impl Running {
    fn start(command: &mut Command) -> Result<Self, GitError> {
        let mut child = command.spawn().map_err(GitError::Run)?;
        let (send, pieces) = sync_channel(16);
        if let Some(stream) = child.stderr.take() {
            let send = send.clone();
            // Not waited for: whoever holds the other end may have left the group.
            std::thread::spawn(move || pass_on(stream, &send, Piece::Said));
        }
        if let Some(stream) = child.stdout.take() {
            std::thread::spawn(move || {
                pass_on(stream, &send, Piece::Answered);
                // Nobody listens where it was ended.
                let _ = send.send(Piece::End);
            });
        }
        Ok(Self { child, has_ended: false, pieces })
    }

    fn ended(&mut self) -> Result<Option<ExitStatus>, GitError> {
        let status = self.child.try_wait().map_err(GitError::Run)?;
        self.has_ended = status.is_some();
        Ok(status)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.has_ended {
            return;
        }
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // It may have ended by itself in the meantime.
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

fn pass_on(mut stream: impl Read, send: &SyncSender<Piece>, piece: impl Fn(Vec<u8>) -> Piece) {
    let mut buffer = vec![0; 1 << 16];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) if send.send(piece(buffer[..count].to_vec())).is_err() => return,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

/// The first two numbers of `git version 2.47.3`.
fn version(said: &str) -> Option<(u32, u32)> {
    let mut numbers = said.strip_prefix("git version ")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// Those of all settings that say how servers are reached, in their order: scopes and settings, a NUL behind
/// each, and a line break between name and value.
fn reaching(listed: &[u8]) -> Vec<(OsString, OsString)> {
    let mut fields: VecDeque<&[u8]> = listed.split(|byte| *byte == 0).collect();
    let mut settings = Vec::new();
    while let (Some(scope), Some(setting)) = (fields.pop_front(), fields.pop_front()) {
        // A setting without a value is true.
        let (key, value) = words::split(setting, b'\n').unwrap_or((setting, b"true"));
        let name = key.to_ascii_lowercase();
        let is_wanted = REACHING.iter().any(|start| name.starts_with(start.as_bytes()))
            || REACHING_TOO.iter().any(|one| name == one.as_bytes());
        if is_wanted && !matches!(scope, b"local" | b"worktree") {
            settings.push((key.to_vec(), value.to_vec()));
        }
    }
    let texts = |(key, value): (Vec<u8>, Vec<u8>)| (OsString::from_vec(key), OsString::from_vec(value));
    settings.into_iter().map(texts).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_as_git_says_it() {
        assert_eq!(version("git version 2.47.3"), Some((2, 47)));
        assert_eq!(version("git version 2.39.5 (Apple Git-154)"), Some((2, 39)));
        assert_eq!(version("git version unknown"), None);
        assert!((2, 31) < OLDEST && (3, 0) > OLDEST);
    }

    #[test]
    fn settings_that_say_how_servers_are_reached_are_kept_and_no_others() {
        let listed = b"system\0core.autocrlf\ntrue\0global\0http.https://a.example/.extraheader\nA: b\nc\0\
            global\0filter.lfs.smudge\ngit-lfs smudge\0local\0credential.helper\nfrom-elsewhere\0\
            command\0url.git://b/.insteadof\nhttps://b/\0global\0core.sshCommand\nssh -v\0\
            global\0protocol.file.allow\0global\0core.hooksPath\n/hooks\0";
        let kept: Vec<_> = reaching(listed)
            .into_iter()
            .map(|(key, value)| format!("{}={}", key.display(), value.display()))
            .collect();
        assert_eq!(
            kept,
            [
                "http.https://a.example/.extraheader=A: b\nc",
                "url.git://b/.insteadof=https://b/",
                "core.sshCommand=ssh -v",
                "protocol.file.allow=true",
            ]
        );
    }

    #[test]
    fn a_machine_without_git_is_told_so() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        for path in [None, Some(folder.path().as_os_str())] {
            let found = Git::find(path, folder.path(), &Cancel::default());
            assert!(matches!(found, Err(GitError::Missing)), "{found:?}");
        }
    }
}
