//! Lints: what is legal in a plan, and costs. The verifier refuses what is wrong; what stands here is right,
//! and yet a layer larger than it need be, a download that nobody checked, a secret that everybody can read.
//!
//! The checklist. `cogpackc explain CODE` tells more, and `docs/lints.md` says which have a fix.
//!
//! | code | file |
//! |---|---|
//! | `lint::apt::lists`, `lint::apt::version` | [`apt`] |
//! | `lint::cache::missing` | [`caches`] |
//! | `lint::copy::order` | [`order`] |
//! | `lint::copy::chown` | [`ownership`] |
//! | `lint::download::checksum` | [`downloads`] |
//! | `lint::secret::value` | [`secrets`] |
//! | `lint::user::root` | [`users`] |
//! | `lint::mode::world-writable` | [`modes`] |
//! | `lint::allow::unknown` | [`allowed`] |
//!
//! What the verifier and the resolver warn of already is not said again here: an image that is not pinned
//! (`cpk::image::unpinned`), a context from a network that is not (`cpk::context::unpinned`). How these are
//! mended is in [`pins`]; what only a server can say is a question ([`ask`]), and whoever has a network asks it.
//!
//! A lint looks at the resolved plan, so that every variable has its value, and points into the text. It is
//! silent where only running would tell: a finding that is wrong costs more than one that is missing.

pub mod allowed;
pub mod apt;
mod apt_sources;
pub mod ask;
pub mod caches;
pub mod downloads;
mod fetches;
pub mod finding;
mod look;
pub mod modes;
pub mod order;
pub mod ownership;
pub mod pins;
pub mod project;
mod reads;
mod reorder;
pub mod repair;
mod secret_mounts;
pub mod secrets;
mod text;
pub mod users;

use cogpack_ir::plan::Span;
use cogpack_ir::resolve::Resolved;
use miette::Diagnostic;

pub use ask::Question;
pub use finding::LintFinding;
pub use project::{OutOfSight, Project, Seen};
pub use repair::{Edit, Repair, Safety};

use look::Look;

/// One finding, and what can be done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lint {
    /// What is found.
    pub finding: LintFinding,
    /// The statements that it is about, innermost first: a comment at one of them may allow it.
    pub scopes: Vec<Span>,
    /// What mends it.
    pub repair: Repair,
    /// Bytes of the text that nobody should see in a message.
    pub hidden: Option<Span>,
}

impl Lint {
    pub(crate) fn new(finding: impl Into<LintFinding>, scopes: &[Span], repair: Repair) -> Self {
        Self { finding: finding.into(), scopes: scopes.to_vec(), repair, hidden: None }
    }

    /// The first byte of its label; `None` where it has no place.
    pub fn start(&self) -> Option<usize> {
        self.finding.labels().and_then(|mut labels| labels.next()).map(|label| label.offset())
    }
}

/// Looks for everything that is legal and costs in a plan that was read from `text`, sorted by place.
/// `project` is who can see the files of its directories.
pub fn lint(resolved: &Resolved, text: &str, project: &dyn Project) -> Vec<Lint> {
    let look = Look::new(resolved, text);
    let mut lints = Vec::new();
    apt::check(&look, &mut lints);
    caches::check(&look, &mut lints);
    order::check(&look, project, &mut lints);
    ownership::check(&look, &mut lints);
    downloads::check(&look, &mut lints);
    secrets::check(&look, &mut lints);
    users::check(&look, &mut lints);
    modes::check(&look, &mut lints);
    lints.sort_by_cached_key(|lint| (lint.start(), lint.finding.stable_code(), lint.finding.to_string()));
    lints
}

/// The first names of a list, in backticks, and how many more there are.
pub(crate) fn few<'a>(names: impl Iterator<Item = &'a str>) -> String {
    const SHOWN: usize = 3;
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    match names.len() {
        0..=SHOWN => names.join(", "),
        all => format!("{} and {} more", names[..SHOWN].join(", "), all - SHOWN),
    }
}
