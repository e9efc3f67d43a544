//! Python models: `cog.yaml`, or a Python project that says what it runs.
//!
//! [`facts`] is all that is known of the project, gathered once; [`blocks`] make the plan of it. A
//! model's image starts from an image of the catalogue that has the Python asked for, and takes its
//! packages as locked wheels, so that making it runs no program unless the project itself asks for
//! some.

mod ahead;
mod blocks;
mod build_base;
pub mod certificates;
pub mod debs;
pub mod debs_finding;
mod decisions;
mod facts;
pub mod finding;
pub mod fit;
mod gather;
mod installers;
mod labels;
pub mod lock;
pub mod lock_inputs;
mod named;
pub mod on_demand;
mod said;
mod serves;
mod sources;
mod start;
pub mod unsolvable;
mod versions;

#[cfg(test)]
mod tests;

use cogpack_frontends_schema::Signature;
use cogpack_frontends_source::file::names;
use cogpack_frontends_source::{InFile, Kind, Names, Source, SourcePath, Unread};

use super::block::compose;
use super::detect::{Evidence, Weight};
use super::why::Why;
use super::{ConfigFile, ImageName, NoPlan, Planned, ProjectFinding, Request, Stack};

/// The stack of Python models.
pub struct PythonStack;

impl Stack for PythonStack {
    fn name(&self) -> &'static str {
        "python"
    }

    fn detect(
        &self,
        source: &Source,
        config: &ConfigFile,
    ) -> Result<Result<Vec<Evidence>, InFile<ProjectFinding>>, Unread> {
        let root = SourcePath::root();
        let names = match names(source, &root)? {
            Ok(Names::Are(names)) => names,
            Ok(Names::Absent | Names::Unreadable(_)) => return Ok(Ok(Vec::new())),
            Err(finding) => return Ok(Err(finding.of())),
        };
        let mut evidence = Vec::new();
        // It may be in a directory of the project.
        if source.kind(config.path())? == Some(Kind::File) {
            evidence.push(Evidence { weight: Weight::Image, file: config.path().clone() });
        }
        for (name, kind) in names {
            let weight = match name.as_str() {
                "cogpack.toml" => Weight::Image,
                "pyproject.toml" | "uv.lock" | "setup.py" | "setup.cfg" | "requirements.txt"
                | ".python-version" => Weight::Declaration,
                name if name.ends_with(".py") => Weight::Language,
                name if name.starts_with("pylock.") && name.ends_with("toml") => Weight::Declaration,
                _ => continue,
            };
            if *kind == Kind::File {
                // Names of directories are texts without `/`, so each is a path.
                evidence.extend(root.join(name).ok().map(|file| Evidence { weight, file }));
            }
        }
        Ok(Ok(evidence))
    }

    fn plan(
        &self,
        source: &Source,
        request: &Request,
        evidence: Vec<Evidence>,
    ) -> Result<Result<Planned, NoPlan>, Unread> {
        // By one of these it is a project at all.
        let first = evidence.first().map(|first| first.file.clone());
        let mut why = Why::of(self.name(), evidence);
        let (facts, warnings) = match gather::gather(source, request, &mut why)? {
            Ok(gathered) => gathered,
            Err(findings) => return Ok(Err(NoPlan { why: Some(Box::new(why)), findings })),
        };
        let config = Some(&facts.said.config).filter(|config| **config != SourcePath::root());
        let ground = config.cloned().or(first).map(|file| (file, 1));
        let composed = compose(&blocks::all(), &facts, request.platforms.clone(), ground);
        Ok(match composed {
            Ok((plan, blocks)) => {
                why.blocks = blocks;
                let image = facts.said.image_name();
                let packages = facts.packages.directories.clone();
                Ok(Planned { plan, why, image, warnings, packages })
            }
            Err(findings) => {
                let at = &facts.said.config;
                let told = findings.into_iter().map(|finding| InFile::new(at, finding.into()));
                Err(NoPlan { why: Some(Box::new(why)), findings: warnings.into_iter().chain(told).collect() })
            }
        })
    }

    fn signature(&self, source: &Source, request: &Request) -> Result<Option<Signature>, Unread> {
        facts::signature(source, request)
    }

    fn image_name(&self, source: &Source, request: &Request) -> Result<Option<ImageName>, Unread> {
        Ok(said::read_all(source, request)?.ok().map(|(said, _)| said.image_name()))
    }
}
