//! Packages that the project's own commands install: the program that does it is one of the locked packages.

use super::*;
use crate::stacks::python::lock::with_record;
use crate::stacks::python::lock_inputs::LockInputs;

const PREDICT: (&str, &str) = ("predict.py", "class Predictor:\n    def run(self, name: str) -> str: ...\n");

fn yaml(run: &str) -> String {
    format!("build:\n  python_version: \"3.11\"\n  run: {run}\nrun: \"predict.py:Predictor\"\n")
}

/// A lock with these packages.
fn lock(packages: &[&str]) -> String {
    let mut lock = "lock-version = \"1.0\"\ncreated-by = \"a test\"\n".to_owned();
    for package in packages {
        lock += &format!(
            "\n[[packages]]\nname = \"{package}\"\nversion = \"0.23.1\"\nwheels = [{{ url = \
             \"https://files.example/{package}-0.23.1-py3-none-any.whl\", hashes = {{ sha256 = \
             \"f7e0abab1028d83789f87d86dc30f82c3335085dc8abbe62bbc3dcb073976ed5\" }} }}]\n"
        );
    }
    lock
}

/// What is told the resolver.
fn wishes(files: &[(&str, &str)]) -> LockInputs {
    let project = MemoryProject::new(files.iter().copied()).unwrap();
    match project.plan(|source| inputs(source, &Request::plain())) {
        Ok(Needs::Locked(inputs)) => inputs,
        Ok(other) => panic!("{other:?}"),
        Err(findings) => panic!("{}", all(&findings)),
    }
}

/// What of that stands in no file of requirements.
fn lines(files: &[(&str, &str)]) -> Vec<String> {
    wishes(files).lines
}

#[test]
fn an_installer_that_is_called_is_one_of_the_packages() {
    for (run, expected) in [
        ("[pip install foo]", vec!["cog", "pip"]),
        ("[python -m pip install -q foo]", vec!["cog", "pip"]),
        ("[python3.11 -m pip install foo]", vec!["cog", "pip"]),
        ("[apt-get update && pip3 uninstall -y foo, pip install foo]", vec!["cog", "pip"]),
        ("[FOO=1 sudo -E pip3.11 --no-cache-dir install foo]", vec!["cog", "pip"]),
        ("[sh -c \"cd /tmp; pip install foo\"]", vec!["cog", "pip"]),
        ("[for package in a b; do pip install $package; done]", vec!["cog", "pip"]),
        ("[/venv/bin/pip install foo]", vec!["cog", "pip"]),
        ("[$VIRTUAL_ENV/bin/python -m pip install foo]", vec!["cog", "pip"]),
        ("[pip download -d /wheels foo]", vec!["cog", "pip"]),
        ("[uv pip install foo]", vec!["cog", "uv"]),
        ("[uv --cache-dir /tmp/cache pip sync foo.txt]", vec!["cog", "uv"]),
        ("[pip install a, uv pip sync b]", vec!["cog", "pip", "uv"]),
        // It is there already when it is called.
        ("[pip install -U wheel uv==0.5.1, uv pip install b]", vec!["cog", "pip"]),
        ("[pip install -r uv, uv pip install b]", vec!["cog", "pip", "uv"]),
        ("[echo pip install foo, apt-get install python3-pip, uv --version]", vec!["cog"]),
        ("[/usr/local/bin/pip install foo]", vec!["cog"]),
        ("[python3 -m venv /opt/x && /opt/x/bin/python -m pip install foo]", vec!["cog"]),
        ("[sh -c \"/opt/x/bin/uv pip install foo\"]", vec!["cog"]),
    ] {
        assert_eq!(lines(&[("cog.yaml", &yaml(run)), PREDICT]), expected, "{run}");
    }
}

#[test]
fn files_that_run_when_packages_are_there_call_one_too() {
    let script = ("install.sh", "set -e\n# pip install nothing\nuv pip install foo\n");
    let bare = ("cog.yaml", "build:\n  python_version: \"3.11\"\nrun: \"predict.py:Predictor\"\n");
    let after = ("cogpack.toml", "post-install = [\"install.sh\"]\n");
    assert_eq!(lines(&[bare, PREDICT, script, after]), ["cog", "uv"]);
    // There is no environment yet.
    let before = ("cogpack.toml", "pre-install = [\"install.sh\"]\n");
    assert_eq!(lines(&[bare, PREDICT, script, before]), ["cog"]);
}

#[test]
fn whoever_requires_an_installer_says_its_version() {
    let run = yaml("[pip install foo]");
    assert_eq!(lines(&[("cog.yaml", &run), PREDICT, ("requirements.txt", "pip==25.3\n")]), ["cog"]);
    // This one may be for none of the machines.
    let marked = ("requirements.txt", "pip==25.3; sys_platform == \"win32\"\n");
    assert_eq!(lines(&[("cog.yaml", &run), PREDICT, marked]), ["cog", "pip"]);
}

#[test]
fn a_lock_of_others_must_hold_it() {
    let calls = yaml("[echo, pip install foo]");
    let calls = ("cog.yaml", calls.as_str());
    insta::assert_snapshot!(refused(&[calls, PREDICT, ("pylock.toml", &lock(&["cog"]))]), @"
    project::lock::no-installer cog.yaml: `pip` is to install into the environment here, which has none: `pylock.toml` does not hold it
      list what it installs among the project's dependencies and lock them anew, or add `pip` to them, by uv for instance with `uv add pip`; where the base's own is meant, call it by its path
    ");
    insta::assert_snapshot!(refused(&[calls, PREDICT, ("pylock.cog.toml", &lock(&["cog"]))]), @"
    project::python::lock-missing cog.yaml: `pylock.cog.toml` does not hold `pip`, which is required here
      the lock file is older than this line: make it anew
    ");
    let (plan, _) = text(&[calls, PREDICT, ("pylock.toml", &lock(&["cog", "pip"]))]);
    assert!(plan.contains("pip-0.23.1") && plan.contains("\n  run \"pip install foo\"\n"), "{plan}");
}

#[test]
fn a_lock_of_others_is_used_where_the_environment_needs_no_installer() {
    for run in [
        "[pip --version, python -m pip download foo, pip freeze > /opt/of-base.txt, pip install --help]",
        "[pip install --target /opt/tools foo]",
        "[pip install -t /opt/tools foo]",
        "[pip install --prefix=/opt/tools --root-user-action=ignore foo]",
        "[pip --python /opt/x/bin/python install foo]",
        "[PIP_TARGET=/opt/tools pip install foo]",
        "[/usr/local/bin/pip install foo, /usr/bin/python3 -m pip install foo]",
        "[python3 -m venv /opt/x && . /opt/x/bin/activate && pip install foo]",
        "[python -m ensurepip && pip3 install foo]",
        "[curl -O https://bootstrap.pypa.io/get-pip.py && python get-pip.py, pip install foo]",
        // A base may have one, and any uv installs into the environment.
        "[uv pip install foo]",
    ] {
        let (plan, _) = text(&[("cog.yaml", &yaml(run)), PREDICT, ("pylock.toml", &lock(&["cog"]))]);
        assert!(plan.contains("stage %commands"), "{run}");
    }
    for run in [
        "[pip install --root-user-action ignore foo]",
        "[. /venv/bin/activate && pip3.11 install foo]",
        "[\"python3 -m venv /opt/x && . /opt/x/bin/activate && pip install foo\", pip install foo]",
        "[python3.11 -m pip uninstall -y foo]",
    ] {
        let refused = refused(&[("cog.yaml", &yaml(run)), PREDICT, ("pylock.toml", &lock(&["cog"]))]);
        assert!(refused.contains("project::lock::no-installer"), "{run}: {refused}");
    }
}

#[test]
fn an_older_lock_is_told_what_it_lacks() {
    let run = yaml("[echo, uv pip install foo]");
    let files = [("cog.yaml", run.as_str()), PREDICT];
    let bare = [("cog.yaml", "build:\n  python_version: \"3.11\"\nrun: \"predict.py:Predictor\"\n"), PREDICT];
    let older = with_record(&lock(&["cog"]), &wishes(&bare));
    insta::assert_snapshot!(refused(&[files[0], files[1], ("pylock.cog.toml", &older)]), @"
    project::lock::stale pylock.cog.toml: the lock is out of date: it does not hold `uv`, which is called by cog.yaml:3 to install packages
      `cogpackc lock DIR` makes it anew; packages that nobody asked to change keep their versions
    ");
    // What it was made of is another matter where it holds that.
    let older = with_record(&lock(&["cog", "uv"]), &wishes(&bare));
    insta::assert_snapshot!(refused(&[files[0], files[1], ("pylock.cog.toml", &older)]), @"
    project::lock::stale pylock.cog.toml: the lock is out of date: it was made of other requirements, for another Python or for other platforms
      `cogpackc lock DIR` makes it anew; packages that nobody asked to change keep their versions
    ");
    let fresh = with_record(&lock(&["cog", "uv"]), &wishes(&files));
    let (plan, why) = text(&[files[0], files[1], ("pylock.cog.toml", &fresh)]);
    assert!(plan.contains("symlink \"python\" at /venv/bin/python3.11"), "{plan}");
    let decision: Vec<&str> = why.lines().skip_while(|line| !line.contains("installer")).take(2).collect();
    insta::assert_snapshot!(decision.join("\n"), @"
    installer: uv
      this line calls it: as one of the packages it installs where they are (cog.yaml:3)
    ");
}

#[test]
fn uv_installs_into_the_environment_where_it_is_told_of_none() {
    let told = "env UV_PYTHON = \"/venv/bin/python\"";
    let held = lock(&["cog"]);
    let plan = |run: &str, more: &str, script: &str| {
        let yaml = yaml(run) + more;
        let settings = ("cogpack.toml", "pre-install = [\"a.sh\"]\npost-install = [\"a.sh\"]\n");
        text(&[("cog.yaml", &yaml), PREDICT, ("pylock.toml", &held), settings, ("a.sh", script)]).0
    };
    for run in [
        "[uv pip install --system foo]",
        "[curl https://example.com/install.sh | sh && /root/.local/bin/uv pip install --system foo]",
        "[UV_SYSTEM_PYTHON=1 uv pip sync foo.txt]",
        "[export UV_SYSTEM_PYTHON=1 && uv pip install foo]",
    ] {
        assert_eq!(plan(run, "", "true\n").matches(told).count(), 1, "{run}");
    }
    for run in [
        "[uv pip install foo]",
        "[uv venv /opt/x && VIRTUAL_ENV=/opt/x uv pip install foo]",
        "[uv pip install --system --python /usr/bin/python3 foo]",
        "[uv pip install --system --target /opt/tools foo]",
        "[uv pip list --system]",
    ] {
        assert!(!plan(run, "", "true\n").contains(told), "{run}");
    }
    let of_image = "environment:\n  - UV_SYSTEM_PYTHON=1\n";
    assert_eq!(plan("[uv pip install foo]", of_image, "true\n").matches(told).count(), 1);
    // The one that runs before has no environment.
    assert_eq!(plan("[echo]", "", "uv pip install --system foo\n").matches(told).count(), 1);
}
