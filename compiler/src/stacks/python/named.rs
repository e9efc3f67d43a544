//! The Python that a file of the project names, to the patch version where it says one.
//!
//! An image or an archive of just that version goes before all others. Where none is known, another
//! patch of the same minor version will do, and is told: who names one may count on what it fixes.

use cogpack_frontends_python::python_version::PythonRelease;
use cogpack_frontends_source::{InFile, Place, SourcePath};
use cogpack_packages_wheels::target::PythonVersion;
use pep440_rs::{Version, VersionSpecifiers};

use super::facts::{Base, BaseFrom, Decided, PythonOf};
use super::finding::PythonFinding;
use super::said::{Said, at};
use super::versions::of;
use crate::stacks::ProjectFinding;

/// What a file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    /// The Python.
    pub release: PythonRelease,
    /// The file.
    pub file: SourcePath,
    /// Where it stands there.
    pub place: Place,
    /// What it is said by.
    because: &'static str,
}

/// What `cog.yaml` says, else the settings, else `.python-version`.
pub(super) fn named(said: &Said) -> Option<Named> {
    if let Some(python) = &said.cog.build.python_version {
        let release = PythonRelease { minor: python.minor, patch: python.patch };
        let because = "`build.python_version` says so";
        return Some(Named { release, file: said.config.clone(), place: python.place, because });
    }
    if let Some(python) = &said.settings().python {
        let because = "the setting `python` says so";
        let file = said.settings_file().clone();
        return Some(Named { release: python.value, file, place: python.place, because });
    }
    let InFile { file, finding: python } = said.project.python_version.as_ref()?;
    let because = "the file `.python-version` says so";
    Some(Named { release: python.value, file: file.clone(), place: python.place, because })
}

impl Named {
    /// The minor version, which everything but the base goes by.
    pub(super) fn decided(&self) -> Decided<PythonVersion> {
        let value = PythonVersion { major: 3, minor: self.release.minor };
        Decided { value, at: at(&self.file, self.place), because: self.because }
    }

    /// The whole version, where it is said.
    fn whole(&self) -> Option<Version> {
        let patch = self.release.patch?;
        Some(Version::new([3, u64::from(self.release.minor), u64::from(patch)]))
    }

    /// That one and no other, where it is said.
    pub(super) fn exactly(&self) -> Option<VersionSpecifiers> {
        let whole = self.whole()?;
        Some(format!("=={whole}").parse().expect("a version after `==` is a specifier"))
    }

    /// Whether `required` has room for it: for the whole version, else for some release of the minor one.
    pub(super) fn is_allowed(
        &self,
        required: &VersionSpecifiers,
        allows: fn(&VersionSpecifiers, u32) -> bool,
    ) -> bool {
        match self.whole() {
            Some(whole) => required.contains(&whole),
            None => allows(required, self.release.minor),
        }
    }

    /// What is told where the image has another patch version, or one that nobody knows.
    pub(super) fn unlike(&self, base: &Base) -> Option<InFile<ProjectFinding>> {
        let whole = self.whole()?;
        if base.version.as_ref() == Some(&whole) {
            return None;
        }
        let minor = PythonVersion { major: 3, minor: self.release.minor };
        let has = base.version.as_ref().filter(|has| of(minor).contains(has) && has.release().len() > 2);
        let what = has.map_or_else(|| format!("some Python {minor}"), |has| format!("Python {has}"));
        let instead = match (&base.from, &base.python) {
            (BaseFrom::Debs(_), PythonOf::Base | PythonOf::Package) => {
                format!("the Debian packages bring {what}")
            }
            (BaseFrom::Debs(_), PythonOf::Archive(_)) => {
                format!("{what} is unpacked beside the Debian packages")
            }
            (BaseFrom::Image { reference, .. }, PythonOf::Base) => format!("`{reference}` has {what}"),
            (BaseFrom::Image { reference, .. }, PythonOf::Package) => {
                format!("`{reference}` gets {what} from its distribution")
            }
            (BaseFrom::Image { reference, .. }, PythonOf::Archive(_)) => {
                format!("{what} is unpacked on `{reference}`")
            }
        };
        let (python, place) = (self.release.to_string(), self.place.into());
        let finding = PythonFinding::OtherPatch { python, minor: minor.to_string(), instead, place };
        Some(InFile::new(&self.file, finding.into()))
    }
}
