//! What stands above the first stage, and the whole text.

use crate::dialect::Dialect;
use crate::lowering::Lowering;

/// The arguments of `docker` that build it.
pub(crate) fn command(lowering: &Lowering<'_>) -> Vec<String> {
    let platforms: Vec<String> =
        lowering.plan.plan().platforms.iter().map(|platform| platform.value.to_string()).collect();
    let mut command = vec!["build".to_owned(), format!("--platform={}", platforms.join(","))];
    command.extend(lowering.asked.secrets.iter().map(|id| format!("--secret=id={id}")));
    command.extend(lowering.asked.ssh.iter().map(|id| format!("--ssh={id}")));
    if lowering.asked.host_network {
        command.push("--allow=network.host".to_owned());
    }
    command.push(".".to_owned());
    command
}

/// The whole text.
pub(crate) fn text(lowering: &Lowering<'_>, command: &[String]) -> String {
    let mut text = String::new();
    // Only the very first line is read so.
    if let Dialect::BuildKit { syntax } = lowering.dialect
        && let Some(reference) = syntax.line(lowering.version)
    {
        text.push_str(&format!("# syntax={reference}\n"));
    }
    text.push_str("# Compiled by cogpackc: change the plan, not this file. To build, in this directory:\n");
    text.push_str(&format!("#   DOCKER_BUILDKIT=1 docker {}\n", command.join(" ")));
    for section in &lowering.sections {
        text.push('\n');
        text.push_str(section);
        text.push('\n');
    }
    text
}
