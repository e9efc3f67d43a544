//! Packages of which there are only sources: what is planned of them, in which image, and what is told.

use cogpack_frontends_source::MemoryProject;

use super::*;
use crate::stacks::python::lock::with_record;

const HASH: &str = "sha256 = \"49b3a825280bd66b3aa83585ef59c4a8c82f2c8a522dbe754a8bc8d08c85c491\"";

/// A lock with these packages beside one wheel.
fn lock(packages: &str) -> String {
    format!("{PYLOCK}{}", packages.replace("HASH", HASH))
}

const DOCOPT: &str = "\n[[packages]]\nname = \"docopt\"\nversion = \"0.6.2\"\n\
                      sdist = { url = \"https://files.example/docopt-0.6.2.tar.gz\", hashes = { HASH } }\n";

/// A project with such a lock of its own.
fn files<'f>(lock: &'f str, settings: &'f str) -> Vec<(&'f str, &'f str)> {
    vec![
        ("main.py", ""),
        (".python-version", "3.12\n"),
        ("pylock.toml", lock),
        ("cogpack.toml", settings),
        ("lib/own/setup.py", ""),
        ("old.zip", ""),
    ]
}

fn stage(plan: &str, name: &str) -> String {
    let start = plan.find(&format!("stage %{name} ")).unwrap_or_else(|| panic!("no {name} in\n{plan}"));
    plan[start..].split("\n}\n").next().unwrap_or_default().to_owned()
}

#[test]
fn what_has_only_sources_is_built_in_an_image_with_a_compiler() {
    let (plan, why) = text(&files(&lock(DOCOPT), ""));
    insta::assert_snapshot!(stage(&plan, "build-packages"), @r#"
    stage %build-packages in build.app-deps {
      by built-packages at "pylock.toml":1
      file "/venv/pyvenv.cfg" = """
        home = /usr/local/bin
        include-system-site-packages = true
        version = 3.12

        """
      symlink "/usr/local/bin/python3" at /venv/bin/python
      file "/requirements.txt" = "docopt @ https://files.example/docopt-0.6.2.tar.gz --hash=sha256:49b3a825280bd66b3aa83585ef59c4a8c82f2c8a522dbe754a8bc8d08c85c491\n"
      run """
        set -e
        rm -rf /downloads/wheels
        /venv/bin/python -m pip wheel --use-pep517 --no-deps --wheel-dir /wheels --require-hashes --requirement /requirements.txt
        """ {
        mount cache pip at /downloads sharing locked
        env PIP_CACHE_DIR = "/downloads"
        env PIP_DISABLE_PIP_VERSION_CHECK = "1"
        env SOURCE_DATE_EPOCH = "315532800"
      }
      exec [
        "/venv/bin/python",
        "-m",
        "pip",
        "install",
        "--no-deps",
        "--no-index",
        "--find-links",
        "/wheels",
        "--no-compile",
        "--ignore-installed",
        "--no-warn-script-location",
        "--prefix",
        "/built",
        "docopt==0.6.2",
      ] {
        network none
        env PIP_ROOT_USER_ACTION = "ignore"
      }
    "#);
    // Wheels are not built, and the image itself has no compiler.
    assert!(stage(&plan, "packages").contains("copy contents \".\" from @packages to \"/venv\""), "{plan}");
    assert!(
        stage(&plan, "built-packages").contains("copy contents \"built\" from %build-packages to \"/venv\"")
    );
    assert!(plan.contains("image @base = \"docker.io/library/python:3.12.12-slim-trixie\""), "{plan}");
    assert!(plan.contains("image @build-base = \"docker.io/library/python:3.12.12-trixie\""), "{plan}");
    // Both choices are told, with what ruled out the others.
    for part in [
        "packages: 1 wheel, and 1 from sources\n",
        "build base: docker.io/library/python:3.12.12-trixie\n",
        "images to build in:\n  taken:\n    docker.io/library/python:3.12.12-trixie\n",
        "  it is debian 12, and debian 13 is wanted:\n    docker.io/library/python:3.12.12-bookworm\n",
        "  it is not known to have `gcc`:\n    docker.io/library/python:3.12.12-slim-trixie\n",
    ] {
        assert!(why.contains(part), "{part} is not in\n{why}");
    }
}

#[test]
fn a_framework_without_wheels_is_built_beside_the_others_and_has_a_layer_of_its_own() {
    let jax = DOCOPT.replace("docopt", "jax").replace("0.6.2", "0.8.0");
    let (both, _) = text(&files(&lock(&format!("{DOCOPT}{jax}")), ""));
    let framework = stage(&both, "build-framework");
    assert!(
        framework.starts_with("stage %build-framework in build.framework-deps from %build-base {"),
        "{both}"
    );
    assert!(framework.contains("jax @ https") && !framework.contains("docopt"), "{framework}");
    let others = stage(&both, "build-packages");
    assert!(others.starts_with("stage %build-packages in build.app-deps from %build-base {"), "{both}");
    assert!(others.contains("docopt @ https") && !others.contains("jax"), "{others}");
    let layer = |name: &str| format!("copy contents \"built\" from %build-{name} to \"/venv\"");
    assert!(stage(&both, "built-framework").contains(&layer("framework")), "{both}");
    assert!(stage(&both, "built-packages").contains(&layer("packages")), "{both}");
    // It is built and laid down in the same way whatever else there is.
    let (other, _) = text(&files(&lock(&format!("{}{jax}", DOCOPT.replace("0.6.2", "0.6.1"))), ""));
    assert_eq!(stage(&other, "build-framework"), framework);
    assert_ne!(stage(&other, "build-packages"), others);
    let (alone, _) = text(&files(&lock(&jax), ""));
    assert_eq!(
        stage(&alone, "build-framework").replace(" in build.framework-deps {", ""),
        framework.replace(" in build.framework-deps from %build-base {", "")
    );
    assert!(!alone.contains("%build-packages") && !alone.contains("%built-packages"), "{alone}");
    // Headers that somebody asks for are there for both.
    let yaml = ("cog.yaml", "build:\n  python_version: \"3.12\"\n  system_packages: [libfoo-dev]\n");
    let locked = lock(&format!("{DOCOPT}{jax}")).replace("six", "cog");
    let (with, _) = text(&[yaml, ("pylock.toml", &locked)]);
    for name in ["build-framework", "build-packages"] {
        assert!(stage(&with, name).contains(" from %build-system-packages {"), "{with}");
    }
}

#[test]
fn nothing_is_built_of_wheels() {
    let (plan, why) = text(&files(PYLOCK, ""));
    assert!(!plan.contains("build-base") && !plan.contains(" in build."), "{plan}");
    assert!(why.contains("build base: none\n  no package is built from sources\n"), "{why}");
    assert!(!why.contains("images to build in"), "{why}");
}

#[test]
fn repositories_directories_and_archives_are_taken_as_the_lock_has_them() {
    let all = "\n[[packages]]\nname = \"Some.lib\"\nversion = \"1.2\"\nvcs = { type = \"git\", url = \
               \"https://me:secret@git.example/lib\", commit-id = \"f0570584b042018a9ed8a1acd072eb3fbc1ac27f\", \
               subdirectory = \"py\" }\n\n[[packages]]\nname = \"own\"\ndirectory = { path = \"lib/own\" }\n\n\
               [[packages]]\nname = \"old\"\narchive = { path = \"old.zip\", hashes = { sha256 = \
               \"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\" } }\n";
    let (plan, _) = text(&files(&lock(all), "strip = true\n"));
    let built = stage(&plan, "build-packages");
    for part in [
        "copy \"old.zip\" from @source to \"/sources/old.zip\"",
        "old @ file:///sources/old.zip --hash=sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "copy contents \"lib/own\" from @source to \"/sources/own\"",
        "copy contents \".\" from @sources-some-lib to \"/sources/some-lib\"",
        "--wheel-dir /wheels /sources/own\n",
        "--wheel-dir /wheels /sources/some-lib/py\n",
        "env SETUPTOOLS_SCM_PRETEND_VERSION_FOR_SOME_LIB = \"1.2\"",
        "\"some-lib==1.2\",",
        "'--strip-debug'",
    ] {
        assert!(built.contains(part), "{part} is not in\n{built}");
    }
    assert!(plan.contains("git \"https://git.example/lib\" {\n  commit f0570584"), "{plan}");
    assert!(!plan.contains("secret"), "{plan}");
}

#[test]
fn an_image_to_build_in_can_be_named_and_must_fit() {
    let named = |name: &str| format!("build-base = \"{name}\"\n");
    let locked = lock(DOCOPT);
    let (_, why) = text(&files(&locked, &named("python:3.12.12-trixie")));
    assert!(why.contains("python:3.12.12-trixie\n  the setting `build-base` says so"), "{why}");
    let elsewhere = locked.replace("https://files", "file:///files");
    let absent = locked.replace("sdist = { url = \"https://files.example/", "archive = { path = \"");
    let told = [
        refused(&files(&locked, &named("python:3.12.12-bookworm"))),
        refused(&files(&locked, &named("registry.example/own"))),
        refused(&files(PYLOCK, "strip = true\n")),
        refused(&files(&elsewhere, "")),
        refused(&files(&absent, "")),
    ];
    insta::assert_snapshot!(told.join("\n"), @r#"
    project::base::build-base cogpack.toml: `docopt` cannot be built in `python:3.12.12-bookworm` for the base: it is debian 12, and debian 13 is wanted
      name another image, or none: then the one that fits best is taken
    project::base::unknown cogpack.toml: nothing is known of what is in the image `registry.example/own`
      `cogpackc catalogue add registry.example/own` looks into it and writes an entry for `--catalogue`
    project::python::strip cogpack.toml: symbols are taken out of what is built here, and all packages are wheels, installed as they are
      take the setting away; or strip libraries of wheels by a command of `build.run`, with `binutils` in `system_packages`
    project::lock::sources pylock.toml: the lock names sources of `docopt` that cannot be built: `file:///files.example/docopt-0.6.2.tar.gz` is no address on the web
      lock the project anew; or put a wheel of the package into the project, and write its path in place of the requirement, `./wheels/FILE.whl`
    project::lock::sources pylock.toml: the lock names sources of `docopt` that cannot be built: there is no file `docopt-0.6.2.tar.gz`
      lock the project anew; or put a wheel of the package into the project, and write its path in place of the requirement, `./wheels/FILE.whl`
    "#);
}

#[test]
fn no_image_to_build_in_is_told_with_the_nearest() {
    let project = MemoryProject::new(files(&lock(DOCOPT), "")).unwrap();
    let base = "docker.io/library/python:3.12.12-slim-trixie";
    let only = format!(
        "catalogue = 1\n[[image]]\nreference = \"{base}\"\nplatforms = [\"linux/amd64\"]\nroles = [\"build\", \
         \"runtime\"]\nextent = \"runtime\"\nos = {{ id = \"debian\", version = \"13\" }}\npython = {{ version = \
         \"3.12\", interpreter = \"/usr/local/bin/python3\", prefix = \"/usr/local\" }}\n"
    );
    let catalogue = cogpack_catalogue::Catalogue::read("own.toml", &only).expect("is a catalogue");
    let request = Request { catalogue, ..Request::plain() };
    let told = all(&project.plan(|source| plan(source, &request)).expect_err("has no plan"));
    insta::assert_snapshot!(told, @r#"
    project::python::no-authorities cogpack.toml: `docker.io/library/python:3.12.12-slim-trixie` is not known to have certificates of public authorities, and nothing brings any
      if they are there, say so: `cogpackc catalogue add IMAGE` looks, and `ca-certificates = ""` below `[image.packages]` of its entry says it; if not, let apt install them, by `ca-certificates` in `build.system_packages`, or take another base: `--base debian` has them
    project::base::nothing-to-build-in pylock.toml: `docopt` must be built from sources, and no image is known for building in, of debian 13, on linux/amd64, with Python ==3.12.*, Python in `/usr/local`, `gcc`
      docker.io/library/python:3.12.12-slim-trixie: it is not known to have `gcc`
    give one with `--catalogue FILE`, whose entry `cogpackc catalogue add IMAGE` writes: it has what the base has, and a compiler; or put a wheel of the package into the project, `pip wheel --no-deps -w wheels NAME`, and write `./wheels/FILE.whl` in its place
    "#);
}

#[test]
fn what_a_directory_requires_is_part_of_what_a_lock_is_made_of() {
    let made_of = |setup: &str| {
        let files = [("main.py", ""), ("requirements.txt", "./lib/own\n"), ("lib/own/setup.py", setup)];
        let project = MemoryProject::new(files).unwrap();
        match project.plan(|source| inputs(source, &Request::plain())) {
            Ok(Needs::Locked(inputs)) => with_record("", &inputs),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(made_of("one"), made_of("one"));
    assert_ne!(made_of("one"), made_of("other"));
}

#[test]
fn what_nothing_can_be_built_of_is_told_with_its_line() {
    let requirements =
        "repo @ git+http://git.example/repo@main\n-e .\nmore @ git+https://git.example/more@main\n";
    let told = refused(&[("requirements.txt", requirements), ("main.py", "")]);
    insta::assert_snapshot!(told, @r#"
    project::python::sources requirements.txt: `repo @ git+http://git.example/repo@main` is a repository that cannot be fetched here
      name it by `git+https://` or `git+ssh://`; or make a wheel of it, `pip wheel --no-deps -w wheels git+http://git.example/repo@main`, put it into the project and write its path in place of this, `./wheels/FILE.whl`
    project::python::sources requirements.txt: `.` is a directory that is no package
      say in `pyproject.toml` that the project is a package, by `[project]` with its `name` and a `[build-system]`; or take this away: its files are in the image in any case
    "#);
}
