//! Directories that are looked at before the walk comes to them, on the processors that it has not.
//!
//! The walk goes through a tree in order, and what it makes depends on that order: which name of a file
//! is its first, what stays in memory. To list a directory and to look at its names depends on nothing.
//! So that is done ahead of the walk, the next directory first, by threads that wait for nothing else;
//! what they have seen lies here until the walk takes it. The walk looks at a directory itself that
//! nobody has begun with, and while somebody is at the one that it needs, it looks at another one.
//!
//! Nothing is made here and no error is told: what somebody failed to see the walk looks at itself. Of
//! large directories only the walk sees what is in them, and no more than some thousand names lie here.

#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use cogpack_backends_contract::tree::Name;
use rustix::fs::Dir;

use super::sight::{Seen, Sight};
use crate::eject::manifest::NAME;
use crate::names::Names;
use crate::own::Own;
use crate::pattern_list::Matched;
use crate::room::Room;

/// In a directory with more names than these the walk sees one after the other.
const MOST_NAMES: usize = 1_024;
/// When so many names lie here, nobody begins with another directory.
const MOST_AHEAD: usize = 8_192;
/// So many directories wait at most; others nobody looks at before the walk.
const MOST_WAITING: usize = 8_192;
/// Starting a thread takes as long as looking at so many directories.
const WORTH_A_THREAD: usize = 16;
/// How deep directories stay open for those in them, which wait, and how deep all names of one are seen
/// before the first is taken.
const DEEPEST_OPEN: usize = 16;
const DEEPEST_SEEN: usize = 64;

/// A directory that was listed.
pub(super) struct Listing {
    pub(super) names: Names,
    /// What was seen of the first of them: of all, of none where there are many, or of those before one
    /// that could not be looked at.
    pub(super) seen: Vec<Seen>,
    /// The directory, where the walk has listed it or has to see many names in it.
    pub(super) open: Option<Arc<Dir>>,
}

/// How the walk finds a directory that it comes to.
pub(super) enum Found {
    /// Somebody has listed it.
    Listed(Listing),
    /// Nobody has. The directory that it is in may be open.
    Alone(Option<Arc<Dir>>),
}

/// Directories ahead of a walk.
pub(super) struct Ahead<'w> {
    sight: &'w Sight<'w>,
    room: &'w Room,
    state: Mutex<State>,
    /// For who looks: there may be something to do.
    work: Condvar,
    /// For the walk: somebody is done.
    done: Condvar,
}

#[derive(Default)]
struct State {
    /// Nobody has begun with them.
    waiting: BTreeMap<Place, Task>,
    /// Somebody has; nothing as long as they are not done.
    begun: BTreeMap<Place, Option<Listing>>,
    /// How many names lie in those that are done.
    names: usize,
    /// How many threads wait for something to do.
    idle: usize,
    is_walk_waiting: bool,
    is_over: bool,
}

/// A directory that is to be looked at.
struct Task {
    above: Option<Arc<Dir>>,
    matched: Matched,
}

/// The path of a directory. They come in the order of the walk, in which all that is in a directory comes
/// before the name after it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place(Vec<u8>);

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        // No name holds a zero, so what separates them comes first.
        let [one, other] = [self, other].map(|place| {
            let bytes = place.0.iter();
            bytes.map(|byte| if *byte == b'/' { 0 } else { *byte })
        });
        one.cmp(other)
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<'w> Ahead<'w> {
    pub(super) fn new(sight: &'w Sight<'w>, room: &'w Room) -> Self {
        let state = Mutex::default();
        Self { sight, room, state, work: Condvar::new(), done: Condvar::new() }
    }

    /// What is known of the directory that the walk has come to. It comes to none before it any more.
    pub(super) fn come_to(&self, path: &[u8]) -> Found {
        let place = Place(path.to_vec());
        let mut state = self.state();
        state.forget_before(&place);
        let task = state.waiting.remove(&place);
        loop {
            match state.begun.remove(&place) {
                None => return Found::Alone(task.and_then(|task| task.above)),
                Some(Some(listing)) => {
                    state.names -= listing.names.in_memory();
                    if state.idle > 0 && state.names <= MOST_AHEAD / 2 {
                        self.work.notify_all();
                    }
                    return Found::Listed(listing);
                }
                Some(None) => drop(state.begun.insert(place.clone(), None)),
            }
            state = match state.begin() {
                Some((next, task)) => {
                    drop(state);
                    self.look(next, &task);
                    self.state()
                }
                None => {
                    state.is_walk_waiting = true;
                    let mut state = self.done.wait(state).unwrap_or_else(PoisonError::into_inner);
                    state.is_walk_waiting = false;
                    state
                }
            };
        }
    }

    /// Lists a directory, which may be in one that is open, and sees what is in it unless that is much.
    pub(super) fn list(&self, above: Option<&Dir>, path: &[u8], matched: &Matched) -> io::Result<Listing> {
        let directory = self.sight.place(path);
        let (names, open) = Names::of(above, &directory, OsStr::new(NAME), self.room)?;
        let mut components = components(path);
        let seen = match names.few(MOST_NAMES) && components.len() < DEEPEST_SEEN {
            true => self.see(&names, path, &mut components, &open, &directory, matched),
            false => Vec::new(),
        };
        Ok(Listing { names, seen, open: Some(Arc::new(open)) })
    }

    /// What is seen of names, up to one that cannot be looked at: that is told by the walk.
    fn see(
        &self,
        names: &Names,
        path: &[u8],
        components: &mut Vec<Name>,
        open: &Dir,
        directory: &Path,
        matched: &Matched,
    ) -> Vec<Seen> {
        let mut seen = Vec::new();
        for name in names.iter().into_iter().flatten().map_while(Result::ok) {
            components.push(name.to_vec());
            let found = self.sight.see(&below(path, &name), components, Some(open), directory, matched);
            components.pop();
            match found {
                Ok(found) => seen.push(found),
                Err(_) => break,
            }
        }
        seen
    }

    /// Lets the directories in one that was listed wait to be looked at. Whether somebody may look at them
    /// beside the walk: then there is enough to do.
    pub(super) fn expect(&self, path: &[u8], listing: &Listing) -> bool {
        let tasks = self.tasks(path, listing);
        let mut state = self.state();
        self.add(&mut state, tasks);
        state.waiting.len() >= WORTH_A_THREAD
    }

    fn tasks(&self, path: &[u8], Listing { names, seen, open }: &Listing) -> Vec<(Place, Task)> {
        let is_deep = path.iter().filter(|byte| **byte == b'/').count() >= DEEPEST_OPEN;
        let above = open.as_ref().filter(|_| !is_deep);
        let mut tasks = Vec::new();
        for (name, seen) in names.iter().into_iter().flatten().map_while(Result::ok).zip(seen) {
            let place = || below(path, &name);
            match seen {
                Seen::Something { look, matched, is_taken: _ } if look.kind().is_dir() => {
                    let place = place();
                    // What is always ours the walk does not come to.
                    if !Own::default().holds(&place) {
                        tasks.push((Place(place), Task { above: above.cloned(), matched: matched.clone() }));
                    }
                }
                Seen::Something { .. } | Seen::Nothing => {}
            }
        }
        tasks
    }

    fn add(&self, state: &mut State, tasks: Vec<(Place, Task)>) {
        if tasks.is_empty() || state.waiting.len() + tasks.len() > MOST_WAITING {
            return;
        }
        state.waiting.extend(tasks);
        if state.idle > 0 {
            self.work.notify_all();
        }
    }

    /// Looks at what the walk will come to, until it is over.
    pub(super) fn help(&self) {
        let mut state = self.state();
        while !state.is_over {
            state = match state.begin() {
                Some((next, task)) => {
                    drop(state);
                    self.look(next, &task);
                    self.state()
                }
                None => {
                    state.idle += 1;
                    let mut state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
                    state.idle -= 1;
                    state
                }
            };
        }
    }

    /// Looks at a directory with which this thread has begun.
    fn look(&self, place: Place, task: &Task) {
        // However this ends, the walk does not wait for it.
        let begun = Begun { ahead: self, place };
        let path = &begun.place.0;
        let Ok(mut listing) = self.list(task.above.as_deref(), path, &task.matched) else { return };
        let tasks = self.tasks(path, &listing);
        // It would be open for as long as it lies here, and there may be many.
        listing.open = listing.open.filter(|_| !listing.names.few(MOST_NAMES));
        let mut state = self.state();
        // The walk may have passed over it.
        if let Some(place) = state.begun.get_mut(&begun.place) {
            let count = listing.names.in_memory();
            *place = Some(listing);
            state.names += count;
            self.add(&mut state, tasks);
        }
    }

    /// Lets those go who look ahead: the walk is over when this goes.
    pub(super) fn until_over(&self) -> Over<'_, 'w> {
        Over(self)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The first directory with which nobody has begun, unless enough lies here.
    fn begin(&mut self) -> Option<(Place, Task)> {
        if self.names >= MOST_AHEAD {
            return None;
        }
        let (place, task) = self.waiting.pop_first()?;
        self.begun.insert(place.clone(), None);
        Some((place, task))
    }

    /// Throws away what the walk has passed over.
    fn forget_before(&mut self, place: &Place) {
        while self.waiting.first_key_value().is_some_and(|(first, _)| first < place) {
            self.waiting.pop_first();
        }
        while self.begun.first_key_value().is_some_and(|(first, _)| first < place) {
            let (_, listing) = self.begun.pop_first().unzip();
            self.names -= listing.flatten().map_or(0, |listing| listing.names.in_memory());
        }
    }
}

/// A directory with which a thread has begun.
struct Begun<'a, 'w> {
    ahead: &'a Ahead<'w>,
    place: Place,
}

impl Drop for Begun<'_, '_> {
    fn drop(&mut self) {
        let mut state = self.ahead.state();
        if let Some(None) = state.begun.get(&self.place) {
            state.begun.remove(&self.place);
        }
        if state.is_walk_waiting {
            self.ahead.done.notify_all();
        }
    }
}

/// Ends what is done ahead of a walk when it goes.
pub(super) struct Over<'a, 'w>(&'a Ahead<'w>);

impl Drop for Over<'_, '_> {
    fn drop(&mut self) {
        self.0.state().is_over = true;
        self.0.work.notify_all();
    }
}

fn components(path: &[u8]) -> Vec<Name> {
    path.split(|byte| *byte == b'/').filter(|part| !part.is_empty()).map(<[u8]>::to_vec).collect()
}

fn below(path: &[u8], name: &[u8]) -> Vec<u8> {
    if path.is_empty() { name.to_vec() } else { [path, b"/", name].concat() }
}
