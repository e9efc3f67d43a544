//! Leaves out stages that nothing exported reads, and the images and contexts that only they read.
//!
//! ```text
//! stage %tests from %app { … }      ⇒
//! export from %app                     export from %app
//! ```
//!
//! The meaning is that of what is exported, and the interpreter never looks at other stages. Left alone: the
//! phases, which say where stages may be put, and secrets and caches, which whoever builds gives by name.

use std::collections::BTreeSet;

use cogpack_ir::plan::{Input, InputName, Span};
use cogpack_ir::resolve::Resolved;

use crate::facts::Facts;
use crate::note::Note;
use crate::order::{Level, Pass, Rewrite};

/// The pass.
pub struct DropDeadStages;

impl Pass for DropDeadStages {
    fn name(&self) -> &'static str {
        "drop-dead-stages"
    }

    fn summary(&self) -> &'static str {
        "leaves out stages that nothing exported reads, and the images and contexts that only they read"
    }

    fn level(&self) -> Level {
        Level::Safe
    }

    fn run(&self, plan: &Resolved, _: &Facts) -> Rewrite {
        let mut used = Used::default();
        used.input(&plan.export().from.value);
        let mut live = vec![false; plan.plan().stages.len()];
        for id in plan.order() {
            live[id.index()] = true;
            plan.stage(*id).for_each_input(|input| used.input(&input.value));
        }
        let is_read = |name: &InputName| used.inputs.contains(name);
        let (images, contexts) = (&plan.plan().images, &plan.plan().contexts);
        if live.iter().all(|live| *live) && images.keys().chain(contexts.keys()).all(is_read) {
            return Rewrite::default();
        }
        let mut rewritten = plan.plan().clone();
        let mut notes = Vec::new();
        let mut place = 0;
        rewritten.stages.retain(|stage| {
            place += 1;
            if !live[place - 1] {
                notes.push(Note::did(
                    stage.name.span,
                    format!("nothing that is exported reads {}", stage.name),
                ));
            }
            live[place - 1]
        });
        rewritten
            .images
            .retain(|name, image| keep("image", name, image.span, used.inputs.contains(name), &mut notes));
        rewritten.contexts.retain(|name, context| {
            keep("context", name, context.span, used.inputs.contains(name), &mut notes)
        });
        Rewrite { plan: (!notes.is_empty()).then_some(rewritten), notes }
    }
}

fn keep(kind: &str, name: &impl std::fmt::Display, span: Span, is_used: bool, notes: &mut Vec<Note>) -> bool {
    if !is_used {
        notes.push(Note::did(span, format!("nothing that is exported reads the {kind} `{name}`")));
    }
    is_used
}

/// What live stages read.
#[derive(Default)]
struct Used {
    inputs: BTreeSet<InputName>,
}

impl Used {
    fn input(&mut self, input: &Input) {
        match input {
            Input::Image(name) | Input::Context(name) => drop(self.inputs.insert(name.clone())),
            Input::Scratch | Input::Stage(_) | Input::Phase(_) => {}
        }
    }
}
