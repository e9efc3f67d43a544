//! What all commands that compile do first: read, look at what the command line points to,
//! verify, resolve, and show what was found.

use std::path::Path;

use cogpack_compiler::World;
use cogpack_content::Platform;
use cogpack_ir::finding::Finding;
use cogpack_ir::plan::Plan;
use cogpack_ir::resolve::Resolved;
use cogpack_passes::{Facts, of_level, optimise};
use miette::Diagnostic;

use crate::arguments::LevelChoice;
use crate::bases::Bases;
use crate::console::Console;
use crate::failure::Failure;
use crate::packages::Machine;
use crate::plan_file::PlanFile;
use crate::report::{self, Format, Stream};

/// A plan that resolved, with the layouts that its bases are read from.
pub struct Front {
    /// What backends take.
    pub resolved: Resolved,
    /// The layouts that were named, or that the plan names.
    pub bases: Bases,
}

impl Front {
    /// The same with the plan rewritten as far as a level says.
    pub fn optimised(
        mut self,
        level: Option<LevelChoice>,
        format: Format,
        console: &mut Console<'_>,
    ) -> Self {
        let world = self.bases.world();
        self.resolved = optimised(self.resolved, level, &world, format, console);
        self
    }
}

/// A plan rewritten as far as a level says. A pass that makes a plan that breaks rules is told of, and the plan
/// is left as it is: what was written can be built all the same.
pub fn optimised(
    plan: Resolved,
    level: Option<LevelChoice>,
    world: &World,
    format: Format,
    console: &mut Console<'_>,
) -> Resolved {
    let passes = of_level(level.unwrap_or_default().into());
    let again = |plan| cogpack_compiler::compile(plan, world);
    match optimise(&plan, &passes, &Facts::default(), &again) {
        Ok(optimised) => optimised.into_plan(plan),
        Err(broken) => {
            let note =
                format!("note: {broken}; this is a mistake of ours, and the plan is used as it stands");
            report::remark(&note, format, console);
            plan
        }
    }
}

/// Reads and resolves a plan; `None` where it has errors, which are shown.
pub fn front(
    file: &PlanFile,
    layouts: &[String],
    format: Format,
    console: &mut Console<'_>,
) -> Result<Option<Front>, Failure> {
    front_on(&[], file, layouts, None, format, console)
}

/// The same with the warnings left to whoever asks: what they are about may be about to change.
pub fn unwarned(
    file: &PlanFile,
    layouts: &[String],
    format: Format,
    console: &mut Console<'_>,
) -> Result<Option<Front>, Failure> {
    read(&[], file, layouts, None, format, console)
}

/// The same for some of the plan's platforms only; none named means all.
pub fn front_on(
    platforms: &[Platform],
    file: &PlanFile,
    layouts: &[String],
    store: Option<&Path>,
    format: Format,
    console: &mut Console<'_>,
) -> Result<Option<Front>, Failure> {
    let front = read(platforms, file, layouts, store, format, console)?;
    if let Some(Front { resolved, .. }) = &front {
        warn(resolved.warnings(), file, format, console);
    }
    Ok(front)
}

fn read(
    platforms: &[Platform],
    file: &PlanFile,
    layouts: &[String],
    store: Option<&Path>,
    format: Format,
    console: &mut Console<'_>,
) -> Result<Option<Front>, Failure> {
    let mut plan = match cogpack_compiler::parse(&file.text) {
        Ok(plan) => plan,
        Err(findings) => {
            show(&findings, file, format, console);
            return Ok(None);
        }
    };
    choose(platforms, &mut plan)?;
    let bases = Bases::read(&plan, layouts, file, Machine::new(store, console))?;
    match cogpack_compiler::compile(plan, &bases.world()) {
        Ok(resolved) => Ok(Some(Front { resolved, bases })),
        Err(findings) => {
            show(&findings, file, format, console);
            Ok(None)
        }
    }
}

/// Leaves out the platforms that were not asked for.
pub fn choose(platforms: &[Platform], plan: &mut Plan) -> Result<(), Failure> {
    if let Some(other) =
        platforms.iter().find(|asked| !plan.platforms.iter().any(|declared| declared.value == **asked))
    {
        let declared: Vec<String> =
            plan.platforms.iter().map(|platform| platform.value.to_string()).collect();
        return Err(Failure::new(format!("the plan is not for the platform `{other}`")).with_hint(format!(
            "it is for {}: name one of these, or add a `platform` line",
            declared.join(", ")
        )));
    }
    if !platforms.is_empty() {
        plan.platforms.retain(|declared| platforms.contains(&declared.value));
    }
    Ok(())
}

/// Like [`front`], for commands that need no bases afterwards.
pub fn resolved_plan(
    file: &PlanFile,
    layouts: &[String],
    format: Format,
    console: &mut Console<'_>,
) -> Result<Option<Resolved>, Failure> {
    Ok(front(file, layouts, format, console)?.map(|front| front.resolved))
}

/// Shows what there is to be warned of.
pub fn warn(warnings: &[Finding], file: &PlanFile, format: Format, console: &mut Console<'_>) {
    if !warnings.is_empty() {
        show(warnings, file, format, console);
    }
}

/// Shows what was found about a plan.
pub fn show(findings: &[Finding], file: &PlanFile, format: Format, console: &mut Console<'_>) {
    let diagnostics: Vec<&dyn Diagnostic> =
        findings.iter().map(|finding| finding as &dyn Diagnostic).collect();
    report::findings(&diagnostics, file, format, Stream::Talk, console);
}
