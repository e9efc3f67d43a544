//! Plans for the tests of this module: one that uses everything the form has.

use std::collections::{BTreeMap, BTreeSet};

use cogpack_content::Digest;

use crate::plan::context::*;
use crate::plan::*;

fn ok<T, E: std::fmt::Debug>(value: Result<T, E>) -> T {
    value.expect("the sample is well formed")
}

fn at<T>(value: T) -> Spanned<T> {
    Spanned::nowhere(value)
}

pub(super) fn template(text: &str) -> Spanned<Template> {
    at(Template::written(text))
}

pub(super) fn op(kind: OpKind) -> Op {
    Op { kind, span: Span::NOWHERE }
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn stage_input(name: &str) -> Spanned<Input> {
    at(Input::Stage(ok(StageName::new(name))))
}

fn image_input(name: &str) -> Input {
    Input::Image(ok(InputName::new(name)))
}

fn config() -> ImageConfig {
    ImageConfig {
        // Not in the order of the alphabet, which is what must survive.
        env: vec![
            (ok(EnvName::new("PATH")), "/usr/bin:/bin".to_owned()),
            (ok(EnvName::new("LANG")), "C.UTF-8".to_owned()),
        ],
        workdir: Some("/w".to_owned()),
        user: Some("1000:1000".to_owned()),
        entrypoint: Some(texts(&["/entry"])),
        cmd: Some(Vec::new()),
        shell: Some(texts(&["/bin/bash", "-c"])),
        ports: BTreeSet::from([ok("80/tcp".parse()), ok("53/udp".parse())]),
        volumes: BTreeSet::from(["/data".to_owned()]),
        labels: BTreeMap::from([("a \"key\"".to_owned(), "line\nline".to_owned())]),
        stop_signal: Some("SIGTERM".to_owned()),
        healthcheck: Some(Healthcheck {
            test: HealthcheckTest::Exec(texts(&["/bin/check", "--fast"])),
            interval: Some(30),
            timeout: Some(5),
            start_period: Some(1),
            retries: Some(3),
        }),
    }
}

fn images() -> BTreeMap<InputName, BaseImage> {
    let image = |reference: &str, digest, config| BaseImage {
        reference: at(ok(reference.parse())),
        digest,
        config,
        span: Span::NOWHERE,
    };
    BTreeMap::from([
        (ok(InputName::new("plain")), image("debian:bookworm-slim", None, None)),
        (
            ok(InputName::new("pinned")),
            image("docker.io/library/python:3.12", Some(at(Digest::of(b"base"))), Some(config())),
        ),
        (ok(InputName::new("silent")), image("scratch-like", None, Some(ImageConfig::default()))),
    ])
}

fn rule(kind: RuleKind, pattern: &str) -> PathRule {
    PathRule { kind, pattern: at(pattern.to_owned()) }
}

fn contexts() -> BTreeMap<InputName, Context> {
    let locked = |bytes: &[u8]| LockedFile {
        digest: Some(Digest::of(bytes)),
        url: Some(at("https://example.org/file".to_owned())),
        span: Span::NOWHERE,
    };
    let kinds = [
        (
            "source",
            ContextKind::Directory(DirectoryContext {
                path: at(".".to_owned()),
                rules: vec![rule(RuleKind::Exclude, "**/*.pyc"), rule(RuleKind::Include, "keep.pyc")],
            }),
        ),
        (
            "archive",
            ContextKind::Http(HttpContext {
                url: at("https://example.org/a.tar".to_owned()),
                checksum: Some(Digest::of(b"a")),
                name: Some(at("b.tar".to_owned())),
                mode: Some(Mode::FILE),
            }),
        ),
        (
            "repository",
            ContextKind::Git(GitContext {
                url: at("https://example.org/r.git".to_owned()),
                commit: Some(at("0123456789abcdef0123456789abcdef01234567".to_owned())),
                subdir: Some(at("part".to_owned())),
            }),
        ),
        (
            "layout",
            ContextKind::Oci(OciContext {
                path: at("layouts/base".to_owned()),
                digest: Some(at(Digest::of(b"layout"))),
                tag: Some(at("latest".to_owned())),
            }),
        ),
        (
            "small",
            ContextKind::Files(BTreeMap::from([
                (
                    "etc/motd".to_owned(),
                    InlineFile {
                        mode: Some(ok("0600".parse())),
                        content: FileContent("hello\n".as_bytes().into()),
                        span: Span::NOWHERE,
                    },
                ),
                (
                    "bin/blob".to_owned(),
                    InlineFile {
                        mode: None,
                        content: FileContent([0xff, 0, 0x7f].as_slice().into()),
                        span: Span::NOWHERE,
                    },
                ),
            ])),
        ),
        (
            "packages",
            ContextKind::Wheels(WheelsContext {
                python: Some(at("3.12".to_owned())),
                interpreter: Some(at("/venv/bin/python".to_owned())),
                wheels: BTreeMap::from([("six-1.17.0-py2.py3-none-any.whl".to_owned(), locked(b"six"))]),
            }),
        ),
        (
            "system",
            ContextKind::Debs(DebsContext {
                suite: Some("bookworm".to_owned()),
                packages: BTreeMap::from([("libc6_2.36-9_amd64.deb".to_owned(), locked(b"libc6"))]),
                archives: BTreeMap::from([(
                    "tools-1.tar.gz".to_owned(),
                    UnpackedArchive { place: at("/opt/tools".to_owned()), file: locked(b"tools") },
                )]),
                certificates: BTreeMap::from([(
                    "own.crt".to_owned(),
                    LocalCertificate { text: "of an authority".to_owned(), span: Span::NOWHERE },
                )]),
            }),
        ),
    ];
    let context = |(name, kind)| (ok(InputName::new(name)), Context { kind, span: Span::NOWHERE });
    kinds.map(context).into()
}

fn execution() -> Execution {
    let mount = |kind| Mount { kind, span: Span::NOWHERE };
    Execution {
        mounts: vec![
            mount(MountKind::Bind {
                source: at(Input::Context(ok(InputName::new("source")))),
                select: Some(template("requirements.txt")),
                target: template("/mnt/r"),
                writable: true,
            }),
            mount(MountKind::Cache {
                name: at(ok(CacheName::new("uv"))),
                target: template("/root/.cache/uv"),
                sharing: Sharing::Locked,
            }),
            mount(MountKind::Secret {
                name: at(ok(SecretName::new("token"))),
                target: SecretTarget::File(template("/run/secrets/token")),
            }),
            mount(MountKind::Tmpfs { target: template("/tmp"), size: Some(1 << 30) }),
            mount(MountKind::Secret {
                name: at(ok(SecretName::new("token"))),
                target: SecretTarget::Env(at(ok(EnvName::new("TOKEN")))),
            }),
            mount(MountKind::Ssh { name: Some(at(ok(SshName::new("deploy")))), target: None }),
        ],
        network: Network::None,
        user: Some(template("app")),
        env: vec![EnvSetting {
            name: at(ok(EnvName::new("DEBUG"))),
            value: template("${PATH}"),
            span: Span::NOWHERE,
        }],
        workdir: Some(template("/src")),
    }
}

fn copy(form: CopyForm, from: Spanned<Input>) -> Copy {
    Copy {
        form,
        from,
        replace: false,
        optional: false,
        follow: false,
        owner: None,
        mode: None,
        rules: Vec::new(),
    }
}

fn copies() -> Vec<Op> {
    let to = CopyForm::To { source: template("/venv"), destination: template("/venv") };
    let into = CopyForm::Into { sources: vec![template("a*"), template("b")], directory: template("/d") };
    let contents = CopyForm::Contents { directory: template("."), destination: template("/src") };
    let modified = Copy {
        replace: true,
        optional: true,
        follow: true,
        owner: Some(at(ok("app:1000".parse()))),
        mode: Some(at(ok("0555".parse()))),
        rules: vec![rule(RuleKind::Include, "**/*.py")],
        ..copy(to, stage_input("build"))
    };
    let phase = at(Input::Phase(ok(PhaseName::new("tools"))));
    let context = at(Input::Context(ok(InputName::new("source"))));
    [modified, copy(into, phase), copy(contents, context)]
        .into_iter()
        .map(|copy| op(OpKind::Copy(Box::new(copy))))
        .collect()
}

fn ops() -> Vec<Op> {
    let env = |edit| op(OpKind::Env(EnvChange { name: at(ok(EnvName::new("PATH"))), edit }));
    let by = |at_line| op(OpKind::By(Provenance { block: at(ok(BlockName::new("uv"))), at: at_line }));
    let mut ops = vec![
        by(Some(("cog.yaml".to_owned(), 4))),
        op(OpKind::Run {
            script: at("set -e\nmake \"all\"\t\u{1}".to_owned()),
            execution: Box::new(execution()),
        }),
        op(OpKind::Exec { argv: at(texts(&["prog", ""])), execution: Box::default() }),
        op(OpKind::File(Box::new(MakeFile {
            path: template("/etc/x"),
            mode: Some(at(Mode::FILE)),
            owner: Some(at(ok("root".parse()))),
            content: FileContent("${NOT_EXPANDED}".as_bytes().into()),
        }))),
        op(OpKind::Mkdir(Box::new(MakeDirectory {
            path: template("/var/x"),
            mode: Some(at(Mode::DIRECTORY)),
            owner: None,
        }))),
        op(OpKind::Symlink(Box::new(MakeSymlink { target: template("../x"), path: template("/y") }))),
        op(OpKind::Remove(Remove { path: template("/tmp/x"), optional: true })),
        env(EnvEdit::Set(template("/bin"))),
        env(EnvEdit::Prepend(template("/venv/bin"))),
        env(EnvEdit::Append(template("/opt/bin"))),
        env(EnvEdit::Unset),
        op(OpKind::Workdir(template("/src"))),
        op(OpKind::User(template("app:app"))),
        op(OpKind::Shell(at(texts(&["/bin/sh", "-ec"])))),
    ];
    ops.push(op(OpKind::Layer(Layer {
        name: at(ok(LayerName::new("files"))),
        ops: [vec![by(None)], copies()].concat(),
    })));
    ops
}

/// A plan that uses every key and every tag of the form.
pub(super) fn everything() -> Plan {
    let stage = |name: &str, phase: Option<&str>, from, ops| Stage {
        name: at(ok(StageName::new(name))),
        phase: phase.map(|phase| at(ok(PhaseName::new(phase)))),
        from,
        provides: BTreeSet::from([at("python".to_owned())]),
        ops,
    };
    let phase = |parallel, after: &[&str]| Phase {
        after: after.iter().map(|name| at(ok(PhaseName::new(name)))).collect(),
        parallel,
        span: Span::NOWHERE,
    };
    let mut plan = Plan {
        platforms: BTreeSet::from([at(ok("linux/amd64".parse())), at(ok("linux/arm/v7".parse()))]),
        images: images(),
        contexts: contexts(),
        secrets: BTreeMap::from([
            (ok(SecretName::new("token")), SecretDeclaration { optional: true, span: Span::NOWHERE }),
            (ok(SecretName::new("key")), SecretDeclaration { optional: false, span: Span::NOWHERE }),
        ]),
        caches: BTreeMap::from([(ok(CacheName::new("uv")), Span::NOWHERE)]),
        declared_phases: BTreeMap::from([
            (ok(PhaseName::new("tools")), phase(false, &[])),
            (ok(PhaseName::new("app.parts")), phase(true, &["tools"])),
        ]),
        stages: vec![
            stage("build", Some("tools"), Some(at(image_input("pinned"))), ops()),
            stage("part", Some("app.parts"), None, Vec::new()),
            stage("alone", None, Some(at(Input::Scratch)), Vec::new()),
        ],
        export: Some(export()),
    };
    order::canonicalise(&mut plan);
    plan
}

fn export() -> Export {
    Export {
        entrypoint: Setting::Set(at(texts(&["python"]))),
        cmd: Setting::Clear(Span::NOWHERE),
        user: Setting::Set(at("app".to_owned())),
        workdir: Setting::Set(at("/src".to_owned())),
        stop_signal: Setting::Set(at("SIGINT".to_owned())),
        healthcheck: Setting::Set(at(Healthcheck {
            test: HealthcheckTest::Shell("curl -f localhost".to_owned()),
            interval: None,
            timeout: None,
            start_period: None,
            retries: None,
        })),
        ports: Listing {
            cleared: Some(Span::NOWHERE),
            added: BTreeSet::from([Spanned::nowhere(ok("5000/tcp".parse()))]),
        },
        volumes: Listing { cleared: None, added: BTreeSet::from([Spanned::nowhere("/models".to_owned())]) },
        labels: Listing {
            cleared: Some(Span::NOWHERE),
            added: BTreeMap::from([(Spanned::nowhere("a".to_owned()), "b".to_owned())]),
        },
        annotations: BTreeMap::from([(Spanned::nowhere("c/d~e".to_owned()), "f".to_owned())]),
        ..Export::of(stage_input("part"))
    }
}
