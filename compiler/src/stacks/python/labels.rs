//! What the image of a model says of itself, so that it is known as one wherever it is: the labels
//! that cog writes and reads.

mod config;

use super::blocks::has_init;
use super::facts::PythonFacts;
use super::sources::Built;

/// The labels, by key.
pub(super) fn of(facts: &PythonFacts) -> Vec<(&'static str, String)> {
    let mut labels =
        vec![("run.cog.config", config::effective(facts).to_string()), ("run.cog.pip_freeze", freeze(facts))];
    // Nobody writes `false`: cog's images without the label are those without an init.
    if has_init(facts) {
        labels.push(("run.cog.has_init", "true".to_owned()));
    }
    if let Some(schema) = &facts.schema {
        labels.push(("run.cog.openapi_schema", schema.clone()));
    }
    if let Some(version) = &facts.packages.cog_version {
        labels.push(("run.cog.version", version.clone()));
    }
    labels
}

/// The packages as `pip freeze` lists them, from what is locked: nothing is run to know it.
fn freeze(facts: &PythonFacts) -> String {
    let all = facts.packages.frameworks.iter().chain(&facts.packages.packages);
    let mut lines: Vec<String> = all
        .map(|wheel| format!("{}=={}", wheel.file.distribution.replace('_', "-"), wheel.file.version))
        .collect();
    lines.extend(facts.packages.sources.iter().map(Built::frozen));
    lines.sort_by_key(|line| line.to_lowercase());
    lines.join("\n")
}
