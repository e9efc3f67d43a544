//! How requests travel to the Engine: over the streams that builds go over too, so that there is one
//! way to reach an Engine, encrypted or not, and one set of words for what stands in that way.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use bollard::BollardRequest;
use bollard::errors::Error;
use cogpack_io_buildkit::address::Endpoint;
use cogpack_io_buildkit::dial::{Protocol, dial};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderValue};
use hyper::{Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;

type Answer = Pin<Box<dyn Future<Output = Result<Response<Incoming>, Error>> + Send>>;

/// The header that has a login.
const LOGIN: &str = "x-registry-auth";

/// Opens a stream for each request. All of them end when what is returned is dropped.
pub(crate) fn transport_to(endpoint: &Endpoint) -> impl Fn(BollardRequest) -> Answer + Send + Sync + 'static {
    let endpoint = Arc::new(endpoint.clone());
    let connections = Arc::new(Mutex::new(JoinSet::new()));
    move |request| Box::pin(answer_to(request, Arc::clone(&endpoint), Arc::clone(&connections)))
}

async fn answer_to(
    request: BollardRequest,
    endpoint: Arc<Endpoint>,
    connections: Arc<Mutex<JoinSet<()>>>,
) -> Result<Response<Incoming>, Error> {
    let stream = dial(&endpoint, Protocol::Http1)
        .await
        // The only way through the library for an error that is not its own.
        .map_err(|obstacle| Error::IOError { err: io::Error::other(obstacle) })?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    {
        let mut connections = connections.lock().unwrap_or_else(PoisonError::into_inner);
        while connections.try_join_next().is_some() {}
        connections.spawn(async move {
            // How it ended is told to whoever waits for the answer.
            let _ = connection.await;
        });
    }
    Ok(sender.send_request(in_origin_form(request)).await?)
}

/// A request as servers expect it, whose target is a path and not a whole address.
fn in_origin_form(request: BollardRequest) -> BollardRequest {
    let (mut parts, body) = request.into_parts();
    if let Some(target) = parts.uri.path_and_query() {
        parts.uri = Uri::from(target.clone());
    }
    // Over a socket there is no host, and the Engine does not look at it.
    parts.headers.insert(HOST, HeaderValue::from_static("docker"));
    if let Some(login) = parts.headers.get_mut(LOGIN) {
        *login = in_urls(login);
    }
    BollardRequest::from_parts(parts, body)
}

/// Base64 in the alphabet for URLs. Engines read a login in no other, and take what they cannot read
/// for no login; the library writes the usual one.
fn in_urls(base64: &HeaderValue) -> HeaderValue {
    let translated = base64.as_bytes().iter().map(|byte| match byte {
        b'+' => b'-',
        b'/' => b'_',
        other => *other,
    });
    let mut login = HeaderValue::from_bytes(&translated.collect::<Vec<_>>())
        // Of what a header may hold, only such bytes were put in.
        .unwrap_or_else(|_| base64.clone());
    login.set_sensitive(true);
    login
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

    use super::*;

    #[test]
    fn logins_travel_as_engines_read_them() {
        let login = r#"{"password":"??????~~~~~~ä"}"#;
        let usual = STANDARD.encode(login);
        assert!(usual.contains('/') && usual.contains('+'), "{usual}");
        let request = hyper::Request::post("http://docker/images/a/push").header(LOGIN, &usual);
        let request = in_origin_form(request.body(bollard::body_full(Default::default())).unwrap());
        assert_eq!(request.uri(), "/images/a/push");
        let sent = &request.headers()[LOGIN];
        assert!(sent.is_sensitive());
        assert_eq!(URL_SAFE.decode(sent).unwrap(), login.as_bytes());
    }
}
