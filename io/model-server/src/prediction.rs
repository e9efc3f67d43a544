//! One prediction: the question, output that comes as it is made where the server can, the answer; and
//! cancelling on the way.
//!
//! Output in pieces is asked for by what the answer may be (`text/event-stream`). A server that has
//! none for its model says so before it begins, by the status 406; then the same is asked plainly.

use serde_json::{Map, Value};

use crate::server_events::ServerEvents;

/// The most that is kept of an answer.
const LARGEST_ANSWER: usize = 1 << 30;

/// What can happen.
#[derive(Debug, Clone, PartialEq)]
pub enum Event<'b> {
    /// The server can be asked.
    Begin,
    /// The answer begins.
    Head {
        /// The HTTP status.
        status: u16,
        /// Whether it comes as events.
        is_stream: bool,
    },
    /// Some bytes of the answer.
    Piece(&'b [u8]),
    /// The answer is whole.
    End,
    /// The connection broke, for this reason.
    Broken(String),
    /// Somebody does not want to wait any longer.
    Interrupted,
    /// The server has had all the time to cancel that it gets.
    NoPatience,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Ask for the prediction.
    Ask {
        /// Whether its output is to come in pieces.
        in_pieces: bool,
    },
    /// Ask the server to cancel it.
    Cancel,
    /// Show a piece of output.
    Show(Value),
    /// All is over.
    Done(Outcome),
}

/// How a prediction ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The model has answered.
    Answered(Answer),
    /// The server takes no such inputs: what is wrong with each.
    Inputs(Vec<String>),
    /// The server refuses.
    Refused {
        /// The HTTP status.
        status: u16,
        /// What it says.
        message: String,
    },
    /// It was cancelled.
    Cancelled,
    /// Nobody waited for the server to say that it was.
    Abandoned,
    /// The connection broke, or what came is no answer.
    Broken(String),
}

/// What a model answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// `succeeded` or `failed`.
    pub status: String,
    /// What came out.
    pub output: Value,
    /// Why it failed.
    pub error: Option<String>,
    /// What the model wrote.
    pub logs: String,
    /// What was measured.
    pub metrics: Map<String, Value>,
}

/// A prediction on its way.
#[derive(Debug)]
pub struct Prediction {
    answer: Receiving,
    is_cancelled: bool,
}

#[derive(Debug)]
enum Receiving {
    Nothing { in_pieces: bool },
    Whole { status: u16, body: Vec<u8> },
    Pieces(ServerEvents),
    Over,
}

impl Prediction {
    /// One whose output comes in pieces where the server can and `in_pieces` says so.
    pub fn new(in_pieces: bool) -> Self {
        Self { answer: Receiving::Nothing { in_pieces }, is_cancelled: false }
    }

    /// What an event makes necessary, in order.
    pub fn on(&mut self, event: Event<'_>) -> Vec<Action> {
        match (event, &mut self.answer) {
            (_, Receiving::Over) => Vec::new(),
            (Event::Begin, Receiving::Nothing { in_pieces }) => vec![Action::Ask { in_pieces: *in_pieces }],
            (Event::Head { status: 406, .. }, Receiving::Nothing { in_pieces: true }) => {
                if self.is_cancelled {
                    return self.done(Outcome::Cancelled);
                }
                self.answer = Receiving::Nothing { in_pieces: false };
                vec![Action::Ask { in_pieces: false }]
            }
            (Event::Head { status: 200, is_stream: true }, Receiving::Nothing { .. }) => {
                self.answer = Receiving::Pieces(ServerEvents::default());
                Vec::new()
            }
            (Event::Head { status, .. }, Receiving::Nothing { .. }) => {
                self.answer = Receiving::Whole { status, body: Vec::new() };
                Vec::new()
            }
            (Event::Piece(bytes), Receiving::Whole { body, .. }) => {
                if body.len() + bytes.len() > LARGEST_ANSWER {
                    return self.done(Outcome::Broken("its answer is larger than 1 GiB".to_owned()));
                }
                body.extend_from_slice(bytes);
                Vec::new()
            }
            (Event::Piece(bytes), Receiving::Pieces(events)) => match events.push(bytes) {
                Ok(found) => {
                    let mut actions = Vec::new();
                    for event in found {
                        actions.extend(self.told(&event.kind, &event.data));
                    }
                    actions
                }
                Err(error) => self.done(Outcome::Broken(error.to_string())),
            },
            (Event::End, Receiving::Whole { status, body }) => {
                let outcome = of_body(*status, body);
                self.done(outcome)
            }
            (Event::End, Receiving::Pieces(_) | Receiving::Nothing { .. }) => {
                self.done(Outcome::Broken("it ended its answer in the middle".to_owned()))
            }
            (Event::Broken(why), _) => {
                // A server that is cancelled may well hang up.
                let outcome = if self.is_cancelled { Outcome::Cancelled } else { Outcome::Broken(why) };
                self.done(outcome)
            }
            (Event::Interrupted, _) if !self.is_cancelled => {
                self.is_cancelled = true;
                vec![Action::Cancel]
            }
            (Event::Interrupted | Event::NoPatience, _) => self.done(Outcome::Abandoned),
            // Nothing of an answer comes before its head, and no second head.
            (Event::Begin | Event::Head { .. }, _) | (Event::Piece(_), Receiving::Nothing { .. }) => {
                Vec::new()
            }
        }
    }

    fn told(&mut self, kind: &str, data: &str) -> Vec<Action> {
        match kind {
            "output" => {
                let mut said: Value = serde_json::from_str(data).unwrap_or_default();
                match said.get_mut("chunk") {
                    Some(chunk) => vec![Action::Show(chunk.take())],
                    None => Vec::new(),
                }
            }
            "completed" => {
                let outcome = of_document(data.as_bytes());
                self.done(outcome)
            }
            "error" => self.done(Outcome::Broken(data.to_owned())),
            // That it has begun; logs and metrics, which the answer holds too.
            _ => Vec::new(),
        }
    }

    fn done(&mut self, outcome: Outcome) -> Vec<Action> {
        self.answer = Receiving::Over;
        vec![Action::Done(outcome)]
    }
}

fn of_body(status: u16, body: &[u8]) -> Outcome {
    match status {
        200 | 201 => of_document(body),
        422 => Outcome::Inputs(problems(body)),
        status => Outcome::Refused { status, message: message(body) },
    }
}

/// The answer to a prediction that is over.
fn of_document(body: &[u8]) -> Outcome {
    let broken = || Outcome::Broken(format!("its answer is none: {}", shown(body)));
    let Ok(Value::Object(mut document)) = serde_json::from_slice(body) else { return broken() };
    let mut text = |name: &str| match document.remove(name) {
        Some(Value::String(text)) => Some(text),
        Some(_) | None => None,
    };
    let (status, error, logs) = (text("status"), text("error"), text("logs"));
    match status.as_deref() {
        Some("succeeded" | "failed") => {}
        Some("canceled") => return Outcome::Cancelled,
        Some(_) | None => return broken(),
    }
    Outcome::Answered(Answer {
        status: status.unwrap_or_default(),
        output: document.remove("output").unwrap_or_default(),
        error,
        logs: logs.unwrap_or_default(),
        metrics: match document.remove("metrics") {
            Some(Value::Object(metrics)) => metrics,
            Some(_) | None => Map::new(),
        },
    })
}

/// What is wrong with inputs: for each the place, and what is said of it.
fn problems(body: &[u8]) -> Vec<String> {
    let document: Value = serde_json::from_slice(body).unwrap_or_default();
    let Some(details) = document["detail"].as_array() else { return vec![message(body)] };
    let problem = |detail: &Value| {
        let place = detail["loc"].as_array().into_iter().flatten();
        let place: Vec<&str> =
            place.filter_map(Value::as_str).filter(|part| !["body", "input"].contains(part)).collect();
        let said = detail["msg"].as_str().unwrap_or("it is not taken");
        if place.is_empty() { said.to_owned() } else { format!("`{}`: {said}", place.join(".")) }
    };
    details.iter().map(problem).collect()
}

fn message(body: &[u8]) -> String {
    let document: Value = serde_json::from_slice(body).unwrap_or_default();
    let said = ["error", "detail"].iter().find_map(|name| document[*name].as_str());
    said.map_or_else(|| shown(body), str::to_owned)
}

/// The beginning of what no JSON is known of.
fn shown(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text: String = text.trim().chars().take(200).collect();
    if text.is_empty() { "nothing".to_owned() } else { text }
}

#[cfg(test)]
mod tests;
