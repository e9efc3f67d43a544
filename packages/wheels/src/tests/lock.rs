//! Lock files, as tools write them, and what becomes of them.

use std::collections::BTreeSet;

use crate::file_name::normalised;
use crate::lock::document::Named;
use crate::lock::sources::without_wheels;
use crate::lock::{LockDocument, Request, choose};
use crate::target::Target;

const HASH: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// What is asked: a Python, platforms, and words such as `extra:web`, `group:dev`, `without:six`.
fn asked(text: &str, python: &str, platforms: &[&str], words: &[&str]) -> Result<Vec<String>, String> {
    let mut numbers = python.splitn(3, '.');
    let minor = [numbers.next(), numbers.next()].into_iter().flatten().collect::<Vec<_>>().join(".");
    let target = |platform: &&str| Target {
        python: minor.parse().expect("is a release"),
        platform: platform.parse().expect("is a platform"),
    };
    let targets: Vec<Target> = platforms.iter().map(target).collect();
    let named = |kind: &str| -> BTreeSet<String> {
        words.iter().filter_map(|word| word.strip_prefix(kind)).map(normalised).collect()
    };
    let request = Request {
        targets: &targets,
        patch: numbers.next().map(|patch| patch.parse().expect("is a number")),
        extras: &named("extra:"),
        groups: &named("group:"),
        without: &named("without:"),
    };
    match choose(&text.replace("HASH", HASH), &request) {
        Ok(chosen) => Ok(chosen.iter().map(|wheel| wheel.file.to_string()).collect()),
        Err(problems) => Err(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")),
    }
}

const AMD64: &[&str] = &["linux/amd64"];

const PYLOCK: &str = r#"
lock-version = "1.0"
created-by = "somebody"
requires-python = ">=3.9"
environments = ["sys_platform == 'linux'"]
extras = ["web"]
dependency-groups = ["dev", "main"]
default-groups = ["main"]

[[packages]]
name = "Plain"
version = "1.0"
wheels = [{ url = "http://reader:word@localhost/plain-1.0-py3-none-any.whl#x", hashes = { sha256 = "HASH" } }]

[[packages]]
name = "binary"
version = "2.0"
wheels = [
  { name = "binary-2.0-cp311-cp311-manylinux_2_28_x86_64.whl", hashes = { sha256 = "HASH" } },
  { name = "binary-2.0-cp311-cp311-manylinux2014_x86_64.whl", hashes = { sha256 = "HASH" } },
  { name = "binary-2.0-cp311-cp311-musllinux_1_1_x86_64.whl", hashes = { sha256 = "HASH" } },
  { name = "binary-2.0-cp311-cp311-manylinux2014_aarch64.whl", hashes = { sha256 = "HASH" } },
  { name = "binary-2.0-cp312-cp312-manylinux2014_x86_64.whl", hashes = { sha256 = "HASH" } },
]

[[packages]]
name = "for-windows"
marker = "sys_platform == 'win32'"
sdist = { name = "for_windows-1.tar.gz", hashes = { sha256 = "HASH" } }

[[packages]]
name = "served"
version = "3"
marker = "'web' in extras"
archive = { url = "http://localhost/dir/served-3-py3-none-any.whl", hashes = { sha256 = "HASH" } }

[[packages]]
name = "tool"
version = "4"
marker = "'dev' in dependency_groups"
wheels = [{ path = "wheels/tool-4-py3-none-any.whl", hashes = { sha256 = "HASH" } }]

[[packages]]
name = "usual"
version = "5"
marker = "'main' in dependency_groups"
wheels = [{ path = "wheels/usual-5-py3-none-any.whl", hashes = { sha256 = "HASH" } }]
"#;

#[test]
fn a_pylock_gives_what_an_environment_needs() {
    let binary = "binary-2.0-cp311-cp311-manylinux2014_x86_64.whl";
    let plain = "plain-1.0-py3-none-any.whl";
    assert_eq!(asked(PYLOCK, "3.11", AMD64, &[]).unwrap(), [binary, plain, "usual-5-py3-none-any.whl"]);
    assert_eq!(
        asked(PYLOCK, "3.11", AMD64, &["extra:Web", "group:dev"]).unwrap(),
        [binary, plain, "served-3-py3-none-any.whl", "tool-4-py3-none-any.whl"]
    );
    assert_eq!(
        asked(PYLOCK, "3.11", &["linux/amd64", "linux/arm64"], &["without:usual"]).unwrap(),
        ["binary-2.0-cp311-cp311-manylinux2014_aarch64.whl", binary, plain]
    );
}

#[test]
fn a_pylock_that_does_not_fit_is_refused() {
    let refused =
        |text: &str, python: &str, words: &[&str]| asked(text, python, AMD64, words).expect_err(text);
    assert_eq!(
        refused(PYLOCK, "3.13", &["extra:wbe", "without:plian"]),
        "it has no package `plian`\nit has no extra `wbe`"
    );
    assert_eq!(
        refused(PYLOCK, "3.13", &[]),
        "`binary` has no wheel for linux/amd64: of `binary-2.0-cp311-cp311-manylinux_2_28_x86_64.whl`, it is \
         for the binary interface `cp311`, which CPython 3.13 does not have; the other 4 fit no better"
    );
    assert_eq!(refused(PYLOCK, "3.8", &[]), "it was locked for Python >=3.9, which 3.8 is not");
    let windows = PYLOCK.replace("'linux'", "'win32'");
    assert_eq!(
        refused(&windows, "3.11", &[]),
        "it was locked for sys_platform == 'win32', which Python 3.11 on linux/amd64 is not"
    );
    let sources = PYLOCK.replace("marker = \"sys_platform == 'win32'\"\n", "");
    assert_eq!(refused(&sources, "3.11", &[]), "`for-windows` is a set of sources, and not a wheel");
    let patch = PYLOCK.replace("'web' in extras", "python_full_version < '3.11.4'");
    assert_eq!(
        refused(&patch, "3.11", &[]),
        "`served` asks for `python_full_version < '3.11.4'`, which not every Python 3.11 answers alike"
    );
    assert!(asked(&patch, "3.11.3", AMD64, &[]).unwrap().contains(&"served-3-py3-none-any.whl".to_owned()));
    assert!(!asked(&patch, "3.11.4", AMD64, &[]).unwrap().contains(&"served-3-py3-none-any.whl".to_owned()));
    let twice = PYLOCK.replace("\"usual\"", "\"plain\"");
    assert_eq!(refused(&twice, "3.11", &[]), "`plain` is there in several versions at once: 1.0, 5");
    let unhashed = PYLOCK.replace("sha256 = \"HASH\" } }]", "md5 = \"HASH\" } }]");
    assert_eq!(
        refused(&unhashed, "3.11", &[]),
        "`Plain`: `plain-1.0-py3-none-any.whl` has no SHA-256 hash\n`usual`: `usual-5-py3-none-any.whl` has no SHA-256 hash"
    );
    assert_eq!(
        refused("lock-version = \"2.0\"", "3.11", &[]),
        "it has the version `2.0`, which is not known here"
    );
    assert_eq!(
        refused("lock-version = \"1.0\"\n[[packages]]\nversion = \"1\"\n", "3.11", &[]),
        "line 2, column 1: missing field `name`"
    );
    let neither = "it is neither a `pylock.toml` (PEP 751) nor a `uv.lock`";
    assert_eq!(refused("[metadata]\nlock-version = \"2.1\"\n", "3.11", &[]), neither);
    assert!(refused("lock-version = \n", "3.11", &[]).starts_with("line 1, column 16: "));
}

const UV: &str = r#"
version = 1
revision = 3
requires-python = ">=3.9"
resolution-markers = ["python_full_version >= '3.12'", "python_full_version < '3.12'"]

[[package]]
name = "app"
version = "0.1.0"
source = { editable = "." }
dependencies = [
  { name = "fork", version = "1.0", source = { registry = "http://localhost/simple" }, marker = "python_full_version < '3.12'" },
  { name = "fork", version = "2.0", source = { registry = "http://localhost/simple" }, marker = "python_full_version >= '3.12'" },
  { name = "shared", extra = ["fast"] },
  { name = "for-windows", marker = "sys_platform == 'win32'" },
]

[package.optional-dependencies]
web = [{ name = "served" }, { name = "app", extra = ["more"] }]
more = [{ name = "extra-more" }]

[package.dev-dependencies]
dev = [{ name = "tool" }]

[[package]]
name = "fork"
version = "1.0"
source = { registry = "http://localhost/simple" }
wheels = [{ url = "http://localhost/fork-1.0-py3-none-any.whl", hash = "sha256:HASH", size = 1 }]

[[package]]
name = "fork"
version = "2.0"
source = { registry = "http://localhost/simple" }
wheels = [{ url = "http://localhost/fork-2.0-py3-none-any.whl", hash = "sha256:HASH", size = 1 }]

[[package]]
name = "shared"
version = "1"
source = { registry = "http://localhost/simple" }
dependencies = [{ name = "deep" }]
wheels = [{ url = "http://localhost/shared-1-py3-none-any.whl", hash = "sha256:HASH", size = 1 }]

[package.optional-dependencies]
fast = [{ name = "faster" }]

[[package]]
name = "deep"
version = "1"
source = { registry = "http://localhost/simple" }
dependencies = [{ name = "shared" }]
wheels = [{ filename = "deep-1-py3-none-any.whl", hash = "sha256:HASH" }]

[[package]]
name = "faster"
version = "1"
source = { registry = "http://localhost/simple" }
wheels = [{ path = "faster-1-cp311-abi3-manylinux_2_17_x86_64.whl", hash = "sha256:HASH" }]

[[package]]
name = "for-windows"
version = "1"
source = { registry = "http://localhost/simple" }

[[package]]
name = "served"
version = "1"
source = { git = "https://localhost/served?rev=1#2" }

[[package]]
name = "extra-more"
version = "1"
source = { registry = "http://localhost/simple" }
wheels = [{ filename = "extra_more-1-py3-none-any.whl", hash = "sha256:HASH" }]

[[package]]
name = "tool"
version = "1"
source = { registry = "http://localhost/simple" }
wheels = [{ filename = "tool-1-py3-none-any.whl", hash = "sha256:HASH" }]
"#;

#[test]
fn a_uv_lock_gives_what_the_project_needs() {
    let faster = "faster-1-cp311-abi3-manylinux_2_17_x86_64.whl";
    let (deep, shared) = ("deep-1-py3-none-any.whl", "shared-1-py3-none-any.whl");
    assert_eq!(asked(UV, "3.11", AMD64, &[]).unwrap(), [deep, faster, "fork-1.0-py3-none-any.whl", shared]);
    assert_eq!(
        asked(UV, "3.12", AMD64, &["extra:web", "without:served", "group:dev"]).unwrap(),
        [
            deep,
            "extra_more-1-py3-none-any.whl",
            faster,
            "fork-2.0-py3-none-any.whl",
            shared,
            "tool-1-py3-none-any.whl"
        ]
    );
}

#[test]
fn a_lock_says_the_same_whether_it_is_read_whole_or_by_package() {
    for text in [PYLOCK, UV] {
        // A table behind the packages, and a text with the header of a package: neither is in a part alone.
        let tool = format!("{text}\n[tool]\nnote = 'none'\n");
        let header = text.lines().find(|line| line.starts_with("[[")).expect("has packages");
        let note = format!("{text}note = \"\"\"\n{header}\nname = 'no package'\n\"\"\"\n");
        let by_package = LockDocument::read(text).expect("is a lock");
        for whole in [tool, note] {
            let whole = LockDocument::read(&whole).expect("is a lock");
            assert_eq!(whole, by_package);
            assert_eq!(whole.packages(), by_package.packages(), "and says where");
        }
        for Named { name, version, when } in by_package.packages() {
            for written in [name].into_iter().chain(version).chain(when) {
                assert!(text[written.at.clone()].contains(written.text), "{written:?}");
            }
        }
    }
}

#[test]
fn packages_that_are_listed_twice_are_where_a_lock_ends() {
    let begins = "version = 1\nrequires-python = \">=3.9\"\npackage = []\n";
    let text = format!("{begins}\n[[package]]\nname = \"mine\"\nsource = {{ virtual = \".\" }}\n");
    let problem = LockDocument::read(&text).expect_err("is no document").to_string();
    assert!(problem.starts_with("line 5, column "), "{problem}");
}

#[test]
fn names_are_read_out_of_addresses() {
    let local =
        UV.replace("fork-1.0-py3", "fork-1.0%2Bcpu-py3").replace("fork-2.0-py3", "fork-1%212.0%2bcpu-py3");
    assert!(asked(&local, "3.11", AMD64, &[]).unwrap().contains(&"fork-1.0+cpu-py3-none-any.whl".to_owned()));
    assert!(
        asked(&local, "3.12", AMD64, &[]).unwrap().contains(&"fork-1!2.0+cpu-py3-none-any.whl".to_owned())
    );
}

#[test]
fn a_uv_lock_that_gives_no_set_is_refused() {
    let refused = |text: &str, words: &[&str]| asked(text, "3.11", AMD64, words).expect_err(text);
    assert_eq!(refused(UV, &["extra:web"]), "`served` is a repository, and not a wheel");
    assert_eq!(
        refused(UV, &["extra:wbe", "group:more"]),
        "it has no extra `wbe`\nit has no dependency group `more`"
    );
    assert_eq!(
        refused(&UV.replace("name = \"deep\"\nversion", "name = \"deeper\"\nversion"), &[]),
        "`shared` needs `deep`, which the file does not have"
    );
    let vague = UV
        .replace(", version = \"1.0\", source", ", source")
        .replace("python_full_version < '3.12'\" },", "\" },");
    assert!(
        refused(&vague, &[]).starts_with("`app` has the marker ``: expected"),
        "{}",
        refused(&vague, &[])
    );
    let both = UV.replace(
        "{ name = \"fork\", version = \"1.0\", source = { registry = \"http://localhost/simple\" }",
        "{ name = \"fork\"",
    );
    assert!(refused(&both, &[]).contains("`app` needs `fork`"), "{}", refused(&both, &[]));
    assert_eq!(
        refused(&UV.replace("version = 1\n", "version = 2\n"), &[]),
        "it has the version `2`, which is not known here"
    );
    assert_eq!(
        refused(&UV.replace("\".\"", "\"app\""), &[]),
        "it does not say which project it is of: no package has its directory"
    );
    assert_eq!(
        refused(&UV.replace("revision = 3\n", "conflicts = [[{ package = \"app\", extra = \"a\" }]]\n"), &[]),
        "it has extras or groups that exclude one another"
    );
}

#[test]
fn wheels_of_this_machine_are_known_by_name_and_hash() {
    // As uv 0.13 writes a wheel of a directory that `UV_FIND_LINKS` names, and one that is named by its path.
    let text = r#"lock-version = "1.0"
created-by = "uv"

[[packages]]
name = "cog"
version = "0.23.1+own"
wheels = [{ url = "file:///home/me/own/cog-0.23.1+own-py3-none-any.whl", hashes = { sha256 = "HASH" } }]

[[packages]]
name = "mine"
version = "1"
archive = { path = "./wheels/mine-1-py3-none-any.whl", hashes = { sha256 = "HASH" } }

[[packages]]
name = "old"
version = "1"
archive = { path = "./old-1.tar.gz", hashes = { sha256 = "HASH" } }
"#
    .replace("HASH", HASH);
    let (nothing, without) = (BTreeSet::new(), BTreeSet::from(["old".to_owned()]));
    let targets = [Target {
        python: "3.11".parse().expect("is a release"),
        platform: "linux/amd64".parse().expect("is a platform"),
    }];
    let request =
        Request { targets: &targets, patch: None, extras: &nothing, groups: &nothing, without: &without };
    let chosen = choose(&text, &request).expect("has wheels");
    let told: Vec<_> =
        chosen.iter().map(|it| (it.file.to_string(), it.url.clone(), it.path.clone())).collect();
    assert_eq!(
        told,
        [
            ("cog-0.23.1+own-py3-none-any.whl".to_owned(), None, None),
            ("mine-1-py3-none-any.whl".to_owned(), None, Some("./wheels/mine-1-py3-none-any.whl".to_owned())),
        ]
    );
    assert_eq!(without_wheels(&text), without);
}
