//! Whether a Dockerfile says what its plan says.
//!
//! The plan is asked by itself (the contract's image config, OCI-direct's files), the Dockerfile
//! through the reader of `cogpack_tests::dockerfile`, with nothing in common but the plan's text.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use cogpack_backends_contract::Backend;
use cogpack_backends_contract::content::NoFiles;
use cogpack_backends_contract::image_config::image_config;
use cogpack_backends_contract::tree::{Node, Tree, components};
use cogpack_backends_oci_direct::inputs::{BaseImage, Inputs};
use cogpack_backends_oci_direct::{AssemblyProblem, OciDirect};
use cogpack_compiler::World;
use cogpack_io_project::walk::walk;
use cogpack_ir::plan::{
    ContextKind, Execution, ImageConfig, InputName, MakeDirectory, MountKind, Network, Op, OpKind, Owner,
    Plan, SecretTarget, Spanned,
};
use cogpack_ir::resolve::{EnvValue, Resolved, State};
use cogpack_tests::dockerfile::build::{Given, Run, build, normalised, without_export};
use cogpack_tests::dockerfile::copying::Files;
use cogpack_tests::dockerfile::given::Command;
use cogpack_tests::dockerfile::mounts::Options;
use cogpack_tests::dockerfile::rules::{BUILDAH, BUILDKIT, BUILDKIT_OF_20_10, CLASSIC, Rules};
use cogpack_tests::dockerfile::{Unreadable, lines};
use cogpack_tests::filesystem::list_tree;
use cogpack_tests::terminal::cogpackc;

use super::plans::ACCOUNTS;
use super::stand_ins;

/// A dialect: its name, the words that ask for it, and the builders that read it.
pub type Spoken = (&'static str, &'static [&'static str], &'static [Rules]);

/// All dialects.
pub const DIALECTS: [Spoken; 4] = [
    ("buildkit", &["--dialect", "buildkit"], &[BUILDKIT]),
    ("built-in", &["--dialect", "buildkit", "--syntax", "none"], &[BUILDKIT_OF_20_10, BUILDKIT]),
    ("buildah", &["--dialect", "buildah"], &[BUILDAH]),
    ("legacy", &["--dialect", "legacy"], &[CLASSIC]),
];

/// What came of a plan in one dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The Dockerfile says what the plan says.
    Same,
    /// The emitter says that it cannot: the codes.
    Refused(BTreeSet<String>),
    /// The Dockerfile says something else, or nothing that can be read.
    Different(String),
}

/// What an image is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Meaning {
    config: ImageConfig,
    files: BTreeMap<String, String>,
    runs: Vec<Run>,
}

/// What a plan means, or `None` for a plan that means nothing because it breaks a rule.
pub struct Judge<'f> {
    folder: &'f Path,
    resolved: Resolved,
    meaning: Meaning,
}

impl<'f> Judge<'f> {
    /// Reads a plan whose contexts stand in `folder`, and writes it there.
    pub fn of(text: &str, folder: &'f Path) -> Result<Self, String> {
        fs::write(folder.join("plan.cpk"), text).expect("can be written");
        let plan = cogpack_compiler::parse(text).map_err(|findings| format!("{findings:?}"))?;
        let compiled = |plan: Plan| {
            cogpack_compiler::compile(plan, &World::default()).map_err(|findings| format!("{findings:?}"))
        };
        let resolved = compiled(plan.clone())?;
        let mut quiet = plan;
        for stage in &mut quiet.stages {
            stage.ops = without_runs(&stage.ops);
        }
        let config = image_config(&resolved, "test").map_err(|refused| format!("{refused:?}"))?;
        let files = files(&compiled(quiet)?, folder)?;
        let runs = runs(&resolved);
        Ok(Self { folder, resolved, meaning: Meaning { config: normalised(&config), files, runs } })
    }

    /// What comes of it in a dialect, where all that the Dockerfile reads lies beside it and where
    /// it reads the user's own directory.
    pub fn outcome(&self, spoken: Spoken) -> Outcome {
        match self.outcome_of(spoken, &["--self-contained"]) {
            Outcome::Same => self.outcome_of(spoken, &[]),
            other @ (Outcome::Refused(_) | Outcome::Different(_)) => other,
        }
    }

    fn outcome_of(&self, (name, words, readers): Spoken, place: &[&str]) -> Outcome {
        let output = format!("out-{name}{}/", place.concat());
        let arguments: Vec<&str> = ["plan.cpk", "-o", "dockerfile", "-O", &output]
            .into_iter()
            .chain(words.iter().chain(place).copied())
            .collect();
        let answer = cogpackc(self.folder, &arguments);
        let codes: BTreeSet<String> = answer
            .stderr
            .lines()
            .filter(|line| line.trim_start().starts_with("cpk::unsupported::"))
            .map(|line| line.trim().to_owned())
            .collect();
        match answer.code {
            0 => {}
            1 if !codes.is_empty() => return Outcome::Refused(codes),
            code => return Outcome::Different(format!("{name} gave {code}: {}", answer.stderr)),
        }
        let eject = self.folder.join(&output).join("dockerfile");
        let text = fs::read_to_string(eject.join("Dockerfile")).expect("a Dockerfile is text");
        let command = Command::of_readme(&eject, &self.folder.join("source"));
        for rules in readers {
            let read = match self.read(&text, &command, rules) {
                Ok(read) => read,
                Err(Unreadable(why)) => {
                    return Outcome::Different(format!("{name}{place:?}, {}: {why}\n{text}", rules.name));
                }
            };
            if read != self.meaning {
                let difference = difference(&self.meaning, &read);
                return Outcome::Different(format!("{name}{place:?}, {}: {difference}\n{text}", rules.name));
            }
        }
        Outcome::Same
    }

    fn read(&self, text: &str, command: &Command, rules: &Rules) -> Result<Meaning, Unreadable> {
        let mut images = BTreeMap::new();
        for image in self.resolved.plan().images.values() {
            let reference =
                image.reference.value.normalised(image.digest.as_ref().map(|digest| &digest.value));
            images.insert(reference, image.config.clone().unwrap_or_default());
        }
        let accounts = ACCOUNTS.iter().map(|(name, number)| ((*name).to_owned(), *number)).collect();
        let arguments = command.arguments.clone();
        let given =
            Given { context: command.context(rules)?, named: command.named()?, images, accounts, arguments };
        let stages = build(&lines::read(text, rules)?, rules, &given)?;
        let runs = stages.iter().flat_map(|stage| stage.runs.iter().map(comparable)).collect();
        let runs = stand_ins::read_back(&self.meaning.runs, runs);
        let Some(last) = stages.last() else { return Unreadable::new("no stage") };
        let mut files = listing(&last.files);
        stand_ins::without_folder(&mut files);
        Ok(Meaning { config: normalised(&last.config), files, runs })
    }
}

fn difference(expected: &Meaning, read: &Meaning) -> String {
    if expected.config != read.config {
        return format!("config\n  plan: {:?}\n  read: {:?}", expected.config, read.config);
    }
    if expected.runs != read.runs {
        return format!("runs\n  plan: {:?}\n  read: {:?}", expected.runs, read.runs);
    }
    format!("files\n  plan: {:?}\n  read: {:?}", expected.files, read.files)
}

fn without_runs(ops: &[Op]) -> Vec<Op> {
    let mut kept = Vec::new();
    for op in ops {
        let mut op = op.clone();
        match &mut op.kind {
            OpKind::Run { execution, .. } | OpKind::Exec { execution, .. } => {
                // Its directory is made, and the stage's stays what it was.
                let Some(path) = execution.workdir.clone() else { continue };
                op.kind = OpKind::Mkdir(Box::new(MakeDirectory { path, mode: None, owner: None }));
            }
            OpKind::Layer(layer) => layer.ops = without_runs(&layer.ops),
            OpKind::Copy(it) => numbered(&mut it.owner),
            OpKind::File(it) => numbered(&mut it.owner),
            OpKind::Mkdir(it) => numbered(&mut it.owner),
            OpKind::Symlink(_)
            | OpKind::Remove(_)
            | OpKind::Env(_)
            | OpKind::Workdir(_)
            | OpKind::User(_)
            | OpKind::Shell(_)
            | OpKind::By(_) => {}
        }
        kept.push(op);
    }
    kept
}

/// Gives an owner by the numbers that its names have: no file here says which these are.
fn numbered(owner: &mut Option<Spanned<Owner>>) {
    let Some(owner) = owner else { return };
    let number = |name: &mut String| {
        if let Some((_, number)) = ACCOUNTS.iter().find(|(known, _)| *known == name.as_str()) {
            *name = number.to_string();
        }
    };
    number(&mut owner.value.user);
    owner.value.group.iter_mut().for_each(number);
}

/// The files of a plan without programs.
fn files(plan: &Resolved, folder: &Path) -> Result<BTreeMap<String, String>, String> {
    let at_hand: BTreeSet<InputName> = plan.plan().images.keys().cloned().collect();
    let nothing = || BaseImage { layers: Vec::new(), history: Vec::new(), tree: Tree::empty() };
    let bases = at_hand.iter().map(|name| (name.clone(), nothing())).collect();
    let recipe = OciDirect { at_hand, ..OciDirect::default() }
        .lower(plan)
        .map_err(|refused| format!("{refused:?}"))?;
    let mut directories = BTreeMap::new();
    for (name, context) in recipe.directories() {
        if let ContextKind::Directory(directory) = &context.kind {
            let tree = walk(&folder.join(&directory.path.value), name, &directory.rules);
            directories.insert(name.clone(), tree.map_err(|error| error.to_string())?);
        }
    }
    let assembly = recipe
        .assemble(&Inputs { directories, bases, ..Inputs::default() }, &NoFiles, 0)
        .map_err(|problems| problems.iter().map(AssemblyProblem::to_string).collect::<String>())?;
    Ok(without_directories(list_tree(&assembly.rootfs.tree, folder)))
}

/// What is run, first to last.
fn runs(plan: &Resolved) -> Vec<Run> {
    let mut runs = Vec::new();
    for id in plan.order() {
        for step in plan.steps(*id) {
            let (argv, execution) = match &step.op.kind {
                OpKind::Run { script, execution } => {
                    let mut script = script.value.clone();
                    if script.contains('\n') && !script.ends_with('\n') {
                        script.push('\n');
                    }
                    (step.state.shell.iter().cloned().chain([script]).collect(), execution)
                }
                OpKind::Exec { argv, execution } => (argv.value.clone(), execution),
                OpKind::Copy(_)
                | OpKind::File(_)
                | OpKind::Mkdir(_)
                | OpKind::Symlink(_)
                | OpKind::Remove(_)
                | OpKind::Env(_)
                | OpKind::Workdir(_)
                | OpKind::User(_)
                | OpKind::Shell(_)
                | OpKind::Layer(_)
                | OpKind::By(_) => continue,
            };
            runs.push(comparable(&run(argv, step.state, execution)));
        }
    }
    runs
}

fn run(argv: Vec<String>, state: &State, execution: &Execution) -> Run {
    let mut env = BTreeMap::new();
    for (name, value) in state.env.iter() {
        if let EnvValue::Known(value) = value {
            env.insert(name.as_str().to_owned(), value.to_string());
        }
    }
    let text = |template: &cogpack_ir::plan::Template| {
        template.as_literal().map(|text| text.into_owned()).expect("the base is known")
    };
    for setting in &execution.env {
        env.insert(setting.name.value.as_str().to_owned(), text(&setting.value));
    }
    let workdir = execution.workdir.as_ref().map(|path| text(path));
    let user = execution.user.as_ref().map(|user| text(user));
    Run {
        argv,
        env,
        user: user.or_else(|| state.user.as_deref().map(str::to_owned)).unwrap_or_default(),
        workdir: workdir.or_else(|| state.workdir.as_deref().map(str::to_owned)).unwrap_or_default(),
        mounts: execution.mounts.iter().map(|mount| options(&mount.kind)).collect(),
        network: match execution.network {
            Network::Default => None,
            Network::None => Some("none".to_owned()),
            Network::Host => Some("host".to_owned()),
        },
    }
}

/// The options that say where and what a mount is; where a bind mount comes from is for builds to
/// show.
fn options(mount: &MountKind) -> Options {
    let mut options = Options::new();
    let mut say = |key: &str, value: &str| drop(options.insert(key.to_owned(), value.to_owned()));
    if let Some(target) = mount.target() {
        say("target", &target.as_literal().expect("the base is known"));
    }
    match mount {
        MountKind::Bind { writable, .. } => {
            say("type", "bind");
            if *writable {
                say("readwrite", "true");
            }
        }
        MountKind::Cache { name, .. } => {
            say("type", "cache");
            say("id", name.value.as_str());
            say("sharing", "locked");
        }
        MountKind::Secret { name, target } => {
            say("type", "secret");
            say("id", name.value.as_str());
            say("required", "true");
            if let SecretTarget::Env(variable) = target {
                say("env", variable.value.as_str());
            }
        }
        MountKind::Ssh { name, .. } => {
            say("type", "ssh");
            say("required", "true");
            if let Some(name) = name {
                say("id", name.value.as_str());
            }
        }
        MountKind::Tmpfs { .. } => say("type", "tmpfs"),
    }
    options
}

/// A run in which what means the same is written the same.
fn comparable(run: &Run) -> Run {
    let mut run = run.clone();
    // Both sides: a script that begins so of its own accord says the same.
    run.argv = without_export(run.argv, &mut run.env);
    let is_root = ["", "0", "root", "0:0", "root:root"].contains(&run.user.as_str());
    if is_root {
        "root".clone_into(&mut run.user);
    }
    let parts = components(run.workdir.as_bytes());
    let parts: Vec<String> = parts.iter().map(|part| String::from_utf8_lossy(part).into_owned()).collect();
    run.workdir = format!("/{}", parts.join("/"));
    for mount in &mut run.mounts {
        mount.remove("source");
        mount.remove("from");
    }
    run
}

/// Lists files as `list_tree` does.
fn listing(files: &Files) -> BTreeMap<String, String> {
    let mut listing = BTreeMap::new();
    for (path, node) in files.walk() {
        let path = String::from_utf8_lossy(&path.join(&b'/')).into_owned();
        let shown = match node {
            Node::Directory(_) => "directory".to_owned(),
            Node::File { attributes: it, content } => format!(
                "file {} {}:{} `{}`",
                it.mode,
                it.ids.user,
                it.ids.group,
                String::from_utf8_lossy(&content)
            ),
            Node::Symlink { ids, target } => {
                format!("link {}:{} to `{}`", ids.user, ids.group, String::from_utf8_lossy(&target))
            }
            Node::Special { .. } => "special".to_owned(),
        };
        listing.insert(path, shown);
    }
    listing
}

/// Modes and owners of directories are for the copy suite.
fn without_directories(mut listing: BTreeMap<String, String>) -> BTreeMap<String, String> {
    for shown in listing.values_mut().filter(|it| it.starts_with("directory ")) {
        "directory".clone_into(shown);
    }
    listing
}
