//! Drives the machines of [`setup`](crate::setup) and [`prediction`](crate::prediction) over TCP, one
//! connection a request.

use std::collections::VecDeque;
use std::error::Error;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tokio::time::Sleep;

use crate::prediction::{Action, Event, Outcome, Prediction};
use crate::setup::{self, Health, NotReady, Setup};

/// For how long a question may take that a server answers at once.
const DEADLINE: Duration = Duration::from_secs(10);
/// How long a model may take to end a prediction that is cancelled.
const PATIENCE: Duration = Duration::from_secs(5);
/// The most that is read of an answer about the server itself.
const LARGEST_DOCUMENT: usize = 64 << 20;

type Failure = Box<dyn Error + Send + Sync>;

/// A model's server on a port of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Server {
    /// The port.
    pub port: u16,
}

type Asking<'a> = Pin<Box<dyn Future<Output = Result<Answer, Failure>> + 'a>>;

/// What happens on the way to an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// A piece of output is there.
    Piece(Value),
    /// The server is asked to cancel the prediction.
    Cancelling,
}

/// An answer that has begun. Its connection ends when it is dropped.
struct Answer {
    response: Response<Incoming>,
    connection: AbortHandle,
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

impl Server {
    /// Waits until the model is ready, for so long at most. `ended` says when its container has ended,
    /// and how.
    pub async fn ready(self, timeout: Duration, ended: impl Future<Output = String>) -> Result<(), NotReady> {
        let mut setup = Setup::default();
        let mut ended = std::pin::pin!(ended);
        let mut late = std::pin::pin!(tokio::time::sleep(timeout));
        let mut action = setup.on(setup::Event::Due);
        loop {
            let next = async {
                match &action {
                    setup::Action::Pause(pause) => {
                        tokio::time::sleep(*pause).await;
                        setup::Event::Due
                    }
                    setup::Action::Ask | setup::Action::Done(_) => self.health().await,
                }
            };
            let event = tokio::select! {
                how = &mut ended => setup::Event::Ended(how),
                () = &mut late => setup::Event::Late,
                event = next => event,
            };
            action = setup.on(event);
            if let setup::Action::Done(done) = action {
                return done;
            }
        }
    }

    async fn health(self) -> setup::Event {
        let answer = self.document("/health-check").await;
        let health = answer.ok().and_then(|(status, body)| Health::read(&body).filter(|_| status == 200));
        health.map_or(setup::Event::Silent, setup::Event::Said)
    }

    /// The OpenAPI document of the model, where its server has one.
    pub async fn openapi(self) -> Option<Value> {
        let (status, body) = self.document("/openapi.json").await.ok()?;
        serde_json::from_slice(&body).ok().filter(|document: &Value| status == 200 && document.is_object())
    }

    /// Asks for a prediction called `id`, and gives what comes of it. What happens on the way goes to
    /// `tell`; `interrupted` says, each time, when somebody does not want to wait any longer.
    pub async fn predict(
        self,
        id: &str,
        input: &Value,
        in_pieces: bool,
        tell: &mut dyn FnMut(News),
        interrupted: &mut impl AsyncFnMut(),
    ) -> Outcome {
        let body = Bytes::from(json!({"id": id, "input": input}).to_string());
        let mut prediction = Prediction::new(in_pieces);
        let mut actions = VecDeque::from(prediction.on(Event::Begin));
        let mut asking: Option<Asking<'_>> = None;
        let mut answer: Option<Answer> = None;
        let mut patience: Option<Pin<Box<Sleep>>> = None;
        loop {
            while let Some(action) = actions.pop_front() {
                match action {
                    Action::Ask { in_pieces } => {
                        asking = Some(Box::pin(self.ask(&body, in_pieces)));
                        answer = None;
                    }
                    Action::Show(piece) => tell(News::Piece(piece)),
                    Action::Cancel => {
                        tell(News::Cancelling);
                        patience = Some(Box::pin(tokio::time::sleep(PATIENCE)));
                        // That it is over is told by the answer to the prediction itself.
                        let _ = tokio::time::timeout(DEADLINE, self.cancel(id)).await;
                    }
                    Action::Done(outcome) => return outcome,
                }
            }
            let late = async {
                match patience.as_mut() {
                    Some(late) => late.await,
                    None => std::future::pending().await,
                }
            };
            let next = async {
                match (answer.as_mut(), asking.as_mut()) {
                    (Some(answer), _) => Next::Frame(answer.response.body_mut().frame().await),
                    // It goes on where it was when something else happens in between.
                    (None, Some(asking)) => Next::Head(asking.await),
                    (None, None) => std::future::pending().await,
                }
            };
            let found = tokio::select! {
                found = next => found,
                () = late => Next::NoPatience,
                () = interrupted() => Next::Interrupted,
            };
            actions.extend(match found {
                Next::Head(Ok(head)) => {
                    let status = head.response.status().as_u16();
                    let is_stream = is_stream(&head.response);
                    (asking, answer) = (None, Some(head));
                    prediction.on(Event::Head { status, is_stream })
                }
                Next::Head(Err(error)) => {
                    asking = None;
                    prediction.on(Event::Broken(chain(&*error)))
                }
                Next::Frame(None) => prediction.on(Event::End),
                Next::Frame(Some(Ok(frame))) => match frame.data_ref() {
                    Some(bytes) => prediction.on(Event::Piece(bytes)),
                    None => Vec::new(),
                },
                Next::Frame(Some(Err(error))) => prediction.on(Event::Broken(chain(&error))),
                Next::NoPatience => prediction.on(Event::NoPatience),
                Next::Interrupted => prediction.on(Event::Interrupted),
            });
        }
    }

    async fn ask(self, body: &Bytes, in_pieces: bool) -> Result<Answer, Failure> {
        let accept = if in_pieces { "text/event-stream" } else { "application/json" };
        let request = Request::builder()
            .method(Method::POST)
            .uri("/predictions")
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, accept);
        self.send(request.body(Full::new(body.clone()))?).await
    }

    async fn cancel(self, id: &str) -> Result<(), Failure> {
        let request = Request::builder().method(Method::POST).uri(format!("/predictions/{id}/cancel"));
        self.send(request.body(Full::new(Bytes::new()))?).await.map(drop)
    }

    async fn document(self, path: &str) -> Result<(u16, Bytes), Failure> {
        let asking = async {
            let request = Request::builder().uri(path).header(ACCEPT, "application/json");
            let mut answer = self.send(request.body(Full::new(Bytes::new()))?).await?;
            let status = answer.response.status().as_u16();
            let body = Limited::new(answer.response.body_mut(), LARGEST_DOCUMENT).collect().await?;
            Ok((status, body.to_bytes()))
        };
        match tokio::time::timeout(DEADLINE, asking).await {
            Ok(answer) => answer,
            Err(late) => Err(late.into()),
        }
    }

    async fn send(self, mut request: Request<Full<Bytes>>) -> Result<Answer, Failure> {
        let connecting = TcpStream::connect(("127.0.0.1", self.port));
        let stream = tokio::time::timeout(DEADLINE, connecting).await.map_err(io::Error::from)??;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // How it ended is told to whoever waits for the answer.
        let connection = tokio::spawn(async move { drop(connection.await) }).abort_handle();
        let host = format!("127.0.0.1:{}", self.port);
        request.headers_mut().insert(HOST, host.parse()?);
        match sender.send_request(request).await {
            Ok(response) => Ok(Answer { response, connection }),
            Err(error) => {
                connection.abort();
                Err(error.into())
            }
        }
    }
}

enum Next {
    Head(Result<Answer, Failure>),
    Frame(Option<Result<hyper::body::Frame<Bytes>, hyper::Error>>),
    NoPatience,
    Interrupted,
}

fn is_stream(response: &Response<Incoming>) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("text/event-stream"))
}

/// An error with all that is behind it, in one line.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests;
