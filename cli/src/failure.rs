//! A command that could not run, which is not the same as a plan with findings.

use std::error::Error;
use std::io;
use std::path::Path;

use cogpack_backends_oci_direct::layer::LayerWriteError;
use cogpack_io_buildkit::directories::DirectoryFailure;
use cogpack_io_buildkit::exports::{ExportFailure, MAKES_ROOM};
use cogpack_io_layout::blobs::BlobError;
use cogpack_io_layout::layer_tree::LayerError;
use cogpack_io_layout::read::ReadError;
use cogpack_io_layout::write::{MAKES_A_DIRECTORY, WriteError};
use cogpack_io_project::files::WriteError as FileError;
use cogpack_io_project::walk::WalkError;

/// Why a command could not run.
#[derive(Debug)]
pub struct Failure {
    /// What was attempted on what, and what came of it: lower case, no full stop.
    pub message: String,
    /// What is behind it, outermost first.
    pub causes: Vec<String>,
    /// The way out, where there is one.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure with nothing behind it.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), causes: Vec::new(), hint: None }
    }

    /// A failure with all that is behind `error`, and a way out where the cause alone tells one.
    pub fn of(error: &(dyn Error + 'static)) -> Self {
        let mut causes = Vec::new();
        let mut hint = way_out(error);
        let mut next = error.source();
        let mut said = error.to_string();
        while let Some(cause) = next {
            let text = cause.to_string();
            // Some errors end with what is behind them.
            if !said.ends_with(&text) {
                causes.push(text.clone());
            }
            said = text;
            hint = hint.or_else(|| way_out(cause));
            next = cause.source();
        }
        Self { message: error.to_string(), causes, hint: hint.map(str::to_owned) }
    }

    /// That a directory cannot be made which something is to go into.
    pub fn no_directory(path: &Path, error: &io::Error) -> Self {
        let failure = Self::new(format!("cannot make the directory `{}`: {error}", path.display()));
        Self { hint: unwritten(error.kind()).map(str::to_owned), ..failure }
    }

    /// The same with paths below `directory` as they are written from there: paths that are joined to
    /// it are known by what was joined.
    pub fn seen_from(mut self, directory: &Path) -> Self {
        let Some(directory) = directory.to_str().filter(|text| text.len() > 1) else { return self };
        let (itself, below) = (format!("`{directory}`"), format!("`{directory}/"));
        let mut shorten = |text: &mut String| {
            if text.contains(directory) {
                *text = text.replace(&itself, "`.`").replace(&below, "`");
            }
        };
        shorten(&mut self.message);
        self.causes.iter_mut().for_each(&mut shorten);
        self.hint.iter_mut().for_each(&mut shorten);
        self
    }

    /// The same with a way out.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with one way out more.
    pub fn with_another_way_out(mut self, way: &str) -> Self {
        self.hint = Some(match self.hint {
            Some(hint) => format!("{hint}; {way}"),
            None => way.to_owned(),
        });
        self
    }

    /// The same with ways that there may be.
    pub fn with_other_ways_out<'w>(self, ways: impl IntoIterator<Item = &'w str>) -> Self {
        ways.into_iter().fold(self, Self::with_another_way_out)
    }
}

/// What helps where a file or directory cannot be made at its place.
fn unwritten(kind: io::ErrorKind) -> Option<&'static str> {
    let is_closed = matches!(kind, io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem);
    if is_closed {
        return Some("name a place where whoever runs this may write");
    }
    (kind == io::ErrorKind::NotFound).then_some("make that directory first, or name another place")
}

/// Why nothing can be made at a place, where it is that.
fn kind_of_place(cause: &(dyn Error + 'static)) -> Option<io::ErrorKind> {
    if let Some(FileError { source, .. }) = cause.downcast_ref() {
        return Some(source.kind());
    }
    if let Some(WriteError::Write { attempt: MAKES_A_DIRECTORY, source, .. }) = cause.downcast_ref() {
        return Some(source.kind());
    }
    match cause.downcast_ref() {
        Some(ExportFailure::Write { attempt, source, .. }) if MAKES_ROOM.contains(attempt) => {
            Some(source.kind())
        }
        Some(_) | None => None,
    }
}

/// Whether bytes of an image are not what they were, as far as that can be told.
fn is_damaged(cause: &(dyn Error + 'static)) -> bool {
    if let Some(BlobError::Size { .. } | BlobError::Digest { .. }) = cause.downcast_ref() {
        return true;
    }
    let of_image = cause.downcast_ref().or_else(|| cause.downcast_ref().map(Box::<ReadError>::as_ref));
    match of_image {
        Some(ReadError::Layer { source: LayerError::Tar(_) | LayerError::Behind { .. }, .. }) => true,
        Some(ReadError::Blob(BlobError::Size { .. } | BlobError::Digest { .. })) => true,
        Some(_) | None => false,
    }
}

/// What helps wherever it happens.
fn way_out(cause: &(dyn Error + 'static)) -> Option<&'static str> {
    if let Some(DirectoryFailure::Changed { .. }) = cause.downcast_ref() {
        return Some(
            "build again when nothing writes there any more, or `exclude` from the context what changes by itself",
        );
    }
    if let Some(WriteError::Occupied { .. }) = cause.downcast_ref() {
        return Some("name another place, or move away what is there");
    }
    if let Some(way_out) = kind_of_place(cause).and_then(unwritten) {
        return Some(way_out);
    }
    if is_damaged(cause) {
        return Some(
            "a blob whose `sha256sum` is not its name is damaged where it lies: get that layout or archive again; out \
             of the store `cogpackc store verify --repair` takes what is damaged, and it comes anew",
        );
    }
    let closed = |source: &io::Error| source.kind() == io::ErrorKind::PermissionDenied;
    let is_unreadable = match (cause.downcast_ref(), cause.downcast_ref()) {
        (Some(LayerWriteError::Open { place, source, .. }), _) => {
            place.starts_with("the context") && closed(source)
        }
        (_, Some(WalkError::Read { source, .. })) => closed(source),
        (_, _) => false,
    };
    if is_unreadable {
        return Some(
            "let whoever builds read it, or leave it out of the context: by `exclude`, or by a line of its \
             ignore file",
        );
    }
    let kind = cause.downcast_ref::<io::Error>()?.kind();
    let is_full = matches!(kind, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    is_full.then_some(
        "nothing half written was left: free some of that disk, `cogpackc store gc` among others, or name a \
         place on another one, for the store with `--store DIR` or COGPACK_STORE",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_written_has_a_way_out_by_its_cause() {
        let hint = |kind: io::ErrorKind| {
            let path = "/usr/plan.cpk".into();
            Failure::of(&FileError { path, source: kind.into() }).hint.unwrap_or_default()
        };
        let closed = "name a place where whoever runs this may write";
        assert_eq!(hint(io::ErrorKind::PermissionDenied), closed);
        assert_eq!(hint(io::ErrorKind::ReadOnlyFilesystem), closed);
        assert_eq!(hint(io::ErrorKind::NotFound), "make that directory first, or name another place");
        assert_eq!(hint(io::ErrorKind::Interrupted), "");
        // Only what is made first tells that there is no such place.
        let attempt = |attempt, kind: io::ErrorKind| {
            let path = "/usr/image".into();
            Failure::of(&WriteError::Write { attempt, path, source: kind.into() }).hint
        };
        assert_eq!(attempt(MAKES_A_DIRECTORY, io::ErrorKind::PermissionDenied).as_deref(), Some(closed));
        assert_eq!(attempt("sync", io::ErrorKind::NotFound), None);
        let taken = |attempt| {
            let path = "/usr/image.tar".into();
            let source = io::ErrorKind::PermissionDenied.into();
            Failure::of(&ExportFailure::Write { attempt, path, source }).hint
        };
        assert!(MAKES_ROOM.iter().all(|attempt| taken(attempt).as_deref() == Some(closed)));
        assert_eq!(taken("write"), None);
        let denied = Failure::no_directory(Path::new("out"), &io::ErrorKind::PermissionDenied.into());
        assert_eq!(denied.hint.as_deref(), Some(closed));
    }
}
