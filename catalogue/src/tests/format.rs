//! What is read of a text, and what is said of one that is wrong.

use insta::assert_snapshot;

use super::shown::shown;
use crate::Catalogue;

const IMAGE: &str = r#"catalogue = 1

[[image]]
reference = "registry.example/base/python:3.12"
digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
platforms = ["linux/amd64"]
roles = ["build", "runtime"]
extent = "runtime"
os = { id = "debian", version = "12", codename = "bookworm" }
python = { version = "3.12.4", interpreter = "/usr/local/bin/python3", prefix = "/usr/local", venv = "/venv" }
cuda = "12.8.1"
cudnn = "9.8.0.87"
lacks = ["apt", "ca-certificates-java"]

[image.packages]
ca-certificates = "20230311"
"g++" = ""

[image.env]
PATH = "/venv/bin:/usr/bin"
QUOTED = "a \"b\" \\ c\nd\u007F"
"#;

fn findings(text: &str) -> String {
    let findings = Catalogue::read("mine.toml", text).expect_err("it is wrong");
    findings.iter().map(|finding| shown(finding, text)).collect()
}

#[test]
fn what_is_printed_is_what_was_read() {
    let catalogue = Catalogue::read("mine.toml", IMAGE).expect("it is a catalogue");
    assert_eq!(catalogue.print(), IMAGE);
    let listed = &catalogue.images()[0];
    assert_eq!(
        (listed.origin.file.as_str(), listed.origin.line, listed.entry.packages.len()),
        ("mine.toml", 3, 2)
    );
    let has = |package: &str| listed.entry.has(package);
    assert_eq!([has("g++"), has("apt"), has("tar")], [Some(true), Some(false), None]);
    assert_eq!(listed.entry.env["QUOTED"], "a \"b\" \\ c\nd\u{7f}");
}

/// The same image, and all that it sets.
fn with_config(config: &str) -> String {
    let (text, _) = IMAGE.split_once("\n[image.env]\n").expect("it lists variables");
    text.replace("cudnn = \"9.8.0.87\"\n", &format!("cudnn = \"9.8.0.87\"\n{config}\n"))
}

#[test]
fn what_an_image_sets_is_said_as_in_a_plan() {
    let lines = "env PATH = \"/venv/bin:/usr/bin\"\nenv A = \"b'c\"\nworkdir \"/\"\nuser \"65532\"\nentrypoint []\n\
                 cmd [\"python3\"]\nexpose 8000/tcp\nlabel a = \"b\\n\\nc\"\n";
    let text = with_config(&format!("config = '''\n{lines}'''"));
    let catalogue =
        Catalogue::read("mine.toml", &text).map_err(|_| findings(&text)).expect("it is a catalogue");
    assert_eq!(catalogue.print(), text);
    let entry = &catalogue.images()[0].entry;
    assert_eq!(entry.env["PATH"], "/venv/bin:/usr/bin");
    let config = entry.config.as_ref().expect("it is said");
    assert_eq!((config.user.as_deref(), config.labels["a"].as_str()), (Some("65532"), "b\n\nc"));
    // What TOML does not take as it stands is behind backslashes, and an image may set nothing.
    for lines in ["label a = \"'''\"\n", "config empty\n"] {
        let quoted = format!("config = {:?}", lines);
        let text = with_config(&quoted);
        let read =
            Catalogue::read("mine.toml", &text).map_err(|_| findings(&text)).expect("it is a catalogue");
        assert_eq!(Catalogue::read("again.toml", &read.print()), Ok(read));
    }
    let wrong = [
        with_config("config = 'cmd python'"),
        with_config(
            "config = '''\ncmd [\"a\"]\ndigest sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'''",
        ),
        with_config("config = '''\ncmd [\"a\"]\nsecret token'''"),
        with_config("config = ''"),
        with_config("config = 'config empty'") + "\n[image.env]\nA = \"b\"\n",
        with_config("config = 'config empty'").replace("digest = ", "# digest = "),
    ];
    assert_snapshot!(wrong.map(|text| findings(&text)).concat(), @r#"
    project::catalogue::value: `cmd python` is no value of `config`: expected a list such as `["a", "b"]`, found `python`
      `'cmd python'`: this value
      help: write the lines that a plan has below `image`, as `cogpackc catalogue add` does
    project::catalogue::value: `cmd ["a"]
    digest sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855` is no value of `config`: it is not what an image sets, and that alone
      `'''`: this value
      help: write the lines that a plan has below `image`, as `cogpackc catalogue add` does
    project::catalogue::value: `cmd ["a"]
    secret token` is no value of `config`: it is not what an image sets, and that alone
      `'''`: this value
      help: write the lines that a plan has below `image`, as `cogpackc catalogue add` does
    project::catalogue::value: `` is no value of `config`: it is not what an image sets, and that alone
      `''`: this value
      help: write the lines that a plan has below `image`, as `cogpackc catalogue add` does
    project::catalogue::value: `A` is no value of `env`: `config` says what is set, and this too
      `"b"`: this value
      help: say it at one of the two places
    project::catalogue::value: `config empty` is no value of `config`: it is that of one image, and a name stands for one after the other
      `'config empty'`: this value
      help: write the `digest` of the image beside it
    "#);
}

#[test]
fn what_is_shipped_is_in_canonical_form() {
    for text in [
        include_str!("../../data/debian.toml"),
        include_str!("../../data/python.toml"),
        include_str!("../../data/cuda.toml"),
        include_str!("../../data/pythons.toml"),
    ] {
        let bare: String =
            text.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect();
        let catalogue = Catalogue::read("shipped", text).map_err(|found| found[0].to_string());
        assert_eq!(catalogue.map(|catalogue| catalogue.print()), Ok(bare));
    }
    let shipped = Catalogue::shipped();
    assert_eq!(Catalogue::read("again", &shipped.print()), Ok(shipped.clone()));
    assert_eq!(shipped.images().len(), 71);
    assert!(shipped.images().iter().all(|listed| listed.entry.digest.is_none()), "pins belong to projects");
}

#[test]
fn all_that_is_wrong_is_said_with_its_place() {
    let text = IMAGE
        .replace("digest = ", "digset = ")
        .replace("\"linux/amd64\"", "\"linux\"")
        .replace("\"runtime\"]", "\"run\"]")
        .replace("extent = \"runtime\"", "extent = \"small\"")
        .replace("id = \"debian\", ", "")
        .replace("\"/usr/local/bin/python3\"", "\"python3\"")
        .replace("cuda = \"12.8.1\"", "cuda = 12.8")
        .replace("\"9.8.0.87\"", "\"nine\"")
        .replace("\"g++\"", "\"g ++\"")
        .replace("\"apt\"", "\"ca-certificates\"")
        .replace("QUOTED", "\"A=B\"");
    assert_snapshot!(findings(&text), @r#"
    project::catalogue::missing: `os` has no `id`
      `{ version = "12", codename = "bookworm" }`: it is missing here
      help: add `id = …`: what /etc/os-release has for ID
    project::catalogue::value: `python3` is no value of `interpreter`: it is a path from the root on
      `"python3"`: this value
      help: write the whole path, with `/` at its start
    project::catalogue::value: `linux` is no value of `platforms`: it must read `os/architecture` or `os/architecture/variant`
      `"linux"`: this value
      help: the platforms it is there for, for instance ["linux/amd64"]
    project::catalogue::value: `run` is no value of `roles`: a role is `build` or `runtime`
      `"run"`: this value
      help: what it is for: ["build", "runtime"], or one of them
    project::catalogue::value: `small` is no value of `extent`: an extent is `minimal`, `runtime` or `development`
      `"small"`: this value
      help: `development` has compilers, `runtime` what programs need to run
    project::catalogue::kind: `cuda` is a number with a point, and must be a text in quotes
      `12.8`: this is a number with a point
      help: write a text in quotes
    project::catalogue::value: `nine` is no value of `cudnn`: expected version to start with a number, but no leading ASCII digits were found
      `"nine"`: this value
      help: for instance "12.8.1"
    project::catalogue::value: `g ++` is no value of `packages`: the name of a package has no white space and is not empty
      `""`: this value
      help: name it as the distribution does
    project::catalogue::value: `ca-certificates` is no value of `lacks`: `packages` says that it is there
      `"ca-certificates"`: this value
      help: name it at one of the two places
    project::catalogue::value: `A=B` is no value of `env`: a variable has a name without `=`, and neither name nor value has a zero byte
      `"a \"b\" \\ c\nd\u007F"`: this value
      help: write `NAME = "value"` below [image.env]
    project::catalogue::unknown: an image has no key `digset`
      `digset`: nothing reads this
      help: did you mean `digest`?
    "#);
}

#[test]
fn a_catalogue_says_its_format() {
    assert_snapshot!(findings("[[image]]\n"), @r#"
    project::catalogue::missing: a catalogue has no `catalogue`
      ``: it is missing here
      help: add `catalogue = …`: the format of the file, which is 1
    project::catalogue::missing: an image has no `reference`
      `[[image]]`: it is missing here
      help: add `reference = …`: the image's name in its registry, for instance "docker.io/library/debian:13"
    project::catalogue::missing: an image has no `platforms`
      `[[image]]`: it is missing here
      help: add `platforms = …`: the platforms it is there for, for instance ["linux/amd64"]
    project::catalogue::missing: an image has no `roles`
      `[[image]]`: it is missing here
      help: add `roles = …`: what it is for: ["build", "runtime"], or one of them
    project::catalogue::missing: an image has no `extent`
      `[[image]]`: it is missing here
      help: add `extent = …`: how much is in it: "minimal", "runtime" or "development"
    project::catalogue::missing: an image has no `os`
      `[[image]]`: it is missing here
      help: add `os = …`: its distribution, for instance { id = "debian", version = "13" }
    "#);
    assert_snapshot!(findings("catalogue = 2\n"), @"
    project::catalogue::format: this catalogue is of format 2, and only format 1 is known
      `2`: this is not 1
      help: write `catalogue = 1`, and the keys of docs/catalogue.md
    ");
    assert_snapshot!(findings("catalogue = \"1\"\nimage = 1\n"), @r#"
    project::catalogue::format: this catalogue is of format `1`, and only format 1 is known
      `"1"`: this is not 1
      help: write `catalogue = 1`, and the keys of docs/catalogue.md
    project::catalogue::kind: `image` is a number, and must be an array of tables
      `1`: this is a number
      help: write an array of tables
    "#);
    assert_snapshot!(findings("catalogue = 1\nimage = [1]\n"), @"
    project::catalogue::kind: `image` is a number, and must be an array of tables
      `1`: this is a number
      help: write an array of tables
    ");
}

#[test]
fn what_is_no_toml_is_said_with_its_place() {
    assert_snapshot!(findings("catalogue = 1\n[[image]\nreference = \"a\n"), @"
    project::catalogue::syntax: this is not TOML: unclosed array table, expected `]`
      ``: here
      help: a catalogue is a TOML file; docs/catalogue.md shows one
    ");
}

#[test]
fn what_follows_a_first_mistake_is_not_told() {
    let text = "catalogue = 1\n[[image]]\nreference = docker.io/library/debian\nplatforms = [linux/amd64]\nos = debian 13\n";
    assert_snapshot!(findings(text), @"
    project::catalogue::syntax: this is not TOML: string values must be quoted, expected literal string
      `docker.io/library/debian`: here
      help: a catalogue is a TOML file; docs/catalogue.md shows one
    ");
}

#[test]
fn a_name_has_one_entry_and_no_digest() {
    let again = IMAGE.split_once("\n\n").map(|(_, rest)| rest).unwrap_or_default();
    assert_snapshot!(findings(&format!("{IMAGE}\n{again}")), @"
    project::catalogue::duplicate: `registry.example/base/python:3.12` is listed twice
      `[[image]]`: listed again
      `[[image]]`: first listed here
      help: take one of them away: a name has one entry, of all its platforms
    ");
    let digest = "@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_snapshot!(findings(&IMAGE.replace("python:3.12\"", &format!("python:3.12{digest}\""))), @r#"
    project::catalogue::value: `registry.example/base/python:3.12@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855` is no value of `reference`: it has a digest
      `"registry.example/base/python:3.12@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"`: this value
      help: move the digest into `digest = "sha256:…"`
    "#);
    assert_snapshot!(findings(&IMAGE.replace("registry.example/base", "Registry")), @r#"
    project::catalogue::value: `Registry/python:3.12` is no value of `reference`: a repository has lower-case letters and digits, joined by `.`, `_`, `-` and `/`
      `"Registry/python:3.12"`: this value
      help: for instance "docker.io/library/debian:13"
    "#);
}

#[test]
fn an_empty_list_says_nothing() {
    assert_snapshot!(findings(&IMAGE.replace("[\"linux/amd64\"]", "[]")), @r#"
    project::catalogue::missing: an image has no `platforms`
      `[[image]]`: it is missing here
      help: add `platforms = …`: the platforms it is there for, for instance ["linux/amd64"]
    "#);
}
