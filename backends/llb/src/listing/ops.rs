//! One op as lines of a listing.

use std::fmt::Write as _;

use bollard_buildkit_proto::pb;
use cogpack_content::{Digest, Lookup};
use pb::file_action::Action;
use pb::op::Op as Kind;
use pb::user_opt::User;

use super::{field, say};

/// The names of vertices by digest.
type Titles<'t> = Lookup<Digest, &'t str>;

/// Writes the op's kind behind the `=` that is there, then its fields.
pub(super) fn write(out: &mut String, op: &pb::Op, titles: &Titles<'_>) {
    let inputs: Vec<String> = op.inputs.iter().map(|input| input_title(input, titles)).collect();
    let platform = op.platform.as_ref().map(|platform| {
        let variant =
            if platform.variant.is_empty() { String::new() } else { format!("/{}", platform.variant) };
        format!("{}/{}{variant}", platform.os, platform.architecture)
    });
    match &op.op {
        None => {
            out.push_str("result\n");
            inputs.iter().for_each(|input| field(out, "of", input));
        }
        Some(Kind::Source(source)) => {
            say(out, format_args!("source {}\n", source.identifier));
            for (name, value) in &source.attrs {
                field(out, name, format_args!("= {value}"));
            }
        }
        Some(Kind::Exec(exec)) => {
            out.push_str("exec\n");
            write_exec(out, exec, &inputs);
        }
        Some(Kind::File(file)) => {
            out.push_str("file\n");
            write_file(out, file, &inputs);
        }
        Some(Kind::Merge(merge)) => {
            out.push_str("merge\n");
            merge.inputs.iter().for_each(|input| field(out, "of", place(input.input, &inputs)));
        }
        Some(Kind::Diff(diff)) => {
            out.push_str("diff\n");
            field(out, "lower", place(diff.lower.map_or(-1, |lower| lower.input), &inputs));
            field(out, "upper", place(diff.upper.map_or(-1, |upper| upper.input), &inputs));
        }
        Some(Kind::Build(_)) => out.push_str("build\n"),
    }
    if let Some(platform) = platform {
        field(out, "platform", platform);
    }
}

fn input_title(input: &pb::Input, titles: &Titles<'_>) -> String {
    let digest = input.digest.parse::<Digest>().ok();
    let title = digest.and_then(|digest| titles.get(&digest).copied()).unwrap_or(&input.digest);
    match input.index {
        0 => title.to_owned(),
        index => format!("{title} output {index}"),
    }
}

/// What an index of an op stands for.
fn place(index: i64, inputs: &[String]) -> String {
    match usize::try_from(index) {
        Err(_) => "scratch".to_owned(),
        Ok(index) => {
            inputs.get(index).cloned().unwrap_or_else(|| format!("edit {}", index - inputs.len() + 1))
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn write_exec(out: &mut String, exec: &pb::ExecOp, inputs: &[String]) {
    let meta = exec.meta.clone().unwrap_or_default();
    meta.args.iter().for_each(|argument| field(out, "argument", quoted(argument)));
    meta.env.iter().for_each(|variable| field(out, "env", quoted(variable)));
    field(out, "workdir", &meta.cwd);
    if !meta.user.is_empty() {
        field(out, "user", &meta.user);
    }
    match exec.network() {
        pb::NetMode::Unset => {}
        pb::NetMode::Host => field(out, "network", "host"),
        pb::NetMode::None => field(out, "network", "none"),
    }
    for mount in &exec.mounts {
        field(out, "mount", mount_text(mount, inputs));
    }
    for secret in &exec.secretenv {
        let optional = if secret.optional { " optional" } else { "" };
        field(out, "secret", format_args!("{} as env {}{optional}", secret.id, secret.name));
    }
}

fn mount_text(mount: &pb::Mount, inputs: &[String]) -> String {
    let mut text = mount.dest.clone();
    let words = match mount.mount_type() {
        pb::MountType::Bind => {
            let selector =
                if mount.selector.is_empty() { String::new() } else { format!(" select {}", mount.selector) };
            let access = match (mount.output, mount.readonly) {
                (0.., _) => "changed",
                (_, true) => "readonly",
                (_, false) => "writable, changes dropped",
            };
            format!(" from {}{selector} {access}", place(mount.input, inputs))
        }
        pb::MountType::Cache => {
            let cache = mount.cache_opt.clone().unwrap_or_default();
            format!(" cache {} {}", cache.id, cache.sharing().as_str_name().to_lowercase())
        }
        pb::MountType::Tmpfs => {
            format!(" tmpfs size {}", mount.tmpfs_opt.unwrap_or_default().size)
        }
        pb::MountType::Secret => {
            let secret = mount.secret_opt.clone().unwrap_or_default();
            let optional = if secret.optional { " optional" } else { "" };
            format!(" secret {} mode {:04o}{optional}", secret.id, secret.mode)
        }
        pb::MountType::Ssh => {
            let ssh = mount.ssh_opt.clone().unwrap_or_default();
            format!(" ssh {} mode {:04o}", if ssh.id.is_empty() { "default" } else { &ssh.id }, ssh.mode)
        }
    };
    text.push_str(&words);
    text
}

fn write_file(out: &mut String, file: &pb::FileOp, inputs: &[String]) {
    for (number, edit) in file.actions.iter().enumerate() {
        if number == 0 {
            field(out, "on", place(edit.input, inputs));
        }
        match &edit.action {
            Some(Action::Copy(copy)) => {
                field(out, "copy", copy_text(copy, &place(edit.secondary_input, inputs), inputs));
            }
            Some(Action::Mkfile(file)) => {
                let data = match std::str::from_utf8(&file.data) {
                    Ok(text) => quoted(text),
                    Err(_) => {
                        format!("{} bytes {}", file.data.len(), Digest::of(&file.data))
                    }
                };
                let owner = owner_text(file.owner.as_ref(), inputs);
                field(
                    out,
                    "mkfile",
                    format_args!("{} mode {:04o}{owner} = {data}", quoted(&file.path), file.mode),
                );
            }
            Some(Action::Mkdir(made)) => {
                let owner = owner_text(made.owner.as_ref(), inputs);
                let parents = if made.make_parents { " parents" } else { "" };
                field(
                    out,
                    "mkdir",
                    format_args!("{} mode {:04o}{owner}{parents}", quoted(&made.path), made.mode),
                );
            }
            Some(Action::Rm(removed)) => {
                let optional = if removed.allow_not_found { " optional" } else { "" };
                field(out, "rm", format_args!("{}{optional}", quoted(&removed.path)));
            }
            Some(Action::Symlink(link)) => {
                let owner = owner_text(link.owner.as_ref(), inputs);
                field(
                    out,
                    "symlink",
                    format_args!("{} at {}{owner}", quoted(&link.oldpath), quoted(&link.newpath)),
                );
            }
            None => field(out, "nothing", ""),
        }
    }
}

fn copy_text(copy: &pb::FileActionCopy, from: &str, inputs: &[String]) -> String {
    let mut text = format!("{} from {from} to {}", quoted(&copy.src), quoted(&copy.dest));
    for (word, set) in [
        ("contents", copy.dir_copy_contents),
        ("unpack", copy.attempt_unpack_docker_compatibility),
        ("follow", copy.follow_symlink),
        ("wildcard", copy.allow_wildcard),
        ("may-be-empty", copy.allow_empty_wildcard),
        ("parents", copy.create_dest_path),
    ] {
        if set {
            text.push(' ');
            text.push_str(word);
        }
    }
    if copy.mode != -1 {
        let _ = write!(text, " mode {:04o}", copy.mode);
    }
    text.push_str(&owner_text(copy.owner.as_ref(), inputs));
    for (word, patterns) in [("include", &copy.include_patterns), ("exclude", &copy.exclude_patterns)] {
        for pattern in patterns {
            let _ = write!(text, "\n    {word} {}", quoted(pattern));
        }
    }
    text
}

fn owner_text(owner: Option<&pb::ChownOpt>, inputs: &[String]) -> String {
    let Some(owner) = owner else { return String::new() };
    let principal = |principal: &Option<pb::UserOpt>| match principal.as_ref().and_then(|it| it.user.as_ref())
    {
        Some(User::ById(id)) => id.to_string(),
        Some(User::ByName(named)) => format!("{} of {}", named.name, place(named.input, inputs)),
        None => String::new(),
    };
    match &owner.group {
        Some(_) => format!(" owner {}:{}", principal(&owner.user), principal(&owner.group)),
        None => format!(" owner {}", principal(&owner.user)),
    }
}
