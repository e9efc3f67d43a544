//! The session service for registry credentials.
