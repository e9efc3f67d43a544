//! The session services that take results: one file, or a tree of files.
