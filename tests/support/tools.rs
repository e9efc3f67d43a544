//! The tools that build Dockerfiles, each with the dialect it reads: engines with BuildKit and
//! with their classic builder, and buildah.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::engines::{self, Engine};
use crate::image::{self, Image};

/// A tool that builds Dockerfiles.
#[derive(Debug, Clone)]
pub struct Tool {
    /// For messages, and part of the names of images.
    pub name: &'static str,
    /// What `cogpackc` is told of it.
    pub dialect: &'static [&'static str],
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Docker { engine: Engine, buildkit: &'static str },
    Buildah { program: PathBuf },
}

/// What a build is given besides its eject.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// Files of secrets by their ids.
    pub secrets: BTreeMap<String, PathBuf>,
    /// Where an ssh agent listens.
    pub agent: Option<PathBuf>,
}

impl Tool {
    /// The BuildKit of the older engine, which has no other frontend than its own.
    pub fn older_buildkit() -> Option<Self> {
        let kind = Kind::Docker { engine: engines::older()?, buildkit: "1" };
        Some(Self { name: "buildkit-older", dialect: &["--dialect", "buildkit", "--syntax", "none"], kind })
    }

    /// The BuildKit of the older engine with the frontend that the Dockerfile asks for, which it
    /// fetches: newer than the engine by years.
    pub fn older_buildkit_fetching() -> Option<Self> {
        let kind = Kind::Docker { engine: engines::older()?, buildkit: "1" };
        Some(Self { name: "buildkit-older-fetching", dialect: &["--dialect", "buildkit"], kind })
    }

    /// The BuildKit of the newer engine, which fetches the frontend that the Dockerfile asks for.
    pub fn newer_buildkit() -> Option<Self> {
        let kind = Kind::Docker { engine: engines::newer()?, buildkit: "1" };
        Some(Self { name: "buildkit-newer", dialect: &["--dialect", "buildkit"], kind })
    }

    /// The classic builder of the older engine.
    pub fn classic() -> Option<Self> {
        let kind = Kind::Docker { engine: engines::older()?, buildkit: "0" };
        Some(Self { name: "classic", dialect: &["--dialect", "legacy"], kind })
    }

    /// The buildah of the older Debian.
    pub fn buildah() -> Option<Self> {
        engines::older()?;
        let program = std::env::var_os("COGPACK_TEST_BUILDAH").expect("the rig says where its buildah is");
        let kind = Kind::Buildah { program: program.into() };
        Some(Self { name: "buildah", dialect: &["--dialect", "buildah"], kind })
    }

    /// The buildah of the newer Debian.
    pub fn newer_buildah() -> Option<Self> {
        engines::newer()?;
        let program =
            std::env::var_os("COGPACK_TEST_NEXT_BUILDAH").expect("the rig says where its buildah is");
        let kind = Kind::Buildah { program: program.into() };
        Some(Self { name: "buildah-newer", dialect: &["--dialect", "buildah"], kind })
    }

    /// Whether it takes setuid and setgid off the files that it copies out of stages.
    pub fn takes_set_ids_off(&self) -> bool {
        !self.dialect.contains(&"buildkit")
    }

    /// Whether two builds at once disturb each other: one waits for the other then, also for those of
    /// other processes. The classic builder loses layers that both have, and buildah fails where a
    /// stage adds nothing to an image from which the other just builds.
    fn builds_alone(&self) -> bool {
        self.joins_layers() || self.dialect.contains(&"legacy")
    }

    /// Waits until no other build of this tool runs that would disturb one; it may run while the
    /// answer lives.
    fn turn(&self) -> Option<File> {
        self.builds_alone().then(|| {
            let path = std::env::temp_dir().join(format!("cogpack-tests-{}.lock", self.name));
            let file = File::options().create(true).truncate(false).write(true).open(&path);
            let file = file.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            file.lock().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            file
        })
    }

    /// Whether a build of many instructions takes long: a container for each, or a copy of all files.
    pub fn is_slow(&self) -> bool {
        !self.dialect.contains(&"buildkit")
    }

    /// Whether its dialect has an instruction for a layer that does not look at what is under it.
    pub fn links_layers(&self) -> bool {
        self.dialect == ["--dialect", "buildkit"]
    }

    /// Whether all instructions of a stage make one layer.
    pub fn joins_layers(&self) -> bool {
        matches!(self.kind, Kind::Buildah { .. })
    }

    /// Whether secrets and agents can be given to its builds.
    fn takes_secrets(&self) -> bool {
        match &self.kind {
            Kind::Docker { buildkit, .. } => *buildkit == "1",
            Kind::Buildah { .. } => true,
        }
    }

    /// Builds what stands in the directory `eject`, or gives the last that was said.
    pub fn build(&self, eject: &Path, name: &str, given: &Given) -> Result<(), String> {
        let mut command = self.command();
        match &self.kind {
            Kind::Docker { engine, buildkit } => {
                command.args(["build", "--network", &engine.network]);
                // The classic builder's cache is images, which another build may be removing.
                if *buildkit == "0" {
                    command.arg("--no-cache");
                }
            }
            // The label that buildah adds of itself is nothing that a plan says, and the images of
            // its own format have no health checks. A build that fails leaves its containers if it
            // may, and each of them makes all later builds slower.
            Kind::Buildah { .. } => {
                command.args([
                    "build",
                    "--format=docker",
                    "--identity-label=false",
                    "--no-cache",
                    "--force-rm",
                ]);
            }
        }
        if self.takes_secrets() {
            for (id, path) in &given.secrets {
                command.args(["--secret", &format!("id={id},src={}", path.display())]);
            }
            if let Some(agent) = &given.agent {
                command.args(["--ssh", &format!("default={}", agent.display())]);
            }
        }
        let _turn = self.turn();
        said(command.args(["--tag", name]).arg(eject))
    }

    /// Builds by the command line of an eject's README in the directory `place`, or gives the last that
    /// was said. It is run as it stands, by a shell, but for the image's name and what this machine asks for.
    pub fn build_by(&self, command: &str, place: &Path, name: &str, given: &Given) -> Result<(), String> {
        let (program, rest) = command.split_once(" build ").expect("it builds");
        let added = match &self.kind {
            Kind::Docker { engine, .. } => format!("--network={} ", engine.network),
            // Its cache is images, which another build of the same plan may be removing.
            Kind::Buildah { .. } => "--no-cache ".to_owned(),
        };
        let own = self.command();
        let mut shell = Command::new("sh");
        for (variable, value) in own.get_envs() {
            match value {
                Some(value) => shell.env(variable, value),
                None => shell.env_remove(variable),
            };
        }
        // The command says which builder it means.
        shell.env_remove("DOCKER_BUILDKIT");
        if let Kind::Buildah { program } = &self.kind {
            let others = std::env::var_os("PATH").unwrap_or_default();
            let first = program.parent().map(Path::to_owned).into_iter();
            let path = std::env::join_paths(first.chain(std::env::split_paths(&others)));
            shell.env("PATH", path.expect("paths of programs can be joined"));
        }
        if let Some(agent) = &given.agent {
            shell.env("SSH_AUTH_SOCK", agent);
        }
        let _turn = self.turn();
        let command = format!("{program} build --tag={name} {added}{rest}");
        let before = self.containers();
        said(shell.args(["-ec", &command]).current_dir(place))?;
        // One that stays fills the disk, and keeps other builds from removing an image.
        let left: Vec<String> = self.containers().difference(&before).cloned().collect();
        if left.is_empty() { Ok(()) } else { Err(format!("it leaves containers: {}", left.join(" "))) }
    }

    /// The containers of buildah's builds; engines take theirs away.
    fn containers(&self) -> BTreeSet<String> {
        if let Kind::Docker { .. } = self.kind {
            return BTreeSet::new();
        }
        let output = self.command().args(["containers", "--quiet"]).output().expect("the tool can be run");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
    }

    /// How many layers an image has.
    pub fn layers(&self, name: &str) -> usize {
        let mut command = self.command();
        match &self.kind {
            Kind::Docker { .. } => command.args(["image", "inspect", "--format", "{{len .RootFS.Layers}}"]),
            Kind::Buildah { .. } => {
                command.args(["inspect", "--type", "image", "--format", "{{len .OCIv1.RootFS.DiffIDs}}"])
            }
        };
        let output = command.arg(name).output().expect("the tool can be run");
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        text.parse().unwrap_or_else(|_| panic!("{name}: {}", String::from_utf8_lossy(&output.stderr)))
    }

    /// What an image is for, of those of an engine.
    pub fn platforms(&self, name: &str) -> BTreeSet<String> {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let archive = folder.path().join("image.tar");
        let mut command = self.command();
        said(command.arg("save").arg("--output").arg(&archive).arg(name))
            .unwrap_or_else(|said| panic!("{}: {said}", self.name));
        image::platforms(&archive)
    }

    /// What it has built, by name.
    pub fn images(&self, names: &[String]) -> BTreeMap<String, Image> {
        if names.is_empty() {
            return BTreeMap::new();
        }
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let archive = folder.path().join("images.tar");
        match &self.kind {
            Kind::Docker { .. } => {
                let mut command = self.command();
                command.arg("save").arg("--output").arg(&archive).args(names);
                said(&mut command).unwrap_or_else(|said| panic!("{}: {said}", self.name));
                image::saved(&archive)
            }
            Kind::Buildah { .. } => names
                .iter()
                .map(|name| {
                    // No tool puts a second image into an archive that is there.
                    let _ = std::fs::remove_file(&archive);
                    let to = format!("docker-archive:{}:{name}", archive.display());
                    let mut command = self.command();
                    said(command.args(["push", "--quiet", name, &to]))
                        .unwrap_or_else(|said| panic!("{}: {said}", self.name));
                    let image = image::saved(&archive).into_values().next();
                    (name.clone(), image.expect("the archive holds the image"))
                })
                .collect(),
        }
    }

    /// Removes images. What is gone already is no matter.
    pub fn remove(&self, names: &[String]) {
        if names.is_empty() {
            return;
        }
        let mut command = self.command();
        match &self.kind {
            Kind::Docker { .. } => command.args(["image", "rm", "--force"]),
            Kind::Buildah { .. } => command.args(["rmi", "--force"]),
        };
        let _turn = self.turn();
        let _ = said(command.args(names));
    }

    fn command(&self) -> Command {
        match &self.kind {
            Kind::Docker { engine, buildkit } => {
                let mut command = Command::new("docker");
                command.env("DOCKER_HOST", &engine.host).env("DOCKER_BUILDKIT", buildkit);
                command
            }
            Kind::Buildah { program } => {
                let mut command = Command::new(program);
                // It would want a file of logins there.
                command.env_remove("DOCKER_CONFIG");
                command
            }
        }
    }
}

/// Most lines of what a failed command has said that are kept.
const LINES: usize = 8;

fn said(command: &mut Command) -> Result<(), String> {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    // BuildKit counts its steps, and says of each who it is.
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.is_empty() && (!line.starts_with('#') || !line.contains(" sha256:")))
        .collect();
    Err(lines[lines.len().saturating_sub(LINES)..].join("\n"))
}
