//! Starts a runtime so that its container ends with us, however we end.
//!
//! A runtime that is killed leaves its container running. So a shell starts it, and beside it
//! something that waits for the end of a pipe whose other end is ours alone: the kernel closes
//! that when we are killed, and we do when the build is cancelled. Both are in a group of
//! processes of their own, so that Ctrl-C reaches them in this way only.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// `$1` is the container, `$2` its bundle; what follows is the runtime with its options. The
/// container may not be there yet when it is to be ended, so that is tried until the shell is gone. A
/// runtime may have missed that its container has ended, or hang itself: after ten seconds all are killed.
const SCRIPT: &str = r#"
container=$1 bundle=$2
shift 2
exec 3<&0 </dev/null
(
    read -r nothing <&3
    (
        tries=50
        while [ "$tries" -gt 0 ]; do
            sleep 0.2
            kill -0 "$$" || exit
            tries=$((tries - 1))
        done
        kill -KILL 0
    ) &
    while :; do
        "$@" delete --force "$container"
        kill -0 "$$" || exit
        sleep 0.2
    done
) >/dev/null 2>&1 &
leash=$!
"$@" run --bundle "$bundle" "$container" 3<&-
code=$?
kill "$leash" 2>/dev/null
exit "$code"
"#;

/// By which a build is told to stop. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<Mutex<Held>>);

#[derive(Debug, Default)]
struct Held {
    is_cancelled: bool,
    /// The leashes of what runs, and how many there have been.
    leashes: Vec<(u64, ChildStdin)>,
    count: u64,
}

impl Cancel {
    /// Ends all that runs, and lets nothing begin any more.
    pub fn cancel(&self) {
        let mut held = self.held();
        held.is_cancelled = true;
        held.leashes.clear();
    }

    /// Whether we were told to stop.
    pub fn is_cancelled(&self) -> bool {
        self.held().is_cancelled
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a leash until it is let go; one that comes too late is let go at once.
    fn hold(&self, leash: ChildStdin) -> u64 {
        let mut held = self.held();
        held.count += 1;
        let number = held.count;
        if !held.is_cancelled {
            held.leashes.push((number, leash));
        }
        number
    }

    fn let_go(&self, number: u64) {
        self.held().leashes.retain(|(held, _)| *held != number);
    }
}

/// A container that runs.
pub struct Leashed<'c> {
    /// The shell, whose exit code is the program's.
    pub shell: Child,
    cancel: &'c Cancel,
    number: u64,
}

impl<'c> Leashed<'c> {
    /// Starts a container: `runtime` is the program with its options.
    pub fn start(
        runtime: &[&std::ffi::OsStr],
        bundle: &Path,
        container: &str,
        cancel: &'c Cancel,
    ) -> io::Result<Self> {
        let mut shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "sh", container])
            .arg(bundle)
            .args(runtime)
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let number = match shell.stdin.take() {
            Some(leash) => cancel.hold(leash),
            None => return Err(io::Error::other("the shell has no standard input")),
        };
        Ok(Self { shell, cancel, number })
    }
}

impl Drop for Leashed<'_> {
    fn drop(&mut self) {
        self.cancel.let_go(self.number);
    }
}
