//! What blocks want of the exported image. Two that want one thing in different ways are told.

use std::collections::BTreeMap;

use cogpack_ir::plan::{Export, Input, PhaseName, Port, Setting, Spanned};

use super::Asked;
use super::finding::ComposeFinding;
use super::origin::Origin;

/// All wishes so far.
#[derive(Debug, Clone, Default)]
pub struct ExportWishes {
    entrypoint: Option<Asked<Vec<String>>>,
    cmd: Option<Asked<Vec<String>>>,
    user: Option<Asked<String>>,
    workdir: Option<Asked<String>>,
    stop_signal: Option<Asked<String>>,
    ports: BTreeMap<Port, Origin>,
    labels: BTreeMap<String, Asked<String>>,
    annotations: BTreeMap<String, Asked<String>>,
    findings: Vec<ComposeFinding>,
}

/// The wishes of one block.
pub struct ExportDesk<'w> {
    wishes: &'w mut ExportWishes,
    by: Origin,
}

impl<'w> ExportDesk<'w> {
    pub(super) fn new(wishes: &'w mut ExportWishes, by: Origin) -> Self {
        Self { wishes, by }
    }

    /// The entry point.
    pub fn entrypoint(&mut self, argv: Vec<String>) -> &mut Self {
        wish(&mut self.wishes.entrypoint, "entrypoint", argv, &self.by, &mut self.wishes.findings);
        self
    }

    /// The command.
    pub fn cmd(&mut self, argv: Vec<String>) -> &mut Self {
        wish(&mut self.wishes.cmd, "command", argv, &self.by, &mut self.wishes.findings);
        self
    }

    /// The user of its processes.
    pub fn user(&mut self, user: String) -> &mut Self {
        wish(&mut self.wishes.user, "user", user, &self.by, &mut self.wishes.findings);
        self
    }

    /// Their working directory.
    pub fn workdir(&mut self, workdir: String) -> &mut Self {
        wish(&mut self.wishes.workdir, "working directory", workdir, &self.by, &mut self.wishes.findings);
        self
    }

    /// The signal that asks the main program to stop.
    pub fn stop_signal(&mut self, signal: String) -> &mut Self {
        wish(&mut self.wishes.stop_signal, "stop signal", signal, &self.by, &mut self.wishes.findings);
        self
    }

    /// A port that it listens on.
    pub fn port(&mut self, port: Port) -> &mut Self {
        self.wishes.ports.entry(port).or_insert_with(|| self.by.clone());
        self
    }

    /// A label.
    pub fn label(&mut self, key: &str, text: String) -> &mut Self {
        text_wish(&mut self.wishes.labels, "label", key, text, &self.by, &mut self.wishes.findings);
        self
    }

    /// An annotation of the manifest.
    pub fn annotation(&mut self, key: &str, text: String) -> &mut Self {
        text_wish(&mut self.wishes.annotations, "annotation", key, text, &self.by, &mut self.wishes.findings);
        self
    }
}

fn wish<T: PartialEq>(
    slot: &mut Option<Asked<T>>,
    what: &str,
    thing: T,
    by: &Origin,
    findings: &mut Vec<ComposeFinding>,
) {
    match slot {
        None => *slot = Some(Asked { thing, by: by.clone() }),
        Some(asked) if asked.thing == thing => {}
        Some(asked) => findings.push(ComposeFinding::Export {
            what: what.to_owned(),
            first: asked.by.clone(),
            second: by.clone(),
        }),
    }
}

fn text_wish(
    texts: &mut BTreeMap<String, Asked<String>>,
    what: &str,
    key: &str,
    text: String,
    by: &Origin,
    findings: &mut Vec<ComposeFinding>,
) {
    let mut slot = texts.remove(key);
    wish(&mut slot, &format!("{what} `{key}`"), text, by, findings);
    texts.extend(slot.map(|asked| (key.to_owned(), asked)));
}

impl ExportWishes {
    pub(super) fn take_findings(&mut self) -> Vec<ComposeFinding> {
        std::mem::take(&mut self.findings)
    }

    /// The export, of what the last phase leaves.
    pub(super) fn into_export(self) -> Export {
        let last = PhaseName::new("export.config").expect("a phase of the stock chains");
        let mut export = Export::of(Spanned::nowhere(Input::Phase(last)));
        export.entrypoint = setting(self.entrypoint);
        export.cmd = setting(self.cmd);
        export.user = setting(self.user);
        export.workdir = setting(self.workdir);
        export.stop_signal = setting(self.stop_signal);
        export.ports.added = self.ports.into_keys().map(Spanned::nowhere).collect();
        export.labels.added = texts(self.labels);
        export.annotations = texts(self.annotations);
        export
    }
}

fn setting<T>(asked: Option<Asked<T>>) -> Setting<T> {
    asked.map_or(Setting::Inherit, |asked| Setting::Set(Spanned::nowhere(asked.thing)))
}

fn texts(asked: BTreeMap<String, Asked<String>>) -> cogpack_ir::plan::export::Texts {
    asked.into_iter().map(|(key, asked)| (Spanned::nowhere(key), asked.thing)).collect()
}
