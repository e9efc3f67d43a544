//! Plans that run programs: what is given away, and what becomes of what comes back.

use cogpack_backends_contract::content::{KeptFile, NoFiles};
use cogpack_backends_contract::tree::Name;
use cogpack_ir::plan::{Network, Sharing};

use super::*;
use crate::program::{Filesystem, Mounted, Origin, Program};
use crate::{AssemblyProblem, Evaluation, Recipe, Runs};

fn recipe(text: &str) -> Recipe {
    let backend = OciDirect { runs: Runs::Programs, ..OciDirect::default() };
    backend.lower(&resolved(text)).unwrap_or_else(|unsupported| panic!("{unsupported:?}"))
}

fn kept(path: &str) -> Content {
    let part = Digest::of(b"part");
    Content::Kept(Arc::new(KeptFile { part, path: path.as_bytes().to_vec(), size: 4, linked: false }))
}

/// What a program leaves that makes these files more.
fn with(root: &Filesystem, files: &str) -> Tree<Content> {
    let mut left = root.tree.clone();
    left.overlay(&tree(files, kept));
    left
}

fn names(path: &[Name]) -> String {
    String::from_utf8_lossy(&path.join(&b'/')).into_owned()
}

#[test]
fn without_a_runtime_every_program_is_refused() {
    let text = plan("scratch", "run \"one\" mkdir \"/a\" exec [\"two\"]");
    let backend = OciDirect { runs: Runs::WithoutRuntime, ..OciDirect::default() };
    let refused = backend.lower(&resolved(&text)).expect_err("nobody runs them");
    let codes: Vec<_> = refused.iter().map(|refusal| refusal.code).collect();
    assert_eq!(codes, ["cpk::unsupported::runtime"; 2]);
    assert!(refused[0].help.contains("`--runtime PATH`") && refused[0].help.contains("`--builder buildkit`"));
    let files_alone = plan("scratch", "mkdir \"/a\"");
    backend.lower(&resolved(&files_alone)).expect("a plan that runs nothing needs no runtime");
}

#[test]
fn programs_of_a_processor_that_nobody_emulates_are_refused() {
    let for_two = |ops: &str| plan("scratch", ops).replacen("cpk 1\n", "cpk 1\nplatform linux/s390x\n", 1);
    let foreign = [cogpack_content::Platform::linux_amd64(), "linux/s390x".parse().expect("is one")];
    let backend = |foreign: &[cogpack_content::Platform]| OciDirect {
        runs: Runs::Programs,
        foreign: foreign.iter().cloned().collect(),
        ..OciDirect::default()
    };
    let refused = backend(&foreign).lower(&resolved(&for_two("run \"one\""))).expect_err("it cannot be run");
    let [refusal] = &refused[..] else { panic!("{refused:?}") };
    assert_eq!(refusal.code, "cpk::unsupported::emulator");
    assert!(refusal.what.contains("are for linux/s390x"), "{}", refusal.what);
    assert!(refusal.help.contains("binfmt"), "{}", refusal.help);
    backend(&foreign).lower(&resolved(&for_two("mkdir \"/a\""))).expect("files need nobody who runs them");
    backend(&foreign[..1]).lower(&resolved(&for_two("run \"one\""))).expect("it can be run");
}

#[test]
fn what_a_program_mounts_must_be_there() {
    let text = plan("scratch", "run \"one\" { mount @source at /mnt select \"missing\" }");
    let (recipe, inputs) = (recipe(&text), inputs("a", ""));
    let mut evaluation = recipe.evaluation(&inputs, &NoFiles);
    assert!(evaluation.advance().is_empty() && evaluation.has_problems());
    let problems = evaluation.finish().expect_err("it is not there");
    let said: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(said, ["`missing` is not there to be mounted"]);
    let code = miette::Diagnostic::code(&problems[0]).map(|code| code.to_string());
    assert_eq!(code.as_deref(), Some("cpk::oci::mount"));
}

#[test]
fn a_program_is_given_away_with_all_that_it_sees() {
    let text = format!(
        "{CONTEXTS}secret token\nsecret pin optional\ncache pip\n\
         stage %app from @base {{\n\
           env A = \"1\"\n  env PATH = \"/bin\"\n  workdir \"/src\"\n  user \"app\"\n\
           run \"make\" {{\n\
             env A = \"2\"\n    network none\n\
             mount @source at /mnt select \"d\" writable\n\
             mount cache pip at /cache sharing locked\n\
             mount secret token at /run/token\n\
             mount secret pin as env PIN\n\
             mount ssh\n\
             mount tmpfs at /tmp\n\
           }}\n\
         }}\nexport from %app\n"
    );
    let (recipe, inputs) = (recipe(&text), inputs("d/x", "bin/sh"));
    let mut evaluation = recipe.evaluation(&inputs, &NoFiles);
    let programs = evaluation.advance();
    let [Program { arguments, environment, secrets, directory, user, network, root, mounts, .. }] =
        &programs[..]
    else {
        panic!("{programs:?}")
    };
    assert_eq!(arguments, &["/bin/sh", "-c", "make"]);
    let environment: Vec<_> = environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(environment, ["A=2", "PATH=/bin", "SSH_AUTH_SOCK=/run/buildkit/ssh_agent.0"]);
    assert_eq!(secrets.iter().map(|secret| secret.optional).collect::<Vec<_>>(), [true]);
    assert_eq!((directory.as_str(), user.as_deref(), network), ("/src", Some("app"), &Network::None));
    assert_eq!(root.origin, Origin::Base(super::name("base")));
    assert!(root.tree.directory(&[b"src"]).is_some(), "the working directory is made");
    let shown: Vec<String> = mounts
        .iter()
        .map(|mount| {
            let what = match &mount.what {
                Mounted::Files { select, writable, .. } => format!("files {} {writable}", names(select)),
                Mounted::Cache { name, sharing } => format!("cache {name} {}", *sharing == Sharing::Locked),
                Mounted::Tmpfs { size } => format!("memory {size:?}"),
                Mounted::Secret { name, optional } => format!("secret {name} {optional}"),
                Mounted::Agent { name } => format!("agent {name}"),
            };
            format!("{} {what}", mount.target)
        })
        .collect();
    assert_eq!(
        shown,
        [
            "/cache cache pip true",
            "/mnt files d true",
            "/run/buildkit/ssh_agent.0 agent default",
            "/run/token secret token false",
            "/tmp memory None",
        ]
    );
}

#[test]
fn what_a_program_leaves_is_part_of_the_layer_that_it_is_in() {
    let ops = "layer all { mkdir \"/a\" run \"one\" remove \"/made/old\" run \"two\" }\nfile \"/end\" = \"\"";
    let text = plan("@base", ops);
    let (recipe, inputs) = (recipe(&text), inputs("", "bin/sh etc/old"));
    let mut evaluation = recipe.evaluation(&inputs, &NoFiles);
    let one = evaluation.advance().pop().expect("the first program is to be run");
    let mut left = with(&one.root, "made/old made/new");
    left.remove(&[b"etc".to_vec(), b"old".to_vec()]).expect("is there");
    evaluation.ran(one.stage, left);
    let two = evaluation.advance().pop().expect("the second program is to be run");
    assert_eq!(two.root.origin, Origin::Program(one.stage, one.step));
    assert!(two.root.tree.get(&[&b"made"[..], b"old"]).is_none());
    evaluation.ran(two.stage, with(&two.root, "made/more"));
    assert!(evaluation.advance().is_empty());
    let assembly = recipe.assembly(evaluation.finish().expect("all went well"), 0);
    let listing = listing(&assembly);
    let (_, made) = listing.split_once("layer  ").expect("there is one");
    let entries: Vec<&str> = made.lines().map(str::trim).collect();
    assert_eq!(
        entries[1..8],
        [
            "0755 0:0 /a/",
            "gone /etc/old",
            "0755 0:0 /made/",
            "0644 0:0 /made/more (4 bytes of what is kept as made/more)",
            "0644 0:0 /made/new (4 bytes of what is kept as made/new)",
            "",
            entries[7],
        ],
        "{listing}"
    );
}

#[test]
fn programs_that_do_not_wait_for_each_other_are_given_away_together() {
    let text = format!(
        "{CONTEXTS}stage %one from @base {{ run \"one\" }}\nstage %two from @base {{ run \"two\" }}\n\
         stage %three from @base {{ run \"three\" {{ mount %one at /one }} copy \"/made\" from %two to \"/x\" }}\n\
         export from %three\n"
    );
    let (recipe, inputs) = (recipe(&text), inputs("", "bin/sh"));
    let mut evaluation = recipe.evaluation(&inputs, &NoFiles);
    let said = |programs: &[Program]| -> Vec<String> {
        programs.iter().map(|program| program.arguments[2].clone()).collect()
    };
    let first = evaluation.advance();
    assert_eq!(said(&first), ["one", "two"]);
    let ran = |evaluation: &mut Evaluation<'_>, program: &Program| {
        evaluation.ran(program.stage, with(&program.root, "made"));
        evaluation.advance()
    };
    assert_eq!(said(&ran(&mut evaluation, &first[1])), [""; 0], "the third one reads both");
    let last = ran(&mut evaluation, &first[0]);
    assert_eq!(said(&last), ["three"]);
    assert!(ran(&mut evaluation, &last[0]).is_empty());
    let rootfs = evaluation.finish().expect("all went well");
    assert!(rootfs.tree.get(&[b"x"]).is_some());
}

#[test]
fn a_history_tells_programs_apart_by_their_first_telling_lines() {
    let text = plan(
        "scratch",
        "run \"\"\"\nset -eu\n# Once.\nmake all\nmake install\n\"\"\"\nrun \"printf '\\u{1b}[2J'\"\nexec [\"/a\", \"b c\"]",
    );
    let (recipe, inputs) = (recipe(&text), inputs("a", ""));
    let mut evaluation = recipe.evaluation(&inputs, &NoFiles);
    for _ in 0..3 {
        let programs = evaluation.advance();
        let [program] = &programs[..] else { panic!("{programs:?}") };
        evaluation.ran(program.stage, program.root.tree.clone());
    }
    let rootfs = evaluation.finish().expect("nothing stands in the way");
    let told: Vec<&str> = rootfs.history.steps().iter().map(|step| step.created_by.as_str()).collect();
    let expected = ["%app: run make all…", r"%app: run printf '\u{1b}[2J'", r#"%app: exec ["/a", "b c"]"#];
    assert_eq!(told, expected);
}

#[test]
fn what_no_layer_can_say_is_told_of_the_program_that_has_left_it() {
    let told = |group: &str, leaves: [&str; 2]| {
        let text = plan("scratch", group);
        let (recipe, inputs) = (recipe(&text), inputs("a", ""));
        let mut evaluation = recipe.evaluation(&inputs, &NoFiles);
        for files in leaves {
            let programs = evaluation.advance();
            let [program] = &programs[..] else { panic!("{programs:?}") };
            evaluation.ran(program.stage, with(&program.root, files));
        }
        let problems = evaluation.finish().expect_err("it cannot be");
        let [AssemblyProblem::LeftByProgram { span, .. }] = &problems[..] else { panic!("{problems:?}") };
        let help = miette::Diagnostic::help(&problems[0]).expect("there is a way out").to_string();
        assert!(help.contains("or remove it before it ends"), "{help}");
        text[span.start()..span.end()].to_owned()
    };
    let group = "layer both { run \"one\" file \"/kept\" = \"\" run \"two\" }";
    assert_eq!(told(group, ["a", "tmp/.wh.foo"]), "run \"two\"");
    assert_eq!(told(group, ["tmp/.wh.foo", "a"]), "run \"one\"");
}
