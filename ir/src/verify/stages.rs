//! Where stages start, and what `phase …` means.

use std::collections::BTreeSet;

use miette::Diagnostic;

use crate::finding::{Finding, Place};
use crate::graph::{Outlet, StageGraph};
use crate::plan::{Input, Spanned, stock};

/// What is wrong with where a stage stands or starts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum StageFinding {
    /// Two stages with one name.
    #[error("there are two stages `{name}`")]
    #[diagnostic(code(cpk::stage::duplicate), help("give one of them another name"))]
    Duplicate {
        /// The name.
        name: String,
        /// The second stage.
        #[label("this name is taken")]
        place: Place,
        /// The first stage.
        #[label("the first one is here")]
        first: Place,
    },
    /// Nothing is there to start from.
    #[error("the stage `{name}` does not say what it starts from, and {reason}")]
    #[diagnostic(code("cpk::stage::no-from"), help("say it: `from image @…`, `from %…` or `from scratch`"))]
    NoFrom {
        /// The stage.
        name: String,
        /// Why nothing follows from where it stands.
        reason: String,
        /// The stage.
        #[label("this stage needs a `from`")]
        place: Place,
    },
    /// Several phases come before, and each gives out something.
    #[error("{what} could be any of {candidates}")]
    #[diagnostic(code(cpk::phase::ambiguous), help("name the one that is meant"))]
    Ambiguous {
        /// What is asked for.
        what: String,
        /// What it could be.
        candidates: String,
        /// Where it is asked for.
        #[label("which of them is not said")]
        place: Place,
    },
    /// `phase P`, where nothing is.
    #[error("the phase `{name}` gives out nothing: neither it nor a phase before it holds a stage")]
    #[diagnostic(code(cpk::phase::empty), help("put a stage into it, or name what is meant"))]
    Empty {
        /// The phase.
        name: String,
        /// Where it is asked for.
        #[label("there is nothing to take from here")]
        place: Place,
    },
    /// A stage in `build.complete`.
    #[error("the phase `{name}` holds no stages: it stands for the final output of the build")]
    #[diagnostic(
        code(cpk::phase::complete),
        help("put the stage into an earlier phase, for instance `build.app-source`")
    )]
    Complete {
        /// The phase.
        name: String,
        /// The stage's phase.
        #[label("no stage may stand here")]
        place: Place,
    },
}

/// Checks where each stage stands and starts, and what each `phase …` means.
pub(super) fn check(graph: &StageGraph<'_>, findings: &mut Vec<Finding>) {
    duplicates(graph, findings);
    for (place, stage) in graph.plan().stages.iter().enumerate() {
        if let Some(phase) = &stage.phase
            && graph.plan().declared_phases.is_empty()
            && phase.as_str() == stock::COMPLETE
        {
            findings
                .push(StageFinding::Complete { name: phase.to_string(), place: phase.span.place() }.into());
        }
        if stage.from.is_none() {
            start(graph, place, findings);
        }
        let mut asked = BTreeSet::new();
        stage.for_each_input(|input| {
            // Said five times in one stage, it is still one thing to decide; reported once.
            if let Input::Phase(phase) = &input.value
                && asked.insert(phase)
            {
                phase_input(graph, input, findings);
            }
        });
    }
    if let Some(export) = &graph.plan().export {
        phase_input(graph, &export.from, findings);
    }
}

fn duplicates(graph: &StageGraph<'_>, findings: &mut Vec<Finding>) {
    for (second, first) in graph.duplicates() {
        let name = &graph.stage(*second).name;
        let (first, second) = (graph.stage(*first).name.span, name.span);
        // Where the plan's order puts the second one before the first, the text decides.
        let (first, second) = if first.start() <= second.start() { (first, second) } else { (second, first) };
        let (name, place, first) = (name.to_string(), second.place(), first.place());
        findings.push(StageFinding::Duplicate { name, place, first }.into());
    }
}

fn start(graph: &StageGraph<'_>, place: usize, findings: &mut Vec<Finding>) {
    let stage = graph.stage(place);
    let name = stage.name.to_string();
    let at = stage.name.span.place();
    match (graph.start(place), &stage.phase) {
        (Outlet::One(_) | Outlet::Broken, _) => {}
        (Outlet::Nothing, phase) => {
            let reason = match phase {
                Some(phase) => format!("nothing comes before it in or before the phase `{phase}`"),
                None => "it is in no phase".to_owned(),
            };
            findings.push(StageFinding::NoFrom { name, reason, place: at }.into());
        }
        (Outlet::Several(candidates), _) => {
            let what = format!("what the stage `{name}` starts from");
            let candidates = listed(candidates);
            findings.push(StageFinding::Ambiguous { what, candidates, place: at }.into());
        }
    }
}

fn phase_input(graph: &StageGraph<'_>, input: &Spanned<Input>, findings: &mut Vec<Finding>) {
    let Input::Phase(phase) = &input.value else { return };
    let place = input.span.place();
    match graph.concrete(input) {
        Outlet::One(_) | Outlet::Broken => {}
        Outlet::Nothing => findings.push(StageFinding::Empty { name: phase.to_string(), place }.into()),
        Outlet::Several(candidates) => {
            let what = format!("`phase {phase}`");
            findings.push(StageFinding::Ambiguous { what, candidates: listed(&candidates), place }.into());
        }
    }
}

fn listed(candidates: &BTreeSet<Input>) -> String {
    let mut list: Vec<String> = candidates.iter().map(|input| format!("`{input}`")).collect();
    if candidates.len() >= Outlet::LISTED {
        list.push("perhaps others".to_owned());
    }
    list.join(", ")
}
