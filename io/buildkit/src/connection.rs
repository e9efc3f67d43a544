//! A connection to a daemon, and how it came to be.
