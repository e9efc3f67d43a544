//! Findings as texts, for assertions.

use miette::Diagnostic;

/// Code, message, labelled text and help of a finding.
pub fn shown(finding: &dyn Diagnostic, text: &str) -> String {
    let code = finding.code().map(|code| code.to_string()).unwrap_or_default();
    let mut shown = format!("{code}: {finding}\n");
    for label in finding.labels().into_iter().flatten() {
        let end = (label.offset() + label.len()).min(text.len());
        let marked = text.get(label.offset()..end).unwrap_or("?").lines().next().unwrap_or_default();
        shown += &format!("  `{marked}`: {}\n", label.label().unwrap_or_default());
    }
    let help = finding.help().map(|help| help.to_string()).unwrap_or_default();
    shown + &format!("  help: {help}\n")
}
