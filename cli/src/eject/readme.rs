//! The README of an eject: how it is built.

use cogpack_backends_dockerfile::{Artifact, Command};

use super::standings::Standing;
use crate::plan_file::PlanFile;
use crate::ways::ELSEWHERE;

/// The file's name.
pub const NAME: &str = "README.md";

/// Its text.
pub fn text(artifact: &Artifact, standing: &Standing, file: &PlanFile) -> String {
    let command = &artifact.command;
    let plan = file
        .path
        .as_deref()
        .and_then(|path| path.file_name())
        .map_or_else(|| "a plan".to_owned(), |name| format!("`{}`", name.to_string_lossy()));
    let place = match &standing.surroundings.root {
        Some(_) if command.in_context => "in the directory that the Dockerfile copies from",
        Some(_) | None => "in this directory",
    };
    let mut text = format!(
        "# A Dockerfile made by cogpackc\n\nIt builds the image that {plan} describes. Build it {place}:\n\n\
         ```sh\n{}\n```\n",
        command.words.join(" ")
    );
    text.push_str("\n`--tag=NAME` names the image");
    if command.is_buildkit {
        text.push_str(
            "; a builder of its own, as `docker buildx create` makes one, needs `--load` or `--push` too. \
             `--build-arg=SOURCE_DATE_EPOCH=0` dates it as `cogpackc build` does",
        );
    }
    text.push_str(".\n");
    text.push_str(&of_several(command));
    if command.words.last().is_some_and(|last| last == ELSEWHERE) {
        text.push_str(&format!("\n`{ELSEWHERE}` is the directory that the plan reads.\n"));
    }
    if command.words.iter().any(|word| word.starts_with("--secret=")) {
        text.push_str("\n`src=` names the file that holds a secret.\n");
    }
    if !command.optional.is_empty() {
        text.push_str(&format!("\nThe build takes these too: `{}`.\n", command.optional.join("` `")));
    }
    if !artifact.notes.is_empty() {
        text.push_str("\nGood to know:\n\n");
        for note in &artifact.notes {
            text.push_str(&format!("- {}\n", note.what));
        }
    }
    text.push_str(
        "\nChange the plan and compile again rather than what is here: `cogpackc` replaces only what it wrote,\n\
         as `.cogpackc-manifest` lists it, and stops before files that were changed.\n",
    );
    text
}

/// What a build for several platforms needs; empty where it is for one.
fn of_several(command: &Command) -> String {
    let Some((first, others)) = command.platforms.split_first() else { return String::new() };
    if others.is_empty() {
        return String::new();
    }
    let flags: Vec<String> = others.iter().map(|platform| format!("`--platform={platform}`")).collect();
    let others = flags.join(", ");
    let needs = "a machine of another platform needs an emulator to run the programs of the build";
    match command.is_buildkit {
        true => format!(
            "\nOne image for several platforms is made by Docker with the containerd image store, or by a builder\n\
             that `docker buildx create --use` makes. Other builders make one at a time: `--platform={first}`,\n\
             {others}; {needs}.\n"
        ),
        false => format!("\nThe command builds for {first}; for the others, name {others} in it: {needs}.\n"),
    }
}
