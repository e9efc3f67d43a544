//! Pythons that come as archives: which one is taken, and what is said of a list that is wrong.

use std::collections::BTreeSet;

use insta::assert_snapshot;
use pep440_rs::VersionSpecifiers;

use super::shown::shown;
use crate::Catalogue;

fn archive(version: &str, platform: &str, digit: char) -> String {
    let digest = String::from(digit).repeat(64);
    format!(
        "\n[[python]]\nversion = \"{version}\"\nplatform = \"{platform}\"\n\
         url = \"https://mirror.example/{version}/{platform}.tar.gz\"\ndigest = \"sha256:{digest}\"\n"
    )
}

fn catalogue(archives: &[String]) -> Catalogue {
    Catalogue::read("mine.toml", &format!("catalogue = 1\n{}", archives.concat())).unwrap()
}

fn taken(catalogue: &Catalogue, wanted: &str, platforms: &[&str]) -> Option<Vec<String>> {
    let wanted: VersionSpecifiers = wanted.parse().unwrap();
    let platforms: BTreeSet<_> = platforms.iter().map(|platform| platform.parse().unwrap()).collect();
    let (version, archives) = catalogue.python(&wanted, &platforms)?;
    assert!(archives.iter().all(|archive| archive.version == *version));
    Some(archives.iter().map(|archive| format!("{} {}", archive.url, archive.digest)).collect())
}

#[test]
fn the_newest_is_taken_that_is_there_for_all_platforms() {
    let archives = [
        archive("3.12.9", "linux/amd64", 'a'),
        archive("3.12.10", "linux/amd64", 'b'),
        archive("3.12.9", "linux/arm64", 'c'),
        archive("3.11.4", "linux/arm64", 'd'),
    ];
    let catalogue = catalogue(&archives);
    let first = |wanted: &str, platforms: &[&str]| {
        taken(&catalogue, wanted, platforms).map(|all| all.iter().map(|one| one[23..50].to_owned()).collect())
    };
    let named = |names: [&str; 1]| Some(names.map(str::to_owned).to_vec());
    assert_eq!(first("==3.12.*", &["linux/amd64"]), named(["3.12.10/linux/amd64.tar.gz "]));
    assert_eq!(
        taken(&catalogue, "==3.12.*", &["linux/amd64", "linux/arm64"]).map(|all| all.len()),
        Some(2),
        "the older one is there for both"
    );
    assert_eq!(taken(&catalogue, "==3.11.*", &["linux/amd64"]), None);
    assert_eq!(taken(&catalogue, "==3.13.*", &["linux/amd64"]), None);
}

#[test]
fn one_that_was_put_before_stands_for_another_of_the_same_version() {
    let shipped = catalogue(&[archive("3.12.9", "linux/amd64", 'a'), archive("3.13.1", "linux/amd64", 'b')]);
    let own = catalogue(&[archive("3.12.9", "linux/amd64", 'c')]);
    let both = shipped.clone().with(own);
    let digest = |wanted: &str| taken(&both, wanted, &["linux/amd64"]).unwrap()[0].clone();
    assert!(digest("==3.12.*").ends_with("cccc"));
    let older = shipped.clone().with(catalogue(&[archive("3.12.8", "linux/amd64", 'd')]));
    assert!(
        taken(&older, "==3.12.*", &["linux/amd64"]).unwrap()[0].ends_with("dddd"),
        "who lists one wants it"
    );
    assert!(digest("==3.13.*").ends_with("bbbb"));
    assert_eq!(Catalogue::read("again", &both.print()), Ok(both.clone()));
}

#[test]
fn a_mirror_stands_for_the_usual_place_and_for_no_other() {
    let shipped = Catalogue::shipped().with_python_mirror("https://mirror.example/pythons/");
    let [address] = &taken(&shipped, "==3.12.*", &["linux/amd64"]).unwrap()[..] else { panic!() };
    let (folder, file) = address.split_once("/cpython-3.12.").unwrap();
    assert!(folder.starts_with("https://mirror.example/pythons/2"), "{address}");
    assert!(file.contains("-x86_64-unknown-linux-gnu-install_only_stripped.tar.gz sha256:"), "{address}");
    let own = catalogue(&[archive("3.12.9", "linux/amd64", 'a')]);
    assert_eq!(own.clone().with_python_mirror("https://other.example"), own);
}

#[test]
fn each_python_of_the_images_is_there_for_both_platforms_too() {
    let shipped = Catalogue::shipped();
    for minor in 9..=15 {
        let wanted: VersionSpecifiers = format!("==3.{minor}.*").parse().unwrap();
        let platforms = ["linux/amd64", "linux/arm64"].map(|it| it.parse().unwrap()).into();
        let (_, archives) = shipped.python(&wanted, &platforms).unwrap();
        let digests: BTreeSet<_> = archives.iter().map(|archive| archive.digest).collect();
        assert_eq!(digests.len(), 2, "3.{minor}");
    }
}

#[test]
fn what_is_wrong_with_a_list_is_said_with_its_place() {
    let text = format!(
        "catalogue = 1\n{}{}{}{}",
        archive("3.12.9", "linux/amd64", 'a'),
        archive("3.12.9", "linux/amd64", 'b'),
        archive("three", "linux", '0').replace(&"0".repeat(64), "00").replace("url", "adress"),
        archive("3.12.8", "linux/amd64", 'c').replace("https://", "ftp://")
    );
    let findings = Catalogue::read("mine.toml", &text).expect_err("it is wrong");
    let told: String = findings.iter().map(|finding| shown(finding, &text)).collect();
    assert_snapshot!(told, @r#"
    project::catalogue::python-twice: Python 3.12.9 for linux/amd64 is listed twice
      `[[python]]`: listed again
      `[[python]]`: first listed here
      help: take one of them away: a version has one archive for a platform
    project::catalogue::value: `three` is no value of `version`: expected version to start with a number, but no leading ASCII digits were found
      `"three"`: this value
      help: for instance "3.12.12"
    project::catalogue::value: `linux` is no value of `platform`: it must read `os/architecture` or `os/architecture/variant`
      `"linux"`: this value
      help: for instance "linux/amd64"
    project::catalogue::missing: a Python has no `url`
      `[[python]]`: it is missing here
      help: add `url = …`: the address of the archive
    project::catalogue::value: `sha256:00` is no value of `digest`: `sha256:00` is not a digest: it must be `sha256:` and 64 lower-case hexadecimal digits
      `"sha256:00"`: this value
      help: `sha256:` and 64 hexadecimal digits
    project::catalogue::unknown: a Python has no key `adress`
      `adress`: nothing reads this
      help: what can stand there: `version`, `platform`, `url`, `digest`
    project::catalogue::value: `ftp://mirror.example/3.12.8/linux/amd64.tar.gz` is no value of `url`: it is no address of a web server
      `"ftp://mirror.example/3.12.8/linux/amd64.tar.gz"`: this value
      help: write it with `https://` at its start
    "#);
}
