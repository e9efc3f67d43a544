//! The copy suite through ejected Dockerfiles: each row, in each of its ways, built by each tool
//! in its dialect, makes what the contract says, or is refused.
//!
//! A build takes about a second, however small it is. So the rows that must give what the contract
//! says are directories of a few large images; what a builder may make otherwise is built alone.
//! Which rows that are is no list, but follows from what the contract says of them: [`Allowed`].
//!
//! What a dialect refuses, and what a build has to fail at, stands in a snapshot of each tool. Slow
//! tools build a [sample](super::ejected_sample) of the rows; what became of the others is then taken
//! as it stands there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use cogpack_tests::engines;
use cogpack_tests::filesystem::{Listing, Sketch};
use cogpack_tests::snapshot::Snapshots;
use cogpack_tests::tools::{Given, Tool};

use super::copies::{From, Onto, shown};
use super::ejected_otherwise::Otherwise;
use super::ejected_rows::{Case, Layers, cases, plan};
use super::ejected_sample;
use super::ejects::{eject, named};

/// The same with an engine, none of which takes more than 127.
const MOST_LAYERS: usize = 100;

/// So much is done at once.
const AT_ONCE: usize = 3;

/// What may become of a row that is not refused.
#[derive(Debug)]
enum Allowed {
    /// What the contract says, and nothing else.
    Contract,
    /// That, or a build that fails.
    ContractOrFailure,
    /// A build that fails, or this, where the contract knows a mistake that builders do not see.
    Failure(Option<Listing>),
}

/// A row, and what is known of it before its tool is asked.
struct Judged {
    case: Case,
    contract: Result<Listing, String>,
    allowed: Allowed,
    /// The codes of what the dialect refuses.
    refused: Option<String>,
    layers: usize,
    /// What its Dockerfile says.
    outline: String,
}

impl Judged {
    /// What another row may have in common with it, so that one of them says enough.
    fn likeness(&self) -> [String; 4] {
        let outcome = match (&self.allowed, &self.contract) {
            (_, Err(problem)) => ejected_sample::unquoted(problem),
            (Allowed::Contract, Ok(_)) => "made".to_owned(),
            (Allowed::ContractOrFailure | Allowed::Failure(_), Ok(_)) => "made or not".to_owned(),
        };
        let kinds = |sketch: &str| match self.allowed {
            // It is an instruction among many, so it may be looked at closely.
            Allowed::Contract => ejected_sample::kinds(sketch),
            Allowed::ContractOrFailure | Allowed::Failure(_) => String::new(),
        };
        let (source, before, _) = self.case.row;
        [self.outline.clone(), outcome, kinds(source), kinds(before)]
    }

    /// What became of it, in a word, where that is not what the contract says; or what is wrong with that.
    fn became(&self, built: &Result<Listing, String>) -> Result<Option<&'static str>, String> {
        let unseen = match &self.allowed {
            Allowed::Failure(unseen) => unseen.as_ref(),
            Allowed::Contract | Allowed::ContractOrFailure => None,
        };
        match (built, &self.contract) {
            (Ok(built), Ok(contract)) if built == contract => Ok(None),
            (Ok(built), Err(_)) if Some(built) == unseen => Ok(Some("lands inside")),
            (Err(_), Err(_)) => Ok(None),
            (Err(_), Ok(_)) if matches!(self.allowed, Allowed::ContractOrFailure) => Ok(Some("fails")),
            (built, contract) => Err(format!(
                "{} {}:\n  the contract: {}\n  the builder:  {}",
                self.case.shown(),
                self.case.way(),
                shown(contract),
                built.as_ref().map_or_else(|said| said.clone(), |built| shown(&Ok::<_, ()>(built.clone())))
            )),
        }
    }
}

/// The rows on their way through one tool.
struct Suite<'t> {
    tool: &'t Tool,
    /// How its copies are put together.
    layers: Layers,
    /// The most layers of one image, but its base's.
    most_layers: usize,
    /// The image that they are built on.
    base: String,
    /// The contexts of all rows, their plans and ejects.
    folder: tempfile::TempDir,
    made: AtomicUsize,
    images: Mutex<Vec<String>>,
}

impl Suite<'_> {
    fn judge(&self, case: Case) -> Judged {
        let folder = self.folder.path().join("contract");
        let contract = case.contract(&folder);
        let allowed = match &contract {
            Ok(made) if self.may_meet_something(&case, made) || self.may_lose_bits(&case) => {
                Allowed::ContractOrFailure
            }
            Ok(_) => Allowed::Contract,
            Err(problem) => Allowed::Failure(
                lands_inside(&case, problem)
                    .and_then(|inside| inside.contract(&self.folder.path().join("inside")).ok()),
            ),
        };
        let (refused, layers, outline) = match self.eject(&[&case]) {
            Ok(eject) => (None, layers(&eject), ejected_sample::outline(&eject)),
            Err(codes) => (Some(codes.into_iter().collect::<Vec<_>>().join(" ")), 0, String::new()),
        };
        Judged { case, contract, allowed, refused, layers, outline }
    }

    /// Whether a layer that does not look at what is under it meets something of another kind
    /// there: what looks then makes something else. Builders may fail at that.
    fn may_meet_something(&self, case: &Case, made: &Listing) -> bool {
        case.onto == Onto::Base
            && case.that_looks().contract(&self.folder.path().join("looks")).as_ref() != Ok(made)
    }

    /// Whether the build has to notice that the builder would take bits off.
    fn may_lose_bits(&self, case: &Case) -> bool {
        let (source, _, copy) = case.row;
        self.tool.takes_set_ids_off()
            && case.from == From::Stage
            && Sketch::new(source).has_set_ids()
            && !copy.contains(" mode ")
    }

    /// Ejects a plan of these rows.
    fn eject(&self, cases: &[&Case]) -> Result<PathBuf, BTreeSet<String>> {
        let folder = self.folder.path().join(format!("plan-{}", self.next()));
        std::fs::create_dir(&folder).expect("can be made");
        let plan = plan(cases, self.layers, &self.base, &folder);
        std::fs::write(folder.join("plan.cpk"), plan).expect("can be written");
        eject(&folder, "plan.cpk", "eject", self.tool)
    }

    /// Builds a plan of these rows, and gives its image.
    fn build_together(&self, cases: &[&Case]) -> Result<String, String> {
        let eject =
            self.eject(cases).map_err(|codes| format!("{codes:?}, which no row alone is refused for"))?;
        let image =
            format!("localhost/cogpack-copies/{}:{}-{}", self.tool.name, std::process::id(), self.next());
        self.tool.build(&eject, &image, &Given::default())?;
        self.images.lock().unwrap_or_else(PoisonError::into_inner).push(image.clone());
        Ok(image)
    }

    /// Builds some rows, as few at a time as gives an answer for each.
    fn build(&self, cases: &[&Case]) -> BTreeMap<usize, Result<String, String>> {
        match (self.build_together(cases), cases) {
            (Ok(image), _) => cases.iter().map(|case| (case.number, Ok(image.clone()))).collect(),
            (Err(said), [case]) => BTreeMap::from([(case.number, Err(said))]),
            (Err(_), _) => {
                let (first, second) = cases.split_at(cases.len() / 2);
                let mut built = self.build(first);
                built.append(&mut self.build(second));
                built
            }
        }
    }

    /// Builds all rows that are not refused, and then reads all images at once, which have the
    /// most of their layers in common.
    fn build_all(&self, rows: &[Judged]) -> BTreeMap<usize, Result<Listing, String>> {
        let (together, alone): (Vec<&Judged>, Vec<&Judged>) = rows
            .iter()
            .filter(|row| row.refused.is_none())
            .partition(|row| matches!(row.allowed, Allowed::Contract));
        let mut builds: Vec<Vec<&Case>> = vec![Vec::new()];
        let mut layers = 0;
        for row in together {
            if layers + row.layers > self.most_layers {
                builds.push(Vec::new());
                layers = 0;
            }
            layers += row.layers;
            builds.last_mut().expect("there is one").push(&row.case);
        }
        builds.extend(alone.into_iter().map(|row| vec![&row.case]));
        let mut built: BTreeMap<_, _> =
            at_once(AT_ONCE, builds, |cases| self.build(&cases)).into_iter().flatten().collect();
        let images = self.tool.images(&self.images());
        let root = |row: &Judged, image: String| row.case.root(&named(&images, &image).files);
        rows.iter()
            .filter_map(|row| {
                let built = built.remove(&row.case.number)?;
                Some((row.case.number, built.map(|image| root(row, image))))
            })
            .collect()
    }

    fn images(&self) -> Vec<String> {
        self.images.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn next(&self) -> usize {
        self.made.fetch_add(1, Ordering::Relaxed)
    }
}

impl Drop for Suite<'_> {
    fn drop(&mut self) {
        self.tool.remove(&self.images());
    }
}

/// Does something for each, several at once, and gives the answers in their order.
fn at_once<T: Send, A: Send>(most: usize, items: Vec<T>, work: impl Fn(T) -> A + Sync) -> Vec<A> {
    let waiting = Mutex::new(items.into_iter().enumerate());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
    let worker = || std::iter::from_fn(next).map(|(place, item)| (place, work(item))).collect::<Vec<_>>();
    let mut answers: Vec<(usize, A)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..most).map(|_| scope.spawn(worker)).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    answers.sort_by_key(|(place, _)| *place);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// A copy that lands where builders, which do not look, let this one land: a file inside the
/// directory that is in its way or whose contents it should be.
fn lands_inside(case: &Case, problem: &str) -> Option<Case> {
    let (_, _, copy) = case.row;
    let is_unseen = problem.ends_with("is not a directory, so it has no contents to copy")
        || problem.contains(" cannot land on ") && problem.ends_with(", which is a directory");
    let [before, source, between, landing, after] = copy.split('"').collect::<Vec<_>>()[..] else {
        return None;
    };
    let name = source.rsplit('/').next()?;
    let (landing, between) = match between.strip_suffix("into ") {
        Some(between) => (format!("{landing}/{name}/{name}"), format!("{between}to ")),
        None => (format!("{landing}/{name}"), between.to_owned()),
    };
    let before = before.replace("contents ", "");
    let copy = format!("{before}\"{source}\"{between}\"{landing}\"{after}");
    (is_unseen && !source.contains('*')).then(|| case.with_copy(copy.leak()))
}

/// How many layers an eject makes on what it starts from.
fn layers(eject: &std::path::Path) -> usize {
    let text = std::fs::read_to_string(eject.join("Dockerfile")).expect("the eject has a Dockerfile");
    let sections = text.split("\nFROM ").filter(|section| {
        section
            .lines()
            .next()
            .is_some_and(|first| first.ends_with(" AS base") || first.ends_with(" AS after"))
    });
    let makes_one = |line: &&str| ["RUN ", "COPY ", "WORKDIR "].iter().any(|it| line.starts_with(it));
    sections.flat_map(str::lines).filter(makes_one).count()
}

/// Leaves out a row that fails for what its source is, whatever is there before, in all but one way.
fn once_for_a_source(rows: &mut Vec<Judged>) {
    let mut seen = BTreeSet::new();
    rows.retain(|row| match &row.contract {
        Err(problem) if row.refused.is_none() => {
            let problem = problem.replace(&row.case.number.to_string(), "");
            seen.insert((row.case.row, row.case.from == From::Stage, problem))
        }
        Ok(_) | Err(_) => true,
    });
}

/// Leaves out what is like a row before it, and gives that.
fn all_but_a_sample(rows: &mut Vec<Judged>) -> Vec<Case> {
    let mut seen = BTreeSet::new();
    let (kept, left_out): (Vec<Judged>, Vec<Judged>) = std::mem::take(rows)
        .into_iter()
        .partition(|row| row.refused.is_some() || seen.insert(row.likeness()));
    *rows = kept;
    left_out.into_iter().map(|row| row.case).collect()
}

fn every_row_is_as_the_contract_says(tool: Option<Tool>) {
    let (Some(tool), Some(registry)) = (tool, engines::registry()) else { return };
    let suite = Suite {
        tool: &tool,
        layers: if tool.links_layers() { Layers::Each } else { Layers::All },
        most_layers: if tool.joins_layers() { usize::MAX } else { MOST_LAYERS },
        base: format!("{registry}/base/debian:bookworm-slim"),
        folder: tempfile::tempdir().expect("a temporary folder can be made"),
        made: AtomicUsize::default(),
        images: Mutex::default(),
    };
    let mut rows = at_once(AT_ONCE, cases(), |case| suite.judge(case));
    once_for_a_source(&mut rows);
    let left_out = match ejected_sample::builds_all(tool.is_slow()) {
        true => Vec::new(),
        false => all_but_a_sample(&mut rows),
    };
    let built = suite.build_all(&rows);
    let snapshot = format!("ejects/copies/{}.txt", tool.name);
    let mut otherwise = Otherwise::default();
    let known = Otherwise::read(&snapshot);
    for case in &left_out {
        otherwise.repeat(case, &known);
    }
    let mut wrong = Vec::new();
    for row in &rows {
        let became = match &row.refused {
            Some(codes) if row.contract.is_ok() => Ok(Some(format!("refused {codes}"))),
            Some(_) => Ok(None),
            None => row.became(&built[&row.case.number]).map(|became| became.map(str::to_owned)),
        };
        match became {
            Ok(None) => {}
            Ok(Some(became)) => otherwise.add(&row.case, became),
            Err(what) => wrong.push(what),
        }
    }
    assert!(wrong.is_empty(), "{} rows with {}:\n{}", wrong.len(), tool.name, wrong.join("\n"));
    assert!(built.len() > 100, "only {} rows were built", built.len());
    let mut snapshots = Snapshots::default();
    snapshots.check(&snapshot, &otherwise.text());
    snapshots.finish(&snapshot);
}

#[test]
fn ejects_for_buildkit_of_the_older_engine_copy_as_the_contract_says() {
    every_row_is_as_the_contract_says(Tool::older_buildkit());
}

#[test]
fn ejects_for_buildkit_of_the_newer_engine_copy_as_the_contract_says() {
    every_row_is_as_the_contract_says(Tool::newer_buildkit());
}

#[test]
fn ejects_for_the_classic_builder_copy_as_the_contract_says() {
    every_row_is_as_the_contract_says(Tool::classic());
}

#[test]
fn ejects_for_buildah_copy_as_the_contract_says() {
    every_row_is_as_the_contract_says(Tool::buildah());
}

#[test]
fn ejects_for_the_newer_buildah_copy_as_the_contract_says() {
    every_row_is_as_the_contract_says(Tool::newer_buildah());
}
