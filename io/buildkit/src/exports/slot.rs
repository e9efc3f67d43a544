//! A place for one result, and how far it is.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::failure::ExportFailure;

/// A place for one result: something to receive into, and later what was received.
pub struct Slot<I, R>(Mutex<State<I, R>>);

enum State<I, R> {
    /// Nothing has come.
    Waiting(I),
    /// It is coming, or never came to its end.
    Receiving,
    /// All has come.
    Complete(R),
    /// It did not.
    Failed(ExportFailure),
    /// It has been taken from here.
    Taken,
}

impl<I, R> Slot<I, R> {
    pub fn new(into: I) -> Self {
        Self(Mutex::new(State::Waiting(into)))
    }

    /// Starts to receive, which can be done once.
    pub fn begin(&self) -> Result<I, ExportFailure> {
        let mut state = self.state();
        if !matches!(&*state, State::Waiting(_)) {
            return Err(ExportFailure::Twice);
        }
        match std::mem::replace(&mut *state, State::Receiving) {
            State::Waiting(into) => Ok(into),
            State::Receiving | State::Complete(_) | State::Failed(_) | State::Taken => {
                Err(ExportFailure::Twice)
            }
        }
    }

    /// Keeps what came of it.
    pub fn end(&self, received: Result<R, ExportFailure>) {
        *self.state() = match received {
            Ok(received) => State::Complete(received),
            Err(failure) => State::Failed(failure),
        };
    }

    /// What has come, if all has.
    pub fn take(&self) -> Result<R, ExportFailure> {
        match std::mem::replace(&mut *self.state(), State::Taken) {
            State::Complete(received) => Ok(received),
            State::Failed(failure) => Err(failure),
            State::Waiting(_) | State::Receiving | State::Taken => Err(ExportFailure::Incomplete),
        }
    }

    /// Why nothing has come, if it is known.
    pub fn take_failure(&self) -> Option<ExportFailure> {
        let mut state = self.state();
        if !matches!(&*state, State::Failed(_)) {
            return None;
        }
        match std::mem::replace(&mut *state, State::Taken) {
            State::Failed(failure) => Some(failure),
            State::Waiting(_) | State::Receiving | State::Complete(_) | State::Taken => None,
        }
    }

    fn state(&self) -> MutexGuard<'_, State<I, R>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
