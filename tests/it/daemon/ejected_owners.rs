//! Owners by name in ejected Dockerfiles: with each tool, a name that the image does not know makes
//! the build fail, and never gives the files to root.

use cogpack_tests::engines;
use cogpack_tests::tools::{Given, Tool};

use super::ejects::{eject, named};

/// The ops that give files to `owner`, and fail where there is none such.
const OPS: [&str; 3] = [
    "copy \"a\" from @src to \"/srv/out/b\" owner OWNER",
    "file \"/srv/out/b\" owner OWNER = \"x\\n\"",
    "mkdir \"/srv/out/b\" owner OWNER",
];

fn unknown_owners_fail(tool: Option<Tool>) {
    let (Some(tool), Some(registry)) = (tool, engines::registry()) else { return };
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    std::fs::create_dir(folder.path().join("src")).expect("can be made");
    std::fs::write(folder.path().join("src/a"), "x\n").expect("can be written");
    let build = |number: usize, ops: &str| {
        let plan = format!(
            "cpk 1\nimage @base = \"{registry}/base/debian:bookworm-slim\"\n  env PATH = \"/usr/bin:/bin\"\n\
             context @src = dir \"src\"\nstage %app from image @base {{\n  {ops}\n}}\nexport from %app\n"
        );
        let name = format!("plan-{number}.cpk");
        std::fs::write(folder.path().join(&name), plan).expect("can be written");
        let eject =
            eject(folder.path(), &name, &format!("eject-{number}"), &tool).expect("nothing is refused");
        let image = format!("localhost/ejects-owners/{}:{}-{number}", tool.name, std::process::id());
        let built = tool.build(&eject, &image, &Given::default());
        let names = [image];
        let listing = built.map(|()| named(&tool.images(&names), &names[0]).files.clone());
        tool.remove(&names);
        listing
    };
    let known =
        build(0, &OPS[..2].join("\n  ").replacen("out/b", "out/a", 1).replace("OWNER", "daemon:staff"));
    let known = known.unwrap_or_else(|said| panic!("{}: {said}", tool.name));
    for path in ["srv/out/a", "srv/out/b"] {
        assert!(known[path].contains(" 1:50 "), "{path} with {}: {}", tool.name, known[path]);
    }
    let unknown =
        OPS.into_iter().flat_map(|ops| ["stranger:staff", "daemon:strangers"].map(|owner| (ops, owner)));
    for (number, (ops, owner)) in unknown.enumerate() {
        let built = build(number + 1, &ops.replace("OWNER", owner));
        assert!(
            built.is_err(),
            "{owner} with {}: {:?}",
            tool.name,
            built.map(|files| files["srv/out/b"].clone())
        );
    }
}

#[test]
fn buildkit_of_the_older_engine_gives_nothing_of_strangers_to_root() {
    unknown_owners_fail(Tool::older_buildkit());
}

#[test]
fn buildkit_of_the_newer_engine_gives_nothing_of_strangers_to_root() {
    unknown_owners_fail(Tool::newer_buildkit());
}

#[test]
fn the_classic_builder_gives_nothing_of_strangers_to_root() {
    unknown_owners_fail(Tool::classic());
}

#[test]
fn buildah_gives_nothing_of_strangers_to_root() {
    unknown_owners_fail(Tool::buildah());
}

#[test]
fn the_newer_buildah_gives_nothing_of_strangers_to_root() {
    unknown_owners_fail(Tool::newer_buildah());
}
