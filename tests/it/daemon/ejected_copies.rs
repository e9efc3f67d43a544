//! The copy suite through ejected Dockerfiles: each row in each of its four ways, built by each
//! tool in its dialect, makes what the contract says.
//!
//! A build takes about a second, however small it is. So the rows that should give an image are
//! stages of a few large plans, whose image has the result of each in a directory of its own; a
//! plan that cannot be built is halved until it is clear which row is at fault.
//!
//! What a dialect refuses, and what its builder fails at, stands in a snapshot of each tool.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use cogpack_tests::filesystem::{Listing, Sketch};
use cogpack_tests::places::root;
use cogpack_tests::snapshot::Snapshots;
use cogpack_tests::tools::{Given, Tool};

use super::copies::{From, Onto, contract, plan, shown, stages};
use super::copy_rows::Row;
use super::ejected_rows::{OTHERWISE, rows};
use super::ejects::{eject, named};

/// Most rows of one plan: images have at most 127 layers, and a classic builder makes one of each row.
const TOGETHER: usize = 100;

/// Plans are built so many at a time.
const AT_ONCE: usize = 4;

/// A row, and what is known of it before a tool is asked.
struct Case {
    number: usize,
    row: Row,
    from: From,
    onto: Onto,
    contract: Result<Listing, String>,
    /// The codes of what the dialect refuses.
    refused: Option<String>,
}

impl Case {
    /// One of the four ways.
    fn way(&self) -> String {
        format!("{:?}-{:?}", self.from, self.onto).to_lowercase()
    }

    fn shown(&self) -> String {
        let (source, before, copy) = self.row;
        format!("{source} | {before} | {}", copy.replace('\n', " "))
    }
}

/// What becomes of a row.
#[derive(Debug, Clone)]
enum Outcome {
    /// Its dialect refuses it, with these codes.
    Refused(String),
    /// Its build ends so.
    Built(Result<Listing, String>),
}

/// The rows on their way through one tool.
struct Suite<'t> {
    tool: &'t Tool,
    /// The contexts of all rows, their plans and ejects.
    folder: tempfile::TempDir,
    builds: AtomicUsize,
}

impl Suite<'_> {
    fn case(&self, number: usize, (row, from, onto): (Row, From, Onto)) -> Case {
        let (source, before, copy) = row;
        let behind = format!("-{number}");
        let [source, before] = [("source", source), ("before", before)].map(|(name, text)| {
            let sketch = Sketch::new(text);
            let context = self.folder.path().join(format!("{name}{behind}"));
            std::fs::create_dir(&context).expect("it can be made");
            sketch.write(&context);
            sketch
        });
        let plan = plan(&behind, &source, &before, copy, from, onto);
        let name = format!("row{behind}.cpk");
        std::fs::write(self.folder.path().join(&name), &plan).expect("can be written");
        let refused = eject(self.folder.path(), &name, &format!("row{behind}"), self.tool).err();
        let refused = refused.map(|codes| codes.into_iter().collect::<Vec<_>>().join(" "));
        Case { number, row, from, onto, contract: contract(&plan, self.folder.path()), refused }
    }

    /// Builds some rows, as few at a time as gives an answer for each.
    fn build(&self, cases: &[&Case]) -> BTreeMap<usize, Outcome> {
        match (self.build_together(cases), cases) {
            (Ok(made), _) => cases
                .iter()
                .map(|case| {
                    let above = format!("{}/", case.number);
                    let below = made.iter().filter_map(|(path, what)| {
                        Some((path.strip_prefix(&above)?.to_owned(), what.clone()))
                    });
                    (case.number, Outcome::Built(Ok(below.collect())))
                })
                .collect(),
            (Err(said), [case]) => BTreeMap::from([(case.number, Outcome::Built(Err(said)))]),
            (Err(_), _) => {
                let (first, second) = cases.split_at(cases.len() / 2);
                let mut built = self.build(first);
                built.append(&mut self.build(second));
                built
            }
        }
    }

    /// What a plan of these rows makes.
    fn build_together(&self, cases: &[&Case]) -> Result<Listing, String> {
        let (mut plan, mut all, mut gathered) = ("cpk 1\n".to_owned(), String::new(), String::new());
        for Case { number, row: (source, before, copy), from, onto, .. } in cases {
            let [source, before] = [source, before].map(|text| Sketch::new(text));
            plan += &stages(&format!("-{number}"), &source, &before, copy, *from, *onto);
            // A String takes whatever is written to it.
            let _ = writeln!(all, "  copy \"/\" from %after-{number} to \"/{number}\"");
            let _ = writeln!(gathered, "COPY --from=after-{number} / /{number}/");
        }
        let _ =
            write!(plan, "stage %rows from scratch {{\n  env PATH = \"/bin\"\n{all}}}\nexport from %rows\n");
        let unique = format!("rows-{}", self.builds.fetch_add(1, Ordering::Relaxed));
        let name = format!("{unique}.cpk");
        std::fs::write(self.folder.path().join(&name), plan).expect("can be written");
        let eject = eject(self.folder.path(), &name, &unique, self.tool)
            .unwrap_or_else(|codes| panic!("{codes:?}, which no row alone is refused for"));
        gather(&eject.join("Dockerfile"), &gathered);
        let image = [format!("localhost/cogpack-copies/{}:{}-{unique}", self.tool.name, std::process::id())];
        self.tool.build(&eject, &image[0], &Given::default())?;
        let made = named(&self.tool.images(&image), &image[0]).files.clone();
        self.tool.remove(&image);
        Ok(made)
    }

    /// What becomes of each row, where `failing` are those that failed the last time.
    fn outcomes(&self, cases: &[Case], failing: &BTreeSet<(String, String)>) -> BTreeMap<usize, Outcome> {
        let refused = |case: &Case| Some((case.number, Outcome::Refused(case.refused.clone()?)));
        let mut outcomes: BTreeMap<usize, Outcome> = cases.iter().filter_map(refused).collect();
        let (together, alone): (Vec<&Case>, Vec<&Case>) = cases
            .iter()
            .filter(|case| case.refused.is_none())
            .partition(|case| case.contract.is_ok() && !failing.contains(&(case.shown(), case.way())));
        let plans: Vec<&[&Case]> = together.chunks(TOGETHER).chain(alone.chunks(1)).collect();
        let (next, built) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        std::thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| {
                    while let Some(plan) = plans.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let outcomes = self.build(plan);
                        built.lock().unwrap_or_else(PoisonError::into_inner).push(outcomes);
                    }
                });
            }
        });
        outcomes.extend(built.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().flatten());
        outcomes
    }
}

/// Lets the last stage of a Dockerfile, which only names all rows, gather them as they are: a copy of
/// a plan makes what it copies root's.
fn gather(dockerfile: &Path, copies: &str) {
    let text = std::fs::read_to_string(dockerfile).expect("the eject has a Dockerfile");
    let last = text.find("\nFROM scratch AS rows\n").expect("the last stage is that of the plan");
    std::fs::write(dockerfile, format!("{}\nFROM scratch\n{copies}", &text[..last])).expect("can be written");
}

/// What became of a row, in a line, if that is not what the contract says.
fn deviation(case: &Case, outcome: &Outcome) -> Option<String> {
    match (outcome, &case.contract) {
        (Outcome::Built(Ok(built)), Ok(contract)) if built == contract => None,
        (Outcome::Built(Err(_)) | Outcome::Refused(_), Err(_)) => None,
        (Outcome::Refused(codes), Ok(_)) => Some(format!("refused {codes}")),
        (Outcome::Built(Err(_)), Ok(_)) => Some(FAILED.to_owned()),
        (Outcome::Built(built @ Ok(_)), contract) => {
            Some(format!("makes [{}] instead of [{}]", shown(built), shown(contract)))
        }
    }
}

/// What a snapshot says of a build that fails.
const FAILED: &str = "fails";

/// All that is not as the contract says: each row, and below it what became of it in which ways.
fn deviations(cases: &[Case], outcomes: &BTreeMap<usize, Outcome>) -> String {
    let mut rows: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    for case in cases {
        if let Some(deviation) = deviation(case, &outcomes[&case.number]) {
            rows.entry(case.shown()).or_default().entry(deviation).or_default().push(case.way());
        }
    }
    let mut text = String::new();
    for (row, deviations) in rows {
        // A String takes whatever is written to it.
        let _ = writeln!(text, "{row}");
        for (deviation, ways) in deviations {
            let _ = writeln!(text, "    {}: {deviation}", ways.join(" "));
        }
    }
    text
}

/// The rows that failed when a snapshot was taken, with their ways.
fn failing(snapshot: &str) -> BTreeSet<(String, String)> {
    let mut failing = BTreeSet::new();
    let mut row = "";
    for line in snapshot.lines() {
        match line.strip_prefix("    ").and_then(|line| line.split_once(": ")) {
            None => row = line,
            Some((ways, FAILED)) => {
                failing.extend(ways.split(' ').map(|way| (row.to_owned(), way.to_owned())));
            }
            Some(_) => {}
        }
    }
    failing
}

fn every_row_is_as_the_contract_says(tool: Option<Tool>) {
    let Some(tool) = tool else { return };
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let suite = Suite { tool: &tool, folder, builds: AtomicUsize::new(0) };
    let cases: Vec<Case> =
        rows().into_iter().enumerate().map(|(number, row)| suite.case(number, row)).collect();
    let snapshot = format!("ejects/copies/{}.txt", tool.name);
    let last = std::fs::read_to_string(root().join("snapshots").join(&snapshot)).unwrap_or_default();
    let outcomes = suite.outcomes(&cases, &failing(&last));
    let unknown: Vec<String> = cases
        .iter()
        .filter(|case| !OTHERWISE.iter().any(|(by, row, _)| by.contains(&tool.name) && *row == case.row))
        .filter_map(|case| {
            let deviation = deviation(case, &outcomes[&case.number])?;
            deviation.starts_with("makes ").then(|| format!("{} {}: {deviation}", case.shown(), case.way()))
        })
        .collect();
    assert!(unknown.is_empty(), "with {}:\n{}", tool.name, unknown.join("\n"));
    let mut snapshots = Snapshots::default();
    snapshots.check(&snapshot, &deviations(&cases, &outcomes));
    snapshots.finish(&snapshot);
    for case in &cases {
        if let (Outcome::Built(Err(said)), Ok(_)) = (&outcomes[&case.number], &case.contract) {
            println!("{} {}: {said}", case.shown(), case.way());
        }
    }
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
