//! What is seen in images: trees of texts, with links, as images have them.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use insta::assert_snapshot;

use super::shown::shown;
use crate::Catalogue;
use crate::look::{Filesystem, Image, look};
use cogpack_ir::plan::{EnvName, ImageConfig};

/// Files by path; one that starts with `->` is a link.
struct Texts(BTreeMap<String, String>);

impl Filesystem for Texts {
    type Error = Infallible;

    fn names(&self, directory: &str) -> Vec<String> {
        let below = format!("{directory}/");
        let names = self.0.keys().filter_map(|path| path.strip_prefix(&below)?.split('/').next());
        names.map(str::to_owned).collect::<BTreeSet<_>>().into_iter().collect()
    }

    fn resolved(&self, path: &str) -> Option<String> {
        match self.0.get(path)?.strip_prefix("->") {
            Some(target) => self.resolved(target),
            None => Some(path.to_owned()),
        }
    }

    fn bytes(&self, path: &str) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(self.resolved(path).map(|path| self.0[&path].clone().into_bytes()))
    }
}

fn config(env: &[(&str, &str)]) -> ImageConfig {
    let variable = |(name, value): &(&str, &str)| Some((EnvName::new(name).ok()?, (*value).to_owned()));
    ImageConfig { env: env.iter().filter_map(variable).collect(), ..ImageConfig::default() }
}

fn seen(env: &[(&str, &str)], files: &[(&str, &str)]) -> String {
    seen_in(None, config(env), files)
}

fn seen_in(digest: Option<&str>, config: ImageConfig, files: &[(&str, &str)]) -> String {
    let owned = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let image = Image {
        reference: "me/base:1".parse().expect("is a reference"),
        digest: digest.and_then(|digest| digest.parse().ok()),
        platforms: ["linux/amd64"].iter().filter_map(|text| text.parse().ok()).collect(),
        config,
    };
    match look(image, &Texts(owned(files))) {
        Err(error) => shown(&error, ""),
        Ok(looked) => {
            let text = [looked.entry.clone()].into_iter().collect::<Catalogue>().print();
            let again = Catalogue::read("again", &text).expect("what is seen can be listed");
            assert_eq!(again.images()[0].entry, looked.entry);
            format!("{}{}", text.replace("catalogue = 1\n\n[[image]]\n", ""), looked.evidence.join("\n"))
        }
    }
}

const BOOKWORM: (&str, &str) =
    ("/usr/lib/os-release", "ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n");
const LINK: (&str, &str) = ("/etc/os-release", "->/usr/lib/os-release");

#[test]
fn what_it_sets_is_written_beside_its_digest() {
    let cmd = Some(vec!["python3".to_owned()]);
    let config = ImageConfig { cmd, ..config(&[("PATH", "/usr/bin"), ("LANG", "C.UTF-8")]) };
    assert_snapshot!(seen_in(Some("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"), config, &[BOOKWORM, LINK]), @r#"
    reference = "me/base:1"
    digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    platforms = ["linux/amd64"]
    roles = ["build", "runtime"]
    extent = "minimal"
    os = { id = "debian", version = "12", codename = "bookworm" }
    config = '''
    env PATH = "/usr/bin"
    env LANG = "C.UTF-8"
    cmd ["python3"]
    '''
    "#);
}

#[test]
fn a_python_that_was_compiled_for_the_image() {
    let files = [
        BOOKWORM,
        LINK,
        ("/usr/local/bin/python3", "->/usr/local/bin/python3.12"),
        ("/usr/local/bin/python3.12", "ELF"),
        (
            "/usr/local/include/python3.12/patchlevel.h",
            "#define PY_MAJOR_VERSION 3\n#define PY_VERSION   \t\"3.12.4\"\n",
        ),
    ];
    assert_snapshot!(seen(&[("PATH", "/usr/local/bin:/usr/bin")], &files), @r#"
    reference = "me/base:1"
    platforms = ["linux/amd64"]
    roles = ["build", "runtime"]
    extent = "runtime"
    os = { id = "debian", version = "12", codename = "bookworm" }
    python = { version = "3.12.4", interpreter = "/usr/local/bin/python3", prefix = "/usr/local" }

    [image.env]
    PATH = "/usr/local/bin:/usr/bin"
    Python 3.12.4 at `/usr/local/bin/python3`, by `/usr/local/include/python3.12/patchlevel.h`
    "#);
}

#[test]
fn a_python_of_the_distribution_by_its_package() {
    let files = [
        BOOKWORM,
        ("/usr/bin/python3", "->/usr/bin/python3.11"),
        ("/usr/bin/python3.11", "ELF"),
        ("/usr/bin/gcc", "ELF"),
        (
            "/var/lib/dpkg/status",
            "Package: python3.11-minimal\nStatus: install ok installed\nVersion: 3.11.2-6+deb12u6\n\nPackage: g++\nVersion: 4:12\n",
        ),
    ];
    assert_snapshot!(seen(&[], &files), @r#"
    reference = "me/base:1"
    platforms = ["linux/amd64"]
    roles = ["build", "runtime"]
    extent = "development"
    os = { id = "debian", version = "12", codename = "bookworm" }
    python = { version = "3.11.2", interpreter = "/usr/bin/python3", prefix = "/usr" }

    [image.packages]
    "g++" = "4:12"
    "python3.11-minimal" = "3.11.2-6+deb12u6"
    Python 3.11.2 at `/usr/bin/python3`, by the package `python3.11-minimal`
    it is for development, because it has the compiler `/usr/bin/gcc`
    "#);
}

#[test]
fn a_virtual_environment_of_a_python_elsewhere() {
    let files = [
        LINK,
        BOOKWORM,
        ("/venv/bin/python3", "->/opt/python/bin/python3"),
        ("/venv/pyvenv.cfg", "home = /opt/python/bin\nversion_info = 3.13.2\n"),
        ("/opt/python/bin/python3", "ELF"),
        ("/opt/python/lib/python3.13/os.py", ""),
    ];
    assert_snapshot!(seen(&[("PATH", "/venv/bin:/usr/bin")], &files), @r#"
    reference = "me/base:1"
    platforms = ["linux/amd64"]
    roles = ["build", "runtime"]
    extent = "runtime"
    os = { id = "debian", version = "12", codename = "bookworm" }
    python = { version = "3.13.2", interpreter = "/opt/python/bin/python3", prefix = "/opt/python", venv = "/venv" }

    [image.env]
    PATH = "/venv/bin:/usr/bin"
    Python 3.13.2 at `/opt/python/bin/python3`, by `pyvenv.cfg`
    "#);
}

#[test]
fn cuda_by_variables_by_its_own_word_and_by_packages() {
    let files = [
        BOOKWORM,
        LINK,
        ("/usr/local/cuda/version.json", "{\"cuda\": {\"name\": \"CUDA SDK\", \"version\": \"12.8.1\"}}"),
        ("/var/lib/dpkg/status.d/cudnn", "Package: libcudnn9-cuda-12\nVersion: 9.8.0.87-1\n"),
    ];
    assert_snapshot!(seen(&[], &files), @r#"
    reference = "me/base:1"
    platforms = ["linux/amd64"]
    roles = ["build", "runtime"]
    extent = "runtime"
    os = { id = "debian", version = "12", codename = "bookworm" }
    cuda = "12.8.1"
    cudnn = "9.8.0.87"

    [image.packages]
    libcudnn9-cuda-12 = "9.8.0.87-1"
    CUDA 12.8.1, by `/usr/local/cuda/version.json`
    cuDNN 9.8.0.87, by the package `libcudnn9-cuda-12`
    "#);
    let env = [("CUDA_VERSION", "11.8.0"), ("NV_CUDNN_VERSION", "8.9.6.50")];
    assert_snapshot!(seen(&env, &files), @r#"
    reference = "me/base:1"
    platforms = ["linux/amd64"]
    roles = ["build", "runtime"]
    extent = "runtime"
    os = { id = "debian", version = "12", codename = "bookworm" }
    cuda = "11.8.0"
    cudnn = "8.9.6.50"

    [image.packages]
    libcudnn9-cuda-12 = "9.8.0.87-1"

    [image.env]
    CUDA_VERSION = "11.8.0"
    NV_CUDNN_VERSION = "8.9.6.50"
    CUDA 11.8.0, by `CUDA_VERSION`
    cuDNN 8.9.6.50, by NV_CUDNN_VERSION
    "#);
}

#[test]
fn what_cannot_be_told_is_left_out_or_refused() {
    // Which of two it is, nobody knows; what a variable says of another is not believed.
    let two = [
        BOOKWORM,
        LINK,
        ("/opt/bin/python3", "ELF"),
        ("/opt/lib/python3.11/os.py", ""),
        ("/opt/lib/python3.12/os.py", ""),
    ];
    assert_snapshot!(seen(&[("PATH", "/opt/bin")], &two), @r#"
    reference = "me/base:1"
    platforms = ["linux/amd64"]
    roles = ["build", "runtime"]
    extent = "minimal"
    os = { id = "debian", version = "12", codename = "bookworm" }

    [image.env]
    PATH = "/opt/bin"
    `/opt/bin/python3` is left out, because neither its name nor `/opt/lib` tells its version
    "#);
    let one = [BOOKWORM, LINK, ("/opt/bin/python3", "->/opt/bin/python3.12"), ("/opt/bin/python3.12", "ELF")];
    assert_snapshot!(seen(&[("PATH", "bin:/opt/bin/"), ("PYTHON_VERSION", "3.11.4")], &one), @r#"
    reference = "me/base:1"
    platforms = ["linux/amd64"]
    roles = ["build", "runtime"]
    extent = "runtime"
    os = { id = "debian", version = "12", codename = "bookworm" }
    python = { version = "3.12", interpreter = "/opt/bin/python3", prefix = "/opt" }

    [image.env]
    PATH = "bin:/opt/bin/"
    PYTHON_VERSION = "3.11.4"
    Python 3.12 at `/opt/bin/python3`, by its name
    "#);
    assert_snapshot!(seen(&[], &[("/etc/os-release", "NAME=x\n")]), @"
    project::catalogue::os: the image does not say which distribution it is: it has no `/etc/os-release` with an `ID`
      help: write its entry by hand, as docs/catalogue.md shows, if plans are to start from it
    ");
}

/// An image whose layers are damaged.
struct Damaged;

impl Filesystem for Damaged {
    type Error = std::io::Error;

    fn names(&self, _: &str) -> Vec<String> {
        Vec::new()
    }

    fn resolved(&self, path: &str) -> Option<String> {
        Some(path.to_owned())
    }

    fn bytes(&self, _: &str) -> Result<Option<Vec<u8>>, std::io::Error> {
        Err(std::io::Error::other("the layer ends early"))
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let image = Image {
        reference: "me/base:1".parse().expect("is a reference"),
        digest: None,
        platforms: BTreeSet::new(),
        config: ImageConfig::default(),
    };
    let error = look(image, &Damaged).expect_err("it cannot be read");
    assert_eq!(
        shown(&error, ""),
        "project::catalogue::file: read `/etc/os-release` of the image\n  help: the image is damaged where it lies: get it again\n"
    );
}
