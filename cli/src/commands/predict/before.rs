//! Inputs judged before anything is built or started: by the project's own files, by the plan that
//! somebody wrote, or by the document that an image has.

use std::path::Path;
use std::sync::Arc;

use cogpack_frontends_schema::{Misfit, Signature};
use miette::Diagnostic;
use serde_json::Value;

use super::SCHEMA_LABEL;
use super::arguments::Predict;
use super::given::{Given, Inputs};
use crate::console::Console;
use crate::failure::Failure;
use crate::plan_file::PlanFile;
use crate::project::of_directory::Named;
use crate::report::{self, Stream};

/// Judges what is given to a model that is to be built; `None` where it does not fit, which is shown.
/// Whether a plan can be made is not asked here: what speaks against that the build tells.
pub fn building(
    arguments: &Predict,
    plan: &Path,
    given: Given,
    console: &mut Console<'_>,
) -> Result<Option<Inputs>, Failure> {
    let named = Named {
        path: plan,
        options: &arguments.project,
        platforms: &[],
        no_network: false,
        format: arguments.format,
    };
    // Standard input is read once, by the build.
    let known = if plan == Path::new("-") { None } else { named.signature(SCHEMA_LABEL, console)? };
    let Some((signature, project)) = known else { return Ok(Some(Inputs::Open(given))) };
    let misfits = match given.judged(&signature, &console.directory)? {
        Ok(input) => return Ok(Some(Inputs::Judged(input))),
        Err(misfits) => misfits,
    };
    let Some(project) = project.filter(|_| misfits.iter().all(|misfit| misfit.declared.is_some())) else {
        show(&misfits, arguments, console);
        return Ok(None);
    };
    let placed = misfits.iter().filter_map(|misfit| Some((&misfit.declared.as_ref()?.file, misfit as _)));
    project.show_each(placed.collect(), arguments.format, console);
    Ok(None)
}

/// Judges what is given to an image with this document, if it has one; `None` where it does not fit, which
/// is shown.
pub fn starting(
    inputs: Inputs,
    document: Option<&Value>,
    arguments: &Predict,
    console: &mut Console<'_>,
) -> Result<Option<Inputs>, Failure> {
    match (inputs, document.and_then(Signature::of_document)) {
        (Inputs::Judged(input), _) => Ok(Some(Inputs::Judged(input))),
        (Inputs::Open(given), Some(signature)) => match given.judged(&signature, &console.directory)? {
            Ok(input) => Ok(Some(Inputs::Judged(input))),
            Err(misfits) => {
                show(&misfits, arguments, console);
                Ok(None)
            }
        },
        // Whether a file is there is found out before a model sets itself up.
        (Inputs::Open(given), None) => {
            given.with_files(&console.directory).map(|given| Some(Inputs::Open(given)))
        }
    }
}

/// Shows inputs that a model does not take of which no file of a project is known: they have no place.
pub fn show(misfits: &[Misfit], arguments: &Predict, console: &mut Console<'_>) {
    let problems: Vec<&dyn Diagnostic> =
        misfits.iter().map(|misfit| &misfit.problem as &dyn Diagnostic).collect();
    let shown = arguments.model.to_string_lossy().into_owned();
    let about = PlanFile { shown, path: None, text: Arc::default(), directory: console.directory.clone() };
    report::findings(&problems, &about, arguments.format, Stream::Talk, console);
}
