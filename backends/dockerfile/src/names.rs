//! Names of stages that a Dockerfile takes, one for each stage of the plan.
//!
//! They start with a small letter, and have only small letters, digits, `.`, `_` and `-`.

use std::collections::BTreeMap;

use cogpack_content::Lookup;
use cogpack_ir::plan::{InputName, StageName};

/// Hands out names, each once.
#[derive(Debug, Default)]
pub struct Names {
    taken: Lookup<String, ()>,
    of_stage: Lookup<StageName, String>,
    of_context: BTreeMap<InputName, String>,
}

impl Names {
    /// Names every stage, in order.
    pub fn of<'a>(stages: impl IntoIterator<Item = &'a StageName>) -> Self {
        // A stage called `scratch` could not be told from the empty one.
        let mut names =
            Self { taken: std::iter::once(("scratch".to_owned(), ())).collect(), ..Self::default() };
        for stage in stages {
            let name = names.fresh(stage.as_str());
            names.of_stage.insert(stage.clone(), name);
        }
        names
    }

    /// The name of a stage of the plan.
    pub fn stage<'n>(&'n self, name: &'n StageName) -> &'n str {
        // Every stage that is needed was named by `of`.
        self.of_stage.get(name).map_or(name.as_str(), String::as_str)
    }

    /// The name of a context that the command line gives: a stage of that name could not be told
    /// from it.
    pub fn context(&mut self, name: &InputName) -> String {
        if let Some(given) = self.of_context.get(name) {
            return given.clone();
        }
        let given = self.fresh(name.as_str());
        self.of_context.insert(name.clone(), given.clone());
        given
    }

    /// The name that a context was given before.
    pub fn given_to<'n>(&'n self, name: &'n InputName) -> &'n str {
        self.of_context.get(name).map_or(name.as_str(), String::as_str)
    }

    /// A name like `wanted` that is not taken yet.
    pub fn fresh(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_ascii_lowercase();
        if !name.starts_with(|first: char| first.is_ascii_lowercase()) {
            name.insert_str(0, "stage-");
        }
        let mut candidate = name.clone();
        let mut count = 2;
        while self.taken.insert(candidate.clone(), ()).is_some() {
            candidate = format!("{name}-{count}");
            count += 1;
        }
        candidate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_valid_and_distinct() {
        let stages: Vec<StageName> = ["venv", "Venv", "0", "scratch", "venv-2"]
            .iter()
            .map(|name| StageName::new(name).expect("is a name"))
            .collect();
        let mut names = Names::of(&stages);
        let given: Vec<&str> = stages.iter().map(|stage| names.stage(stage)).collect();
        assert_eq!(given, ["venv", "venv-2", "stage-0", "scratch-2", "venv-2-2"]);
        assert_eq!(names.fresh("venv"), "venv-3");
    }
}
