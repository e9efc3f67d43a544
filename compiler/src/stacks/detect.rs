//! Which stack a project belongs to.

use cogpack_frontends_source::{InFile, Source, SourcePath, Unread};
use cogpack_ir::suggest::nearest;

use super::finding::{ProjectFinding, StackFinding};
use super::{ConfigFile, Stack};

/// How much a file says about a project, lightest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// It is written in the stack's language.
    Language,
    /// It declares a project of the stack to tools of its language.
    Declaration,
    /// It says how an image of it is built.
    Image,
}

impl Weight {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Language => "is written in its language",
            Self::Declaration => "declares such a project",
            Self::Image => "says how an image of it is built",
        }
    }
}

/// A file that speaks for a stack or a block.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Evidence {
    /// How much it says.
    pub weight: Weight,
    /// The file.
    pub file: SourcePath,
}

/// The stack with the heaviest evidence, and that evidence; or why none is chosen.
#[allow(clippy::type_complexity)]
pub(super) fn choose<'s>(
    stacks: &'s [Box<dyn Stack>],
    source: &Source,
    config: &ConfigFile,
    named: Option<&str>,
) -> Result<Result<(&'s dyn Stack, Vec<Evidence>), InFile<ProjectFinding>>, Unread> {
    let told = |finding: StackFinding| Ok(Err(InFile::new(&SourcePath::root(), finding.into())));
    let mut fitting: Vec<(&dyn Stack, Vec<Evidence>)> = Vec::new();
    let mut failed: Option<InFile<ProjectFinding>> = None;
    let mut unread: Option<Unread> = None;
    for stack in stacks {
        match stack.detect(source, config) {
            // A project of which this cannot be seen is not given to another stack.
            Ok(Err(finding)) => failed = failed.or(Some(finding)),
            Ok(Ok(mut evidence)) => {
                evidence.sort_by(|one, other| (other.weight, &one.file).cmp(&(one.weight, &other.file)));
                fitting.push((&**stack, evidence));
            }
            // What all of them ask is read at once.
            Err(more) => {
                unread = Some(match unread {
                    Some(unread) => unread.and(more),
                    None => more,
                });
            }
        }
    }
    if let Some(unread) = unread {
        return Err(unread);
    }
    if let Some(failed) = failed {
        return Ok(Err(failed));
    }
    let names: Vec<&str> = stacks.iter().map(|stack| stack.name()).collect();
    if let Some(named) = named {
        let Some((stack, evidence)) = fitting.into_iter().find(|(stack, _)| stack.name() == named) else {
            let near = nearest(named, names.iter().copied()).map(str::to_owned);
            return told(StackFinding::Unknown { named: named.to_owned(), near, known: names.join(", ") });
        };
        if evidence.is_empty() {
            return told(StackFinding::Unfit { named: named.to_owned() });
        }
        return Ok(Ok((stack, evidence)));
    }
    fitting.retain(|(_, evidence)| !evidence.is_empty());
    let heaviest = |evidence: &[Evidence]| evidence.iter().map(|one| one.weight).max();
    let top = fitting.iter().filter_map(|(_, evidence)| heaviest(evidence)).max();
    let mut best: Vec<_> = fitting.into_iter().filter(|(_, evidence)| heaviest(evidence) == top).collect();
    best.sort_by_key(|(stack, _)| stack.name());
    match best.len() {
        0 => told(StackFinding::None { known: names.join(", ") }),
        1 => Ok(Ok(best.remove(0))),
        _ => {
            let claims: Vec<String> = best
                .iter()
                .map(|(stack, evidence)| match evidence.first() {
                    Some(first) => format!("`{}` by `{}`", stack.name(), first.file),
                    None => format!("`{}`", stack.name()),
                })
                .collect();
            told(StackFinding::Several { claims: claims.join(" and "), first: best[0].0.name().to_owned() })
        }
    }
}
