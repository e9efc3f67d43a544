//! Packages of the distribution, by what dpkg keeps of them.

use std::collections::BTreeMap;

use super::{Filesystem, LookError, View};

const STATUS: &str = "/var/lib/dpkg/status";
/// Images without dpkg itself keep a file a package here.
const PIECES: &str = "/var/lib/dpkg/status.d";

pub(super) fn read<F: Filesystem>(
    view: &View<'_, F>,
) -> Result<BTreeMap<String, String>, LookError<F::Error>> {
    let mut packages = BTreeMap::new();
    if let Some(text) = view.text(STATUS)? {
        add(&text, &mut packages);
    }
    for name in view.files.names(PIECES).iter().filter(|name| !name.ends_with(".md5sums")) {
        if let Some(text) = view.text(&format!("{PIECES}/{name}"))? {
            add(&text, &mut packages);
        }
    }
    Ok(packages)
}

/// Adds what is installed of the packages that `text` tells of.
fn add(text: &str, packages: &mut BTreeMap<String, String>) {
    for stanza in text.replace("\r\n", "\n").split("\n\n") {
        let field = |key: &str| {
            let values = stanza.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
            values.map(str::trim).next()
        };
        // Pieces have no status: what they tell of is there.
        let is_installed = field("Status").is_none_or(|status| status.ends_with(" installed"));
        if let (Some(name), Some(version), true) = (field("Package"), field("Version"), is_installed)
            && !name.is_empty()
            && !name.contains(|letter: char| letter.is_whitespace() || letter.is_control())
        {
            packages.insert(name.to_owned(), version.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_installed_counts() {
        let mut packages = BTreeMap::new();
        let text = "Package: gcc\nStatus: install ok installed\nDescription: a\n Package: no\nVersion: 4:12\n\n\
                    Package: vim\nStatus: deinstall ok config-files\nVersion: 2\n\nPackage: libc6\nVersion: 2.36\n";
        add(text, &mut packages);
        let names: Vec<_> = packages.iter().map(|(name, version)| format!("{name} {version}")).collect();
        assert_eq!(names, ["gcc 4:12", "libc6 2.36"]);
    }
}
