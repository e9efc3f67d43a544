//! What a stage may do to its filesystem, or to the image it becomes.

use super::copy::Copy;
use super::execution::Execution;
use super::file_ops::{MakeDirectory, MakeFile, MakeSymlink, Remove};
use super::names::{BlockName, EnvName, LayerName};
use super::span::{Span, Spanned};
use super::template::Template;

/// One op and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Op {
    /// What it does.
    pub kind: OpKind,
    /// The whole statement.
    pub span: Span,
}

/// The ops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpKind {
    /// `run "script"`: the stage's shell gets the string as it stands, as one script.
    Run {
        /// What the shell gets; nothing in it is expanded by us.
        script: Spanned<String>,
        /// Mounts and settings.
        execution: Box<Execution>,
    },
    /// `exec ["program", "argument"]`: runs the program, no shell.
    Exec {
        /// The program and its arguments; nothing in them is expanded by us.
        argv: Spanned<Vec<String>>,
        /// Mounts and settings.
        execution: Box<Execution>,
    },
    /// `copy …`
    Copy(Box<Copy>),
    /// `file …`
    File(Box<MakeFile>),
    /// `mkdir …`
    Mkdir(Box<MakeDirectory>),
    /// `symlink …`
    Symlink(Box<MakeSymlink>),
    /// `remove …`
    Remove(Remove),
    /// `env …` and `unset …`
    Env(EnvChange),
    /// `workdir "/src"`: for the ops after it, and for stages that start from this one. Where
    /// the directory is missing it is made, 0755 and owned by root, so that a program can always
    /// be started in it.
    Workdir(Spanned<Template>),
    /// `user "app:app"`: likewise.
    User(Spanned<Template>),
    /// `shell ["/bin/bash", "-c"]`: likewise; the script becomes the last argument.
    Shell(Spanned<Vec<String>>),
    /// `layer NAME { … }`: the filesystem changes inside make one layer. Layers do not nest.
    Layer(Layer),
    /// `by BLOCK at FILE:LINE`: who asked for what follows in this block; no effect on the result.
    By(Provenance),
}

/// A change of one variable, for the ops after it, for stages that start from this one, and for
/// the exported image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvChange {
    /// The variable.
    pub name: Spanned<EnvName>,
    /// What happens to it.
    pub edit: EnvEdit,
}

/// What happens to a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvEdit {
    /// `env K = "v"`
    Set(Spanned<Template>),
    /// `env prepend K "v"`: `v:old`, or `v` where K is undefined or empty.
    Prepend(Spanned<Template>),
    /// `env append K "v"`: `old:v`, or `v` where K is undefined or empty.
    Append(Spanned<Template>),
    /// `unset K`: K is undefined afterwards; that it was so before is fine.
    Unset,
}

/// Ops whose filesystem changes make one layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Its name; unique in its stage.
    pub name: Spanned<LayerName>,
    /// The ops.
    pub ops: Vec<Op>,
}

/// Who asked for something: a front end's block, and the line that made it do so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Provenance {
    /// The block.
    pub block: Spanned<BlockName>,
    /// A file of the project, and a line of it, counted from 1.
    pub at: Option<(String, u32)>,
}
