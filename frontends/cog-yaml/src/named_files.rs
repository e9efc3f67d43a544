//! Whether the files that a `cog.yaml` names are there.

use cogpack_frontends_source::{InFile, Kind, Names, Place, Source, SourcePath, Unread};
use cogpack_ir::suggest::nearest;
use miette::Diagnostic;

use crate::cog_yaml::CogYaml;
use crate::finding::CogYamlFinding;

/// What is wrong with a file that is named.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum NamedFileFinding {
    /// It is not there.
    #[error("`{key}` names the file `{path}`, and {problem}")]
    #[diagnostic(code("project::cog-yaml::no-such-file"), help("{way_out}"))]
    Absent {
        /// The key.
        key: &'static str,
        /// The file.
        path: SourcePath,
        /// What is there instead.
        problem: &'static str,
        /// What was meant, or what to do.
        way_out: String,
        /// Where it is named.
        #[label("no such file")]
        place: Place,
    },
}

/// Findings for files that are named and not there.
pub fn named_files(
    cog_yaml: &CogYaml,
    file: &SourcePath,
    source: &Source,
) -> Result<Vec<InFile<CogYamlFinding>>, Unread> {
    let requirements = cog_yaml.build.python_requirements.as_ref();
    let requirements = requirements.map(|path| ("build.python_requirements", &path.value, path.place));
    let handlers = [("run", &cog_yaml.run), ("train", &cog_yaml.train)];
    let handlers = handlers.into_iter().filter_map(|(key, handler)| {
        let handler = handler.as_ref()?;
        Some((key, &handler.value.file, handler.place))
    });
    let mut findings = Vec::new();
    let mut unread: Option<Unread> = None;
    for (key, path, place) in requirements.into_iter().chain(handlers) {
        match absent(key, path, place, source) {
            Ok(finding) => findings.extend(finding.map(|finding| InFile::new(file, finding.into()))),
            Err(more) => {
                unread = Some(match unread {
                    Some(unread) => unread.and(more),
                    None => more,
                });
            }
        }
    }
    unread.map_or(Ok(findings), Err)
}

fn absent(
    key: &'static str,
    path: &SourcePath,
    place: Place,
    source: &Source,
) -> Result<Option<NamedFileFinding>, Unread> {
    let problem = match source.kind(path)? {
        Some(Kind::File) => return Ok(None),
        Some(Kind::Directory) => "that is a directory",
        Some(Kind::Other) => "that is no file of the project",
        None => "there is none",
    };
    let meant = match source.names(&path.directory())? {
        Names::Are(names) => nearest(path.name(), names.keys().map(String::as_str)).map(str::to_owned),
        Names::Absent | Names::Unreadable(_) => None,
    };
    let way_out = match meant.filter(|meant| meant != path.name()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "make the file, or name one that is there, by its path from `cog.yaml` on".to_owned(),
    };
    Ok(Some(NamedFileFinding::Absent { key, path: path.clone(), problem, way_out, place }))
}
