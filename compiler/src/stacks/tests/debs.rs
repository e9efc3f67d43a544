//! Images whose base is made of Debian packages alone.

use cogpack_content::{Digest, Platform};
use cogpack_frontends_source::MemoryProject;
use cogpack_ir::plan::context::{DebsContext, LockedFile};
use cogpack_ir::plan::{Span, Spanned};
use cogpack_ir::syntax;

use super::{LOCK, told};
use crate::stacks::python::debs::{inputs, is_fresh, lock_text};
use crate::stacks::{BaseWish, Request, plan};

const COG_YAML: &str = "build:\n  python_version: \"3.11\"\n  system_packages: [ffmpeg=7:5.1.8-1]\nrun: \"predict.py:Predictor\"\n";

fn request(platforms: &[&str]) -> Request {
    Request {
        platforms: platforms.iter().map(|platform| platform.parse().unwrap()).collect(),
        base: Some(BaseWish::Debian),
        openapi_schema: Some("{}".to_owned()),
        ..Request::plain()
    }
}

/// A set of one package.
fn set(file: &str) -> DebsContext {
    let url = Some(Spanned::nowhere(format!("http://archive.example/{file}")));
    let locked = LockedFile { digest: Some(Digest::of(b"")), url, span: Span::NOWHERE };
    DebsContext {
        suite: Some("bookworm".to_owned()),
        packages: [(file.to_owned(), locked)].into(),
        certificates: Default::default(),
    }
}

fn project(cog_yaml: &str, debs: Option<&str>) -> MemoryProject {
    let everywhere = LOCK.replace("cp311-none-manylinux_2_28_x86_64", "py3-none-any");
    let project = MemoryProject::new([("cog.yaml", cog_yaml), ("pylock.cog.toml", &everywhere)]).unwrap();
    match debs {
        Some(debs) => project.with("debs.cog.cpk", debs.as_bytes()).unwrap(),
        None => project,
    }
}

/// The lock that is made of a project's wishes.
fn lock(cog_yaml: &str, platforms: &[&str], file: &str) -> String {
    let made = project(cog_yaml, None).plan(|source| inputs(source, &request(platforms))).unwrap().unwrap();
    let sets = made.platforms.iter().map(|platform| (platform.clone(), set(file)));
    lock_text(sets, &made)
}

#[test]
fn the_lock_is_part_of_a_plan_and_says_what_it_was_made_of() {
    insta::assert_snapshot!(lock(COG_YAML, &["linux/amd64", "linux/arm64"], "ffmpeg_5.1.8-1_all.deb"), @r#"
    cpk 1

    # Made by `cogpackc lock`.
    # inputs sha256:3f53310b44b2d193d2e164140fa13d5f87bb87ce274d6bea0bb534ff62389883

    context @linux-amd64 = debs {
      suite "bookworm"
      deb "ffmpeg_5.1.8-1_all.deb" { hash sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 url "http://archive.example/ffmpeg_5.1.8-1_all.deb" }
    }

    context @linux-arm64 = debs {
      suite "bookworm"
      deb "ffmpeg_5.1.8-1_all.deb" { hash sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 url "http://archive.example/ffmpeg_5.1.8-1_all.deb" }
    }
    "#);
    let wanted = |yaml: &str| {
        let made = project(yaml, None).plan(|source| inputs(source, &request(&["linux/amd64"])));
        let made = made.unwrap().unwrap();
        let names =
            |names: &std::collections::BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(" ");
        format!("{} {} - {} {}", made.suite, names(&made.names), names(&made.without), made.essential)
    };
    assert_eq!(
        wanted(COG_YAML),
        "bookworm base-files base-passwd ca-certificates ffmpeg python3 tini - debconf dpkg false"
    );
    // What a project runs is run by a shell, and may need anything.
    assert_eq!(
        wanted("build:\n  python_version: \"3.13\"\n  run: [make]\n"),
        "trixie base-files base-passwd ca-certificates python3 tini -  true"
    );
}

#[test]
fn a_model_stands_on_packages_alone() {
    let debs = lock(COG_YAML, &["linux/amd64", "linux/arm64"], "ffmpeg_5.1.8-1_all.deb");
    let project = project(COG_YAML, Some(&debs));
    assert!(project.plan(|source| is_fresh(source, &request(&["linux/amd64"]))).is_empty());
    let planned = project.plan(|source| plan(source, &request(&["linux/arm64"])));
    let planned = planned.unwrap_or_else(|found| panic!("{:?}", found.iter().map(told).collect::<Vec<_>>()));
    let text = syntax::print(&planned.plan);
    // No image, and nothing is run.
    assert!(!text.contains("\nimage ") && !text.contains(" run "), "{text}");
    let of = |word: &str| {
        let start = text.find(word).unwrap_or_else(|| panic!("{text}"));
        text[start..].split("\n}\n").next().unwrap().to_owned()
    };
    insta::assert_snapshot!([of("context @system"), of("stage %base"), of("export from")].join("\n"), @r#"
    context @system = debs {
      suite "bookworm"
      deb "ffmpeg_5.1.8-1_all.deb" { hash sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 url "http://archive.example/ffmpeg_5.1.8-1_all.deb" }
    stage %base in export.base from @system {
      by base-image at "debs.cog.cpk":1
      env PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    export from phase export.config {
      entrypoint ["/usr/bin/tini", "--"]
      cmd ["python", "-m", "cog.server.http"]
      expose 5000/tcp
      label run.cog.config = "{\"build\":{\"gpu\":false,\"python_version\":\"3.11\",\"sdk_version\":\"0.23.1\",\"system_packages\":[\"ffmpeg=7:5.1.8-1\"]},\"predict\":\"predict.py:Predictor\"}"
      label run.cog.has_init = "true"
      label run.cog.openapi_schema = "{}"
      label run.cog.pip_freeze = "cog==0.23.1\ntorch==2.9.0"
      label run.cog.version = "0.23.1"
    "#);
    assert!(cogpack_ir::verify::verify(planned.plan).is_ok());
    assert!(planned.why.text().contains("base: 1 Debian packages\n"), "{}", planned.why.text());
}

#[test]
fn a_patch_version_is_compared_with_the_locked_package() {
    let of = |python: &str| {
        let yaml = COG_YAML.replace("3.11", python).replace("=7:5.1.8-1", "");
        let debs = lock(&yaml, &["linux/amd64"], "python3.11_3.11.2-6+deb12u6_amd64.deb");
        let planned = project(&yaml, Some(&debs)).plan(|source| plan(source, &request(&["linux/amd64"])));
        planned.unwrap().warnings.iter().map(told).collect::<String>()
    };
    assert_eq!(of("3.11.2"), "");
    let told = of("3.11.9");
    let first = "project::python::other-patch cog.yaml: Python 3.11.9 is asked for, and the Debian packages bring Python 3.11.2";
    assert_eq!(told.lines().next(), Some(first));
}

#[test]
fn what_a_base_of_packages_lacks_is_told() {
    let told_of = |yaml: &str, debs: Option<&str>, platforms: &[&str]| {
        let planned = project(yaml, debs).plan(|source| plan(source, &request(platforms)));
        planned.err().unwrap_or_default().iter().map(told).collect::<Vec<_>>().join("\n")
    };
    let amd64 = ["linux/amd64"];
    let both = ["linux/amd64", "linux/arm64"];
    let fresh = lock(COG_YAML, &amd64, "ffmpeg_5.1.8-1_all.deb");
    let other = lock(COG_YAML, &amd64, "ffmpeg_5.1.9-1_all.deb");
    let broken = fresh.replace("context", "kontext");
    let all = [
        told_of("build:\n  python_version: \"3.12\"\n", None, &amd64),
        told_of(COG_YAML, None, &amd64),
        told_of(&COG_YAML.replace("ffmpeg", "sox"), Some(&fresh), &amd64),
        told_of(COG_YAML, Some(&fresh), &["linux/arm64"]),
        told_of(COG_YAML, Some(&fresh), &both),
        told_of(COG_YAML, Some(&other), &amd64),
        told_of(COG_YAML, Some(&broken), &amd64),
    ];
    insta::assert_snapshot!(all.join("\n"), @r#"
    project::base::debian cog.yaml: no release of Debian has Python 3.12, so no base can be made of its packages
      Debian has Python 3.11 (bookworm) and 3.13 (trixie): ask for one of these in `cog.yaml`, as in `build: { python_version: "3.13" }`, or take a base image, with `--base catalogue`
    project::debs::missing .: the Debian packages of the project are not locked: there is no `debs.cog.cpk`
      `cogpackc lock DIR --base debian` makes it: which packages in which versions, each with its hash
    project::debs::stale debs.cog.cpk: the lock of Debian packages is out of date: it was made of other packages or of another release
      `cogpackc lock DIR --base debian` makes it anew, of what the archive has now
    project::debs::platform debs.cog.cpk: the lock of Debian packages has none for linux/arm64
      `cogpackc lock DIR --base debian --platform linux/arm64` adds them, made anew for each platform named
    project::base::debian-platforms cog.yaml: a base of Debian packages is made for one platform at a time
      name one of them, with `--platform`, and build the others each by itself
    project::debs::version cog.yaml: `ffmpeg` is to be 7:5.1.8-1, and the lock has 5.1.9-1
      an archive has the latest version alone: ask for that one, or for none; or take a base image and apt
    project::debs::problem debs.cog.cpk: the lock of Debian packages cannot be read: expected a declaration, found `kontext`
      `cogpackc lock DIR --base debian` makes it anew; `cogpackc check` shows what is wrong, and where
    "#);
    // The same before anything is planned.
    let fresh_for = |debs: Option<&str>, platform: &str| {
        let found = project(COG_YAML, debs).plan(|source| is_fresh(source, &request(&[platform])));
        found.iter().map(told).collect::<Vec<_>>().join("\n").lines().next().map(str::to_owned)
    };
    let begins =
        |said: Option<String>, code: &str| assert!(said.is_some_and(|it| it.starts_with(code)), "{code}");
    begins(fresh_for(None, "linux/amd64"), "project::debs::missing .: ");
    begins(fresh_for(Some(&fresh), "linux/arm64"), "project::debs::platform debs.cog.cpk: ");
    begins(fresh_for(Some(&broken), "linux/amd64"), "project::debs::problem debs.cog.cpk: ");
    let platform: Platform = "linux/amd64".parse().unwrap();
    assert_eq!(fresh_for(Some(&fresh), &platform.to_string()), None);
}
