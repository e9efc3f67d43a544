//! `Dockerfile.dockerignore`: what a Dockerfile that reads the user's directory must not see of
//! it. Builders read it in the place of the directory's own ignore file, so it repeats that.

use std::fs;

use cogpack_backends_contract::glob::{Glob, literal_pattern};
use cogpack_backends_contract::paths::Selection;
use cogpack_backends_dockerfile::{Artifact, Dialect};
use cogpack_io_project::eject::manifest;
use cogpack_io_project::ignore_file;
use cogpack_io_project::own::{ejects_below, made_for};
use cogpack_ir::plan::ContextKind;
use cogpack_ir::resolve::Resolved;

use super::Wanted;
use super::standings::Standing;
use crate::failure::Failure;
use crate::plan_file::PlanFile;
use crate::ways::settled;

/// The file's name.
pub const NAME: &str = "Dockerfile.dockerignore";

/// The text of the file, `Some(None)` where none is needed; `None` where what the plan leaves out
/// cannot be said in this standing.
#[allow(clippy::option_option, reason = "three answers: not possible, nothing to say, this")]
pub fn of(
    standing: &Standing,
    artifact: &Artifact,
    wanted: &Wanted,
    plan: &Resolved,
    file: &PlanFile,
) -> Result<Option<Option<String>>, Failure> {
    let Some(root) = &standing.surroundings.root else { return Ok(Some(None)) };
    let Some(ContextKind::Directory(context)) =
        plan.plan().contexts.get(&root.context).map(|context| &context.kind)
    else {
        return Ok(Some(None));
    };
    let directory = file.directory.join(&context.path.value);
    let takes_all = artifact.read.get(&root.context).is_some_and(|read| read.paths.contains_key(""));
    let own = match fs::read_to_string(directory.join(ignore_file::NAME)) {
        Ok(text) => text.trim_start_matches('\u{feff}').to_owned(),
        // A file that cannot be read is reported where the directory is walked.
        Err(_) => String::new(),
    };
    // Where no way to it can be written it lies there nevertheless.
    let below = wanted.directory.as_deref().map(settled);
    let below = below.as_deref().and_then(|eject| eject.strip_prefix(settled(&directory)).ok());
    let below = below.map(|below| below.to_str());
    if below == Some(None) {
        return Ok(None);
    }
    let inside = root.beside.as_deref().or(below.flatten()).filter(|inside| !inside.is_empty());
    let others = if takes_all { ejects_below(&directory) } else { Vec::new() };
    let is_silent = match wanted.dialect {
        Dialect::Legacy => true,
        Dialect::BuildKit { .. } | Dialect::Buildah => wanted.directory.is_none(),
    };
    if is_silent {
        // Only the directory's own ignore file is read.
        let shows_too_much =
            takes_all && (directory.join(".cog").exists() || inside.is_some() || !others.is_empty());
        let can_be = context.rules.is_empty() && artifact.ignored.is_empty() && !shows_too_much;
        return Ok(can_be.then_some(None));
    }
    let Ok(rules) = Selection::new(&context.rules) else { return Ok(None) };
    let own_takes_back = own.lines().any(|line| line.trim_start().starts_with('!'));
    if own_takes_back && !rules.only_excludes() {
        return Ok(None);
    }
    let mut text = String::from("# What the plan leaves out of the build. Written by cogpackc.\n");
    // Rules that take something back must not take back what the directory's own file leaves out.
    let (first, second) = match rules.only_excludes() {
        true => (own.trim_end().to_owned(), rules.to_ignore_lines().join("\n")),
        false => (rules.to_ignore_lines().join("\n"), own.trim_end().to_owned()),
    };
    let more = [first, second, artifact.ignored.join("\n"), ".cog".to_owned()];
    for part in more.iter().filter(|part| !part.is_empty()) {
        text.push_str(part);
        text.push('\n');
    }
    for (eject, kept) in &others {
        if eject.is_empty() || Some(eject.as_slice()) == inside.map(str::as_bytes) {
            continue;
        }
        let (Some(eject), Some(kept)) = (line(eject), taken_back(kept)) else { return Ok(None) };
        text.push_str(&format!("{eject}\n{kept}"));
    }
    match inside {
        // What lies beside the Dockerfile is read by name; nothing that is above it is.
        Some(inside) if artifact.beside.is_empty() => {
            let kept = others.iter().find(|(eject, _)| eject == inside.as_bytes()).map(|(_, kept)| &kept[..]);
            let goes = line(made_for(&directory, inside).as_bytes());
            let (Some(goes), Some(kept)) = (goes, taken_back(kept.unwrap_or_default())) else {
                return Ok(None);
            };
            text.push_str(&format!("{goes}\n{kept}"));
        }
        Some(inside) => match line(inside.as_bytes()) {
            Some(inside) => text.push_str(&format!("!{inside}\n")),
            None => return Ok(None),
        },
        None if root.beside.is_some() && takes_all => {
            for name in [super::DOCKERFILE, NAME, super::readme::NAME, manifest::NAME] {
                text.push_str(&format!("{name}\n"));
            }
        }
        None => {}
    }
    let is_read = match wanted.dialect {
        Dialect::BuildKit { .. } => is_read_by_all(&text),
        Dialect::Buildah | Dialect::Legacy => true,
    };
    Ok(is_read.then_some(Some(text)))
}

/// Whether all clients of BuildKit leave out what an ignore file says. Patterns go to them in headers,
/// which take no control characters; and a `docker` of 20.10 leaves out nothing, and does not say so,
/// where a newer daemon sends it one with other letters than those of ASCII.
fn is_read_by_all(text: &str) -> bool {
    let is_printable = |it: u8| matches!(it, b' '..=b'~');
    text.lines().filter(|line| !line.starts_with('#')).all(|line| line.trim().bytes().all(is_printable))
}

/// A line that leaves out one path; `None` for what no line can say.
fn line(path: &[u8]) -> Option<String> {
    let path = std::str::from_utf8(path).ok().filter(|path| !path.contains(['\n', '\r']))?;
    Glob::new(&literal_pattern(path)).ok().map(|it| it.to_string())
}

/// A line for each file that somebody else has put into the directory of an eject; `None` where one
/// cannot be said.
fn taken_back(paths: &[Vec<u8>]) -> Option<String> {
    paths.iter().map(|path| line(path).map(|path| format!("!{path}\n"))).collect()
}
