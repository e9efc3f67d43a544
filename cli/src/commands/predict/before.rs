//! Inputs judged before anything is built or started: by the project's own files, by the plan that
//! somebody wrote, or by the document that an image has.

use std::path::Path;

use cogpack_frontends_schema::{Misfit, Signature};
use miette::Diagnostic as _;
use serde_json::Value;

use super::SCHEMA_LABEL;
use super::arguments::Predict;
use super::given::{Given, Inputs};
use crate::console::Console;
use crate::failure::Failure;
use crate::project::of_directory::Named;

/// Judges what is given to a model that is to be built; `None` where it does not fit, which is shown.
/// Whether a plan can be made is not asked here: what speaks against that the build tells.
pub fn building(
    arguments: &Predict,
    plan: &Path,
    given: Given,
    console: &mut Console<'_>,
) -> Result<Option<Inputs>, Failure> {
    let named = Named { path: plan, options: &arguments.project, platforms: &[], format: arguments.format };
    // Standard input is read once, by the build.
    let known = if plan == Path::new("-") { None } else { named.signature(SCHEMA_LABEL, console)? };
    let Some((signature, project)) = known else { return Ok(Some(Inputs::Open(given))) };
    let misfits = match given.judged(&signature, &console.directory)? {
        Ok(input) => return Ok(Some(Inputs::Judged(input))),
        Err(misfits) => misfits,
    };
    let Some(project) = project.filter(|_| misfits.iter().all(|misfit| misfit.declared.is_some())) else {
        return Err(refused(&misfits));
    };
    let placed = misfits.iter().filter_map(|misfit| Some((&misfit.declared.as_ref()?.file, misfit as _)));
    project.show_each(placed.collect(), arguments.format, console);
    Ok(None)
}

/// Judges what is given to an image with this document, if it has one.
pub fn starting(inputs: Inputs, document: Option<&Value>, directory: &Path) -> Result<Inputs, Failure> {
    match (inputs, document.and_then(Signature::of_document)) {
        (Inputs::Judged(input), _) => Ok(Inputs::Judged(input)),
        (Inputs::Open(given), Some(signature)) => match given.judged(&signature, directory)? {
            Ok(input) => Ok(Inputs::Judged(input)),
            Err(misfits) => Err(refused(&misfits)),
        },
        // Whether a file is there is found out before a model sets itself up.
        (Inputs::Open(given), None) => given.with_files(directory).map(Inputs::Open),
    }
}

/// Inputs that a model without any files of a project does not take.
pub fn refused(misfits: &[Misfit]) -> Failure {
    let way_out = |misfit: &Misfit| misfit.help().map(|help| help.to_string());
    if let [only] = misfits {
        let failure = Failure::new(only.to_string());
        return match way_out(only) {
            Some(help) => failure.with_hint(help),
            None => failure,
        };
    }
    let mut failure = Failure::new("the model does not take these inputs");
    failure.causes = misfits
        .iter()
        .map(|misfit| match way_out(misfit) {
            Some(help) => format!("{misfit} ({help})"),
            None => misfit.to_string(),
        })
        .collect();
    failure
}
