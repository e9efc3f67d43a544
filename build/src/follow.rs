//! From what a daemon tells about its vertices to what happens to the steps of a plan.
//!
//! A daemon tells a vertex again whenever something about it changes, and sometimes when nothing
//! does; a screen is told of changes alone. No clock and no socket, so that a test can tell it
//! anything.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cogpack_io_buildkit::update::Update;

use crate::outline::Vertices;
use crate::progress::{Amount, Progress, StepId, Stream, Warning};

/// What a step was told to be, last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Known {
    started: Option<i64>,
    completed: Option<i64>,
}

/// Follows one build.
#[derive(Debug)]
pub struct Follower {
    vertices: Vertices,
    /// How many steps the outline has.
    planned: usize,
    /// The names of those that were added.
    added: Vec<String>,
    known: BTreeMap<StepId, Known>,
    /// Vertices that were in a cache. One starts again where its files are fetched from a cache
    /// elsewhere, which makes it no less cached.
    cached: BTreeSet<String>,
    /// Output by step, as much as a report of its failure shows.
    tails: BTreeMap<StepId, Vec<u8>>,
    /// The first step that failed.
    failed: Option<StepId>,
}

/// How many bytes of a step's output are kept.
const TAIL: usize = 16 * 1024;

/// What daemons say of a vertex that was ended because of another one, or because we said so.
const CANCELLED: &str = "context canceled";

impl Follower {
    /// For a build whose outline has these vertices.
    pub fn new(vertices: Vertices, steps: usize) -> Self {
        Self {
            vertices,
            planned: steps,
            added: Vec::new(),
            known: BTreeMap::new(),
            cached: BTreeSet::new(),
            tails: BTreeMap::new(),
            failed: None,
        }
    }

    /// What a piece of news means.
    pub fn on(&mut self, update: Update) -> Vec<Progress> {
        let mut happened = Vec::new();
        match update {
            Update::Vertex { digest, name, started, completed, cached, error, inputs: _, group: _ } => {
                let step = self.step(&digest, &name, &mut happened);
                let now = Known { started, completed };
                let before = self.known.insert(step, now.clone()).unwrap_or_default();
                if before == now {
                    return happened;
                }
                match (started, completed, error) {
                    (_, Some(_), Some(error)) if error.ends_with(CANCELLED) => {
                        happened.push(Progress::Cancelled(step));
                    }
                    (_, Some(_), Some(message)) => {
                        self.failed.get_or_insert(step);
                        happened.push(Progress::Failed { step, message });
                    }
                    (_, Some(_), None) if cached || self.cached.contains(&digest) => {
                        self.cached.insert(digest);
                        happened.push(Progress::Cached(step));
                    }
                    (started, Some(completed), None) => {
                        happened.push(Progress::Finished { step, took: between(started, completed) });
                    }
                    (Some(_), None, _) => happened.push(Progress::Started(step)),
                    (None, None, _) => {}
                }
            }
            Update::Transfer { vertex, id, name, current, total, started: _, completed } => {
                let Some(step) = self.vertices.get(&vertex).copied() else { return happened };
                let done = u64::try_from(current).unwrap_or_default();
                let total = u64::try_from(total).ok().filter(|total| *total > 0);
                happened.push(Progress::Moved {
                    step,
                    item: item(&id, &name),
                    amount: Amount { done, total },
                    complete: completed.is_some(),
                });
            }
            Update::Log { vertex, stream, data } => {
                let Some(step) = self.vertices.get(&vertex).copied() else { return happened };
                // Whose program writes is run after all.
                self.cached.remove(&vertex);
                let tail = self.tails.entry(step).or_default();
                tail.extend_from_slice(&data);
                // Cut seldom, so that a program that writes much does not have its bytes moved
                // again and again.
                if tail.len() > 2 * TAIL {
                    tail.drain(..tail.len() - TAIL);
                }
                let stream = if stream == 2 { Stream::Errors } else { Stream::Output };
                happened.push(Progress::Output { step, stream, bytes: data });
            }
            Update::Warning { vertex, short, detail, url } => {
                let details = detail.into_iter().chain(url).collect();
                let step = self.vertices.get(&vertex).copied();
                happened.push(Progress::Warned(Warning { message: short, details, step }));
            }
        }
        happened
    }

    /// The step of a vertex; one that the plan does not know is added.
    fn step(&mut self, digest: &str, name: &str, happened: &mut Vec<Progress>) -> StepId {
        if let Some(step) = self.vertices.get(digest) {
            return *step;
        }
        let step = self.add(name);
        self.vertices.insert(digest.to_owned(), step);
        happened.push(Progress::Added { name: name.to_owned() });
        step
    }

    /// One more step that the outline does not know.
    pub fn add(&mut self, name: &str) -> StepId {
        self.added.push(name.to_owned());
        StepId(self.planned + self.added.len() - 1)
    }

    /// The step of a vertex, where one was told of.
    pub fn step_of(&self, digest: &str) -> Option<StepId> {
        self.vertices.get(digest).copied()
    }

    /// The name of a step that the outline does not know.
    pub fn added(&self, step: StepId) -> Option<&str> {
        self.added.get(step.0.checked_sub(self.planned)?).map(String::as_str)
    }

    /// The first step that was told to have failed.
    pub fn failed(&self) -> Option<StepId> {
        self.failed
    }

    /// The end of what a step wrote.
    pub fn tail(&self, step: StepId) -> &[u8] {
        let tail = self.tails.get(&step).map(Vec::as_slice).unwrap_or_default();
        &tail[tail.len().saturating_sub(TAIL)..]
    }
}

/// The time from one moment to another, both in nanoseconds.
fn between(started: Option<i64>, completed: i64) -> Duration {
    let span = started.and_then(|started| completed.checked_sub(started)).unwrap_or_default();
    Duration::from_nanos(u64::try_from(span).unwrap_or_default())
}

/// What is moved: the word for what is done with it is part of it where the id alone does not say.
fn item(id: &str, name: &str) -> String {
    match name {
        "" => id.to_owned(),
        name if id.is_empty() || name.contains(id) => name.to_owned(),
        name if id.contains(name) => id.to_owned(),
        name => format!("{name} {id}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follower() -> Follower {
        Follower::new(
            Vertices::from([("sha256:a".to_owned(), StepId(0)), ("sha256:b".to_owned(), StepId(1))]),
            2,
        )
    }

    fn vertex(digest: &str, started: Option<i64>, completed: Option<i64>) -> Update {
        Update::Vertex {
            digest: digest.to_owned(),
            inputs: Vec::new(),
            name: "exporting to image".to_owned(),
            started,
            completed,
            cached: false,
            error: None,
            group: None,
        }
    }

    fn failed(digest: &str, message: &str) -> Update {
        Update::Vertex {
            digest: digest.to_owned(),
            inputs: Vec::new(),
            name: String::new(),
            started: Some(1),
            completed: Some(2),
            cached: false,
            error: Some(message.to_owned()),
            group: None,
        }
    }

    #[test]
    fn a_vertex_that_is_told_again_says_nothing_new() {
        let mut follower = follower();
        assert_eq!(follower.on(vertex("sha256:a", None, None)), []);
        assert_eq!(follower.on(vertex("sha256:a", Some(5), None)), [Progress::Started(StepId(0))]);
        assert_eq!(follower.on(vertex("sha256:a", Some(5), None)), []);
        let took = Duration::from_nanos(7);
        let finished = [Progress::Finished { step: StepId(0), took }];
        assert_eq!(follower.on(vertex("sha256:a", Some(5), Some(12))), finished);
        assert_eq!(follower.on(vertex("sha256:a", Some(5), Some(12))), []);
        assert_eq!(follower.on(vertex("sha256:a", Some(20), None)), [Progress::Started(StepId(0))]);
    }

    #[test]
    fn what_was_cached_stays_so_while_its_files_are_fetched() {
        let mut follower = follower();
        let cached = |started, completed| {
            let mut update = vertex("sha256:a", started, completed);
            if let Update::Vertex { cached, .. } = &mut update {
                *cached = true;
            }
            update
        };
        assert_eq!(follower.on(cached(Some(1), Some(1))), [Progress::Cached(StepId(0))]);
        assert_eq!(follower.on(vertex("sha256:a", Some(5), None)), [Progress::Started(StepId(0))]);
        assert_eq!(follower.on(vertex("sha256:a", Some(5), Some(9))), [Progress::Cached(StepId(0))]);
        // Another vertex of the build is none the wiser.
        let took = Duration::from_nanos(4);
        let finished = Progress::Finished { step: StepId(1), took };
        assert_eq!(follower.on(vertex("sha256:b", Some(5), Some(9))), [finished]);
        // A program that writes was run: its result could not be had.
        follower.on(vertex("sha256:a", Some(10), None));
        follower.on(Update::Log { vertex: "sha256:a".to_owned(), stream: 1, data: b"x".to_vec() });
        let finished = Progress::Finished { step: StepId(0), took };
        assert_eq!(follower.on(vertex("sha256:a", Some(10), Some(14))), [finished]);
    }

    #[test]
    fn what_the_plan_does_not_know_is_added_once() {
        let mut follower = follower();
        let added = Progress::Added { name: "exporting to image".to_owned() };
        assert_eq!(follower.on(vertex("sha256:x", Some(1), None)), [added, Progress::Started(StepId(2))]);
        let finished = Progress::Finished { step: StepId(2), took: Duration::from_nanos(1) };
        assert_eq!(follower.on(vertex("sha256:x", Some(1), Some(2))), [finished]);
        let added = Progress::Added { name: "exporting to image".to_owned() };
        assert_eq!(follower.on(vertex("sha256:y", None, None)), [added]);
    }

    #[test]
    fn the_first_that_failed_is_kept_and_those_it_took_along_are_not() {
        let mut follower = follower();
        assert_eq!(
            follower.on(failed("sha256:b", "solve: context canceled")),
            [Progress::Cancelled(StepId(1))]
        );
        assert_eq!(follower.failed(), None);
        let message = "exit code: 7".to_owned();
        assert_eq!(
            follower.on(failed("sha256:a", "exit code: 7")),
            [Progress::Failed { step: StepId(0), message }]
        );
        assert_eq!(follower.failed(), Some(StepId(0)));
    }

    #[test]
    fn the_end_of_the_output_is_kept() {
        let mut follower = follower();
        for line in 0..10_000 {
            let data = format!("line {line}\n").into_bytes();
            follower.on(Update::Log { vertex: "sha256:a".to_owned(), stream: 2, data });
        }
        let tail = String::from_utf8_lossy(follower.tail(StepId(0))).into_owned();
        assert!(tail.ends_with("line 9998\nline 9999\n") && tail.len() <= TAIL, "{}", tail.len());
        assert!(follower.tail(StepId(1)).is_empty());
    }

    #[test]
    fn parts_are_named_once() {
        assert_eq!(item("sha256:1", "extract"), "extract sha256:1");
        assert_eq!(item("sha256:1", "extracting sha256:1"), "extracting sha256:1");
        assert_eq!(item("exporting layers", ""), "exporting layers");
        assert_eq!(item("transferring source:", "transferring"), "transferring source:");
    }
}
