//! Every environment variable that is read, and nowhere else is one read.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;

use cogpack_io_docker::settings::Settings;

use crate::find_links::FindLinks;
use crate::indexes::Indexes;

/// What the environment says, as values.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// `BUILDKIT_HOST`: where the BuildKit daemon listens that `build` uses; where nothing is said
    /// it is the one inside the Docker Engine.
    pub buildkit_host: Option<String>,
    /// `COGPACK_STORE`: where a build without a daemon keeps what it needs from build to build.
    pub store: Option<PathBuf>,
    /// `COGPACK_CATALOGUE`: catalogues of base images and directories of such, divided by `:`, the
    /// preferred ones first.
    pub catalogues: Vec<PathBuf>,
    /// `XDG_CACHE_HOME`: the user's cache directory; where nothing is said it is `.cache` below
    /// `HOME` (the XDG base directory specification).
    pub cache_home: Option<PathBuf>,
    /// What the docker command goes by too, to find the Engine and logins for registries:
    /// `DOCKER_HOST`, `DOCKER_CONTEXT`, `DOCKER_CONFIG`, `DOCKER_CERT_PATH`, `DOCKER_TLS_VERIFY`,
    /// `DOCKER_TLS`, `HOME` (below which its configuration is) and `PATH` (on which its
    /// credential helpers are).
    pub docker: Settings,

    /// `PIP_FIND_LINKS`, as pip reads it, and `UV_FIND_LINKS`, as uv does: where packages are beside those
    /// of an index.
    pub find_links: FindLinks,
    /// `PIP_INDEX_URL` and `PIP_EXTRA_INDEX_URL`, with `UV_DEFAULT_INDEX`, `UV_INDEX_URL` and
    /// `UV_EXTRA_INDEX_URL`, for uv, which reads its own alone.
    pub indexes: Indexes,
    /// `UV_DEFAULT_INDEX`, `UV_INDEX_URL` or `PIP_INDEX_URL`: the package index, by the simple
    /// repository API. It may hold a login.
    pub package_index: Option<Secret>,
    /// `UV_PYTHON_INSTALL_MIRROR`, as uv reads it: what stands in for the server that Pythons come from
    /// which a base lacks.
    pub python_mirror: Option<Secret>,
    /// `COGPACK_DEBS`: directories with Debian packages, divided by `:`.
    pub debs: Vec<String>,
    /// `COGPACK_APT`: a directory that names archives of Debian packages as `/etc/apt` does, which
    /// it is where nothing is said.
    pub apt: Option<PathBuf>,

    /// `NO_COLOR`: any text that is not empty switches colour off (the no-color convention).
    pub no_color: bool,
    /// `SOURCE_DATE_EPOCH`: seconds since 1970 that every time in an artifact is set to
    /// (the reproducible-builds specification); 0 where nothing is said.
    pub source_date_epoch: Option<String>,
    /// `COLUMNS`: the width of the terminal, where it cannot be asked for.
    pub columns: Option<usize>,
    /// All variables, for those that a command line names (`--secret env=…`), and for
    /// `SSH_AUTH_SOCK`, where an ssh agent listens.
    pub named: Named,
}

/// A value that may hold a secret, so nothing shows it.
#[derive(Clone)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("…")
    }
}

/// Variables by name. Their values may be secrets, so nothing shows them.
#[derive(Clone, Default)]
pub struct Named(pub BTreeMap<OsString, OsString>);

impl fmt::Debug for Named {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} variables", self.0.len())
    }
}

impl Environment {
    /// The variable that a command line names.
    pub fn named(&self, name: &str) -> Option<&OsStr> {
        self.named.0.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    /// The environment of this process.
    pub fn of_the_process() -> Self {
        let text = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let path = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        Self {
            buildkit_host: text("BUILDKIT_HOST"),
            docker: Settings {
                home: path("HOME"),
                config: path("DOCKER_CONFIG"),
                host: text("DOCKER_HOST"),
                context: text("DOCKER_CONTEXT"),
                certificates: path("DOCKER_CERT_PATH"),
                verified_tls: text("DOCKER_TLS_VERIFY").is_some(),
                unverified_tls: text("DOCKER_TLS").is_some(),
                path: std::env::var_os("PATH"),
            },
            find_links: FindLinks::of(
                text("PIP_FIND_LINKS").as_deref(),
                text("UV_FIND_LINKS").as_deref(),
                path("HOME").as_deref(),
            ),
            indexes: Indexes::of(text),
            package_index: ["UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"]
                .into_iter()
                .find_map(text)
                .map(Secret),
            python_mirror: text("UV_PYTHON_INSTALL_MIRROR").map(Secret),
            debs: text("COGPACK_DEBS").iter().flat_map(|list| list.split(':')).map(str::to_owned).collect(),
            apt: path("COGPACK_APT"),
            store: path("COGPACK_STORE"),
            catalogues: std::env::var_os("COGPACK_CATALOGUE")
                .iter()
                .flat_map(std::env::split_paths)
                .filter(|path| !path.as_os_str().is_empty())
                .collect(),
            cache_home: path("XDG_CACHE_HOME"),
            no_color: std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
            source_date_epoch: std::env::var("SOURCE_DATE_EPOCH").ok(),
            columns: std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()),
            named: Named(std::env::vars_os().collect()),
        }
    }
}
