//! An image that runs: what its config says, on its own files, by an OCI runtime of this machine.
//!
//! What it writes is thrown away with it, and it has the machine's network.

use std::io::{self, Read};

use cogpack_backends_contract::accounts::{self, Account};
use cogpack_backends_contract::content::{ContentSource, ContextFile, KeptContent, KeptFile};
use cogpack_backends_oci_direct::program::Origin;
use cogpack_io_layout::read::{Layout, StoredImage};
use cogpack_io_runtime::job::{Ended, Job, Mount, Mounted, Network};
use cogpack_io_runtime::run::{Cancel, Output};
use cogpack_io_runtime::{machine, run};
use cogpack_ir::plan::InputName;

use super::Programs;
use super::account::account;
use super::content::Contents;
use super::drive::check_machine;
use super::program::PUBLIC_MODE;
use super::shelf::{Shelf, here};
use crate::failure::BuildError;

/// What a program finds programs by where its image does not say.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// An image whose files are on this machine's disk. What it is to be told may be secrets, so nothing
/// shows it.
pub struct Container {
    programs: Programs,
    job: Job,
}

impl Container {
    /// Unpacks an image, as far as that has not been done before.
    pub fn unpack(programs: Programs, layout: &Layout, image: &StoredImage) -> Result<Self, BuildError> {
        check_machine(&programs, &Cancel::default())?;
        let contents = Contents { contexts: &NoContexts, store: Some(&programs.store) };
        let shelf = Shelf::new(&programs.store, contents, 0);
        let name = InputName::new("image").map_err(here("name an image"))?;
        let base = shelf.add_base(Origin::Base(name.clone()), layout, image)?;
        let config = &image.config;
        let read = |which: Account| {
            accounts::read(which, &base.tree, &contents)
                .map_err(here(format!("read `{}` of the image", which.file())))
        };
        let account = account(config.user.as_deref(), &read(Account::User)?, &read(Account::Group)?)
            .map_err(here("find the user that the image names"))?;
        let place = |path: &str| match base.tree.resolve(path.as_bytes(), true) {
            Ok(real) => Ok([b"/", &real.join(&b'/')[..]].concat()),
            Err(problem) => Err(here(format!("find `{path}` in the image"))(problem)),
        };
        let mut mounts = Vec::new();
        for (target, bytes) in [
            ("/etc/hosts", machine::hosts()),
            ("/etc/resolv.conf", machine::resolver().map_err(here("read /etc/resolv.conf"))?),
        ] {
            let what = Mounted::File { bytes, mode: PUBLIC_MODE };
            mounts.push(Mount { target: place(target)?, what });
        }
        let arguments: Vec<String> = config.entrypoint.iter().chain(&config.cmd).flatten().cloned().collect();
        if arguments.is_empty() {
            return Err(BuildError::Unable {
                what: "the image does not say what it runs".to_owned(),
                help: "give it a command: `cmd [\"python\", \"-m\", \"cog.server.http\"]`".to_owned(),
            });
        }
        let parts =
            shelf.parts_of(&Origin::Base(name)).into_iter().map(|part| programs.store.part_path(&part));
        let directory = config.workdir.as_deref().unwrap_or("/");
        let job = Job {
            parts: parts.collect(),
            arguments,
            environment: environment_of(image),
            directory: String::from_utf8(place(directory)?)
                .map_err(here(format!("start in `{directory}`")))?,
            account,
            network: Network::Machine,
            mounts,
        };
        programs.store.settle().map_err(here("use the store"))?;
        Ok(Self { programs, job })
    }

    /// Runs its program until that ends, or until it is cancelled. `environment` is what it is told beyond
    /// what the image says. It may be run again: each time it finds the files of the image.
    pub fn run(
        &self,
        environment: &[(String, String)],
        output: &Output<'_>,
        cancel: &Cancel,
    ) -> Result<Ended, BuildError> {
        let Programs { runtime, store } = &self.programs;
        let work = store.work().map_err(here("use the store"))?;
        let attempted = format!("run the image with `{}`", runtime.program().display());
        let mut job = self.job.clone();
        set(&mut job.environment, environment.iter().cloned());
        let ran = run(runtime, work.path(), &job, output, cancel).map_err(here(attempted))?;
        Ok(ran.ended)
    }
}

/// What the image says, over what programs find where it does not.
fn environment_of(image: &StoredImage) -> Vec<(String, String)> {
    let mut all = vec![("PATH".to_owned(), PATH.to_owned()), ("HOME".to_owned(), "/root".to_owned())];
    set(&mut all, image.config.env.iter().map(|(name, value)| (name.as_str().to_owned(), value.clone())));
    all
}

/// Sets variables, in the place of those of the same name.
fn set(all: &mut Vec<(String, String)>, more: impl Iterator<Item = (String, String)>) {
    for (name, value) in more {
        all.retain(|(known, _)| *known != name);
        all.push((name, value));
    }
}

/// An image has no contexts: all of its files are kept.
struct NoContexts;

impl ContentSource for NoContexts {
    fn open<'s>(&'s self, _: &ContextFile) -> io::Result<Box<dyn Read + 's>> {
        Err(io::Error::other("an image has no contexts"))
    }

    fn open_kept<'s>(&'s self, _: &KeptFile) -> io::Result<KeptContent<'s>> {
        Err(io::Error::other("kept files are in the store"))
    }
}
