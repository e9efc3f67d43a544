//! Addresses that something is read from: that they are such, and that they hold no password.
//!
//! What stands in an address stands in logs, in histories and in what is told of a build, so a
//! password or token in one is refused wherever the plan would hold it.

use miette::Diagnostic;

use crate::finding::{Finding, Place};
use crate::plan::Spanned;

/// What is wrong with an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum AddressFinding {
    /// An address that what reads it cannot read.
    #[error("`{url}` is not an address that {reader}")]
    #[diagnostic(code(cpk::context::url), help("{way_out}"))]
    Url {
        /// The address.
        url: String,
        /// What would have to read it.
        reader: &'static str,
        /// What to write.
        way_out: &'static str,
        /// The address.
        #[label("nothing can be read from here")]
        place: Place,
    },
    /// An address with a user, a password or a token in it.
    #[error("the address of `{host}` holds {what}, which logs and the history of the image would show")]
    #[diagnostic(code(cpk::context::credentials), help("{way_out}"))]
    Credentials {
        /// The host, without what is told of nobody.
        host: String,
        /// A user or a password.
        what: &'static str,
        /// What to do.
        way_out: &'static str,
        /// The address.
        #[label("take what stands before the `@` away")]
        place: Place,
    },
}

/// What an address of the web is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// The file of an `http` context.
    Download,
    /// A wheel or a Debian package.
    Package,
}

/// Checks an address of the web; whether it is one.
pub(super) fn check_web(url: &Spanned<String>, way: Way, findings: &mut Vec<Finding>) -> bool {
    let (reader, instead) = match way {
        Way::Download => (
            "an `http` context can read",
            "fetch the file in a stage: by a `run` that has the password by `mount secret NAME as env VARIABLE`",
        ),
        Way::Package => (
            "a download can read",
            "leave the address out, and put the file where the machine that builds looks for packages",
        ),
    };
    let place = url.span.place();
    let Some(host) = web_host(url) else {
        let way_out = "write it in full, from `https://` on";
        findings.push(AddressFinding::Url { url: shown(url), reader, way_out, place }.into());
        return false;
    };
    if let Some((_, host)) = host.rsplit_once('@') {
        let (host, what) = (host.to_owned(), "a user or a token");
        findings.push(AddressFinding::Credentials { host, what, way_out: instead, place }.into());
        return false;
    }
    if url.contains('#') {
        let way_out = "take away the `#` and what stands behind it: no server is asked for that";
        findings.push(AddressFinding::Url { url: shown(url), reader, way_out, place }.into());
        return false;
    }
    true
}

/// Checks the address of a repository.
pub(super) fn check_git(url: &Spanned<String>, findings: &mut Vec<Finding>) {
    let (reader, place) = ("git can read", url.span.place());
    let is_blank = |letter: char| letter.is_whitespace() || letter.is_control();
    // A leading dash would be an option to git, not an address.
    let way_out = if url.is_empty() || url.starts_with('-') || url.chars().any(is_blank) {
        "write what `git clone` takes, for instance `https://…`, and a space in it as `%20`"
    } else if url.contains('#') {
        "take away the `#` and what stands behind it: `commit` and `subdir` in the block say it"
    } else {
        return check_user(url, place, findings);
    };
    findings.push(AddressFinding::Url { url: shown(url), reader, way_out, place }.into());
}

/// Checks the part of a repository's address before its `@`: ssh takes a user there, and no
/// protocol needs a password there.
fn check_user(url: &str, place: Place, findings: &mut Vec<Finding>) {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let authority = rest.split('/').next().unwrap_or(rest);
    let Some((user, host)) = authority.rsplit_once('@') else { return };
    let what = match scheme {
        "" | "ssh" | "git+ssh" | "ssh+git" if !user.contains(':') => return,
        "" | "ssh" | "git+ssh" | "ssh+git" => "a password",
        _ => "a user or a token",
    };
    // `host:path`, as ssh has it.
    let host = host.split(':').next().unwrap_or(host).to_owned();
    let way_out = "clone it in a stage: by a `run` that has the token by `mount secret NAME as env VARIABLE`, \
                   or a key by `mount ssh`";
    findings.push(AddressFinding::Credentials { host, what, way_out, place }.into());
}

/// The host of an address of the web, with the user and the port where they are written.
fn web_host(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let printable = !url.chars().any(|letter| letter.is_whitespace() || letter.is_control());
    let host = rest.split(['/', '?', '#']).next()?;
    (printable && !host.is_empty() && !host.starts_with(':')).then_some(host)
}

/// An address as messages quote it: what may be a password is left out.
fn shown(url: &str) -> String {
    let scheme = url.find("://").map_or(0, |at| at + 3);
    let end = url[scheme..].find('/').map_or(url.len(), |length| scheme + length);
    let shown = match url[scheme..end].rfind('@') {
        Some(at) => format!("{}…{}", &url[..scheme], &url[scheme + at..]),
        None => url.to_owned(),
    };
    shown.escape_debug().to_string()
}
