//! A file of the project that somebody needs, and why it cannot be read.

use miette::Diagnostic;

use crate::answer::{Kind, Names, Text};
use crate::finding::InFile;
use crate::path::SourcePath;
use crate::place::Place;
use crate::source::{Source, Unread};

/// Why a file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum FileFinding {
    /// It is something else.
    #[error("`{file}` is {kind}, and a file is wanted there")]
    #[diagnostic(code("project::file::not-a-file"), help("put the file there, or take away what is"))]
    NotAFile {
        /// Its path.
        file: SourcePath,
        /// What it is, in words.
        kind: &'static str,
    },
    /// It is no text.
    #[error("`{file}` is not UTF-8 text: {at} cannot be read")]
    #[diagnostic(code("project::file::not-text"), help("save it as UTF-8"))]
    NotText {
        /// Its path.
        file: SourcePath,
        /// The line and the column of the first byte that cannot.
        at: String,
        /// Where that is, in what can be shown of the file.
        #[label("not UTF-8 from here on")]
        place: Place,
    },
    /// It is far too large.
    #[error("`{file}` has {bytes} bytes, and planning reads no file of more than 16 MiB")]
    #[diagnostic(code("project::file::too-long"), help("look whether it is the file that was meant"))]
    TooLong {
        /// Its path.
        file: SourcePath,
        /// Its size.
        bytes: u64,
    },
    /// The machine does not let us.
    #[error("`{file}` cannot be read: {why}")]
    #[diagnostic(code("project::file::unreadable"), help("see that whoever plans may read it"))]
    Unreadable {
        /// Its path.
        file: SourcePath,
        /// What the machine says.
        why: String,
    },
}

/// What a directory holds, where the machine lets us look: one that is there and cannot be read is not
/// taken for one that is empty.
#[allow(clippy::type_complexity)]
pub fn names<'s>(
    source: &'s Source,
    directory: &SourcePath,
) -> Result<Result<&'s Names, InFile<FileFinding>>, Unread> {
    match source.names(directory)? {
        names @ (Names::Are(_) | Names::Absent) => Ok(Ok(names)),
        Names::Unreadable(why) => {
            let finding = FileFinding::Unreadable { file: directory.clone(), why: why.clone() };
            Ok(Err(InFile::new(directory, finding)))
        }
    }
}

/// The text of a file; `None` where there is none.
#[allow(clippy::type_complexity)]
pub fn text<'s>(
    source: &'s Source,
    file: &SourcePath,
) -> Result<Result<Option<&'s str>, InFile<FileFinding>>, Unread> {
    let name = || file.clone();
    let finding = match source.text(file)? {
        Text::Is(text) => return Ok(Ok(Some(text))),
        Text::Absent => return Ok(Ok(None)),
        Text::NotAFile(Kind::Directory) => FileFinding::NotAFile { file: name(), kind: "a directory" },
        Text::NotAFile(Kind::File | Kind::Other) => FileFinding::NotAFile {
            file: name(),
            kind: "a link that leads out of the project or nowhere, or no ordinary file",
        },
        Text::NotUtf8(at) => FileFinding::NotText { file: name(), at: at.words(), place: at.place() },
        Text::TooLong(bytes) => FileFinding::TooLong { file: name(), bytes: *bytes },
        Text::Unreadable(why) => FileFinding::Unreadable { file: name(), why: why.clone() },
    };
    Ok(Err(InFile::new(file, finding)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Answer;
    use crate::question::Question;

    fn told(answer: Text) -> String {
        let file = SourcePath::new("cog.yaml").expect("is a path");
        let mut source = Source::default();
        source.learn(Question::Text(file.clone()), Answer::Text(answer));
        let found = text(&source, &file).expect("nothing is asked").expect_err("it cannot be read");
        let code = found.finding.code().expect("has a code");
        format!("{code}: {}", found.finding)
    }

    #[test]
    fn what_keeps_a_file_from_being_read_is_told() {
        let told = [
            told(Text::Unreadable("permission denied".to_owned())),
            told(Text::NotAFile(Kind::Directory)),
            told(Text::NotAFile(Kind::Other)),
            told(Text::from(b"build:\n  \xff".to_vec())),
            told(Text::TooLong(99)),
        ];
        let expected = [
            "project::file::unreadable: `cog.yaml` cannot be read: permission denied",
            "project::file::not-a-file: `cog.yaml` is a directory, and a file is wanted there",
            "project::file::not-a-file: `cog.yaml` is a link that leads out of the project or nowhere, or no \
             ordinary file, and a file is wanted there",
            "project::file::not-text: `cog.yaml` is not UTF-8 text: line 2, column 3 cannot be read",
            "project::file::too-long: `cog.yaml` has 99 bytes, and planning reads no file of more than 16 MiB",
        ];
        assert_eq!(told, expected);
    }
}
