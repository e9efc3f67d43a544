//! Fetches over HTTP, with the certificates and the proxy that the machine names.

use std::io::{self, Read};
use std::time::Duration;

use cogpack_io_web::Trust;
use ureq::Agent;
use url::Url;

/// Servers that are busy are asked again after this long, and after twice as long.
const PAUSE: Duration = Duration::from_secs(1);
/// How often a server is asked in all.
const MOST_TRIES: u32 = 3;

/// Why nothing came.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// The server's answer.
    #[error("`{from}` answers {status}")]
    Status {
        /// Who was asked, without what may be secret.
        from: String,
        /// The HTTP status.
        status: u16,
    },
    /// No answer, or none to its end.
    #[error("nothing came from `{from}`")]
    Transport {
        /// Who was asked, without what may be secret.
        from: String,
        /// What happened.
        #[source]
        source: io::Error,
    },
}

impl WebError {
    /// Whether the same might succeed in a moment.
    fn is_passing(&self) -> bool {
        match self {
            Self::Status { status, .. } => *status == 429 || *status >= 500,
            Self::Transport { .. } => true,
        }
    }
}

/// A client for as many requests as there are.
#[derive(Debug, Clone)]
pub struct Web {
    agent: Agent,
}

impl Default for Web {
    fn default() -> Self {
        Self::new()
    }
}

impl Web {
    /// One that trusts the certificates of the machine.
    pub fn new() -> Self {
        Self { agent: Trust::of_machine().config().build().into() }
    }

    /// Asks for `url` until `read` has got an answer to its end, or it is no use.
    pub fn get<T>(
        &self,
        url: &Url,
        accept: &str,
        mut read: impl FnMut(&mut dyn Read) -> io::Result<T>,
    ) -> Result<T, WebError> {
        let mut pause = PAUSE;
        for _ in 1..MOST_TRIES {
            match self.get_once(url, accept, &mut read) {
                Err(error) if error.is_passing() => {}
                done => return done,
            }
            std::thread::sleep(pause);
            pause *= 2;
        }
        self.get_once(url, accept, &mut read)
    }

    fn get_once<T>(
        &self,
        url: &Url,
        accept: &str,
        read: &mut impl FnMut(&mut dyn Read) -> io::Result<T>,
    ) -> Result<T, WebError> {
        let transport = |source| WebError::Transport { from: without_secrets(url), source };
        let mut answer = self
            .agent
            .get(url.as_str())
            .header("accept", accept)
            .call()
            .map_err(|error| transport(error.into_io()))?;
        let status = answer.status();
        if !status.is_success() {
            return Err(WebError::Status { from: without_secrets(url), status: status.as_u16() });
        }
        read(&mut answer.body_mut().as_reader()).map_err(transport)
    }
}

/// An address as it may be shown: without a login, and without a query, which may be a signature.
pub fn without_secrets(url: &Url) -> String {
    let mut shown = url.clone();
    // Addresses that have no host have no login either.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.set_query(None);
    shown.set_fragment(None);
    shown.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_secrets() {
        let url = Url::parse("https://me:word@example.org/a/b.whl?signature=1#sha256=2").expect("is one");
        assert_eq!(without_secrets(&url), "https://example.org/a/b.whl");
    }
}
