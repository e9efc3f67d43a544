//! The command line as its users meet it: streams, exit codes, what is written and what is not.

use cogpack_cli::Environment;
use cogpack_tests::places::{names_in, root};
use cogpack_tests::terminal::{cogpackc, cogpackc_in, cogpackc_with_input};

const PLAN: &str = "cpk 1\n\nplatform linux/amd64\n\nstage %app from scratch {\n  env PATH = \"/bin\"\n  file \"/a\" = \"a\"\n}\n\nexport from %app\n";
const CYCLE: &str = "cpk 1\nstage %a from %b\nstage %b from %a\nexport from %a\n";

fn folder_with(plan: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    std::fs::write(folder.path().join("plan.cpk"), plan).expect("can be written");
    folder
}

#[test]
fn data_goes_to_standard_output_and_nothing_else_does() {
    let folder = folder_with(PLAN);
    let answer = cogpackc(folder.path(), &["plan.cpk", "-o", "cpk"]);
    assert_eq!((answer.code, answer.text(), answer.stderr.as_str()), (0, PLAN, ""));
    let answer = cogpackc_with_input(folder.path(), &["-", "-o", "json"], PLAN);
    assert_eq!((answer.code, answer.stderr.as_str()), (0, ""));
    let back = cogpackc_with_input(folder.path(), &["-", "-o", "cpk"], answer.text());
    assert_eq!(back.text(), PLAN);
    let answer = cogpackc(folder.path(), &["plan.cpk", "-o", "cpk", "-O", "-"]);
    assert_eq!((answer.code, answer.text(), answer.stderr.as_str()), (0, PLAN, ""));
    assert_eq!(names_in(folder.path()), ["plan.cpk"]);
}

#[test]
fn several_formats_are_written_in_one_run() {
    let folder = folder_with(PLAN);
    let arguments =
        ["plan.cpk", "-o", "llb,llb.txt", "-o", "dockerfile", "-o", "oci", "-o", "json", "-o", "cpk"];
    let answer = cogpackc(folder.path(), &[&arguments[..], &["-O", "out"]].concat());
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    let names = names_in(&folder.path().join("out"));
    for name in ["dockerfile", "image-config.json", "llb.pb", "llb.txt", "oci", "plan.cpk", "plan.json"] {
        assert!(names.contains(&name.to_owned()), "{name} is not in {names:?}");
    }
    assert_eq!(names_in(folder.path()), ["out", "plan.cpk"], "something was left beside the output");
}

#[test]
fn a_refusal_writes_nothing() {
    let folder = folder_with(
        "cpk 1\nimage @b = \"b\"\n  config empty\nstage %app from image @b {\n  run \"x\"\n}\nexport from %app\n",
    );
    let answer = cogpackc(folder.path(), &["plan.cpk", "-o", "llb,oci", "-O", "out"]);
    assert_eq!(answer.code, 1);
    assert!(answer.stderr.contains("cpk::unsupported::"), "{}", answer.stderr);
    assert_eq!(names_in(folder.path()), ["plan.cpk"]);
}

#[test]
fn a_dockerfile_of_small_files_goes_to_standard_output() {
    let plan = |content: &str| {
        format!(
            "cpk 1\ncontext @src = dir \".\"\nstage %app from scratch {{\n  env PATH = \"/bin\"\n  \
             file \"/a\" = \"{content}\"\n  copy \"plan.cpk\" from @src to \"/b\"\n}}\nexport from %app\n"
        )
    };
    let folder = folder_with(&plan("$a\\n"));
    let answer = cogpackc(folder.path(), &["plan.cpk", "-o", "dockerfile"]);
    assert_eq!((answer.code, answer.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(answer.text(), @r#"
    # syntax=docker/dockerfile:1.7
    # Compiled by cogpackc: change the plan, not this file. To build, in the directory that it copies from:
    #   DOCKER_BUILDKIT=1 docker build --platform=linux/amd64 --file=- . <Dockerfile

    # stage %app
    FROM scratch AS app
    ENV PATH="/bin"
    COPY <<"a" /
    $a
    a

    COPY --link plan.cpk /b
    "#);
    let folder = folder_with(&plan("no end"));
    let answer = cogpackc(folder.path(), &["plan.cpk", "-o", "dockerfile"]);
    assert_eq!((answer.code, answer.text()), (1, ""));
    insta::assert_snapshot!(answer.stderr, @r#"
    cpk::unsupported::beside

      × the `dockerfile` backend cannot express this: the file `/a`, which has to lie beside the
      │ Dockerfile: it ends without a line break
       ╭─[plan.cpk:5:3]
     4 │   env PATH = "/bin"
     5 │   file "/a" = "no end"
       ·   ──────────┬─────────
       ·             ╰── said here
     6 │   copy "plan.cpk" from @src to "/b"
       ╰────
      help: `-O DIR` writes the Dockerfile with all that lies beside it
    "#);
}

#[test]
fn definitions_are_for_one_platform_and_for_a_daemons_limits() {
    let two = PLAN.replace("platform linux/amd64\n", "platform linux/amd64\nplatform linux/arm64\n");
    let folder = folder_with(&two);
    let both = cogpackc(folder.path(), &["plan.cpk", "-o", "llb.txt"]);
    assert!(both.text().contains("llb for linux/amd64\n") && both.text().contains("\nllb for linux/arm64\n"));
    let refused = cogpackc(folder.path(), &["plan.cpk", "-o", "llb"]);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("--platform linux/arm64"), "{}", refused.stderr);
    let one = cogpackc(folder.path(), &["plan.cpk", "-o", "llb", "--platform", "linux/arm64"]);
    assert_eq!(one.code, 0, "{}", one.stderr);

    std::fs::write(folder.path().join("limits.txt"), "mergeop\n").expect("can be written");
    let limits = ["plan.cpk", "-o", "llb.txt", "--platform", "linux/arm64", "--limits", "limits.txt"];
    let lacking = cogpackc(folder.path(), &limits);
    assert_eq!(lacking.code, 1);
    assert!(lacking.stderr.contains("`file.base`"), "{}", lacking.stderr);
    let baseline = [&limits[..limits.len() - 1], &["none"]].concat();
    assert_eq!(cogpackc(folder.path(), &baseline).code, 0);

    let nowhere = Environment {
        buildkit_host: Some(format!("unix://{}/nobody.sock", folder.path().display())),
        ..Environment::default()
    };
    let probing = cogpackc_in(nowhere, folder.path(), &[&limits[..limits.len() - 1], &["probe"]].concat());
    assert_eq!((probing.code, probing.stdout.len()), (2, 0));
    assert!(probing.stderr.contains("nobody.sock"), "{}", probing.stderr);
    assert!(probing.stderr.contains("--limits none"), "{}", probing.stderr);
}

#[test]
fn findings_exit_with_one_and_are_the_data_of_check() {
    let folder = folder_with(CYCLE);
    let check = cogpackc(folder.path(), &["check", "plan.cpk"]);
    assert_eq!(check.code, 1);
    assert!(check.text().contains("cpk::stage::cycle"), "{}", check.text());
    assert!(check.text().contains("`%a` → `%b` → `%a`"), "{}", check.text());
    let json = cogpackc(folder.path(), &["check", "--format", "json", "plan.cpk"]);
    assert_eq!(json.code, 1);
    let report: serde_json::Value = serde_json::from_slice(&json.stdout).expect("is JSON");
    assert_eq!(report["findings"][0]["code"], "cpk::stage::cycle");
    assert_eq!(report["findings"][0]["labels"][0]["line"], 2);
    let compile = cogpackc(folder.path(), &["plan.cpk", "-o", "llb"]);
    assert_eq!((compile.code, compile.stdout.len()), (1, 0));
    assert!(compile.stderr.contains("cpk::stage::cycle"));
}

#[test]
fn what_cannot_run_exits_with_two_and_says_why() {
    let folder = folder_with(PLAN);
    for (arguments, said) in [
        (&["missing.cpk", "-o", "llb"][..], "missing.cpk"),
        (&["nowhere", "-o", "llb"], "nowhere"),
        (&["plan.cpk", "-o", "nonsense"], "nonsense"),
        (&["plan.cpk"], "--output"),
        (&["plan.cpk", "-o", "llb,json"], "-O"),
        (&["plan.cpk", "-o", "oci"], "-O"),
        (&["plan.cpk", "-o", "llb", "--limits", "missing.txt"], "missing.txt"),
        (&["plan.cpk", "-o", "llb", "--limits", "plan.cpk"], "line 1: `cpk 1` is no capability id"),
        (&["plan.cpk", "-o", "llb", "--platform", "linux/s390x"], "it is for linux/amd64"),
        (&["explain", "cpk::stage::cycel"], "did you mean `cpk::stage::cycle`?"),
        (&["check"], "PLANS"),
    ] {
        let answer = cogpackc(folder.path(), arguments);
        assert_eq!(answer.code, 2, "{arguments:?}: {}", answer.stderr);
        assert!(answer.stderr.contains(said), "{arguments:?}: {}", answer.stderr);
        assert!(answer.stdout.is_empty(), "{arguments:?}");
    }
    std::fs::write(folder.path().join("bytes.cpk"), [0xff, 0xfe]).expect("can be written");
    let answer = cogpackc(folder.path(), &["bytes.cpk", "-o", "llb"]);
    assert_eq!(answer.code, 2);
    assert!(answer.stderr.contains("not UTF-8"), "{}", answer.stderr);
}

#[test]
fn fmt_rewrites_checks_and_shows() {
    let loose = "cpk 1 stage %app from scratch{file \"/a\"=\"a\"} # why\nexport from %app\n";
    let folder = folder_with(loose);
    let plan = folder.path().join("plan.cpk");
    let read = || std::fs::read_to_string(&plan).expect("can be read");

    let check = cogpackc(folder.path(), &["fmt", "--check", "plan.cpk"]);
    assert_eq!(check.code, 1);
    assert!(check.stderr.contains("plan.cpk is not in canonical form"));
    let diff = cogpackc(folder.path(), &["fmt", "--diff", "plan.cpk"]);
    assert_eq!(diff.code, 1);
    assert!(diff.text().contains("+  file \"/a\" = \"a\""), "{}", diff.text());
    assert_eq!(read(), loose, "--check and --diff change nothing");

    assert_eq!(cogpackc(folder.path(), &["fmt", "plan.cpk"]).code, 0);
    assert!(read().contains("# why"));
    let again = cogpackc(folder.path(), &["fmt", "--check", "--diff", "plan.cpk"]);
    assert_eq!((again.code, again.stdout.len()), (0, 0));
    let piped = cogpackc_with_input(folder.path(), &["fmt", "-"], loose);
    assert_eq!(piped.text(), read());
}

#[test]
fn resolve_prints_a_plan_that_resolves_to_itself() {
    let plan = root().join("examples/language-detector/plan.cpk");
    let plan = plan.to_str().expect("the path is UTF-8");
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let once = cogpackc(folder.path(), &["resolve", plan]);
    assert_eq!(once.code, 0, "{}", once.stderr);
    assert!(once.stderr.contains("cpk::image::unpinned"), "{}", once.stderr);
    let twice = cogpackc_with_input(folder.path(), &["resolve", "-"], once.text());
    assert_eq!(twice.text(), once.text());
    let json = cogpackc(folder.path(), &["resolve", plan, "--format", "json"]);
    let back = cogpackc_with_input(folder.path(), &["-", "-o", "cpk"], json.text());
    assert_eq!(back.text(), once.text());
}

#[test]
fn graphs_explanations_and_completions_are_printed() {
    let folder = folder_with(PLAN);
    let starts = |arguments: &[&str], start: &str| {
        let answer = cogpackc(folder.path(), arguments);
        assert_eq!(answer.code, 0, "{arguments:?}: {}", answer.stderr);
        assert!(answer.text().starts_with(start), "{arguments:?}: {}", answer.text());
    };
    starts(&["graph", "plan.cpk"], "digraph");
    starts(&["graph", "plan.cpk", "--as", "mermaid"], "flowchart");
    starts(&["graph", "plan.cpk", "--as", "svg"], "<svg");
    starts(&["graph", "plan.cpk", "-o", "svg"], "<svg");
    starts(&["explain", "cpk::stage::cycle"], "cpk::stage::cycle: ");
    starts(&["explain"], "cpk::");
    starts(
        &["explain", "--format", "json", "cpk::stage::cycle"],
        "[\n  {\n    \"code\": \"cpk::stage::cycle\"",
    );
    starts(&["--help"], "Compiles a plan");
    starts(&["--version"], "cogpackc ");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let answer = cogpackc(folder.path(), &["completions", shell]);
        assert!(answer.code == 0 && answer.text().contains("cogpackc"), "{shell}");
    }
    let answer = cogpackc(folder.path(), &["graph", "plan.cpk", "--as", "svg", "-O", "plan.svg"]);
    assert_eq!((answer.code, answer.stdout.len()), (0, 0));
    assert_eq!(names_in(folder.path()), ["plan.cpk", "plan.svg"]);
    // Where nothing is said, the file's name says it.
    for (name, start) in [("a.svg", "<svg"), ("a.mmd", "flowchart"), ("a.dot", "digraph"), ("a", "digraph")] {
        assert_eq!(cogpackc(folder.path(), &["graph", "plan.cpk", "-O", name]).code, 0);
        let drawn = std::fs::read_to_string(folder.path().join(name)).expect("was written");
        assert!(drawn.starts_with(start), "{name}: {drawn}");
    }
}

#[test]
fn what_has_no_example_is_explained_without_headings_for_one() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let told = |code: &str| cogpackc(folder.path(), &["explain", code]).text().to_owned();
    insta::assert_snapshot!(told("cpk::run::empty"), @r#"
    cpk::run::empty: a script that does nothing

    A shell would start, do nothing and succeed, and the image would have one more layer for it.

    Write what to run, or take the op away.

    This breaks the rule:

        cpk 1
        stage %a from scratch {
          run " "
        }
        export from %a

    This keeps it:

        cpk 1
        stage %a from scratch {
          run "true"
        }
        export from %a
    "#);
    let without = told("cpk::oci::input");
    assert!(
        without.ends_with("meantime.\n")
            && without.contains("There is no example: ")
            && !without.contains("rule:"),
        "{without}"
    );
}

/// What people read, whole: a message that nobody would want to get is a bug.
#[test]
fn findings_read_well_in_a_terminal() {
    let folder = folder_with(
        "cpk 1\n\nimage @base = \"debian\"\n  config empty\n\nstage %venv from image @bas {\n  evn A = \"1\"\n}\n",
    );
    let slip = cogpackc(folder.path(), &["check", "plan.cpk"]);
    insta::assert_snapshot!(slip.text(), @r#"
    cpk::syntax::expected

      × expected a statement of a stage, found `evn`
       ╭─[plan.cpk:7:3]
     6 │ stage %venv from image @bas {
     7 │   evn A = "1"
       ·   ─┬─
       ·    ╰── this does not fit here
     8 │ }
       ╰────
      help: did you mean `env`?
    "#);
    let folder = folder_with(CYCLE);
    let cycle = cogpackc(folder.path(), &["check", "plan.cpk"]);
    insta::assert_snapshot!(cycle.text(), @r#"
    cpk::stage::cycle

      × stages depend on each other in a circle: `%a` → `%b` → `%a`
       ╭─[plan.cpk:2:15]
     1 │ cpk 1
     2 │ stage %a from %b
       ·               ─┬
       ·                ╰── `%a` reads `%b`
     3 │ stage %b from %a
       ·               ─┬
       ·                ╰── `%b` reads `%a`
     4 │ export from %a
       ╰────
      help: take away one of these edges
    "#);
    assert_eq!(cycle.stderr, "plan.cpk: 1 error\n");
}

#[test]
fn findings_with_one_way_out_say_it_once_to_people_and_each_time_to_programs() {
    let folder = folder_with(
        "cpk 1\nstage %app from scratch {\n  run \" \"\n  shell []\n  run \"\"\n  run \"a\"\n}\nexport from %app\n",
    );
    let check = cogpackc(folder.path(), &["check", "plan.cpk"]);
    insta::assert_snapshot!(check.text(), @r#"
    cpk::run::empty

      × the script is empty
       ╭─[plan.cpk:3:7]
     2 │ stage %app from scratch {
     3 │   run " "
       ·       ─┬─
       ·        ╰── nothing is run
     4 │   shell []
       ╰────

      × the script is empty
       ╭─[plan.cpk:5:7]
     4 │   shell []
     5 │   run ""
       ·       ─┬
       ·        ╰── nothing is run
     6 │   run "a"
       ╰────
      help: write what to run, or take the op away

    cpk::shell::empty

      × the shell names no program
       ╭─[plan.cpk:4:9]
     3 │   run " "
     4 │   shell []
       ·         ─┬
       ·          ╰── nothing could take a script
     5 │   run ""
       ╰────
      help: write it with its option for a script, for instance `shell ["/bin/bash", "-c"]`
    "#);
    let json = cogpackc(folder.path(), &["check", "--format", "json", "plan.cpk"]);
    let report: serde_json::Value = serde_json::from_slice(&json.stdout).expect("is JSON");
    let said: Vec<_> = report["findings"]
        .as_array()
        .expect("is a list")
        .iter()
        .map(|one| (&one["code"], &one["help"]))
        .collect();
    assert_eq!(said.len(), 3);
    assert!(said[0] == said[2] && said[0].1.is_string(), "{said:?}");
}

#[test]
fn a_layer_that_a_dockerfile_cannot_keep_together_is_counted() {
    let plan = "cpk 1\nimage @b = \"b\"\n  env PATH = \"/bin\"\nstage %app from image @b {\n  layer all {\n    \
                run \"a\"\n    env A = \"1\"\n    run \"b\"\n    run \"c\"\n  }\n  \
                layer one {\n    run \"d\"\n  }\n}\nexport from %app\n";
    for dialect in ["buildkit", "buildah", "legacy"] {
        let arguments = ["plan.cpk", "-o", "dockerfile", "--dialect", dialect];
        let answer = cogpackc(folder_with(plan).path(), &arguments);
        assert_eq!(answer.code, 0, "{}", answer.stderr);
        let (_, group) = answer.text().split_once("# layer all, here 3 layers\n").expect("it is counted");
        let (group, rest) = group.split_once("# layer one\n").expect("one instruction is one layer");
        let makes_one = |line: &&str| line.starts_with("RUN ");
        assert_eq!(group.lines().filter(makes_one).count(), 3, "{group}");
        assert_eq!(rest.lines().filter(makes_one).count(), 1, "{rest}");
        let note = "note: `layer all` of `%app` makes 3 layers: a Dockerfile joins no instructions\n";
        assert!(answer.stderr.ends_with(note), "{}", answer.stderr);
    }
}

#[test]
fn what_builders_would_copy_otherwise_is_refused_where_the_plan_shows_it() {
    for (ops, dialects, expected) in [
        (
            "copy contents \"b\" from @src to \"/var/d\"\n  copy \"a\" from @src to \"/var/d/s\"",
            ["buildkit", "buildah", "legacy"].as_slice(),
            "`/a` cannot land on `/var/d/s`, which is a directory",
        ),
        (
            "copy \"a\" from @src to \"/var/d/s\"\n  copy contents \"b\" from @src to \"/var/d\"",
            &["buildkit", "buildah", "legacy"],
            "the directory `/b/s` cannot land on `/var/d/s`, which is not a directory",
        ),
        (
            "copy contents \"a\" from @src to \"/var/d\"",
            &["buildkit", "buildah", "legacy"],
            "`/a` is not a directory, so it has no contents to copy",
        ),
        (
            "copy contents \"l\" from @src to \"/var/d\"\n  copy \"a\" from @src to \"/var/d/link\"",
            &["buildah"],
            "`/var/d/link` is a link: this builder replaces it, the plan what it points to",
        ),
    ] {
        let folder = folder_with(&format!(
            "cpk 1\ncontext @src = dir \"src\"\nimage @b = \"b\"\n  env PATH = \"/bin\"\n\
             stage %app from image @b {{\n  {ops}\n}}\nexport from %app\n"
        ));
        let source = folder.path().join("src");
        for directory in ["b/s", "l"] {
            std::fs::create_dir_all(source.join(directory)).expect("can be made");
        }
        std::fs::write(source.join("a"), "1").expect("can be written");
        std::fs::write(source.join("b/s/x"), "2").expect("can be written");
        std::os::unix::fs::symlink("elsewhere", source.join("l/link")).expect("can be made");
        for dialect in ["buildkit", "buildah", "legacy"] {
            let arguments = [
                "plan.cpk",
                "-o",
                "dockerfile",
                "-O",
                "eject",
                "--self-contained",
                "--force",
                "--dialect",
                dialect,
            ];
            let answer = cogpackc(folder.path(), &arguments);
            let is_refused = answer.code == 1
                && answer.stderr.contains("cpk::unsupported::gathered")
                && answer.stderr.replace("\n  │ ", " ").contains(expected);
            assert_eq!(is_refused, dialects.contains(&dialect), "{dialect} {ops}: {}", answer.stderr);
        }
    }
}

#[test]
fn what_a_context_holds_is_refused_at_the_copy_that_takes_it() {
    use std::os::unix::fs::PermissionsExt;

    for (copy, dialects, expected) in [
        (
            "copy \"l\" from @src to \"/var/l\"",
            ["buildkit", "legacy"].as_slice(),
            "a link: `COPY` follows it",
        ),
        ("copy \"b\" from @src to \"/var/b\"", &["buildah", "legacy"], "`b/s` has mode 4755: this builder"),
        ("copy \"b\" from @src to \"/var/b\" mode 4755", &["buildah"], "has mode 4755: this builder"),
        ("file \"/var/s\" mode 4755 = \"\"", &["buildah", "legacy"], "`s` has mode 4755: this builder"),
    ] {
        let folder = folder_with(&format!(
            "cpk 1\ncontext @src = dir \"src\"\nimage @b = \"b\"\n  env PATH = \"/bin\"\n\
             stage %app from image @b {{\n  copy \"b/x\" from @src to \"/var/x\"\n  {copy}\n}}\n\
             export from %app\n"
        ));
        let source = folder.path().join("src");
        std::fs::create_dir_all(source.join("b")).expect("can be made");
        for (file, mode) in [("b/s", 0o4755), ("b/x", 0o644)] {
            std::fs::write(source.join(file), "").expect("can be written");
            let permissions = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(source.join(file), permissions).expect("modes can be set");
        }
        std::os::unix::fs::symlink("b", source.join("l")).expect("can be made");
        for dialect in dialects {
            for way in [&["--self-contained"][..], &[]] {
                let arguments = ["plan.cpk", "-o", "dockerfile", "-O", "eject", "--dialect", dialect];
                let answer = cogpackc(folder.path(), &[&arguments[..], way].concat());
                let said = answer.stderr.replace("\n  │ ", " ");
                assert_eq!(answer.code, 1, "{dialect} {way:?} {copy}: {said}");
                assert!(said.contains(expected), "{dialect} {way:?} {copy}: {said}");
                assert!(said.contains("[plan.cpk:7:"), "{dialect} {way:?} {copy}: {said}");
            }
        }
    }
}

/// miette panics where a label is beyond the 65,535th column, and nobody reads such lines.
#[test]
fn a_finding_on_a_line_without_end_says_where_it_is() {
    for length in [10, 1_900, 2_100, 70_000, 3_000_000] {
        let long = "A".repeat(length / 4 * 4);
        let folder = folder_with(&format!(
            "cpk 1\nstage %a from scratch {{ file \"/x\" = base64 \"{long}\" run \"\" }}\nexport from %a\n"
        ));
        let answer = cogpackc(folder.path(), &["check", "plan.cpk"]);
        assert_eq!(answer.code, 1, "{length}");
        let said = answer.text();
        assert!(said.len() < 10_000, "{length}: {} bytes", said.len());
        let place = format!("[plan.cpk:2:{}]", 45 + long.len() + 6);
        let shown: String = said.chars().take(600).collect();
        assert!(said.contains(&place), "{length}: {shown}");
        assert_eq!(said.contains("╭─"), length <= 2_000, "{length}: {shown}");
    }
}

#[test]
fn what_is_made_does_not_depend_on_how_the_plan_is_named() {
    let text = "cpk 1\nstage %a from scratch {\n  file \"/x\" = \"y\"\n}\nexport from %a\n";
    let folder = folder_with(text);
    let whole = folder.path().join("plan.cpk").display().to_string();
    for format in ["llb", "llb.txt", "json", "cpk"] {
        let of = |plan: &str| cogpackc_with_input(folder.path(), &[plan, "-o", format], text);
        let expected = of("plan.cpk");
        assert_eq!(expected.code, 0, "{}", expected.stderr);
        for plan in ["./plan.cpk", whole.as_str(), "-"] {
            assert_eq!(of(plan).stdout, expected.stdout, "{format} of {plan}");
        }
    }
}

/// A plan from elsewhere may try to write to the terminal of whoever looks at it.
#[test]
fn what_a_plan_hides_is_shown() {
    let folder = folder_with(
        "cpk 1\nstage %a from scratch {\n  workdir \"\u{1b}]0;owned\u{7}a\u{202e}b\" # \u{9b}2J\n}\nexport from %c\n",
    );
    for arguments in [&["check", "plan.cpk"][..], &["plan.cpk", "-o", "llb"], &["resolve", "plan.cpk"]] {
        let answer = cogpackc(folder.path(), arguments);
        let said = format!("{}{}", answer.text(), answer.stderr);
        assert_eq!(answer.code, 1, "{said}");
        assert!(said.contains("workdir \"?]0;owned?a???b\""), "{said:?}");
        assert!(!said.contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}']), "{said:?}");
    }
    let answer = cogpackc(folder.path(), &["check", "\u{1b}[2Jmissing.cpk"]);
    assert!(answer.code == 2 && !answer.stderr.contains('\u{1b}'), "{:?}", answer.stderr);
}
