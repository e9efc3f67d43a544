//! What a plan asks of whoever builds it, and which of it was not given: found before a daemon is
//! asked anything, and shown on the line of the plan that asks.

use std::collections::BTreeSet;

use cogpack_backends_llb::Entitlement;
use cogpack_ir::plan::{Execution, MountKind, Network, Span};
use cogpack_ir::resolve::Resolved;
use miette::{Diagnostic, SourceSpan};

/// The id of an ssh agent that no id is said of.
pub const DEFAULT_AGENT: &str = "default";

/// One thing that ops of the plan ask for, and one place where they do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Requirement {
    /// What.
    pub asked: Asked,
    /// The first statement that asks for it.
    pub span: Span,
}

/// What ops ask for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asked {
    /// A secret without which the build cannot go on.
    Secret(String),
    /// An ssh agent.
    Agent(String),
    /// To be allowed something.
    Permission(Entitlement),
}

/// Something that was not given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum Missing {
    /// A secret.
    #[error("the secret `{name}` was not given")]
    #[diagnostic(
        code(cpk::build::secret),
        help(
            "`--secret id={name},src=FILE` gives it, or `--secret id={name},env=VARIABLE`; `secret {name} optional` in the plan makes do without it"
        )
    )]
    Secret {
        /// What it is called.
        name: String,
        /// The mount.
        #[label("this needs it")]
        span: Option<SourceSpan>,
    },
    /// An ssh agent.
    #[error("the ssh agent `{name}` was not given")]
    #[diagnostic(
        code(cpk::build::ssh),
        help("`--ssh {name}` forwards the agent that SSH_AUTH_SOCK names, `--ssh {name}=KEY` a key")
    )]
    Agent {
        /// What it is called.
        name: String,
        /// The mount.
        #[label("this needs it")]
        span: Option<SourceSpan>,
    },
    /// A permission.
    #[error("this op needs `{entitlement}`, which was not allowed")]
    #[diagnostic(
        code("cpk::build::not-allowed"),
        help(
            "`--allow {entitlement}` allows it, if you trust the plan with it; the daemon must allow it too"
        )
    )]
    Permission {
        /// What.
        entitlement: Entitlement,
        /// The op.
        #[label("this needs it")]
        span: Option<SourceSpan>,
    },
}

/// What the stages that the export needs ask for, in order, each once.
pub fn requirements(plan: &Resolved) -> Vec<Requirement> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for id in plan.order() {
        for step in plan.steps(*id) {
            let Some(execution) = step.op.execution() else { continue };
            for (asked, span) in asked_by(plan, execution, step.op.span) {
                if seen.insert(asked.clone()) {
                    found.push(Requirement { asked, span });
                }
            }
        }
    }
    found
}

fn asked_by(plan: &Resolved, execution: &Execution, op: Span) -> Vec<(Asked, Span)> {
    let mut asked = Vec::new();
    match execution.network {
        Network::Host => asked.push((Asked::Permission(Entitlement::NetworkHost), op)),
        Network::Default | Network::None => {}
    }
    for mount in &execution.mounts {
        match &mount.kind {
            MountKind::Secret { name, .. } => {
                let declared = plan.plan().secrets.get(&name.value);
                if !declared.is_some_and(|secret| secret.optional) {
                    asked.push((Asked::Secret(name.as_str().to_owned()), mount.span));
                }
            }
            MountKind::Ssh { name, .. } => {
                let name = name.as_ref().map_or(DEFAULT_AGENT, |name| name.as_str());
                asked.push((Asked::Agent(name.to_owned()), mount.span));
            }
            MountKind::Bind { .. } | MountKind::Cache { .. } | MountKind::Tmpfs { .. } => {}
        }
    }
    asked
}

/// Those that were not given.
pub fn missing(
    requirements: &[Requirement],
    has_secret: impl Fn(&str) -> bool,
    has_agent: impl Fn(&str) -> bool,
    allowed: &BTreeSet<Entitlement>,
) -> Vec<Missing> {
    let missing = |requirement: &Requirement| {
        let span = requirement.span.place();
        match &requirement.asked {
            Asked::Secret(name) if !has_secret(name) => Some(Missing::Secret { name: name.clone(), span }),
            Asked::Agent(name) if !has_agent(name) => Some(Missing::Agent { name: name.clone(), span }),
            Asked::Permission(entitlement) if !allowed.contains(entitlement) => {
                Some(Missing::Permission { entitlement: *entitlement, span })
            }
            Asked::Secret(_) | Asked::Agent(_) | Asked::Permission(_) => None,
        }
    };
    requirements.iter().filter_map(missing).collect()
}

#[cfg(test)]
mod tests {
    use cogpack_ir::{resolve, syntax, verify};

    use super::*;

    const PLAN: &str = "cpk 1
image @base = \"debian\"
  config empty
secret token
secret spare optional
stage %unused from image @base {
  run \"never\" { mount secret token at /t }
}
stage %app from image @base {
  run \"one\" {
    mount secret token as env TOKEN
    mount secret spare as env SPARE
    mount ssh
  }
  run \"two\" {
    network host
    mount secret token at /run/token
    mount ssh deploy
  }
}
export from %app
";

    fn found() -> Vec<Missing> {
        let parsed = syntax::parse(PLAN);
        assert!(parsed.findings.is_empty(), "{:?}", parsed.findings);
        let verified = verify::verify(parsed.plan).expect("breaks no rule");
        let resolved = resolve::resolve(verified, &Default::default()).expect("resolves");
        missing(&requirements(&resolved), |_| false, |name| name == "deploy", &BTreeSet::new())
    }

    #[test]
    fn what_was_not_given_is_named_on_the_line_that_asks() {
        let at = |text: &str, nth: usize| {
            let start = PLAN.match_indices(text).nth(nth).expect("is in the plan").0;
            Some(SourceSpan::from(start..start + text.len()))
        };
        let expected = vec![
            Missing::Secret { name: "token".to_owned(), span: at("mount secret token as env TOKEN", 0) },
            Missing::Agent { name: "default".to_owned(), span: at("mount ssh", 0) },
        ];
        let found = found();
        assert_eq!(found[..2], expected);
        assert!(matches!(
            &found[2..],
            [Missing::Permission { entitlement: Entitlement::NetworkHost, span: Some(_) }]
        ));
    }

    #[test]
    fn every_code_is_stable() {
        let codes: Vec<String> =
            found().iter().filter_map(|missing| missing.code().map(|code| code.to_string())).collect();
        assert_eq!(codes, ["cpk::build::secret", "cpk::build::ssh", "cpk::build::not-allowed"]);
    }
}
