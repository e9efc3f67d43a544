//! Wheels that are made here are installed here, and looked at file by file.

mod build;
mod hostile;
mod lock;

use std::io::Read;

use cogpack_backends_contract::content::Content;
use cogpack_backends_contract::tree::{Node, text};
use cogpack_ir::plan::InputName;

use crate::archive::Archive;
use crate::checked::Checked;
use crate::install::{Environment, Installed, InstalledBytes, InvalidWheel, install, unreadable};
use crate::set::{SetProblem, WheelSet};
use crate::target::Target;
use crate::zip::ZipWheel;

use build::Builder;

fn environment() -> Environment {
    let python = "3.11".parse().expect("is a release");
    let platform = "linux/amd64".parse().expect("is a platform");
    Environment {
        python,
        interpreter: "/venv/bin/python".to_owned(),
        targets: vec![Target { python, platform }],
    }
}

fn installed_bytes(name: &str, bytes: Vec<u8>) -> Result<(ZipWheel<Vec<u8>>, Installed), InvalidWheel> {
    let name = name.parse().expect("is the name of a wheel");
    let length = bytes.len() as u64;
    let archive = ZipWheel::read(bytes, length).map_err(|invalid| unreadable(&name, invalid))?;
    let installed = install(&name, &archive, &environment())?;
    Ok((archive, installed))
}

fn installed(wheel: Builder) -> Result<(ZipWheel<Vec<u8>>, Installed), InvalidWheel> {
    installed_bytes(&wheel.name.clone(), wheel.bytes())
}

/// All that a wheel installs, as `MODE PATH` with the text below it.
fn listing(wheel: Builder) -> String {
    let (archive, installed) = installed(wheel).expect("is a good wheel");
    let mut listing = String::new();
    for (path, file) in &installed.files {
        let mode = if file.is_executable { "755" } else { "644" };
        let text = match &file.bytes {
            InstalledBytes::Made(made) => String::from_utf8_lossy(&made.0).into_owned(),
            InstalledBytes::Entry { index, digest, .. } => {
                let mut text = String::new();
                let opened = archive.open(*index).expect("can be opened");
                Checked::new(opened, digest.expect("has a digest"))
                    .read_to_string(&mut text)
                    .expect("is what it should be");
                text
            }
        };
        listing.push_str(&format!("{mode} {path}\n"));
        for line in text.lines() {
            listing.push_str(&format!("      {line}\n"));
        }
    }
    listing
}

#[test]
fn every_part_of_a_wheel_lands_in_its_place() {
    let wheel = Builder::demo()
        .file("demo-1.0.data/purelib/pure.py", "pure")
        .file("demo-1.0.data/platlib/plat.py", "plat")
        .file("demo-1.0.data/scripts/run", "#!python\nprint()\n")
        .file("demo-1.0.data/scripts/tool", "not a script")
        .file("demo-1.0.data/scripts/made", "an old form of the program below")
        .file("demo-1.0.data/headers/demo.h", "header")
        .file("demo-1.0.data/data/share/demo/a,b", "data")
        .with_mode("demo/tool.sh", "executable", 0o100_700)
        .file("demo/", "")
        .info("entry_points.txt", "[console_scripts]\nmade = demo.cli:App.main\n");
    insta::assert_snapshot!(listing(wheel), @r#"
    755 bin/made
          #!/venv/bin/python
          # -*- coding: utf-8 -*-
          import sys
          from demo.cli import App
          if __name__ == "__main__":
              if sys.argv[0].endswith("-script.pyw"):
                  sys.argv[0] = sys.argv[0][:-11]
              elif sys.argv[0].endswith(".exe"):
                  sys.argv[0] = sys.argv[0][:-4]
              sys.exit(App.main())
    755 bin/run
          #!/venv/bin/python
          print()
    755 bin/tool
          not a script
    644 include/site/python3.11/demo/demo.h
          header
    644 lib/python3.11/site-packages/demo-1.0.dist-info/INSTALLER
          cogpackc
    644 lib/python3.11/site-packages/demo-1.0.dist-info/METADATA
          Metadata-Version: 2.1
          Name: demo
          Version: 1.0
    644 lib/python3.11/site-packages/demo-1.0.dist-info/RECORD
          ../../../bin/made,sha256=3Vj_d7IcpSDhKZVwuat-rQzDUId-BzFr1w9BR_oXFzE,293
          ../../../bin/run,sha256=JjU-MTitzMVfJcXLSMRNfEVrN_J84FMtYXDt7YPyio0,27
          ../../../bin/tool,sha256=u1CCeEUElhjMzoVIOsG-DMOlRakvyynERxPaM68l1Bk,12
          ../../../include/site/python3.11/demo/demo.h,sha256=HgWEol2fQ79cvQrsAesa8iIO0IW05_GDew2JlYyuNTo,6
          "../../../share/demo/a,b",sha256=Om6weQ85rIfJTzhWst0sXREOaBFgImGpqSPTuyOtyLc,4
          demo-1.0.dist-info/INSTALLER,sha256=NXbjrcqlLlkfhcuMUhBcWZqukybgHUwPt5UwAn_ifWQ,8
          demo-1.0.dist-info/METADATA,sha256=NKonpgZPlYtBt4GiF_KQ_Qq1-WUeK25Kzas0G3uTwwU,46
          demo-1.0.dist-info/RECORD,,
          demo-1.0.dist-info/REQUESTED,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0
          demo-1.0.dist-info/WHEEL,sha256=pOC2U1k6hCf_vkZe7h2snGRWx-C20Xjuc3a02KQn2OY,41
          demo-1.0.dist-info/entry_points.txt,sha256=03cfMQ5PZXmtkLWQfp2c3ve0CKQl9fy6xFMRC8trwco,43
          demo/__init__.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0
          demo/tool.sh,sha256=opwhI6Ad8dD-u50wiiDYov49QKkcqLEpT1nwj5dz6-o,10
          plat.py,sha256=zmkRjSVyRoq378C8FIAnnnxi9ZTYk2mYjO9SSp-kApA,4
          pure.py,sha256=uLoux-kHE8EEN3gWSvMlCCCUPCFlyfGfopmH4Baq5d0,4
    644 lib/python3.11/site-packages/demo-1.0.dist-info/REQUESTED
    644 lib/python3.11/site-packages/demo-1.0.dist-info/WHEEL
          Wheel-Version: 1.0
          Root-Is-Purelib: true
    644 lib/python3.11/site-packages/demo-1.0.dist-info/entry_points.txt
          [console_scripts]
          made = demo.cli:App.main
    644 lib/python3.11/site-packages/demo/__init__.py
    755 lib/python3.11/site-packages/demo/tool.sh
          executable
    644 lib/python3.11/site-packages/plat.py
          plat
    644 lib/python3.11/site-packages/pure.py
          pure
    644 share/demo/a,b
          data
    "#);
}

#[test]
fn wheels_of_one_namespace_share_directories_and_equal_files() {
    let one = Builder::named("one", "py3-none-any").file("space/one/a.py", "a").file("space/__init__.py", "");
    let two = Builder::named("two", "py3-none-any").file("space/two/b.py", "b").file("space/__init__.py", "");
    let wheels = [one, two].map(|wheel| installed(wheel).expect("is a good wheel").1);
    let set = WheelSet::join(wheels.to_vec(), &environment().targets).expect("fit together");
    let context = InputName::new("packages").expect("is a name");
    let tree = set.tree(&context).expect("is a tree");
    let mut paths = Vec::new();
    for (path, node) in tree.walk() {
        if let Node::File { content, .. } = node {
            let origin = set.origin(text(&path).trim_start_matches('/'));
            assert_eq!(origin.is_some(), matches!(content, Content::Context(_)), "{}", text(&path));
            paths.push(text(&path));
        }
    }
    paths.retain(|path| path.contains("/space/"));
    assert_eq!(
        paths,
        [
            "/lib/python3.11/site-packages/space/__init__.py",
            "/lib/python3.11/site-packages/space/one/a.py",
            "/lib/python3.11/site-packages/space/two/b.py",
        ]
    );
    assert_eq!(set.origin("lib/python3.11/site-packages/space/three.py"), None);
}

#[test]
fn wheels_that_do_not_go_together_are_an_error_that_names_both() {
    let other = |package: &str, tags: &str| Builder::named(package, tags);
    let any = "py3-none-any";
    let cases = [
        (
            other("one", any).file("a.py", "1"),
            other("two", any).file("a.py", "2"),
            "the wheels `one-1.0-py3-none-any.whl` and `two-1.0-py3-none-any.whl` have different files for `lib/python3.11/site-packages/a.py`",
        ),
        (
            other("one", any).file("a.py", "1"),
            other("two", any).with_mode("a.py", "1", 0o100_755),
            "the wheels `one-1.0-py3-none-any.whl` and `two-1.0-py3-none-any.whl` have different files for `lib/python3.11/site-packages/a.py`",
        ),
        (
            other("one", any).file("two-1.0.data/data/bin/x", "1").file("a/b.py", "1"),
            other("two", any).file("a", "2"),
            "`lib/python3.11/site-packages/a` is a file of the wheel `two-1.0-py3-none-any.whl`, and a directory of the wheel `one-1.0-py3-none-any.whl`",
        ),
        (
            other("one", any),
            other("one", "py3-none-linux_x86_64"),
            "the wheels `one-1.0-py3-none-any.whl` and `one-1.0-py3-none-linux_x86_64.whl` are of one package",
        ),
        (
            other("one", "py3-none-musllinux_1_2_x86_64"),
            other("two", "py3-none-manylinux_2_17_x86_64"),
            "the wheel `two-1.0-py3-none-manylinux_2_17_x86_64.whl` is for glibc and the wheel `one-1.0-py3-none-musllinux_1_2_x86_64.whl` for musl, and an image has one C library",
        ),
    ];
    for (one, two, why) in cases {
        let wheels = [two, one].map(|wheel| installed(wheel).expect("is a good wheel").1);
        let problem: SetProblem =
            WheelSet::join(wheels.to_vec(), &environment().targets).expect_err("do not go together");
        assert_eq!(problem.to_string(), why);
    }
}
