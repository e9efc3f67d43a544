//! Reads the text of a plan from a file or a stream.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::files::{read_all_limited, read_limited};

/// Far above any plan: a hundred thousand stages are some tens of megabytes.
const LARGEST: u64 = 256 << 20;

/// Why there is no text.
#[derive(Debug, thiserror::Error)]
pub enum PlanFileError {
    /// The file or stream failed.
    #[error("read the plan `{}`", path.display())]
    Read {
        /// The file, or `-`.
        path: PathBuf,
        /// What happened.
        #[source]
        source: io::Error,
    },
    /// It is larger than any plan.
    #[error("the plan `{}` has more than {} MiB", path.display(), LARGEST >> 20)]
    TooLarge {
        /// The file, or `-`.
        path: PathBuf,
    },
    /// It is not UTF-8.
    #[error("the plan `{}` is not UTF-8: byte {at} is no part of a character", path.display())]
    NotText {
        /// The file, or `-`.
        path: PathBuf,
        /// The first wrong byte, counted from 0.
        at: usize,
    },
}

/// The text of the plan at `path`.
pub fn read_plan(path: &Path) -> Result<String, PlanFileError> {
    text(path, read_limited(path, LARGEST))
}

/// The text of a plan on a stream, which messages call `-`.
pub fn read_plan_from(stream: &mut dyn Read) -> Result<String, PlanFileError> {
    text(Path::new("-"), read_all_limited(stream, LARGEST))
}

fn text(path: &Path, read: io::Result<Option<Vec<u8>>>) -> Result<String, PlanFileError> {
    let path = path.to_owned();
    match read {
        Err(source) => Err(PlanFileError::Read { path, source }),
        Ok(None) => Err(PlanFileError::TooLarge { path }),
        Ok(Some(bytes)) => String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            PlanFileError::NotText { path, at }
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_and_what_is_none_is_said() {
        assert_eq!(read_plan_from(&mut &b"cpk 1\n"[..]).expect("is text"), "cpk 1\n");
        let error = read_plan_from(&mut &b"cpk\xff"[..]).expect_err("is no text");
        assert!(matches!(error, PlanFileError::NotText { at: 3, .. }));
        let error = read_plan(Path::new("/nowhere/plan.cpk")).expect_err("is not there");
        assert!(error.to_string().contains("/nowhere/plan.cpk"));
    }
}
