//! What an image sets, as its entry says it: by the lines that a plan has below `image`.
//!
//! So there is one language for it, and a plan that starts from the image has these lines as they stand.

use std::collections::BTreeMap;

use cogpack_ir::plan::{BaseImage, ImageConfig, InputName, Plan, Span, Spanned};
use cogpack_ir::syntax;

/// The lines, without the indentation that they have in a plan.
pub fn text(config: &ImageConfig) -> String {
    let whole = syntax::print(&of(Some(config.clone())));
    let lines = whole.strip_prefix(&syntax::print(&of(None))).unwrap_or_default();
    lines.lines().map(|line| format!("{}\n", line.strip_prefix(INDENTATION).unwrap_or(line))).collect()
}

/// What the lines say, or what is wrong with them.
pub(crate) fn read(text: &str) -> Result<ImageConfig, String> {
    let lines: String = text.lines().map(|line| format!("{INDENTATION}{line}\n")).collect();
    let parsed = syntax::parse(&format!("{}{lines}", syntax::print(&of(None))));
    if let Some(finding) = parsed.findings.first() {
        return Err(finding.to_string());
    }
    let config = parsed.plan.images.values().find_map(|image| image.config.clone());
    match config {
        // What else a plan may say has no place here.
        Some(config) if parsed.plan == of(Some(config.clone())) => Ok(config),
        Some(_) | None => Err("it is not what an image sets, and that alone".to_owned()),
    }
}

/// The variables of an entry whose config is known.
pub(crate) fn env(config: &ImageConfig) -> BTreeMap<String, String> {
    config.env.iter().map(|(name, value)| (name.as_str().to_owned(), value.clone())).collect()
}

const INDENTATION: &str = "  ";

/// A plan with one image, which has this config.
fn of(config: Option<ImageConfig>) -> Plan {
    let mut plan = Plan::empty();
    if let (Ok(name), Ok(reference)) = (InputName::new("image"), "registry.example/image".parse()) {
        let image =
            BaseImage { reference: Spanned::nowhere(reference), digest: None, config, span: Span::NOWHERE };
        plan.images.insert(name, image);
    }
    plan
}
