//! Plans one wheel: what lands where, what is made for it, and what its `RECORD` says afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

use cogpack_content::Digest;
use cogpack_ir::plan::FileContent;

use crate::archive::{Archive, read_whole};
use crate::file_name::{InvalidName, WheelName, normalised, same_version};
use crate::launcher::{PLACEHOLDER, launcher, with_interpreter};
use crate::layout::{Layout, LayoutProblem, Part, part_of};
use crate::metadata::{MetadataProblem, check_metadata, check_wheel};
use crate::record::{self, RecordLine, RecordProblem};
use crate::scripts::{self, EntryPoint, EntryPointProblem};
use crate::target::{Misfit, PythonVersion, Target};
use crate::zip::{ArchiveProblem, InvalidArchive};

/// What `INSTALLER` says.
pub const INSTALLER: &str = "cogpackc";

/// Why a wheel is not installed.
#[derive(Debug, thiserror::Error)]
#[error("{}", shown(.wheel, .entry.as_deref(), .problem))]
pub struct InvalidWheel {
    /// The wheel's file name.
    pub wheel: String,
    /// The file in it, where it is about one.
    pub entry: Option<String>,
    /// What is wrong.
    pub problem: WheelProblem,
}

/// What is wrong with a wheel.
#[derive(Debug, thiserror::Error)]
pub enum WheelProblem {
    /// Its name is no wheel's.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// It is for other Pythons or platforms.
    #[error(transparent)]
    Misfit(#[from] Misfit),
    /// The archive.
    #[error(transparent)]
    Archive(#[from] ArchiveProblem),
    /// There is no directory that says what the wheel is, or several.
    #[error("it has {0} directories `….dist-info`, and a wheel has one")]
    DistInfo(usize),
    /// That directory is another package's.
    #[error("it is not `{0}`, as the wheel's name says")]
    OtherDistInfo(String),
    /// A file that every wheel has.
    #[error("the wheel does not have it")]
    Missing,
    /// `WHEEL` or `METADATA`.
    #[error(transparent)]
    Metadata(#[from] MetadataProblem),
    /// `RECORD`.
    #[error(transparent)]
    Record(#[from] RecordProblem),
    /// `entry_points.txt`.
    #[error(transparent)]
    EntryPoint(#[from] EntryPointProblem),
    /// Where its files go.
    #[error(transparent)]
    Layout(#[from] LayoutProblem),
    /// A file of it cannot be read.
    #[error("it cannot be read: {0}")]
    Read(#[from] io::Error),
}

fn shown(wheel: &str, entry: Option<&str>, problem: &WheelProblem) -> String {
    match entry {
        Some(entry) => format!("`{entry}` in the wheel `{wheel}`: {problem}"),
        None => format!("the wheel `{wheel}`: {problem}"),
    }
}

/// For whom wheels are installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// The release of CPython.
    pub python: PythonVersion,
    /// What its programs are run by: an absolute path in the image.
    pub interpreter: String,
    /// The platforms of the image, all of which a wheel must fit.
    pub targets: Vec<Target>,
}

/// A wheel as it is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// Which wheel.
    pub name: WheelName,
    /// Its files, by their path below the prefix.
    pub files: BTreeMap<String, InstalledFile>,
}

/// A file that a wheel installs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledFile {
    /// 0755 or 0644.
    pub is_executable: bool,
    /// Its bytes.
    pub bytes: InstalledBytes,
}

/// The bytes of a file that a wheel installs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstalledBytes {
    /// Those of a file of the wheel.
    Entry {
        /// Its place among the archive's entries.
        index: usize,
        /// How many.
        size: u64,
        /// Their digest as `RECORD` says it; nothing for signatures of `RECORD` itself.
        digest: Option<Digest>,
    },
    /// Made for it.
    Made(FileContent),
}

/// Descriptions of packages are some of the largest; nothing is longer than this.
const LONGEST_TEXT: u64 = 16 << 20;
/// The largest wheels have a few megabytes of it.
const LONGEST_RECORD: u64 = 128 << 20;

/// Plans the installation of a wheel.
pub fn install(
    name: &WheelName,
    archive: &dyn Archive,
    environment: &Environment,
) -> Result<Installed, InvalidWheel> {
    Installation { name, archive, environment, layout: Layout::new(environment.python) }.plan()
}

/// The same for an archive that could not even be looked at.
pub fn unreadable(name: &WheelName, invalid: InvalidArchive) -> InvalidWheel {
    InvalidWheel {
        wheel: name.to_string(),
        entry: invalid.entry,
        problem: WheelProblem::Archive(invalid.problem),
    }
}

struct Installation<'w> {
    name: &'w WheelName,
    archive: &'w dyn Archive,
    environment: &'w Environment,
    layout: Layout,
}

impl Installation<'_> {
    fn plan(&self) -> Result<Installed, InvalidWheel> {
        for target in &self.environment.targets {
            target.fit(&self.name.tags).map_err(|misfit| self.wheel(misfit))?;
        }
        let entries = self.archive.entries();
        let places: BTreeMap<&str, usize> =
            entries.iter().enumerate().map(|(index, entry)| (&*entry.name, index)).collect();
        let info = self.dist_info()?;
        let read = |file: &str, limit| self.read(&places, &format!("{info}.dist-info/{file}"), limit);
        let of = |file: &str| format!("{info}.dist-info/{file}");
        check_wheel(&read("WHEEL", LONGEST_TEXT)?).map_err(|problem| self.entry(of("WHEEL"), problem))?;
        check_metadata(&read("METADATA", LONGEST_TEXT)?, self.name)
            .map_err(|problem| self.entry(of("METADATA"), problem))?;
        let lines = record::read(&read("RECORD", LONGEST_RECORD)?)
            .map_err(|problem| self.entry(of("RECORD"), problem))?;
        let mut programs = if places.contains_key(&*of("entry_points.txt")) {
            scripts::read(&read("entry_points.txt", LONGEST_TEXT)?)
                .map_err(|problem| self.entry(of("entry_points.txt"), problem))?
        } else {
            Vec::new()
        };
        programs.extend(self.numbered_pip(&programs));
        let lines = self.agreed(lines, &places, &info)?;
        let mut planned = self.land(lines, &info, &programs)?;
        for program in &programs {
            let text = launcher(&self.environment.interpreter, program);
            let place = self.layout.place(Part::Scripts, "", &program.name);
            planned.make(place, text.into_bytes(), true);
        }
        let modules = self.layout.modules();
        planned.make(format!("{modules}/{}", of("INSTALLER")), INSTALLER.as_bytes().to_vec(), false);
        planned.make(format!("{modules}/{}", of("REQUESTED")), Vec::new(), false);
        let own = format!("{modules}/{}", of("RECORD"));
        planned.lines.insert(own.clone(), RecordLine::named(of("RECORD")));
        let written = record::write(planned.lines.into_values().collect());
        let content = InstalledBytes::Made(FileContent(written.into()));
        planned.files.insert(own, InstalledFile { is_executable: false, bytes: content });
        Ok(Installed { name: self.name.clone(), files: planned.files })
    }

    /// pip is the one package whose program every installer also makes under the name of the
    /// Python it is for, as `pip3.12`, which no wheel could say.
    fn numbered_pip(&self, programs: &[EntryPoint]) -> Option<EntryPoint> {
        let name = format!("pip{}", self.environment.python);
        let is_new = self.name.package() == "pip" && programs.iter().all(|program| program.name != name);
        let plain = programs.iter().find(|program| program.name == "pip").filter(|_| is_new)?;
        Some(EntryPoint { name, ..plain.clone() })
    }

    /// `NAME-VERSION` as the wheel's own directories are called.
    fn dist_info(&self) -> Result<String, InvalidWheel> {
        let entries = self.archive.entries().iter();
        let tops = entries.filter_map(|entry| entry.name.split_once('/')).map(|(top, _)| top);
        let found: BTreeSet<&str> = tops.filter_map(|top| top.strip_suffix(".dist-info")).collect();
        let mut all = found.iter();
        let (Some(info), None) = (all.next(), all.next()) else {
            return Err(self.wheel(WheelProblem::DistInfo(found.len())));
        };
        let is_ours = info.rsplit_once('-').is_some_and(|(package, version)| {
            normalised(package) == self.name.package() && same_version(version, &self.name.version)
        });
        if !is_ours {
            let expected = format!("{}-{}.dist-info", self.name.distribution, self.name.version);
            return Err(self.entry(format!("{info}.dist-info"), WheelProblem::OtherDistInfo(expected)));
        }
        Ok((*info).to_owned())
    }

    fn read(&self, places: &BTreeMap<&str, usize>, name: &str, limit: u64) -> Result<Vec<u8>, InvalidWheel> {
        let missing = || self.entry(name.to_owned(), WheelProblem::Missing);
        let index = places.get(name).ok_or_else(missing)?;
        read_whole(self.archive, *index, limit).map_err(|problem| self.entry(name.to_owned(), problem))
    }

    /// The lines of `RECORD` by the file that each is about, after comparing them with the files.
    fn agreed(
        &self,
        lines: Vec<RecordLine>,
        places: &BTreeMap<&str, usize>,
        info: &str,
    ) -> Result<BTreeMap<usize, RecordLine>, InvalidWheel> {
        let record = format!("{info}.dist-info/RECORD");
        let mut agreed = BTreeMap::new();
        for (number, line) in lines.into_iter().enumerate() {
            if line.path == record {
                continue;
            }
            let Some(index) = places.get(&*line.path) else {
                return Err(self.entry(line.path, RecordProblem::NotThere));
            };
            let found = self.archive.entries().get(*index).map_or(0, |entry| entry.size);
            if !line.size.is_empty() && line.size.parse() != Ok(found) {
                let problem = RecordProblem::Size { said: line.size, found };
                return Err(self.entry(line.path, problem));
            }
            if line.hash.is_empty() {
                return Err(self.entry(line.path, RecordProblem::NoDigest));
            }
            if agreed.insert(*index, line).is_some() {
                return Err(self.entry(record, RecordProblem::Twice(number + 1)));
            }
        }
        for (name, index) in places {
            let is_the_record = name.strip_prefix(&*record);
            if !agreed.contains_key(index) && !matches!(is_the_record, Some("" | ".jws" | ".p7s")) {
                return Err(self.entry((*name).to_owned(), RecordProblem::NotNamed));
            }
        }
        Ok(agreed)
    }

    /// Where each file of the wheel lands.
    fn land(
        &self,
        mut lines: BTreeMap<usize, RecordLine>,
        info: &str,
        programs: &[EntryPoint],
    ) -> Result<Planned, InvalidWheel> {
        let mut planned = Planned { layout: self.layout, files: BTreeMap::new(), lines: BTreeMap::new() };
        let data = format!("{info}.data");
        let package = self.name.package();
        let record = format!("{info}.dist-info/RECORD");
        for (index, entry) in self.archive.entries().iter().enumerate() {
            if entry.name == record {
                continue;
            }
            let problem = |problem: LayoutProblem| self.entry(entry.name.clone(), problem);
            let (part, below) = part_of(&entry.name, &data).map_err(problem)?;
            if part == Part::Scripts && programs.iter().any(|program| stands_for(program, below)) {
                continue;
            }
            let place = self.layout.place(part, &package, below);
            let line = lines.remove(&index);
            let digest = line.as_ref().and_then(RecordLine::digest);
            let bytes = InstalledBytes::Entry { index, size: entry.size, digest };
            if planned.files.contains_key(&place) {
                return Err(problem(LayoutProblem::Landing(place)));
            }
            if part == Part::Scripts && self.starts_with_placeholder(index)? {
                let script = read_whole(self.archive, index, LONGEST_TEXT)
                    .map_err(|problem| self.entry(entry.name.clone(), problem))?;
                if digest.is_some_and(|digest| digest != Digest::of(&script)) {
                    let problem = io::Error::other("it is not what the digest in `RECORD` says");
                    return Err(self.entry(entry.name.clone(), problem));
                }
                planned.make(place, with_interpreter(&script, &self.environment.interpreter), true);
                continue;
            }
            let is_executable = entry.is_executable || part == Part::Scripts;
            if let Some(line) = line {
                let path = self.layout.in_record(&place);
                planned.lines.insert(place.clone(), RecordLine { path, ..line });
            }
            planned.files.insert(place, InstalledFile { is_executable, bytes });
        }
        Ok(planned)
    }

    fn starts_with_placeholder(&self, index: usize) -> Result<bool, InvalidWheel> {
        let mut start = Vec::new();
        let opened = self.archive.open(index);
        let read = opened.and_then(|file| file.take(PLACEHOLDER.len() as u64).read_to_end(&mut start));
        let name = self.archive.entries().get(index).map_or_else(String::new, |entry| entry.name.clone());
        read.map_err(|problem| self.entry(name, problem))?;
        Ok(start == PLACEHOLDER)
    }

    fn wheel(&self, problem: impl Into<WheelProblem>) -> InvalidWheel {
        InvalidWheel { wheel: self.name.to_string(), entry: None, problem: problem.into() }
    }

    fn entry(&self, entry: String, problem: impl Into<WheelProblem>) -> InvalidWheel {
        InvalidWheel { wheel: self.name.to_string(), entry: Some(entry), problem: problem.into() }
    }
}

/// Whether a script that comes with the wheel is an older form of a program that is made anyway.
fn stands_for(program: &EntryPoint, script: &str) -> bool {
    let plain = [".exe", "-script.py", ".pya"].iter().find_map(|ending| script.strip_suffix(ending));
    program.name == plain.unwrap_or(script)
}

/// What has a place so far.
struct Planned {
    layout: Layout,
    files: BTreeMap<String, InstalledFile>,
    lines: BTreeMap<String, RecordLine>,
}

impl Planned {
    /// Makes a file, in the place of one that the wheel may have had there.
    fn make(&mut self, place: String, bytes: Vec<u8>, is_executable: bool) {
        self.lines.insert(place.clone(), RecordLine::of(self.layout.in_record(&place), &bytes));
        let bytes = InstalledBytes::Made(FileContent(bytes.into()));
        self.files.insert(place, InstalledFile { is_executable, bytes });
    }
}
