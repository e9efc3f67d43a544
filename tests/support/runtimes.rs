//! The OCI runtimes that tests may use, which takes root.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use cogpack_cli::Environment;

use crate::skipped;

/// A runtime, if programs can be run with one here. Otherwise the reason is printed.
pub fn any() -> Option<PathBuf> {
    all().into_iter().next()
}

/// Each runtime that is here.
pub fn all() -> Vec<PathBuf> {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    if !is_root {
        skipped("running programs takes root");
        return Vec::new();
    }
    let search = std::env::var_os("PATH").unwrap_or_default();
    let directories: Vec<PathBuf> = std::env::split_paths(&search).collect();
    let find = |name: &str| directories.iter().map(|path| path.join(name)).find(|path| path.is_file());
    let found: Vec<PathBuf> = ["crun", "runc"].into_iter().filter_map(find).collect();
    if found.is_empty() {
        skipped("there is no crun and no runc on PATH");
    }
    found
}

/// An environment in which runtimes are found.
pub fn environment() -> Environment {
    let mut environment = Environment::default();
    environment.docker.path = std::env::var_os("PATH");
    environment
}

/// The layout of the rig's Debian, with its tag.
pub fn debian() -> Option<String> {
    let layouts = std::env::var_os("COGPACK_TEST_LAYOUTS");
    if layouts.is_none() {
        skipped("there is no base image: eval \"$(tests/rig/rig env)\" first");
    }
    Some(format!("{}:bookworm-slim", Path::new(&layouts?).join("debian").display()))
}
