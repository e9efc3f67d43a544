//! The copy suite through ejected Dockerfiles: each row in each of its four ways, built by each
//! tool in its dialect, makes what the contract says.
//!
//! A build takes about a second, however small it is. So the rows that should give an image are
//! stages of a few large plans, whose image has the result of each in a directory of its own; a
//! plan that cannot be built is halved until it is clear which row is at fault.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use cogpack_tests::filesystem::{Listing, Sketch};
use cogpack_tests::tools::{Given, Tool};

use super::copies::{From, Onto, contract, plan, shown, stages};
use super::copy_rows::{Expected, Row};
use super::ejected_rows::{expected, rows};
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
    expected: Expected,
    contract: Result<Listing, String>,
    /// The codes of what the dialect refuses.
    refused: Option<String>,
}

impl Case {
    /// Whether an image should come of it.
    fn should_be_built(&self) -> bool {
        match self.expected {
            Expected::Contract => self.contract.is_ok(),
            Expected::Refused(_) | Expected::Failed => false,
            Expected::Otherwise(_) => true,
        }
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
        let expected = expected(self.tool.name, &row, from, onto);
        Case { number, row, from, onto, expected, contract: contract(&plan, self.folder.path()), refused }
    }

    /// Builds some rows, as few at a time as gives an answer for each.
    fn build(&self, cases: &[&Case]) -> BTreeMap<usize, Outcome> {
        match (self.build_together(cases), cases) {
            (Ok(made), _) => cases
                .iter()
                .map(|case| {
                    let above = format!("{}/", case.number);
                    let below = made
                        .iter()
                        .filter_map(|(path, what)| Some((path.strip_prefix(&above)?.to_owned(), what.clone())));
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
        let _ = write!(plan, "stage %rows from scratch {{\n  env PATH = \"/bin\"\n{all}}}\nexport from %rows\n");
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

    /// What becomes of each row.
    fn outcomes(&self, cases: &[Case]) -> BTreeMap<usize, Outcome> {
        let refused = |case: &Case| Some((case.number, Outcome::Refused(case.refused.clone()?)));
        let mut outcomes: BTreeMap<usize, Outcome> = cases.iter().filter_map(refused).collect();
        let (together, alone): (Vec<&Case>, Vec<&Case>) =
            cases.iter().filter(|case| case.refused.is_none()).partition(|case| case.should_be_built());
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

/// What a row was to give and what it gave, if that differs.
fn complaint(case: &Case, outcome: &Outcome) -> Option<String> {
    let is_as_expected = match (case.expected, outcome, &case.contract) {
        (Expected::Contract, Outcome::Built(Ok(built)), Ok(contract)) => built == contract,
        (Expected::Contract, Outcome::Built(Err(_)) | Outcome::Refused(_), Err(_)) => true,
        (Expected::Refused(code), Outcome::Refused(codes), _) => code == codes,
        (Expected::Failed, Outcome::Built(Err(_)), _) => true,
        (Expected::Otherwise(listing), Outcome::Built(built @ Ok(_)), _) => shown(built) == listing,
        (Expected::Contract | Expected::Refused(_) | Expected::Failed | Expected::Otherwise(_), _, _) => false,
    };
    let Case { row, from, onto, expected, contract, .. } = case;
    let outcome = match outcome {
        Outcome::Refused(codes) => format!("refused: {codes}"),
        Outcome::Built(built) => shown(built),
    };
    (!is_as_expected).then(|| {
        format!("{row:?} {from:?} {onto:?}: {expected:?}\n  the contract: {}\n  the eject:    {outcome}", shown(contract))
    })
}

fn every_row_is_as_the_contract_says(tool: Option<Tool>) {
    let Some(tool) = tool else { return };
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let suite = Suite { tool: &tool, folder, builds: AtomicUsize::new(0) };
    let cases: Vec<Case> =
        rows().into_iter().enumerate().map(|(number, row)| suite.case(number, row)).collect();
    let outcomes = suite.outcomes(&cases);
    let wrong: Vec<String> =
        cases.iter().filter_map(|case| complaint(case, &outcomes[&case.number])).collect();
    assert!(wrong.is_empty(), "{} rows with {}:\n{}", wrong.len(), tool.name, wrong.join("\n"));
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
