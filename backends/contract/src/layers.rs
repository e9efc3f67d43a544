//! Which ops of a stage make one layer, and which layers do not depend on what is under them.
//!
//! A `layer` group is one layer; every other op that can change the filesystem is one of its own.
//!
//! **Independent layers.** A layer that only brings in finished trees is the same whatever is
//! under it: its bytes are stored once for many images, and a new base rebuilds nothing above it.
//! That is possible only if it is made without looking at the base, which is therefore its
//! meaning in every backend: *an independent layer is made on the empty filesystem and laid
//! over the base* ([`Tree::overlay`](crate::tree::Tree::overlay)). What follows from it:
//!
//! - directories on the way to the destination, and the destination itself, are part of the
//!   layer: afterwards they have the mode and owner that `copy` makes missing ones with, even
//!   where the base had others;
//! - paths are literal: a link of the base on the way is not followed;
//! - what meets something of another kind in the base replaces it, or fails where a builder
//!   cannot: a daemon without merges, the `COPY` of a Dockerfile.
//!
//! So that this surprises nobody, only copies to places that are plain directories in every
//! distribution, or that no distribution has, are independent: not those below `/tmp` (1777),
//! `/root` (0700), `/lib` (mostly a link) and the like; see [`STATIONS_OF_A_SYSTEM`].

use cogpack_ir::plan::{Copy, CopyForm, LayerName, OpKind, Spanned};
use cogpack_ir::resolve::{Resolved, StageId, Step};

use crate::accounts::numeric;

/// Top-level directories that in some distribution are links or mount points, or have another
/// mode or owner than 0755 root, or hold directories that do.
pub const STATIONS_OF_A_SYSTEM: [&str; 18] = [
    "bin", "boot", "dev", "etc", "home", "lib", "lib32", "lib64", "libx32", "media", "mnt", "proc", "root",
    "run", "sbin", "sys", "tmp", "var",
];

/// Ops that make one layer together, or one op that makes none.
#[derive(Debug, Clone)]
pub struct LayerPlan<'a> {
    /// The group's name.
    pub name: Option<&'a Spanned<LayerName>>,
    /// The ops, those that only change settings among them; never empty.
    pub steps: Vec<Step<'a>>,
    /// Whether any of them can change the filesystem. `workdir` can: it makes its directory
    /// where that is missing.
    pub changes_filesystem: bool,
    /// Whether it is made without looking at what is under it.
    pub independent: bool,
}

/// The layers of a stage, in order.
pub fn layers(plan: &Resolved, stage: StageId) -> Vec<LayerPlan<'_>> {
    let mut layers: Vec<LayerPlan<'_>> = Vec::new();
    for step in plan.steps(stage) {
        match layers.last_mut() {
            // Names are unique in a stage, so equal ones are one group.
            Some(last) if last.name.is_some() && last.name == step.layer => last.steps.push(step),
            Some(_) | None => layers.push(LayerPlan {
                name: step.layer,
                steps: vec![step],
                changes_filesystem: false,
                independent: false,
            }),
        }
    }
    for layer in &mut layers {
        layer.changes_filesystem = layer.steps.iter().any(|step| changes_filesystem(&step.op.kind));
        layer.independent = layer.changes_filesystem && layer.steps.iter().all(keeps_independence);
    }
    layers
}

/// Whether an op can change the filesystem.
pub fn changes_filesystem(op: &OpKind) -> bool {
    match op {
        OpKind::Run { .. }
        | OpKind::Exec { .. }
        | OpKind::Copy(_)
        | OpKind::File(_)
        | OpKind::Mkdir(_)
        | OpKind::Symlink(_)
        | OpKind::Remove(_)
        | OpKind::Workdir(_) => true,
        OpKind::Layer(layer) => layer.ops.iter().any(|op| changes_filesystem(&op.kind)),
        OpKind::Env(_) | OpKind::User(_) | OpKind::Shell(_) | OpKind::By(_) => false,
    }
}

/// Whether a layer that is otherwise independent stays so with this op in it.
fn keeps_independence(step: &Step<'_>) -> bool {
    match &step.op.kind {
        OpKind::Copy(copy) => is_independent(copy),
        OpKind::Run { .. }
        | OpKind::Exec { .. }
        | OpKind::File(_)
        | OpKind::Mkdir(_)
        | OpKind::Symlink(_)
        | OpKind::Remove(_)
        | OpKind::Workdir(_)
        | OpKind::Layer(_) => false,
        OpKind::Env(_) | OpKind::User(_) | OpKind::Shell(_) | OpKind::By(_) => true,
    }
}

/// Whether a copy needs to know nothing of what is under it: it removes nothing, its owner is
/// in numbers, and its destination is no station of a system.
pub fn is_independent(copy: &Copy) -> bool {
    let owner_is_known = copy.owner.as_ref().is_none_or(|owner| numeric(owner).is_some());
    !copy.replace && owner_is_known && is_plain_place(&copy.form)
}

fn is_plain_place(form: &CopyForm) -> bool {
    let Some(destination) = form.destination().as_literal() else { return false };
    match destination.split('/').find(|part| !matches!(*part, "" | ".")) {
        Some(top) => !STATIONS_OF_A_SYSTEM.contains(&top),
        // What lands in `/` may itself be called `tmp` or `lib`.
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sketch::resolved;

    /// The layers of a stage with these ops: a `-` for one that changes no file, `=` before an
    /// independent one, then the number of ops.
    fn drawn(ops: &str) -> String {
        let plan = resolved(&format!(
            "cpk 1\nimage @base = \"debian\"\ncontext @src = dir \".\"\n\
             stage %app from image @base {{ {ops} }} export from %app {{}}"
        ));
        let drawn: Vec<String> = layers(&plan, plan.order()[0])
            .iter()
            .map(|layer| {
                let kind = match (layer.changes_filesystem, layer.independent) {
                    (false, _) => "-",
                    (true, false) => "",
                    (true, true) => "=",
                };
                format!("{kind}{}", layer.steps.len())
            })
            .collect();
        drawn.join(" ")
    }

    #[test]
    fn ops_are_grouped_as_the_plan_says() {
        for (ops, expected) in [
            ("", ""),
            (r#"env A = "1" run "a" workdir "/w" user "u""#, "-1 1 1 -1"),
            (r#"layer l { env A = "1" run "a" run "b" } run "c""#, "3 1"),
            (r#"layer l { env A = "1" } layer m { user "u" }"#, "-1 -1"),
            (r#"copy "a" from @src to "/a" copy contents "." from @src to "/src""#, "=1 =1"),
            (r#"copy "a" "b*" from @src into "/opt/x" owner 5:6"#, "=1"),
            (r#"layer l { env A = "1" copy "a" from @src to "/a" copy "b" from @src to "/b" }"#, "=3"),
            (r#"layer l { copy "a" from @src to "/a" file "/b" = "" }"#, "2"),
            (r#"copy "a" from @src to "/a" replace"#, "1"),
            (r#"copy "a" from @src to "/a" owner app"#, "1"),
            (r#"copy "a" from @src to "/tmp/a" copy "a" from @src to "/lib""#, "1 1"),
            (r#"copy contents "." from @src to "/""#, "1"),
            (r#"copy "a" from @src to "/tmpfiles""#, "=1"),
        ] {
            assert_eq!(drawn(ops), expected, "{ops}");
        }
    }
}
