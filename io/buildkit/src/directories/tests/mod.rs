//! Whole transfers through a real client and server of gRPC over a pipe in memory.

mod peer;
mod selection;
mod transfers;
