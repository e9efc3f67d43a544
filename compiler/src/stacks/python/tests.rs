//! Projects without a `cog.yaml`: what is planned of each form, and what is told instead.

use cogpack_catalogue::Catalogue;
use cogpack_frontends_source::{InFile, MemoryProject};
use cogpack_ir::syntax;
use miette::Diagnostic;

use super::lock_inputs::{Needs, inputs};
use crate::stacks::tests::plan;
use crate::stacks::{BaseWish, Findings, Planned, ProjectFinding, Request};

mod built;
mod installers;
mod serves;
mod unsolvable;

/// A lock of one package, as uv writes one for a project that lies beside it.
const UV_LOCK: &str = r#"
version = 1
requires-python = ">=3.11"

[[package]]
name = "hello"
version = "0.1.0"
source = { virtual = "." }
dependencies = [{ name = "six" }]

[package.optional-dependencies]
more = [{ name = "idna" }]

[[package]]
name = "idna"
version = "3.10"
source = { registry = "https://index.example/simple" }
wheels = [{ url = "https://files.example/idna-3.10-py3-none-any.whl", hash = "sha256:b7e0abab1028d83789f87d86dc30f82c3335085dc8abbe62bbc3dcb073976ed5" }]

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
wheels = [{ url = "https://files.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:a7e0abab1028d83789f87d86dc30f82c3335085dc8abbe62bbc3dcb073976ed5" }]
"#;

const PYPROJECT: &str = r#"
[project]
name = "hello"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["six>=1.16"]

[project.optional-dependencies]
more = ["idna"]

[project.scripts]
greet = "hello.main:run"
"#;

/// The same package as PEP 751 has it.
const PYLOCK: &str = r#"
lock-version = "1.0"
created-by = "a test"

[[packages]]
name = "six"
version = "1.17.0"
wheels = [{ url = "https://files.example/six-1.17.0-py2.py3-none-any.whl", hashes = { sha256 = "a7e0abab1028d83789f87d86dc30f82c3335085dc8abbe62bbc3dcb073976ed5" } }]
"#;

fn planned(files: &[(&str, &str)]) -> Result<Planned, Findings> {
    let project = MemoryProject::new(files.iter().copied()).unwrap();
    project.plan(|source| plan(source, &Request::plain()))
}

fn told(found: &InFile<ProjectFinding>) -> String {
    let text =
        |text: Option<Box<dyn std::fmt::Display + '_>>| text.map(|text| text.to_string()).unwrap_or_default();
    format!("{} {found}\n  {}", text(found.finding.code()), text(found.finding.help()))
}

/// The plan, which breaks no rule, and why it is as it is.
fn text(files: &[(&str, &str)]) -> (String, String) {
    let planned = planned(files).unwrap_or_else(|findings| panic!("{}", all(&findings)));
    let why = planned.why.text();
    let text = syntax::print(&planned.plan);
    assert_eq!(syntax::parse(&text).plan, planned.plan);
    let verified = cogpack_ir::verify::verify(planned.plan);
    assert!(verified.is_ok(), "{:?}", verified.err());
    (text, why)
}

fn all(findings: &Findings) -> String {
    findings.iter().map(told).collect::<Vec<_>>().join("\n")
}

fn refused(files: &[(&str, &str)]) -> String {
    all(&planned(files).expect_err("the project has no plan"))
}

#[test]
fn a_lock_of_a_project_is_parsed_once() {
    let files = [
        ("cog.yaml", "run: \"predict.py:Predictor\"\n"),
        (
            "predict.py",
            "from words import WORDS\nclass Predictor:\n    def run(self, word: str = WORDS[0]) -> str: ...\n",
        ),
        ("words.py", "WORDS = [\"a\"]\n"),
        ("pyproject.toml", PYPROJECT),
        ("uv.lock", UV_LOCK),
        ("src/hello/main.py", "def run(): ..."),
    ];
    let mut rounds = 0;
    MemoryProject::new(files).unwrap().plan(|source| {
        rounds += usize::from(source.read().any(|(file, _)| file.as_str() == "uv.lock"));
        plan(source, &Request::plain()).map(drop)
    });
    assert_eq!(rounds, 1);
}

#[test]
fn a_uv_project_is_planned_as_it_is() {
    let (plan, why) = text(&[
        ("pyproject.toml", PYPROJECT),
        ("uv.lock", UV_LOCK),
        (".python-version", "3.12\n"),
        ("src/hello/__init__.py", ""),
        ("src/hello/main.py", "def run(): ..."),
    ]);
    for part in [
        "wheel \"six-1.17.0-py2.py3-none-any.whl\"",
        "by packages at \"uv.lock\":1",
        "by installed-project at \"pyproject.toml\":3",
        "file \"/venv/lib/python3.12/site-packages/_hello.pth\" = \"/src/src\\n\"",
        "from hello.main import run",
        "cmd [\"greet\"]",
        "workdir \"/src\"",
    ] {
        assert!(plan.contains(part), "{part} is not in\n{plan}");
    }
    // Extras are installed where they are asked for; cog's server is no part of what is no model.
    assert!(!plan.contains("idna") && !plan.contains("cog.server"), "{plan}");
    for part in [
        "stack: python\n  .python-version declares such a project\n  pyproject.toml declares such a project\n  \
         uv.lock declares such a project\n",
        "Python: 3.12\n  the file `.python-version` says so (.python-version:1)\n",
        "packages: 1 wheel\n  what the project's own lock file names for this Python and these platforms (uv.lock:1)\n",
        "command: greet\n  it is the project's program (pyproject.toml:12)\n",
    ] {
        assert!(why.contains(part), "{part} is not in\n{why}");
    }
    let with_more = format!("{PYPROJECT}\n[tool.cogpack]\nextras = [\"More\"]\n");
    let (plan, _) = text(&[("pyproject.toml", &with_more), ("uv.lock", UV_LOCK), ("hello/__init__.py", "")]);
    assert!(plan.contains("idna-3.10") && plan.contains("_hello.pth\" = \"/src\\n\""), "{plan}");
}

#[test]
fn each_form_of_requirements_is_planned() {
    let main = ("main.py", "print(1)\n");
    let own = ("pylock.toml", PYLOCK);
    let lock = ("pylock.cog.toml", PYLOCK);
    let bare = "[project]\nname = \"hello\"\ndependencies = [\"six\"]\n";
    let setup = "from setuptools import setup\nsetup(name='hello', install_requires=['six'])\n";
    for files in [
        &[("requirements.txt", "six==1.17.0\n"), lock, main][..],
        &[("pyproject.toml", bare), lock, main],
        &[("pyproject.toml", bare), own, main],
        &[("setup.py", setup), ("requirements.txt", "six\n"), lock, main],
        &[("setup.py", setup), own, main],
    ] {
        let (plan, _) = text(files);
        assert!(plan.contains("six-1.17.0") && plan.contains("cmd [\"python\", \"main.py\"]"), "{plan}");
    }
    // What requires nothing needs no lock.
    let (plan, why) = text(&[main]);
    assert!(!plan.contains("wheels") && plan.contains("main.py"), "{plan}");
    assert!(why.contains("packages: 0 wheels\n  no file requires any\n"), "{why}");
}

#[test]
fn setup_files_are_read_and_not_run() {
    let script = ("setup.py", "from setuptools import setup\nsetup()\n");
    let config = "[metadata]\nname = my-app\nversion = 1.2\n[options]\npython_requires = >=3.9,<3.12\n\
                  install_requires =\n    six>=1.16\n[options.extras_require]\nmore = idna\n\
                  [options.entry_points]\nconsole_scripts =\n    greet = my_app.main:run\n";
    let files = [
        script,
        ("setup.cfg", config),
        ("pylock.cog.toml", PYLOCK),
        ("src/my_app/main.py", "def run(): ...\n"),
    ];
    let (plan, why) = text(&files);
    for part in [
        "python3.11/site-packages/_my_app.pth\" = \"/src/src\\n\"",
        "my_app-1.2.dist-info",
        "cmd [\"greet\"]",
    ] {
        assert!(plan.contains(part), "{part} is not in\n{plan}");
    }
    assert!(why.contains("(setup.cfg:5)") && why.contains("(setup.cfg:12)"), "{why}");
    let of = |config: &str, settings: &str| {
        let files = [script, ("setup.cfg", config), ("cogpack.toml", settings)];
        let made = MemoryProject::new(files).unwrap().plan(|source| inputs(source, &Request::plain()));
        let Ok(Needs::Locked(made)) = made else { panic!("{made:?}") };
        (made.lines.clone(), made.files.clone(), made.extras.clone(), made.digest())
    };
    // A resolver is told of them line by line: it would run them.
    let (lines, files, extras, digest) = of(config, "");
    assert_eq!((lines, files, extras), (vec!["six>=1.16".to_owned()], vec![], Default::default()));
    let (lines, _, _, with_more) = of(config, "extras = [\"more\"]\n");
    assert_eq!(lines, ["six>=1.16", "idna"]);
    let (_, _, _, other) = of(&config.replace("1.16", "1.17"), "");
    assert!(digest != with_more && digest != other);
    // Other files that say what is needed go before them.
    let (plan, _) =
        text(&[("setup.py", "setup(install_requires=read())\n"), ("pylock.toml", PYLOCK), ("main.py", "")]);
    assert!(plan.contains("six-1.17.0") && !plan.contains(".pth"), "{plan}");
    // Beside a model they are those of somebody's package, which lies in `/src` in any case.
    let cog = [script, ("setup.cfg", config), ("cog.yaml", "build:\n  python_version: \"3.11\"\n")];
    let made = MemoryProject::new(cog).unwrap().plan(|source| inputs(source, &Request::plain()));
    let Ok(Needs::Locked(made)) = made else { panic!("{made:?}") };
    assert_eq!(made.lines, ["cog", "six>=1.16"]);
    assert_eq!(made.itself, None);
}

#[test]
fn requirements_that_cog_yaml_does_not_name_count_and_why_says_so() {
    let yaml = |more: &str| format!("build:\n  python_version: \"3.11\"\n{more}");
    let with_cog = format!(
        "{PYLOCK}\n[[packages]]\nname = \"cog\"\nversion = \"0.23.1\"\nwheels = [{{ url = \"https://files.example/cog-0.23.1-py3-none-any.whl\", hashes = {{ sha256 = \"f7e0abab1028d83789f87d86dc30f82c3335085dc8abbe62bbc3dcb073976ed5\" }} }}]\n"
    );
    let why = |yaml: &str| {
        text(&[("cog.yaml", yaml), ("requirements.txt", "six\n"), ("pylock.cog.toml", &with_cog)]).1
    };
    let told = "requirements: requirements.txt\n  `cog.yaml` names no packages, so those of this file count, which cog \
                itself reads only where `python_requirements` names it (requirements.txt:1)\n";
    assert!(why(&yaml("")).contains(told), "{}", why(&yaml("")));
    for named in ["  python_requirements: requirements.txt\n", "  python_packages: [six]\n"] {
        assert!(!why(&yaml(named)).contains("requirements: "), "{}", why(&yaml(named)));
    }
}

#[test]
fn what_is_started_is_said_or_refused() {
    let declared = |more: &str| format!("[project]\nname = \"my-app\"\nversion = \"1\"\n{more}");
    let starts = |files: &[(&str, &str)]| {
        let (plan, _) = text(files);
        plan.lines().find(|line| line.contains("cmd ")).unwrap_or_default().trim().to_owned()
    };
    let plain = declared("");
    let said = declared("[tool.cogpack]\ncommand = [\"gunicorn\", \"app:app\"]\n");
    let two = declared("[project.scripts]\nmy_app = \"app:run\"\nother = \"app:stop\"\n");
    let one = declared("[project.scripts]\nserve = \"app:run\"\n");
    let app = ("app.py", "");
    let main = ("main.py", "");
    assert_eq!(starts(&[("pyproject.toml", &said), main]), "cmd [\"gunicorn\", \"app:app\"]");
    assert_eq!(starts(&[("pyproject.toml", &one), app, main]), "cmd [\"serve\"]");
    assert_eq!(starts(&[("pyproject.toml", &two), app]), "cmd [\"my_app\"]");
    assert_eq!(
        starts(&[("pyproject.toml", &plain), ("src/my_app/__main__.py", ""), main]),
        "cmd [\"python\", \"-m\", \"my_app\"]"
    );
    assert_eq!(starts(&[("__main__.py", ""), main]), "cmd [\"python\", \".\"]");
    let settings = ("cogpack.toml", "command = [\"python\", \"app.py\"]\n");
    assert_eq!(starts(&[settings, app, main]), "cmd [\"python\", \"app.py\"]");

    let unnamed = declared("[project.scripts]\nrun = \"app:run\"\nstop = \"app:stop\"\n");
    let nowhere = declared("[project.scripts]\nrun = \"apt.main:run\"\nstop = \"stop\"\n");
    let told = [
        refused(&[("requirements.txt", ""), ("serve.py", "")]),
        refused(&[("pyproject.toml", &plain)]),
        refused(&[("pyproject.toml", &unnamed), app]),
        refused(&[("pyproject.toml", &nowhere), app]),
    ];
    insta::assert_snapshot!(told.join("\n"), @r#"
    project::python::no-command requirements.txt: nothing says what the image starts
      write `command = ["python", "serve.py"]` in a file `cogpack.toml`, or the words that start yours; for a model `target = "serve.py:NAME"`, with its class or function
    project::python::no-command pyproject.toml: nothing says what the image starts
      write `command = ["python", "app.py"]` below `[tool.cogpack]` in `pyproject.toml`, or the words that start yours; for a model `target = "app.py:NAME"`, with its class or function
    project::python::several-programs pyproject.toml: the project has several programs, and nothing says which one the image starts: `run`, `stop`
      say which: `command = ["run"]` below `[tool.cogpack]`
    project::python::program pyproject.toml: the program `run` cannot be made: the project has no module `apt`
      write it as `run = "MODULE:FUNCTION"`, with a module that is in the project's directory or in `src`; or take it away
    project::python::program pyproject.toml: the program `stop` cannot be made: `stop` is no function of a module
      write it as `stop = "MODULE:FUNCTION"`, with a module that is in the project's directory or in `src`; or take it away
    "#);
}

#[test]
fn the_order_in_which_blocks_are_listed_makes_no_difference() {
    let model = "import cog\n\n\nclass R(cog.BaseRunner):\n    def run(self) -> str: ...\n";
    let yaml = "build:\n  python_version: \"3.11\"\n  system_packages: [sox]\n  run: [make]\nenvironment: [A=b]\nrun: r.py:R\n";
    let lock = PYLOCK.replace("six", "cog")
        + &PYLOCK[PYLOCK.find("[[packages]]").unwrap()..].replace("six", "torch");
    let settings =
        "user = \"nobody\"\nprecompile = true\npre-install = [\"r.py\"]\npost-install = [\"r.py\"]\n";
    let files = [("cog.yaml", yaml), ("r.py", model), ("pylock.toml", &lock), ("cogpack.toml", settings)];
    let request = Request::plain();
    let project = MemoryProject::new(files).unwrap();
    let mut why = crate::stacks::Why::of("python", Vec::new());
    let (facts, _) = project.plan(|source| super::gather::gather(source, &request, &mut why)).unwrap();
    let composed = |turned: usize, is_reversed: bool| {
        let mut listed = super::blocks::all();
        listed.rotate_left(turned);
        if is_reversed {
            listed.reverse();
        }
        crate::stacks::block::compose(&listed, &facts, request.platforms.clone(), None).unwrap()
    };
    let first = composed(0, false);
    // Enough of them have something to do.
    assert!(first.0.stages.len() > 10, "{}", syntax::print(&first.0));
    for turned in 0..super::blocks::all().len() {
        assert_eq!(composed(turned, false), first);
        assert_eq!(composed(turned, true), first);
    }
}

#[test]
fn settings_stand_beside_what_other_files_say() {
    let yaml = ("cog.yaml", "build:\n  python_version: \"3.11\"\n");
    let lock = ("pylock.cog.toml", PYLOCK);
    let of_debian = ("cogpack.toml", "base = \"debian\"\n");
    assert!(refused(&[yaml, lock, of_debian]).starts_with("project::debs::missing .: "));
    // cog's server is in a lock that `cogpackc lock` makes.
    let model = "import cog\n\n\nclass R(cog.BaseRunner):\n    def run(self) -> str: ...\n";
    let serving = ("cog.yaml", "build:\n  python_version: \"3.11\"\nrun: r.py:R\n");
    let without = refused(&[serving, ("r.py", model), lock]);
    assert!(without.starts_with("project::lock::no-cog pylock.cog.toml: "), "{without}");
    assert!(without.contains("`cogpackc lock DIR`"), "{without}");
    // A patch version is compared as one.
    let patch = ("cog.yaml", "build:\n  python_version: \"3.11.2\"\n");
    let refused_with = |python: &str, required: &str| {
        let settings = format!(
            "[project]\nname = \"a\"\nrequires-python = \"{required}\"\n[tool.cogpack]\npython = \"{python}\"\n"
        );
        let refused = refused(&[patch, lock, ("pyproject.toml", &settings)]);
        refused.lines().next().unwrap_or_default().to_owned()
    };
    insta::assert_snapshot!(
        [refused_with("3.11.4", ">=3.11"), refused_with("3.11", ">=3.11.3")].join("\n"),
        @r"
    project::python::python-twice pyproject.toml: the Python is 3.11.4 here, and 3.11.2 in line 2 of `cog.yaml`
    project::python::not-allowed pyproject.toml: the Python is 3.11.2 by cog.yaml:2, and the project asks for >=3.11.3
    "
    );
    // What whoever plans asks for goes before.
    let project = MemoryProject::new([yaml, lock, of_debian]).unwrap();
    let request = Request { base: Some(BaseWish::Catalogue), ..Request::plain() };
    assert!(project.plan(|source| plan(source, &request)).is_ok());

    let told = [
        refused(&[yaml, lock, ("cogpack.toml", "python = \"3.12\"\ntarget = \"run.py:Runner\"\n")]),
        refused(&[yaml, lock, ("cogpack.toml", "[tool.cogpack]\nbase = \"debian\"\n")]),
        refused(&[("pyproject.toml", "[tool.cogpack]\nuser = \"a\"\n"), ("cogpack.toml", "")]),
        refused(&[("pyproject.toml", "[project]\nname = \"a\"\n[tool.cogpack]\nextras = [\"b\"]\n")]),
        refused(&[("pyproject.toml", PYPROJECT), (".python-version", "3.10\n")]),
        refused(&[("pyproject.toml", "[project]\nname = \"a\"\nrequires-python = \"<3.9\"\n")]),
    ];
    insta::assert_snapshot!(told.join("\n"), @r#"
    project::python::python-twice cogpack.toml: the Python is 3.12 here, and 3.11 in line 2 of `cog.yaml`
      keep one of them
    project::python::target-twice cogpack.toml: `target` is for projects without a `cog.yaml`, and this one has one
      write it as `run` into `cog.yaml`, and take it away here
    project::pyproject::unknown-setting cogpack.toml: `cogpack.toml` has no setting `tool`
      take it away; the settings are `apt-sources`, `base`, `build-base`, `ca-certificates`, `catalogue`, `command`, `extras`, `groups`, `post-install`, `pre-install`, `precompile`, `python`, `stack`, `strip`, `target`, `user`
    project::pyproject::settings-twice pyproject.toml: the settings stand in two files: here, and in `cogpack.toml`
      move all of them to one of the two, and take the other away
    project::python::no-command pyproject.toml: nothing says what the image starts
      write `command = ["python", "app.py"]` below `[tool.cogpack]` in `pyproject.toml`, or the words that start yours; for a model `target = "app.py:NAME"`, with its class or function
    project::python::unknown-extra pyproject.toml: `pyproject.toml` has no extra `b`
      write it into `pyproject.toml`, or take it away here
    project::python::not-allowed pyproject.toml: the Python is 3.10 by .python-version:1, and the project asks for >=3.11
      choose one that `requires-python` allows, or allow this one
    project::python::program pyproject.toml: the program `greet` cannot be made: the project has no module `hello`
      write it as `greet = "MODULE:FUNCTION"`, with a module that is in the project's directory or in `src`; or take it away
    project::python::no-command pyproject.toml: nothing says what the image starts
      write `command = ["python", "app.py"]` below `[tool.cogpack]` in `pyproject.toml`, or the words that start yours; for a model `target = "app.py:NAME"`, with its class or function
    project::python::none pyproject.toml: no Python from 3.9 to 3.14 is one that `<3.9` allows
      allow one of them, as in `requires-python = ">=3.11"`
    "#);
}

#[test]
fn a_model_may_be_named_by_the_settings() {
    let cog = PYLOCK.replace("six", "cog");
    let (plan, _) = text(&[
        ("pyproject.toml", "[project]\nname = \"m\"\n[tool.cogpack]\ntarget = \"run.py:Runner\"\n"),
        ("run.py", "class Runner:\n    def run(self, name: str) -> str: ...\n"),
        ("pylock.cog.toml", &cog),
    ]);
    assert!(plan.contains("env COG_PREDICT_TYPE_STUB = \"run.py:Runner\""), "{plan}");
    assert!(plan.contains("by model at \"pyproject.toml\":4") && plan.contains("cog.server.http"), "{plan}");
}

#[test]
fn a_cog_yaml_uses_what_stands_beside_it() {
    let yaml = ("cog.yaml", "run: \"predict.py:Predictor\"\n");
    let python = ("predict.py", "class Predictor:\n    def run(self, name: str) -> str: ...\n");
    let pyproject = ("pyproject.toml", "[project]\nname = \"hello\"\ndependencies = [\"six\", \"cog\"]\n");
    let with_cog = UV_LOCK.replace("{ name = \"six\" }]", "{ name = \"six\" }, { name = \"cog\" }]")
        + "\n[[package]]\nname = \"cog\"\nversion = \"0.23.1\"\nsource = { registry = \"https://index.example/simple\" }\n\
           wheels = [{ url = \"https://files.example/cog-0.23.1-py3-none-any.whl\", hash = \
           \"sha256:f7e0abab1028d83789f87d86dc30f82c3335085dc8abbe62bbc3dcb073976ed5\" }]\n";
    let (plan, _) = text(&[yaml, python, pyproject, ("uv.lock", &with_cog)]);
    assert!(plan.contains("six-1.17.0") && plan.contains("label run.cog.version = \"0.23.1\""), "{plan}");
    let lacking = refused(&[yaml, python, pyproject, ("uv.lock", UV_LOCK)]);
    assert!(lacking.starts_with("project::lock::no-cog cog.yaml: "), "{lacking}");
    assert!(lacking.contains("project::python::lock-missing pyproject.toml: "), "{lacking}");
    // Its own requirements go before a lock of others.
    let own = ("cog.yaml", "build:\n  python_version: \"3.11\"\n  python_packages: [\"six\"]\n");
    assert!(refused(&[own, ("uv.lock", UV_LOCK)]).contains("project::lock::missing"));
}

#[test]
fn a_lock_is_made_of_all_that_the_files_require() {
    let needs = |files: &[(&str, &str)]| {
        let project = MemoryProject::new(files.iter().copied()).unwrap();
        project
            .plan(|source| inputs(source, &Request::plain()))
            .unwrap_or_else(|found| panic!("{}", all(&found)))
    };
    let locked = |files: &[(&str, &str)]| match needs(files) {
        Needs::Locked(inputs) => inputs,
        other @ (Needs::Nothing | Needs::Own(_)) => panic!("{other:?}"),
    };
    let both = locked(&[
        ("pyproject.toml", PYPROJECT),
        ("requirements.txt", "-r more.txt\n"),
        ("more.txt", "six\n"),
    ]);
    assert_eq!(
        both.files.iter().map(|file| file.as_str()).collect::<Vec<_>>(),
        ["pyproject.toml", "requirements.txt"]
    );
    assert!(both.lines.is_empty());
    // What other tools are told changes nothing; what is required does.
    let digest = |more: &str| locked(&[("pyproject.toml", &format!("{PYPROJECT}{more}"))]).digest();
    assert_eq!(digest(""), digest("\n[tool.ruff]\nline-length = 99\n"));
    assert_ne!(digest(""), digest("\n[tool.uv]\nno-index = true\n"));
    assert_ne!(digest(""), digest("\n[tool.cogpack]\nextras = [\"more\"]\n"));
    assert_eq!(needs(&[("main.py", "")]), Needs::Nothing);

    let conflict = refused(&[("pyproject.toml", PYPROJECT), ("requirements.txt", "six<1.16\n")]);
    assert!(conflict.starts_with("project::python::program pyproject.toml: "), "{conflict}");
    assert!(conflict.contains("project::requirements::conflict requirements.txt: "), "{conflict}");
    let hash = "six==1.17.0 --hash=sha256:c7e0abab1028d83789f87d86dc30f82c3335085dc8abbe62bbc3dcb073976ed5\n";
    let other = refused(&[("requirements.txt", hash), ("pylock.cog.toml", PYLOCK), ("main.py", "")]);
    assert!(other.starts_with("project::lock::other-hash requirements.txt: "), "{other}");
}

#[test]
fn a_file_that_is_no_text_is_told_and_not_passed_over() {
    for name in
        ["pyproject.toml", "requirements.txt", "uv.lock", ".python-version", "setup.py", "cogpack.toml"]
    {
        let project = MemoryProject::new([("main.py", "")]).unwrap().with(name, b"a = \"\xff\"").unwrap();
        let findings = project.plan(|source| plan(source, &Request::plain())).expect_err("it cannot be read");
        let told = all(&findings);
        assert!(told.starts_with(&format!("project::file::not-text {name}: ")), "{told}");
    }
}

#[test]
fn a_wheel_of_the_project_is_taken_by_its_hash() {
    let name = "wheels/own-1.0-py3-none-any.whl";
    let digest = cogpack_content::Digest::of(b"as it was").to_string();
    let uv = format!(
        "version = 1\nrequires-python = \">=3.11\"\n[[package]]\nname = \"hello\"\nversion = \"1\"\n\
         source = {{ virtual = \".\" }}\ndependencies = [{{ name = \"own\" }}]\n[[package]]\nname = \"own\"\n\
         version = \"1.0\"\nsource = {{ path = \"{name}\" }}\nwheels = [{{ filename = \
         \"own-1.0-py3-none-any.whl\", hash = \"{digest}\" }}]\n"
    );
    let pylock = |path: &str| {
        let digits = digest.trim_start_matches("sha256:");
        format!(
            "lock-version = \"1.0\"\ncreated-by = \"a test\"\n[[packages]]\nname = \"own\"\nversion = \"1.0\"\n\
             archive = {{ path = \"{path}\", hashes = {{ sha256 = \"{digits}\" }} }}\n"
        )
    };
    let pyproject = "[project]\nname = \"hello\"\ndependencies = [\"own\"]\n";
    let projects = |wheel: &[u8]| {
        let of = |files: &[(&str, &str)]| {
            let project = MemoryProject::new(files.iter().copied()).unwrap();
            project.with("main.py", b"").unwrap().with(name, wheel).unwrap()
        };
        [
            of(&[("pyproject.toml", pyproject), ("uv.lock", &uv)]),
            of(&[("pyproject.toml", pyproject), ("pylock.toml", &pylock(name))]),
            of(&[
                ("requirements.txt", &format!("./{name}\n")),
                ("pylock.cog.toml", &pylock(&format!("./{name}"))),
            ]),
        ]
    };
    for project in projects(b"as it was") {
        let planned = project
            .plan(|source| plan(source, &Request::plain()))
            .unwrap_or_else(|findings| panic!("{}", all(&findings)));
        let directories: Vec<&str> = planned.packages.iter().map(|directory| directory.as_str()).collect();
        assert_eq!(directories, ["wheels"]);
        let text = syntax::print(&planned.plan);
        assert!(text.contains(&format!("wheel \"own-1.0-py3-none-any.whl\" {{ hash {digest} }}")), "{text}");
    }
    for project in projects(b"another one") {
        let findings =
            project.plan(|source| plan(source, &Request::plain())).expect_err("it is another file");
        assert!(
            all(&findings).contains("it is another file than the one that was locked"),
            "{}",
            all(&findings)
        );
    }
    let outside = refused(&[
        ("requirements.txt", "own\n"),
        ("pylock.cog.toml", &pylock("../own-1.0-py3-none-any.whl")),
        ("main.py", ""),
    ]);
    assert!(outside.starts_with("project::lock::local-wheel pylock.cog.toml: "), "{outside}");
}

#[test]
fn the_project_itself_may_be_among_its_requirements() {
    let lock = "\n[[packages]]\nname = \"hello\"\ndirectory = { path = \".\", editable = true }\n";
    let lock = format!("{PYLOCK}{lock}");
    let files = |pyproject| {
        [
            ("pyproject.toml", pyproject),
            ("requirements.txt", "-e .\nsix\n"),
            ("pylock.cog.toml", &*lock),
            ("main.py", ""),
        ]
    };
    let built = "[project]\nname = \"hello\"\n[build-system]\nrequires = [\"hatchling\"]\n";
    let (plan, _) = text(&files(built));
    assert!(plan.contains("six-1.17.0") && plan.contains("site-packages/_hello.pth"), "{plan}");
    let told = refused(&files("[project]\nname = \"hello\"\n"));
    assert!(
        told.starts_with("project::python::sources requirements.txt: `.` is a directory that is no package"),
        "{told}"
    );
}

#[test]
fn settings_name_a_stack_and_catalogues() {
    let own = "catalogue = 1\n[[image]]\nreference = \"registry.example/own:1\"\nplatforms = [\"linux/amd64\"]\n\
               roles = [\"build\", \"runtime\"]\nextent = \"runtime\"\nos = { id = \"debian\", version = \"12\", \
               codename = \"bookworm\" }\npython = { version = \"3.13\", interpreter = \"/usr/bin/python3\", \
               prefix = \"/usr\" }\n";
    let main = ("main.py", "");
    let (plan, _) = text(&[
        ("cogpack.toml", "stack = \"python\"\ncatalogue = [\"bases.toml\"]\n"),
        ("bases.toml", own),
        main,
    ]);
    assert!(plan.contains("image @base = \"registry.example/own:1\""), "{plan}");
    // What whoever plans names goes before the settings.
    let named = Catalogue::read("given", &own.replace("own:1", "given:1")).unwrap();
    let request = Request { named: Some(named), ..Request::plain() };
    let files = [("cogpack.toml", "catalogue = [\"bases.toml\"]\n"), ("bases.toml", own), main];
    let planned =
        MemoryProject::new(files).unwrap().plan(|source| crate::stacks::plan(source, &request)).unwrap();
    let plan = syntax::print(&planned.plan);
    assert!(plan.contains("image @base = \"registry.example/given:1\""), "{plan}");
    let told = [
        refused(&[("cogpack.toml", "stack = \"pyton\"\n"), main]),
        refused(&[("cogpack.toml", "catalogue = [\"bases.toml\"]\n"), main]),
        refused(&[("cogpack.toml", "catalogue = [\"bases.toml\"]\n"), ("bases.toml", "catalog = 1\n"), main]),
    ];
    insta::assert_snapshot!(told.join("\n"), @r#"
    project::pyproject::setting cogpack.toml: `stack` cannot be `pyton`
      it is the name of a stack, as `--stack` takes it: `python`
    project::python::no-file cogpack.toml: there is no file `bases.toml`
      write it, or take away what names it
    project::catalogue::missing bases.toml: a catalogue has no `catalogue`
      add `catalogue = …`: the format of the file, which is 1
    project::catalogue::unknown bases.toml: a catalogue has no key `catalog`
      did you mean `catalogue`?
    "#);
}
