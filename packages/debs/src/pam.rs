//! `/etc/pam.d/common-…`, as `pam-auth-update` writes them: templates, in which stand the modules of
//! the profiles that are on by default.

use std::io;

use crate::paragraphs::{Paragraph, paragraphs};
use crate::root::{Bytes, Root, shown};

const PROFILES: &str = "usr/share/pam-configs/";
/// The files, and the kind of module in each.
const FILES: &[(&str, &str)] = &[
    ("common-account", "Account"),
    ("common-auth", "Auth"),
    ("common-password", "Password"),
    ("common-session", "Session"),
    ("common-session-noninteractive", "Session"),
];

/// Writes the files.
pub fn make(root: &mut Root, bytes: &dyn Bytes) -> io::Result<()> {
    let mut profiles = Vec::new();
    for path in root.placed.keys().filter(|path| path.starts_with(PROFILES.as_bytes())) {
        let text = shown(&root.read(path, bytes)?.unwrap_or_default());
        profiles.extend(paragraphs(&text).next().filter(|profile| profile.get("Default") == Some("yes")));
    }
    let priority =
        |profile: &Paragraph| profile.get("Priority").and_then(|text| text.parse().ok()).unwrap_or(0);
    profiles.sort_by_key(|profile| std::cmp::Reverse(priority(profile)));
    for (file, kind) in FILES {
        let from = format!("usr/share/pam/{file}");
        let Some(template) = root.read(from.as_bytes(), bytes)? else { continue };
        let is_interactive = !file.ends_with("noninteractive");
        let mut out = String::new();
        for line in shown(&template).lines() {
            let part = line.strip_prefix('$').and_then(|name| name.rsplit_once('_')).map(|(_, part)| part);
            match part {
                Some("primary") => out.push_str(&modules(&profiles, kind, "Primary", is_interactive)),
                Some("additional") => out.push_str(&modules(&profiles, kind, "Additional", is_interactive)),
                Some(_) | None => {
                    out.push_str(line);
                    out.push('\n');
                }
            }
        }
        root.make(&format!("etc/pam.d/{file}"), out);
    }
    Ok(())
}

/// The lines of one part of a file. `end` in them is how many lines to jump to get behind the part.
fn modules(profiles: &[Paragraph], kind: &str, part: &str, is_interactive: bool) -> String {
    let wanted = profiles.iter().filter(|profile| {
        let only_interactive = profile.get(&format!("{kind}-Interactive-Only")) == Some("yes");
        profile.get(&format!("{kind}-Type")) == Some(part) && (is_interactive || !only_interactive)
    });
    let mut lines: Vec<&str> = Vec::new();
    for (at, profile) in wanted.enumerate() {
        let first = (at == 0).then(|| profile.get(&format!("{kind}-Initial"))).flatten();
        lines.extend(first.or_else(|| profile.get(kind)).unwrap_or("").lines());
    }
    lines.retain(|line| !line.is_empty());
    if lines.is_empty() && part == "Primary" {
        // The way round the module that denies, which stands behind the part.
        return format!("{}\t[default=1]\t\t\tpam_permit.so\n", kind.to_ascii_lowercase());
    }
    let jumps = (1..=lines.len()).rev();
    let line = |(line, jump): (&&str, usize)| {
        let line = line.replace("success=end", &format!("success={jump}"));
        // Behind a module stands a space, whether or not options follow.
        let is_bare = !line.rsplit(['\t', ']']).next().unwrap_or("").trim_start().contains(' ');
        format!("{}\t{line}{}\n", kind.to_ascii_lowercase(), if is_bare { " " } else { "" })
    };
    lines.iter().zip(jumps).map(line).collect()
}
