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

/// A `cog.yaml` that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// What of it can be read: a key that is refused is as if it were not there.
    pub readable: CogYaml,
    /// Whether all of `build` is among that.
    pub is_build_known: bool,
    /// All that is wrong with it, warnings among that.
    pub findings: Findings,
}

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

/// What a `cog.yaml` says, together with the warnings about it; or all that is wrong with it, and what can be
/// read of it all the same.
pub fn read(
    file: &SourcePath,
    text: &str,
    strictness: Strictness,
) -> Result<(CogYaml, Findings), Box<Refused>> {
    let (root, findings) = load(text);
    let findings = findings.into_iter().map(CogYamlFinding::from).collect();
    let mut reading = Reading { strictness, findings };
    let mut is_build_known = false;
    let cog_yaml = root.and_then(|root| {
        let fields = reading.fields(&root, DOCUMENT, &TABLE)?;
        let build = build::read(&mut reading, &fields);
        // A key of the document that nobody knows may be meant for `build`.
        is_build_known = !reading.findings.iter().any(CogYamlFinding::is_error);
        let mut cog_yaml = CogYaml {
            build,
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
        readable => {
            Err(Box::new(Refused { readable: readable.unwrap_or_default(), is_build_known, findings }))
        }
    }
}
