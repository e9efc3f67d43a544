//! The session service for secrets.
