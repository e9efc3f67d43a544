//! What of a directory a walk looks at: by the ignore file and the rules alone, so that somebody else
//! may look before the walk has come there. Nothing is changed by looking.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use cogpack_backends_contract::glob::{Glob, InvalidGlob};
use cogpack_backends_contract::paths::Selection;
use cogpack_backends_contract::tree::Name;
use cogpack_ir::plan::{PathRule, RuleKind};
use rustix::fs::Dir;

use super::Look;
use crate::ignore_file::IgnoreFile;
use crate::pattern_list::Matched;

/// What is asked of every path of a context.
pub(super) struct Sight<'w> {
    root: &'w Path,
    selection: Selection,
    ignore: IgnoreFile,
    /// The parts of each `include` before its first wildcard: it matches nothing elsewhere.
    leads: Vec<Vec<Name>>,
}

/// What was seen of a name in a directory.
pub(super) enum Seen {
    /// Nothing there or below can be taken, so it was not looked at.
    Nothing,
    /// What stands there.
    Something {
        look: Look,
        /// Whether it is taken for itself, and not only for what may be in it.
        is_taken: bool,
        matched: Matched,
    },
}

impl<'w> Sight<'w> {
    pub(super) fn new(root: &'w Path, rules: &[PathRule]) -> Result<Self, InvalidGlob> {
        let (selection, ignore) = (Selection::new(rules)?, IgnoreFile::default());
        Ok(Self { root, selection, ignore, leads: leads(rules)? })
    }

    /// What of it an ignore file leaves.
    pub(super) fn less(self, ignore: IgnoreFile) -> Self {
        Self { ignore, ..self }
    }

    /// What holds at the root.
    pub(super) fn at_root(&self) -> Matched {
        self.ignore.at_root()
    }

    /// Where a path of the context is.
    pub(super) fn place(&self, path: &[u8]) -> PathBuf {
        match path {
            b"" => self.root.to_owned(),
            path => self.root.join(OsStr::from_bytes(path)),
        }
    }

    /// What stands at `path`, whose parts are `components` and whose last one is a name in `directory`,
    /// which may be open, and of which `above` holds.
    pub(super) fn see(
        &self,
        path: &[u8],
        components: &[Name],
        open: Option<&Dir>,
        directory: &Path,
        above: &Matched,
    ) -> io::Result<Seen> {
        let matched = self.ignore.at(path, above);
        let is_ignored = self.ignore.leaves_out(&matched);
        let is_selected = self.selection.takes(components);
        let is_taken = is_selected && !is_ignored;
        let may_take_below = (!is_ignored || self.ignore.may_take_back_below(path, &matched))
            && (is_selected || may_lead_below(&self.leads, components));
        if !is_taken && !may_take_below {
            return Ok(Seen::Nothing);
        }
        let name = components.last().map(Vec::as_slice).unwrap_or_default();
        let look = Look::at(open, name, directory)?;
        Ok(Seen::Something { look, is_taken, matched })
    }
}

/// Whether something below `directory` may match a pattern with one of these leads.
pub(super) fn may_lead_below(leads: &[Vec<Name>], directory: &[Name]) -> bool {
    leads.iter().any(|lead| lead.iter().zip(directory).all(|(lead, here)| lead == here))
}

pub(super) fn leads(rules: &[PathRule]) -> Result<Vec<Vec<Name>>, InvalidGlob> {
    let includes = rules.iter().filter(|rule| rule.kind == RuleKind::Include);
    let lead = |rule: &PathRule| {
        let parts = Glob::new(&rule.pattern.value)?.parts();
        Ok(parts.iter().map_while(Glob::as_name).map(String::into_bytes).collect())
    };
    includes.map(lead).collect()
}
