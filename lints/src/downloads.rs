//! Downloads in a script that nothing compares with what was meant.

use cogpack_ir::finding::Place;
use miette::Diagnostic;

use crate::Lint;
use crate::look::Look;
use crate::repair::Repair;
use cogpack_ir::shell::Command;

/// A download that is not checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum DownloadFinding {
    /// A script downloads, and compares nothing.
    #[error("what `{program}` downloads is compared with nothing: the server decides what is in the image")]
    #[diagnostic(
        code("lint::download::checksum"),
        severity(Warning),
        help(
            "declare the file, `context @file = http \"…\" {{ checksum sha256:… }}`, and copy or mount it; or compare \
             it in the script: `echo \"HASH  FILE\" | sha256sum -c`"
        )
    )]
    NotCompared {
        /// `curl` or `wget`.
        program: String,
        /// The command.
        #[label("no checksum and no signature of this is looked at")]
        place: Place,
    },
}

/// Programs that compare a file with what was meant.
const COMPARES: [&str; 16] = [
    "sha256sum",
    "sha512sum",
    "sha384sum",
    "sha224sum",
    "sha1sum",
    "md5sum",
    "b2sum",
    "shasum",
    "sha256",
    "cksum",
    "gpg",
    "gpgv",
    "openssl",
    "cosign",
    "minisign",
    "rpm",
];

pub(crate) fn check(look: &Look<'_>, lints: &mut Vec<Lint>) {
    for step in look.stages.iter().flat_map(|stage| &stage.steps) {
        if step.commands.iter().any(|command| COMPARES.contains(&command.name.as_str())) {
            continue;
        }
        for command in step.commands.iter().filter(|command| downloads(command)) {
            let place = step.place(look.text, &command.extent);
            lints.push(Lint::new(
                DownloadFinding::NotCompared { program: command.name.clone(), place },
                &step.scopes,
                Repair::none("what the file must hash to only its author knows"),
            ));
        }
    }
}

/// Whether a command fetches what a server has.
fn downloads(command: &Command) -> bool {
    let asks_only = match command.name.as_str() {
        "curl" => command.has("--head") || command.has_letter('I', "--head"),
        "wget" => command.has("--spider"),
        _ => return false,
    };
    let is_address = |text: &str| {
        let rest = ["https://", "http://", "ftp://"].iter().find_map(|scheme| text.strip_prefix(scheme));
        rest.is_some_and(|rest| {
            !["localhost", "127.0.0.1", "[::1]"].iter().any(|host| rest.starts_with(host))
        })
    };
    // What is sent somewhere is no download that an image is made of.
    let sends = [
        "-d",
        "--data",
        "--data-binary",
        "-F",
        "--form",
        "-T",
        "--upload-file",
        "--post-data",
        "--post-file",
    ];
    !asks_only
        && !sends.iter().any(|option| command.has(option))
        && command.arguments.iter().any(|word| is_address(&word.text))
}
