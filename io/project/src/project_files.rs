//! Answers what planning asks of a project, from a directory of this machine.
//!
//! Links are followed as long as they stay in the directory: what a plan says must not depend on what
//! else is on the machine.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use cogpack_content::Digest;
use cogpack_frontends_source::answer::LONGEST_TEXT;
use cogpack_frontends_source::{
    Answer, DigestOf, Kind, Names, Question, Source, SourcePath, Text, Unread, answered,
};
use sha2::{Digest as _, Sha256};

/// A project's directory.
#[derive(Debug, Clone)]
pub struct ProjectDirectory {
    /// Without a link in it.
    root: PathBuf,
}

impl ProjectDirectory {
    /// The directory at `path`.
    pub fn open(path: &Path) -> io::Result<Self> {
        let root = fs::canonicalize(path)?;
        if !root.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(Self { root })
    }

    /// What `plan` gives when all that it asks for is answered out of the directory.
    pub fn plan<T>(&self, source: &mut Source, plan: impl FnMut(&Source) -> Result<T, Unread>) -> T {
        match answered(source, plan, |question| Ok::<_, Infallible>(self.answer(question))) {
            Ok(planned) => planned,
            Err(never) => match never {},
        }
    }

    /// The answer to one question.
    pub fn answer(&self, question: &Question) -> Answer {
        match question {
            Question::Kind(path) => Answer::Kind(self.kind(path)),
            Question::Text(path) => Answer::Text(self.text(path)),
            Question::Names(path) => Answer::Names(self.names(path)),
            Question::Digest(path) => Answer::Digest(self.digest(path)),
        }
    }

    /// What stands at a path, links followed; `None` where nothing does, and where the way there
    /// leads out of the project.
    fn found(&self, path: &SourcePath) -> io::Result<Option<(PathBuf, Metadata)>> {
        let real = match fs::canonicalize(self.root.join(path.as_str())) {
            Ok(real) => real,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        if !real.starts_with(&self.root) {
            return Ok(None);
        }
        let metadata = real.metadata()?;
        Ok(Some((real, metadata)))
    }

    fn kind(&self, path: &SourcePath) -> Option<Kind> {
        match self.found(path) {
            Ok(Some((_, metadata))) => Some(kind_of(&metadata)),
            // A link that leads nowhere is there; what cannot be looked at is as well.
            Ok(None) | Err(_) => {
                let there = self.root.join(path.as_str()).symlink_metadata();
                there.is_ok().then_some(Kind::Other)
            }
        }
    }

    fn text(&self, path: &SourcePath) -> Text {
        let (real, metadata) = match self.found(path) {
            Ok(Some(found)) => found,
            Ok(None) => return self.kind(path).map_or(Text::Absent, Text::NotAFile),
            Err(error) => return Text::Unreadable(error.to_string()),
        };
        if !metadata.is_file() {
            return Text::NotAFile(kind_of(&metadata));
        }
        let mut bytes = Vec::new();
        let read = File::open(&real).and_then(|file| file.take(LONGEST_TEXT + 1).read_to_end(&mut bytes));
        if let Err(error) = read {
            return Text::Unreadable(error.to_string());
        }
        if bytes.len() as u64 > LONGEST_TEXT {
            return Text::TooLong(metadata.len().max(bytes.len() as u64));
        }
        Text::from(bytes)
    }

    fn names(&self, directory: &SourcePath) -> Names {
        let real = match self.found(directory) {
            Ok(Some((real, metadata))) if metadata.is_dir() => real,
            Ok(_) => return Names::Absent,
            Err(error) => return Names::Unreadable(error.to_string()),
        };
        let mut names = BTreeMap::new();
        let entries = match fs::read_dir(&real) {
            Ok(entries) => entries,
            Err(error) => return Names::Unreadable(error.to_string()),
        };
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => return Names::Unreadable(error.to_string()),
            };
            // A file whose name is no text is no file that planning knows by its name.
            let Ok(name) = entry.file_name().into_string() else { continue };
            let kind = match entry.file_type() {
                Ok(kind) if kind.is_symlink() => {
                    directory.join(&name).ok().and_then(|path| self.kind(&path)).unwrap_or(Kind::Other)
                }
                Ok(kind) if kind.is_dir() => Kind::Directory,
                Ok(kind) if kind.is_file() => Kind::File,
                Ok(_) | Err(_) => Kind::Other,
            };
            names.insert(name, kind);
        }
        Names::Are(names)
    }

    fn digest(&self, path: &SourcePath) -> DigestOf {
        let real = match self.found(path) {
            Ok(Some((real, metadata))) if metadata.is_file() => real,
            Ok(_) => return DigestOf::Absent,
            Err(error) => return DigestOf::Unreadable(error.to_string()),
        };
        let mut hash = Sha256::new();
        match File::open(&real).and_then(|mut file| io::copy(&mut file, &mut hash)) {
            Ok(bytes) => DigestOf::Is(Digest::from_sha256(hash.finalize().into()), bytes),
            Err(error) => DigestOf::Unreadable(error.to_string()),
        }
    }
}

fn kind_of(metadata: &Metadata) -> Kind {
    if metadata.is_file() {
        Kind::File
    } else if metadata.is_dir() {
        Kind::Directory
    } else {
        Kind::Other
    }
}

/// Whether an error says that there is nothing at a path.
fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
        || error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use cogpack_frontends_source::MemoryProject;

    use super::*;

    fn path(text: &str) -> SourcePath {
        SourcePath::new(text).expect("a path of the test")
    }

    #[test]
    fn a_directory_answers_as_a_project_in_memory_does() {
        let root = tempfile::tempdir().expect("makes a directory");
        fs::create_dir_all(root.path().join("src/model")).expect("is writable");
        fs::write(root.path().join("cog.yaml"), "run: a\n").expect("is writable");
        fs::write(root.path().join("src/model/run.py"), "x = 1\n").expect("is writable");
        fs::write(root.path().join("latin.txt"), b"caf\xe9").expect("is writable");
        let disk = ProjectDirectory::open(root.path()).expect("is a directory");
        let memory = MemoryProject::new([("cog.yaml", "run: a\n"), ("src/model/run.py", "x = 1\n")])
            .and_then(|project| project.with("latin.txt", b"caf\xe9"))
            .expect("paths of the test");
        for name in
            ["", "cog.yaml", "src", "src/model", "src/model/run.py", "latin.txt", "none", "cog.yaml/x"]
        {
            let path = path(name);
            for question in [
                Question::Kind(path.clone()),
                Question::Text(path.clone()),
                Question::Names(path.clone()),
                Question::Digest(path.clone()),
            ] {
                assert_eq!(disk.answer(&question), memory.answer(&question), "{question:?}");
            }
        }
    }

    #[test]
    fn links_are_followed_as_long_as_they_stay_in_the_project() {
        let outer = tempfile::tempdir().expect("makes a directory");
        fs::write(outer.path().join("secret"), "outside").expect("is writable");
        let root = outer.path().join("project");
        fs::create_dir(&root).expect("is writable");
        fs::write(root.join("file"), "inside").expect("is writable");
        symlink("file", root.join("in")).expect("is writable");
        symlink("../secret", root.join("out")).expect("is writable");
        symlink("/etc/passwd", root.join("far")).expect("is writable");
        symlink("loop", root.join("loop")).expect("is writable");
        let project = ProjectDirectory::open(&root).expect("is a directory");
        assert_eq!(project.text(&path("in")), Text::Is("inside".into()));
        for out in ["out", "far", "loop"] {
            assert_eq!(project.text(&path(out)), Text::NotAFile(Kind::Other), "{out}");
            assert_eq!(project.digest(&path(out)), DigestOf::Absent, "{out}");
        }
        let Names::Are(names) = project.names(&SourcePath::root()) else { panic!("it is a directory") };
        assert_eq!(names["in"], Kind::File);
        assert_eq!(names["out"], Kind::Other);
    }
}
