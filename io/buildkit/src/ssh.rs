//! The session service for SSH agents: steps that mount one reach the agent of this machine, or
//! one that holds keys from files.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use bollard_buildkit_proto::moby::sshforward::v1::ssh_server;
use bollard_buildkit_proto::moby::sshforward::v1::{BytesMessage, CheckAgentRequest, CheckAgentResponse};
use futures_util::stream::{self, Stream};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UnixStream;
use tonic::{Request, Response, Status, Streaming};

use self::own_agent::{KeyError, OwnAgent};
use self::requests::{Ask, FAILURE, Requests, message_length};

pub mod own_agent;
mod requests;

/// The methods that a session with this service announces.
pub const METHODS: &[&str] = &["/moby.sshforward.v1.SSH/CheckAgent", "/moby.sshforward.v1.SSH/ForwardAgent"];

/// The id of an agent that no id was said of.
pub const DEFAULT_ID: &str = "default";

/// The request metadata in which the daemon says which agent it wants.
const ID_KEY: &str = "buildkit.ssh.id";

/// Why an agent cannot be forwarded.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// Its socket leads to nobody.
    #[error("reach the SSH agent at `{}`", path.display())]
    Unreachable {
        /// The socket.
        path: PathBuf,
        /// What happened.
        #[source]
        source: io::Error,
    },
    /// Its id was given before.
    #[error("the SSH agent `{id}` is given twice")]
    Twice {
        /// The id.
        id: String,
    },
    /// Its keys cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl AgentError {
    /// A way out, where one can be told.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Unreachable { .. } => Some("start an agent with `ssh-agent`, or give the file of a key"),
            Self::Twice { .. } => Some("give each agent an id of its own"),
            Self::Key(error) => error.help(),
        }
    }
}

#[derive(Debug, Clone)]
enum Agent {
    Running(PathBuf),
    Own(Arc<OwnAgent>),
}

impl Agent {
    fn socket(&self) -> &Path {
        match self {
            Self::Running(path) => path,
            Self::Own(agent) => agent.socket(),
        }
    }
}

/// The agents of one build, by id. Those that were started for it end with the last clone.
#[derive(Debug, Clone, Default)]
pub struct Agents {
    agents: BTreeMap<String, Agent>,
}

impl Agents {
    /// Forwards the agent that listens at a socket.
    pub async fn add_socket(&mut self, id: &str, path: &Path) -> Result<(), AgentError> {
        self.check_is_new(id)?;
        UnixStream::connect(path)
            .await
            .map_err(|source| AgentError::Unreachable { path: path.to_owned(), source })?;
        self.agents.insert(id.to_owned(), Agent::Running(path.to_owned()));
        Ok(())
    }

    /// Starts an agent that holds the keys of these files.
    pub async fn add_keys(&mut self, id: &str, files: &[PathBuf]) -> Result<(), AgentError> {
        self.check_is_new(id)?;
        let agent = OwnAgent::start(files).await?;
        self.agents.insert(id.to_owned(), Agent::Own(Arc::new(agent)));
        Ok(())
    }

    /// Whether there is such an agent.
    pub fn contains(&self, id: &str) -> bool {
        self.agents.contains_key(id)
    }

    /// Where an agent listens, for builders that have no session.
    pub fn socket(&self, id: &str) -> Option<&Path> {
        self.agents.get(id).map(Agent::socket)
    }

    /// The service, to be added to a session.
    pub fn into_server(self) -> ssh_server::SshServer<Self> {
        ssh_server::SshServer::new(self)
    }

    fn check_is_new(&self, id: &str) -> Result<(), AgentError> {
        if self.agents.contains_key(id) { Err(AgentError::Twice { id: id.to_owned() }) } else { Ok(()) }
    }

    fn find(&self, id: &str) -> Result<&Agent, Status> {
        let id = if id.is_empty() { DEFAULT_ID } else { id };
        self.agents.get(id).ok_or_else(|| Status::not_found(format!("the SSH agent `{id}` is not given")))
    }
}

#[tonic::async_trait]
impl ssh_server::Ssh for Agents {
    type ForwardAgentStream = Pin<Box<dyn Stream<Item = Result<BytesMessage, Status>> + Send>>;

    async fn check_agent(
        &self,
        request: Request<CheckAgentRequest>,
    ) -> Result<Response<CheckAgentResponse>, Status> {
        self.find(&request.into_inner().id)?;
        Ok(Response::new(CheckAgentResponse {}))
    }

    async fn forward_agent(
        &self,
        request: Request<Streaming<BytesMessage>>,
    ) -> Result<Response<Self::ForwardAgentStream>, Status> {
        let id = match request.metadata().get(ID_KEY).map(|id| id.to_str()) {
            None => DEFAULT_ID,
            Some(Ok(id)) => id,
            Some(Err(_)) => return Err(Status::invalid_argument("the id of the SSH agent is not text")),
        };
        let agent = self.find(id)?.clone();
        let socket = UnixStream::connect(agent.socket())
            .await
            .map_err(|error| Status::unavailable(format!("reach the SSH agent `{id}`: {error}")))?;
        let talk = Talk { build: request.into_inner(), requests: Requests::default(), socket };
        // The agent must live as long as it is talked to.
        Ok(Response::new(Box::pin(stream::try_unfold((talk, agent), |(mut talk, agent)| async move {
            let answer = talk.next_answer().await?;
            Ok(answer.map(|data| (BytesMessage { data }, (talk, agent))))
        }))))
    }
}

/// A build and an agent that talk: one request, one answer, and so on. No answer has a deadline,
/// because an agent may ask a person to touch a key; it is given up when the build is.
struct Talk<S> {
    build: Streaming<BytesMessage>,
    requests: Requests,
    socket: S,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<S> {
    async fn next_answer(&mut self) -> Result<Option<Vec<u8>>, Status> {
        loop {
            match self.requests.next().map_err(|error| Status::invalid_argument(error.to_string()))? {
                Some(Ask::Refuse) => return Ok(Some(FAILURE.to_vec())),
                Some(Ask::Forward(request)) => return answer_to(&mut self.socket, &request).await.map(Some),
                None => match self.build.message().await? {
                    Some(message) => self.requests.push(&message.data),
                    None if self.requests.is_empty() => return Ok(None),
                    None => {
                        return Err(Status::invalid_argument("the request to the SSH agent is cut short"));
                    }
                },
            }
        }
    }
}

async fn answer_to(
    agent: &mut (impl AsyncRead + AsyncWrite + Unpin),
    request: &[u8],
) -> Result<Vec<u8>, Status> {
    let lost = |error: io::Error| Status::unavailable(format!("talk with the SSH agent: {error}"));
    agent.write_all(request).await.map_err(lost)?;
    let mut header = [0; 4];
    agent.read_exact(&mut header).await.map_err(lost)?;
    let length = message_length(header)
        .map_err(|error| Status::unavailable(format!("talk with the SSH agent: {error}")))?;
    let mut answer = header.to_vec();
    answer.resize(header.len() + length, 0);
    agent.read_exact(&mut answer[header.len()..]).await.map_err(lost)?;
    Ok(answer)
}

#[cfg(test)]
mod tests;
