//! `cogpackc build --builder direct` with real runtimes, on the rig's Debian as a layout: what
//! programs see, what they leave, and what is said when they fail. What they leave is compared with
//! what BuildKit makes of it in `daemon/direct.rs`.

mod abilities;
mod leaves;
mod network;

use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;

use cogpack_tests::image::{Image, saved};
use cogpack_tests::runtimes;
use cogpack_tests::terminal::{Answer, cogpackc_in};
use flate2::read::MultiGzDecoder;

/// A plan of one stage with these ops, on the rig's Debian, in a folder of its own.
fn folder_with(ops: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let plan = format!(
        "cpk 1\n\nimage @base = \"debian\"\n\ncontext @source = dir \"source\"\n\ncontext @inline = files {{\n  \
         file \"note\" = \"from the plan\"\n}}\n\nsecret token\n\nsecret missing optional\n\ncache things\n\n\
         stage %other from image @base {{\n  run \"mkdir /out && echo from a stage >/out/note\"\n}}\n\n\
         stage %app from image @base {{\n{ops}\n}}\n\nexport from %app\n"
    );
    std::fs::write(folder.path().join("plan.cpk"), plan).expect("is writable");
    std::fs::create_dir(folder.path().join("source")).expect("can be made");
    std::fs::write(folder.path().join("source/note"), "from a directory").expect("is writable");
    folder
}

/// Builds the folder's plan; `None` where programs cannot be run.
fn build(folder: &Path, more: &[&str]) -> Option<Answer> {
    runtimes::any()?;
    let base = format!("base={}", runtimes::debian()?);
    let mut arguments = vec!["build", ".", "--builder", "direct", "--layout", &base, "--store", "store"];
    if !more.contains(&"--progress") {
        arguments.extend(["--progress", "quiet"]);
    }
    arguments.extend_from_slice(more);
    Some(cogpackc_in(runtimes::environment(), folder, &arguments))
}

const ARCHIVE: &[&str] = &["-t", "app", "-o", "type=docker,dest=app.tar"];

/// Builds, and reads the image.
fn built(folder: &Path, more: &[&str]) -> Option<Image> {
    let answer = build(folder, &[ARCHIVE, more].concat())?;
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    saved(&folder.join("app.tar")).pop_first().map(|(_, image)| image)
}

fn holds(image: &Image, path: &str, expected: &str) {
    assert_eq!(image.files.get(path).map(String::as_str), Some(expected), "{path}");
}

/// Whether bytes stand in a file below a folder. Links of an image lead out of it, and its pipes have
/// nobody who writes, so neither is followed.
fn is_below(folder: &Path, bytes: &[u8]) -> bool {
    std::fs::read_dir(folder).expect("a folder can be listed").any(|entry| {
        let entry = entry.expect("a folder can be listed");
        let kind = entry.file_type().expect("is there");
        let holds = || stand_in(&std::fs::read(entry.path()).expect("is readable"), bytes);
        (kind.is_dir() && is_below(&entry.path(), bytes)) || (kind.is_file() && holds())
    })
}

/// Whether bytes stand in a file of an archive of a layout, packed or not.
fn is_in_archive(archive: &Path, bytes: &[u8]) -> bool {
    let file = std::fs::File::open(archive).expect("was written");
    tar::Archive::new(file).entries().expect("it is a tar").any(|entry| {
        let (mut found, mut unpacked) = (Vec::new(), Vec::new());
        entry.expect("it is a tar").read_to_end(&mut found).expect("it is a tar");
        // What is not packed does not unpack.
        let _ = MultiGzDecoder::new(&found[..]).read_to_end(&mut unpacked);
        stand_in(&found, bytes) || stand_in(&unpacked, bytes)
    })
}

/// Whether bytes stand in others.
fn stand_in(text: &[u8], bytes: &[u8]) -> bool {
    text.windows(bytes.len()).any(|window| window == bytes)
}

#[test]
fn programs_see_every_mount_and_leave_nothing_of_it() {
    let ops = r#"
  run """
    set -e
    mkdir /results
    cat /context/note >/results/context
    cat /files/note >/results/files
    cat /stage/note >/results/stage
    ! touch /context/note
    touch /writable/new
    test -x /image/bin/sh
    cat /run/secrets/token >/results/secret-is-there && echo "$(wc -c </results/secret-is-there)" >/results/secret
    rm /results/secret-is-there
    stat -c %a:%u /run/secrets/token >/results/secret-mode
    printf %s "$TOKEN" | wc -c >/results/variable
    test ! -e /run/secrets/missing
    test -z "${MISSING+set}"
    grep ' /scratch ' /proc/mounts | cut -d' ' -f3 >/results/tmpfs
    df -k /scratch | tail -n 1 | tr -s ' ' | cut -d' ' -f2 >/results/tmpfs-size
    test -S "$SSH_AUTH_SOCK"
    perl -MIO::Socket::UNIX -e 'for (11, 18, 19, 13) { $s = IO::Socket::UNIX->new(Peer => $ENV{SSH_AUTH_SOCK}) or die $!; syswrite $s, pack("NC", 1, $_); sysread $s, $b, 5; print unpack("x4C", $b), " " }' >/results/agent
    hostname >/results/hostname
    echo once >>/cache/lines
    ! touch /etc/resolv.conf
    ! touch /etc/hosts
    ! touch /dev/made
    mknod /tmp/zero c 1 5
    ! head -c 1 /tmp/zero
    rm /tmp/zero
    """ {
    mount @source at /context
    mount @inline at /files
    mount @source at /writable writable
    mount %other at /stage select "/out"
    mount image @base at /image
    mount secret token at /run/secrets/token
    mount secret token as env TOKEN
    mount secret missing at /run/secrets/missing
    mount secret missing as env MISSING
    mount cache things at /cache sharing locked
    mount tmpfs at /scratch size 8m
    mount ssh
  }
  run "wc -l </cache/lines >/results/cache" {
    mount cache things at /cache
  }
  run "ls -A /context /files /stage /scratch /cache >/results/left 2>/dev/null; true"
  run "cut -d: -f1 /proc/net/dev | tail -n +3 | tr -d ' ' >/results/network" {
    network none
  }
  run "pwd >/results/user; id -u >>/results/user; id -G >>/results/user; echo $WHO >>/results/user" {
    user "nobody"
    workdir "/results"
    env WHO = "somebody"
  }
"#;
    for runtime in runtimes::all() {
        let folder = folder_with(&ops.replace("/results/user", "/tmp/user"));
        std::fs::write(folder.path().join("token"), "hunter2-and-more").expect("is writable");
        let agent = UnixListener::bind(folder.path().join("agent")).expect("a socket can be made");
        // Ends with the test; it answers whatever it is asked by a list of no keys.
        std::thread::spawn(move || {
            for stream in agent.incoming() {
                let mut stream = stream.expect("somebody connects");
                let mut request = [0; 5];
                if stream.read_exact(&mut request).is_ok() {
                    stream.write_all(&[0, 0, 0, 5, 12, 0, 0, 0, 0]).expect("the other end is there");
                }
            }
        });
        let runtime = runtime.display().to_string();
        let given = ["--secret", "id=token,src=token", "--ssh", "default=agent", "--runtime", &runtime];
        let Some(image) = built(folder.path(), &given) else { return };
        for (path, text) in [
            ("results/context", "from a directory"),
            ("results/files", "from the plan"),
            ("results/stage", "from a stage\n"),
            ("results/secret", "16\n"),
            ("results/secret-mode", "400:0\n"),
            ("results/variable", "16\n"),
            ("results/tmpfs", "tmpfs\n"),
            ("results/tmpfs-size", "8192\n"),
            ("results/hostname", "buildkitsandbox\n"),
            ("results/cache", "1\n"),
            ("results/left", ""),
            ("results/network", "lo\n"),
            // Keys may be listed and used, and none taken away.
            ("results/agent", "12 5 5 12 "),
        ] {
            holds(&image, path, &format!("file 0644 0:0 `{text}`"));
        }
        holds(&image, "tmp/user", "file 0644 65534:65534 `/results\n65534\n65534\nsomebody\n`");
        for gone in ["context", "files", "stage", "writable", "image", "scratch", "cache", "run/secrets"] {
            assert!(!image.files.contains_key(gone), "{runtime}: {gone} is left");
        }
        let secret = b"hunter2-and-more";
        let (store, archive) = (folder.path().join("store"), folder.path().join("app.tar"));
        assert!(!is_below(&store, secret), "{runtime}: the store holds the secret");
        assert!(!is_in_archive(&archive, secret), "{runtime}: the image holds the secret");
        // What a mount shows and a program copies is in both, so it is known that both were searched.
        assert!(is_below(&store, b"from a stage") && is_in_archive(&archive, b"from a stage"));
        let work = std::fs::read_dir(folder.path().join("store/work")).expect("is there").count();
        assert_eq!(work, 0, "{runtime}: something is left of making it");
    }
}

#[test]
fn what_containers_need_leaves_no_trace() {
    let ops = r#"  run "test -s /etc/hosts && test -e /etc/resolv.conf && echo done >/done""#;
    let folder = folder_with(ops);
    let Some(image) = built(folder.path(), &[]) else { return };
    let plain = folder_with("  file \"/done\" = \"done\\n\"");
    let Some(untouched) = built(plain.path(), &[]) else { return };
    assert_eq!(image, untouched, "a program that writes one file leaves one file");
}

#[test]
fn two_builds_give_one_digest_and_the_second_in_a_store_runs_nothing() {
    let ops = "  run \"mkdir -p /z /a/b && echo one >/a/b/c && ln /a/b/c /z/d && rm -r /usr/share/man\"\n  \
               copy \"note\" from @source to \"/note\"\n  run \"cat /note >/copied && date >/dev/null\"";
    let (one, other) = (folder_with(ops), folder_with(ops));
    let digest = |folder: &Path, more: &[&str]| {
        let answer = build(folder, &[&["-o", "type=layout,dest=layout"], more].concat())?;
        assert_eq!(answer.code, 0, "{}", answer.stderr);
        Some(answer.text().to_owned())
    };
    let Some(first) = digest(one.path(), &[]) else { return };
    assert!(first.starts_with("sha256:"), "{first}");
    assert_eq!(digest(other.path(), &[]), Some(first.clone()), "another folder, another store");
    assert_eq!(digest(one.path(), &["--no-cache"]), Some(first.clone()));
    let again = build(one.path(), &["-o", "type=layout,dest=layout", "--progress", "json"]);
    let again = again.expect("programs can be run, as they were");
    let events = |name: &str| again.stderr.matches(&format!("\"event\":\"{name}\"")).count();
    assert_eq!((events("cached"), events("output")), (2, 0), "{}", again.stderr);
    let changed = std::fs::write(one.path().join("source/note"), "another");
    changed.expect("is writable");
    assert_ne!(digest(one.path(), &[]), Some(first), "what a program reads has changed");
}

#[test]
fn an_op_that_fails_is_shown_where_the_plan_asks_for_it() {
    let folder = folder_with("  run \"echo first; echo second >&2; exit 7\"\n  run \"touch /never\"");
    let Some(answer) = build(folder.path(), ARCHIVE) else { return };
    assert_eq!(answer.code, 1, "{}", answer.stderr);
    for said in ["cpk::build::failed", "[plan.cpk:22:3]", "exit code 7", "│ first", "│ second"] {
        assert!(answer.stderr.contains(said), "{said}: {}", answer.stderr);
    }
    assert!(!folder.path().join("app.tar").exists());
    for (ops, said) in [
        ("  exec [\"/bin/no-such-program\"]", "no-such-program"),
        ("  run \"true\" {\n    user \"stranger\"\n  }", "there is no user `stranger` in `/etc/passwd`"),
        ("  run \"no-such-command\"", "exit code 127"),
    ] {
        let folder = folder_with(ops);
        let Some(answer) = build(folder.path(), ARCHIVE) else { return };
        assert_eq!(answer.code, 1, "{ops}: {}", answer.stderr);
        assert!(answer.stderr.contains("[plan.cpk:22:3]"), "{ops}: {}", answer.stderr);
        assert!(answer.stderr.contains(said), "{ops}: {said}: {}", answer.stderr);
    }
}

#[test]
fn what_one_program_leaves_is_what_the_next_one_finds() {
    let ops = r#"
  file "/tool" mode 0755 = "content"
  run """
    set -e
    mkdir /d
    echo one >/d/file
    ln /d/file /d/other
    touch -d @1000000000.5 /d/file
    """
  run "stat -c '%h %y' /d/other >/seen && rm /d/file"
  layer both {
    run "test ! -e /d/file && mkdir /d/file && touch /d/file/below"
    file "/d/file/more" = ""
    run "rm /d/file/below && rmdir /usr/games"
  }
"#;
    let folder = folder_with(ops);
    let Some(image) = built(folder.path(), &["--runtime", "crun"]) else { return };
    // Names of one file stay names of one file, and a file keeps its time while it is built on.
    holds(&image, "seen", "file 0644 0:0 `2 2001-09-09 01:46:40.500000000 +0000\n`");
    holds(&image, "d/file", "directory 0755 0:0");
    holds(&image, "d/file/more", "file 0644 0:0 ``");
    assert!(!image.files.contains_key("d/file/below") && !image.files.contains_key("usr/games"));
    holds(&image, "tool", "file 0755 0:0 `content`");
}

#[test]
fn what_a_program_may_do_goes_with_its_file() {
    let value = "0100000200200000000000000000000000000000";
    let ops = format!(
        "  run \"echo a >/tool && python3 -c 'import os; \
         os.setxattr(\\\"/tool\\\", \\\"security.capability\\\", bytes.fromhex(\\\"{value}\\\"))'\"\n  \
         copy \"/usr/bin/env\" from image @base to \"/of-the-base\"\n  \
         run \"python3 -c 'import os; print(os.getxattr(\\\"/tool\\\", \\\"security.capability\\\").hex())' >/seen\""
    );
    let folder = folder_with(&ops);
    let (Some(_), Some(layouts)) = (runtimes::any(), std::env::var_os("COGPACK_TEST_LAYOUTS")) else {
        return;
    };
    let base = format!("base={}:3.11-slim", Path::new(&layouts).join("python").display());
    let arguments = ["build", ".", "--builder", "direct", "--store", "store", "--layout", &base];
    let answer = cogpackc_in(runtimes::environment(), folder.path(), &[&arguments[..], ARCHIVE].concat());
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    let (_, image) = saved(&folder.path().join("app.tar")).pop_first().expect("one was written");
    holds(&image, "seen", &format!("file 0644 0:0 `{value}\n`"));
    let env = image.files.get("usr/bin/env").expect("every Debian has it");
    holds(&image, "of-the-base", env);
    let record = b"SCHILY.xattr.security.capability=\x01\0\0\x02\0\x20";
    assert!(is_in_archive(&folder.path().join("app.tar"), record), "the layer does not say it");
}

#[test]
fn caches_stay_and_are_no_part_of_what_is_built() {
    let ops = "  run \"echo a >>/cache/lines; wc -l </cache/lines >/count\" {\n    \
               mount cache things at /cache sharing private\n  }";
    let folder = folder_with(ops);
    for expected in ["1\n", "1\n", "2\n"] {
        let more: &[&str] = if expected == "2\n" { &["--no-cache"] } else { &[] };
        let Some(image) = built(folder.path(), more) else { return };
        holds(&image, "count", &format!("file 0644 0:0 `{expected}`"));
    }
}

#[test]
fn without_a_runtime_nothing_is_begun() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let plan =
        "cpk 1\nstage %app from scratch {\n  env PATH = \"/bin\"\n  run \"true\"\n}\nexport from %app\n";
    std::fs::write(folder.path().join("plan.cpk"), plan).expect("is writable");
    let arguments = ["build", ".", "--builder", "direct", "--store", "store", "-o", "type=oci,dest=app.tar"];
    let mut environment = runtimes::environment();
    environment.docker.path = Some(folder.path().into());
    let answer = cogpackc_in(environment.clone(), folder.path(), &arguments);
    assert_eq!(answer.code, 1, "{}", answer.stderr);
    for said in ["cpk::unsupported::runtime", "[plan.cpk:4:3]", "`--runtime PATH`", "`--builder buildkit`"] {
        assert!(answer.stderr.contains(said), "{said}: {}", answer.stderr);
    }
    assert!(!folder.path().join("store").exists() && !folder.path().join("app.tar").exists());
    let named = cogpackc_in(environment, folder.path(), &[&arguments[..], &["--runtime", "./crun"]].concat());
    assert_eq!(named.code, 2, "{}", named.stderr);
    assert!(
        named.stderr.contains("there is no program") && named.stderr.contains("hint: "),
        "{}",
        named.stderr
    );
}

#[test]
fn a_plan_without_programs_needs_neither_runtime_nor_store() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let plan = "cpk 1\nstage %app from scratch {\n  file \"/a\" = \"b\"\n}\nexport from %app\n";
    std::fs::write(folder.path().join("plan.cpk"), plan).expect("is writable");
    let arguments = ["build", ".", "--builder", "direct", "-t", "app", "-o", "type=docker,dest=app.tar"];
    let answer = cogpackc_in(Default::default(), folder.path(), &arguments);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    let images = saved(&folder.path().join("app.tar"));
    let image = images.values().next().expect("one was written");
    holds(image, "a", "file 0644 0:0 `b`");
    std::fs::create_dir(folder.path().join("taken")).expect("can be made");
    std::fs::write(folder.path().join("taken/file"), "").expect("is writable");
    for (to, said) in [
        (&["--push", "-t", "a"][..], "an image in a registry"),
        (&["--load"], "an image in a Docker Engine"),
        (&["-o", "out"], "a directory of the files"),
        (&["-o", "type=layout,dest=taken"], "is not replaced: it holds `file`, which is no part of a layout"),
        (&["-o", "type=oci,dest=a.tar,compression=lzma"], "cannot be compressed with `lzma`"),
        (
            &["-o", "type=oci,dest=a.tar,compression-level=13"],
            "`auto` has no level `13`: it has those from 1 to 12",
        ),
        (&["-o", "type=oci,dest=a.tar,compression=none,compression-level=1"], "`none` has no level"),
        (&["-o", "type=oci,dest=a.tar,force-compression=true"], "no setting `force-compression`"),
        (&["-o", "type=oci,dest=a.tar", "--cache-from", "a"], "`--cache-from` means nothing"),
        (&["-o", "type=oci,dest=a.tar", "--buildkit", "tcp://a"], "`--buildkit` means nothing"),
    ] {
        let answer = cogpackc_in(
            Default::default(),
            folder.path(),
            &[&["build", ".", "--builder", "direct"], to].concat(),
        );
        assert_eq!(answer.code, 2, "{to:?}: {}", answer.stderr);
        assert!(
            answer.stderr.contains(said) && answer.stderr.contains("hint: "),
            "{to:?}: {}",
            answer.stderr
        );
    }
}

#[test]
fn what_the_next_build_would_copy_is_told() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let plan = "cpk 1\ncontext @source = dir \".\" {\n  exclude \"out\"\n}\nstage %app from scratch {\n  \
                copy contents \".\" from @source to \"/a\"\n}\nexport from %app\n";
    std::fs::write(folder.path().join("plan.cpk"), plan).expect("is writable");
    std::fs::create_dir(folder.path().join("out")).expect("can be made");
    let told = |to: &str| {
        let arguments = ["build", ".", "--builder", "direct", "-t", "app", "--progress", "quiet", "-o", to];
        let answer = cogpackc_in(Default::default(), folder.path(), &arguments);
        assert_eq!(answer.code, 0, "{to}: {}", answer.stderr);
        answer.stderr
    };
    let note = "note: the next build copies `app.tar` with the context `@source`, in whose directory it is written: \
                write it elsewhere, or name it in `.dockerignore`\n";
    assert_eq!(told("type=oci,dest=app.tar"), note);
    assert!(told("type=layout,dest=image").contains("the next build copies `image`"));
    assert_eq!(told("type=oci,dest=out/app.tar"), "");
    std::fs::write(folder.path().join(".dockerignore"), "*.tar\n").expect("is writable");
    assert_eq!(told("type=oci,dest=app.tar"), "");
}

#[test]
fn layers_are_compressed_as_they_are_asked_to_be() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let plan = "cpk 1\nstage %app from scratch {\n  file \"/a\" = \"b\"\n}\nexport from %app\n";
    std::fs::write(folder.path().join("plan.cpk"), plan).expect("is writable");
    for (compression, ending) in
        [("auto", ".tar+gzip\""), ("gzip", ".tar+gzip\""), ("zstd", ".tar+zstd\""), ("none", ".tar\"")]
    {
        let output = format!("type=layout,dest=built-{compression},compression={compression}");
        let built = ["build", ".", "--builder", "direct", "-o", &output];
        let emitted = format!("emitted-{compression}");
        let emitting = ["plan.cpk", "-o", "oci", "-O", &emitted, "--compression", compression];
        let mut indexes = Vec::new();
        for (arguments, made) in [(&built[..], format!("built-{compression}")), (&emitting, emitted.clone())]
        {
            let answer = cogpackc_in(Default::default(), folder.path(), arguments);
            assert_eq!(answer.code, 0, "{}", answer.stderr);
            let manifest = manifest_in(&folder.path().join(&made));
            assert!(manifest.contains(&format!("application/vnd.oci.image.layer.v1{ending}")), "{manifest}");
            indexes.push(manifest);
        }
        assert_eq!(indexes[0], indexes[1], "{compression}");
    }
}

#[test]
fn what_was_built_is_told_with_all_its_names_and_layers() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let plan =
        "cpk 1\nstage %app from scratch {\n  file \"/a\" = \"b\"\n  mkdir \"/c\"\n}\nexport from %app\n";
    std::fs::write(folder.path().join("plan.cpk"), plan).expect("is writable");
    let build = |more: &[&str]| {
        let words = ["build", ".", "--builder", "direct", "-t", "app:1", "-t", "example.org/b", "-o"];
        let answer = cogpackc_in(Default::default(), folder.path(), &[&words, more].concat());
        assert_eq!(answer.code, 0, "{}", answer.stderr);
        answer
    };
    let answer = build(&["type=layout,dest=out", "--format", "json", "--progress", "quiet"]);
    let told: serde_json::Value = serde_json::from_slice(&answer.stdout).expect("is JSON");
    assert_eq!(told["names"], serde_json::json!(["docker.io/library/app:1", "example.org/b:latest"]));
    let manifest: serde_json::Value =
        serde_json::from_str(&manifest_in(&folder.path().join("out"))).expect("is JSON");
    let layers = told["layers"].as_array().expect("is a list");
    let made_by: Vec<_> = layers.iter().map(|layer| layer["made_by"].as_str().unwrap_or("nobody")).collect();
    assert_eq!(made_by, ["%app: file \"/a\"", "%app: mkdir \"/c\""]);
    for (layer, stored) in layers.iter().zip(manifest["layers"].as_array().expect("is a list")) {
        assert_eq!((&layer["digest"], &layer["size"]), (&stored["digest"], &stored["size"]));
        assert_eq!(layer["compressed"], true);
    }
    build(&["type=docker,dest=out.tar", "--progress", "quiet"]);
    let images = saved(&folder.path().join("out.tar"));
    let names: Vec<&str> = images.keys().map(String::as_str).collect();
    assert_eq!(names, ["docker.io/library/app:1", "example.org/b:latest"]);
    let shown = build(&["type=layout,dest=out,compression=none", "--progress", "plain"]).stderr;
    let lines: Vec<&str> = shown.lines().skip_while(|line| *line != "layers").take(4).collect();
    assert_eq!(lines.len(), 4, "{shown}");
    assert!(
        lines[1].contains("%app: file \"/a\"") && lines[3].contains("2 layers in all, unpacked"),
        "{shown}"
    );
}

#[test]
fn owners_are_known_by_the_files_of_the_base() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let run = |arguments: &[&str]| cogpackc_in(Default::default(), folder.path(), arguments);
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("is writable");
    write(
        "base.cpk",
        "cpk 1\nstage %base from scratch {\n  file \"/etc/passwd\" = \"app:x:1000:50::/:/bin/sh\\n\"\n  \
         file \"/etc/group\" = \"crew:x:51:\\n\"\n}\nexport from %base\n",
    );
    let plan = "cpk 1\ncontext @base = oci \"base\"\nstage %app from @base {\n  \
                file \"/a\" owner app:crew = \"a\"\n}\nexport from %app\n";
    write("plan.cpk", plan);
    write("strange.cpk", &plan.replace("app:crew", "app:stranger"));
    let made = run(&["base.cpk", "-o", "oci", "-O", "base"]);
    assert_eq!(made.code, 0, "{}", made.stderr);
    let emitted = run(&["plan.cpk", "-o", "oci", "-O", "emitted"]);
    assert_eq!(emitted.code, 0, "{}", emitted.stderr);
    let direct = ["--builder", "direct", "-t", "app"];
    let built = run(&[&["build", "plan.cpk", "-o", "type=docker,dest=built.tar"], &direct[..]].concat());
    assert_eq!(built.code, 0, "{}", built.stderr);
    let images = saved(&folder.path().join("built.tar"));
    holds(images.values().next().expect("one was written"), "a", "file 0644 1000:51 `a`");
    let built = run(&["build", "plan.cpk", "-o", "type=layout,dest=built", "--builder", "direct"]);
    assert_eq!(built.code, 0, "{}", built.stderr);
    assert_eq!(manifest_in(&folder.path().join("built")), manifest_in(&folder.path().join("emitted")));
    for arguments in [
        &["strange.cpk", "-o", "oci", "-O", "strange"][..],
        &["build", "strange.cpk", "-o", "type=layout,dest=strange", "--builder", "direct"],
    ] {
        let answer = run(arguments);
        assert_eq!(answer.code, 1, "{}", answer.stderr);
        let said = "there is no group `stranger` in `/etc/group`";
        assert!(answer.stderr.contains(said), "{}", answer.stderr);
        assert!(answer.stderr.contains("cpk::oci::unknown-owner"), "{}", answer.stderr);
        assert!(!folder.path().join("strange").exists());
    }
}

/// The manifest of the one image in a layout.
fn manifest_in(layout: &Path) -> String {
    let index = std::fs::read_to_string(layout.join("index.json")).expect("is a layout");
    let (_, digest) = index.split_once("sha256:").expect("names a manifest");
    std::fs::read_to_string(layout.join("blobs/sha256").join(&digest[..64])).expect("is there")
}

#[test]
fn files_and_config_are_dated_as_the_environment_says() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let plan = "cpk 1\nstage %app from scratch {\n  file \"/a\" = \"b\"\n}\nexport from %app\n";
    std::fs::write(folder.path().join("plan.cpk"), plan).expect("is writable");
    let emit = ["plan.cpk", "-o", "oci", "-O", "image", "--compression", "none"];
    let built = "type=layout,dest=image,compression=none";
    let build = ["build", ".", "--builder", "direct", "--progress", "quiet", "-o", built];
    for (said, seconds, created) in
        [(None, 0, "1970-01-01T00:00:00Z"), (Some("1000000007"), 1_000_000_007, "2001-09-09T01:46:47Z")]
    {
        for arguments in [&emit[..], &build] {
            let source_date_epoch = said.map(str::to_owned);
            let environment = cogpack_cli::Environment { source_date_epoch, ..Default::default() };
            let answer = cogpackc_in(environment, folder.path(), arguments);
            assert_eq!(answer.code, 0, "{}", answer.stderr);
            let layout = folder.path().join("image");
            let blob = |descriptor: &serde_json::Value| {
                let digest = descriptor["digest"].as_str().expect("has a digest");
                std::fs::read(layout.join(digest.replace("sha256:", "blobs/sha256/"))).expect("is there")
            };
            let manifest: serde_json::Value = serde_json::from_str(&manifest_in(&layout)).expect("is JSON");
            let config: serde_json::Value =
                serde_json::from_slice(&blob(&manifest["config"])).expect("is JSON");
            assert_eq!(config["created"], created, "{arguments:?}");
            assert_eq!(config["history"][0]["created"], created, "{arguments:?}");
            let layer = blob(&manifest["layers"][0]);
            let mut archive = tar::Archive::new(&layer[..]);
            let entries = archive.entries().expect("is an archive");
            let dated = entries.map(|it| it.expect("is whole").header().mtime().expect("has a date"));
            assert_eq!(dated.collect::<Vec<_>>(), [seconds], "{arguments:?}");
        }
    }
}

#[test]
fn several_platforms_that_this_machine_runs_are_one_index() {
    let folder = folder_with("  run \"echo made >/made\"");
    let path = folder.path().join("plan.cpk");
    let text = std::fs::read_to_string(&path).expect("was written");
    let levels = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    if !(cfg!(target_arch = "x86_64") && levels.contains(" sse4_2 ")) {
        eprintln!("skipped: this machine runs no programs for linux/amd64/v2");
        return;
    }
    let (own, variant) = ("amd64", "v2");
    let platforms = format!("cpk 1\n\nplatform linux/{own}\nplatform linux/{own}/{variant}\n");
    std::fs::write(&path, text.replacen("cpk 1\n", &platforms, 1)).expect("is writable");
    let Some(answer) = build(folder.path(), &["-o", "type=layout,dest=app", "--progress", "plain"]) else {
        return;
    };
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    let told = format!("run echo made >/made [linux/{own}/{variant}]");
    assert!(answer.stderr.contains(&told), "{}", answer.stderr);
    let blob = |entry: &serde_json::Value| -> serde_json::Value {
        let digest = entry["digest"].as_str().expect("is text").replace("sha256:", "app/blobs/sha256/");
        serde_json::from_slice(&std::fs::read(folder.path().join(digest)).expect("was written"))
            .expect("is JSON")
    };
    let top: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("app/index.json")).expect("was written"))
            .expect("is JSON");
    let index = blob(&top["manifests"][0]);
    let variants: Vec<_> =
        (0..2).map(|at| index["manifests"][at]["platform"]["variant"].as_str().map(str::to_owned)).collect();
    assert_eq!(variants, [None, Some(variant.to_owned())]);
    let layers: Vec<_> = (0..2).map(|at| blob(&index["manifests"][at])["layers"].clone()).collect();
    assert_eq!(layers[0], layers[1]);
    // The base's, and the program's.
    assert_eq!(layers[0].as_array().map(Vec::len), Some(2));
    let one = ["-o", "type=layout,dest=one", "--platform", &format!("linux/{own}")];
    let Some(answer) = build(folder.path(), &one) else { return };
    assert_eq!(answer.text().trim(), index["manifests"][0]["digest"], "{}", answer.stderr);
}
