//! Until a model is ready: its server is asked how it is, again and again, for as long as it has time.

use std::time::Duration;

use serde_json::Value;

/// The pause between two questions: what a model that needs no setup is delayed by at most.
const PAUSE: Duration = Duration::from_millis(100);

/// What can happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It is time for a question.
    Due,
    /// The server says this of itself.
    Said(Health),
    /// It does not answer, or not in the words of such a server.
    Silent,
    /// Its container has ended, in these words.
    Ended(String),
    /// All the time that there was is used up.
    Late,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Ask the server how it is.
    Ask,
    /// Wait, and say that the next question is due.
    Pause(Duration),
    /// All is over: the model is ready, or will not be.
    Done(Result<(), NotReady>),
}

/// Why a model does not become ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotReady {
    /// Its setup failed, with this log of the server.
    SetupFailed(String),
    /// The server could not make the socket for the model's process, since its address is in use: see
    /// [`is_address_taken`]. What it says of that.
    AddressTaken(String),
    /// The server has given the model up.
    Defunct(String),
    /// The container ended, in these words.
    Ended(String),
    /// It took too long; what the server said last.
    Late(Option<String>),
}

/// What a server says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Its word for it, `READY` for instance.
    pub status: String,
    /// The log of the setup, as far as it tells it.
    pub log: String,
}

impl Health {
    /// Reads the answer of `/health-check`.
    pub fn read(body: &[u8]) -> Option<Self> {
        let document: Value = serde_json::from_slice(body).ok()?;
        let status = document["status"].as_str()?.to_owned();
        let log = document["setup"]["logs"].as_str().unwrap_or_default().to_owned();
        Some(Self { status, log })
    }
}

/// The way to readiness.
#[derive(Debug, Default)]
pub struct Setup {
    last: Option<String>,
}

impl Setup {
    /// What an event makes necessary.
    pub fn on(&mut self, event: Event) -> Action {
        match event {
            Event::Due => Action::Ask,
            Event::Silent => Action::Pause(PAUSE),
            Event::Ended(how) => Action::Done(Err(NotReady::Ended(how))),
            Event::Late => Action::Done(Err(NotReady::Late(self.last.take()))),
            Event::Said(Health { status, log }) => match status.as_str() {
                // Whoever is busy has been ready.
                "READY" | "BUSY" => Action::Done(Ok(())),
                "SETUP_FAILED" if is_address_taken(&log) => Action::Done(Err(NotReady::AddressTaken(log))),
                "SETUP_FAILED" => Action::Done(Err(NotReady::SetupFailed(log))),
                "DEFUNCT" => Action::Done(Err(NotReady::Defunct(log))),
                // STARTING; UNHEALTHY, which a model may get over; and words that are not known yet.
                _ => {
                    self.last = Some(status);
                    Action::Pause(PAUSE)
                }
            },
        }
    }
}

/// Whether a server says that the address of a socket of its own is in use.
///
/// cog's server (`crates/coglet/src/bridge/transport.rs` of cog 0.23) talks with the process of the model
/// by sockets whose names are in the abstract namespace, `@coglet-PID-SLOT` by the server's own process
/// number. They are bound until that process has connected to them, for half a second or so. Abstract names
/// belong to a network namespace, and process numbers to a process namespace: servers in containers that
/// share a network, where each is process 1, want the same name, and of those that start at the same time
/// one gets it.
pub fn is_address_taken(said: &str) -> bool {
    said.trim_start().starts_with(NO_TRANSPORT) && said.contains(IN_USE)
}

/// How cog's server tells that it has no socket for the model's process.
const NO_TRANSPORT: &str = "failed to spawn worker: failed to create transport: ";
/// EADDRINUSE, as Rust programs write it on Linux.
const IN_USE: &str = "(os error 98)";

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: &str) -> Event {
        let body = format!(r#"{{"status":"{status}","setup":{{"logs":"no weights"}},"version":{{}}}}"#);
        Event::Said(Health::read(body.as_bytes()).expect("is an answer"))
    }

    #[test]
    fn a_server_is_asked_until_it_is_ready() {
        let mut setup = Setup::default();
        assert_eq!(setup.on(Event::Due), Action::Ask);
        assert_eq!(setup.on(Event::Silent), Action::Pause(PAUSE));
        assert_eq!(setup.on(Event::Due), Action::Ask);
        assert_eq!(setup.on(said("STARTING")), Action::Pause(PAUSE));
        assert_eq!(setup.on(said("READY")), Action::Done(Ok(())));
        assert_eq!(setup.on(said("BUSY")), Action::Done(Ok(())));
    }

    #[test]
    fn each_reason_not_to_become_ready_is_told_apart() {
        for (event, reason) in [
            (said("SETUP_FAILED"), NotReady::SetupFailed("no weights".to_owned())),
            (said("DEFUNCT"), NotReady::Defunct("no weights".to_owned())),
            (Event::Ended("with exit code 1".to_owned()), NotReady::Ended("with exit code 1".to_owned())),
            (Event::Late, NotReady::Late(Some("UNHEALTHY".to_owned()))),
        ] {
            let mut setup = Setup::default();
            setup.on(said("UNHEALTHY"));
            assert_eq!(setup.on(event), Action::Done(Err(reason)));
        }
        assert_eq!(Setup::default().on(Event::Late), Action::Done(Err(NotReady::Late(None))));
    }

    #[test]
    fn an_address_that_is_in_use_is_told_from_what_a_model_says() {
        let failed = |log: &str| {
            let said = Health { status: "SETUP_FAILED".to_owned(), log: log.to_owned() };
            Setup::default().on(Event::Said(said))
        };
        // As cog 0.23.1 says it.
        let taken =
            "failed to spawn worker: failed to create transport: Address already in use (os error 98)";
        assert_eq!(failed(taken), Action::Done(Err(NotReady::AddressTaken(taken.to_owned()))));
        for other in [
            "failed to spawn worker: failed to create transport: Too many open files (os error 24)",
            "Traceback: the model says: Address already in use (os error 98)",
        ] {
            assert_eq!(failed(other), Action::Done(Err(NotReady::SetupFailed(other.to_owned()))));
        }
    }

    #[test]
    fn what_is_no_answer_of_such_a_server_is_none() {
        for body in ["", "[]", "{}", "<html>", r#"{"status": 7}"#] {
            assert_eq!(Health::read(body.as_bytes()), None, "{body}");
        }
        let plain = Health::read(br#"{"status": "READY"}"#);
        assert_eq!(plain, Some(Health { status: "READY".to_owned(), log: String::new() }));
    }
}
