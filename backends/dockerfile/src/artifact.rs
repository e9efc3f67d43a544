//! What the lowering makes: a Dockerfile, what has to lie beside it, what it reads elsewhere,
//! and how it is built.
//!
//! Deliberately not here: reading contexts and writing files, which the one who emits does.

use std::collections::BTreeMap;

use cogpack_ir::plan::{Copy, FileContent, InputName, Mode, Span};

/// A Dockerfile and what it reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// The text, for a file called `Dockerfile`.
    pub dockerfile: String,
    /// What lies beside it, by path relative to it; no path is below another.
    pub beside: BTreeMap<String, Beside>,
    /// Texts that the command reads from files beside the Dockerfile, by path relative to it. No instruction
    /// names them, so they may lie where the build context does not reach.
    pub given: BTreeMap<String, String>,
    /// The `dir` contexts that are read where they are.
    pub read: BTreeMap<InputName, Taken>,
    /// What the Dockerfile's own ignore file leaves out of the build context, beside what the
    /// context itself leaves out: lines for its end.
    pub ignored: Vec<String>,
    /// Whether its builder keeps setuid and setgid of the files that it copies from directories;
    /// where not, no file that is read there may have them.
    pub keeps_set_ids: bool,
    /// The same of the directories that it copies.
    pub keeps_set_ids_of_directories: bool,
    /// Whether its builder lets a file that lands on a link go where that points to.
    pub follows_links: bool,
    /// The programs that instructions run beside those of the plan, by the context of packages that must
    /// have them: paths, each with what of the plan needs it first.
    pub needed: BTreeMap<InputName, BTreeMap<&'static str, Span>>,
    /// How it is built.
    pub command: Command,
    /// What its reader should know, and nobody has to act on.
    pub notes: Vec<Note>,
}

/// The command that builds a Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Command {
    /// The program, with variables before it and its arguments after it. Sources of secrets are
    /// files called like them.
    pub words: Vec<String>,
    /// What the image is for; where a builder makes one at a time, `words` name the first.
    pub platforms: Vec<String>,
    /// Arguments for secrets that may be missing.
    pub optional: Vec<String>,
    /// Whether BuildKit runs it.
    pub is_buildkit: bool,
    /// Whether it is run in the build context, and not in the Dockerfile's directory.
    pub in_context: bool,
}

/// Something that was done in another way than a reader might think.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What it is: lower case, names in backticks.
    pub what: String,
    /// What of the plan it is about.
    pub span: Span,
}

/// What is taken of a context that is not gathered copy by copy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Taken {
    /// The paths that are read, with all below them; empty for the directory itself. Each with what
    /// of the plan reads it first, here and below.
    pub paths: BTreeMap<String, Span>,
    /// Paths in it that must not be links: `COPY` would follow them, the plan does not.
    pub never_links: BTreeMap<String, Span>,
}

/// One thing beside the Dockerfile. Modes and links must be written exactly; owners have no
/// effect, as builders take every file of a context as root's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Beside {
    /// A whole context: a directory with its content (made even where it is empty).
    Context {
        /// Which.
        name: InputName,
        /// What is taken of it.
        taken: Taken,
    },
    /// A context that installs packages: a tar of it, which `ADD` unpacks with owners and all modes.
    Archive {
        /// Which.
        name: InputName,
        /// What is taken of it, beside starts from it.
        taken: Taken,
    },
    /// What a copy makes of a context on an empty filesystem: a directory, made even where
    /// nothing lands in it.
    Copied {
        /// The context.
        context: InputName,
        /// The copy, its destination relative to this directory.
        copy: Box<Copy>,
        /// A copy of which that is only a part; that one must be possible too.
        whole: Option<Box<Copy>>,
        /// What of its result `COPY` would not keep.
        never: Never,
    },
    /// A directory with one file.
    File {
        /// The file's name in it.
        name: String,
        /// Its mode.
        mode: Mode,
        /// Its bytes.
        content: FileContent,
        /// What of the plan makes it.
        span: Span,
    },
    /// A directory with one empty directory.
    Directory {
        /// Its name.
        name: String,
        /// Its mode.
        mode: Mode,
        /// What of the plan makes it.
        span: Span,
    },
    /// A directory with one link.
    Symlink {
        /// The link's name in it.
        name: String,
        /// What it says.
        target: String,
        /// What of the plan makes it.
        span: Span,
    },
}

impl Beside {
    /// The paths of it that are copied, each with what of the plan does that first.
    pub fn copied(&self) -> Vec<(&str, Span)> {
        match self {
            Self::Context { taken, .. } | Self::Archive { taken, .. } => {
                taken.paths.iter().map(|(path, span)| (path.as_str(), *span)).collect()
            }
            Self::Copied { copy, .. } => vec![("", copy.from.span)],
            Self::File { span, .. } | Self::Directory { span, .. } | Self::Symlink { span, .. } => {
                vec![("", *span)]
            }
        }
    }
}

/// What must not come of a [`Beside::Copied`]; if it does, the plan cannot be emitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Never {
    /// Anything is fine.
    Nothing,
    /// A link at the top: `COPY` would follow it.
    LinkAtTop,
    /// A directory at the top: `COPY` would give it its own mode even where one is there.
    DirectoryAtTop,
}
