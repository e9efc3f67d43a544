//! Installs the packages of a plan's locked sets, from the places that this machine names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cogpack_content::Platform;
use cogpack_io_packages::apt;
use cogpack_io_packages::archives::Archives;
use cogpack_io_packages::downloads::Download;
use cogpack_io_packages::installed::LockedSet;
use cogpack_io_packages::places::Index;
use cogpack_io_packages::web::Web;
use cogpack_io_packages::{InstalledPackages, PackageError, PackageProblem, Places};
use cogpack_io_store::Store;
use cogpack_ir::plan::{Context, ContextKind, InputName};
use url::Url;

use crate::console::Console;
use crate::contexts::Walked;
use crate::emit::{Refusals, boxed};
use crate::env_vars::Environment;
use crate::failure::Failure;

/// What this machine says of packages, and of the store that they are kept in.
#[derive(Debug, Clone, Copy)]
pub struct Machine<'a> {
    store: Option<&'a Path>,
    directory: &'a Path,
    environment: &'a Environment,
}

/// Sets of packages, each with the places where its files may be.
#[derive(Debug, Default)]
pub struct Sets(BTreeMap<InputName, (Context, Places)>);

impl Sets {
    /// What they are called in the plan.
    pub fn names(&self) -> impl Iterator<Item = &InputName> {
        self.0.keys()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Installs them for all of these platforms, and adds their trees to the others.
    pub fn install(
        &self,
        platforms: &[Platform],
        walked: &mut Walked,
    ) -> Result<Result<(), Vec<PackageProblem>>, Failure> {
        let mut problems = Vec::new();
        for (name, (context, places)) in &self.0 {
            let Some(set) = LockedSet::of(&context.kind) else { continue };
            match InstalledPackages::install(set, context.span, platforms, places) {
                Ok(installed) => {
                    let tree = installed.tree(name).map_err(|error| Failure::of(&error))?;
                    walked.trees.insert(name.clone(), tree);
                    let layers = installed.layers(name).map_err(|error| Failure::of(&error))?;
                    walked.layers.extend(layers.map(|layers| (name.clone(), layers)));
                    walked.files.packages.insert(name.clone(), installed);
                }
                Err(PackageError::Plan(found)) => problems.extend(found),
                Err(error @ PackageError::Machine { .. }) => return Err(not_got(&error)),
            }
        }
        Ok(if problems.is_empty() { Ok(()) } else { Err(problems) })
    }

    /// One of them, as a plan has it.
    pub fn context(&self, name: &InputName) -> Option<&Context> {
        self.0.get(name).map(|(context, _)| context)
    }
}

impl<'a> Machine<'a> {
    /// The machine of this process; `store` is the store that the command line names.
    pub fn new(store: Option<&'a Path>, console: &'a Console<'_>) -> Self {
        Self { store, directory: &console.directory, environment: &console.environment }
    }

    /// What the environment says about Docker.
    pub fn docker(self) -> &'a cogpack_io_docker::settings::Settings {
        &self.environment.docker
    }

    /// Opens the store.
    pub fn store(self) -> Result<Store, Failure> {
        Store::open(&self.store_path()?).map_err(|error| {
            Failure::of(&error).with_hint("`build --store DIR` or COGPACK_STORE names another place")
        })
    }

    /// Whether the command line or the environment names a store.
    pub fn names_store(self) -> bool {
        self.store.or(self.environment.store.as_deref()).is_some()
    }

    /// Where the store is, whether or not there is one yet.
    pub fn store_path(self) -> Result<PathBuf, Failure> {
        let environment = self.environment;
        let cache = || match (&environment.cache_home, &environment.docker.home) {
            // The specification says that a relative one counts for nothing.
            (Some(cache), _) if cache.is_absolute() => Some(cache.clone()),
            (_, home) => home.as_ref().map(|home| home.join(".cache")),
        };
        let named = self.store.or(environment.store.as_deref()).map(Path::to_owned);
        let path = named.or_else(|| Some(cache()?.join("cogpackc/store"))).ok_or_else(|| {
            Failure::new("there is no place for what is kept from build to build: HOME is not set")
                .with_hint("name one, with `--store DIR` or COGPACK_STORE")
        })?;
        Ok(self.directory.join(path))
    }

    /// Those of `contexts` that are sets of packages, with the places that this machine names for
    /// them.
    pub fn sets<'c>(
        self,
        contexts: impl IntoIterator<Item = (&'c InputName, &'c Context)>,
    ) -> Result<Sets, Failure> {
        let mut sets = Sets::default();
        for (name, context) in contexts {
            let places = match LockedSet::of(&context.kind) {
                Some(LockedSet::Wheels(_)) => self.wheel_places()?,
                Some(LockedSet::Debs(debs)) => self.deb_places(debs.suite.as_deref())?,
                None => continue,
            };
            sets.0.insert(name.clone(), (context.clone(), places));
        }
        Ok(sets)
    }

    /// Installs those of `contexts` that are sets of packages, for all of these platforms, and adds
    /// their trees to the others.
    pub fn install<'c>(
        self,
        contexts: impl IntoIterator<Item = (&'c InputName, &'c Context)>,
        platforms: &[Platform],
        walked: &mut Walked,
    ) -> Result<Result<(), Refusals>, Failure> {
        Ok(self.sets(contexts)?.install(platforms, walked)?.map_err(boxed))
    }

    /// Fetches those of `contexts` that are files of servers, and adds their trees to the others.
    pub fn fetch<'c>(
        self,
        contexts: impl IntoIterator<Item = (&'c InputName, &'c Context)>,
        walked: &mut Walked,
    ) -> Result<Result<(), Refusals>, Failure> {
        let mut problems = Vec::new();
        for (name, context) in contexts {
            let ContextKind::Http(http) = &context.kind else { continue };
            let (store, directories, index, web) = (self.store()?, Vec::new(), Index::Nothing, Web::new());
            match Download::get(http, context.span, &Places { store, directories, index, web }) {
                Ok(download) => {
                    let tree = download.tree(name).map_err(|error| Failure::of(&error))?;
                    walked.trees.insert(name.clone(), tree);
                    walked.files.downloads.insert(name.clone(), download);
                }
                Err(PackageError::Plan(found)) => problems.extend(found),
                Err(error @ PackageError::Machine { .. }) => return Err(not_got(&error)),
            }
        }
        Ok(if problems.is_empty() { Ok(()) } else { Err(boxed(problems)) })
    }

    fn wheel_places(self) -> Result<Places, Failure> {
        let index = self.environment.package_index.as_ref().map(|index| Url::parse(&index.0));
        let index = index.transpose().map_err(|error| {
            // What the variable says may hold a login.
            Failure::new(format!("the address of the package index cannot be read: {error}"))
                .with_hint("correct UV_DEFAULT_INDEX, UV_INDEX_URL or PIP_INDEX_URL, of which the first that is set counts")
        })?;
        Ok(Places {
            store: self.store()?,
            directories: self.environment.find_links.directories(self.directory),
            index: index.map_or(Index::Nothing, Index::Simple),
            web: Web::new(),
        })
    }

    fn deb_places(self, suite: Option<&str>) -> Result<Places, Failure> {
        let mut sources = self.archives()?;
        sources.retain(|source| suite.is_none_or(|suite| source.is_of(suite)));
        Ok(Places {
            store: self.store()?,
            directories: self.directories(&self.environment.debs),
            index: if sources.is_empty() { Index::Nothing } else { Index::Archives(Archives::new(sources)) },
            web: Web::new(),
        })
    }

    /// The Debian archives that the machine names.
    pub fn archives(self) -> Result<Vec<apt::Source>, Failure> {
        let directory = self.apt();
        apt::sources(&directory).map_err(|error| {
            Failure::new(format!("read the archives that `{}` names: {error}", directory.display()))
                .with_hint("COGPACK_APT names another directory like /etc/apt")
        })
    }

    /// The directory that names them.
    pub fn apt(self) -> PathBuf {
        self.path(self.environment.apt.as_deref().unwrap_or(Path::new("/etc/apt")))
    }

    /// A path as the command line means it.
    pub fn path(self, path: &Path) -> PathBuf {
        self.directory.join(path)
    }

    fn directories(self, entries: &[String]) -> Vec<PathBuf> {
        let paths = entries.iter().map(|entry| self.directory.join(entry.trim_start_matches("file://")));
        paths.filter(|path| path.is_dir()).collect()
    }
}

/// That a file was not got, with a way out.
fn not_got(error: &PackageError) -> Failure {
    let failure = Failure::of(error);
    match error.help() {
        Some(help) => failure.with_hint(help),
        None => failure,
    }
}
