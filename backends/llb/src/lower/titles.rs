//! Where a vertex stands in the plan: the beginning of its name, before what its op does.

use cogpack_ir::plan::Stage;

/// Bytes that most names need behind the place in the plan.
pub(super) const USUAL: usize = 80;

/// `build.app-deps %venv: `, before what the vertex does.
pub(super) fn prefix(stage: &Stage) -> String {
    match &stage.phase {
        Some(phase) => format!("{} {}: ", phase.value, stage.name.value),
        None => format!("{}: ", stage.name.value),
    }
}
