//! What a runtime is told of a container: `config.json` of the OCI runtime specification.

use std::path::Path;

use serde_json::{Value, json};

use crate::job::{Job, Network};
use crate::machine::{self, HOST_NAME};
use crate::system_calls;

/// What programs of a build may do as root: what containers are allowed that ask for nothing.
const CAPABILITIES: [&str; 14] = [
    "CAP_AUDIT_WRITE",
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_MKNOD",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_RAW",
    "CAP_SETFCAP",
    "CAP_SETGID",
    "CAP_SETPCAP",
    "CAP_SETUID",
    "CAP_SYS_CHROOT",
];

/// What of `/proc` and `/sys` no program of a build sees.
const MASKED: [&str; 10] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/firmware",
];

/// What of `/proc` no program of a build writes.
const READ_ONLY: [&str; 5] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// The directories that every container has something of the kernel's in.
pub const OF_THE_KERNEL: [&str; 3] = ["/proc", "/dev", "/sys"];

/// One mount, as a runtime makes it.
pub struct Prepared {
    /// Where, as text: runtimes take no other names.
    pub target: String,
    /// The kind of filesystem; `bind` for a directory or file of this machine.
    pub kind: &'static str,
    /// What is mounted.
    pub source: String,
    /// How.
    pub options: Vec<String>,
}

impl Prepared {
    /// A directory or file of this machine.
    pub fn bind(target: String, source: &Path, options: &[&str]) -> Self {
        let options = ["rbind", "rprivate", "nodev"].iter().chain(options);
        Self {
            target,
            kind: "bind",
            source: source.to_string_lossy().into_owned(),
            options: options.map(|option| (*option).to_owned()).collect(),
        }
    }
}

/// The text of `config.json`.
pub fn config(job: &Job, root: &Path, mounts: &[Prepared]) -> String {
    let environment: Vec<String> =
        job.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut namespaces = vec![json!({"type": "pid"}), json!({"type": "ipc"}), json!({"type": "uts"})];
    namespaces.push(json!({"type": "mount"}));
    if job.network == Network::None {
        namespaces.push(json!({"type": "network"}));
    }
    let mut all = of_the_kernel();
    all.extend(mounts.iter().map(|mount| {
        json!({"destination": mount.target, "type": mount.kind, "source": mount.source, "options": mount.options})
    }));
    let config = json!({
        "ociVersion": "1.0.2",
        // Nothing of new privileges: a program may have them where its file says so. To say that it may
        // makes youki load the filter when it is no longer allowed to.
        "process": {
            "terminal": false,
            "user": {
                "uid": job.account.user,
                "gid": job.account.group,
                "additionalGids": job.account.more_groups,
            },
            "args": job.arguments,
            "env": environment,
            "cwd": job.directory,
            "capabilities": {
                "bounding": CAPABILITIES,
                "effective": CAPABILITIES,
                "permitted": CAPABILITIES,
            },
        },
        "root": {"path": root.to_string_lossy(), "readonly": false},
        "hostname": HOST_NAME,
        "mounts": all,
        "linux": {
            "namespaces": namespaces,
            "maskedPaths": MASKED,
            "readonlyPaths": READ_ONLY,
            "seccomp": system_calls::filter(&rustix::system::uname().machine().to_string_lossy()),
        },
    });
    config.to_string()
}

fn of_the_kernel() -> Vec<Value> {
    let mount = |target: &str, kind: &str, options: &[&str]| json!({"destination": target, "type": kind, "source": kind, "options": options});
    let terminals = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"];
    vec![
        mount("/proc", "proc", &["nosuid", "noexec", "nodev"]),
        // Nothing can be made in it: it is the one place where a device that a program makes works.
        mount("/dev", "tmpfs", &["nosuid", "strictatime", "mode=755", "size=65536k", "ro"]),
        mount("/dev/pts", "devpts", &terminals),
        mount("/dev/shm", "tmpfs", &["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]),
        mount("/dev/mqueue", "mqueue", &["nosuid", "noexec", "nodev"]),
        // Only whoever owns the network may mount what tells of it anew.
        match machine::is_in_user_namespace() {
            true => json!({
                "destination": "/sys",
                "type": "bind",
                "source": "/sys",
                "options": ["rbind", "rprivate", "nosuid", "noexec", "nodev", "ro"],
            }),
            false => mount("/sys", "sysfs", &["nosuid", "noexec", "nodev", "ro"]),
        },
    ]
}
