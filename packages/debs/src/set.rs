//! Many packages as one root, and what is made in it once all are there.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use cogpack_backends_contract::content::{Content, ContextFile, Stamp};
use cogpack_backends_contract::context_layers::ContextLayer;
use cogpack_backends_contract::tree::{Directory, Node, PathProblem, Tree, components};
use cogpack_ir::plan::context::LocalCertificate;
use cogpack_ir::plan::{FileContent, InputName};

use crate::alternatives::{self, Alternative};
use crate::diversions::diverted;
use crate::groups::{Group, groups};
use crate::package::{Hook, Package};
use crate::relations;
use crate::root::{Bytes, Packed, Placed, PlacedKind, Root, RootProblem};
use crate::scripts::{Effect, Known, UnknownScript, effects};
use crate::small::{Small, SmallProblem};
use crate::version::Version;
use crate::{base, certificates, image_loaders, ld_cache, written_out};

/// Packages that have been put beside each other.
#[derive(Debug, Clone)]
pub struct DebSet {
    root: Root,
    groups: Vec<Group>,
}

/// Why packages cannot be put beside each other.
#[derive(Debug, thiserror::Error)]
pub enum SetProblem {
    /// They bring the same, or what does not fit.
    #[error(transparent)]
    Root(#[from] RootProblem),
    /// Two versions of one package.
    #[error("`{one}` and `{other}` are of one package")]
    SamePackage {
        /// The first.
        one: String,
        /// The second.
        other: String,
    },
    /// One says that it cannot be beside the other.
    #[error("the package `{one}` says that it cannot be beside `{other}`")]
    Conflict {
        /// Who says it.
        one: String,
        /// Of whom.
        other: String,
    },
    /// What only a program of the packages can make something of.
    #[error("`/{path}` needs a program, `{program}`, to be run after it was installed, and nothing is run")]
    Program {
        /// The file.
        path: String,
        /// The program.
        program: &'static str,
    },
    /// What a script does, in a root where it cannot be done.
    #[error("the script of the package `{package}` cannot be done by us: {problem}")]
    Small {
        /// The package.
        package: String,
        /// What is in the way.
        problem: SmallProblem,
    },
    /// A file that something is made of.
    #[error("a file of the packages cannot be read: {0}")]
    Read(#[from] io::Error),
}

/// A script of a package that nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the package `{package}` has a script, `{}`, and {script}", hook.name())]
pub struct ScriptProblem {
    /// The package's file.
    pub package: String,
    /// When it would be run.
    pub hook: Hook,
    /// What is not known of it.
    pub script: UnknownScript,
}

/// Looks at the scripts of a package.
pub fn check_scripts(package: &Package) -> Vec<ScriptProblem> {
    let check = |(hook, text): (&Hook, &String)| {
        let script = effects(text).err()?;
        Some(ScriptProblem { package: package.name.to_string(), hook: *hook, script })
    };
    package.scripts.iter().filter_map(check).collect()
}

impl DebSet {
    /// Puts packages beside each other, which must be in the order of their names, and archives behind them.
    /// The system trusts
    /// `certificates` beside those of the packages.
    pub fn join(
        packages: &[Package],
        certificates: &BTreeMap<String, LocalCertificate>,
        architecture: &str,
        bytes: &dyn Bytes,
    ) -> Result<Self, SetProblem> {
        check_conflicts(packages)?;
        let packages = &*diverted(packages);
        let mut root = Root::join(packages)?;
        let mut known: Vec<Known> = Vec::new();
        let mut chosen: Vec<Alternative> = Vec::new();
        let mut small: Vec<(&Package, Small)> = Vec::new();
        let scripts =
            packages.iter().flat_map(|package| package.scripts.values().map(move |script| (package, script)));
        for (package, script) in scripts {
            for effect in effects(script).unwrap_or_default() {
                match effect {
                    Effect::Alternative(alternative) => chosen.push(alternative),
                    Effect::Text { path, text } if !root.has(&path) => root.make(&path, text),
                    Effect::Text { .. } => {}
                    // Done before they were joined.
                    Effect::Diversion(_) => {}
                    Effect::Small(one) => small.push((package, one)),
                    Effect::Known(Known::Procps) => chosen.extend(written_out::procps()),
                    Effect::Known(Known::Xz) => chosen.push(written_out::xz()),
                    Effect::Known(one) => known.push(one),
                }
            }
        }
        known.sort_unstable();
        known.dedup();
        check_programs(&root, &known)?;
        alternatives::make(&mut root, &chosen);
        for one in &known {
            base::make(&mut root, bytes, *one)?;
        }
        for (package, one) in small {
            one.make(&mut root, bytes).map_err(|problem| match problem {
                SmallProblem::Read(error) => SetProblem::Read(error),
                problem @ (SmallProblem::Accounts(_) | SmallProblem::Capability(_)) => {
                    SetProblem::Small { package: package.name.to_string(), problem }
                }
            })?;
        }
        if known.contains(&Known::ImageLoaders)
            && let Some(path) = image_loaders::make(&mut root, packages, bytes)?
        {
            return Err(SetProblem::Program { path, program: "gdk-pixbuf-query-loaders" });
        }
        if known.contains(&Known::Certificates) || !certificates.is_empty() {
            certificates::make(&mut root, bytes, certificates)?;
        }
        let libc = ["libc-bin", "libc6"]
            .iter()
            .find_map(|name| packages.iter().find(|package| package.name.package == *name));
        if let (Some(libc), Some(machine)) = (libc, ld_cache::machine(architecture)) {
            ld_cache::write(&mut root, bytes, machine, libc.control.get("Version").unwrap_or(""))?;
        }
        for package in packages.iter().filter(|package| !package.is_archive()) {
            let [entry, sums] = database_of(&package.name.package);
            let text = package.control_text.trim_end();
            root.make(&entry, format!("{text}\n"));
            root.make(&sums, package.sums.clone().unwrap_or_default());
        }
        let groups = groups(packages, &root);
        Ok(Self { root, groups })
    }

    /// The root, by path.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// The tree of the context `context`.
    pub fn tree(&self, context: &InputName) -> Result<Tree<Content>, PathProblem> {
        tree_of(context, &self.root.placed)
    }

    /// The layers that the context comes in. Each has what the whole has at its paths.
    pub fn layers(&self, context: &InputName) -> Result<Vec<ContextLayer>, PathProblem> {
        let layer = |group: &Group| {
            let placed = group.paths.iter().filter_map(|path| self.root.placed.get_key_value(path));
            Ok(ContextLayer { what: group.what.clone(), tree: tree_of(context, placed)? })
        };
        self.groups.iter().map(layer).collect()
    }

    /// Where the bytes of a file of the tree are; nothing for paths that no package brings.
    pub fn origin(&self, path: &[u8]) -> Option<&Packed> {
        match &self.root.placed.get(path)?.kind {
            PlacedKind::Packed(packed) => Some(packed),
            PlacedKind::Directory | PlacedKind::Made(_) | PlacedKind::Symlink(_) => None,
        }
    }
}

/// Where scanners look for a package, and for the sums of its files.
pub(crate) fn database_of(package: &str) -> [String; 2] {
    let entry = format!("var/lib/dpkg/status.d/{package}");
    let sums = format!("{entry}.md5sums");
    [entry, sums]
}

/// The tree of what stands at these paths, a directory before what is in it.
fn tree_of<'r>(
    context: &InputName,
    placed: impl IntoIterator<Item = (&'r Vec<u8>, &'r Placed)>,
) -> Result<Tree<Content>, PathProblem> {
    let mut tree = Tree::empty();
    for (path, placed) in placed {
        let attributes = placed.attributes;
        let node = match &placed.kind {
            PlacedKind::Directory => Node::Directory(Arc::new(Directory::new(attributes))),
            PlacedKind::Symlink(target) => {
                Node::Symlink { ids: attributes.ids, target: target.as_slice().into() }
            }
            PlacedKind::Made(bytes) => Node::File {
                attributes,
                content: Content::Inline(Arc::new(FileContent(bytes.clone().into()))),
            },
            PlacedKind::Packed(packed) => {
                let file = ContextFile {
                    context: context.clone(),
                    path: packed.first.clone(),
                    size: packed.size,
                    linked: packed.is_linked,
                    stamp: Stamp::Digest(packed.digest),
                };
                Node::File { attributes, content: Content::Context(file.into()) }
            }
        };
        tree.insert(&components(path), node)?;
    }
    Ok(tree)
}

/// Settings are compiled by a program; without any there is nothing to do.
fn check_programs(root: &Root, known: &[Known]) -> Result<(), SetProblem> {
    let is_setting = |path: &&str| path.contains("/glib-2.0/schemas/") && path.ends_with(".gschema.xml");
    let found = root.placed.keys().filter_map(|path| std::str::from_utf8(path).ok()).find(is_setting);
    match found.filter(|_| known.contains(&Known::Schemas)) {
        Some(path) => Err(SetProblem::Program { path: path.to_owned(), program: "glib-compile-schemas" }),
        None => Ok(()),
    }
}

fn check_conflicts(packages: &[Package]) -> Result<(), SetProblem> {
    let mut by_name: BTreeMap<&str, &Package> = BTreeMap::new();
    for package in packages {
        if let Some(there) = by_name.insert(&package.name.package, package) {
            let (one, other) = (there.name.to_string(), package.name.to_string());
            return Err(SetProblem::SamePackage { one, other });
        }
    }
    for package in packages {
        for field in ["Conflicts", "Breaks"] {
            for relation in relations::groups(package.control.get(field).unwrap_or("")).iter().flatten() {
                let Some(other) = by_name.get(&*relation.package) else { continue };
                let version = Version::new(other.control.get("Version").unwrap_or(""));
                if relation.allows(&version) && other.name != package.name {
                    let (one, other) = (package.name.to_string(), other.name.to_string());
                    return Err(SetProblem::Conflict { one, other });
                }
            }
        }
    }
    Ok(())
}
