//! `setup.py` and `setup.cfg`: what they show, and what only running them would say.

use cogpack_frontends_source::{InFile, Place, SourcePath};
use miette::Diagnostic;

/// Dependencies that nothing but a program says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum SetupFinding {
    /// Only running it would say.
    #[error("only `{file}` could say what this project depends on, and it is not run")]
    #[diagnostic(
        code("project::python::setup"),
        help("write `[project]` with `dependencies` into `pyproject.toml`, or keep a `requirements.txt`")
    )]
    Run {
        /// The file.
        file: SourcePath,
        /// Where it says so.
        #[label("not read here")]
        place: Place,
    },
}

/// The finding for a project of which nothing else says what it depends on. A file that names no
/// requirements says that there are none.
pub fn without_other_word(file: &SourcePath, text: &str) -> Option<InFile<SetupFinding>> {
    const WORD: &str = "install_requires";
    let start = text.find(WORD)?;
    let place = Place::of(text, start, start + WORD.len());
    Some(InFile::new(file, SetupFinding::Run { file: file.clone(), place }))
}
