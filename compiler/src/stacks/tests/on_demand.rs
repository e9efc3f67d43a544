//! Images whose Python is unpacked from an archive, because no base that fits has it.

use cogpack_catalogue::Catalogue;
use cogpack_frontends_source::MemoryProject;
use cogpack_ir::syntax;

use super::{LOCK, plan, told};
use crate::stacks::{BaseWish, Request};

/// A CUDA with a Linux that has no package of that Python.
const CUDA: &str =
    "build:\n  python_version: \"3.11\"\n  gpu: true\n  cuda: \"12.4\"\nrun: \"predict.py:Predictor\"\n";
const CPU: &str = "build:\n  python_version: \"3.11\"\nrun: \"predict.py:Predictor\"\n";

fn request() -> Request {
    Request { openapi_schema: Some("{}".to_owned()), ..Request::plain() }
}

fn catalogue(image: &str) -> Catalogue {
    let archive = |platform: &str| {
        format!(
            "[[python]]\nversion = \"3.11.9\"\nplatform = \"{platform}\"\nurl = \"https://mirror.example/{platform}.tar.gz\"\n\
             digest = \"sha256:{}\"\n",
            "ab".repeat(32)
        )
    };
    let text = format!(
        "catalogue = 1\n[[image]]\nreference = \"registry.example/own:1\"\nplatforms = [\"linux/amd64\", \"linux/arm64\"]\n\
         roles = [\"runtime\"]\nextent = \"minimal\"\n{image}\n{}{}",
        archive("linux/amd64"),
        archive("linux/arm64")
    );
    Catalogue::read("own.toml", &text).unwrap()
}

/// The plan, which breaks no rule, and why it is as it is; or what speaks against one.
fn planned(cog_yaml: &str, request: &Request) -> Result<(String, String), String> {
    let everywhere =
        LOCK.replace("cp311-none-manylinux_2_28_x86_64", "py3-none-any").replace(">=3.11", ">=3.9");
    let files = [("cog.yaml", cog_yaml), ("pylock.cog.toml", everywhere.as_str())];
    let planned = MemoryProject::new(files).unwrap().plan(|source| plan(source, request));
    let planned = planned.map_err(|found| found.iter().map(told).collect::<Vec<_>>().join("\n"))?;
    let (text, why) = (syntax::print(&planned.plan), planned.why.text());
    assert_eq!(syntax::parse(&text).plan, planned.plan);
    assert!(cogpack_ir::verify::verify(planned.plan).is_ok(), "{text}");
    Ok((text, why))
}

/// A part of a plan, from where it begins to its end.
fn part<'t>(text: &'t str, start: &str) -> &'t str {
    let from = text.find(start).unwrap_or_else(|| panic!("{start} is not in\n{text}"));
    let length = text[from..].find("\n}\n").unwrap_or(text.len() - from);
    &text[from..from + length]
}

#[test]
fn a_cuda_without_the_python_gets_one_by_its_hash() {
    let (text, why) = planned(CUDA, &request()).unwrap();
    insta::assert_snapshot!(part(&text, "context @python "), @r#"
    context @python = http "https://github.com/astral-sh/python-build-standalone/releases/download/20261110/cpython-3.11.18%2B20261110-x86_64-unknown-linux-gnu-install_only_stripped.tar.gz" {
      checksum sha256:3288c54cea3db350052019b3f8b558dd8a3da8afa6fda573f5fd2bcb37635b4a
      name "python.tar.gz"
    "#);
    insta::assert_snapshot!(part(&text, "stage %interpreter"), @r#"
    stage %interpreter in export.base {
      by interpreter at "cog.yaml":2
      run """
        set -e
        mkdir -p /opt/python
        tar -xzf /mnt/python.tar.gz -C /opt/python --strip-components=1 --no-same-owner
        """ {
        mount @python at /mnt
        network none
      }
    "#);
    insta::assert_snapshot!(part(&text, "stage %python "), @r#"
    stage %python in export.runtime {
      provides python
      by python at "cog.yaml":2
      layer venv {
        file "/venv/pyvenv.cfg" = """
          home = /opt/python/bin
          include-system-site-packages = false
          version = 3.11

          """
        symlink "/opt/python/bin/python3.11" at /venv/bin/python
        symlink "python" at /venv/bin/python3
        symlink "python" at /venv/bin/python3.11
      }
      env VIRTUAL_ENV = "/venv"
      env prepend PATH "/venv/bin"
    "#);
    assert!(
        text.contains("image @base = \"docker.io/nvidia/cuda:12.4.1-cudnn-runtime-ubuntu22.04\""),
        "{text}"
    );
    assert!(!text.contains("apt-get") && !text.contains("tini"), "nothing is installed by apt: {text}");
    let on_demand = "Python: 3.11\n  `build.python_version` says so (cog.yaml:2)\nPython on demand: 3.11.18, unpacked to \
                     `/opt/python`\n  no base that fits has Python 3.11, and this archive of it has a hash\n";
    assert!(why.contains(on_demand), "{why}");
    assert!(why.contains("  taken:\n    docker.io/nvidia/cuda:12.4.1-cudnn-runtime-ubuntu22.04\n"), "{why}");
    assert!(why.contains("it has no Python, and ==3.11.* is wanted"), "{why}");
    assert!(why.contains("  interpreter: because of cog.yaml\n"), "{why}");
}

#[test]
fn a_package_of_the_distribution_goes_before_it_and_brings_an_init() {
    let (text, why) = planned(&CUDA.replace("3.11", "3.10"), &request()).unwrap();
    assert!(text.contains("python3 \\\\\n      tini\n"), "{text}");
    assert!(text.contains("\n  entrypoint [\"/usr/bin/tini\", \"--\"]\n"), "{text}");
    assert!(!text.contains("%interpreter") && !why.contains("on demand"), "{why}");
}

#[test]
fn an_image_of_ones_own_needs_no_python() {
    let named = |image: &str, yaml: &str| {
        let base = Some(BaseWish::Image("registry.example/own:1".parse().unwrap()));
        let catalogue = Catalogue::shipped().with(catalogue(image));
        planned(yaml, &Request { base, catalogue, ..request() })
    };
    let (text, _) = named("os = { id = \"opensuse-leap\", version = \"15.6\" }", CPU).unwrap();
    assert!(text.contains("image @base = \"registry.example/own:1\""), "{text}");
    assert!(
        text.contains("http \"https://mirror.example/linux/amd64.tar.gz\""),
        "an own archive goes before: {text}"
    );
    let refused = |image: &str| named(image, CPU).unwrap_err();
    let musl = refused("os = { id = \"alpine\", version = \"3.22\" }");
    assert!(musl.starts_with("project::base::no-python "), "{musl}");
    let without_tar = refused(
        "os = { id = \"debian\", version = \"13\" }\npackages = { base-files = \"13.8\", libc6 = \"2.41\" }",
    );
    // Debian 13 has another Python as a package, and an image without `tar` takes no archive.
    assert!(without_tar.starts_with("project::base::no-python "), "{without_tar}");
    let (text, _) = named(
        "os = { id = \"debian\", version = \"13\" }\npackages = { base-files = \"13.8\", tar = \"1.35\" }",
        CPU,
    )
    .unwrap();
    assert!(text.contains("stage %interpreter"), "{text}");
}

#[test]
fn a_python_that_no_image_has_stands_on_a_plain_one() {
    let settings = |python: &str| {
        let files = [("cogpack.toml", format!("python = \"{python}\"\ncommand = [\"python\"]\n"))];
        let project = MemoryProject::new(files.iter().map(|(name, text)| (*name, text.as_str()))).unwrap();
        let planned = project.plan(|source| plan(source, &Request::plain())).unwrap();
        syntax::print(&planned.plan)
    };
    let text = settings("3.9");
    assert!(text.contains("image @base = \"docker.io/library/debian:13.3-slim\""), "{text}");
    assert!(text.contains("/cpython-3.9.25%2B"), "{text}");
    assert!(!settings("3.12").contains("%interpreter"));
}

/// What is warned of, and the plan.
fn with_warnings(cog_yaml: &str, request: &Request) -> (String, String) {
    let everywhere =
        LOCK.replace("cp311-none-manylinux_2_28_x86_64", "py3-none-any").replace(">=3.11", ">=3.9");
    let files = [("cog.yaml", cog_yaml), ("pylock.cog.toml", everywhere.as_str())];
    let planned = MemoryProject::new(files).unwrap().plan(|source| plan(source, request)).unwrap();
    (planned.warnings.iter().map(told).collect(), syntax::print(&planned.plan))
}

#[test]
fn a_patch_version_is_that_of_the_image_wherever_one_is_known() {
    // The images of Python 3.12 and its archive are of two patch versions: each is taken for its own.
    let of = |python: &str| with_warnings(&CPU.replace("3.11", python), &request());
    let (warned, text) = of("3.12.12");
    assert_eq!(warned, "");
    assert!(text.contains("image @base = \"docker.io/library/python:3.12.12-slim-trixie\""), "{text}");
    let (warned, text) = of("3.12.16");
    assert_eq!(warned, "");
    assert!(text.contains("/cpython-3.12.16%2B") && text.contains("library/debian:13.3-slim"), "{text}");
    assert!(text.contains("\\\"python_version\\\":\\\"3.12.16\\\""), "{text}");
    let (warned, text) = of("3.12.4");
    insta::assert_snapshot!(warned, @r"
    project::python::other-patch cog.yaml: Python 3.12.4 is asked for, and `docker.io/library/python:3.12.12-slim-trixie` has Python 3.12.12
      write `3.12`, if any patch of it will do; or give an image that has 3.12.4 with `--catalogue FILE`, whose entry `cogpackc catalogue add IMAGE` writes
    ");
    assert!(text.contains("image @base = \"docker.io/library/python:3.12.12-slim-trixie\""), "{text}");
}

#[test]
fn a_patch_version_that_something_else_decides_is_told() {
    let named = |image: &str, python: &str| {
        let packages = "packages = { ca-certificates = \"\" }";
        let image = format!("os = {{ id = \"ubuntu\", version = \"22.04\" }}\n{image}\n{packages}");
        let base = Some(BaseWish::Image("registry.example/own:1".parse().unwrap()));
        let catalogue = Catalogue::shipped().with(catalogue(&image));
        with_warnings(&CPU.replace("3.11", python), &Request { base, catalogue, ..request() }).0
    };
    let with = |version: &str| {
        format!("python = {{ version = \"{version}\", interpreter = \"/bin/py\", prefix = \"/\" }}")
    };
    let first = |warned: String| warned.lines().next().unwrap_or_default().to_owned();
    assert_eq!(named(&with("3.11.8"), "3.11.8"), "");
    assert_eq!(named("", "3.11.9"), "");
    let told = [
        named(&with("3.11.8"), "3.11.9"),
        named(&with("3.11"), "3.11.9"),
        named("", "3.11.7"),
        named("", "3.10.4"),
    ];
    insta::assert_snapshot!(told.map(first).join("\n"), @r"
        project::python::other-patch cog.yaml: Python 3.11.9 is asked for, and `registry.example/own:1` has Python 3.11.8
        project::python::other-patch cog.yaml: Python 3.11.9 is asked for, and `registry.example/own:1` has some Python 3.11
        project::python::other-patch cog.yaml: Python 3.11.7 is asked for, and Python 3.11.9 is unpacked on `registry.example/own:1`
        project::python::other-patch cog.yaml: Python 3.10.4 is asked for, and `registry.example/own:1` gets some Python 3.10 from its distribution
        ");
    // Nobody asks for a patch version.
    assert_eq!(named(&with("3.11.8"), "3.11"), "");
}

#[test]
fn an_image_for_several_machines_has_an_archive_for_each() {
    let platforms = ["linux/amd64", "linux/arm64"].map(|it| it.parse().unwrap()).into();
    let (text, _) = planned(CUDA, &Request { platforms, ..request() }).unwrap();
    insta::assert_snapshot!(part(&text, "stage %interpreter"), @r#"
    stage %interpreter in export.base {
      by interpreter at "cog.yaml":2
      run """
        set -e
        mkdir -p /opt/python
        tar -xzf "/mnt/$(uname -m)/python.tar.gz" -C /opt/python --strip-components=1 --no-same-owner
        """ {
        mount @python-linux-arm64 at /mnt/aarch64
        mount @python-linux-amd64 at /mnt/x86_64
        network none
      }
    "#);
    assert!(
        text.contains("context @python-linux-amd64 = http \"") && text.contains("-x86_64-unknown"),
        "{text}"
    );
    assert!(
        text.contains("context @python-linux-arm64 = http \"") && text.contains("-aarch64-unknown"),
        "{text}"
    );
}

#[test]
fn of_several_machines_each_must_be_one_that_is_known_by_name() {
    let archive = |platform: &str| {
        let (url, digest) = (format!("https://mirror.example/{platform}.tar.gz"), "ab".repeat(32));
        format!(
            "[[python]]\nversion = \"3.11.9\"\nplatform = \"{platform}\"\nurl = \"{url}\"\ndigest = \"sha256:{digest}\"\n"
        )
    };
    let text = format!(
        "catalogue = 1\n[[image]]\nreference = \"registry.example/own:1\"\nplatforms = [\"linux/amd64\", \"linux/riscv64\"]\n\
         roles = [\"runtime\"]\nextent = \"minimal\"\nos = {{ id = \"opensuse-leap\", version = \"15.6\" }}\n{}{}",
        archive("linux/amd64"),
        archive("linux/riscv64")
    );
    let on = |platforms: &[&str]| {
        let platforms = platforms.iter().map(|it| it.parse().unwrap()).collect();
        let catalogue = Catalogue::read("own.toml", &text).unwrap();
        planned(CPU, &Request { platforms, catalogue, ..request() })
    };
    let (alone, _) = on(&["linux/riscv64"]).unwrap();
    assert!(alone.contains("tar -xzf /mnt/python.tar.gz "), "{alone}");
    let refused = on(&["linux/amd64", "linux/riscv64"]).unwrap_err();
    assert!(refused.starts_with("project::catalogue::none "), "{refused}");
}

#[test]
fn its_own_modules_are_compiled_too() {
    let (text, _) = planned(CUDA, &Request { precompile: true, ..request() }).unwrap();
    let compiled = part(&text, "stage %byte-code");
    assert!(compiled.contains("\"/venv/lib/python3.11/site-packages\""), "{compiled}");
    assert!(compiled.contains("\"/opt/python/lib/python3.11\""), "{compiled}");
    assert_eq!(compiled.matches("network none").count(), 2);
}

#[test]
fn where_there_is_no_archive_either_the_bases_are_told() {
    let bare = Catalogue::read("bare.toml", "catalogue = 1\n").unwrap();
    let refused = planned(CUDA, &Request { catalogue: bare, ..request() }).unwrap_err();
    assert!(refused.starts_with("project::catalogue::none "), "{refused}");
}
