//! What made a layer, in the plan's words: daemons remember little of it, and old ones nothing.

use cogpack_backends_llb::{LlbImage, layers, origins};

use crate::outcome::Layer;

/// Says of each layer what made it, as far as that is certain.
pub fn name(stored: &mut [Layer], image: &LlbImage) {
    let Some(known) = layers(image) else { return };
    // How many layers a base has is known only by what is left of them.
    let Some(below) = stored.len().checked_sub(known.made.len()) else { return };
    if known.base.is_none() && below > 0 {
        return;
    }
    let origins = origins(image);
    let said = |digest| origins.get(digest).map(|origin| format!("{} {}", origin.place, origin.what));
    let base = known.base.as_ref().and_then(said);
    let (of_base, made) = stored.split_at_mut(below);
    of_base.iter_mut().for_each(|layer| layer.made_by.clone_from(&base));
    for (layer, digest) in made.iter_mut().zip(&known.made) {
        layer.made_by = said(digest).or(layer.made_by.take());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use cogpack_backends_contract::Backend as _;
    use cogpack_backends_llb::{Llb, SourceText};
    use cogpack_ir::{resolve, syntax, verify};

    use super::*;

    fn image(text: &str) -> LlbImage {
        let parsed = syntax::parse(text);
        assert!(parsed.findings.is_empty(), "{:?}", parsed.findings);
        let verified = verify::verify(parsed.plan).expect("breaks no rule");
        let resolved = resolve::resolve(verified, &Default::default()).expect("resolves");
        let backend = Llb::new(SourceText { name: "plan.cpk".to_owned(), text: Arc::new(text.to_owned()) });
        backend.lower(&resolved).expect("can be lowered").remove(0)
    }

    fn named(text: &str, count: usize) -> Vec<String> {
        let layer = Layer {
            digest: None,
            size: 1,
            compressed: false,
            made_by: Some("fileop".to_owned()),
            platform: None,
        };
        let mut layers = vec![layer; count];
        name(&mut layers, &image(text));
        layers.into_iter().map(|layer| layer.made_by.expect("something is said")).collect()
    }

    const ON_A_BASE: &str = "cpk 1\nimage @b = \"debian\"\n  config empty\n\
        stage %a from image @b {\n  mkdir \"/a\"\n  run \"make\"\n}\nexport from %a\n";
    const ALONE: &str = "cpk 1\nstage %a from scratch {\n  mkdir \"/a\"\n}\nexport from %a\n";

    #[test]
    fn layers_are_named_from_the_top() {
        assert_eq!(
            named(ON_A_BASE, 4),
            [
                "@b docker.io/library/debian:latest",
                "@b docker.io/library/debian:latest",
                "%a mkdir /a",
                "%a run make"
            ]
        );
        assert_eq!(named(ON_A_BASE, 2), ["%a mkdir /a", "%a run make"]);
        assert_eq!(named(ALONE, 1), ["%a mkdir /a"]);
    }

    #[test]
    fn what_does_not_fit_is_left_as_it_is() {
        assert_eq!(named(ON_A_BASE, 1), ["fileop"]);
        assert_eq!(named(ALONE, 2), ["fileop", "fileop"]);
    }
}
