//! What is to be asked: something that is built first, an image on this machine's disk, or one that the
//! Engine has.

use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// What a command line names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A plan or a directory, which is built.
    Project(PathBuf),
    /// The directory of an OCI image layout.
    Layout(PathBuf),
    /// An archive of a layout, or of `docker save`.
    Archive(PathBuf),
    /// The name or id of an image that the Engine has.
    Image(String),
}

impl Target {
    /// What `named` is, seen from `directory`.
    pub fn of(named: &Path, directory: &Path) -> Result<Self, Failure> {
        let full = directory.join(named);
        if named == Path::new("-") {
            return Ok(Self::Project(named.to_owned()));
        }
        if full.is_dir() {
            return Ok(match full.join("oci-layout").is_file() {
                true => Self::Layout(full),
                false => Self::Project(named.to_owned()),
            });
        }
        let ending = named.extension().and_then(|ending| ending.to_str());
        if full.is_file() {
            return Ok(match ending {
                Some("tar" | "gz" | "tgz") => Self::Archive(full),
                Some(_) | None => Self::Project(named.to_owned()),
            });
        }
        let text = named.to_str().filter(|text| !text.is_empty() && !text.starts_with(['.', '/']));
        match text {
            Some(text) if !matches!(ending, Some("cpk" | "json" | "tar")) => Ok(Self::Image(text.to_owned())),
            Some(_) | None => Err(Failure::new(format!("there is no `{}`", named.display()))
                .with_hint("name a plan, the directory of one, an OCI image layout, or an image")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_target_is_known_by_what_is_there() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let root = folder.path();
        for directory in ["layout", "project"] {
            fs::create_dir(root.join(directory)).expect("can be made");
        }
        for file in ["layout/oci-layout", "plan.cpk", "app.tar"] {
            fs::write(root.join(file), "").expect("can be written");
        }
        for (named, target) in [
            ("layout", Target::Layout(root.join("layout"))),
            ("project", Target::Project("project".into())),
            ("plan.cpk", Target::Project("plan.cpk".into())),
            ("-", Target::Project("-".into())),
            ("app.tar", Target::Archive(root.join("app.tar"))),
            ("me/app:1", Target::Image("me/app:1".to_owned())),
            ("localhost:5000/app.v1", Target::Image("localhost:5000/app.v1".to_owned())),
        ] {
            assert_eq!(Target::of(Path::new(named), root).ok(), Some(target), "{named}");
        }
        for missing in ["./app", "/none/app", "app.cpk", "other.tar"] {
            let failure = Target::of(Path::new(missing), root).expect_err("is not there");
            assert_eq!(failure.message, format!("there is no `{missing}`"));
        }
    }
}
