//! Alternatives whose scripts make them by functions and loops of their own.

use crate::alternatives::{Alternative, Link};

/// Those of procps.
pub fn procps() -> Vec<Alternative> {
    let all =
        [("/usr/bin", "uptime", 1), ("/usr/bin", "kill", 1), ("/usr/bin", "vmstat", 8), ("/bin", "ps", 1)];
    let alternative = |(directory, name, section): (&str, &str, u8)| {
        let suffixed = format!("{name}.procps");
        let page = manual(name, &suffixed, section);
        Alternative { link: program(directory, name, &suffixed), priority: 50, followers: vec![page] }
    };
    all.into_iter().map(alternative).collect()
}

/// Those of xz-utils: all that lzma had.
pub fn xz() -> Alternative {
    let mut followers =
        vec![manual("lzma", "xz", 1), program("/usr/bin", "unlzma", "unxz"), manual("unlzma", "unxz", 1)];
    for name in ["cat", "more", "less", "diff", "cmp", "grep", "egrep", "fgrep"] {
        let (old, new) = (format!("lz{name}"), format!("xz{name}"));
        followers.extend([program("/usr/bin", &old, &new), manual(&old, &new, 1)]);
    }
    Alternative { link: program("/usr/bin", "lzma", "xz"), priority: 20, followers }
}

fn program(directory: &str, name: &str, target: &str) -> Link {
    Link {
        place: format!("{directory}/{name}"),
        name: name.to_owned(),
        target: format!("{directory}/{target}"),
    }
}

fn manual(name: &str, target: &str, section: u8) -> Link {
    let directory = format!("/usr/share/man/man{section}");
    program(&directory, &format!("{name}.{section}.gz"), &format!("{target}.{section}.gz"))
}
