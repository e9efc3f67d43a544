//! The session service for registry credentials: the daemon names a host, this side answers with
//! a login.
//!
//! Where logins are kept is not known here. The daemon makes the tokens itself: this side never
//! speaks to a registry during a build.

use std::fmt;

use bollard_buildkit_proto::moby::filesync::v1::auth_server;
use bollard_buildkit_proto::moby::filesync::v1::{
    CredentialsRequest, CredentialsResponse, FetchTokenRequest, FetchTokenResponse, GetTokenAuthorityRequest,
    GetTokenAuthorityResponse, VerifyTokenAuthorityRequest, VerifyTokenAuthorityResponse,
};
use tonic::{Request, Response, Status};

use crate::secrets::Secret;

/// The methods that a session with this service announces.
pub const METHODS: &[&str] = &[
    "/moby.filesync.v1.Auth/Credentials",
    "/moby.filesync.v1.Auth/FetchToken",
    "/moby.filesync.v1.Auth/GetTokenAuthority",
    "/moby.filesync.v1.Auth/VerifyTokenAuthority",
];

/// How to log in to a registry.
#[derive(Debug, Clone)]
pub enum Login {
    /// Not at all.
    Anonymous,
    /// With a name and a password.
    Password {
        /// The name.
        username: String,
        /// The password.
        password: Secret,
    },
    /// With a token that stands for an account, to be exchanged for a token of the registry.
    Identity(Secret),
}

/// Why a login cannot be had, in words that hold no secret. The daemon shows it to the user.
#[derive(Debug)]
pub struct LoginError(pub Box<dyn std::error::Error + Send + Sync>);

impl fmt::Display for LoginError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(out, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl std::error::Error for LoginError {}

/// Whoever keeps logins.
#[tonic::async_trait]
pub trait Logins: Send + Sync + 'static {
    /// The login for a registry, named as daemons do: `HOST` or `HOST:PORT`.
    async fn login(&self, host: &str) -> Result<Login, LoginError>;
}

/// Logs in nowhere.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoLogins;

#[tonic::async_trait]
impl Logins for NoLogins {
    async fn login(&self, _host: &str) -> Result<Login, LoginError> {
        Ok(Login::Anonymous)
    }
}

/// The credentials of one build.
#[derive(Debug, Clone)]
pub struct Auth<L> {
    logins: L,
}

impl<L: Logins> Auth<L> {
    /// Answers from these logins.
    pub fn new(logins: L) -> Self {
        Self { logins }
    }

    /// The service, to be added to a session.
    pub fn into_server(self) -> auth_server::AuthServer<Self> {
        auth_server::AuthServer::new(self)
    }
}

#[tonic::async_trait]
impl<L: Logins> auth_server::Auth for Auth<L> {
    async fn credentials(
        &self,
        request: Request<CredentialsRequest>,
    ) -> Result<Response<CredentialsResponse>, Status> {
        let host = request.into_inner().host;
        let login = self.logins.login(&host).await.map_err(|error| Status::unknown(error.to_string()))?;
        let (username, secret) = match login {
            Login::Anonymous => (String::new(), String::new()),
            Login::Password { username, password } => (username, text(&host, &password)?),
            // A secret without a name is how daemons are told that it is a token.
            Login::Identity(token) => (String::new(), text(&host, &token)?),
        };
        Ok(Response::new(CredentialsResponse { username, secret }))
    }

    async fn get_token_authority(
        &self,
        _request: Request<GetTokenAuthorityRequest>,
    ) -> Result<Response<GetTokenAuthorityResponse>, Status> {
        // This code, and no other, makes the daemon ask for credentials instead.
        Err(Status::unavailable("this client makes no tokens"))
    }

    async fn verify_token_authority(
        &self,
        _request: Request<VerifyTokenAuthorityRequest>,
    ) -> Result<Response<VerifyTokenAuthorityResponse>, Status> {
        Err(Status::unavailable("this client makes no tokens"))
    }

    async fn fetch_token(
        &self,
        _request: Request<FetchTokenRequest>,
    ) -> Result<Response<FetchTokenResponse>, Status> {
        Err(Status::unavailable("this client makes no tokens"))
    }
}

fn text(host: &str, secret: &Secret) -> Result<String, Status> {
    let text = std::str::from_utf8(secret.expose())
        .map_err(|_| Status::unknown(format!("the password for `{host}` is not UTF-8")))?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;

    #[tonic::async_trait]
    impl Logins for Fixed {
        async fn login(&self, host: &str) -> Result<Login, LoginError> {
            match host {
                "named.example" => {
                    Ok(Login::Password { username: "ada".to_owned(), password: Secret::new("lovelace") })
                }
                "token.example" => Ok(Login::Identity(Secret::new("opaque"))),
                "broken.example" => Err(LoginError("the helper said no".into())),
                _ => Ok(Login::Anonymous),
            }
        }
    }

    async fn ask(host: &str) -> Result<(String, String), Status> {
        let request = Request::new(CredentialsRequest { host: host.to_owned() });
        let answer = auth_server::Auth::credentials(&Auth::new(Fixed), request).await?.into_inner();
        Ok((answer.username, answer.secret))
    }

    #[tokio::test]
    async fn logins_are_told_as_daemons_read_them() {
        assert_eq!(ask("named.example").await.unwrap(), ("ada".to_owned(), "lovelace".to_owned()));
        assert_eq!(ask("token.example").await.unwrap(), (String::new(), "opaque".to_owned()));
        assert_eq!(ask("else.example").await.unwrap(), (String::new(), String::new()));
        assert_eq!(ask("broken.example").await.unwrap_err().message(), "the helper said no");
    }

    #[tokio::test]
    async fn the_daemon_is_sent_back_to_credentials() {
        let request = Request::new(GetTokenAuthorityRequest::default());
        let status = auth_server::Auth::get_token_authority(&Auth::new(NoLogins), request).await.unwrap_err();
        assert_eq!(status.code(), tonic::Code::Unavailable);
    }
}
