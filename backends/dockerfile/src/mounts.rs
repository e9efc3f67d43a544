//! The mounts of a `RUN`.

use cogpack_ir::plan::{Execution, Input, MountKind, SecretName, SecretTarget, Sharing, Span, Template};

use crate::checks::is_wildcard;
use crate::copy::from_name;
use crate::dialect::Dialect;
use crate::features::Feature;
use crate::section::{Section, absolute, relative};
use crate::words::{has_word_letters, is_flag_text, is_mount_value, mount_options, word};
use crate::{places, remote, stand_ins};

/// The way out where a dialect lacks a mount.
const OTHER_DIALECT: &str = "use the dialect `buildkit`, or take the mount away";

/// The same of secrets.
const WITHOUT_LAYER: &str =
    "use a dialect that mounts it, `buildkit` or `buildah`: in a layer it would stay in the image";

/// One `--mount` for each mount.
pub(crate) fn flags(section: &mut Section<'_, '_>, execution: &Execution) -> Vec<String> {
    let mut flags = Vec::with_capacity(execution.mounts.len());
    for mount in &execution.mounts {
        if stand_ins::is_needed(section, &mount.kind) {
            continue;
        }
        if let Some(options) = options(section, &mount.kind, mount.span) {
            flags.push(format!("--mount={}", mount_options(&options)));
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
            options.push(format!("id={}", name.value));
            match target {
                SecretTarget::File(target) => options.push(path_option(section, "target", target, span)?),
                SecretTarget::Env(variable) => {
                    options.push(format!("env={}", variable.value));
                }
            }
            ask_for_secret(section, &name.value, &mut options);
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
            // A limit changes nothing that comes of the program.
            if let Some(size) = size
                && section.lowering.can(Feature::MemorySize)
            {
                options.push(match section.lowering.dialect {
                    Dialect::BuildKit { .. } | Dialect::Legacy => format!("size={size}"),
                    Dialect::Buildah => format!("tmpfs-size={size}"),
                });
            }
        }
    }
    Some(options)
}

/// Notes that a secret must be given, or may be, and says so in the mount's options.
pub(crate) fn ask_for_secret(section: &mut Section<'_, '_>, name: &SecretName, options: &mut Vec<String>) {
    let declared = section.lowering.plan.plan().secrets.get(name);
    let id = name.as_str().to_owned();
    if declared.is_some_and(|secret| secret.optional) {
        section.lowering.asked.optional_secrets.insert(id);
    } else {
        section.lowering.asked.secrets.insert(id);
        options.push("required=true".to_owned());
    }
}

/// Whether the dialect has such a mount; refused where it has not, and nothing stands in for it.
fn is_said(section: &mut Section<'_, '_>, mount: &MountKind, span: Span) -> bool {
    let (feature, what, help) = match mount {
        // Something stands in for these.
        MountKind::Bind { .. } | MountKind::Cache { .. } | MountKind::Tmpfs { .. } => {
            return true;
        }
        MountKind::Secret { target: SecretTarget::File(_), .. } => {
            (Feature::SecretMount, "a `mount secret`", WITHOUT_LAYER)
        }
        MountKind::Secret { target: SecretTarget::Env(_), .. } => {
            (Feature::SecretVariable, "a `mount secret … as env`", WITHOUT_LAYER)
        }
        MountKind::Ssh { .. } => (Feature::AgentMount, "a `mount ssh`", OTHER_DIALECT),
    };
    section.lowering.must(feature, what, span, help)
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
        Input::Context(name) if !remote::is_remote(section.lowering, name) => {
            if section.lowering.knows(Feature::ContextMount) {
                let place = places::of_context(section.lowering, name, span)?;
                let source = place.read(section.lowering, name, &inside);
                (place.from, source)
            } else {
                let stage = places::stage_of_part(section.lowering, name, &inside, span)?;
                (Some(stage), format!("/{inside}"))
            }
        }
        // The verifier has seen that nothing is mounted of `scratch`.
        Input::Scratch | Input::Context(_) | Input::Phase(_) | Input::Stage(_) | Input::Image(_) => {
            let from = from_name(section.lowering, input, span)?;
            (Some(from), format!("/{inside}"))
        }
    };
    let is_of_files = from.is_none() || places::is_named(section.lowering, input);
    if is_of_files && is_wildcard(&source) {
        return refuse(section, &source, span);
    }
    let source = value(section, &source, span)?;
    let from = from.map(|from| format!("from={from}"));
    let source = (source != "/" && source != ".").then(|| format!("source={source}"));
    Some(from.into_iter().chain(source).collect())
}

/// A path in the image that is the target of a mount.
pub(crate) fn target(section: &mut Section<'_, '_>, path: &Template, span: Span) -> Option<String> {
    Some(absolute(&section.literal(path, span)?))
}

fn path_option(section: &mut Section<'_, '_>, key: &str, path: &Template, span: Span) -> Option<String> {
    let path = target(section, path, span)?;
    Some(format!("{key}={}", value(section, &path, span)?))
}

/// A path as a value of `--mount`. BuildKit reads it as a word, in all versions that it fetches; what
/// older ones read otherwise is refused, and so is what buildah splits at every comma.
fn value(section: &mut Section<'_, '_>, path: &str, span: Span) -> Option<String> {
    if is_mount_value(path) {
        return Some(path.to_owned());
    }
    let can_be_said = match section.lowering.dialect {
        Dialect::BuildKit { .. } => is_flag_text(path) && !path.ends_with(' '),
        Dialect::Buildah | Dialect::Legacy => false,
    };
    if !can_be_said {
        return refuse(section, path, span);
    }
    if !has_word_letters(path) {
        return Some(path.to_owned());
    }
    let what = format!("`{path}` in a mount, with `\\`, quotes or `$`");
    let help = "use other letters, or emit LLB with `-o llb`";
    section.lowering.must(Feature::MountWords, &what, span, help).then(|| word(path))
}

fn refuse<T>(section: &mut Section<'_, '_>, path: &str, span: Span) -> Option<T> {
    section.lowering.refuse(
        "cpk::unsupported::mount-path",
        format!("`{path}` in a mount: it has characters that `--mount` gives a meaning"),
        span,
        "use letters, digits and `._+@/:~%-`, or emit LLB with `-o llb`",
    );
    None
}
