//! The effective configuration of a model, in the form of a `cog.yaml`: what the file says, and what was
//! decided where it says nothing.

use cogpack_frontends_cog_yaml::commands::Command;
use cogpack_frontends_cog_yaml::weights::{Weight, WeightSource};
use cogpack_frontends_source::Placed;
use serde_json::{Map, Value, json};

use crate::stacks::python::facts::{BaseFrom, PythonFacts};

/// The configuration as JSON. What is neither said nor decided is not there.
pub(super) fn effective(facts: &PythonFacts) -> Value {
    let cog = facts.cog();
    let mut config = Map::new();
    let mut say = |key: &str, value: Option<Value>| {
        config.extend(value.map(|value| (key.to_owned(), value)));
    };
    say("build", Some(build(facts)));
    say("image", cog.image.as_ref().map(text));
    say("model", cog.model.as_ref().map(text));
    say("predict", cog.run.as_ref().map(text));
    say("train", cog.train.as_ref().map(text));
    say("concurrency", facts.concurrency.map(|max| json!({ "max": max })));
    let variables =
        cog.environment.iter().map(|set| format!("{}={}", set.value.name, set.value.value).into());
    say("environment", list(variables.collect()));
    say("weights", list(cog.weights.iter().map(weight).collect()));
    Value::Object(config)
}

fn build(facts: &PythonFacts) -> Value {
    let said = &facts.cog().build;
    let [cuda, cudnn] = match &facts.base.from {
        BaseFrom::Image { cuda, .. } => {
            cuda.each_ref().map(|version| version.as_ref().map(ToString::to_string))
        }
        BaseFrom::Debs(_) => [None, None],
    };
    let is_for_gpu = facts.fit.gpu || cuda.is_some();
    let or = |said: Option<String>, decided: Option<String>| said.or(decided).map(Value::from);
    let mut build = Map::new();
    let mut say = |key: &str, value: Option<Value>| {
        build.extend(value.map(|value| (key.to_owned(), value)));
    };
    say("gpu", Some(is_for_gpu.into()));
    say("cuda", or(said.cuda.as_ref().map(|cuda| cuda.value.to_string()), cuda));
    say("cudnn", or(said.cudnn.as_ref().map(|cudnn| cudnn.value.to_string()), cudnn));
    say("python_version", Some(facts.named_python().into()));
    say("python_requirements", said.python_requirements.as_ref().map(text));
    say("python_packages", list(said.python_packages.iter().map(text).collect()));
    let locked = facts.packages.cog_version.clone();
    say("sdk_version", or(locked, said.sdk_version.as_ref().map(|version| version.value.to_string())));
    say("system_packages", list(said.system_packages.iter().map(text).collect()));
    say("run", list(said.commands.iter().map(command).collect()));
    Value::Object(build)
}

fn command(command: &Command) -> Value {
    if command.secrets.is_empty() {
        return text(&command.line);
    }
    let mount = |secret: &cogpack_frontends_cog_yaml::commands::SecretMount| json!({ "type": "secret", "id": secret.id.value.as_str(), "target": secret.target.value });
    let mounts: Vec<Value> = command.secrets.iter().map(mount).collect();
    json!({ "command": command.line.value, "mounts": mounts })
}

fn weight(weight: &Weight) -> Value {
    let sources: Vec<Value> = weight.sources.iter().map(source).collect();
    json!({ "name": weight.name.value, "target": weight.target.value, "source": sources })
}

fn source(source: &WeightSource) -> Value {
    let mut said = Map::new();
    said.insert("uri".to_owned(), text(&source.uri));
    for (key, patterns) in [("include", &source.include), ("exclude", &source.exclude)] {
        said.extend(list(patterns.iter().map(text).collect()).map(|patterns| (key.to_owned(), patterns)));
    }
    Value::Object(said)
}

fn text<T: ToString>(said: &Placed<T>) -> Value {
    said.value.to_string().into()
}

/// A list, where anything is in it.
fn list(values: Vec<Value>) -> Option<Value> {
    (!values.is_empty()).then_some(Value::Array(values))
}
