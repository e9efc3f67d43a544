//! Authorities that a project trusts: on images, where packages are installed, on Debian packages alone.

use cogpack_catalogue::Catalogue;
use cogpack_content::Digest;
use cogpack_frontends_source::MemoryProject;
use cogpack_ir::plan::context::{DebsContext, LockedFile};
use cogpack_ir::plan::{Span, Spanned};
use cogpack_ir::syntax;

use super::{LOCK, plan, told};
use crate::stacks::python::debs::{inputs, lock_text};
use crate::stacks::{BaseWish, Request};

/// Made by `openssl req -x509`.
const ONE: &str = include_str!("../../../../content/src/certificate/tests/one.pem");
const OTHER: &str = include_str!("../../../../content/src/certificate/tests/other.pem");

const YAML: &str = "build:\n  python_version: \"3.11\"\nrun: \"predict.py:Predictor\"\n";
const NAMED: &str = "ca-certificates = [\"certs/Own CA.pem\", \"certs/both.crt\"]\n";

fn request(base: &str) -> Request {
    let base = match base {
        "catalogue" => BaseWish::Catalogue,
        "debian" => BaseWish::Debian,
        other => BaseWish::Image(other.parse().unwrap()),
    };
    Request { base: Some(base), openapi_schema: Some("{}".to_owned()), ..Request::plain() }
}

fn project(yaml: &str, settings: &str) -> MemoryProject {
    let everywhere = LOCK.replace("cp311-none-manylinux_2_28_x86_64", "py3-none-any");
    unlocked(yaml, settings).with("pylock.cog.toml", everywhere.as_bytes()).unwrap()
}

fn unlocked(yaml: &str, settings: &str) -> MemoryProject {
    let both = format!("# Of ours\n{ONE}# and of another\n{OTHER}");
    let key = format!("{ONE}-----BEGIN EC PRIVATE KEY-----\nc2VjcmV0\n-----END EC PRIVATE KEY-----\n");
    let files = [
        ("cog.yaml", yaml),
        ("cogpack.toml", settings),
        ("certs/Own CA.pem", ONE),
        ("certs/both.crt", &both),
        ("certs/with-key.pem", &key),
        ("certs/empty.pem", "# none yet\n"),
    ];
    MemoryProject::new(files).unwrap().with("certs/own.der", &[0x30, 0x82, 0x01, 0xae]).unwrap()
}

/// The plan, and the stages of it that speak of certificates; bodies of certificates are left out.
fn planned(project: &MemoryProject, request: &Request) -> (String, String) {
    let planned = project.plan(|source| plan(source, request));
    let planned = planned.unwrap_or_else(|found| panic!("{:?}", found.iter().map(told).collect::<Vec<_>>()));
    let why = planned.why.text();
    let text = syntax::print(&planned.plan);
    assert_eq!(syntax::parse(&text).plan, planned.plan);
    let verified = cogpack_ir::verify::verify(planned.plan);
    assert!(verified.is_ok(), "{:?}", verified.err());
    assert!(!text.contains("Of ours") && !text.contains("KEY"), "only certificates are in it: {text}");
    let mut is_body = false;
    let mut short = String::new();
    for line in text.lines() {
        is_body &= !line.contains("-----END");
        if !is_body {
            short.push_str(&format!("{line}\n"));
        }
        is_body |= line.contains("-----BEGIN");
    }
    (short, why)
}

fn stage(text: &str, name: &str) -> String {
    let start = text.find(&format!("stage %{name} ")).unwrap_or_else(|| panic!("{text}"));
    text[start..].split("\n}\n").next().unwrap().to_owned()
}

#[test]
fn an_image_with_public_authorities_gets_those_of_the_project_beside() {
    let (text, why) = planned(&project(YAML, NAMED), &request("catalogue"));
    insta::assert_snapshot!(stage(&text, "ca-certificates"), @r#"
    stage %ca-certificates in export.base {
      by ca-certificates at "cogpack.toml":1
      file "/usr/local/share/ca-certificates/Own_CA.crt" = """
        -----BEGIN CERTIFICATE-----
        -----END CERTIFICATE-----

        """
      file "/usr/local/share/ca-certificates/both.crt" = """
        -----BEGIN CERTIFICATE-----
        -----END CERTIFICATE-----

        """
      run "update-ca-certificates" {
        network none
      }
      env REQUESTS_CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
      env SSL_CERT_FILE = "/etc/ssl/certs/ca-certificates.crt"
    "#);
    assert!(!text.contains("%system-packages"), "the base has the package: {text}");
    assert!(why.contains("authorities: Own_CA.crt, both.crt\n"), "{why}");
    assert!(why.contains("  ca-certificates: because of certs/Own CA.pem, certs/both.crt\n"), "{why}");
    // They are there before anything connects, and what the project sets goes before.
    let own = "environment: [\"SSL_CERT_FILE=/src/own.pem\"]\n";
    let (text, _) = planned(&project(&format!("{YAML}{own}"), NAMED), &request("catalogue"));
    let place = |word: &str| text.find(word).unwrap_or_else(|| panic!("{word}: {text}"));
    assert!(place("stage %ca-certificates") < place("env SSL_CERT_FILE = \"/src/own.pem\""));
    // Whoever names none gets none.
    let (text, why) = planned(&project(YAML, ""), &request("catalogue"));
    assert!(!text.contains("certificates"), "{text}");
    assert!(why.contains("nothing to do: the project names no authorities beside"), "{why}");
}

#[test]
fn an_image_without_public_authorities_gets_both() {
    let bare = "docker.io/library/ubuntu:24.04";
    let yaml = YAML.replace("3.11", "3.12");
    let (text, _) = planned(&project(&yaml, NAMED), &request(bare));
    let certificates = stage(&text, "ca-certificates");
    assert!(certificates.contains("file \"/usr/local/share/ca-certificates/both.crt\""), "{certificates}");
    assert!(!certificates.contains("run"), "there is no program yet: {certificates}");
    insta::assert_snapshot!(stage(&text, "system-packages"), @r#"
    stage %system-packages in export.base {
      by system-packages at "cog.yaml":2
      run """
        set -e
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -qqy --no-install-recommends \\
          ca-certificates \\
          python3 \\
          tini
        update-ca-certificates
        rm -rf /var/lib/apt/lists/*
        """
    "#);
    // Where packages are installed anyway they are one of them, as an init is.
    let (text, _) =
        planned(&project(&yaml.replace("run:", "  system_packages: [sox]\nrun:"), ""), &request(bare));
    let packages = stage(&text, "system-packages");
    assert!(packages.contains("      ca-certificates \\\\\n"), "{packages}");
    assert!(!packages.contains("update-ca-certificates"), "{packages}");
    // One that is asked for in a version is there once.
    let asked = yaml.replace("run:", "  system_packages: [ca-certificates=20240203]\nrun:");
    let packages = stage(&planned(&project(&asked, NAMED), &request(bare)).0, "system-packages");
    assert!(
        packages.contains("ca-certificates=20240203") && !packages.contains("ca-certificates \\"),
        "{packages}"
    );
    assert!(packages.contains("\n    update-ca-certificates\n"), "{packages}");
}

/// What is warned of.
fn warned(project: &MemoryProject, request: &Request) -> Vec<String> {
    let planned = project.plan(|source| plan(source, request)).unwrap_or_else(|found| panic!("{found:?}"));
    planned.warnings.iter().map(told).collect()
}

#[test]
fn a_bare_distribution_gets_public_authorities_by_apt_and_none_without_a_network() {
    // Python is unpacked there, so that nothing else asks for apt.
    let bare = request("docker.io/library/debian:13.3-slim");
    let model = project(YAML, "");
    let (text, why) = planned(&model, &bare);
    insta::assert_snapshot!(stage(&text, "system-packages"), @r#"
    stage %system-packages in export.base {
      by system-packages at "cog.yaml":1
      run """
        set -e
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -qqy --no-install-recommends \\
          ca-certificates \\
          tini
        rm -rf /var/lib/apt/lists/*
        """
    "#);
    assert!(text.contains("\n  entrypoint [\"/usr/bin/tini\", \"--\"]\n"), "an init comes along: {text}");
    let decision = "public authorities: `ca-certificates`, by apt\n  the base is known to have none";
    assert!(why.contains(decision), "{why}");
    assert_eq!(warned(&model, &bare), [""; 0]);
    // Without a network nothing is run for it, and that is told.
    let offline = Request { no_network: true, ..bare };
    let (text, why) = planned(&model, &offline);
    assert!(!text.contains("apt-get") && !why.contains("public authorities:"), "{text}{why}");
    insta::assert_snapshot!(warned(&model, &offline).join("\n"), @"
    project::python::no-authorities cog.yaml: `docker.io/library/debian:13.3-slim` has no certificates of public authorities, and nothing brings any
      leave `--no-network` away, and apt installs them; or take another base: `--base debian` has them, and nothing is run for that
    ");
    // What the project itself asks apt for is the project's to take back.
    let asks = project(&YAML.replace("run:", "  system_packages: [sox]\nrun:"), "");
    assert!(stage(&planned(&asks, &offline).0, "system-packages").contains("      ca-certificates \\\\\n"));
    assert_eq!(warned(&asks, &offline), [""; 0]);
}

#[test]
fn of_an_image_that_is_not_known_it_is_told_that_it_may_have_no_public_authorities() {
    let of = |more: &str, packages: &str| {
        let text = format!(
            "catalogue = 1\n[[image]]\nreference = \"registry.example/own:1\"\nplatforms = [\"linux/amd64\"]\n\
             roles = [\"runtime\"]\nextent = \"runtime\"\n\
             python = {{ version = \"3.11.4\", interpreter = \"/usr/bin/python3\", prefix = \"/usr\" }}\n{more}\n\
             packages = {{ {packages} }}\n"
        );
        let own = Catalogue::read("own.toml", &text).unwrap();
        Request { catalogue: Catalogue::shipped().with(own), ..request("registry.example/own:1") }
    };
    let (debian, other) =
        ("os = { id = \"debian\", version = \"12\" }", "os = { id = \"fedora\", version = \"44\" }");
    let lacks = "lacks = [\"ca-certificates\"]";
    let model = project(YAML, "");
    let told = [
        of(debian, ""),
        // Somebody has looked, and apt is not among its packages.
        of(debian, "base-files = \"12\""),
        of(&format!("{other}\n{lacks}"), ""),
    ];
    let told: Vec<String> = told.iter().flat_map(|request| warned(&model, request)).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    project::python::no-authorities cog.yaml: `registry.example/own:1` is not known to have certificates of public authorities, and nothing brings any
      if they are there, say so: `cogpackc catalogue add IMAGE` looks, and `ca-certificates = ""` below `[image.packages]` of its entry says it; if not, let apt install them, by `ca-certificates` in `build.system_packages`, or take another base: `--base debian` has them
    project::python::no-authorities cog.yaml: `registry.example/own:1` has no certificates of public authorities, nor apt to install them, and nothing brings any
      take another base: `--base debian` has them, and so have the images of Python
    project::python::no-authorities cog.yaml: `registry.example/own:1` has no certificates of public authorities, nor apt to install them, and nothing brings any
      take another base: `--base debian` has them, and so have the images of Python
    "#);
    assert_eq!(warned(&model, &of(debian, "ca-certificates = \"\"")), [""; 0]);
    let asks = project(&YAML.replace("run:", "  system_packages: [ca-certificates]\nrun:"), "");
    assert_eq!(warned(&asks, &of(debian, "")), [""; 0]);
    for known in [of(debian, "base-files = \"12\", apt = \"2\""), of(&format!("{debian}\n{lacks}"), "")] {
        assert!(
            stage(&planned(&model, &known).0, "system-packages").contains("      ca-certificates \\\\\n")
        );
    }
}

#[test]
fn a_base_of_debian_packages_has_them_in_its_set_and_nothing_is_run() {
    let request = request("debian");
    let bare = project(YAML, NAMED);
    let made = bare.plan(|source| inputs(source, &request)).unwrap().unwrap();
    let file = "ca-certificates_20230311_all.deb".to_owned();
    let url = Some(Spanned::nowhere("http://archive.example/ca.deb".to_owned()));
    let locked = LockedFile { digest: Some(Digest::of(b"")), url, span: Span::NOWHERE };
    let set = DebsContext {
        suite: Some("bookworm".to_owned()),
        packages: [(file, locked)].into(),
        archives: Default::default(),
        certificates: Default::default(),
    };
    let lock = lock_text(made.platforms.iter().map(|platform| (platform.clone(), set.clone())), &made);
    let locked = bare.with("debs.cog.cpk", lock.as_bytes()).unwrap();
    let (text, _) = planned(&locked, &request);
    assert!(!text.contains(" run "), "{text}");
    let start = text.find("context @system").unwrap();
    let context = text[start..].split("\n}\n").next().unwrap();
    insta::assert_snapshot!([context, &stage(&text, "ca-certificates")].join("\n"), @r#"
    context @system = debs {
      suite "bookworm"
      deb "ca-certificates_20230311_all.deb" { hash sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 url "http://archive.example/ca.deb" }
      certificate "Own_CA.crt" = """
        -----BEGIN CERTIFICATE-----
        -----END CERTIFICATE-----

        """
      certificate "both.crt" = """
        -----BEGIN CERTIFICATE-----
        -----END CERTIFICATE-----

        """
    stage %ca-certificates in export.base {
      by ca-certificates at "cogpack.toml":1
      env REQUESTS_CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
      env SSL_CERT_FILE = "/etc/ssl/certs/ca-certificates.crt"
    "#);
}

#[test]
fn what_is_no_certificate_is_told_where_it_is_named() {
    let told_of = |names: &str| {
        let settings = format!("ca-certificates = [{names}]\n");
        let found = project(YAML, &settings).plan(|source| plan(source, &request("catalogue")));
        found.err().unwrap_or_default().iter().map(told).collect::<Vec<_>>().join("\n")
    };
    let all = [
        told_of("\"certs/with-key.pem\", \"certs/none.pem\""),
        told_of("\"certs/empty.pem\", \"certs/own.der\""),
        told_of("\"certs\""),
        told_of("\"../own.pem\""),
    ];
    assert!(all.iter().all(|told| !told.contains("c2Vj")), "no key is shown");
    insta::assert_snapshot!(all.join("\n"), @"
    project::python::private-key cogpack.toml: `certs/with-key.pem` cannot be trusted as certificates of authorities: it holds a private key, in line 13
      name a file of the certificate alone, as `openssl x509 -in FILE -out OTHER.pem` writes it; and keep the key out of the project, or name it in `.dockerignore`: its files are copied into the image
    project::python::install-file cogpack.toml: there is no file `certs/none.pem`
      name a file of the project by its path from the file on that names it, or take the name away
    project::python::certificate cogpack.toml: `certs/empty.pem` cannot be trusted as certificates of authorities: it holds no certificate: no line is `-----BEGIN CERTIFICATE-----`
      name a file of certificates as PEM; `openssl x509 -inform der -in FILE -out OTHER.pem` makes one of the other form
    project::python::certificate cogpack.toml: `certs/own.der` cannot be trusted as certificates of authorities: it is not text: its line 1, column 2 cannot be read
      name a file of certificates as PEM; `openssl x509 -inform der -in FILE -out OTHER.pem` makes one of the other form
    project::file::not-a-file certs: `certs` is a directory, and a file is wanted there
      put the file there, or take away what is
    project::pyproject::setting cogpack.toml: `ca-certificates` cannot be `../own.pem`
      name a file of the project, by its path from this file on
    ");
}

#[test]
fn what_the_settings_name_is_looked_at_before_a_lock_is_made() {
    let codes = |settings: &str| {
        let found = unlocked(YAML, settings).plan(|source| plan(source, &request("catalogue")));
        let told: Vec<String> = found.err().unwrap_or_default().iter().map(told).collect();
        told.iter().filter_map(|told| told.split(' ').next().map(str::to_owned)).collect::<Vec<_>>()
    };
    // Whoever finds nothing else wrong makes the lock.
    assert_eq!(codes(NAMED), ["project::lock::missing"]);
    for (settings, code) in [
        ("ca-certificates = [\"certs/with-key.pem\"]\n", "project::python::private-key"),
        ("ca-certificates = [\"certs/empty.pem\"]\n", "project::python::certificate"),
        ("pre-install = [\"none.sh\"]\n", "project::python::install-file"),
        ("post-install = [\"none.sh\"]\n", "project::python::install-file"),
        ("apt-sources = \"none.list\"\n", "project::python::install-file"),
    ] {
        assert_eq!(codes(settings), ["project::lock::missing", code], "{settings}");
    }
}
