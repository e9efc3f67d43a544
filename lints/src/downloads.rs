//! Downloads in a script that nothing compares with what was meant.
//!
//! Mended is a call that names one file: what it fetches is fetched once, hashed, and compared right behind the
//! download from then on, in the same script.
//!
//! ```text
//! curl -fsSLo /usr/bin/tool URL && chmod 755 /usr/bin/tool
//! ⇒
//! curl -fsSLo /usr/bin/tool URL && echo 'HASH  /usr/bin/tool' | sha256sum -c - && chmod 755 /usr/bin/tool
//! ```
//!
//! The same program fetches the file as before, into the same place and with the same mode, for whoever the
//! step runs as; an `http` context would be a file of root's, without what the script does to it before and
//! after. What does not compare fails the step: as part of the last list of commands, whose failing is the
//! script's, or by `exit 1`.

use std::borrow::Cow;
use std::collections::BTreeSet;

use cogpack_ir::finding::Place;
use cogpack_ir::plan::OpKind;
use cogpack_ir::shell::{self, Command, Joint};
use miette::Diagnostic;

use crate::Lint;
use crate::ask::{ANSWER, AskFile, Question};
use crate::fetches::{Fetch, TO_NO_FILE, fetch};
use crate::look::{Look, StepLook};
use crate::repair::{Edit, NOT_IN_JSON, Repair};

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
        let Some(compared) = compared(step) else { continue };
        for command in step.commands.iter().filter(|command| downloads(command)) {
            if !compared.is_empty() && is_perhaps_compared(step, command, &compared) {
                continue;
            }
            let place = step.place(look.text, &command.extent);
            lints.push(Lint::new(
                DownloadFinding::NotCompared { program: command.name.clone(), place },
                &step.scopes,
                repair(look, step, command),
            ));
        }
    }
}

/// The files that a step compares with hashes that stand in it, as `echo 'HASH  FILE' | sha256sum -c -` does;
/// `None` where something is compared in another way, with whatever was downloaded.
fn compared<'s>(step: &'s StepLook<'_>) -> Option<BTreeSet<&'s str>> {
    let compares = step.commands.iter().filter(|command| COMPARES.contains(&command.name.as_str())).count();
    let files: Vec<&str> = step.commands.iter().filter_map(listed).collect();
    (compares == files.len()).then(|| files.into_iter().collect())
}

/// The file that a command names with its hash.
fn listed(command: &Command) -> Option<&str> {
    let [word] = &command.arguments[..] else { return None };
    let (hash, file) = word.text.split_once("  ")?;
    let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    (command.name == "echo" && command.is_redirected && word.is_literal && is_hash).then_some(file)
}

/// Whether one of these files may be what a command downloads.
fn is_perhaps_compared(step: &StepLook<'_>, command: &Command, compared: &BTreeSet<&str>) -> bool {
    match fetch(command) {
        Ok(fetch) => compared.contains(fetch.file.as_str()),
        // What is piped on is none of them.
        Err(_) => standing(step, command).is_none_or(|standing| standing.after != Some(Joint::Pipe)),
    }
}

/// How a command stands in the script of a step.
fn standing(step: &StepLook<'_>, command: &Command) -> Option<shell::Standing> {
    let OpKind::Run { script, .. } = &step.step.op.kind else { return None };
    command.is_in_script.then(|| shell::standing(script, command.extent.end)).flatten()
}

fn repair(look: &Look<'_>, step: &StepLook<'_>, command: &Command) -> Repair {
    let asked = fetch(command).and_then(|fetch| Ok((comparison(look, step, command, &fetch)?, fetch)));
    match asked {
        Ok((edits, Fetch { url, file, is_followed })) => {
            let what = format!("compares `{file}` behind the download");
            Repair::Ask(Question::File(AskFile { url, is_followed, what, edits }))
        }
        Err(why) => Repair::None(why),
    }
}

/// What compares the file of a download right behind it, with [`ANSWER`] for the digits of its hash.
fn comparison(
    look: &Look<'_>,
    step: &StepLook<'_>,
    command: &Command,
    fetch: &Fetch,
) -> Result<Vec<Edit>, Cow<'static, str>> {
    if !look.text.can_be_changed() {
        return Err(NOT_IN_JSON.into());
    }
    let OpKind::Run { script, .. } = &step.step.op.kind else {
        return Err("without a shell nothing can stand behind it: write the step as a `run`".into());
    };
    let standing = standing(step, command).ok_or("it stands in a script within the script")?;
    if standing.after == Some(Joint::Pipe) {
        return Err(TO_NO_FILE.into());
    }
    if standing.is_redirected || standing.before == Some(Joint::Pipe) {
        return Err("something else is done with what it reads or writes".into());
    }
    if standing.is_nested {
        return Err(
            "it stands in a group, a branch or a loop of the script, which may go on where it fails".into()
        );
    }
    if standing.has_alternative {
        return Err("the script has another way, by `||`, where it fails".into());
    }
    if standing.after == Some(Joint::Background) {
        return Err("it runs in the background, so that nothing is right behind it".into());
    }
    let compares = format!("echo '{ANSWER}  {}' | sha256sum -c -", fetch.file);
    let is_last = matches!(standing.after, None | Some(Joint::Next | Joint::Open | Joint::Close));
    let is_first = matches!(standing.before, None | Some(Joint::Next | Joint::Background));
    let (before, behind) = match (standing.is_in_last_list, is_last, is_first) {
        (true, _, _) => ("", format!(" && {compares}")),
        (false, false, _) => ("", format!(" && {{ {compares} || exit 1; }}")),
        // So that `set -e` still sees that the download fails.
        (false, true, true) => ("", format!("; {compares} || exit 1")),
        (false, true, false) => ("{ ", format!("; {compares} || exit 1; }}")),
    };
    let place = |at: Option<usize>| at.ok_or("its string is written in a way that is not followed");
    let mut edits = Vec::new();
    if !before.is_empty() {
        let at = place(look.text.before(script.span, script, standing.extent.start))?;
        edits.push(Edit::insert(at, before.to_owned()));
    }
    edits.push(Edit::insert(place(look.text.behind(script.span, script, standing.extent.end))?, behind));
    Ok(edits)
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
