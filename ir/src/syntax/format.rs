//! Formatting: canonical text with the comments kept.

use super::{parse, print};
use crate::finding::Finding;

/// The canonical form of `text`, with every comment beside the statement it belongs to. A text
/// with mistakes is refused, because what could not be read would be lost.
pub fn format(text: &str) -> Result<String, Vec<Finding>> {
    let parsed = parse(text);
    if parsed.findings.is_empty() {
        Ok(print::print_with(&parsed.plan, &parsed.comments))
    } else {
        Err(parsed.findings)
    }
}
