//! Owners by name: what `app:app` is by number, from a filesystem's own account files.

use cogpack_ir::plan::Owner;

use crate::tree::Ids;

/// A user or group that a filesystem does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no {kind} `{name}` in `{file}`")]
pub struct UnknownAccount {
    /// `user` or `group`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Where it was looked for.
    pub file: &'static str,
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

/// The numbers of an owner, by the content of `/etc/passwd` and `/etc/group` of the filesystem
/// that the owner is set in; empty where that has no such file.
pub fn look_up(owner: &Owner, passwd: &[u8], groups: &[u8]) -> Result<Ids, UnknownAccount> {
    let user = find("user", &owner.user, passwd, "/etc/passwd")?;
    let group = match &owner.group {
        Some(group) => find("group", group, groups, "/etc/group")?,
        None => user,
    };
    Ok(Ids { user, group })
}

fn find(kind: &'static str, name: &str, accounts: &[u8], file: &'static str) -> Result<u32, UnknownAccount> {
    if let Some(number) = number(name) {
        return Ok(number);
    }
    accounts
        .split(|byte| *byte == b'\n')
        .find_map(|line| {
            // name:password:number:…
            let mut fields = line.split(|byte| *byte == b':');
            let is_it = fields.next() == Some(name.as_bytes());
            let field = fields.nth(1)?;
            if is_it { std::str::from_utf8(field).ok().and_then(number) } else { None }
        })
        .ok_or_else(|| UnknownAccount { kind, name: name.to_owned(), file })
}

fn number(text: &str) -> Option<u32> {
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &[u8] = b"root:x:0:0::/root:/bin/sh\nbroken\napp:x:1000:50::/:/bin/sh\n";
    const GROUPS: &[u8] = b"root:x:0:\nstaff:x:50:\n";

    #[test]
    fn names_are_looked_up_and_numbers_are_not() {
        for (owner, ids) in [
            ("0:0", Some((0, 0))),
            ("1234", Some((1234, 1234))),
            ("app", Some((1000, 1000))),
            ("app:staff", Some((1000, 50))),
            ("app:7", Some((1000, 7))),
            ("nobody", None),
            ("app:app", None),
            ("broken", None),
        ] {
            let owner: Owner = owner.parse().expect("is an owner");
            let ids = ids.map(|(user, group)| Ids { user, group });
            assert_eq!(look_up(&owner, PASSWD, GROUPS).ok(), ids, "{owner}");
        }
    }

    #[test]
    fn only_owners_in_numbers_need_no_files() {
        let is_numeric = |owner: &str| owner.parse().is_ok_and(|owner| numeric(&owner).is_some());
        assert!(is_numeric("0") && is_numeric("1:2"));
        assert!(!is_numeric("app") && !is_numeric("1:app"));
    }
}
