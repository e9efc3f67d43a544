//! Which file an import means.

use cogpack_frontends_source::SourcePath;

use super::files::{ModuleId, There};
use super::{Entity, Scope};
use crate::python::syntax::{Bound, ModuleName};

/// Modules that are never files of the project, of which something is known or nothing need be.
const KNOWN: &[&str] = &[
    "__future__",
    "abc",
    "asyncio",
    "cog",
    "collections",
    "dataclasses",
    "enum",
    "io",
    "json",
    "logging",
    "math",
    "os",
    "pathlib",
    "pydantic",
    "random",
    "re",
    "shutil",
    "subprocess",
    "sys",
    "tempfile",
    "time",
    "types",
    "typing",
    "typing_extensions",
];

/// Whether a module is from outside without looking.
pub(super) fn is_known(module: &ModuleName) -> bool {
    module.level == 0 && module.parts.first().is_some_and(|first| KNOWN.contains(&&**first))
}

impl Scope<'_> {
    /// Asks for all files that the imports of a file may mean, at once.
    pub fn ask_for_imports(&mut self, id: ModuleId) {
        let module = self.files.module(id);
        let mut files = Vec::new();
        for binding in &module.bindings {
            let Bound::Import { module, name } = &binding.to else { continue };
            if is_known(module) {
                continue;
            }
            let Some(path) = self.path(id, module) else { continue };
            files.extend(candidates(&path));
            if let Some(path) = name.as_ref().and_then(|name| path.join(name).ok()) {
                files.extend(candidates(&path));
            }
        }
        self.files.ask_for(files);
    }

    /// Where a module would stand, without ending.
    fn path(&self, id: ModuleId, module: &ModuleName) -> Option<SourcePath> {
        let mut directory = SourcePath::root();
        if module.level > 0 {
            directory = self.files.file(id).directory();
            for _ in 1..module.level {
                if directory.as_str().is_empty() {
                    return None;
                }
                directory = directory.directory();
            }
        }
        directory.join(&module.parts.join("/")).ok()
    }

    /// The file of a module.
    pub(super) fn find(&mut self, id: ModuleId, module: &ModuleName) -> Entity {
        let outside = Entity::External(module.parts.join("."), None);
        match self.path(id, module) {
            None => outside,
            Some(path) => match self.at(&path) {
                Entity::Unknown if module.level == 0 => outside,
                found => found,
            },
        }
    }

    /// The module or directory of this path.
    fn at(&mut self, path: &SourcePath) -> Entity {
        for file in candidates(path) {
            match self.files.load(&file) {
                There::Module(id) => return Entity::Module(id),
                There::Unknown => return Entity::Pending,
                There::Nothing => {}
            }
        }
        match self.files.is_directory(path) {
            None => Entity::Pending,
            Some(true) => Entity::Directory(path.clone()),
            Some(false) => Entity::Unknown,
        }
    }

    /// The module `name` of a package.
    pub(super) fn submodule(&mut self, package: &SourcePath, name: &str) -> Entity {
        match package.join(name) {
            Ok(path) => self.at(&path),
            Err(_) => Entity::Unknown,
        }
    }
}

/// The files that a module may be: a package goes before a file of the same name, as in Python.
fn candidates(path: &SourcePath) -> Vec<SourcePath> {
    let package = path.join("__init__.py").ok();
    // The project's directory itself is no module.
    let file = SourcePath::new(&format!("{path}.py")).ok().filter(|_| !path.as_str().is_empty());
    [package, file].into_iter().flatten().collect()
}
