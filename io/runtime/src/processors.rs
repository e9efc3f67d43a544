//! Of which processors this machine runs programs: its own, what that can do besides, and those
//! for which the kernel starts an emulator.
//!
//! Processors are named as images name them: `amd64`, `arm64` with a variant `v8`.

use std::fs::{self, File};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::fs::{MemfdFlags, memfd_create};

/// Where the kernel lists emulators.
const EMULATORS: &str = "/proc/sys/fs/binfmt_misc";
/// What the machine says of its processor.
const FLAGS: &str = "/proc/cpuinfo";

/// Whether programs for a processor run here.
pub fn runs(architecture: &str, variant: Option<&str>) -> bool {
    let Some(header) = header(architecture) else { return false };
    let emulators = emulators(Path::new(EMULATORS));
    if let Some(emulator) = emulators.iter().find(|emulator| emulator.takes(&header)) {
        return emulator.is_fixed;
    }
    match (rustix::system::uname().machine().to_bytes(), architecture) {
        (b"x86_64", "amd64") => {
            let flags = fs::read_to_string(FLAGS).unwrap_or_default();
            has_level(&flags, variant)
        }
        (b"x86_64", "386") => starts(&program(&header, &[0xb8, 1, 0, 0, 0, 0x31, 0xdb, 0xcd, 0x80])),
        (b"aarch64", "arm64") => matches!(variant, None | Some("v8")),
        (b"aarch64", "arm") => {
            starts(&program(&header, &[0, 0, 0xa0, 0xe3, 1, 0x70, 0xa0, 0xe3, 0, 0, 0, 0xef]))
        }
        (b"riscv64", "riscv64")
        | (b"s390x", "s390x")
        | (b"ppc64le", "ppc64le")
        | (b"loongarch64", "loong64") => true,
        _ => false,
    }
}

/// How the file of a program begins: by that the kernel knows whom it is for.
fn header(architecture: &str) -> Option<[u8; 20]> {
    let (bits, order, machine): (u8, u8, u16) = match architecture {
        "386" => (1, 1, 3),
        "amd64" => (2, 1, 62),
        "arm" => (1, 1, 40),
        "arm64" => (2, 1, 183),
        "loong64" => (2, 1, 258),
        "mips64le" => (2, 1, 8),
        "ppc64le" => (2, 1, 21),
        "riscv64" => (2, 1, 243),
        "s390x" => (2, 2, 22),
        _ => return None,
    };
    let two = |number: u16| if order == 1 { number.to_le_bytes() } else { number.to_be_bytes() };
    let mut header = [0; 20];
    header[..7].copy_from_slice(&[0x7f, b'E', b'L', b'F', bits, order, 1]);
    header[16..18].copy_from_slice(&two(2));
    header[18..].copy_from_slice(&two(machine));
    Some(header)
}

/// An emulator that is registered and not switched off.
#[derive(Debug, PartialEq, Eq)]
struct Emulator {
    offset: usize,
    magic: Vec<u8>,
    mask: Vec<u8>,
    /// Whether it is opened already, so that it also works where its file is not.
    is_fixed: bool,
}

fn emulators(directory: &Path) -> Vec<Emulator> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let texts = entries.filter_map(|entry| fs::read_to_string(entry.ok()?.path()).ok());
    texts.filter_map(|text| Emulator::read(&text)).collect()
}

impl Emulator {
    /// What the kernel writes of one.
    fn read(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        if lines.next()? != "enabled" {
            return None;
        }
        let (mut offset, mut magic, mut mask, mut is_fixed) = (0, None, None, false);
        for (name, value) in lines.filter_map(|line| line.split_once(' ')) {
            match name {
                "flags:" => is_fixed = value.contains('F'),
                "offset" => offset = value.parse().ok()?,
                "magic" => magic = Some(bytes(value)?),
                "mask" => mask = Some(bytes(value)?),
                _ => {}
            }
        }
        let magic = magic?;
        let mask = mask.unwrap_or_else(|| vec![0xff; magic.len()]);
        Some(Self { offset, magic, mask, is_fixed })
    }

    /// Whether the kernel gives it programs that begin so.
    fn takes(&self, header: &[u8]) -> bool {
        let Some(found) = header.get(self.offset..) else { return false };
        // What is looked at behind the header is the same for no two programs.
        let looked_at = self.magic.iter().zip(&self.mask).zip(found);
        self.magic.len() > 4 && looked_at.into_iter().all(|((magic, mask), byte)| byte & mask == magic & mask)
    }
}

/// Bytes as the kernel writes them: two digits each.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok()).collect()
}

/// Whether a processor has what a level of x86-64 asks for.
fn has_level(flags: &str, variant: Option<&str>) -> bool {
    const SECOND: [&str; 6] = ["cx16", "lahf_lm", "popcnt", "sse4_1", "sse4_2", "ssse3"];
    const THIRD: [&str; 7] = ["abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma"];
    const FOURTH: [&str; 5] = ["avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl"];
    let line = flags.lines().find_map(|line| line.strip_prefix("flags")).unwrap_or_default();
    let has = |wanted: &[&str]| wanted.iter().all(|flag| line.split_whitespace().any(|word| word == *flag));
    match variant {
        None | Some("v1") => true,
        Some("v2") => has(&SECOND),
        Some("v3") => has(&SECOND) && has(&THIRD),
        Some("v4") => has(&SECOND) && has(&THIRD) && has(&FOURTH),
        Some(_) => false,
    }
}

/// A program for 32 bits that is these instructions.
fn program(header: &[u8; 20], instructions: &[u8]) -> Vec<u8> {
    const AT: u32 = 0x10000;
    const HEADERS: u32 = 52 + 32;
    let size = HEADERS + instructions.len() as u32;
    let mut bytes = header.to_vec();
    for number in [1, AT + HEADERS, 52, 0, 0x0500_0000 * u32::from(header[18] == 40)] {
        bytes.extend(number.to_le_bytes());
    }
    for number in [52_u16, 32, 1, 0, 0, 0] {
        bytes.extend(number.to_le_bytes());
    }
    for number in [1, 0, AT, AT, size, size, 5, 0x1000] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(instructions);
    bytes
}

/// Whether the machine starts a program, which does nothing. It is kept in memory, because no place
/// on the disk need be one that programs are started from.
fn starts(program: &[u8]) -> bool {
    let start = || -> std::io::Result<bool> {
        let memory = memfd_create("program", MemfdFlags::CLOEXEC)?;
        let path = format!("/proc/self/fd/{}", memory.as_raw_fd());
        File::from(memory.try_clone()?).write_all(program)?;
        // Nothing is started that somebody may still write to.
        let reading = File::open(path)?;
        drop(memory);
        let mut command = Command::new(format!("/proc/self/fd/{}", reading.as_raw_fd()));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(command.status()?.success())
    };
    start().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARM64: &str = "enabled\ninterpreter /usr/bin/qemu-aarch64-static\nflags: OCF\noffset 0\n\
        magic 7f454c460201010000000000000000000200b700\nmask ffffffffffffff00fffffffffffffffffeffffff\n";

    #[test]
    fn emulators_are_known_by_the_headers_that_they_take() {
        let emulator = Emulator::read(ARM64).expect("is one");
        assert!(emulator.is_fixed);
        for (architecture, expected) in
            [("arm64", true), ("amd64", false), ("riscv64", false), ("s390x", false)]
        {
            let header = header(architecture).expect("is known");
            assert_eq!(emulator.takes(&header), expected, "{architecture}");
        }
        assert!(!Emulator::read(&ARM64.replace("OCF", "OC")).expect("is one").is_fixed);
        assert_eq!(Emulator::read(&ARM64.replace("enabled", "disabled")), None);
        assert_eq!(Emulator::read("enabled\ninterpreter /bin/x\nflags: \nextension .x\n"), None);
        assert_eq!(header("sparc64"), None);
    }

    #[test]
    fn levels_of_a_processor_are_read_off_its_flags() {
        let flags = "processor : 0\nflags\t\t: cx16 lahf_lm popcnt sse4_1 sse4_2 ssse3 avx\n";
        let levels = [None, Some("v1"), Some("v2"), Some("v3"), Some("v4"), Some("v9")];
        assert_eq!(levels.map(|level| has_level(flags, level)), [true, true, true, false, false, false]);
    }

    #[test]
    fn the_machine_starts_what_it_runs() {
        let own = rustix::system::uname();
        if own.machine().to_bytes() != b"x86_64" {
            eprintln!("skipped: this machine is no x86-64");
            return;
        }
        assert!(runs("amd64", None));
        // One of the two exits with something else than 0.
        let header = header("386").expect("is known");
        let exits = |code| program(&header, &[0xb8, 1, 0, 0, 0, 0xbb, code, 0, 0, 0, 0xcd, 0x80]);
        assert_eq!(starts(&exits(0)), runs("386", None));
        assert!(!starts(&exits(1)) && !starts(b"no program"));
    }
}
