//! What differs from dialect to dialect, and with where the Dockerfile stands.

use cogpack_backends_contract::Backend;
use cogpack_ir::plan::InputName;
use cogpack_ir::resolve::{KnownConfigs, resolve};
use cogpack_ir::syntax::parse;
use cogpack_ir::verify::verify;

use super::{BUILT_IN, SMALLEST, lower_for, lowered, stage, stages, with_base};
use crate::{Dialect, Dockerfile, Root, Surroundings};

#[test]
fn newer_features_ask_for_a_newer_frontend() {
    let first_line = |dialect, ops: &str| {
        let artifact = lower_for(dialect, &with_base(&format!("secret s\n{}", stage(ops))))
            .unwrap_or_else(|gaps| panic!("{gaps:?}"));
        (artifact.dockerfile.lines().next().unwrap_or_default().to_owned(), artifact.dockerfile)
    };
    let (line, text) = first_line(SMALLEST, r#"run "a" { mount secret s as env S }"#);
    assert_eq!(line, "# syntax=docker/dockerfile:1.10");
    assert!(text.contains("--mount=type=secret,id=s,env=S,required=true"), "{text}");
    assert_eq!(first_line(SMALLEST, r#"run "a" { network none }"#).0, "# syntax=docker/dockerfile:1.4");
    let copy = r#"copy "a" from @src to "/srv/a" copy "a" from @src to "/tmp/a" copy "b" from @src to "/c/d" owner 5"#;
    let (line, text) = first_line(SMALLEST, copy);
    assert_eq!(line, "# syntax=docker/dockerfile:1.4");
    assert!(
        text.contains(
            "COPY --link contexts/src/a /srv/a\nCOPY contexts/src/a /tmp/a\nCOPY --link --from=app-layer / /\n"
        ),
        "{text}"
    );
}

#[test]
fn a_dialect_refuses_what_it_cannot_say() {
    let gaps = |dialect: Dialect, ops: &str| match lower_for(
        dialect,
        &with_base(&format!("secret s\n{}", stage(ops))),
    ) {
        Ok(artifact) => artifact.dockerfile,
        Err(gaps) => gaps.into_iter().map(|gap| gap.what).collect::<Vec<_>>().join("; "),
    };
    let secret = r#"run "a" { mount secret s as env S }"#;
    for (dialect, ops, expected) in [
        (Dialect::Legacy, secret, "a `mount secret … as env`, which the dialect `legacy` cannot say"),
        (
            Dialect::Buildah,
            r#"run "a" { mount @src at "/usr" }"#,
            "a mount at `/usr`, which holds the programs that would make it: the dialect `buildah` has no such mounts",
        ),
        (Dialect::Legacy, r#"run "a" { mount ssh }"#, "a `mount ssh`, which the dialect `legacy` cannot say"),
        (
            Dialect::Buildah,
            r#"run "a" { network none }"#,
            "`network none` of one `run`, which the dialect `buildah` cannot say",
        ),
        (
            BUILT_IN,
            r#"run "a" { network none }"#,
            "`network none` of one `run`, which needs `--syntax 1.3` or newer",
        ),
        (
            SMALLEST,
            r#"copy "a" from image @base to "/d" { exclude "b" }"#,
            "`exclude` in a copy from a stage or image, which needs `--syntax 1.19` or newer",
        ),
    ] {
        assert_eq!(gaps(dialect, ops), expected, "{ops}");
    }
}

/// The stages of a Dockerfile in some dialect and surroundings.
fn lowered_by(backend: Dockerfile, text: &str) -> String {
    let parsed = parse(&with_base(text));
    let verified = verify(parsed.plan).unwrap_or_else(|findings| panic!("{findings:?}"));
    let resolved = resolve(verified, &KnownConfigs::new()).unwrap_or_else(|findings| panic!("{findings:?}"));
    match backend.lower(&resolved) {
        Ok(artifact) => format!("{}{}", stages(&artifact.dockerfile), artifact.ignored.join("\n")),
        Err(gaps) => gaps.into_iter().map(|gap| gap.what).collect::<Vec<_>>().join("; "),
    }
}

#[test]
fn a_directory_of_the_user_is_read_where_it_is() {
    let context = InputName::new("src").expect("is a name");
    let root = Root {
        context,
        path: ".".to_owned(),
        file: "deploy/Dockerfile".to_owned(),
        beside: Some("deploy".to_owned()),
    };
    let files = [(root.context.clone(), "f".to_owned())].into();
    let surroundings = Surroundings { root: Some(root), files, ..Surroundings::default() };
    let written = |dialect: Dialect, ops: &str| {
        lowered_by(Dockerfile { dialect, surroundings: surroundings.clone() }, &stage(ops))
    };
    for (ops, expected) in [
        (r#"copy "a" from @src to "/etc/a""#, "COPY a /etc/a\n"),
        (r#"copy contents "." from @src to "/etc/x""#, "COPY . /etc/x/\n"),
        (r#"copy contents "." from @src to "/src""#, "COPY --link . /src/\n"),
        (r#"copy "d" from @src to "/etc/x" { exclude "**/*.pyc" }"#, "COPY d /etc/x\nd/**/*.pyc"),
        (r#"copy "a" from @src to "/etc/b" mode 0600"#, "COPY deploy/copies/app/etc-b/a /etc/b\n"),
        // A file gets its mode where it is copied, if directories on the way cannot get it too.
        (r#"copy "f" from @src to "/etc/b" mode 0755"#, "COPY --chmod=0755 f /etc/b\n"),
        (r#"copy "f" from @src to "/opt/b" mode 0755"#, "COPY --link --chmod=0755 f /opt/b\n"),
        (
            r#"copy "f" from @src to "/etc/b" mode 0600"#,
            "WORKDIR /etc\nCOPY --chmod=0600 f /etc/b\nWORKDIR /\n",
        ),
        (r#"copy "f" from @src to "/etc/b" mode 4755"#, "COPY deploy/copies/app/etc-b/f /etc/b\n"),
        (r#"file "/etc/b" = "x""#, "COPY deploy/files/app/etc-b/ /etc/\n"),
        (r#"file "/etc/b" = "x\n""#, "COPY <<\"b\" /etc/\nx\nb\n"),
        (r#"run "a" { mount @src at "/m" }"#, "RUN --mount=type=bind,target=/m \\\n    a\n"),
    ] {
        let text = written(SMALLEST, ops);
        assert!(text.ends_with(&format!(" AS app\n{expected}")), "{ops}: {text}");
    }
    // Something else reads what the rules leave out, so they cannot stand in the ignore file.
    let twice = r#"copy "d" from @src to "/etc/x" { exclude "a" } copy "d/a" from @src to "/etc/a""#;
    assert!(written(SMALLEST, twice).contains("COPY deploy/copies/app/etc-x/d /etc/x\nCOPY d/a /etc/a"));
    let newer = Dialect::BuildKit { syntax: "1.19".parse().expect("is a version") };
    assert!(written(newer, twice).contains("COPY --exclude=a d /etc/x\nCOPY d/a /etc/a"));
    // The name says nothing to any builder that they could read in two ways.
    assert!(
        written(SMALLEST, r#"copy "a[1]" from @src to "/etc/a""#)
            .contains("COPY deploy/copies/app/etc-a/item /etc/a")
    );
    let buildah = written(Dialect::Buildah, r#"run "a" { mount @src at "/m" select "d" }"#);
    assert!(buildah.contains("COPY d /.cogpackc-mounts/m/new\n"), "{buildah}");
}

#[test]
fn something_stands_in_for_what_the_classic_builder_cannot_mount() {
    let legacy = Dockerfile { dialect: Dialect::Legacy, ..Dockerfile::default() };
    let text = lowered_by(
        legacy.clone(),
        &format!(
            "cache c\n{}",
            stage(r#"user "app" run "a" { mount @src at "/m" select "d" mount cache c at "/c" }"#)
        ),
    );
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(lines[1], "COPY --chown=0:0 contexts/src/d /.cogpackc-mounts/m/new", "{text}");
    assert!(text.contains("\nRUN [\"/bin/sh\", \"-c\", \"\\\nset -e\\n\\\nstand_in() (\\n\\\n"), "{text}");
    let as_user = "/bin/mkdir -p /.cogpackc-mounts/c/new\\n\\\nstand_in /c c\\n\\\n\
                   stand_in /m m\"]\nUSER app\nRUN [\"/bin/sh\", \"-c\", \"a\"]\nUSER 0\n";
    assert!(text.contains(as_user), "{text}");
    assert!(text.contains("take_back /m m\\n\\\ntake_back /c c\\n\\\n/bin/rm -rf "), "{text}");
    // As root it is one step, so that what comes into a cache is in no layer.
    let text = lowered_by(legacy, &format!("cache c\n{}", stage(r#"run "a" { mount cache c at "/c" }"#)));
    assert_eq!(text.matches("RUN ").count(), 1, "{text}");
    let secret = lowered_by(
        Dockerfile { dialect: BUILT_IN, ..Dockerfile::default() },
        &format!("secret s\n{}", stage(r#"run "a" { mount secret s as env S }"#)),
    );
    assert!(
        secret.contains("--mount=type=secret,id=s,target=/run/secrets/s.S,mode=0444,required=true")
            && secret.contains("export S=\\\"${S%.}\\\"\\n\\\nfi\\n\\\nexec \\\"$@\\\"\", \\\n    \"sh\", \"/bin/sh\", \"-c\", \"a\"]"),
        "{secret}"
    );
}

#[test]
fn without_programs_nothing_is_run() {
    let bare = |ops: &str| {
        let text = format!("stage %app from scratch {{ env PATH = \"/bin\" {ops} }} export from %app {{}}");
        lowered_by(Dockerfile { dialect: BUILT_IN, ..Dockerfile::default() }, &text)
    };
    assert!(bare(r#"mkdir "/d" mode 0700 owner 5:6"#).contains("COPY --chown=5:6 files/app/d/ /\n"));
    assert!(!bare(r#"copy "a" from @src to "/d" replace"#).contains("RUN"));
    for ops in
        [r#"file "/d" = "" remove "/d""#, r#"copy "a" from @src to "/d" copy "b" from @src to "/d" replace"#]
    {
        assert_eq!(
            bare(ops),
            "removing `/d` in a stage that stands on nothing: a Dockerfile needs a program for that",
            "{ops}"
        );
    }
}

#[test]
fn a_directory_that_is_there_is_not_entered_again() {
    let text = lowered_by(
        Dockerfile { dialect: BUILT_IN, ..Dockerfile::default() },
        &stage(
            r#"workdir "/d" mkdir "/d" mode 0700 mkdir "/d" mode 0711 run "a" mkdir "/d" mkdir "/e" mkdir "/d""#,
        ),
    );
    let lines: Vec<&str> =
        text.lines().filter(|line| line.starts_with("WORKDIR") || line.starts_with("RUN")).collect();
    let expected = [
        "WORKDIR /d",
        r#"RUN ["/usr/bin/install", "-d", "-m", "00700", "/d"]"#,
        r#"RUN ["/usr/bin/install", "-d", "-m", "00711", "/d"]"#,
        "RUN a",
        // The program may have taken it away.
        "WORKDIR /d",
        "WORKDIR /e",
        "WORKDIR /d",
    ];
    assert_eq!(lines, expected, "{text}");
}

#[test]
fn stages_side_by_side_become_a_chain() {
    let merged = |base: &str, ops: &str| {
        lowered(&format!(
            "phase base phase parts parallel after base phase whole after parts\n\
             stage %base in base from {base}\n\
             stage %left in parts {{ copy \"a\" from @src to \"/left\" env A = \"1\" }}\n\
             stage %right in parts {{ {ops} }}\n\
             stage %app in whole {{ mkdir \"/top\" }} export from %app {{}}"
        ))
    };
    let on_nothing = merged("scratch", r#"copy "b" from @src to "/right" env PATH = "/bin""#);
    assert!(
        on_nothing.contains("COPY --from=left / /\nCOPY --from=right / /\nENV A=\"1\"\n"),
        "{on_nothing}"
    );
    assert!(on_nothing.contains("FROM parts AS app\n"), "{on_nothing}");
    let on_base = merged("image @base", r#"copy "b" from @src to "/right""#);
    assert!(on_base.contains("FROM left AS parts\n"), "{on_base}");
    assert!(on_base.contains("# stage %right\nCOPY --from=parts-layer / /\n"), "{on_base}");
    // What is done again on the first is no stage for itself.
    assert!(!on_base.contains(" AS right\n") && on_nothing.contains(" AS right\n"), "{on_base}");
}

#[test]
fn contexts_elsewhere_become_stages() {
    let text = lowered_by(
        Dockerfile::default(),
        &format!(
            "context @file = http \"https://example.org/a.whl\" {{ checksum sha256:{} }}\n\
             context @code = git \"https://example.org/code.git\" {{ commit {} subdir \"lib\" }}\n{}",
            "0".repeat(64),
            "1".repeat(40),
            stage(r#"copy "a.whl" from @file to "/etc/a.whl" copy contents "." from @code to "/etc/code""#),
        ),
    );
    assert!(
        text.contains(&format!(
            "ADD --chmod=0644 --checksum=sha256:{} https://example.org/a.whl /a.whl\n",
            "0".repeat(64)
        )),
        "{text}"
    );
    assert!(text.contains(&format!("ADD https://example.org/code.git#{}:lib /\n", "1".repeat(40))), "{text}");
    assert!(
        text.contains(
            "COPY --from=file --chown=0:0 /a.whl /etc/a.whl\nCOPY --from=code --chown=0:0 / /etc/code/\n"
        ),
        "{text}"
    );
}

#[test]
fn small_files_stand_in_the_dockerfile() {
    let written = |syntax: &str, ops: &str| {
        let dialect = Dialect::BuildKit { syntax: syntax.parse().expect("is a version") };
        let text = lowered_by(Dockerfile { dialect, ..Dockerfile::default() }, &stage(ops));
        text.lines().skip(2).filter(|line| !line.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    for (syntax, ops, expected) in [
        ("1.7", r#"file "/a/b" = "x\n""#, &[r#"COPY <<"b" /a/"#, "x", "b"][..]),
        ("1.7", r#"file "/b" = """#, &[r#"COPY <<"b" /"#, "b"]),
        (
            "1.4",
            r#"file "/a/b" = "x\n""#,
            &["WORKDIR /a", r#"COPY --chmod=0644 <<"b" /a/"#, "x", "b", "WORKDIR /"],
        ),
        ("1.4", r#"file "/b" = "$x\n""#, &[r#"COPY --chmod=0644 <<"b" /"#, "$x", "b"]),
        (
            "1.7",
            r#"mkdir "/a/b" file "/a/c" mode 0600 owner 5 = "EOF\n# c\n" run "d" file "/a/e" mode 0755 = "f\n""#,
            &[
                "# mkdir /a/b",
                "WORKDIR /a/b",
                r#"COPY --chown=5:5 --chmod=0600 <<"c" /a/"#,
                "EOF",
                "# c",
                "c",
                "WORKDIR /",
                "RUN d",
                "WORKDIR /a",
                r#"COPY --chmod=0755 <<"e" /a/"#,
                "f",
                "e",
                "WORKDIR /",
            ],
        ),
    ] {
        assert_eq!(written(syntax, ops), expected, "{syntax} {ops}");
    }
    for ops in [
        r#"file "/b" = "x""#,
        r#"file "/b" = "a\nb\nc\n""#,
        r#"file "/b" = "x\r\n""#,
        r#"file "/b" = "\u{feff}x\n""#,
        r#"file "/b c" = "x\n""#,
        r#"file "/-b" = "x\n""#,
        r#"file "/a b/c" = "x\n""#,
        r#"file "/b" mode 4755 = "x\n""#,
        r#"file "/b" = base64 "/wo=""#,
    ] {
        assert!(written("1.7", ops).iter().any(|line| line.contains("files/app/")), "{ops}");
    }
}

#[test]
fn alone_a_dockerfile_refuses_what_would_lie_beside_it() {
    let surroundings = Surroundings { alone: true, ..Surroundings::default() };
    let inline = r#"context @inline = files { file "a" = "x\n" file "d/b" mode 0755 = "y\n" }"#;
    let written = |ops: &str| {
        let backend = Dockerfile { dialect: SMALLEST, surroundings: surroundings.clone() };
        lowered_by(backend, &format!("{inline} {}", stage(ops)))
    };
    let text =
        written(r#"copy contents "d" from @inline to "/etc/d" run "x" { mount @inline at "/m" select "a" }"#);
    assert!(
        text.starts_with(
            "# files of context @inline\nFROM scratch AS inline\nCOPY <<\"a\" /\nx\na\n\n\
             WORKDIR /d\nCOPY --chmod=0755 <<\"b\" /d/\ny\nb\n\n"
        ),
        "{text}"
    );
    assert!(text.contains("COPY --from=inline --chown=0:0 /d/ /etc/d/\n"), "{text}");
    assert!(text.contains("--mount=type=bind,from=inline,source=/a,target=/m"), "{text}");
    for (ops, what, why) in [
        (r#"file "/b" = "x""#, "the file `/b`", ": it ends without a line break"),
        (r#"symlink "a" at "/b""#, "the link `/b`", ""),
        (r#"copy "*" from @src into "/b""#, "a copy from `@src` that `COPY` cannot make", ""),
        (r#"copy "a" from @src to "/b""#, "the context `@src`", ""),
    ] {
        assert_eq!(written(ops), format!("{what}, which has to lie beside the Dockerfile{why}"), "{ops}");
    }
    let backend = Dockerfile { dialect: SMALLEST, surroundings };
    let parsed = parse(&with_base(&stage(r#"symlink "a" at "/b""#)));
    let verified = verify(parsed.plan).expect("breaks no rule");
    let resolved = resolve(verified, &KnownConfigs::new()).expect("resolves");
    let gaps = backend.lower(&resolved).expect_err("has to lie beside it");
    assert_eq!(gaps[0].code, "cpk::unsupported::beside");
}

#[test]
fn a_builder_that_would_copy_something_else_is_made_to_look() {
    let lowered = |dialect: Dialect, ops: &str| {
        let text = format!(
            "stage %made from image @base {{ run \"make\" }} stage %app from image @base {{ {ops} }} export from %app {{}}"
        );
        match lower_for(dialect, &with_base(&text)) {
            Ok(artifact) => artifact.dockerfile,
            Err(gaps) => gaps.into_iter().map(|gap| format!("refused: {}", gap.what)).collect(),
        }
    };
    let two = r#"copy "/a" from %made to "/b" copy "/c" from %made to "/d""#;
    let links = r#"RUN ["/usr/bin/test", "!", "-L", "/a", "-a", "!", "-L", "/c"]"#;
    let set_ids = r#"RUN ["/usr/bin/find", "-H", "/a", "/c", "-xdev", "-type", "f", "-perm", "/6000", "-print", "-exec", "/bin/false", "{}", "+"]"#;
    for (dialect, loses_bits) in [(BUILT_IN, false), (Dialect::Buildah, true), (Dialect::Legacy, true)] {
        let text = lowered(dialect, two);
        assert_eq!(text.matches("AS made-checked").count(), 1, "{text}");
        assert!(text.contains(links), "{text}");
        assert_eq!(text.contains(set_ids), loses_bits, "{text}");
    }
    let onto = r#"copy "a" from @src to "/etc/b""#;
    let look = r#"RUN ["/usr/bin/test", "!", "-L", "/etc/b", "-o", "-d", "/etc/b"]"#;
    for (dialect, looks) in [(BUILT_IN, false), (Dialect::Buildah, true), (Dialect::Legacy, false)] {
        assert_eq!(lowered(dialect, onto).contains(look), looks, "{onto}");
    }
    let several = r#"copy "a" from @src to "/etc/b" copy contents "d" from @src to "/etc/d" copy "a" "c" from @src into "/etc/e"
        copy "a" from @src to "/etc/d/f" run "g" copy "a" from @src to "/etc/b""#;
    let text = lowered(Dialect::Buildah, several);
    let looks: Vec<&str> = text.lines().filter(|line| line.starts_with(r#"RUN ["/usr/bin/test""#)).collect();
    let one = |path: &str| format!(r#""!", "-L", "{path}", "-o", "-d", "{path}""#);
    let group = ["/etc/b", "/etc/e/a", "/etc/e/c"].map(|path| format!(r#""(", {}, ")""#, one(path)));
    let expected = [
        format!(r#"RUN ["/usr/bin/test", {}]"#, group.join(r#", "-a", "#)),
        format!(r#"RUN ["/usr/bin/test", {}]"#, one("/etc/d/f")),
        format!(r#"RUN ["/usr/bin/test", {}]"#, one("/etc/b")),
    ];
    assert_eq!(looks, expected, "{text}");
    let made_link = r#"symlink "c" at "/etc/b" copy "a" from @src to "/etc/b""#;
    assert!(
        lowered(Dialect::Buildah, made_link).starts_with("refused: a copy onto `/etc/b`, which is a link")
    );
    let odd = r#"copy "/a[1]" from %made to "/b""#;
    assert!(lowered(Dialect::Buildah, odd).contains("takes for a wildcard"));
    let text = lowered(Dialect::Legacy, odd);
    assert!(
        text.contains("/a[[]1] /layer/b") && text.contains(r#"RUN ["/usr/bin/test", "-e", "/a[1]"]"#),
        "{text}"
    );
}

#[test]
fn what_stands_in_for_a_mount_keeps_setuid_or_the_build_says_so() {
    let ops = r#"stage %tools from image @base { run "chmod 4755 /opt/t" }
stage %app from image @base { run "cp -a /mnt/t /opt" { mount %tools at /mnt select "opt" } }
export from %app {}"#;
    let looks = r#"RUN ["/usr/bin/find", "-H", "/opt", "-xdev", "-type", "f", "-perm", "/6000", "-print", "-exec", "/bin/false", "{}", "+"]"#;
    for dialect in [Dialect::Buildah, Dialect::Legacy] {
        let artifact = lower_for(dialect, &with_base(ops)).unwrap_or_else(|gaps| panic!("{gaps:?}"));
        let text = stages(&artifact.dockerfile);
        assert!(text.contains(looks), "{text}");
        assert!(text.contains("COPY --from=tools-checked /opt /.cogpackc-mounts/mnt/new\n"), "{text}");
    }
}

#[test]
fn what_old_builders_do_otherwise_is_not_asked_of_them() {
    let legacy = |ops: &str| {
        let artifact = lower_for(Dialect::Legacy, &with_base(ops)).unwrap_or_else(|gaps| panic!("{gaps:?}"));
        stages(&artifact.dockerfile)
    };
    // kaniko stops at a copy of a whole stage, so a layer that is made apart has a directory there.
    let text = legacy(&stage(r#"copy "a" from @src to "/opt/a" owner 5:6"#));
    let apart =
        "FROM scratch AS app-layer\nWORKDIR /layer/opt\nCOPY --chown=5:6 contexts/src/a /layer/opt/a\n";
    assert!(text.contains(apart) && text.contains("\nCOPY --from=app-layer /layer/ /\n"), "{text}");
    // There a link from the root would lead elsewhere, and nothing would be made of what is missing.
    for copies in [
        r#"layer l { copy "a" from @src to "/opt/a" copy "b" from @src to "/opt/a/b" }"#,
        r#"copy "a" from @src to "/opt/a" optional"#,
    ] {
        let text = legacy(&stage(copies));
        assert!(text.contains(" / /\n"), "{text}");
    }
    // The classic builder fails at a copy right after one of an empty directory onto the root.
    let from_root = r#"stage %made from image @base { run "mkdir /x" }
        stage %app from image @base { copy contents "/x" from %made to "/" copy "a" from @src to "/etc/a" }
        export from %app {}"#;
    let text = legacy(from_root);
    assert!(text.contains(" /x/ /\n# the classic builder fails"), "{text}");
    assert!(text.contains("\nWORKDIR /\nCOPY --chown=0:0 contexts/src/a /etc/a"), "{text}");
    let started = r#"stage %made from scratch { env PATH = "/bin" copy contents "." from @src to "/" }
        stage %app from %made { copy "a" from @src to "/etc/a" } export from %app {}"#;
    assert!(legacy(started).contains("AS app\n# the classic builder fails"), "{}", legacy(started));
    for dialect in [Dialect::Buildah, BUILT_IN] {
        let artifact = lower_for(dialect, &with_base(from_root)).unwrap_or_else(|gaps| panic!("{gaps:?}"));
        assert!(!artifact.dockerfile.contains("the classic builder"), "{}", artifact.dockerfile);
    }
}

#[test]
fn a_link_that_is_followed_is_gathered_for_who_would_keep_it() {
    let name = InputName::new("src").expect("is a name");
    let root = Root {
        context: name.clone(),
        path: ".".to_owned(),
        file: "Dockerfile".to_owned(),
        beside: Some(String::new()),
    };
    let links = [(name, "l".to_owned())].into();
    let surroundings = Surroundings { root: Some(root), links, ..Surroundings::default() };
    let written = |dialect: Dialect, ops: &str| {
        lowered_by(Dockerfile { dialect, surroundings: surroundings.clone() }, &stage(ops))
    };
    let (link, file) =
        (r#"copy "l" from @src to "/etc/l" follow"#, r#"copy "f" from @src to "/etc/f" follow"#);
    let said = written(Dialect::Legacy, link);
    assert!(said.contains("COPY --chown=0:0 copies/app/etc-l/l /etc/l\n"), "{said}");
    assert!(written(Dialect::Legacy, file).contains("COPY --chown=0:0 f /etc/f\n"));
    assert!(written(Dialect::Buildah, link).contains("COPY l /etc/l\n"));
}
