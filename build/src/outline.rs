//! The plan of a build, from the definitions it sends, and which vertex is which step.

use std::collections::{BTreeMap, BTreeSet};

use cogpack_backends_llb::{LlbImage, origins};
use cogpack_ir::plan::PhaseName;

use crate::progress::{Outline, Role, StepId, StepOutline};

/// Where each vertex is in an outline, by its digest as daemons write it.
pub type Vertices = BTreeMap<String, StepId>;

/// A line of the plan that asks for something, and what: its name, and its lines.
type Asked<'a> = (&'a str, Vec<(u32, u32)>);

/// The outline of some definitions. What is one vertex for all platforms is one step.
pub fn outline(images: &[LlbImage]) -> (Outline, Vertices) {
    let mut steps: Vec<StepOutline> = Vec::new();
    let mut vertices = Vertices::new();
    for image in images {
        let origins = origins(image);
        // What one line asks for may take several vertices, and is one step all the same.
        let mut of_lines: BTreeMap<Asked<'_>, StepId> = BTreeMap::new();
        for digest in image.digests.iter() {
            let Some(origin) = origins.get(digest) else { continue };
            if let Some(step) = vertices.get(&digest.to_string()) {
                // It is another platform's too.
                steps[step.0].platform = None;
                continue;
            }
            let next = StepId(steps.len());
            let lines = origin.lines.iter().map(|lines| (*lines.start(), *lines.end()));
            let key = (origin.name.as_str(), lines.collect());
            let step = *of_lines.entry(key).or_insert(next);
            vertices.insert(digest.to_string(), step);
            if step != next {
                continue;
            }
            steps.push(StepOutline {
                phase: origin.phase.as_deref().and_then(|phase| PhaseName::new(phase).ok()),
                place: Some(origin.place.clone()),
                line: origin.lines.first().map(|lines| *lines.start()),
                platform: (images.len() > 1).then(|| image.platform.clone()),
                name: origin.what.clone(),
                role: if origin.place.starts_with('@') { Role::Input } else { Role::Work },
            });
        }
    }
    (Outline { phases: phases(&steps), steps }, vertices)
}

/// The phases of steps, in the order of their first steps.
fn phases(steps: &[StepOutline]) -> Vec<PhaseName> {
    let mut seen = BTreeSet::new();
    let named = steps.iter().filter_map(|step| step.phase.as_ref());
    named.filter(|phase| seen.insert(*phase)).cloned().collect()
}
