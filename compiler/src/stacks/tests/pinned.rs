//! Projects whose base is pinned in a catalogue of their own: their plans lean on nothing that may change.

use cogpack_catalogue::Catalogue;
use cogpack_frontends_source::MemoryProject;
use cogpack_ir::syntax;

use crate::stacks::{Request, plan};

const IMAGE: &str = r#"catalogue = 1

[[image]]
reference = "docker.io/library/python:3.12.12-slim-trixie"
digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
platforms = ["linux/amd64"]
roles = ["build", "runtime"]
extent = "runtime"
os = { id = "debian", version = "13", codename = "trixie" }
python = { version = "3.12.12", interpreter = "/usr/local/bin/python3", prefix = "/usr/local" }
"#;
const CONFIG: &str = "config = '''\nenv PATH = \"/usr/local/bin:/usr/bin:/bin\"\ncmd [\"python3\"]\n'''\n";

/// The first lines of the plan of a folder of Python whose catalogue lists this, and what resolving warns of.
fn planned(catalogue: &str) -> (String, Vec<String>) {
    let files = [
        ("bases.toml", catalogue),
        ("cogpack.toml", "python = \"3.12\"\ncatalogue = [\"bases.toml\"]\n"),
        ("main.py", "print(1)\n"),
    ];
    let planned = MemoryProject::new(files).unwrap().plan(|source| plan(source, &Request::plain())).unwrap();
    let text = syntax::print(&planned.plan);
    let compiled = crate::compile(planned.plan, &crate::World::default()).unwrap();
    let warned = compiled.warnings().iter().map(ToString::to_string).collect();
    let image = text.split("\n\n").find(|part| part.starts_with("image @base ")).unwrap().to_owned();
    (image, warned)
}

#[test]
fn a_base_of_the_projects_catalogue_is_pinned_with_what_it_sets() {
    let (image, warned) = planned(&format!("{IMAGE}{CONFIG}"));
    insta::assert_snapshot!(image, @r#"
    image @base = "docker.io/library/python:3.12.12-slim-trixie"
      digest sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
      env PATH = "/usr/local/bin:/usr/bin:/bin"
      cmd ["python3"]
    "#);
    assert_eq!(warned, [""; 0]);
}

#[test]
fn what_nobody_has_looked_into_is_warned_of() {
    let (image, warned) = planned(IMAGE);
    assert!(image.ends_with("b7852b855"), "{image}");
    assert_eq!(warned, ["the config of the image `@base` is not known: what it sets counts as unset"]);
    let of_shipped = IMAGE.replace("digest = ", "# digest = ");
    let (image, warned) = planned(&of_shipped);
    assert!(image.ends_with("slim-trixie\""), "{image}");
    assert_eq!(warned.len(), 1);
    assert!(Catalogue::shipped().images().iter().all(|listed| listed.entry.digest.is_none()));
}
