//! The session service for SSH agents and keys.
