//! What the image is built for.

use std::collections::BTreeMap;

use cogpack_content::Platform;
use miette::Diagnostic;

use crate::finding::{Finding, Place};
use crate::plan::{Plan, Spanned};
use crate::suggest::{did_you_mean, nearest};

/// What is wrong with a platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum PlatformFinding {
    /// Paths, owners and links mean what they mean on Linux.
    #[error("the platform `{platform}` is not a Linux one")]
    #[diagnostic(
        code("cpk::platform::not-linux"),
        help("build for `linux/…`: a plan's files, owners and links are Linux's")
    )]
    NotLinux {
        /// The platform.
        platform: String,
        /// Where it is said.
        #[label("this system is not supported")]
        place: Place,
    },
    /// One platform under two names.
    #[error("`{platform}` and `{other}` are one platform")]
    #[diagnostic(code(cpk::platform::same), help("keep one of them: an image has one manifest for it"))]
    Same {
        /// The second name.
        platform: String,
        /// The first name.
        other: String,
        /// The second one.
        #[label("the same again")]
        place: Place,
        /// The first one.
        #[label("first here")]
        first: Place,
    },
    /// A word that no image index has.
    #[error("`{architecture}` is not an architecture that images are built for")]
    #[diagnostic(code(cpk::platform::architecture), help("{way_out}"))]
    Architecture {
        /// The word.
        architecture: String,
        /// What was meant.
        way_out: String,
        /// Where it is said.
        #[label("this architecture is not known")]
        place: Place,
    },
}

/// The variants that are told apart, by architecture.
const VARIANTS: [(&str, &[&str]); 3] =
    [("amd64", &["v1", "v2", "v3", "v4"]), ("arm", &["v5", "v6", "v7", "v8"]), ("arm64", &["v8", "v9"])];

/// Go's names of the architectures that Linux runs on, which are those of the OCI image index.
const ARCHITECTURES: [&str; 13] = [
    "386", "amd64", "arm", "arm64", "loong64", "mips", "mips64", "mips64le", "mipsle", "ppc64", "ppc64le",
    "riscv64", "s390x",
];

/// Checks the platforms.
pub(super) fn check(plan: &Plan, findings: &mut Vec<Finding>) {
    let mut meant: BTreeMap<String, &Spanned<Platform>> = BTreeMap::new();
    for platform in &plan.platforms {
        if let Some(first) = meant.insert(meaning(platform), platform) {
            let finding = PlatformFinding::Same {
                platform: platform.to_string(),
                other: first.to_string(),
                place: platform.span.place(),
                first: first.span.place(),
            };
            findings.push(finding.into());
        }
        let place = platform.span.place();
        if platform.os() != "linux" {
            findings.push(PlatformFinding::NotLinux { platform: platform.to_string(), place }.into());
        } else if !ARCHITECTURES.contains(&platform.architecture()) {
            let architecture = platform.architecture().to_owned();
            findings.push(
                PlatformFinding::Architecture { way_out: way_out(platform), architecture, place }.into(),
            );
        } else if let Some(variant) = platform.variant() {
            let known = VARIANTS.iter().find(|(name, _)| *name == platform.architecture());
            let known = known.map_or(&[][..], |(_, variants)| variants);
            if !known.contains(&variant) {
                let architecture = format!("{}/{variant}", platform.architecture());
                let way_out = match known {
                    [] => format!("it has no variants: write `linux/{}`", platform.architecture()),
                    _ => format!("its variants are `{}`", known.join("`, `")),
                };
                findings.push(PlatformFinding::Architecture { way_out, architecture, place }.into());
            }
        }
    }
}

/// The platform as everything that compares platforms takes it: the variant that stands for none
/// left out.
fn meaning(platform: &Platform) -> String {
    let usual = match platform.architecture() {
        "amd64" => "v1",
        "arm" => "v7",
        "arm64" => "v8",
        _ => "",
    };
    let variant = platform.variant().unwrap_or(usual);
    format!("{}/{}/{variant}", platform.os(), platform.architecture())
}

fn way_out(platform: &Platform) -> String {
    let meant = match platform.architecture() {
        // What `uname -m` says, which is a slip of the tongue rather than of the finger.
        "x86_64" | "x64" => Some("amd64"),
        "aarch64" => Some("arm64"),
        "i386" | "i686" | "x86" => Some("386"),
        "armv7l" | "armhf" => Some("arm/v7"),
        other => nearest(other, ARCHITECTURES),
    };
    let meant = meant.map(|meant| format!("linux/{meant}"));
    did_you_mean(meant, "write one of Go's names, for instance `linux/amd64` or `linux/arm64`")
}
