//! The rows of the copy suite as directories of one filesystem, so that many are one build: each
//! has a directory that stands for the root of what its plan makes, and one of a stage, or a
//! context of its own, for the root of its source.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use cogpack_backends_contract::layers::STATIONS_OF_A_SYSTEM;
use cogpack_tests::filesystem::{Listing, Sketch};
use cogpack_tests::solve::Looking;

use super::copies::{self, From, Onto};
use super::copy_rows::{self, Row};

/// A row in one way.
#[derive(Debug, Clone)]
pub struct Case {
    pub number: usize,
    pub row: Row,
    pub from: From,
    pub onto: Onto,
    /// The directory that is its root.
    pub place: String,
}

/// Users of the images that rows are built on.
const PASSWD: &str = r"root:x:0:0::/root:/bin/sh\napp:x:1000:50::/:/bin/sh\n";
const GROUP: &str = r"root:x:0:\nstaff:x:50:\n";

/// Everything, in all ways that differ: where nothing is there before, it comes from nowhere, and
/// where a copy looks at what is there anyway, it does not matter where that comes from.
pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut seen = BTreeSet::new();
    for (row, from, onto, _) in copy_rows::rows(true, Looking::AtAll) {
        let (source, before, copy) = row;
        // Some rows are there more than once, with other contents, for caches of daemons.
        let without_digits = source.replace(|it: char| it.is_ascii_digit(), "");
        let is_modes = source.contains(':') || source.contains('@');
        let kind = if is_modes { source.to_owned() } else { without_digits };
        let is_new = seen.insert((kind, before, copy, from == From::Stage, onto == Onto::Layer));
        if is_new && (onto == Onto::Base || !before.is_empty() && !Case::looks(row)) {
            cases.push(Case::new(cases.len(), row, from, onto));
        }
    }
    cases
}

impl Case {
    fn new(number: usize, row: Row, from: From, onto: Onto) -> Self {
        let looks = onto == Onto::Layer || Self::looks(row);
        let place = if looks { format!("/var/rows/{number}") } else { format!("/rows/{number}") };
        Self { number, row, from, onto, place }
    }

    /// Whether its copy looks at what is under its layer: below some places all copies do.
    fn looks(row: Row) -> bool {
        let landing = row.2.split_once(" from I ").and_then(|(_, rest)| rest.split('"').nth(1));
        let top = landing.expect("a copy names where it lands").split('/').nth(1).unwrap_or_default();
        top.is_empty() || STATIONS_OF_A_SYSTEM.contains(&top)
    }

    /// Whether its copy names an owner, whom the account files of its base know or do not.
    fn names_an_owner(&self) -> bool {
        [" owner app", " owner nobody"].iter().any(|word| self.row.2.contains(word))
    }

    /// Whether its copy is a layer that does not look at what is under it.
    fn is_independent(&self) -> bool {
        let looks = self.row.2.contains(" replace") || self.names_an_owner();
        !looks && self.place.starts_with("/rows/")
    }

    /// The same where its copy looks at what is there before.
    pub fn that_looks(&self) -> Self {
        Self { place: format!("/var/rows/{}", self.number), ..self.clone() }
    }

    /// The same with another copy.
    pub fn with_copy(&self, copy: &'static str) -> Self {
        Self { row: (self.row.0, self.row.1, copy), ..self.clone() }
    }

    /// One of the four ways.
    pub fn way(&self) -> String {
        format!("{:?}-{:?}", self.from, self.onto).to_lowercase()
    }

    pub fn shown(&self) -> String {
        let (source, before, copy) = self.row;
        format!("{source} | {before} | {}", copy.replace('\n', " "))
    }

    fn source_place(&self) -> String {
        match self.from {
            From::Context => String::new(),
            From::Stage => format!("/var/rows/{}", self.number),
        }
    }

    fn source(&self) -> Sketch {
        match self.from {
            From::Context => Sketch::new(self.row.0),
            From::Stage => Sketch::new(self.row.0).moved(&self.source_place()),
        }
    }

    fn before(&self) -> Sketch {
        Sketch::new(self.row.1).moved(&self.place)
    }

    /// Its copy out of an input.
    fn copy(&self, input: &str) -> String {
        let (sources, rest) = self.row.2.split_once(" from I ").expect("a copy names its input");
        let sources = with_paths(sources, |_, path| below(&self.source_place(), path));
        let rest = with_paths(rest, |place, path| match place {
            0 => below(&self.place, path),
            _ => path.to_owned(),
        });
        format!("{sources} from {input} {rest}")
    }

    /// What the contract says that its root holds. Nothing runs there, so the modes that a
    /// program sets elsewhere are those of its contexts.
    pub fn contract(&self, folder: &Path) -> Result<Listing, String> {
        let Self { number, place, .. } = self;
        write(&self.source(), &folder.join(format!("source-{number}")));
        write(&self.before(), &folder.join(format!("before-{number}")));
        let source_place = self.source_place();
        let before = format!(
            "  copy contents \".\" from @before-{number} to \"{place}\"\n{}",
            self.before().owners(place)
        );
        let before = if self.row.1.is_empty() { String::new() } else { before };
        let accounts = if self.names_an_owner() { accounts() } else { String::new() };
        let (base, layer) = match self.onto {
            Onto::Base => (accounts + &before, ""),
            Onto::Layer => (accounts, before.as_str()),
        };
        let (input, source) = match self.from {
            From::Context => (format!("@source-{number}"), String::new()),
            From::Stage => (
                "%source".to_owned(),
                format!(
                    "  copy contents \".\" from @source-{number} to \"{source_place}\"\n{}",
                    self.source().owners(&source_place)
                ),
            ),
        };
        let copy = self.copy(&input);
        let plan = format!(
            "cpk 1\ncontext @source-{number} = dir \"source-{number}\"\n\
             context @before-{number} = dir \"before-{number}\"\n\
             stage %source from scratch {{\n{source}}}\nstage %base from scratch {{\n{base}}}\n\
             stage %after from %base {{\n  env PATH = \"/bin\"\n  layer all {{\n{layer}  {copy}\n  }}\n}}\n\
             export from %after\n"
        );
        copies::contract(&plan, folder).map(|made| self.root(&made))
    }

    /// What stands below its root in an image.
    pub fn root(&self, image: &Listing) -> Listing {
        let above = format!("{}/", &self.place[1..]);
        let below =
            |(path, what): (&String, &String)| Some((path.strip_prefix(&above)?.to_owned(), what.clone()));
        image.iter().filter_map(below).collect()
    }
}

/// The ops that write the account files of a base.
fn accounts() -> String {
    format!("  file \"/etc/passwd\" = \"{PASSWD}\"\n  file \"/etc/group\" = \"{GROUP}\"\n")
}

/// How copies that do not look at what is under their layer are put into layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layers {
    /// Each is one: there is an instruction for that.
    Each,
    /// All are one: a layer would cost a stage of its own.
    All,
}

/// The plan of some rows on the image `base`, whose contexts are written below `folder`.
pub fn plan(cases: &[&Case], layers: Layers, base: &str, folder: &Path) -> String {
    let (mut contexts, mut sources, mut before) = (String::new(), String::new(), String::new());
    let (mut made, mut after, mut alone) = (String::new(), String::new(), String::new());
    for name in ["sources", "before", "made"] {
        std::fs::create_dir_all(folder.join(name)).expect("can be made");
    }
    let mut context = |name: &str| {
        let _ = writeln!(contexts, "context @{name} = dir \"{name}\"");
        folder.join(name)
    };
    if cases.iter().any(|case| case.names_an_owner()) {
        before += &accounts();
    }
    for case in cases {
        let Case { number, place, .. } = case;
        let source = case.source();
        let input = match case.from {
            From::Context => {
                write(&source, &context(&format!("source-{number}")));
                format!("@source-{number}")
            }
            From::Stage => {
                write(&source.without_special_bits(), &folder.join(format!("sources/{number}")));
                let place = case.source_place();
                sources += &(source.owners(&place) + &source.special_bits(&place));
                "%sources".to_owned()
            }
        };
        let there = case.before();
        let changes = there.owners(place) + &there.special_bits(place);
        let copy = case.copy(&input);
        // A String takes whatever is written to it.
        let _ = match case.onto {
            Onto::Base => {
                write(&there.without_special_bits(), &folder.join(format!("before{place}")));
                before += &changes;
                match layers {
                    Layers::Each => writeln!(alone, "layer row-{number} {{\n  {copy}\n}}"),
                    Layers::All if !case.is_independent() => writeln!(after, "  {copy}"),
                    Layers::All => writeln!(alone, "  {copy}"),
                }
            }
            Onto::Layer => {
                write(&there.without_special_bits(), &folder.join(format!("made{place}")));
                made += &changes;
                writeln!(after, "  {copy}")
            }
        };
    }
    for name in ["sources", "before", "made"] {
        context(name);
    }
    if layers == Layers::All && !alone.is_empty() {
        alone = format!("layer alone {{\n{alone}}}\n");
    }
    if cases.iter().any(|case| case.onto == Onto::Layer) {
        made.insert_str(0, "  copy contents \".\" from @made to \"/\"\n");
    }
    // The classic builder fails at a `COPY` right after one that changed nothing.
    if cases.iter().any(|case| case.onto == Onto::Base && !case.row.1.is_empty()) {
        before.insert_str(0, "  copy contents \".\" from @before to \"/\"\n");
    }
    let together = match after.is_empty() {
        true => String::new(),
        false => format!("layer rows {{\n{made}{after}}}\n"),
    };
    format!(
        "cpk 1\nimage @base = \"{base}\"\n  env PATH = \"/usr/bin:/bin\"\n{contexts}\
         stage %sources from image @base {{\n  copy contents \".\" from @sources to \"/var/rows\"\n{sources}}}\n\
         stage %base from image @base {{\n{before}}}\n\
         stage %after from %base {{\n{together}{alone}}}\nexport from %after\n"
    )
}

fn write(sketch: &Sketch, folder: &Path) {
    if !folder.exists() {
        std::fs::create_dir_all(folder).expect("can be made");
        sketch.write(folder);
    }
}

fn below(place: &str, path: &str) -> String {
    match path.trim_start_matches('/') {
        _ if place.is_empty() => path.to_owned(),
        "" | "." => place.to_owned(),
        path => format!("{place}/{path}"),
    }
}

/// A text with each of its quoted paths changed, which are counted from 0.
fn with_paths(text: &str, change: impl Fn(usize, &str) -> String) -> String {
    let part = |(place, part): (usize, &str)| match place % 2 {
        0 => part.to_owned(),
        _ => format!("\"{}\"", change(place / 2, part)),
    };
    text.split('"').enumerate().map(part).collect()
}
