//! Where managed weights will be: directories for them to be mounted on.

use cogpack_ir::plan::OpKind;
use cogpack_ir::plan::file_ops::MakeDirectory;

use super::{PythonFacts, literal};
use crate::composer::{Desk, Origin, StageParts};
use crate::stacks::block::{Block, Detected};

/// Makes the targets of `weights`, empty.
pub(super) struct WeightTargets;

impl Block<PythonFacts> for WeightTargets {
    fn name(&self) -> &'static str {
        "weights"
    }

    fn requires(&self) -> &'static [&'static str] {
        &["base"]
    }

    fn after(&self) -> &'static [&'static str] {
        &["source"]
    }

    fn detect(&self, facts: &PythonFacts) -> Detected {
        match facts.cog().weights.is_empty() {
            true => Detected::No("the project has no managed weights"),
            false => Detected::Yes(facts.evidence()),
        }
    }

    fn plan(&self, facts: &PythonFacts, desk: &mut Desk<'_>) {
        let block = desk.origin().block;
        let made = |weight: &cogpack_frontends_cog_yaml::weights::Weight| {
            let path = literal(&weight.target.value);
            let origin = Origin { block: block.clone(), at: facts.at(weight.target.place) };
            (OpKind::Mkdir(Box::new(MakeDirectory { path, mode: None, owner: None })), Some(origin))
        };
        let ops = facts.cog().weights.iter().map(made).collect();
        desk.at(facts.cog().weights.first().and_then(|weight| facts.at(weight.target.place)));
        desk.stage("export.app", "weights", StageParts { ops, ..StageParts::default() });
    }
}
