//! BuildKit's rules once more, on the bytes and without the backend's own types: what a daemon
//! would make of a definition.

use std::collections::{BTreeMap, BTreeSet};

use bollard_buildkit_proto::pb;
use cogpack_content::Digest;
use pb::file_action::Action;
use pb::op::Op as Kind;
use pb::user_opt::User;
use prost::Message as _;

/// All that is wrong with a definition.
pub(super) fn audit(definition: &pb::Definition) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut outputs: BTreeMap<String, usize> = BTreeMap::new();
    let Some((terminal, vertices)) = definition.def.split_last() else {
        return vec!["it is empty".to_owned()];
    };
    if vertices.is_empty() {
        wrong.push("it has no vertex".to_owned());
    }
    for bytes in vertices {
        let digest = Digest::of(bytes).to_string();
        let op = pb::Op::decode(bytes.as_slice()).unwrap_or_else(|error| panic!("{digest}: {error}"));
        let mut note = |what: &str| wrong.push(format!("{digest}: {what}"));
        for input in &op.inputs {
            let known = outputs.get(&input.digest).copied().unwrap_or_default();
            if !usize::try_from(input.index).is_ok_and(|index| index < known) {
                note("an input is not there");
            }
        }
        if op.constraints.as_ref().is_none_or(|constraints| !constraints.filter.is_empty()) {
            note("its constraints are not present and empty");
        }
        let count = audit_op(&op, &mut note);
        if outputs.insert(digest.clone(), count).is_some() {
            wrong.push(format!("{digest} is there twice"));
        }
    }
    let digests: BTreeSet<String> =
        outputs.keys().cloned().chain([Digest::of(terminal).to_string()]).collect();
    if !definition.metadata.keys().eq(digests.iter()) {
        wrong.push("metadata and vertices do not match".to_owned());
    }
    let terminal = pb::Op::decode(terminal.as_slice()).unwrap_or_else(|error| panic!("{error}"));
    match terminal.inputs.as_slice() {
        [input] if outputs.contains_key(&input.digest) && terminal.op.is_none() => {}
        _ => wrong.push("the last op does not name one vertex and nothing else".to_owned()),
    }
    wrong
}

/// Checks one op, and says how many outputs it has.
fn audit_op(op: &pb::Op, note: &mut impl FnMut(&str)) -> usize {
    let inputs = i64::try_from(op.inputs.len()).unwrap_or(i64::MAX);
    match op.op.as_ref() {
        None | Some(Kind::Build(_)) => {
            note("it does nothing");
            0
        }
        Some(Kind::Source(source)) => {
            if !source.identifier.contains("://") {
                note("its source has no scheme");
            }
            let is_image = ["docker-image://", "oci-layout://"]
                .iter()
                .any(|scheme| source.identifier.starts_with(scheme));
            if is_image != op.platform.is_some() {
                note("its platform does not fit its scheme");
            }
            1
        }
        Some(Kind::Exec(exec)) => audit_exec(exec, inputs, note),
        Some(Kind::File(file)) => audit_file(file, inputs, note),
        Some(Kind::Merge(merge)) => {
            if merge.inputs.len() < 2 || merge.inputs.iter().any(|input| !(0..inputs).contains(&input.input))
            {
                note("a merge has too few inputs, or wrong ones");
            }
            1
        }
        Some(Kind::Diff(diff)) => {
            let sides = [diff.lower.map(|lower| lower.input), diff.upper.map(|upper| upper.input)];
            if sides.iter().any(|side| !side.is_some_and(|input| (-1..inputs).contains(&input))) {
                note("a side of a diff is wrong");
            }
            1
        }
    }
}

fn audit_exec(exec: &pb::ExecOp, inputs: i64, note: &mut impl FnMut(&str)) -> usize {
    let meta = exec.meta.clone().unwrap_or_default();
    if meta.args.is_empty() || !meta.cwd.starts_with('/') || !meta.remove_mount_stubs_recursive {
        note("its arguments, directory or stubs are wrong");
    }
    let names: BTreeSet<&str> = meta.env.iter().filter_map(|entry| Some(entry.split_once('=')?.0)).collect();
    if names.len() != meta.env.len() {
        note("a variable is set twice, or is no variable");
    }
    let targets: BTreeSet<&str> = exec.mounts.iter().map(|mount| mount.dest.as_str()).collect();
    if targets.len() != exec.mounts.len() {
        note("two mounts share a target");
    }
    let ordinary: Vec<&pb::Mount> = exec
        .mounts
        .iter()
        .filter(|mount| !matches!(mount.mount_type(), pb::MountType::Secret | pb::MountType::Ssh))
        .collect();
    if !ordinary.iter().map(|mount| &mount.dest).is_sorted() {
        note("its mounts are not sorted");
    }
    let root = exec.mounts.first();
    if !root
        .is_some_and(|root| root.dest == "/" && root.mount_type() == pb::MountType::Bind && root.output == 0)
    {
        note("its first mount is not the root");
    }
    for mount in &exec.mounts {
        if !(-1..inputs).contains(&mount.input) || !mount.dest.starts_with('/') {
            note("a mount's input or target is wrong");
        }
        let option_is_there = match mount.mount_type() {
            pb::MountType::Bind => true,
            pb::MountType::Cache => mount.cache_opt.as_ref().is_some_and(|cache| !cache.id.is_empty()),
            pb::MountType::Tmpfs => mount.tmpfs_opt.is_some() && mount.input == -1,
            pb::MountType::Secret => mount.secret_opt.as_ref().is_some_and(|secret| !secret.id.is_empty()),
            pb::MountType::Ssh => mount.ssh_opt.is_some(),
        };
        if !option_is_there {
            note("a mount lacks its options");
        }
    }
    let outputs: Vec<i64> =
        ordinary.iter().map(|mount| mount.output).filter(|output| *output != -1).collect();
    if !outputs.iter().copied().eq(0..i64::try_from(outputs.len()).unwrap_or(0)) {
        note("its outputs are not numbered from 0");
    }
    outputs.len()
}

fn audit_file(file: &pb::FileOp, inputs: i64, note: &mut impl FnMut(&str)) -> usize {
    let mut outputs = Vec::new();
    for (place, edit) in file.actions.iter().enumerate() {
        let before = inputs + i64::try_from(place).unwrap_or(i64::MAX);
        if !(-1..before).contains(&edit.input) || !(-1..before).contains(&edit.secondary_input) {
            note("an action reads what is not there");
        }
        outputs.extend(Some(edit.output).filter(|output| *output != -1));
        let (owner, paths) = match &edit.action {
            Some(Action::Copy(copy)) => {
                if edit.secondary_input == -1 {
                    note("a copy reads nothing");
                }
                (&copy.owner, vec![&copy.src, &copy.dest])
            }
            Some(Action::Mkfile(it)) => (&it.owner, vec![&it.path]),
            Some(Action::Mkdir(it)) => (&it.owner, vec![&it.path]),
            Some(Action::Rm(it)) => (&None, vec![&it.path]),
            Some(Action::Symlink(it)) => (&it.owner, vec![&it.newpath]),
            None => (&None, vec![]),
        };
        if edit.action.is_none() || paths.iter().any(|path| !path.starts_with('/')) {
            note("an action does nothing, or names a relative path");
        }
        for principal in owner.iter().flat_map(|owner| [&owner.user, &owner.group]).flatten() {
            if let Some(User::ByName(named)) = &principal.user
                && !(0..before).contains(&named.input)
            {
                note("an owner is looked up nowhere");
            }
        }
    }
    if outputs != [0] {
        note("it has not one output");
    }
    outputs.len()
}
