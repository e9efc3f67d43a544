//! What fits, what does not, and what is told of it.

use cogpack_catalogue::Catalogue;
use cogpack_frontends_source::{InFile, MemoryProject};
use insta::assert_snapshot;

use crate::stacks::python::lock::with_record;
use crate::stacks::python::lock_inputs::{Needs, inputs};
use crate::stacks::tests::told;
use crate::stacks::{BaseWish, ProjectFinding, Request, plan};

/// What a lock of a project is made of, in a few words; or what is told instead.
fn chosen_on(platforms: &[&str], build: &str, requirements: &str, base: Option<&str>) -> String {
    let build = match (build, build.contains("python_version")) {
        ("", _) => String::new(),
        (build, true) => format!("build:\n{build}"),
        (build, false) => format!("build:\n  python_version: \"3.11\"\n{build}"),
    };
    let yaml = format!("{build}run: \"predict.py:run\"\n");
    let project =
        MemoryProject::new([("cog.yaml", yaml.as_str()), ("requirements.txt", requirements)]).unwrap();
    let base = base.map(|named| BaseWish::Image(named.parse().unwrap()));
    let platforms = platforms.iter().map(|platform| platform.parse().unwrap()).collect();
    let request = Request { base, platforms, ..Request::plain() };
    match project.plan(|source| inputs(source, &request)) {
        Ok(Needs::Locked(inputs)) => {
            let torch = inputs.torch.map(|builds| format!(", torch {builds}")).unwrap_or_default();
            format!("Python {}{torch}, {}\n", inputs.python, inputs.lines.join(" "))
        }
        Ok(Needs::Nothing | Needs::Own(_)) => "nothing\n".to_owned(),
        Err(findings) => findings.iter().map(|one| format!("{}\n", shown(one))).collect(),
    }
}

fn shown(found: &InFile<ProjectFinding>) -> String {
    let file = &found.file;
    format!("{file}: {}", told(found))
}

fn chosen(build: &str, requirements: &str) -> String {
    chosen_on(&["linux/amd64"], build, requirements, None)
}

fn chosen_for_arm(build: &str, requirements: &str) -> String {
    chosen_on(&["linux/arm64"], build, requirements, None)
}

fn chosen_for_both(build: &str, requirements: &str) -> String {
    chosen_on(&["linux/amd64", "linux/arm64"], build, requirements, None)
}

#[test]
fn builds_of_frameworks_follow_from_who_wants_what() {
    let all = [
        // Nothing but a name: the newest, on the usual Python, for the CPU.
        chosen("", "torch\n"),
        chosen("", "torchvision\n"),
        // An old release brings an old Python.
        chosen("", "torch==2.1.0\n"),
        chosen("", "tensorflow==2.11.0\n"),
        // A GPU: the build of the package index, and others where another CUDA is said.
        chosen("  gpu: true\n", "torch==2.8.0\n"),
        chosen("  gpu: true\n  cuda: \"12.6\"\n", "torch==2.8.0\n"),
        chosen("  cuda: \"11.8\"\n", "torch==2.4.1\n"),
        chosen("  gpu: true\n  cudnn: \"8\"\n", "torch<2.5\n"),
        chosen("  gpu: true\n", "tensorflow==2.18.0\n"),
        chosen("  gpu: true\n", "tensorflow[and-cuda]==2.18.0\n"),
        chosen("  gpu: true\n", "jax==0.8.0\n"),
        chosen("  gpu: true\n  cuda: \"12.8\"\n", "jax==0.8.0\n"),
        // Requirements that name a build.
        chosen("", "torch==2.3.1+cu118\n"),
        chosen("", "jax[cuda12]==0.6.0\n"),
        // Two of them with one CUDA.
        chosen("  gpu: true\n", "torch==2.9.1\njax\n"),
        chosen("  gpu: true\n  cuda: \"12.8\"\n", "torch==2.9.1\njax\n"),
        // Markers, and an index that the project names itself.
        chosen("", "torch==2.1.0; sys_platform == \"win32\"\n"),
        chosen("", "--extra-index-url https://index.example/whl\ntorch==2.8.0\n"),
        // What nobody knows.
        chosen("", "torch==99.0\n"),
        chosen("  gpu: true\n  cuda: \"15.1\"\n", "torch==99.0\n"),
        chosen("  gpu: true\n", "jax==99.0\n"),
        // The base that is named has a Python.
        chosen_on(&["linux/amd64"], "", "torch\n", Some("docker.io/library/python:3.11.14-slim-trixie")),
    ];
    assert_snapshot!(all.concat(), @"
    Python 3.13, torch cpu, cog
    Python 3.13, torch cpu, cog
    Python 3.11, torch cpu, cog
    Python 3.10, cog
    Python 3.11, cog
    Python 3.11, torch cu126, cog
    Python 3.11, torch cu118, cog
    Python 3.11, cog torch<=2.3.1
    Python 3.11, cog tensorflow[and-cuda]
    Python 3.11, cog
    Python 3.11, cog jax[cuda13]
    Python 3.11, cog jax[cuda12]
    Python 3.12, torch cu118, cog
    Python 3.13, cog
    Python 3.11, torch cu130, cog jax[cuda13]
    Python 3.11, cog jax[cuda12]
    Python 3.13, cog
    Python 3.13, cog
    Python 3.13, torch cpu, cog
    Python 3.11, torch cu151, cog
    Python 3.11, cog jax[cuda13]
    Python 3.11, torch cpu, cog
    ");
}

#[test]
fn conflicts_are_told_as_who_wants_what_and_what_helps() {
    let all = [
        chosen("  python_version: \"3.13\"\n", "torch==2.1.0\n"),
        chosen("  gpu: true\n  cuda: \"12.8\"\n", "six\ntorch==2.4.1\n"),
        chosen("  gpu: true\n  cudnn: \"8\"\n", "torch==2.9.0\n"),
        chosen("  gpu: false\n", "torch==2.3.1+cu121\n"),
        chosen("  gpu: true\n", "jax==0.4.20\n"),
        chosen("  gpu: true\n", "torch==2.3.1\ntensorflow==2.18.0\n"),
        chosen("  gpu: true\n  cuda: \"11.8\"\n", "jax\n"),
        chosen("  python_version: \"3.12\"\n", "tensorflow==2.18.0\ntorch==2.1.0\n"),
        chosen("", "torch==2.1.0\njax>=0.11\n"),
        chosen("  python_version: \"3.10\"\n  gpu: true\n  cuda: \"12.4\"\n", "tensorflow==2.12.0\n"),
        chosen("  gpu: true\n", "tensorflow==2.12.0\n"),
        chosen("  gpu: true\n  cuda: \"11.0\"\n", "six\n"),
        chosen_on(
            &["linux/amd64"],
            "",
            "torch==2.1.0\n",
            Some("docker.io/library/python:3.13.9-slim-trixie"),
        ),
    ];
    assert_snapshot!(all.concat(), @r#"
    requirements.txt: project::fit::conflict requirements.txt: no Python fits all that is asked for: cog.yaml:2 wants Python 3.13; requirements.txt:1 wants `torch==2.1.0`, which is made for Python 3.8 to 3.11
      any of these helps: Python 3.11 (cog.yaml:2); torch 2.15.0 (requirements.txt:1)
    requirements.txt: project::fit::conflict requirements.txt: no CUDA fits all that is asked for: cog.yaml:3 wants `build.gpu: true`; cog.yaml:4 wants `build.cuda: "12.8"`; requirements.txt:2 wants `torch==2.4.1`, which is made for CUDA 11.8, 12.1 or 12.4
      any of these helps: no GPU (cog.yaml:3); CUDA 12.1 (cog.yaml:4); torch 2.11.0 (requirements.txt:2)
    requirements.txt: project::fit::conflict requirements.txt: no cuDNN fits all that is asked for: cog.yaml:3 wants `build.gpu: true`; cog.yaml:4 wants `build.cudnn: "8"`; requirements.txt:1 wants `torch==2.9.0`, which is made for cuDNN 9.10.2.21 or 9.13.0.50
      any of these helps: no GPU (cog.yaml:3); cuDNN 9.10.2.21 (cog.yaml:4); torch 2.3.1 (requirements.txt:1)
    requirements.txt: project::fit::conflict requirements.txt: no release fits all that is asked for: cog.yaml:3 wants `build.gpu: false`; requirements.txt:1 wants `torch==2.3.1+cu121`, which is made for CUDA 12.1
      any of these helps: `gpu: true` below `build` (cog.yaml:3); torch 2.15.0 (requirements.txt:1)
    requirements.txt: project::fit::conflict requirements.txt: no release fits all that is asked for: cog.yaml:3 wants `build.gpu: true`; requirements.txt:1 wants `jax==0.4.20`, which is made for the CPU
      any of these helps: no GPU (cog.yaml:3); jax 0.10.2 (requirements.txt:1)
    requirements.txt: project::fit::conflict requirements.txt: no cuDNN fits all that is asked for: cog.yaml:3 wants `build.gpu: true`; requirements.txt:2 wants `tensorflow==2.18.0`, which is made for cuDNN 9.3.0.75; requirements.txt:1 wants `torch==2.3.1`, which is made for cuDNN 8.7.0.84 or 8.9.2.26
      any of these helps: no GPU (cog.yaml:3); tensorflow 2.14.1 (requirements.txt:2)
    requirements.txt: project::fit::conflict requirements.txt: no CUDA fits all that is asked for: cog.yaml:3 wants `build.gpu: true`; cog.yaml:4 wants `build.cuda: "11.8"`; requirements.txt:1 wants `jax`, which is made for CUDA >=12.1, <13 or >=13.0, <14
      any of these helps: no GPU (cog.yaml:3); CUDA 13.0 (cog.yaml:4)
    requirements.txt: project::fit::conflict requirements.txt: no Python fits all that is asked for: cog.yaml:2 wants Python 3.12; requirements.txt:2 wants `torch==2.1.0`, which is made for Python 3.8 to 3.11
      any of these helps: Python 3.11 (cog.yaml:2); torch 2.15.0 (requirements.txt:2)
    requirements.txt: project::fit::conflict requirements.txt: no Python fits all that is asked for: requirements.txt:2 wants `jax>=0.11`, which is made for Python 3.12 to 3.15; requirements.txt:1 wants `torch==2.1.0`, which is made for Python 3.8 to 3.11
      any of these helps: jax 0.10.2 (requirements.txt:2); torch 2.15.0 (requirements.txt:1)
    requirements.txt: project::fit::conflict requirements.txt: no CUDA fits all that is asked for: cog.yaml:3 wants `build.gpu: true`; cog.yaml:4 wants `build.cuda: "12.4"`; requirements.txt:1 wants `tensorflow==2.12.0`, which is made for CUDA >=11.8, <12
      any of these helps: no GPU (cog.yaml:3); CUDA 11.8 (cog.yaml:4); tensorflow 2.19.1 (requirements.txt:1)
    Python 3.11, cog
    Python 3.11, cog
    requirements.txt: project::fit::conflict requirements.txt: no base image fits all that is asked for: whoever plans wants the base `docker.io/library/python:3.13.9-slim-trixie`; requirements.txt:1 wants `torch==2.1.0`, which is made for Python 3.8 to 3.11; base images that are left by that have Python 3.13
      any of these helps: another base; torch 2.15.0 (requirements.txt:1)
    "#);
}

#[test]
fn builds_and_conflicts_are_those_of_the_platform() {
    let all = [
        // The package index has it for the CPU of the one, and for CUDA of the other.
        chosen_for_arm("", "torch==2.8.0\n"),
        chosen_for_both("", "torch==2.8.0\n"),
        chosen_for_arm("", "tensorflow==2.18.0\n"),
        chosen_for_arm("", "jax==0.8.0\n"),
        // GPUs, where there are builds for them.
        chosen_for_arm("  gpu: true\n", "torch==2.11.0\n"),
        chosen_for_arm("  gpu: true\n  cuda: \"12.6\"\n", "torch==2.11.0\n"),
        chosen_for_arm("  gpu: true\n", "torch==2.9.1\n"),
        chosen_for_both("  gpu: true\n", "torch==2.9.1\n"),
        chosen_for_arm("  gpu: true\n", "jax==0.8.0\n"),
        chosen_for_arm("  gpu: true\n", "torch\ntensorflow\n"),
        chosen_for_arm("  gpu: true\n", "torch==2.4.1\n"),
        chosen_for_both("  gpu: true\n  cuda: \"12.8\"\n", "torch==2.8.0\n"),
        chosen_for_arm("", "torch==2.4.1+cu121\n"),
        chosen_for_both("", "tensorflow[and-cuda]==2.18.0\n"),
        chosen_for_arm("  python_version: \"3.13\"\n", "torch==2.4.1\n"),
    ];
    assert_snapshot!(all.concat(), @r#"
    Python 3.13, cog
    Python 3.13, torch cpu, cog
    Python 3.12, cog
    Python 3.13, cog
    Python 3.11, cog
    Python 3.11, torch cu126, cog
    Python 3.11, torch cu130, cog
    Python 3.11, torch cu130, cog
    Python 3.11, cog jax[cuda13]
    requirements.txt: project::fit::conflict requirements.txt: no release fits all that is asked for: cog.yaml:3 wants `build.gpu: true`; requirements.txt:2 wants `tensorflow`, which is made for the CPU on linux/arm64
      this helps: no GPU (cog.yaml:3)
    requirements.txt: project::fit::conflict requirements.txt: no release fits all that is asked for: cog.yaml:3 wants `build.gpu: true`; requirements.txt:1 wants `torch==2.4.1`, which is made for the CPU on linux/arm64
      any of these helps: no GPU (cog.yaml:3); torch 2.15.0 (requirements.txt:1)
    requirements.txt: project::fit::conflict requirements.txt: no CUDA fits all that is asked for: cog.yaml:3 wants `build.gpu: true`; cog.yaml:4 wants `build.cuda: "12.8"`; requirements.txt:1 wants `torch==2.8.0`, which is made for CUDA 12.9 on both linux/amd64 and linux/arm64
      any of these helps: no GPU (cog.yaml:3); CUDA 12.9 (cog.yaml:4); torch 2.11.0 (requirements.txt:1)
    requirements.txt: project::fit::conflict requirements.txt: no release fits all that is asked for: requirements.txt:1 wants `torch==2.4.1+cu121`, of which there is no build for linux/arm64
      this helps: torch 2.15.0 (requirements.txt:1)
    requirements.txt: project::fit::conflict requirements.txt: no release fits all that is asked for: requirements.txt:1 wants `tensorflow[and-cuda]==2.18.0`, of which there is no build for both linux/amd64 and linux/arm64
      this helps: tensorflow 2.21.0 (requirements.txt:1)
    requirements.txt: project::fit::conflict requirements.txt: no Python fits all that is asked for: cog.yaml:2 wants Python 3.13; requirements.txt:1 wants `torch==2.4.1`, which is made for Python 3.8 to 3.12 on linux/arm64
      any of these helps: Python 3.12 (cog.yaml:2); torch 2.15.0 (requirements.txt:1)
    "#);
}

/// What is warned of where a model with these requirements is planned for these platforms.
fn warned_on(platforms: &[&str], build: &str, requirements: &str) -> String {
    let lock = "lock-version = \"1.0\"\ncreated-by = \"a test\"\n\n[[packages]]\nname = \"cog\"\nversion = \"0.23.1\"\n\
                wheels = [{ name = \"cog-0.23.1-py3-none-any.whl\", url = \"https://files.example/cog-0.23.1-py3-none-any.whl\", \
                hashes = { sha256 = \"f7e0abab1028d83789f87d86dc30f82c3335085dc8abbe62bbc3dcb073976ed5\" } }]\n";
    let cog_yaml = format!("{build}run: \"predict.py:run\"\n");
    let project = |lock: &str| {
        let files = [
            ("cog.yaml", &*cog_yaml),
            ("requirements.txt", requirements),
            ("predict.py", "def run(name: str) -> str: ...\n"),
            ("pylock.cog.toml", lock),
        ];
        MemoryProject::new(files).unwrap()
    };
    let platforms = platforms.iter().map(|platform| platform.parse().unwrap()).collect();
    let everywhere =
        Catalogue::shipped().print().replace("\"linux/amd64\", ", "\"linux/amd64\", \"linux/riscv64\", ");
    let catalogue = Catalogue::read("everywhere.toml", &everywhere).unwrap();
    let request = Request { platforms, catalogue, ..Request::plain() };
    let needs = project(lock).plan(|source| inputs(source, &request)).unwrap();
    let Needs::Locked(made) = needs else { panic!("{needs:?}") };
    let planned = project(&with_record(lock, &made)).plan(|source| plan(source, &request)).unwrap();
    assert!(planned.warnings.iter().all(|warning| !warning.finding.is_error()));
    planned.warnings.iter().map(shown).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_platform_that_the_table_is_not_about_is_told() {
    assert_eq!(warned_on(&["linux/amd64"], "", "torch==2.8.0\n"), "");
    // What is no framework has no table.
    assert_eq!(warned_on(&["linux/riscv64"], "", "six\n"), "");
    assert_eq!(warned_on(&["linux/arm64"], "", "torch==2.8.0\n"), "");
    let gpu = "build:\n  python_version: \"3.11\"\n  gpu: true\n";
    let all = [
        warned_on(&["linux/riscv64"], "", "six\ntorch==2.8.0\ntorchvision\n"),
        warned_on(&["linux/arm64", "linux/riscv64"], gpu, "jax==0.8.0\ntorch==2.9.1\n"),
    ];
    assert_snapshot!(all.join("\n"), @"
    requirements.txt: project::fit::other-platform requirements.txt: which builds there are of `torch==2.8.0` for linux/riscv64 is not known: one is chosen as for linux/amd64
      `cogpackc lock` refuses what has no wheel for linux/riscv64; for a GPU see that the wheel in the lock is made for it, or plan by a lock file of the project's own, which is taken as it is
    requirements.txt: project::fit::other-platform requirements.txt: which builds there are of `jax==0.8.0` for linux/riscv64 is not known: one is chosen as for linux/arm64
      `cogpackc lock` refuses what has no wheel for linux/riscv64; for a GPU see that the wheel in the lock is made for it, or plan by a lock file of the project's own, which is taken as it is
    requirements.txt: project::fit::other-platform requirements.txt: which builds there are of `torch==2.9.1` for linux/riscv64 is not known: one is chosen as for linux/arm64
      `cogpackc lock` refuses what has no wheel for linux/riscv64; for a GPU see that the wheel in the lock is made for it, or plan by a lock file of the project's own, which is taken as it is
    ");
}

#[test]
fn a_release_that_nobody_knows_is_planned_with_a_warning() {
    let warned = warned_on(&["linux/amd64"], "", "six\ntorch==99.0\n");
    assert_snapshot!(warned, @"
    requirements.txt: project::fit::unknown-release requirements.txt: nothing is known of a release that fits `torch==99.0`: the newest known one is 2.15.0
      it is planned without looking whether its Python and CUDA fit: see that they do, or take a release that is known
    ");
}

#[test]
fn a_choice_of_the_solver_is_the_same_each_time() {
    let one = || chosen("  gpu: true\n", "torch>=2.0\njax\ntensorflow\n");
    let first = one();
    for _ in 0..5 {
        assert_eq!(one(), first);
    }
}
