//! Compares filesystems before they are put together: where two of them have something else at one
//! path, whoever asked decides whether the build goes on.
//!
//! A directory is listed only where two of them have it, so a comparison costs about as many calls
//! as directories are shared, and not as many as there are.

use std::collections::{BTreeMap, BTreeSet};

use bollard_buildkit_proto::fsutil::types::Stat;
use bollard_buildkit_proto::moby::buildkit::v1::frontend::{CacheOptionsEntry, ReadDirRequest};
use bollard_buildkit_proto::pb;
use futures_util::future::try_join_all;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use tokio::sync::OnceCell;
use tonic::Status;

use crate::failure::Failure;
use crate::gateway::Bridge;
use crate::looking::{is_missing, read_definition};
use crate::solve::made_of;

/// Directories that are listed at one time.
const AT_ONCE: usize = 8;

/// After so many paths the rest would tell nothing new.
const MOST_MEETINGS: usize = 64;

/// The bit of a directory in a mode, as daemons tell it.
const DIRECTORY: u32 = 1 << 31;

/// A path at which two filesystems differ.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Meeting {
    /// The first of them, by its place.
    pub first: usize,
    /// The second.
    pub second: usize,
    /// The path.
    pub path: String,
}

/// Is told of a comparison, by its place, what has been found, and says whether the build goes on.
pub type Accept = Box<dyn Fn(usize, &[Meeting]) -> bool + Send + Sync>;

/// What was made of one filesystem in several ways; each of these is a `pb.Definition`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The filesystem; `None` for the empty one.
    pub before: Option<Vec<u8>>,
    /// What was made of it.
    pub sides: Vec<Side>,
}

/// One way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// What it added and changed. A daemon does not list what it removed.
    pub changes: Vec<u8>,
    /// All that there is afterwards.
    pub after: Vec<u8>,
}

/// What is to be compared, and who decides.
pub struct Comparisons {
    /// Each is compared for itself.
    pub all: Vec<Comparison>,
    /// Who decides.
    pub accept: Accept,
}

/// Comparisons that can be sent.
pub(crate) struct Prepared {
    all: Vec<Definitions>,
    accept: Accept,
}

struct Definitions {
    before: Option<pb::Definition>,
    sides: Vec<(pb::Definition, pb::Definition)>,
}

impl Comparisons {
    /// Reads the definitions.
    pub(crate) fn prepared(self) -> Result<Prepared, Failure> {
        let side = |side: &Side| Ok((read_definition(&side.changes)?, read_definition(&side.after)?));
        let read = |comparison: Comparison| {
            let before = comparison.before.as_deref().map(read_definition).transpose()?;
            let sides = comparison.sides.iter().map(side).collect::<Result<_, Failure>>()?;
            Ok(Definitions { before, sides })
        };
        let all = self.all.into_iter().map(read).collect::<Result<_, Failure>>()?;
        Ok(Prepared { all, accept: self.accept })
    }
}

impl Prepared {
    /// Compares, and says whether all was accepted.
    pub(crate) async fn are_accepted(
        self,
        bridge: &Bridge,
        cache_from: &[CacheOptionsEntry],
    ) -> Result<bool, Status> {
        let asked = Asked { bridge, cache_from };
        let comparing = self.all.into_iter().map(async |Definitions { before, sides }| {
            let before = async {
                match before {
                    Some(before) => asked.to_make(before).await,
                    None => Ok(String::new()),
                }
            };
            let sides = sides.into_iter().map(async |(changes, after)| {
                Ok::<_, Status>(Made { changes: asked.to_make(changes).await?, after: Late::of(after) })
            });
            let (before, sides) = tokio::try_join!(before, try_join_all(sides))?;
            meetings(asked, &before, &sides).await
        });
        let found = try_join_all(comparing).await?;
        Ok(found.iter().enumerate().all(|(place, found)| (self.accept)(place, found)))
    }
}

/// Whom all is asked.
#[derive(Clone, Copy)]
struct Asked<'a> {
    bridge: &'a Bridge,
    cache_from: &'a [CacheOptionsEntry],
}

impl Asked<'_> {
    /// A reference to what a definition makes; empty where that is empty.
    async fn to_make(self, definition: pb::Definition) -> Result<String, Status> {
        made_of(self.bridge, definition, self.cache_from.to_vec()).await.map(|made| made.id)
    }

    /// What is in a directory; nothing where there is none.
    async fn to_list(self, made: &str, path: &str) -> Result<Vec<Stat>, Status> {
        if made.is_empty() {
            return Ok(Vec::new());
        }
        let request =
            ReadDirRequest { r#ref: made.to_owned(), dir_path: path.to_owned(), ..ReadDirRequest::default() };
        match self.bridge.clone().read_dir(request).await {
            Err(status) if is_missing(&status) => Ok(Vec::new()),
            listed => listed,
        }
    }
}

/// A filesystem that is asked for when it is first looked at, which mostly nobody has to.
struct Late {
    definition: pb::Definition,
    made: OnceCell<String>,
}

impl Late {
    fn of(definition: pb::Definition) -> Self {
        Self { definition, made: OnceCell::new() }
    }

    /// The names in one of its directories.
    async fn names_in(&self, path: &str, asked: Asked<'_>) -> Result<BTreeSet<String>, Status> {
        let made = self.made.get_or_try_init(|| asked.to_make(self.definition.clone())).await?;
        Ok(names(&asked.to_list(made, path).await?))
    }
}

/// What was made on one side.
struct Made {
    /// A reference to what it added and changed.
    changes: String,
    after: Late,
}

/// A directory, and those sides whose changes have it.
struct Shared {
    path: String,
    by: Vec<usize>,
}

/// What stands in a directory.
struct Listed {
    shared: Shared,
    /// By side, what it added or changed.
    changes: Vec<Vec<Stat>>,
    /// By side, what it removed that another one changed.
    removed: Vec<BTreeSet<String>>,
}

/// Where filesystems differ that are all to be there at once, down to the first difference.
async fn meetings(asked: Asked<'_>, before: &str, sides: &[Made]) -> Result<Vec<Meeting>, Status> {
    // What is empty has no reference.
    let by = (0..sides.len()).filter(|side| !sides[*side].changes.is_empty()).collect();
    let mut level = vec![Shared { path: "/".to_owned(), by }];
    let mut met = Vec::new();
    while !level.is_empty() && met.len() < MOST_MEETINGS {
        let listing = stream::iter(std::mem::take(&mut level));
        let listed = listing.map(|shared| listed(asked, before, sides, shared));
        let listed: Vec<Listed> = listed.buffered(AT_ONCE).try_collect().await?;
        for listed in listed {
            level.extend(compared(listed, &mut met));
        }
    }
    Ok(met)
}

async fn listed(asked: Asked<'_>, before: &str, sides: &[Made], shared: Shared) -> Result<Listed, Status> {
    let path = shared.path.as_str();
    let listing = shared.by.iter().map(|side| asked.to_list(&sides[*side].changes, path));
    // Where two sides have a directory, what they have in it mostly differs; so what was there before
    // is asked for at once.
    let (changes, before): (Vec<Vec<Stat>>, Vec<Stat>) =
        tokio::try_join!(try_join_all(listing), asked.to_list(before, path))?;
    let changed: Vec<BTreeSet<String>> = changes.iter().map(|entries| names(entries)).collect();
    let by_any: BTreeSet<String> = changed.iter().flatten().cloned().collect();
    let before = names(&before);
    let removing = shared.by.iter().zip(&changed).map(async |(side, changed)| {
        // What a side has changed it has not removed; and nobody removes what was never there.
        let mut gone: BTreeSet<String> = by_any.difference(changed).cloned().collect();
        gone.retain(|name| before.contains(name));
        if !gone.is_empty() {
            let after = sides[*side].after.names_in(path, asked).await?;
            gone.retain(|name| !after.contains(name));
        }
        Ok::<_, Status>(gone)
    });
    let removed = try_join_all(removing).await?;
    Ok(Listed { changes, removed, shared })
}

fn names(entries: &[Stat]) -> BTreeSet<String> {
    entries.iter().map(name_of).collect()
}

fn name_of(entry: &Stat) -> String {
    entry.path.rsplit('/').next().unwrap_or_default().to_owned()
}

/// Notes where what stands in a directory differs, and gives the directories below that several have.
fn compared(listed: Listed, met: &mut Vec<Meeting>) -> Vec<Shared> {
    let Listed { shared, changes, removed } = listed;
    // What a side has at a name: nothing where it removed it.
    let mut names: BTreeMap<String, Vec<(usize, Option<Stat>)>> = BTreeMap::new();
    for ((side, entries), removed) in shared.by.iter().zip(changes).zip(removed) {
        let there = entries.into_iter().map(|entry| (name_of(&entry), Some(entry)));
        for (name, entry) in there.chain(removed.into_iter().map(|name| (name, None))) {
            names.entry(name).or_default().push((*side, entry));
        }
    }
    let mut below = Vec::new();
    for (name, entries) in names {
        let path = format!("{}/{name}", shared.path.trim_end_matches('/'));
        for (at, (second, other)) in entries.iter().enumerate() {
            let differs = |(_, one): &&(usize, Option<Stat>)| !hold_together(one.as_ref(), other.as_ref());
            if let Some((first, _)) = entries[..at].iter().find(differs) {
                met.push(Meeting { first: *first, second: *second, path: path.clone() });
            }
        }
        let have = entries.iter().filter(|(_, entry)| entry.as_ref().is_some_and(is_directory));
        let by: Vec<usize> = have.map(|(side, _)| *side).collect();
        if by.len() > 1 {
            below.push(Shared { path, by });
        }
    }
    below
}

/// Whether two things at one path can both be there: one directory, or nothing of either.
fn hold_together(one: Option<&Stat>, other: Option<&Stat>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => {
            is_directory(one) && (one.mode, one.uid, one.gid) == (other.mode, other.uid, other.gid)
        }
        (Some(_), None) | (None, Some(_)) => false,
    }
}

fn is_directory(entry: &Stat) -> bool {
    entry.mode & DIRECTORY != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stat(path: &str, mode: u32) -> Stat {
        Stat { path: path.to_owned(), mode, ..Stat::default() }
    }

    #[test]
    fn directories_and_removals_hold_together_and_nothing_else_does() {
        let directory = DIRECTORY | 0o755;
        let removed = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let listed = Listed {
            shared: Shared { path: "/".to_owned(), by: vec![0, 2, 5] },
            changes: vec![
                vec![stat("a", 0o644), stat("d", directory), stat("e", directory), stat("x", 0o644)],
                vec![stat("a", 0o644), stat("d", directory), stat("y", 0o644)],
                vec![stat("d", 0o644), stat("e", DIRECTORY | 0o700), stat("r", 0o644)],
            ],
            removed: vec![removed(&["r", "s"]), removed(&["s"]), removed(&[])],
        };
        let mut met = Vec::new();
        let below = compared(listed, &mut met);
        let met: Vec<_> = met.iter().map(|it| (it.first, it.second, it.path.as_str())).collect();
        assert_eq!(met, [(0, 2, "/a"), (0, 5, "/d"), (0, 5, "/e"), (0, 5, "/r")]);
        let below: Vec<_> = below.iter().map(|it| (it.path.as_str(), it.by.as_slice())).collect();
        assert_eq!(below, [("/d", &[0, 2][..]), ("/e", &[0, 5])]);
    }
}
