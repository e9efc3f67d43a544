//! Contexts: all that a build may read from outside the plan, base images apart.

use std::collections::BTreeMap;

use cogpack_content::Digest;

use super::file_ops::FileContent;
use super::owner::Mode;
use super::path_rules::PathRules;
use super::span::{Span, Spanned};

/// A declared context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// What it is.
    pub kind: ContextKind,
    /// The declared name.
    pub span: Span,
}

/// The kinds of contexts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContextKind {
    /// `dir "."`: a directory of the builder, its ignore file honoured, `.cog/` never part of it.
    Directory(DirectoryContext),
    /// `http "https://…"`: one file from a server.
    Http(HttpContext),
    /// `git "https://…"`: one commit of a repository.
    Git(GitContext),
    /// `oci "layouts/base"`: one image of an OCI image layout.
    Oci(OciContext),
    /// `files`: small files written in the plan itself, by path.
    Files(BTreeMap<String, InlineFile>),
    /// `wheels`: a locked set of Python wheels, installed as file work.
    Wheels(WheelsContext),
    /// `debs`: a locked set of Debian packages, unpacked as file work.
    Debs(DebsContext),
}

/// A directory of the builder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryContext {
    /// Relative to the directory of the plan; `/` separates.
    pub path: Spanned<String>,
    /// What of it is taken.
    pub rules: PathRules,
}

/// One file from a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpContext {
    /// An `http://` or `https://` address.
    pub url: Spanned<String>,
    /// What the file must hash to.
    pub checksum: Option<Digest>,
    /// The name of the file in the context; the address's last part where nothing is said.
    pub name: Option<Spanned<String>>,
    /// The file's mode; 0644 where nothing is said.
    pub mode: Option<Mode>,
}

/// One commit of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitContext {
    /// Where the repository is, in any form that git takes.
    pub url: Spanned<String>,
    /// 40 or 64 hexadecimal digits.
    pub commit: Option<Spanned<String>>,
    /// The directory of the repository that becomes the context's root.
    pub subdir: Option<Spanned<String>>,
}

/// One image of an OCI image layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OciContext {
    /// The layout's directory, relative to the directory of the plan.
    pub path: Spanned<String>,
    /// The digest of the manifest or index.
    pub digest: Option<Spanned<Digest>>,
    /// The `org.opencontainers.image.ref.name` to take where there is no digest.
    pub tag: Option<Spanned<String>>,
}

/// A small file written in the plan itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InlineFile {
    /// 0644 where nothing is said.
    pub mode: Option<Mode>,
    /// The bytes.
    pub content: FileContent,
    /// The path as it was written.
    pub span: Span,
}

/// A locked set of Python wheels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WheelsContext {
    /// `major.minor`: decides `lib/pythonX.Y/site-packages`.
    pub python: Option<Spanned<String>>,
    /// What the first line of installed scripts names; `/usr/bin/python3` where nothing is said.
    pub interpreter: Option<Spanned<String>>,
    /// The wheels by file name, which carries name, version and tags (PEP 427).
    pub wheels: BTreeMap<String, LockedFile>,
}

/// A locked set of Debian packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebsContext {
    /// The suite they come from, for instance `bookworm`.
    pub suite: Option<String>,
    /// The packages by file name (`libc6_2.36-9_amd64.deb`), which carries name, version and
    /// architecture (Debian policy, appendix on source and binary names).
    pub packages: BTreeMap<String, LockedFile>,
    /// Archives that are unpacked beside the packages, by file name (`cpython-3.12.16.tar.gz`).
    pub archives: BTreeMap<String, UnpackedArchive>,
    /// Certificates of authorities beside those of the packages, by file name (`own.crt`).
    pub certificates: BTreeMap<String, LocalCertificate>,
}

/// An archive that is unpacked beside Debian packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnpackedArchive {
    /// What the only directory at the archive's top becomes.
    pub place: Spanned<String>,
    /// The archive.
    pub file: LockedFile,
}

/// The certificate of an authority that a system is told to trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalCertificate {
    /// The certificate, as PEM.
    pub text: String,
    /// The file's name as it was written.
    pub span: Span,
}

/// One file of a locked set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedFile {
    /// What the file must hash to.
    pub digest: Option<Digest>,
    /// Where it is, where that does not follow from its name and the machine's own index.
    pub url: Option<Spanned<String>>,
    /// The file's name as it was written.
    pub span: Span,
}
