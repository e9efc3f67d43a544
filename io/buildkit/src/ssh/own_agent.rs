//! An agent of our own for one build, for keys that are files: the `ssh-agent` and `ssh-add` of
//! this machine, in a directory that nobody else can enter. The reasons are in
//! docs/decisions/0008-ssh-keys-by-ssh-agent.md.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::UnixStream;
use tokio::process::{ChildStdin, Command};

/// How long either program may take; both need milliseconds.
const DEADLINE: Duration = Duration::from_secs(20);
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// What `ssh-agent` runs. It waits for our end of a pipe to close, which happens when we drop it and
/// when we die in whatever way, and then ends the agent.
const END_WITH_THE_PIPE: &str = r#"cat >/dev/null; kill "$SSH_AGENT_PID""#;

/// Why keys cannot be given by an agent of our own.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A program of OpenSSH cannot be run.
    #[error("run `{program}` for the SSH keys of the build")]
    Program {
        /// Which.
        program: &'static str,
        /// What happened.
        #[source]
        source: io::Error,
    },
    /// The agent ended at once.
    #[error("start `ssh-agent` for the SSH keys of the build: {reason}")]
    NoAgent {
        /// What it says.
        reason: String,
    },
    /// The agent came to nothing.
    #[error("start `ssh-agent` for the SSH keys of the build: nobody listened within {} s", DEADLINE.as_secs())]
    Late,
    /// There is no place for the socket.
    #[error("make a directory for the socket of `ssh-agent`")]
    Directory(#[source] io::Error),
    /// The key was refused.
    #[error("use `{}` as an SSH key: {reason}", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// What `ssh-add` says.
        reason: String,
    },
    /// The key took too long.
    #[error("use `{}` as an SSH key: `ssh-add` did not end within {} s", path.display(), DEADLINE.as_secs())]
    LateKey {
        /// The file.
        path: PathBuf,
    },
}

impl KeyError {
    /// A way out, where one can be told.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Program { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Some("install the OpenSSH client, or forward the socket of an agent that runs")
            }
            Self::Refused { .. } => {
                Some("add a key with a passphrase to an agent with `ssh-add`, and forward that agent")
            }
            Self::Program { .. }
            | Self::NoAgent { .. }
            | Self::Late
            | Self::Directory(_)
            | Self::LateKey { .. } => None,
        }
    }
}

/// A running agent. Dropping it ends the agent and removes its directory.
#[derive(Debug)]
pub struct OwnAgent {
    socket: PathBuf,
    _ends_the_agent: ChildStdin,
    _directory: TempDir,
}

impl OwnAgent {
    /// Starts an agent that holds these keys.
    pub async fn start(keys: &[PathBuf]) -> Result<Self, KeyError> {
        let directory = tempfile::Builder::new()
            .prefix("ssh-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir()
            .map_err(KeyError::Directory)?;
        let socket = directory.path().join("agent");
        let mut agent = Command::new("ssh-agent")
            .arg("-a")
            .arg(&socket)
            .args(["sh", "-c", END_WITH_THE_PIPE])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // Ctrl-C is for us; the agent ends when the build has ended.
            .process_group(0)
            .spawn()
            .map_err(|source| KeyError::Program { program: "ssh-agent", source })?;
        let Some(pipe) = agent.stdin.take() else { return Err(KeyError::Late) };
        let own = Self { socket, _ends_the_agent: pipe, _directory: directory };
        tokio::select! {
            up = own.wait_for_socket() => up?,
            end = agent.wait_with_output() => {
                let reason = end.map_or_else(|error| error.to_string(), |end| told(&end.stderr));
                return Err(KeyError::NoAgent { reason });
            }
        }
        for key in keys {
            own.add(key).await?;
        }
        Ok(own)
    }

    /// Where it listens.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    async fn wait_for_socket(&self) -> Result<(), KeyError> {
        let come_up = async {
            while UnixStream::connect(&self.socket).await.is_err() {
                tokio::time::sleep(BETWEEN_LOOKS).await;
            }
        };
        tokio::time::timeout(DEADLINE, come_up).await.map_err(|_| KeyError::Late)
    }

    async fn add(&self, key: &Path) -> Result<(), KeyError> {
        // Standard input and the environment make `ssh-add` fail, and not ask, where a key has a
        // passphrase: many builds have nobody to ask.
        let adding = Command::new("ssh-add")
            .arg("-q")
            .arg("--")
            .arg(key)
            .env("SSH_AUTH_SOCK", &self.socket)
            .env("SSH_ASKPASS", "/bin/false")
            .env("SSH_ASKPASS_REQUIRE", "force")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let answer = tokio::time::timeout(DEADLINE, adding)
            .await
            .map_err(|_| KeyError::LateKey { path: key.to_owned() })?
            .map_err(|source| KeyError::Program { program: "ssh-add", source })?;
        if answer.status.success() {
            return Ok(());
        }
        let reason = match told(&answer.stderr) {
            // Nothing is said of a passphrase that was not given.
            silence if silence.is_empty() => "it has a passphrase".to_owned(),
            reason => reason,
        };
        Err(KeyError::Refused { path: key.to_owned(), reason })
    }
}

/// What a program wrote to its standard error, on one line.
fn told(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> = text
        .lines()
        .map(|line| line.trim_matches(|sign: char| sign.is_whitespace() || sign == '@'))
        .filter(|line| !line.is_empty())
        .collect();
    lines.join("; ")
}
