//! Base images.

use std::collections::BTreeSet;

use miette::Diagnostic;

use crate::finding::{Finding, Place};
use crate::plan::Plan;

/// What is wrong with a declared image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum ImageFinding {
    /// The reference says one digest and the property another.
    #[error("the image `{name}` has two digests")]
    #[diagnostic(code("cpk::image::two-digests"), help("keep the one that is meant"))]
    TwoDigests {
        /// The image.
        name: String,
        /// The property.
        #[label("this digest")]
        place: Place,
        /// The reference.
        #[label("is not the one in here")]
        reference: Place,
    },
    /// One variable recorded twice.
    #[error("the image `{name}` sets the variable `{variable}` twice")]
    #[diagnostic(code("cpk::image::env-twice"), help("keep the one that is meant"))]
    EnvTwice {
        /// The image.
        name: String,
        /// The variable.
        variable: String,
        /// The image.
        #[label("declared here")]
        place: Place,
    },
}

/// Checks the images.
pub(super) fn check(plan: &Plan, findings: &mut Vec<Finding>) {
    for (name, image) in &plan.images {
        if let Some(digest) = &image.digest
            && let Some(written) = image.reference.digest()
            && written != digest.value
        {
            let (place, reference) = (digest.span.place(), image.reference.span.place());
            findings.push(ImageFinding::TwoDigests { name: name.to_string(), place, reference }.into());
        }
        let mut seen = BTreeSet::new();
        for (variable, _) in image.config.iter().flat_map(|config| &config.env) {
            if !seen.insert(variable) {
                let (name, variable) = (name.to_string(), variable.to_string());
                findings.push(ImageFinding::EnvTwice { name, variable, place: image.span.place() }.into());
            }
        }
    }
}
