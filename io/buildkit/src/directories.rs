//! The session service that sends directories.
