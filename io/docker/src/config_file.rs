//! The file `config.json` of the `docker` command: logins, and where other logins are kept.
//!
//! That file is not ours. Other programs put what they like into it, so what we do not know is
//! passed over, here and nowhere else.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What happened.
        #[source]
        source: io::Error,
    },
    /// It is not what it should be. What stands there is not told: it may be a password.
    #[error("`{}` is no configuration of Docker: line {line}, column {column}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// Where it breaks.
        line: usize,
        /// Where it breaks.
        column: usize,
    },
}

/// What the file says, as far as we go by it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConfigFile {
    /// The logins that stand in it, by registry.
    pub auths: BTreeMap<String, Entry>,
    /// The helper that keeps all other logins.
    pub creds_store: Option<String>,
    /// The helpers for single registries.
    pub cred_helpers: BTreeMap<String, String>,
    /// The context that was chosen with `docker context use`.
    pub current_context: Option<String>,
}

/// One login, as it is written.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct Entry {
    /// `NAME:PASSWORD` in base64.
    pub auth: Option<String>,
    /// The name by itself.
    pub username: Option<String>,
    /// The password by itself.
    pub password: Option<String>,
    /// A token that stands for an account.
    pub identitytoken: Option<String>,
    /// A token of the registry itself.
    pub registrytoken: Option<String>,
}

impl fmt::Debug for Entry {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("[secret]")
    }
}

impl ConfigFile {
    /// Reads the file in a directory. Where there is none, nothing is configured.
    pub fn read(directory: &Path) -> Result<Self, ConfigError> {
        read_json(&directory.join("config.json")).map(Option::unwrap_or_default)
    }
}

/// Reads a file of the configuration, if it is there.
pub(crate) fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>, ConfigError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(ConfigError::Read { path: path.to_owned(), source }),
    };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| ConfigError::Broken {
        path: path.to_owned(),
        line: error.line(),
        column: error.column(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ConfigFile, ConfigError> {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("config.json"), text).unwrap();
        ConfigFile::read(directory.path())
    }

    #[test]
    fn what_is_not_there_configures_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let config = ConfigFile::read(directory.path()).unwrap();
        assert!(config.auths.is_empty() && config.creds_store.is_none() && config.current_context.is_none());
    }

    #[test]
    fn others_may_put_what_they_like_into_the_file() {
        let config = read(
            r#"{"auths": {"r.example": {"auth": "YTpi", "email": "a@example"}}, "detachKeys": "ctrl-q",
                "credHelpers": {"h.example": "one"}, "credsStore": "all", "plugins": {}, "currentContext": "x"}"#,
        )
        .unwrap();
        assert_eq!(config.cred_helpers["h.example"], "one");
        assert_eq!(config.creds_store.as_deref(), Some("all"));
        assert_eq!(config.current_context.as_deref(), Some("x"));
        assert_eq!(format!("{:?}", config.auths), r#"{"r.example": [secret]}"#);
    }

    #[test]
    fn a_broken_file_is_told_by_place_and_never_by_what_stands_there() {
        let error = read("{\n\"auths\": \"hunter2\"}").unwrap_err().to_string();
        assert!(error.contains("is no configuration of Docker: line 2, column "), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}
