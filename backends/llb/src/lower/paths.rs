//! Paths as BuildKit compares them.

use std::borrow::Cow;

use cogpack_backends_contract::Unsupported;
use cogpack_backends_contract::image_config::open_variable;
use cogpack_ir::plan::{Spanned, Template};

/// The text of a template.
pub(super) fn literal(template: &Spanned<Template>) -> Result<Cow<'_, str>, Unsupported> {
    template.as_literal().ok_or_else(|| open_variable(crate::NAME, template.as_written(), template.span))
}

/// The text of a template that is a path, absolute and without detours: relative ones (they are
/// relative to the root of an input) gain a `/`, doubled slashes, `.` and trailing slashes go.
pub(crate) fn path(template: &Spanned<Template>) -> Result<Cow<'_, str>, Unsupported> {
    literal(template).map(clean)
}

/// The same for a text.
pub(super) fn clean(path: Cow<'_, str>) -> Cow<'_, str> {
    let is_clean = path == "/"
        || path.starts_with('/') && path[1..].split('/').all(|part| !part.is_empty() && part != ".");
    if is_clean {
        return path;
    }
    let parts = path.split('/').filter(|part| !part.is_empty() && *part != ".");
    let cleaned: String = parts.flat_map(|part| ["/", part]).collect();
    if cleaned.is_empty() { Cow::Borrowed("/") } else { Cow::Owned(cleaned) }
}

/// The directory of a clean path, and the name in it; `None` for the root.
pub(crate) fn split(path: &str) -> Option<(&str, &str)> {
    match path.rsplit_once('/') {
        Some((_, "")) | None => None,
        Some(("", name)) => Some(("/", name)),
        Some(parts) => Some(parts),
    }
}

/// `directory` with a slash at its end.
pub(crate) fn with_slash(directory: &str) -> Cow<'_, str> {
    if directory.ends_with('/') { Cow::Borrowed(directory) } else { Cow::Owned(format!("{directory}/")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lose_their_detours() {
        for (written, cleaned) in [
            ("", "/"),
            (".", "/"),
            ("/", "/"),
            ("//", "/"),
            ("a", "/a"),
            ("./a/b/", "/a/b"),
            ("/a//b/./c", "/a/b/c"),
            ("/a/.b", "/a/.b"),
        ] {
            assert_eq!(clean(written.into()), cleaned, "{written}");
        }
    }

    #[test]
    fn paths_are_split_at_the_last_slash() {
        assert_eq!(split("/"), None);
        assert_eq!(split("/a"), Some(("/", "a")));
        assert_eq!(split("/a/b"), Some(("/a", "b")));
        assert_eq!(with_slash("/"), "/");
        assert_eq!(with_slash("/a"), "/a/");
    }
}
