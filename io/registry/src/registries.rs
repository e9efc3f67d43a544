//! Asks registries, shows a login where one is wanted, and asks again.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cogpack_content::ImageReference;
use cogpack_io_buildkit::auth::{Login, LoginError};
use cogpack_io_buildkit::secrets::Secret;
use serde::Deserialize;
use ureq::Body;
use ureq::http::Response;
use url::Url;

use crate::challenge::Challenge;
use crate::endpoint::{Agents, Endpoint, endpoints};
use crate::failure::RegistryError;
use crate::settings::Settings;

/// What is read of an answer that is only shown.
const LONGEST_MESSAGE: u64 = 64 << 10;
/// What is read of an answer that holds a token.
const LONGEST_TOKEN: u64 = 1 << 20;
/// What is shown of what a registry says.
const SHOWN: usize = 300;
/// By this name those who give out tokens know us.
const CLIENT: &str = "cogpackc";

/// Finds the login for a registry, `HOST` or `HOST:PORT`.
pub type FindLogin = Box<dyn Fn(&str) -> Result<Login, LoginError> + Send + Sync>;

/// The images of one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// The registry, `docker.io` or `HOST:PORT`.
    pub registry: String,
    /// Its name there.
    pub path: String,
}

impl Repository {
    /// The one that a reference names.
    pub fn of(reference: &ImageReference) -> Self {
        Self { registry: reference.registry().to_owned(), path: reference.repository() }
    }
}

/// A client of any number of registries, for one build. All of it waits in the thread that asks.
pub struct Registries {
    settings: Settings,
    login: FindLogin,
    agents: Agents,
    /// By registry, who is asked for its images.
    endpoints: Mutex<BTreeMap<String, Vec<Endpoint>>>,
    /// What was shown, and taken, by address and name of the images.
    shown: Mutex<BTreeMap<(String, String), Secret>>,
}

/// What is asked of a registry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question<'q> {
    /// What is attempted, for messages.
    pub attempted: &'q str,
    /// Of which images.
    pub repository: &'q Repository,
    /// What, below the name of the images: `manifests/TAG`.
    pub path: &'q str,
    /// In which form.
    pub accept: &'q str,
    /// From which byte on.
    pub from: u64,
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

#[derive(Deserialize)]
struct Errors {
    errors: Vec<ErrorEntry>,
}

#[derive(Deserialize)]
struct ErrorEntry {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

impl Registries {
    /// A client that goes by these settings and logins.
    pub fn new(settings: Settings, login: FindLogin) -> Self {
        Self { settings, login, agents: Agents::new(), endpoints: Mutex::default(), shown: Mutex::default() }
    }

    /// Who is asked for images of a registry.
    pub(crate) fn endpoints(&self, registry: &str) -> Vec<Endpoint> {
        let mut known = self.endpoints.lock().unwrap_or_else(PoisonError::into_inner);
        let endpoints = known
            .entry(registry.to_owned())
            .or_insert_with(|| endpoints(registry, &self.settings, &self.agents));
        endpoints.clone()
    }

    /// Asks once, and once more with what the registry wants to see.
    pub(crate) fn ask(
        &self,
        endpoint: &Endpoint,
        question: Question<'_>,
    ) -> Result<Response<Body>, RegistryError> {
        let key = (endpoint.base.to_string(), question.repository.path.clone());
        let before = self.shown().get(&key).cloned();
        let answer = self.ask_once(endpoint, question, before.as_ref())?;
        if answer.status() != 401 {
            return given(answer, endpoint, question);
        }
        let headers = answer.headers().get_all("www-authenticate").iter();
        let Some(challenge) = Challenge::best(headers.filter_map(|header| header.to_str().ok())) else {
            return given(answer, endpoint, question);
        };
        let Some(authorization) = self.authorization(endpoint, question, &challenge)? else {
            return given(answer, endpoint, question);
        };
        let answer = self.ask_once(endpoint, question, Some(&authorization))?;
        if answer.status() != 401 {
            self.shown().insert(key, authorization);
        }
        given(answer, endpoint, question)
    }

    fn ask_once(
        &self,
        endpoint: &Endpoint,
        question: Question<'_>,
        authorization: Option<&Secret>,
    ) -> Result<Response<Body>, RegistryError> {
        let url = format!("{}v2/{}/{}", endpoint.base, question.repository.path, question.path);
        let mut request = endpoint.agent.get(url).header("accept", question.accept);
        if question.from > 0 {
            request = request.header("range", format!("bytes={}-", question.from));
        }
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization.expose());
        }
        request.call().map_err(|error| RegistryError::Transport {
            attempted: question.attempted.to_owned(),
            from: endpoint.host.clone(),
            source: error.into_io(),
        })
    }

    /// What a registry is shown; nothing where there is nothing to show.
    fn authorization(
        &self,
        endpoint: &Endpoint,
        question: Question<'_>,
        challenge: &Challenge,
    ) -> Result<Option<Secret>, RegistryError> {
        let login = (self.login)(&endpoint.host).map_err(|source| RegistryError::Login {
            attempted: question.attempted.to_owned(),
            registry: endpoint.host.clone(),
            source,
        })?;
        match challenge {
            Challenge::Basic => Ok(match &login {
                Login::Password { username, password } => Some(basic(username, password)),
                Login::Anonymous | Login::Identity(_) => None,
            }),
            Challenge::Bearer { realm, service, scope } => {
                let pulling = format!("repository:{}:pull", question.repository.path);
                let mut wanted = vec![("scope", scope.as_deref().unwrap_or(&pulling))];
                wanted.extend(service.as_deref().map(|service| ("service", service)));
                self.token(endpoint, question, realm, &wanted, &login).map(Some)
            }
        }
    }

    /// A token from whoever gives them out for this registry. That one is asked with encryption
    /// wherever the registry itself is.
    fn token(
        &self,
        endpoint: &Endpoint,
        question: Question<'_>,
        realm: &str,
        wanted: &[(&str, &str)],
        login: &Login,
    ) -> Result<Secret, RegistryError> {
        let nonsense = |reason: &str| RegistryError::Nonsense {
            attempted: question.attempted.to_owned(),
            from: endpoint.host.clone(),
            reason: reason.to_owned(),
        };
        let url =
            Url::parse(realm).map_err(|_| nonsense("wants a token, and names no address that gives one"))?;
        match url.scheme() {
            "https" => {}
            "http" if endpoint.base.scheme() == "http" => {}
            _ => return Err(nonsense("wants a token that would have to be fetched without encryption")),
        }
        let from = url.host_str().unwrap_or_default().to_owned();
        let question = Question { attempted: &format!("{}: get a token", question.attempted), ..question };
        let failed = |error: ureq::Error| RegistryError::Transport {
            attempted: question.attempted.to_owned(),
            from: from.clone(),
            source: error.into_io(),
        };
        let asked = match login {
            Login::Identity(token) => {
                let token = std::str::from_utf8(token.expose())
                    .map_err(|_| nonsense("has a login that is no text"))?;
                let form = [("grant_type", "refresh_token"), ("client_id", CLIENT), ("refresh_token", token)];
                endpoint.agent.post(url.as_str()).send_form(form.into_iter().chain(wanted.iter().copied()))
            }
            Login::Password { username, password } => {
                let url = with_query(url, wanted.iter().copied().chain([("account", username.as_str())]));
                let authorization = basic(username, password);
                endpoint.agent.get(url.as_str()).header("authorization", authorization.expose()).call()
            }
            Login::Anonymous => endpoint.agent.get(with_query(url, wanted.iter().copied()).as_str()).call(),
        };
        let asked = asked.map_err(failed)?;
        let server = Endpoint { host: from.clone(), ..endpoint.clone() };
        let mut answer = given(asked, &server, question)?;
        let mut bytes = Vec::new();
        let read = answer.body_mut().as_reader().take(LONGEST_TOKEN).read_to_end(&mut bytes);
        read.map_err(|error| failed(error.into()))?;
        let bytes = Secret::new(bytes);
        let token: Option<Token> = serde_json::from_slice(bytes.expose()).ok();
        let token =
            token.and_then(|token| token.token.or(token.access_token)).filter(|token| !token.is_empty());
        match token {
            Some(token) => Ok(Secret::new(format!("Bearer {token}"))),
            None => Err(nonsense("is told of a token that nobody gives")),
        }
    }

    fn shown(&self) -> MutexGuard<'_, BTreeMap<(String, String), Secret>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn basic(username: &str, password: &Secret) -> Secret {
    let login = Secret::new([username.as_bytes(), b":", password.expose()].concat());
    Secret::new(format!("Basic {}", STANDARD.encode(login.expose())))
}

fn with_query<'p>(mut url: Url, parameters: impl Iterator<Item = (&'p str, &'p str)>) -> Url {
    url.query_pairs_mut().extend_pairs(parameters);
    url
}

/// An answer that gives what was asked for.
fn given(
    mut answer: Response<Body>,
    endpoint: &Endpoint,
    question: Question<'_>,
) -> Result<Response<Body>, RegistryError> {
    if answer.status().is_success() {
        return Ok(answer);
    }
    let mut bytes = Vec::new();
    // What cannot be read of it cannot be shown.
    let _ = answer.body_mut().as_reader().take(LONGEST_MESSAGE).read_to_end(&mut bytes);
    Err(RegistryError::Refused {
        attempted: question.attempted.to_owned(),
        from: endpoint.host.clone(),
        status: answer.status().as_u16(),
        said: said(&bytes),
    })
}

/// What a registry says of an error, on one line; nothing where it says it in a way of its own.
fn said(bytes: &[u8]) -> String {
    let Ok(Errors { errors }) = serde_json::from_slice(bytes) else { return String::new() };
    let one = |entry: ErrorEntry| match (entry.code.is_empty(), entry.message.is_empty()) {
        (false, false) => format!("{} ({})", entry.message, entry.code),
        (true, _) => entry.message,
        (_, true) => entry.code,
    };
    let all = errors.into_iter().map(one).filter(|text| !text.is_empty()).collect::<Vec<_>>().join("; ");
    all.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(SHOWN).collect()
}

/// How long to wait before a registry is asked for the `tries`th time, counted from 2.
pub(crate) fn pause(tries: u32) -> Duration {
    Duration::from_millis(250) * 2_u32.saturating_pow(tries.saturating_sub(2).min(5))
}
