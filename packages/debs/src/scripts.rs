//! What a package's script would do, without running it.
//!
//! A script is what debhelper has put into it, and what somebody wrote. The parts of debhelper are
//! known by the tool that put them there. What somebody wrote is known by its digest, in
//! `known-scripts.txt`: a script that is new, or another than the one that was looked at, is known
//! to nobody, and its package is refused.

use cogpack_content::Digest;

use crate::alternatives::{self, Alternative};
use crate::diversions::Diversion;
use crate::small::Small;

/// What is to be done for a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// A link that stands for one of several programs.
    Alternative(Alternative),
    /// A file whose text stands in the script.
    Text {
        /// Where, from the root on.
        path: String,
        /// What.
        text: String,
    },
    /// What other packages bring goes elsewhere.
    Diversion(Diversion),
    /// Something small.
    Small(Small),
    /// What a package of the base system does.
    Known(Known),
}

/// What packages of the base system do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Known {
    /// base-files: directories, and files out of its templates.
    BaseFiles,
    /// base-passwd: account files out of its templates.
    Accounts,
    /// debianutils: `/etc/shells`.
    Shells,
    /// libc-bin: `nsswitch.conf`.
    NameService,
    /// readline-common: `inputrc`.
    Inputrc,
    /// ca-certificates: the bundle and its links.
    Certificates,
    /// tzdata: UTC.
    TimeZone,
    /// pythonX.Y-minimal: where local modules go.
    LocalPython,
    /// libpam-modules: two empty files.
    PamFiles,
    /// libpam-runtime: `common-…` out of its templates.
    PamCommon,
    /// login: empty files.
    LoginFiles,
    /// passwd: shadow files.
    Shadow,
    /// procps: alternatives that its script makes in a loop.
    Procps,
    /// xz-utils: what lzma had, which its script makes by a function.
    Xz,
    /// bash: `/bin/sh`, where nobody else is it.
    Bash,
    /// fontconfig-config: how fonts are drawn.
    FontConfiguration,
    /// glib: settings that a program compiles, of which there may be none.
    Schemas,
    /// gdk-pixbuf: the list of loaders.
    ImageLoaders,
    /// locales: the list of those that could be made.
    Locales,
    /// The same in newer releases, which have the choice in another file.
    NewerLocales,
}

/// A part of a script that is known to nobody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("what it does is not known:\n{text}")]
pub struct UnknownScript {
    /// The part, without what is known.
    pub text: String,
    /// Its digest, as the table has it.
    pub digest: Digest,
}

const KNOWN: &str = include_str!("known-scripts.txt");

/// Parts that do nothing in a root that is new and has no services: helpers for upgrades, services
/// that nobody starts, menus, and byte code, which is not made.
const WITHOUT_EFFECT: &[&str] = &[
    "dh_icons",
    "dh_installdeb",
    "dh_installdebconf",
    "dh_installinit",
    "dh_installmenu",
    "dh_installsystemd",
    "dh_installsystemduser",
    "dh_installtmpfiles",
    "dh_installudev",
    "dh_makeshlibs",
    "dh_pypy",
    "dh_python3",
    "dh_systemd_enable",
    "dh_systemd_start",
    "dh_ucf",
    "py3compile",
];

/// What is to be done for a script.
pub fn effects(script: &str) -> Result<Vec<Effect>, UnknownScript> {
    let (sections, rest) = split(script);
    let mut effects = Vec::new();
    for section in sections {
        match section.tool {
            "dh_installalternatives" => {
                effects.extend(alternatives::read(&section.text).map(Effect::Alternative))
            }
            tool if WITHOUT_EFFECT.contains(&tool) => {}
            _ => {
                return Err(UnknownScript {
                    digest: Digest::of(section.text.as_bytes()),
                    text: section.text,
                });
            }
        }
    }
    if says_nothing(&rest) {
        return Ok(effects);
    }
    let digest = Digest::of(normal(&rest).as_bytes());
    let Some(words) = known(&digest) else { return Err(UnknownScript { text: rest, digest }) };
    for word in words.split(',') {
        effects.extend(effects_of(word, &rest));
    }
    Ok(effects)
}

fn effects_of(word: &str, script: &str) -> Vec<Effect> {
    let known = match word {
        "alternatives" => return alternatives::read(script).map(Effect::Alternative).collect(),
        "texts" => return texts(script),
        "base-files" => Known::BaseFiles,
        "accounts" => Known::Accounts,
        "shells" => Known::Shells,
        "name-service" => Known::NameService,
        "inputrc" => Known::Inputrc,
        "certificates" => Known::Certificates,
        "time-zone" => Known::TimeZone,
        "local-python" => Known::LocalPython,
        "pam-files" => Known::PamFiles,
        "pam-common" => Known::PamCommon,
        "login-files" => Known::LoginFiles,
        "shadow" => Known::Shadow,
        "procps" => Known::Procps,
        "bash" => Known::Bash,
        "font-configuration" => Known::FontConfiguration,
        "schemas" => Known::Schemas,
        "image-loaders" => Known::ImageLoaders,
        "xz" => Known::Xz,
        "locales" => Known::Locales,
        "newer-locales" => Known::NewerLocales,
        _ => {
            let diversion = Diversion::of_word(word).map(Effect::Diversion);
            return diversion.or_else(|| Small::of_word(word).map(Effect::Small)).into_iter().collect();
        }
    };
    vec![Effect::Known(known)]
}

/// What the table says of a digest.
fn known(digest: &Digest) -> Option<&'static str> {
    let hex = digest.hex();
    KNOWN.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let mut words = line.split_whitespace();
        (words.next() == Some(&hex)).then(|| words.next().unwrap_or("nothing"))
    })
}

struct Section<'s> {
    tool: &'s str,
    text: String,
}

/// The parts of debhelper, and the rest.
fn split(script: &str) -> (Vec<Section<'_>>, String) {
    let (mut sections, mut rest) = (Vec::new(), String::new());
    let mut open: Option<Section<'_>> = None;
    for line in script.lines() {
        if let Some(tool) = line.strip_prefix("# Automatically added by ") {
            open = Some(Section { tool: tool.split(['/', ' ']).next().unwrap_or(tool), text: String::new() });
        } else if line.starts_with("# End automatically added section") {
            sections.extend(open.take());
        } else {
            let text = open.as_mut().map_or(&mut rest, |section| &mut section.text);
            text.push_str(line);
            text.push('\n');
        }
    }
    // A section without an end is somebody's own.
    if let Some(section) = open {
        rest.push_str(&section.text);
    }
    (sections, rest)
}

fn says_nothing(text: &str) -> bool {
    text.lines().map(str::trim).all(|line| {
        line.is_empty()
            || line.starts_with('#')
            || ["set -e", "set -eu", "exit 0", "exit", ":"].contains(&line)
    })
}

/// A script without what means nothing, and with one word for each machine's own.
fn normal(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let text = lines.collect::<Vec<_>>().join("\n");
    text.replace("x86_64-linux-gnu", "TRIPLET")
        .replace("aarch64-linux-gnu", "TRIPLET")
        .replace(":amd64", ":ARCHITECTURE")
        .replace(":arm64", ":ARCHITECTURE")
}

/// The files that a script writes with `cat > PATH << EOF`.
fn texts(script: &str) -> Vec<Effect> {
    let mut lines = script.lines();
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        let Some((path, mark)) = line.trim().strip_prefix("cat > ").and_then(|rest| rest.split_once("<<"))
        else {
            continue;
        };
        let path = path.trim().trim_matches('"').trim_start_matches("$DPKG_ROOT").trim_start_matches('/');
        let is_indented = mark.starts_with('-');
        let mark = mark.trim_start_matches('-').trim().trim_matches(['\'', '"']);
        let mut text = String::new();
        for line in lines.by_ref() {
            let line = if is_indented { line.trim_start_matches('\t') } else { line };
            if line == mark {
                break;
            }
            text.push_str(line);
            text.push('\n');
        }
        found.push(Effect::Text { path: path.to_owned(), text });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELPED: &str = "#!/bin/sh\nset -e\n\n# Automatically added by dh_installdeb/13.11.4\ndpkg-maintscript-helper rm_conffile /etc/a 1 -- \"$@\"\n# End automatically added section\n";

    #[test]
    fn what_debhelper_puts_there_is_known() {
        assert_eq!(effects(HELPED), Ok(Vec::new()));
        assert_eq!(effects(""), Ok(Vec::new()));
        let awk = "# Automatically added by dh_installalternatives/13\nif true; then\n\tupdate-alternatives --install /usr/bin/awk awk /usr/bin/mawk 5\nfi\n# End automatically added section\n";
        assert!(matches!(effects(awk).expect("is known")[..], [Effect::Alternative(_)]));
    }

    #[test]
    fn what_nobody_knows_is_shown() {
        let script = format!("{HELPED}adduser --system somebody\nexit 0\n");
        let unknown = effects(&script).expect_err("is not known");
        assert!(unknown.text.contains("adduser --system somebody"), "{}", unknown.text);
        assert!(!unknown.text.contains("rm_conffile"), "{}", unknown.text);
        let other = HELPED.replace("dh_installdeb", "dh_sysuser");
        assert!(effects(&other).expect_err("is not known").text.contains("rm_conffile"));
        let diverts = "dpkg-divert --package one --add --rename --divert /usr/bin/a.real /usr/bin/a\n";
        assert!(effects(diverts).expect_err("is not known").text.contains("--divert /usr/bin/a.real"));
        let endless = HELPED.replace("# End", "# Enough");
        assert!(effects(&endless).is_err());
    }

    #[test]
    fn texts_of_a_script_are_files() {
        let script = "cat > \"$DPKG_ROOT/etc/a\" <<'EOF'\n\tone\nEOF\n  cat > /etc/b <<-END\n\t\ttwo\n\tEND\ncat >> /etc/c <<EOF\nEOF\n";
        let text = |path: &str, text: &str| Effect::Text { path: path.to_owned(), text: text.to_owned() };
        assert_eq!(texts(script), [text("etc/a", "\tone\n"), text("etc/b", "two\n")]);
    }

    #[test]
    fn every_line_of_the_table_is_one() {
        for line in KNOWN.lines().filter(|line| !line.starts_with('#')) {
            let words: Vec<&str> = line.split_whitespace().collect();
            assert!(words.len() >= 3 && words[0].len() == 64, "{line}");
            for word in words[1].split(',') {
                let is_known =
                    ["nothing", "alternatives", "texts"].contains(&word) || !effects_of(word, "").is_empty();
                assert!(is_known, "{line}");
            }
        }
    }
}
