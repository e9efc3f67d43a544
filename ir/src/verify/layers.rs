//! Layers: named once in a stage, not nested, and worth their name.

use std::collections::BTreeMap;

use miette::Diagnostic;

use crate::finding::{Finding, Place};
use crate::plan::{LayerName, Op, OpKind, Span, Stage, for_each_op};

/// What is wrong with a layer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum LayerFinding {
    /// A layer in a layer.
    #[error("the layer `{name}` stands in the layer `{outer}`")]
    #[diagnostic(
        code(cpk::layer::nested),
        help("close the outer one first: an image's layers lie on each other, not in each other")
    )]
    Nested {
        /// The inner layer.
        name: String,
        /// The outer layer.
        outer: String,
        /// The inner layer.
        #[label("this one")]
        place: Place,
        /// The outer layer.
        #[label("is inside this one")]
        around: Place,
    },
    /// Two layers with one name.
    #[error("the stage has two layers `{name}`")]
    #[diagnostic(code(cpk::layer::duplicate), help("give one of them another name"))]
    Duplicate {
        /// The name.
        name: String,
        /// The second layer.
        #[label("this name is taken")]
        place: Place,
        /// The first layer.
        #[label("the first one is here")]
        first: Place,
    },
    /// A layer that no file goes into.
    #[error("nothing in the layer `{name}` changes a file")]
    #[diagnostic(code(cpk::layer::empty), severity(Warning), help("take it away, and keep what is in it"))]
    Empty {
        /// The layer.
        name: String,
        /// The layer.
        #[label("this layer stays empty")]
        place: Place,
    },
}

/// Checks the layers of a stage.
pub(super) fn check(stage: &Stage, findings: &mut Vec<Finding>) {
    let mut named: BTreeMap<&LayerName, Span> = BTreeMap::new();
    for_each_op(&stage.ops, &mut |op| {
        let OpKind::Layer(layer) = &op.kind else { return };
        let (name, place) = (layer.name.to_string(), layer.name.span.place());
        if let Some(first) = named.get(&layer.name.value) {
            let first = first.place();
            findings.push(LayerFinding::Duplicate { name: name.clone(), place, first }.into());
        } else {
            named.insert(&layer.name.value, layer.name.span);
        }
        let mut changes = false;
        for_each_op(&layer.ops, &mut |inner| changes |= changes_files(inner));
        if !changes {
            findings.push(LayerFinding::Empty { name, place }.into());
        }
        for inner in &layer.ops {
            if let OpKind::Layer(inner) = &inner.kind {
                let finding = LayerFinding::Nested {
                    name: inner.name.to_string(),
                    outer: layer.name.to_string(),
                    place: inner.name.span.place(),
                    around: place,
                };
                findings.push(finding.into());
            }
        }
    });
}

/// Whether an op itself changes the filesystem; a layer does so only through what is in it.
fn changes_files(op: &Op) -> bool {
    match &op.kind {
        OpKind::Run { .. }
        | OpKind::Exec { .. }
        | OpKind::Copy(_)
        | OpKind::File(_)
        | OpKind::Mkdir(_)
        | OpKind::Symlink(_)
        | OpKind::Remove(_) => true,
        OpKind::Env(_)
        | OpKind::Workdir(_)
        | OpKind::User(_)
        | OpKind::Shell(_)
        | OpKind::Layer(_)
        | OpKind::By(_) => false,
    }
}
