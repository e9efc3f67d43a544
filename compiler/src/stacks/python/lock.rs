//! The locked packages of a model: what its lock file names for its Python and its platforms.

use std::collections::BTreeSet;

use cogpack_frontends_source::{InFile, Source, SourcePath, Unread};
use cogpack_packages_wheels::file_name::normalised;
use cogpack_packages_wheels::lock::{LockedWheel, Request as WheelRequest, choose};
use cogpack_packages_wheels::target::{PythonVersion, Target};

use super::finding::PythonFinding;
use crate::stacks::{Findings, Request, text};

/// Where the lock of a model is. PEP 751 gives such names to the locks of a purpose.
pub const LOCK: &str = "pylock.cog.toml";

/// The packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locked {
    /// The lock file.
    pub lock: SourcePath,
    /// The framework and what comes with it.
    pub frameworks: Vec<LockedWheel>,
    /// All others.
    pub packages: Vec<LockedWheel>,
    /// The version of cog's runtime.
    pub cog_version: Option<String>,
}

/// Packages that come with a framework, in a version that the framework names: they change when it
/// does, and are most of its size.
const FRAMEWORKS: [&str; 8] =
    ["jax", "jaxlib", "tensorflow", "tensorflow-cpu", "torch", "torchaudio", "torchvision", "triton"];
const OF_FRAMEWORKS: [&str; 3] = ["nvidia-", "jax-cuda", "tensorflow-intel"];

/// What the lock file says.
pub(super) fn read(
    source: &Source,
    request: &Request,
    python: PythonVersion,
) -> Result<Result<Locked, Findings>, Unread> {
    let lock = SourcePath::new(LOCK).expect("the name is a path");
    let found = match text(source, &lock)? {
        Ok(Some(text)) => text,
        Ok(None) => {
            return Ok(Err(vec![InFile::new(&SourcePath::root(), PythonFinding::NoLock.into())]));
        }
        Err(finding) => return Ok(Err(vec![finding])),
    };
    let targets: Vec<Target> =
        request.platforms.iter().map(|platform| Target { python, platform: platform.clone() }).collect();
    let nothing = BTreeSet::new();
    let wanted = WheelRequest {
        targets: &targets,
        patch: None,
        extras: &nothing,
        groups: &nothing,
        without: &nothing,
    };
    let chosen = match choose(found, &wanted) {
        Ok(chosen) => chosen,
        Err(problems) => {
            let told = |problem| InFile::new(&lock, PythonFinding::Lock { problem }.into());
            return Ok(Err(problems.into_iter().map(told).collect()));
        }
    };
    let name = |wheel: &LockedWheel| normalised(&wheel.file.distribution);
    let cog_version =
        chosen.iter().find(|wheel| name(wheel) == "cog").map(|wheel| wheel.file.version.clone());
    let (frameworks, packages) = chosen.into_iter().partition(|wheel| is_of_a_framework(&name(wheel)));
    Ok(Ok(Locked { lock, frameworks, packages, cog_version }))
}

fn is_of_a_framework(name: &str) -> bool {
    FRAMEWORKS.contains(&name) || OF_FRAMEWORKS.iter().any(|prefix| name.starts_with(prefix))
}
