//! What the image of a model says of itself, so that it is known as one wherever it is: the labels
//! that cog writes and reads.

use serde_json::{Map, Value, json};

use super::facts::PythonFacts;
use super::sources::Built;

/// The labels, by key.
pub(super) fn of(facts: &PythonFacts) -> Vec<(&'static str, String)> {
    let mut labels = vec![
        ("run.cog.config", config(facts).to_string()),
        ("run.cog.has_init", "true".to_owned()),
        ("run.cog.pip_freeze", freeze(facts)),
    ];
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

/// The effective configuration as JSON: what `cog.yaml` says, and what was decided where it says
/// nothing.
fn config(facts: &PythonFacts) -> Value {
    let said = &facts.cog().build;
    let mut build = Map::new();
    build.insert("gpu".to_owned(), said.gpu.as_ref().is_some_and(|gpu| gpu.value).into());
    build.insert("python_version".to_owned(), facts.named_python().into());
    if let Some(file) = &said.python_requirements {
        build.insert("python_requirements".to_owned(), file.value.to_string().into());
    }
    let mut list = |key: &str, texts: Vec<String>| {
        if !texts.is_empty() {
            build.insert(key.to_owned(), texts.into());
        }
    };
    list("python_packages", said.python_packages.iter().map(|package| package.value.clone()).collect());
    list("system_packages", said.system_packages.iter().map(|package| package.name.clone()).collect());
    list("run", said.commands.iter().map(|command| command.line.value.clone()).collect());
    let mut config = Map::new();
    config.insert("build".to_owned(), build.into());
    for (key, handler) in [("predict", &facts.cog().run), ("train", &facts.cog().train)] {
        if let Some(handler) = handler {
            config.insert(key.to_owned(), handler.value.to_string().into());
        }
    }
    if let Some(concurrency) = &facts.cog().concurrency {
        config.insert("concurrency".to_owned(), json!({ "max": concurrency.max.value.get() }));
    }
    if !facts.cog().environment.is_empty() {
        let set = |set: &cogpack_frontends_source::Placed<_>| {
            let variable: &cogpack_frontends_cog_yaml::environment::Variable = &set.value;
            format!("{}={}", variable.name, variable.value)
        };
        config.insert("environment".to_owned(), facts.cog().environment.iter().map(set).collect());
    }
    Value::Object(config)
}
