//! The distribution, by `os-release(5)`.

use super::{Filesystem, LookError, View};
use crate::entry::Os;

/// The second stands in where the first is missing.
const PLACES: [&str; 2] = ["/etc/os-release", "/usr/lib/os-release"];

pub(super) fn read<F: Filesystem>(view: &View<'_, F>) -> Result<Option<Os>, LookError<F::Error>> {
    for place in PLACES {
        if let Some(text) = view.text(place)? {
            return Ok(os(&text));
        }
    }
    Ok(None)
}

fn os(text: &str) -> Option<Os> {
    let value = |key: &str| {
        let mut values = text.lines().filter_map(|line| line.trim().strip_prefix(key)?.strip_prefix('='));
        values.next_back().map(unquoted).filter(|value| !value.is_empty())
    };
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    let id = value("ID").filter(|id| id.bytes().all(is_word))?;
    Some(Os { id, version: value("VERSION_ID").unwrap_or_default(), codename: value("VERSION_CODENAME") })
}

/// A value as a shell reads it, without expansion, which the format does not have.
fn unquoted(value: &str) -> String {
    let value = value.trim();
    let inner = ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
    let mut text = String::new();
    let mut letters = inner.unwrap_or(value).chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => text.extend(letters.next()),
            letter => text.push(letter),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_a_shell_would() {
        let text = "NAME='A b'\nID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=book\\worm\n";
        let expected =
            Os { id: "debian".to_owned(), version: "12".to_owned(), codename: Some("bookworm".to_owned()) };
        assert_eq!(os(text), Some(expected));
        let sid = Os { id: "debian".to_owned(), version: String::new(), codename: None };
        assert_eq!(os("ID=debian\nIDENTITY=x\n"), Some(sid));
        assert_eq!(os("NAME=x\n"), None);
        assert_eq!(os("ID=\"Some System\"\n"), None);
    }
}
