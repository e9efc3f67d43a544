//! What a lock is made of: which packages the project asks for, for which Python and platforms.
//!
//! The digest of all of it stands in the lock, so that a lock of other wishes is known as one without
//! asking anybody.

use std::collections::BTreeSet;

use cogpack_content::{Digest, Platform};
use cogpack_frontends_cog_yaml::versions::SdkVersion;
use cogpack_frontends_cog_yaml::{CogYaml, read};
use cogpack_frontends_source::{InFile, Source, SourcePath, Unread};
use cogpack_packages_wheels::target::PythonVersion;

use super::finding::PythonFinding;
use super::{COG_YAML, versions};
use crate::stacks::{Findings, Request, text};

/// All that a resolver is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockInputs {
    /// Which Python.
    pub python: PythonVersion,
    /// For which machines.
    pub platforms: BTreeSet<Platform>,
    /// Files of requirements, as pip reads them.
    pub files: Vec<SourcePath>,
    /// Requirements that stand in no such file.
    pub lines: Vec<String>,
    /// Whether versions before a release count.
    pub prereleases: bool,
    /// Files that may change what the others mean, and all of these: what the lock depends on.
    texts: Vec<(SourcePath, String)>,
}

impl LockInputs {
    /// What tells these inputs from all others.
    pub fn digest(&self) -> Digest {
        let mut text = format!("python {}\nprereleases {}\n", self.python, self.prereleases);
        for platform in &self.platforms {
            text.push_str(&format!("platform {platform}\n"));
        }
        for line in &self.lines {
            text.push_str(&format!("line {} {line}\n", line.len()));
        }
        for (file, content) in &self.texts {
            text.push_str(&format!("file {file} {}\n{content}\n", content.len()));
        }
        Digest::of(text.as_bytes())
    }
}

/// What the lock of a project is to be made of.
pub fn inputs(source: &Source, request: &Request) -> Result<Result<LockInputs, Findings>, Unread> {
    let cog_yaml = SourcePath::new(COG_YAML).expect("the name is a path");
    let found = match text(source, &cog_yaml)? {
        Ok(Some(text)) => text,
        Ok(None) => {
            return Ok(Err(vec![InFile::new(&SourcePath::root(), PythonFinding::NoCogYaml.into())]));
        }
        Err(finding) => return Ok(Err(vec![finding])),
    };
    let cog = match read(&cog_yaml, found, request.strictness) {
        Ok((cog, _)) => cog,
        Err(findings) => return Ok(Err(findings.into_iter().map(InFile::of).collect())),
    };
    match versions::python(source, &cog_yaml, &cog)? {
        Ok(python) => of(source, request, &cog_yaml, &cog, python.value),
        Err(finding) => Ok(Err(vec![finding])),
    }
}

/// The same of a `cog.yaml` that has been read.
pub(super) fn of(
    source: &Source,
    request: &Request,
    cog_yaml: &SourcePath,
    cog: &CogYaml,
    python: PythonVersion,
) -> Result<Result<LockInputs, Findings>, Unread> {
    let mut lines: Vec<String> =
        cog.build.python_packages.iter().map(|package| package.value.clone()).collect();
    let mut prereleases = false;
    lines.push(match cog.build.sdk_version.as_ref().map(|said| &said.value) {
        Some(SdkVersion::Exactly(version)) => format!("cog=={version}"),
        Some(SdkVersion::Prerelease) => {
            prereleases = true;
            "cog".to_owned()
        }
        None => "cog".to_owned(),
    });
    let mut files = Vec::new();
    let mut texts = Vec::new();
    if let Some(named) = &cog.build.python_requirements {
        files.push(named.value.clone());
        let mut to_read = vec![named.value.clone()];
        let mut seen = BTreeSet::new();
        while let Some(file) = to_read.pop() {
            if !seen.insert(file.clone()) {
                continue;
            }
            match text(source, &file)? {
                Ok(Some(content)) => {
                    to_read.extend(included(&file, content));
                    texts.push((file, content.to_owned()));
                }
                Ok(None) => {
                    let place = named.place.into();
                    let finding = PythonFinding::NoRequirements { file: file.to_string(), place };
                    return Ok(Err(vec![InFile::new(cog_yaml, finding.into())]));
                }
                Err(finding) => return Ok(Err(vec![finding])),
            }
        }
        texts.sort();
    }
    let platforms = request.platforms.clone();
    Ok(Ok(LockInputs { python, platforms, files, lines, prereleases, texts }))
}

/// The files of the project that a file of requirements takes in.
fn included(file: &SourcePath, text: &str) -> Vec<SourcePath> {
    let options = ["--requirement", "--constraint", "-r", "-c"];
    let named = |line: &str| {
        let line = line.trim();
        let rest = options.iter().find_map(|option| line.strip_prefix(option))?;
        let name = rest.trim_start_matches(['=', ' ', '\t']).split(" #").next()?.trim();
        file.directory().join(name).ok()
    };
    text.lines().filter_map(named).collect()
}
