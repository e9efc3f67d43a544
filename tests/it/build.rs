//! `cogpackc build` as far as it gets without a daemon: what is wrong is said before one is asked.

use cogpack_cli::Environment;
use cogpack_tests::places::root;
use cogpack_tests::terminal::{cogpackc, cogpackc_in, cogpackc_with_input};

const PLAN: &str = "cpk 1

platform linux/amd64

image @base = \"debian\"
  config empty

context @source = dir \".\"

secret token

stage %app from image @base {
  run \"make\" {
    mount @source at /src
    mount secret token at /run/token
    mount ssh
    network host
  }
}

export from %app
";

fn folder_with(plan: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    std::fs::write(folder.path().join("plan.cpk"), plan).expect("can be written");
    folder
}

/// A socket that nobody made.
const NOWHERE: &str = "unix:///nowhere/buildkitd.sock";

#[test]
fn what_the_plan_needs_and_nobody_gave_is_shown_on_its_lines() {
    let folder = folder_with(PLAN);
    let answer = cogpackc(folder.path(), &["build", ".", "--buildkit", NOWHERE]);
    assert_eq!((answer.code, answer.stdout.len()), (2, 0), "{}", answer.stderr);
    for said in [
        "cpk::build::secret",
        "the secret `token` was not given",
        "cpk::build::ssh",
        "cpk::build::not-allowed",
        "mount secret token at /run/token",
        "`--allow network.host` allows it",
    ] {
        assert!(answer.stderr.contains(said), "{said}: {}", answer.stderr);
    }
    let answer = cogpackc(folder.path(), &["build", ".", "--format", "json", "--allow", "network.host"]);
    let report = answer.stderr.find('{').map(|start| &answer.stderr[start..]).unwrap_or_default();
    let mut reports = serde_json::Deserializer::from_str(report).into_iter::<serde_json::Value>();
    let codes: Vec<String> = reports
        .by_ref()
        .flat_map(|report| report.expect("is JSON")["findings"].as_array().cloned().unwrap_or_default())
        .map(|finding| finding["code"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(codes, ["cpk::build::secret", "cpk::build::ssh"]);
}

#[test]
fn a_directory_is_looked_into_for_its_plan() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    std::fs::create_dir(folder.path().join("project")).expect("can be made");
    let answer = cogpackc(folder.path(), &["build", "project"]);
    assert_eq!(answer.code, 1);
    for said in ["nothing here that an image could be planned from", "write the plan itself, `plan.cpk`"] {
        assert!(answer.stderr.contains(said), "{said}: {}", answer.stderr);
    }
    std::fs::write(folder.path().join("project/plan.cpk"), "cpk 1\nstage %a from %b\n").expect("is writable");
    let answer = cogpackc(folder.path(), &["build", "project"]);
    assert_eq!(answer.code, 1, "{}", answer.stderr);
    assert!(answer.stderr.contains("project/plan.cpk:2"), "{}", answer.stderr);
}

#[test]
fn options_that_cannot_be_are_refused_by_name() {
    let folder = folder_with("cpk 1\nstage %app from scratch {\n  mkdir \"/a\"\n}\nexport from %app\n");
    for (arguments, said) in [
        (&["--push"][..], "an image without a name cannot be pushed"),
        (&["-o", "type=zip,dest=a"], "nothing is known of the type `zip`"),
        (&["-o", "type=oci"], "`dest` is missing"),
        (&["-o", "type=local,dest=a,dest=b"], "said twice"),
        (&["-o", "type=image,name=a"], "names are given with `-t`"),
        (&["--allow", "security.insecure"], "nothing in a plan can need that"),
        (&["--secret", "id=a,src=missing"], "cannot read the secret in `missing`"),
        (&["--secret", "id=a,sorce=b"], "nothing is known of `sorce`"),
        (&["--secret", "id=a"], "the secret's variable `a` is not set"),
        (&["--secret", "id=a,src=plan.cpk,env=B"], "it is given twice"),
        (&["--ssh", "default"], "SSH_AUTH_SOCK names none"),
        (&["--build-context", "source=."], "the plan declares no `dir` context `@source`"),
        (&["--platform", "linux/arm64"], "not for the platform `linux/arm64`"),
        (&["--buildkit", "somewhere"], "is no address of a BuildKit daemon"),
        (&["--buildkit-tls", "ca=a"], "`--buildkit-tls` needs `--buildkit"),
        (&["--progress", "loud"], "loud"),
        (&["--cache-from", "ref=a"], "`type` is missing"),
        (
            &["--builder", "buildkit", "--runtime", "crun"],
            "`--runtime` means nothing to `--builder buildkit`",
        ),
        (&["--builder", "direct", "--cache-to", "a"], "`--cache-to` means nothing to `--builder direct`"),
        (
            &["--layout", "a=b", "--limits", "none"],
            "`--layout` is for builds without a daemon, and `--limits` for",
        ),
    ] {
        let answer = cogpackc(folder.path(), &[&["build", "."], arguments].concat());
        assert_eq!((answer.code, answer.stdout.len()), (2, 0), "{arguments:?}: {}", answer.stderr);
        assert!(answer.stderr.contains(said), "{arguments:?}: {}", answer.stderr);
    }
}

#[test]
fn a_daemon_that_is_not_there_is_one_clear_error() {
    let folder = folder_with("cpk 1\nstage %app from scratch {\n  mkdir \"/a\"\n}\nexport from %app\n");
    for progress in ["plain", "tty", "json", "quiet"] {
        let arguments = ["build", ".", "--buildkit", NOWHERE, "--progress", progress];
        let answer = cogpackc(folder.path(), &arguments);
        assert_eq!((answer.code, answer.stdout.len()), (2, 0), "{}", answer.stderr);
        assert_eq!(answer.stderr.matches("error: ").count(), 1, "{}", answer.stderr);
        assert!(answer.stderr.contains(NOWHERE) && answer.stderr.contains("hint: "), "{}", answer.stderr);
    }
    let plan = "cpk 1\nstage %app from scratch {\n  mkdir \"/a\"\n}\nexport from %app\n";
    let piped = cogpackc_with_input(folder.path(), &["build", "-", "--buildkit", NOWHERE], plan);
    assert_eq!(piped.code, 2, "{}", piped.stderr);
}

/// Where this machine has no Engine and nobody names another daemon, this process builds, and says so.
#[test]
fn without_a_daemon_this_process_builds() {
    let plan = "cpk 1\nstage %app from scratch {\n  mkdir \"/a\"\n}\nexport from %app\n";
    let folder = folder_with(plan);
    // The only place that is not ours to choose: a machine that runs the tests may have an Engine there.
    let has_engine = std::os::unix::net::UnixStream::connect("/var/run/docker.sock").is_ok();
    let made = folder.path().join("made.tar");
    let answer =
        cogpackc(folder.path(), &["build", ".", "-o", "type=oci,dest=made.tar", "--progress", "quiet"]);
    let told = answer.stderr.contains("no Docker Engine is at unix:///var/run/docker.sock");
    assert_eq!(told, !has_engine, "{}", answer.stderr);
    assert!(has_engine || (answer.code == 0 && made.exists()), "{}", answer.stderr);
    // There is no store of images to put it into: where nobody names a place, it is in the state of the plan,
    // where no context takes it.
    let deploy = folder.path().join("deploy");
    std::fs::create_dir(&deploy).expect("is writable");
    let reads_above = "cpk 1\ncontext @all = dir \"..\"\nstage %app from scratch {\n  copy contents \".\" from \
                       @all to \"/\"\n}\nexport from %app\n";
    std::fs::write(deploy.join("plan.cpk"), reads_above).expect("is writable");
    let unasked = ["build", "deploy/plan.cpk", "--builder", "direct", "--progress", "quiet"];
    let first = cogpackc(folder.path(), &unasked);
    assert_eq!((first.code, first.stderr.as_str()), (0, ""));
    assert!(deploy.join(".cog/images/plan.cpk/index.json").exists());
    assert_eq!(first, cogpackc(folder.path(), &unasked));
    let piped = cogpackc_with_input(folder.path(), &["build", "-", "--builder", "direct"], plan);
    assert_eq!(piped.code, 2);
    assert!(piped.stderr.contains("say `--output type=layout,dest=DIR`"), "{}", piped.stderr);
    // An option of one builder chooses it, and nothing has to be said.
    let arguments =
        ["build", ".", "--runtime", "/bin/sh", "-o", "type=oci,dest=other.tar", "--progress", "quiet"];
    let answer = cogpackc(folder.path(), &arguments);
    assert_eq!((answer.code, answer.stderr.as_str()), (0, ""));
    // A daemon that somebody names is never passed over.
    let mut environment = Environment::default();
    environment.docker.host = Some(NOWHERE.to_owned());
    let answer = cogpackc_in(environment, folder.path(), &["build", ".", "-o", "type=oci,dest=third.tar"]);
    assert_eq!(answer.code, 2, "{}", answer.stderr);
    assert!(
        answer.stderr.contains(NOWHERE) && !folder.path().join("third.tar").exists(),
        "{}",
        answer.stderr
    );
    assert!(
        answer.stderr.contains("`--builder direct -o type=layout,dest=DIR` builds without"),
        "{}",
        answer.stderr
    );
}

/// The text model, with a catalogue whose only image is in a registry that nobody can reach.
fn model_without_a_registry() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    for file in ["cog.yaml", "predict.py", "pylock.cog.toml"] {
        let from = root().join("tests/projects/string-model").join(file);
        std::fs::copy(from, folder.path().join(file)).expect("can be copied");
    }
    // The port of a service that hosts have long since stopped to offer.
    let catalogue = "catalogue = 1\n[[image]]\nreference = \"127.0.0.1:9/base/python:3.12\"\n\
                     platforms = [\"linux/amd64\"]\nroles = [\"runtime\"]\nextent = \"runtime\"\n\
                     os = { id = \"debian\", version = \"12\" }\npackages = { ca-certificates = \"\" }\n\
                     python = { version = \"3.12.1\", interpreter = \"/usr/bin/python3\", prefix = \"/usr\" }\n";
    std::fs::write(folder.path().join("own.toml"), catalogue).expect("can be written");
    folder
}

const WITHOUT_REGISTRY: &str = "`--base debian` makes the base of Debian packages, without a registry";

/// Where neither an Engine nor a registry is to be reached, what is said of either names the way to an image.
#[test]
fn without_an_engine_and_a_registry_the_way_to_an_image_is_told() {
    let folder = model_without_a_registry();
    let mut environment = Environment::default();
    environment.docker.host = Some(NOWHERE.to_owned());
    let base = ["build", ".", "--catalogue", "own.toml", "--progress", "quiet"];
    let answer = cogpackc_in(environment, folder.path(), &base);
    assert_eq!(answer.code, 2, "{}", answer.stderr);
    let engine = "`--builder direct -o type=layout,dest=DIR` builds without a daemon";
    assert!(answer.stderr.contains(&format!("{engine}; {WITHOUT_REGISTRY}")), "{}", answer.stderr);
    let store = folder.path().join("store").display().to_string();
    let direct = ["--builder", "direct", "-o", "type=layout,dest=made", "--store", &store];
    let answer = cogpackc(folder.path(), &[&base[..], &direct].concat());
    assert_eq!(answer.code, 2, "{}", answer.stderr);
    assert!(answer.stderr.contains(WITHOUT_REGISTRY), "{}", answer.stderr);
    let pins = "of an image with a `digest` nobody is asked for what the store has";
    assert!(answer.stderr.contains(pins), "{}", answer.stderr);
    assert!(
        answer.stderr.contains("127.0.0.1:9") && !folder.path().join("made").exists(),
        "{}",
        answer.stderr
    );
    // A plan says itself what it is on.
    let folder =
        folder_with("cpk 1\nimage @base = \"127.0.0.1:9/base\"\nstage %a from image @base\nexport from %a\n");
    let answer = cogpackc(folder.path(), &[&["build", "."], &direct[..]].concat());
    assert_eq!(answer.code, 2, "{}", answer.stderr);
    assert!(!answer.stderr.contains("--base debian"), "{}", answer.stderr);
    assert!(answer.stderr.contains(pins), "{}", answer.stderr);
    // What is pinned already is in no store yet.
    let digest = format!("\n  digest sha256:{}\n", "ab".repeat(32));
    let plan = format!(
        "cpk 1\nimage @base = \"127.0.0.1:9/base\"{digest}stage %a from image @base\nexport from %a\n"
    );
    let answer = cogpackc(folder_with(&plan).path(), &[&["build", "."], &direct[..]].concat());
    assert!(answer.stderr.contains("127.0.0.1:9") && !answer.stderr.contains(pins), "{}", answer.stderr);
}

/// Locking takes a while, and leaves files in the project.
#[test]
fn what_cannot_be_pushed_is_refused_before_any_work() {
    let folder = model_without_a_registry();
    std::fs::remove_file(folder.path().join("pylock.cog.toml")).expect("is there");
    let cog_yaml = folder.path().join("cog.yaml");
    let yaml = std::fs::read_to_string(&cog_yaml).expect("is text");
    for (more, said) in [
        ("", "an image without a name cannot be pushed"),
        ("model: r8.im/me/model\n", "`model` names the repository `r8.im/me/model`, and no tag to push to"),
    ] {
        std::fs::write(&cog_yaml, format!("{yaml}{more}")).expect("can be written");
        let answer = cogpackc(folder.path(), &["build", ".", "--push", "--catalogue", "own.toml"]);
        assert_eq!(answer.code, 2, "{}", answer.stderr);
        assert!(answer.stderr.starts_with(&format!("error: {said}")), "{}", answer.stderr);
        assert!(!folder.path().join("pylock.cog.toml").exists());
    }
}

/// The value of a secret is nowhere in what is said, even where something about it is wrong.
#[test]
fn secrets_are_never_told() {
    let folder = folder_with(PLAN);
    std::fs::write(folder.path().join("value"), "hunter2-and-more").expect("is writable");
    for arguments in [
        &["--secret", "id=token,src=value"][..],
        &["--secret", "id=token,src=value", "--secret", "id=token,src=value"],
        &["--secret", "id=token,src=value", "--format", "json"],
    ] {
        let answer = cogpackc(folder.path(), &[&["build", ".", "--buildkit", NOWHERE], arguments].concat());
        assert_eq!(answer.code, 2);
        assert!(!answer.stderr.contains("hunter2"), "{}", answer.stderr);
    }
}

/// A build makes the lock itself: where other things are wrong, to ask for one sends people the wrong way.
#[test]
fn a_build_tells_what_is_wrong_beside_the_lock_that_it_would_make() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("is writable");
    write("cog.yaml", "build:\n  python_version: \"3.11\"\nrun: \"predict.py:rum\"\n");
    write("predict.py", "def run(name: str) -> str:\n    return name\n");
    let planned = cogpackc(folder.path(), &["plan"]);
    let built = cogpackc(folder.path(), &["build", ".", "--buildkit", NOWHERE]);
    assert_eq!((planned.code, built.code), (1, 1), "{}{}", planned.stderr, built.stderr);
    for (answer, asks) in [(planned, true), (built, false)] {
        assert!(answer.stderr.contains("project::schema::no-target"), "{}", answer.stderr);
        assert_eq!(answer.stderr.contains("project::lock::missing"), asks, "{}", answer.stderr);
    }
    let files = std::fs::read_dir(folder.path()).expect("can be read").count();
    assert_eq!(files, 2);
}

#[test]
fn a_directory_is_compiled_as_its_plan_or_its_project() {
    let folder = folder_with("cpk 1\nstage %app from scratch {\n  mkdir \"/a\"\n}\nexport from %app\n");
    let of_plan = cogpackc(folder.path(), &["plan.cpk", "-o", "cpk"]);
    let of_directory = cogpackc(folder.path(), &[".", "-o", "cpk"]);
    assert_eq!((of_directory.code, of_directory.text()), (0, of_plan.text()), "{}", of_directory.stderr);
    let idle = cogpackc(folder.path(), &[".", "-o", "cpk", "--stack", "python"]);
    assert_eq!(idle.code, 2);
    assert!(idle.stderr.contains("`--stack` is for projects, and `plan.cpk` is a plan"), "{}", idle.stderr);

    let project = tempfile::tempdir().expect("a temporary folder can be made");
    let write =
        |name: &str, text: &str| std::fs::write(project.path().join(name), text).expect("is writable");
    write("cog.yaml", "build:\n  python_version: \"3.11\"\nrun: \"predict.py:run\"\n");
    write("predict.py", "def run(name: str) -> str:\n    return name\n");
    let unlocked = cogpackc(project.path(), &[".", "-o", "llb.txt"]);
    assert_eq!(unlocked.code, 1);
    assert!(unlocked.stderr.contains("project::lock::missing"), "{}", unlocked.stderr);
    // What was decided is data, and what is wrong is talk; without `--why` there is no data.
    let why = cogpackc(project.path(), &["plan", "--why"]);
    assert_eq!(why.code, 1);
    for line in ["stack: python\n", "Python: 3.11\n", "build base: docker.io/", "command: cog's server\n"] {
        assert!(why.text().contains(line), "{line}: {}", why.text());
    }
    assert!(why.stderr.contains("project::lock::missing"), "{}", why.stderr);
    let plain = cogpackc(project.path(), &["plan"]);
    assert_eq!((plain.code, plain.text(), &plain.stderr), (1, "", &why.stderr));
    let why = cogpackc(project.path(), &["plan", "--why", "--format", "json"]);
    let why: serde_json::Value = serde_json::from_slice(&why.stdout).expect("is JSON");
    let chosen = |key: &str| {
        let all = why["why"][key].as_array().into_iter().flatten();
        all.filter(|base| base["chosen"] == true).count()
    };
    assert_eq!((chosen("bases"), chosen("build_bases")), (1, 1));
    assert_eq!(why["why"]["blocks"], serde_json::json!([]));
    write(
        "pylock.cog.toml",
        "lock-version = \"1.0\"\ncreated-by = \"a test\"\n[[packages]]\nname = \"cog\"\nversion = \"0.23.1\"\n\
         wheels = [{ url = \"https://files.example/cog-0.23.1-py3-none-any.whl\", hashes = { sha256 = \
         \"f7e0abab1028d83789f87d86dc30f82c3335085dc8abbe62bbc3dcb073976ed5\" } }]\n",
    );
    let planned = cogpackc(project.path(), &["plan"]);
    let compiled = cogpackc(project.path(), &[".", "-o", "cpk"]);
    assert_eq!((compiled.code, compiled.text()), (0, planned.text()), "{}", compiled.stderr);
    assert!(planned.text().contains("by model at \"cog.yaml\":3"), "{}", planned.text());

    write("bad.toml", "catalogue = 1\n[[image]]\nrefrence = \"a\"\n");
    let bad = cogpackc(project.path(), &["plan", "--catalogue", "bad.toml"]);
    assert_eq!((bad.code, bad.text()), (1, ""), "{}", bad.stderr);
    assert!(bad.stderr.contains("[bad.toml:"), "{}", bad.stderr);

    let why = cogpackc(project.path(), &["plan", "--why", "--format", "json"]);
    let why: serde_json::Value = serde_json::from_slice(&why.stdout).expect("is JSON");
    assert_eq!(why["why"]["stack"], "python");
    assert_eq!(why["why"]["evidence"][0], "cog.yaml");
    let decision = &why["why"]["decisions"][0];
    assert_eq!(
        (&decision["what"], &decision["value"], &decision["line"]),
        (&"Python".into(), &"3.11".into(), &2.into())
    );
    let chosen = why["why"]["bases"].as_array().into_iter().flatten().filter(|base| base["chosen"] == true);
    assert_eq!(chosen.count(), 1);
    let described =
        std::fs::read_to_string(cogpack_tests::places::root().join("docs/json.md")).expect("can be read");
    for key in ["decisions", "bases", "blocks", "idle_because", "chosen", "against", "used", "because"] {
        assert!(described.contains(&format!("`{key}`")), "{key}");
    }
}
