//! `Dockerfile.dockerignore`: what a Dockerfile that reads the user's directory must not see of
//! it. Builders read it in the place of the directory's own ignore file, so it repeats that.

use std::fs;

use cogpack_backends_contract::glob::literal_pattern;
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
    let inside = root.beside.as_deref().filter(|beside| !beside.is_empty());
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
        let eject = String::from_utf8_lossy(eject);
        if eject.is_empty() || Some(&*eject) == inside {
            continue;
        }
        text.push_str(&format!("{}\n", literal_pattern(&eject)));
        text.push_str(&taken_back(kept));
    }
    match inside {
        // What lies beside the Dockerfile is read by name; nothing that is above it is.
        Some(inside) if artifact.beside.is_empty() => {
            let goes = made_for(&directory, inside);
            let kept = others.iter().find(|(eject, _)| eject == inside.as_bytes()).map(|(_, kept)| &kept[..]);
            text.push_str(&format!("{}\n{}", literal_pattern(goes), taken_back(kept.unwrap_or_default())));
        }
        Some(inside) => text.push_str(&format!("!{inside}\n")),
        None if root.beside.is_some() && takes_all => {
            for name in [super::DOCKERFILE, NAME, super::readme::NAME, manifest::NAME] {
                text.push_str(&format!("{name}\n"));
            }
        }
        None => {}
    }
    Ok(Some(Some(text)))
}

/// A line for each file that somebody else has put into the directory of an eject.
fn taken_back(paths: &[Vec<u8>]) -> String {
    paths.iter().map(|path| format!("!{}\n", literal_pattern(&String::from_utf8_lossy(path)))).collect()
}
