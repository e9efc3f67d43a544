//! What a Dockerfile says instead of a mount that its dialect lacks, read back as that mount.
//!
//! Builds show that the scripts do what a mount does; here it counts that they name the right
//! places, and that the program and its arguments come through whole.

use std::collections::BTreeMap;

use cogpack_tests::dockerfile::build::{Run, without_env, without_export};
use cogpack_tests::dockerfile::mounts::Options;

/// Where stand-ins wait.
const FOLDER: &str = ".cogpackc-mounts";

/// Reads the runs of a Dockerfile with `expected` as the plan has them.
pub fn read_back(expected: &[Run], read: Vec<Run>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut prepared = String::new();
    for mut run in read {
        let script = script_of(&run);
        if run.argv.len() == 3 && script.is_some_and(|script| script.contains(FOLDER)) {
            // Preparing comes before the run, restoring after it.
            let is_preparing = script.is_some_and(|script| script.contains("stand_in() ("));
            prepared = if is_preparing { script.unwrap_or_default().to_owned() } else { String::new() };
            continue;
        }
        let around =
            script.filter(|it| it.lines().any(|line| matches!(line, "(exec \"$@\")" | "exec \"$@\"")));
        if let Some(around) = around.filter(|_| run.argv.get(3).is_some_and(|name| name == "sh")) {
            prepared.push_str(around);
            run.argv.drain(..4);
            run.argv = without_env(run.argv, &mut run.env);
            run.argv = without_export(run.argv, &mut run.env);
        }
        if let Some(expected) = expected.get(runs.len()) {
            let stand_in = |mount: &&Options| !run.mounts.contains(mount) && is_in(&prepared, mount);
            let mounts: Vec<Options> = expected.mounts.iter().filter(stand_in).cloned().collect();
            run.mounts.retain(|mount| !mount.get("target").is_some_and(|path| is_read(&prepared, path)));
            run.mounts.extend(mounts);
            run.mounts.sort_by_key(|mount| expected.mounts.iter().position(|it| it == mount));
        }
        runs.push(run);
    }
    runs
}

/// Leaves out where stand-ins wait: programs take them away, and none is run here.
pub fn without_folder(files: &mut BTreeMap<String, String>) {
    files.retain(|path, _| !path.starts_with(FOLDER));
}

fn script_of(run: &Run) -> Option<&str> {
    match run.argv.as_slice() {
        [shell, option, script, ..]
            if shell == "/bin/sh" && option == "-c" && script.starts_with("set -e\n") =>
        {
            Some(script)
        }
        _ => None,
    }
}

/// Whether a script makes what a mount shows.
fn is_in(script: &str, mount: &Options) -> bool {
    let place = mount.get("target");
    match (mount.get("env"), place) {
        (Some(variable), _) => script.contains(&format!("export {variable}=")),
        (None, Some(path)) => {
            script.lines().any(|line| line.starts_with(&format!("stand_in {} ", in_shell(path))))
        }
        (None, None) => false,
    }
}

/// A path as a shell reads it back.
fn in_shell(path: &str) -> String {
    let is_bare = |it: char| it.is_ascii_alphanumeric() || "._+@/:,%-".contains(it);
    if path.chars().all(is_bare) { path.to_owned() } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

/// Whether a script reads a variable from a file.
fn is_read(script: &str, path: &str) -> bool {
    script.contains(&format!("$(/bin/cat {path}; printf .)"))
}
