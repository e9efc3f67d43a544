//! A Debian package that says more than text: special modes, owners, two names of one file, a link.

use std::io::Write;
use std::path::Path;

use cogpack_cli::Environment;
use cogpack_content::Digest;
use flate2::Compression;
use flate2::write::GzEncoder;

/// The file of the package.
pub const FILE: &str = "tiny_1_all.deb";

/// One entry: its path, mode, owner and group, and what it is.
type Entry<'a> = (&'a str, u32, (u64, u64), Kind<'a>);

enum Kind<'a> {
    Directory,
    File(&'a str),
    Link(&'a str),
    HardLink(&'a str),
}

/// The package; its tool says `text`.
fn package(text: &str) -> Vec<u8> {
    let root = (0, 0);
    let data = packed(&[
        ("./", 0o755, root, Kind::Directory),
        ("./etc/", 0o755, root, Kind::Directory),
        ("./etc/key", 0o640, (0, 42), Kind::File("secret\n")),
        ("./usr/", 0o755, root, Kind::Directory),
        ("./usr/bin/", 0o755, root, Kind::Directory),
        ("./usr/bin/tool", 0o4755, root, Kind::File(text)),
        ("./usr/bin/name", 0o4755, root, Kind::HardLink("./usr/bin/tool")),
        ("./usr/bin/link", 0o777, root, Kind::Link("tool")),
        ("./var/", 0o755, root, Kind::Directory),
        ("./var/mail/", 0o2775, (0, 8), Kind::Directory),
    ]);
    let control = "Package: tiny\nVersion: 1\nArchitecture: all\nMaintainer: nobody\nDescription: tiny\n";
    let control = packed(&[("./control", 0o644, root, Kind::File(control))]);
    let mut archive = b"!<arch>\n".to_vec();
    for (name, bytes) in
        [("debian-binary", b"2.0\n".to_vec()), ("control.tar.gz", control), ("data.tar.gz", data)]
    {
        let length = bytes.len();
        archive.extend(format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{length:<10}`\n", 0, 0, 0, 100_644).bytes());
        archive.extend(&bytes);
        archive.extend((length % 2 == 1).then_some(b'\n'));
    }
    archive
}

fn packed(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, mode, (user, group), kind) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_mode(*mode);
        header.set_uid(*user);
        header.set_gid(*group);
        let (entry_type, content, target) = match kind {
            Kind::Directory => (tar::EntryType::Directory, "", None),
            Kind::File(text) => (tar::EntryType::Regular, *text, None),
            Kind::Link(target) => (tar::EntryType::Symlink, "", Some(target)),
            Kind::HardLink(target) => (tar::EntryType::Link, "", Some(target)),
        };
        header.set_entry_type(entry_type);
        header.set_size(content.len() as u64);
        let appended = match target {
            Some(target) => archive.append_link(&mut header, path, target),
            None => archive.append_data(&mut header, path, content.as_bytes()),
        };
        appended.expect("can be written");
    }
    let mut packed = archive.into_inner().expect("is whole");
    packed.flush().expect("is whole");
    packed.finish().expect("is whole")
}

/// Lays the package into a folder, and gives the context `@system` of it.
pub fn context(folder: &Path, text: &str) -> String {
    let bytes = package(text);
    std::fs::write(folder.join(FILE), &bytes).expect("is writable");
    format!("context @system = debs {{\n  deb \"{FILE}\" {{\n    hash {}\n  }}\n}}\n", Digest::of(&bytes))
}

/// An environment in which the package is found, and what is made of it is kept in the folder.
pub fn environment(folder: &Path) -> Environment {
    let mut environment = Environment { store: Some(folder.join("store")), ..Environment::default() };
    environment.debs = vec![folder.display().to_string()];
    environment
}
