//! Programs that keep logins: `docker-credential-NAME get` is given a registry on its standard input
//! and answers with JSON on its standard output.

use std::ffi::OsStr;
use std::io;
use std::process::Stdio;
use std::time::Duration;

use cogpack_io_buildkit::auth::Login;
use cogpack_io_buildkit::secrets::Secret;
use serde::Deserialize;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};

/// How long a helper may take. Some ask a person to unlock a key chain.
const DEADLINE: Duration = Duration::from_secs(60);

/// What helpers answer that know no login; the words are part of their protocol.
const NOT_FOUND: &str = "credentials not found in native keychain";

/// The user name that tells that the secret is a token which stands for an account.
const TOKEN_USER: &str = "<token>";

/// Why a helper gives no login.
#[derive(Debug, thiserror::Error)]
pub enum HelperError {
    /// Its name is no name.
    #[error("`{name}` is no name of a credential helper")]
    Name {
        /// What the configuration says.
        name: String,
    },
    /// It cannot be run.
    #[error("run the credential helper `docker-credential-{name}`")]
    Run {
        /// Which.
        name: String,
        /// What happened.
        #[source]
        source: io::Error,
    },
    /// It failed.
    #[error("the credential helper `docker-credential-{name}` has no login for `{key}`: {message}")]
    Failed {
        /// Which.
        name: String,
        /// What it was asked for.
        key: String,
        /// What it says.
        message: String,
    },
    /// It does not end.
    #[error("the credential helper `docker-credential-{name}` did not answer within {} s", DEADLINE.as_secs())]
    Late {
        /// Which.
        name: String,
    },
    /// It answered with something else. What it answered is not told: it may be a password.
    #[error("the credential helper `docker-credential-{name}` does not answer as such helpers do")]
    Nonsense {
        /// Which.
        name: String,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

/// Asks a helper for a login. `path` is where it is looked for.
pub async fn ask(name: &str, key: &str, path: Option<&OsStr>) -> Result<Login, HelperError> {
    // The name becomes a program's, and must not lead out of the search path.
    if name.is_empty() || name.contains('/') {
        return Err(HelperError::Name { name: name.to_owned() });
    }
    let mut command = Command::new(format!("docker-credential-{name}"));
    if let Some(path) = path {
        command.env("PATH", path);
    }
    let failed = |source| HelperError::Run { name: name.to_owned(), source };
    let child = command
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let answer = tokio::time::timeout(DEADLINE, talk(child, key))
        .await
        .map_err(|_| HelperError::Late { name: name.to_owned() })?
        .map_err(failed)?;
    if !answer.status.success() {
        // Helpers tell errors on their standard output; wrappers around them on the other one.
        let said =
            [&answer.stdout, &answer.stderr].map(|bytes| String::from_utf8_lossy(bytes).trim().to_owned());
        if said[0] == NOT_FOUND {
            return Ok(Login::Anonymous);
        }
        let message = said.into_iter().find(|text| !text.is_empty());
        return Err(HelperError::Failed {
            name: name.to_owned(),
            key: key.to_owned(),
            message: message.unwrap_or_else(|| answer.status.to_string()),
        });
    }
    let Answer { username, secret } = serde_json::from_slice(&answer.stdout)
        .map_err(|_| HelperError::Nonsense { name: name.to_owned() })?;
    let secret = Secret::new(secret);
    Ok(if username == TOKEN_USER {
        Login::Identity(secret)
    } else {
        Login::Password { username, password: secret }
    })
}

async fn talk(mut child: Child, key: &str) -> io::Result<std::process::Output> {
    if let Some(mut input) = child.stdin.take() {
        match input.write_all(key.as_bytes()).await {
            // One that does not read its input may answer all the same.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    child.wait_with_output().await
}
