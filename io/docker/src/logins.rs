//! The logins that `docker login` has made, given to a daemon during a build.

use std::collections::BTreeMap;
use std::ffi::OsString;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cogpack_io_buildkit::auth::{Login, LoginError, Logins};
use cogpack_io_buildkit::secrets::Secret;
use tokio::sync::Mutex;

use crate::config_file::{ConfigError, ConfigFile, Entry};
use crate::credential_helper::{self, HelperError};
use crate::registry_host::{host_in, key_of};
use crate::settings::Settings;

/// Why there is no login for a registry. No message holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum NoLogin {
    /// The helper gave none.
    #[error(transparent)]
    Helper(#[from] HelperError),
    /// What the configuration holds is no login.
    #[error("the login for `{key}` in Docker's configuration is broken: {reason}")]
    Broken {
        /// The key of the entry.
        key: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// There is a token of the registry only, and daemons take none.
    #[error(
        "the login for `{key}` in Docker's configuration is a token of the registry, which a build cannot use: \
         log in with a name and a password, or with an identity token"
    )]
    RegistryToken {
        /// The key of the entry.
        key: String,
    },
}

/// The logins of one user.
#[derive(Debug, Default)]
pub struct DockerLogins {
    config: ConfigFile,
    path: Option<OsString>,
    /// What was found so far. Daemons ask several times for one image, and helpers are slow. Looking
    /// up one at a time also keeps a helper from showing several windows at once.
    found: Mutex<BTreeMap<String, Login>>,
}

impl DockerLogins {
    /// The logins that a configuration holds or points to.
    pub fn new(config: ConfigFile, path: Option<OsString>) -> Self {
        Self { config, path, found: Mutex::default() }
    }

    /// Reads the configuration.
    pub fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let config = settings.directory().map(|directory| ConfigFile::read(&directory)).transpose()?;
        Ok(Self::new(config.unwrap_or_default(), settings.path.clone()))
    }

    /// The login for a registry.
    pub async fn of(&self, host: &str) -> Result<Login, NoLogin> {
        let mut found = self.found.lock().await;
        let key = key_of(host);
        if let Some(login) = found.get(key) {
            return Ok(login.clone());
        }
        let login = match self.helper_for(key) {
            Some(helper) => credential_helper::ask(helper, key, self.path.as_deref()).await?,
            None => self.entry_for(key).map_or(Ok(Login::Anonymous), |(key, entry)| login_in(key, entry))?,
        };
        found.insert(key.to_owned(), login.clone());
        Ok(login)
    }

    fn helper_for(&self, key: &str) -> Option<&str> {
        let helpers = &self.config.cred_helpers;
        let helper =
            helpers.get(key).or_else(|| helpers.get(host_in(key))).or(self.config.creds_store.as_ref());
        helper.map(String::as_str).filter(|name| !name.is_empty())
    }

    /// An entry whose key is exactly the registry's goes before one that only holds its host.
    fn entry_for(&self, key: &str) -> Option<(&str, &Entry)> {
        let exact = self.config.auths.get_key_value(key);
        let near = || self.config.auths.iter().find(|(other, _)| host_in(other) == host_in(key));
        exact.or_else(near).map(|(key, entry)| (key.as_str(), entry))
    }
}

#[tonic::async_trait]
impl Logins for DockerLogins {
    async fn login(&self, host: &str) -> Result<Login, LoginError> {
        self.of(host).await.map_err(|error| LoginError(Box::new(error)))
    }
}

fn login_in(key: &str, entry: &Entry) -> Result<Login, NoLogin> {
    let said = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    if let Some(token) = said(&entry.identitytoken) {
        return Ok(Login::Identity(Secret::new(token)));
    }
    if let Some(auth) = said(&entry.auth) {
        return password_in(key, &auth);
    }
    if let (Some(username), Some(password)) = (said(&entry.username), said(&entry.password)) {
        return Ok(Login::Password { username, password: Secret::new(password) });
    }
    // What `docker login` leaves behind where a helper keeps the login is an empty entry.
    if said(&entry.registrytoken).is_some() {
        return Err(NoLogin::RegistryToken { key: key.to_owned() });
    }
    Ok(Login::Anonymous)
}

fn password_in(key: &str, auth: &str) -> Result<Login, NoLogin> {
    let broken = |reason| NoLogin::Broken { key: key.to_owned(), reason };
    let bytes = STANDARD.decode(auth.trim()).map_err(|_| broken("its `auth` is not base64"))?;
    let text = Secret::new(bytes);
    let text = std::str::from_utf8(text.expose()).map_err(|_| broken("its `auth` is not UTF-8"))?;
    let (username, password) = text.split_once(':').ok_or_else(|| broken("its `auth` has no `:` in it"))?;
    Ok(Login::Password {
        username: username.to_owned(),
        // Old versions of the command fill up with NULs.
        password: Secret::new(password.trim_matches('\0')),
    })
}

#[cfg(test)]
mod tests;
