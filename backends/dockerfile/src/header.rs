//! What stands above the first stage, the whole text, and the command that builds it.

use crate::artifact::Command;
use crate::dialect::Dialect;
use crate::lowering::Lowering;
use crate::shells::shell_word;

/// How the Dockerfile is built.
pub(crate) fn command(lowering: &Lowering<'_>) -> Command {
    let asked = &lowering.asked;
    let platforms: Vec<String> =
        lowering.plan.plan().platforms.iter().map(|platform| platform.value.to_string()).collect();
    let first = platforms.first().cloned().unwrap_or_default();
    let (program, platform): (&[&str], String) = match lowering.dialect {
        // Before Docker 23 this neither takes several platforms nor other contexts.
        Dialect::BuildKit { .. } if asked.contexts.is_empty() && platforms.len() < 2 => {
            (&["DOCKER_BUILDKIT=1", "docker", "build"], first)
        }
        Dialect::BuildKit { .. } => (&["docker", "buildx", "build"], platforms.join(",")),
        // Docker's format, because OCI's has no healthcheck and no shell; a layer for each
        // instruction, and no container left of stages without any; no label of its own.
        Dialect::Buildah => (
            &["buildah", "build", "--format=docker", "--layers", "--force-rm", "--identity-label=false"],
            first,
        ),
        Dialect::Legacy => (&["DOCKER_BUILDKIT=0", "docker", "build"], first),
    };
    let mut words: Vec<String> = program.iter().map(|word| (*word).to_owned()).collect();
    words.push(format!("--platform={platform}"));
    if let Some(root) = &lowering.surroundings.root {
        words.push(format!("--file={}", root.file));
        let is_own = !lowering.surroundings.alone;
        if let (Dialect::Buildah, true) = (lowering.dialect, is_own) {
            words.push(format!("--ignorefile={}.dockerignore", root.file));
        }
    }
    for name in &asked.contexts {
        let argument = lowering.context_argument(name);
        words.push(format!("--build-context={}={argument}", lowering.names.given_to(name)));
    }
    words.extend(asked.secrets.iter().map(|id| secret(id)));
    words.extend(asked.ssh.iter().map(|id| format!("--ssh={id}")));
    words.extend(asked.arguments.iter().map(|(name, file)| argument(lowering, name, file)));
    if asked.host_network {
        words.push("--allow=network.host".to_owned());
    }
    words.push(lowering.surroundings.root.as_ref().map_or(".", |root| root.path.as_str()).to_owned());
    let missing = asked.optional_secrets.difference(&asked.secrets);
    Command {
        words,
        platforms,
        optional: missing.map(|id| secret(id)).collect(),
        is_buildkit: match lowering.dialect {
            Dialect::BuildKit { .. } => true,
            Dialect::Buildah | Dialect::Legacy => false,
        },
        in_context: lowering.surroundings.root.as_ref().is_some_and(|root| root.path == "."),
    }
}

fn secret(id: &str) -> String {
    format!("--secret=id={id},src={id}")
}

/// A build argument, which a shell reads from a file beside the Dockerfile.
fn argument(lowering: &Lowering<'_>, name: &str, file: &str) -> String {
    let dockerfile = lowering.surroundings.root.as_ref().map_or("", |root| root.file.as_str());
    let file = match dockerfile.rsplit_once('/') {
        Some((directory, _)) => format!("{directory}/{file}"),
        None => file.to_owned(),
    };
    format!("--build-arg={name}=\"$(cat {})\"", shell_word(&file))
}

/// The whole text.
pub(crate) fn text(lowering: &Lowering<'_>, command: &Command) -> String {
    let mut text = String::new();
    // Only the very first line is read so.
    if let Dialect::BuildKit { syntax } = lowering.dialect
        && let Some(reference) = syntax.line(lowering.version)
    {
        text.push_str(&format!("# syntax={reference}\n"));
    }
    let place = if command.in_context { "the directory that it copies from" } else { "its directory" };
    text.push_str("# Compiled by cogpackc: change the plan, not this file. To build, in ");
    // On standard output nobody knows what the file will be called; people call it that.
    let is_given = lowering.surroundings.root.as_ref().is_some_and(|root| root.file == "-");
    let given = if is_given { " <Dockerfile" } else { "" };
    text.push_str(&format!("{place}:\n#   {}{given}\n", command.words.join(" ")));
    for section in &lowering.sections {
        text.push('\n');
        text.push_str(section);
        text.push('\n');
    }
    text
}
