//! The session service for secrets: values by id, given to the daemon when a step mounts them.
//!
//! Where values come from is not known here. A daemon asks for a secret at every build, also for
//! steps whose result it has already, so values must be at hand before the build begins.

use std::collections::BTreeMap;
use std::fmt;

use bollard_buildkit_proto::moby::buildkit::secrets::v1::secrets_server;
use bollard_buildkit_proto::moby::buildkit::secrets::v1::{GetSecretRequest, GetSecretResponse};
use tonic::{Request, Response, Status};
use zeroize::Zeroizing;

/// The methods that a session with this service announces.
pub const METHODS: &[&str] = &["/moby.buildkit.secrets.v1.Secrets/GetSecret"];

/// The most bytes that a secret may have. Daemons refuse larger ones, and only once the step that
/// mounts it is about to run.
pub const LARGEST_SECRET: usize = 500 * 1024;

/// Bytes that are shown to nobody: not in messages, not in logs, not by `Debug`. The memory is
/// wiped when the value goes.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Hides these bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// The bytes themselves, for those who send them where they belong.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("[secret]")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, out)
    }
}

/// Why a secret cannot be given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// It has more bytes than daemons take.
    #[error("the secret `{id}` has more than the {LARGEST_SECRET} bytes that a daemon takes")]
    TooLarge {
        /// Its id.
        id: String,
    },
    /// Its id was given before.
    #[error("the secret `{id}` is given twice")]
    Twice {
        /// Its id.
        id: String,
    },
}

/// The secrets of one build.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    values: BTreeMap<String, Secret>,
}

impl Secrets {
    /// Gives one more secret.
    pub fn add(&mut self, id: &str, value: Secret) -> Result<(), SecretError> {
        if value.expose().len() > LARGEST_SECRET {
            return Err(SecretError::TooLarge { id: id.to_owned() });
        }
        if self.values.contains_key(id) {
            return Err(SecretError::Twice { id: id.to_owned() });
        }
        self.values.insert(id.to_owned(), value);
        Ok(())
    }

    /// Whether there is such a secret.
    pub fn contains(&self, id: &str) -> bool {
        self.values.contains_key(id)
    }

    /// The value of a secret, for builders that have no session.
    pub fn get(&self, id: &str) -> Option<&Secret> {
        self.values.get(id)
    }

    /// The ids, in order.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// The service, to be added to a session.
    pub fn into_server(self) -> secrets_server::SecretsServer<Self> {
        secrets_server::SecretsServer::new(self)
    }
}

#[tonic::async_trait]
impl secrets_server::Secrets for Secrets {
    async fn get_secret(
        &self,
        request: Request<GetSecretRequest>,
    ) -> Result<Response<GetSecretResponse>, Status> {
        let id = request.into_inner().id;
        match self.values.get(&id) {
            Some(value) => Ok(Response::new(GetSecretResponse { data: value.expose().to_vec() })),
            // Daemons take this code as absence, which optional mounts allow.
            None => Err(Status::not_found(format!("the secret `{id}` is not given"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(secrets: &Secrets, id: &str) -> Result<Vec<u8>, Status> {
        let request = GetSecretRequest { id: id.to_owned(), annotations: Default::default() };
        let answer = secrets_server::Secrets::get_secret(secrets, Request::new(request)).await?;
        Ok(answer.into_inner().data)
    }

    #[tokio::test]
    async fn a_secret_is_given_by_id_and_others_are_absent() {
        let mut secrets = Secrets::default();
        secrets.add("token", Secret::new("a\0b\n")).unwrap();
        assert_eq!(ask(&secrets, "token").await.unwrap(), b"a\0b\n");
        let status = ask(&secrets, "tokens").await.unwrap_err();
        assert_eq!(status.code(), tonic::Code::NotFound);
        assert_eq!(status.message(), "the secret `tokens` is not given");
    }

    #[test]
    fn a_value_is_shown_by_nothing() {
        let secret = Secret::new("hunter2");
        let mut secrets = Secrets::default();
        secrets.add("token", secret.clone()).unwrap();
        let shown = format!("{secret} {secret:?} {secrets:?} {secrets:#?}");
        assert!(!shown.contains("hunter2") && !shown.contains("104"), "{shown}");
        assert!(shown.starts_with("[secret] [secret] "), "{shown}");
    }

    #[test]
    fn what_a_daemon_would_refuse_is_refused_before() {
        let mut secrets = Secrets::default();
        secrets.add("largest", Secret::new(vec![0; LARGEST_SECRET])).unwrap();
        let error = secrets.add("larger", Secret::new(vec![0; LARGEST_SECRET + 1])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the secret `larger` has more than the 512000 bytes that a daemon takes"
        );
        let error = secrets.add("largest", Secret::new("")).unwrap_err();
        assert_eq!(error.to_string(), "the secret `largest` is given twice");
        assert_eq!(secrets.ids().collect::<Vec<_>>(), ["largest"]);
    }
}
