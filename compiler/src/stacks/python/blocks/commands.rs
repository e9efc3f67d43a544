//! Commands of the project: `build.run`, and what it was called before.

use cogpack_ir::plan::{Execution, Mount, MountKind, OpKind, SecretTarget, Span, Spanned};

use super::{PythonFacts, literal, names_environment};
use crate::composer::{Desk, Origin, StageParts};
use crate::stacks::block::{Block, Detected};
use crate::stacks::python::installers::asks_for_no_environment;

/// Runs each command in the image, with the packages there and before the project's files are, so that
/// an edit of those runs no command again.
pub(super) struct Commands;

impl Block<PythonFacts> for Commands {
    fn name(&self) -> &'static str {
        "commands"
    }

    fn provides(&self) -> &'static [&'static str] {
        &["commands"]
    }

    fn requires(&self) -> &'static [&'static str] {
        &["base"]
    }

    fn after(&self) -> &'static [&'static str] {
        &[
            "built-packages",
            "byte-code",
            "environment",
            "packages",
            "post-install",
            "python",
            "system-packages",
        ]
    }

    fn detect(&self, facts: &PythonFacts) -> Detected {
        match facts.cog().build.commands.is_empty() {
            true => Detected::No("the project has no commands"),
            false => Detected::Yes(facts.evidence()),
        }
    }

    fn plan(&self, facts: &PythonFacts, desk: &mut Desk<'_>) {
        let block = desk.origin().block;
        let commands = &facts.cog().build.commands;
        let mut ops = Vec::with_capacity(commands.len());
        for command in commands {
            let at = facts.at(command.line.place);
            desk.at(at.clone());
            let mut execution = Execution::default();
            for secret in &command.secrets {
                desk.secret(secret.id.value.as_str(), false);
                execution.mounts.push(Mount {
                    kind: MountKind::Secret {
                        name: Spanned::nowhere(secret.id.value.clone()),
                        target: SecretTarget::File(literal(&secret.target.value)),
                    },
                    span: Span::NOWHERE,
                });
            }
            if asks_for_no_environment(&command.line.value, &facts.said) {
                execution.env.push(names_environment());
            }
            let script = Spanned::nowhere(command.line.value.clone());
            let run = OpKind::Run { script, execution: Box::new(execution) };
            ops.push((run, Some(Origin { block: block.clone(), at })));
        }
        desk.at(commands.first().and_then(|command| facts.at(command.line.place)));
        desk.stage("export.runtime", "commands", StageParts { ops, ..StageParts::default() });
    }
}
