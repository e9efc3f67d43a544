//! The list of the image loaders of gdk-pixbuf, which its program makes by asking each of them.
//!
//! What the loaders of Debian answer is written down in `image-loaders.txt`. A loader that is not
//! there, or that has not the names in it that it would answer, is known to nobody.

use std::io;

use crate::package::Package;
use crate::root::{Bytes, Root, shown};

const KNOWN: &str = include_str!("image-loaders.txt");

/// Where the loaders are, below a directory of libraries.
const LOADERS: &str = "/gdk-pixbuf-2.0/2.10.0/loaders/";

/// Makes the list. Gives the path of a loader of which nobody knows what it would answer.
pub fn make(root: &mut Root, packages: &[Package], bytes: &dyn Bytes) -> io::Result<Option<String>> {
    let is_loader = |path: &&String| path.contains(LOADERS) && path.ends_with(".so");
    let paths: Vec<String> = root.placed.keys().map(|path| shown(path)).filter(|it| is_loader(&it)).collect();
    let Some(first) = paths.first() else { return Ok(None) };
    let folder = first.split_once(LOADERS).map_or("", |(folder, _)| folder);
    let list = format!("{folder}{}.cache", LOADERS.trim_end_matches('/'));
    let version = packages.iter().find(|package| package.name.package.starts_with("libgdk-pixbuf-2.0-0"));
    let version = version.and_then(|package| package.control.get("Version")).unwrap_or("");
    let version = version.split(['+', '-']).next().unwrap_or(version);
    let mut text = format!(
        "# GdkPixbuf Image Loader Modules file\n# Automatically generated file, do not edit\n\
         # Created by gdk-pixbuf-query-loaders from gdk-pixbuf-{version}\n#\n"
    );
    for path in &paths {
        let name = path.rsplit('/').next().unwrap_or(path);
        let program = root.read(path.as_bytes(), bytes)?.unwrap_or_default();
        let Some(answer) = answer_of(name).filter(|answer| says(&program, answer)) else {
            return Ok(Some(path.clone()));
        };
        text.push_str(&format!("\"/{path}\"\n{answer}\n\n"));
    }
    text.push('\n');
    root.make(&list, text);
    Ok(None)
}

/// What a loader answers, by the name of its file.
fn answer_of(name: &str) -> Option<&'static str> {
    KNOWN.split("\n\n").map(str::trim_end).find_map(|block| block.strip_prefix(name)?.strip_prefix('\n'))
}

/// Whether all words that a loader would answer, up to how its files begin, stand in its program.
fn says(program: &[u8], answer: &str) -> bool {
    let words = answer.lines().take(3).flat_map(|line| line.split('"').skip(1).step_by(2));
    words.filter(|word| !word.is_empty() && *word != "gdk-pixbuf").all(|word| {
        let word = [word.as_bytes(), &[0]].concat();
        program.windows(word.len()).any(|there| there == word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loader_is_known_by_its_name_and_by_what_it_has_in_it() {
        let answer = answer_of("libpixbufloader-gif.so").expect("is known");
        assert!(answer.starts_with("\"gif\" 4 ") && answer.ends_with("\"GIF8\" \"\" 100"), "{answer}");
        assert_eq!(answer_of("libpixbufloader-gi"), None);
        assert!(says(b"..gif\0GIF\0LGPL\0image/gif\0..", answer));
        assert!(!says(b"..gif\0GIF\0LGPL\0image/giff\0..", answer));
    }
}
