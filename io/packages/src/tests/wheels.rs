//! Wheels out of a directory of this machine, good ones and bad ones.

use std::fs;
use std::io::Read;
use std::path::Path;

use cogpack_content::{Digest, Platform};
use cogpack_io_store::Store;
use cogpack_ir::plan::context::{LockedFile, WheelsContext};
use cogpack_ir::plan::{InputName, Span, Spanned};
use miette::Diagnostic;

use crate::web::Web;
use crate::{InstalledWheels, PackageError, PackageProblem, Places};

#[path = "../../../../packages/wheels/src/tests/build.rs"]
#[allow(dead_code, reason = "the tests of wheels themselves make stranger ones")]
mod build;

use build::Builder;

/// A directory of wheels, a store beside it, and a context that locks them.
struct Machine {
    folder: tempfile::TempDir,
    context: WheelsContext,
}

impl Machine {
    fn new(python: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        fs::create_dir(folder.path().join("links")).expect("can be made");
        let python = Some(Spanned::nowhere(python.to_owned()));
        Self { folder, context: WheelsContext { python, interpreter: None, wheels: Default::default() } }
    }

    fn links(&self) -> std::path::PathBuf {
        self.folder.path().join("links")
    }

    /// Puts a wheel there, and locks it.
    fn wheel(mut self, wheel: Builder) -> Self {
        let (name, bytes) = (wheel.name.clone(), wheel.bytes());
        fs::write(self.links().join(&name), &bytes).expect("can be written");
        self.lock(&name, Digest::of(&bytes));
        self
    }

    fn lock(&mut self, name: &str, digest: Digest) {
        let locked = LockedFile { digest: Some(digest), url: None, span: Span::NOWHERE };
        self.context.wheels.insert(name.to_owned(), locked);
    }

    fn install_from(&self, directories: &[&Path]) -> Result<InstalledWheels, PackageError> {
        let places = Places {
            store: Store::open(&self.folder.path().join("store")).expect("can be made"),
            directories: directories.iter().map(|path| path.to_path_buf()).collect(),
            index: crate::places::Index::Nothing,
            web: Web::new(),
        };
        let platform: Platform = "linux/amd64".parse().expect("is a platform");
        InstalledWheels::install(&self.context, Span::NOWHERE, &[platform], &places)
    }

    /// The findings, each as its code and what it says.
    fn problems(&self) -> Vec<String> {
        let Err(PackageError::Plan(problems)) = self.install_from(&[&self.links()]) else {
            panic!("the plan is wrong");
        };
        let said = |problem: &PackageProblem| format!("{}: {problem}", problem.code().expect("has a code"));
        problems.iter().map(said).collect()
    }
}

fn read(wheels: &InstalledWheels, path: &str) -> String {
    let mut text = String::new();
    wheels.open(path.as_bytes()).expect("is there").read_to_string(&mut text).expect("is whole");
    text
}

#[test]
fn a_wheel_is_kept_where_the_next_build_finds_it() {
    let machine = Machine::new("3.12")
        .wheel(Builder::demo().file("demo/data.txt", "words"))
        .wheel(Builder::named("other", "py3-none-any").file("other.py", "import demo"));
    let links = machine.links();
    let first = machine.install_from(&[&links]).expect("can be installed");
    fs::remove_dir_all(&links).expect("can be removed");
    let name = InputName::new("packages").expect("is a name");
    for wheels in [first, machine.install_from(&[]).expect("is in the store")] {
        assert_eq!(read(&wheels, "lib/python3.12/site-packages/demo/data.txt"), "words");
        assert_eq!(read(&wheels, "lib/python3.12/site-packages/other.py"), "import demo");
        assert!(wheels.open(b"lib/python3.12/site-packages/nothing.py").is_err());
        wheels.tree(&name).expect("is a tree");
    }
}

#[test]
fn every_problem_is_told_on_its_line() {
    let mut machine = Machine::new("3.12")
        .wheel(Builder::demo())
        .wheel(Builder::named("windows", "cp312-cp312-win_amd64"))
        .wheel(Builder::named("broken", "py3-none-any").without("broken-1.0.dist-info/METADATA"));
    machine.lock("lost-1.0-py3-none-any.whl", Digest::of(b"lost"));
    fs::write(machine.links().join("other-1.0-py3-none-any.whl"), "another").expect("can be written");
    machine.lock("other-1.0-py3-none-any.whl", Digest::of(b"meant"));
    let problems = machine.problems();
    let [broken, lost, other, windows] = &problems[..] else { panic!("{problems:#?}") };
    assert!(broken.starts_with("cpk::wheels::invalid: `broken-1.0.dist-info/METADATA`"), "{broken}");
    assert!(windows.starts_with("cpk::wheels::invalid: the wheel `windows-1.0-cp312"), "{windows}");
    assert_eq!(
        lost,
        "cpk::packages::missing: `lost-1.0-py3-none-any.whl` cannot be found: it is not in the directory of packages"
    );
    assert!(other.starts_with("cpk::packages::digest: `other-1.0-py3-none-any.whl` from `"), "{other}");
    assert!(other.ends_with(&format!("its digest is `{}`", Digest::of(b"another"))), "{other}");
    // What is not what was locked is not kept either.
    let store = Store::open(&machine.folder.path().join("store")).expect("can be opened");
    for bytes in [&b"another"[..], b"meant"] {
        assert!(store.blob(&Digest::of(bytes)).expect("can be looked for").is_none());
    }
}

#[test]
fn a_set_for_no_python_is_refused() {
    let problems = Machine::new("2").wheel(Builder::demo()).problems();
    assert_eq!(problems.len(), 1, "{problems:#?}");
    assert!(problems[0].starts_with("cpk::wheels::python: "), "{}", problems[0]);
}

#[test]
fn wheels_with_different_files_of_one_name_are_refused() {
    let one = Builder::named("one", "py3-none-any").file("shared.py", "a");
    let two = Builder::named("two", "py3-none-any").file("shared.py", "b");
    assert_eq!(
        Machine::new("3.12").wheel(one).wheel(two).problems(),
        ["cpk::wheels::conflict: the wheels `one-1.0-py3-none-any.whl` and `two-1.0-py3-none-any.whl` have \
             different files for `lib/python3.12/site-packages/shared.py`"]
    );
}
