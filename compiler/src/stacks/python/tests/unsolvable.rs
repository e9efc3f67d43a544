//! What is told where `uv` finds no versions, by the words that it says (uv 0.13.9, with the package index).

use std::fmt::Write as _;

use cogpack_frontends_source::MemoryProject;
use miette::Diagnostic as _;

use crate::stacks::Request;
use crate::stacks::python::lock_inputs::{Needs, inputs};
use crate::stacks::python::unsolvable::unsolvable;

/// What is told of a project: the message, each label with the text that it stands under, and the way out.
fn told(files: &[(&str, &str)], said: &str) -> String {
    let project = MemoryProject::new(files.iter().copied()).unwrap();
    let needs = project.plan(|source| inputs(source, &Request::plain())).expect("nothing is wrong so far");
    let Needs::Locked(needs) = needs else { panic!("{needs:?} is locked already") };
    let said: Vec<String> = said.lines().map(|line| line.trim().to_owned()).collect();
    let Some(found) = unsolvable(&needs, &said, false) else { return "nothing".to_owned() };
    let (_, text) = files.iter().find(|(file, _)| *file == found.file.as_str()).unwrap();
    let mut told = format!("{}: {}\n", found.file, found.finding);
    for label in found.finding.labels().unwrap() {
        let under = &text[label.offset()..label.offset() + label.len()];
        writeln!(told, "  {under:?} {}", label.label().unwrap()).unwrap();
    }
    let code = found.finding.code().unwrap();
    write!(told, "  {code}: {}", found.finding.help().unwrap()).unwrap();
    told
}

#[test]
fn requirements_that_stand_against_each_other_are_told_by_their_lines() {
    let said = "No solution found when resolving dependencies
        Because flask==2.0.0 depends on werkzeug>=2.0 and you require flask==2.0.0, we can conclude that you require werkzeug>=2.0.
        And because you require werkzeug==1.0, we can conclude that your requirements are unsatisfiable.";
    let files = [
        ("main.py", "import flask\n"),
        ("requirements.txt", "six\nFlask==2.0.0  # the old one\nwerkzeug==1.0\n"),
    ];
    insta::assert_snapshot!(told(&files, said), @r#"
    requirements.txt: no versions of the packages keep all requirements: requirements.txt:2 wants `flask==2.0.0`, requirements.txt:3 wants `werkzeug==1.0`; because flask==2.0.0 depends on werkzeug>=2.0 and you require flask==2.0.0, we can conclude that you require werkzeug>=2.0. And because you require werkzeug==1.0, we can conclude that your requirements are unsatisfiable
      "Flask==2.0.0" wants `flask==2.0.0`
      "werkzeug==1.0" wants `werkzeug==1.0`
      project::lock::unsolvable: change one of these requirements
    "#);
    // Of two files both are named, and the labels are those of the first.
    let files = [
        ("main.py", "import flask\n"),
        ("pyproject.toml", "[project]\nname = \"own\"\nversion = \"1\"\ndependencies = [\"flask==2.0.0\"]\n"),
        ("requirements.txt", "six\n-c limits.txt\n"),
        ("limits.txt", "werkzeug==1.0\n"),
    ];
    insta::assert_snapshot!(told(&files, said), @r#"
    pyproject.toml: no versions of the packages keep all requirements: pyproject.toml:4 wants `flask==2.0.0`, limits.txt:1 wants `werkzeug==1.0`; because flask==2.0.0 depends on werkzeug>=2.0 and you require flask==2.0.0, we can conclude that you require werkzeug>=2.0. And because you require werkzeug==1.0, we can conclude that your requirements are unsatisfiable
      "\"flask==2.0.0\"" wants `flask==2.0.0`
      project::lock::unsolvable: change one of these requirements
    "#);
}

#[test]
fn a_version_that_no_index_has_is_told_as_that() {
    let files = [("main.py", "import six\n"), ("requirements.txt", "numpy\n\nSix==99.0  # a slip\n")];
    let said = "No solution found when resolving dependencies
        Because there is no version of six==99.0 and you require six==99.0, we can conclude that your requirements are unsatisfiable.";
    insta::assert_snapshot!(told(&files, said), @r#"
    requirements.txt: no versions of the packages keep all requirements: requirements.txt:3 wants `six==99.0`; because there is no version of six==99.0 and you require six==99.0, we can conclude that your requirements are unsatisfiable
      "Six==99.0" wants `six==99.0`
      project::lock::unsolvable: no index that uv asks has this version of `six`: write one that there is, as `pip index versions six` lists them, or a range, as in `six>=1.0`
    "#);
    // Of the version that another package wants, no line of the project can name another one.
    let said = "No solution found when resolving dependencies
        Because there is no version of numpy==9.0 and six==99.0 depends on numpy==9.0, we can conclude that six==99.0 cannot be used.
        And because you require six==99.0, we can conclude that your requirements are unsatisfiable.";
    insta::assert_snapshot!(told(&files, said), @r#"
    requirements.txt: no versions of the packages keep all requirements: requirements.txt:1 wants `numpy`, requirements.txt:3 wants `six==99.0`; because there is no version of numpy==9.0 and six==99.0 depends on numpy==9.0, we can conclude that six==99.0 cannot be used. And because you require six==99.0, we can conclude that your requirements are unsatisfiable
      "numpy" wants `numpy`
      "Six==99.0" wants `six==99.0`
      project::lock::unsolvable: change one of these requirements
    "#);
    let files = [("main.py", "import six\n"), ("requirements.txt", "six>=99\n")];
    let said = "No solution found when resolving dependencies
        Because only six<=1.17.0 is available and you require six>=99, we can conclude that your requirements are unsatisfiable.";
    insta::assert_snapshot!(told(&files, said), @r#"
    requirements.txt: no versions of the packages keep all requirements: requirements.txt:1 wants `six>=99`; because only six<=1.17.0 is available and you require six>=99, we can conclude that your requirements are unsatisfiable
      "six>=99" wants `six>=99`
      project::lock::unsolvable: change one of these requirements
    "#);
}

#[test]
fn what_a_model_wants_of_its_server_has_its_line_too() {
    let said = "No solution found when resolving dependencies
        Because cog>=0.0.7b2,<=0.9.0b11 depends on typing-extensions>=4.1.0 and all of:
        cog>=0.9.0b12,<=0.11.4
        cog>=0.12.0,<=0.17.0a1
        depend on typing-extensions>=4.4.0, we can conclude that all of:
        cog>=0.0.7b2,<=0.11.4
        cog>=0.12.0,<=0.17.0a1
        depend on typing-extensions>=4.1.0.
        And because cog>=0.17.0a2 depends on typing-extensions>=4.0, we can conclude that all of:
        cog>=0.0.7b2,<=0.11.4
        cog>=0.12.0
        depend on typing-extensions>=4.0.
        And because cog==0.0.3 has no usable wheels and cog>=0.11.5,<=0.11.6 depends on typing-extensions>=4.6.0, we can conclude that all versions of cog depend on typing-extensions>=4.0.
        And because you require typing-extensions==3.7.4 and cog, we can conclude that your requirements are unsatisfiable.
        hint: Wheels are required for `cog` because building from source is disabled for all packages (i.e., with `--no-build`)";
    let build = "build:\n  python_version: \"3.12\"\n  python_packages:\n    - typing_extensions==3.7.4\n";
    let yaml = format!("{build}run: \"predict.py:run\"\n");
    let predict = ("predict.py", "def run(name: str) -> str: ...\n");
    insta::assert_snapshot!(told(&[("cog.yaml", &yaml), predict], said), @r#"
    cog.yaml: no versions of the packages keep all requirements: cog.yaml:4 wants `typing-extensions==3.7.4`, cog.yaml:5 wants `cog`; because cog>=0.0.7b2,<=0.9.0b11 depends on typing-extensions>=4.1.0 and all of: cog>=0.9.0b12,<=0.11.4 cog>=0.12.0,<=0.17.0a1 depend on typing-extensions>=4.4.0, we can conclude that all of: cog>=0.0.7b2,<=0.11.4 cog>=0.12.0,<=0.17.0a1 depend on typing-extensions>=4.1.0. And because cog>=0.17.0a2 depends on typing-extensions>=4.0, we can conclude that all of: cog>=0.0.7b2,<=0.11.4 cog>=0.12.0 depend on typing-extensions>=4.0. And because cog==0.0.3 has no usable wheels and cog>=0.11.5,<=0.11.6 depends on typing-extensions>=4.6.0, we can conclude that all versions of cog depend on typing-extensions>=4.0. And because you require typing-extensions==3.7.4 and cog, we can conclude that your requirements are unsatisfiable
      "typing_extensions==3.7.4" wants `typing-extensions==3.7.4`
      "\"predict.py:run\"" wants `cog`
      project::lock::unsolvable: change one of these requirements; for a package without wheels choose another version, or make one by `pip wheel --no-deps -w wheels NAME` and write `./wheels/FILE.whl` in its place into `requirements.txt`; Wheels are required for `cog` because building from source is disabled for all packages (i.e., with `--no-build`)
    "#);
    let said = "No solution found when resolving dependencies
        Because cog>=0.23.1 depends on structlog>=21.0.0 and you require cog==0.23.1, we can conclude that you require structlog>=21.0.0.
        And because you require structlog==19.1.0, we can conclude that your requirements are unsatisfiable.";
    let build = "build:\n  python_version: \"3.12\"\n  sdk_version: \"0.23.1\"\n";
    let yaml = format!("{build}  python_packages:\n    - structlog==19.1.0\nrun: \"predict.py:run\"\n");
    insta::assert_snapshot!(told(&[("cog.yaml", &yaml), predict], said), @r#"
    cog.yaml: no versions of the packages keep all requirements: cog.yaml:5 wants `structlog==19.1.0`, cog.yaml:3 wants `cog==0.23.1`; because cog>=0.23.1 depends on structlog>=21.0.0 and you require cog==0.23.1, we can conclude that you require structlog>=21.0.0. And because you require structlog==19.1.0, we can conclude that your requirements are unsatisfiable
      "structlog==19.1.0" wants `structlog==19.1.0`
      "\"0.23.1\"" wants `cog==0.23.1`
      project::lock::unsolvable: change one of these requirements
    "#);
}

#[test]
fn a_package_that_is_nowhere_is_told_by_its_line_and_one_that_nobody_asks_for_by_none() {
    let said = "No solution found when resolving dependencies
        Because no-such-package-of-anybody-here was not found in the package registry and you require no-such-package-of-anybody-here, we can conclude that your requirements are unsatisfiable.";
    let main = ("main.py", "print(1)\n");
    let files = [main, ("requirements.txt", "no_such.package-of-anybody-here\n")];
    insta::assert_snapshot!(told(&files, said), @r#"
    requirements.txt: no versions of the packages keep all requirements: requirements.txt:1 wants `no-such-package-of-anybody-here`; because no-such-package-of-anybody-here was not found in the package registry and you require no-such-package-of-anybody-here, we can conclude that your requirements are unsatisfiable
      "no_such.package-of-anybody-here" wants `no-such-package-of-anybody-here`
      project::lock::unsolvable: no index that uv asks has a package `no-such-package-of-anybody-here`: correct its name, or name the index that has it, as in `--extra-index-url ADDRESS` in `requirements.txt`
    "#);
    assert_eq!(told(&[main, ("requirements.txt", "six\n")], said), "nothing");
    // What a cache lacks, an index may have.
    let said = "No solution found when resolving dependencies
        Because six was not found in the cache and you require six, we can conclude that your requirements are unsatisfiable.
        hint: Packages were unavailable because the network was disabled. When the network is disabled, registry packages may only be read from the cache.";
    assert_eq!(told(&[main, ("requirements.txt", "six\n")], said), "nothing");
}
