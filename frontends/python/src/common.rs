//! Whether several specifiers have a version in common (PEP 440).
//!
//! Where some version fits all of them, one fits that stands at a border of one of them: the
//! version that is named, the first behind it, or the last before it. So only these are tried.

use pep440_rs::{Version, VersionSpecifier, VersionSpecifiers};

/// More than any part of a version is in use.
const LARGE: u64 = 1 << 40;

/// Whether there is a version that all of these allow.
pub fn have_common_version(all: &[&VersionSpecifiers]) -> bool {
    let mut tried = vec![Version::new([0]), Version::new([LARGE])];
    for specifier in all.iter().flat_map(|specifiers| specifiers.iter()) {
        borders(specifier.version(), &mut tried);
    }
    let allows = |version: &Version, specifier: &VersionSpecifier| specifier.contains(version);
    tried.iter().any(|version| all.iter().all(|some| some.iter().all(|specifier| allows(version, specifier))))
}

/// Versions at, behind and before a version, and behind those that begin alike.
fn borders(version: &Version, tried: &mut Vec<Version>) {
    tried.push(version.clone());
    let release: Vec<u64> = version.release().to_vec();
    let mut with = |release: Vec<u64>| tried.push(Version::new(release).with_epoch(version.epoch()));
    // The first behind it, however many numbers others have.
    let mut behind = release.clone();
    behind.resize(release.len().max(8), 0);
    behind.push(1);
    with(behind);
    for length in 1..=release.len() {
        let begins = release.get(..length).unwrap_or_default();
        let (last, before) = begins.split_last().unwrap_or((&0, &[]));
        let then = |number: u64| [before, &[number]].concat();
        with(then(last.saturating_add(1)));
        with([begins, &[LARGE]].concat());
        if let Some(less) = last.checked_sub(1) {
            with([&*then(less), &[LARGE]].concat());
        }
    }
    // Between a version before its release and the next, and between a later build and the next.
    let texts = [format!("{version}.post{LARGE}"), format!("{version}.dev{LARGE}")];
    tried.extend(texts.iter().filter_map(|text| text.parse::<Version>().ok()));
    if let Some(pre) = version.pre() {
        let mut next = version.clone().without_local();
        next = next.with_pre(Some(pep440_rs::Prerelease { number: pre.number.saturating_add(1), ..pre }));
        tried.push(next);
        tried.push(Version::new(release).with_epoch(version.epoch()));
    }
    if let Some(post) = version.post() {
        tried.push(version.clone().without_local().with_post(Some(post.saturating_add(1))));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn common(all: &[&str]) -> bool {
        let all: Vec<VersionSpecifiers> =
            all.iter().map(|text| text.parse().expect("are specifiers")).collect();
        have_common_version(&all.iter().collect::<Vec<_>>())
    }

    #[test]
    fn specifiers_that_meet_are_told_from_those_that_do_not() {
        for all in [
            &["==1.0", ">=1.0"][..],
            &[">1.0", "<1.0.1"],
            &[">=1.0,<2", "==1.*"],
            &["~=1.4.2", "!=1.4.2,!=1.4.3"],
            &["==2.1.*", "!=2.1.0", "!=2.1.1"],
            &["!=1.*", "<2"],
            &[">=1!0", "<1!1"],
            &["==1.0+cpu", "==1.0"],
            &[">1.0rc1", "<1.0.1"],
            &[],
            &[""],
        ] {
            assert!(common(all), "{all:?}");
        }
        for all in [
            &["==1.0", "==1.1"][..],
            &[">=2", "<2"],
            &["==1.*", "!=1.*"],
            &["~=1.4.2", ">=1.5"],
            &[">1.0", "<=1.0"],
            &["<1!0", ">=1!1"],
            &["==1.0+cpu", "==1.0+gpu"],
            &[">=1", "<2", "!=1.*"],
            // What is before a release is not below it.
            &[">1.0rc1", "<1.0"],
        ] {
            assert!(!common(all), "{all:?}");
        }
    }

    fn specifier() -> impl Strategy<Value = String> {
        let version = prop::sample::select(vec![
            "0",
            "1",
            "1.0",
            "1.1",
            "1.1.2",
            "1.2",
            "2",
            "2.0rc1",
            "2.0.post1",
            "1!1",
            "2.1.dev3",
            "1.1+a",
        ]);
        (prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">=", "~="]), version, any::<bool>()).prop_map(
            |(sign, version, is_star)| match sign {
                "==" | "!="
                    if is_star && version.bytes().all(|byte| byte == b'.' || byte.is_ascii_digit()) =>
                {
                    format!("{sign}{version}.*")
                }
                "~=" if !version.contains('.') => format!("~={version}.0"),
                "==" | "!=" => format!("{sign}{version}"),
                _ => format!("{sign}{}", version.replace("+a", "")),
            },
        )
    }

    /// Versions of three numbers, as many as the longest prefix above has: of one with fewer, `pep440_rs`
    /// compares no more than these with the prefix, and says that `1` is a `1.1.*`. By PEP 440 what is
    /// missing is zero.
    fn version() -> impl Strategy<Value = String> {
        let end = prop::sample::select(vec!["", "rc1", ".post1", ".dev3", "rc1.post2", "+a"]);
        let epoch = prop::sample::select(vec!["", "", "", "1!"]);
        (epoch, prop::collection::vec(0_u64..4, 3), end).prop_map(|(epoch, numbers, end)| {
            let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
            format!("{epoch}{}{end}", numbers.join("."))
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// A version that fits all is never overlooked.
        #[test]
        fn what_some_version_fits_is_met(all in prop::collection::vec(specifier(), 1..4), version in version()) {
            let version: Version = version.parse().expect("is a version");
            let read: Vec<VersionSpecifiers> =
                all.iter().map(|text| text.parse().expect("are specifiers")).collect();
            if read.iter().all(|some| some.contains(&version)) {
                prop_assert!(have_common_version(&read.iter().collect::<Vec<_>>()), "{all:?} and {version}");
            }
        }
    }
}
