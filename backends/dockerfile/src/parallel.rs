//! Parallel phases: what several stages do to one base, side by side.
//!
//! No instruction merges what several stages changed. But the stages write different paths (the
//! verifier sees to that), so a chain leaves the same: on nothing, all that a stage leaves is
//! copied over what the others left; on a base, the ops of each stage are done again on what the
//! stages before it left. What a program changes, and above all what it deletes, cannot be told
//! without a comparison, so only the first stage may run any on a base.

use std::collections::BTreeSet;

use cogpack_backends_contract::again::why_not_done_again;
use cogpack_backends_contract::layers::changes_filesystem;
use cogpack_ir::plan::{Input, PhaseName, Span, StageName};
use cogpack_ir::resolve::{EnvValue, StageId};

use crate::features::Feature;
use crate::lowering::{Lowering, lower_ops};
use crate::section::Section;
use crate::words::quoted;

/// The stage that is a parallel phase's output; made at its first use.
pub(crate) fn merged(lowering: &mut Lowering<'_>, phase: &PhaseName, span: Span) -> Option<String> {
    let key = (Input::Phase(phase.clone()), String::new());
    if let Some(made) = lowering.parts.get(&key) {
        return Some(made.clone());
    }
    let plan = lowering.plan;
    let merge = plan.merge(phase);
    let on_nothing = is_empty(lowering, &merge.base);
    let name = lowering.names.fresh(&phase.to_string());
    let start = match merge.branches.first() {
        Some(first) if !on_nothing => Input::Stage(plan.stage(*first).name.value.clone()),
        Some(_) | None => merge.base.clone(),
    };
    if !on_nothing {
        for branch in merge.branches.iter().skip(1) {
            can_be_done_again(lowering, *branch)?;
        }
    }
    let all_bare =
        merge.branches.iter().all(|branch| lowering.bare.contains(&plan.stage(*branch).name.value));
    let mut section = Section::start(lowering, &name, &start, span);
    section.title(&format!("phase {phase}: what its stages leave, side by side"));
    section.of = Input::Phase(phase.clone());
    if on_nothing {
        lay_over(&mut section, &merge.branches);
        environment(&mut section, phase, &merge.base);
    } else {
        for branch in merge.branches.iter().skip(1) {
            let stage = &plan.stage(*branch).name.value;
            section.comment(&format!("stage {stage}"));
            lower_ops(&mut section, *branch, false);
        }
    }
    let bare = section.bare && (!on_nothing || all_bare);
    let end = section.finish();
    if bare {
        lowering.bare_phases.insert(phase.clone());
    }
    lowering.phase_ends.insert(phase.clone(), end);
    lowering.parts.insert(key, name.clone());
    Some(name)
}

/// The stages that something is copied from or stands on. Those of a parallel phase that are done
/// again on the first one are not, for themselves.
pub(crate) fn needed(lowering: &Lowering<'_>) -> BTreeSet<StageName> {
    let plan = lowering.plan;
    let mut needed = BTreeSet::new();
    let mut phases = BTreeSet::new();
    let mut waiting = vec![plan.export().from.value.clone()];
    while let Some(input) = waiting.pop() {
        match input {
            Input::Stage(name) => {
                if needed.insert(name.clone()) {
                    plan.stage(plan.id(&name)).for_each_input(|input| waiting.push(input.value.clone()));
                }
            }
            Input::Phase(phase) => {
                if !phases.insert(phase.clone()) {
                    continue;
                }
                let merge = plan.merge(&phase);
                let on_nothing = is_empty(lowering, &merge.base);
                for (place, branch) in merge.branches.iter().enumerate() {
                    let stage = plan.stage(*branch);
                    match on_nothing || place == 0 {
                        true => waiting.push(Input::Stage(stage.name.value.clone())),
                        false => stage.for_each_input(|input| waiting.push(input.value.clone())),
                    }
                }
                waiting.push(merge.base.clone());
            }
            Input::Scratch | Input::Image(_) | Input::Context(_) => {}
        }
    }
    needed
}

/// Copies all that the stages left, each over what is there.
fn lay_over(section: &mut Section<'_, '_>, branches: &[StageId]) {
    let plan = section.lowering.plan;
    let link = if section.lowering.knows(Feature::Link) { "--link " } else { "" };
    for branch in branches {
        let stage = &plan.stage(*branch).name.value;
        if plan.steps(*branch).iter().any(|step| changes_filesystem(&step.op.kind)) {
            let from = section.lowering.names.stage(stage).to_owned();
            section.line(format!("COPY {link}--from={from} / /"));
        }
    }
}

/// Sets what the stages set, which copying their files does not bring along.
fn environment(section: &mut Section<'_, '_>, phase: &PhaseName, base: &Input) {
    let plan = section.lowering.plan;
    let before = plan.state_of(base);
    let after = plan.state_of(&Input::Phase(phase.clone()));
    for (name, value) in after.env.iter() {
        // On nothing there is no base that could leave a value open.
        let EnvValue::Known(value) = value else { continue };
        let is_there = matches!(before.variable(name.as_str()), Some(EnvValue::Known(old)) if old == value);
        if is_there {
            continue;
        }
        match quoted(value) {
            Some(value) => section.line(format!("ENV {}={value}", name.as_str())),
            None => section.lowering.refuse_line_break(value, Span::NOWHERE),
        }
    }
}

/// Whether an input is the empty filesystem.
fn is_empty(lowering: &Lowering<'_>, input: &Input) -> bool {
    match input {
        Input::Scratch => true,
        Input::Stage(name) => {
            let id = lowering.plan.id(name);
            let changes = lowering.plan.steps(id).iter().any(|step| changes_filesystem(&step.op.kind));
            let from = lowering.plan.stage(id).from.as_ref();
            !changes && from.is_none_or(|from| is_empty(lowering, &from.value))
        }
        Input::Image(_) | Input::Context(_) | Input::Phase(_) => false,
    }
}

/// Refuses ops that may leave something else on another filesystem.
fn can_be_done_again(lowering: &mut Lowering<'_>, stage: StageId) -> Option<()> {
    let plan = lowering.plan;
    for step in plan.steps(stage) {
        let Some(why) = why_not_done_again(&step) else { continue };
        let name = &plan.stage(stage).name.value;
        lowering.refuse(
            "cpk::unsupported::parallel",
            format!("an op of `{name}`, which is in a parallel phase: {why}"),
            step.op.span,
            "leave out `parallel`, copy what is needed from each stage, or emit LLB with `-o llb`",
        );
        return None;
    }
    Some(())
}
