//! `PIP_FIND_LINKS` and `UV_FIND_LINKS`: where packages are beside those of an index, for whoever locks
//! and for whoever fetches what is locked.
//!
//! Each list is read as its own tool reads it. pip divides at white space, takes `~` for the home
//! directory, and passes over what is not there; uv divides at commas, takes each entry as it stands, and
//! refuses what is not there. A relative path goes from the directory on in which `cogpackc` was called.

use std::fmt;
use std::path::{Path, PathBuf};

use url::Url;

/// The places, in the order in which they are looked into: pip's before uv's.
#[derive(Clone, Default)]
pub struct FindLinks(Vec<Link>);

#[derive(Clone)]
struct Link {
    /// A directory, or an address, which may hold a login.
    text: String,
    /// Whether it is passed over where it is no directory.
    may_be_missing: bool,
}

/// What an entry names.
enum Place {
    Directory(PathBuf),
    Address(Url),
}

impl FindLinks {
    /// What the two variables say; `home` is the user's home directory.
    pub fn of(pip: Option<&str>, uv: Option<&str>, home: Option<&Path>) -> Self {
        let at_home = |entry: &str| {
            let rest = entry.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with('/'))?;
            Some(match rest.trim_start_matches('/') {
                "" => home?.to_string_lossy().into_owned(),
                below => home?.join(below).to_string_lossy().into_owned(),
            })
        };
        let of_pip = pip.unwrap_or_default().split_whitespace();
        let of_pip = of_pip.map(|entry| at_home(entry).unwrap_or_else(|| entry.to_owned()));
        let of_pip = of_pip.map(|text| Link { text, may_be_missing: true });
        let of_uv = uv.unwrap_or_default().split(',').filter(|entry| !entry.is_empty());
        let of_uv = of_uv.map(|entry| Link { text: entry.to_owned(), may_be_missing: false });
        Self(of_pip.chain(of_uv).collect())
    }

    /// Lets a directory be looked into before all others.
    pub fn put_first(&mut self, directory: &Path) {
        let text = directory.to_string_lossy().into_owned();
        self.0.insert(0, Link { text, may_be_missing: true });
    }

    /// Those that are directories; relative ones are below `here`.
    pub fn directories(&self, here: &Path) -> Vec<PathBuf> {
        let directories = self.0.iter().filter_map(|link| match link.place(here) {
            Place::Directory(path) => Some(path).filter(|path| path.is_dir()),
            Place::Address(_) => None,
        });
        directories.collect()
    }

    /// What `UV_FIND_LINKS` has to say for uv to look into all of them, wherever it runs; nothing where
    /// there are none.
    pub fn for_uv(&self, here: &Path) -> Option<String> {
        let addresses = self.0.iter().filter_map(|link| match link.place(here) {
            Place::Directory(path) if link.may_be_missing && !path.is_dir() => None,
            // One that is not absolute has been joined with one that is.
            Place::Directory(path) => Url::from_file_path(path).ok(),
            Place::Address(address) => Some(address),
        });
        // It divides at commas before it reads addresses.
        let entries: Vec<String> = addresses.map(|address| address.as_str().replace(',', "%2C")).collect();
        Some(entries.join(",")).filter(|list| !list.is_empty())
    }
}

impl Link {
    fn place(&self, here: &Path) -> Place {
        let is_address = self.text.starts_with("file:") || self.text.contains("://");
        match Url::parse(&self.text).ok().filter(|_| is_address) {
            Some(address) if address.scheme() == "file" => match address.to_file_path() {
                Ok(path) => Place::Directory(path),
                Err(()) => Place::Address(address),
            },
            Some(address) => Place::Address(address),
            None => Place::Directory(here.join(&self.text)),
        }
    }
}

impl fmt::Debug for FindLinks {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} places", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is looked into and what uv is told, in a folder that has `one`, `two words` and `a,b`.
    fn read(pip: &str, uv: &str) -> (String, String) {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path().canonicalize().unwrap();
        for directory in ["one", "two words", "a,b", "home/own"] {
            std::fs::create_dir_all(here.join(directory)).unwrap();
        }
        let home = here.join("home");
        let (pip, uv) = [pip, uv].map(|list| list.replace("HERE", here.to_str().unwrap())).into();
        let links = FindLinks::of(Some(&pip), Some(&uv), Some(&home));
        let shown = |text: &str| text.replace(here.to_str().unwrap(), "HERE");
        let directories = links.directories(&here);
        let directories: Vec<String> = directories.iter().map(|path| shown(path.to_str().unwrap())).collect();
        (directories.join(" | "), shown(&links.for_uv(&here).unwrap_or_default()))
    }

    #[test]
    fn each_list_is_read_as_its_tool_reads_it_and_both_go_to_uv() {
        let answer = |directories: &str, uv: &str| (directories.to_owned(), uv.to_owned());
        // Both, pip's first, and relative ones from here on.
        assert_eq!(
            read("one\n HERE/one", "two words,HERE/one"),
            answer(
                "HERE/one | HERE/one | HERE/two words | HERE/one",
                "file://HERE/one,file://HERE/one,file://HERE/two%20words,file://HERE/one"
            )
        );
        // A comma divides for uv alone, a space for pip alone.
        assert_eq!(read("a,b", ""), answer("HERE/a,b", "file://HERE/a%2Cb"));
        assert_eq!(read("two words", ""), answer("", ""));
        assert_eq!(read("", "one, one"), answer("HERE/one", "file://HERE/one,file://HERE/%20one"));
        // What is not there is nothing to pip, and for uv to refuse.
        assert_eq!(read("none", "none,"), answer("", "file://HERE/none"));
        // The home directory is a word of pip's.
        assert_eq!(
            read("~/own ~", ""),
            answer("HERE/home/own | HERE/home", "file://HERE/home/own,file://HERE/home")
        );
        assert_eq!(read("", "~/own"), answer("", "file://HERE/~/own"));
        // Addresses are asked by uv, and the lock says where a file of theirs is.
        assert_eq!(
            read("https://files.example/a,b/ file://HERE/two%20words", "https://files.example/page"),
            answer(
                "HERE/two words",
                "https://files.example/a%2Cb/,file://HERE/two%20words,https://files.example/page"
            )
        );
        assert_eq!(read("", ""), answer("", ""));
    }

    #[test]
    fn what_was_found_goes_first_and_no_login_is_shown() {
        let folder = tempfile::tempdir().unwrap();
        let mut links = FindLinks::of(Some("https://name:word@files.example/"), Some("."), None);
        links.put_first(folder.path());
        assert_eq!(links.directories(folder.path())[0], folder.path());
        assert_eq!(format!("{links:?}"), "3 places");
    }
}
