//! Who a program runs as: what a user is by number, from the account files of its own filesystem,
//! as every builder finds it.

use cogpack_io_runtime::job::Account;

/// A user or group that is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no {kind} `{name}` in `{file}`")]
pub struct UnknownAccount {
    kind: &'static str,
    name: String,
    file: &'static str,
}

/// The numbers of `USER[:GROUP]`. Without a group it is the user's own, with all those that list
/// the user.
pub fn account(written: Option<&str>, passwd: &[u8], groups: &[u8]) -> Result<Account, UnknownAccount> {
    let Some(written) = written.filter(|written| !written.is_empty()) else { return Ok(Account::default()) };
    let (user, group) = match written.split_once(':') {
        Some((user, group)) => (user, Some(group).filter(|group| !group.is_empty())),
        None => (written, None),
    };
    let number = user.parse::<u32>().ok();
    let known = lines(passwd)
        .find(|fields| fields[0] == user.as_bytes() || (number.is_some() && parsed(fields, 2) == number));
    let user_number = known
        .as_ref()
        .and_then(|fields| parsed(fields, 2))
        .or(number)
        .ok_or_else(|| UnknownAccount { kind: "user", name: user.to_owned(), file: "/etc/passwd" })?;
    if let Some(group) = group {
        let of_name = lines(groups).find(|fields| fields[0] == group.as_bytes());
        let found = of_name.and_then(|fields| parsed(&fields, 2)).or_else(|| group.parse().ok());
        let group = found.ok_or_else(|| UnknownAccount {
            kind: "group",
            name: group.to_owned(),
            file: "/etc/group",
        })?;
        return Ok(Account { user: user_number, group, more_groups: Vec::new() });
    }
    let Some(known) = known else { return Ok(Account { user: user_number, ..Account::default() }) };
    let is_member = |fields: &Vec<&[u8]>| {
        let members = fields.get(3).copied().unwrap_or_default();
        members.split(|byte| *byte == b',').any(|member| member == known[0])
    };
    let more_groups = lines(groups).filter(is_member).filter_map(|fields| parsed(&fields, 2)).collect();
    Ok(Account { user: user_number, group: parsed(&known, 3).unwrap_or_default(), more_groups })
}

/// The fields of each line of an account file that has any.
fn lines(text: &[u8]) -> impl Iterator<Item = Vec<&[u8]>> {
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| line.split(|byte| *byte == b':').collect())
}

fn parsed(fields: &[&[u8]], place: usize) -> Option<u32> {
    std::str::from_utf8(fields.get(place)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &[u8] = b"root:x:0:0::/root:/bin/sh\nbroken\napp:x:1000:50::/:/bin/sh\n";
    const GROUPS: &[u8] = b"root:x:0:\nstaff:x:50:\nvideo:x:44:app,other\naudio:x:29:other\n";

    #[test]
    fn users_are_found_as_builders_find_them() {
        for (written, user, group, more) in [
            (None, 0, 0, &[][..]),
            (Some(""), 0, 0, &[]),
            (Some("app"), 1000, 50, &[44]),
            (Some("1000"), 1000, 50, &[44]),
            (Some("77"), 77, 0, &[]),
            (Some("77:78"), 77, 78, &[]),
            (Some("app:video"), 1000, 44, &[]),
            (Some("app:"), 1000, 50, &[44]),
            (Some("root"), 0, 0, &[]),
        ] {
            let expected = Account { user, group, more_groups: more.to_vec() };
            assert_eq!(account(written, PASSWD, GROUPS), Ok(expected), "{written:?}");
        }
        for (written, said) in [
            ("nobody", "there is no user `nobody` in `/etc/passwd`"),
            ("app:nobody", "there is no group `nobody` in `/etc/group`"),
            ("broken", "there is no user `broken` in `/etc/passwd`"),
        ] {
            let error = account(Some(written), PASSWD, GROUPS).expect_err("is not known");
            assert_eq!(error.to_string(), said);
        }
    }
}
