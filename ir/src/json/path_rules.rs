//! `include` and `exclude` rules: a list of objects of one key each, `{ "exclude": "**/*.pyc" }`.

use super::finding::JsonFinding;
use super::reader::At;
use super::tree::ObjectWriter;
use crate::plan::{PathRule, RuleKind, Spanned};

pub(super) fn write(rule: &PathRule) -> ObjectWriter {
    let key = match rule.kind {
        RuleKind::Include => "include",
        RuleKind::Exclude => "exclude",
    };
    ObjectWriter::tagged(key, &rule.pattern)
}

pub(super) fn read(at: &At<'_>) -> Option<PathRule> {
    let mut fields = at.fields()?;
    fields.exclude("include", "exclude");
    let pattern = |at: &At<'_>| at.owned_text().map(|pattern| at.spanned(pattern));
    let include = fields.optional("include", pattern);
    let exclude = fields.optional("exclude", pattern);
    if !fields.has("include") && !fields.has("exclude") {
        at.report::<()>(JsonFinding::MissingKey {
            place: at.pointer.clone(),
            key: "include",
            span: at.span(),
        });
    }
    fields.close();
    let rule = |kind, pattern: Spanned<String>| PathRule { kind, pattern };
    include
        .map(|pattern| rule(RuleKind::Include, pattern))
        .or_else(|| exclude.map(|pattern| rule(RuleKind::Exclude, pattern)))
}
