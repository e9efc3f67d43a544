//! What the integration tests share: finding cases, comparing with snapshots, one place that
//! turns text into findings and artifacts.

pub mod artifacts;
pub mod bases;
pub mod blobs;
pub mod cases;
pub mod dockerfile;
pub mod engines;
pub mod filesystem;
pub mod image;
pub mod oci;
pub mod packages;
pub mod places;
pub mod plans;
pub mod runtimes;
pub mod snapshot;
pub mod solve;
pub mod terminal;
pub mod tools;
pub mod vertices;

/// Says why a test does nothing here. Where all must be there, that is a failure.
pub fn skipped(reason: &str) {
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{reason}");
    eprintln!("skipped: {reason}");
}
