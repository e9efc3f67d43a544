//! A project given as a few files, for tests and for whoever plans without a disk.

use std::collections::BTreeMap;
use std::convert::Infallible;

use cogpack_content::Digest;

use crate::answer::{Answer, DigestOf, Kind, LONGEST_TEXT, Names, Text};
use crate::path::{NotInProject, SourcePath};
use crate::question::Question;
use crate::source::{Source, Unread, answered};

/// All files of a project, by path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryProject {
    files: BTreeMap<SourcePath, Vec<u8>>,
}

impl MemoryProject {
    /// A project of these files.
    pub fn new<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, NotInProject> {
        let file = |(path, text): (&str, &str)| Ok((SourcePath::new(path)?, text.as_bytes().to_vec()));
        Ok(Self { files: files.into_iter().map(file).collect::<Result<_, _>>()? })
    }

    /// The same with one file more, or with other bytes in it.
    pub fn with(mut self, path: &str, bytes: &[u8]) -> Result<Self, NotInProject> {
        self.files.insert(SourcePath::new(path)?, bytes.to_vec());
        Ok(self)
    }

    /// What `plan` gives when all that it asks for is answered out of these files.
    pub fn plan<T>(&self, plan: impl FnMut(&Source) -> Result<T, Unread>) -> T {
        let mut source = Source::default();
        let read = |question: &Question| Ok::<_, Infallible>(self.answer(question));
        match answered(&mut source, plan, read) {
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
            Question::Digest(path) => Answer::Digest(match self.files.get(path) {
                Some(bytes) => DigestOf::Is(Digest::of(bytes), bytes.len() as u64),
                None => DigestOf::Absent,
            }),
        }
    }

    fn kind(&self, path: &SourcePath) -> Option<Kind> {
        if self.files.contains_key(path) {
            return Some(Kind::File);
        }
        let below = |file: &SourcePath| file.below(path).is_some();
        (path.as_str().is_empty() || self.files.keys().any(below)).then_some(Kind::Directory)
    }

    fn text(&self, path: &SourcePath) -> Text {
        let Some(bytes) = self.files.get(path) else {
            return self.kind(path).map_or(Text::Absent, Text::NotAFile);
        };
        if bytes.len() as u64 > LONGEST_TEXT {
            return Text::TooLong(bytes.len() as u64);
        }
        Text::from(bytes.clone())
    }

    fn names(&self, directory: &SourcePath) -> Names {
        if self.kind(directory) != Some(Kind::Directory) {
            return Names::Absent;
        }
        let name = |file: &SourcePath| {
            let below = file.below(directory)?;
            Some(match below.split_once('/') {
                Some((name, _)) => (name.to_owned(), Kind::Directory),
                None => (below.to_owned(), Kind::File),
            })
        };
        Names::Are(self.files.keys().filter_map(name).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planning_is_done_again_until_nothing_is_asked() {
        let project = MemoryProject::new([("next", "b.txt"), ("b.txt", "found")]).unwrap();
        let mut rounds = 0;
        let found = project.plan(|source| {
            rounds += 1;
            let Text::Is(next) = source.text(&SourcePath::new("next").unwrap())? else { return Ok(None) };
            let text = source.text(&SourcePath::new(next).unwrap())?;
            Ok(Some(text.clone()))
        });
        assert_eq!(found, Some(Text::Is("found".into())));
        assert_eq!(rounds, 3);
    }

    #[test]
    fn each_kind_of_trouble_is_an_answer() {
        let project = MemoryProject::new([("a/b.txt", "")]).unwrap().with("latin", b"caf\xe9").unwrap();
        let path = |text| SourcePath::new(text).unwrap();
        assert!(
            matches!(project.text(&path("latin")), Text::NotUtf8(at) if at.words() == "line 1, column 4")
        );
        assert_eq!(project.text(&path("a")), Text::NotAFile(Kind::Directory));
        assert_eq!(project.text(&path("none")), Text::Absent);
        assert_eq!(project.names(&path("a")), Names::Are([("b.txt".to_owned(), Kind::File)].into()));
        assert_eq!(project.names(&path("latin")), Names::Absent);
        assert_eq!(project.kind(&SourcePath::root()), Some(Kind::Directory));
    }
}
