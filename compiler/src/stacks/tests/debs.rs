//! Images whose base is made of Debian packages alone.

use cogpack_catalogue::Catalogue;
use cogpack_content::{Digest, Platform};
use cogpack_frontends_source::MemoryProject;
use cogpack_ir::plan::context::{DebsContext, LockedFile};
use cogpack_ir::plan::{Span, Spanned};
use cogpack_ir::syntax;

use super::{LOCK, plan, told};
use crate::stacks::python::debs::{inputs, is_fresh, lock_text};
use crate::stacks::{BaseWish, Request};

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
        archives: Default::default(),
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
    # inputs sha256:1f20aef24304b8066d3e07f5af9e119877f1eaf361fcabccf0c1d5d6c89c73bf

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
        "bookworm base-files base-passwd ca-certificates ffmpeg libstdc++6 python3 tini - debconf dpkg false"
    );
    // What a project runs is run by a shell, and may need anything.
    assert_eq!(
        wanted("build:\n  python_version: \"3.13\"\n  run: [make]\n"),
        "trixie base-files base-passwd ca-certificates libstdc++6 python3 tini -  true"
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

/// The lock of a Python that comes on demand: of the newest release, with what that Python needs.
fn lock_on_demand(yaml: &str, request: &Request) -> String {
    let made = project(yaml, None).plan(|source| inputs(source, request)).unwrap().unwrap();
    let names = made.names.iter().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(
        (made.suite, names.as_str()),
        (
            "trixie",
            "base-files base-passwd ca-certificates libc6 libcrypt1 libstdc++6 media-types netbase tini tzdata zlib1g"
        )
    );
    let of_trixie = || DebsContext { suite: Some("trixie".to_owned()), ..set("libc6_2.41-12_amd64.deb") };
    lock_text(made.platforms.iter().map(|platform| (platform.clone(), of_trixie())), &made)
}

/// The plan of a project for one machine, and why it is as it is.
fn on_demand(yaml: &str, request: &Request) -> (String, String) {
    let debs = lock_on_demand(yaml, request);
    let everywhere =
        LOCK.replace("cp311-none-manylinux_2_28_x86_64", "py3-none-any").replace(">=3.11", ">=3.9");
    let files = [("cog.yaml", yaml), ("pylock.cog.toml", &everywhere), ("debs.cog.cpk", &debs)];
    let planned = MemoryProject::new(files).unwrap().plan(|source| plan(source, request));
    let planned = planned.unwrap_or_else(|found| panic!("{:?}", found.iter().map(told).collect::<Vec<_>>()));
    assert_eq!(planned.warnings.iter().map(told).collect::<String>(), "");
    let (text, why) = (syntax::print(&planned.plan), planned.why.text());
    assert_eq!(syntax::parse(&text).plan, planned.plan);
    assert!(cogpack_ir::verify::verify(planned.plan).is_ok(), "{text}");
    (text, why)
}

const ON_DEMAND: &str = "build:\n  python_version: \"3.12\"\nrun: \"predict.py:Predictor\"\n";

#[test]
fn a_python_that_debian_lacks_lies_beside_its_packages() {
    let (text, why) = on_demand(ON_DEMAND, &request(&["linux/amd64"]));
    // No image, and nothing is run.
    assert!(!text.contains("\nimage ") && !text.contains(" run ") && !text.contains("exec "), "{text}");
    let of = |word: &str| {
        let start = text.find(word).unwrap_or_else(|| panic!("{text}"));
        text[start..].split("\n}\n").next().unwrap().to_owned()
    };
    insta::assert_snapshot!([of("context @system"), of("context @packages"), of("stage %base"), of("stage %python ")].join("\n"), @r#"
    context @system = debs {
      suite "trixie"
      deb "libc6_2.41-12_amd64.deb" { hash sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 url "http://archive.example/libc6_2.41-12_amd64.deb" }
      archive "cpython-3.12.16+20261110-x86_64-unknown-linux-gnu-install_only_stripped.tar.gz" at /opt/python { hash sha256:6a9e62dad033790aef722dbd370e0ce76ce17b73627ba3ae679f537049350b39 url "https://github.com/astral-sh/python-build-standalone/releases/download/20261110/cpython-3.12.16%2B20261110-x86_64-unknown-linux-gnu-install_only_stripped.tar.gz" }
    context @packages = wheels {
      python "3.12"
      interpreter "/venv/bin/python"
      wheel "cog-0.23.1-py3-none-any.whl" { hash sha256:f7e0abab1028d83789f87d86dc30f82c3335085dc8abbe62bbc3dcb073976ed5 url "https://files.example/cog-0.23.1-py3-none-any.whl" }
    stage %base in export.base from @system {
      by base-image at "debs.cog.cpk":1
      env PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    stage %python in export.runtime {
      provides python
      by python at "cog.yaml":2
      layer venv {
        file "/venv/pyvenv.cfg" = """
          home = /opt/python/bin
          include-system-site-packages = false
          version = 3.12

          """
        symlink "/opt/python/bin/python3.12" at /venv/bin/python
        symlink "python" at /venv/bin/python3
        symlink "python" at /venv/bin/python3.12
      }
      env VIRTUAL_ENV = "/venv"
      env prepend PATH "/venv/bin"
    "#);
    let told = "Python on demand: 3.12.16, unpacked to `/opt/python`\n  no release of Debian has Python 3.12, and this archive \
                of it has a hash\n";
    assert!(why.contains(told), "{why}");
    assert!(
        why.contains("interpreter: nothing to do: the Python lies beside the packages of the base"),
        "{why}"
    );
}

#[test]
fn another_python_and_another_machine_are_another_archive() {
    let of = |python: &str, platform: &str| {
        let (text, _) = on_demand(&ON_DEMAND.replace("3.12", python), &request(&[platform]));
        let start = text.find("  archive ").unwrap_or_else(|| panic!("{text}"));
        text[start..].lines().next().unwrap().split(" {").next().unwrap().trim().to_owned()
    };
    let all = [of("3.10", "linux/amd64"), of("3.12", "linux/arm64"), of("3.13.18", "linux/amd64")];
    insta::assert_snapshot!(all.join("\n"), @r#"
    archive "cpython-3.10.22+20261009-x86_64-unknown-linux-gnu-install_only_stripped.tar.gz" at /opt/python
    archive "cpython-3.12.16+20261110-aarch64-unknown-linux-gnu-install_only_stripped.tar.gz" at /opt/python
    archive "cpython-3.13.18+20261110-x86_64-unknown-linux-gnu-install_only_stripped.tar.gz" at /opt/python
    "#);
    // Byte code is made of its own modules too, which come without any.
    let precompiled = Request { precompile: true, ..request(&["linux/amd64"]) };
    let (text, _) = on_demand(&ON_DEMAND.replace("3.12", "3.10"), &precompiled);
    assert!(text.contains("\"/opt/python/lib/python3.10\""), "{text}");
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
    let (bare, of_bare) =
        (project(ON_DEMAND, None), Request { catalogue: Catalogue::default(), ..request(&both) });
    let all = [
        bare.plan(|source| plan(source, &of_bare)).unwrap_err().iter().map(told).collect(),
        told_of(COG_YAML, None, &amd64),
        told_of(&COG_YAML.replace("ffmpeg", "sox"), Some(&fresh), &amd64),
        told_of(COG_YAML, Some(&fresh), &["linux/arm64"]),
        told_of(COG_YAML, Some(&fresh), &both),
        told_of(COG_YAML, Some(&other), &amd64),
        told_of(COG_YAML, Some(&broken), &amd64),
    ];
    insta::assert_snapshot!(all.join("\n"), @r#"
    project::base::debian cog.yaml: no release of Debian has Python 3.12, and no catalogue an archive of it for linux/amd64 and linux/arm64
      Debian has Python 3.11 (bookworm) and 3.13 (trixie): ask for one of these in `cog.yaml`, as in `build: { python_version: "3.13" }`; or name an archive of 3.12, as a `[[python]]` of a catalogue of your own, with `--catalogue FILE`; or take a base image, with `--base catalogue`
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
