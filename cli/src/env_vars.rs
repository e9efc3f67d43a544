//! Every environment variable that is read, and nowhere else is one read.

/// What the environment says, as values.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// `NO_COLOR`: any text that is not empty switches colour off (the no-color convention).
    pub no_color: bool,
    /// `SOURCE_DATE_EPOCH`: seconds since 1970 that every time in an artifact is set to
    /// (the reproducible-builds specification); 0 where nothing is said.
    pub source_date_epoch: Option<String>,
    /// `COLUMNS`: the width of the terminal, where it cannot be asked for.
    pub columns: Option<usize>,
}

impl Environment {
    /// The environment of this process.
    pub fn of_the_process() -> Self {
        Self {
            no_color: std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
            source_date_epoch: std::env::var("SOURCE_DATE_EPOCH").ok(),
            columns: std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()),
        }
    }
}
