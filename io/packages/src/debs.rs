//! Installs a `debs` context: its packages, got and unpacked in parallel, become one tree whose
//! files are read out of the unpacked packages, which the store keeps.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use cogpack_backends_contract::content::Content;
use cogpack_backends_contract::context_layers::ContextLayer;
use cogpack_backends_contract::tree::{PathProblem, Tree};
use cogpack_content::{Digest, Platform};
use cogpack_io_store::{Store, StoreError};
use cogpack_ir::plan::context::{DebsContext, LockedFile};
use cogpack_ir::plan::{InputName, Span};
use cogpack_packages_debs::archive;
use cogpack_packages_debs::compression::{LARGEST_WINDOW, window_of};
use cogpack_packages_debs::file_name::DebName;
/// What Debian calls the machines of a platform.
pub use cogpack_packages_debs::file_name::architecture_of;
use cogpack_packages_debs::kept::{WHOLE, key_of, key_of_archive, package_of, text_of};
use cogpack_packages_debs::package::{self, Package, read};
use cogpack_packages_debs::root::Bytes;
use cogpack_packages_debs::set::{SetProblem, check_scripts};
use cogpack_packages_debs::{DebSet, PackageProblem as InvalidDeb};

use sha2::{Digest as _, Sha256};

use crate::deb_problem::DebProblem;
use crate::locked;
use crate::places::{LookupError, Places};
use crate::problem::{Kind, PackageError};
use crate::unpacking::Room;

/// The packages of a context, installed: a tree, and the unpacked packages that its files are in.
#[derive(Debug)]
pub struct InstalledDebs {
    set: DebSet,
    unpacked: Unpacked,
}

/// The `data.tar` of each package, unpacked, in files of the store.
#[derive(Debug)]
struct Unpacked(Vec<File>);

impl Bytes for Unpacked {
    fn read_at(&self, package: usize, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.file(package)?.read_exact_at(&mut bytes, offset)?;
        Ok(bytes)
    }
}

impl Unpacked {
    fn file(&self, package: usize) -> io::Result<&File> {
        self.0.get(package).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }
}

/// Part of a file.
struct Range<'f> {
    file: &'f File,
    offset: u64,
    left: u64,
}

impl Read for Range<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let count = self.file.read_at(&mut buffer[..most], self.offset)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.offset += count as u64;
        self.left -= count as u64;
        Ok(count)
    }
}

impl InstalledDebs {
    /// Gets and installs the packages of a context, which is at `span` of the plan, for all of these
    /// platforms. What is wrong with any of them is told of all at once.
    pub fn install(
        context: &DebsContext,
        span: Span,
        platforms: &[Platform],
        places: &Places,
    ) -> Result<Self, PackageError> {
        let get = |file: &str, locked: &LockedFile| get(file, locked, platforms, places);
        let installed = locked::read_all(&context.packages, get);
        let files = context.archives.iter().map(|(name, archive)| (name.clone(), archive.file.clone()));
        let archives = locked::read_all(&files.collect(), |file, locked| {
            let place = context.archives.get(file).map_or("/", |archive| archive.place.as_str());
            get_archive(file, locked, place, places)
        });
        let all = both(installed, archives)?;
        let (packages, files): (Vec<Package>, Vec<File>) = all.into_iter().unzip();
        let unpacked = Unpacked(files);
        let architecture = platforms.first().and_then(architecture_of).unwrap_or_default();
        match DebSet::join(&packages, &context.certificates, architecture, &unpacked) {
            Ok(set) => Ok(Self { set, unpacked }),
            Err(SetProblem::Read(source)) => Err(PackageError::Machine {
                file: "the packages".to_owned(),
                source: LookupError::Disk { path: places.store.root().to_owned(), source },
            }),
            Err(problem) => Err(DebProblem::Conflict { problem, span }.into()),
        }
    }

    /// The tree of the context that has this name.
    pub fn tree(&self, context: &InputName) -> Result<Tree<Content>, PathProblem> {
        self.set.tree(context)
    }

    /// The layers that the context of this name comes in.
    pub fn layers(&self, context: &InputName) -> Result<Vec<ContextLayer>, PathProblem> {
        self.set.layers(context)
    }

    /// Opens a file of the tree. Its bytes are those whose digest was taken when the package was
    /// unpacked: what the store keeps, nobody writes to.
    pub fn open(&self, path: &[u8]) -> io::Result<Box<dyn Read + '_>> {
        let missing = || io::Error::new(io::ErrorKind::NotFound, "no package brings it");
        let packed = self.set.origin(path).ok_or_else(missing)?;
        let file = self.unpacked.file(packed.package)?;
        Ok(Box::new(Range { file, offset: packed.offset, left: packed.size }))
    }
}

/// All of both, or what is wrong with either.
fn both<T>(
    first: Result<Vec<T>, PackageError>,
    second: Result<Vec<T>, PackageError>,
) -> Result<Vec<T>, PackageError> {
    match (first, second) {
        (Ok(mut all), Ok(others)) => {
            all.extend(others);
            Ok(all)
        }
        (Err(PackageError::Plan(mut problems)), Err(PackageError::Plan(others))) => {
            problems.extend(others);
            Err(PackageError::Plan(problems))
        }
        (Err(error @ PackageError::Machine { .. }), _) | (_, Err(error @ PackageError::Machine { .. })) => {
            Err(error)
        }
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
    }
}

fn get(
    file: &str,
    locked: &LockedFile,
    platforms: &[Platform],
    places: &Places,
) -> Result<(Package, File), PackageError> {
    let span = locked.span;
    let invalid = |problem| DebProblem::Invalid { file: file.to_owned(), problem, span };
    let name: DebName = file.parse().map_err(|_| invalid(InvalidDeb::Other(file.to_owned())))?;
    // Nothing is fetched that would not be installed.
    for platform in platforms {
        let architecture = architecture_of(platform);
        if architecture.is_none_or(|known| ![known, "all"].contains(&&*name.architecture)) {
            let (file, platform) = (file.to_owned(), platform.clone());
            return Err(DebProblem::Architecture { file, platform, span }.into());
        }
    }
    let wanted = Wanted { kind: Kind::Debs, file, name: &name, project: &name.package, key_of, locked };
    let (package, data) = wanted.unpacked(places, |deb, data| read(&name, deb, data))?;
    let scripts = check_scripts(&package);
    if !scripts.is_empty() {
        let problem = |problem| DebProblem::Script { problem, span }.into();
        return Err(PackageError::Plan(scripts.into_iter().map(problem).collect()));
    }
    Ok((package, data))
}

/// An archive that lies beside the packages, at its place.
fn get_archive(
    file: &str,
    locked: &LockedFile,
    place: &str,
    places: &Places,
) -> Result<(Package, File), PackageError> {
    let span = locked.span;
    let invalid = |problem| DebProblem::InvalidArchive { file: file.to_owned(), problem, span };
    let name = archive::name_of(file);
    let wanted =
        Wanted { kind: Kind::Archives, file, name: &name, project: "", key_of: key_of_archive, locked };
    let (package, data) = wanted.unpacked(places, |packed, data| archive::read(file, packed, data))?;
    // What leads outside is refused before, by the rules of paths.
    let package = archive::placed(package, place).map_err(|problem| invalid(problem.into()))?;
    Ok((package, data))
}

/// What is wanted unpacked.
struct Wanted<'w> {
    kind: Kind,
    file: &'w str,
    name: &'w DebName,
    /// What an index knows it by.
    project: &'w str,
    /// What it is kept by.
    key_of: fn(&Digest) -> Digest,
    locked: &'w LockedFile,
}

impl Wanted<'_> {
    /// What is in it, and its bytes as a plain tar: of the store, or else got and read.
    fn unpacked(
        &self,
        places: &Places,
        read: impl FnOnce(BufReader<File>, &mut dyn Write) -> Result<Package, InvalidDeb>,
    ) -> Result<(Package, File), PackageError> {
        let Self { file, locked, .. } = *self;
        let machine = |source| PackageError::Machine { file: file.to_owned(), source };
        let of_store = |error: StoreError| machine(error.into());
        let invalid = |problem| {
            let (file, span) = (file.to_owned(), locked.span);
            match self.kind {
                Kind::Archives => DebProblem::InvalidArchive { file, problem, span },
                Kind::Debs | Kind::Wheels | Kind::Downloads => DebProblem::Invalid { file, problem, span },
            }
        };
        let key = locked.digest.as_ref().map(self.key_of);
        let kept = key.map(|key| kept(self.name, &key, &places.store)).transpose().map_err(of_store)?;
        if let Some(kept) = kept.flatten() {
            return Ok(kept);
        }
        let mut packed = locked::get(self.kind, file, self.project, locked, places)?;
        let window = match self.kind {
            Kind::Archives => window_of(file, &packed),
            Kind::Debs | Kind::Wheels | Kind::Downloads => package::window(BufReader::new(&packed)),
        };
        packed.rewind().map_err(|source| machine(LookupError::Disk { path: PathBuf::from(file), source }))?;
        // Where none is told, what is wrong with it will be.
        let window = window.unwrap_or(0);
        if window > LARGEST_WINDOW {
            return Err(invalid(InvalidDeb::Window(window)).into());
        }
        let room = Room::of(window);
        let work = places.store.work().map_err(of_store)?;
        let path = work.path().join("data.tar");
        let unwritten = |source| of_store(StoreError::Disk { attempt: "write", path: path.clone(), source });
        let data = File::options().read(true).write(true).create_new(true).open(&path).map_err(unwritten)?;
        let to = BufWriter::with_capacity(1 << 16, &data);
        let mut written = Hashing { to, hash: Sha256::new(), failed: None };
        let package = read(BufReader::with_capacity(1 << 16, packed), &mut written);
        drop(room);
        // That there is no room for what is in it is nothing wrong with it.
        if let Some(source) = written.failed.take() {
            return Err(unwritten(source));
        }
        let package = package.map_err(invalid)?;
        written.flush().map_err(unwritten)?;
        let digest = Digest::from_sha256(written.hash.clone().finalize().into());
        drop(written);
        if let Some(key) = key {
            places.store.keep_blob(&digest, &path).map_err(of_store)?;
            let known = format!("{digest}\n{}", text_of(&package));
            places
                .store
                .keep_layer(&key, &work, |file| file.write_all(known.as_bytes()).map(|()| true))
                .map_err(of_store)?;
        }
        Ok((package, data))
    }
}

/// A package that has been unpacked before, and its `data.tar`. What is not whole was never kept.
fn kept(name: &DebName, key: &Digest, store: &Store) -> Result<Option<(Package, File)>, StoreError> {
    let Some(mut file) = store.layer(key, WHOLE) else { return Ok(None) };
    let mut known = String::new();
    if file.read_to_string(&mut known).is_err() {
        return Ok(None);
    }
    let read = known
        .split_once('\n')
        .and_then(|(digest, text)| Some((digest.parse::<Digest>().ok()?, package_of(name, text)?)));
    let Some((digest, package)) = read else { return Ok(None) };
    Ok(store.blob(&digest)?.map(|data| (package, data)))
}

/// Passes bytes on, and hashes them.
struct Hashing<W> {
    to: W,
    hash: Sha256,
    /// Why nothing more is written: whoever writes cannot tell it from what is wrong with what they read.
    failed: Option<io::Error>,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.to.write(bytes) {
            Ok(count) => {
                self.hash.update(&bytes[..count]);
                Ok(count)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                let kind = error.kind();
                self.failed = Some(error);
                Err(kind.into())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
