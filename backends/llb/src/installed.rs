//! Sets of packages that somebody has installed beside the plan, for a daemon to take.
//!
//! No daemon installs wheels or Debian packages. Whoever lowers for one installs them first, and
//! serves what came of it in a form that the daemon reads.

use cogpack_content::Digest;

/// The code of the refusal of a set that nobody has installed.
pub const NOT_INSTALLED: &str = "cpk::unsupported::installed-context";

/// How the daemon gets an installed set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstalledContext {
    /// As the image of a layout that is served under the context's name. Its layers stay the blobs
    /// that they are.
    Layout(Digest),
    /// As a tar of this name, alone in a directory that is served under the context's name; for
    /// daemons that read no layouts. Another set must be under another name, because of two files
    /// of one name and size the transfer may take one for the other.
    Archive(String),
    /// Not at all, because there is nothing in it.
    Empty,
}
