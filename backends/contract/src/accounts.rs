//! Owners by name: what `app:crew` is by number, from a filesystem's own account files.
//!
//! Every tool reads these files a little differently. What is known here is known to all of them:
//! the first line of a name decides, and its number must be one.

use std::fmt;
use std::io::{self, Read as _};

use cogpack_ir::plan::Owner;

use crate::content::{Content, ContentSource};
use crate::tree::{Ids, Node, Tree, components};

/// The most that an account file may have.
const LARGEST: u64 = 16 << 20;

/// What a name in an owner may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Account {
    /// A user.
    User,
    /// A group.
    Group,
}

impl Account {
    /// The file of a filesystem that explains names.
    pub const fn file(self) -> &'static str {
        match self {
            Self::User => "/etc/passwd",
            Self::Group => "/etc/group",
        }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::User => "user",
            Self::Group => "group",
        })
    }
}

/// The numbers of an owner that is written in numbers. Such an owner depends on no filesystem.
/// Without a group the group has the user's number.
pub fn numeric(owner: &Owner) -> Option<Ids> {
    let user = number(&owner.user)?;
    let group = match &owner.group {
        Some(group) => number(group)?,
        None => user,
    };
    Some(Ids { user, group })
}

/// The names in an owner, which account files explain.
pub fn names(owner: &Owner) -> impl Iterator<Item = (Account, &str)> {
    let user = (Account::User, owner.user.as_str());
    let group = owner.group.as_deref().map(|group| (Account::Group, group));
    std::iter::once(user).chain(group).filter(|(_, name)| number(name).is_none())
}

/// Why an owner has no numbers.
#[derive(Debug, thiserror::Error)]
pub enum OwnerProblem {
    /// The filesystem does not know a name.
    #[error("there is no {account} `{name}` in `{}` where the op needs it", account.file())]
    Unknown {
        /// What it should be.
        account: Account,
        /// Its name.
        name: String,
    },
    /// A file cannot be read.
    #[error("`{}` of the image cannot be read", .0.file())]
    Unreadable(Account, #[source] io::Error),
}

/// The numbers of an owner on a filesystem, whose files `source` opens. Without a group it is the
/// one of the user's name or number.
pub fn ids(owner: &Owner, tree: &Tree<Content>, source: &dyn ContentSource) -> Result<Ids, OwnerProblem> {
    let found = |account: Account, text: &str| {
        if let Some(number) = number(text) {
            return Ok(number);
        }
        let file = read(account, tree, source).map_err(|error| OwnerProblem::Unreadable(account, error))?;
        look_up(text, &file).ok_or_else(|| OwnerProblem::Unknown { account, name: text.to_owned() })
    };
    let user = found(Account::User, &owner.user)?;
    let group = found(Account::Group, owner.group.as_ref().unwrap_or(&owner.user))?;
    Ok(Ids { user, group })
}

/// An account file of a filesystem, whose files `source` opens; empty where there is none.
pub fn read(account: Account, tree: &Tree<Content>, source: &dyn ContentSource) -> io::Result<Vec<u8>> {
    let path = account.file().as_bytes();
    let real = tree.resolve(path, true).unwrap_or_else(|_| components(path));
    let Some(Node::File { content, .. }) = &tree.get(&real) else { return Ok(Vec::new()) };
    let mut bytes = Vec::new();
    content.open(source)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    // What a part of it says may be another account than the one that is meant.
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it has more than 16 MiB"));
    }
    Ok(bytes)
}

/// The number that an account file has for a name.
pub fn look_up(name: &str, accounts: &[u8]) -> Option<u32> {
    // name:password:number:…
    let lines = accounts.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let mut fields = lines.map(|line| line.split(|byte| *byte == b':'));
    let mut rest =
        fields.find_map(|mut fields| (fields.next() == Some(name.as_bytes())).then_some(fields))?;
    std::str::from_utf8(rest.nth(1)?).ok().and_then(number)
}

/// A user or group that is written as a number.
pub fn number(text: &str) -> Option<u32> {
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(text: &str) -> Owner {
        text.parse().expect("is an owner")
    }

    #[test]
    fn names_are_looked_up_in_the_file_of_their_kind() {
        for (text, expected) in [
            ("0:0", &[][..]),
            ("app", &[(Account::User, "app")]),
            ("app:7", &[(Account::User, "app")]),
            ("7:crew", &[(Account::Group, "crew")]),
            ("app:crew", &[(Account::User, "app"), (Account::Group, "crew")]),
        ] {
            assert_eq!(names(&owner(text)).collect::<Vec<_>>(), expected, "{text}");
            assert_eq!(numeric(&owner(text)).is_some(), expected.is_empty(), "{text}");
        }
        assert_eq!(numeric(&owner("1234")), Some(Ids { user: 1234, group: 1234 }));
    }

    #[test]
    fn the_first_line_of_a_name_decides() {
        const PASSWD: &[u8] =
            b"root:x:0:0::/root:/bin/sh\nbroken\n\n app:x:1000:50::/:/bin/sh\r\napp:x:7:7\n\
            late::x\nlate:x:8\nhuge:x:4294967296\nless:x:-1\n:x:9\n";
        for (name, number) in [
            ("root", Some(0)),
            ("app", Some(1000)),
            ("broken", None),
            ("late", None),
            ("huge", None),
            ("less", None),
            ("ap", None),
            ("nobody", None),
        ] {
            assert_eq!(look_up(name, PASSWD), number, "{name}");
        }
        assert_eq!(look_up("app", b""), None);
        assert_eq!(look_up("crew", b"crew:x:5001:\r\n"), Some(5001));
    }
}
