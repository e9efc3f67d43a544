//! Reads a package: what it says of itself, its scripts, and where the files are that it brings.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use cogpack_backends_contract::tree::{Attributes, Ids};
use cogpack_content::Digest;
use cogpack_ir::plan::Mode;
use sha2::{Digest as _, Sha256};
use tar::Archive;

use crate::ar::Reader;
use crate::compression::{LARGEST_WINDOW, unpacked, window_of};
use crate::file_name::DebName;
use crate::paragraphs::{Paragraph, paragraphs};
use crate::paths::{InvalidPath, merged, path_of};
use crate::version::Version;

/// A package that has been read.
#[derive(Debug, Clone)]
pub struct Package {
    /// Which.
    pub name: DebName,
    /// What its `control` says.
    pub control: Paragraph,
    /// `control` as it stands.
    pub control_text: String,
    /// Its scripts, by when dpkg would run them.
    pub scripts: BTreeMap<Hook, String>,
    /// Its list of files and their sums, as it stands.
    pub sums: Option<Vec<u8>>,
    /// What it brings, in its own order.
    pub entries: Vec<Entry>,
}

impl Package {
    /// Whether it is an archive, and no package of Debian: those say something of themselves.
    pub fn is_archive(&self) -> bool {
        self.control_text.is_empty()
    }

    /// Its name, for people.
    pub fn shown(&self) -> String {
        if self.is_archive() { self.name.package.clone() } else { self.name.to_string() }
    }
}

/// When dpkg runs a script of a package that is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hook {
    /// Before its files come.
    Preinst,
    /// After all.
    Postinst,
}

impl Hook {
    /// The name of the script.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Preinst => "preinst",
            Self::Postinst => "postinst",
        }
    }
}

/// Something that a package brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where, from the root on, with `/usr` merged.
    pub path: Vec<u8>,
    /// Mode and owner.
    pub attributes: Attributes,
    /// What.
    pub kind: EntryKind,
}

/// What a package can bring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// A directory.
    Directory,
    /// A file, whose bytes are in the unpacked `data.tar`.
    File {
        /// From where on.
        offset: u64,
        /// How many.
        size: u64,
        /// What they hash to.
        digest: Digest,
    },
    /// Another name of a file of the package.
    HardLink(Vec<u8>),
    /// A link, and what it says.
    Symlink(Vec<u8>),
}

/// What is wrong with a package.
#[derive(Debug, thiserror::Error)]
pub enum PackageProblem {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Read(#[from] io::Error),
    /// Something that every package has.
    #[error("it has no `{0}`")]
    Missing(&'static str),
    /// A member that is packed in a way that is not known.
    #[error("its `{0}` is packed in a way that is not known")]
    Packed(String),
    /// A member that takes more memory to unpack than any that is made in the usual ways.
    #[error("what is packed in it takes {} MiB of memory to unpack, and {} MiB are the most", .0.div_ceil(1 << 20), LARGEST_WINDOW >> 20)]
    Window(u64),
    /// The version of the format.
    #[error("it is of the format `{0}`, and `2.0` is known")]
    Format(String),
    /// It says that it is another one.
    #[error("it says that it is `{0}`")]
    Other(String),
    /// A file that could land outside.
    #[error(transparent)]
    Path(#[from] InvalidPath),
    /// An archive with several things at its top.
    #[error("it has `{one}` and `{other}` at its top, and not one directory alone")]
    Tops {
        /// The first.
        one: String,
        /// Another one.
        other: String,
    },
    /// An archive with no directory at its top.
    #[error("it has `{0}` at its top, and not a directory")]
    Top(String),
    /// A file of a kind that cannot be brought.
    #[error("`{0}` is neither file, directory nor link")]
    Kind(String),
}

/// Descriptions and lists of files; the largest have a few megabytes.
const LONGEST_CONTROL: u64 = 64 << 20;

/// How many bytes reading the package keeps of its unpacked `data.tar` ([`window_of`]); nothing where it does not
/// say so, or is none.
pub fn window(deb: impl Read) -> Option<u64> {
    let mut members = Reader::new(deb).ok()?;
    while let Some(member) = members.member().ok()? {
        let mut content = members.content(&member);
        if member.name.starts_with("data.tar") {
            return window_of(&member.name, content);
        }
        io::copy(&mut content, &mut io::sink()).ok()?;
    }
    None
}

/// Reads the package `name` out of `deb`, and writes its unpacked `data.tar` to `data`.
pub fn read(name: &DebName, deb: impl Read, data: &mut dyn Write) -> Result<Package, PackageProblem> {
    let mut members = Reader::new(deb)?;
    let first = members.member()?.filter(|member| member.name == "debian-binary");
    let first = first.ok_or(PackageProblem::Missing("debian-binary"))?;
    let mut format = String::new();
    members.content(&first).take(64).read_to_string(&mut format)?;
    let format = format.lines().next().unwrap_or("");
    if format.split('.').next() != Some("2") {
        return Err(PackageProblem::Format(format.to_owned()));
    }
    let mut control: Option<Control> = None;
    while let Some(member) = members.member()? {
        let mut content = members.content(&member);
        let packed = || PackageProblem::Packed(member.name.clone());
        if member.name.starts_with("control.tar") {
            let bytes = unpacked(&member.name, &mut content)?.ok_or_else(packed)?;
            control = Some(Control::read(bytes)?);
        } else if member.name.starts_with("data.tar") {
            let control = control.ok_or(PackageProblem::Missing("control.tar"))?;
            let mut bytes = unpacked(&member.name, &mut content)?.ok_or_else(packed)?;
            let entries = entries(&mut bytes, data, merged)?;
            // To its end, where its sum is.
            io::copy(&mut bytes, &mut io::sink())?;
            return control.package(name, entries);
        }
        // What follows the tar inside of its member, and members that policy lets be there.
        io::copy(&mut content, &mut io::sink())?;
    }
    Err(PackageProblem::Missing("data.tar"))
}

#[derive(Default)]
struct Control {
    text: Option<String>,
    scripts: BTreeMap<Hook, String>,
    sums: Option<Vec<u8>>,
}

impl Control {
    fn read(bytes: impl Read) -> Result<Self, PackageProblem> {
        let mut control = Self::default();
        let mut archive = Archive::new(bytes.take(LONGEST_CONTROL));
        for entry in archive.entries()? {
            let mut entry = entry?;
            let path = entry.path_bytes().into_owned();
            let name = path.strip_prefix(b"./").unwrap_or(&path).to_owned();
            let mut content = Vec::new();
            entry.read_to_end(&mut content)?;
            let text = || String::from_utf8_lossy(&content).into_owned();
            match &name[..] {
                b"control" => control.text = Some(text()),
                b"preinst" => drop(control.scripts.insert(Hook::Preinst, text())),
                b"postinst" => drop(control.scripts.insert(Hook::Postinst, text())),
                b"md5sums" => control.sums = Some(content),
                _ => {}
            }
        }
        Ok(control)
    }

    fn package(self, name: &DebName, entries: Vec<Entry>) -> Result<Package, PackageProblem> {
        let control_text = self.text.ok_or(PackageProblem::Missing("control"))?;
        let control = paragraphs(&control_text).next().unwrap_or_default();
        let field = |field: &str| control.get(field).unwrap_or("").to_owned();
        let said = DebName {
            package: field("Package"),
            version: Version::new(&field("Version")).without_epoch().to_owned(),
            architecture: field("Architecture"),
        };
        if said != *name {
            return Err(PackageProblem::Other(said.to_string()));
        }
        Ok(Package { name: said, control, control_text, scripts: self.scripts, sums: self.sums, entries })
    }
}

/// Passes bytes on, and writes them down.
struct Copied<'b> {
    from: &'b mut dyn Read,
    to: &'b mut dyn Write,
}

impl Read for Copied<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(buffer)?;
        self.to.write_all(&buffer[..count])?;
        Ok(count)
    }
}

/// What a tar brings, which is written to `to` on the way; `place` says where what it has at a path comes to.
pub(crate) fn entries(
    from: &mut dyn Read,
    to: &mut dyn Write,
    place: fn(Vec<u8>) -> Vec<u8>,
) -> Result<Vec<Entry>, PackageProblem> {
    let mut copied = Copied { from, to };
    let mut archive = Archive::new(&mut copied);
    let mut found = Vec::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        let Some(path) = path_of(&entry.path_bytes())? else { continue };
        let header = entry.header();
        let number = |what: io::Result<u64>| -> io::Result<u32> {
            u32::try_from(what?).map_err(|_| io::Error::other("an owner's number is too large"))
        };
        let attributes = Attributes {
            mode: Mode::new(header.mode()? & 0o7777).unwrap_or(Mode::FILE),
            ids: Ids { user: number(header.uid())?, group: number(header.gid())? },
        };
        let shown = || String::from_utf8_lossy(&path).into_owned();
        let target = || entry.link_name_bytes().map(|target| target.into_owned());
        let kind = header.entry_type();
        let kind = if kind.is_dir() {
            EntryKind::Directory
        } else if kind.is_file() || kind.is_contiguous() {
            let (offset, size, mut hash) = (entry.raw_file_position(), entry.size(), Sha256::new());
            io::copy(&mut entry, &mut hash)?;
            EntryKind::File { offset, size, digest: Digest::from_sha256(hash.finalize().into()) }
        } else if kind.is_symlink() {
            EntryKind::Symlink(target().ok_or_else(|| PackageProblem::Kind(shown()))?)
        } else if kind.is_hard_link() {
            let target = path_of(&target().unwrap_or_default())?;
            EntryKind::HardLink(place(target.ok_or_else(|| PackageProblem::Kind(shown()))?))
        } else {
            return Err(PackageProblem::Kind(shown()));
        };
        found.push(Entry { path: place(path), attributes, kind });
    }
    Ok(found)
}
