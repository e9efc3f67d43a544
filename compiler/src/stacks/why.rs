//! What was decided about a project, and what decided it: `cogpackc plan --why`.

use cogpack_frontends_source::SourcePath;

use super::block::{Detected, Turns};
use super::detect::Evidence;

/// All decisions of one plan, or of a project that has none: those that were made before it was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// The stack.
    pub stack: &'static str,
    /// What speaks for it, heaviest first.
    pub evidence: Vec<Evidence>,
    /// Blocks in the order of their turns, and those with nothing to do; none where there was no turn.
    pub blocks: Turns,
    /// Single decisions, those first that others follow from.
    pub decisions: Vec<Decision>,
    /// Base images that were looked at.
    pub bases: Vec<Candidate>,
    /// Images to build in that were looked at; none where nothing is built.
    pub build_bases: Vec<Candidate>,
}

/// One decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What was decided, for instance `Python`.
    pub what: String,
    /// What it is now.
    pub value: String,
    /// Which line said so; `None` where nothing did.
    pub at: Option<(SourcePath, u32)>,
    /// Why, in a few words.
    pub because: String,
}

/// A base image that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its name.
    pub name: String,
    /// What rules it out; nothing for the one that is taken, and for those that fit as well but come
    /// after it.
    pub against: Vec<String>,
    /// Whether it is the one.
    pub is_chosen: bool,
}

/// How many base images are listed for one reason; `--format json` has all of them.
const SHOWN: usize = 4;

/// Images by what became of them, in the order in which they were looked at.
fn by_reason(candidates: &[Candidate]) -> Vec<(String, Vec<&str>)> {
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    let fits = match candidates.iter().any(|candidate| candidate.is_chosen) {
        true => "fits, but another one comes before it",
        false => "fits, but none is taken",
    };
    for Candidate { name, against, is_chosen } in candidates {
        let reason = match (is_chosen, against.is_empty()) {
            (true, _) => "taken".to_owned(),
            (false, true) => fits.to_owned(),
            (false, false) => against.join("; "),
        };
        match groups.iter_mut().find(|(of, _)| *of == reason) {
            Some((_, names)) => names.push(name),
            None => groups.push((reason, vec![name])),
        }
    }
    groups
}

impl Why {
    /// That a project is of a stack, before anything else is decided.
    pub fn of(stack: &'static str, evidence: Vec<Evidence>) -> Self {
        Self {
            stack,
            evidence,
            blocks: Turns::new(),
            decisions: Vec::new(),
            bases: Vec::new(),
            build_bases: Vec::new(),
        }
    }

    /// For people: one line a fact.
    pub fn text(&self) -> String {
        let mut text = format!("stack: {}\n", self.stack);
        for Evidence { weight, file } in &self.evidence {
            text.push_str(&format!("  {file} {}\n", weight.words()));
        }
        for Decision { what, value, at, because } in &self.decisions {
            text.push_str(&format!("{what}: {value}\n  {because}"));
            if let Some((file, line)) = at {
                text.push_str(&format!(" ({file}:{line})"));
            }
            text.push('\n');
        }
        for (title, candidates) in [("base images", &self.bases), ("images to build in", &self.build_bases)] {
            if !candidates.is_empty() {
                text.push_str(&format!("{title}:\n"));
            }
            for (reason, names) in by_reason(candidates) {
                text.push_str(&format!("  {reason}:\n"));
                for name in names.iter().take(SHOWN) {
                    text.push_str(&format!("    {name}\n"));
                }
                if names.len() > SHOWN {
                    text.push_str(&format!("    and {} more\n", names.len() - SHOWN));
                }
            }
        }
        if !self.blocks.is_empty() {
            text.push_str("blocks:\n");
        }
        for (name, detected) in &self.blocks {
            let reason = match detected {
                Detected::Yes(evidence) if evidence.is_empty() => "has a part in each such plan".to_owned(),
                Detected::Yes(evidence) => {
                    let files: Vec<String> = evidence.iter().map(|one| one.file.to_string()).collect();
                    format!("because of {}", files.join(", "))
                }
                Detected::No(reason) => format!("nothing to do: {reason}"),
            };
            text.push_str(&format!("  {name}: {reason}\n"));
        }
        text
    }
}
