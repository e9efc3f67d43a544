//! From what a plan says of a program to what a runtime is told, and to the key of what comes of it.

use cogpack_backends_contract::accounts::{self, Account};
use cogpack_backends_contract::content::Content;
use cogpack_backends_contract::tree::Tree;
use cogpack_backends_oci_direct::program::{Mounted, Program, ProgramMount};
use cogpack_content::Digest;
use cogpack_io_runtime::job::{Account as RunsAs, Job, Mount, Mounted as JobMounted, Network as JobNetwork};
use cogpack_io_runtime::machine;
use cogpack_io_store::caches::{Cache, Sharing as CacheSharing};
use cogpack_ir::plan::{Network, Sharing};

use super::account::account;
use super::key::Key;
use super::order::Order;
use super::shelf::{OnDisk, Shelf, here};
use crate::failure::BuildError;

/// The mode of a secret's file: nobody but root may read it.
const SECRET_MODE: u32 = 0o400;
/// The mode of files that all programs read.
pub const PUBLIC_MODE: u32 = 0o644;

/// A program whose files are on disk.
pub struct Prepared<'p> {
    program: &'p Program,
    /// What it runs on.
    pub root: OnDisk,
    account: RunsAs,
    /// What its mounts of files show.
    mounted: Vec<Option<OnDisk>>,
    /// What its result is known by.
    pub key: Digest,
}

/// What a job holds on to while it runs.
pub struct Held {
    _caches: Vec<Cache>,
}

/// Puts the files of a program on disk.
pub fn prepare<'p>(program: &'p Program, shelf: &Shelf<'_>) -> Result<Prepared<'p>, PrepareError> {
    let root = shelf.on_disk(&program.root)?;
    let read = |which: Account| {
        let attempted = || format!("read `{}` of the image", which.file());
        accounts::read(which, &program.root.tree, &shelf.files).map_err(|error| here(attempted())(error))
    };
    let account = account(program.user.as_deref(), &read(Account::User)?, &read(Account::Group)?)
        .map_err(|unknown| PrepareError::Op(unknown.to_string()))?;
    let files = |mount: &ProgramMount| match &mount.what {
        Mounted::Files { from, select, .. } => shelf.mounted(from, select).map(Some),
        Mounted::Cache { .. } | Mounted::Tmpfs { .. } | Mounted::Secret { .. } | Mounted::Agent { .. } => {
            Ok(None)
        }
    };
    let mounted = program.mounts.iter().map(files).collect::<Result<Vec<_>, _>>()?;
    let key = key(program, &root, &account, &mounted);
    Ok(Prepared { program, root, account, mounted, key })
}

/// Why a program cannot be prepared.
pub enum PrepareError {
    /// Something stood in the way.
    Build(BuildError),
    /// The op asks for what is not there.
    Op(String),
}

impl From<BuildError> for PrepareError {
    fn from(error: BuildError) -> Self {
        Self::Build(error)
    }
}

/// All that the result of a program depends on. Values of secrets, what is in caches, and agents
/// are no part of it.
fn key(program: &Program, root: &OnDisk, account: &RunsAs, mounted: &[Option<OnDisk>]) -> Digest {
    let Program { arguments, environment, secrets, directory, network, mounts, .. } = program;
    // What directories hide is written down otherwise in a user namespace.
    let kind = if machine::is_in_user_namespace() { "program of a user 2" } else { "program 2" };
    let mut key = Key::new(kind)
        .and_all(root.parts.iter().map(Digest::hex))
        .and_all(arguments)
        .and_all(environment.iter().flat_map(|(name, value)| [name, value]))
        .and_all(secrets.iter().flat_map(|secret| [secret.variable.as_str(), secret.secret.as_str()]))
        .and(directory)
        .and(format!("{}:{}", account.user, account.group))
        .and_all(account.more_groups.iter().map(u32::to_string))
        .and(match network {
            Network::Default => "default",
            Network::None => "none",
            Network::Host => "host",
        });
    for (mount, files) in mounts.iter().zip(mounted) {
        key = key.and(&mount.target);
        key = match &mount.what {
            Mounted::Files { select, writable, .. } => key
                .and(if *writable { "files, writable" } else { "files" })
                .and_all(select)
                .and_all(files.iter().flat_map(|files| &files.parts).map(Digest::hex)),
            Mounted::Cache { name, .. } => key.and("cache").and(name.as_str()),
            Mounted::Tmpfs { size } => key.and("tmpfs").and(size.unwrap_or_default().to_string()),
            Mounted::Secret { name, .. } => key.and("secret").and(name.as_str()),
            Mounted::Agent { name } => key.and("agent").and(name),
        };
    }
    key.digest()
}

impl Prepared<'_> {
    /// What the runtime is told. Takes the caches that the program uses, in one order for all, so
    /// that no two wait for each other.
    pub fn job(
        &self,
        order: &Order,
        shelf: &Shelf<'_>,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<(Job, Held), PrepareError> {
        let program = self.program;
        let tree = &program.root.tree;
        let mut caches = self.caches(shelf, is_cancelled)?;
        let mut mounts = Vec::with_capacity(program.mounts.len() + 2);
        for (target, bytes) in [
            ("/etc/hosts", machine::hosts()),
            ("/etc/resolv.conf", machine::resolver().map_err(here("read /etc/resolv.conf"))?),
        ] {
            let what = JobMounted::File { bytes, mode: PUBLIC_MODE };
            mounts.push(Mount { target: place(tree, target)?, what });
        }
        for (mount, files) in program.mounts.iter().zip(&self.mounted) {
            let what = match (&mount.what, files) {
                (Mounted::Files { select, writable, .. }, files) => JobMounted::Parts {
                    parts: paths(files.as_ref(), shelf),
                    select: select.join(&b'/'),
                    writable: *writable,
                },
                (Mounted::Cache { name, .. }, _) => {
                    let Some((_, cache)) = caches.iter().find(|(taken, _)| taken == name.as_str()) else {
                        continue;
                    };
                    JobMounted::Directory(cache.path().to_owned())
                }
                (Mounted::Tmpfs { size }, _) => JobMounted::Tmpfs { size: *size },
                (Mounted::Secret { name, optional }, _) => match order.secrets.get(name.as_str()) {
                    Some(secret) => JobMounted::File { bytes: secret.expose().to_vec(), mode: SECRET_MODE },
                    None if *optional => continue,
                    None => return Err(PrepareError::Op(format!("the secret `{name}` was not given"))),
                },
                (Mounted::Agent { name }, _) => match order.agents.socket(name) {
                    Some(socket) => JobMounted::Agent(socket.to_owned()),
                    None => return Err(PrepareError::Op(format!("the ssh agent `{name}` was not given"))),
                },
            };
            mounts.push(Mount { target: place(tree, &mount.target)?, what });
        }
        mounts.sort_by(|one, other| one.target.cmp(&other.target));
        let job = Job {
            parts: paths(Some(&self.root), shelf),
            arguments: program.arguments.clone(),
            environment: self.environment(order)?,
            directory: String::from_utf8(place(tree, &program.directory)?)
                .map_err(here(format!("start in `{}`", program.directory)))?,
            account: self.account.clone(),
            network: match program.network {
                Network::Default | Network::Host => JobNetwork::Machine,
                Network::None => JobNetwork::None,
            },
            mounts,
        };
        Ok((job, Held { _caches: caches.drain(..).map(|(_, cache)| cache).collect() }))
    }

    /// The caches of the program by name; where it mounts one twice, it is one.
    fn caches(
        &self,
        shelf: &Shelf<'_>,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<(String, Cache)>, BuildError> {
        let mut wanted = std::collections::BTreeMap::new();
        for mount in &self.program.mounts {
            if let Mounted::Cache { name, sharing } = &mount.what {
                let sharing = match sharing {
                    Sharing::Shared => CacheSharing::Shared,
                    Sharing::Private => CacheSharing::Private,
                    Sharing::Locked => CacheSharing::Locked,
                };
                let strictest = wanted.entry(name.as_str()).or_insert(sharing);
                *strictest = sharing.max(*strictest);
            }
        }
        let taken = wanted.into_iter().map(|(name, sharing)| {
            let cache = shelf.store.cache(name, sharing, is_cancelled);
            Ok((name.to_owned(), cache.map_err(here(format!("use the cache `{name}`")))?))
        });
        taken.collect()
    }

    fn environment(&self, order: &Order) -> Result<Vec<(String, String)>, PrepareError> {
        let mut environment = self.program.environment.clone();
        for variable in &self.program.secrets {
            let value = match order.secrets.get(variable.secret.as_str()) {
                Some(secret) => std::str::from_utf8(secret.expose()).ok().filter(|text| !text.contains('\0')),
                None if variable.optional => continue,
                None => {
                    let what = format!("the secret `{}` was not given", variable.secret);
                    return Err(PrepareError::Op(what));
                }
            };
            let Some(value) = value else {
                let what = format!("the secret `{}` is no text, so no variable can hold it", variable.secret);
                return Err(PrepareError::Op(what));
            };
            environment.retain(|(name, _)| name != variable.variable.as_str());
            environment.push((variable.variable.as_str().to_owned(), value.to_owned()));
        }
        Ok(environment)
    }
}

fn paths(files: Option<&OnDisk>, shelf: &Shelf<'_>) -> Vec<std::path::PathBuf> {
    files.into_iter().flat_map(|files| &files.parts).map(|part| shelf.store.part_path(part)).collect()
}

/// Where a path leads to in a filesystem: an absolute path without links on the way.
fn place(tree: &Tree<Content>, path: &str) -> Result<Vec<u8>, PrepareError> {
    let real =
        tree.resolve(path.as_bytes(), true).map_err(|problem| PrepareError::Op(problem.to_string()))?;
    Ok([b"/", &real.join(&b'/')[..]].concat())
}
