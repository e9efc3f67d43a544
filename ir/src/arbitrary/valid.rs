//! Plans without a mistake: they pass the verifier, resolve, and mean something to every backend
//! that can do what they ask for.
//!
//! Stages are numbered, and read only what has a lower number. Each begins by setting `A`, so
//! that the ops after it have a variable to expand.

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::declarations::{placed, placed_texts};
use super::{names, ops};
use crate::plan::{
    BaseImage, CacheName, Context, ContextKind, Copy, CopyForm, EnvChange, EnvEdit, EnvSetting, Execution,
    Export, FileContent, ImageConfig, Input, Layer, Listing, MakeDirectory, MakeFile, MakeSymlink, Mount,
    MountKind, Network, Op, OpKind, PathRule, PathRules, Plan, Port, Protocol, Provenance, Remove,
    SecretDeclaration, SecretName, SecretTarget, Setting, Sharing, Span, Spanned, Stage, StageName, Template,
    context::DirectoryContext, order, stock,
};

/// A plan that breaks no rule.
pub fn valid_plan() -> BoxedStrategy<Plan> {
    (1..5usize)
        .prop_flat_map(|count| {
            let stages: Vec<_> = (0..count).map(stage).collect();
            (stages, option::of(vec(any::<Index>(), count)), export(), config(), rules())
        })
        .prop_map(|(mut stages, phases, mut export, config, rules)| {
            if let Some(phases) = phases {
                put_into_phases(&mut stages, &phases);
            }
            if let Some(last) = stages.last() {
                export.from = Spanned::nowhere(Input::Stage(last.name.value.clone()));
            }
            let mut plan = Plan { stages, export: Some(export), ..Plan::empty() };
            plan.images.insert(names::input("base".to_owned()), image(config));
            plan.contexts.insert(names::input("source".to_owned()), directory(rules));
            plan.secrets.insert(secret(), SecretDeclaration { optional: false, span: Span::NOWHERE });
            plan.caches.insert(cache(), Span::NOWHERE);
            order::canonicalise(&mut plan);
            plan
        })
        .boxed()
}

fn image(config: ImageConfig) -> BaseImage {
    BaseImage {
        reference: Spanned::nowhere("debian:bookworm-slim".parse().expect("is a reference")),
        digest: Some(Spanned::nowhere(cogpack_content::Digest::of(b"base"))),
        config: Some(config),
        span: Span::NOWHERE,
    }
}

fn directory(rules: PathRules) -> Context {
    let path = Spanned::nowhere(".".to_owned());
    Context { kind: ContextKind::Directory(DirectoryContext { path, rules }), span: Span::NOWHERE }
}

fn secret() -> SecretName {
    names::secret("token".to_owned())
}

fn cache() -> CacheName {
    names::cache("packages".to_owned())
}

fn stage_name(number: usize) -> StageName {
    names::stage(format!("s{number}"))
}

/// Puts the stages into the build chain, in their order, with the last one after it. All but the
/// first may then leave out what they start from.
fn put_into_phases(stages: &mut [Stage], phases: &[Index]) {
    // The last phase of the chain never holds a stage.
    let chain = &stock::BUILD[..stock::BUILD.len() - 1];
    let mut places: Vec<usize> = phases.iter().map(|phase| phase.index(chain.len())).collect();
    places.sort_unstable();
    let last = stages.len() - 1;
    for (number, stage) in stages.iter_mut().enumerate() {
        let phase = if number == last { stock::EXPORT[0] } else { chain[places[number]] };
        stage.phase = Some(Spanned::nowhere(names::phase(phase.to_owned())));
        if (1..last).contains(&number) && phases[number].index(2) == 0 {
            stage.from = None;
        }
    }
    if last > 0 {
        let from = Spanned::nowhere(Input::Phase(names::phase(stock::COMPLETE.to_owned())));
        let form = CopyForm::To { source: template("/app"), destination: template("/app") };
        stages[last].ops.push(op(OpKind::Copy(Box::new(copy(form, from)))));
    }
}

fn config() -> BoxedStrategy<ImageConfig> {
    let env = btree_map(select(&["PATH", "LANG", "A"][..]), "[a-z/:]{1,12}", 0..3);
    let user = option::of(select(&["app", "1000:1000"][..]));
    (env, user, option::of(Just("/srv")), option::of(list()))
        .prop_map(|(env, user, workdir, cmd)| ImageConfig {
            env: env.into_iter().map(|(name, value)| (names::env(name.to_owned()), value)).collect(),
            user: user.map(str::to_owned),
            workdir: workdir.map(str::to_owned),
            cmd,
            ..ImageConfig::default()
        })
        .boxed()
}

fn rules() -> BoxedStrategy<PathRules> {
    let patterns = select(&["**/*.pyc", "data", "*.txt", "src/**", "a?"][..]);
    let rule = (any::<bool>(), patterns).prop_map(|(is_include, pattern)| PathRule {
        kind: if is_include { crate::plan::RuleKind::Include } else { crate::plan::RuleKind::Exclude },
        pattern: Spanned::nowhere(pattern.to_owned()),
    });
    vec(rule, 0..3).boxed()
}

fn stage(number: usize) -> BoxedStrategy<Stage> {
    let mut starts = vec![Input::Scratch, Input::Image(names::input("base".to_owned()))];
    starts.extend((0..number).map(|earlier| Input::Stage(stage_name(earlier))));
    (select(starts), vec(step(number), 0..6))
        .prop_map(move |(from, steps)| {
            let set = EnvChange { name: variable("A"), edit: EnvEdit::Set(template("one")) };
            let mut ops = vec![op(OpKind::Env(set))];
            ops.extend(steps);
            for (place, op) in ops.iter_mut().enumerate() {
                if let OpKind::Layer(layer) = &mut op.kind {
                    layer.name = Spanned::nowhere(names::layer(format!("l{place}")));
                }
            }
            Stage {
                name: Spanned::nowhere(stage_name(number)),
                phase: None,
                from: Some(Spanned::nowhere(from)),
                provides: std::collections::BTreeSet::new(),
                ops,
            }
        })
        .boxed()
}

fn op(kind: OpKind) -> Op {
    Op { kind, span: Span::NOWHERE }
}

fn template(text: &str) -> Spanned<Template> {
    Spanned::nowhere(Template::written(text))
}

fn variable(name: &str) -> Spanned<crate::plan::EnvName> {
    Spanned::nowhere(names::env(name.to_owned()))
}

fn list() -> BoxedStrategy<Vec<String>> {
    vec("[a-z][a-z0-9 ]{0,5}", 1..4)
        .prop_map(|arguments| std::iter::once("echo".to_owned()).chain(arguments).collect())
        .boxed()
}

/// A path in the image, with or without the variable.
fn path() -> BoxedStrategy<Spanned<Template>> {
    select(&["/app", "/app/bin/x", "/opt/${A}", "/srv/a b", "/etc/${A}.conf", "/x$${A}"][..])
        .prop_map(template)
        .boxed()
}

fn source() -> BoxedStrategy<Spanned<Template>> {
    select(&["a.txt", "src", "/app", "dir/${A}"][..]).prop_map(template).boxed()
}

fn input(number: usize) -> BoxedStrategy<Spanned<Input>> {
    let mut inputs = vec![
        Input::Context(names::input("source".to_owned())),
        Input::Image(names::input("base".to_owned())),
    ];
    inputs.extend((0..number).map(|earlier| Input::Stage(stage_name(earlier))));
    select(inputs).prop_map(Spanned::nowhere).boxed()
}

fn step(number: usize) -> BoxedStrategy<Op> {
    let layer = vec(flat_step(number), 1..4).prop_map(|ops| {
        op(OpKind::Layer(Layer { name: Spanned::nowhere(names::layer("numbered".to_owned())), ops }))
    });
    prop_oneof![6 => flat_step(number), 1 => layer].boxed()
}

fn flat_step(number: usize) -> BoxedStrategy<Op> {
    let script = "[a-z][ -~]{0,8}(\n[a-z]{1,4}){0,2}".prop_map(Spanned::nowhere);
    prop_oneof![
        (script, execution(number))
            .prop_map(|(script, execution)| OpKind::Run { script, execution: Box::new(execution) }),
        (list(), execution(number)).prop_map(|(argv, execution)| OpKind::Exec {
            argv: Spanned::nowhere(argv),
            execution: Box::new(execution)
        }),
        copies(number).prop_map(|copy| OpKind::Copy(Box::new(copy))),
        (path(), option::of(ops::mode()), "[ -~\n]{0,12}").prop_map(|(path, mode, content)| {
            let content = FileContent(content.into_bytes().into());
            OpKind::File(Box::new(MakeFile { path, mode: mode.map(Spanned::nowhere), owner: None, content }))
        }),
        (path(), option::of(ops::mode())).prop_map(|(path, mode)| {
            OpKind::Mkdir(Box::new(MakeDirectory { path, mode: mode.map(Spanned::nowhere), owner: None }))
        }),
        (select(&["../x", "/usr/bin/${A}"][..]), path()).prop_map(|(target, path)| {
            OpKind::Symlink(Box::new(MakeSymlink { target: template(target), path }))
        }),
        path().prop_map(|path| OpKind::Remove(Remove { path, optional: true })),
        env_change().prop_map(OpKind::Env),
        select(&["/app", "/opt/${A}"][..]).prop_map(|path| OpKind::Workdir(template(path))),
        select(&["app", "0:0", "1000"][..]).prop_map(|user| OpKind::User(template(user))),
        Just(OpKind::Shell(Spanned::nowhere(vec!["/bin/bash".to_owned(), "-c".to_owned()]))),
        option::of(1..99u32).prop_map(|line| OpKind::By(Provenance {
            block: Spanned::nowhere(names::block("uv".to_owned())),
            at: line.map(|line| ("cog.yaml".to_owned(), line)),
        })),
    ]
    .prop_map(op)
    .boxed()
}

fn env_change() -> BoxedStrategy<EnvChange> {
    let value = || select(&["two", "${A}-2", "a b", "$${A}"][..]).prop_map(template);
    let edit = prop_oneof![
        value().prop_map(EnvEdit::Set),
        value().prop_map(EnvEdit::Prepend),
        value().prop_map(EnvEdit::Append),
        Just(EnvEdit::Unset),
    ];
    (select(&["B", "PATH"][..]), edit)
        .prop_map(|(name, edit)| EnvChange { name: variable(name), edit })
        .boxed()
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
        rules: PathRules::new(),
    }
}

fn copies(number: usize) -> BoxedStrategy<Copy> {
    let form = prop_oneof![
        (source(), path()).prop_map(|(source, destination)| CopyForm::To { source, destination }),
        (source(), path()).prop_map(|(directory, destination)| CopyForm::Contents { directory, destination }),
        (btree_set(select(&["a.txt", "b.txt", "*.md", "src"][..]), 1..4), path()).prop_map(
            |(sources, directory)| {
                CopyForm::Into { sources: sources.into_iter().map(template).collect(), directory }
            }
        ),
    ];
    let owner = option::of(select(&["0:0", "1000:1000"][..]));
    (form, input(number), any::<[bool; 2]>(), option::of(ops::mode()), owner, rules())
        .prop_map(|(form, from, [replace, optional], mode, owner, rules)| Copy {
            replace,
            optional,
            owner: owner.map(|owner| Spanned::nowhere(owner.parse().expect("is an owner"))),
            mode: mode.map(Spanned::nowhere),
            rules,
            ..copy(form, from)
        })
        .boxed()
}

fn execution(number: usize) -> BoxedStrategy<Execution> {
    let mounts = vec(mount(number), 0..3).prop_map(|mounts| {
        let numbered = mounts.into_iter().enumerate().map(|(place, make)| Mount {
            kind: at_target(make, &format!("/mnt/{place}")),
            span: Span::NOWHERE,
        });
        numbered.collect::<Vec<_>>()
    });
    let network = select(&[Network::Default, Network::Default, Network::None][..]);
    let env =
        option::of(Just(EnvSetting { name: variable("C"), value: template("${A}/3"), span: Span::NOWHERE }));
    let workdir = option::of(Just(template("/tmp")));
    (mounts, network, option::of(Just(template("0"))), env, workdir)
        .prop_map(|(mounts, network, user, env, workdir)| Execution {
            mounts,
            network,
            user,
            env: env.into_iter().collect(),
            workdir,
        })
        .boxed()
}

fn mount(number: usize) -> BoxedStrategy<MountKind> {
    let anywhere = || template("/");
    let sharing = select(&[Sharing::Shared, Sharing::Private, Sharing::Locked][..]);
    prop_oneof![
        (input(number), option::of(source()), any::<bool>()).prop_map(move |(source, select, writable)| {
            MountKind::Bind { source, select, target: anywhere(), writable }
        }),
        sharing.prop_map(move |sharing| MountKind::Cache {
            name: Spanned::nowhere(cache()),
            target: anywhere(),
            sharing
        }),
        Just(MountKind::Secret { name: Spanned::nowhere(secret()), target: SecretTarget::File(anywhere()) }),
        option::of(1..99u64).prop_map(move |size| MountKind::Tmpfs { target: anywhere(), size }),
    ]
    .boxed()
}

/// The mount, at a target of its own.
fn at_target(mut mount: MountKind, path: &str) -> MountKind {
    match &mut mount {
        MountKind::Bind { target, .. }
        | MountKind::Cache { target, .. }
        | MountKind::Tmpfs { target, .. }
        | MountKind::Secret { target: SecretTarget::File(target), .. } => *target = template(path),
        MountKind::Secret { target: SecretTarget::Env(_), .. } | MountKind::Ssh { .. } => {}
    }
    mount
}

fn export() -> BoxedStrategy<Export> {
    let lists = (setting(list()), setting(list()));
    let words = (
        setting(select(&["app", "0"][..]).prop_map(str::to_owned)),
        setting(Just("/app".to_owned())),
        setting(Just("SIGINT".to_owned())),
    );
    let port = (1..=u16::MAX).prop_map(|number| Port { number, protocol: Protocol::Tcp });
    let sets = (btree_set(port, 0..3), btree_map("[a-z.]{1,8}", "[ -~]{0,8}", 0..3), any::<bool>());
    (lists, words, sets)
        .prop_map(|((entrypoint, cmd), (user, workdir, stop_signal), (ports, labels, cleared))| Export {
            entrypoint,
            cmd,
            user,
            workdir,
            stop_signal,
            ports: Listing { cleared: cleared.then_some(Span::NOWHERE), added: placed(ports) },
            labels: Listing { cleared: None, added: placed_texts(labels) },
            ..Export::of(Spanned::nowhere(Input::Scratch))
        })
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
