//! The JSON form of plans: the same plan as the text form, for programs that would rather not
//! parse a text.
//!
//! ```text
//! { "version": 1, "stages": [ { "name": "app", "from": { "input": "scratch" }, "ops": [ … ] } ] }
//! ```
//!
//! A document is one object. What has a name and no order (images, contexts, phases …) is an object
//! by name; what has an order (stages, ops, rules, variables) is a list. Whatever is of several
//! kinds carries a tag: `"op"`, `"mount"`, `"input"`, `"context"`, `"test"`. Names stand without
//! their sigils. What has its default is left out.
//!
//! Reading is strict: a key that means nothing, a key said twice, or a value of another kind is an
//! error, never dropped. Values are read by the types that the text form reads them with; all rules of
//! plans are the verifier's, for both forms. Places in findings, and the spans of
//! the plan that is read, are bytes of the document.
//!
//! One file reads and writes each part, side by side: [`document`], [`stage`], [`op`], and so on.

mod content;
mod context;
mod copy;
mod document;
mod execution;
mod export;
mod image;
mod input;
mod mount;
mod op;
mod path_rules;
mod stage;

mod finding;
mod parse;
mod reader;
mod tree;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod tests;

use std::cell::RefCell;

pub use finding::{JsonFinding, Pointer};

use crate::finding::{self as finding_order, Finding};
use crate::plan::{Plan, order};

/// The published JSON Schema (draft 2020-12) of the form.
pub const SCHEMA: &str = include_str!("../../../grammar/plan.schema.json");

/// The version of the form; a document of another version is refused.
const VERSION: u64 = 1;

/// Writes `plan`: indented by two, keys in a fixed order, a newline at the end. Equal plans in
/// canonical order give equal bytes.
pub fn write(plan: &Plan) -> String {
    // Texts, numbers and lists of them always have a JSON form, and memory does not fail.
    let mut text = serde_json::to_string_pretty(&document::write(plan)).expect("a tree can be written");
    text.push('\n');
    text
}

/// Whether `text` is meant to be JSON: no plan in `.cpk` can begin with a brace or a bracket.
pub fn is_meant(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').trim_start().starts_with(['{', '['])
}

/// Reads a plan, in canonical order, or all that keeps the text from being one.
pub fn read(text: &str) -> Result<Plan, Vec<Finding>> {
    let tree = parse::parse(text).map_err(|finding| vec![Finding::from(finding)])?;
    let findings = RefCell::new(Vec::new());
    let plan = document::read(&reader::At::root(&tree, &findings));
    let mut findings = findings.into_inner();
    match plan {
        Some(mut plan) if findings.is_empty() => {
            order::canonicalise(&mut plan);
            Ok(plan)
        }
        Some(_) | None => {
            finding_order::sort(&mut findings);
            finding_order::shorten(&mut findings);
            Err(findings)
        }
    }
}
