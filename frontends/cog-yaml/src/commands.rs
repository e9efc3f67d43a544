//! Commands of the build: `build.run`, and `build.pre_install` as it was called before.

use cogpack_frontends_source::{Place, Placed};
use cogpack_ir::plan::SecretName;
use miette::Diagnostic;

use crate::document::{Content, Node};
use crate::shape::{Fields, Form, Reading, ShapeFinding, Table};

/// A line for the shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The line, without spaces around it.
    pub line: Placed<String>,
    /// Secrets that it may read.
    pub secrets: Vec<SecretMount>,
}

/// A secret, as a file while a command runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretMount {
    /// `id`
    pub id: Placed<SecretName>,
    /// `target`: the file, an absolute path.
    pub target: Placed<String>,
}

/// What is wrong with a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum CommandFinding {
    /// Several lines.
    #[error("a command is one line, and this has {lines}")]
    #[diagnostic(
        code("project::cog-yaml::command-lines"),
        help("join the lines by ` && `, or write each as an item of its own")
    )]
    Lines {
        /// How many.
        lines: usize,
        /// Where.
        #[label("begins here")]
        place: Place,
    },
    /// No command.
    #[error("a command is empty")]
    #[diagnostic(code("project::cog-yaml::command-empty"), help("write a command, or take the item away"))]
    Empty {
        /// Where.
        #[label("nothing to run")]
        place: Place,
    },
    /// A zero byte.
    #[error("a command has a zero byte")]
    #[diagnostic(code("project::cog-yaml::command-zero"), help("take it away: no shell reads behind one"))]
    Zero {
        /// Where.
        #[label("in here")]
        place: Place,
    },
    /// Another kind of mount.
    #[error("a mount has the type `secret`, and this is `{kind}`")]
    #[diagnostic(code("project::cog-yaml::mount-type"), help("{way_out}"))]
    MountType {
        /// What is written.
        kind: String,
        /// What to do.
        way_out: &'static str,
        /// Where.
        #[label("not among the mounts of `cog.yaml`")]
        place: Place,
    },
    /// No id.
    #[error("`{id}` is no name of a secret")]
    #[diagnostic(
        code("project::cog-yaml::mount-id"),
        help("use letters, digits, `.`, `_` and `-`, and begin with a letter or a digit")
    )]
    MountId {
        /// What is written.
        id: String,
        /// Where.
        #[label("not a name")]
        place: Place,
    },
    /// No target.
    #[error("a secret is mounted at an absolute path, and `{target}` {problem}")]
    #[diagnostic(
        code("project::cog-yaml::mount-target"),
        help("write it as in `target: /run/secrets/token`")
    )]
    MountTarget {
        /// What is written.
        target: String,
        /// What is wrong.
        problem: &'static str,
        /// Where.
        #[label("not such a path")]
        place: Place,
    },
    /// Two at one place.
    #[error("two secrets are mounted at `{target}`")]
    #[diagnostic(code("project::cog-yaml::mount-twice"), help("give each a path of its own"))]
    MountTwice {
        /// The path.
        target: String,
        /// The second.
        #[label("again here")]
        place: Place,
        /// The first.
        #[label("first here")]
        first: Place,
    },
    /// One below the other, which is a file.
    #[error("two secrets are mounted at `{target}` and `{other}`, one of which is below the other")]
    #[diagnostic(
        code("project::cog-yaml::mount-below"),
        help("a secret is a file, and nothing can be below one: give each a path of its own")
    )]
    MountBelow {
        /// The path of the second.
        target: String,
        /// That of the first.
        other: String,
        /// The second.
        #[label("this path")]
        place: Place,
        /// The first.
        #[label("and this one")]
        first: Place,
    },
}

const RUN: Form =
    Form { key: "build.run", expected: "a list of commands", example: "run: [\"make install\"]" };
const PRE_INSTALL: Form =
    Form { key: "build.pre_install", expected: "a list of commands", example: "run: [\"make install\"]" };
const LINE: Form =
    Form { key: "build.run[]", expected: "a text or a mapping with `command`", example: "- make install" };
const OLD_LINE: Form =
    Form { key: "build.pre_install[]", expected: "a text, a command", example: "- make install" };
const COMMAND: Form =
    Form { key: "build.run[].command", expected: "a text, a command", example: "command: make install" };
const MOUNTS: Form = Form {
    key: "build.run[].mounts",
    expected: "a list of mounts",
    example: "mounts: [{ type: secret, id: token, target: /run/secrets/token }]",
};
const MOUNT: Form = Form {
    key: "build.run[].mounts[]",
    expected: "a mapping",
    example: "- { type: secret, id: token, target: /run/secrets/token }",
};
const TYPE: Form =
    Form { key: "build.run[].mounts[].type", expected: "the text `secret`", example: "type: secret" };
const ID: Form =
    Form { key: "build.run[].mounts[].id", expected: "a text, the name of a secret", example: "id: token" };
const TARGET: Form = Form {
    key: "build.run[].mounts[].target",
    expected: "a text, an absolute path",
    example: "target: /run/secrets/token",
};
const ITEM_TABLE: Table = Table { owner: "an item of `run`", keys: &["command", "mounts"], elsewhere: &[] };
const MOUNT_TABLE: Table = Table { owner: "a mount", keys: &["id", "target", "type"], elsewhere: &[] };

pub(crate) fn run(reading: &mut Reading, fields: &Fields<'_>) -> Vec<Command> {
    let Some(node) = fields.value("run") else { return Vec::new() };
    let items = reading.list(node, RUN);
    items.iter().filter_map(|item| command(reading, item)).collect()
}

pub(crate) fn pre_install(reading: &mut Reading, node: &Node) -> Vec<Command> {
    let texts = reading.texts(node, PRE_INSTALL, OLD_LINE);
    let plain = |line| Command { line, secrets: Vec::new() };
    texts.into_iter().filter_map(|text| line(reading, text)).map(plain).collect()
}

fn command(reading: &mut Reading, item: &Node) -> Option<Command> {
    let entries = match &item.content {
        Content::Mapping(entries) => entries,
        Content::Null | Content::Scalar { .. } | Content::List(_) => {
            let text = reading.text(item, LINE)?;
            return Some(Command { line: line(reading, text)?, secrets: Vec::new() });
        }
    };
    // `- pip install "a: b"` is a mapping to YAML, with a key that looks like no key.
    let is_split = |text: &str| text.contains([' ', '"', '$', '|', ';', '>']);
    if entries.iter().all(|(key, _)| is_split(&key.text)) && !entries.is_empty() {
        reading.wrong(item, Form { expected: "a text", ..LINE });
        return None;
    }
    let fields = reading.fields(item, LINE, &ITEM_TABLE)?;
    let secrets = match fields.value("mounts") {
        Some(node) => mounts(reading, node),
        None => Vec::new(),
    };
    let Some(node) = fields.value("command") else {
        let way_out = "add the command, as in `command: make install`";
        reading.found(ShapeFinding::Missing { key: "build.run[].command", way_out, place: fields.place });
        return None;
    };
    let text = reading.text(node, COMMAND)?;
    Some(Command { line: line(reading, text)?, secrets })
}

fn line(reading: &mut Reading, text: Placed<String>) -> Option<Placed<String>> {
    let place = text.place;
    let trimmed = text.trim();
    let lines = trimmed.lines().count();
    reading.found(match lines {
        0 => CommandFinding::Empty { place },
        1 if trimmed.contains('\0') => CommandFinding::Zero { place },
        1 => return Some(Placed::new(trimmed.to_owned(), place)),
        lines => CommandFinding::Lines { lines, place },
    });
    None
}

fn mounts(reading: &mut Reading, node: &Node) -> Vec<SecretMount> {
    let mut mounts: Vec<SecretMount> = Vec::new();
    for item in reading.list(node, MOUNTS) {
        let Some(mount) = mount(reading, item) else { continue };
        let meets = |other: &&SecretMount| {
            let (one, another) = (&*other.target.value, &*mount.target.value);
            one == another || is_below(one, another) || is_below(another, one)
        };
        match mounts.iter().find(meets) {
            Some(other) => {
                let (place, first) = (mount.target.place, other.target.place);
                let (target, other) = (mount.target.value, other.target.value.clone());
                reading.found(match target == other {
                    true => CommandFinding::MountTwice { target, place, first },
                    false => CommandFinding::MountBelow { target, other, place, first },
                });
            }
            None => mounts.push(mount),
        }
    }
    mounts
}

/// Whether a path is below another one.
fn is_below(path: &str, other: &str) -> bool {
    path.strip_prefix(other).is_some_and(|rest| rest.starts_with('/'))
}

fn mount(reading: &mut Reading, item: &Node) -> Option<SecretMount> {
    let fields = reading.fields(item, MOUNT, &MOUNT_TABLE)?;
    let mut wanted = |form: Form, key: &'static str, way_out: &'static str| match fields.value(key) {
        Some(node) => reading.text(node, form),
        None => {
            reading.found(ShapeFinding::Missing { key: form.key, way_out, place: fields.place });
            None
        }
    };
    let kind = wanted(TYPE, "type", "add `type: secret`");
    let id = wanted(ID, "id", "add the name of the secret, as in `id: token`");
    let target = wanted(TARGET, "target", "add where it is mounted, as in `target: /run/secrets/token`");
    let kind = kind.filter(|kind| match &*kind.value {
        "secret" => true,
        other => {
            reading.found(CommandFinding::MountType {
                kind: other.to_owned(),
                way_out: match other {
                    "cache" => "take the mount away, or write a plan (`.cpk`), which has `mount cache`",
                    "ssh" => {
                        "give a token or a key as a `secret`, or write a plan (`.cpk`), which has `mount ssh`"
                    }
                    _ => "write `type: secret`; other mounts a plan (`.cpk`) has",
                },
                place: kind.place,
            });
            false
        }
    });
    let id = id.and_then(|id| match SecretName::new(&id.value) {
        Ok(name) => Some(Placed::new(name, id.place)),
        Err(_) => {
            reading.found(CommandFinding::MountId { id: id.value, place: id.place });
            None
        }
    });
    let target = target.filter(|target| match target_problem(target) {
        None => true,
        Some(problem) => {
            let place = target.place;
            reading.found(CommandFinding::MountTarget { target: target.value.clone(), problem, place });
            false
        }
    });
    kind?;
    Some(SecretMount { id: id?, target: target? })
}

fn target_problem(target: &str) -> Option<&'static str> {
    let mut parts = target.split('/').skip(1);
    if !target.starts_with('/') {
        Some("does not begin with `/`")
    } else if target.contains(['\0', '\n', '\r']) {
        Some("has a zero byte or a line end")
    } else if parts.any(|part| matches!(part, "" | "." | "..")) {
        Some("has an empty part, `.` or `..` in it")
    } else {
        None
    }
}
