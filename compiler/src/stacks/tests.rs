//! Which stack a project is of, and what becomes of a small model.

mod certificates;
mod debs;
mod detection;
mod gpu;
mod model_hints;
mod on_demand;
mod pinned;
mod refused;
mod runs;
mod wishes;

use cogpack_frontends_source::MemoryProject;
use cogpack_ir::syntax;

use super::*;

/// A stack that takes projects with a certain file.
struct Toy {
    name: &'static str,
    file: &'static str,
    weight: Weight,
}

impl Stack for Toy {
    fn name(&self) -> &'static str {
        self.name
    }

    fn detect(
        &self,
        source: &Source,
        _: &ConfigFile,
    ) -> Result<Result<Vec<Evidence>, InFile<ProjectFinding>>, Unread> {
        let file = cogpack_frontends_source::SourcePath::new(self.file).unwrap();
        let is_there = source.kind(&file)?.is_some();
        Ok(Ok(if is_there { vec![Evidence { weight: self.weight, file }] } else { Vec::new() }))
    }

    fn plan(
        &self,
        _: &Source,
        _: &Request,
        evidence: Vec<Evidence>,
    ) -> Result<Result<Planned, NoPlan>, Unread> {
        let why = Why::of(self.name, evidence);
        let (image, warnings) = (ImageName::Unsaid, Vec::new());
        Ok(Ok(Planned { plan: Plan::empty(), why, image, warnings, packages: Default::default() }))
    }

    fn signature(&self, _: &Source, _: &Request) -> Result<Option<Signature>, Unread> {
        Ok(Some(Signature { inputs: Vec::new(), declared: None }))
    }

    fn image_name(&self, _: &Source, _: &Request) -> Result<Option<ImageName>, Unread> {
        Ok(Some(ImageName::Unsaid))
    }
}

fn toys() -> Vec<Box<dyn Stack>> {
    let toy = |name, file, weight| Box::new(Toy { name, file, weight }) as Box<dyn Stack>;
    vec![
        toy("wood", "tree.txt", Weight::Declaration),
        toy("paper", "book.txt", Weight::Declaration),
        toy("stone", "rock.txt", Weight::Language),
    ]
}

/// The stack that is chosen for a project with these files, or what is told instead.
fn chosen(files: &[&str], named: Option<&str>) -> String {
    let project = MemoryProject::new(files.iter().map(|file| (*file, ""))).unwrap();
    let request = Request { stack: named.map(str::to_owned), ..Request::plain() };
    match project.plan(|source| plan_by(&toys(), source, &request)) {
        Ok(planned) => planned.why.stack.to_owned(),
        Err(none) => none.findings.iter().map(told).collect::<Vec<_>>().join("\n"),
    }
}

/// The plan of a project, or what is wrong with it.
pub(crate) fn plan(source: &Source, request: &Request) -> Result<Result<Planned, Findings>, Unread> {
    Ok(super::plan(source, request)?.map_err(|none| none.findings))
}

pub(super) fn told(found: &InFile<ProjectFinding>) -> String {
    use miette::Diagnostic;
    let text =
        |text: Option<Box<dyn std::fmt::Display + '_>>| text.map(|text| text.to_string()).unwrap_or_default();
    format!("{} {found}\n  {}", text(found.finding.code()), text(found.finding.help()))
}

#[test]
fn the_heaviest_evidence_decides() {
    assert_eq!(chosen(&["tree.txt"], None), "wood");
    assert_eq!(chosen(&["tree.txt", "rock.txt"], None), "wood");
    assert_eq!(chosen(&["rock.txt"], None), "stone");
    assert_eq!(chosen(&["tree.txt", "book.txt"], Some("wood")), "wood");
    assert_eq!(chosen(&["tree.txt", "rock.txt"], Some("stone")), "stone");
}

#[test]
fn what_does_not_decide_is_told() {
    let told = [
        chosen(&["README"], None),
        chosen(&["book.txt", "tree.txt"], None),
        chosen(&["tree.txt"], Some("wod")),
        chosen(&["tree.txt"], Some("iron")),
        chosen(&["tree.txt"], Some("paper")),
    ];
    insta::assert_snapshot!(told.join("\n"), @r#"
    project::stack::none .: there is nothing here that an image could be planned from
      for a model in Python write a `cog.yaml` that says what is run, for instance `run: "predict.py:Predictor"`; another project in Python has a `pyproject.toml`, a `requirements.txt` or a `main.py`; or write the plan itself, `plan.cpk`. The kinds of projects are: wood, paper, stone
    project::stack::several .: the project could be planned in more than one way: `paper` by `book.txt` and `wood` by `tree.txt`
      say which: `--stack paper`, or the setting `stack = "paper"` of the project
    project::stack::unknown .: there is no stack `wod`
      did you mean `wood`?
    project::stack::unknown .: there is no stack `iron`
      the stacks are: wood, paper, stone
    project::stack::unfit .: the project has nothing that the stack `paper` plans
      leave `--stack` away, and the project's files decide
    "#);
}

/// A Python project that another stack, which is registered beside ours, takes for one of its own.
#[test]
fn of_two_stacks_that_fit_whoever_plans_or_a_setting_chooses() {
    let stacks: Vec<Box<dyn Stack>> = vec![
        Box::new(python::PythonStack),
        Box::new(Toy { name: "wood", file: "tree.txt", weight: Weight::Declaration }),
        Box::new(Toy { name: "stone", file: "cogpack.toml", weight: Weight::Image }),
    ];
    let both = [("main.py", "print(1)\n"), ("requirements.txt", "# nothing\n"), ("tree.txt", "")];
    let with = |more: &[(&str, &str)]| MemoryProject::new(both.iter().chain(more).copied()).unwrap();
    let of = |project: &MemoryProject, named: Option<&str>| {
        let request = Request { stack: named.map(str::to_owned), ..Request::plain() };
        match project.plan(|source| plan_by(&stacks, source, &request)) {
            Ok(planned) => format!("{}: {} stages", planned.why.stack, planned.plan.stages.len()),
            Err(none) => none.findings.iter().map(told).collect::<Vec<_>>().join("\n"),
        }
    };
    let signature = |project: &MemoryProject| {
        project.plan(|source| signature_by(&stacks, source, &Request::plain())).is_some()
    };
    let plain = with(&[]);
    let setting = with(&[("cogpack.toml", "stack = \"wood\"\n")]);
    let python = with(&[("cogpack.toml", "stack = \"python\"\n")]);
    let none = with(&[("cogpack.toml", "")]);
    let told = [
        of(&plain, None),
        of(&plain, Some("python")),
        of(&plain, Some("wood")),
        of(&none, None),
        of(&setting, None),
        of(&setting, Some("python")),
        of(&python, None),
        format!("{} {} {}", signature(&plain), signature(&setting), signature(&python)),
    ];
    insta::assert_snapshot!(told.join("\n"), @r#"
    project::stack::several .: the project could be planned in more than one way: `python` by `requirements.txt` and `wood` by `tree.txt`
      say which: `--stack python`, or the setting `stack = "python"` of the project
    python: 4 stages
    wood: 0 stages
    project::stack::several .: the project could be planned in more than one way: `python` by `cogpack.toml` and `stone` by `cogpack.toml`
      say which: `--stack python`, or the setting `stack = "python"` of the project
    wood: 0 stages
    python: 4 stages
    python: 4 stages
    false true false
    "#);
}

/// A lock of one package, as much of one as PEP 751 asks for.
const LOCK: &str = r#"
lock-version = "1.0"
created-by = "a test"
requires-python = ">=3.11"

[[packages]]
name = "cog"
version = "0.23.1"
wheels = [{ url = "https://files.example/cog-0.23.1-py3-none-any.whl", hashes = { sha256 = "f7e0abab1028d83789f87d86dc30f82c3335085dc8abbe62bbc3dcb073976ed5" } }]

[[packages]]
name = "torch"
version = "2.9.0"
wheels = [{ url = "https://files.example/torch-2.9.0-cp311-none-manylinux_2_28_x86_64.whl", hashes = { sha256 = "a7e0abab1028d83789f87d86dc30f82c3335085dc8abbe62bbc3dcb073976ed5" } }]
"#;

const COG_YAML: &str = "\
build:
  python_version: \"3.11\"
  system_packages: [libgl1, ffmpeg]
  run:
    - command: make fetch
      mounts:
        - type: secret
          id: token
          target: /run/token
run: \"predict.py:Predictor\"
environment: [\"GREETING=hello\"]
";

#[test]
fn a_model_becomes_a_plan_that_says_which_line_asked_for_what() {
    let project = MemoryProject::new([
        ("cog.yaml", COG_YAML),
        ("pylock.cog.toml", LOCK),
        ("predict.py", "class Predictor:\n    def run(self, name: str) -> str: ...\n"),
    ])
    .unwrap();
    let given = Request { openapi_schema: Some("{}".to_owned()), ..Request::plain() };
    let planned = project
        .plan(|source| plan(source, &given))
        .unwrap_or_else(|findings| panic!("{}", findings.iter().map(told).collect::<Vec<_>>().join("\n")));
    let text = syntax::print(&planned.plan);
    assert_eq!(syntax::parse(&text).plan, planned.plan);
    let verified = cogpack_ir::verify::verify(planned.plan);
    assert!(verified.is_ok(), "{:?}", verified.err());
    insta::assert_snapshot!(text, @r#"
    cpk 1

    platform linux/amd64

    image @base = "docker.io/library/python:3.11.14-slim-trixie"

    context @framework = wheels {
      python "3.11"
      interpreter "/venv/bin/python"
      wheel "torch-2.9.0-cp311-none-manylinux_2_28_x86_64.whl" { hash sha256:a7e0abab1028d83789f87d86dc30f82c3335085dc8abbe62bbc3dcb073976ed5 url "https://files.example/torch-2.9.0-cp311-none-manylinux_2_28_x86_64.whl" }
    }

    context @packages = wheels {
      python "3.11"
      interpreter "/venv/bin/python"
      wheel "cog-0.23.1-py3-none-any.whl" { hash sha256:f7e0abab1028d83789f87d86dc30f82c3335085dc8abbe62bbc3dcb073976ed5 url "https://files.example/cog-0.23.1-py3-none-any.whl" }
    }

    context @source = dir "." {
      exclude "**/.git" "**/.mypy_cache" "**/.pytest_cache" "**/.venv" "**/__pycache__"
    }

    secret token

    stage %base in export.base from image @base

    stage %environment in export.base {
      by environment at "cog.yaml":1
      env PYTHONUNBUFFERED = "1"
      by environment at "cog.yaml":11
      env GREETING = "hello"
    }

    stage %system-packages in export.base {
      by system-packages at "cog.yaml":3
      run """
        set -e
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -qqy --no-install-recommends \\
          ffmpeg \\
          libgl1 \\
          tini
        rm -rf /var/lib/apt/lists/*
        """
    }

    stage %python in export.runtime {
      provides python
      by python at "cog.yaml":2
      layer venv {
        file "/venv/pyvenv.cfg" = """
          home = /usr/local/bin
          include-system-site-packages = false
          version = 3.11

          """
        symlink "/usr/local/bin/python3" at /venv/bin/python
        symlink "python" at /venv/bin/python3
        symlink "python" at /venv/bin/python3.11
      }
      env VIRTUAL_ENV = "/venv"
      env prepend PATH "/venv/bin"
    }

    stage %framework in export.runtime {
      by framework at "pylock.cog.toml":1
      copy contents "." from @framework to "/venv"
    }

    stage %packages in export.runtime {
      by packages at "pylock.cog.toml":1
      copy contents "." from @packages to "/venv"
    }

    stage %commands in export.runtime {
      by commands at "cog.yaml":5
      run "make fetch" {
        mount secret token at /run/token
      }
    }

    stage %schema in export.app {
      by schema at "cog.yaml":10
      file "/src/.cog/openapi_schema.json" = "{}"
    }

    stage %source in export.app {
      by source at "cog.yaml":1
      copy contents "." from @source to "/src"
      workdir "/src"
    }

    stage %model in export.config {
      by model at "cog.yaml":10
      env COG_PREDICT_TYPE_STUB = "predict.py:Predictor"
    }

    export from phase export.config {
      entrypoint ["/usr/bin/tini", "--"]
      cmd ["python", "-m", "cog.server.http"]
      expose 5000/tcp
      label run.cog.config = "{\"build\":{\"gpu\":false,\"python_version\":\"3.11\",\"run\":[{\"command\":\"make fetch\",\"mounts\":[{\"id\":\"token\",\"target\":\"/run/token\",\"type\":\"secret\"}]}],\"sdk_version\":\"0.23.1\",\"system_packages\":[\"libgl1\",\"ffmpeg\"]},\"environment\":[\"GREETING=hello\"],\"predict\":\"predict.py:Predictor\"}"
      label run.cog.has_init = "true"
      label run.cog.openapi_schema = "{}"
      label run.cog.pip_freeze = "cog==0.23.1\ntorch==2.9.0"
      label run.cog.version = "0.23.1"
    }
    "#);
}

#[test]
fn what_a_model_lacks_is_told() {
    let told_of = |files: &[(&str, &str)], request: &Request| {
        let project = MemoryProject::new(files.iter().copied()).unwrap();
        let planned = project.plan(|source| plan(source, request));
        planned.err().unwrap_or_default().iter().map(told).collect::<Vec<_>>().join("\n")
    };
    let plain = Request { openapi_schema: Some("{}".to_owned()), ..Request::plain() };
    let on = |base| Request { base: Some(base), ..plain.clone() };
    let yaml = ("cog.yaml", "run: \"predict.py:Predictor\"\n");
    let lock = ("pylock.cog.toml", LOCK);
    let all = [
        told_of(&[("predict.py", "")], &plain),
        told_of(&[yaml], &plain),
        told_of(&[yaml, (".python-version", "# ours\npypy3.9\n"), lock], &plain),
        told_of(&[("cog.yaml", "build:\n  python_version: \"3.10\"\n"), lock], &plain),
        told_of(&[("cog.yaml", "rum: 1\n")], &plain),
        told_of(&[yaml, (".python-version", "3.99\n"), lock], &plain),
        told_of(&[yaml, lock], &on(BaseWish::Image("registry.example/own:1".parse().unwrap()))),
        told_of(
            &[yaml, (".python-version", "3.99\n")],
            &on(BaseWish::Image("docker.io/library/ubuntu:24.04".parse().unwrap())),
        ),
    ];
    insta::assert_snapshot!(all.join("\n"), @r#"
    project::python::no-command .: nothing says what the image starts
      write `command = ["python", "predict.py"]` in a file `cogpack.toml`, or the words that start yours; for a model `target = "predict.py:NAME"`, with its class or function
    project::lock::missing .: the packages of the project are not locked: there is no `pylock.cog.toml`
      `cogpackc lock DIR` makes it: which packages in which versions, each with its hash
    project::python::version-file .python-version: `pypy3.9` names no Python that an image can have: packages are chosen for CPython
      write one release of CPython, as in `3.12` or `3.12.4`
    project::lock::problem pylock.cog.toml: the lock cannot be installed: it was locked for Python >=3.11, which 3.10 is not
      `cogpackc lock DIR` makes the lock anew; what fits nowhere needs another version, or a wheel of its own: `pip wheel --no-deps -w wheels NAME` makes one, and `./wheels/FILE.whl` in `requirements.txt` takes it
    project::cog-yaml::unknown-key cog.yaml: `cog.yaml` has no key `rum`
      did you mean `run`?
    project::catalogue::none .python-version: no base image is known for running, on linux/amd64, with Python ==3.99.*
      docker.io/library/debian:13.3-slim, docker.io/library/debian:12.13-slim, docker.io/library/ubuntu:24.04: it has no Python, and ==3.99.* is wanted
    give one with `--catalogue FILE`, whose entry `cogpackc catalogue add IMAGE` writes; or make the base of Debian packages, with `--base debian`
    project::lock::problem pylock.cog.toml: the lock cannot be installed: `torch` has no wheel for linux/amd64: of `torch-2.9.0-cp311-none-manylinux_2_28_x86_64.whl`, it is for the Python `cp311`, not for CPython 3.99
      `cogpackc lock DIR` makes the lock anew; what fits nowhere needs another version, or a wheel of its own: `pip wheel --no-deps -w wheels NAME` makes one, and `./wheels/FILE.whl` in `requirements.txt` takes it
    project::base::unknown cog.yaml: nothing is known of what is in the image `registry.example/own:1`
      `cogpackc catalogue add registry.example/own:1` looks into it and writes an entry for `--catalogue`
    project::lock::problem pylock.cog.toml: the lock cannot be installed: `torch` has no wheel for linux/amd64: of `torch-2.9.0-cp311-none-manylinux_2_28_x86_64.whl`, it is for the Python `cp311`, not for CPython 3.13
      `cogpackc lock DIR` makes the lock anew; what fits nowhere needs another version, or a wheel of its own: `pip wheel --no-deps -w wheels NAME` makes one, and `./wheels/FILE.whl` in `requirements.txt` takes it
    project::lock::missing .: the packages of the project are not locked: there is no `pylock.cog.toml`
      `cogpackc lock DIR` makes it: which packages in which versions, each with its hash
    project::base::no-python cog.yaml: the image `docker.io/library/ubuntu:24.04` has no Python, and no archive of Python 3.99 can be unpacked there
      name another image, let the catalogue decide, or make the base of Debian packages, with `--base debian`; archives are those of a catalogue's `[[python]]`, for the GNU C library, and are unpacked by `tar`
    "#);
}

#[test]
fn a_lock_is_of_the_wishes_that_it_was_made_of() {
    use crate::stacks::python::lock::{is_fresh, with_record};
    use crate::stacks::python::lock_inputs::{Needs, inputs};

    let yaml = "build:\n  python_version: \"3.11\"\n  python_requirements: needs/all.txt\n";
    let project = |pinned: &str, lock: &str| {
        MemoryProject::new([
            ("cog.yaml", yaml),
            ("needs/all.txt", "-r more.txt\nsix\n"),
            ("needs/more.txt", pinned),
            ("pylock.cog.toml", lock),
        ])
        .unwrap()
    };
    let request = Request::plain();
    let made = project("idna==3.10\n", "").plan(|source| inputs(source, &request)).unwrap();
    let Needs::Locked(made) = made else { panic!("{made:?}") };
    assert_eq!(made.lines, ["cog"]);
    let lock = with_record(LOCK, &made);
    let findings = |pinned: &str, lock: &str| {
        let found = project(pinned, lock).plan(|source| is_fresh(source, &request));
        found.iter().map(told).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(findings("idna==3.10\n", &lock), "");
    assert!(findings("idna==3.11\n", &lock).starts_with("project::lock::stale pylock.cog.toml: "));

    // A lock without a record is compared with what is required.
    let six = LOCK.lines().last().unwrap().replace("cog-0.23.1", "six-1.17.0");
    let foreign = format!("{LOCK}\n[[packages]]\nname = \"six\"\nversion = \"1.17.0\"\n{six}\n");
    let idna = six.replace("six-1.17.0", "idna-3.10");
    let foreign = format!("{foreign}\n[[packages]]\nname = \"idna\"\nversion = \"3.10\"\n{idna}\n");
    assert_eq!(findings("idna==3.10\n", &foreign), "");
    insta::assert_snapshot!(findings("idna==3.11\nyarl\n", &foreign), @"
    project::python::lock-outdated needs/more.txt: `pylock.cog.toml` holds idna 3.10, and `==3.11` is required here
      the lock file is older than this line: make it anew
    project::python::lock-missing needs/more.txt: `pylock.cog.toml` does not hold `yarl`, which is required here
      the lock file is older than this line: make it anew
    ");
    let none = findings("idna\n", "lock-version = \"1.0\"\npackages = 1\n");
    assert!(none.starts_with("project::python::lock pylock.cog.toml: this is no lock file"), "{none}");
    let constrained = MemoryProject::new([
        ("cog.yaml", yaml),
        ("needs/all.txt", "-c limits.txt\nsix\nidna\n"),
        ("needs/limits.txt", "idna<3\nyarl<2\n"),
        ("pylock.cog.toml", &foreign),
    ])
    .unwrap();
    let found = constrained.plan(|source| is_fresh(source, &request));
    insta::assert_snapshot!(found.iter().map(told).collect::<Vec<_>>().join("\n"), @"
    project::python::lock-outdated needs/limits.txt: `pylock.cog.toml` holds idna 3.10, and `<3` is required here
      the lock file is older than this line: make it anew
    ");

    let missing = MemoryProject::new([("cog.yaml", yaml), ("needs/all.txt", "-c none.txt\n")]).unwrap();
    let found = missing.plan(|source| inputs(source, &request)).unwrap_err();
    assert_eq!(
        told(&found[0]).lines().next(),
        Some(
            "project::requirements::no-such-file needs/all.txt: `none.txt` is named here, and there is none"
        )
    );
}

#[test]
fn the_version_of_cog_that_is_asked_for_is_a_requirement_like_any_other() {
    let findings = |sdk_version: &str, requirements: &str| {
        let yaml = format!(
            "build:\n  python_version: \"3.11\"\n  sdk_version: \"{sdk_version}\"\n  python_requirements: \
             r.txt\nrun: \"predict.py:Predictor\"\n"
        );
        let project = MemoryProject::new([("cog.yaml", yaml.as_str()), ("r.txt", requirements)]).unwrap();
        let found = project.plan(|source| {
            Ok(crate::stacks::python::lock_inputs::inputs(source, &Request::plain())?
                .err()
                .unwrap_or_default())
        });
        found.iter().map(told).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(findings("0.23.1", "cog>=0.20\n"), "");
    assert_eq!(findings("prerelease", "cog>=0.20\n"), "");
    insta::assert_snapshot!(findings("0.20.0", "six\ncog==0.23.1\n"), @"
    project::requirements::conflict r.txt: no version of `cog` fits all who want it: cog.yaml:3 wants `cog==0.20.0`, r.txt:2 wants `cog==0.23.1`
      change one of these, so that some version fits all of them
    ");
}

#[test]
fn a_login_in_a_lock_reaches_no_plan() {
    let lock = LOCK.replace("https://files.example/", "https://me:pa55@files.example/");
    let project = MemoryProject::new([
        ("cog.yaml", "build:\n  python_version: \"3.11\"\nrun: \"predict.py:Predictor\"\n"),
        ("predict.py", "class Predictor:\n    def run(self, name: str) -> str: ...\n"),
        ("pylock.cog.toml", &lock),
    ])
    .unwrap();
    let planned = project.plan(|source| plan(source, &Request::plain())).unwrap();
    let text = syntax::print(&planned.plan);
    assert!(text.contains("url \"https://files.example/cog-0.23.1-py3-none-any.whl\""));
    assert!(!text.contains("pa55"));
    // What the Python file says is in the image twice: for the server, and for whoever looks at it.
    let document = r#"\"name\":{\"title\":\"Name\",\"type\":\"string\",\"x-order\":0}"#;
    assert_eq!(text.matches(document).count(), 2, "{text}");
}

#[test]
fn of_a_project_only_that_is_read_which_planning_asks_for() {
    let model = "from cog import BaseRunner, Input\nfrom kinds import KINDS\n\n\nclass R(BaseRunner):\n    def run(self, kind: str = Input(choices=KINDS)) -> str: ...\n";
    let files = [
        ("cog.yaml", "build:\n  python_version: \"3.11\"\nrun: \"r.py:R\"\n"),
        ("r.py", model),
        ("kinds.py", "KINDS = [\"a\", \"b\"]\n"),
        ("pylock.cog.toml", LOCK),
        ("other.py", "this is no Python\n"),
        ("requirements-dev.txt", "pytest\n"),
        ("weights/model.bin", "many bytes"),
        ("README.md", "words"),
    ];
    let project = MemoryProject::new(files).unwrap();
    let mut rounds_with_lock = 0;
    let read = project.plan(|source| {
        // A lock may be long, so nothing else is asked for once it is there.
        rounds_with_lock += usize::from(source.read().any(|(file, _)| file.as_str() == "pylock.cog.toml"));
        let planned = plan(source, &Request::plain())?;
        assert!(planned.is_ok(), "{:?}", planned.err());
        let names = source.read().map(|(file, _)| file.to_string());
        Ok(names.collect::<Vec<_>>().join(" "))
    });
    assert_eq!(read, "cog.yaml kinds.py pylock.cog.toml r.py");
    assert_eq!(rounds_with_lock, 1);
}
