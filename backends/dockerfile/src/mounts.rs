//! The mounts of a `RUN`.

use cogpack_ir::plan::{Execution, Input, MountKind, SecretTarget, Sharing, Span, Template};

use crate::copy::{context_directory, image_reference};
use crate::dialect::Dialect;
use crate::features::Feature;
use crate::section::{Section, absolute, relative};
use crate::words::is_mount_value;

/// The way out where a dialect lacks a mount.
const OTHER_DIALECT: &str = "use the dialect `buildkit`, or take the mount away";

/// One `--mount` for each mount.
pub(crate) fn flags(section: &mut Section<'_, '_>, execution: &Execution) -> Vec<String> {
    let mut flags = Vec::with_capacity(execution.mounts.len());
    for mount in &execution.mounts {
        if let Some(options) = options(section, &mount.kind, mount.span) {
            flags.push(format!("--mount={}", options.join(",")));
        }
    }
    flags
}

fn options(section: &mut Section<'_, '_>, mount: &MountKind, span: Span) -> Option<Vec<String>> {
    let mut options = Vec::new();
    if !is_said(section, mount, span) {
        return None;
    }
    match mount {
        MountKind::Bind { source, select, target, writable } => {
            options.push("type=bind".to_owned());
            let selected = match select {
                Some(select) => section.literal(select, span)?,
                None => ".".to_owned(),
            };
            options.extend(source_options(section, &source.value, &selected, span)?);
            options.push(path_option(section, "target", target, span)?);
            if *writable {
                options.push("readwrite".to_owned());
            }
        }
        MountKind::Cache { name, target, sharing } => {
            options.push("type=cache".to_owned());
            options.push(format!("id={}", name.value));
            options.push(path_option(section, "target", target, span)?);
            match sharing {
                Sharing::Shared => {}
                Sharing::Private => {
                    // Waiting for another build leaves the same as having a cache of one's own.
                    let is_known = section.lowering.knows(Feature::PrivateCache);
                    options.push(format!("sharing={}", if is_known { "private" } else { "locked" }));
                }
                Sharing::Locked => options.push("sharing=locked".to_owned()),
            }
        }
        MountKind::Secret { name, target } => {
            options.push("type=secret".to_owned());
            section.lowering.asked.secrets.insert(name.value.as_str().to_owned());
            options.push(format!("id={}", name.value));
            match target {
                SecretTarget::File(target) => options.push(path_option(section, "target", target, span)?),
                SecretTarget::Env(variable) => {
                    options.push(format!("env={}", variable.value));
                }
            }
            let declared = section.lowering.plan.plan().secrets.get(&name.value);
            if !declared.is_some_and(|secret| secret.optional) {
                options.push("required=true".to_owned());
            }
        }
        MountKind::Ssh { name, target } => {
            options.push("type=ssh".to_owned());
            if let Some(name) = name {
                options.push(format!("id={}", name.value));
            }
            let id = name.as_ref().map_or("default", |name| name.value.as_str());
            section.lowering.asked.ssh.insert(id.to_owned());
            if let Some(target) = target {
                options.push(path_option(section, "target", target, span)?);
            }
            options.push("required=true".to_owned());
        }
        MountKind::Tmpfs { target, size } => {
            options.push("type=tmpfs".to_owned());
            options.push(path_option(section, "target", target, span)?);
            if let Some(size) = size {
                options.push(match section.lowering.dialect {
                    Dialect::BuildKit { .. } | Dialect::Legacy => format!("size={size}"),
                    Dialect::Buildah => format!("tmpfs-size={size}"),
                });
            }
        }
    }
    Some(options)
}

/// Whether the dialect has such a mount; refused where it has not.
fn is_said(section: &mut Section<'_, '_>, mount: &MountKind, span: Span) -> bool {
    let wanted: &[(Feature, &str)] = match mount {
        MountKind::Bind { source, writable, .. } => match (&source.value, *writable) {
            (Input::Context(_), true) => &[
                (Feature::ContextMount, "a `mount` of a context"),
                (Feature::WritableMount, "a `mount … writable`"),
            ],
            (Input::Context(_), false) => &[(Feature::ContextMount, "a `mount` of a context")],
            (_, true) => &[(Feature::WritableMount, "a `mount … writable`")],
            (_, false) => &[(Feature::BindMount, "a `mount` of files")],
        },
        MountKind::Cache { .. } => &[(Feature::CacheMount, "a `mount cache`")],
        MountKind::Secret { target: SecretTarget::File(_), .. } => {
            &[(Feature::SecretMount, "a `mount secret`")]
        }
        MountKind::Secret { target: SecretTarget::Env(_), .. } => {
            &[(Feature::SecretVariable, "a `mount secret … as env`")]
        }
        MountKind::Ssh { .. } => &[(Feature::AgentMount, "a `mount ssh`")],
        MountKind::Tmpfs { size: None, .. } => &[(Feature::MemoryMount, "a `mount tmpfs`")],
        MountKind::Tmpfs { size: Some(_), .. } => &[(Feature::MemorySize, "a `mount tmpfs … size`")],
    };
    wanted.iter().all(|(feature, what)| section.lowering.must(*feature, what, span, OTHER_DIALECT))
}

/// `from` and `source` of a bind mount. What is mounted whole from a context has the context's
/// own directory as its source.
fn source_options(
    section: &mut Section<'_, '_>,
    input: &Input,
    selected: &str,
    span: Span,
) -> Option<Vec<String>> {
    let inside = relative(selected);
    let (from, source) = match input {
        Input::Context(name) => {
            let directory = context_directory(section, name, span)?;
            let source = if inside.is_empty() { directory } else { format!("{directory}/{inside}") };
            (None, source)
        }
        Input::Stage(name) => (Some(section.lowering.names.stage(name).to_owned()), format!("/{inside}")),
        Input::Image(name) => (Some(image_reference(section, name)), format!("/{inside}")),
        Input::Scratch | Input::Phase(_) => {
            section.lowering.refuse(
                "cpk::unsupported::mount",
                format!("a mount of `{input}`"),
                span,
                "mount a stage, an image or a context; `mount tmpfs` is an empty directory",
            );
            return None;
        }
    };
    check(section, &source, span)?;
    let from = from.map(|from| format!("from={from}"));
    let source = (source != "/").then(|| format!("source={source}"));
    Some(from.into_iter().chain(source).collect())
}

fn path_option(section: &mut Section<'_, '_>, key: &str, path: &Template, span: Span) -> Option<String> {
    let path = absolute(&section.literal(path, span)?);
    check(section, &path, span)?;
    Some(format!("{key}={path}"))
}

fn check(section: &mut Section<'_, '_>, path: &str, span: Span) -> Option<()> {
    if is_mount_value(path) {
        return Some(());
    }
    section.lowering.refuse(
        "cpk::unsupported::mount-path",
        format!("`{path}` in a mount: it has characters that `--mount` gives a meaning"),
        span,
        "use letters, digits and `._+@/:~%-`, or emit LLB with `-o llb`",
    );
    None
}
