//! Groups that packages make for themselves, as `addgroup --system` does.

use std::collections::BTreeSet;
use std::io;

use crate::root::{Bytes, Root, shown};

/// The numbers that are for groups of the system.
const OF_SYSTEM: std::ops::RangeInclusive<u32> = 100..=999;

/// Adds a group with the first number that is free, and gives that; nothing where there are no
/// accounts that it could be added to.
pub fn system_group(root: &mut Root, bytes: &dyn Bytes, name: &str) -> io::Result<Option<u32>> {
    let Some(groups) = root.read(b"etc/group", bytes)? else { return Ok(None) };
    let mut groups = shown(&groups);
    let field = |line: &str, at: usize| line.split(':').nth(at).map(str::to_owned);
    if let Some(there) = groups.lines().find(|line| field(line, 0).as_deref() == Some(name)) {
        return Ok(field(there, 2).and_then(|number| number.parse().ok()));
    }
    let taken: BTreeSet<u32> = groups.lines().filter_map(|line| field(line, 2)?.parse().ok()).collect();
    let Some(number) = OF_SYSTEM.into_iter().find(|number| !taken.contains(number)) else { return Ok(None) };
    groups.push_str(&format!("{name}:x:{number}:\n"));
    root.make("etc/group", groups);
    if let Some(secret) = root.placed.get(&b"etc/gshadow"[..]) {
        let (mode, ids) = (secret.attributes.mode, secret.attributes.ids);
        let mut secrets = shown(&root.read(b"etc/gshadow", bytes)?.unwrap_or_default());
        secrets.push_str(&format!("{name}:!::\n"));
        root.make_with("etc/gshadow", secrets, mode, ids);
    }
    Ok(Some(number))
}
