//! The phases of a plan that declares none: two chains, one that builds and one that exports.

use std::collections::{BTreeMap, BTreeSet};

use super::names::PhaseName;
use super::phase::Phase;
use super::span::{Span, Spanned};

/// The build chain, first to last. The last never holds a stage: it is the handle for "the
/// final build output", whatever the phases before it hold.
pub const BUILD: [&str; 8] = [
    "build.base",
    "build.system-deps",
    "build.runtime",
    "build.framework-deps",
    "build.app-deps",
    "build.app-build",
    "build.app-source",
    COMPLETE,
];

/// The phase that never holds a stage.
pub const COMPLETE: &str = "build.complete";

/// The export chain, first to last. It does not start from the build chain: an image to run in
/// is seldom the image that was built in.
pub const EXPORT: [&str; 4] = ["export.base", "export.runtime", "export.app", "export.config"];

/// Both chains.
pub fn phases() -> BTreeMap<PhaseName, Phase> {
    let mut phases = BTreeMap::new();
    for chain in [&BUILD[..], &EXPORT[..]] {
        let mut before = None;
        for name in chain {
            let name = PhaseName::new(name).expect("the names above are well formed");
            let after = BTreeSet::from_iter(before.replace(name.clone()).map(Spanned::nowhere));
            phases.insert(name, Phase { after, parallel: false, span: Span::NOWHERE });
        }
    }
    phases
}
