//! The file of an `http` context, for whoever builds without a daemon: fetched like a locked package, and
//! compared with the hash that the plan has. Where it has none, the server is asked each time, as a daemon
//! asks it, and nothing is kept.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

use cogpack_backends_contract::content::{Content, ContextFile, Stamp};
use cogpack_backends_contract::listed::Listed;
use cogpack_backends_contract::tree::{Attributes, Ids, Node, PathProblem, Tree, components};
use cogpack_content::Digest;
use cogpack_ir::plan::context::{HttpContext, LockedFile};
use cogpack_ir::plan::{InputName, Mode, Span};

use crate::locked;
use crate::places::{LookupError, Places};
use crate::problem::{Kind, PackageError, PackageProblem, way_to_a_download};
use crate::web::WebError;

/// A file that was fetched.
#[derive(Debug)]
pub struct Download {
    name: String,
    mode: Mode,
    digest: Digest,
    size: u64,
    file: File,
}

impl Download {
    /// Gets the file of a context that is at `span` of the plan.
    pub fn get(http: &HttpContext, span: Span, places: &Places) -> Result<Self, PackageError> {
        let address = http.url.split(['?', '#']).next().unwrap_or_default();
        let last = address.rsplit('/').next().unwrap_or_default();
        // An address without a last part is refused before by `cpk::context::file-name`.
        let name = http.name.as_ref().map_or(last, |name| name.as_str()).to_owned();
        let got = match http.checksum {
            Some(digest) => {
                let locked = LockedFile { digest: Some(digest), url: Some(http.url.clone()), span };
                locked::get(Kind::Downloads, &name, "", &locked, places).map(|file| (file, digest))
            }
            None => places
                .get_unlocked(&http.url)
                .map_err(|source| PackageError::Machine { file: name.clone(), source }),
        };
        let (file, digest) = got.map_err(|error| match error {
            PackageError::Machine { file, source: LookupError::Web(source) } => {
                let (why, way_out) = (with_cause(&source), way_to_a_download(last));
                PackageProblem::Download { file, why, way_out, span: http.url.span }.into()
            }
            error @ (PackageError::Machine { .. } | PackageError::Plan(_)) => error,
        })?;
        let of_disk = |source| PackageError::Machine {
            file: name.clone(),
            source: LookupError::Disk { path: name.as_str().into(), source },
        };
        let size = file.metadata().map_err(of_disk)?.len();
        Ok(Self { mode: http.mode.unwrap_or(Mode::FILE), digest, size, file, name })
    }

    /// The tree of the context that has this name.
    pub fn tree(&self, context: &InputName) -> Result<Tree<Content>, PathProblem> {
        let mut tree = Tree::empty();
        let content = Content::Context(Listed::from(ContextFile {
            context: context.clone(),
            path: self.name.as_bytes().to_vec(),
            size: self.size,
            linked: false,
            stamp: Stamp::Digest(self.digest),
        }));
        let attributes = Attributes { mode: self.mode, ids: Ids::ROOT };
        tree.insert(&components(self.name.as_bytes()), Node::File { attributes, content })?;
        Ok(tree)
    }

    /// Opens it.
    pub fn open(&self) -> Box<dyn Read + '_> {
        Box::new(FromStart { file: &self.file, offset: 0 })
    }
}

fn with_cause(error: &WebError) -> String {
    match error {
        WebError::Status { .. } => error.to_string(),
        WebError::Transport { source, .. } => format!("{error}: {source}"),
    }
}

/// Reads a file from its start, whoever else reads it.
struct FromStart<'f> {
    file: &'f File,
    offset: u64,
}

impl Read for FromStart<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.offset)?;
        self.offset += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use cogpack_io_store::Store;
    use cogpack_ir::plan::Spanned;
    use miette::Diagnostic as _;

    use super::*;
    use crate::places::Index;
    use crate::web::Web;

    #[test]
    fn a_server_that_gives_nothing_is_told_where_the_plan_names_the_file() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
        let address = listener.local_addr().expect("has an address");
        // Nobody listens there any more.
        drop(listener);
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let store = Store::open(&folder.path().join("store")).expect("can be made");
        let places = Places { store, directories: Vec::new(), index: Index::Nothing, web: Web::new() };
        let span = Span::new(7, 31);
        let problems_of = |file: &str| {
            let url = Spanned { value: format!("http://{address}/{file}"), span };
            let http = HttpContext { url, checksum: None, name: None, mode: None };
            match Download::get(&http, Span::NOWHERE, &places) {
                Err(PackageError::Plan(problems)) => problems,
                Err(error) => panic!("{error}"),
                Ok(_) => panic!("nobody gives it"),
            }
        };
        let help = |problem: &PackageProblem| problem.help().map(|help| help.to_string()).unwrap_or_default();
        let of_python = problems_of("cpython-3.9.25%2B20251031-x86_64-install_only_stripped.tar.gz?login=no");
        assert!(help(&of_python[0]).starts_with("UV_PYTHON_INSTALL_MIRROR "), "{of_python:?}");
        let problems = problems_of("tool.bin");
        assert!(help(&problems[0]).starts_with("see what `curl -I` says"), "{problems:?}");
        let told: Vec<_> = problems
            .iter()
            .map(|problem| (problem.code().map(|code| code.to_string()), problem.to_string()))
            .collect();
        let [(code, words)] = &told[..] else { panic!("{told:?}") };
        assert_eq!(code.as_deref(), Some("cpk::packages::download"));
        assert!(words.starts_with("`tool.bin` cannot be fetched: "), "{words}");
        let place = problems[0].labels().into_iter().flatten().next().expect("has a place");
        assert_eq!((place.offset(), place.len()), (7, 24));
    }
}
