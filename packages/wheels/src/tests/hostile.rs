//! Wheels that lie, or want to get out: each is refused by an error that names the wheel and the
//! file in it, before anything of it is used.

use std::io::Read;

use crate::archive::Archive;
use crate::checked::Checked;
use crate::install::InstalledBytes;

use super::build::{Builder, Field, number, patch};
use super::{installed, installed_bytes};

fn refused(wheel: Builder) -> String {
    installed(wheel).expect_err("is a bad wheel").to_string()
}

fn refused_bytes(bytes: Vec<u8>) -> String {
    installed_bytes("demo-1.0-py3-none-any.whl", bytes).expect_err("is a bad wheel").to_string()
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let long = "n".repeat(256);
    for (name, why) in [
        (&b"../out.py"[..], "its name has `..` in it"),
        (b"demo/../../out.py", "its name has `..` in it"),
        (b"demo-1.0.data/scripts/../../out", "its name has `..` in it"),
        (b"/etc/passwd", "its name is absolute"),
        (b"demo\\..\\out.py", "its name has a backslash"),
        (b"demo//a.py", "its name has a part that names nothing"),
        (b"./a.py", "its name has a part that names nothing"),
        (b"../", "its name has `..` in it"),
        (b"a\0b", "its name has a control character"),
        (b"a\nb", "its name has a control character"),
        (b"a\xff", "its name is not UTF-8"),
        (long.as_bytes(), "its name is longer than filesystems take"),
    ] {
        let shown = String::from_utf8_lossy(name).into_owned();
        let expected = format!("`{shown}` in the wheel `demo-1.0-py3-none-any.whl`: {why}");
        assert_eq!(refused(Builder::demo().raw(name, b"")), expected);
    }
}

#[test]
fn what_is_no_file_is_refused() {
    for (mode, why) in [
        (0o120_777, "it is a symbolic link, and wheels hold files only"),
        (0o040_755, "it is a directory under the name of a file, and wheels hold files only"),
        (0o020_666, "it is a device, and wheels hold files only"),
        (0o010_666, "it is a named pipe, and wheels hold files only"),
    ] {
        assert_eq!(
            refused(Builder::demo().with_mode("demo/x", "/etc/passwd", mode)),
            format!("`demo/x` in the wheel `demo-1.0-py3-none-any.whl`: {why}")
        );
    }
}

#[test]
fn files_in_each_others_way_are_refused() {
    for (wheel, why) in [
        (
            Builder::demo().file("demo/a", "1").file("demo/a", "1"),
            "`demo/a` in the wheel `demo-1.0-py3-none-any.whl`: it is there twice",
        ),
        (
            Builder::demo().file("demo/a", "1").file("demo/a/b", "1"),
            "`demo/a` in the wheel `demo-1.0-py3-none-any.whl`: it is a file and a directory at once",
        ),
        (
            Builder::demo().file("demo/a", "1").file("demo/a/", ""),
            "`demo/a` in the wheel `demo-1.0-py3-none-any.whl`: it is a file and a directory at once",
        ),
        (
            Builder::demo().file("demo-1.0.data/purelib/demo/__init__.py", "other"),
            "`demo-1.0.data/purelib/demo/__init__.py` in the wheel `demo-1.0-py3-none-any.whl`: it lands on `lib/python3.11/site-packages/demo/__init__.py`, and so does another file of the wheel",
        ),
        (
            Builder::demo().file("demo-1.0.data/system/x", ""),
            "`demo-1.0.data/system/x` in the wheel `demo-1.0-py3-none-any.whl`: it is in no part of `demo-1.0.data` that is known: `purelib`, `platlib`, `scripts`, `headers`, `data`",
        ),
    ] {
        assert_eq!(refused(wheel), why);
    }
}

#[test]
fn archives_that_lie_about_themselves_are_refused() {
    let path = "demo/__init__.py";
    let good = Builder::demo().without(path).file(path, "text\n").bytes();
    let with = |field, value| {
        let mut bytes = good.clone();
        patch(&mut bytes, path, field, value);
        refused_bytes(bytes)
    };
    let of_the_file = |why: &str| format!("`{path}` in the wheel `demo-1.0-py3-none-any.whl`: {why}");
    let method_and_time = |method: u32| number(&good, path, Field::Method) & 0xffff_0000 | method;
    assert_eq!(
        with(Field::Method, method_and_time(12)),
        of_the_file(
            "it is compressed by the method 12 (BZIP2), and the files of wheels are stored or deflated"
        )
    );
    let flags = number(&good, path, Field::Flags) | 1;
    assert_eq!(with(Field::Flags, flags), of_the_file("it is encrypted"));
    assert!(
        with(Field::Unpacked, u32::MAX - 1).ends_with("more than 200 times those of the archive"),
        "{}",
        with(Field::Unpacked, u32::MAX - 1)
    );
    let other = number(&good, "demo-1.0.dist-info/WHEEL", Field::Header);
    assert_eq!(
        with(Field::Header, other),
        of_the_file("the archive calls it `demo-1.0.dist-info/WHEEL` in another place")
    );
    // The first file's bytes reach into the second one's.
    let mut bytes = good.clone();
    patch(&mut bytes, "demo-1.0.dist-info/WHEEL", Field::Packed, 400);
    assert_eq!(
        refused_bytes(bytes),
        "`demo-1.0.dist-info/METADATA` in the wheel `demo-1.0-py3-none-any.whl`: its bytes in the archive are those of another file too"
    );
    for cut in [0, 1, 21, 22, good.len() / 2, good.len() - 1] {
        let why = refused_bytes(good[..cut].to_vec());
        assert!(why.starts_with("the wheel `demo-1.0-py3-none-any.whl`: it is not a zip archive"), "{why}");
    }
}

#[test]
fn bytes_that_are_not_those_promised_are_found_when_they_are_read() {
    let path = "demo/__init__.py";
    let wheel = Builder::demo().without(path).file(path, "some text\n");
    let read = |bytes: Vec<u8>| {
        let (archive, installed) = installed_bytes("demo-1.0-py3-none-any.whl", bytes)?;
        let place = "lib/python3.11/site-packages/demo/__init__.py";
        let InstalledBytes::Entry { index, digest, .. } = &installed.files[place].bytes else {
            panic!("`{place}` is a file of the wheel");
        };
        let mut text = String::new();
        let opened = archive.open(*index).expect("can be opened");
        let read = Checked::new(opened, digest.expect("has one")).read_to_string(&mut text);
        Ok::<_, crate::InvalidWheel>(read.map(|_| text).map_err(|problem| problem.to_string()))
    };
    let good = wheel.clone().bytes();
    assert_eq!(read(good.clone()).expect("is planned"), Ok("some text\n".to_owned()));
    let mut bytes = good.clone();
    patch(&mut bytes, path, Field::Checksum, 1);
    assert_eq!(
        read(bytes).expect("is planned"),
        Err("its checksum is not the one that the archive says".to_owned())
    );
    // Another text of the same length, under the digest of the first.
    let lying = wheel.clone().without(path).file(path, "evil text\n").info("RECORD", &wheel.record());
    let found = read(lying.bytes()).expect("is planned").expect_err("is another text");
    assert!(found.starts_with("`RECORD` says its digest is sha256:"), "{found}");
    // What the directory says is less than there is.
    let without_sizes = wheel.record().replace(",10\n", ",\n");
    let mut bytes = wheel.clone().info("RECORD", &without_sizes).bytes();
    patch(&mut bytes, path, Field::Unpacked, 3);
    let shorter = read(bytes).expect("is planned").expect_err("is longer");
    assert_eq!(shorter, "it is longer than the archive says");
    let mut bytes = wheel.info("RECORD", &without_sizes).bytes();
    patch(&mut bytes, path, Field::Unpacked, 30);
    let longer = read(bytes).expect("is planned").expect_err("is shorter");
    assert_eq!(longer, "it is shorter than the archive says");
}

#[test]
fn records_that_lie_are_refused() {
    let demo = Builder::demo;
    let record = demo().record();
    let wheel = |text: &str| refused(demo().info("RECORD", text));
    let named = |entry: &str, why: &str| format!("`{entry}` in the wheel `demo-1.0-py3-none-any.whl`: {why}");
    let line = record.lines().find(|line| line.starts_with("demo/")).expect("is named");
    let without = record.replace(&format!("{line}\n"), "");
    assert_eq!(wheel(&without), named("demo/__init__.py", "`RECORD` does not name it"));
    assert_eq!(
        wheel(&format!("{record}demo/more.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n")),
        named("demo/more.py", "`RECORD` names it, and the wheel does not have it")
    );
    assert_eq!(
        wheel(&format!("{record}{line}\n")),
        named("demo-1.0.dist-info/RECORD", "line 5 is about a file that another line is about too")
    );
    assert_eq!(
        wheel(&record.replace(line, &format!("{line}7"))),
        named("demo/__init__.py", "`RECORD` says it has 07 bytes, and it has 0")
    );
    assert_eq!(
        wheel(&record.replace(line, "demo/__init__.py,,")),
        named("demo/__init__.py", "`RECORD` has no digest of it")
    );
    assert_eq!(
        wheel(&record.replace("sha256", "md5")).split(": line").next(),
        Some("`demo-1.0.dist-info/RECORD` in the wheel `demo-1.0-py3-none-any.whl`")
    );
    let lying = demo().file("demo-1.0.data/scripts/s", "#!python\n1");
    let record = lying.record();
    let lying = lying.without("demo-1.0.data/scripts/s").file("demo-1.0.data/scripts/s", "#!python\n2");
    assert_eq!(
        refused(lying.info("RECORD", &record)),
        named("demo-1.0.data/scripts/s", "it cannot be read: it is not what the digest in `RECORD` says")
    );
}

#[test]
fn wheels_that_lack_what_every_wheel_has_are_refused() {
    let info = |file: &str| format!("demo-1.0.dist-info/{file}");
    for file in ["WHEEL", "METADATA"] {
        assert_eq!(
            refused(Builder::demo().without(&info(file))),
            format!("`{}` in the wheel `demo-1.0-py3-none-any.whl`: the wheel does not have it", info(file))
        );
    }
    assert_eq!(
        refused_bytes(Builder::demo().as_it_is()),
        "`demo-1.0.dist-info/RECORD` in the wheel `demo-1.0-py3-none-any.whl`: the wheel does not have it"
    );
    for (wheel, why) in [
        (
            Builder::demo().file("other-1.0.dist-info/x", ""),
            "the wheel `demo-1.0-py3-none-any.whl`: it has 2 directories `….dist-info`, and a wheel has one",
        ),
        (
            Builder::demo().info("WHEEL", "Wheel-Version: 2.0\nRoot-Is-Purelib: true\n"),
            "`demo-1.0.dist-info/WHEEL` in the wheel `demo-1.0-py3-none-any.whl`: the wheel is of the format 2.0, and this program installs the formats 1.x",
        ),
        (
            Builder::demo().info("METADATA", "Name: demo\nVersion: 2.0\n"),
            "`demo-1.0.dist-info/METADATA` in the wheel `demo-1.0-py3-none-any.whl`: it is about `demo` 2.0, and the wheel's name says `demo` 1.0",
        ),
        (
            Builder::demo().info("entry_points.txt", "[console_scripts]\n../x = a:b\n"),
            "`demo-1.0.dist-info/entry_points.txt` in the wheel `demo-1.0-py3-none-any.whl`: line 2: `../x` is not the name of a program",
        ),
        (
            Builder::named("demo", "cp310-cp310-linux_x86_64"),
            "the wheel `demo-1.0-cp310-cp310-linux_x86_64.whl`: it is for the binary interface `cp310`, which CPython 3.11 does not have",
        ),
        (
            Builder::named("demo", "py3-none-win_amd64"),
            "the wheel `demo-1.0-py3-none-win_amd64.whl`: it is for the platform `win_amd64`, not for linux/amd64",
        ),
    ] {
        assert_eq!(refused(wheel), why);
    }
    let other =
        installed_bytes("other-1.0-py3-none-any.whl", Builder::demo().bytes()).expect_err("is another");
    assert_eq!(
        other.to_string(),
        "`demo-1.0.dist-info` in the wheel `other-1.0-py3-none-any.whl`: it is not `other-1.0.dist-info`, as the wheel's name says"
    );
}
