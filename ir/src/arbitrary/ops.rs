//! Stages, and ops of every kind.

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::{declarations, names, texts};
use crate::plan::{
    Copy, CopyForm, EnvChange, EnvEdit, EnvSetting, Execution, FileContent, Input, Layer, MakeDirectory,
    MakeFile, MakeSymlink, Mode, Mount, MountKind, Network, Op, OpKind, Owner, Provenance, Remove,
    SecretTarget, Sharing, Span, Spanned, Stage,
};

pub(super) fn stage() -> BoxedStrategy<Stage> {
    let phase = option::of(texts::name().prop_map(|word| Spanned::nowhere(names::phase(word))));
    let provides =
        btree_set(prop_oneof![texts::spanned_text(), texts::name().prop_map(Spanned::nowhere)], 0..3);
    (texts::name(), phase, option::of(input()), provides, vec(op(), 0..6))
        .prop_map(|(name, phase, from, provides, ops)| Stage {
            name: Spanned::nowhere(names::stage(name)),
            phase,
            from,
            provides,
            ops,
        })
        .boxed()
}

pub(super) fn input() -> BoxedStrategy<Spanned<Input>> {
    prop_oneof![
        Just(Input::Scratch),
        texts::input_name().prop_map(Input::Image),
        texts::input_name().prop_map(Input::Context),
        texts::name().prop_map(|word| Input::Stage(names::stage(word))),
        texts::name().prop_map(|word| Input::Phase(names::phase(word))),
    ]
    .prop_map(Spanned::nowhere)
    .boxed()
}

pub(super) fn mode() -> BoxedStrategy<Mode> {
    (0..=0o7777u32).prop_map(|bits| Mode::new(bits).expect("at most four octal digits")).boxed()
}

pub(super) fn content() -> BoxedStrategy<FileContent> {
    prop_oneof![
        3 => texts::text().prop_map(String::into_bytes),
        1 => vec(any::<u8>(), 0..8),
    ]
    .prop_map(|bytes| FileContent(bytes.into()))
    .boxed()
}

fn owner() -> BoxedStrategy<Owner> {
    "([a-z_][a-z0-9_.-]{0,5}\\$?|[0-9]{1,5})(:([a-z]{1,4}|[0-9]{1,5}))?"
        .prop_map(|text| text.parse().expect("the pattern is that of owners"))
        .boxed()
}

type Attributes = (Option<Spanned<Mode>>, Option<Spanned<Owner>>);

fn attributes() -> BoxedStrategy<Attributes> {
    (option::of(mode().prop_map(Spanned::nowhere)), option::of(owner().prop_map(Spanned::nowhere))).boxed()
}

fn op() -> BoxedStrategy<Op> {
    let layer = (texts::name(), vec(flat_op(), 0..4))
        .prop_map(|(name, ops)| OpKind::Layer(Layer { name: Spanned::nowhere(names::layer(name)), ops }));
    prop_oneof![6 => flat_op(), 1 => layer.prop_map(placed)].boxed()
}

fn placed(kind: OpKind) -> Op {
    Op { kind, span: Span::NOWHERE }
}

/// An op that is no layer.
fn flat_op() -> BoxedStrategy<Op> {
    let provenance = (texts::name(), option::of((texts::text(), any::<u32>())))
        .prop_map(|(block, at)| Provenance { block: Spanned::nowhere(names::block(block)), at });
    prop_oneof![
        (texts::spanned_text(), execution())
            .prop_map(|(script, execution)| OpKind::Run { script, execution: Box::new(execution) }),
        (texts::list(), execution()).prop_map(|(argv, execution)| OpKind::Exec {
            argv: Spanned::nowhere(argv),
            execution: Box::new(execution)
        }),
        copy().prop_map(|copy| OpKind::Copy(Box::new(copy))),
        (texts::template(), attributes(), content()).prop_map(|(path, (mode, owner), content)| {
            OpKind::File(Box::new(MakeFile { path, mode, owner, content }))
        }),
        (texts::template(), attributes()).prop_map(|(path, (mode, owner))| {
            OpKind::Mkdir(Box::new(MakeDirectory { path, mode, owner }))
        }),
        (texts::template(), texts::template())
            .prop_map(|(target, path)| OpKind::Symlink(Box::new(MakeSymlink { target, path }))),
        (texts::template(), any::<bool>())
            .prop_map(|(path, optional)| OpKind::Remove(Remove { path, optional })),
        (texts::env_name(), env_edit())
            .prop_map(|(name, edit)| OpKind::Env(EnvChange { name: Spanned::nowhere(name), edit })),
        texts::template().prop_map(OpKind::Workdir),
        texts::template().prop_map(OpKind::User),
        texts::list().prop_map(|argv| OpKind::Shell(Spanned::nowhere(argv))),
        provenance.prop_map(OpKind::By),
    ]
    .prop_map(placed)
    .boxed()
}

fn env_edit() -> BoxedStrategy<EnvEdit> {
    prop_oneof![
        texts::template().prop_map(EnvEdit::Set),
        texts::template().prop_map(EnvEdit::Prepend),
        texts::template().prop_map(EnvEdit::Append),
        Just(EnvEdit::Unset),
    ]
    .boxed()
}

fn copy() -> BoxedStrategy<Copy> {
    let form = prop_oneof![
        (texts::template(), texts::template())
            .prop_map(|(source, destination)| CopyForm::To { source, destination }),
        (vec(texts::template(), 1..4), texts::template())
            .prop_map(|(sources, directory)| CopyForm::Into { sources, directory }),
        (texts::template(), texts::template())
            .prop_map(|(directory, destination)| CopyForm::Contents { directory, destination }),
    ];
    (form, input(), any::<[bool; 3]>(), attributes(), declarations::rules())
        .prop_map(|(form, from, [replace, optional, follow], (mode, owner), rules)| Copy {
            form,
            from,
            replace,
            optional,
            follow,
            owner,
            mode,
            rules,
        })
        .boxed()
}

fn execution() -> BoxedStrategy<Execution> {
    let mounts = vec(mount().prop_map(|kind| Mount { kind, span: Span::NOWHERE }), 0..4);
    let env = btree_map(texts::env_name(), texts::template(), 0..3)
        .prop_flat_map(|env| Just(env.into_iter().collect::<Vec<_>>()).prop_shuffle());
    let network = select(&[Network::Default, Network::None, Network::Host][..]);
    let some = (mounts, network, option::of(texts::template()), env, option::of(texts::template())).prop_map(
        |(mounts, network, user, env, workdir)| Execution {
            mounts,
            network,
            user,
            env: env
                .into_iter()
                .map(|(name, value)| EnvSetting { name: Spanned::nowhere(name), value, span: Span::NOWHERE })
                .collect(),
            workdir,
        },
    );
    prop_oneof![Just(Execution::default()), some].boxed()
}

fn mount() -> BoxedStrategy<MountKind> {
    let sharing = select(&[Sharing::Shared, Sharing::Private, Sharing::Locked][..]);
    let secret_target = prop_oneof![
        texts::template().prop_map(SecretTarget::File),
        texts::env_name().prop_map(|name| SecretTarget::Env(Spanned::nowhere(name))),
    ];
    let size = prop_oneof![any::<u64>(), Just(0), Just(1 << 30), Just(3 << 20), Just(5 << 10)];
    prop_oneof![
        (input(), option::of(texts::template()), texts::template(), any::<bool>()).prop_map(
            |(source, select, target, writable)| MountKind::Bind { source, select, target, writable }
        ),
        (texts::name(), texts::template(), sharing).prop_map(|(name, target, sharing)| MountKind::Cache {
            name: Spanned::nowhere(names::cache(name)),
            target,
            sharing
        }),
        (texts::name(), secret_target).prop_map(|(name, target)| MountKind::Secret {
            name: Spanned::nowhere(names::secret(name)),
            target
        }),
        (option::of(texts::name()), option::of(texts::template())).prop_map(|(name, target)| {
            MountKind::Ssh { name: name.map(|word| Spanned::nowhere(names::ssh(word))), target }
        }),
        (texts::template(), option::of(size)).prop_map(|(target, size)| MountKind::Tmpfs { target, size }),
    ]
    .boxed()
}
