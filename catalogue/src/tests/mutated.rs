//! Catalogues that something has happened to: no text makes reading panic, and what is read is what
//! is printed.

use proptest::prelude::*;

use cogpack_ir::plan::ImageConfig;

use crate::{Catalogue, Cudnn, Entry, Role, Wanted, choose};

/// An image with all that it sets.
fn pinned() -> Option<Entry> {
    let mut entry = Catalogue::shipped().images().first()?.entry.clone();
    entry.reference = "registry.example/pinned:1".parse().ok()?;
    entry.digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".parse().ok();
    let cmd = Some(vec!["python3".to_owned()]);
    entry.config = Some(ImageConfig { cmd, user: Some("65532".to_owned()), ..ImageConfig::default() });
    entry.env.clear();
    Some(entry)
}

fn start() -> String {
    Catalogue::shipped()
        .images()
        .iter()
        .step_by(12)
        .map(|listed| listed.entry.clone())
        .chain(pinned())
        .collect::<Catalogue>()
        .print()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_mutated_catalogue_is_read_or_refused(
        edits in proptest::collection::vec((any::<proptest::sample::Index>(), 0usize..40, "[\\[\\]{}=\"'.,#a-z0-9\\n\\\\ \u{e9}\u{0}]{0,6}"), 1..6),
    ) {
        let mut text = start();
        for (index, length, put) in edits {
            let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            let Some(at) = (!places.is_empty()).then(|| index.index(places.len())) else { continue };
            let end = places.get(at + length).copied().unwrap_or(text.len());
            text.replace_range(places[at]..end, &put);
        }
        match Catalogue::read("mutated.toml", &text) {
            Ok(catalogue) => {
                let wanted = Wanted {
                    role: Role::Runtime,
                    platforms: Default::default(),
                    python: None,
                    prefix: None,
                    cuda: None,
                    cudnn: Cudnn::Unused,
                    os: None,
                    packages: Default::default(),
                };
                prop_assert_eq!(choose(&catalogue, &wanted).considered.len(), catalogue.images().len());
                prop_assert_eq!(Catalogue::read("again.toml", &catalogue.print()), Ok(catalogue));
            }
            Err(findings) => {
                prop_assert!(!findings.is_empty());
                for finding in findings {
                    for label in miette::Diagnostic::labels(&finding).into_iter().flatten() {
                        prop_assert!(label.offset() + label.len() <= text.len());
                    }
                }
            }
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,80}") {
        let _ = Catalogue::read("any.toml", &text).map(|catalogue| catalogue.print());
    }
}
