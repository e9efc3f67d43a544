//! Packages as they are read and put beside each other.

#[allow(dead_code, reason = "others make more of them")]
mod build;

use std::io;

use tar::EntryType;

use crate::package::{Package, PackageProblem, read};
use crate::root::{Bytes, PlacedKind};
use crate::set::{DebSet, check_scripts};

use build::Builder;

/// The unpacked packages of a test.
struct Unpacked(Vec<Vec<u8>>);

impl Bytes for Unpacked {
    fn read_at(&self, package: usize, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let start = usize::try_from(offset).expect("is small");
        Ok(self.0[package][start..start + length].to_vec())
    }
}

fn read_one(deb: &Builder) -> Result<(Package, Vec<u8>), PackageProblem> {
    let mut data = Vec::new();
    let name = deb.file_name().parse().expect("is a name");
    Ok((read(&name, &deb.bytes()[..], &mut data)?, data))
}

/// What stands in the root of packages, a line each; links with what they say, files with their text.
fn root_of(debs: &[Builder]) -> Result<Vec<String>, String> {
    let read: Vec<_> = debs.iter().map(|deb| read_one(deb).expect("can be read")).collect();
    let (packages, data): (Vec<_>, Vec<_>) = read.into_iter().unzip();
    assert!(packages.iter().all(|package| check_scripts(package).is_empty()));
    let bytes = Unpacked(data);
    let set = DebSet::join(&packages, "amd64", &bytes).map_err(|problem| problem.to_string())?;
    let line = |(path, placed): (&Vec<u8>, &crate::root::Placed)| {
        let path = String::from_utf8_lossy(path).into_owned();
        let read = || set.root().read(path.as_bytes(), &bytes).expect("can be read").unwrap_or_default();
        match &placed.kind {
            PlacedKind::Directory => format!("{path}/"),
            PlacedKind::Symlink(target) => format!("{path} -> {}", String::from_utf8_lossy(target)),
            PlacedKind::Packed(_) | PlacedKind::Made(_) => {
                format!("{path}: {}", String::from_utf8_lossy(&read()))
            }
        }
    };
    let skipped = |line: &String| !line.starts_with("var") && !line.ends_with('/');
    Ok(set.root().placed.iter().map(line).filter(skipped).collect())
}

#[test]
fn usr_is_merged_and_alternatives_lead_somewhere() {
    let awk = "# Automatically added by dh_installalternatives/13\nupdate-alternatives --install /usr/bin/awk awk /usr/bin/mawk 5 --slave /usr/share/man/awk.1 awk.1 /usr/share/man/mawk.1\n# End automatically added section\n";
    let mawk = Builder::named("mawk").file("./bin/mawk", "mawk").script("postinst", awk);
    assert_eq!(
        root_of(&[mawk]).expect("fits"),
        [
            "bin -> usr/bin",
            "etc/alternatives/awk -> /usr/bin/mawk",
            "lib -> usr/lib",
            "sbin -> usr/sbin",
            "usr/bin/awk -> /etc/alternatives/awk",
            "usr/bin/mawk: mawk",
        ]
    );
}

#[test]
fn what_stands_below_a_file_is_refused() {
    let one = Builder::named("one").file("usr/share/a", "1");
    let two = Builder::named("two").file("usr/share/a/b", "2");
    assert_eq!(
        root_of(&[one, two]),
        Err("the package `two_1.0_all.deb` brings `/usr/share/a/b`, below what is no directory".to_owned())
    );
}

#[test]
fn what_could_leave_the_root_is_refused() {
    let said = |deb: Builder| read_one(&deb).map(|_| ()).map_err(|problem| problem.to_string());
    let named = || Builder::named("bad");
    assert_eq!(
        said(named().file("../../etc/passwd", "")),
        Err("`../../etc/passwd` is no path inside of the root".to_owned())
    );
    assert!(said(named().hard_link("usr/a", "../../etc/shadow")).is_err());
    assert_eq!(
        said(named().entry("dev/null", EntryType::Char, "")),
        Err("`dev/null` is neither file, directory nor link".to_owned())
    );
    // An absolute path is one inside.
    assert_eq!(said(named().file("/etc/a", "")), Ok(()));
    let foreign = root_of(&[Builder::named("bad").hard_link("usr/a", "etc/shadow")]);
    assert_eq!(
        foreign,
        Err("the package `bad_1.0_all.deb` brings `/usr/a` as another name of a file that it does not bring"
            .to_owned())
    );
}

#[test]
fn cut_packages_are_refused() {
    let whole = Builder::named("a").file("usr/a", &"text ".repeat(5000)).bytes();
    // All but what fills the last member up.
    for length in 0..whole.len() - 1 {
        let name = "a_1.0_all.deb".parse().expect("is a name");
        assert!(read(&name, &whole[..length], &mut Vec::new()).is_err(), "{length}");
    }
}
