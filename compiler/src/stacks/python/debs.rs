//! The Debian packages that an image is made of where its base is `debian`: which ones a project needs,
//! and what its lock of them says.
//!
//! A Python that no release of Debian has comes on demand and beside the packages, from an archive of the
//! catalogue; the packages are then those of the newest release.
//!
//! The lock is a part of a plan, contexts alone, so it is read and printed like any plan: one `debs`
//! context for each platform that it was made for. A comment says what it was made of.

use std::collections::BTreeSet;
use std::ops::Range;

use cogpack_catalogue::{Catalogue, WantedOs};
use cogpack_content::{Digest, Platform};
use cogpack_frontends_source::{InFile, Place, Source, SourcePath, Unread};
use cogpack_ir::plan::context::{DebsContext, LockedFile, UnpackedArchive};
use cogpack_ir::plan::{Context, ContextKind, InputName, Plan, Span, Spanned};
use cogpack_ir::syntax;
use cogpack_packages_wheels::target::PythonVersion;
use pep440_rs::{Version, VersionSpecifiers};

use super::debs_finding::DebsFinding;
use super::facts::{Base, BaseFrom, Decided, PythonOf, System};
use super::fit::Fit;
use super::named::named;
use super::on_demand::{self, Archive, OnDemand};
use super::said::{Said, read_all};
use super::versions::{self, DISTRIBUTION};
use crate::stacks::request::BaseWish;
use crate::stacks::{Findings, Request, text};

/// The path of Python in Debian's packages.
const INTERPRETER: &str = "/usr/bin/python3";

/// Releases of Debian, each with the only Python that it has.
const RELEASES: [(&str, PythonVersion); 2] =
    [("bookworm", PythonVersion { major: 3, minor: 11 }), ("trixie", PythonVersion { major: 3, minor: 13 })];

/// The release that a Python on demand lies beside: the newest one, which is maintained longest.
const NEWEST: &str = "trixie";

/// What each image has: the base system's files and accounts, certificates, an init, and the C++ library, which
/// wheels take for granted (PEP 600).
const ALWAYS: [&str; 5] = ["base-files", "base-passwd", "ca-certificates", "libstdc++6", "tini"];

/// The Python of a release, with the C library and the OpenSSL that it needs.
const PYTHON: &str = "python3";

/// What a Python on demand needs, or looks for as that of a release does. It brings all but the C library and,
/// in some versions, libcrypt itself; the standard library reads names of services, kinds of files by their
/// endings, and time zones of the system; and wheels take zlib for granted, which `python3` brings.
const FOR_ARCHIVE: [&str; 6] = ["libc6", "libcrypt1", "media-types", "netbase", "tzdata", "zlib1g"];

/// What packages of those need only for scripts, of which none is run.
const FOR_SCRIPTS: [&str; 2] = ["debconf", "dpkg"];

/// Which packages are to be locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebInputs {
    /// The release of Debian.
    pub suite: &'static str,
    /// The packages, by name.
    pub names: BTreeSet<String>,
    /// Packages that are left out with all that only they need.
    pub without: BTreeSet<String>,
    /// Whether what every Debian system has is wanted too, as a shell.
    pub essential: bool,
    /// For which machines.
    pub platforms: BTreeSet<Platform>,
}

impl DebInputs {
    /// What tells these inputs from all others. Platforms are told by what the lock has.
    pub fn digest(&self) -> Digest {
        let mut text = format!("suite {}\nessential {}\n", self.suite, self.essential);
        for (word, names) in [("name", &self.names), ("without", &self.without)] {
            for name in names {
                text.push_str(&format!("{word} {name}\n"));
            }
        }
        Digest::of(text.as_bytes())
    }
}

/// The base that the locked packages make, with its Python.
pub(super) fn base(
    source: &Source,
    request: &Request,
    said: &Said,
    python: &Decided<PythonVersion>,
    wanted: &Wished,
) -> Result<Result<Base, Findings>, Unread> {
    let mut set = match locked(source, request, said, &wanted.inputs)? {
        Ok(set) => set,
        Err(findings) => return Ok(Err(findings)),
    };
    Ok(Ok(match &wanted.on_demand {
        None => Base {
            version: python_of(&set, python.value),
            from: BaseFrom::Debs(set),
            interpreter: INTERPRETER.to_owned(),
            python: PythonOf::Base,
            system: wanted.system(),
        },
        Some(archives) => {
            set.archives.extend(archives.archives.iter().map(beside));
            Base {
                version: Some(archives.version.clone()),
                from: BaseFrom::Debs(set),
                interpreter: on_demand::interpreter(python.value),
                python: PythonOf::Archive(archives.clone()),
                system: wanted.system(),
            }
        }
    }))
}

/// An archive as the set has it, by the name that its address ends in, so that a directory of files may have it
/// too.
fn beside(archive: &Archive) -> (String, UnpackedArchive) {
    let address = archive.url.split(['?', '#']).next().unwrap_or_default();
    let last = address.rsplit('/').next().unwrap_or_default().replace("%2B", "+");
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._+-".contains(letter);
    let is_name = last.ends_with(".tar.gz") && last.chars().all(is_plain);
    let name = if is_name { last } else { "python.tar.gz".to_owned() };
    let file = LockedFile {
        digest: Some(archive.digest),
        url: Some(Spanned::nowhere(archive.url.clone())),
        span: Span::NOWHERE,
    };
    (name, UnpackedArchive { place: Spanned::nowhere(on_demand::PREFIX.to_owned()), file })
}

/// The version of Python that locked packages bring, where they say it.
fn python_of(set: &DebsContext, python: PythonVersion) -> Option<Version> {
    let start = format!("python{python}_");
    let version = set.packages.keys().find_map(|file| file.strip_prefix(&start))?;
    version.split(['-', '+', '~', '_']).next()?.parse().ok()
}

/// The packages that the image of a project is to be made of; `None` where its base is another one.
pub fn inputs(source: &Source, request: &Request) -> Result<Result<Option<DebInputs>, Findings>, Unread> {
    let said = match read_all(source, request)? {
        Ok((said, _)) => said,
        Err(findings) => return Ok(Err(findings)),
    };
    if versions::wish(request, &said) != Some(BaseWish::Debian) {
        return Ok(Ok(None));
    }
    let (python, fit) = match versions::settle(source, request, &said)? {
        Ok(settled) => (settled.python, settled.fit),
        Err(findings) => return Ok(Err(findings)),
    };
    let catalogue = match versions::catalogue(source, request, &said)? {
        Ok(catalogue) => catalogue,
        Err(findings) => return Ok(Err(findings)),
    };
    Ok(of(request, &catalogue, &said, &python, &fit).map(|wanted| Some(wanted.inputs)))
}

/// What a base is to be made of.
#[derive(Debug)]
pub(super) struct Wished {
    pub inputs: DebInputs,
    /// The Python that lies beside the packages, where none of them brings it.
    pub on_demand: Option<OnDemand>,
}

impl Wished {
    /// What compiled code is for on it.
    pub fn system(&self) -> System {
        let prefix = if self.on_demand.is_some() { on_demand::PREFIX } else { DISTRIBUTION };
        System {
            os: WantedOs { id: "debian".to_owned(), version: Some(self.inputs.suite.to_owned()) },
            prefix: prefix.to_owned(),
        }
    }
}

/// The same of files that have been read.
pub(super) fn of(
    request: &Request,
    catalogue: &Catalogue,
    said: &Said,
    python: &Decided<PythonVersion>,
    fit: &Fit,
) -> Result<Wished, Findings> {
    if fit.of_base.is_some() {
        let place = cuda_of_base(said).map(Into::into);
        return Err(vec![InFile::new(&said.config, DebsFinding::DebianCuda { place }.into())]);
    }
    let archives = |python: &VersionSpecifiers| on_demand::archives(catalogue, python, &request.platforms);
    let named = named(said);
    let release = RELEASES.iter().find(|(_, has)| *has == python.value);
    // A patch version that is named, and has an archive, is that one on every base.
    let of_patch = named.as_ref().and_then(|named| named.exactly()).and_then(|python| archives(&python));
    let (suite, on_demand) = match (release, of_patch) {
        (_, Some(of_patch)) => (NEWEST, Some(of_patch)),
        (Some((suite, _)), None) => (*suite, None),
        (None, None) => match archives(&versions::of(python.value)) {
            Some(newest) => (NEWEST, Some(newest)),
            None => {
                let has = RELEASES.map(|(suite, has)| format!("{has} ({suite})")).join(" and ");
                let platforms: Vec<String> = request.platforms.iter().map(ToString::to_string).collect();
                let named = named.map(|named| (named.file, named.place));
                let file = named.as_ref().map(|(file, _)| file).or(python.at.as_ref().map(|(file, _)| file));
                let finding = DebsFinding::DebianPython {
                    python: python.value.to_string(),
                    platforms: platforms.join(" and "),
                    has,
                    place: named.as_ref().map(|(_, place)| (*place).into()),
                };
                return Err(vec![InFile::new(file.unwrap_or(&said.config), finding.into())]);
            }
        },
    };
    let of_python = match on_demand {
        None => &[PYTHON][..],
        Some(_) => &FOR_ARCHIVE[..],
    };
    let asked: BTreeSet<String> =
        said.cog.build.system_packages.iter().map(|package| package.name.clone()).collect();
    // Whatever the project runs may be anything, and is at least run by a shell.
    let settings = said.settings();
    let has_scripts = !settings.pre_install.is_empty() || !settings.post_install.is_empty();
    let essential = !said.cog.build.commands.is_empty() || has_scripts;
    let is_left_out = |name: &&str| !essential && !asked.contains(*name);
    let always = ALWAYS.iter().chain(of_python).map(|name| (*name).to_owned());
    let inputs = DebInputs {
        suite,
        without: FOR_SCRIPTS.iter().filter(|name| is_left_out(name)).map(|it| (*it).to_owned()).collect(),
        names: always.chain(asked).collect(),
        essential,
        platforms: request.platforms.clone(),
    };
    Ok(Wished { inputs, on_demand })
}

/// Where a CUDA or a cuDNN is asked for that the base must have.
pub(super) fn cuda_of_base(said: &Said) -> Option<Place> {
    let build = &said.cog.build;
    let cuda = build.cuda.as_ref().map(|cuda| cuda.place);
    let cudnn = build.cudnn.as_ref().map(|cudnn| cudnn.place);
    cuda.or(cudnn).or(build.gpu.as_ref().map(|gpu| gpu.place))
}

/// The locked packages for the only platform that is asked for.
fn locked(
    source: &Source,
    request: &Request,
    said: &Said,
    wanted: &DebInputs,
) -> Result<Result<DebsContext, Findings>, Unread> {
    let lock = request.config.deb_lock();
    let found = match text(source, &lock)? {
        Ok(Some(text)) => text,
        Ok(None) => {
            return Ok(Err(vec![InFile::new(&SourcePath::root(), no_lock(request).into())]));
        }
        Err(finding) => return Ok(Err(vec![finding])),
    };
    let told = |finding: DebsFinding| Ok(Err(vec![InFile::new(&lock, finding.into())]));
    if let Some((recorded, place)) = recorded(found)
        && recorded != wanted.digest().to_string()
    {
        return told(DebsFinding::StaleDebs { option: request.config.option(), place: place.into() });
    }
    let mut platforms = request.platforms.iter();
    let (Some(platform), None) = (platforms.next(), platforms.next()) else {
        return Ok(Err(vec![InFile::new(&said.config, DebsFinding::DebianPlatforms.into())]));
    };
    let parsed = syntax::parse(found);
    if let Some(first) = parsed.findings.first() {
        return told(DebsFinding::DebLock { problem: first.to_string() });
    }
    let set = parsed.plan.contexts.get(&name_of(platform));
    let Some(Context { kind: ContextKind::Debs(set), .. }) = set else {
        return told(DebsFinding::NoDebsFor { platform: platform.clone() });
    };
    let mut findings = Findings::new();
    for package in &said.cog.build.system_packages {
        let Some(version) = &package.version else { continue };
        let locked = set.packages.keys().find_map(|file| {
            let (name, rest) = file.split_once('_')?;
            (name == package.name).then(|| rest.split('_').next().unwrap_or_default().to_owned())
        });
        // Names of files leave the epoch out.
        let plain = version.split_once(':').map_or(version.as_str(), |(_, rest)| rest);
        if let Some(locked) = locked.filter(|locked| locked != plain) {
            let (package, version, place) = (package.name.clone(), version.clone(), package.place.into());
            let finding = DebsFinding::DebVersion { package, version, locked, place };
            findings.push(InFile::new(&said.config, finding.into()));
        }
    }
    Ok(if findings.is_empty() { Ok(set.clone()) } else { Err(findings) })
}

fn no_lock(request: &Request) -> DebsFinding {
    DebsFinding::NoDebLock { config: request.config.clone() }
}

/// What speaks against the lock of a project's Debian packages; nothing where it needs none.
pub fn is_fresh(source: &Source, request: &Request) -> Result<Findings, Unread> {
    let wanted = match inputs(source, request)? {
        Ok(Some(wanted)) => wanted,
        Ok(None) => return Ok(Findings::new()),
        Err(findings) => return Ok(findings),
    };
    let lock = request.config.deb_lock();
    let found = match text(source, &lock)? {
        Ok(Some(text)) => text,
        Ok(None) => return Ok(vec![InFile::new(&SourcePath::root(), no_lock(request).into())]),
        Err(finding) => return Ok(vec![finding]),
    };
    let told = |finding: DebsFinding| Ok(vec![InFile::new(&lock, finding.into())]);
    if let Some((recorded, place)) = recorded(found)
        && recorded != wanted.digest().to_string()
    {
        return told(DebsFinding::StaleDebs { option: request.config.option(), place: place.into() });
    }
    let parsed = syntax::parse(found);
    if let Some(first) = parsed.findings.first() {
        return told(DebsFinding::DebLock { problem: first.to_string() });
    }
    let mut platforms = wanted.platforms.into_iter();
    match platforms.find(|platform| !parsed.plan.contexts.contains_key(&name_of(platform))) {
        Some(platform) => told(DebsFinding::NoDebsFor { platform }),
        None => Ok(Findings::new()),
    }
}

/// A lock of these sets, one for each platform.
pub fn lock_text(sets: impl IntoIterator<Item = (Platform, DebsContext)>, inputs: &DebInputs) -> String {
    let mut plan = Plan::empty();
    for (platform, set) in sets {
        let context = Context { kind: ContextKind::Debs(set), span: Span::NOWHERE };
        plan.contexts.insert(name_of(&platform), context);
    }
    let text = syntax::print(&plan);
    let contexts = text.find("context ").map_or("", |start| &text[start..]);
    format!("cpk 1\n\n# Made by `cogpackc lock`.\n{INPUTS}{}\n\n{contexts}", inputs.digest())
}

/// What the comment with the record begins with.
const INPUTS: &str = "# inputs ";

/// What a lock says that it was made of, and where; nothing of one that somebody else has made.
fn recorded(lock: &str) -> Option<(&str, Range<usize>)> {
    let start = lock.find(&format!("\n{INPUTS}"))? + 1 + INPUTS.len();
    let length = lock[start..].find('\n')?;
    Some((lock[start..start + length].trim_end(), start..start + length))
}

/// What a platform's set is called in the lock.
fn name_of(platform: &Platform) -> InputName {
    let word = platform.to_string().replace('/', "-");
    InputName::new(&word).expect("a platform has letters, digits and slashes")
}
