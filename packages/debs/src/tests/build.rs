//! Makes packages for tests.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

/// A package in the making.
#[derive(Debug, Clone)]
pub struct Builder {
    name: String,
    architecture: String,
    fields: Vec<(String, String)>,
    scripts: Vec<(String, String)>,
    has_control: bool,
    files: Vec<(String, tar::EntryType, String)>,
}

impl Builder {
    /// A package of version 1.0, for all machines, with nothing in it.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            architecture: "all".to_owned(),
            fields: Vec::new(),
            scripts: Vec::new(),
            has_control: true,
            files: Vec::new(),
        }
    }

    /// For this machine.
    pub fn architecture(mut self, architecture: &str) -> Self {
        self.architecture = architecture.to_owned();
        self
    }

    /// A field of its `control`.
    pub fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A script.
    pub fn script(mut self, name: &str, text: &str) -> Self {
        self.scripts.push((name.to_owned(), text.to_owned()));
        self
    }

    /// Without a `control`.
    pub fn without_control(mut self) -> Self {
        self.has_control = false;
        self
    }

    /// A file.
    pub fn file(self, path: &str, text: &str) -> Self {
        self.entry(path, tar::EntryType::Regular, text)
    }

    /// A link.
    pub fn symlink(self, path: &str, target: &str) -> Self {
        self.entry(path, tar::EntryType::Symlink, target)
    }

    /// Another name of a file.
    pub fn hard_link(self, path: &str, target: &str) -> Self {
        self.entry(path, tar::EntryType::Link, target)
    }

    /// Anything, by its path as it is to stand there.
    pub fn entry(mut self, path: &str, kind: tar::EntryType, text: &str) -> Self {
        self.files.push((path.to_owned(), kind, text.to_owned()));
        self
    }

    /// The name of its file.
    pub fn file_name(&self) -> String {
        format!("{}_1.0_{}.deb", self.name, self.architecture)
    }

    /// The package.
    pub fn bytes(&self) -> Vec<u8> {
        let mut control =
            format!("Package: {}\nVersion: 1.0\nArchitecture: {}\n", self.name, self.architecture);
        for (name, value) in &self.fields {
            control.push_str(&format!("{name}: {value}\n"));
        }
        let regular = tar::EntryType::Regular;
        let mut parts: Vec<(String, tar::EntryType, String)> = Vec::new();
        if self.has_control {
            parts.push(("control".to_owned(), regular, control));
        }
        parts.extend(self.scripts.iter().map(|(name, text)| (name.clone(), regular, text.clone())));
        let members = [
            ("debian-binary", b"2.0\n".to_vec()),
            ("control.tar.gz", packed(&parts)),
            ("data.tar.gz", packed(&self.files)),
        ];
        let mut out = b"!<arch>\n".to_vec();
        for (name, bytes) in members {
            out.extend(
                format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, 100_644, bytes.len()).bytes(),
            );
            out.extend(&bytes);
            if bytes.len() % 2 == 1 {
                out.push(b'\n');
            }
        }
        out
    }
}

fn packed(entries: &[(String, tar::EntryType, String)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, kind, text) in entries {
        let mut header = tar::Header::new_gnu();
        // Written as it stands, since the tests of bad ones have paths that the library would refuse.
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(*kind);
        header.set_mode(0o755);
        header.set_uid(0);
        header.set_gid(0);
        let is_file = *kind == tar::EntryType::Regular;
        header.set_size(if is_file { text.len() as u64 } else { 0 });
        if !is_file {
            header.as_mut_bytes()[157..157 + text.len()].copy_from_slice(text.as_bytes());
        }
        header.set_cksum();
        archive.append(&header, if is_file { text.as_bytes() } else { &[] }).expect("can be written");
    }
    let mut packed = archive.into_inner().expect("is whole");
    packed.flush().expect("is whole");
    packed.finish().expect("is whole")
}
