//! What a daemon says about a build while it runs.
