//! What the packages of the base system do when they are installed: files out of their own
//! templates, empty files and directories.

use std::io;

use cogpack_backends_contract::tree::Ids;
use cogpack_ir::plan::Mode;

use crate::root::{Bytes, Root, shown};
use crate::scripts::Known;
use crate::{locales, pam};

const MAIL: Ids = Ids { user: 0, group: 8 };
const SHADOW: Ids = Ids { user: 0, group: 42 };
const STAFF: Ids = Ids { user: 0, group: 50 };
const UTMP: Ids = Ids { user: 0, group: 43 };

/// Does to a root what these packages do, in the order of the list.
pub fn make(root: &mut Root, bytes: &dyn Bytes, known: Known) -> io::Result<()> {
    let mut templates = Templates { root, bytes };
    match known {
        Known::BaseFiles => templates.base_files()?,
        Known::Accounts => {
            templates.copy("usr/share/base-passwd/passwd.master", "etc/passwd")?;
            templates.copy("usr/share/base-passwd/group.master", "etc/group")?;
        }
        Known::Shells => templates.shells()?,
        Known::NameService => templates.copy("usr/share/libc-bin/nsswitch.conf", "etc/nsswitch.conf")?,
        Known::Inputrc => templates.copy("usr/share/readline/inputrc", "etc/inputrc")?,
        Known::TimeZone => {
            if !templates.root.has("etc/localtime") {
                templates.root.symlink("etc/localtime", "/usr/share/zoneinfo/Etc/UTC");
            }
            templates.empty("etc/timezone", "Etc/UTC\n", Mode::FILE, Ids::ROOT);
        }
        Known::LocalPython => templates.local_python(),
        Known::PamFiles => {
            templates.empty("etc/security/opasswd", "", mode(0o600), Ids::ROOT);
            templates.empty("etc/environment", "", Mode::FILE, Ids::ROOT);
        }
        Known::PamCommon => pam::make(templates.root, bytes)?,
        Known::LoginFiles => {
            for path in ["var/log/faillog", "etc/subuid", "etc/subgid"] {
                templates.empty(path, "", Mode::FILE, Ids::ROOT);
            }
        }
        Known::Shadow => templates.shadow()?,
        Known::Bash => {
            if !templates.root.leads("/bin/sh") {
                templates.root.symlink("usr/bin/sh", "bash");
            }
        }
        Known::FontConfiguration => templates.fonts(),
        Known::Locales => locales::make(templates.root, bytes, false)?,
        Known::NewerLocales => locales::make(templates.root, bytes, true)?,
        Known::Procps | Known::Xz | Known::Certificates | Known::Schemas | Known::ImageLoaders => {}
    }
    Ok(())
}

fn mode(bits: u32) -> Mode {
    Mode::new(bits).unwrap_or(Mode::FILE)
}

struct Templates<'r> {
    root: &'r mut Root,
    bytes: &'r dyn Bytes,
}

impl Templates<'_> {
    /// A file as another one is, where it is not there yet.
    fn copy(&mut self, from: &str, to: &str) -> io::Result<()> {
        if !self.root.has(to)
            && let Some(text) = self.root.read(from.as_bytes(), self.bytes)?
        {
            self.root.make(to, text);
        }
        Ok(())
    }

    /// A file that only has to be there.
    fn empty(&mut self, path: &str, text: &str, mode: Mode, ids: Ids) {
        if !self.root.has(path) {
            self.root.make_with(path, text, mode, ids);
        }
    }

    fn base_files(&mut self) -> io::Result<()> {
        let defaults = [
            ("dot.profile", "root/.profile"),
            ("dot.bashrc", "root/.bashrc"),
            ("profile", "etc/profile"),
            ("motd", "etc/motd"),
            ("info.dir", "usr/share/info/dir"),
        ];
        for (from, to) in defaults {
            self.copy(&format!("usr/share/base-files/{from}"), to)?;
        }
        if self.root.has("etc/dpkg/origins/debian") && !self.root.has("etc/dpkg/origins/default") {
            self.root.symlink("etc/dpkg/origins/default", "debian");
        }
        for directory in ["mnt", "srv", "opt", "etc/opt", "var/opt", "media"] {
            self.root.directory(directory);
        }
        self.root.directory_with("var/mail", mode(0o2775), MAIL);
        self.root.directory_with("run/lock", mode(0o1777), Ids::ROOT);
        let local = ["bin", "etc", "games", "include", "lib", "sbin", "share/man", "src"];
        for directory in local {
            self.root.directory(&format!("usr/local/{directory}"));
        }
        self.root.symlink("usr/local/man", "share/man");
        if !self.root.has("var/spool/mail") {
            self.root.symlink("var/spool/mail", "../mail");
        }
        for (path, target) in [("var/run", "/run"), ("var/lock", "/run/lock")] {
            self.link_directory(path, target);
        }
        for (path, bits) in [("var/log/wtmp", 0o664), ("var/log/btmp", 0o660), ("var/log/lastlog", 0o664)] {
            self.empty(path, "", mode(bits), UTMP);
        }
        Ok(())
    }

    /// Puts a link in place of a directory that nothing is in.
    fn link_directory(&mut self, path: &str, target: &str) {
        let below = format!("{path}/");
        let is_empty = !self.root.placed.keys().any(|place| place.starts_with(below.as_bytes()));
        if is_empty {
            self.root.symlink(path, target);
        }
    }

    /// The template, and what packages add to it: each shell, and its other name where `/usr` is
    /// merged.
    fn shells(&mut self) -> io::Result<()> {
        let from = b"usr/share/debianutils/shells";
        let mut text = shown(&self.root.read(from, self.bytes)?.unwrap_or_default());
        let start = b"usr/share/debianutils/shells.d/";
        let files: Vec<Vec<u8>> =
            self.root.placed.keys().filter(|path| path.starts_with(start)).cloned().collect();
        let mut shells: Vec<String> = Vec::new();
        for file in files {
            let list = shown(&self.root.read(&file, self.bytes)?.unwrap_or_default());
            shells.extend(list.lines().filter(|line| line.starts_with('/')).map(str::to_owned));
        }
        // Those of the template have another name too.
        let there: Vec<String> =
            text.lines().filter(|line| line.starts_with('/')).map(str::to_owned).collect();
        for shell in there.into_iter().chain(shells) {
            for name in [shell.clone(), format!("/usr{shell}")] {
                let is_new = !text.lines().any(|line| line == name);
                if is_new && self.root.leads(&name) {
                    text.push_str(&name);
                    text.push('\n');
                }
            }
        }
        if !self.root.has("etc/shells") {
            self.root.make("etc/shells", text);
        }
        Ok(())
    }

    /// `/usr/local/lib/pythonX.Y/dist-packages` of every Python that is there.
    fn local_python(&mut self) {
        let releases: Vec<String> = self
            .root
            .placed
            .keys()
            .filter_map(|path| std::str::from_utf8(path).ok()?.strip_prefix("usr/bin/python"))
            .filter(|release| {
                release.split_once('.').is_some_and(|(major, minor)| is_number(major) && is_number(minor))
            })
            .map(str::to_owned)
            .collect();
        for release in releases {
            self.root.directory(&format!("usr/local/lib/python{release}/dist-packages"));
        }
    }

    /// The answers that its questions have where nobody is asked.
    fn fonts(&mut self) {
        for name in ["10-hinting-slight.conf", "70-no-bitmaps.conf"] {
            let path = format!("etc/fonts/conf.d/{name}");
            if !self.root.has(&path) {
                self.root.symlink(&path, &format!("/usr/share/fontconfig/conf.avail/{name}"));
            }
        }
        self.root.directory_with("usr/local/share/fonts", mode(0o2775), STAFF);
    }

    /// Passwords move to files that not everybody reads. When they were changed is left open, as it
    /// is when accounts are never to expire.
    fn shadow(&mut self) -> io::Result<()> {
        for (public, secret, rest) in
            [("etc/passwd", "etc/shadow", "::0:99999:7:::"), ("etc/group", "etc/gshadow", "::")]
        {
            let Some(text) = self.root.read(public.as_bytes(), self.bytes)? else { continue };
            if self.root.has(secret) {
                continue;
            }
            let (mut open, mut hidden) = (String::new(), String::new());
            for line in shown(&text).lines() {
                let mut fields: Vec<&str> = line.split(':').collect();
                if let [name, password, ..] = &mut fields[..] {
                    hidden.push_str(&format!("{name}:{password}{rest}\n"));
                    *password = "x";
                }
                open.push_str(&fields.join(":"));
                open.push('\n');
            }
            self.root.make(public, open);
            self.root.make_with(secret, hidden, mode(0o640), SHADOW);
        }
        Ok(())
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
