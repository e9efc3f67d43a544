//! `cogpackc catalogue`: what is known of base images, and what is seen in one that a plan made.

use std::path::Path;

use cogpack_tests::places::names_in;
use cogpack_tests::terminal::{Answer, cogpackc};

/// An image with a Python, a package and a link that many images have.
const BASE: &str = r##"cpk 1

platform linux/amd64

stage %base from scratch {
  env PATH = "/usr/local/bin:/usr/bin"
  file "/usr/lib/os-release" = "ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n"
  symlink "../usr/lib/os-release" at "/etc/os-release"
  file "/usr/local/bin/python3.12" = "ELF"
  symlink "python3.12" at "/usr/local/bin/python3"
  file "/usr/local/include/python3.12/patchlevel.h" = "#define PY_VERSION \"3.12.4\"\n"
  file "/var/lib/dpkg/status" = "Package: libc6\nStatus: install ok installed\nVersion: 2.36-9\n"
}

export from %base
"##;

fn made() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    std::fs::write(folder.path().join("base.cpk"), BASE).expect("can be written");
    let answer = cogpackc(folder.path(), &["base.cpk", "-o", "oci", "-O", "layout"]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    folder
}

fn add(folder: &Path, image: &str, more: &[&str]) -> Answer {
    cogpackc(folder, &[&["catalogue", "add", image, "--layout", "layout"], more].concat())
}

#[test]
fn an_image_of_a_layout_gets_its_entry_with_its_digest() {
    let folder = made();
    let answer = add(folder.path(), "me/base:1", &[]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    assert_eq!(
        answer.stderr,
        "Python 3.12.4 at `/usr/local/bin/python3`, by `/usr/local/include/python3.12/patchlevel.h`\n"
    );
    let (digest, rest): (Vec<&str>, Vec<&str>) =
        answer.text().lines().partition(|line| line.starts_with("digest = \"sha256:"));
    assert_eq!(digest.len(), 1, "{}", answer.text());
    insta::assert_snapshot!(rest.join("\n"), @r#"
    catalogue = 1

    [[image]]
    reference = "me/base:1"
    platforms = ["linux/amd64"]
    roles = ["build", "runtime"]
    extent = "runtime"
    os = { id = "debian", version = "12", codename = "bookworm" }
    python = { version = "3.12.4", interpreter = "/usr/local/bin/python3", prefix = "/usr/local" }
    config = '''
    env PATH = "/usr/local/bin:/usr/bin"
    '''

    [image.packages]
    libc6 = "2.36-9"
    "#);
}

#[test]
fn entries_are_added_behind_those_that_are_there() {
    let folder = made();
    let path = folder.path();
    std::fs::write(path.join("mine.toml"), "# Mine.\ncatalogue = 1").expect("can be written");
    let first = add(path, "me/base:1", &["-O", "mine.toml"]);
    assert_eq!(first.code, 0);
    insta::assert_snapshot!(first.stderr, @r#"
    Python 3.12.4 at `/usr/local/bin/python3`, by `/usr/local/include/python3.12/patchlevel.h`
    `--catalogue mine.toml` takes it; a project has it always by `catalogue = ["mine.toml"]` in `cogpack.toml`, or below `[tool.cogpack]` in `pyproject.toml`, by the path from its directory on
    "#);
    let aside = path.join("aside.toml").display().to_string();
    let of_no_project = add(path, "me/base:1", &["-O", &aside]).stderr;
    assert!(of_no_project.ends_with(" takes it, and so does `COGPACK_CATALOGUE`\n"), "{of_no_project}");
    std::fs::remove_file(&aside).expect("it is there");
    assert_eq!(add(path, "me/base:2", &["-O", "mine.toml"]).code, 0);
    let text = std::fs::read_to_string(path.join("mine.toml")).expect("it is there");
    assert!(text.starts_with("# Mine.\ncatalogue = 1\n\n[[image]]\nreference = \"me/base:1\"\n"), "{text}");
    let again = add(path, "docker.io/me/base:1", &["-O", "mine.toml"]);
    assert_eq!(again.code, 2);
    insta::assert_snapshot!(again.stderr, @"
    error: `mine.toml` has an entry of `docker.io/me/base:1`, in line 4

    hint: take that one away first: a name has one entry
    ");

    let list = |arguments: &[&str]| {
        let answer = cogpackc(path, &[&["catalogue", "list"], arguments].concat());
        assert_eq!(answer.code, 0, "{}", answer.stderr);
        answer.text().lines().take(3).map(str::trim_end).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(list(&["--catalogue", "mine.toml"]), @"
    me/base:1                                                runtime      debian 12, Python 3.12.4 (mine.toml)
    me/base:2                                                runtime      debian 12, Python 3.12.4 (mine.toml)
    docker.io/library/debian:13.3-slim                       minimal      debian 13 (shipped/debian.toml)
    ");
    insta::assert_snapshot!(list(&[]), @"
    docker.io/library/debian:13.3-slim                       minimal      debian 13 (shipped/debian.toml)
    docker.io/library/debian:13.3                            runtime      debian 13 (shipped/debian.toml)
    docker.io/library/debian:12.13-slim                      minimal      debian 12 (shipped/debian.toml)
    ");

    // A directory of catalogues, in the order of their names; other files are none of it.
    std::fs::create_dir(path.join("all")).expect("can be made");
    std::fs::rename(path.join("mine.toml"), path.join("all/b.toml")).expect("can be moved");
    assert_eq!(add(path, "me/first", &["-O", "all/a.toml"]).code, 0);
    std::fs::write(path.join("all/README"), "not one").expect("can be written");
    let answer = cogpackc(path, &["catalogue", "list", "--catalogue", "all", "--format", "json"]);
    let document: serde_json::Value = serde_json::from_str(answer.text()).expect("it is JSON");
    let names: Vec<_> = (0..3).map(|number| format!("{}", document["images"][number]["reference"])).collect();
    assert_eq!(names, ["\"me/first\"", "\"me/base:1\"", "\"me/base:2\""]);
    assert_eq!(document["images"][0]["python"]["version"], "3.12.4");
    assert_eq!(document["images"][0]["config"], "env PATH = \"/usr/local/bin:/usr/bin\"\n");
    assert_eq!(
        (&document["images"][1]["file"], &document["images"][1]["line"]),
        (&"all/b.toml".into(), &4.into())
    );
}

#[test]
fn a_catalogue_with_findings_is_not_used_and_not_written_over() {
    let folder = made();
    let path = folder.path();
    let wrong = "catalogue = 1\n\n[[image]]\nreference = \"a\"\nplatform = [\"linux/amd64\"]\n";
    std::fs::write(path.join("wrong.toml"), wrong).expect("can be written");
    let answer = cogpackc(path, &["catalogue", "list", "--catalogue", "wrong.toml"]);
    assert_eq!((answer.code, answer.text()), (1, ""));
    for word in ["project::catalogue::unknown", "wrong.toml:5:1", "did you mean `platforms`?"] {
        assert!(answer.stderr.contains(word), "{}", answer.stderr);
    }
    assert_eq!(add(path, "me/base:1", &["-O", "wrong.toml"]).code, 1);
    assert_eq!(std::fs::read_to_string(path.join("wrong.toml")).ok().as_deref(), Some(wrong));
    let answer = cogpackc(path, &["catalogue", "list", "--catalogue", "none.toml"]);
    assert_eq!(answer.code, 2);
    insta::assert_snapshot!(answer.stderr, @"
    error: read the catalogue `none.toml`
      because: No such file or directory (os error 2)

    hint: `--catalogue` and COGPACK_CATALOGUE take a file in the format of docs/catalogue.md, or a directory of such
    ");
    assert_eq!(names_in(path), ["base.cpk", "layout", "wrong.toml"]);
}

#[test]
fn what_is_no_image_or_tells_nothing_is_refused() {
    let folder = made();
    let path = folder.path();
    let answer = cogpackc(path, &["catalogue", "add", "me/base", "--layout", "nowhere"]);
    assert_eq!(answer.code, 2);
    assert!(answer.stderr.contains("is no OCI image layout"), "{}", answer.stderr);
    std::fs::write(
        path.join("bare.cpk"),
        "cpk 1\nplatform linux/amd64\nstage %a from scratch {\n  file \"/a\" = \"a\"\n}\nexport from %a\n",
    )
    .expect("can be written");
    assert_eq!(cogpackc(path, &["bare.cpk", "-o", "oci", "-O", "bare"]).code, 0);
    let answer = cogpackc(path, &["catalogue", "add", "me/bare", "--layout", "bare", "-O", "mine.toml"]);
    assert_eq!(answer.code, 2);
    insta::assert_snapshot!(answer.stderr, @"
    error: the image does not say which distribution it is: it has no `/etc/os-release` with an `ID`

    hint: write its entry by hand, as docs/catalogue.md shows, if plans are to start from it
    ");
    assert_eq!(names_in(path), ["bare", "bare.cpk", "base.cpk", "layout"]);
}
