//! Owners and modes of files.

use std::fmt;
use std::str::FromStr;

/// A user and a group, each by name or by number, written `app:app` or `1000:1000`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner {
    /// Name or number of the user.
    pub user: String,
    /// Name or number of the group; the user's number where nothing is said.
    pub group: Option<String>,
}

/// A text that is not an owner.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an owner: {rule}")]
pub struct InvalidOwner {
    /// The refused text.
    pub text: String,
    /// The rule it breaks.
    pub rule: &'static str,
}

impl fmt::Display for Owner {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.user)?;
        match &self.group {
            Some(group) => write!(out, ":{group}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl FromStr for Owner {
    type Err = InvalidOwner;

    fn from_str(text: &str) -> Result<Self, InvalidOwner> {
        let (user, group) = match text.split_once(':') {
            Some((user, group)) => (user, Some(group)),
            None => (text, None),
        };
        let broken = std::iter::once(user).chain(group).find(|account| !is_account(account));
        if let Some(account) = broken {
            let is_number = !account.is_empty() && account.bytes().all(|byte| byte.is_ascii_digit());
            let rule = if is_number {
                "a user or group has at most the number 4294967295"
            } else {
                "it must read `USER` or `USER:GROUP`, each a name or a number"
            };
            return Err(InvalidOwner { text: text.to_owned(), rule });
        }
        Ok(Self { user: user.to_owned(), group: group.map(str::to_owned) })
    }
}

/// Whether `text` can name a user or group: a number of 32 bits, or a name as `useradd` takes it.
fn is_account(text: &str) -> bool {
    let bytes = text.as_bytes();
    match bytes.first() {
        Some(first) if first.is_ascii_digit() => {
            bytes.iter().all(u8::is_ascii_digit) && text.parse::<u32>().is_ok()
        }
        Some(first) if first.is_ascii_alphabetic() || *first == b'_' => {
            bytes.len() <= 32
                && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.-$".contains(byte))
        }
        Some(_) | None => false,
    }
}

/// Permission bits with setuid, setgid and sticky, written in octal: `0755`, `4755`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mode(u16);

/// A text that is not a mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a mode: it must be three or four octal digits, such as `0755`")]
pub struct InvalidMode {
    /// The refused text.
    pub text: String,
}

impl Mode {
    /// 0644: a file that nothing else is said of.
    pub const FILE: Self = Self(0o644);
    /// 0755: a directory that nothing else is said of.
    pub const DIRECTORY: Self = Self(0o755);

    /// The bits, at most `0o7777`; `None` for more.
    pub fn new(bits: u32) -> Option<Self> {
        u16::try_from(bits).ok().filter(|bits| *bits <= 0o7777).map(Self)
    }

    /// The bits, at most `0o7777`.
    pub fn bits(self) -> u32 {
        u32::from(self.0)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:04o}", self.0)
    }
}

impl fmt::Debug for Mode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl FromStr for Mode {
    type Err = InvalidMode;

    fn from_str(text: &str) -> Result<Self, InvalidMode> {
        let digits = (3..=4).contains(&text.len()) && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
        let bits = if digits { u32::from_str_radix(text, 8).ok() } else { None };
        bits.and_then(Self::new).ok_or_else(|| InvalidMode { text: text.to_owned() })
    }
}
