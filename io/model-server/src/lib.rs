//! Talks with the HTTP server that cog puts in front of a model, on a port of this machine.
//!
//! Two machines without sockets know the order of things: [`setup`] until a model is ready,
//! [`prediction`] from the question to the answer, with output that comes in pieces and with
//! cancelling. [`client`] drives them over TCP. Beside them lie the forms of what is said:
//! [`data_url`] (files), [`server_events`] (streamed output), [`log`](mod@log) (lines that the server
//! writes).
//!
//! Deliberately not here: how the server is started, and how any of it is shown.

pub mod setup;

pub mod prediction;

pub mod client;

pub mod data_url;
pub mod log;
pub mod server_events;
