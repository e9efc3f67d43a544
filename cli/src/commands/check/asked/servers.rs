//! Asks servers of files, and of git.

use std::time::{Duration, Instant};

use cogpack_io_packages::git_head::head;
use cogpack_io_packages::hashed::{Bounds, Hashed, hashed};
use cogpack_io_packages::web::Web;
use cogpack_lints::ask::AskFile;
use url::Url;

use super::{Silence, silence};
use crate::console::Console;
use crate::failure::Failure;
use crate::note::Note;
use crate::progress::text;

/// As often as people can read it.
const PAINT_INTERVAL: Duration = Duration::from_millis(100);

/// What a file hashes to.
pub fn file(ask: &AskFile, note: Note, console: &mut Console<'_>) -> Result<Hashed, Silence> {
    let url = address(&ask.url)?;
    let bounds = if ask.is_followed { Bounds::USUAL } else { Bounds::THERE };
    let (mut painted, shown) = (Instant::now(), ask.shown());
    let mut told = |bytes| {
        if painted.elapsed() >= PAINT_INTERVAL {
            painted = Instant::now();
            note.show(&format!("{} of {shown}", text::bytes(bytes)), console);
        }
    };
    hashed(&url, bounds, &mut told).map_err(|error| silence(&Failure::of(&error)))
}

/// The commit that a repository's HEAD is.
pub fn commit(repository: &str) -> Result<String, Silence> {
    let url = address(repository)?;
    head(&url, &Web::new()).map_err(|error| silence(&Failure::of(&error)))
}

fn address(text: &str) -> Result<Url, Silence> {
    let url = Url::parse(text).ok().filter(|url| ["http", "https"].contains(&url.scheme()));
    let url = url.ok_or("only addresses with `http://` or `https://` are asked")?;
    match url.username().is_empty() && url.password().is_none() {
        true => Ok(url),
        false => Err("its address has a login, and none is sent".to_owned()),
    }
}
