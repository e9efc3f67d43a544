//! The export. What is inherited and cleared is listed under `"clear"`; what is set has its key.

use std::collections::BTreeMap;

use super::finding::JsonFinding;
use super::image::{read_healthcheck, write_healthcheck};
use super::input;
use super::reader::{At, Fields};
use super::tree::{Node, ObjectWriter};
use crate::plan::{Export, Listing, Setting, Span, Texts};

/// What is cleared, and where that is said.
type Cleared = BTreeMap<&'static str, Span>;

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
    put_texts(&mut object, "labels", &export.labels.added);
    put_texts(&mut object, "annotations", &export.annotations);
    put_set(&mut object, "stop-signal", &export.stop_signal, |signal| signal.as_str().into());
    put_set(&mut object, "healthcheck", &export.healthcheck, |check| write_healthcheck(check).into());
    object
}

fn is_cleared(export: &Export, word: &str) -> bool {
    match word {
        "entrypoint" => export.entrypoint.is_cleared(),
        "cmd" => export.cmd.is_cleared(),
        "user" => export.user.is_cleared(),
        "workdir" => export.workdir.is_cleared(),
        "ports" => export.ports.cleared.is_some(),
        "volumes" => export.volumes.cleared.is_some(),
        "labels" => export.labels.cleared.is_some(),
        "stop-signal" => export.stop_signal.is_cleared(),
        "healthcheck" => export.healthcheck.is_cleared(),
        _ => false,
    }
}

fn put_texts(object: &mut ObjectWriter, key: &str, texts: &Texts) {
    object.put_entries(key, texts.iter().map(|(key, value)| (key.as_str(), value.as_str())));
}

fn put_set<T>(object: &mut ObjectWriter, key: &str, setting: &Setting<T>, write: impl Fn(&T) -> Node) {
    match setting {
        Setting::Set(value) => object.put(key, write(value)),
        Setting::Inherit | Setting::Clear(_) => {}
    }
}

pub(super) fn read(at: &At<'_>) -> Option<Export> {
    let mut fields = at.fields()?;
    let from = fields.required("from", input::read);
    let words = CLEARABLE.map(|word| (word, word));
    let cleared =
        fields.optional("clear", |at| at.set(|at| Some(at.spanned(at.word(&words)?)))).unwrap_or_default();
    let cleared: Cleared = cleared.into_iter().map(|word| (word.value, word.span)).collect();
    let entrypoint = setting(&mut fields, &cleared, "entrypoint", At::texts);
    let cmd = setting(&mut fields, &cleared, "cmd", At::texts);
    let user = setting(&mut fields, &cleared, "user", At::owned_text);
    let workdir = setting(&mut fields, &cleared, "workdir", At::owned_text);
    let ports = listing(&mut fields, &cleared, "ports", |at| at.set(|at| Some(at.spanned(at.parsed()?))));
    let volumes =
        listing(&mut fields, &cleared, "volumes", |at| at.set(|at| Some(at.spanned(at.owned_text()?))));
    let labels = listing(&mut fields, &cleared, "labels", At::placed_texts);
    let annotations = fields.optional("annotations", At::placed_texts).unwrap_or_default();
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
    cleared: &Cleared,
    key: &'static str,
    read: impl FnOnce(&At<'t>) -> Option<T>,
) -> Setting<T> {
    let is_cleared = cleared.get(key).copied();
    if is_cleared.is_some() && fields.has(key) {
        let (place, span) = (fields.at().pointer.clone(), fields.at().span());
        fields.at().report::<()>(JsonFinding::Conflict { place, first: "clear", second: key, span });
    }
    match (fields.optional(key, |at| Some(at.spanned(read(at)?))), is_cleared) {
        (Some(value), _) => Setting::Set(value),
        (None, Some(span)) => Setting::Clear(span),
        (None, None) => Setting::Inherit,
    }
}

/// Unlike a setting, a list may be cleared and added to.
fn listing<'t, T: Default>(
    fields: &mut Fields<'t>,
    cleared: &Cleared,
    key: &'static str,
    read: impl FnOnce(&At<'t>) -> Option<T>,
) -> Listing<T> {
    let added = fields.optional(key, read).unwrap_or_default();
    Listing { cleared: cleared.get(key).copied(), added }
}
