//! Stages of a `parallel` phase: they start from one place and do not get in each other's way.
//!
//! What can be seen before the build is refused here: two branches that set one variable, or
//! that write one path, or one of which makes a file where the other needs a directory. What a
//! `run` writes, and what is inside copied directories, shows when the build merges them.

use std::collections::{BTreeMap, BTreeSet};

use miette::Diagnostic;

use super::claims::{Claim, claims_of};
use crate::finding::{Finding, Place};
use crate::graph::{Outlet, StageGraph};
use crate::plan::{OpKind, PhaseName, Span, Stage, for_each_op};
use crate::resolve::evaluate::Evaluation;

/// How stages of a `parallel` phase get in each other's way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum ParallelFinding {
    /// A branch with a start of its own.
    #[error(
        "the stage `{stage}` of the parallel phase `{phase}` starts from `{from}`, not from `{base}` as the phase does"
    )]
    #[diagnostic(
        code("cpk::phase::parallel-from"),
        help("take its `from` away, or move the stage out of the phase")
    )]
    From {
        /// The stage.
        stage: String,
        /// The phase.
        phase: String,
        /// What the stage says.
        from: String,
        /// What the phase starts from.
        base: String,
        /// The `from`.
        #[label("all stages of a parallel phase start from one input")]
        place: Place,
    },
    /// Two branches set one thing.
    #[error("two stages of the parallel phase `{phase}` set {what}: `{first_stage}` and `{stage}`")]
    #[diagnostic(code("cpk::phase::parallel-clash"), help("set it in one of them, or after the phase"))]
    Setting {
        /// The phase.
        phase: String,
        /// A variable, the working directory, the user or the shell.
        what: String,
        /// The second stage.
        stage: String,
        /// The first stage.
        first_stage: String,
        /// The second statement.
        #[label("set here by `{stage}`")]
        place: Place,
        /// The first statement.
        #[label("and here by `{first_stage}`")]
        first: Place,
    },
    /// Two branches write one path.
    #[error("two stages of the parallel phase `{phase}` write `{path}`: `{first_stage}` and `{stage}`")]
    #[diagnostic(code("cpk::phase::parallel-clash"), help("write it in one of them, or after the phase"))]
    Path {
        /// The phase.
        phase: String,
        /// The path.
        path: String,
        /// The second stage.
        stage: String,
        /// The first stage.
        first_stage: String,
        /// The second op.
        #[label("`{stage}` {does} here")]
        place: Place,
        /// What the second op does.
        does: String,
        /// The first op.
        #[label("`{first_stage}` {first_does} here")]
        first: Place,
        /// What the first op does.
        first_does: String,
    },
}

/// Checks where the branches of parallel phases start.
pub(super) fn check_starts(graph: &StageGraph<'_>, findings: &mut Vec<Finding>) {
    for phase in parallel_phases(graph) {
        let members = graph.phases().members(phase);
        let base = match (graph.phases().input_of(phase), members.first()) {
            // A phase that takes nothing in starts from what its first stage says.
            (Outlet::Nothing | Outlet::Several(_), Some(first)) => graph.start(*first),
            (input, _) => input,
        };
        let Outlet::One(base) = base else { continue };
        for place in members {
            let stage = graph.stage(*place);
            if let (Some(from), Outlet::One(start)) = (&stage.from, graph.start(*place))
                && start != base
            {
                let finding = ParallelFinding::From {
                    stage: stage.name.to_string(),
                    phase: phase.to_string(),
                    from: from.to_string(),
                    base: base.to_string(),
                    place: from.span.place(),
                };
                findings.push(finding.into());
            }
        }
    }
}

/// Checks what the branches of parallel phases set and write; `stages` are those of the plan
/// with templates expanded where they can be.
pub(super) fn check_clashes(graph: &StageGraph<'_>, evaluation: &Evaluation, findings: &mut Vec<Finding>) {
    let stages: Vec<&Stage> = evaluation.stages(graph.plan()).collect();
    for phase in parallel_phases(graph) {
        let branches: Vec<&Stage> =
            graph.phases().members(phase).iter().map(|place| stages[*place]).collect();
        settings(phase, &branches, findings);
        paths(phase, &branches, findings);
    }
}

fn parallel_phases<'p>(graph: &StageGraph<'p>) -> impl Iterator<Item = &'p PhaseName> {
    graph.phases().names().filter(|name| graph.phases().is_parallel(name))
}

fn settings(phase: &PhaseName, branches: &[&Stage], findings: &mut Vec<Finding>) {
    let mut set: BTreeMap<String, (usize, Span)> = BTreeMap::new();
    for (branch, stage) in branches.iter().enumerate() {
        for_each_op(&stage.ops, &mut |op| {
            let what = match &op.kind {
                OpKind::Env(change) => format!("the variable `{}`", change.name),
                OpKind::Workdir(_) => "the working directory".to_owned(),
                OpKind::User(_) => "the user".to_owned(),
                OpKind::Shell(_) => "the shell".to_owned(),
                OpKind::Run { .. }
                | OpKind::Exec { .. }
                | OpKind::Copy(_)
                | OpKind::File(_)
                | OpKind::Mkdir(_)
                | OpKind::Symlink(_)
                | OpKind::Remove(_)
                | OpKind::Layer(_)
                | OpKind::By(_) => return,
            };
            let (other, first) = *set.entry(what.clone()).or_insert((branch, op.span));
            if other != branch {
                let finding = ParallelFinding::Setting {
                    phase: phase.to_string(),
                    what,
                    stage: stage.name.to_string(),
                    first_stage: branches[other].name.to_string(),
                    place: op.span.place(),
                    first: first.place(),
                };
                findings.push(finding.into());
            }
        });
    }
}

fn paths(phase: &PhaseName, branches: &[&Stage], findings: &mut Vec<Finding>) {
    let mut claims: Vec<Claim> = Vec::new();
    for (branch, stage) in branches.iter().enumerate() {
        for_each_op(&stage.ops, &mut |op| claims_of(op, branch, &mut claims));
    }
    // Sorted by the parts of the path, what is below a directory follows it directly.
    claims.sort_by(|one, other| (&one.parts, one.branch).cmp(&(&other.parts, other.branch)));
    // The claims on the path at hand and on what is above it: at each path, one claim of each
    // kind by the first two branches that make one.
    let mut above: Vec<Claim> = Vec::new();
    let mut reported = BTreeSet::new();
    for claim in claims {
        while above.last().is_some_and(|last| !claim.parts.starts_with(&last.parts)) {
            above.pop();
        }
        if let Some(other) = above.iter().rev().find(|other| other.clashes_with(&claim))
            && reported.insert((other.op, claim.op))
        {
            let finding = ParallelFinding::Path {
                phase: phase.to_string(),
                path: other.path(),
                stage: branches[claim.branch].name.to_string(),
                first_stage: branches[other.branch].name.to_string(),
                place: claim.span.place(),
                does: claim.describe(),
                first: other.span.place(),
                first_does: other.describe(),
            };
            findings.push(finding.into());
        }
        let alike = above.iter().filter(|other| other.parts == claim.parts && other.act == claim.act);
        if alike.clone().count() < 2 && alike.clone().all(|other| other.branch != claim.branch) {
            above.push(claim);
        }
    }
}
