//! What this machine says of registries: the `daemon.json` that its Docker Engine goes by. That
//! file is not ours, so what we do not know in it is passed over.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use url::Url;

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What happened.
        #[source]
        source: io::Error,
    },
    /// It is not what it should be.
    #[error("`{}` is no configuration of a Docker Engine: {reason}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// What this machine says of registries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Who is asked first for images of docker.io.
    pub mirrors: Vec<Url>,
    /// Registries that may be spoken to without encryption, by host, by host and port, or by a
    /// range of addresses.
    pub plain: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct File {
    #[serde(default)]
    registry_mirrors: Vec<String>,
    #[serde(default)]
    insecure_registries: Vec<String>,
}

impl Settings {
    /// Reads the file. Where there is none, nothing is said.
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(SettingsError::Read { path: path.to_owned(), source }),
        };
        let broken = |reason| SettingsError::Broken { path: path.to_owned(), reason };
        let file: File = serde_json::from_slice(&bytes).map_err(|error| broken(error.to_string()))?;
        let mirror = |text: &String| match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
            Ok(_) | Err(_) => Err(broken("a mirror of it is no address".to_owned())),
        };
        let mirrors = file.registry_mirrors.iter().map(mirror).collect::<Result<_, _>>()?;
        Ok(Self { mirrors, plain: file.insecure_registries })
    }

    /// Whether a registry, `HOST` or `HOST:PORT`, may be spoken to without encryption.
    pub fn may_be_plain(&self, registry: &str) -> bool {
        let host = host_of(registry);
        is_loopback(registry)
            || self.plain.iter().any(|entry| {
                entry == registry || entry == host || host.parse().is_ok_and(|address| holds(entry, address))
            })
    }
}

/// Whether a registry is one of this machine's.
pub fn is_loopback(registry: &str) -> bool {
    let host = host_of(registry);
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// The host of `HOST`, `HOST:PORT`, `[ADDRESS]` or `[ADDRESS]:PORT`.
fn host_of(registry: &str) -> &str {
    match registry.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => registry.split(':').next().unwrap_or(registry),
    }
}

/// Whether `ADDRESS/BITS` holds an address.
fn holds(range: &str, address: IpAddr) -> bool {
    let Some((base, bits)) = range.split_once('/') else { return false };
    let (Ok(base), Ok(bits)) = (base.parse::<IpAddr>(), bits.parse::<u32>()) else { return false };
    match (base, address) {
        (IpAddr::V4(base), IpAddr::V4(address)) if bits <= 32 => {
            (u64::from(base.to_bits() ^ address.to_bits())) >> (32 - bits) == 0
        }
        (IpAddr::V6(base), IpAddr::V6(address)) if bits <= 128 => {
            (base.to_bits() ^ address.to_bits()).checked_shr(128 - bits).unwrap_or(0) == 0
        }
        (IpAddr::V4(_) | IpAddr::V6(_), IpAddr::V4(_) | IpAddr::V6(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_is_what_is_here_and_what_is_named() {
        let settings = Settings {
            plain: ["r.example", "p.example:5000", "10.1.0.0/16", "fd00::/8", "0.0.0.0/33"]
                .map(str::to_owned)
                .into(),
            ..Settings::default()
        };
        for plain in [
            "localhost:5000",
            "127.0.0.1:1",
            "127.9.9.9",
            "[::1]:5000",
            "r.example",
            "r.example:9",
            "p.example:5000",
            "10.1.2.3:5000",
            "[fd12::1]:5000",
        ] {
            assert!(settings.may_be_plain(plain), "{plain}");
        }
        for encrypted in
            ["docker.io", "localhost.example", "p.example:5001", "10.2.0.1", "[fe00::1]", "8.8.8.8"]
        {
            assert!(!settings.may_be_plain(encrypted), "{encrypted}");
        }
    }

    #[test]
    fn the_file_is_read_as_far_as_it_matters() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = folder.path().join("daemon.json");
        assert_eq!(Settings::read(&path).expect("there is none"), Settings::default());
        let text = r#"{"registry-mirrors": ["https://m.example/"], "insecure-registries": ["r.example"], "debug": true}"#;
        std::fs::write(&path, text).expect("can be written");
        let settings = Settings::read(&path).expect("is one");
        assert_eq!(settings.mirrors[0].as_str(), "https://m.example/");
        assert_eq!(settings.plain, ["r.example"]);
        for broken in
            ["", "7", r#"{"registry-mirrors": ["m.example"]}"#, r#"{"registry-mirrors": ["unix:///x"]}"#]
        {
            std::fs::write(&path, broken).expect("can be written");
            let error = Settings::read(&path).expect_err(broken).to_string();
            assert!(error.contains("is no configuration of a Docker Engine"), "{error}");
        }
    }
}
