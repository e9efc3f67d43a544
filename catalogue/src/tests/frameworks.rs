//! The table of frameworks: what is shipped, and what is said of one that is wrong.

use std::collections::BTreeSet;

use insta::assert_snapshot;

use super::shown::shown;
use crate::Frameworks;
use crate::frameworks::{Build, BuildSource, Release};

/// The platforms and Pythons of a release.
fn words(release: &Release) -> String {
    let platforms: Vec<String> = release.platforms.iter().map(ToString::to_string).collect();
    let pythons: Vec<String> = release.pythons.iter().map(ToString::to_string).collect();
    format!("{}, Python {}", platforms.join(" and "), pythons.join(", "))
}

/// A build on one line.
fn line(build: &Build) -> String {
    let source = match &build.source {
        BuildSource::Package => "by name".to_owned(),
        BuildSource::Index(name) => format!("index {name}"),
        BuildSource::Extra(name) => format!("extra {name}"),
        BuildSource::Base => "by name, on the base's".to_owned(),
    };
    let range = |range: &Option<pep440_rs::VersionSpecifiers>| {
        range.as_ref().map_or("-".to_owned(), ToString::to_string)
    };
    format!("  {source}: CUDA {}, cuDNN {}\n", range(&build.cuda), range(&build.cudnn))
}

#[test]
fn what_is_shipped_covers_the_frameworks() {
    let text = include_str!("../../data/frameworks.toml");
    let read =
        Frameworks::read(text).map_err(|found| found.iter().map(|one| shown(one, text)).collect::<String>());
    assert_eq!(read.as_ref(), Ok(&Frameworks::shipped()));
    let shipped = Frameworks::shipped();
    let mut told = String::new();
    for (package, framework) in &shipped.frameworks {
        let (newest, oldest) = (&framework.releases[0].version, &framework.releases.last().unwrap().version);
        let versions: BTreeSet<_> = framework.releases.iter().map(|release| &release.version).collect();
        told += &format!("{package} {oldest} to {newest}, {} releases\n", versions.len());
        for release in &framework.releases {
            assert!(
                !release.pythons.is_empty() && !release.builds.is_empty(),
                "{package} {}",
                release.version
            );
            let is_for_cpu = release.builds.iter().any(|build| build.cuda.is_none());
            assert!(is_for_cpu, "{package} {}", release.version);
        }
    }
    for (package, version) in [
        ("torch", "2.4.1"),
        ("torch", "2.11.0"),
        ("tensorflow", "2.12.0"),
        ("tensorflow", "2.18.0"),
        ("jax", "0.8.0"),
    ] {
        let wanted = version.parse().unwrap();
        for release in shipped.frameworks[package].releases.iter().filter(|one| one.version == wanted) {
            told += &format!("{package} {version}: {}\n", words(release));
            told.extend(release.builds.iter().map(line));
        }
    }
    assert_snapshot!(told, @"
    jax 0.4.16 to 0.12.0, 47 releases
    tensorflow 2.11.0 to 2.21.0, 20 releases
    torch 1.13.0 to 2.15.0, 30 releases
    torch 2.4.1: linux/amd64, Python 3.8, 3.9, 3.10, 3.11, 3.12
      by name: CUDA ==12.1.*, cuDNN ==9.1.0.70
      index cu124: CUDA ==12.4.*, cuDNN ==9.1.0.70
      index cu121: CUDA ==12.1.*, cuDNN ==9.1.0.70
      index cu118: CUDA ==11.8.*, cuDNN ==9.1.0.70
      index cpu: CUDA -, cuDNN -
    torch 2.4.1: linux/arm64, Python 3.8, 3.9, 3.10, 3.11, 3.12
      by name: CUDA -, cuDNN -
      index cpu: CUDA -, cuDNN -
    torch 2.11.0: linux/amd64 and linux/arm64, Python 3.10, 3.11, 3.12, 3.13, 3.14
      by name: CUDA ==13.0.*, cuDNN ==9.19.0.56
      index cu130: CUDA ==13.0.*, cuDNN ==9.19.0.56
      index cu128: CUDA ==12.8.*, cuDNN ==9.17.1.4
      index cu126: CUDA ==12.6.*, cuDNN ==9.10.2.21
      index cpu: CUDA -, cuDNN -
    tensorflow 2.12.0: linux/amd64, Python 3.8, 3.9, 3.10, 3.11
      by name: CUDA -, cuDNN -
      by name, on the base's: CUDA >=11.8, <12, cuDNN >=8.6, <9
    tensorflow 2.12.0: linux/arm64, Python 3.8, 3.9, 3.10, 3.11
      by name: CUDA -, cuDNN -
    tensorflow 2.18.0: linux/amd64, Python 3.9, 3.10, 3.11, 3.12
      by name: CUDA -, cuDNN -
      extra and-cuda: CUDA ==12.5.*, cuDNN ==9.3.0.75
    tensorflow 2.18.0: linux/arm64, Python 3.9, 3.10, 3.11, 3.12
      by name: CUDA -, cuDNN -
    jax 0.8.0: linux/amd64 and linux/arm64, Python 3.11, 3.12, 3.13, 3.14
      by name: CUDA -, cuDNN -
      extra cuda13: CUDA >=13.0, <14, cuDNN >=9.12.0.46, <10.0
      extra cuda12: CUDA >=12.1, <13, cuDNN >=9.8, <10.0
    ");
}

#[test]
fn what_is_true_on_several_platforms_is_true_on_each() {
    let text = r#"
frameworks = 1

[[framework]]
package = "torch"

[[release]]
package = "torch"
version = "3.0"
platforms = ["linux/amd64"]
python = ["3.12", "3.13"]
builds = [{ cuda = ">=12" }, { index = "cpu" }, { index = "cu126", cuda = ">=12.6", cudnn = ">=9" }, { index = "cu118", cuda = "==11.8.*" }]

[[release]]
package = "torch"
version = "3.0"
platforms = ["linux/arm64"]
python = ["3.13", "3.14"]
builds = [{}, { index = "cpu" }, { index = "cu126", cuda = "<13" }]

[[release]]
package = "torch"
version = "2.0"
platforms = ["linux/amd64"]
python = ["3.11"]
builds = [{}]

[[release]]
package = "torch"
version = "1.0"
platforms = ["linux/amd64", "linux/arm64"]
python = ["3.9"]
builds = [{}]
"#;
    let table = Frameworks::read(text).unwrap();
    let mut told = String::new();
    for platforms in
        [&["linux/amd64"][..], &["linux/arm64"], &["linux/amd64", "linux/arm64"], &["linux/riscv64"]]
    {
        let platforms: BTreeSet<_> = platforms.iter().map(|one| one.parse().unwrap()).collect();
        told += &format!(
            "for {platforms:?}, of which it is about {:?}\n",
            platforms.iter().filter(|one| table.is_about(one)).collect::<Vec<_>>()
        );
        for release in &table.on(&platforms).frameworks["torch"].releases {
            told += &format!("{}: {}\n", release.version, words(release));
            told.extend(release.builds.iter().map(line));
        }
    }
    assert_snapshot!(told, @"
    for {linux/amd64}, of which it is about [linux/amd64]
    3.0: linux/amd64, Python 3.12, 3.13
      by name: CUDA >=12, cuDNN -
      index cpu: CUDA -, cuDNN -
      index cu126: CUDA >=12.6, cuDNN >=9
      index cu118: CUDA ==11.8.*, cuDNN -
    2.0: linux/amd64, Python 3.11
      by name: CUDA -, cuDNN -
    1.0: linux/amd64, Python 3.9
      by name: CUDA -, cuDNN -
    for {linux/arm64}, of which it is about [linux/arm64]
    3.0: linux/arm64, Python 3.13, 3.14
      by name: CUDA -, cuDNN -
      index cpu: CUDA -, cuDNN -
      index cu126: CUDA <13, cuDNN -
    1.0: linux/arm64, Python 3.9
      by name: CUDA -, cuDNN -
    for {linux/amd64, linux/arm64}, of which it is about [linux/amd64, linux/arm64]
    3.0: linux/amd64 and linux/arm64, Python 3.13
      index cpu: CUDA -, cuDNN -
      index cu126: CUDA >=12.6, <13, cuDNN >=9
    1.0: linux/amd64 and linux/arm64, Python 3.9
      by name: CUDA -, cuDNN -
    for {linux/riscv64}, of which it is about []
    ");
}

#[test]
fn what_is_wrong_with_a_table_is_told_on_its_place() {
    let text = "frameworks = 2\n\n[[framework]]\npackage = \"torch\"\nindx = \"x\"\n\n[[distribution]]\nid = \"debian\"\n\n\
                [[release]]\npackage = \"flax\"\nversion = \"one\"\nplatforms = [\"arm64\"]\npython = [\"3.12\"]\n\
                builds = [{ cuda = \"12\", libraries = \"none\" }]\n";
    let findings = Frameworks::read(text).unwrap_err();
    assert_snapshot!(findings.iter().map(|finding| shown(finding, text)).collect::<String>(), @r#"
    project::catalogue::unknown: a framework has no key `indx`
      `indx`: nothing reads this
      help: did you mean `index`?
    project::catalogue::missing: a distribution has no `version`
      `[[distribution]]`: it is missing here
      help: add `version = …`: `VERSION_ID`
    project::catalogue::missing: a distribution has no `python`
      `[[distribution]]`: it is missing here
      help: add `python = …`: which Python it has
    project::catalogue::value: `none` is no value of `libraries`: they are of the `base`, or of the wheels
      `"none"`: this value
      help: leave it away
    project::catalogue::value: `12` is no value of `cuda`: it is no range of versions
      `"12"`: this value
      help: write it as in `>=12.1,<13`
    project::catalogue::value: `one` is no value of `version`: it is no version
      `"one"`: this value
      help: write it as in `3.12`
    project::catalogue::value: `arm64` is no value of `platforms`: `arm64` is not a platform: it must read `os/architecture` or `os/architecture/variant`
      `"arm64"`: this value
      help: write it as in `linux/amd64`
    project::catalogue::value: `flax` is no value of `package`: no `[[framework]]` has that name
      `"flax"`: this value
      help: add one
    project::catalogue::value: `2` is no value of `frameworks`: only format 1 is known
      `2`: this value
      help: write `frameworks = 1`
    "#);
}
