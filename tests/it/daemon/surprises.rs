//! Plans on bases that bring surprises, by both daemons: a PATH on which the project's own programs
//! stand before, or instead of, the system's; and build triggers, which a plan leaves alone.

use std::io::Write as _;
use std::process::{Command, Stdio};

use cogpack_tests::engines::{self, Engine};
use cogpack_tests::filesystem::list_tar;

use super::build::build;

/// Names that ops have asked programs for, or may one day.
const PROGRAMS: &str = "chmod chown cp env find install ln mkdir mv rm sh tar test touch";

/// Ops that a daemon cannot do to files alone: to what is there, so that nothing is foreseen.
const OPS: &str = "  mkdir \"/there\" mode 0700\n  mkdir \"/owned\" owner 4:5\n  mkdir \"/sticky\" mode 1777\n  \
                   remove \"/link\"\n  copy \"hello\" from @source to \"/hello\" mode 0600 replace\n  \
                   copy contents \"/there\" from %app to \"/owned\" replace owner 4:4 mode 0640\n";

fn on_each(test: impl Fn(&Engine, &str)) {
    let registry = engines::registry().unwrap_or_default();
    [engines::older(), engines::newer()].into_iter().flatten().for_each(|engine| test(&engine, &registry));
}

#[test]
fn programs_of_our_own_are_not_looked_for_on_the_path_of_the_plan() {
    on_each(|engine, registry| {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let hello = format!("{:?}", std::time::SystemTime::now());
        let made = format!(
            "set -e; : {hello}; mkdir -p /src/bin /there /owned; echo a >/there/file; ln -s there /link; \
             for it in {PROGRAMS}; do printf '#!/bin/bash\\necho $0 >>/called\\nexit 1\\n' >/src/bin/$it; done; \
             chmod +x /src/bin/*"
        );
        for path in ["/src/bin", "/nowhere"] {
            let plan = format!(
                "cpk 1\nimage @base = \"{registry}/base/debian:bookworm-slim\"\n\
                 context @source = dir \".\" {{ include \"hello\" }}\n\
                 stage %app from image @base {{\n  run {made:?}\n}}\n\
                 stage %after from %app {{\n  env PATH = \"{path}\"\n{OPS}}}\nexport from %after\n"
            );
            std::fs::write(folder.path().join("plan.cpk"), plan).expect("is writable");
            std::fs::write(folder.path().join("hello"), &hello).expect("is writable");
            let arguments = [".", "-o", "type=tar,dest=out.tar", "--progress", "plain"];
            let answer = build(engine, folder.path(), &arguments);
            assert_eq!(answer.code, 0, "{}: {path}: {}", engine.name, answer.stderr);
            let files = list_tar(&std::fs::read(folder.path().join("out.tar")).expect("the result is there"));
            let is = |path: &str| files.get(path).map(String::as_str);
            assert_eq!(is("called"), None, "{}: {path}", engine.name);
            assert_eq!(is("link"), None, "{}: {path}", engine.name);
            assert_eq!(is("there"), Some("directory 0700 0:0"), "{}: {path}", engine.name);
            assert_eq!(is("sticky"), Some("directory 1777 0:0"), "{}: {path}", engine.name);
            assert_eq!(is("owned/file"), Some("file 0640 4:4 `a\n`"), "{}: {path}", engine.name);
            assert_eq!(
                is("hello"),
                Some(format!("file 0600 0:0 `{hello}`").as_str()),
                "{}: {path}",
                engine.name
            );
        }
    });
}

/// Has an engine make an image with build triggers, and puts it into the registry.
fn push_with_triggers(engine: &Engine, registry: &str, name: &str) {
    let docker = |arguments: &[&str], input: &str| {
        let mut command = Command::new("docker");
        command.args(arguments).env("DOCKER_HOST", &engine.host).env("DOCKER_BUILDKIT", "1");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the rig installs docker");
        let mut stdin = child.stdin.take().expect("it is piped");
        stdin.write_all(input.as_bytes()).expect("docker reads it");
        drop(stdin);
        let output = child.wait_with_output().expect("docker ends");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let dockerfile = format!(
        "FROM {registry}/base/debian:bookworm-slim\nONBUILD RUN touch /triggered\nONBUILD ENV TRIGGERED=yes\n"
    );
    docker(&["build", "--quiet", "--tag", name, "-"], &dockerfile);
    docker(&["push", "--quiet", name], "");
    docker(&["image", "rm", name], "");
}

#[test]
fn triggers_that_a_daemon_finds_in_a_base_are_told_and_left_alone() {
    on_each(|engine, registry| {
        let name = format!("{registry}/wire/triggers:{}-{}", engine.name, std::process::id());
        push_with_triggers(engine, registry, &name);
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let plan = format!(
            "cpk 1\nimage @base = \"{name}\"\nstage %app from image @base {{\n  file \"/a\" = \"b\"\n}}\nexport from %app\n"
        );
        std::fs::write(folder.path().join("plan.cpk"), plan).expect("is writable");
        let arguments = [".", "-o", "type=tar,dest=out.tar", "--progress", "plain"];
        let answer = build(engine, folder.path(), &arguments);
        assert_eq!(answer.code, 0, "{}: {}", engine.name, answer.stderr);
        let said = "`@base` has 2 build triggers (`RUN touch /triggered`, `ENV TRIGGERED=yes`)";
        assert!(answer.stderr.contains("cpk::image::triggers"), "{}: {}", engine.name, answer.stderr);
        assert!(answer.stderr.contains(said), "{}: {}", engine.name, answer.stderr);
        let files = list_tar(&std::fs::read(folder.path().join("out.tar")).expect("the result is there"));
        assert!(files.contains_key("a") && !files.contains_key("triggered"), "{}", engine.name);
    });
}
