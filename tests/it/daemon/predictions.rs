//! What `explain --since` says will run, and what a BuildKit then runs: the same ops, no more and no
//! fewer, edit by edit.
//!
//! A project is built once, then each edit of it. An op has run where one of the vertices that it asks
//! for was made and not found in the cache; that layers are laid one over the other anew is no op's.
//!
//! The engine without merges is not asked: what it makes again is another matter, see docs/diff.md.

use std::collections::BTreeSet;
use std::path::Path;

use cogpack_cli::Environment;
use cogpack_compiler::World;
use cogpack_io_buildkit::secrets::{Secret, Secrets};
use cogpack_ir::resolve::Resolved;
use cogpack_passes::{Facts, Level, of_level, optimise};
use cogpack_tests::engines::{self, Engine};
use cogpack_tests::plans::resolved;
use cogpack_tests::solve::{Builder, Looking, Place, Unbuilt};
use cogpack_tests::terminal::{cogpackc, cogpackc_in};
use cogpack_tests::tools::Tool;
use cogpack_tests::vertices::{ran, vertices};
use futures_util::StreamExt;

use crate::predictions::edits::{Change, Edit};
use crate::predictions::projects::Project;
use crate::predictions::{Written, edits_of, projects, write};

/// So many builds run at a time.
const AT_ONCE: usize = 4;

/// What runs, by the first lines of ops.
type Lines = BTreeSet<u32>;

struct Compared {
    edit: &'static Edit,
    said: Lines,
    ran: Result<Lines, Unbuilt>,
}

/// The plan as it is built where nothing else is asked for.
fn optimised(plan: &Resolved) -> Resolved {
    let passes = of_level(Level::Safe);
    let again = |plan| cogpack_compiler::compile(plan, &World::default());
    let optimised = optimise(plan, &passes, &Facts::default(), &again).expect("passes keep the rules");
    optimised.into_plan(plan.clone())
}

/// Builds what is in a folder, and gives the lines of ops that ran, or why it was not built.
async fn built(builder: &Builder, folder: &Path, written: &Written) -> Result<Lines, Unbuilt> {
    let Written { plan: text, token } = written;
    let plan = resolved(text);
    let unique = folder.display().to_string();
    let place = Place { folder, unique: &unique };
    let mut secrets = Secrets::default();
    secrets.add("token", Secret::new(*token)).expect("it is small");
    let (image, updates) = builder.told(&optimised(&plan), text, place, secrets).await?;
    let ran = ran(&updates);
    let made = vertices(&image).into_iter().filter(|vertex| ran.contains(&vertex.digest.to_string()));
    Ok(made.flat_map(|vertex| vertex.lines).collect())
}

/// Builds what is in a folder with `cogpackc build`, which keeps a record of it.
fn record(engine: &Engine, folder: &Path, written: &Written, image: &str) {
    let mut environment = Environment::default();
    environment.docker.host = Some(engine.host.clone());
    // Not beside the plan: a context may hold all that is there.
    let beside = tempfile::NamedTempFile::new().expect("a temporary file can be made");
    std::fs::write(beside.path(), written.token).expect("can be written");
    let secret = format!("id=token,src={}", beside.path().display());
    let arguments = ["--progress", "quiet", "--secret", &secret, "--tag", image];
    let arguments = [&["build", "plan.cpk", "--builder", "buildkit"], arguments.as_slice()].concat();
    let answer = cogpackc_in(environment, folder, &arguments);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
}

/// What is said to run in `new` where that of another folder was built, once it is known which ops read the
/// same files. Files of contexts are compared with the record of that build.
fn said(folder: &Path, old: &Path, edit: &Edit, new: &str) -> Lines {
    let since = match edit.changes.iter().any(Change::is_of_files) {
        true => {
            let records = ".cog/records";
            std::fs::create_dir_all(folder.join(records)).expect("can be made");
            let name = format!("{records}/plan.cpk.json");
            std::fs::copy(old.join(&name), folder.join(name)).expect("was written");
            "last".to_owned()
        }
        false => old.join("plan.cpk").display().to_string(),
    };
    let answer = cogpackc(folder, &["explain", "plan.cpk", "--since", &since, "--format", "json"]);
    assert_eq!((answer.code, answer.stderr.as_str()), (0, ""));
    let document: serde_json::Value = serde_json::from_str(answer.text()).expect("is JSON");
    let runs = document["runs"].as_array().expect("has runs");
    let mut spared = edit.same.to_vec();
    let mut is_run: Vec<bool> = vec![true; runs.len()];
    // Ops may be told before those that they depend on.
    loop {
        let before = is_run.clone();
        for (place, run) in runs.iter().enumerate() {
            let line = new.lines().nth(first_line(run) as usize - 1).expect("it is in the plan");
            let same = edit.same.iter().find(|same| line.contains(**same));
            let Some(only_if) = run["only_if"].as_object() else { continue };
            let reads_others = only_if["reads_others"] == true;
            if reads_others && let Some(same) = same {
                spared.retain(|it| it != same);
            }
            let after = only_if["runs"].as_array().expect("is a list").iter();
            let mut after = after.map(|run| is_run[run.as_u64().expect("is a place") as usize]);
            is_run[place] = reads_others && same.is_none() || after.any(|run| run);
        }
        if before == is_run {
            break;
        }
    }
    assert!(spared.is_empty(), "{}: it is not said that it matters what these read: {spared:?}", edit.what);
    runs.iter().zip(is_run).filter(|(_, is_run)| *is_run).map(|(run, _)| first_line(run)).collect()
}

fn first_line(run: &serde_json::Value) -> u32 {
    u32::try_from(run["line"].as_u64().expect("has a line")).expect("is small")
}

async fn compared(
    engine: &Engine,
    builder: &Builder,
    project: &'static Project,
    words: &(dyn Fn(&str) -> String + Sync),
) -> Vec<Compared> {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let old = write(project, None, words, folder.path());
    let first = built(builder, folder.path(), &old).await.unwrap_or_else(|why| panic!("{why:?}"));
    assert!(!first.is_empty(), "{} was built before", project.name);
    let name = project.name.replace(' ', "-");
    let image = format!("cogpack-predictions/{name}:{}", std::process::id());
    // The command has a runtime of its own, of which a thread can have one.
    std::thread::scope(|scope| {
        let recorded = scope.spawn(|| record(engine, folder.path(), &old, &image)).join();
        recorded.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
    let old = folder.path();
    let builds = edits_of(project).map(|edit| async move {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let new = write(project, Some(edit), words, folder.path());
        let said = said(folder.path(), old, edit, &new.plan);
        let ran = built(builder, folder.path(), &new).await;
        Compared { edit, said, ran }
    });
    let compared = futures_util::stream::iter(builds).buffered(AT_ONCE).collect().await;
    Tool::newer_buildkit().expect("it is the engine's").remove(&[image]);
    compared
}

async fn wrong_on(engine: &Engine, project: &'static Project) -> Vec<String> {
    let builder = Builder::connect(engine, Looking::AtAll).await;
    let registry = engines::registry().expect("it is up where an engine is");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("is later");
    let nonce = format!("{}-{}", now.as_nanos(), std::process::id());
    let base = |text: &str, word: &str, name: &str| {
        text.replace(&format!("\"{word}\""), &format!("\"{registry}/base/{name}\""))
    };
    let words = |text: &str| {
        let text = base(text, "BASE", "debian:bookworm-slim");
        base(&text, "PYTHON", "python:3.11-slim").replace("NONCE", &nonce)
    };
    let compared = compared(engine, &builder, project, &words).await;
    let wrong = compared.into_iter().filter_map(|Compared { edit, said, ran }| {
        let problem = match ran {
            Err(why) => format!("was not built: {why:?}"),
            Ok(ran) => {
                let [more, fewer] = [&ran - &said, &said - &ran];
                if more.is_empty() && fewer.is_empty() && said.len() == edit.runs {
                    return None;
                }
                let (count, runs) = (said.len(), edit.runs);
                format!("{runs} expected, {count} said: {said:?}; ran too: {more:?}; did not: {fewer:?}")
            }
        };
        Some(format!("{}: {problem}", edit.what))
    });
    wrong.collect()
}

fn what_is_said_to_run_runs_and_nothing_else(project: &str) {
    let Some(engine) = engines::newer() else { return };
    let _unpruned = engine.unpruned();
    let project = projects().find(|it| it.name == project).expect("there is such a project");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be made");
    let wrong = runtime.block_on(wrong_on(&engine, project));
    assert!(wrong.is_empty(), "{} edits:\n{}", wrong.len(), wrong.join("\n"));
}

macro_rules! what_is_said_to_run_runs {
    ($($of:ident: $project:literal,)*) => {
        /// Those that are tested.
        const TESTED: &[&str] = &[$($project),*];

        $(#[test]
        fn $of() {
            what_is_said_to_run_runs_and_nothing_else($project);
        })*
    };
}

what_is_said_to_run_runs! {
    of_a_service: "service",
    of_stages_side_by_side: "parts",
    of_files: "files",
    of_programs: "programs",
    of_a_project_of_uv: "uv-project",
    of_a_project_of_node: "node-project",
    of_a_project_of_apt: "apt-project",
    of_shared_weights: "shared-weights",
    of_the_language_detector: "language-detector",
    of_the_language_detector_alone: "language-detector alone",
}

#[test]
fn of_every_project() {
    assert!(projects().map(|project| project.name).eq(TESTED.iter().copied()));
}
