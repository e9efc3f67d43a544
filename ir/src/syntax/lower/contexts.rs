//! Contexts of every kind, and lists of path rules.

use std::collections::BTreeMap;

use super::blocks::Said;
use super::values::{is_text, operands};
use super::{Lowering, Pair};
use crate::plan::context::{
    DebsContext, DirectoryContext, GitContext, HttpContext, InlineFile, LocalCertificate, LockedFile,
    OciContext, UnpackedArchive, WheelsContext,
};
use crate::plan::{Context, ContextKind, InputName, PathRule, PathRules, RuleKind, Span, Spanned};
use crate::syntax::comments::Anchor;
use crate::syntax::grammar::Rule;
use crate::syntax::kinds::Kind;

/// The block of a declaration or statement, where it has one.
pub(super) fn block_of<'t>(pair: &Pair<'t>) -> Option<Pair<'t>> {
    pair.clone().into_inner().find(is_block)
}

/// Whether a pair is a block, braces included.
pub(super) fn is_block(pair: &Pair<'_>) -> bool {
    matches!(
        pair.as_rule(),
        Rule::rules_block
            | Rule::http_block
            | Rule::git_block
            | Rule::oci_block
            | Rule::files_block
            | Rule::wheels_block
            | Rule::debs_block
            | Rule::locked_block
            | Rule::stage_block
            | Rule::layer_block
            | Rule::execution_block
            | Rule::export_block
    )
}

impl<'t> Lowering<'t> {
    pub(super) fn context(&mut self, pair: Pair<'t>) -> Option<(InputName, Context)> {
        let statement = self.span(&pair);
        let mut parts = operands(pair);
        let name: Option<Spanned<InputName>> = self.name(&parts.next()?);
        let kind = parts.next()?;
        let owner = name.as_ref().map_or(Span::NOWHERE, |name| name.span);
        let block = block_of(&kind);
        self.note(statement, block.as_ref().map(|block| self.span(block)), Anchor::of(owner));
        let rule = kind.as_rule();
        let first = operands(kind).next().filter(is_text);
        let kind = match rule {
            Rule::dir => {
                let path = self.spanned_string(&first?);
                ContextKind::Directory(DirectoryContext { path, rules: self.rules(block) })
            }
            Rule::http => {
                let url = self.spanned_string(&first?);
                ContextKind::Http(self.http(url, block, owner))
            }
            Rule::git => {
                let url = self.spanned_string(&first?);
                ContextKind::Git(self.git(url, block, owner))
            }
            Rule::oci => {
                let path = self.spanned_string(&first?);
                ContextKind::Oci(self.oci(path, block, owner))
            }
            Rule::files => ContextKind::Files(self.inline_files(block)),
            Rule::wheels => ContextKind::Wheels(self.wheels(block, owner)),
            _ => ContextKind::Debs(self.debs(block, owner)),
        };
        let name = name?;
        Some((name.value, Context { kind, span: name.span }))
    }

    /// `include` and `exclude` rules, in the order in which they stand.
    pub(super) fn rules(&mut self, block: Option<Pair<'t>>) -> PathRules {
        let mut rules = PathRules::new();
        let Some(block) = block else { return rules };
        self.statements(block, Kind::Rules, |lowering, statement| {
            let kind = match statement.as_rule() {
                Rule::include => RuleKind::Include,
                _ => RuleKind::Exclude,
            };
            let span = lowering.span(&statement);
            for (number, pattern) in operands(statement).enumerate() {
                let pattern = lowering.spanned_string(&pattern);
                // Each stands for a rule of its own; the word belongs to the first.
                let start = if number == 0 { span.start() } else { pattern.span.start() };
                lowering.note(Span::new(start, pattern.span.end()), None, Anchor::of(pattern.span));
                rules.push(PathRule { kind, pattern });
            }
        });
        rules
    }

    fn http(&mut self, url: Spanned<String>, block: Option<Pair<'t>>, owner: Span) -> HttpContext {
        let mut http = HttpContext { url, checksum: None, name: None, mode: None };
        self.settings(block, Kind::Http, owner, |lowering, rule, statement, value| match rule {
            Rule::checksum_setting => http.checksum = lowering.digest(&value),
            Rule::name_setting => http.name = Some(lowering.spanned_string(&value)),
            _ => http.mode = lowering.mode(statement).map(|mode| mode.value),
        });
        http
    }

    fn git(&mut self, url: Spanned<String>, block: Option<Pair<'t>>, owner: Span) -> GitContext {
        let mut git = GitContext { url, commit: None, subdir: None };
        self.settings(block, Kind::Git, owner, |lowering, rule, _, value| match rule {
            Rule::commit_setting => {
                git.commit = Some(Spanned::new(lowering.key(&value), lowering.span(&value)));
            }
            _ => git.subdir = Some(lowering.spanned_string(&value)),
        });
        git
    }

    fn oci(&mut self, path: Spanned<String>, block: Option<Pair<'t>>, owner: Span) -> OciContext {
        let mut oci = OciContext { path, digest: None, tag: None };
        self.settings(block, Kind::Oci, owner, |lowering, rule, statement, value| match rule {
            Rule::digest_setting => oci.digest = lowering.spanned_digest(statement),
            _ => oci.tag = Some(lowering.spanned_string(&value)),
        });
        oci
    }

    fn inline_files(&mut self, block: Option<Pair<'t>>) -> BTreeMap<String, InlineFile> {
        let mut files = BTreeMap::new();
        let mut said = Said::default();
        let Some(block) = block else { return files };
        self.statements(block, Kind::Files, |lowering, statement| {
            let at = lowering.span(&statement);
            let mut mode = None;
            let mut path = None;
            let mut content = None;
            for part in operands(statement) {
                match part.as_rule() {
                    Rule::mode_setting => mode = lowering.mode(part).map(|mode| mode.value),
                    _ if path.is_none() => path = Some(lowering.spanned_string(&part)),
                    _ => content = Some(lowering.content(&part)),
                }
            }
            let (Some(path), Some(content)) = (path, content) else { return };
            lowering.note(at, None, Anchor::of(path.span));
            if said.first("file", &path, path.span, &mut lowering.findings) {
                files.insert(path.value, InlineFile { mode, content, span: path.span });
            }
        });
        files
    }

    fn wheels(&mut self, block: Option<Pair<'t>>, owner: Span) -> WheelsContext {
        let mut wheels = WheelsContext { python: None, interpreter: None, wheels: BTreeMap::new() };
        let mut said = Said::default();
        self.settings(block, Kind::Wheels, owner, |lowering, rule, statement, value| match rule {
            Rule::python_setting => wheels.python = Some(lowering.spanned_string(&value)),
            Rule::interpreter_setting => wheels.interpreter = Some(lowering.spanned_string(&value)),
            _ => lowering.locked(statement, "wheel", &mut said, &mut wheels.wheels),
        });
        wheels
    }

    fn debs(&mut self, block: Option<Pair<'t>>, owner: Span) -> DebsContext {
        let mut debs = DebsContext {
            suite: None,
            packages: BTreeMap::new(),
            archives: BTreeMap::new(),
            certificates: BTreeMap::new(),
        };
        let mut said = Said::default();
        self.settings(block, Kind::Debs, owner, |lowering, rule, statement, value| match rule {
            Rule::suite_setting => debs.suite = Some(lowering.string(&value)),
            Rule::archive => lowering.archive(statement, &mut said, &mut debs.archives),
            Rule::certificate => lowering.certificate(statement, &mut said, &mut debs.certificates),
            _ => lowering.locked(statement, "deb", &mut said, &mut debs.packages),
        });
        debs
    }

    fn archive(
        &mut self,
        statement: Pair<'t>,
        said: &mut Said,
        archives: &mut BTreeMap<String, UnpackedArchive>,
    ) {
        let Some(place) = operands(statement.clone()).nth(1) else { return };
        let place = self.spanned_string(&place);
        let mut files = BTreeMap::new();
        self.locked(statement, "archive", said, &mut files);
        archives.extend(
            files.into_iter().map(|(name, file)| (name, UnpackedArchive { place: place.clone(), file })),
        );
    }

    fn certificate(
        &mut self,
        statement: Pair<'t>,
        said: &mut Said,
        certificates: &mut BTreeMap<String, LocalCertificate>,
    ) {
        let at = self.span(&statement);
        let mut parts = operands(statement);
        let (Some(name), Some(text)) = (parts.next(), parts.next()) else { return };
        let name = self.spanned_string(&name);
        let text = self.string(&text);
        self.note(at, None, Anchor::of(name.span));
        if said.first("certificate", &name, name.span, &mut self.findings) {
            certificates.insert(name.value, LocalCertificate { text, span: name.span });
        }
    }

    /// One file of a locked set.
    fn locked(
        &mut self,
        statement: Pair<'t>,
        word: &'static str,
        said: &mut Said,
        files: &mut BTreeMap<String, LockedFile>,
    ) {
        let at = self.span(&statement);
        let block = block_of(&statement);
        let Some(name) = operands(statement).next() else { return };
        let name = self.spanned_string(&name);
        self.note(at, block.as_ref().map(|block| self.span(block)), Anchor::of(name.span));
        let mut file = LockedFile { digest: None, url: None, span: name.span };
        self.settings(block, Kind::Locked, name.span, |lowering, rule, _, value| match rule {
            Rule::hash_setting => file.digest = lowering.digest(&value),
            _ => file.url = Some(lowering.spanned_string(&value)),
        });
        if said.first(word, &name, name.span, &mut self.findings) {
            files.insert(name.value, file);
        }
    }

    /// Calls `set` with each statement of a block and its first value. Statements that hold one
    /// value may be said once; those of locked files are told apart by `set`.
    fn settings(
        &mut self,
        block: Option<Pair<'t>>,
        kind: Kind,
        owner: Span,
        mut set: impl FnMut(&mut Self, Rule, Pair<'t>, Pair<'t>),
    ) {
        let Some(block) = block else { return };
        let mut said = Said::default();
        self.statements(block, kind, |lowering, statement| {
            let at = lowering.span(&statement);
            let rule = statement.as_rule();
            let Some(value) = operands(statement.clone()).next() else { return };
            let word = match rule {
                Rule::checksum_setting => "checksum",
                Rule::name_setting => "name",
                Rule::mode_setting => "mode",
                Rule::commit_setting => "commit",
                Rule::subdir_setting => "subdir",
                Rule::digest_setting => "digest",
                Rule::tag_setting => "tag",
                Rule::python_setting => "python",
                Rule::interpreter_setting => "interpreter",
                Rule::suite_setting => "suite",
                Rule::hash_setting => "hash",
                Rule::url_setting => "url",
                _ => return set(lowering, rule, statement, value),
            };
            lowering.note(at, None, Anchor::within(owner, word, ""));
            if said.first(word, "", at, &mut lowering.findings) {
                set(lowering, rule, statement, value);
            }
        });
    }
}
