//! What programs are told of the machine that they seem to run on.

use std::fs;
use std::io;

/// The name of the machine, which is that of other builders, so that what a program writes down
/// of it is the same.
pub const HOST_NAME: &str = "buildkitsandbox";

/// What `/etc/hosts` says.
pub fn hosts() -> Vec<u8> {
    format!("127.0.0.1\tlocalhost {HOST_NAME}\n::1\tlocalhost ip6-localhost ip6-loopback\n").into_bytes()
}

/// What `/etc/resolv.conf` says: what it says on this machine, whose network programs use.
pub fn resolver() -> io::Result<Vec<u8>> {
    match fs::read("/etc/resolv.conf") {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read,
    }
}

/// Whether this process may do what running a program takes.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Whether root is root in a user namespace alone: somebody else to the machine.
pub fn is_in_user_namespace() -> bool {
    // All numbers, each as itself.
    let all = ["0", "0", "4294967295"];
    fs::read_to_string("/proc/self/uid_map").is_ok_and(|map| !map.split_whitespace().eq(all))
}
