//! Writes the digests of images into the plan, with what their configs say.
//!
//! ```text
//! image @base = "debian:bookworm-slim"  ⇒  image @base = "debian:bookworm-slim"
//!                                            digest sha256:…
//!                                            env PATH = "…"
//! ```
//!
//! The digest is what the name stands for at the moment, as whoever asked the registry was told, so that what is
//! built is what would have been built now. Left alone: images that have a digest.

use cogpack_ir::plan::Spanned;
use cogpack_ir::resolve::Resolved;

use crate::facts::Facts;
use crate::note::Note;
use crate::order::{Level, Pass, Rewrite};

/// The pass.
pub struct Pin;

impl Pass for Pin {
    fn name(&self) -> &'static str {
        "pin"
    }

    fn summary(&self) -> &'static str {
        "writes the digests of images into the plan, with what their configs say"
    }

    fn level(&self) -> Level {
        Level::Named
    }

    fn run(&self, plan: &Resolved, facts: &Facts) -> Rewrite {
        let mut rewritten = plan.plan().clone();
        let mut notes = Vec::new();
        let mut is_changed = false;
        for (name, image) in &mut rewritten.images {
            if image.digest.is_some() {
                continue;
            }
            let Some(pin) = facts.pins.get(name) else {
                let why = format!("nobody has asked for the digest of `{}`", image.reference.value);
                notes.push(Note::held_back(image.span, why));
                continue;
            };
            notes.push(Note::did(
                image.span,
                format!("`{}` is {} at the moment", image.reference.value, pin.digest),
            ));
            image.digest = Some(Spanned::nowhere(pin.digest));
            if image.config.is_none() {
                image.config.clone_from(&pin.config);
            }
            is_changed = true;
        }
        Rewrite { plan: is_changed.then_some(rewritten), notes }
    }
}
