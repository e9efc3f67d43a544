//! Walks the `dir` contexts that a backend asks for, and opens the files of all kinds.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use cogpack_backends_contract::content::{Content, ContentSource, ContextFile};
use cogpack_backends_contract::context_layers::ContextLayer;
use cogpack_backends_contract::tree::Tree;
use cogpack_io_git::Checkout;
use cogpack_io_packages::InstalledPackages;
use cogpack_io_packages::downloads::Download;
use cogpack_io_project::context_files::ContextFiles;
use cogpack_io_project::room::Room;
use cogpack_io_project::walk::walk_within;
use cogpack_ir::plan::{Context, ContextKind, InputName};
use cogpack_ir::suggest::nearest;

use crate::failure::Failure;
use crate::plan_file::PlanFile;
use crate::source_text::{Place, SourceText};

/// Contexts as they are on disk.
#[derive(Default)]
pub struct Walked {
    /// What is in each.
    pub trees: BTreeMap<InputName, Tree<Content>>,
    /// Those of them that come in several layers.
    pub layers: BTreeMap<InputName, Vec<ContextLayer>>,
    /// Where the bytes are.
    pub files: ContextContents,
}

/// Opens the files of contexts, wherever they are.
#[derive(Debug, Default)]
pub struct ContextContents {
    /// Those of `dir` contexts.
    pub directories: ContextFiles,
    /// Those of `wheels` and `debs` contexts.
    pub packages: BTreeMap<InputName, InstalledPackages>,
    /// Those of `http` contexts.
    pub downloads: BTreeMap<InputName, Download>,
    /// The stores that `git` contexts are in, whose files are opened as those of directories.
    pub checkouts: BTreeMap<InputName, Checkout>,
}

impl ContentSource for ContextContents {
    fn open<'s>(&'s self, file: &ContextFile) -> io::Result<Box<dyn Read + 's>> {
        if let Some(download) = self.downloads.get(&file.context) {
            return Ok(download.open());
        }
        match self.packages.get(&file.context) {
            Some(packages) => packages.open(&file.path),
            None => self.directories.open(file),
        }
    }
}

/// Where a `dir` context is; `None` for other kinds.
pub fn root_of(
    name: &InputName,
    context: &Context,
    file: &PlanFile,
    elsewhere: &BTreeMap<InputName, PathBuf>,
) -> Option<PathBuf> {
    let ContextKind::Directory(directory) = &context.kind else { return None };
    let of_plan = || file.directory.join(&directory.path.value);
    Some(elsewhere.get(name).cloned().unwrap_or_else(of_plan))
}

/// Walks each of `contexts` that is a directory, relative to the plan's own, or where `elsewhere`
/// says that it is.
pub fn walk_all<'c>(
    contexts: impl IntoIterator<Item = (&'c InputName, &'c Context)>,
    file: &PlanFile,
    elsewhere: &BTreeMap<InputName, PathBuf>,
) -> Result<Walked, Failure> {
    walk_all_within(&Room::default(), contexts, file, elsewhere)
}

/// Walks as [`walk_all`] does, with so much room in memory.
pub fn walk_all_within<'c>(
    room: &Room,
    contexts: impl IntoIterator<Item = (&'c InputName, &'c Context)>,
    file: &PlanFile,
    elsewhere: &BTreeMap<InputName, PathBuf>,
) -> Result<Walked, Failure> {
    let mut walked = Walked::default();
    for (name, context) in contexts {
        if let (ContextKind::Directory(directory), Some(root)) =
            (&context.kind, root_of(name, context, file, elsewhere))
        {
            let tree = walk_within(room, &root, name, &directory.rules).map_err(|error| {
                let failure = Failure::of(&error);
                match (elsewhere.get(name), directory.path.span.place()) {
                    (None, Some(span)) => {
                        let Place { line, column } =
                            SourceText::new(&file.shown, &file.text).place(span.offset());
                        failure.with_hint(format!(
                            "the plan names the directory in line {line}, column {column} of `{}`",
                            file.shown
                        ))
                    }
                    (Some(_), _) | (None, None) => failure,
                }
            })?;
            walked.trees.insert(name.clone(), tree);
            walked.files.directories.directories.insert(name.clone(), root);
        }
    }
    Ok(walked)
}

/// `NAME=DIR` of `--build-context`.
pub fn replaced<'t>(
    text: &'t str,
    directories: &BTreeMap<InputName, PathBuf>,
) -> Result<(InputName, &'t Path), Failure> {
    let malformed = || {
        Failure::new(format!("`--build-context {text}` does not read `NAME=DIR`"))
            .with_hint("for instance `--build-context source=../checkout` for the context @source")
    };
    let (name, path) = text.split_once('=').filter(|(_, path)| !path.is_empty()).ok_or_else(malformed)?;
    let bare = name.strip_prefix('@').unwrap_or(name);
    match InputName::new(bare) {
        Ok(name) if directories.contains_key(&name) => Ok((name, Path::new(path))),
        Ok(_) | Err(_) => {
            let failure = Failure::new(format!("the plan declares no `dir` context `@{bare}`"));
            Err(match nearest(bare, directories.keys().map(InputName::as_str)) {
                Some(near) => failure.with_hint(format!("did you mean `--build-context {near}=…`?")),
                None => failure.with_hint("`--build-context` takes the name of a `dir` context of the plan"),
            })
        }
    }
}
