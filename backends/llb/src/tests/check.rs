//! The checks that stand before everything that leaves this crate: each is given an op that is right
//! but for the one thing that it is there for.

use std::collections::BTreeSet;

use cogpack_ir::plan::{Network, Sharing};

use crate::check::{Breach, op};
use crate::wire::op::SecretVariable;
use crate::wire::{
    Action, Copy, Edit, Exec, File, Mount, MountKind, Op, Owner, Principal, Source, op::VertexId,
};

/// The rules that an op breaks, where two vertices stand before it.
fn broken(of: &Op<'_>) -> Option<&'static str> {
    match op(of, 2) {
        Ok(()) => None,
        Err(Breach::Malformed { rule, .. }) => Some(rule),
        Err(other) => panic!("{other}"),
    }
}

fn mount<'a>(target: &'a str, kind: MountKind<'a>) -> Mount<'a> {
    Mount { target: target.into(), kind }
}

fn exec() -> Exec<'static> {
    let secret = || MountKind::Secret { id: "token", optional: false };
    Exec {
        inputs: vec![VertexId(0), VertexId(1)],
        arguments: vec!["/bin/true".into()],
        environment: Vec::new(),
        directory: "/".into(),
        user: "".into(),
        mounts: vec![
            mount("/", MountKind::Root { input: Some(0) }),
            mount("/bind", MountKind::Bind { input: Some(1), selector: "".into(), readonly: true }),
            mount("/cache", MountKind::Cache { id: "pip".to_owned(), sharing: Sharing::Shared }),
            mount("/memory", MountKind::Tmpfs { size: 0 }),
            mount("/secret", secret()),
        ],
        network: Network::Default,
        secret_environment: vec![SecretVariable { id: "token", name: "TOKEN", optional: false }],
    }
}

fn file() -> File<'static> {
    let mut file = File::on(Some(VertexId(0)));
    let from = file.input(VertexId(1));
    file.push(Action::Copy(Copy::plain(from, "/a".into(), "/b".into())));
    file.push(Action::Mkfile { path: "/c".into(), mode: 0o644, data: b"c"[..].into() });
    file.push(Action::Remove { path: "/d".into(), optional: true, may_be_link: false });
    file.push(Action::Symlink { target: "c".into(), path: "/e".into() });
    file
}

fn source(identifier: &'static str, per_platform: bool) -> Source<'static> {
    Source { identifier: identifier.into(), attributes: Default::default(), per_platform }
}

/// One change and the rule that it breaks.
type Change<T> = (&'static str, fn(&mut T));

fn copied<'f>(file: &'f mut File<'static>) -> &'f mut Copy<'static> {
    let Action::Copy(copy) = &mut file.edits[0].action else { panic!("the first edit is a copy") };
    copy
}

#[test]
fn an_exec_breaks_each_rule_by_itself() {
    assert_eq!(broken(&Op::Exec(exec())), None);
    let changes: &[Change<Exec<'static>>] = &[
        ("it names a program", |it| it.arguments.clear()),
        ("it names a program", |it| it.arguments[0] = "".into()),
        ("its directory is absolute", |it| it.directory = "src".into()),
        ("secrets have ids", |it| it.secret_environment[0].id = ""),
        ("its inputs differ", |it| it.inputs[1] = VertexId(0)),
        ("no two mounts share a target", |it| it.mounts[1].target = "/cache".into()),
        ("exactly one mount is the root, and it is at `/`", |it| drop(it.mounts.remove(0))),
        ("exactly one mount is the root, and it is at `/`", |it| it.mounts[0].target = "/root".into()),
        ("targets are absolute", |it| it.mounts[1].target = "bind".into()),
        ("mounts name an input", |it| it.mounts[0].kind = MountKind::Root { input: Some(2) }),
        ("caches have ids", |it| {
            it.mounts[2].kind = MountKind::Cache { id: String::new(), sharing: Sharing::Shared }
        }),
        ("a size is not negative", |it| it.mounts[3].kind = MountKind::Tmpfs { size: -1 }),
        ("secrets have ids", |it| it.mounts[4].kind = MountKind::Secret { id: "", optional: false }),
    ];
    for (rule, change) in changes {
        let mut exec = exec();
        change(&mut exec);
        assert_eq!(broken(&Op::Exec(exec)), Some(*rule));
    }
}

#[test]
fn a_file_op_breaks_each_rule_by_itself() {
    assert_eq!(broken(&Op::File(file())), None);
    let changes: &[Change<File<'static>>] = &[
        ("it has an action", |it| it.edits.clear()),
        ("it edits an input", |it| it.base = Some(2)),
        ("its inputs differ", |it| it.inputs[1] = VertexId(0)),
        ("copies read an input", |it| copied(it).from = 2),
        ("only wildcards may match nothing", |it| copied(it).may_be_empty = true),
        ("modes have twelve bits", |it| copied(it).mode = Some(0o10000)),
        ("paths are absolute", |it| copied(it).source = "a".into()),
        ("paths are absolute", |it| copied(it).destination = "b".into()),
        ("modes are permission bits", |it| {
            it.edits[1].action = Action::Mkdir { path: "/c".into(), mode: 0o2755 }
        }),
        ("the root is not removed", |it| {
            it.edits[2].action = Action::Remove { path: "/".into(), optional: true, may_be_link: false }
        }),
        ("a link says something", |it| {
            it.edits[3].action = Action::Symlink { target: "".into(), path: "/e".into() }
        }),
        ("names are looked up in an input", |it| {
            let user = Principal::Name("app".to_owned(), 2);
            it.edits[0].owner = Some(Owner { user, group: None })
        }),
        ("names are looked up in an input", |it| {
            let group = Some(Principal::Name(String::new(), 0));
            it.edits[0].owner = Some(Owner { user: Principal::Id(0), group })
        }),
    ];
    for (rule, change) in changes {
        let mut file = file();
        change(&mut file);
        assert_eq!(broken(&Op::File(file)), Some(*rule));
    }
}

#[test]
fn a_source_breaks_each_rule_by_itself() {
    let layout = "oci-layout://host/layout@sha256:00";
    for good in [source("docker-image://debian", true), source("local://a", false), source(layout, true)] {
        assert_eq!(broken(&Op::Source(good)), None);
    }
    let mut unknown = source("local://a", false);
    unknown.attributes.insert("http.perm", "420".into());
    for (rule, bad) in [
        ("its scheme is known", source("ftp://a", false)),
        ("its scheme is known", source("debian", true)),
        ("its address is not empty", source("local://", false)),
        ("its scheme knows its attributes", unknown),
        ("images have a platform and files have none", source("local://a", true)),
        ("images have a platform and files have none", source("docker-image://debian", false)),
        ("a layout has a host and a path", source("oci-layout://layout@sha256:00", true)),
        ("a layout's image is named by its digest", source("oci-layout://host/layout:tag", true)),
    ] {
        assert_eq!(broken(&Op::Source(bad)), Some(rule));
    }
}

#[test]
fn merges_diffs_and_inputs_break_their_rules() {
    let [one, other] = [VertexId(0), VertexId(1)];
    assert_eq!(broken(&Op::Merge(vec![one, other])), None);
    assert_eq!(broken(&Op::Merge(vec![one])), Some("it has two inputs or more"));
    assert_eq!(broken(&Op::Merge(vec![one, other, one])), Some("its inputs differ"));
    // Of many, they are told apart in another way.
    let many: Vec<VertexId> = (0..20).map(|place| VertexId(place % 19)).collect();
    let breach = op(&Op::Merge(many.clone()), 20).expect_err("one is there twice");
    assert_eq!(breach.to_string(), "merge: its inputs differ");
    let different: BTreeSet<VertexId> = many.into_iter().collect();
    assert_eq!(op(&Op::Merge(different.into_iter().collect()), 20), Ok(()));
    assert_eq!(broken(&Op::Diff { lower: one, upper: other }), None);
    assert_eq!(broken(&Op::Diff { lower: one, upper: one }), Some("its sides differ"));
    assert_eq!(op(&Op::Diff { lower: one, upper: VertexId(2) }, 2), Err(Breach::MissingInput { vertex: 2 }));
    let no_wish = Edit { action: Action::MkdirInside { path: "/a".into() }, owner: Some(Owner::ROOT) };
    assert_eq!(broken(&Op::File(File { edits: vec![no_wish], ..File::on(Some(one)) })), None);
}
