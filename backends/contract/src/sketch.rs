//! Trees as one line of text, and plans that are resolved at once, for tests.
//!
//! `dir/`, `file=content`, `link->target`, separated by spaces; parents are made. An entry may
//! end in `:MODE` and then `@UID:GID`; 0755 for directories, 0644 for files and root are left
//! out. [`drawn`] gives the whole tree in the same form, sorted.

use std::sync::Arc;

use cogpack_ir::plan::Mode;
use cogpack_ir::resolve::{KnownConfigs, Resolved, resolve};
use cogpack_ir::syntax::parse;
use cogpack_ir::verify::verify;

use crate::tree::{Attributes, Directory, Ids, Name, Node, Tree, components};

/// Reads and resolves a plan.
pub fn resolved(text: &str) -> Resolved {
    let parsed = parse(text);
    assert!(parsed.findings.is_empty(), "{:?}", parsed.findings);
    let verified = verify(parsed.plan).unwrap_or_else(|findings| panic!("{findings:?}"));
    resolve(verified, &KnownConfigs::new()).unwrap_or_else(|findings| panic!("{findings:?}"))
}

/// Reads a tree.
pub fn sketch(text: &str) -> Tree<String> {
    let mut tree = Tree::empty();
    for entry in text.split_whitespace() {
        let (entry, ids) = match entry.split_once('@') {
            Some((entry, ids)) => (entry, parse_ids(ids)),
            None => (entry, Ids::ROOT),
        };
        let (entry, mode) = match entry.rsplit_once(':') {
            Some((entry, mode)) => (entry, Some(mode.parse::<Mode>().expect("the sketch has a mode"))),
            None => (entry, None),
        };
        let (path, node) = if let Some((path, target)) = entry.split_once("->") {
            (path, Node::Symlink { ids, target: target.as_bytes().into() })
        } else if let Some((path, content)) = entry.split_once('=') {
            let attributes = Attributes { mode: mode.unwrap_or(Mode::FILE), ids };
            (path, Node::File { attributes, content: content.to_owned() })
        } else {
            let attributes = Attributes { mode: mode.unwrap_or(Mode::DIRECTORY), ids };
            (entry, Node::Directory(Arc::new(Directory::new(attributes))))
        };
        let path = components(path.as_bytes());
        tree.make_directories(&path[..path.len() - 1], Attributes::ON_THE_WAY).expect("the sketch is sound");
        tree.insert(&path, node).expect("the sketch is sound");
    }
    tree
}

/// Draws a tree.
pub fn drawn(tree: &Tree<String>) -> String {
    let entries: Vec<String> =
        tree.walk().into_iter().map(|(path, node)| drawn_entry(&path, &node)).collect();
    entries.join(" ")
}

fn drawn_entry(path: &[Name], node: &Node<String>) -> String {
    let path = crate::tree::text(path)[1..].to_owned();
    let with = |shown: String, attributes: &Attributes, usual: Mode| {
        let mode = if attributes.mode == usual { String::new() } else { format!(":{}", attributes.mode) };
        format!("{shown}{mode}{}", drawn_ids(attributes.ids))
    };
    match node {
        Node::Directory(it) => with(format!("{path}/"), &it.attributes, Mode::DIRECTORY),
        Node::File { attributes, content } => with(format!("{path}={content}"), attributes, Mode::FILE),
        Node::Symlink { ids, target } => {
            format!("{path}->{}{}", String::from_utf8_lossy(target), drawn_ids(*ids))
        }
        Node::Special { attributes, kind } => with(format!("{path}={kind:?}"), attributes, Mode::FILE),
    }
}

fn drawn_ids(ids: Ids) -> String {
    if ids == Ids::ROOT { String::new() } else { format!("@{}:{}", ids.user, ids.group) }
}

fn parse_ids(text: &str) -> Ids {
    let (user, group) = text.split_once(':').expect("the sketch has an owner");
    let number = |text: &str| text.parse().expect("the sketch has numbers");
    Ids { user: number(user), group: number(group) }
}
