//! One meaning: every case and every project gives the same image, its root filesystem and its config, however it
//! is built, before it is rewritten by passes and after.
//!
//! What a plan's LLB gives as it is written, on the newer engine, is what all else is compared with, at `-O0`, `-O1`
//! and `-O2`: here LLB on either engine, which differ in what their daemons can do; in
//! [`ejects`](crate::daemon::ejects) the plan's Dockerfile, built by every tool in its dialect; in
//! [`direct`](crate::daemon::direct) what is made without a daemon.
//!
//! Each way of building has a list in `snapshots/equivalence/`: of each plan and level, that it is compared, that it
//! is built from the same text as another level is, or with which codes it is refused. So nothing stops being
//! compared unseen. Slow tools, which start a container for each instruction, build a plan before (`-O0`) and after
//! (`-O2`); what is between is left to the others. `tests/projects/string-model` has no plan of its own to be built:
//! its wheels are nowhere.
//!
//! A fault was put into each backend once, and taken out again:
//!
//! | backend | fault | what turned red |
//! |---|---|---|
//! | without a daemon | what is removed leaves no whiteout | `direct` (`backends/file-ops`: `+ opt/kept/gone file 0644 0:0`; `backends/hostile`) |
//! | Dockerfile | no `LABEL` is written | `ejects`, with BuildKit, the classic builder and buildah (`backends/config`: `"lost":"old"` for `"lost":"new"`) |
//! | LLB | directories are made 0755 whatever the plan says | `direct` (`awkward`, `backends/hostile`), and this test |

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use cogpack_tests::engines::{self, Engine};
use cogpack_tests::image::differences;
use cogpack_tests::snapshot::Snapshots;
use cogpack_tests::terminal::cogpackc;
use cogpack_tests::tools::Tool;

use crate::daemon::ejects::{Unbuilt, World, mount_points, named, plans, without_mount_points};

/// How far plans are rewritten.
pub const LEVELS: [&str; 3] = ["-O0", "-O1", "-O2"];

/// What became of each plan at each level, built in one way.
#[derive(Default)]
pub struct List {
    plans: BTreeMap<String, Vec<(&'static str, String)>>,
}

impl List {
    /// Its image is compared.
    pub fn compared(&mut self, plan: &str, level: &'static str) {
        self.note(plan, level, "compared".to_owned());
    }

    /// It is not compared, for this reason.
    pub fn note(&mut self, plan: &str, level: &'static str, why: String) {
        self.plans.entry(plan.to_owned()).or_default().push((level, why));
    }

    /// It is refused with these codes.
    pub fn refused(&mut self, plan: &str, level: &'static str, codes: &BTreeSet<String>) {
        let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
        self.note(plan, level, format!("refused: {}", codes.join(" ")));
    }

    /// It is built already: this other level has the same text.
    pub fn same(&mut self, plan: &str, level: &'static str, as_level: &str) {
        self.note(plan, level, format!("as {as_level}"));
    }

    /// Compares the list with the one that is kept of this way.
    pub fn check(&self, way: &str) {
        let mut text = String::new();
        for (plan, levels) in &self.plans {
            let levels: Vec<String> = levels.iter().map(|(level, what)| format!("{level} {what}")).collect();
            // A String takes whatever is written to it.
            let _ = writeln!(text, "{plan}: {}", levels.join("; "));
        }
        let mut snapshots = Snapshots::default();
        let file = format!("equivalence/{way}.txt");
        snapshots.check(&file, &text);
        snapshots.finish(&file);
    }
}

/// The plan of a folder at each level, as text: what is built is decided by it.
pub fn texts(folder: &Path) -> [(&'static str, String); 3] {
    LEVELS.map(|level| {
        let answer = cogpackc(folder, &["opt", "built.cpk", level]);
        assert_eq!(answer.code, 0, "{}: {}", folder.display(), answer.stderr);
        (level, answer.text().to_owned())
    })
}

/// The first level with the text that one has; nothing where it is that level.
pub fn level_alike<'t>(texts: &[(&'t str, String)], level: &str) -> Option<&'t str> {
    let (_, own) = texts.iter().find(|(other, _)| *other == level)?;
    texts.iter().find(|(_, text)| text == own).map(|(first, _)| *first).filter(|first| *first != level)
}

/// Builds all plans by LLB on an engine, at each level, and compares them with what the newer engine makes of them
/// as they are written.
fn llb_gives_the_same(engine: Option<Engine>) {
    let (Some(engine), Some(newer), Some(world)) = (engine, engines::newer(), World::new()) else { return };
    let is_newer = engine.name == newer.name;
    let readers =
        [Tool::newer_buildkit(), if is_newer { Tool::newer_buildkit() } else { Tool::older_buildkit() }];
    let [reader, own_reader] = readers.map(|tool| tool.expect("the engines are there"));
    let mut wrong = String::new();
    let mut complain = |name: &str, what: &str| {
        // A String takes whatever is written to it.
        let _ = writeln!(wrong, "{name}: {what}");
    };
    let mut list = List::default();
    // What is wanted, by plan; and what was built, by plan and level.
    let mut wanted: BTreeMap<String, String> = BTreeMap::new();
    let mut built: BTreeMap<(String, &str), String> = BTreeMap::new();
    for (name, plan) in plans() {
        let folder = world.copy(&name, &plan);
        let tag = format!("{}-{}", name.replace('/', "-"), std::process::id());
        let reference = format!("cogpack-equivalence/wanted-by-{}:{tag}", engine.name).to_lowercase();
        let is_wanted = match world.build(&newer, &folder, &reference) {
            Ok(()) => {
                wanted.insert(name.clone(), reference);
                true
            }
            Err(Unbuilt::Failed(said)) => {
                complain(&name, &format!("it cannot be built: {said}"));
                continue;
            }
            Err(Unbuilt::Refused(_)) => false,
        };
        let texts = texts(&folder);
        let mut is_built = false;
        for level in LEVELS {
            if let Some(first) = level_alike(&texts, level) {
                list.same(&name, level, first);
                continue;
            }
            if is_newer && is_wanted && level == LEVELS[0] {
                list.note(&name, level, "what all is compared with".to_owned());
                is_built = true;
                continue;
            }
            let reference = format!("cogpack-equivalence/{}{level}:{tag}", engine.name).to_lowercase();
            match world.build_at(level, &engine, &folder, &reference) {
                Ok(()) if is_wanted => {
                    built.insert((name.clone(), level), reference);
                    list.compared(&name, level);
                    is_built = true;
                }
                Ok(()) => {
                    own_reader.remove(&[reference]);
                    list.note(&name, level, "built, and there is nothing to compare with".to_owned());
                }
                Err(Unbuilt::Refused(codes)) => {
                    list.refused(&name, level, &codes);
                    if is_built {
                        complain(&name, &format!("{level} makes of it what is refused: {codes:?}"));
                    }
                }
                Err(Unbuilt::Failed(said)) => complain(&name, &format!("{level} cannot be built: {said}")),
            }
        }
    }
    let wanted_names: Vec<String> = wanted.values().cloned().collect();
    let own_names: Vec<String> = built.values().cloned().collect();
    let (wanted_images, own_images) = (reader.images(&wanted_names), own_reader.images(&own_names));
    reader.remove(&wanted_names);
    own_reader.remove(&own_names);
    for ((name, level), reference) in &built {
        let wanted = named(&wanted_images, &wanted[name]);
        let points = mount_points(&world.folder_of(name).join("built.cpk"));
        let found = without_mount_points(named(&own_images, reference), wanted, &points);
        let differ = differences(&without_mount_points(wanted, &found, &points), &found);
        if !differ.is_empty() {
            complain(name, &format!("{level} is another image:\n{differ}"));
        }
    }
    assert!(wrong.is_empty(), "by LLB on the {} engine:\n{wrong}", engine.name);
    list.check(&format!("llb-{}", engine.name));
}

#[test]
fn llb_on_the_newer_engine_gives_what_is_written() {
    llb_gives_the_same(engines::newer());
}

#[test]
fn llb_on_the_older_engine_gives_what_is_written() {
    llb_gives_the_same(engines::older());
}
