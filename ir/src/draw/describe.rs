//! Ops, mounts and exports in a few words each, as the rows of a box.

use super::picture::{Row, RowKind};
use crate::plan::{
    BaseImage, Context, ContextKind, Copy, CopyForm, EnvEdit, Execution, Export, Mount, MountKind, Network,
    Op, OpKind, SecretTarget, Setting,
};

/// `text` on one line: its first line that is not blank, and a mark where there is more. What has
/// no shape, or would change the shape of what stands around it, is replaced.
pub fn one_line(text: &str) -> String {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut line: String = lines.next().unwrap_or_default().chars().map(visible).collect();
    if lines.next().is_some() {
        line.push_str(" …");
    }
    line
}

fn visible(character: char) -> char {
    match character {
        '\t' => ' ',
        // Marks that turn the direction of the text around them, and non-characters.
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' => '\u{fffd}',
        '\u{feff}' | '\u{fff9}'..='\u{ffff}' => '\u{fffd}',
        _ if character.is_control() => '\u{fffd}',
        _ => character,
    }
}

/// What a base image is: its reference, and whether it is pinned.
pub(super) fn image(image: &BaseImage) -> (String, Vec<Row>) {
    let pinned = match &image.digest {
        Some(digest) => format!("sha256:{}…", &digest.hex()[..12]),
        None => "not pinned".to_owned(),
    };
    (one_line(image.reference.as_str()), vec![Row::new(RowKind::Note, pinned)])
}

/// What a context is.
pub(super) fn context(context: &Context) -> String {
    match &context.kind {
        ContextKind::Directory(directory) => format!("dir {}", one_line(&directory.path)),
        ContextKind::Http(http) => one_line(&http.url),
        ContextKind::Git(git) => format!("git {}", one_line(&git.url)),
        ContextKind::Oci(layout) => format!("oci {}", one_line(&layout.path)),
        ContextKind::Files(files) => counted(files.len(), "file"),
        ContextKind::Wheels(wheels) => counted(wheels.wheels.len(), "wheel"),
        ContextKind::Debs(debs) => counted(debs.packages.len(), "deb"),
    }
}

/// `1 stage`, `2 stages`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// One op in one line, without its mounts.
pub(super) fn op(op: &Op) -> String {
    match &op.kind {
        OpKind::Run { script, .. } => format!("run {}", one_line(script)),
        OpKind::Exec { argv, .. } => format!("exec {}", words(argv)),
        OpKind::Copy(copy) => copied(copy),
        OpKind::File(file) => format!("file {}", one_line(file.path.as_written())),
        OpKind::Mkdir(directory) => format!("mkdir {}", one_line(directory.path.as_written())),
        OpKind::Symlink(link) => {
            format!("symlink {} → {}", one_line(link.path.as_written()), one_line(link.target.as_written()))
        }
        OpKind::Remove(remove) => format!("remove {}", one_line(remove.path.as_written())),
        OpKind::Env(change) => match &change.edit {
            EnvEdit::Set(value) => format!("env {} = {}", change.name.value, one_line(value.as_written())),
            EnvEdit::Prepend(value) => {
                format!("env prepend {} {}", change.name.value, one_line(value.as_written()))
            }
            EnvEdit::Append(value) => {
                format!("env append {} {}", change.name.value, one_line(value.as_written()))
            }
            EnvEdit::Unset => format!("unset {}", change.name.value),
        },
        OpKind::Workdir(path) => format!("workdir {}", one_line(path.as_written())),
        OpKind::User(user) => format!("user {}", one_line(user.as_written())),
        OpKind::Shell(argv) => format!("shell {}", words(argv)),
        OpKind::Layer(layer) => format!("layer {}", layer.name.value),
        OpKind::By(provenance) => match &provenance.at {
            Some((file, line)) => format!("by {} at {}:{line}", provenance.block.value, one_line(file)),
            None => format!("by {}", provenance.block.value),
        },
    }
}

fn copied(copy: &Copy) -> String {
    let sources: Vec<String> =
        copy.form.sources().iter().map(|source| one_line(source.as_written())).collect();
    let sources = sources.join(" ");
    let destination = one_line(copy.form.destination().as_written());
    match copy.form {
        CopyForm::To { .. } if sources == destination => format!("copy {destination}"),
        CopyForm::To { .. } => format!("copy {sources} → {destination}"),
        CopyForm::Into { .. } => format!("copy {sources} into {destination}"),
        CopyForm::Contents { .. } => format!("copy contents {sources} → {destination}"),
    }
}

fn words(argv: &[String]) -> String {
    argv.iter().map(|word| one_line(word)).collect::<Vec<_>>().join(" ")
}

/// One mount in one line.
pub(super) fn mount(mount: &Mount) -> String {
    match &mount.kind {
        MountKind::Bind { source, select, target, .. } => {
            let select = select.as_ref().map(|select| format!(":{}", one_line(select.as_written())));
            let target = one_line(target.as_written());
            format!("mount {}{} at {target}", source.value, select.unwrap_or_default())
        }
        MountKind::Cache { name, target, .. } => {
            format!("mount cache {} at {}", name.value, one_line(target.as_written()))
        }
        MountKind::Secret { name, target: SecretTarget::File(path) } => {
            format!("mount secret {} at {}", name.value, one_line(path.as_written()))
        }
        MountKind::Secret { name, target: SecretTarget::Env(variable) } => {
            format!("mount secret {} as env {}", name.value, variable.value)
        }
        MountKind::Ssh { name, .. } => match name {
            Some(name) => format!("mount ssh {}", name.value),
            None => "mount ssh".to_owned(),
        },
        MountKind::Tmpfs { target, .. } => format!("mount tmpfs at {}", one_line(target.as_written())),
    }
}

/// What an execution is given beside mounts, where it differs from the ordinary.
pub(super) fn settings(execution: &Execution) -> Option<String> {
    match execution.network {
        Network::Default => None,
        Network::None => Some("network none".to_owned()),
        Network::Host => Some("network host".to_owned()),
    }
}

/// What an export says.
pub(super) fn export(export: &Export) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut say = |text: String| rows.push(Row::new(RowKind::Op, text));
    let argv = |argv: &Vec<String>| words(argv);
    let text = |text: &String| one_line(text);
    for (word, said) in [
        ("entrypoint", setting(&export.entrypoint, argv)),
        ("cmd", setting(&export.cmd, argv)),
        ("user", setting(&export.user, text)),
        ("workdir", setting(&export.workdir, text)),
        ("stop-signal", setting(&export.stop_signal, text)),
        ("healthcheck", setting(&export.healthcheck, |_| String::new())),
    ] {
        match said {
            Setting::Inherit => {}
            Setting::Clear(_) => say(format!("clear {word}")),
            Setting::Set(said) => say(format!("{word} {}", said.value).trim_end().to_owned()),
        }
    }
    let lists = [
        ("ports", export.ports.cleared),
        ("volumes", export.volumes.cleared),
        ("labels", export.labels.cleared),
    ];
    for (word, _) in lists.iter().filter(|(_, cleared)| cleared.is_some()) {
        say(format!("clear {word}"));
    }
    for port in &export.ports.added {
        say(format!("expose {port}"));
    }
    for volume in &export.volumes.added {
        say(format!("volume {}", one_line(volume)));
    }
    for (key, value) in &export.labels.added {
        say(format!("label {} = {}", one_line(key), one_line(value)));
    }
    for (key, value) in &export.annotations {
        say(format!("annotation {} = {}", one_line(key), one_line(value)));
    }
    rows
}

fn setting<T>(setting: &Setting<T>, in_words: impl Fn(&T) -> String) -> Setting<String> {
    match setting {
        Setting::Inherit => Setting::Inherit,
        Setting::Clear(span) => Setting::Clear(*span),
        Setting::Set(value) => Setting::Set(crate::plan::Spanned::nowhere(in_words(&value.value))),
    }
}
