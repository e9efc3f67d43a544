//! Hostile texts in the targets and sources of mounts of ejected Dockerfiles: what a dialect says, its
//! tool builds, and the program sees there what it sees with LLB; all else is refused, by name.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use cogpack_tests::engines;
use cogpack_tests::image::differences;
use cogpack_tests::snapshot::Snapshots;
use cogpack_tests::terminal::cogpackc_in;
use cogpack_tests::tools::Tool;

use super::ejected_sample::builds_all;
use super::ejects::{Unbuilt, World, codes, mount_points, named, order_variables, without_mount_points};
use crate::hostile::plans::{literal, quoted};

/// Names that careless quoting breaks. No path of a plan has control characters or backslashes.
const NAMES: [&str; 22] = [
    "a b", "\"q\"", "'s'", "it's", "$HOME", "${HOME}", "$$", "# c", "<<EOF", "a*b?", "[a]", "{a,b}", "!x",
    "--x", "a=b,c", "~", "%2F", "a;b|c&d", "end ", "é😀", "a:b", ",'\"$x",
];

/// Where a name stands in a mount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Cache,
    Memory,
    Secret,
    Agent,
    Stage,
    Context,
    SelectedOfStage,
    SelectedOfContext,
}

const PLACES: [Place; 8] = [
    Place::Cache,
    Place::Memory,
    Place::Secret,
    Place::Agent,
    Place::Stage,
    Place::Context,
    Place::SelectedOfStage,
    Place::SelectedOfContext,
];

/// One mount.
#[derive(Debug, Clone, Copy)]
struct Mount {
    place: Place,
    /// Which name.
    number: usize,
}

impl Mount {
    fn target(self) -> String {
        let Self { place, number } = self;
        match place {
            Place::SelectedOfStage | Place::SelectedOfContext => format!("/at/{place:?}/{number}"),
            Place::Cache | Place::Memory | Place::Secret | Place::Agent | Place::Stage | Place::Context => {
                format!("/at/{place:?}/{}", NAMES[number])
            }
        }
    }

    fn line(self) -> String {
        let at = literal(&self.target());
        let name = NAMES[self.number];
        match self.place {
            Place::Cache => format!("mount cache c{} at {at}", self.number),
            Place::Memory => format!("mount tmpfs at {at}"),
            Place::Secret => format!("mount secret token at {at}"),
            Place::Agent => format!("mount ssh at {at}"),
            Place::Stage => format!("mount %tools at {at} select \"/plain\""),
            Place::Context => format!("mount @inline at {at} select \"plain\""),
            Place::SelectedOfStage => {
                format!("mount %tools at {at} select {}", literal(&format!("/d/{name}")))
            }
            Place::SelectedOfContext => {
                format!("mount @inline at {at} select {}", literal(&format!("d/{name}")))
            }
        }
    }

    /// What the program does that is given the target as `$1`: it leaves a line of what it has seen.
    fn looks(self) -> String {
        let seen = format!("/seen/{:?}-{}", self.place, self.number);
        match self.place {
            Place::Cache | Place::Memory => {
                format!("test ! -e \"$1/under\"; echo new > \"$1/new\"; cat \"$1/new\" > {seen}; shift")
            }
            Place::Secret => format!("cat \"$1\" > {seen}; shift"),
            Place::Agent => format!("test -S \"$1\"; echo agent > {seen}; shift"),
            Place::Stage | Place::Context | Place::SelectedOfStage | Place::SelectedOfContext => {
                format!("test ! -e \"$1/under\"; cat \"$1/x\" > {seen}; shift")
            }
        }
    }

    /// Whether a directory is there that the mount hides.
    fn hides(self) -> bool {
        !matches!(self.place, Place::Secret | Place::Agent)
    }
}

/// How many mounts one program has.
const TOGETHER: usize = 24;

fn plan(registry: &str, mounts: &[Mount]) -> String {
    let build = std::process::id();
    let mut text = format!(
        "cpk 1\nplatform linux/amd64\nimage @base = \"{registry}/base/debian:bookworm-slim\"\n  \
         env PATH = \"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\"\n\
         secret token\ncontext @inline = files {{\n  file \"plain/x\" = \"plain of {build}\"\n"
    );
    let mut write = |line: &str| {
        // A String takes whatever is written to it.
        let _ = writeln!(text, "{line}");
    };
    for (number, name) in NAMES.iter().enumerate() {
        write(&format!("  file {} = \"inline {number}\"", quoted(&format!("d/{name}/x"))));
    }
    write("}");
    // A cache of another build holds what that has left.
    (0..NAMES.len()).for_each(|number| write(&format!("cache c{number}")));
    write("stage %tools from scratch {\n  env PATH = \"/bin\"\n  file \"/plain/x\" = \"plain\"");
    for (number, name) in NAMES.iter().enumerate() {
        write(&format!("  file {} = \"tool {number}\"", literal(&format!("/d/{name}/x"))));
    }
    write("}\nstage %app from image @base {");
    let run = |script: &str, mounts: &[Mount]| {
        let targets: String = mounts.iter().map(|mount| format!(", {}", quoted(&mount.target()))).collect();
        format!("  exec [\"/bin/sh\", \"-euc\", {}, \"sh\"{targets}]", quoted(script))
    };
    let hidden: Vec<Mount> = mounts.iter().copied().filter(|mount| mount.hides()).collect();
    write(&run("mkdir /seen; for it; do mkdir -p \"$it\"; echo under > \"$it/under\"; done", &hidden));
    // A program has one agent.
    let (agents, others): (Vec<Mount>, Vec<Mount>) =
        mounts.iter().copied().partition(|mount| mount.place == Place::Agent);
    for mounts in agents.chunks(1).chain(others.chunks(TOGETHER)) {
        let looks: Vec<String> = mounts.iter().map(|mount| mount.looks()).collect();
        let lines: Vec<String> = mounts.iter().map(|mount| mount.line()).collect();
        write(&format!("{} {{\n    {}\n  }}", run(&looks.join("; "), mounts), lines.join("\n    ")));
    }
    write("}\nexport from %app {\n  cmd [\"true\"]\n}");
    text
}

/// Compiles a plan for a tool into a folder, or gives the codes of what is refused.
fn compiled(folder: &Path, plan: &str, tool: &Tool) -> Result<(), String> {
    std::fs::write(folder.join("built.cpk"), plan).expect("can be written");
    let mut arguments = vec!["built.cpk", "-o", "dockerfile", "--self-contained", "-O", "eject"];
    arguments.extend_from_slice(tool.dialect);
    let answer = cogpackc_in(cogpack_cli::Environment::default(), folder, &arguments);
    let codes = codes(&answer.stderr);
    match answer.code {
        0 => Ok(()),
        1 if !codes.is_empty() => Err(codes.into_iter().collect::<Vec<_>>().join(" ")),
        code => panic!("{code}: {}\n{plan}", answer.stderr),
    }
}

fn hostile_mounts_are_built_or_refused(tool: Option<Tool>) {
    let (Some(tool), Some(newer), Some(world)) = (tool, engines::newer(), World::new()) else { return };
    let registry = engines::registry().expect("it is up where an engine is");
    // Every file that is emitted is synced, which is free where there is no disk below.
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    let folder = folder.expect("a temporary folder can be made");
    let folder = folder.path();
    let (mut said, mut refused) = (Vec::new(), BTreeMap::<String, Vec<String>>::new());
    for place in PLACES {
        for (number, name) in NAMES.into_iter().enumerate() {
            let mount = Mount { place, number };
            match compiled(folder, &plan(&registry, &[mount]), &tool) {
                Ok(()) => said.push(mount),
                Err(codes) => {
                    refused.entry(format!("{place:?}: {codes}")).or_default().push(format!("`{name}`"));
                }
            }
        }
    }
    assert!(said.len() >= PLACES.len() - 2, "{} says only {said:?}", tool.name);
    if !builds_all(true) {
        // Each name at one place; `[a]`, which old versions of buildah read twice, at all.
        said.retain(|mount| {
            (mount.number + mount.place as usize).is_multiple_of(PLACES.len()) || mount.number == 10
        });
    }
    let text = plan(&registry, &said);
    compiled(folder, &text, &tool).unwrap_or_else(|codes| panic!("each alone is said: {codes}"));
    let reference = format!("cogpack-ejects/mounts-llb-for-{}:{}", tool.name, std::process::id());
    let image = format!("localhost/cogpack-ejects/mounts-{}:{}", tool.name, std::process::id());
    match world.build(&newer, folder, &reference) {
        Ok(()) => {}
        Err(Unbuilt::Refused(codes)) => panic!("{codes:?}"),
        Err(Unbuilt::Failed(said)) => panic!("{said}"),
    }
    let reader = Tool::newer_buildkit().expect("the newer engine is there");
    let built = tool.build(&folder.join("eject"), &image, &world.given);
    let (references, images) = ([reference], [image]);
    let wanted = reader.images(&references);
    let found = built.as_ref().map(|()| tool.images(&images)).unwrap_or_default();
    reader.remove(&references);
    tool.remove(&images);
    built.unwrap_or_else(|said| panic!("{}: {said}", tool.name));
    let wanted = named(&wanted, &references[0]);
    let mut found =
        without_mount_points(named(&found, &images[0]), wanted, &mount_points(&folder.join("built.cpk")));
    order_variables(&mut found, wanted);
    let differences = differences(wanted, &found);
    assert!(differences.is_empty(), "with {}:\n{differences}", tool.name);
    let seen = wanted.files.keys().filter(|path| path.starts_with("seen/")).count();
    assert_eq!(seen, said.len(), "each has been looked at");
    let refused: String =
        refused.iter().map(|(what, names)| format!("{what}: {}\n", names.join(" "))).collect();
    let mut snapshots = Snapshots::default();
    let snapshot = format!("ejects/mounts/{}.txt", tool.name);
    snapshots.check(&snapshot, &refused);
    snapshots.finish(&snapshot);
}

#[test]
fn buildkit_of_the_older_engine_mounts_at_hostile_places() {
    hostile_mounts_are_built_or_refused(Tool::older_buildkit());
}

#[test]
fn buildkit_of_the_newer_engine_mounts_at_hostile_places() {
    hostile_mounts_are_built_or_refused(Tool::newer_buildkit());
}

#[test]
fn the_classic_builder_mounts_at_hostile_places() {
    hostile_mounts_are_built_or_refused(Tool::classic());
}

#[test]
fn buildah_mounts_at_hostile_places() {
    hostile_mounts_are_built_or_refused(Tool::buildah());
}

#[test]
fn the_newer_buildah_mounts_at_hostile_places() {
    hostile_mounts_are_built_or_refused(Tool::newer_buildah());
}
