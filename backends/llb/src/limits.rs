//! What a daemon can do, where lowering depends on it: its list of LLB capabilities as data.
//!
//! With [`Limits::all`], the default where no daemon is asked, every construct is lowered in the
//! best way there is. With less, what is missing is made in another way with the same result, or
//! refused by name; nothing is left out in silence.

use std::fmt;

use crate::capability::{Capabilities, Capability};

/// The capabilities of a daemon, as far as this backend knows them. Ids that it does not know
/// change nothing of what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits(Capabilities);

/// A text that is no list of capabilities.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLimits {
    /// JSON, but of another shape.
    #[error("this is JSON, but no array of capability ids: {0}")]
    NotAList(String),
    /// A line that cannot be an id.
    #[error("line {line}: `{text}` is no capability id")]
    NotAnId {
        /// Counted from 1.
        line: usize,
        /// The line.
        text: String,
    },
    /// No id that this backend knows.
    #[error("none of its ids is a capability that lowering asks for, `file.base` for instance")]
    NothingKnown,
}

impl Limits {
    /// A current daemon: all that this backend ever asks for.
    pub const fn all() -> Self {
        Self(Capabilities::ALL)
    }

    /// What every supported daemon has: BuildKit 0.8, the one inside Docker 20.10. No merges and
    /// diffs, no links, no patterns in copies, no secrets in variables, no size of memory mounts,
    /// no image layouts.
    pub fn baseline() -> Self {
        Self(Capability::ALL.iter().copied().filter(|capability| capability.is_old()).collect())
    }

    /// What a daemon's list of ids comes to.
    pub fn from_ids<'i>(ids: impl IntoIterator<Item = &'i str>) -> Self {
        Self(ids.into_iter().filter_map(Capability::of_id).collect())
    }

    /// Reads a file of limits: ids, one a line, with `#` before comments; or a JSON array of ids.
    pub fn parse(text: &str) -> Result<Self, InvalidLimits> {
        let limits = if text.trim_start().starts_with(['[', '{']) {
            let ids: Vec<String> =
                serde_json::from_str(text).map_err(|error| InvalidLimits::NotAList(error.to_string()))?;
            Self::from_ids(ids.iter().map(String::as_str))
        } else {
            let mut ids = Vec::new();
            for (place, line) in text.lines().enumerate() {
                let id = line.split('#').next().unwrap_or_default().trim();
                if id.contains(|character: char| !is_part_of_an_id(character)) {
                    return Err(InvalidLimits::NotAnId { line: place + 1, text: id.to_owned() });
                }
                ids.push(id);
            }
            Self::from_ids(ids)
        };
        if limits.ids().next().is_none() { Err(InvalidLimits::NothingKnown) } else { Ok(limits) }
    }

    /// What both have.
    #[must_use]
    pub fn within(self, other: Self) -> Self {
        Self(self.0.iter().filter(|capability| other.0.has(*capability)).collect())
    }

    /// The ids in the set, in order.
    pub fn ids(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(Capability::id)
    }

    /// Whether the daemon can do something.
    pub(crate) fn allow(self, capability: Capability) -> bool {
        self.0.has(capability)
    }

    /// Whether it can put filesystems one on top of the other, and tell what changed in one.
    pub(crate) fn allow_merges(self) -> bool {
        self.allow(Capability::Merge) && self.allow(Capability::Diff)
    }

    /// Whether it takes images of layouts that a client serves.
    pub fn reads_layouts(self) -> bool {
        self.allow(Capability::SourceOciLayout)
    }

    /// Whether a copy's mode is all that its files have afterwards. Older daemons leave setuid,
    /// setgid and sticky as they are in the source, and no capability tells since when they do
    /// not; this one is younger.
    pub fn set_modes_exactly(self) -> bool {
        self.allow(Capability::FileRmNoFollow)
    }

    /// Whether a change of nothing but owners is seen in what is copied or mounted. It is since BuildKit
    /// 0.11 ([moby/buildkit#3295](https://github.com/moby/buildkit/pull/3295)); no capability tells, and
    /// this one is younger.
    pub(crate) fn compare_owners(self) -> bool {
        self.allow(Capability::FileRmNoFollow)
    }

    /// The first of these that the daemon cannot do.
    pub(crate) fn lacking(self, needs: Capabilities) -> Option<Capability> {
        needs.iter().find(|capability| !self.allow(*capability))
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::all()
    }
}

/// A file of limits.
impl fmt::Display for Limits {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ids().try_for_each(|id| writeln!(out, "{id}"))
    }
}

fn is_part_of_an_id(character: char) -> bool {
    character.is_ascii_alphanumeric() || ['.', '-', '_'].contains(&character)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Docker 20.10.24 says of itself.
    const DOCKER_20: &str = "constraints exec.cgroup exec.meta.base exec.meta.network exec.meta.proxyenv \
        exec.meta.security exec.meta.security.devices.v1 exec.meta.setsdefaultpath exec.mount.bind \
        exec.mount.bind.readwrite-nooutput exec.mount.cache exec.mount.cache.sharing exec.mount.secret \
        exec.mount.selector exec.mount.ssh exec.mount.tmpfs file.base file.rm.wildcard meta.description \
        meta.exportcache meta.ignorecache platform soruce.http.uidgid source.buildop.llbfilename source.git \
        source.git.fullurl source.git.httpauth source.git.keepgitdir source.git.knownsshhosts \
        source.git.mountsshsock source.http source.http.checksum source.http.perm source.image \
        source.image.resolvemode source.local source.local.excludepatterns source.local.followpaths \
        source.local.includepatterns source.local.sessionid source.local.sharedkeyhint source.local.unique";

    #[test]
    fn the_baseline_is_what_the_oldest_supported_engine_says() {
        assert_eq!(Limits::from_ids(DOCKER_20.split_whitespace()), Limits::baseline());
        assert!(!Limits::baseline().allow_merges());
        assert!(Limits::all().allow_merges());
        assert!(!Limits::from_ids(["mergeop"]).allow_merges());
    }

    #[test]
    fn files_are_read_back() {
        for limits in [Limits::all(), Limits::baseline(), Limits::from_ids(["mergeop", "unheard.of"])] {
            assert_eq!(Limits::parse(&limits.to_string()), Ok(limits));
            let json = serde_json::Value::from_iter(limits.ids()).to_string();
            assert_eq!(Limits::parse(&json), Ok(limits));
        }
        let text = "# an engine of ours\nfile.base # old\n\nmergeop\n";
        assert_eq!(Limits::parse(text), Ok(Limits::from_ids(["file.base", "mergeop"])));
    }

    #[test]
    fn other_files_are_refused() {
        assert!(matches!(Limits::parse("{\"caps\": []}"), Err(InvalidLimits::NotAList(_))));
        assert!(matches!(Limits::parse("[1]"), Err(InvalidLimits::NotAList(_))));
        let not_an_id = InvalidLimits::NotAnId { line: 2, text: "file base".to_owned() };
        assert_eq!(Limits::parse("mergeop\nfile base"), Err(not_an_id));
        for text in ["", "# nothing\n", "unheard.of\n", "[]"] {
            assert_eq!(Limits::parse(text), Err(InvalidLimits::NothingKnown), "{text:?}");
        }
    }
}
