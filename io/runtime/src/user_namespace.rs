//! Makes an ordinary user root over files of its own: a user namespace, in which the user is root and
//! the numbers that `/etc/subuid` and `/etc/subgid` give it are everyone else.
//!
//! So files of a base keep their owners, programs change owners as they like, and the machine sees
//! numbers that belong to nobody else. With the user's own number alone none of that could be kept,
//! and most bases have files of several owners: then there is no namespace, and whoever asks is told.

use std::fs;
use std::io::{self, Write};
use std::process::{Command, Stdio};

use rustix::thread::UnshareFlags;

/// How many numbers images use: owners by number end with `nobody` and `nogroup`.
const LEAST: u64 = 65_535;

/// The kernel's number for nobody at all, below which all others are.
const NO_NUMBER: u64 = u32::MAX as u64;

/// What gives this process its numbers once it is in the namespace, which only somebody outside of it
/// may do. `$1` is the process, `$2` and `$3` are users and groups.
const SCRIPT: &str = "read -r go && [ \"$go\" = go ] && newuidmap $1 $2 && newgidmap $1 $3";

/// Why there is no namespace.
#[derive(Debug, thiserror::Error)]
pub enum NoNamespace {
    /// Nobody gave the user numbers.
    #[error("`{file}` gives this user no {LEAST} numbers")]
    NoNumbers {
        /// Which file.
        file: &'static str,
    },
    /// The kernel makes none.
    #[error("the kernel makes no user namespace")]
    Kernel(#[source] io::Error),
    /// The numbers cannot be used.
    #[error("`newuidmap` and `newgidmap` do not map its numbers: {0}")]
    NotMapped(String),
}

/// Puts this process, which has one thread, into a namespace in which it is root. Root stays what it is.
pub fn enter() -> Result<(), NoNamespace> {
    let user = rustix::process::geteuid();
    if user.is_root() {
        return Ok(());
    }
    let group = rustix::process::getegid();
    let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = name_of(user.as_raw(), &accounts);
    let numbers = |file: &'static str, own: u32| {
        let text = fs::read_to_string(file).unwrap_or_default();
        map(own, &given(&text, user.as_raw(), name)).ok_or(NoNamespace::NoNumbers { file })
    };
    let (users, groups) = (numbers("/etc/subuid", user.as_raw())?, numbers("/etc/subgid", group.as_raw())?);
    let process = std::process::id().to_string();
    let not_mapped = |error: io::Error| NoNamespace::NotMapped(error.to_string());
    let mut outside = Command::new("/bin/sh")
        .args(["-c", SCRIPT, "sh", &process, &users, &groups])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(not_mapped)?;
    #[expect(deprecated, reason = "the safe form; open files stay as they are")]
    let unshared = rustix::thread::unshare(UnshareFlags::NEWUSER);
    let go: &[u8] = if unshared.is_ok() { b"go\n" } else { b"stop\n" };
    let told = outside.stdin.take().map_or(Ok(()), |mut input| input.write_all(go));
    let ended = outside.wait_with_output().map_err(not_mapped)?;
    unshared.map_err(|error| NoNamespace::Kernel(error.into()))?;
    told.map_err(not_mapped)?;
    if !ended.status.success() {
        let said = String::from_utf8_lossy(&ended.stderr).trim().replace('\n', "; ");
        return Err(NoNamespace::NotMapped(said));
    }
    Ok(())
}

fn name_of(user: u32, accounts: &str) -> Option<&str> {
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        (number.parse() == Ok(user)).then_some(name)
    })
}

/// The ranges of numbers that a user is given, by its name or its number: the first, and how many.
fn given(text: &str, user: u32, name: Option<&str>) -> Vec<(u64, u64)> {
    let range = |line: &str| {
        let mut fields = line.trim().split(':');
        let whose = fields.next()?;
        let (first, count) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        (Some(whose) == name || whose.parse() == Ok(user)).then_some((first, count))
    };
    text.lines().filter_map(range).collect()
}

/// What `newuidmap` is told: the user as 0, and the numbers given from 1 on. Nothing where they are
/// too few. Of a range is taken what there are numbers for, on either side.
fn map(own: u32, given: &[(u64, u64)]) -> Option<String> {
    let (mut map, mut next) = (format!("0 {own} 1"), 1);
    for (first, count) in given {
        let count = (*count).min(NO_NUMBER.saturating_sub(*first)).min(NO_NUMBER - next);
        if count > 0 {
            map.push_str(&format!(" {next} {first} {count}"));
            next += count;
        }
    }
    (next > LEAST).then_some(map)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_that_the_user_is_given() {
        let accounts = "root:x:0:0::/root:/bin/sh\nme:x:1000:100::/:/bin/sh\n";
        assert_eq!(name_of(1000, accounts), Some("me"));
        assert_eq!(name_of(7, accounts), None);
        let text = "you:1:2\nme:100000:65536\nbroken\n1000:300000:10\n";
        let found = given(text, 1000, Some("me"));
        assert_eq!(found, [(100_000, 65_536), (300_000, 10)]);
        assert_eq!(map(1000, &found).as_deref(), Some("0 1000 1 1 100000 65536 65537 300000 10"));
        assert_eq!(map(1000, &found[1..]), None);
        assert_eq!(given(text, 8, None), []);
    }

    #[test]
    fn ranges_beyond_all_numbers_are_cut_and_empty_ones_left_out() {
        let most = u64::MAX;
        let text = format!("me:{most}:{most}\nme:5:0\nme:100000:{most}\nme:1:{most}\nme:7:4\nme:-1:9\n");
        let found = given(&text, 1000, Some("me"));
        assert_eq!(found.len(), 5);
        let wanted = "0 1000 1 1 100000 4294867295 4294867296 1 99999";
        assert_eq!(map(1000, &found).as_deref(), Some(wanted));
        assert_eq!(map(1000, &found[..2]), None);
        assert_eq!(map(1000, &[(4_294_967_294, 70_000)]), None);
    }
}
