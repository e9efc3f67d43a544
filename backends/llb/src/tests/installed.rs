//! Sets of packages that somebody has installed.

use std::collections::{BTreeMap, BTreeSet};

use bollard_buildkit_proto::pb;
use cogpack_content::Digest;
use cogpack_ir::plan::InputName;
use prost::Message as _;

use super::audit::audit;
use super::lower_with;
use crate::installed::InstalledContext;
use crate::known::Kind;
use crate::limits::Limits;
use crate::{LlbImage, listing};

const PLAN: &str = r#"cpk 1
context @system = debs {
  deb "coreutils_9.1-1_amd64.deb" {
    hash sha256:8c8ab5dbf1330f268e0f85b9ce2b82bea1c11d8d9f8cb818933289c5696c116a
  }
}
context @packages = wheels {
  python "3.11"
}
stage %app from @system {
  copy contents "lib" from @packages to "/usr/lib"
  copy "etc/passwd" from @system to "/srv/passwd"
}
export from %app
"#;

fn name(text: &str) -> InputName {
    InputName::new(text).expect("is a name")
}

fn image(system: InstalledContext, packages: InstalledContext, limits: Limits) -> LlbImage {
    let lowered = lower_with(PLAN, |llb| {
        llb.installed = BTreeMap::from([(name("system"), system), (name("packages"), packages)]);
        llb.limits = limits;
        let kind = |path: &str, kind| BTreeMap::from([(path.to_owned(), kind)]);
        llb.known.kinds.insert(name("packages"), kind("lib", Kind::Directory));
        llb.known.kinds.insert(name("system"), kind("etc/passwd", Kind::File));
    });
    let image = lowered.unwrap_or_else(|gaps| panic!("{gaps:?}"));
    let read = pb::Definition::decode(image.definition.to_bytes().as_slice()).expect("is a definition");
    assert_eq!(audit(&read), Vec::<String>::new());
    image
}

#[test]
fn a_set_is_the_image_of_a_layout() {
    let (system, packages) = (Digest::of(b"system"), Digest::of(b"packages"));
    let layout = InstalledContext::Layout;
    let image = image(layout(system), layout(packages), Limits::all());
    let listed = listing(&image);
    for (name, digest) in [("system", system), ("packages", packages)] {
        let source = format!("\n@{name} = source oci-layout://cogpack/{name}@{digest}");
        assert!(listed.contains(&source), "{listed}");
    }
    assert_eq!(image.needs.layouts, BTreeSet::from([name("packages"), name("system")]));
    assert!(image.needs.directories.is_empty());
    // What stands there is known, so nobody is made to look.
    assert!(!listed.contains("look for"), "{listed}");
    // Packages give files away, and a copy makes them root's again.
    let copy = listed.lines().find(|line| line.contains("copy \"/etc/passwd\""));
    assert!(copy.is_some_and(|line| line.contains("owner 0:0")), "{listed}");
}

#[test]
fn where_no_layout_is_read_a_set_is_an_archive_that_is_unpacked() {
    let archive = |file: &str| InstalledContext::Archive(file.to_owned());
    let image = image(archive("1.tar"), archive("2.tar"), Limits::baseline());
    let listed = listing(&image);
    for (name, file) in [("system", "1.tar"), ("packages", "2.tar")] {
        assert!(listed.contains(&format!("local.includepattern = [\"{file}\"]")), "{listed}");
        assert!(listed.contains(&format!("source local://{name}")), "{listed}");
        assert!(listed.lines().any(|line| line.contains(&format!("\"/{file}\"")) && line.contains("unpack")));
    }
    assert_eq!(image.needs.directories, BTreeSet::from([name("packages"), name("system")]));
    assert!(image.needs.layouts.is_empty());
}

#[test]
fn of_a_set_of_nothing_there_is_nothing_to_copy() {
    let installed = BTreeMap::from([
        (name("system"), InstalledContext::Layout(Digest::of(b"system"))),
        (name("packages"), InstalledContext::Empty),
    ]);
    let gaps = lower_with(PLAN, |llb| llb.installed.clone_from(&installed)).expect_err("is refused");
    assert_eq!(gaps.iter().map(|gap| gap.code).collect::<Vec<_>>(), ["cpk::unsupported::empty-source"]);
    let all = PLAN.replace("contents \"lib\"", "contents \".\"");
    let image = lower_with(&all, |llb| llb.installed = installed).unwrap_or_else(|gaps| panic!("{gaps:?}"));
    assert_eq!(image.needs.layouts, BTreeSet::from([name("system")]));
}
