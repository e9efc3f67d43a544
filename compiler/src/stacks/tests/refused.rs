//! Projects that have no plan: what was decided of them all the same, and all that is wrong with each.

use cogpack_catalogue::Catalogue;
use cogpack_frontends_source::MemoryProject;

use super::told;
use crate::stacks::{BaseWish, NoPlan, Request, plan};

const PREDICT: (&str, &str) = ("predict.py", "class Predictor:\n    def run(self, name: str) -> str: ...\n");

/// A few images to choose from.
fn few() -> Request {
    let image = |name: &str, roles: &str, more: &str| {
        format!(
            "[[image]]\nreference = \"registry.example/{name}\"\nplatforms = [\"linux/amd64\"]\nroles = [{roles}]\n\
             extent = \"runtime\"\nos = {{ id = \"debian\", version = \"13\" }}\npython = {{ version = \"{more}\", \
             interpreter = \"/usr/local/bin/python3\", prefix = \"/usr/local\" }}\npackages = {{ ca-certificates = \
             \"\", gcc = \"\" }}\n"
        )
    };
    let images = [
        image("python:3.12", "\"runtime\"", "3.12.4"),
        image("python:3.13", "\"runtime\"", "3.13.1"),
        image("python:3.12-build", "\"build\"", "3.12.4"),
    ];
    let catalogue = Catalogue::read("own.toml", &format!("catalogue = 1\n{}", images.concat()));
    Request { catalogue: catalogue.expect("is a catalogue"), ..Request::plain() }
}

/// What is said of a project that has no plan: why, as far as that goes, and then what is wrong.
fn refused(files: &[(&str, &str)], request: &Request) -> String {
    let project = MemoryProject::new(files.iter().copied()).unwrap();
    let NoPlan { why, findings } = project.plan(|source| plan(source, request)).expect_err("has no plan");
    let why = why.map(|why| why.text()).unwrap_or_default();
    let findings = findings.iter().map(told).collect::<Vec<_>>();
    format!("{why}---\n{}", findings.join("\n"))
}

#[test]
fn of_a_project_without_a_lock_all_is_told_that_does_not_hang_on_it() {
    let yaml = ("cog.yaml", "build:\n  python_version: \"3.12\"\nrun: \"predict.py:Predictor\"\n");
    let files = [yaml, PREDICT, ("requirements.txt", "six\n")];
    insta::assert_snapshot!(refused(&files, &few()), @r"
    stack: python
      cog.yaml says how an image of it is built
      requirements.txt declares such a project
      predict.py is written in its language
    Python: 3.12
      `build.python_version` says so (cog.yaml:2)
    requirements: requirements.txt
      `cog.yaml` names no packages, so those of this file count, which cog itself reads only where `python_requirements` names it (requirements.txt:1)
    build base: registry.example/python:3.12-build
      this one has a compiler for the base; packages without wheels are built in it, if the lock has any
    command: cog's server
      this is what cog's server serves (cog.yaml:3)
    base images:
      taken:
        registry.example/python:3.12
      it has Python 3.13.1, and ==3.12.* is wanted:
        registry.example/python:3.13
      it is not for running:
        registry.example/python:3.12-build
    images to build in:
      taken:
        registry.example/python:3.12-build
      it is not for building in:
        registry.example/python:3.12
      it is not for building in; it has Python 3.13.1, and ==3.12.* is wanted:
        registry.example/python:3.13
    ---
    project::lock::missing .: the packages of the project are not locked: there is no `pylock.cog.toml`
      `cogpackc lock DIR` makes it: which packages in which versions, each with its hash
    ");
    let archives = Catalogue::read(
        "archives.toml",
        &format!(
            "catalogue = 1\n[[python]]\nversion = \"3.12.9\"\nplatform = \"linux/amd64\"\n\
             url = \"https://mirror.example/python.tar.gz\"\ndigest = \"sha256:{}\"\n",
            "0".repeat(64)
        ),
    );
    let catalogue = archives.expect("is a catalogue");
    let debian = Request { base: Some(BaseWish::Debian), catalogue, ..Request::plain() };
    insta::assert_snapshot!(refused(&files, &debian), @r"
    stack: python
      cog.yaml says how an image of it is built
      requirements.txt declares such a project
      predict.py is written in its language
    Python: 3.12
      `build.python_version` says so (cog.yaml:2)
    Python on demand: 3.12.9, unpacked to `/opt/python`
      no release of Debian has Python 3.12, and this archive of it has a hash
    base: Debian packages of trixie
      `--base` says so
    requirements: requirements.txt
      `cog.yaml` names no packages, so those of this file count, which cog itself reads only where `python_requirements` names it (requirements.txt:1)
    command: cog's server
      this is what cog's server serves (cog.yaml:3)
    ---
    project::lock::missing .: the packages of the project are not locked: there is no `pylock.cog.toml`
      `cogpackc lock DIR` makes it: which packages in which versions, each with its hash
    project::debs::missing .: the Debian packages of the project are not locked: there is no `debs.cog.cpk`
      `cogpackc lock DIR --base debian` makes it: which packages in which versions, each with its hash
    ");
}

#[test]
fn where_nothing_fits_together_what_was_said_is_told() {
    let yaml = (
        "cog.yaml",
        "build:\n  python_version: \"3.13\"\n  python_packages: [\"torch==2.0.0\"]\nrun: \"predict.py:Predictor\"\n",
    );
    insta::assert_snapshot!(refused(&[yaml, PREDICT], &Request::plain()), @r"
    stack: python
      cog.yaml says how an image of it is built
      predict.py is written in its language
    Python: 3.13
      `build.python_version` says so (cog.yaml:2)
    command: cog's server
      this is what cog's server serves (cog.yaml:4)
    ---
    project::cog-yaml::deprecated-python-packages cog.yaml: `python_packages` is the older form of `python_requirements`
      move the packages into `requirements.txt`, one a line, and write `python_requirements: requirements.txt`
    project::fit::conflict cog.yaml: no Python fits all that is asked for: cog.yaml:2 wants Python 3.13; cog.yaml:3 wants `torch==2.0.0`, which is made for Python 3.8 to 3.11
      any of these helps: Python 3.11 (cog.yaml:2); torch 2.15.0 (cog.yaml:3)
    ");
}

#[test]
fn what_is_wrong_with_one_file_hides_nothing_of_the_others() {
    let yaml = "\
build:
  python_version: \"3.12\"
  python_requirements: requirements.txt
  gpu: perhaps
run: \"predict.py:Predictr\"
train: \"train.py\"
";
    let files = [
        ("cog.yaml", yaml),
        PREDICT,
        ("requirements.txt", "six==1.17.0\nidna=3.10\n"),
        ("pyproject.toml", "[tool.cogpack]\npost-install = [\"none.sh\"]\nuzer = \"app\"\n"),
    ];
    insta::assert_snapshot!(refused(&files, &Request::plain()), @r"
    stack: python
      cog.yaml says how an image of it is built
      pyproject.toml declares such a project
      requirements.txt declares such a project
      predict.py is written in its language
    Python: 3.12
      `build.python_version` says so (cog.yaml:2)
    command: cog's server
      this is what cog's server serves (cog.yaml:5)
    ---
    project::cog-yaml::wrong-type cog.yaml: `build.gpu` must be true or false, and this is a text
      write it as in `gpu: true`
    project::schema::no-target cog.yaml: `predict.py` has no class or function `Predictr`
      did you mean `Predictor`?
    project::cog-yaml::handler cog.yaml: `train` has the form `FILE.py:NAME`, and `train.py` lacks `:` and a name
      write the file, `:` and the class or function, as in `train: run.py:Runner`
    project::python::install-file pyproject.toml: there is no file `none.sh`
      name a file of the project by its path from the file on that names it, or take the name away
    project::pyproject::unknown-setting pyproject.toml: `[tool.cogpack]` has no setting `uzer`
      did you mean `user`?
    project::requirements::version requirements.txt: `=3.10` says no versions of `idna`
      write `==3.10`
    ");
}

#[test]
fn what_hangs_on_a_part_that_cannot_be_read_is_not_told() {
    // Whether a file of requirements counts, `build` says; what is run, `run`; and no lock is made of it.
    let unread = [("cog.yaml", "biuld:\n  python_packages: [six]\n"), ("requirements.txt", "idna=3.10\n")];
    let of_packages = refused(&unread, &few());
    insta::assert_snapshot!(of_packages, @r"
    stack: python
      cog.yaml says how an image of it is built
      requirements.txt declares such a project
    ---
    project::cog-yaml::unknown-key cog.yaml: `cog.yaml` has no key `biuld`
      did you mean `build`?
    ");
    let setting = [("pyproject.toml", "[tool.cogpack]\ntarget = \"predict.py\"\n"), PREDICT];
    insta::assert_snapshot!(refused(&setting, &few()), @r"
    stack: python
      pyproject.toml declares such a project
      predict.py is written in its language
    Python: 3.13
      no file says which, and this is the one that most packages have wheels for
    base images:
      taken:
        registry.example/python:3.13
      it has Python 3.12.4, and ==3.13.* is wanted:
        registry.example/python:3.12
      it is not for running; it has Python 3.12.4, and ==3.13.* is wanted:
        registry.example/python:3.12-build
    images to build in:
      it is not for building in:
        registry.example/python:3.13
      it has Python 3.12.4, and ==3.13.* is wanted:
        registry.example/python:3.12-build
      it is not for building in; it has Python 3.12.4, and ==3.13.* is wanted:
        registry.example/python:3.12
    ---
    project::pyproject::setting pyproject.toml: `target` cannot be `predict.py`
      it has the form `FILE.py:NAME`, as in `run.py:Runner`
    ");
    // What is read as a whole counts, whatever is wrong elsewhere.
    let yaml =
        "build:\n  python_version: \"3.13\"\n  python_packages: [\"torch==2.0.0\"]\nrun: 1\nimage: A\n";
    insta::assert_snapshot!(refused(&[("cog.yaml", yaml), PREDICT], &Request::plain()), @r"
    stack: python
      cog.yaml says how an image of it is built
      predict.py is written in its language
    Python: 3.13
      `build.python_version` says so (cog.yaml:2)
    ---
    project::cog-yaml::deprecated-python-packages cog.yaml: `python_packages` is the older form of `python_requirements`
      move the packages into `requirements.txt`, one a line, and write `python_requirements: requirements.txt`
    project::fit::conflict cog.yaml: no Python fits all that is asked for: cog.yaml:2 wants Python 3.13; cog.yaml:3 wants `torch==2.0.0`, which is made for Python 3.8 to 3.11
      any of these helps: Python 3.11 (cog.yaml:2); torch 2.15.0 (cog.yaml:3)
    project::cog-yaml::handler cog.yaml: `run` has the form `FILE.py:NAME`, and `1` has no `.py:`
      write the file, `:` and the class or function, as in `run: run.py:Runner`
    project::cog-yaml::image-name cog.yaml: `image` must be the name of an image, and in `A` a repository has lower-case letters and digits, joined by `.`, `_`, `-` and `/`
      write it as in `registry.example/team/model`, in lower case
    ");
}
