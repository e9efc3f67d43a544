//! Options of the compiling command that mean nothing for what it is asked to emit.
//!
//! They are refused: whoever wrote one means something by it, and would look in vain for what it
//! did.

use crate::arguments::{Artifact, Compile};
use crate::failure::Failure;

/// Refuses the first option that was given and is for other formats than those asked for.
pub fn refuse(arguments: &Compile) -> Result<(), Failure> {
    use Artifact::{Dockerfile, Llb, LlbText, Oci};
    let emitters: &[Artifact] = &[Llb, LlbText, Dockerfile, Oci];
    let options: [(&str, bool, &[Artifact]); 12] = [
        ("--layout", !arguments.layouts.is_empty(), emitters),
        ("--limits", arguments.limits.is_some(), &[Llb, LlbText]),
        ("--dialect", arguments.dialect.is_some(), &[Dockerfile]),
        ("--syntax", arguments.syntax.is_some(), &[Dockerfile]),
        ("--self-contained", arguments.self_contained, &[Dockerfile]),
        ("--force", arguments.force, &[Llb, Dockerfile]),
        ("--platform", !arguments.platforms.is_empty(), emitters),
        ("--store", arguments.store.is_some(), emitters),
        ("--optimise", arguments.level.is_some(), emitters),
        ("--tag", !arguments.tags.is_empty(), &[Oci]),
        ("--compression", arguments.compression.is_some(), &[Oci]),
        ("--compression-level", arguments.compression_level.is_some(), &[Oci]),
    ];
    let is_idle = |formats: &[Artifact]| !arguments.formats.iter().any(|format| formats.contains(format));
    match options.into_iter().find(|(_, given, formats)| *given && is_idle(formats)) {
        None => Ok(()),
        Some((option, _, formats)) => {
            Err(Failure::new(format!("`{option}` means nothing for {}", listed(&arguments.formats)))
                .with_hint(format!("leave it out; it is for {}", listed(formats))))
        }
    }
}

/// `-o llb` and `-o oci`
fn listed(formats: &[Artifact]) -> String {
    let named: Vec<String> = formats.iter().map(|format| format!("`-o {}`", format.option())).collect();
    named.join(", ")
}
