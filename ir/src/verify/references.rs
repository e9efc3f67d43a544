//! Names that stand for something: stages, phases, images, contexts, secrets and caches.

use miette::Diagnostic;

use crate::finding::{Finding, Place};
use crate::graph::StageGraph;
use crate::plan::{Input, InputName, MountKind, PhaseName, Plan, Spanned, StageName, for_each_op, stock};
use crate::suggest::{did_you_mean, nearest_while_few};

/// What is wrong with a name that is used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum ReferenceFinding {
    /// A stage that is not there.
    #[error("there is no stage `{name}`")]
    #[diagnostic(code(cpk::stage::unknown), help("{way_out}"))]
    Stage {
        /// The name.
        name: String,
        /// What was meant, or what to do.
        way_out: String,
        /// Where it is used.
        #[label("no stage has this name")]
        place: Place,
    },
    /// A phase that is not there.
    #[error("there is no phase `{name}`")]
    #[diagnostic(code(cpk::phase::unknown), help("{way_out}"))]
    Phase {
        /// The name.
        name: String,
        /// What was meant, or what to do.
        way_out: String,
        /// Where it is used.
        #[label("no phase has this name")]
        place: Place,
    },
    /// Neither an image nor a context.
    #[error("there is no image or context `{name}`")]
    #[diagnostic(code(cpk::input::unknown), help("{way_out}"))]
    Input {
        /// The name.
        name: String,
        /// What was meant, or what to do.
        way_out: String,
        /// Where it is used.
        #[label("neither an image nor a context has this name")]
        place: Place,
    },
    /// `image @x`, where `@x` is a context.
    #[error("`{name}` is a context, not an image")]
    #[diagnostic(code("cpk::input::not-an-image"), help("take away the word `image`"))]
    NotAnImage {
        /// The name.
        name: String,
        /// Where it is used.
        #[label("used as an image here")]
        place: Place,
        /// Where it is declared.
        #[label("declared as a context here")]
        declared: Place,
    },
    /// `@x`, where `@x` is an image.
    #[error("`{name}` is an image, not a context")]
    #[diagnostic(code("cpk::input::not-a-context"), help("write `image {name}`"))]
    NotAContext {
        /// The name.
        name: String,
        /// Where it is used.
        #[label("used as a context here")]
        place: Place,
        /// Where it is declared.
        #[label("declared as an image here")]
        declared: Place,
    },
    /// A secret that is not declared.
    #[error("there is no secret `{name}`")]
    #[diagnostic(code(cpk::secret::unknown), help("{way_out}"))]
    Secret {
        /// The name.
        name: String,
        /// What was meant, or what to do.
        way_out: String,
        /// Where it is used.
        #[label("no secret has this name")]
        place: Place,
    },
    /// A cache that is not declared.
    #[error("there is no cache `{name}`")]
    #[diagnostic(code(cpk::cache::unknown), help("{way_out}"))]
    Cache {
        /// The name.
        name: String,
        /// What was meant, or what to do.
        way_out: String,
        /// Where it is used.
        #[label("no cache has this name")]
        place: Place,
    },
}

/// Checks every name that a plan uses.
pub(super) fn check(graph: &StageGraph<'_>, findings: &mut Vec<Finding>) {
    let plan = graph.plan();
    for name in graph.phases().names() {
        for before in graph.phases().phase(name).into_iter().flat_map(|phase| &phase.after) {
            phase(graph, before, findings);
        }
    }
    for stage in &plan.stages {
        if let Some(of_stage) = &stage.phase {
            phase(graph, of_stage, findings);
        }
        stage.for_each_input(|used| input(graph, used, Some(&stage.name), findings));
        for_each_op(&stage.ops, &mut |op| {
            for mount in op.execution().into_iter().flat_map(|execution| &execution.mounts) {
                declared(plan, &mount.kind, findings);
            }
        });
    }
    if let Some(export) = &plan.export {
        input(graph, &export.from, None, findings);
    }
}

fn phase(graph: &StageGraph<'_>, used: &Spanned<PhaseName>, findings: &mut Vec<Finding>) {
    if graph.phases().phase(used).is_some() {
        return;
    }
    let meant = nearest_while_few(findings, used.as_str(), graph.phases().names().map(PhaseName::as_str));
    let otherwise = if graph.plan().declared_phases.is_empty() {
        let [build, export] = [&stock::BUILD[..], &stock::EXPORT[..]].map(|chain| chain.join("`, `"));
        format!(
            "a plan that declares no phase has these: `{build}`, and `{export}`; take one of them, or \
             declare all phases of yours"
        )
    } else {
        format!("declare it: `phase {used}`")
    };
    let way_out = did_you_mean(meant, &otherwise);
    findings
        .push(ReferenceFinding::Phase { name: used.to_string(), way_out, place: used.span.place() }.into());
}

/// Checks one input; `user` is the stage that it is used in.
fn input(
    graph: &StageGraph<'_>,
    used: &Spanned<Input>,
    user: Option<&StageName>,
    findings: &mut Vec<Finding>,
) {
    let plan = graph.plan();
    let place = used.span.place();
    match &used.value {
        Input::Scratch => {}
        Input::Stage(name) => {
            if graph.place(name).is_none() {
                // No stage can mean itself.
                let others = plan.stages.iter().filter(|stage| Some(&stage.name.value) != user);
                let stages = others.map(|stage| stage.name.as_str());
                let meant =
                    nearest_while_few(findings, name.as_str(), stages).map(|meant| format!("%{meant}"));
                let way_out = did_you_mean(meant, &format!("add it: `stage {name}`"));
                findings.push(ReferenceFinding::Stage { name: name.to_string(), way_out, place }.into());
            }
        }
        Input::Phase(name) => phase(graph, &Spanned::new(name.clone(), used.span), findings),
        Input::Image(name) => {
            if let Some(context) = plan.contexts.get(name) {
                let (name, declared) = (name.to_string(), context.span.place());
                findings.push(ReferenceFinding::NotAnImage { name, place, declared }.into());
            } else if !plan.images.contains_key(name) {
                let finding = unknown_input(plan, name, "image", place, findings);
                findings.push(finding.into());
            }
        }
        Input::Context(name) => {
            if let Some(image) = plan.images.get(name) {
                let (name, declared) = (name.to_string(), image.span.place());
                findings.push(ReferenceFinding::NotAContext { name, place, declared }.into());
            } else if !plan.contexts.contains_key(name) {
                let finding = unknown_input(plan, name, "context", place, findings);
                findings.push(finding.into());
            }
        }
    }
}

fn unknown_input(
    plan: &Plan,
    name: &InputName,
    kind: &str,
    place: Place,
    findings: &[Finding],
) -> ReferenceFinding {
    let inputs = plan.images.keys().chain(plan.contexts.keys()).map(InputName::as_str);
    let meant = nearest_while_few(findings, name.as_str(), inputs).map(|meant| format!("@{meant}"));
    let way_out = did_you_mean(meant, &format!("declare it: `{kind} {name} = …`"));
    ReferenceFinding::Input { name: name.to_string(), way_out, place }
}

fn declared(plan: &Plan, mount: &MountKind, findings: &mut Vec<Finding>) {
    match mount {
        MountKind::Secret { name, .. } if !plan.secrets.contains_key(&name.value) => {
            let meant =
                nearest_while_few(findings, name.as_str(), plan.secrets.keys().map(|name| name.as_str()));
            let way_out = did_you_mean(meant, &format!("declare it: `secret {name}`"));
            let (name, place) = (name.to_string(), name.span.place());
            findings.push(ReferenceFinding::Secret { name, way_out, place }.into());
        }
        MountKind::Cache { name, .. } if !plan.caches.contains_key(&name.value) => {
            let meant =
                nearest_while_few(findings, name.as_str(), plan.caches.keys().map(|name| name.as_str()));
            let way_out = did_you_mean(meant, &format!("declare it: `cache {name}`"));
            let (name, place) = (name.to_string(), name.span.place());
            findings.push(ReferenceFinding::Cache { name, way_out, place }.into());
        }
        MountKind::Secret { .. }
        | MountKind::Cache { .. }
        | MountKind::Bind { .. }
        | MountKind::Ssh { .. }
        | MountKind::Tmpfs { .. } => {}
    }
}
