//! The lock of the Debian packages that a project's image is made of: `cogpackc lock DIR --base debian`.

use std::fs;

use cogpack_compiler::stacks::python::debs::{DebInputs, lock_text};
use cogpack_io_packages::apt::Source;
use cogpack_io_project::files::write_file_atomically;

use super::arguments::Archive;
use super::{Wanted, architecture, named_archive};
use crate::console::Console;
use crate::failure::Failure;
use crate::packages::Machine;
use crate::project::Project;
use crate::report::{self, Format};

/// The releases of Debian that archives are known by, newest first.
const RELEASES: [&str; 4] = ["forky", "trixie", "bookworm", "bullseye"];

/// Chooses, of the archive that is named or else of those of the machine, and writes the lock of a project.
pub fn write(
    project: &Project,
    inputs: &DebInputs,
    archive: Option<&Archive>,
    format: Format,
    console: &mut Console<'_>,
) -> Result<(), Failure> {
    let names: Vec<String> = inputs.names.iter().cloned().collect();
    let mut sets = Vec::new();
    for platform in &inputs.platforms {
        let architecture = architecture(platform)?;
        let named = match archive {
            Some(archive) => named_archive(archive, Some(inputs.suite), Machine::new(None, console))?,
            None => None,
        };
        let sources = match named {
            Some(named) => vec![named],
            None => sources(inputs.suite, architecture, console)?,
        };
        let wanted = Wanted {
            names: &names,
            without: &inputs.without,
            essential: inputs.essential,
            architecture,
            sources: &sources,
            suite: Some(inputs.suite),
        };
        sets.push((platform.clone(), wanted.locked(format, console)?));
    }
    let packages: usize = sets.iter().map(|(_, set)| set.packages.len()).sum();
    let lock = lock_text(sets, inputs);
    let path = project.directory().join(project.config().deb_lock().as_str());
    let shown = project.shown_path(&project.config().deb_lock());
    if fs::read_to_string(&path).is_ok_and(|there| there == lock) {
        report::remark(&format!("{shown} is up to date"), format, console);
        return Ok(());
    }
    write_file_atomically(&path, lock.as_bytes()).map_err(|error| Failure::of(&error))?;
    report::remark(&format!("{shown} has {packages} packages of {}", inputs.suite), format, console);
    Ok(())
}

/// The archives of a release: those of it that the machine names, or else that release in the archives
/// of Debian that it names for another one. These have it too, and its signature is looked at likewise.
fn sources(suite: &str, architecture: &str, console: &Console<'_>) -> Result<Vec<Source>, Failure> {
    let machine = Machine::new(None, console);
    let mut named = machine.archives()?;
    named.retain(|source| source.is_for(architecture));
    let of = |release: &str| -> Vec<Source> {
        let mut found = named.clone();
        found.retain(|source| source.is_of(release));
        found
    };
    let there = of(suite);
    if !there.is_empty() {
        return Ok(there);
    }
    let other =
        RELEASES.iter().find_map(|release| Some((*release, of(release))).filter(|it| !it.1.is_empty()));
    let Some((release, mut found)) = other else {
        let failure = Failure::new(format!(
            "this machine names no archive of Debian in `{}`, and {suite} is to be locked",
            machine.apt().display()
        ));
        return Err(failure.with_hint(
            "name one, `--mirror ADDRESS --keyring FILE`; or COGPACK_APT names a directory like /etc/apt, with a `sources.list` and the keys of the archive in \
             `trusted.gpg.d`",
        ));
    };
    for source in &mut found {
        source.suite = source.suite.replacen(release, suite, 1);
    }
    Ok(found)
}
