//! What a build command gives a Dockerfile: the files of its contexts, as the builder sees them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use cogpack_backends_contract::tree::{Attributes, Ids, Node};
use cogpack_ir::plan::Mode;

use super::Unreadable;
use super::copying::Files;
use super::ignore::without_ignored;
use super::rules::Rules;

/// The command of an eject's README.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The build context.
    pub context: PathBuf,
    /// The Dockerfile.
    pub file: PathBuf,
    /// What `--ignorefile` names.
    pub ignore_file: Option<PathBuf>,
    /// What `--build-context` names.
    pub named: BTreeMap<String, PathBuf>,
    /// What `--build-arg` gives, as a shell reads it from files.
    pub arguments: BTreeMap<String, String>,
    /// All of its words.
    pub words: Vec<String>,
}

impl Command {
    /// Reads the README of the directory `eject`; `copied_from` is what it calls the directory that
    /// the Dockerfile copies from.
    pub fn of_readme(eject: &Path, copied_from: &Path) -> Self {
        let readme = fs::read_to_string(eject.join("README.md")).expect("an eject has a README");
        let block = readme.split_once("```sh\n").and_then(|(_, rest)| rest.split_once("\n```"));
        let (command, _) = block.expect("the README has a command");
        let place = match readme.contains("in the directory that the Dockerfile copies from") {
            true => copied_from,
            false => eject,
        };
        let words: Vec<String> = command.split(' ').map(str::to_owned).collect();
        let value =
            |flag: &str| words.iter().find_map(|word| word.strip_prefix(flag)).map(|it| place.join(it));
        let context = place.join(words.last().expect("a command has words"));
        let named = words.iter().filter_map(|word| word.strip_prefix("--build-context=")?.split_once('='));
        let argument = |word: &str| {
            let (name, rest) = word.split_once("=\"$(cat ")?;
            let (path, _) = rest.split_once(")\"")?;
            let text =
                fs::read_to_string(place.join(path.trim_matches('\''))).expect("lies where it is named");
            Some((name.to_owned(), text.trim_end_matches('\n').to_owned()))
        };
        Self {
            arguments: command.split("--build-arg=").skip(1).filter_map(argument).collect(),
            file: value("--file=").unwrap_or_else(|| context.join("Dockerfile")),
            ignore_file: value("--ignorefile="),
            named: named.map(|(name, path)| (name.to_owned(), place.join(path))).collect(),
            context,
            words,
        }
    }

    /// The build context as a builder sees it.
    pub fn context(&self, rules: &Rules) -> Result<Files, Unreadable> {
        let mut own = self.file.clone().into_os_string();
        own.push(".dockerignore");
        let own = PathBuf::from(own);
        let usual = self.context.join(".dockerignore");
        let ignore_file = match (&self.ignore_file, rules.own_ignore_file && own.exists()) {
            (Some(named), _) => named.clone(),
            (None, true) => own,
            (None, false) => usual,
        };
        let lines = fs::read_to_string(ignore_file).unwrap_or_default();
        without_ignored(&disk(&self.context), &lines)
    }

    /// The named contexts.
    pub fn named(&self) -> Result<BTreeMap<String, Files>, Unreadable> {
        let read = |(name, path): (&String, &PathBuf)| {
            let lines = fs::read_to_string(path.join(".dockerignore")).unwrap_or_default();
            Ok((name.clone(), without_ignored(&disk(path), &lines)?))
        };
        self.named.iter().map(read).collect()
    }
}

/// A directory of the disk, all of it root's.
pub fn disk(directory: &Path) -> Files {
    let mut files = Files::empty();
    read_below(directory, &mut Vec::new(), &mut files);
    files
}

fn read_below(directory: &Path, above: &mut Vec<Vec<u8>>, files: &mut Files) {
    for entry in fs::read_dir(directory).expect("can be read") {
        let entry = entry.expect("can be read");
        above.push(entry.file_name().into_vec());
        let metadata = entry.path().symlink_metadata().expect("can be read");
        let mode = Mode::new(metadata.permissions().mode() & 0o7777).expect("has no more bits");
        let attributes = Attributes { mode, ids: Ids::ROOT };
        if metadata.is_dir() {
            files.make_directories(above, attributes).expect("nothing is in the way");
            read_below(&entry.path(), above, files);
        } else {
            let node = match fs::read_link(entry.path()) {
                Ok(target) => {
                    Node::Symlink { ids: Ids::ROOT, target: target.into_os_string().into_vec().into() }
                }
                Err(_) => Node::File { attributes, content: fs::read(entry.path()).expect("can be read") },
            };
            files.insert(above, node).expect("nothing is in the way");
        }
        above.pop();
    }
}
