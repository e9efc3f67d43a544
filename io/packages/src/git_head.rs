//! Which commit a git server gives to whoever asks for none: the one that its `HEAD` names.
//!
//! Asked is as git's smart protocol over HTTP has it (gitprotocol-http, "Reference Discovery"), without a
//! login. Nothing of the repository is fetched.

use std::io::{self, Read};

use url::Url;

use crate::web::{Web, WebError, without_secrets};

/// Lists of all that has a name, in large repositories, are some megabytes long.
const LONGEST_LIST: u64 = 64 << 20;

/// Why no commit is known.
#[derive(Debug, thiserror::Error)]
pub enum HeadError {
    /// The server.
    #[error(transparent)]
    Web(#[from] WebError),
    /// Its answer.
    #[error("what `{from}` answers is not that of a git server with a HEAD")]
    NoHead {
        /// Who was asked, without what may be secret.
        from: String,
    },
}

/// The commit of a repository's `HEAD`.
pub fn head(repository: &Url, web: &Web) -> Result<String, HeadError> {
    let mut url = repository.clone();
    let path = format!("{}/info/refs", repository.path().trim_end_matches('/'));
    url.set_path(&path);
    url.set_query(Some("service=git-upload-pack"));
    let answer = web.get(&url, "*/*", |answer: &mut dyn Read| {
        let mut bytes = Vec::new();
        answer.take(LONGEST_LIST).read_to_end(&mut bytes)?;
        io::Result::Ok(bytes)
    })?;
    head_of(&answer).ok_or_else(|| HeadError::NoHead { from: without_secrets(repository) })
}

/// `HEAD` stands first among the names, behind a line that tells of the service.
fn head_of(answer: &[u8]) -> Option<String> {
    let mut rest = answer;
    loop {
        let digits = std::str::from_utf8(rest.get(..4)?).ok()?;
        let length = usize::from_str_radix(digits, 16).ok()?;
        // `0000` ends a part of the list.
        let line = rest.get(4..length.max(4))?;
        rest = rest.get(length.max(4)..)?;
        if line.is_empty() || line.starts_with(b"# service=") {
            continue;
        }
        let (commit, name) = std::str::from_utf8(line).ok()?.split_once(' ')?;
        let is_head = name.split(['\0', '\n']).next() == Some("HEAD");
        let is_commit =
            [40, 64].contains(&commit.len()) && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
        return (is_head && is_commit).then(|| commit.to_ascii_lowercase());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> String {
        format!("{:04x}{text}", text.len() + 4)
    }

    #[test]
    fn the_head_is_the_first_name() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        let service = line("# service=git-upload-pack\n") + "0000";
        let named = |name: &str| service.clone() + &line(&format!("{commit} {name}\0multi_ack\n")) + "0000";
        assert_eq!(head_of(named("HEAD").as_bytes()).as_deref(), Some(commit));
        // An empty repository has no HEAD, and a page is no list.
        assert_eq!(head_of(named("capabilities^{}").as_bytes()), None);
        assert_eq!(head_of(named("refs/heads/main").as_bytes()), None);
        for answer in ["", "0000", "<html>not found</html>", "00ff", "zzzz", "0002"] {
            assert_eq!(head_of(answer.as_bytes()), None, "{answer}");
        }
    }
}
