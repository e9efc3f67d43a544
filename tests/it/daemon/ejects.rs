//! Ejected Dockerfiles: built by each tool in its dialect, they give the image that the plan's LLB
//! gives, its root filesystem and its config, as the plan is written and rewritten by passes. What a dialect
//! refuses stands in a list of each tool, so that nothing is refused unseen.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use cogpack_cli::Environment;
use cogpack_ir::plan::walk::for_each_op;
use cogpack_ir::plan::{MountKind, SecretTarget};
use cogpack_tests::artifacts::refusals;
use cogpack_tests::bases::Bases;
use cogpack_tests::cases;
use cogpack_tests::engines::{self, Engine};
use cogpack_tests::image::{Image, differences};
use cogpack_tests::places::{files_below, root};
use cogpack_tests::terminal::{cogpackc, cogpackc_in};
use cogpack_tests::tools::{Given, Tool};

use crate::equivalence::{LEVELS, List, level_alike};

/// The plans that are built: every case of the backends, every project.
pub fn plans() -> BTreeMap<String, PathBuf> {
    let cases = cases::of("backends").into_iter().map(|case| (case.name, case.path));
    let projects = files_below(&root().join("tests/projects"), "plan.cpk").into_iter().map(|path| {
        let project = path.parent().and_then(Path::file_name).expect("a plan is in a project");
        (format!("projects/{}", project.to_string_lossy()), path)
    });
    cases.chain(projects).collect()
}

/// What all builds are given, and where they start from.
pub struct World {
    pub bases: Bases,
    pub given: Given,
    /// Nobody speaks to it; that it can be reached is all that plans ask.
    _agent: UnixListener,
    folder: tempfile::TempDir,
}

impl World {
    pub fn new() -> Option<Self> {
        let bases = Bases::of_the_rig()?;
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let socket = folder.path().join("agent");
        let agent = UnixListener::bind(&socket).expect("a socket can be made");
        let secret = folder.path().join("secret");
        std::fs::write(&secret, "a secret of the cases").expect("can be written");
        let secrets = ["token", "key", "netrc"].map(|id| (id.to_owned(), secret.clone())).into();
        Some(Self { bases, given: Given { secrets, agent: Some(socket) }, _agent: agent, folder })
    }

    /// Where the copy of a plan's folder is.
    pub fn folder_of(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A copy of a plan's folder, with its plan on images that can be pulled as `built.cpk`.
    pub fn copy(&self, name: &str, plan: &Path) -> PathBuf {
        let folder = self.folder_of(name);
        std::fs::create_dir_all(&folder).expect("can be made");
        let from = plan.parent().expect("a plan is in a folder").join(".");
        let copied = std::process::Command::new("cp").arg("-a").args([&from, &folder]).status();
        assert!(copied.expect("there is cp").success(), "{} can be copied", from.display());
        let text = std::fs::read_to_string(plan).expect("a plan is text");
        std::fs::write(folder.join("built.cpk"), self.bases.stand_in(&text)).expect("can be written");
        folder
    }

    /// Builds a plan as LLB into the engine, as it is written.
    pub fn build(&self, engine: &Engine, folder: &Path, image: &str) -> Result<(), Unbuilt> {
        self.build_at("-O0", engine, folder, image)
    }

    /// The same with the plan rewritten as far as a level says.
    pub fn build_at(&self, level: &str, engine: &Engine, folder: &Path, image: &str) -> Result<(), Unbuilt> {
        let mut environment = Environment::default();
        environment.docker.host = Some(engine.host.clone());
        let mut arguments: Vec<String> =
            ["build", "built.cpk", level, "--progress", "quiet", "--platform", "linux/amd64", "--tag", image]
                .map(str::to_owned)
                .into();
        for (id, path) in &self.given.secrets {
            arguments.extend(["--secret".to_owned(), format!("id={id},src={}", path.display())]);
        }
        if let Some(agent) = &self.given.agent {
            arguments.extend(["--ssh".to_owned(), format!("default={}", agent.display())]);
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let answer = cogpackc_in(environment, folder, &arguments);
        match answer.code {
            0 => Ok(()),
            1 if !refusals(&answer.stderr).is_empty() => Err(Unbuilt::Refused(codes(&answer.stderr))),
            _ => Err(Unbuilt::Failed(answer.stderr)),
        }
    }
}

/// The targets of the mounts of a plan, and the directories above them.
pub fn mount_points(plan: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(plan).expect("a plan is text");
    let plan = cogpack_compiler::parse(&text).expect("the plan was built");
    let mut points = BTreeSet::new();
    for stage in &plan.stages {
        for_each_op(&stage.ops, &mut |op| {
            for mount in op.execution().iter().flat_map(|execution| &execution.mounts) {
                let target = match &mount.kind {
                    MountKind::Bind { target, .. }
                    | MountKind::Cache { target, .. }
                    | MountKind::Tmpfs { target, .. }
                    | MountKind::Secret { target: SecretTarget::File(target), .. }
                    | MountKind::Ssh { target: Some(target), .. } => {
                        target.as_literal().unwrap_or_else(|| target.as_written().into())
                    }
                    MountKind::Secret { target: SecretTarget::Env(_), .. } => continue,
                    // Where builders put the socket if they may choose.
                    MountKind::Ssh { target: None, .. } => "/run/buildkit/ssh_agent.0".into(),
                };
                let path = target.trim_matches('/');
                points.extend(path.match_indices('/').map(|(end, _)| path[..end].to_owned()));
                points.insert(path.to_owned());
            }
        });
    }
    points
}

/// What buildah makes in an image that lacks it, so that a container has something to mount these on.
const OF_CONTAINERS: &[&str] = &["etc/hostname", "etc/hosts", "etc/resolv.conf"];

/// Leaves out of an image what its builder has made to mount something on, and left there, empty:
/// some builders take such directories and files away again, others do not.
pub fn without_mount_points(built: &Image, wanted: &Image, points: &BTreeSet<String>) -> Image {
    let mut built = built.clone();
    built.files.retain(|path, what| {
        let is_left = match what.as_str() {
            "directory 0755 0:0" => points.contains(path),
            "file 0755 0:0 ``" | "file 0644 0:0 ``" => OF_CONTAINERS.contains(&path.as_str()),
            _ => false,
        };
        wanted.files.contains_key(path) || !is_left
    });
    built
}

/// Puts the variables of an image in the order of another that has the same ones: buildah moves
/// a variable of the base that is set anew to the end, and where it stands means nothing.
pub fn order_variables(built: &mut Image, wanted: &Image) {
    let sorted = |image: &Image| {
        let mut variables = image.config.get("Env")?.as_array()?.clone();
        variables.sort_by_key(ToString::to_string);
        Some(variables)
    };
    if let (true, Some(variables)) = (sorted(built) == sorted(wanted), wanted.config.get("Env")) {
        built.config.insert("Env".to_owned(), variables.clone());
    }
}

/// Why a plan is not built as LLB.
pub enum Unbuilt {
    /// With these codes.
    Refused(BTreeSet<String>),
    /// What was said.
    Failed(String),
}

/// The codes of what a backend refuses, in what was said.
pub fn codes(said: &str) -> BTreeSet<String> {
    let code = |refusal: &String| refusal.split(' ').nth(1).expect("a refusal has a code").to_owned();
    refusals(said).iter().map(code).collect()
}

/// Ejects a plan of a folder to another in it, as it is written, or gives the codes of what is refused.
pub fn eject(folder: &Path, plan: &str, to: &str, tool: &Tool) -> Result<PathBuf, BTreeSet<String>> {
    eject_in(folder, plan, "-O0", to, tool.dialect)
}

fn eject_in(
    folder: &Path,
    plan: &str,
    level: &str,
    to: &str,
    dialect: &[&str],
) -> Result<PathBuf, BTreeSet<String>> {
    let mut arguments = vec![plan, level, "-o", "dockerfile", "--self-contained", "-O", to];
    arguments.extend_from_slice(dialect);
    let answer = cogpackc(folder, &arguments);
    let codes = codes(&answer.stderr);
    match answer.code {
        0 => Ok(folder.join(to)),
        1 if !codes.is_empty() => Err(codes),
        code => panic!("{arguments:?} gave {code}: {}", answer.stderr),
    }
}

/// The instructions of an eject.
fn instructions(eject: &Path) -> String {
    let text = std::fs::read_to_string(eject.join("Dockerfile")).expect("the eject has a Dockerfile");
    // Only the comments at its top say who reads it, and how.
    text.lines().skip_while(|line| line.starts_with('#')).collect::<Vec<_>>().join("\n")
}

/// What an engine says that is told more by a frontend than it can do.
const OF_NEWER_ENGINES: &str = " is not supported by build server";

/// Builds all plans with a tool, and compares; all but those that are said as in another dialect which
/// the same engine is shown to read, where there is one.
fn every_eject_builds_as_its_plan(tool: Option<Tool>, other: Option<Tool>) {
    let (Some(tool), Some(newer), Some(world)) = (tool, engines::newer(), World::new()) else { return };
    let reader = Tool::newer_buildkit().expect("the newer engine is there");
    let mut wrong = String::new();
    let mut complain = |name: &str, what: &str| {
        // A String takes whatever is written to it.
        let _ = writeln!(wrong, "{name}: {what}");
    };
    let mut list = List::default();
    // What LLB gives, by plan; and what was built, by plan and level.
    let mut wanted: BTreeMap<String, (String, BTreeSet<String>)> = BTreeMap::new();
    let mut built: BTreeMap<(String, &str), String> = BTreeMap::new();
    for (name, plan) in plans() {
        let folder = world.copy(&name, &plan);
        let tag = format!("{}-{}", name.replace('/', "-"), std::process::id());
        let mut ejects: Vec<(&str, String)> = Vec::new();
        for level in LEVELS {
            let eject = match eject_in(&folder, "built.cpk", level, &format!("eject{level}"), tool.dialect) {
                Ok(eject) => eject,
                Err(codes) => {
                    list.refused(&name, level, &codes);
                    if let Some((earlier, _)) = ejects.first() {
                        complain(
                            &name,
                            &format!("{level} makes of it what is refused, and {earlier} does not"),
                        );
                    }
                    continue;
                }
            };
            ejects.push((level, instructions(&eject)));
            if let Some(first) = level_alike(&ejects, level) {
                list.same(&name, level, first);
                continue;
            }
            // What is between before and after is built by tools that do not start a container for each line.
            if tool.is_slow() && level == LEVELS[1] {
                ejects.pop();
                list.note(&name, level, "left to quicker tools".to_owned());
                continue;
            }
            let said_by = other.as_ref().filter(|other| {
                let other = eject_in(&folder, "built.cpk", level, &format!("other{level}"), other.dialect);
                other.is_ok_and(|other| instructions(&other) == instructions(&eject))
            });
            if let Some(other) = said_by {
                list.note(&name, level, format!("as by {}", other.name));
                continue;
            }
            let image = format!("localhost/cogpack-ejects/{}:{tag}{level}", tool.name).to_lowercase();
            match tool.build(&eject, &image, &world.given) {
                Ok(()) => {}
                Err(said) if said.contains(OF_NEWER_ENGINES) => {
                    list.note(&name, level, "the engine is older than its frontend and says so".to_owned());
                    continue;
                }
                Err(said) => {
                    complain(&name, &format!("{level} has an eject that cannot be built:\n{said}"));
                    continue;
                }
            }
            if !wanted.contains_key(&name) {
                let reference = format!("cogpack-ejects/llb-for-{}:{tag}", tool.name);
                match world.build(&newer, &folder, &reference) {
                    Ok(()) => {
                        let points = mount_points(&folder.join("built.cpk"));
                        wanted.insert(name.clone(), (reference, points));
                    }
                    Err(Unbuilt::Failed(said)) => complain(&name, &format!("it cannot be built:\n{said}")),
                    Err(Unbuilt::Refused(codes)) => {
                        let codes = codes.into_iter().collect::<Vec<_>>().join(" ");
                        list.note(
                            &name,
                            level,
                            format!("built, and there is nothing to compare with: {codes}"),
                        );
                    }
                }
            }
            match wanted.contains_key(&name) {
                true => {
                    built.insert((name.clone(), level), image);
                    list.compared(&name, level);
                }
                false => tool.remove(&[image]),
            }
        }
    }
    let references: Vec<String> = wanted.values().map(|(reference, _)| reference.clone()).collect();
    let images: Vec<String> = built.values().cloned().collect();
    let (by_llb, found) = (reader.images(&references), tool.images(&images));
    reader.remove(&references);
    tool.remove(&images);
    for ((name, level), image) in &built {
        let (reference, points) = &wanted[name];
        let wanted = named(&by_llb, reference);
        let mut built = without_mount_points(named(&found, image), wanted, points);
        if tool.joins_layers() {
            order_variables(&mut built, wanted);
        }
        let differences = differences(wanted, &built);
        if !differences.is_empty() {
            complain(name, &format!("{level} differs from what the plan's LLB gives:\n{differences}"));
        }
    }
    assert!(wrong.is_empty(), "with {}, of {} that were built:\n{wrong}", tool.name, built.len());
    list.check(tool.name);
}

/// The image of a name, which a tool may have completed.
pub fn named<'i>(images: &'i BTreeMap<String, Image>, name: &str) -> &'i Image {
    let found = images.iter().find(|(full, _)| *full == name || full.ends_with(&format!("/{name}")));
    found.unwrap_or_else(|| panic!("`{name}` is not among {:?}", images.keys())).1
}

#[test]
fn buildkit_of_the_older_engine_builds_what_llb_gives() {
    every_eject_builds_as_its_plan(Tool::older_buildkit(), None);
}

#[test]
fn buildkit_of_the_older_engine_builds_what_llb_gives_by_the_frontend_that_it_fetches() {
    every_eject_builds_as_its_plan(Tool::older_buildkit_fetching(), Tool::older_buildkit());
}

#[test]
fn buildkit_of_the_newer_engine_builds_what_llb_gives() {
    every_eject_builds_as_its_plan(Tool::newer_buildkit(), None);
}

#[test]
fn the_classic_builder_builds_what_llb_gives() {
    every_eject_builds_as_its_plan(Tool::classic(), None);
}

#[test]
fn buildah_builds_what_llb_gives() {
    every_eject_builds_as_its_plan(Tool::buildah(), None);
}

#[test]
fn the_newer_buildah_builds_what_llb_gives() {
    every_eject_builds_as_its_plan(Tool::newer_buildah(), None);
}
