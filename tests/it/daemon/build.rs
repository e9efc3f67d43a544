//! `cogpackc build` on real daemons: what is built, what is cached, what is said when it fails.

use std::ffi::OsString;
use std::io::Cursor;
use std::path::Path;

use cogpack_cli::{Console, Environment};
use cogpack_tests::engines::{self, Engine};
use cogpack_tests::terminal::Answer;

pub fn build(engine: &Engine, directory: &Path, arguments: &[&str]) -> Answer {
    let mut environment = Environment::default();
    environment.docker.host = Some(engine.host.clone());
    environment.named.0.insert("SCREEN_TOKEN".into(), "hunter2-and-more".into());
    let (mut stdin, mut stdout, mut stderr) = (Cursor::new(""), Vec::new(), Vec::new());
    let mut console = Console {
        stdin: &mut stdin,
        stdout: &mut stdout,
        stderr: &mut stderr,
        directory: directory.to_owned(),
        environment,
        stdout_is_terminal: false,
        stderr_is_terminal: false,
    };
    let words = ["cogpackc", "build"].iter().chain(arguments).map(OsString::from);
    let code = cogpack_cli::run(words, &mut console);
    Answer { code, stdout, stderr: String::from_utf8(stderr).expect("talk is text") }
}

/// A plan on the rig's own base, with something in it that no other test builds.
fn folder_with(what: &str, ops: &str) -> Option<tempfile::TempDir> {
    let registry = engines::registry()?;
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let plan = format!(
        "cpk 1\n\nimage @base = \"{registry}/base/debian:bookworm-slim\"\n\ncontext @source = dir \".\" {{\n  \
         include \"hello\"\n}}\n\nsecret token optional\n\nstage %app in export.app from image @base {{\n{ops}}}\n\n\
         export from %app\n"
    );
    std::fs::write(folder.path().join("plan.cpk"), plan).expect("is writable");
    std::fs::write(folder.path().join("hello"), format!("{what} {:?}", std::time::SystemTime::now()))
        .expect("is writable");
    Some(folder)
}

fn events(stderr: &str) -> Vec<serde_json::Value> {
    let lines = stderr.lines().filter(|line| line.starts_with("{\"at\""));
    lines.map(|line| serde_json::from_str(line).expect("each line is an object")).collect()
}

fn count(events: &[serde_json::Value], event: &str) -> usize {
    events.iter().filter(|found| found["event"] == event).count()
}

fn on_each(test: impl Fn(&Engine)) {
    [engines::older(), engines::newer()].into_iter().flatten().for_each(|engine| test(&engine));
}

#[test]
fn a_second_build_runs_nothing_and_sends_nothing() {
    let ops = "  copy \"hello\" from @source to \"/hello\"\n  run \"cat /hello > /said\"\n";
    on_each(|engine| {
        let Some(folder) = folder_with("second", ops) else { return };
        let arguments = [".", "--progress", "json", "-o", "type=tar,dest=out.tar"];
        let first = build(engine, folder.path(), &arguments);
        assert_eq!(first.code, 0, "{}: {}", engine.name, first.stderr);
        let events_of_first = events(&first.stderr);
        assert_eq!(events_of_first.first().map(|first| &first["event"]), Some(&"planned".into()));
        assert_eq!(events_of_first.last().map(|last| &last["event"]), Some(&"done".into()));
        let bytes = std::fs::read(folder.path().join("out.tar")).expect("the result is there");
        assert!(String::from_utf8_lossy(&bytes).contains("second"), "{}", engine.name);

        let again = build(engine, folder.path(), &arguments);
        assert_eq!(again.code, 0, "{}: {}", engine.name, again.stderr);
        let events_of_second = events(&again.stderr);
        assert!(count(&events_of_second, "cached") >= 2, "{}: {}", engine.name, again.stderr);
        let sent = events_of_second.iter().filter(|event| event["event"] == "sent");
        sent.for_each(|sent| assert_eq!(sent["bytes"], 0, "{}", engine.name));
        assert!(count(&events_of_second, "output") == 0, "{}: {}", engine.name, again.stderr);
    });
}

#[test]
fn an_op_that_fails_is_shown_where_the_plan_asks_for_it() {
    let ops = "  run \"echo first; echo second >&2; exit 7\" {\n    mount @source at /mnt\n  }\n";
    on_each(|engine| {
        let Some(folder) = folder_with("failing", ops) else { return };
        let answer = build(engine, folder.path(), &[".", "-o", "out", "--progress", "quiet"]);
        assert_eq!(answer.code, 1, "{}: {}", engine.name, answer.stderr);
        for said in ["cpk::build::failed", "[plan.cpk:12:3]", "exit code 7", "│ first", "│ second"] {
            assert!(answer.stderr.contains(said), "{}: {said}: {}", engine.name, answer.stderr);
        }
        assert!(!folder.path().join("out").exists(), "{}", engine.name);
        let json =
            build(engine, folder.path(), &[".", "-o", "out", "--progress", "quiet", "--format", "json"]);
        let reports = serde_json::Deserializer::from_str(&json.stderr).into_iter::<serde_json::Value>();
        let findings = reports
            .flat_map(|report| report.expect("is JSON")["findings"].as_array().cloned().unwrap_or_default());
        let failed = findings.last().expect("one is about the op");
        assert_eq!(failed["labels"][0]["line"], 12, "{}", engine.name);
        // The two lines come through two pipes, and no daemon promises which is read first.
        let mut output = failed["output"].as_array().cloned().unwrap_or_default();
        output.sort_by_key(ToString::to_string);
        assert_eq!(output, ["first", "second"], "{}", engine.name);
    });
}

#[test]
fn a_secret_is_in_nothing_that_is_said_or_made() {
    let ops = "  run \"test \\\"$(cat /run/token)\\\" = hunter2-and-more && cat /mnt/hello > /done\" {\n    \
               mount @source at /mnt\n    mount secret token at /run/token\n  }\n";
    on_each(|engine| {
        let Some(folder) = folder_with("secret", ops) else { return };
        for progress in ["json", "plain"] {
            let secret = "id=token,env=SCREEN_TOKEN";
            let answer = build(
                engine,
                folder.path(),
                &[".", "--secret", secret, "--progress", progress, "-o", "type=tar,dest=out.tar"],
            );
            assert_eq!(answer.code, 0, "{}: {}", engine.name, answer.stderr);
            // The plan itself says what the test expects; what is said of the secret's own is not.
            let said = answer.stderr.replace("= hunter2-and-more", "");
            assert!(!said.contains("hunter2"), "{}: {said}", engine.name);
        }
        let made = std::fs::read(folder.path().join("out.tar")).expect("the result is there");
        let found = made.windows(7).any(|window| window == b"hunter2");
        assert!(!found, "{}: the secret is in the result", engine.name);
    });
}

#[test]
fn a_link_that_a_daemon_does_not_find_has_its_way_out() {
    let removing = "  run \"mkdir /srv/b; ln -s /srv/b /etc/b; cat /mnt/hello > /said\" {\n    \
                    mount @source at /mnt\n  }\n  remove \"/etc/b\"HOW\n";
    on_each(|engine| {
        for (how, newer_code) in [("", 1), (" optional", 0)] {
            let Some(folder) = folder_with("links", &removing.replace("HOW", how)) else { return };
            let answer =
                build(engine, folder.path(), &[".", "-o", "type=tar,dest=out.tar", "--progress", "plain"]);
            let expected = if engine.merges { newer_code } else { 0 };
            assert_eq!(answer.code, expected, "{}: {}", engine.name, answer.stderr);
            let said = [
                "cpk::build::failed",
                "[plan.cpk:15:3]",
                "help: `remove … optional` is content where nothing is",
            ];
            for said in said {
                assert_eq!(
                    answer.stderr.contains(said),
                    expected == 1,
                    "{}: {said}: {}",
                    engine.name,
                    answer.stderr
                );
            }
        }
    });
}

#[test]
fn an_image_that_cannot_be_found_is_the_daemons_answer() {
    on_each(|engine| {
        let Some(folder) = folder_with("missing", "  mkdir \"/a\"\n") else { return };
        let path = folder.path().join("plan.cpk");
        let plan = std::fs::read_to_string(&path).expect("is there").replace("base/debian", "base/no-such");
        std::fs::write(&path, plan).expect("is writable");
        let answer = build(engine, folder.path(), &[".", "--progress", "quiet", "-o", "out"]);
        assert_eq!(answer.code, 2, "{}: {}", engine.name, answer.stderr);
        assert!(answer.stderr.contains("cannot look up"), "{}: {}", engine.name, answer.stderr);
        assert!(answer.stderr.contains("base/no-such"), "{}: {}", engine.name, answer.stderr);
    });
}

#[test]
fn an_owner_that_is_not_there_is_shown_where_the_plan_names_it() {
    let ops = "  run \"useradd -u 4000 app; cat /mnt/hello > /said\" {\n    mount @source at /mnt\n  }\n  \
               copy \"hello\" from @source to \"/hello\" owner app:NAME\n  run \"cat /hello > /again\"\n";
    on_each(|engine| {
        let Some(folder) = folder_with("owners", &ops.replace("NAME", "crew")) else { return };
        let arguments = [".", "-o", "type=tar,dest=out.tar", "--progress", "json"];
        let answer = build(engine, folder.path(), &arguments);
        assert_eq!(answer.code, 1, "{}: {}", engine.name, answer.stderr);
        for said in ["cpk::build::unknown-owner", "[plan.cpk:15:47]", "no group `crew` in `/etc/group`"] {
            assert!(answer.stderr.contains(said), "{}: {said}: {}", engine.name, answer.stderr);
        }
        assert!(!answer.stderr.contains("no user"), "{}: {}", engine.name, answer.stderr);
        assert!(!folder.path().join("out.tar").exists(), "{}", engine.name);
        assert_eq!(count(&events(&answer.stderr), "done"), 0, "{}: {}", engine.name, answer.stderr);

        let path = folder.path().join("plan.cpk");
        let plan = std::fs::read_to_string(&path).expect("is there").replace("app:crew", "app:app");
        std::fs::write(&path, plan).expect("is writable");
        let answer = build(engine, folder.path(), &arguments);
        assert_eq!(answer.code, 0, "{}: {}", engine.name, answer.stderr);
        let archive = std::fs::File::open(folder.path().join("out.tar")).expect("the result is there");
        let mut archive = tar::Archive::new(archive);
        let hello = archive
            .entries()
            .expect("is a tar")
            .map(|entry| entry.expect("is a tar"))
            .find(|entry| entry.path_bytes().ends_with(b"hello") && !entry.path_bytes().contains(&b'/'));
        let hello = hello.expect("it was copied");
        assert_eq!(hello.header().uid().expect("is a number"), 4000, "{}", engine.name);
    });
}

/// A plan of two stages side by side, after which a third one reads what they made.
fn side_by_side(one: &str, other: &str, way: &str) -> Option<tempfile::TempDir> {
    let registry = engines::registry()?;
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let hello = format!("{:?}", std::time::SystemTime::now());
    let plan = format!(
        "cpk 1\nimage @base = \"{registry}/base/debian:bookworm-slim\"\nphase base\nphase tools {way} after base\n\
         phase app after tools\nstage %base in base from image @base {{\n  run \"echo '{hello}'; mkdir /both; echo old >/old; echo old >/both/old\"\n}}\n\
         stage %one in tools {{\n  run \"{one}\"\n}}\nstage %other in tools {{\n  run \"{other}\"\n}}\n\
         stage %app in app {{\n  run \"ls /both >/list\"\n}}\nexport from %app\n"
    );
    std::fs::write(folder.path().join("plan.cpk"), plan).expect("is writable");
    Some(folder)
}

#[test]
fn stages_side_by_side_that_change_one_path_are_refused_and_others_are_merged() {
    let Some(engine) = engines::newer() else { return };
    let arguments = [".", "-o", "type=tar,dest=out.tar", "--progress", "plain"];
    for (one, other, path) in [
        ("echo 1 >/both/same", "echo 2 >/both/same", "/both/same"),
        ("echo 1 >/both/same", "mkdir -p /both/same/d", "/both/same"),
        ("rm /both/old", "echo new >/both/old", "/both/old"),
        ("rm -r /both", "echo new >/both/new", "/both"),
        ("chmod 0700 /both", "echo new >/both/new", "/both"),
        ("ln -s a /link", "ln -s b /link", "/link"),
    ] {
        let Some(folder) = side_by_side(one, other, "parallel") else { return };
        let answer = build(&engine, folder.path(), &arguments);
        assert_eq!(answer.code, 1, "{one} | {other}: {}", answer.stderr);
        let told =
            format!("`%one` and `%other` run side by side in the phase `tools` and both change `{path}`");
        for said in ["cpk::build::parallel", "[plan.cpk:", &told] {
            assert!(answer.stderr.contains(said), "{one} | {other}: {said}: {}", answer.stderr);
        }
        assert!(!folder.path().join("out.tar").exists(), "{one} | {other}");
    }
    for (one, other) in [
        ("echo 1 >/both/one; rm /old; chmod 0711 /both", "echo 2 >/both/other; rm /old; chmod 0711 /both"),
        ("mkdir -p /a/b; echo 1 >/a/b/one", "mkdir -p /a/b; echo 2 >/a/b/other"),
    ] {
        let Some(folder) = side_by_side(one, other, "parallel") else { return };
        let answer = build(&engine, folder.path(), &arguments);
        assert_eq!(answer.code, 0, "{one} | {other}: {}", answer.stderr);
    }
}

#[test]
fn what_is_remembered_of_owners_changes_nothing_of_the_next_build() {
    let ops = "  run \"useradd -u 4000 app; cat /mnt/hello > /said\" {\n    mount @source at /mnt\n  }\n  \
               copy \"hello\" from @source to \"/hello\" owner app:NAME\n  run \"cat /hello > /again\"\n";
    on_each(|engine| {
        let Some(folder) = folder_with("remembered", &ops.replace("NAME", "app")) else { return };
        let arguments = [".", "--store", "store", "-o", "type=tar,dest=out.tar"];
        let built = || {
            let answer = build(engine, folder.path(), &arguments);
            assert_eq!(answer.code, 0, "{}: {}", engine.name, answer.stderr);
            std::fs::read(folder.path().join("out.tar")).expect("is there")
        };
        let first = built();
        let hints = std::fs::read_dir(folder.path().join("store/hints")).expect("is there");
        let hints: Vec<_> = hints.map(|entry| entry.expect("can be listed").path()).collect();
        let [hint] = hints.as_slice() else { panic!("{}: one build is remembered: {hints:?}", engine.name) };
        for noted in ["end\n", "no such\nend\n", "half"] {
            std::fs::write(hint, noted).expect("is writable");
            assert!(built() == first, "{}: the image is another one after `{noted}`", engine.name);
        }

        // The same ops stand on the same filesystem, of which it is noted that all was found.
        let path = folder.path().join("plan.cpk");
        let plan = std::fs::read_to_string(&path).expect("is there").replace("app:app", "app:crew");
        std::fs::write(&path, plan).expect("is writable");
        std::fs::remove_file(folder.path().join("out.tar")).expect("is there");
        let answer = build(engine, folder.path(), &arguments);
        assert_eq!(answer.code, 1, "{}: {}", engine.name, answer.stderr);
        assert!(
            answer.stderr.contains("no group `crew` in `/etc/group`"),
            "{}: {}",
            engine.name,
            answer.stderr
        );
        assert!(!folder.path().join("out.tar").exists(), "{}", engine.name);
    });
}

#[test]
fn copies_side_by_side_that_bring_one_file_are_refused_by_daemons_without_merges_too() {
    on_each(|engine| {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        for (path, content) in [("one/d/a", "1"), ("other/d/b", "2"), ("third/d/a", "3")] {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("is in a folder")).expect("is writable");
            std::fs::write(path, content).expect("is writable");
        }
        for (second, code) in [("other", 0), ("third", 1)] {
            let plan = format!(
                "cpk 1\ncontext @source = dir \".\"\nphase tools parallel\n\
                 stage %one in tools from scratch {{\n  copy contents \"one\" from @source to \"/s\"\n}}\n\
                 stage %two in tools from scratch {{\n  copy contents \"{second}\" from @source to \"/s\"\n}}\n\
                 export from phase tools\n"
            );
            std::fs::write(folder.path().join("plan.cpk"), plan).expect("is writable");
            let answer = build(engine, folder.path(), &[".", "-o", "type=tar,dest=out.tar"]);
            assert_eq!(answer.code, code, "{}: {}", engine.name, answer.stderr);
            let said = "`%one` and `%two` run side by side in the phase `tools` and both change `/s/d/a`";
            assert_eq!(answer.stderr.contains(said), code == 1, "{}: {}", engine.name, answer.stderr);
        }
    });
}
