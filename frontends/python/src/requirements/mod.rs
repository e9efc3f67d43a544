//! Requirements files, as pip reads them, as far as what they say can be locked.
//!
//! Files that they name (`-r`, `-c`, wheels, directories) are files of the project. What cannot be
//! taken is refused by name, with the way out.

mod finding;
mod line;
mod lines;
mod options;

use std::collections::BTreeSet;

use cogpack_content::Digest;
use cogpack_frontends_source::{InFile, Place, Placed, Question, Source, SourcePath, Text, Unread};

use crate::requirement::Requirement;

pub use finding::RequirementsFinding;

/// What requirements files say, those together that name each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requirements {
    /// The files, in the order of reading.
    pub files: Vec<SourcePath>,
    /// What is required, in the order of writing.
    pub required: Vec<Stated>,
    /// Which versions there may be of what others require.
    pub constraints: Vec<Stated>,
    /// Where packages come from.
    pub indexes: Indexes,
}

/// A requirement, and who states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated {
    /// The requirement.
    pub requirement: Requirement,
    /// The file.
    pub file: SourcePath,
    /// Where in it.
    pub place: Place,
    /// What the package's file may hash to; anything where there is none.
    pub hashes: BTreeSet<Digest>,
}

/// An option's value, and the file that says it.
pub type Said<T> = InFile<Placed<T>>;

/// Where packages come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Indexes {
    /// The index instead of the usual one; the last that was said.
    pub index: Option<Said<String>>,
    /// More indexes, in the order of writing.
    pub extra: Vec<Said<String>>,
    /// Directories of the project with files of packages.
    pub directories: Vec<Said<SourcePath>>,
    /// Pages that link to files of packages.
    pub pages: Vec<Said<String>>,
    /// That there is no index.
    pub none: Option<Said<()>>,
    /// That versions before their release are taken too.
    pub prereleases: Option<Said<()>>,
    /// Packages of which only wheels are taken, as they are written; `:all:` for all.
    pub only_wheels: Vec<Said<String>>,
}

/// What is read of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Requirements,
    Constraints,
}

/// Reading, up to here.
struct Reading<'s> {
    source: &'s Source,
    requirements: Requirements,
    findings: Vec<InFile<RequirementsFinding>>,
    read: BTreeSet<(SourcePath, Role)>,
    /// The files that are being read, each of which names the next.
    open: Vec<SourcePath>,
    questions: BTreeSet<Question>,
    /// Whether all lines must have hashes.
    requires_hashes: bool,
}

/// The requirements of a file and of those that it names, and what is wrong with them. A file that
/// cannot be read says nothing here: who names it has the place to tell so.
pub fn read(
    file: &SourcePath,
    source: &Source,
) -> Result<(Requirements, Vec<InFile<RequirementsFinding>>), Unread> {
    let mut reading = Reading {
        source,
        requirements: Requirements::default(),
        findings: Vec::new(),
        read: BTreeSet::new(),
        open: Vec::new(),
        questions: BTreeSet::new(),
        requires_hashes: false,
    };
    reading.file(file, Role::Requirements)?;
    let Reading { mut requirements, mut findings, questions, requires_hashes, .. } = reading;
    if let Some(unread) = Unread::of(questions) {
        return Err(unread);
    }
    let stated = &mut requirements.required;
    if requires_hashes || stated.iter().any(|stated| !stated.hashes.is_empty()) {
        for stated in stated.iter().filter(|stated| stated.hashes.is_empty()) {
            let finding = RequirementsFinding::HashMissing { place: stated.place };
            findings.push(InFile::new(&stated.file, finding));
        }
    }
    Ok((requirements, findings))
}

impl Reading<'_> {
    /// Reads a file; what the machine says where that cannot be done.
    fn file(&mut self, file: &SourcePath, role: Role) -> Result<Option<String>, Unread> {
        let text = match self.source.text(file)? {
            Text::Is(text) => text.clone(),
            text @ (Text::Absent
            | Text::NotAFile(_)
            | Text::NotUtf8(_)
            | Text::TooLong(_)
            | Text::Unreadable(_)) => return Ok(Some(unreadable(text))),
        };
        if !self.read.insert((file.clone(), role)) {
            return Ok(None);
        }
        self.requirements.files.push(file.clone());
        self.open.push(file.clone());
        for line in lines::of(&text) {
            let lines_before = text.as_bytes().get(..line.start).unwrap_or_default();
            let number = lines_before.iter().filter(|byte| **byte == b'\n').count() + 1;
            self.line(file, role, &line, number);
        }
        self.open.pop();
        Ok(None)
    }

    fn found(&mut self, file: &SourcePath, finding: impl Into<RequirementsFinding>) {
        self.findings.push(InFile::new(file, finding.into()));
    }
}

/// Why a text is not there.
pub(crate) fn unreadable(text: &Text) -> String {
    match text {
        // Callers look at this one first.
        Text::Is(_) => "it can be read".to_owned(),
        Text::Absent => "there is none".to_owned(),
        Text::NotAFile(_) => "it is no file".to_owned(),
        Text::NotUtf8(at) => format!("its {} is not UTF-8", at.words()),
        Text::TooLong(bytes) => format!("it has {bytes} bytes, which is too long for a text"),
        Text::Unreadable(why) => why.clone(),
    }
}
