//! Asks a package index where a file is: the simple repository API, as JSON (PEP 691) or, where an
//! index has only that, as HTML (PEP 503).

use std::io::{self, Read};

use serde::Deserialize;
use url::Url;

use crate::web::{Web, WebError};

/// What is asked for, the better first.
const ACCEPTED: &str =
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";
/// The longest page of a project with thousands of files has some ten megabytes.
const LONGEST_PAGE: u64 = 128 << 20;

#[derive(Deserialize)]
struct Page {
    files: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    filename: String,
    url: String,
}

/// Where the file of a project is; nothing where the index has no such file.
pub fn find(web: &Web, index: &Url, project: &str, file: &str) -> Result<Option<Url>, WebError> {
    let mut page = index.clone();
    if let Ok(mut path) = page.path_segments_mut() {
        path.pop_if_empty().extend([project, ""]);
    }
    let found = web.get(&page, ACCEPTED, |answer| {
        let mut text = String::new();
        answer.take(LONGEST_PAGE + 1).read_to_string(&mut text)?;
        if text.len() as u64 > LONGEST_PAGE {
            return Err(io::Error::other("its page of files has no end"));
        }
        Ok(file_on(&page, &text, file))
    });
    match found {
        Err(WebError::Status { status: 404, .. }) => Ok(None),
        found => found,
    }
}

/// The address of a file on a page, which may be relative to the page's.
fn file_on(page: &Url, text: &str, file: &str) -> Option<Url> {
    let address = match serde_json::from_str::<Page>(text) {
        Ok(known) => known.files.into_iter().find(|known| known.filename == file)?.url,
        Err(_) => anchors(text).find(|(_, name)| *name == file)?.0.replace("&amp;", "&"),
    };
    page.join(&address).ok()
}

/// The anchors of a page: each one's address and text.
fn anchors(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split("<a ").skip(1).filter_map(|anchor| {
        let (opening, rest) = anchor.split_once('>')?;
        let (name, _) = rest.split_once("</a>")?;
        let after = opening.split_once("href=")?.1;
        let quote = after.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        let (address, _) = after[1..].split_once(quote)?;
        Some((address, name.trim()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, file: &str) -> Option<String> {
        let page = Url::parse("https://example.org/simple/demo/").expect("is an address");
        file_on(&page, text, file).map(|url| url.to_string())
    }

    #[test]
    fn a_file_is_found_on_a_page_of_either_kind() {
        let json = r#"{"meta": {"api-version": "1.0"}, "name": "demo", "files": [
            {"filename": "demo-1.0.tar.gz", "url": "https://files.example.org/1", "hashes": {}},
            {"filename": "demo-1.0-py3-none-any.whl", "url": "../../files/demo.whl", "hashes": {}}]}"#;
        let html = "<!DOCTYPE html><body>
            <a data-yanked='' href='https://files.example.org/1'>demo-1.0.tar.gz</a>
            <a href=\"../../files/demo.whl?a=1&amp;b=2#sha256=aa\">demo-1.0-py3-none-any.whl</a></body>";
        let wheel = "demo-1.0-py3-none-any.whl";
        assert_eq!(found(json, wheel).as_deref(), Some("https://example.org/files/demo.whl"));
        assert_eq!(
            found(html, wheel).as_deref(),
            Some("https://example.org/files/demo.whl?a=1&b=2#sha256=aa")
        );
        for page in [json, html, "", "{", "<a href=x>", "<a "] {
            assert_eq!(found(page, "demo-2.0-py3-none-any.whl"), None, "{page}");
        }
    }
}
