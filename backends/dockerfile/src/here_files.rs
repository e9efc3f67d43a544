//! Small files of the plan that stand in the Dockerfile itself, as here-documents of `COPY`.
//!
//! The word that ends a document is the file's own name, and what is named after it is the
//! directory: so `COPY` replaces a file or link of that name and fails on a directory, which is
//! what the plan means. `COPY <<EOF /path` would write through a link, and into a directory.
//!
//! Builders take what stands between the lines byte by byte. A document always ends in a line
//! break, a Dockerfile is text that people look at and tools convert, and modes above 0777 are
//! lost on the way; what that leaves out lies beside the Dockerfile.

use std::collections::BTreeMap;

use cogpack_ir::plan::context::InlineFile;
use cogpack_ir::plan::{FileContent, Input, InputName, Mode, Span};

use crate::features::Feature;
use crate::lowering::Lowering;
use crate::owners::ROOT;
use crate::section::{Section, absolute, split, with_slash};
use crate::words::{LONGEST_LINE, flag_value, is_separable, word};

/// How many bytes a file may have: more is nothing that somebody would read in a Dockerfile.
const LARGEST: usize = 32 * 1024;

/// Modes that `--chmod` sets whole.
const PERMISSIONS: u32 = 0o777;

/// One file.
pub(crate) struct HereFile<'f> {
    /// Its directory.
    pub(crate) above: &'f str,
    pub(crate) name: &'f str,
    pub(crate) mode: Mode,
    /// As `--chown` takes it.
    pub(crate) owner: &'f str,
    pub(crate) content: &'f FileContent,
}

impl HereFile<'_> {
    /// Its text, or why it cannot stand in the Dockerfile.
    pub(crate) fn text(&self, lowering: &Lowering<'_>) -> Result<&str, &'static str> {
        let is_plain = |it: char| it.is_ascii_alphanumeric() || "._+@-".contains(it);
        let name = self.name;
        if !lowering.knows(Feature::HereDocument) {
            return Err("this dialect has no here-documents");
        }
        if name.is_empty() || name.starts_with(['-', '+']) || !name.chars().all(is_plain) {
            return Err("its name has other characters than letters, digits and `._+@-`");
        }
        if !is_separable(&word(&with_slash(self.above))) {
            return Err("its directory has spaces in its name");
        }
        if self.mode.bits() > PERMISSIONS {
            return Err("`--chmod` sets no setuid, setgid and sticky");
        }
        let Ok(text) = std::str::from_utf8(&self.content.0) else { return Err("it is no text") };
        let is_control = |it: char| it.is_control() && !matches!(it, '\n' | '\t');
        if !text.is_empty() && !text.ends_with('\n') {
            return Err("it ends without a line break");
        }
        if text.contains(is_control) || text.contains('\u{feff}') {
            return Err("it has control characters");
        }
        if text.lines().any(|line| line == name) {
            return Err("a line of it is its name");
        }
        if text.len() > LARGEST || text.lines().any(|line| line.len() > LONGEST_LINE) {
            return Err("it is too long");
        }
        Ok(text)
    }

    /// Writes it into a stage; gives back why it cannot be.
    pub(crate) fn write(&self, section: &mut Section<'_, '_>, span: Span) -> Result<(), &'static str> {
        self.put(section, self.text(section.lowering)?, span);
        Ok(())
    }

    /// Writes its text, which [`Self::text`] gave.
    fn put(&self, section: &mut Section<'_, '_>, text: &str, span: Span) {
        let Self { above, name, mode, owner, .. } = self;
        let has_mode = *mode == Mode::FILE && section.lowering.can(Feature::DefaultFileMode);
        let mut flags = String::new();
        if !has_mode || *owner != ROOT {
            // Missing directories on the way would get the file's mode and owner.
            section.have_directory(above, span);
        }
        if *owner != ROOT {
            flags.push_str(&format!("--chown={} ", flag_value(owner)));
        }
        if !has_mode {
            flags.push_str(&format!("--chmod={mode} "));
        }
        let directory = word(&with_slash(above));
        section.line_with_document(&format!("COPY {flags}<<\"{name}\" {directory}"), text, name);
        section.directory_is_there(above);
    }
}

/// A stage with the files of a `files` context; `None` where one of them cannot stand in the
/// Dockerfile.
pub(crate) fn stage_of(
    lowering: &mut Lowering<'_>,
    name: &InputName,
    files: &BTreeMap<String, InlineFile>,
) -> Option<String> {
    let key = (Input::Context(name.clone()), String::new());
    if let Some(stage) = lowering.parts.get(&key) {
        return Some(stage.clone());
    }
    let paths: Vec<(String, &InlineFile)> = files.iter().map(|(path, file)| (absolute(path), file)).collect();
    let files: Vec<HereFile<'_>> = paths
        .iter()
        .map(|(path, file)| {
            let (above, name) = split(path);
            let mode = file.mode.unwrap_or(Mode::FILE);
            HereFile { above, name, mode, owner: ROOT, content: &file.content }
        })
        .collect();
    let texts: Vec<&str> = files.iter().map(|file| file.text(lowering)).collect::<Result<_, _>>().ok()?;
    if texts.is_empty() {
        return None;
    }
    let stage = lowering.names.fresh(name.as_str());
    let mut section = Section::start(lowering, &stage, &Input::Scratch, Span::NOWHERE);
    section.title(&format!("files of context {name}"));
    for (file, text) in files.iter().zip(texts) {
        file.put(&mut section, text, Span::NOWHERE);
    }
    section.finish();
    lowering.parts.insert(key, stage.clone());
    Some(stage)
}
