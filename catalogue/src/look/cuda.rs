//! CUDA and cuDNN in an image, by the variables of NVIDIA's images, by what the toolkit says of
//! itself, and by packages.

use std::collections::BTreeMap;

use pep440_rs::Version;

use super::{Filesystem, LookError, View};

/// What the toolkit says of itself.
const VERSIONS: &str = "/usr/local/cuda/version.json";

pub(super) fn cuda<F: Filesystem>(
    view: &View<'_, F>,
    evidence: &mut Vec<String>,
) -> Result<Option<Version>, LookError<F::Error>> {
    let by_variable = view.env.get("CUDA_VERSION").and_then(|text| text.parse::<Version>().ok());
    let found = match by_variable {
        Some(version) => Some((version, "CUDA_VERSION")),
        None => view.text(VERSIONS)?.and_then(|text| Some((of_toolkit(&text)?, VERSIONS))),
    };
    Ok(found.map(|(version, by)| {
        evidence.push(format!("CUDA {version}, by `{by}`"));
        version
    }))
}

fn of_toolkit(text: &str) -> Option<Version> {
    let document: serde_json::Value = serde_json::from_str(text).ok()?;
    document.get("cuda")?.get("version")?.as_str()?.parse().ok()
}

pub(super) fn cudnn<F: Filesystem>(
    view: &View<'_, F>,
    packages: &BTreeMap<String, String>,
    evidence: &mut Vec<String>,
) -> Option<Version> {
    let by_variable = view.env.get("NV_CUDNN_VERSION").map(|text| (text, "NV_CUDNN_VERSION".to_owned()));
    let is_library = |name: &str| {
        let rest = name.strip_prefix("libcudnn").unwrap_or_default();
        rest.starts_with(|letter: char| letter.is_ascii_digit())
            && !rest.contains("-dev")
            && !rest.contains("-headers")
    };
    let by_package = || {
        let (name, version) = packages.iter().find(|(name, _)| is_library(name))?;
        Some((version, format!("the package `{name}`")))
    };
    let (text, by) = by_variable.or_else(by_package)?;
    // `9.8.0.87-1`, `8.9.6.50-1+cuda11.8`
    let version: Version = text.split('-').next()?.parse().ok()?;
    evidence.push(format!("cuDNN {version}, by {by}"));
    Some(version)
}
