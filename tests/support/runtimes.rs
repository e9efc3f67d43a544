//! The OCI runtimes that tests may use, which takes root.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use cogpack_cli::Environment;

use crate::skipped;

/// A runtime, if programs can be run with one here. Otherwise the reason is printed.
pub fn any() -> Option<PathBuf> {
    all().into_iter().next()
}

/// Each runtime that is here.
pub fn all() -> Vec<PathBuf> {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    if !is_root {
        skipped("running programs takes root");
        return Vec::new();
    }
    let search = std::env::var_os("PATH").unwrap_or_default();
    let directories: Vec<PathBuf> = std::env::split_paths(&search).collect();
    let find = |name: &str| directories.iter().map(|path| path.join(name)).find(|path| path.is_file());
    let found: Vec<PathBuf> = ["crun", "runc"].into_iter().filter_map(find).collect();
    if found.is_empty() {
        skipped("there is no crun and no runc on PATH");
    }
    found
}

/// An environment in which runtimes are found.
pub fn environment() -> Environment {
    let mut environment = Environment::default();
    environment.docker.path = std::env::var_os("PATH");
    environment
}

/// The layout of the rig's Debian, with its tag.
pub fn debian() -> Option<String> {
    let layouts = std::env::var_os("COGPACK_TEST_LAYOUTS");
    if layouts.is_none() {
        skipped("there is no base image: eval \"$(tests/rig/rig env)\" first");
    }
    Some(format!("{}:bookworm-slim", Path::new(&layouts?).join("debian").display()))
}

/// A program for this processor that ends at once and well, and needs nothing around it. `None` where
/// nobody has written it for the processor; the reason is printed.
pub fn static_program() -> Option<Vec<u8>> {
    const AT: u64 = 0x40_0000;
    const HEADERS: u64 = 64 + 56;
    let (machine, instructions): (u16, &[u8]) = match std::env::consts::ARCH {
        // xor edi, edi; mov eax, 231; syscall
        "x86_64" => (62, &[0x31, 0xff, 0xb8, 0xe7, 0, 0, 0, 0x0f, 0x05]),
        // mov x0, #0; mov x8, #94; svc #0
        "aarch64" => (183, &[0x00, 0x00, 0x80, 0xd2, 0xc8, 0x0b, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4]),
        other => {
            skipped(&format!("nobody has written a program of a few bytes for {other}"));
            return None;
        }
    };
    let size = HEADERS + instructions.len() as u64;
    // The header of an ELF file, and one segment that is all of it, to be read and executed.
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
