//! Asks a runtime something, and does not wait for ever.
//!
//! Programs of a build may take as long as they take. What is asked of the runtime itself ends at once, so
//! one that is not done by then will not be, for instance because it has missed the end of its program.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::leash::Cancel;

/// How often it is looked whether the build is still wanted.
const LOOK: Duration = Duration::from_millis(100);
/// More than a runtime says of itself.
const LARGEST_ANSWER: u64 = 1 << 20;

/// It was not done by the deadline.
#[derive(Debug, PartialEq, Eq)]
pub struct Overdue;

/// What a program writes, if it succeeds. All that it has started is ended with it at the deadline.
pub fn answer(command: &mut Command, longest: Duration) -> Result<Option<Vec<u8>>, Overdue> {
    let piped = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let Ok(mut program) = piped.process_group(0).spawn() else { return Ok(None) };
    let (read, done) = channel();
    if let Some(stream) = program.stdout.take() {
        // Not waited for: whoever holds the other end may have left the group.
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let all = stream.take(LARGEST_ANSWER).read_to_end(&mut bytes);
            let _ = read.send(all.map(|_| bytes));
        });
    }
    let started = Instant::now();
    let said = done.recv_timeout(longest).map_err(|_| Overdue);
    let ended = said.and_then(|said: io::Result<Vec<u8>>| {
        loop {
            match program.try_wait() {
                Ok(None) if started.elapsed() < longest => std::thread::sleep(Duration::from_millis(2)),
                Ok(None) => return Err(Overdue),
                Ok(Some(status)) => return Ok(said.ok().filter(|_| status.success())),
                Err(_) => return Ok(None),
            }
        }
    });
    if ended.is_err() {
        if let Some(group) = i32::try_from(program.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = program.wait();
    }
    ended
}

/// Does what can be cancelled, and cancels it at the deadline, or when the build is.
pub fn within<T>(longest: Duration, cancel: &Cancel, act: impl FnOnce(&Cancel) -> T) -> Result<T, Overdue> {
    let (done, waiting) = channel::<()>();
    let alone = &Cancel::default();
    std::thread::scope(|scope| {
        let watching = scope.spawn(move || {
            let started = Instant::now();
            // The other end is dropped when all is done.
            while waiting.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                let is_late = started.elapsed() >= longest;
                if is_late || cancel.is_cancelled() {
                    alone.cancel();
                    return is_late;
                }
            }
            false
        });
        let acted = act(alone);
        drop(done);
        match watching.join() {
            Ok(true) => Err(Overdue),
            Ok(false) => Ok(acted),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}
