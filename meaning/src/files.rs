//! What `file`, `mkdir`, `symlink`, `remove` and `workdir` mean.

use cogpack_backends_contract::tree::Ids;
use cogpack_ir::plan::{MakeDirectory, MakeFile, MakeSymlink, Mode, Remove};

use crate::filesystem::{Failure, Filesystem, Node, shown};
use crate::text::literal;

/// `file`
pub fn make_file(op: &MakeFile, owner: Option<Ids>, on: &mut Filesystem) -> Result<(), Failure> {
    let mode = op.mode.as_ref().map_or(Mode::FILE, |mode| mode.value);
    put(&literal(&op.path)?, Node::File(mode, owner.unwrap_or(Ids::ROOT), op.content.0.to_vec()), on)
}

/// `symlink`
pub fn make_symlink(op: &MakeSymlink, on: &mut Filesystem) -> Result<(), Failure> {
    let target = literal(&op.target)?;
    put(&literal(&op.path)?, Node::Symlink(Ids::ROOT, target.into_bytes()), on)
}

/// A file or a link takes the place of a file or a link, and of nothing else.
fn put(path: &str, node: Node, on: &mut Filesystem) -> Result<(), Failure> {
    let path = on.resolve(path.as_bytes(), false)?;
    if on.has_directory(&path) {
        return Err(Failure(format!("{} is a directory", shown(&path))));
    }
    on.make_way_to(&path)?;
    on.put(&path, node);
    Ok(())
}

/// `mkdir`
pub fn make_directory(op: &MakeDirectory, owner: Option<Ids>, on: &mut Filesystem) -> Result<(), Failure> {
    let path = on.resolve(literal(&op.path)?.as_bytes(), true)?;
    let said = op.mode.as_ref().map(|mode| mode.value);
    let (mode, ids) = match on.get(&path) {
        Some(Node::Directory(mode, ids)) => (*mode, *ids),
        Some(Node::File(..) | Node::Symlink(..)) => {
            return Err(Failure(format!("{} is there and is not a directory", shown(&path))));
        }
        None => (Mode::DIRECTORY, Ids::ROOT),
    };
    on.make_way_to(&path)?;
    on.put(&path, Node::Directory(said.unwrap_or(mode), owner.unwrap_or(ids)));
    Ok(())
}

/// `remove`
pub fn remove(op: &Remove, on: &mut Filesystem) -> Result<(), Failure> {
    let path = on.resolve(literal(&op.path)?.as_bytes(), false)?;
    if path.is_empty() {
        return Err(Failure("/ cannot be removed".to_owned()));
    }
    if on.get(&path).is_none() && !op.optional {
        return Err(Failure(format!("{} is not there to be removed", shown(&path))));
    }
    on.remove(&path);
    Ok(())
}

/// `workdir`, and the directory that a program is started in.
pub fn make_working_directory(path: &str, on: &mut Filesystem) -> Result<(), Failure> {
    let path = on.resolve(path.as_bytes(), true)?;
    on.make_directories(&path, &Node::DIRECTORY)
}
