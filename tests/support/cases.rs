//! Cases: a file whose first line says which test it belongs to.

use std::path::PathBuf;

use crate::places;

/// One case.
#[derive(Debug)]
pub struct Case {
    /// Where it stands.
    pub path: PathBuf,
    /// The folder below `tests/cases/`, and the file's name without its ending: `text/comments`.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// All cases of one folder, plans as text and as JSON, or projects. Their first line must be `# test KIND`, their second a comment that
/// says why the case exists.
pub fn of(kind: &str) -> Vec<Case> {
    of_folder(kind, kind)
}

/// All cases of one folder below `tests/cases/`, likewise.
pub fn of_folder(folder: &str, kind: &str) -> Vec<Case> {
    let folder = places::root().join("tests/cases").join(folder);
    // A project is several files in one; elsewhere texts are what plans copy.
    let endings: &[&str] = if kind == "project" { &[".txt"] } else { &[".cpk", ".json", ".py"] };
    let cases: Vec<Case> = endings
        .iter()
        .flat_map(|ending| places::files_below(&folder, ending))
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("a case is UTF-8 text");
            let mut lines = text.lines();
            let first = lines.next().unwrap_or_default();
            assert_eq!(first, format!("# test {kind}"), "the first line of {}", places::shown(&path));
            let second = lines.next().unwrap_or_default();
            assert!(
                second.len() > 10 && second.starts_with("# "),
                "{} does not say in its second line why it exists",
                places::shown(&path)
            );
            let below = path.strip_prefix(places::root().join("tests/cases")).expect("it was found there");
            let name = below.with_extension("").to_string_lossy().into_owned();
            Case { path, name, text }
        })
        .collect();
    assert!(!cases.is_empty(), "there is no case of kind `{kind}`");
    cases
}
