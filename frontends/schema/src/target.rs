//! Which class or function of which file is the model.

use cogpack_frontends_source::SourcePath;
use cogpack_frontends_source::path::NotInProject;

/// What a target is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Use {
    /// Predictions: `run:` of a configuration, or `predict:` as it was called before.
    Run,
    /// Trainings: `train:`.
    Train,
}

/// A class or function: `run: "run.py:Runner"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The file.
    pub file: SourcePath,
    /// The class or function in it.
    pub name: String,
    /// What for.
    pub used_for: Use,
}

/// Why a text names no target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoTarget {
    /// It has no `.py:`.
    #[error("`{0}` is not of the form `FILE.py:NAME`")]
    Form(String),
    /// What follows is no name of Python.
    #[error("`{0}` is no name of a class or function")]
    Name(String),
    /// The file is none of the project's.
    #[error("`{0}`: {1}")]
    File(String, NotInProject),
}

impl Target {
    /// Reads `run.py:Runner`.
    pub fn parse(text: &str, used_for: Use) -> Result<Self, NoTarget> {
        let form = || NoTarget::Form(text.to_owned());
        let (file, name) = text.split_once(".py:").ok_or_else(form)?;
        let opening = |letter: char| letter == '_' || letter.is_alphabetic();
        let of_a_name = |letter: char| letter == '_' || letter.is_alphanumeric();
        if file.is_empty() {
            return Err(form());
        }
        if !name.starts_with(opening) || !name.chars().all(of_a_name) {
            return Err(NoTarget::Name(name.to_owned()));
        }
        let file = format!("{file}.py");
        let path = SourcePath::new(&file).map_err(|error| NoTarget::File(file, error))?;
        Ok(Self { file: path, name: name.to_owned(), used_for })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_a_file_and_a_name() {
        let target = Target::parse("src/run.py:Runner", Use::Run).unwrap();
        assert_eq!((target.file.as_str(), &*target.name), ("src/run.py", "Runner"));
        let message = |text| Target::parse(text, Use::Run).unwrap_err().to_string();
        assert_eq!(message("run.py"), "`run.py` is not of the form `FILE.py:NAME`");
        assert_eq!(message(".py:Runner"), "`.py:Runner` is not of the form `FILE.py:NAME`");
        assert_eq!(message("run.py:a.b"), "`a.b` is no name of a class or function");
        assert_eq!(message("a.py:b.py:C"), "`b.py:C` is no name of a class or function");
        assert_eq!(message("../run.py:R"), "`../run.py`: it leads out of the project's directory");
    }
}
