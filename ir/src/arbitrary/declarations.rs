//! Images, contexts, phases and the export.

use std::collections::{BTreeMap, BTreeSet};

use cogpack_content::{Digest, ImageReference, Platform};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::{names, ops, texts};
use crate::plan::context::{
    DebsContext, DirectoryContext, GitContext, HttpContext, InlineFile, LocalCertificate, LockedFile,
    OciContext, UnpackedArchive, WheelsContext,
};
use crate::plan::{
    BaseImage, Context, ContextKind, Export, Healthcheck, HealthcheckTest, ImageConfig, Listing, PathRule,
    PathRules, Phase, Port, Protocol, RuleKind, Setting, Span, Spanned, Texts,
};

/// `clear …`, or nothing of it.
fn clear(is_cleared: bool) -> Option<Span> {
    is_cleared.then_some(Span::NOWHERE)
}

/// Entries of an export.
pub(super) fn placed<T: Ord>(entries: BTreeSet<T>) -> BTreeSet<Spanned<T>> {
    entries.into_iter().map(Spanned::nowhere).collect()
}

/// Labels or annotations of an export.
pub(super) fn placed_texts(texts: BTreeMap<String, String>) -> Texts {
    texts.into_iter().map(|(key, text)| (Spanned::nowhere(key), text)).collect()
}

/// What an `@name` stands for.
#[derive(Debug, Clone)]
pub(super) enum Source {
    Image(Box<BaseImage>),
    Context(Context),
}

pub(super) fn source() -> BoxedStrategy<Source> {
    prop_oneof![
        image().prop_map(|image| Source::Image(Box::new(image))),
        context_kind().prop_map(|kind| Source::Context(Context { kind, span: Span::NOWHERE })),
    ]
    .boxed()
}

pub(super) fn platform() -> BoxedStrategy<Platform> {
    select(&["linux/amd64", "linux/arm64", "linux/arm/v7", "windows/amd64"][..])
        .prop_map(|text| text.parse().expect("each of them is a platform"))
        .boxed()
}

fn digest() -> BoxedStrategy<Digest> {
    any::<[u8; 32]>().prop_map(Digest::from_sha256).boxed()
}

fn reference() -> BoxedStrategy<ImageReference> {
    select(
        &["debian", "docker.io/library/debian:bookworm-slim", "localhost:5000/a/b:1.2", "r8.im/me/model"][..],
    )
    .prop_map(|text| text.parse().expect("each of them is a reference"))
    .boxed()
}

fn image() -> BoxedStrategy<BaseImage> {
    let config = option::of(prop_oneof![1 => Just(ImageConfig::default()), 3 => image_config()]);
    (reference(), option::of(digest()), config)
        .prop_map(|(reference, digest, config)| BaseImage {
            reference: Spanned::nowhere(reference),
            digest: digest.map(Spanned::nowhere),
            config,
            span: Span::NOWHERE,
        })
        .boxed()
}

fn image_config() -> BoxedStrategy<ImageConfig> {
    let env = btree_map(texts::env_name(), texts::text(), 0..4)
        .prop_flat_map(|env| Just(env.into_iter().collect::<Vec<_>>()).prop_shuffle());
    let words = (option::of(texts::text()), option::of(texts::text()), option::of(texts::text()));
    let lists = (option::of(texts::list()), option::of(texts::list()), option::of(texts::list()));
    let sets = (ports(), btree_set(texts::text(), 0..3), btree_map(texts::text(), texts::text(), 0..3));
    (env, words, lists, sets, option::of(healthcheck()))
        .prop_map(
            |(
                env,
                (workdir, user, stop_signal),
                (entrypoint, cmd, shell),
                (ports, volumes, labels),
                healthcheck,
            )| {
                ImageConfig {
                    env,
                    workdir,
                    user,
                    entrypoint,
                    cmd,
                    shell,
                    ports,
                    volumes,
                    labels,
                    stop_signal,
                    healthcheck,
                }
            },
        )
        .boxed()
}

fn ports() -> BoxedStrategy<std::collections::BTreeSet<Port>> {
    let protocol = select(&[Protocol::Tcp, Protocol::Udp, Protocol::Sctp][..]);
    btree_set((1..=u16::MAX, protocol).prop_map(|(number, protocol)| Port { number, protocol }), 0..3).boxed()
}

fn healthcheck() -> BoxedStrategy<Healthcheck> {
    let test = prop_oneof![
        Just(HealthcheckTest::None),
        texts::list().prop_map(HealthcheckTest::Exec),
        texts::text().prop_map(HealthcheckTest::Shell),
    ];
    let seconds = || option::of(any::<u64>());
    (test, seconds(), seconds(), seconds(), option::of(any::<u32>()))
        .prop_map(|(test, interval, timeout, start_period, retries)| Healthcheck {
            test,
            interval,
            timeout,
            start_period,
            retries,
        })
        .boxed()
}

fn context_kind() -> BoxedStrategy<ContextKind> {
    let locked = || {
        let file = (option::of(digest()), option::of(texts::spanned_text()));
        let file = file.prop_map(|(digest, url)| LockedFile { digest, url, span: Span::NOWHERE });
        btree_map(texts::text(), file, 0..3)
    };
    let files = (option::of(ops::mode()), ops::content()).prop_map(|(mode, content)| InlineFile {
        mode,
        content,
        span: Span::NOWHERE,
    });
    let certificate = texts::text().prop_map(|text| LocalCertificate { text, span: Span::NOWHERE });
    let archive = (texts::spanned_text(), option::of(digest()), option::of(texts::spanned_text())).prop_map(
        |(place, digest, url)| UnpackedArchive {
            place,
            file: LockedFile { digest, url, span: Span::NOWHERE },
        },
    );
    let archives = btree_map(texts::text(), archive, 0..2);
    let text = || option::of(texts::text());
    let spanned = || option::of(texts::spanned_text());
    prop_oneof![
        (texts::spanned_text(), rules())
            .prop_map(|(path, rules)| ContextKind::Directory(DirectoryContext { path, rules })),
        (texts::spanned_text(), option::of(digest()), spanned(), option::of(ops::mode())).prop_map(
            |(url, checksum, name, mode)| ContextKind::Http(HttpContext { url, checksum, name, mode })
        ),
        (texts::spanned_text(), option::of(prop_oneof![texts::text(), "[0-9a-f]{40}"]), spanned()).prop_map(
            |(url, commit, subdir)| {
                ContextKind::Git(GitContext { url, commit: commit.map(Spanned::nowhere), subdir })
            }
        ),
        (texts::spanned_text(), option::of(digest()), spanned()).prop_map(|(path, digest, tag)| {
            ContextKind::Oci(OciContext { path, digest: digest.map(Spanned::nowhere), tag })
        }),
        btree_map(texts::text(), files, 0..3).prop_map(ContextKind::Files),
        (spanned(), spanned(), locked()).prop_map(|(python, interpreter, wheels)| {
            ContextKind::Wheels(WheelsContext { python, interpreter, wheels })
        }),
        (text(), locked(), archives, btree_map(texts::text(), certificate, 0..2)).prop_map(
            |(suite, packages, archives, certificates)| {
                ContextKind::Debs(DebsContext { suite, packages, archives, certificates })
            }
        ),
    ]
    .boxed()
}

pub(super) fn rules() -> BoxedStrategy<PathRules> {
    let kind = select(&[RuleKind::Include, RuleKind::Exclude][..]);
    vec((kind, texts::spanned_text()).prop_map(|(kind, pattern)| PathRule { kind, pattern }), 0..3).boxed()
}

pub(super) fn phase() -> BoxedStrategy<Phase> {
    let after = btree_set(texts::name().prop_map(|word| Spanned::nowhere(names::phase(word))), 0..3);
    (after, any::<bool>())
        .prop_map(|(after, parallel)| Phase { after, parallel, span: Span::NOWHERE })
        .boxed()
}

fn setting<T: Clone + std::fmt::Debug + 'static>(
    value: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Setting<T>> {
    prop_oneof![
        Just(Setting::Inherit),
        Just(Setting::Clear(Span::NOWHERE)),
        value.prop_map(|value| Setting::Set(Spanned::nowhere(value)))
    ]
    .boxed()
}

pub(super) fn export() -> BoxedStrategy<Export> {
    let settings = (
        setting(texts::list()),
        setting(texts::list()),
        setting(texts::text()),
        setting(texts::text()),
        setting(texts::text()),
        setting(healthcheck()),
    );
    let pairs = || btree_map(prop_oneof![texts::text(), texts::name()], texts::text(), 0..3);
    let lists = (ports(), btree_set(texts::text(), 0..3), pairs(), pairs(), any::<[bool; 3]>());
    (ops::input(), settings, lists)
        .prop_map(
            |(
                from,
                (entrypoint, cmd, user, workdir, stop_signal, healthcheck),
                (ports, volumes, labels, annotations, cleared),
            )| {
                Export {
                    from,
                    entrypoint,
                    cmd,
                    user,
                    workdir,
                    stop_signal,
                    healthcheck,
                    ports: Listing { cleared: clear(cleared[0]), added: placed(ports) },
                    volumes: Listing { cleared: clear(cleared[1]), added: placed(volumes) },
                    labels: Listing { cleared: clear(cleared[2]), added: placed_texts(labels) },
                    annotations: placed_texts(annotations),
                    span: Span::NOWHERE,
                }
            },
        )
        .boxed()
}
