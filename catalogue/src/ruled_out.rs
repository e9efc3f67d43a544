//! Why an image does not fit.

use std::collections::BTreeSet;
use std::fmt;

use cogpack_content::Platform;
use pep440_rs::{Version, VersionSpecifiers};

use crate::choose::{Wanted, WantedOs};
use crate::entry::{Entry, Os, Role};

/// Something that speaks against an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuledOut {
    /// It is for something else.
    #[error("it is not for {}", what_for(*.0))]
    Role(Role),
    /// It is not there for all platforms.
    #[error("it is not there for {}", list(.0))]
    Platforms(BTreeSet<Platform>),
    /// It has another Python, or none.
    #[error("{}", unlike("Python", .has.as_ref(), .wanted))]
    Python {
        /// What it has.
        has: Option<Version>,
        /// What is wanted.
        wanted: VersionSpecifiers,
    },
    /// Its Python is elsewhere.
    #[error("its Python is in `{has}`, and `{wanted}` is wanted")]
    Prefix {
        /// Where it is.
        has: String,
        /// Where it must be.
        wanted: String,
    },
    /// It has another CUDA, or none.
    #[error("{}", unlike("CUDA", .has.as_ref(), .wanted))]
    Cuda {
        /// What it has.
        has: Option<Version>,
        /// What is wanted.
        wanted: VersionSpecifiers,
    },
    /// It has another cuDNN, or none.
    #[error("{}", unlike("cuDNN", .has.as_ref(), .wanted))]
    Cudnn {
        /// What it has.
        has: Option<Version>,
        /// What is wanted.
        wanted: VersionSpecifiers,
    },
    /// It is another distribution.
    #[error("it is {has}, and {wanted} is wanted")]
    Os {
        /// What it is.
        has: Os,
        /// What is wanted.
        wanted: WantedOs,
    },
    /// It lacks packages.
    #[error("it is not known to have {}", list(.0))]
    Packages(BTreeSet<String>),
}

/// All that speaks against `entry`.
pub(crate) fn all(entry: &Entry, wanted: &Wanted) -> Vec<RuledOut> {
    let mut reasons = Vec::new();
    if !entry.roles.contains(&wanted.role) {
        reasons.push(RuledOut::Role(wanted.role));
    }
    let lacking: BTreeSet<Platform> = wanted.platforms.difference(&entry.platforms).cloned().collect();
    if !lacking.is_empty() {
        reasons.push(RuledOut::Platforms(lacking));
    }
    let differs = |has: Option<&Version>, wanted: Option<&VersionSpecifiers>| {
        let wanted = wanted?;
        (!has.is_some_and(|has| wanted.contains(has))).then(|| (has.cloned(), wanted.clone()))
    };
    if let Some((has, wanted)) =
        differs(entry.python.as_ref().map(|python| &python.version), wanted.python.as_ref())
    {
        reasons.push(RuledOut::Python { has, wanted });
    }
    if let (Some(python), Some(wanted)) = (&entry.python, &wanted.prefix)
        && python.prefix != *wanted
    {
        reasons.push(RuledOut::Prefix { has: python.prefix.clone(), wanted: wanted.clone() });
    }
    if let Some((has, wanted)) = differs(entry.cuda.as_ref(), wanted.cuda.as_ref()) {
        reasons.push(RuledOut::Cuda { has, wanted });
    }
    if let Some((has, wanted)) = differs(entry.cudnn.as_ref(), wanted.cudnn.needed()) {
        reasons.push(RuledOut::Cudnn { has, wanted });
    }
    if let Some(wanted) = wanted.os.as_ref().filter(|wanted| !wanted.is(&entry.os)) {
        reasons.push(RuledOut::Os { has: entry.os.clone(), wanted: wanted.clone() });
    }
    let is_missing = |name: &&String| !entry.packages.contains_key(*name);
    let missing: BTreeSet<String> = wanted.packages.iter().filter(is_missing).cloned().collect();
    if !missing.is_empty() {
        reasons.push(RuledOut::Packages(missing));
    }
    reasons
}

fn what_for(role: Role) -> &'static str {
    match role {
        Role::Build => "building in",
        Role::Runtime => "running",
    }
}

fn unlike(what: &str, has: Option<&Version>, wanted: &VersionSpecifiers) -> String {
    let wanted = if wanted.is_empty() { "one".to_owned() } else { wanted.to_string() };
    match has {
        Some(has) => format!("it has {what} {has}, and {wanted} is wanted"),
        None => format!("it has no {what}, and {wanted} is wanted"),
    }
}

fn list(names: &BTreeSet<impl fmt::Display>) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
