//! Parsing: from a text to one plan, with its comments and all that is wrong with it.

use std::collections::BTreeMap;

use super::comments::{self, Comments};
use super::findings::SyntaxFinding;
use super::lower::Declaration;
use super::read::read_declarations;
use super::report::Report;
use super::scan;
use crate::finding::Finding;
use crate::json;
use crate::plan::{Plan, SecretDeclaration, Span, order};

/// What a text says.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// All that could be read. Where `findings` is not empty, this is good for finding more
    /// mistakes and for nothing else.
    pub plan: Plan,
    /// The comments, for [`format`](super::format).
    pub comments: Comments,
    /// What is wrong, in the order of the text.
    pub findings: Vec<Finding>,
}

/// Reads the text of a plan. Its time and memory grow with the text's length and no faster,
/// whatever the text holds.
pub fn parse(text: &str) -> Parsed {
    if json::is_meant(text) {
        let at = text.find(['{', '[']).unwrap_or_default();
        return refused(SyntaxFinding::Json { at: Span::new(at, at + 1).into() });
    }
    let scan = match scan::scan(text) {
        Ok(scan) => scan,
        Err(finding) => return refused(finding),
    };
    let begins_at = scan.pieces.first().map_or(0, |piece| piece.start);
    let read = read_declarations(text, &scan);
    let mut assembly = Assembly { plan: Plan::empty(), findings: scan.findings, platforms_said: false };
    if let Some(version) = assembly.check_header(text, begins_at, &read.declarations) {
        return refused(version);
    }
    // Most of a large plan is stages, so that this is about how many there are.
    assembly.plan.stages.reserve(read.declarations.len());
    for declaration in read.declarations {
        assembly.add(declaration);
    }
    let Assembly { mut plan, mut findings, .. } = assembly;
    order::canonicalise(&mut plan);
    findings.append(read.findings);
    let comments = comments::attach(text, &scan.comments, read.places);
    Parsed { plan, comments, findings: findings.finish() }
}

fn refused(finding: SyntaxFinding) -> Parsed {
    Parsed { plan: Plan::empty(), comments: Comments::default(), findings: vec![Finding::Syntax(finding)] }
}

struct Assembly {
    plan: Plan,
    findings: Report,
    platforms_said: bool,
}

impl Assembly {
    /// Checks that the text begins with `cpk 1`; returns the finding that forbids to read on.
    fn check_header(
        &mut self,
        text: &str,
        begins_at: usize,
        declarations: &[Declaration],
    ) -> Option<SyntaxFinding> {
        let mut headers = declarations.iter().filter_map(Declaration::header);
        let Some((statement, version)) = headers.next() else {
            let is_broken_header = text[begins_at..].starts_with("cpk");
            if !is_broken_header {
                let length = text[begins_at..].find(char::is_whitespace).unwrap_or(text.len() - begins_at);
                let at = Span::new(begins_at, begins_at + length).into();
                self.findings.push(SyntaxFinding::NoHeader { at });
            }
            return None;
        };
        if version.as_str() != "1" {
            return Some(SyntaxFinding::Version { found: version.value.clone(), at: version.span.into() });
        }
        if statement.start() != begins_at {
            self.findings.push(SyntaxFinding::LateHeader { at: statement.into() });
        }
        for (again, _) in headers {
            self.findings.push(twice("`cpk`".to_owned(), statement, again));
        }
        None
    }

    fn add(&mut self, declaration: Declaration) {
        let plan = &mut self.plan;
        match declaration {
            Declaration::Header { .. } => {}
            Declaration::Platform(platform) => {
                if !std::mem::replace(&mut self.platforms_said, true) {
                    plan.platforms.clear();
                }
                if let Some(first) = plan.platforms.get(&platform) {
                    self.findings.push(taken(
                        format!("the platform `{platform}`"),
                        first.span,
                        platform.span,
                    ));
                } else {
                    plan.platforms.insert(platform);
                }
            }
            Declaration::Image(name, image) => {
                let context = plan.contexts.get(&name).map(|context| context.span);
                match plan.images.get(&name).map(|image| image.span).or(context) {
                    Some(first) => self.findings.push(taken(format!("`{name}`"), first, image.span)),
                    None => drop(plan.images.insert(name, *image)),
                }
            }
            Declaration::Context(name, context) => {
                let image = plan.images.get(&name).map(|image| image.span);
                match plan.contexts.get(&name).map(|context| context.span).or(image) {
                    Some(first) => self.findings.push(taken(format!("`{name}`"), first, context.span)),
                    None => drop(plan.contexts.insert(name, *context)),
                }
            }
            Declaration::Secret { name, optional } => {
                let declaration = SecretDeclaration { optional, span: name.span };
                let first = insert(&mut plan.secrets, name.value.clone(), declaration, |secret| secret.span);
                if let Some(first) = first {
                    self.findings.push(taken(format!("the secret `{name}`"), first, name.span));
                }
            }
            Declaration::Cache(name) => {
                let first = insert(&mut plan.caches, name.value.clone(), name.span, |span| *span);
                if let Some(first) = first {
                    self.findings.push(taken(format!("the cache `{name}`"), first, name.span));
                }
            }
            Declaration::Phase(name, phase) => {
                let (what, again) = (format!("the phase `{name}`"), phase.span);
                let first = insert(&mut plan.declared_phases, name, *phase, |phase| phase.span);
                if let Some(first) = first {
                    self.findings.push(taken(what, first, again));
                }
            }
            // Two stages of one name both stay: the verifier reports them, whatever they came from.
            Declaration::Stage(stage) => plan.stages.push(*stage),
            Declaration::Export(export) => match &plan.export {
                Some(first) => self.findings.push(twice("`export`".to_owned(), first.span, export.span)),
                None => plan.export = Some(*export),
            },
        }
    }
}

/// Puts a declaration into its map; where the name is taken, returns where.
fn insert<N: Ord, V>(
    map: &mut BTreeMap<N, V>,
    name: N,
    value: V,
    place: impl Fn(&V) -> Span,
) -> Option<Span> {
    match map.get(&name) {
        Some(first) => Some(place(first)),
        None => {
            map.insert(name, value);
            None
        }
    }
}

fn taken(what: String, first: Span, second: Span) -> SyntaxFinding {
    SyntaxFinding::Taken { what, first: first.into(), second: second.into() }
}

fn twice(what: String, first: Span, second: Span) -> SyntaxFinding {
    SyntaxFinding::Twice { what, first: first.into(), second: second.into() }
}
