//! What a runtime lacks of what programs of a build rely on: by what it says of itself, and where it
//! does not say, by what it does.
//!
//! A runtime may pass over what it was told, and start the program all the same. So it is asked before
//! any work, by the command `features` of the OCI runtime specification. One without that command is
//! older than it, or no runtime at all, which may start nothing and end well. Of the filter of the kernel's
//! calls some say nothing there, though they may have been built without one. In either case a program
//! tries a call that is refused. What has given no answer by a deadline gives none: that is lacking, too.

use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::deadline::{Overdue, answer, within};
use crate::job::{Account, Ended, Job, Network};
use crate::leash::Cancel;
use crate::run::{RunError, failed, run};
use crate::runtime::Runtime;

/// The version of what runtimes are told, see [`crate::container`].
const TOLD: [u64; 3] = [1, 0, 2];
/// What programs are kept apart by.
const NAMESPACES: [&str; 5] = ["ipc", "mount", "network", "pid", "uts"];
/// What is said of mounts besides what their filesystems understand.
const MOUNT_OPTIONS: [&str; 7] = ["nodev", "noexec", "nosuid", "rbind", "ro", "rprivate", "strictatime"];
/// What the filter does.
const ACTIONS: [&str; 2] = ["SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO"];

/// By when either question is answered; that takes less than a second where nothing else is done.
const LONGEST: Duration = Duration::from_secs(60);

/// What is lacking, in words that go on from the runtime's name; nothing where all is there, or where it is
/// no longer wanted. `part` and `directory` are empty, and nobody else's.
pub fn lacking(
    runtime: &Runtime,
    part: &Path,
    directory: &Path,
    cancel: &Cancel,
) -> Result<Vec<String>, RunError> {
    lacking_by(LONGEST, runtime, part, directory, cancel)
}

fn lacking_by(
    longest: Duration,
    runtime: &Runtime,
    part: &Path,
    directory: &Path,
    cancel: &Cancel,
) -> Result<Vec<String>, RunError> {
    let late = |what| format!("{what} within {} seconds", longest.as_secs());
    let features = match features(runtime, longest) {
        Ok(features) => features.unwrap_or_default(),
        Err(Overdue) => return Ok(vec![late("does not say what it can do (`features`)")]),
    };
    let mut lacking = said(&features);
    if features["linux"]["seccomp"]["enabled"].is_null()
        && let Some(program) = program(&rustix::system::uname().machine().to_string_lossy())
    {
        match within(longest, cancel, |alone| tried(runtime, &program, part, directory, alone)) {
            Ok(tried) => lacking.extend(tried?),
            Err(Overdue) => lacking.push(late("does not come back from a program that ends at once")),
        }
    }
    Ok(lacking)
}

/// What it says of itself; nothing where it does not know the question.
fn features(runtime: &Runtime, longest: Duration) -> Result<Option<Value>, Overdue> {
    let said = answer(Command::new(runtime.program()).arg("features"), longest)?;
    let features = said.and_then(|said| serde_json::from_slice::<Value>(&said).ok());
    Ok(features.filter(Value::is_object))
}

/// What of it says that something is lacking. What it leaves out is unknown.
fn said(features: &Value) -> Vec<String> {
    let mut lacking = Vec::new();
    if let Some(least) = features["ociVersionMin"].as_str()
        && version(least).is_some_and(|least| least > TOLD)
    {
        lacking.push(format!("takes nothing older than version {least} of the specification"));
    }
    let mut all_of = |known: &Value, wanted: &[&str], what: &str| {
        if let Some(known) = known.as_array() {
            let missing = wanted.iter().filter(|name| !known.iter().any(|it| it == **name));
            lacking.extend(missing.map(|name| format!("{what} `{name}`")));
        }
    };
    let linux = &features["linux"];
    all_of(&linux["namespaces"], &NAMESPACES, "makes no namespace");
    all_of(&features["mountOptions"], &MOUNT_OPTIONS, "knows no mount option");
    match linux["seccomp"]["enabled"].as_bool() {
        Some(false) => lacking.push(NO_FILTER.to_owned()),
        Some(true) | None => {
            all_of(&linux["seccomp"]["actions"], &ACTIONS, "filters no calls of the kernel by");
        }
    }
    lacking
}

const NO_FILTER: &str = "filters no calls of the kernel, because it was built without seccomp";

/// The numbers of a version, without what stands behind them.
fn version(text: &str) -> Option<[u64; 3]> {
    let mut numbers = text.split(['-', '+']).next()?.split('.').map(str::parse);
    let mut next = || numbers.next()?.ok();
    Some([next()?, next()?, next()?])
}

/// The exit code of a program whose call came through, and of one whose call was not permitted.
const CAME_THROUGH: i32 = 41;
const NOT_PERMITTED: i32 = CAME_THROUGH + 1;

/// Runs the program that tries a call.
fn tried(
    runtime: &Runtime,
    program: &[u8],
    part: &Path,
    directory: &Path,
    cancel: &Cancel,
) -> Result<Option<String>, RunError> {
    let path = part.join("try");
    let written = File::create_new(&path).and_then(|mut file| {
        file.set_permissions(Permissions::from_mode(0o755))?;
        file.write_all(program)
    });
    written
        .and_then(|()| fs::set_permissions(part, Permissions::from_mode(0o755)))
        .map_err(failed("write", &path))?;
    let job = Job {
        parts: vec![part.to_owned()],
        arguments: vec!["/try".to_owned()],
        // youki starts nothing without it.
        environment: vec![("PATH".to_owned(), "/".to_owned())],
        directory: "/".to_owned(),
        account: Account::default(),
        network: Network::Machine,
        mounts: Vec::new(),
    };
    Ok(match run(runtime, directory, &job, &|_, _| {}, cancel)?.ended {
        Ended::Exited(NOT_PERMITTED) => None,
        Ended::Exited(CAME_THROUGH) => Some(NO_FILTER.to_owned()),
        Ended::Exited(code) => Some(format!("starts no program here, and ends with exit code {code}")),
        Ended::NotStarted(complaint) => Some(format!("starts no program here: {complaint}")),
        Ended::Cancelled => None,
    })
}

/// A program that makes no namespace by `unshare(0)`, which everybody may and the filter does not permit,
/// and ends with what comes of it. Nothing where nobody has written it for this processor.
fn program(processor: &str) -> Option<Vec<u8>> {
    const AT: u64 = 0x40_0000;
    const HEADERS: u64 = 64 + 56;
    let (machine, instructions): (u16, &[u8]) = match processor {
        "x86_64" => (
            62,
            &[
                0x31, 0xff, // xor edi, edi
                0xb8, 0x10, 0x01, 0, 0, // mov eax, 272
                0x0f, 0x05, // syscall
                0xbf, 41, 0, 0, 0, // mov edi, 41
                0x29, 0xc7, // sub edi, eax
                0xb8, 0xe7, 0, 0, 0, // mov eax, 231
                0x0f, 0x05, // syscall
            ],
        ),
        "aarch64" => (
            183,
            &[
                0x00, 0x00, 0x80, 0xd2, // mov x0, #0
                0x28, 0x0c, 0x80, 0xd2, // mov x8, #97
                0x01, 0x00, 0x00, 0xd4, // svc #0
                0x21, 0x05, 0x80, 0xd2, // mov x1, #41
                0x20, 0x00, 0x00, 0xcb, // sub x0, x1, x0
                0xc8, 0x0b, 0x80, 0xd2, // mov x8, #94
                0x01, 0x00, 0x00, 0xd4, // svc #0
            ],
        ),
        _ => return None,
    };
    let size = HEADERS + instructions.len() as u64;
    let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    bytes.extend([2, machine].into_iter().flat_map(u16::to_le_bytes));
    bytes.extend(1_u32.to_le_bytes());
    bytes.extend([AT + HEADERS, 64, 0].into_iter().flat_map(u64::to_le_bytes));
    bytes.extend(0_u32.to_le_bytes());
    bytes.extend([64_u16, 56, 1, 0, 0, 0].into_iter().flat_map(u16::to_le_bytes));
    bytes.extend([1_u32, 5].into_iter().flat_map(u32::to_le_bytes));
    bytes.extend([0, AT, AT, size, size, 0x1000].into_iter().flat_map(u64::to_le_bytes));
    bytes.extend(instructions);
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_runtime_that_does_not_come_back_is_given_up_with_all_that_it_has_started() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = |name: &str| folder.path().join(name);
        let [part, directory, pids] = ["part", "directory", "pids"].map(path);
        for made in [&part, &directory, &pids] {
            fs::create_dir(made).expect("can be made");
        }
        // It hangs in one thing that it is asked, and in whatever it is asked from then on.
        let lacking = |hangs: &str| {
            let script = format!(
                "#!/bin/sh\nfor word; do\n  if [ \"$word\" = {hangs} ]; then : >{0}/hangs; fi\ndone\nif [ -e \
                 {0}/hangs ]; then : >{0}/$$; sleep 600; exit; fi\necho '{{\"linux\":{{}}}}'\n",
                pids.display()
            );
            fs::write(path("runtime"), script).expect("is writable");
            fs::set_permissions(path("runtime"), Permissions::from_mode(0o755)).expect("can be set");
            let runtime = Runtime::find(Some(&path("runtime")), None).expect("is there");
            lacking_by(Duration::from_secs(1), &runtime, &part, &directory, &Cancel::default())
        };
        let gone = || {
            fs::remove_file(pids.join("hangs")).expect("it was asked that");
            let hung: Vec<_> = fs::read_dir(&pids).expect("is there").flatten().collect();
            assert!(!hung.is_empty());
            for pid in hung {
                let state = fs::read_to_string(Path::new("/proc").join(pid.file_name()).join("stat"));
                // What nobody has waited for yet is over as well.
                assert!(state.as_ref().map_or(true, |state| state.contains(") Z ")), "{state:?}");
                fs::remove_file(pid.path()).expect("can be taken away");
            }
        };
        let said = lacking("features").expect("can be asked");
        assert_eq!(said, ["does not say what it can do (`features`) within 1 seconds"]);
        gone();
        if !rustix::process::geteuid().is_root() {
            eprintln!("skipped: starting a container takes root");
            return;
        }
        let said = lacking("run").expect("can be asked");
        assert_eq!(said, ["does not come back from a program that ends at once within 1 seconds"]);
        gone();
    }

    #[test]
    fn what_a_runtime_says_to_lack_is_told_and_what_it_leaves_out_is_unknown() {
        assert_eq!(said(&json!({})), [""; 0]);
        let all = json!({
            "ociVersionMin": "1.0.0-rc1", "ociVersionMax": "1.2.0",
            "mountOptions": ["acl", "nodev", "noexec", "nosuid", "rbind", "ro", "rprivate", "strictatime"],
            "linux": {
                "namespaces": ["cgroup", "ipc", "mount", "network", "pid", "user", "uts"],
                "seccomp": {"enabled": true, "actions": ["SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO"]},
            },
        });
        assert_eq!(said(&all), [""; 0]);
        let little = json!({
            "ociVersionMin": "1.1.0-dev",
            "mountOptions": ["nodev", "noexec", "nosuid", "rbind", "ro", "rprivate"],
            "linux": {"namespaces": ["ipc", "mount", "pid", "uts"], "seccomp": {"enabled": false}},
        });
        assert_eq!(
            said(&little),
            [
                "takes nothing older than version 1.1.0-dev of the specification",
                "makes no namespace `network`",
                "knows no mount option `strictatime`",
                "filters no calls of the kernel, because it was built without seccomp",
            ]
        );
        let other = json!({"linux": {"seccomp": {"enabled": true, "actions": ["SCMP_ACT_ALLOW"]}}});
        assert_eq!(said(&other), ["filters no calls of the kernel by `SCMP_ACT_ERRNO`"]);
    }
}
