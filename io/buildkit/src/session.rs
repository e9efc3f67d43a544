//! The session: this side serves, the daemon asks.
