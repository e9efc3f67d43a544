//! The Python files of a project, each read once.

use std::collections::BTreeMap;
use std::rc::Rc;

use cogpack_frontends_source::{InFile, Kind, Question, Source, SourcePath, Text, Unread};
use miette::SourceSpan;

use crate::finding::SchemaFinding;
use crate::python;
use crate::python::parse::{LONGEST, Unparsed};
use crate::python::syntax::Module;

/// A file that cannot be read as Python.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum FileFinding {
    /// There is none.
    #[error("the project has no file `{file}`")]
    #[diagnostic(
        code("project::schema::no-file"),
        help(
            "name the Python file of the model, as in `run: \"run.py:Runner\"`; paths begin at the project's directory"
        )
    )]
    Absent {
        /// The path.
        file: String,
        /// Where it is named, in the file that the finding is of then.
        #[label("named here")]
        named: Option<SourceSpan>,
    },
    /// It is no text.
    #[error("`{file}` cannot be read as text: {why}")]
    #[diagnostic(code("project::schema::not-text"), help("store it as a file of UTF-8 text"))]
    NotText {
        /// The path.
        file: String,
        /// Why.
        why: String,
        /// The first byte that is none, in what can be shown of the file.
        #[label("not UTF-8 from here on")]
        at: Option<SourceSpan>,
    },
    /// It is too long.
    #[error("`{file}` has {length} bytes, and Python files are read up to {LONGEST}")]
    #[diagnostic(
        code("project::schema::too-long"),
        help("move data out of it, or give the schema with `--openapi-schema FILE`")
    )]
    TooLong {
        /// The path.
        file: String,
        /// How long it is.
        length: u64,
    },
    /// It is no Python.
    #[error("this is not Python{}", what_is_missing(.missing.as_deref()))]
    #[diagnostic(
        code("project::schema::syntax"),
        help(
            "`python -m py_compile {file}` tells more; where Python accepts it, give the schema with `--openapi-schema FILE`"
        )
    )]
    Syntax {
        /// The path.
        file: String,
        /// What would mend it.
        missing: Option<String>,
        /// Where.
        #[label("it cannot be read from here")]
        at: SourceSpan,
    },
    /// Reading it takes too long.
    #[error("`{file}` takes too many steps to be read as Python")]
    #[diagnostic(
        code("project::schema::endless"),
        help(
            "see whether `python -m py_compile {file}` accepts it, or give the schema with `--openapi-schema FILE`"
        )
    )]
    Endless {
        /// The path.
        file: String,
    },
}

fn what_is_missing(what: Option<&str>) -> String {
    what.map(|what| format!(": `{what}` is missing")).unwrap_or_default()
}

/// A file that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ModuleId(usize);

/// Python files, what is still to be asked about them, and what is wrong with them.
pub struct Files<'a> {
    source: &'a Source,
    modules: Vec<(SourcePath, Rc<Module>)>,
    known: BTreeMap<SourcePath, There>,
    unread: Option<Unread>,
    findings: Vec<InFile<SchemaFinding>>,
}

/// What stands at the path of a Python file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum There {
    /// A module.
    Module(ModuleId),
    /// Nothing.
    Nothing,
    /// Nobody knows yet, or it is wrong, which has been said.
    Unknown,
}

impl<'a> Files<'a> {
    /// None yet.
    pub fn new(source: &'a Source) -> Self {
        Self { source, modules: Vec::new(), known: BTreeMap::new(), unread: None, findings: Vec::new() }
    }

    /// The path of a file.
    pub fn file(&self, id: ModuleId) -> &SourcePath {
        &self.modules[id.0].0
    }

    /// The names of a file.
    pub fn module(&self, id: ModuleId) -> Rc<Module> {
        Rc::clone(&self.modules[id.0].1)
    }

    /// Says what is wrong at a place of a file; the same is not said twice.
    pub fn report(&mut self, id: ModuleId, finding: impl Into<SchemaFinding>) {
        let finding = InFile::new(&self.modules[id.0].0, finding.into());
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    /// Whether something has been said or is to be asked, so that what is missing has a reason.
    pub fn is_incomplete(&self) -> bool {
        self.unread.is_some() || !self.findings.is_empty()
    }

    /// What is to be asked, or else what is wrong.
    pub fn into_findings(self) -> Result<Vec<InFile<SchemaFinding>>, Unread> {
        self.unread.map_or(Ok(self.findings), Err)
    }

    /// Asks for the texts of files before any of them is needed.
    pub fn ask_for(&mut self, files: impl IntoIterator<Item = SourcePath>) {
        let unknown: Vec<Question> =
            files.into_iter().filter(|file| self.source.text(file).is_err()).map(Question::Text).collect();
        if let Some(unread) = Unread::of(unknown) {
            self.note(unread);
        }
    }

    fn note(&mut self, unread: Unread) {
        self.unread = Some(match self.unread.take() {
            Some(before) => before.and(unread),
            None => unread,
        });
    }

    /// Whether a path is a directory; `None` where nobody knows yet.
    pub fn is_directory(&mut self, path: &SourcePath) -> Option<bool> {
        match self.source.kind(path) {
            Ok(kind) => Some(kind == Some(Kind::Directory)),
            Err(unread) => {
                self.note(unread);
                None
            }
        }
    }

    /// The file that must be there.
    pub fn target(&mut self, path: &SourcePath) -> There {
        let there = self.load(path);
        if there == There::Nothing {
            let file = path.to_string();
            self.findings.push(InFile::new(path, FileFinding::Absent { file, named: None }.into()));
        }
        there
    }

    /// The file of this path, where there is one.
    pub fn load(&mut self, path: &SourcePath) -> There {
        if let Some(known) = self.known.get(path) {
            return *known;
        }
        let text = match self.source.text(path) {
            Ok(text) => text.clone(),
            Err(unread) => {
                self.note(unread);
                return There::Unknown;
            }
        };
        let there = match self.read(path, text) {
            Ok(None) => There::Nothing,
            Ok(Some(module)) => {
                self.modules.push((path.clone(), Rc::new(module)));
                There::Module(ModuleId(self.modules.len() - 1))
            }
            Err(finding) => {
                self.findings.push(InFile::new(path, finding.into()));
                There::Unknown
            }
        };
        self.known.insert(path.clone(), there);
        there
    }

    fn read(&self, path: &SourcePath, text: Text) -> Result<Option<Module>, FileFinding> {
        let file = path.to_string();
        let not_text = |why: &str| FileFinding::NotText { file: file.clone(), why: why.to_owned(), at: None };
        let text = match text {
            Text::Is(text) => text,
            Text::Absent | Text::NotAFile(Kind::Directory) => return Ok(None),
            Text::NotAFile(Kind::File | Kind::Other) => return Err(not_text("it is no file")),
            Text::NotUtf8(not) => {
                let (why, at) = (format!("{} is not UTF-8", not.words()), Some(not.place().into()));
                return Err(FileFinding::NotText { file, why, at });
            }
            Text::Unreadable(why) => return Err(not_text(&why)),
            Text::TooLong(length) => return Err(FileFinding::TooLong { file, length }),
        };
        if text.len() > LONGEST {
            return Err(FileFinding::TooLong { file, length: text.len() as u64 });
        }
        match python::read(&text) {
            Ok(module) => Ok(Some(module)),
            Err(Unparsed::Mistake(at, missing)) => Err(FileFinding::Syntax { file, missing, at: at.into() }),
            Err(Unparsed::Endless) => Err(FileFinding::Endless { file }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use cogpack_frontends_source::{Answer, MemoryProject};
    use miette::Diagnostic as _;

    use super::*;

    fn shown(answer: Text) -> String {
        let path = SourcePath::new("run.py").expect("is a path");
        let mut source = Source::default();
        source.learn(Question::Text(path.clone()), Answer::Text(answer));
        let mut files = Files::new(&source);
        assert_eq!(files.target(&path), There::Unknown);
        let mut text = String::new();
        for InFile { file, finding } in files.into_findings().expect("nothing is asked") {
            let (code, help) = (finding.code().expect("has a code"), finding.help().expect("has a way out"));
            writeln!(text, "{code} in {file}: {finding}; {help}").expect("a String takes all");
        }
        text
    }

    #[test]
    fn files_that_no_case_can_be() {
        insta::assert_snapshot!(shown(Text::from(b"a = 1\n\xff".to_vec())), @"project::schema::not-text in run.py: `run.py` cannot be read as text: line 2, column 1 is not UTF-8; store it as a file of UTF-8 text");
        insta::assert_snapshot!(shown(Text::TooLong(99)), @"project::schema::too-long in run.py: `run.py` has 99 bytes, and Python files are read up to 1048576; move data out of it, or give the schema with `--openapi-schema FILE`");
        assert!(shown(Text::Is(" ".repeat(LONGEST + 1).into())).contains("1048577 bytes"));
        assert!(shown(Text::Unreadable("denied".to_owned())).contains("denied"));
        assert!(shown(Text::NotAFile(Kind::Other)).contains("it is no file"));
        let endless = FileFinding::Endless { file: "run.py".to_owned() };
        let code = endless.code().expect("has a code").to_string();
        assert_eq!(code, "project::schema::endless");
        assert_eq!(endless.to_string(), "`run.py` takes too many steps to be read as Python");
    }

    /// All files that the imports of a file may mean are asked for in one round.
    #[test]
    fn imports_are_asked_for_at_once() {
        let run = "from a import A\nfrom b.c import B\nimport numpy\n\nclass R:\n    def run(self, a: A, b: B) -> str: ...\n";
        let data = "from typing import TypedDict\nclass A(TypedDict):\n    x: int\nB = A\n";
        let project =
            MemoryProject::new([("run.py", run), ("a.py", data), ("b/c.py", data)]).expect("are paths");
        let file = SourcePath::new("run.py").expect("is a path");
        let target = crate::Target { file, name: "R".to_owned(), used_for: crate::Use::Run };
        let mut rounds = 0;
        let schema = project.plan(|source| {
            rounds += 1;
            crate::schema(source, &target)
        });
        assert_eq!(schema.expect("nothing is wrong").inputs.len(), 2);
        assert_eq!(rounds, 3, "the file, all that it may import, and the answer");
    }
}
