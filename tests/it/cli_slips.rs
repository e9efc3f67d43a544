//! Command lines with something wrong in them, or with something to know about what they do.

use std::process::Command;

use cogpack_cli::Environment;
use cogpack_tests::places::names_in;
use cogpack_tests::plans::folder_with;
use cogpack_tests::terminal::{Answer, cogpackc, cogpackc_on_terminal, cogpackc_with_input};

const PLAN: &str = "cpk 1\n\nplatform linux/amd64\n\nstage %app from scratch {\n  env PATH = \"/bin\"\n  file \"/a\" = \"a\"\n}\n\nexport from %app\n";
const CYCLE: &str = "cpk 1\nstage %a from %b\nstage %b from %a\nexport from %a\n";

#[test]
fn findings_are_coloured_where_a_person_looks_and_wants_it() {
    let folder = folder_with(&[("cycle.cpk", CYCLE), ("plan.cpk", "cpk 1\nexport from scratch\n")]);
    let arguments = ["check", "cycle.cpk"];
    let coloured = cogpackc_on_terminal(Environment::default(), folder.path(), &arguments);
    let no_colour = Environment { no_color: true, ..Environment::default() };
    let plain = cogpackc_on_terminal(no_colour, folder.path(), &arguments);
    let piped = cogpackc(folder.path(), &arguments);
    let both = |answer: &Answer| answer.text().to_owned() + &answer.stderr;
    assert!(both(&coloured).contains("\x1b["), "{}", both(&coloured));
    for answer in [&plain, &piped] {
        assert!(both(answer).contains("cpk::stage::cycle"), "{}", both(answer));
        assert!(!both(answer).contains('\x1b'), "{:?}", both(answer));
    }
}

#[test]
fn a_user_that_is_no_account_is_told_before_anything_is_planned() {
    let folder = folder_with(&[("main.py", "print()\n"), ("requirements.txt", "")]);
    for user in ["a b", "", "4294967296"] {
        let answer = cogpackc(folder.path(), &["plan", ".", "--user", user]);
        assert!(
            answer.stderr.starts_with(&format!("error: `{user}` is not an owner: ")),
            "{}",
            answer.stderr
        );
        assert!(answer.stderr.contains("hint: `--user` takes a name or a number"), "{}", answer.stderr);
        assert_eq!((answer.code, answer.stdout.len()), (2, 0), "{user}");
    }
    let answer = cogpackc(folder.path(), &["plan", ".", "--user", "app:app"]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    assert!(answer.text().contains("user \"app:app\""), "{}", answer.text());
}

#[test]
fn a_place_that_cannot_be_written_to_is_told_with_a_way_out() {
    let folder = folder_with(&[("plan.cpk", PLAN), ("main.py", "print()\n")]);
    let of_missing = "hint: make that directory first, or name another place";
    for arguments in [
        &["plan.cpk", "-o", "llb", "-O", "none/plan.llb"][..],
        &["plan", ".", "-O", "none/plan.cpk"],
        &["plan.cpk", "-o", "oci", "-O", "none/there/image"],
        &["build", "plan.cpk", "--builder", "direct", "-o", "type=oci,dest=none/there/image.tar"],
    ] {
        let store = ["--store", "store"];
        let arguments =
            if arguments[0] == "build" { [arguments, &store].concat() } else { arguments.to_vec() };
        let answer = cogpackc(folder.path(), &arguments);
        assert!(answer.stderr.contains(of_missing), "{arguments:?}: {}", answer.stderr);
        assert_eq!(answer.code, 2, "{arguments:?}");
    }
    assert!(!folder.path().join("none").exists());
}

#[test]
fn a_layout_whose_bytes_have_changed_is_told_with_a_way_out() {
    let on = "cpk 1\ncontext @base = oci \"image\"\nstage %a from @base {\n  file \"/b\" = \"b\"\n}\nexport from %a\n";
    let folder = folder_with(&[("plan.cpk", PLAN), ("on.cpk", on)]);
    let path = folder.path();
    assert_eq!(cogpackc(path, &["plan.cpk", "-o", "oci", "-O", "image"]).code, 0);
    let build = |made: &str| {
        let output = format!("type=layout,dest={made}");
        cogpackc(path, &["build", "on.cpk", "--builder", "direct", "--store", "store", "-o", &output])
    };
    assert_eq!(build("whole").code, 0);
    let blobs = path.join("image/blobs/sha256");
    let is_document = |bytes: &[u8]| bytes.starts_with(b"{");
    let of_layer = names_in(&blobs).into_iter().map(|name| blobs.join(name));
    let mut of_layer = of_layer.filter(|blob| !is_document(&std::fs::read(blob).expect("can be read")));
    let layer = of_layer.next().expect("it has a layer");
    let mut bytes = std::fs::read(&layer).expect("can be read");
    bytes[..4].copy_from_slice(b"else");
    std::fs::remove_file(&layer).expect("can be removed");
    std::fs::write(&layer, bytes).expect("can be written");
    let answer = build("damaged");
    assert_eq!(answer.code, 2, "{}", answer.stderr);
    assert!(
        answer.stderr.contains("hint: a blob whose `sha256sum` is not its name is damaged"),
        "{}",
        answer.stderr
    );
    assert!(answer.stderr.contains("`cogpackc store verify --repair`") && !path.join("damaged").exists());
}

#[test]
fn a_slip_in_a_command_is_told_as_one() {
    let folder = folder_with(&[("plan.cpk", PLAN)]);
    for (arguments, hint) in [
        (&["chekc", "plan.cpk"][..], "hint: did you mean `cogpackc check`?\n"),
        (&["fmtt"], "hint: did you mean `cogpackc fmt`?\n"),
        (&["buidl", ".", "-t", "x"], "hint: did you mean `cogpackc build`?\n"),
        (&["frobnicate", "plan.cpk"], "hint: `cogpackc --help` lists the commands"),
    ] {
        let answer = cogpackc(folder.path(), arguments);
        let said = format!("error: there is no command `{}`, and no plan of that name\n", arguments[0]);
        assert!(answer.stderr.starts_with(&said), "{arguments:?}: {}", answer.stderr);
        assert!(answer.stderr.contains(hint), "{arguments:?}: {}", answer.stderr);
        assert_eq!((answer.code, answer.stdout.len()), (2, 0), "{arguments:?}");
    }
    // A plan may be called anything.
    std::fs::write(folder.path().join("chekc"), PLAN).expect("can be written");
    assert!(cogpackc(folder.path(), &["chekc"]).stderr.contains("--output"));
    assert_eq!(cogpackc(folder.path(), &["chekc", "-o", "cpk"]).code, 0);
    let code = cogpackc(folder.path(), &["explain", "stage::cycel"]);
    assert!(code.stderr.ends_with("hint: did you mean `cpk::stage::cycle`?\n"), "{}", code.stderr);
    let bash = cogpackc(folder.path(), &["completions", "bash"]);
    assert!(bash.text().contains("cpk::stage::cycle"), "codes are not completed");
}

#[test]
fn a_part_of_a_code_is_completed() {
    let folder = folder_with(&[]);
    let of_plans = "hint: did you mean `cpk::phase::cycle` or `cpk::stage::cycle`?\n";
    let cycles = "hint: did you mean `cpk::phase::cycle`, `cpk::stage::cycle`, `project::compose::cycle`, \
                  `project::pyproject::group-cycle` or `project::requirements::cycle`?\n";
    for (code, hint) in [
        ("cycle", cycles),
        ("Cycle", cycles),
        ("cylce", cycles),
        ("cpk::cycle", of_plans),
        ("project::requirement::cycle", "hint: did you mean `project::requirements::cycle`?\n"),
        ("cog-yaml::mount-tpye", "hint: did you mean `project::cog-yaml::mount-type`?\n"),
        ("project", "hint: `cogpackc explain` lists all codes\n"),
        ("on-builder", "hint: `cogpackc explain` lists all codes\n"),
        ("replaces-root", "hint: did you mean `cpk::copy::replaces-root`?\n"),
        (
            "cpk::layer",
            "hint: did you mean `cpk::layer::duplicate`, `cpk::layer::empty`, `cpk::layer::nested` or `cpk::oci::layer`?\n",
        ),
        ("cpk", "hint: `cogpackc explain` lists all codes\n"),
        ("", "hint: `cogpackc explain` lists all codes\n"),
    ] {
        let answer = cogpackc(folder.path(), &["explain", code]);
        assert!(answer.stderr.ends_with(hint), "{code}: {}", answer.stderr);
        assert_eq!((answer.code, answer.stdout.len()), (2, 0), "{code}");
    }
    let many = cogpackc(folder.path(), &["explain", "syntax"]);
    assert!(many.stderr.contains("codes have that word: `cogpackc explain` lists all"), "{}", many.stderr);
}

#[test]
fn a_plan_is_not_written_over() {
    let commented = format!("# why\n{PLAN}");
    let folder = folder_with(&[("plan.cpk", &commented)]);
    for arguments in [
        &["plan.cpk", "-o", "llb", "-O", "plan.cpk"][..],
        &["plan.cpk", "-o", "json", "-O", "./plan.cpk"],
        &["plan.cpk", "-o", "cpk", "-O", "."],
        &["plan.cpk", "-o", "llb", "-o", "cpk", "-O", "./"],
        &["plan.cpk", "-o", "oci", "-O", "plan.cpk"],
        &["graph", "plan.cpk", "-O", "plan.cpk"],
        &["build", "plan.cpk", "--builder", "direct", "-o", "type=oci,dest=plan.cpk"],
        &["build", ".", "--builder", "direct", "-o", "type=layout,dest=x", "--iidfile", "./plan.cpk"],
        &["build", ".", "--builder", "direct", "-o", "type=layout,dest=x", "--metadata-file", "plan.cpk"],
    ] {
        let answer = cogpackc(folder.path(), arguments);
        let said = "error: `plan.cpk` is the plan itself, and is not written over\n";
        assert!(answer.stderr.starts_with(said), "{arguments:?}: {}", answer.stderr);
        assert_eq!((answer.code, names_in(folder.path())), (2, vec!["plan.cpk".to_owned()]), "{arguments:?}");
        let kept = std::fs::read_to_string(folder.path().join("plan.cpk")).expect("is there");
        assert_eq!(kept, commented, "{arguments:?}");
    }
    assert_eq!(cogpackc(folder.path(), &["plan.cpk", "-o", "cpk", "-O", "other.cpk"]).code, 0);
    assert_eq!(cogpackc(folder.path(), &["plan.cpk", "-o", "cpk", "-O", "other.cpk"]).code, 0);
}

#[test]
fn paths_are_told_as_they_were_written() {
    let context = |path: &str| {
        format!(
            "cpk 1\ncontext @c = dir \"{path}\"\nstage %a from scratch {{ copy \"a\" from @c to \"/a\" }}\nexport from %a\n"
        )
    };
    let folder = folder_with(&[("file.cpk", &context("file.cpk")), ("below/none.cpk", &context("./none"))]);
    let whole = folder.path().to_str().expect("is text");
    for (arguments, said) in [
        (&["check", "missing/plan.cpk"][..], "error: read the plan `missing/plan.cpk`"),
        (&["missing/plan.cpk", "-o", "llb"], "error: read the plan `missing/plan.cpk`"),
        (
            &["file.cpk", "-o", "oci", "-O", "out"],
            "error: `file.cpk` is not a directory, and the context `@c` needs one",
        ),
        (&["below/none.cpk", "-o", "oci", "-O", "out"], "`below/./none`"),
        (&["file.cpk", "-o", "llb", "-O", "file.cpk/x"], "`file.cpk"),
    ] {
        let answer = cogpackc(folder.path(), arguments);
        assert!(answer.stderr.contains(said), "{arguments:?}: {}", answer.stderr);
        assert!(!answer.stderr.contains(whole), "{arguments:?}: {}", answer.stderr);
        assert_eq!(answer.code, 2, "{arguments:?}");
    }
    let written_out = format!("{whole}/missing.cpk");
    for arguments in [&["check", &written_out][..], &[&written_out, "-o", "llb"]] {
        let answer = cogpackc(folder.path(), arguments);
        assert!(answer.stderr.contains(&format!("`{written_out}`")), "{arguments:?}: {}", answer.stderr);
    }
}

#[test]
fn options_that_mean_nothing_for_a_format_are_refused() {
    let folder = folder_with(&[("plan.cpk", PLAN)]);
    for (options, format) in [
        (&["--tag", "x"][..], "cpk"),
        (&["--compression", "gzip"], "llb"),
        (&["--compression-level", "9"], "llb"),
        (&["--limits", "none"], "dockerfile"),
        (&["--dialect", "legacy"], "llb.txt"),
        (&["--syntax", "1.6"], "oci"),
        (&["--self-contained"], "json"),
        (&["--force"], "oci"),
        (&["--layout", "python=x"], "cpk"),
        (&["--platform", "linux/amd64"], "json"),
        (&["--store", "store"], "cpk"),
    ] {
        let arguments = [&["plan.cpk", "-o", format, "-O", "out"], options].concat();
        let answer = cogpackc(folder.path(), &arguments);
        let said = format!("error: `{}` means nothing for `-o {format}`\n\nhint: leave it out;", options[0]);
        assert!(answer.stderr.starts_with(&said), "{arguments:?}: {}", answer.stderr);
        assert_eq!((answer.code, names_in(folder.path())), (2, vec!["plan.cpk".to_owned()]));
    }
    // Of several formats, one is enough.
    let answer = cogpackc(folder.path(), &["plan.cpk", "-o", "cpk,oci", "--tag", "x", "-O", "out"]);
    assert_eq!((answer.code, answer.stderr.as_str()), (0, ""));
}

#[test]
fn a_definition_without_its_image_config_says_so() {
    let note = |plan: &str, arguments: &[&str]| {
        let folder = folder_with(&[("plan.cpk", plan)]);
        let answer = cogpackc(folder.path(), &[&["plan.cpk", "-o", "llb"], arguments].concat());
        assert_eq!(answer.code, 0, "{}", answer.stderr);
        (answer.stderr, folder.path().join("out/image-config.json").exists())
    };
    for arguments in [&[][..], &["-O", "llb.pb"]] {
        let (said, beside) = note(PLAN, arguments);
        assert!(said.starts_with("note: ") && said.contains("`image-config.json`"), "{said}");
        assert!(!beside);
    }
    assert_eq!(note(PLAN, &["-O", "out/"]), (String::new(), true));
    // Nothing is left out where there is nothing to say.
    assert_eq!(note(&PLAN.replace("  env PATH = \"/bin\"\n", ""), &[]), (String::new(), false));
    let (said, _) = note(PLAN, &["--format", "json"]);
    let remark: serde_json::Value = serde_json::from_str(&said).expect("is JSON");
    assert!(remark["message"].as_str().is_some_and(|message| message.contains("image-config.json")));
}

#[test]
fn one_plan_that_cannot_be_read_keeps_nothing_from_the_others() {
    let folder = folder_with(&[("plan.cpk", &PLAN.replace('\n', "\n\n"))]);
    std::fs::write(folder.path().join("cycle.cpk"), CYCLE).expect("can be written");
    let check = cogpackc(folder.path(), &["check", "cycle.cpk", "missing.cpk", "plan.cpk"]);
    assert_eq!(check.code, 2);
    assert!(check.text().contains("cpk::stage::cycle"), "{}", check.text());
    let lines = check.stderr.lines().filter(|line| line.contains(".cpk") && !line.starts_with("hint"));
    let lines: Vec<&str> = lines.collect();
    assert_eq!(lines.len(), 3, "{}", check.stderr);
    assert!(lines[0].starts_with("cycle.cpk: 1 error"), "{}", check.stderr);
    assert!(lines[1].contains("missing.cpk"), "{}", check.stderr);
    assert_eq!(lines[2], "plan.cpk: nothing to say against it");
    assert_eq!(cogpackc(folder.path(), &["fmt", "missing.cpk", "plan.cpk"]).code, 2);
    assert_eq!(std::fs::read_to_string(folder.path().join("plan.cpk")).expect("is there"), PLAN);
    let twice = cogpackc_with_input(folder.path(), &["check", "-", "-"], PLAN);
    assert_eq!((twice.code, twice.stdout.len()), (2, 0));
    assert!(twice.stderr.contains("standard input can be read once"), "{}", twice.stderr);
}

#[test]
fn fmt_hints_at_what_would_help() {
    let loose = "cpk 1 stage %app from scratch\nexport from %app\n";
    let folder = folder_with(&[("plan.cpk", loose)]);
    std::fs::write(folder.path().join("broken.cpk"), "cpk 1 stage\n").expect("can be written");
    let hint = |input: &str, plan: &str| {
        let answer = cogpackc_with_input(folder.path(), &["fmt", "--check", plan], input);
        assert_eq!(answer.code, 1, "{}", answer.stderr);
        answer.stderr.split_once("\nhint: ").map_or(String::new(), |(_, hint)| hint.to_owned())
    };
    assert!(hint("", "plan.cpk").starts_with("`cogpackc fmt` without `--check` rewrites"));
    assert!(hint(loose, "-").starts_with("`cogpackc fmt -` writes"));
    assert_eq!(hint("", "broken.cpk"), "");
}

#[test]
fn all_copies_that_cannot_be_are_told_at_once() {
    let folder = folder_with(&[(
        "plan.cpk",
        "cpk 1\ncontext @c = dir \"ctx\"\nstage %a from scratch {\n  copy \"nothere\" from @c to \"/x\"\n  copy \"f\" from @c to \"/f\"\n  copy \"*.zzz\" from @c into \"/y\"\n  copy contents \"f\" from @c to \"/z\"\n  remove \"/x\"\n}\nexport from %a\n",
    )]);
    let ctx = folder.path().join("ctx");
    std::fs::write(&ctx, "a file").expect("can be written");
    let answer = cogpackc(folder.path(), &["plan.cpk", "-o", "oci", "-O", "out"]);
    assert_eq!(answer.code, 2);
    assert!(answer.stderr.contains("line 2, column 18 of `plan.cpk`"), "{}", answer.stderr);
    std::fs::remove_file(&ctx).and_then(|()| std::fs::create_dir(&ctx)).expect("can be changed");
    std::fs::write(ctx.join("f"), "f").expect("can be written");
    let answer = cogpackc(folder.path(), &["plan.cpk", "-o", "oci", "-O", "out", "--format", "json"]);
    assert_eq!(answer.code, 1);
    let report: serde_json::Value = serde_json::from_str(&answer.stderr).expect("is JSON");
    let lines = report["findings"].as_array().expect("is a list").iter();
    let lines: Vec<_> = lines.map(|finding| finding["labels"][0]["line"].as_u64()).collect();
    assert_eq!(lines, [Some(4), Some(6), Some(7)], "{}", answer.stderr);
}

#[test]
fn text_and_json_count_columns_alike() {
    let folder = folder_with(&[(
        "plan.cpk",
        "cpk 1\nstage %a from scratch { run \"日本\" user \"\" }\nexport from %a\n",
    )]);
    let json = cogpackc(folder.path(), &["check", "plan.cpk", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&json.stdout).expect("is JSON");
    let column = report["findings"][0]["labels"][0]["column"].as_u64().expect("has a place");
    let text = cogpackc(folder.path(), &["check", "plan.cpk"]);
    assert!(text.text().contains(&format!("[plan.cpk:2:{column}]")), "{column}: {}", text.text());
}

/// bash divides words at colons, as it does when somebody types them.
#[test]
fn bash_completes_codes_behind_their_colons() {
    let folder = folder_with(&[]);
    let script = cogpackc(folder.path(), &["completions", "bash"]);
    std::fs::write(folder.path().join("completions.bash"), &script.stdout).expect("can be written");
    let complete = |words: &str| {
        let script = format!(
            "source ./completions.bash; COMP_WORDS=(cogpackc {words}); \
            COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _cogpackc_with_colons cogpackc \
            \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"; echo \"${{COMPREPLY[*]}}\""
        );
        let bash = Command::new("bash")
            .args(["--norc", "-euc", &script])
            .env("COMP_WORDBREAKS", "=:")
            .current_dir(folder.path())
            .output()
            .expect("there is a bash");
        assert!(bash.stderr.is_empty(), "{}", String::from_utf8_lossy(&bash.stderr));
        String::from_utf8(bash.stdout).expect("is text").trim().to_owned()
    };
    for (words, completed) in [
        ("explain cpk :: stage :: cy", "cycle"),
        ("explain cpk :: mount ::", "overlap reserved scratch size"),
        ("explain cpk::mount::o", "overlap"),
        ("graph --as s", "svg"),
        ("che", "check"),
    ] {
        assert_eq!(complete(words), completed, "{words}");
    }
}

#[test]
fn a_second_plan_for_a_build_is_told_where_several_go() {
    let folder = folder_with(&[]);
    let answer = cogpackc(folder.path(), &["build", "a.cpk", "b.cpk"]);
    assert_eq!(answer.code, 2);
    assert!(
        answer.stderr.starts_with("error: `cogpackc build` builds one plan, and `b.cpk` is one more"),
        "{}",
        answer.stderr
    );
    assert!(answer.stderr.contains("-o oci -O DIR"), "{}", answer.stderr);
    let answer = cogpackc(folder.path(), &["build", "a.cpk", "--bogus"]);
    assert!(answer.stderr.contains("--bogus"), "{}", answer.stderr);
}

#[test]
fn a_directory_in_place_of_a_plan_is_told_how_its_plan_is_taken() {
    let model = "class Runner:\n    def run(self, a: str) -> str:\n        return a\n";
    let files = [
        ("model/main.py", "print()\n"),
        ("model/run.py", model),
        ("written/plan.cpk", PLAN),
        ("model/requirements.txt", ""),
    ];
    let folder = folder_with(&files);
    for command in ["check", "fmt", "graph", "opt", "resolve"] {
        let refused = cogpackc(folder.path(), &[command, "model"]);
        assert_eq!(refused.code, 2, "{command}");
        let (first, second) = ("cogpackc plan model", format!("cogpackc {command} -"));
        let hint = format!(
            "error: `model` is a directory, not a plan\n\nhint: name a plan; `{first} | {second}` takes that of a project\n"
        );
        assert_eq!(refused.stderr, hint, "{command}");
        // What is advised works.
        let plan = cogpackc(folder.path(), &["plan", "model"]);
        assert_eq!(plan.code, 0, "{}", plan.stderr);
        let taken = cogpackc_with_input(folder.path(), &[command, "-"], plan.text());
        assert_eq!(taken.code, 0, "{command}: {}", taken.stderr);
        let refused = cogpackc(folder.path(), &[command, "written"]);
        assert!(
            refused.stderr.ends_with("hint: name the plan in it, for instance `written/plan.cpk`\n"),
            "{command}"
        );
    }
}
