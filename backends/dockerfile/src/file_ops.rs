//! `file`, `mkdir`, `symlink` and `remove`.
//!
//! A small file is a here-document where it can be one. Any other file, and a link, lies in a
//! directory of its own beside the Dockerfile, whose content is copied into the directory that it
//! belongs in: that replaces a file or link of its name, and fails on a directory, which is what the
//! ops mean.

use cogpack_ir::plan::{MakeDirectory, MakeFile, MakeSymlink, Mode, Remove, Span};
use cogpack_ir::resolve::Step;

use crate::artifact::Beside;
use crate::features::Feature;
use crate::here_files::HereFile;
use crate::owners::{self, ROOT};
use crate::programs::{self, CHOWN, INSTALL, MKDIR, RM, SHELL};
use crate::section::{Section, split, with_slash};
use crate::shells::shell_word;
use crate::words::{flag_value, operands, word};

pub(crate) fn file(section: &mut Section<'_, '_>, step: &Step<'_>, file: &MakeFile) {
    let Some(path) = section.path(&file.path, step.op.span) else { return };
    let Some(owner) = owners::written_for_copy(section, file.owner.as_ref(), step.op.span) else { return };
    let (above, name) = split(&path);
    let mode = file.mode.as_ref().map_or(Mode::FILE, |mode| mode.value);
    let here_file = HereFile { above, name, mode, owner: &owner, content: &file.content };
    if let Err(why) = here_file.write(section, step.op.span) {
        section.lowering.lies_beside(&format!("the file `{path}`"), why, step.op.span);
        let span = step.op.span;
        let beside = Beside::File { name: name.to_owned(), mode, content: file.content.clone(), span };
        place(section, step, beside, &path, &owner);
    }
}

pub(crate) fn symlink(section: &mut Section<'_, '_>, step: &Step<'_>, link: &MakeSymlink) {
    let Some(path) = section.path(&link.path, step.op.span) else { return };
    let Some(target) = section.literal(&link.target, step.op.span) else { return };
    let (_, name) = split(&path);
    section.lowering.lies_beside(&format!("the link `{path}`"), "", step.op.span);
    let beside = Beside::Symlink { name: name.to_owned(), target, span: step.op.span };
    place(section, step, beside, &path, ROOT);
}

/// Copies what becomes `path` into the directory above it.
fn place(section: &mut Section<'_, '_>, step: &Step<'_>, what: Beside, path: &str, owner: &str) {
    let (above, _) = split(path);
    let mut flag = String::new();
    if owner != ROOT {
        // `COPY --chown` would give missing directories on the way the same owner.
        section.have_directory(above, step.op.span);
    }
    if owner != ROOT || !section.lowering.knows(Feature::RootsFiles) {
        flag = format!("--chown={} ", flag_value(owner));
    }
    let beside = section.lowering.put_beside("files", &section.part_of, path, what);
    let words = [format!("{beside}/"), word(&with_slash(above))];
    section.line(format!("COPY {flag}{}", operands(&words)));
    section.directory_is_there(above);
}

pub(crate) fn mkdir(section: &mut Section<'_, '_>, step: &Step<'_>, directory: &MakeDirectory) {
    let span = step.op.span;
    let Some(path) = section.path(&directory.path, span) else { return };
    let Some(owner) = owners::written(section, directory.owner.as_ref(), span) else { return };
    let says_more = directory.owner.is_some() || directory.mode.is_some();
    if says_more && section.bare && programs::is_untouched(section, step, &path) {
        let (_, name) = split(&path);
        let what = format!("the directory `{path}`");
        section.lowering.lies_beside(&what, "the stage has no programs that could make it", span);
        let mode = directory.mode.as_ref().map_or(Mode::DIRECTORY, |mode| mode.value);
        let beside = Beside::Directory { name: name.to_owned(), mode, span };
        return place(section, step, beside, &path, &owner);
    }
    if !says_more {
        let place = section.length();
        section.make_directory(&path, span);
        if section.length() > place {
            section.comment_at(place, &format!("mkdir {path}"));
        }
        return;
    }
    if section.bare {
        return refuse_program(section, "`mkdir` of what is there, with a mode or an owner,", span);
    }
    match &directory.mode {
        Some(mode) => {
            // With five digits, the bits of directories that are not named go as well.
            let mode = format!("{:05o}", mode.value.bits());
            let mut argv = vec![INSTALL, "-d", "-m", &mode];
            if directory.owner.is_some()
                && let Some((user, group)) = owner.split_once(':')
            {
                argv.extend(["-o", user, "-g", group]);
            }
            argv.push(&path);
            section.run_as_root(&argv, span);
        }
        // `install` would change the mode of one that is there.
        None => {
            let path = shell_word(&path);
            let script = format!("{MKDIR} -p {path} && {CHOWN} {} {path}", shell_word(&owner));
            section.run_as_root(&[SHELL, "-c", &script], span);
        }
    }
    section.directory_is_there(&path);
}

pub(crate) fn remove(section: &mut Section<'_, '_>, step: &Step<'_>, removed: &Remove) {
    let Some(path) = section.path(&removed.path, step.op.span) else { return };
    take_away(section, step, &path, removed.optional);
}

/// Removes what stands at a path.
pub(crate) fn take_away(section: &mut Section<'_, '_>, step: &Step<'_>, path: &str, optional: bool) {
    if section.bare {
        let is_nothing_there = programs::is_untouched(section, step, path);
        if !(optional && is_nothing_there) {
            refuse_program(section, &format!("removing `{path}`"), step.op.span);
        }
        return;
    }
    let flags = if optional { "-rf" } else { "-r" };
    section.run_as_root(&[RM, flags, "--", path], step.op.span);
}

fn refuse_program(section: &mut Section<'_, '_>, what: &str, span: Span) {
    section.lowering.refuse(
        "cpk::unsupported::program",
        format!("{what} in a stage that stands on nothing: a Dockerfile needs a program for that"),
        span,
        "do it in a stage on an image and copy from there, or emit another format: `-o llb`, `-o oci`",
    );
}
