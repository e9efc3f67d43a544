//! The options that a line of a requirements file may be.

use cogpack_ir::suggest::{did_you_mean, nearest};

/// What an option asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Another file of requirements.
    Requirements,
    /// A file of constraints.
    Constraints,
    /// A directory whose changes are seen.
    Editable,
    /// The index instead of the usual one.
    Index,
    /// One index more.
    ExtraIndex,
    /// A directory or a page with files.
    FindLinks,
    /// No index at all.
    NoIndex,
    /// Versions before their release too.
    Prereleases,
    /// Hashes on every line.
    RequireHashes,
    /// Wheels before sources; wheels are taken anyhow.
    PreferBinary,
    /// Packages of which only wheels are taken.
    OnlyBinary,
}

/// An option, as it was found on a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found<'l> {
    /// A known one, with its value.
    Known(Meaning, &'l str, &'l str),
    /// A known one that lacks its value, or has one too many.
    Value(&'l str, &'static str, &'static str),
    /// One of pip that is not taken.
    Refused(&'l str, &'static str, &'static str),
    /// No option of pip.
    Unknown(&'l str, String),
}

const KNOWN: &[(&str, &str, Meaning, &str)] = &[
    ("--requirement", "-r", Meaning::Requirements, "-r more.txt"),
    ("--constraint", "-c", Meaning::Constraints, "-c constraints.txt"),
    ("--editable", "-e", Meaning::Editable, "-e ./library"),
    ("--index-url", "-i", Meaning::Index, "--index-url https://index.example/simple"),
    ("--extra-index-url", "", Meaning::ExtraIndex, "--extra-index-url https://index.example/simple"),
    ("--find-links", "-f", Meaning::FindLinks, "--find-links ./wheels"),
    ("--no-index", "", Meaning::NoIndex, "--no-index"),
    ("--pre", "", Meaning::Prereleases, "--pre"),
    ("--require-hashes", "", Meaning::RequireHashes, "--require-hashes"),
    ("--prefer-binary", "", Meaning::PreferBinary, "--prefer-binary"),
    ("--only-binary", "", Meaning::OnlyBinary, "--only-binary :all:"),
];

const TRUST: (&str, &str) = (
    "a host without a certificate could give anything",
    "serve the index over https with a certificate, or name its own authority where the build runs",
);
const BUILDS: (&str, &str) = (
    "it changes how sources are built, which is done apart",
    "build the wheel yourself, put it into the project, and name it by its path",
);
const REFUSED: &[(&str, (&str, &str))] = &[
    ("--trusted-host", TRUST),
    ("--no-binary", BUILDS),
    ("--global-option", BUILDS),
    ("--install-option", BUILDS),
    ("--build-option", BUILDS),
    ("--config-settings", BUILDS),
    ("--config-setting", BUILDS),
    ("--no-build-isolation", BUILDS),
    ("--use-feature", ("features of one version of pip change nothing here", "take the line away")),
    ("--no-deps", ("a lock holds all that packages need", "take the line away")),
    (
        "--upgrade",
        ("a requirement says which versions there may be", "take the line away, and write versions"),
    ),
    ("--user", ("an image has one place for packages", "take the line away")),
    ("--target", ("an image has one place for packages", "take the line away")),
];

/// The option that a line begins with.
pub(super) fn of(line: &str) -> Found<'_> {
    let line = line.trim();
    let word = line.split_whitespace().next().unwrap_or_default();
    let (option, value) = match word.strip_prefix("--") {
        Some(_) => match line.split_once(['=', ' ', '\t']) {
            Some((option, value)) => (option, value.trim()),
            None => (line, ""),
        },
        // `-rmore.txt` is as good as `-r more.txt`.
        None => match line.char_indices().nth(2) {
            Some((at, _)) => (&line[..at], line[at..].trim().trim_start_matches('=').trim()),
            None => (line, ""),
        },
    };
    let known =
        KNOWN.iter().find(|(long, short, ..)| *long == option || (*short == option && !short.is_empty()));
    if let Some((.., meaning, example)) = known {
        let takes_none = matches!(
            meaning,
            Meaning::NoIndex | Meaning::Prereleases | Meaning::RequireHashes | Meaning::PreferBinary
        );
        return match (takes_none, value) {
            (true, "") => Found::Known(*meaning, option, ""),
            (true, _) => Found::Value(option, "takes no value", example),
            (false, "") => Found::Value(option, "lacks its value", example),
            (false, value) => Found::Known(*meaning, option, unquoted(value)),
        };
    }
    if let Some((_, (why, way_out))) = REFUSED.iter().find(|(long, _)| *long == option) {
        return Found::Refused(option, why, way_out);
    }
    let names = KNOWN.iter().map(|(long, ..)| *long).chain(["--hash"]);
    Found::Unknown(option, did_you_mean(nearest(option, names), "take it away, or write a requirement"))
}

/// How the option that a word begins with is written.
pub(super) fn example(word: &str) -> &'static str {
    let option = word.split('=').next().unwrap_or_default();
    let known = KNOWN.iter().find(|(long, short, ..)| [*long, *short].contains(&option));
    known.map_or("--no-index", |(.., example)| example)
}

fn unquoted(value: &str) -> &str {
    let inner = |quote: char| value.strip_prefix(quote).and_then(|value| value.strip_suffix(quote));
    inner('"').or_else(|| inner('\'')).unwrap_or(value)
}
