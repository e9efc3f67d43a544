//! What plans say beside their stages: platforms, images, contexts, secrets, caches, phases, export.

use std::collections::{BTreeMap, BTreeSet};

use cogpack_ir::plan::{Plan, Span};

use crate::words;

/// A declaration, or the export, that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingChange {
    /// What it is: `image @base`, `export`.
    pub what: String,
    /// The name that it had, where it only has another one.
    pub renamed_from: Option<String>,
    /// Its lines in the old plan; none where it is new.
    pub before: Vec<String>,
    /// Its lines in the new plan; none where it is gone.
    pub after: Vec<String>,
    /// Where it is written in the new plan, or in the old one where it is gone.
    pub span: Span,
}

/// All that differs.
pub(crate) fn settings(old: &Plan, new: &Plan) -> Vec<SettingChange> {
    let mut changes = Vec::new();
    let platforms = |plan: &Plan| -> Vec<String> {
        plan.platforms.iter().map(|platform| format!("platform {platform}")).collect()
    };
    let (before, after) = (platforms(old), platforms(new));
    if before != after {
        let span = new.platforms.first().map_or(Span::NOWHERE, |platform| platform.span);
        changes.push(SettingChange { what: "platforms".to_owned(), renamed_from: None, before, after, span });
    }
    declared(
        &old.images,
        &new.images,
        |image| image.span,
        &mut changes,
        "image",
        |name, image| Plan { images: BTreeMap::from([(name.clone(), image.clone())]), ..Plan::empty() },
    );
    declared(
        &old.contexts,
        &new.contexts,
        |it| it.span,
        &mut changes,
        "context",
        |name, context| Plan { contexts: BTreeMap::from([(name.clone(), context.clone())]), ..Plan::empty() },
    );
    declared(
        &old.secrets,
        &new.secrets,
        |it| it.span,
        &mut changes,
        "secret",
        |name, secret| Plan { secrets: BTreeMap::from([(name.clone(), secret.clone())]), ..Plan::empty() },
    );
    declared(
        &old.caches,
        &new.caches,
        |span| *span,
        &mut changes,
        "cache",
        |name, span| Plan { caches: BTreeMap::from([(name.clone(), *span)]), ..Plan::empty() },
    );
    let (before, after) = (&old.declared_phases, &new.declared_phases);
    declared(
        before,
        after,
        |phase| phase.span,
        &mut changes,
        "phase",
        |name, phase| Plan {
            declared_phases: BTreeMap::from([(name.clone(), phase.clone())]),
            ..Plan::empty()
        },
    );
    if old.export != new.export {
        let (before, after) = (words::export(old.export.as_ref()), words::export(new.export.as_ref()));
        let span = new.export.as_ref().or(old.export.as_ref()).map_or(Span::NOWHERE, |export| export.span);
        changes.push(SettingChange { what: "export".to_owned(), renamed_from: None, before, after, span });
    }
    changes
}

/// Declarations of one kind.
fn declared<N: Ord + Clone + std::fmt::Display, T: PartialEq>(
    old: &BTreeMap<N, T>,
    new: &BTreeMap<N, T>,
    span: impl Fn(&T) -> Span,
    changes: &mut Vec<SettingChange>,
    kind: &str,
    alone: impl Fn(&N, &T) -> Plan,
) {
    let lines = |name: &N, it: Option<&T>| it.map_or_else(Vec::new, |it| words::own_lines(&alone(name, it)));
    let mut gone: BTreeSet<&N> = old.keys().filter(|name| !new.contains_key(name)).collect();
    for (name, after) in new {
        let before = old.get(name);
        if before == Some(after) {
            continue;
        }
        // Secrets and caches are nothing but a name, so none of them is another one renamed.
        let is_only_a_name = matches!(kind, "secret" | "cache" | "phase");
        let was = gone
            .iter()
            .copied()
            .find(|other| before.is_none() && !is_only_a_name && old.get(*other) == Some(after));
        gone.retain(|other| Some(*other) != was);
        changes.push(SettingChange {
            what: format!("{kind} {name}"),
            renamed_from: was.map(ToString::to_string),
            before: was.map_or_else(|| lines(name, before), |was| lines(was, Some(after))),
            after: lines(name, Some(after)),
            span: span(after),
        });
    }
    for name in gone {
        let before = &old[name];
        changes.push(SettingChange {
            what: format!("{kind} {name}"),
            renamed_from: None,
            before: lines(name, Some(before)),
            after: Vec::new(),
            span: span(before),
        });
    }
}
