//! Reads a whole `cog.yaml`.

use cogpack_frontends_source::{InFile, SourcePath};

use crate::cog_yaml::CogYaml;
use crate::document::load;
use crate::finding::CogYamlFinding;
use crate::handler::HandlerFinding;
use crate::shape::{Form, Reading, Table};
use crate::{build, concurrency, environment, handler, names, weights};

/// What becomes of keys that are not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Strictness {
    /// They are errors.
    #[default]
    Strict,
    /// They are warnings, and nothing else is made of them.
    Lenient,
}

/// Findings of one file, in the order of their places.
pub type Findings = Vec<InFile<CogYamlFinding>>;

const DOCUMENT: Form = Form { key: "cog.yaml", expected: "a mapping", example: "build:" };

const TABLE: Table = Table {
    owner: "`cog.yaml`",
    keys: &["build", "concurrency", "environment", "image", "model", "predict", "run", "train", "weights"],
    elsewhere: &[
        (build::KEYS, "`KEY` belongs below `build`"),
        (&["python"], "`python_version` below `build` says which Python"),
        (&["env"], "variables stand below `environment`"),
    ],
};

/// What a `cog.yaml` says, together with the warnings about it; or all that is wrong with it,
/// warnings among that.
pub fn read(file: &SourcePath, text: &str, strictness: Strictness) -> Result<(CogYaml, Findings), Findings> {
    let (root, findings) = load(text);
    let findings = findings.into_iter().map(CogYamlFinding::from).collect();
    let mut reading = Reading { strictness, findings };
    let cog_yaml = root.and_then(|root| {
        let fields = reading.fields(&root, DOCUMENT, &TABLE)?;
        let mut cog_yaml = CogYaml {
            build: build::read(&mut reading, &fields),
            image: names::image(&mut reading, &fields),
            model: names::model(&mut reading, &fields),
            run: handler::read(&mut reading, &fields, "run"),
            train: handler::read(&mut reading, &fields, "train"),
            concurrency: None,
            environment: environment::read(&mut reading, &fields),
            weights: weights::read(&mut reading, &fields),
        };
        cog_yaml.concurrency =
            concurrency::read(&mut reading, &fields, cog_yaml.build.python_version.as_ref());
        if let Some((predict, _)) = fields.get("predict") {
            reading.found(match fields.get("run") {
                Some((run, _)) => HandlerFinding::Both { place: predict.place, run: run.place },
                None => HandlerFinding::Predict { place: predict.place },
            });
            cog_yaml.run = handler::read(&mut reading, &fields, "predict").or(cog_yaml.run);
        }
        Some(cog_yaml)
    });
    let Reading { mut findings, .. } = reading;
    findings.sort_by_key(CogYamlFinding::start);
    let is_refused = findings.iter().any(CogYamlFinding::is_error);
    let findings = findings.into_iter().map(|finding| InFile::new(file, finding)).collect();
    match cog_yaml {
        Some(cog_yaml) if !is_refused => Ok((cog_yaml, findings)),
        Some(_) | None => Err(findings),
    }
}
