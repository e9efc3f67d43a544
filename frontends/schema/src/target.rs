//! Which class or function of which file is the model.

use cogpack_frontends_source::SourcePath;

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
