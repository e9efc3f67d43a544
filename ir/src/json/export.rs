//! The export. What is inherited and cleared is listed under `"clear"`; what is set has its key.

use std::collections::BTreeSet;

use super::finding::JsonFinding;
use super::image::{read_healthcheck, write_healthcheck};
use super::input;
use super::reader::{At, Fields};
use super::tree::{Node, ObjectWriter};
use crate::plan::{Export, Listing, Setting};

/// What can be cleared, in the order in which it is written; each is the key that sets it as well.
const CLEARABLE: [&str; 9] =
    ["entrypoint", "cmd", "user", "workdir", "ports", "volumes", "labels", "stop-signal", "healthcheck"];

pub(super) fn write(export: &Export) -> ObjectWriter {
    let mut object = ObjectWriter::new();
    object.put("from", input::write(&export.from));
    let cleared = CLEARABLE.into_iter().filter(|word| is_cleared(export, word));
    object.put_list("clear", cleared);
    put_set(&mut object, "entrypoint", &export.entrypoint, |argv| argv.clone().into());
    put_set(&mut object, "cmd", &export.cmd, |argv| argv.clone().into());
    put_set(&mut object, "user", &export.user, |user| user.as_str().into());
    put_set(&mut object, "workdir", &export.workdir, |workdir| workdir.as_str().into());
    object.put_list("ports", export.ports.added.iter().map(|port| port.to_string()));
    object.put_list("volumes", export.volumes.added.iter().map(|volume| volume.as_str()));
    object.put_entries("labels", export.labels.added.iter().map(|(key, value)| (key, value.as_str())));
    object.put_entries("annotations", export.annotations.iter().map(|(key, value)| (key, value.as_str())));
    put_set(&mut object, "stop-signal", &export.stop_signal, |signal| signal.as_str().into());
    put_set(&mut object, "healthcheck", &export.healthcheck, |check| write_healthcheck(check).into());
    object
}

fn is_cleared(export: &Export, word: &str) -> bool {
    match word {
        "entrypoint" => export.entrypoint == Setting::Clear,
        "cmd" => export.cmd == Setting::Clear,
        "user" => export.user == Setting::Clear,
        "workdir" => export.workdir == Setting::Clear,
        "ports" => export.ports.cleared,
        "volumes" => export.volumes.cleared,
        "labels" => export.labels.cleared,
        "stop-signal" => export.stop_signal == Setting::Clear,
        "healthcheck" => export.healthcheck == Setting::Clear,
        _ => false,
    }
}

fn put_set<T>(object: &mut ObjectWriter, key: &str, setting: &Setting<T>, write: impl Fn(&T) -> Node) {
    match setting {
        Setting::Set(value) => object.put(key, write(value)),
        Setting::Inherit | Setting::Clear => {}
    }
}

pub(super) fn read(at: &At<'_>) -> Option<Export> {
    let mut fields = at.fields()?;
    let from = fields.required("from", input::read);
    let words = CLEARABLE.map(|word| (word, word));
    let cleared: BTreeSet<&str> =
        fields.optional("clear", |at| at.set(|at| at.word(&words))).unwrap_or_default();
    let entrypoint = setting(&mut fields, &cleared, "entrypoint", At::texts);
    let cmd = setting(&mut fields, &cleared, "cmd", At::texts);
    let user = setting(&mut fields, &cleared, "user", At::owned_text);
    let workdir = setting(&mut fields, &cleared, "workdir", At::owned_text);
    let ports = listing(&mut fields, &cleared, "ports", |at| at.set(At::parsed));
    let volumes = listing(&mut fields, &cleared, "volumes", |at| at.set(At::owned_text));
    let labels = listing(&mut fields, &cleared, "labels", At::texts_by_key);
    let annotations = fields.optional("annotations", At::texts_by_key).unwrap_or_default();
    let stop_signal = setting(&mut fields, &cleared, "stop-signal", At::owned_text);
    let healthcheck = setting(&mut fields, &cleared, "healthcheck", read_healthcheck);
    fields.close();
    Some(Export {
        from: from?,
        entrypoint,
        cmd,
        user,
        workdir,
        stop_signal,
        healthcheck,
        ports,
        volumes,
        labels,
        annotations,
        span: at.span(),
    })
}

fn setting<'t, T>(
    fields: &mut Fields<'t>,
    cleared: &BTreeSet<&str>,
    key: &'static str,
    read: impl FnOnce(&At<'t>) -> Option<T>,
) -> Setting<T> {
    let is_cleared = cleared.contains(key);
    if is_cleared && fields.has(key) {
        let (place, span) = (fields.at().pointer.clone(), fields.at().span());
        fields.at().report::<()>(JsonFinding::Conflict { place, first: "clear", second: key, span });
    }
    match fields.optional(key, |at| Some(at.spanned(read(at)?))) {
        Some(value) => Setting::Set(value),
        None if is_cleared => Setting::Clear,
        None => Setting::Inherit,
    }
}

/// Unlike a setting, a list may be cleared and added to.
fn listing<'t, T: Default>(
    fields: &mut Fields<'t>,
    cleared: &BTreeSet<&str>,
    key: &'static str,
    read: impl FnOnce(&At<'t>) -> Option<T>,
) -> Listing<T> {
    let added = fields.optional(key, read).unwrap_or_default();
    Listing { cleared: cleared.contains(key), added }
}
