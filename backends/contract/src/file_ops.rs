//! What `file`, `mkdir`, `symlink`, `remove` and `workdir` do to a filesystem.
//!
//! | case | what happens |
//! |---|---|
//! | directories on the way | links are followed; missing ones are made 0755, root |
//! | `file` or `symlink` where a file or link is | it is replaced, a link and not what it points to |
//! | `file` or `symlink` where a directory is | error |
//! | `mkdir` where a directory is, or a link to one | it stays, and takes the mode and owner that are said |
//! | `mkdir` where something else is | error |
//! | `remove` | a link at the path is removed, not what it points to; `/` is refused |
//! | `remove` of what is missing | error, unless `optional` |
//! | `workdir` of a directory that is missing | it is made 0755, root, as by `mkdir` |
//! | `workdir` where something else is | error |

use std::borrow::Cow;
use std::sync::Arc;

use cogpack_ir::plan::{MakeDirectory, MakeFile, MakeSymlink, Mode, Remove, Template};

use crate::tree::{Attributes, Directory, Ids, Name, Node, PathProblem, Tree, text};

/// Why an op cannot be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileProblem {
    /// A file or link where a directory is.
    #[error("`{0}` is a directory, which only `remove` takes away")]
    IsDirectory(String),
    /// A directory where something else is.
    #[error("`{0}` is there and is not a directory")]
    IsNotDirectory(String),
    /// `remove` of what is not there.
    #[error("`{0}` is not there to be removed")]
    Missing(String),
    /// A path cannot be walked.
    #[error(transparent)]
    Path(#[from] PathProblem),
    /// A path leans on a variable of a base whose config is not known.
    #[error("`{0}` leans on a variable that is not known")]
    OpenPath(String),
}

/// `file`. The bytes are the caller's, because only it knows how its content type holds them.
pub fn make_file<C: Clone>(
    file: &MakeFile,
    owner: Ids,
    content: C,
    tree: &mut Tree<C>,
) -> Result<(), FileProblem> {
    let mode = file.mode.as_ref().map_or(Mode::FILE, |mode| mode.value);
    put(&file.path, Node::File { attributes: Attributes { mode, ids: owner }, content }, tree)
}

/// `symlink`
pub fn make_symlink<C: Clone>(link: &MakeSymlink, tree: &mut Tree<C>) -> Result<(), FileProblem> {
    let target = literal(&link.target)?.as_bytes().to_vec();
    put(&link.path, Node::Symlink { ids: Ids::ROOT, target: target.into() }, tree)
}

/// `mkdir`; `owner` is the op's own by number, where it says one.
pub fn make_directory<C: Clone>(
    directory: &MakeDirectory,
    owner: Option<Ids>,
    tree: &mut Tree<C>,
) -> Result<(), FileProblem> {
    let at = tree.resolve(literal(&directory.path)?.as_bytes(), true)?;
    make_above(&at, tree)?;
    let mode = directory.mode.as_ref().map(|mode| mode.value);
    match (tree.get(&at).is_some(), tree.directory_mut(&at)) {
        (_, Some(there)) => {
            there.attributes.mode = mode.unwrap_or(there.attributes.mode);
            there.attributes.ids = owner.unwrap_or(there.attributes.ids);
        }
        (true, None) => return Err(FileProblem::IsNotDirectory(text(&at))),
        (false, None) => {
            let mode = mode.unwrap_or(Mode::DIRECTORY);
            let made = Directory::new(Attributes { mode, ids: owner.unwrap_or(Ids::ROOT) });
            tree.insert(&at, Node::Directory(Arc::new(made)))?;
        }
    }
    Ok(())
}

/// `workdir`
pub fn make_working_directory<C: Clone>(path: &str, tree: &mut Tree<C>) -> Result<(), FileProblem> {
    let at = tree.resolve(path.as_bytes(), true)?;
    tree.make_directories(&at, Attributes::ON_THE_WAY)?;
    Ok(())
}

/// `remove`
pub fn remove<C: Clone>(removed: &Remove, tree: &mut Tree<C>) -> Result<(), FileProblem> {
    let at = tree.resolve(literal(&removed.path)?.as_bytes(), false)?;
    match tree.remove(&at)? {
        Some(_) => Ok(()),
        None if removed.optional => Ok(()),
        None => Err(FileProblem::Missing(text(&at))),
    }
}

fn put<C: Clone>(path: &Template, node: Node<C>, tree: &mut Tree<C>) -> Result<(), FileProblem> {
    let at = tree.resolve(literal(path)?.as_bytes(), false)?;
    if tree.directory(&at).is_some() {
        return Err(FileProblem::IsDirectory(text(&at)));
    }
    make_above(&at, tree)?;
    tree.insert(&at, node)?;
    Ok(())
}

fn make_above<C: Clone>(at: &[Name], tree: &mut Tree<C>) -> Result<(), PathProblem> {
    let above = at.split_last().map_or(&[][..], |(_, above)| above);
    tree.make_directories(above, Attributes::ON_THE_WAY)
}

fn literal(template: &Template) -> Result<Cow<'_, str>, FileProblem> {
    template.as_literal().ok_or_else(|| FileProblem::OpenPath(template.as_written().to_owned()))
}

#[cfg(test)]
mod tests {
    use cogpack_ir::plan::{FileContent, Spanned};

    use super::*;
    use crate::sketch::{drawn, sketch};

    fn path(text: &str) -> Spanned<Template> {
        Spanned::nowhere(Template::literal(text))
    }

    /// Does the op that `words` say, in the words of the language.
    fn after(before: &str, words: &str) -> String {
        let mut tree = sketch(before);
        let words: Vec<&str> = words.split(' ').collect();
        let mode = words.get(2).map(|mode| Spanned::nowhere(mode.parse().expect("is a mode")));
        let result = match words[..] {
            ["file", at, ..] => {
                let content = FileContent(Arc::from(&b""[..]));
                let file = MakeFile { path: path(at), mode, owner: None, content };
                make_file(&file, Ids::ROOT, "new".to_owned(), &mut tree)
            }
            ["mkdir", at, ..] => {
                let directory = MakeDirectory { path: path(at), mode, owner: None };
                make_directory(&directory, None, &mut tree)
            }
            ["symlink", at] => make_symlink(&MakeSymlink { target: path("to"), path: path(at) }, &mut tree),
            ["remove", at] => remove(&Remove { path: path(at), optional: false }, &mut tree),
            ["remove?", at] => remove(&Remove { path: path(at), optional: true }, &mut tree),
            ["workdir", at] => make_working_directory(at, &mut tree),
            _ => panic!("no such op: {words:?}"),
        };
        match result {
            Ok(()) => drawn(&tree),
            Err(problem) => problem.to_string(),
        }
    }

    #[test]
    fn ops_do_what_the_table_says() {
        for (before, op, expected) in [
            ("", "file /a/b", "a/ a/b=new"),
            ("a=1:0700", "file /a", "a=new"),
            ("a=1", "file /a 0600", "a=new:0600"),
            ("a->b b=1", "file /a", "a=new b=1"),
            ("d/ l->d", "file /l/a", "d/ d/a=new l->d"),
            ("a/", "file /a", "`/a` is a directory, which only `remove` takes away"),
            ("", "file /", "`/` is a directory, which only `remove` takes away"),
            ("a=1", "file /a/b", "`/a` is not a directory"),
            ("", "symlink /a/b", "a/ a/b->to"),
            ("a=1", "symlink /a", "a->to"),
            ("a/", "symlink /a", "`/a` is a directory, which only `remove` takes away"),
            ("", "mkdir /a/b 0700", "a/ a/b/:0700"),
            ("a/:0700 a/x=1", "mkdir /a", "a/:0700 a/x=1"),
            ("a/:0700 a/x=1", "mkdir /a 0711", "a/:0711 a/x=1"),
            ("d/ l->d", "mkdir /l 0711", "d/:0711 l->d"),
            ("d/ l->d", "mkdir /l/x", "d/ d/x/ l->d"),
            ("a=1", "mkdir /a", "`/a` is there and is not a directory"),
            ("a/b=1 c=1", "remove /a", "c=1"),
            ("d/ l->d", "remove /l", "d/"),
            ("d/x=1 l->d", "remove /l/x", "d/ l->d"),
            ("", "remove /a", "`/a` is not there to be removed"),
            ("a=1", "remove? /b", "a=1"),
            ("", "remove? /", "`/` cannot be replaced or removed"),
            ("", "workdir /a/b", "a/ a/b/"),
            ("a/:0700", "workdir /a/b", "a/:0700 a/b/"),
            ("a=1", "workdir /a", "`/a` is not a directory"),
        ] {
            assert_eq!(after(before, op), expected, "{op} on `{before}`");
        }
    }
}
