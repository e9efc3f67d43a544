//! Calls to a Docker Engine: plain ones, and those that turn an HTTP connection into a stream.

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, UPGRADE};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Deserialize;

use crate::dial::Stream;

/// No answer of an Engine that we read is longer.
const LONGEST_ANSWER: usize = 1 << 20;

/// What came back.
pub(crate) enum Answer {
    /// The connection is ours now.
    Stream(Stream),
    /// An ordinary answer.
    Plain {
        /// How it went.
        status: StatusCode,
        /// The text.
        body: Bytes,
    },
}

/// A call by `POST`, which is all we need. Whoever sends it says to which host.
pub(crate) fn post(path: &str) -> http::request::Builder {
    Request::builder().method(Method::POST).uri(path)
}

/// The same, asking for the connection itself.
pub(crate) fn post_for_stream(path: &str, protocol: &str) -> http::request::Builder {
    post(path).header(CONNECTION, "Upgrade").header(UPGRADE, protocol)
}

/// A body in JSON.
pub(crate) fn json(
    builder: http::request::Builder,
    body: &serde_json::Value,
) -> Result<Request<Full<Bytes>>, http::Error> {
    builder.header(CONTENT_TYPE, "application/json").body(Full::new(Bytes::from(body.to_string())))
}

/// Sends one request over a stream of its own. The caller sets the deadline.
pub(crate) async fn call(stream: Stream, request: Request<Full<Bytes>>) -> Result<Answer, hyper::Error> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let exchange = async move {
        let response = sender.send_request(request).await?;
        let status = response.status();
        if status == StatusCode::SWITCHING_PROTOCOLS {
            let stream = hyper::upgrade::on(response).await?;
            return Ok(Answer::Stream(Box::new(TokioIo::new(stream))));
        }
        // What cannot be read as text is as good as none: the status says enough.
        let body = Limited::new(response.into_body(), LONGEST_ANSWER)
            .collect()
            .await
            .map(http_body_util::Collected::to_bytes)
            .unwrap_or_default();
        Ok(Answer::Plain { status, body })
    };
    // The connection is driven here, so that nothing is left running when the caller gives up.
    let (answer, _) = tokio::join!(exchange, connection.with_upgrades());
    answer
}

/// What an Engine says when it refuses.
pub(crate) fn message(status: StatusCode, body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Refusal {
        message: String,
    }
    match serde_json::from_slice::<Refusal>(body) {
        Ok(refusal) => refusal.message,
        Err(_) => format!("status {status}"),
    }
}
