//! Which version of a package apt installs where nobody names one: its candidate, as `apt_preferences(5)` has
//! it for a system without preferences of its own.
//!
//! All suites have the same priority, so the latest version counts, whichever suite has it: security and
//! updates beside the release. Suites that say `NotAutomatic`, such as backports, have a lower one; nobody is
//! told a version of theirs.

use cogpack_packages_debs::index::Candidate;
use cogpack_packages_debs::version::{Version, compare};

use crate::lock::Suite;

/// Why there is no version to name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoVersion {
    /// The name is one that others provide.
    #[error("`{package}` is no package but a name that others provide: {}", providers.join(", "))]
    Virtual {
        /// The name.
        package: String,
        /// Who provides it; the first of them.
        providers: Vec<String>,
    },
    /// Only a suite that is asked by name has it.
    #[error("`{package}` is only in a suite that apt takes nothing from without being told")]
    NotAutomatic {
        /// The name.
        package: String,
    },
    /// Nobody has it.
    #[error("no archive of the image has a package `{package}`")]
    Unknown {
        /// The name.
        package: String,
    },
}

/// The version of a package that apt takes out of these suites.
pub fn newest(suites: &[Suite], package: &str) -> Result<Version, NoVersion> {
    let is_automatic = |suite: &&Suite| suite.release.get("NotAutomatic") != Some("yes");
    let is_it = |candidate: &&Candidate| candidate.package == package;
    let offered = suites.iter().filter(is_automatic).flat_map(|suite| &suite.packages).filter(is_it);
    if let Some(found) = offered.map(|candidate| &candidate.version).max_by(|one, other| compare(one, other))
    {
        return Ok(found.clone());
    }
    let package = package.to_owned();
    let mut all = suites.iter().flat_map(|suite| &suite.packages);
    if all.clone().any(|candidate| candidate.package == package) {
        return Err(NoVersion::NotAutomatic { package });
    }
    let provides = |candidate: &&Candidate| candidate.provides.iter().any(|it| it.package == package);
    let mut providers: Vec<String> = all.by_ref().filter(provides).map(|it| it.package.clone()).collect();
    providers.sort();
    providers.dedup();
    providers.truncate(3);
    Err(match providers.is_empty() {
        true => NoVersion::Unknown { package },
        false => NoVersion::Virtual { package, providers },
    })
}

#[cfg(test)]
mod tests {
    use cogpack_content::Digest;
    use cogpack_packages_debs::index::candidates;
    use cogpack_packages_debs::paragraphs::paragraphs;

    use super::*;

    fn suite(release: &str, packages: &[(&str, &str, &str)]) -> Suite {
        let paragraph = |(name, version, more): &(&str, &str, &str)| {
            let hash = Digest::of(name.as_bytes()).hex();
            format!(
                "Package: {name}\nVersion: {version}\nArchitecture: all\nSHA256: {hash}\nFilename: f\n{more}\n"
            )
        };
        let text: Vec<String> = packages.iter().map(paragraph).collect();
        Suite {
            release: paragraphs(release).next().unwrap_or_default(),
            packages: candidates(&text.join("\n"), 0),
        }
    }

    #[test]
    fn the_latest_of_all_suites_counts_but_of_backports() {
        let suites = [
            suite("Suite: stable", &[("a", "1:1.9-1", ""), ("m", "1", "Provides: mail\n")]),
            suite("Suite: stable-security", &[("a", "1:1.10-1+deb12u2", "")]),
            suite("Suite: stable-backports\nNotAutomatic: yes\n", &[("a", "2:0", ""), ("b", "1", "")]),
        ];
        let told = |package: &str| match newest(&suites, package) {
            Ok(version) => version.to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(told("a"), "1:1.10-1+deb12u2");
        assert_eq!(told("mail"), "`mail` is no package but a name that others provide: m");
        assert_eq!(told("b"), "`b` is only in a suite that apt takes nothing from without being told");
        assert_eq!(told("c"), "no archive of the image has a package `c`");
    }
}
