//! Copies of what programs have made, and onto it, on real daemons: names of owners, pipes, devices
//! and sockets, names that are no text, setuid and the like, and what stands in the way.
//!
//! The contract cannot run a program, so each case says by itself what it must come to. An image of
//! the rig runs the programs, and lists what the copies have left.

use std::path::Path;
use std::sync::Arc;

use cogpack_tests::engines::{self, Engine};
use cogpack_tests::filesystem::Sketch;
use cogpack_tests::solve::{Builder, Looking, Unbuilt};
use futures_util::StreamExt;

use super::program_cases::{CASES, Case, Gives, SOURCE};

/// Cases are built so many at a time.
const AT_ONCE: usize = 4;

/// Lists what copies may have left, a line each: device numbers, sizes and what links say too.
const LIST: &str = r"cd /mnt && find b etc/b srv/* \
  -type d -printf '%p directory %m %U:%G\n' -o -type f -printf '%p file %m %U:%G %s\n' \
  -o -type l -printf '%p link %U:%G %l\n' -o -type p -printf '%p pipe %m %U:%G\n' \
  -o -exec stat -c '%n %F %a %u:%g %t:%T' {} \; 2>/dev/null | LC_ALL=C sort > /listing";

fn plan(case: &Case, registry: &str) -> String {
    let Case { made, onto, ops, .. } = case;
    format!(
        "cpk 1
image @base = \"{registry}/base/debian:bookworm-slim\"
context @source = dir \"source\"
stage %made from image @base {{
  run {made:?}
}}
stage %after from {onto} {{
{ops}
}}
stage %listed from image @base {{
  run {LIST:?} {{ mount %after at /mnt }}
}}
stage %result from scratch {{
  copy \"/listing\" from %listed to \"/listing\"
}}
export from %result
"
    )
}

/// The lines of the listing in a tar; bytes that are no text are escaped.
fn listed(tar: &[u8]) -> Vec<String> {
    let mut archive = tar::Archive::new(tar);
    for entry in archive.entries().expect("it is a tar") {
        let mut entry = entry.expect("it is a tar");
        if entry.path_bytes().ends_with(b"listing") {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut bytes).expect("it is a tar");
            let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
            return lines.map(|line| line.escape_ascii().to_string()).collect();
        }
    }
    panic!("there is no listing")
}

fn is_as_expected(expected: &Gives, built: &Result<Vec<String>, Unbuilt>) -> bool {
    match (expected, built) {
        (Gives::Files(lines), Ok(built)) => built.iter().map(String::as_str).eq(lines.iter().copied()),
        (Gives::Failure(words), Err(Unbuilt::Failed(said))) => said.contains(words),
        (Gives::Refusal(words), Err(Unbuilt::Refused(said))) => said.iter().any(|it| it.contains(words)),
        (Gives::Refusals(words), Err(Unbuilt::Refused(said))) => {
            said.len() == words.len() && said.iter().zip(*words).all(|(said, words)| said.contains(words))
        }
        (Gives::Files(_) | Gives::Failure(_) | Gives::Refusal(_) | Gives::Refusals(_), _) => false,
    }
}

async fn wrong_on(engine: &Engine, folder: &Path) -> Vec<String> {
    let builder = Arc::new(Builder::connect(engine, Looking::AtAll).await);
    let registry = engines::registry().expect("it is up where an engine is");
    let builds = CASES.iter().enumerate().map(|(number, case)| {
        let (builder, plan) = (Arc::clone(&builder), plan(case, &registry));
        async move {
            let unique = format!("programs-{}-{number}", std::process::id());
            let built = builder.files(&plan, folder, &unique).await.map(|tar| listed(&tar));
            let expected = if engine.merges { &case.newer } else { &case.older };
            (!is_as_expected(expected, &built)).then(|| format!("{plan}\n  {expected:#?}\n  {built:#?}"))
        }
    });
    futures_util::stream::iter(builds).buffered(AT_ONCE).filter_map(std::future::ready).collect().await
}

fn every_case_is_as_expected(engine: Option<Engine>) {
    let Some(engine) = engine else { return };
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let source = folder.path().join("source");
    std::fs::create_dir(&source).expect("it can be made");
    Sketch::new(SOURCE).write(&source);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be made");
    let wrong = runtime.block_on(wrong_on(&engine, folder.path()));
    assert!(wrong.is_empty(), "{} cases on the {} engine:\n{}", wrong.len(), engine.name, wrong.join("\n"));
}

#[test]
fn the_older_engine_copies_what_programs_have_made() {
    every_case_is_as_expected(engines::older());
}

#[test]
fn the_newer_engine_copies_what_programs_have_made() {
    every_case_is_as_expected(engines::newer());
}
