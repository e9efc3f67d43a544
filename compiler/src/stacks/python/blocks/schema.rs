//! What the model takes and gives, for its server to judge inputs by.

use super::{PROJECT, PythonFacts, file};
use crate::composer::{Desk, StageParts};
use crate::stacks::block::{Block, Detected};

/// Puts the OpenAPI document where cog's server looks for it. It changes more seldom than the project's
/// other files, so it stands before them: an edit of these makes nothing else anew.
pub(super) struct SchemaFile;

impl Block<PythonFacts> for SchemaFile {
    fn name(&self) -> &'static str {
        "schema"
    }

    fn provides(&self) -> &'static [&'static str] {
        &["schema"]
    }

    fn requires(&self) -> &'static [&'static str] {
        &["base"]
    }

    fn detect(&self, facts: &PythonFacts) -> Detected {
        match facts.schema {
            None => Detected::No("the project says neither `run` nor `train`"),
            Some(_) => Detected::Yes(facts.evidence()),
        }
    }

    fn plan(&self, facts: &PythonFacts, desk: &mut Desk<'_>) {
        let handler = facts.cog().run.as_ref().or(facts.cog().train.as_ref());
        desk.at(handler.and_then(|handler| facts.at(handler.place)));
        let document = facts.schema.iter().map(|schema| {
            let path = format!("{PROJECT}/.cog/openapi_schema.json");
            (file(&path, schema), None)
        });
        let ops = document.collect();
        desk.stage("export.app", "schema", StageParts { ops, ..StageParts::default() });
    }
}
