//! Runs a program on parts, and leaves what it has changed as one more part.
//!
//! All mounts are made in a mount namespace of the thread that waits for the program, so nobody
//! else sees them, and none is left whatever happens. What holds secrets is written to memory
//! alone.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_change, unmount};
use rustix::thread::UnshareFlags;

use crate::agent::{Agent, Connections};
use crate::container::{OF_THE_KERNEL, Prepared, config};
use crate::job::{Ended, Job, Mounted, Stream};
pub use crate::leash::Cancel;
use crate::leash::Leashed;
use crate::mount_points::{Form, MountPoints};
use crate::overlay::{Access, Overlay};
use crate::runtime::Runtime;

/// Why a program could not be run, whatever it is.
#[derive(Debug, thiserror::Error)]
#[error("{attempt} `{}`", path.display())]
pub struct RunError {
    /// What was attempted, for instance `mount`.
    pub attempt: &'static str,
    /// On what.
    pub path: PathBuf,
    /// What happened.
    #[source]
    pub source: io::Error,
}

/// What came of a program.
#[derive(Debug)]
pub struct Ran {
    /// How it ended.
    pub ended: Ended,
    /// The part that it has left.
    pub left: PathBuf,
}

/// What a program writes is given to this as it comes.
pub type Output<'o> = dyn Fn(Stream, &[u8]) + Sync + 'o;

/// Where the second tree of control groups is, on machines that have two.
const SECOND_GROUPS: &str = "/sys/fs/cgroup/unified";

/// Runs a program in `directory`, which is empty and nobody else's.
pub fn run(
    runtime: &Runtime,
    directory: &Path,
    job: &Job,
    output: &Output<'_>,
    cancel: &Cancel,
) -> Result<Ran, RunError> {
    std::thread::scope(|scope| {
        let running = std::thread::Builder::new()
            .name("program".to_owned())
            .spawn_scoped(scope, || Run { runtime, directory, output, cancel }.run(job))
            .map_err(failed("start a thread for", directory))?;
        match running.join() {
            Ok(ran) => ran,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Whether programs can be run in `directory`: tries what takes most, an overlay.
pub fn check(directory: &Path) -> Result<(), RunError> {
    std::thread::scope(|scope| {
        let trying = scope.spawn(|| {
            enter_own_namespace().map_err(failed("make a mount namespace for", directory))?;
            let overlay = Overlay::new(directory).map_err(failed("make", directory))?;
            overlay.mount(&[], Access::Write).map_err(failed("mount an overlay in", directory))?;
            Ok(())
        });
        match trying.join() {
            Ok(tried) => tried,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

struct Run<'r> {
    runtime: &'r Runtime,
    directory: &'r Path,
    output: &'r Output<'r>,
    cancel: &'r Cancel,
}

impl Run<'_> {
    fn run(&self, job: &Job) -> Result<Ran, RunError> {
        enter_own_namespace().map_err(failed("make a mount namespace for", self.directory))?;
        let overlay_directory = self.directory.join("program");
        let overlay = Overlay::new(&overlay_directory).map_err(failed("make", &overlay_directory))?;
        let root = overlay
            .mount(&job.parts, Access::Write)
            .map_err(failed("mount the root filesystem in", &overlay_directory))?;
        let memory = self.memory()?;
        let mut points = MountPoints::default();
        let mut point = |target: &[u8], form| {
            let made = points.make(&root, target, form);
            made.map_err(failed("make a place to mount on at", Path::new(OsStr::from_bytes(target))))
        };
        for target in OF_THE_KERNEL {
            // What only holds mounts of the plan goes with them, as all that is made for these.
            if job.mounts.iter().any(|mount| is_below(&mount.target, &[target])) {
                point(target.as_bytes(), Form::Directory)?;
            } else {
                let made = MountPoints::make_lasting(&root, target);
                made.map_err(failed("make a place to mount on at", Path::new(target)))?;
            }
        }
        let (mut mounts, mut agents) = (Vec::with_capacity(job.mounts.len()), Vec::new());
        for (place, mount) in job.mounts.iter().enumerate() {
            if let Mounted::Agent(agent) = &mount.what {
                agents.push(Agent::new(listen(&memory, place)?, agent.clone()));
            }
            let (prepared, form) = self.prepare(place, &mount.target, &mount.what, &memory)?;
            // What is mounted over a directory of the kernel's is no part of the root filesystem.
            if !is_below(&mount.target, &OF_THE_KERNEL) {
                point(&mount.target, form)?;
            }
            mounts.push(prepared);
        }
        write(&memory.join("config.json"), config(job, &root, &mounts).as_bytes(), 0o600)?;
        let ended = self.wait(&memory, &agents)?;
        points.take_away().map_err(failed("clear up", &root))?;
        Ok(Ran { ended, left: overlay.upper() })
    }

    /// A directory in memory, for what must not be written to a disk.
    fn memory(&self) -> Result<PathBuf, RunError> {
        let memory = self.directory.join("memory");
        fs::create_dir(&memory).map_err(failed("make", &memory))?;
        let flags = MountFlags::NOSUID | MountFlags::NODEV;
        mount("tmpfs", &memory, "tmpfs", flags, Some(c"mode=0700"))
            .map_err(|error| failed("mount memory at", &memory)(error.into()))?;
        Ok(memory)
    }

    fn prepare(
        &self,
        place: usize,
        target: &[u8],
        what: &Mounted,
        memory: &Path,
    ) -> Result<(Prepared, Form), RunError> {
        let target = String::from_utf8(target.to_vec()).map_err(|_| {
            let not_text = io::Error::other("runtimes take no mount whose place is no text");
            failed("mount at", Path::new(OsStr::from_bytes(target)))(not_text)
        })?;
        Ok(match what {
            Mounted::Parts { parts, select, writable } => {
                let directory = self.directory.join(format!("mount-{place}"));
                let access = if *writable { Access::Write } else { Access::Read };
                let mounted = Overlay::new(&directory).and_then(|overlay| overlay.mount(parts, access));
                let mounted = mounted.map_err(failed("mount files in", &directory))?;
                let source = match select.is_empty() {
                    true => mounted,
                    false => mounted.join(OsStr::from_bytes(select)),
                };
                let found = fs::symlink_metadata(&source).map_err(failed("look at", &source))?;
                let form = if found.is_dir() { Form::Directory } else { Form::File };
                let options: &[&str] = if *writable { &[] } else { &["ro"] };
                (Prepared::bind(target, &source, options), form)
            }
            Mounted::Directory(path) => (Prepared::bind(target, path, &[]), Form::Directory),
            Mounted::Agent(_) => (Prepared::bind(target, &memory.join(agent_name(place)), &[]), Form::File),
            Mounted::File { bytes, mode } => {
                let path = memory.join(format!("file-{place}"));
                write(&path, bytes, *mode)?;
                (Prepared::bind(target, &path, &["ro", "nosuid", "noexec"]), Form::File)
            }
            Mounted::Tmpfs { size } => {
                let mut options = vec!["nosuid".to_owned(), "nodev".to_owned()];
                options.extend(size.map(|size| format!("size={size}")));
                let source = "tmpfs".to_owned();
                (Prepared { target, kind: "tmpfs", source, options }, Form::Directory)
            }
        })
    }

    /// Starts the container of `memory/config.json`, passes its output on, and waits for its end.
    fn wait(&self, memory: &Path, agents: &[Agent]) -> Result<Ended, RunError> {
        let program = self.runtime.program();
        let (state, log) = (memory.join("state"), memory.join("log"));
        let mut runtime: Vec<&OsStr> = [program.as_os_str(), "--root".as_ref(), state.as_os_str()].into();
        runtime.extend(["--log".as_ref(), log.as_os_str(), "--log-format".as_ref(), OsStr::new("json")]);
        if self.runtime.is_crun() {
            runtime.push("--cgroup-manager=disabled".as_ref());
            hide_second_groups();
        }
        let name = self.directory.file_name().map(OsStr::to_string_lossy).unwrap_or_default();
        let container = format!("cogpackc-{name}");
        let mut leashed =
            Leashed::start(&runtime, memory, &container, self.cancel).map_err(failed("start", program))?;
        let (stdout, stderr) = (leashed.shell.stdout.take(), leashed.shell.stderr.take());
        // Where the addresses of agents are relative to.
        rustix::process::chdir(memory).map_err(|error| failed("enter", memory)(error.into()))?;
        let connections = Connections::default();
        std::thread::scope(|scope| {
            agents.iter().for_each(|agent| agent.serve(scope, &connections));
            let output = stdout.map(|stream| scope.spawn(|| self.pass_on(Stream::Output, stream)));
            if let Some(stream) = stderr {
                self.pass_on(Stream::Errors, stream);
            }
            // Both streams end with the program.
            if let Some(Err(panic)) = output.map(|passing| passing.join()) {
                std::panic::resume_unwind(panic);
            }
            connections.end();
            agents.iter().for_each(Agent::wake);
        });
        let status = leashed.shell.wait().map_err(failed("wait for", program))?;
        drop(leashed);
        if self.cancel.is_cancelled() {
            return Ok(Ended::Cancelled);
        }
        Ok(match (status.code(), complaint(&log)) {
            (Some(0), _) => Ended::Exited(0),
            (_, Some(complaint)) => Ended::NotStarted(complaint),
            (Some(code), None) => Ended::Exited(code),
            (None, None) => Ended::NotStarted(format!("`{}` was killed", program.display())),
        })
    }

    fn pass_on(&self, name: Stream, mut stream: impl Read) {
        let mut bytes = vec![0; 8192];
        loop {
            match stream.read(&mut bytes) {
                Ok(0) => return,
                Ok(count) => (self.output)(name, &bytes[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Then nobody writes any more; how it ended is told by its exit.
                Err(_) => return,
            }
        }
    }
}

fn agent_name(place: usize) -> String {
    format!("agent-{place}")
}

/// A socket in memory that only root may use. Its address is relative, since a socket's path must be
/// short. The working directory is this thread's own.
fn listen(memory: &Path, place: usize) -> Result<UnixListener, RunError> {
    let name = agent_name(place);
    let listening = rustix::process::chdir(memory).map_err(io::Error::from).and_then(|()| {
        let listener = UnixListener::bind(&name)?;
        fs::set_permissions(&name, Permissions::from_mode(0o600))?;
        Ok(listener)
    });
    listening.map_err(failed("listen at", &memory.join(name)))
}

/// Puts this thread into a mount namespace of its own, from which nothing gets out.
fn enter_own_namespace() -> io::Result<()> {
    #[expect(
        deprecated,
        reason = "the safe form; what may go wrong does so with open files alone, which stay shared"
    )]
    rustix::thread::unshare(UnshareFlags::NEWNS)?;
    mount_change("/", MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC)?;
    Ok(())
}

/// Hides the second tree of control groups from crun, which takes two for none. In our own
/// namespace; where that is impossible, crun will say so.
fn hide_second_groups() {
    let has_some = |path| fs::read(path).is_ok_and(|controllers| !controllers.is_empty());
    if has_some(Path::new(SECOND_GROUPS).join("cgroup.controllers")) {
        // In a user namespace nothing is taken away that was there before; something can cover it.
        if unmount(SECOND_GROUPS, UnmountFlags::DETACH).is_err() {
            let _ = mount("tmpfs", SECOND_GROUPS, "tmpfs", MountFlags::RDONLY, None);
        }
    }
}

/// The last error that a runtime has written into its log.
fn complaint(log: &Path) -> Option<String> {
    let text = fs::read_to_string(log).ok()?;
    text.lines().rev().find_map(complaint_of)
}

/// What a line says, if it is an error, as crun, runc and youki write them.
fn complaint_of(line: &str) -> Option<String> {
    let entry: serde_json::Value = serde_json::from_str(line).ok()?;
    let level = entry["level"].as_str()?.to_ascii_lowercase();
    let message = entry["msg"].as_str().or_else(|| entry["message"].as_str())?;
    // A trace of calls may follow.
    let first = message.split("\n\n").next().unwrap_or_default();
    matches!(level.as_str(), "error" | "fatal").then(|| first.to_owned())
}

fn is_below(target: &[u8], directories: &[&str]) -> bool {
    directories.iter().any(|directory| {
        let rest = target.strip_prefix(directory.as_bytes());
        rest.is_some_and(|rest| rest.starts_with(b"/"))
    })
}

fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), RunError> {
    let written = File::create_new(path).and_then(|mut file| {
        file.set_permissions(Permissions::from_mode(mode))?;
        file.write_all(bytes)
    });
    written.map_err(failed("write", path))
}

pub(crate) fn failed(attempt: &'static str, path: &Path) -> impl FnOnce(io::Error) -> RunError {
    let path = path.to_owned();
    move |source| RunError { attempt, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runtimes_complain_of_is_understood_however_they_write_it() {
        for (line, said) in [
            (r#"{"msg":"no such file","level":"error","time":"t"}"#, Some("no such file")),
            (r#"{"level":"fatal","msg":"broken"}"#, Some("broken")),
            (
                r#"{"level":"ERROR","message":"broken: why\n\nStack backtrace:\n   0: <unknown>"}"#,
                Some("broken: why"),
            ),
            (r#"{"level":"WARN","message":"something"}"#, None),
            (r#"{"level":"warning","msg":"something"}"#, None),
            ("broken", None),
        ] {
            assert_eq!(complaint_of(line).as_deref(), said, "{line}");
        }
    }
}
