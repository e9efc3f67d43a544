//! The project's own files.

use cogpack_ir::plan::context::DirectoryContext;
use cogpack_ir::plan::{Context, ContextKind, PathRule, RuleKind, Span, Spanned};

use super::{PROJECT, PythonFacts, copy_all, workdir};
use crate::composer::{Desk, StageParts};
use crate::stacks::block::{Block, Detected};

/// Copies the project, last of all that is large: it changes most often.
pub(super) struct SourceCopy;

/// What of a project's directory is in no image; its own ignore file says more.
const LEFT_OUT: [&str; 5] = ["**/.git", "**/.mypy_cache", "**/.pytest_cache", "**/.venv", "**/__pycache__"];

impl Block<PythonFacts> for SourceCopy {
    fn name(&self) -> &'static str {
        "source"
    }

    fn provides(&self) -> &'static [&'static str] {
        &["source"]
    }

    fn requires(&self) -> &'static [&'static str] {
        &["base"]
    }

    fn after(&self) -> &'static [&'static str] {
        &["built-packages", "commands", "installed-project", "packages", "post-install", "schema"]
    }

    fn detect(&self, _: &PythonFacts) -> Detected {
        Detected::Yes(Vec::new())
    }

    fn plan(&self, _: &PythonFacts, desk: &mut Desk<'_>) {
        project_files(desk);
        let ops = vec![(copy_all("source", PROJECT), None), (workdir(PROJECT), None)];
        desk.stage("export.app", "source", StageParts { ops, ..StageParts::default() });
    }
}

/// Declares the context `@source`: the project's directory.
pub(super) fn project_files(desk: &mut Desk<'_>) {
    let rule =
        |pattern: &str| PathRule { kind: RuleKind::Exclude, pattern: Spanned::nowhere(pattern.to_owned()) };
    let kind = ContextKind::Directory(DirectoryContext {
        path: Spanned::nowhere(".".to_owned()),
        rules: LEFT_OUT.into_iter().map(rule).collect(),
    });
    desk.context("source", Context { kind, span: Span::NOWHERE });
}
