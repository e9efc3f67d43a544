//! What lies beside a Dockerfile, gathered from the contexts.

use std::collections::BTreeMap;
use std::sync::Arc;

use cogpack_backends_contract::content::Content;
use cogpack_backends_contract::copy;
use cogpack_backends_contract::tree::{Attributes, Directory as TreeDirectory, Ids, Node, Tree};
use cogpack_backends_dockerfile::{Artifact, Beside, Never};
use cogpack_backends_oci_direct::inputs::inline_tree;
use cogpack_ir::plan::{Context, ContextKind, Copy, InputName, Span};
use cogpack_ir::resolve::Resolved;
use miette::{Diagnostic, LabeledSpan, SourceSpan};

use super::foreseen::{foreseen, is_link};
use super::standings::SET_IDS;
use crate::contexts::{self, ContextContents, Walked};
use crate::emit::Refusals;
use crate::failure::Failure;
use crate::plan_file::PlanFile;

/// What lies beside a Dockerfile, read from the contexts.
pub struct Gathered {
    /// By path relative to the Dockerfile.
    pub trees: BTreeMap<String, Tree<Content>>,
    /// What becomes an archive, likewise.
    pub archives: BTreeMap<String, Tree<Content>>,
    /// Where the bytes are.
    pub files: ContextContents,
}

/// The code of what a context holds that a Dockerfile would take in another way.
pub const GATHERED: &str = "cpk::unsupported::gathered";

/// Something in a context that a Dockerfile would take in another way than the plan means.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct Differs {
    pub code: &'static str,
    pub what: String,
    pub help: String,
    pub span: Span,
}

impl Diagnostic for Differs {
    fn code<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        Some(Box::new(self.code))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        Some(Box::new(&self.help))
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.span.range()?;
        let label = LabeledSpan::new_with_span(Some("of this".to_owned()), SourceSpan::from(self.span));
        Some(Box::new(std::iter::once(label)))
    }
}

/// Reads the contexts and makes of them what lies beside the Dockerfile. Those that are read where
/// they are are looked at too: what `COPY` would take in another way is refused. `installed` are the
/// contexts that are sets of packages.
pub fn gather(
    artifact: &Artifact,
    plan: &Resolved,
    file: &PlanFile,
    installed: Walked,
) -> Result<Result<Gathered, Refusals>, Failure> {
    let named = artifact.beside.values().filter_map(|beside| match beside {
        Beside::Context { name, .. } | Beside::Archive { name, .. } => Some(name),
        Beside::Copied { context, .. } => Some(context),
        Beside::File { .. } | Beside::Directory { .. } | Beside::Symlink { .. } => None,
    });
    let used: BTreeMap<&InputName, &Context> = named
        .chain(artifact.read.keys())
        .filter_map(|name| plan.plan().contexts.get_key_value(name))
        .collect();
    let mut walked =
        contexts::walk_all(used.iter().map(|(name, context)| (*name, *context)), file, &BTreeMap::new())?;
    walked.trees.extend(installed.trees);
    walked.files.packages = installed.files.packages;
    for (name, context) in used {
        if let ContextKind::Files(files) = &context.kind {
            let tree = inline_tree(files).map_err(|error| Failure::of(&error))?;
            walked.trees.insert(name.clone(), tree);
        }
    }
    let mut refusals: Refusals = Vec::new();
    for (name, read) in &artifact.read {
        if let Err(differs) = check_links(name, &read.never_links, &walked) {
            refusals.push(Box::new(differs));
        }
    }
    let (mut trees, mut archives) = (BTreeMap::new(), BTreeMap::new());
    for (path, beside) in &artifact.beside {
        let among = if let Beside::Archive { .. } = beside { &mut archives } else { &mut trees };
        match tree_of(beside, &walked) {
            Ok(tree) => {
                among.insert(path.clone(), tree);
            }
            Err(differs) => refusals.push(Box::new(differs)),
        }
    }
    refusals.extend(without_programs(artifact, &walked));
    let lost = |node: &Node<Content>| match node {
        Node::File { .. } => !artifact.keeps_set_ids,
        Node::Directory(_) => !artifact.keeps_set_ids_of_directories,
        Node::Symlink { .. } | Node::Special { .. } => false,
    };
    if !artifact.keeps_set_ids || !artifact.keeps_set_ids_of_directories {
        for (name, read) in &artifact.read {
            let Some(tree) = walked.trees.get(name) else { continue };
            read.paths.iter().for_each(|(path, span)| refusals.extend(with_set_ids(tree, path, *span, lost)));
        }
        for (path, tree) in trees.iter().chain(&archives) {
            for (path, span) in artifact.beside.get(path).iter().flat_map(|beside| beside.copied()) {
                refusals.extend(with_set_ids(tree, path, span, lost));
            }
        }
    }
    for differs in foreseen(plan, &walked.trees, artifact.follows_links) {
        refusals.push(Box::new(differs));
    }
    Ok(if refusals.is_empty() {
        Ok(Gathered { trees, archives, files: walked.files })
    } else {
        Err(refusals)
    })
}

/// Refuses instructions that run programs which the packages of their base do not have.
fn without_programs(artifact: &Artifact, walked: &Walked) -> Refusals {
    let mut refusals: Refusals = Vec::new();
    for (name, needed) in &artifact.needed {
        let Some(tree) = walked.trees.get(name) else { continue };
        for (program, span) in needed {
            let found = tree.resolve(program.as_bytes(), true);
            if found.is_ok_and(|at| matches!(tree.get(&at), Some(Node::File { .. }))) {
                continue;
            }
            refusals.push(Box::new(Differs {
                code: "cpk::unsupported::program",
                what: format!(
                    "the `dockerfile` backend cannot express this: it needs `{program}`, which no package of \
                     `{name}` has"
                ),
                help: "add the package that has it to the set, or emit another format: `-o llb`, `-o oci`"
                    .to_owned(),
                span: *span,
            }));
        }
    }
    refusals
}

/// Refuses files and directories at or below a path that a builder would make without their setuid
/// or setgid; `span` is what copies them.
fn with_set_ids(
    tree: &Tree<Content>,
    path: &str,
    span: Span,
    lost: impl Fn(&Node<Content>) -> bool,
) -> Refusals {
    let mut refusals: Refusals = Vec::new();
    let mut waiting: Vec<(String, Node<Content>)> = Vec::new();
    // What cannot be followed is refused where it is copied.
    let Ok(parts) = tree.resolve(path.as_bytes(), true) else { return refusals };
    match (parts.is_empty(), tree.get(&parts)) {
        (true, _) => {
            let children = tree.root().children.iter();
            waiting.extend(
                children.map(|entry| (String::from_utf8_lossy(entry.name()).into_owned(), entry.clone())),
            );
        }
        (false, Some(node)) => waiting.push((path.to_owned(), node)),
        (false, None) => {}
    }
    while let Some((path, node)) = waiting.pop() {
        let mode = match &node {
            Node::File { attributes, .. } => attributes.mode,
            Node::Directory(directory) => {
                let below = directory.children.iter();
                waiting.extend(below.map(|entry| {
                    (format!("{path}/{}", String::from_utf8_lossy(entry.name())), entry.clone())
                }));
                directory.attributes.mode
            }
            Node::Symlink { .. } | Node::Special { .. } => continue,
        };
        if mode.bits() & SET_IDS != 0 && lost(&node) {
            refusals.push(Box::new(Differs {
                code: GATHERED,
                what: format!("`{path}` has mode {mode}: this builder takes setuid and setgid off"),
                help: "take them off there, and set them with `chmod` in a `run`; or choose `--dialect \
                       buildkit`"
                    .to_owned(),
                span,
            }));
        }
    }
    refusals
}

/// Refuses links that `COPY` would follow.
fn check_links(
    name: &InputName,
    never_links: &BTreeMap<String, Span>,
    walked: &Walked,
) -> Result<(), Differs> {
    let Some(tree) = walked.trees.get(name) else { return Ok(()) };
    for (path, span) in never_links {
        if is_link(tree, path) {
            return Err(Differs {
                code: GATHERED,
                what: format!("`{path}` of `{name}` is a link: `COPY` follows it, the plan keeps it"),
                help: "write `follow`, or copy the directory that it is in".to_owned(),
                span: *span,
            });
        }
    }
    Ok(())
}

fn tree_of(beside: &Beside, walked: &Walked) -> Result<Tree<Content>, Differs> {
    let nothing = Tree::empty();
    match beside {
        Beside::Context { name, taken } | Beside::Archive { name, taken } => {
            check_links(name, &taken.never_links, walked)?;
            Ok(walked.trees.get(name).unwrap_or(&nothing).clone())
        }
        Beside::Copied { context, copy, whole, never } => {
            let span = copy.from.span;
            let source = walked.trees.get(context).unwrap_or(&nothing);
            let made = |copy: &Copy| {
                let mut result = Tree::empty();
                copy::apply(copy, Ids::ROOT, source, &mut result).map(|()| result).map_err(|problem| {
                    Differs {
                        code: GATHERED,
                        what: problem.to_string(),
                        help:
                            "look at what is in the context: `include`, `exclude` and the ignore file decide"
                                .to_owned(),
                        span,
                    }
                })
            };
            if let Some(whole) = whole {
                made(whole)?;
            }
            let result = made(copy)?;
            check_top(&result, *never, span)?;
            Ok(result)
        }
        Beside::File { name, mode, content, .. } => {
            let attributes = Attributes { mode: *mode, ids: Ids::ROOT };
            Ok(one(name, Node::File { attributes, content: Content::Inline(content.clone().into()) }))
        }
        Beside::Directory { name, mode, .. } => {
            let attributes = Attributes { mode: *mode, ids: Ids::ROOT };
            Ok(one(name, Node::Directory(Arc::new(TreeDirectory::new(attributes)))))
        }
        Beside::Symlink { name, target, .. } => {
            Ok(one(name, Node::Symlink { ids: Ids::ROOT, target: target.as_bytes().into() }))
        }
    }
}

/// A tree with one entry.
fn one(name: &str, node: Node<Content>) -> Tree<Content> {
    let mut tree = Tree::empty();
    // A single name in an empty root has nothing in its way.
    let _ = tree.insert(&[name.as_bytes().to_vec()], node);
    tree
}

fn check_top(tree: &Tree<Content>, never: Never, span: Span) -> Result<(), Differs> {
    for entry in &tree.root().children {
        let (name, node) = entry.parts();
        let name = String::from_utf8_lossy(name);
        let (what, help) = match (never, node) {
            (Never::LinkAtTop, Node::Symlink { .. }) => (
                format!("`{name}` is a link: `COPY` follows it, the plan keeps it"),
                "write `follow`, or copy the directory that it is in",
            ),
            (Never::DirectoryAtTop, Node::Directory(_)) => (
                format!("`{name}` is a directory: `COPY` would change the mode of one that is there"),
                "copy it with `to` and the whole destination",
            ),
            (Never::Nothing | Never::LinkAtTop | Never::DirectoryAtTop, _) => continue,
        };
        return Err(Differs { code: GATHERED, what, help: help.to_owned(), span });
    }
    Ok(())
}
