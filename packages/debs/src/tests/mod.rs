//! Packages as they are read and put beside each other.

#[allow(dead_code, reason = "others make more of them")]
mod build;

use std::collections::BTreeMap;
use std::io;

use cogpack_backends_contract::content::Content;
use cogpack_backends_contract::context_layers::ContextLayer;
use cogpack_backends_contract::tree::{Node, Tree, text};
use cogpack_ir::plan::context::LocalCertificate;
use cogpack_ir::plan::{InputName, Span};
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
    root_with(debs, &BTreeMap::new())
}

/// The same of a system that trusts these certificates too.
fn root_with(
    debs: &[Builder],
    certificates: &BTreeMap<String, LocalCertificate>,
) -> Result<Vec<String>, String> {
    let read: Vec<_> = debs.iter().map(|deb| read_one(deb).expect("can be read")).collect();
    let (packages, data): (Vec<_>, Vec<_>) = read.into_iter().unzip();
    assert!(packages.iter().all(|package| check_scripts(package).is_empty()));
    let bytes = Unpacked(data);
    let set =
        DebSet::join(&packages, certificates, "amd64", &bytes).map_err(|problem| problem.to_string())?;
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
fn a_package_has_others_bring_elsewhere_what_it_diverts() {
    // As it stands in Debian 12.
    let preinst = "#!/bin/sh\nset -e\n\nvimcur=\"vim90\"\nbasedir=/usr/share/vim/$vimcur/doc\n\nadd_diversion() {\n  dpkg-divert --package vim-runtime --add --rename \\\n    --divert \"$1.vim-tiny\" \"$1\"\n}\n\nmajor_upgrade() {\n  oldver=\"${1#?:}\"\n  oldver=\"vim$(echo ${oldver%.*-*} | sed 's/\\.//g')\"\n  [ \"$oldver\" != \"$vimcur\" ]\n}\n\n# Add diversions for any non-upgrade operation or when upgrading across major\n# upstream versions.\nif [ \"$1\" != \"upgrade\" ] || major_upgrade $2; then\n  add_diversion $basedir/help.txt\n  add_diversion $basedir/tags\nfi\n\n\n\nexit 0\n";
    let help = "usr/share/vim/vim90/doc/help.txt";
    let runtime = || Builder::named("vim-runtime").file(&format!("./{help}"), "all");
    let tiny = || Builder::named("vim-tiny").file(&format!("./{help}"), "little");
    let help_in = |debs: &[Builder]| -> Result<Vec<String>, String> {
        Ok(root_of(debs)?.into_iter().filter(|line| line.starts_with(help)).collect())
    };
    let both = help_in(&[runtime().script("preinst", preinst), tiny()]);
    assert_eq!(both, Ok(vec![format!("{help}: all"), format!("{help}.vim-tiny: little")]));
    assert_eq!(help_in(&[tiny()]), Ok(vec![format!("{help}: little")]), "nobody diverts it");
    let refused = help_in(&[runtime(), tiny()]).expect_err("both bring it");
    assert!(refused.contains("both bring"), "{refused}");
}

/// Certificates of nobody, made by `openssl req -x509`, which says these hashes of their subjects:
/// cdf31a01 and b38f2e57.
const OF_PACKAGE: &str = include_str!("../../../../content/src/certificate/tests/one.pem");
const OWN: &str = include_str!("../../../../content/src/certificate/tests/other.pem");

#[test]
fn a_system_trusts_its_own_authorities_beside_those_of_packages() {
    let packaged =
        || Builder::named("ca-certificates").file("usr/share/ca-certificates/mozilla/An (A).crt", OF_PACKAGE);
    let own = [("own.crt".to_owned(), LocalCertificate { text: OWN.to_owned(), span: Span::NOWHERE })].into();
    let certificates = |debs: &[Builder]| -> Vec<String> {
        let lines = root_with(debs, &own).expect("fits");
        lines.into_iter().filter(|line| line.contains("cert")).collect()
    };
    assert_eq!(
        certificates(&[packaged()]),
        [
            "etc/ca-certificates.conf: mozilla/An (A).crt\n",
            "etc/ssl/certs/An_=A=.pem -> /usr/share/ca-certificates/mozilla/An (A).crt",
            "etc/ssl/certs/b38f2e57.0 -> own.pem",
            &format!("etc/ssl/certs/ca-certificates.crt: {OF_PACKAGE}{OWN}"),
            "etc/ssl/certs/cdf31a01.0 -> An_=A=.pem",
            "etc/ssl/certs/own.pem -> /usr/local/share/ca-certificates/own.crt",
            &format!("usr/local/share/ca-certificates/own.crt: {OWN}"),
            &format!("usr/share/ca-certificates/mozilla/An (A).crt: {OF_PACKAGE}"),
        ]
    );
    // Without a package of them these alone.
    let alone = certificates(&[]);
    assert!(alone.contains(&format!("etc/ssl/certs/ca-certificates.crt: {OWN}")), "{alone:?}");
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

/// The layers of packages, each as its name and its paths.
fn groups_of(debs: &[Builder]) -> Vec<(String, Vec<String>)> {
    let read: Vec<_> = debs.iter().map(|deb| read_one(deb).expect("can be read")).collect();
    let (packages, data): (Vec<_>, Vec<_>) = read.into_iter().unzip();
    let set = DebSet::join(&packages, &BTreeMap::new(), "amd64", &Unpacked(data)).expect("fits");
    let name = InputName::new("system").expect("is a name");
    let layers = set.layers(&name).expect("have trees");
    // Laid over each other they are the whole.
    let mut whole = Tree::empty();
    for layer in &layers {
        whole.overlay(&layer.tree);
    }
    let paths = |tree: &Tree<Content>| -> Vec<String> {
        tree.walk().into_iter().map(|(path, node)| format!("{} {node:?}", text(&path))).collect()
    };
    assert_eq!(paths(&whole), paths(&set.tree(&name).expect("is a tree")));
    let shown = |layer: &ContextLayer| {
        let files = layer.tree.walk().into_iter().filter(|(_, node)| !matches!(node, Node::Directory(_)));
        (layer.what.clone(), files.map(|(path, _)| text(&path)).collect())
    };
    layers.iter().map(shown).collect()
}

#[test]
fn a_large_package_is_a_layer_of_its_own_whoever_is_beside_it() {
    let large = || {
        Builder::named("large")
            .file("usr/lib/large", &"large ".repeat(200_000))
            .entry("usr/share/both/", EntryType::Directory, "")
            .symlink("usr/share/link", "both")
    };
    let shared = |name: &str| {
        Builder::named(name)
            .file(&format!("usr/bin/{name}"), name)
            .entry("usr/share/both/", EntryType::Directory, "")
            .symlink("usr/share/link", "both")
    };
    let alone = groups_of(&[large()]);
    let among = groups_of(&[shared("a"), large(), shared("z")]);
    let own = [
        "/usr/lib/large",
        "/usr/share/link",
        "/var/lib/dpkg/status.d/large",
        "/var/lib/dpkg/status.d/large.md5sums",
    ];
    assert_eq!(alone[0], ("large 1.0".to_owned(), own.map(str::to_owned).to_vec()));
    assert_eq!(alone[0], among[0]);
    let names = |groups: &[(String, Vec<String>)]| groups.iter().map(|it| it.0.clone()).collect::<Vec<_>>();
    assert_eq!(names(&alone), ["large 1.0", "what is made of the packages"]);
    assert_eq!(names(&among), ["large 1.0", "2 small packages", "what is made of the packages"]);
    assert_eq!(among[2].1, ["/bin", "/lib", "/sbin"]);
}

#[test]
fn what_a_package_lost_to_another_is_no_part_of_its_layer() {
    let old = Builder::named("old").file("usr/bin/tool", &"old ".repeat(400_000)).file("usr/old", "1");
    let new = Builder::named("zz").field("Replaces", "old").file("usr/bin/tool", "new");
    let groups = groups_of(&[old, new]);
    assert!(!groups[0].1.contains(&"/usr/bin/tool".to_owned()), "{groups:?}");
    assert!(groups[1].1.contains(&"/usr/bin/tool".to_owned()), "{groups:?}");
}

#[test]
fn there_are_never_more_layers_than_engines_take() {
    let debs: Vec<Builder> = (10..93)
        .map(|number| {
            let name = format!("p{number}");
            // The last ones are the largest.
            Builder::named(&name).file(&format!("usr/{name}"), &"word".repeat(300_000 + number))
        })
        .collect();
    let groups = groups_of(&debs);
    assert_eq!(groups.len(), 82);
    assert_eq!((&*groups[0].0, &*groups[80].0), ("p13 1.0", "3 small packages"));
}
