//! The config of the exported image: what `export` says, where the base does not say it already.

use std::collections::BTreeSet;

use cogpack_backends_contract::image_config::settings;
use cogpack_ir::plan::{Healthcheck, HealthcheckTest, ImageConfig, Setting, Span};
use cogpack_ir::resolve::State;

use crate::dialect::Dialect;
use crate::features::Feature;
use crate::programs::TEST;
use crate::section::{Section, absolute};
use crate::shells::shell_word;
use crate::words::{in_quotes, json_list, operand, quoted, word};

pub(crate) fn lower(section: &mut Section<'_, '_>) {
    let plan = section.lowering.plan;
    let export = plan.export();
    let state: &State = plan.state_of(&export.from.value);
    let wanted = settings(plan);
    let base = &*state.inherited;
    // Where the base's config is not known, "not said" may still be said there.
    let may_be_there = |setting_is_clear: bool| setting_is_clear && !state.base_known;

    if state.base_known && state.variable("PATH").is_none() {
        section.lowering.refuse(
            "cpk::unsupported::path",
            "an image without `PATH`, which builders of Dockerfiles always set".to_owned(),
            export.from.span,
            "say in a stage `env PATH = \"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\"`",
        );
    }
    workdir(section, state, &wanted);
    section.set_user(wanted.user.as_deref(), export.user.span().unwrap_or(export.span));
    if let Some(shell) = &wanted.shell {
        section.set_shell(shell);
    }
    let list = |list: &Option<Vec<String>>| list.clone().unwrap_or_default();
    let entrypoint_changes =
        list(&wanted.entrypoint) != list(&base.entrypoint) || may_be_there(export.entrypoint.is_cleared());
    if entrypoint_changes {
        section.line(format!("ENTRYPOINT {}", json_list(&list(&wanted.entrypoint))));
    }
    // `ENTRYPOINT` takes an inherited command away, so that is then said again.
    if (entrypoint_changes && !(list(&wanted.cmd).is_empty() && list(&base.cmd).is_empty()))
        || list(&wanted.cmd) != list(&base.cmd)
        || may_be_there(export.cmd.is_cleared())
    {
        section.line(format!("CMD {}", json_list(&list(&wanted.cmd))));
    }
    ports_and_volumes(section, &wanted, state);
    labels(section, &wanted, state);
    stop_signal(section, &wanted, state);
    healthcheck(section, &wanted, state);
    annotations(section);
}

/// A Dockerfile says nothing about the manifest; whoever builds it can.
fn annotations(section: &mut Section<'_, '_>) {
    let export = section.lowering.plan.export();
    let Some(first) = export.annotations.keys().next() else { return };
    let flags: Vec<String> = export
        .annotations
        .iter()
        .map(|(key, value)| shell_word(&format!("--annotation={}={}", key.value, value)))
        .collect();
    let who = match section.lowering.dialect {
        Dialect::BuildKit { .. } => {
            "`docker buildx build` adds them to an image that it pushes or writes as a layout"
        }
        Dialect::Buildah => {
            "`buildah build` adds them with `--format=oci`, which has no `healthcheck` and no `shell`"
        }
        Dialect::Legacy => "`docker build` of that age adds none",
    };
    let what =
        format!("annotations belong to the manifest, not to a Dockerfile: {who}: `{}`", flags.join(" "));
    section.lowering.note(what, first.span);
}

fn workdir(section: &mut Section<'_, '_>, state: &State, wanted: &ImageConfig) {
    let export = section.lowering.plan.export();
    let is_there = |section: &Section<'_, '_>, path: &str| {
        // Where the stage's own `workdir` names it, the directory is there.
        state.workdir.as_deref().map(absolute).as_deref() == Some(path) || section.is_surely_there(path)
    };
    match &export.workdir {
        Setting::Set(path) if !is_there(section, &absolute(&path.value)) && section.bare => {
            section.lowering.refuse(
                "cpk::unsupported::workdir",
                format!("`workdir \"{}\"` in `export`: `WORKDIR` would make the directory", path.value),
                path.span,
                "say `workdir` in the stage, which makes the directory everywhere",
            )
        }
        Setting::Set(path) => {
            let directory = absolute(&path.value);
            if !is_there(section, &directory) {
                section.comment("WORKDIR would make the directory, the plan does not");
                section.look_as_root(&[TEST, "-d", &directory], path.span);
            }
            section.run_in(wanted.workdir.as_deref(), path.span);
        }
        Setting::Clear(_) | Setting::Inherit => {
            section.run_in(wanted.workdir.as_deref(), export.workdir.span().unwrap_or(export.span));
        }
    }
}

fn ports_and_volumes(section: &mut Section<'_, '_>, wanted: &ImageConfig, state: &State) {
    let export = section.lowering.plan.export();
    let base = &state.inherited;
    let is_gone =
        !base.ports.is_subset(&wanted.ports) || (export.ports.cleared.is_some() && !state.base_known);
    refuse_clear(section, is_gone, "ports", export.ports.cleared.unwrap_or(export.span));
    for port in wanted.ports.difference(&base.ports) {
        section.line(format!("EXPOSE {port}"));
    }
    let is_gone =
        !base.volumes.is_subset(&wanted.volumes) || (export.volumes.cleared.is_some() && !state.base_known);
    refuse_clear(section, is_gone, "volumes", export.volumes.cleared.unwrap_or(export.span));
    let added: BTreeSet<&String> = wanted.volumes.difference(&base.volumes).collect();
    for volume in added {
        // In quotes inside the list, because spaces around what stands there are taken off.
        if volume.trim() == volume.as_str() {
            section.line(format!("VOLUME {}", json_list(&[word(volume)])));
            continue;
        }
        // Spaces around a bare word are taken off even in the list, those in quotes are not.
        let what = format!("the volume `{}` with spaces at its ends", volume.escape_debug());
        let help = "take the spaces away";
        let at = export.volumes.added.get(volume.as_str()).map_or(export.span, |volume| volume.span);
        if section.lowering.must(Feature::SpacedVolume, &what, at, help) {
            section.line(format!("VOLUME {}", json_list(&[in_quotes(volume)])));
        }
    }
}

fn labels(section: &mut Section<'_, '_>, wanted: &ImageConfig, state: &State) {
    let export = section.lowering.plan.export();
    let base = &state.inherited;
    let is_gone = base.labels.keys().any(|key| !wanted.labels.contains_key(key))
        || (export.labels.cleared.is_some() && !state.base_known);
    refuse_clear(section, is_gone, "labels", export.labels.cleared.unwrap_or(export.span));
    for (key, value) in &wanted.labels {
        if base.labels.get(key) == Some(value) {
            continue;
        }
        // The base's own have no place in the plan.
        let at = export.labels.added.get_key_value(key.as_str()).map_or(export.span, |(key, _)| key.span);
        if key.contains('=') {
            section.lowering.refuse(
                "cpk::unsupported::label-key",
                format!("the label `{key}`: in a Dockerfile the first `=` ends a key, quoted or not"),
                at,
                "take the `=` out of the key, or emit another format: `-o llb`, `-o oci`",
            );
            continue;
        }
        match (operand(key), quoted(value)) {
            (Some(key), Some(value)) => section.line(format!("LABEL {key}={value}")),
            (None, _) => section.lowering.refuse_line_break(key, at),
            (Some(word), None) => label_of_argument(section, state, key, &word, value, at),
        }
    }
}

/// The longest value that a command can give: Linux takes no argument longer than 32 pages of 4 KiB, and
/// the argument has a name.
const LONGEST_ARGUMENT: usize = 120_000;

/// A label of several lines, which no instruction can carry: the command gives it as a build argument.
///
/// `--label` would do as well, but not with newer buildahs: 1.39 writes a line break in its value as `\n`,
/// two characters, and puts in the values of variables.
fn label_of_argument(
    section: &mut Section<'_, '_>,
    state: &State,
    key: &str,
    word: &str,
    value: &str,
    at: Span,
) {
    // A shell takes line breaks off the end of what it reads.
    if value.contains('\0') || value.ends_with('\n') || value.len() > LONGEST_ARGUMENT {
        return section.lowering.refuse_line_break(value, at);
    }
    section.lowering.lies_beside(&format!("the value of the label `{key}`, of several lines"), "", at);
    let (name, path) = section.lowering.put_given(key, value, |name| state.variable(name).is_some());
    section.comment(&format!("the command above gives this label its value, from {path}"));
    section.line(format!("ARG {name}"));
    section.line(format!("LABEL {word}=\"${{{name}}}\""));
    let what = format!(
        "the label `{key}` has several lines, which no instruction can carry: the command gives them, from \
         `{path}`; without that it is empty"
    );
    section.lowering.note(what, at);
}

fn stop_signal(section: &mut Section<'_, '_>, wanted: &ImageConfig, state: &State) {
    let export = section.lowering.plan.export();
    let base = &state.inherited;
    match &wanted.stop_signal {
        Some(signal) if base.stop_signal.as_ref() != Some(signal) => {
            if let Some(signal) = section.single(signal, export.stop_signal.span().unwrap_or(export.span)) {
                section.line(format!("STOPSIGNAL {signal}"));
            }
        }
        Some(_) => {}
        None => {
            let is_clear = export.stop_signal.is_cleared() && !state.base_known;
            refuse_clear(
                section,
                base.stop_signal.is_some() || is_clear,
                "stop-signal",
                export.stop_signal.span().unwrap_or(export.span),
            );
        }
    }
}

fn healthcheck(section: &mut Section<'_, '_>, wanted: &ImageConfig, state: &State) {
    let export = section.lowering.plan.export();
    let base = &state.inherited;
    let Some(check) = &wanted.healthcheck else {
        let is_clear = export.healthcheck.is_cleared() && !state.base_known;
        refuse_clear(
            section,
            base.healthcheck.is_some() || is_clear,
            "healthcheck",
            export.healthcheck.span().unwrap_or(export.span),
        );
        return;
    };
    if base.healthcheck.as_ref() == Some(check) {
        return;
    }
    let flags = flags(check);
    let test = match &check.test {
        HealthcheckTest::None if flags.is_empty() => "NONE".to_owned(),
        HealthcheckTest::Exec(argv) if !argv.is_empty() => format!("CMD {}", json_list(argv)),
        HealthcheckTest::Shell(script) if is_one_line(script) => format!("CMD {script}"),
        HealthcheckTest::None | HealthcheckTest::Exec(_) | HealthcheckTest::Shell(_) => {
            section.lowering.refuse(
                "cpk::unsupported::healthcheck",
                "this `healthcheck`, which `HEALTHCHECK` would read otherwise".to_owned(),
                export.healthcheck.span().unwrap_or(export.span),
                "write it as `healthcheck exec [\"/bin/sh\", \"-c\", …]`, and `none` without times",
            );
            return;
        }
    };
    section.line(format!("HEALTHCHECK {flags}{test}"));
}

fn flags(check: &Healthcheck) -> String {
    let mut flags = String::new();
    for (name, seconds) in
        [("interval", check.interval), ("timeout", check.timeout), ("start-period", check.start_period)]
    {
        // Nought is Docker's word for nothing said.
        if let Some(seconds) = seconds.filter(|seconds| *seconds > 0) {
            flags.push_str(&format!("--{name}={seconds}s "));
        }
    }
    if let Some(retries) = check.retries.filter(|retries| *retries > 0) {
        flags.push_str(&format!("--retries={retries} "));
    }
    flags
}

/// Whether `HEALTHCHECK CMD` reads the script as it stands.
fn is_one_line(script: &str) -> bool {
    !script.is_empty()
        && script.trim() == script
        && !script.contains(char::is_control)
        && !script.starts_with('[')
        && !script.ends_with('\\')
}

fn refuse_clear(section: &mut Section<'_, '_>, is_gone: bool, what: &'static str, span: Span) {
    if is_gone {
        section.lowering.refuse(
            "cpk::unsupported::clear",
            format!("`clear {what}`: a Dockerfile cannot take away what a base says"),
            span,
            "leave it, or emit another format: `-o llb`, `-o oci`",
        );
    }
}
