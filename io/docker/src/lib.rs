//! What the `docker` command is told by its configuration, and the Engine behind it.
