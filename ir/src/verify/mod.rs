//! The verifier: every rule that a plan must keep, beside those of the grammar.
//!
//! The checklist. Each rule names its code; `cogpackc explain CODE` tells more, with an example.
//! Rules marked (w) warn.
//!
//! Names ([`references`], [`stages`])
//!  1. Every stage, phase, image, context, secret and cache that is used is declared:
//!     `cpk::stage::unknown`, `cpk::phase::unknown`, `cpk::input::unknown`,
//!     `cpk::secret::unknown`, `cpk::cache::unknown`.
//!  2. `image @x` names an image and `@x` a context: `cpk::input::not-an-image`,
//!     `cpk::input::not-a-context`.
//!  3. Stage names are unique: `cpk::stage::duplicate`. (Other names are the grammar's business.)
//!  4. (w) What is declared is used, and a stage reaches the export: `cpk::unused::image`,
//!     `cpk::unused::context`, `cpk::unused::secret`, `cpk::unused::cache`, `cpk::unused::stage`
//!     ([`unused`]).
//!
//! Order ([`stages`], [`cycles`], [`parallel`])
//!  5. A stage without `from` has something to start from: `cpk::stage::no-from`.
//!  6. What `phase P` means, and what a phase starts from, is one thing: `cpk::phase::ambiguous`,
//!     `cpk::phase::empty`.
//!  7. Of the stock phases, `build.complete` holds no stage: `cpk::phase::complete`.
//!  8. No circles: `cpk::phase::cycle`, `cpk::stage::cycle`, `cpk::stage::later-phase`.
//!  9. Stages of a parallel phase start from its input: `cpk::phase::parallel-from`.
//! 10. Two of them set no variable, working directory, user or shell both, and write no path
//!     both: `cpk::phase::parallel-clash`.
//!
//! What is built from ([`platforms`], [`images`], [`contexts`], [`addresses`], [`patterns`])
//! 11. Platforms are Linux ones with an architecture that exists, and differ:
//!     `cpk::platform::not-linux`, `cpk::platform::architecture`, `cpk::platform::same`.
//! 12. An image has one digest, and one value a variable: `cpk::image::two-digests`,
//!     `cpk::image::env-twice`.
//! 13. Addresses, commits, tags, file names and Python versions are such: `cpk::context::url`,
//!     `cpk::context::commit`, `cpk::context::tag`, `cpk::context::file-name`,
//!     `cpk::context::wheels-python`, and certificates of authorities are such, each one alone:
//!     `cpk::context::certificate`; no address holds a password: `cpk::context::credentials`.
//! 14. Files of a locked set have hashes: `cpk::context::no-hash`. (w) Other things from a
//!     network are pinned: `cpk::context::unpinned`.
//! 15. No inline file is a directory of another: `cpk::context::file-and-directory`.
//! 16. Patterns have `*`, `?` and `**`, and nothing that matchers differ on:
//!     `cpk::pattern::empty`, `cpk::pattern::invalid`.
//!
//! Paths ([`paths`]), after variables are expanded
//! 17. Paths in the image are absolute, those of contexts relative: `cpk::path::not-absolute`,
//!     `cpk::path::absolute`.
//! 18. They are not empty, have no `..`, backslash or control character:
//!     `cpk::path::empty`, `cpk::path::dot-dot`, `cpk::path::backslash`,
//!     `cpk::path::control-character`.
//!     (w) What is removed has no `*` or `?`, which are no wildcards: `cpk::path::literal-wildcard`.
//! 19. The root is not made anew, linked, removed or a volume: `cpk::path::root`. One directory is one
//!     volume, however its path is written: `cpk::syntax::twice`.
//!
//! Ops ([`copies`], [`mounts`], [`secrets`], [`commands`], [`layers`], [`templates`])
//! 20. Wildcards stand only before `into`, `**` only in patterns: `cpk::copy::wildcard`.
//! 21. Two sources of a copy do not land on one path, and each has a name to land under:
//!     `cpk::copy::landing`, `cpk::copy::nameless`.
//! 22. `replace` does not remove `/`; nothing is copied or mounted from `scratch`:
//!     `cpk::copy::replaces-root`, `cpk::copy::scratch`, `cpk::mount::scratch`.
//! 23. Mounts have targets of their own, none below what is a file, and leave `/`, `/proc` with all below it, `/sys` and
//!     `/dev` alone:
//!     `cpk::mount::overlap`, `cpk::mount::reserved`; a tmpfs has a size: `cpk::mount::size`.
//! 24. A secret reaches only the op that mounts it: `cpk::secret::exposed`.
//! 25. Something is run, and it is no command line in one word: `cpk::run::empty`,
//!     `cpk::exec::empty`, `cpk::exec::one-word-shell`, `cpk::shell::empty`.
//!     (w) Nor one in words that only a shell would read: `cpk::exec::shell-sign`.
//! 26. Users are users: `cpk::user::bad`. No text has a NUL: `cpk::text::nul`.
//! 27. Layers do not nest, and are named once: `cpk::layer::nested`, `cpk::layer::duplicate`;
//!     (w) they change files: `cpk::layer::empty`.
//! 28. A `${` is a variable: `cpk::env::bad-template`; one that is set: `cpk::env::undefined`, `cpk::env::too-long`
//!     (where the base's config is known; [`resolve::variables`](crate::resolve::variables)).
//!
//! Export ([`exports`])
//! 29. It is made of a filesystem: `cpk::export::not-a-filesystem`.
//! 30. Its lists, signal, health check and keys say something: `cpk::export::cmd-empty`,
//!     `cpk::export::stop-signal`, `cpk::export::healthcheck`, `cpk::export::empty-key`.
//! 31. It names no variable, since nothing in it is expanded: `cpk::export::variable`.
//!
//! At most [`finding::MOST`] breaches are told: `cpk::syntax::many`.
//!
//! Only [`resolve`](crate::resolve::resolve) reports that there is nothing to export
//! (`cpk::export::missing`), that a `workdir` or `user` leans on what nobody knows
//! (`cpk::env::open`), and (w) that an image is not pinned (`cpk::image::unpinned`) or has build
//! triggers (`cpk::image::triggers`), because a plan in the making is none the worse for it.

pub mod addresses;
mod claims;
pub mod commands;
pub mod contexts;
pub mod copies;
pub mod cycles;
pub mod exports;
pub mod images;
pub mod layers;
pub mod mounts;
pub mod parallel;
pub mod paths;
pub mod patterns;
pub mod platforms;
pub mod references;
pub mod secrets;
pub mod stages;
pub mod templates;
pub mod unused;

use cogpack_content::threads::both;

use crate::finding::{self, Finding};
use crate::graph::{PhaseGraph, StageGraph};
use crate::plan::{Export, Plan};
use crate::resolve::KnownConfigs;
use crate::resolve::evaluate::{self, Evaluation, evaluate};

/// A plan that [`verify`] has accepted. There is no other way to make one.
#[derive(Debug, Clone)]
pub struct Verified {
    plan: Plan,
    warnings: Vec<Finding>,
    /// What the walk over the plan found, which resolving would find again.
    walked: Walked,
}

/// What a walk over a plan finds that outlives its graph.
#[derive(Debug, Clone)]
pub(crate) struct Walked {
    pub(crate) evaluation: Evaluation,
    /// The export with its input made concrete, and the stages that it needs, marked by place.
    pub(crate) export: Option<(Export, Vec<bool>)>,
}

impl Walked {
    pub(crate) fn of(graph: &StageGraph<'_>, evaluation: Evaluation) -> Self {
        let export = graph.plan().export.as_ref().map(|export| {
            let export = evaluate::export(graph, export);
            let needed = graph.needed_by(&export.from.value);
            (export, needed)
        });
        Self { evaluation, export }
    }
}

impl Verified {
    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// All of it, for resolving.
    pub(crate) fn into_parts(self) -> (Plan, Vec<Finding>, Walked) {
        (self.plan, self.warnings, self.walked)
    }

    /// The plan, to be changed and verified again.
    pub fn into_plan(self) -> Plan {
        self.plan
    }

    /// What the author should know, but may leave.
    pub fn warnings(&self) -> &[Finding] {
        &self.warnings
    }
}

/// From how many stages on a second thread pays.
const WORTH_A_THREAD: usize = 500;

/// Checks every rule and reports every breach, not only the first, sorted by place.
pub fn verify(plan: Plan) -> Result<Verified, Vec<Finding>> {
    let phases = plan.phases();
    let graph = StageGraph::new(&plan, PhaseGraph::new(&plan, &phases));
    // What is found is joined in the order of the checklist, whichever half is done first.
    let ((evaluation, of_expanded), mut findings) = both(
        plan.stages.len() >= WORTH_A_THREAD,
        || {
            let mut findings = Vec::new();
            let evaluation = evaluate(&graph, &KnownConfigs::new(), &mut findings);
            check_expanded(&graph, &evaluation, &mut findings);
            (evaluation, findings)
        },
        || check_written(&graph),
    );
    findings.extend(of_expanded);
    if !findings.iter().any(Finding::is_error) {
        // A name that is wrong in one place makes what it should name look unused in another.
        unused::check(&graph, &mut findings);
    }
    let walked = Walked::of(&graph, evaluation);
    drop(graph);
    drop(phases);
    finding::sort(&mut findings);
    if findings.iter().any(Finding::is_error) {
        finding::shorten(&mut findings);
        return Err(findings);
    }
    Ok(Verified { plan, warnings: findings, walked })
}

/// Checks the rules that hold for a plan as it is written.
fn check_written(graph: &StageGraph<'_>) -> Vec<Finding> {
    let plan = graph.plan();
    let mut findings = Vec::new();
    platforms::check(plan, &mut findings);
    images::check(plan, &mut findings);
    contexts::check(plan, &mut findings);
    references::check(graph, &mut findings);
    stages::check(graph, &mut findings);
    cycles::check(graph, &mut findings);
    parallel::check_starts(graph, &mut findings);
    for stage in &plan.stages {
        layers::check(stage, &mut findings);
    }
    templates::check(plan, &mut findings);
    exports::check(graph, &mut findings);
    paths::check_export(plan, &mut findings);
    commands::check_export(plan, &mut findings);
    findings
}

/// Checks the rules that hold for what templates come to. A plan is checked again once more
/// of its bases are known.
pub(crate) fn check_expanded(graph: &StageGraph<'_>, evaluation: &Evaluation, findings: &mut Vec<Finding>) {
    let check = |stages: std::ops::Range<usize>| {
        let mut findings = Vec::new();
        for place in stages {
            let stage = evaluation.stage(graph.plan(), place);
            paths::check(stage, &mut findings);
            copies::check(stage, &mut findings);
            mounts::check(stage, &mut findings);
            commands::check(stage, &mut findings);
            secrets::check(&stage.ops, &mut evaluation.states[place].iter().cloned(), &mut findings);
        }
        findings
    };
    let stages = graph.plan().stages.len();
    let middle = stages / 2;
    let (first, second) = both(stages >= WORTH_A_THREAD, || check(0..middle), || check(middle..stages));
    findings.extend(first);
    findings.extend(second);
    parallel::check_clashes(graph, evaluation, findings);
}

#[cfg(test)]
mod tests;
