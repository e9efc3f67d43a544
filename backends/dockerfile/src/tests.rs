//! Whole plans and what they are lowered to.

mod dialects;
mod labels;
mod owners;
mod packages;

use cogpack_backends_contract::{Backend, Unsupported};
use cogpack_ir::resolve::{KnownConfigs, resolve};
use cogpack_ir::syntax::parse;
use cogpack_ir::verify::verify;

use crate::{Artifact, Beside, Dialect, Dockerfile, Never, Syntax};

const BUILT_IN: Dialect = Dialect::BuildKit { syntax: Syntax::BuiltIn };
const SMALLEST: Dialect = Dialect::BuildKit { syntax: Syntax::Smallest };

fn lower_for(dialect: Dialect, text: &str) -> Result<Artifact, Vec<Unsupported>> {
    let parsed = parse(text);
    assert!(parsed.findings.is_empty(), "{:?}", parsed.findings);
    let verified = verify(parsed.plan).unwrap_or_else(|findings| panic!("{findings:?}"));
    let resolved = resolve(verified, &KnownConfigs::new()).unwrap_or_else(|findings| panic!("{findings:?}"));
    Dockerfile { dialect, ..Dockerfile::default() }.lower(&resolved)
}

/// The stages of the Dockerfile of a plan whose base has a shell and `PATH`.
fn lowered(text: &str) -> String {
    let artifact = lower_for(BUILT_IN, &with_base(text)).unwrap_or_else(|gaps| panic!("{gaps:?}"));
    stages(&artifact.dockerfile)
}

fn refused(text: &str) -> Vec<String> {
    match lower_for(BUILT_IN, &with_base(text)) {
        Ok(artifact) => panic!("is lowered: {}", artifact.dockerfile),
        Err(gaps) => gaps.into_iter().map(|gap| gap.what).collect(),
    }
}

fn with_base(text: &str) -> String {
    format!(
        "cpk 1\nimage @base = \"debian:bookworm-slim\" env PATH = \"/bin\" label old = \"1\"\n\
         context @src = dir \".\"\n{text}"
    )
}

fn stages(dockerfile: &str) -> String {
    dockerfile.split_once("\n\n").map(|(_, stages)| stages.to_owned()).expect("there is a header")
}

/// A stage with these ops, exported.
fn stage(ops: &str) -> String {
    format!("stage %app from image @base {{ {ops} }} export from %app {{}}")
}

/// The instructions of one stage with these ops.
fn instructions(ops: &str) -> Vec<String> {
    let text = lowered(&stage(ops));
    text.lines().skip(2).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[test]
fn a_plan_becomes_stages_with_what_lies_beside() {
    let artifact = lower_for(
        BUILT_IN,
        &with_base(
            r#"
            secret token
            cache uv
            phase build.deps
            stage %venv in build.deps from image @base {
              by uv at "cog.yaml":4
              env UV = "1"
              run "uv venv /venv" {
                mount @src at /mnt select "requirements.txt"
                mount cache uv at /root/.cache sharing locked
                mount secret token at /run/token
              }
              layer more { run "echo more" }
            }
            stage %app from image @base {
              copy "/venv" from %venv to "/venv" follow
              copy contents "." from @src to "/src" { exclude "**/*.pyc" }
              file "/etc/app.conf" mode 0600 = "a = 1"
              workdir "/src"
              env prepend PATH "/venv/bin"
            }
            export from %app { cmd ["python"] expose 5000/tcp label new = "2" }
            "#,
        ),
    )
    .unwrap_or_else(|gaps| panic!("{gaps:?}"));
    assert_eq!(
        artifact.dockerfile,
        r#"# Compiled by cogpackc: change the plan, not this file. To build, in its directory:
#   DOCKER_BUILDKIT=1 docker build --platform=linux/amd64 --secret=id=token,src=token .

# stage %venv in build.deps
FROM docker.io/library/debian:bookworm-slim AS venv
# by uv, cog.yaml:4
ENV UV="1"
RUN --mount=type=bind,source=contexts/src/requirements.txt,target=/mnt \
    --mount=type=cache,id=uv,target=/root/.cache,sharing=locked \
    --mount=type=secret,id=token,target=/run/token,required=true \
    uv venv /venv
# layer more
RUN echo more

# a layer of stage %app, made on nothing: what is under it does not change it
FROM scratch AS app-layer
COPY --from=venv --chown=0:0 /venv /venv

# a layer of stage %app, made on nothing: what is under it does not change it
FROM scratch AS app-layer-2
COPY copies/app/src/item/ /src/

# stage %app
FROM docker.io/library/debian:bookworm-slim AS app
COPY --from=app-layer / /
COPY --from=app-layer-2 / /
COPY files/app/etc-app.conf/ /etc/
WORKDIR /src
ENV PATH="/venv/bin:/bin"
CMD ["python"]
EXPOSE 5000/tcp
LABEL new="2"
"#
    );
    let beside: Vec<&str> = artifact.beside.keys().map(String::as_str).collect();
    assert_eq!(beside, ["contexts/src", "copies/app/src", "files/app/etc-app.conf"]);
}

#[test]
fn scripts_and_programs_keep_every_byte() {
    for (op, expected) in [
        (r#"run "echo \"$A\" # b""#, r#"RUN echo "$A" # b"#),
        (r#"run "a\nb""#, "RUN [\"/bin/sh\", \"-c\", \"\\\na\\n\\\nb\\n\"]"),
        (r#"run " a""#, r#"RUN ["/bin/sh", "-c", " a"]"#),
        (r#"run "if a\n  b\n\n# c\n\td\n""#, "\"\\\nif a\\n  \\\nb\\n\\n# c\\n\\t\\\nd\\n\"]"),
        (r#"run "cat <<E\nx""#, "\"\\\ncat <<E\\n\\\nx\\n\"]"),
        (r#"exec ["a", "b\nc", "d"]"#, "RUN [\"a\", \"\\\nb\\n\\\nc\", \\\n    \"d\"]"),
        (r#"exec ["a", "b\n"]"#, r#"RUN ["a", "b\n"]"#),
        (r#"run "[ -e /a ]""#, r#"RUN ["/bin/sh", "-c", "[ -e /a ]"]"#),
        (r#"shell ["/bin/bash", "-e"] run "a""#, "SHELL [\"/bin/bash\", \"-e\"]\nRUN a"),
        // What the exported image names is what its base names.
        (
            r#"shell ["/bin/bash", "-e"] run "a" shell ["/bin/sh", "-c"] run "b""#,
            "RUN [\"/bin/bash\", \"-e\", \"a\"]\nRUN b",
        ),
        (r#"exec ["/a b", "\"\\"]"#, r#"RUN ["/a b", "\"\\"]"#),
        (r#"run "a" { env A = "x y" }"#, "RUN export A='x y'; a"),
        (r#"run " a" { env A = "x" }"#, "RUN export A=x;  a"),
        (r#"run "a" { env IFS = "x" }"#, r#"RUN ["/usr/bin/env", "IFS=x", "/bin/sh", "-c", "a"]"#),
        (r#"exec ["a"] { env A = "1" env B = "${A}2" }"#, r#"RUN ["/usr/bin/env", "A=1", "B=12", "a"]"#),
    ] {
        let written = instructions(op).join("\n");
        assert!(written.contains(expected), "{op}: {written}");
    }
}

#[test]
fn settings_hold_where_the_plan_says_and_no_longer() {
    for (ops, expected) in [
        (r#"env A = "a \"b\" $c \\""#, &[r#"ENV A="a \"b\" \$c \\""#][..]),
        (r#"env PATH = "/bin""#, &[]),
        (r#"unset A"#, &[]),
        // What is taken away again is said to each program in between.
        (
            r#"env A = "1" run "a" exec ["b"] { env C = "2" } unset A run "d" env A = "3" run "e""#,
            &[
                "RUN export A=1; a",
                r#"RUN ["/usr/bin/env", "A=1", "C=2", "b"]"#,
                "RUN d",
                r#"ENV A="3""#,
                "RUN e",
            ],
        ),
        (r#"user "app" run "a""#, &["USER app", "RUN a"]),
        (r#"user "app" user "0" run "a""#, &["RUN a", "USER 0"]),
        (r#"run "a" { user "app" } run "b""#, &["USER app", "RUN a", "USER 0", "RUN b", "USER \"\""]),
        (r#"user "app" workdir "/w" run "a""#, &["WORKDIR /w", "USER app", "RUN a"]),
        (r#"user "app" run "a" workdir "/w""#, &["USER app", "RUN a", "USER 0", "WORKDIR /w", "USER app"]),
        (
            r#"workdir "/w" run "a" { workdir "/o" } run "b""#,
            &["WORKDIR /w", "WORKDIR /o", "RUN a", "WORKDIR /w", "RUN b"],
        ),
        (r#"run "a" { workdir "/o" }"#, &["WORKDIR /o", "RUN a", "WORKDIR /"]),
        (r#"shell ["/bin/bash", "-c"]"#, &[r#"SHELL ["/bin/bash", "-c"]"#]),
    ] {
        assert_eq!(instructions(ops), expected, "{ops}");
    }
}

#[test]
fn files_land_exactly() {
    for (ops, expected) in [
        (r#"file "/a/b" = "x""#, &["COPY files/app/a-b/ /a/"][..]),
        (r#"file "/b" owner 5:6 = "x""#, &["COPY --chown=5:6 files/app/b/ /"]),
        (r#"file "/a/b" owner 5 = "x""#, &["WORKDIR /a", "COPY --chown=5:5 files/app/a-b/ /a/", "WORKDIR /"]),
        (r#"symlink "x" at "/a b/l""#, &[r#"COPY ["files/app/a-b-l/", "/a b/"]"#]),
        (r#"mkdir "/d""#, &["# mkdir /d", "WORKDIR /d", "WORKDIR /"]),
        (
            r#"mkdir "/d" mode 0700 owner app:app"#,
            &[r#"RUN ["/usr/bin/install", "-d", "-m", "00700", "-o", "app", "-g", "app", "/d"]"#],
        ),
        (r#"mkdir "/d" mode 0700"#, &[r#"RUN ["/usr/bin/install", "-d", "-m", "00700", "/d"]"#]),
        (
            r#"mkdir "/a b" owner 5:6"#,
            &[r#"RUN ["/bin/sh", "-c", "/bin/mkdir -p '/a b' && /bin/chown 5:6 '/a b'"]"#],
        ),
        (r#"remove "/d""#, &[r#"RUN ["/bin/rm", "-r", "--", "/d"]"#]),
        (r#"remove "/d" optional"#, &[r#"RUN ["/bin/rm", "-rf", "--", "/d"]"#]),
        (r#"copy "a" from @src to "/etc/b""#, &["COPY contexts/src/a /etc/b"]),
        (r#"copy "a b" from @src to "/etc/$b""#, &[r#"COPY ["contexts/src/a b", "/etc/\\$b"]"#]),
        (
            r#"copy "a" "d/b" from @src into "/etc""#,
            &["COPY contexts/src/a /etc/a", "COPY contexts/src/d/b /etc/b"],
        ),
        (r#"copy "*.py" from @src into "/etc""#, &["COPY copies/app/etc/ /etc/"]),
        (r#"copy contents "." from @src to "/etc""#, &["COPY contexts/src/ /etc/"]),
        (r#"copy "a" from @src to "/etc/b" optional"#, &["COPY contexts/src/a /etc/b"]),
        (r#"copy "a" from @src to "/etc/b" mode 0600"#, &["COPY copies/app/etc-b/a /etc/b"]),
        (
            r#"copy "a" from @src to "/d/b" owner 5:6 replace"#,
            &[
                r#"RUN ["/bin/rm", "-rf", "--", "/d/b"]"#,
                "WORKDIR /d",
                "COPY --chown=5:6 contexts/src/a /d/b",
                "WORKDIR /",
            ],
        ),
        (
            r#"copy contents "a" from image @base to "/etc""#,
            &["COPY --from=docker.io/library/debian:bookworm-slim --chown=0:0 /a/ /etc/"],
        ),
        (
            r#"copy "a" from image @base to "/etc/d" follow mode 0700"#,
            &[
                "USER 0",
                r#"RUN ["/bin/chmod", "-R", "00700", "/a"]"#,
                "# stage %app",
                "FROM docker.io/library/debian:bookworm-slim AS app",
                "COPY --from=app-mode --chown=0:0 /a /etc/d",
            ],
        ),
    ] {
        assert_eq!(instructions(ops), expected, "{ops}");
    }
}

#[test]
fn independent_layers_are_made_on_nothing() {
    let text = lowered(&stage(
        r#"layer deps {
             copy "a" from @src to "/a"
             env A = "1"
             copy "b" "c" from @src into "/b" owner 5
           }
           copy "d" from @src to "/root/d""#,
    ));
    assert_eq!(
        text,
        "# layer deps of stage %app, made on nothing: what is under it does not change it\nFROM scratch AS app-deps\nCOPY contexts/src/a /a\nCOPY --chown=5:5 contexts/src/b /b/b\n\
         COPY --chown=5:5 contexts/src/c /b/c\n\n\
         # stage %app\nFROM docker.io/library/debian:bookworm-slim AS app\n# layer deps\nENV A=\"1\"\n\
         COPY --from=app-deps / /\nCOPY contexts/src/d /root/d\n"
    );
}

#[test]
fn links_are_never_followed_unseen() {
    let copied = |ops: &str| {
        format!(
            "stage %made from scratch {{ {ops} }} \
             stage %app from image @base {{ copy \"/a\" from %made to \"/etc/b\" }} export from %app {{}}"
        )
    };
    let direct = "COPY --from=made --chown=0:0 /a /etc/b";
    for ops in [
        r#"file "/a" = "x""#,
        r#"mkdir "/a""#,
        r#"copy "x" from @src to "/a""#,
        r#"copy "a" from @src into "/""#,
        r#"copy contents "x" from @src to "/a" symlink "x" at "/b""#,
    ] {
        let text = lowered(&copied(ops));
        assert!(text.contains(direct), "{ops}: {text}");
    }
    for ops in [r#"symlink "x" at "/a""#, r#"copy contents "." from @src to "/""#] {
        assert_eq!(
            refused(&copied(ops)),
            ["a copy of `/a`, which may be a link: `COPY` follows it, the plan keeps it"],
            "{ops}"
        );
    }
    let text = lowered(
        "stage %made from image @base { run \"make\" } stage %app from image @base { \
         copy \"/a\" from %made to \"/b\" copy \"/a\" from %made to \"/c\" } export from %app {}",
    );
    let checked = "# COPY would follow a link, the plan keeps it; `follow` in the plan takes this check \
                   away\nFROM made AS made-checked\nUSER 0\nRUN [\"/usr/bin/test\", \"!\", \"-L\", \"/a\"]\n";
    assert_eq!(text.matches(checked).count(), 1, "{text}");
    assert!(text.contains("COPY --from=made-checked --chown=0:0 /a /b"), "{text}");
}

#[test]
fn the_config_says_what_the_base_does_not() {
    let config = |image: &str, export: &str| {
        let text = format!(
            "cpk 1\nimage @base = \"a/b\" env PATH = \"/bin\" {image}\nexport from image @base {{ {export} }}"
        );
        match lower_for(BUILT_IN, &text) {
            Ok(artifact) => stages(&artifact.dockerfile).lines().skip(1).collect::<Vec<_>>().join("; "),
            Err(gaps) => gaps.into_iter().map(|gap| gap.what).collect::<Vec<_>>().join("; "),
        }
    };
    let gone = |what: &str| format!("`clear {what}`: a Dockerfile cannot take away what a base says");
    for (image, export, expected) in [
        ("", "", String::new()),
        ("cmd [\"a\"]", "entrypoint [\"b\"]", r#"ENTRYPOINT ["b"]; CMD ["a"]"#.to_owned()),
        ("entrypoint [\"b\"] cmd [\"a\"]", "cmd [\"c\"]", r#"CMD ["c"]"#.to_owned()),
        ("entrypoint [\"b\"] cmd [\"a\"]", "entrypoint [\"b\"] cmd [\"a\"]", String::new()),
        ("entrypoint [\"b\"]", "clear entrypoint", "ENTRYPOINT []".to_owned()),
        ("user \"app\"", "clear user", "USER \"\"".to_owned()),
        ("workdir \"/w\"", "clear workdir", "WORKDIR /".to_owned()),
        ("label a = \"1\"", "label a = \"1\" label \"b c\" = \"$2\"", r#"LABEL "b c"="\$2""#.to_owned()),
        ("label a = \"1\"", "label \"--link\" = \"2\"", "LABEL \"--link\"=\"2\"".to_owned()),
        ("label a = \"1\"", "clear labels label a = \"2\"", "LABEL a=\"2\"".to_owned()),
        ("label a = \"1\"", "clear labels", gone("labels")),
        ("expose 80/tcp", "clear ports", gone("ports")),
        ("volume \"/v\"", "clear volumes", gone("volumes")),
        ("stop-signal \"SIGINT\"", "clear stop-signal", gone("stop-signal")),
        ("healthcheck exec [\"a\"]", "clear healthcheck", gone("healthcheck")),
        (
            "",
            "healthcheck shell \"a | b\" interval 5s retries 2",
            "HEALTHCHECK --interval=5s --retries=2 CMD a | b".to_owned(),
        ),
        ("healthcheck exec [\"a\"]", "healthcheck none", "HEALTHCHECK NONE".to_owned()),
        ("", "volume \"/a $b\"", r#"VOLUME ["/a \\$b"]"#.to_owned()),
    ] {
        assert_eq!(config(image, export), expected, "{image} | {export}");
    }
}

#[test]
fn what_cannot_be_said_is_refused_by_name() {
    for (ops, expected) in [
        (
            r#"unset PATH env PATH = "/bin""#,
            "`unset PATH` of what the base or another stage sets: a Dockerfile cannot take a variable away",
        ),
        (r#"env A = "a\nb""#, r"`a\nb` has a line break in it, which no instruction can carry"),
        (
            r#"run "a" { mount @src at "/é" }"#,
            "`/é` in a mount: it has characters that `--mount` gives a meaning",
        ),
        (r#"copy "*.py" from image @base into "/d""#, "wildcards in a copy from a stage or image"),
        (
            r#"copy "a" from image @base to "/d" { exclude "b" }"#,
            "`exclude` in a copy from a stage or image, which needs `--syntax 1.19` or newer",
        ),
        (
            r#"copy "a" from image @base to "/d" follow optional mode 0700"#,
            "the `mode` of a copy from a stage or image, some files of which may have setuid or setgid: older \
             daemons leave them that",
        ),
        (
            r#"copy "a" from image @base to "/d" follow mode 4755"#,
            "setuid, setgid or sticky in the `mode` of a copy from a stage or image",
        ),
        (r#"copy "a" from image @base to "/d" { include "b" }"#, "`include` in a copy from a stage or image"),
        (r#"file "/a" owner app = "x""#, "owner `app` by name without a group, on which builders disagree"),
    ] {
        assert_eq!(refused(&stage(ops)), [expected], "{ops}");
    }
    assert_eq!(
        refused("stage %app from scratch { file \"/a\" = \"\" } export from %app {}"),
        ["an image without `PATH`, which builders of Dockerfiles always set"]
    );
    assert_eq!(
        refused("stage %app from scratch { env PATH = \"/bin\" } export from %app { workdir \"/w\" }"),
        ["`workdir \"/w\"` in `export`: `WORKDIR` would make the directory"]
    );
}

#[test]
fn what_is_exported_as_working_directory_is_there_or_looked_for() {
    let exported = |ops: &str| {
        lowered(&format!("stage %app from image @base {{ {ops} }} export from %app {{ workdir \"/src\" }}"))
    };
    let look = r#"RUN ["/usr/bin/test", "-d", "/src"]"#;
    for (ops, looks) in [
        (r#"copy contents "." from @src to "/src""#, false),
        (r#"copy "a" from @src to "/src/d/b""#, false),
        (r#"copy "a" from @src to "/src/b" run "make""#, true),
        ("", true),
    ] {
        let text = exported(ops);
        assert_eq!(text.contains(look), looks, "{text}");
        assert!(text.ends_with("WORKDIR /src\n"), "{text}");
    }
}

#[test]
fn refusals_about_the_export_point_at_what_is_guilty() {
    let text = "cpk 1\nimage @base = \"a/b\" env PATH = \"/bin\" expose 80/tcp\nexport from image @base { \
                clear ports label \"a=b\" = \"1\" label c = \"2\\n\" annotation d = \"4\" annotation e = \"5\" \
                healthcheck shell \"a\\nb\" }";
    let guilty: Vec<&str> = match lower_for(BUILT_IN, text) {
        Ok(_) => Vec::new(),
        Err(gaps) => gaps.iter().filter_map(|gap| text.get(gap.span.range()?)).collect(),
    };
    assert_eq!(guilty, ["clear ports", "\"a=b\"", "c", "shell \"a\\nb\""]);
}

#[test]
fn a_line_that_docker_would_not_read_is_refused() {
    let script = |length: usize| stage(&format!("run \"{}\"", "a".repeat(length)));
    assert_eq!(
        refused(&script(70_000)),
        ["`RUN aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…` makes a line of more than 65000 bytes"]
    );
    let gaps = lower_for(BUILT_IN, &with_base(&script(70_000))).expect_err("is too long");
    assert_eq!(gaps[0].code, "cpk::unsupported::long-line");
    assert!(lowered(&script(60_000)).contains("RUN aaaa"));
}

#[test]
fn what_lies_beside_says_what_must_not_be() {
    let text = stage(
        r#"copy "a" from @src to "/a" copy "b*" from @src into "/b" copy "c" from @src to "/c" mode 0600"#,
    );
    let artifact = lower_for(BUILT_IN, &with_base(&text)).unwrap_or_else(|gaps| panic!("{gaps:?}"));
    let never: Vec<String> = artifact
        .beside
        .iter()
        .map(|(path, beside)| match beside {
            Beside::Context { taken, .. } | Beside::Archive { taken, .. } => {
                format!("{path} {:?}", taken.never_links.keys().collect::<Vec<_>>())
            }
            Beside::Copied { never: Never::Nothing, .. } => format!("{path} anything"),
            Beside::Copied { never, .. } => format!("{path} {never:?}"),
            Beside::File { name, .. } | Beside::Directory { name, .. } | Beside::Symlink { name, .. } => {
                format!("{path} {name}")
            }
        })
        .collect();
    assert_eq!(never, ["contexts/src [\"a\"]", "copies/app/b DirectoryAtTop", "copies/app/c LinkAtTop"]);
}

#[test]
fn an_unknown_base_is_left_to_the_builder() {
    let text = "cpk 1\nimage @base = \"a/b\"\nstage %app from image @base { env prepend PATH \"/venv $x\" \
                env append A \"b\" env C = \"${HOME}/c\" run \"a\" } export from %app {}";
    let artifact = lower_for(BUILT_IN, text).unwrap_or_else(|gaps| panic!("{gaps:?}"));
    let text = stages(&artifact.dockerfile);
    let lines: Vec<&str> = text.lines().skip(2).collect();
    assert_eq!(
        lines,
        [
            r#"ENV PATH="/venv \$x${PATH:+:${PATH}}""#,
            r#"ENV A="${A:+${A}:}b""#,
            r#"ENV C="${HOME}/c""#,
            // Its shell may be another.
            r#"RUN ["/bin/sh", "-c", "a"]"#,
        ]
    );
}
