//! Debian packages out of a directory of this machine, good ones and bad ones.

use std::fs;
use std::io::Read;
use std::path::Path;

use cogpack_backends_contract::content::{Content, Stamp};
use cogpack_backends_contract::tree::{Attributes, Node, text};
use cogpack_content::{Digest, Platform};
use cogpack_io_store::Store;
use cogpack_ir::plan::context::{DebsContext, LockedFile, UnpackedArchive};
use cogpack_ir::plan::{InputName, Span, Spanned};
use miette::Diagnostic;

use crate::places::Index;
use crate::web::Web;
use crate::{InstalledDebs, PackageError, PackageProblem, Places};

#[path = "../../../../packages/debs/src/tests/build.rs"]
#[allow(dead_code, reason = "the tests of packages themselves make stranger ones")]
mod build;

use build::Builder;

/// A directory of packages, a store beside it, and a context that locks them.
struct Machine {
    folder: tempfile::TempDir,
    context: DebsContext,
}

impl Machine {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        fs::create_dir(folder.path().join("debs")).expect("can be made");
        Self {
            folder,
            context: DebsContext {
                suite: None,
                packages: Default::default(),
                archives: Default::default(),
                certificates: Default::default(),
            },
        }
    }

    fn directory(&self) -> std::path::PathBuf {
        self.folder.path().join("debs")
    }

    /// Puts a package there, and locks it.
    fn deb(mut self, deb: Builder) -> Self {
        let (name, bytes) = (deb.file_name(), deb.bytes());
        fs::write(self.directory().join(&name), &bytes).expect("can be written");
        self.lock(&name, Digest::of(&bytes));
        self
    }

    fn lock(&mut self, name: &str, digest: Digest) {
        let locked = LockedFile { digest: Some(digest), url: None, span: Span::NOWHERE };
        self.context.packages.insert(name.to_owned(), locked);
    }

    fn install_from(&self, directories: &[&Path]) -> Result<InstalledDebs, PackageError> {
        let places = Places {
            store: Store::open(&self.folder.path().join("store")).expect("can be made"),
            directories: directories.iter().map(|path| path.to_path_buf()).collect(),
            index: Index::Nothing,
            web: Web::new(),
        };
        let platform: Platform = "linux/amd64".parse().expect("is a platform");
        InstalledDebs::install(&self.context, Span::NOWHERE, &[platform], &places)
    }

    /// The findings, each as its code and what it says.
    fn problems(&self) -> Vec<String> {
        let Err(PackageError::Plan(problems)) = self.install_from(&[&self.directory()]) else {
            panic!("the plan is wrong");
        };
        let said = |problem: &PackageProblem| format!("{}: {problem}", problem.code().expect("has a code"));
        problems.iter().map(said).collect()
    }
}

fn name() -> InputName {
    InputName::new("system").expect("is a name")
}

#[test]
fn packages_are_kept_where_the_next_build_finds_them() {
    let machine = Machine::new()
        .deb(Builder::named("one").file("bin/one", "words").hard_link("bin/uno", "bin/one"))
        .deb(Builder::named("two").symlink("usr/bin/two", "one"));
    let directory = machine.directory();
    let first = machine.install_from(&[&directory]).expect("can be installed");
    fs::remove_dir_all(&directory).expect("can be removed");
    for debs in [first, machine.install_from(&[]).expect("is in the store")] {
        let tree = debs.tree(&name()).expect("is a tree");
        let paths: Vec<String> = tree
            .walk()
            .into_iter()
            .filter(|(_, node)| !matches!(node, Node::Directory(_)))
            .map(|(path, _)| text(&path))
            .collect();
        assert_eq!(
            paths,
            [
                "/bin",
                "/lib",
                "/sbin",
                "/usr/bin/one",
                "/usr/bin/two",
                "/usr/bin/uno",
                "/var/lib/dpkg/status.d/one",
                "/var/lib/dpkg/status.d/one.md5sums",
                "/var/lib/dpkg/status.d/two",
                "/var/lib/dpkg/status.d/two.md5sums",
            ]
        );
        let uno = tree.walk().into_iter().find(|(path, _)| text(path) == "/usr/bin/uno");
        let Some((_, Node::File { content: Content::Context(file), .. })) = uno else { panic!("is a file") };
        assert_eq!((*file.stamp(), file.is_linked()), (Stamp::Digest(Digest::of(b"words")), true));
        let mut words = String::new();
        debs.open(b"usr/bin/uno").expect("is there").read_to_string(&mut words).expect("is whole");
        assert_eq!(words, "words");
        assert!(debs.open(b"usr/bin/two").is_err());
    }
}

/// A tar, not packed, of files with these paths and modes.
fn tar_of(files: &[(&str, u32, &str)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, mode, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_mode(*mode);
        header.set_uid(1000);
        header.set_gid(1000);
        header.set_size(text.len() as u64);
        archive.append_data(&mut header, path, text.as_bytes()).expect("can be written");
    }
    archive.into_inner().expect("is whole")
}

impl Machine {
    /// Puts an archive there, and locks it for a place.
    fn archive(mut self, name: &str, place: &str, bytes: &[u8]) -> Self {
        fs::write(self.directory().join(name), bytes).expect("can be written");
        let file = LockedFile { digest: Some(Digest::of(bytes)), url: None, span: Span::NOWHERE };
        let place = Spanned::nowhere(place.to_owned());
        self.context.archives.insert(name.to_owned(), UnpackedArchive { place, file });
        self
    }
}

#[test]
fn an_archive_lies_beside_packages_and_is_kept_as_they_are() {
    let large = "words ".repeat(300_000);
    let files =
        [("tools/bin/tool", 0o4755, "tool"), ("tools/lib/a", 0o664, "a"), ("tools/lib/large", 0o600, &large)];
    let machine = Machine::new().deb(Builder::named("one").file("opt/one", "words")).archive(
        "tools.tar",
        "/opt/tools",
        &tar_of(&files),
    );
    let directory = machine.directory();
    let first = machine.install_from(&[&directory]).expect("can be installed");
    fs::remove_dir_all(&directory).expect("can be removed");
    for debs in [first, machine.install_from(&[]).expect("is in the store")] {
        let tree = debs.tree(&name()).expect("is a tree");
        let mut files = Vec::new();
        for (path, node) in tree.walk() {
            let Node::File { attributes: Attributes { mode, ids }, .. } = node else { continue };
            files.push(format!("{} {mode} {}:{}", text(&path), ids.user, ids.group));
        }
        // Whoever packed it, it is root's, and runs as whoever starts it. No scanner finds a package there.
        assert_eq!(
            files,
            [
                "/opt/one 0755 0:0",
                "/opt/tools/bin/tool 0755 0:0",
                "/opt/tools/lib/a 0664 0:0",
                "/opt/tools/lib/large 0600 0:0",
                "/var/lib/dpkg/status.d/one 0644 0:0",
                "/var/lib/dpkg/status.d/one.md5sums 0644 0:0",
            ]
        );
        let mut words = String::new();
        debs.open(b"opt/tools/bin/tool").expect("is there").read_to_string(&mut words).expect("is whole");
        assert_eq!(words, "tool");
        let layers: Vec<String> =
            debs.layers(&name()).expect("has layers").into_iter().map(|layer| layer.what).collect();
        assert_eq!(layers, ["tools.tar", "one small package", "what is made of the packages"]);
    }
}

#[test]
fn an_archive_is_one_directory_that_nothing_stands_in_the_way_of() {
    let of = |name: &str, bytes: &[u8]| Machine::new().archive(name, "/opt/tools", bytes).problems();
    let two = tar_of(&[("one/a", 0o644, ""), ("two/b", 0o644, "")]);
    assert_eq!(
        of("two.tar", &two),
        [
            "cpk::debs::invalid: the archive `two.tar`: it has `one` and `two` at its top, and not one directory alone"
        ]
    );
    let file = tar_of(&[("alone", 0o644, "")]);
    assert_eq!(
        of("file.tar", &file),
        ["cpk::debs::invalid: the archive `file.tar`: it has `alone` at its top, and not a directory"]
    );
    let unpacked = of("unpacked.tar.gz", &file);
    assert!(
        unpacked[0].starts_with("cpk::debs::invalid: the archive `unpacked.tar.gz`: it cannot be read"),
        "{unpacked:?}"
    );
    let same = Machine::new()
        .deb(Builder::named("one").file("opt/tools/a", "1"))
        .archive("same.tar", "/opt/tools", &tar_of(&[("x/a", 0o644, "2")]))
        .problems();
    assert_eq!(
        same,
        ["cpk::debs::conflict: the packages `one_1.0_all.deb` and `same.tar` both bring `/opt/tools/a`"]
    );
}

#[test]
fn what_would_take_more_memory_than_any_usual_package_is_refused() {
    // The header of a stream of xz, and that of a block with a dictionary of 1.5 GiB.
    let packed = b"\xfd7zXZ\0\0\x04\0\0\0\0\x02\0\x21\x01\x25";
    let member = |name: &str, bytes: &[u8]| {
        let header = format!("{name:<16}{:<32}{:<10}`\n", "0", bytes.len());
        [header.as_bytes(), bytes, &b"\n"[..bytes.len() % 2]].concat()
    };
    let deb = [b"!<arch>\n".to_vec(), member("control.tar", b"abc"), member("data.tar.xz", packed)].concat();
    let mut machine = Machine::new().archive("large.tar.xz", "/opt/large", packed);
    fs::write(machine.directory().join("large_1.0_all.deb"), &deb).expect("can be written");
    machine.lock("large_1.0_all.deb", Digest::of(&deb));
    let why = "what is packed in it takes 1536 MiB of memory to unpack, and 64 MiB are the most";
    assert_eq!(
        machine.problems(),
        [
            format!("cpk::debs::invalid: the package `large_1.0_all.deb`: {why}"),
            format!("cpk::debs::invalid: the archive `large.tar.xz`: {why}"),
        ]
    );
}

#[test]
fn what_was_unpacked_once_is_not_unpacked_again() {
    let machine = Machine::new().deb(Builder::named("one").file("bin/one", "words"));
    let install = || machine.install_from(&[]);
    let paths = |debs: &InstalledDebs| debs.tree(&name()).expect("is a tree").walk().len();
    let first = paths(&machine.install_from(&[&machine.directory()]).expect("can be installed"));
    let blobs = machine.folder.path().join("store/blobs/sha256");
    let deb = machine.context.packages.values().next().and_then(|locked| locked.digest).expect("is locked");
    // The package itself is not even there, so it is what was kept of it.
    let away = machine.folder.path().join("away");
    fs::rename(blobs.join(deb.hex()), &away).expect("is kept");
    let again = install().expect("is unpacked already");
    assert_eq!(paths(&again), first);
    let mut words = String::new();
    again.open(b"usr/bin/one").expect("is there").read_to_string(&mut words).expect("is whole");
    assert_eq!(words, "words");
    // Half of what is known of it is nothing, and so is all of it without the files.
    fs::rename(&away, blobs.join(deb.hex())).expect("can be put back");
    let notes = machine.folder.path().join("store/layers");
    let note =
        fs::read_dir(&notes).expect("is there").next().expect("there is one").expect("can be read").path();
    let text = fs::read_to_string(&note).expect("is text");
    fs::write(&note, &text[..text.len() / 2]).expect("can be cut");
    assert_eq!(paths(&install().expect("is unpacked anew")), first);
    assert_eq!(fs::read_to_string(&note).expect("is text"), text);
    fs::remove_file(blobs.join(text[7..].lines().next().expect("names the files"))).expect("is kept");
    assert_eq!(paths(&install().expect("is unpacked anew")), first);
}

#[test]
fn every_problem_is_told_on_its_line() {
    let mut machine = Machine::new()
        .deb(Builder::named("broken").without_control())
        .deb(Builder::named("foreign").architecture("arm64"))
        .deb(Builder::named("good"))
        .deb(Builder::named("strange").script("postinst", "#!/bin/sh\nset -e\nadduser --system strange\n"));
    machine.lock("lost_1.0_all.deb", Digest::of(b"lost"));
    fs::write(machine.directory().join("other_1.0_all.deb"), "another").expect("can be written");
    machine.lock("other_1.0_all.deb", Digest::of(b"meant"));
    let problems = machine.problems();
    let [broken, foreign, lost, other, strange] = &problems[..] else { panic!("{problems:#?}") };
    assert_eq!(broken, "cpk::debs::invalid: the package `broken_1.0_all.deb`: it has no `control`");
    assert_eq!(
        foreign,
        "cpk::debs::architecture: `foreign_1.0_arm64.deb` is not for the plan's platform `linux/amd64`"
    );
    assert_eq!(
        lost,
        "cpk::packages::missing: `lost_1.0_all.deb` cannot be found: it is not in the directory of packages"
    );
    assert!(other.starts_with("cpk::packages::digest: `other_1.0_all.deb` from `"), "{other}");
    assert!(
        strange.starts_with("cpk::debs::script: the package `strange_1.0_all.deb` has a script, `postinst`"),
        "{strange}"
    );
    assert!(strange.contains("adduser --system strange"), "{strange}");
}

#[test]
fn packages_that_bring_the_same_are_refused() {
    let one = || Builder::named("one").file("usr/share/a", "1");
    let two = || Builder::named("two").file("usr/share/a", "1");
    assert_eq!(
        Machine::new().deb(one()).deb(two()).problems(),
        [
            "cpk::debs::conflict: the packages `one_1.0_all.deb` and `two_1.0_all.deb` both bring `/usr/share/a`"
        ]
    );
    assert_eq!(
        Machine::new().deb(one().field("Breaks", "two (<< 2)")).deb(two()).problems(),
        [
            "cpk::debs::conflict: the package `one_1.0_all.deb` says that it cannot be beside `two_1.0_all.deb`"
        ]
    );
    assert!(Machine::new().deb(one()).deb(two().field("Replaces", "one")).install_from(&[]).is_err());
    let replaced = Machine::new().deb(one()).deb(two().field("Replaces", "one (<< 2)"));
    replaced.install_from(&[&replaced.directory()]).expect("one says that it replaces the other");
}
