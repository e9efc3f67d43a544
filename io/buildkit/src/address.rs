//! Where a daemon is.
