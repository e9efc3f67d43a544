//! What is found about one plan: by the rules of the language, and by the lints.

use std::fmt;
use std::ops::Range;

use cogpack_compiler::World;
use cogpack_ir::finding::Finding;
use cogpack_ir::plan::Plan;
use cogpack_lints::allowed::{Allowed, allowed};
use cogpack_lints::{Lint, LintFinding, Repair, pins};
use miette::{Diagnostic, LabeledSpan};

use super::project::PlanDirectories;
use super::switches::{KNOWN, Said, Switches};

/// One finding, as it is shown.
#[derive(Debug)]
pub struct Found {
    about: About,
    /// Its code.
    pub code: String,
    /// How it counts.
    pub severity: Severity,
    /// What mends it.
    pub repair: Repair,
}

/// What is found about a plan.
pub struct Looked {
    /// All that is not allowed, in the order of the text.
    pub found: Vec<Found>,
    /// What of the text nobody should see, whatever is allowed.
    hidden: Vec<Range<usize>>,
}

#[derive(Debug)]
enum About {
    Rule(Finding),
    Lint(LintFinding),
}

/// How a finding counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The plan must not be used, or the command line says so.
    Error,
    /// It should be mended.
    Warning,
    /// It could be better.
    Advice,
}

/// Looks at a plan.
pub fn look(text: &str, directories: &PlanDirectories<'_>, switches: &Switches) -> Looked {
    let plan = match cogpack_compiler::parse(text) {
        Ok(plan) => plan,
        Err(findings) => {
            return Looked { found: findings.into_iter().map(of_rule).collect(), hidden: Vec::new() };
        }
    };
    // A plan without an export can be looked at, but has nothing to resolve for, and no image that costs.
    let (rules, lints): (Vec<Found>, Vec<Lint>) = if plan.export.is_none() {
        match cogpack_ir::verify::verify(plan.clone()) {
            Ok(verified) => (of_rules(verified.warnings(), &plan, text), Vec::new()),
            Err(findings) => (findings.into_iter().map(of_broken).collect(), Vec::new()),
        }
    } else {
        match cogpack_compiler::compile(plan, &World::default()) {
            Ok(resolved) => {
                let warnings = of_rules(resolved.warnings(), resolved.plan(), text);
                (warnings, cogpack_lints::lint(&resolved, text, directories))
            }
            Err(findings) => (findings.into_iter().map(of_broken).collect(), Vec::new()),
        }
    };
    let hidden = lints.iter().filter_map(|lint| lint.hidden).filter_map(|span| span.range()).collect();
    let mut allowed = allowed(text, &KNOWN);
    let of_comments = std::mem::take(&mut allowed.findings);
    let mut found: Vec<Found> = rules.into_iter().filter(|found| !allows(&allowed, found)).collect();
    let lints = lints.into_iter().filter(|lint| {
        let offsets = lint.scopes.iter().filter_map(|scope| scope.range()).map(|range| range.start);
        !allowed.allows(&lint.finding.stable_code(), offsets.chain(lint.start()))
    });
    found.extend(lints.map(of_lint));
    let of_comment = |(finding, repair)| Lint {
        finding: LintFinding::Allow(finding),
        scopes: Vec::new(),
        repair,
        hidden: None,
    };
    found.extend(of_comments.into_iter().map(of_comment).map(of_lint));
    found.retain_mut(|found| found.severity == Severity::Error || found.switched(switches));
    found.sort_by_cached_key(|found| (found.start(), found.code.clone(), found.to_string()));
    Looked { found, hidden }
}

fn allows(allowed: &Allowed, found: &Found) -> bool {
    found.severity != Severity::Error && allowed.allows(&found.code, found.start())
}

/// Warnings about a plan, each with what mends it.
fn of_rules(warnings: &[Finding], plan: &Plan, text: &str) -> Vec<Found> {
    let of_warning = |warning: &Finding| {
        let found = of_rule(warning.clone());
        let is_pinned = !PINNED.contains(&found.code.as_str());
        let repair = found.start().filter(|_| !is_pinned).and_then(|at| pins::repair(plan, text, at));
        Found { repair: repair.unwrap_or(found.repair), ..found }
    };
    warnings.iter().map(of_warning).collect()
}

/// What pinning mends.
const PINNED: [&str; 2] = ["cpk::image::unpinned", "cpk::context::unpinned"];

fn of_rule(finding: Finding) -> Found {
    let code = finding.stable_code();
    let severity = Severity::of(finding.severity());
    let repair = Repair::none(super::fix::why_not(&code));
    Found { about: About::Rule(finding), code, severity, repair }
}

/// A finding about a plan that breaks a rule.
fn of_broken(finding: Finding) -> Found {
    let found = of_rule(finding);
    match PINNED.contains(&found.code.as_str()) {
        true => Found { repair: Repair::none("nobody is asked for a plan that breaks a rule"), ..found },
        false => found,
    }
}

fn of_lint(lint: Lint) -> Found {
    let Lint { finding, repair, .. } = lint;
    let (code, severity) = (finding.stable_code(), Severity::of(finding.severity()));
    Found { about: About::Lint(finding), code, severity, repair }
}

impl Severity {
    fn of(severity: Option<miette::Severity>) -> Self {
        match severity {
            None | Some(miette::Severity::Error) => Self::Error,
            Some(miette::Severity::Warning) => Self::Warning,
            Some(miette::Severity::Advice) => Self::Advice,
        }
    }
}

impl Found {
    /// Follows the command line; `false` where it is left out.
    fn switched(&mut self, switches: &Switches) -> bool {
        match switches.of(&self.code) {
            Some(Said::Allowed) => return false,
            Some(Said::Denied) => self.severity = Severity::Error,
            None => {}
        }
        true
    }

    /// The first byte of its first label.
    pub fn start(&self) -> Option<usize> {
        self.labels().and_then(|mut labels| labels.next()).map(|label| label.offset())
    }

    /// Whether `--fix` mends it, and `--fix --unsafe-fixes`.
    pub fn can_be_mended(&self) -> (bool, bool) {
        match &self.repair {
            // As far as its server answers.
            Repair::Ask(question) => (!question.is_unsafe(), true),
            Repair::Edits { .. } | Repair::None(_) => (self.repair.is_made(false), self.repair.is_made(true)),
        }
    }

    /// Whether it is about a comment that allows something.
    pub fn is_about_a_comment(&self) -> bool {
        match &self.about {
            About::Rule(_) => false,
            About::Lint(finding) => finding.is_about_a_comment(),
        }
    }

    fn inner(&self) -> &dyn Diagnostic {
        match &self.about {
            About::Rule(finding) => finding,
            About::Lint(finding) => finding,
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.inner(), out)
    }
}

impl std::error::Error for Found {}

impl Diagnostic for Found {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.inner().code()
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Advice => miette::Severity::Advice,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.inner().help()
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.inner().labels()
    }
}

impl Looked {
    /// The text with stars in place of the secrets that were found in it, byte by byte, so that every place
    /// stays.
    pub fn without_secrets(&self, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        for range in self.hidden.iter().cloned() {
            let hidden = bytes.get_mut(range).into_iter().flatten().filter(|byte| !b"\r\n".contains(byte));
            hidden.for_each(|byte| *byte = b'*');
        }
        // Whole strings were taken, so no letter was cut.
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
