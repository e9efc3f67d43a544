//! That the names of a build's owners were found, as the last build of the same has seen: then a
//! daemon may go on while they are looked up again. They are judged anew each time, so that a build
//! comes to the same with any such note, and without one.

use std::path::Path;

use cogpack_content::Digest;
use cogpack_io_buildkit::looking::Looks;
use cogpack_io_store::Store;

/// The note of a build.
pub struct Note {
    store: Store,
    key: Digest,
    is_there: bool,
}

impl Note {
    /// Finds the note of an earlier build that looked for the same, by the same daemon, and passes on
    /// that there is one. `None` where there is no place for notes.
    pub fn of(store: Option<&Path>, daemon: &str, looks: &mut Looks) -> Option<Self> {
        let store = Store::open(store?).ok()?;
        let key = key(daemon, looks);
        let is_there = store.hint(&key).is_some();
        looks.is_likely = is_there;
        Some(Self { store, key, is_there })
    }

    /// Notes that all was found. To be asked after a build whose image was handed over.
    pub fn keep(self) {
        if !self.is_there {
            // The next build does without.
            drop(self.store.keep_hint(&self.key, ""));
        }
    }
}

/// What a note is about: the daemon, and all definitions of what is looked into. They pin what they
/// start from, so that another base is another note.
fn key(daemon: &str, looks: &Looks) -> Digest {
    let mut about = daemon.as_bytes().to_vec();
    for look in looks.rounds.iter().flatten() {
        about.push(b'\n');
        about.extend_from_slice(Digest::of(&look.definition).hex().as_bytes());
    }
    Digest::of(&about)
}

#[cfg(test)]
mod tests {
    use cogpack_io_buildkit::looking::Look;

    use super::*;

    fn looks(definition: &[u8]) -> Looks {
        let look = Look { definition: definition.to_vec(), files: vec!["/etc/passwd".to_owned()] };
        Looks { rounds: vec![vec![look]], accept: Box::new(|_, _| true), is_likely: false }
    }

    #[test]
    fn the_next_build_that_looks_for_the_same_knows_that_it_was_found() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let is_likely = |daemon, definition: &[u8], is_kept: bool| {
            let mut looks = looks(definition);
            let note = Note::of(Some(folder.path()), daemon, &mut looks).expect("there is a place");
            if is_kept {
                note.keep();
            }
            looks.is_likely
        };
        // A build that was refused keeps nothing.
        assert!(!is_likely("unix:///d", b"one", false));
        assert!(!is_likely("unix:///d", b"one", true));
        assert!(is_likely("unix:///d", b"one", true));
        // Others have another definition, or another daemon.
        assert!(!is_likely("unix:///d", b"other", false));
        assert!(!is_likely("unix:///e", b"one", false));
    }

    #[test]
    fn without_a_place_nothing_is_known() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let file = folder.path().join("file");
        std::fs::write(&file, "").expect("can be written");
        let mut looks = looks(b"one");
        assert!(Note::of(None, "unix:///d", &mut looks).is_none());
        assert!(Note::of(Some(&file), "unix:///d", &mut looks).is_none() && !looks.is_likely);
    }
}
