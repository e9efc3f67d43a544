//! What is wrong with a store.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use cogpack_content::Digest;

use crate::failure::{StoreError, disk};
use crate::gc::{digest_of, is_named_by_digest, left_by, remove_if_there};
use crate::layers::blob_of;
use crate::marks;
use crate::store::Store;
use crate::usage::listed;
use crate::whole;

/// Something that is not as it was kept. The names are those of files below the store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Fault {
    /// A part whose files are not those that were kept.
    #[error("`parts/{0}` is damaged: what is in it is not what was kept")]
    Part(String),
    /// A blob of other bytes.
    #[error("`blobs/sha256/{0}` is damaged: its bytes have another digest")]
    Blob(String),
    /// A file that says what a step left, and says nothing that can be understood.
    #[error("`steps/{0}` is damaged: it does not say what the step left")]
    Step(String),
    /// A file that says what a layer was packed into, and says nothing that can be understood.
    #[error("`layers/{0}` is damaged: it does not say what the layer was packed into")]
    Layer(String),
    /// Something that no build puts there.
    #[error("`{0}` is nothing that a store holds")]
    Foreign(String),
}

impl Fault {
    /// Whether taking it away mends the store: it is made anew when it is needed.
    pub fn is_mended_by_removal(&self) -> bool {
        match self {
            Self::Part(_) | Self::Blob(_) | Self::Step(_) | Self::Layer(_) => true,
            Self::Foreign(_) => false,
        }
    }
}

/// A folder of files that say what became of something, how they are read, and what is wrong with
/// one that cannot be.
type Notes = (&'static str, fn(&Path) -> Option<Digest>, fn(String) -> Fault);

impl Store {
    /// What is wrong with it. Of parts the names, owners, modes, sizes and times of all files are
    /// compared with those that were kept; of blobs all bytes are read. What was not yet written when
    /// the machine went down is no fault: nobody takes it for anything.
    pub fn faults(&self) -> Result<Vec<Fault>, StoreError> {
        let mut faults = Vec::new();
        for path in listed(&self.folder("parts"))? {
            let name = shown(&path);
            let is_mark = path.extension().is_some_and(|extension| extension == "mark");
            if !is_named_by_digest(&path.with_extension("")) || path.is_dir() == is_mark {
                faults.push(Fault::Foreign(format!("parts/{name}")));
            } else if let Some(mark) = self.whole(&path).filter(|_| !is_mark)
                && marks::seal(&path).map_err(disk("list", &path))? != mark.seal
            {
                faults.push(Fault::Part(name));
            }
        }
        for path in listed(&self.folder("blobs/sha256"))? {
            match digest_of(&path).filter(|_| path.is_file()) {
                None => faults.push(Fault::Foreign(format!("blobs/sha256/{}", shown(&path)))),
                Some(digest) if read(&path).map_err(disk("read", &path))? != digest => {
                    faults.push(Fault::Blob(shown(&path)));
                }
                Some(_) => {}
            }
        }
        let notes: [Notes; 2] = [("steps", left_by, Fault::Step), ("layers", blob_of, Fault::Layer)];
        for (folder, told, fault) in notes {
            for path in listed(&self.folder(folder))? {
                if !is_named_by_digest(&path) {
                    faults.push(Fault::Foreign(format!("{folder}/{}", shown(&path))));
                } else if told(&path).is_none() && fs::metadata(&path).is_ok_and(|file| file.len() > 0) {
                    // An empty one was not yet written when the machine went down.
                    faults.push(fault(shown(&path)));
                }
            }
        }
        faults.sort();
        Ok(faults)
    }

    /// Takes away what is damaged. To be asked of a store that was opened alone.
    pub fn mend(&self, faults: &[Fault]) -> Result<(), StoreError> {
        for fault in faults {
            let (folder, name) = match fault {
                Fault::Part(name) => {
                    self.remove_part(&self.folder("parts").join(name))?;
                    continue;
                }
                Fault::Blob(name) => ("blobs/sha256", name),
                Fault::Step(name) => ("steps", name),
                Fault::Layer(name) => ("layers", name),
                Fault::Foreign(_) => continue,
            };
            let path = self.folder(folder).join(name);
            remove_if_there(&path).map_err(disk("remove", &path))?;
        }
        Ok(())
    }
}

fn shown(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn read(path: &Path) -> io::Result<Digest> {
    whole::digest_of(&File::open(path)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_damaged_is_told_and_taken_away() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let store = Store::open(folder.path()).expect("can be made");
        let (part, blob, step) = (Digest::of(b"part"), Digest::of(b"blob"), Digest::of(b"step"));
        let work = store.work().expect("can be made");
        let made = work.path().join("made");
        fs::create_dir(&made).expect("can be made");
        fs::write(made.join("file"), "text").expect("can be written");
        let kept = store.keep_part(&part, &made).expect("can be kept");
        store.remember(&step, &part, &work).expect("can be written");
        fs::write(&made, "blob").expect("can be written");
        store.keep_blob(&blob, &made).expect("can be kept");
        assert_eq!(store.faults().expect("can be read"), []);
        fs::remove_file(kept.join("file")).expect("is there");
        let path = |name: &str| folder.path().join(name);
        fs::write(path("blobs/sha256").join(blob.hex()), "blab").expect("can be written");
        fs::write(path("steps").join(step.hex()), "sha256:").expect("can be written");
        fs::write(path("parts/notes"), "").expect("can be written");
        // As a machine that went down leaves it.
        fs::write(path("steps").join(part.hex()), "").expect("can be written");
        let faults = store.faults().expect("can be read");
        let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
        let expected = [
            format!("`parts/{}` is damaged: what is in it is not what was kept", part.hex()),
            format!("`blobs/sha256/{}` is damaged: its bytes have another digest", blob.hex()),
            format!("`steps/{}` is damaged: it does not say what the step left", step.hex()),
            "`parts/notes` is nothing that a store holds".to_owned(),
        ];
        assert_eq!(told, expected);
        store.mend(&faults).expect("can be removed");
        assert_eq!(store.faults().expect("can be read"), faults[3..]);
        assert!(store.part(&part).is_none() && path("parts/notes").exists());
    }
}
