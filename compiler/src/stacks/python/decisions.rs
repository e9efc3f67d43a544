//! What was decided of a Python project, for people: all of it where it has a plan, and else as much as was.

use cogpack_packages_wheels::target::PythonVersion;

use super::build_base::BuildBase;
use super::certificates::{self, Authority};
use super::debs::Wished;
use super::facts::{Base, BaseFrom, Decided, PythonOf, named_python};
use super::fit::Fit;
use super::lock::Locked;
use super::on_demand::OnDemand;
use super::said::{Said, at};
use super::start::Start;
use crate::composer::desk::At;
use crate::stacks::why::Decision;

/// What is known of a project. Of one that is refused, some of it is not.
pub(super) struct Known<'k> {
    pub said: &'k Said,
    pub python: Option<&'k Decided<PythonVersion>>,
    pub fit: Option<&'k Fit>,
    pub base: Option<&'k Base>,
    /// What a base of Debian packages is to be of, and who says so, locked or not.
    pub debs: Option<(&'k Wished, At, &'static str)>,
    pub packages: Option<&'k Locked>,
    /// The image to build in; nothing where none is needed, or none fits.
    pub build_base: Option<&'k BuildBase>,
    pub start: Option<&'k Decided<Start>>,
    pub user: Option<&'k Decided<String>>,
    pub certificates: &'k [Authority],
    pub installs_authorities: bool,
}

impl Known<'_> {
    /// The decisions, those first that others follow from.
    pub(super) fn decisions(&self) -> Vec<Decision> {
        let python = self.python.map(|python| Decision {
            what: "Python".to_owned(),
            value: named_python(self.said, python),
            at: python.at.clone(),
            because: python.because.to_owned(),
        });
        let start = self.start.map(|start| Decision {
            what: "command".to_owned(),
            value: match &start.value {
                Start::Server => "cog's server".to_owned(),
                Start::Command(words) => words.join(" "),
                Start::OfBase => "that of the base image".to_owned(),
            },
            at: start.at.clone(),
            because: start.because.to_owned(),
        });
        let user = self.user.map(|user| Decision {
            what: "user".to_owned(),
            value: user.value.clone(),
            at: user.at.clone(),
            because: user.because.to_owned(),
        });
        let authorities = self.certificates.first().map(|first| Decision {
            what: "authorities".to_owned(),
            value: self.certificates.iter().map(|one| one.file.as_str()).collect::<Vec<_>>().join(", "),
            at: first.at.clone(),
            because: "the setting `ca-certificates` names them, and they are trusted beside public ones"
                .to_owned(),
        });
        let public = self.installs_authorities.then(|| Decision {
            what: "public authorities".to_owned(),
            value: format!("`{}`, by apt", certificates::PACKAGE),
            at: None,
            because: "the base is known to have none, and without any no program can tell who answers it"
                .to_owned(),
        });
        let mut decisions: Vec<Decision> = [python, self.on_demand()].into_iter().flatten().collect();
        decisions.extend(self.of_fit());
        decisions.extend([self.debs(), self.requirements(), self.packages()].into_iter().flatten());
        decisions.extend(self.installers());
        decisions.extend([self.build_base(), start, user, authorities, public].into_iter().flatten());
        decisions
    }

    /// Frameworks and GPUs.
    fn of_fit(&self) -> Vec<Decision> {
        let Some(fit) = self.fit else { return Vec::new() };
        fit.decisions(match self.base.map(|base| &base.from) {
            Some(BaseFrom::Image { cuda: [_, cudnn], .. }) => cudnn.as_ref(),
            Some(BaseFrom::Debs(_)) | None => None,
        })
    }

    /// The installers that commands call.
    fn installers(&self) -> impl Iterator<Item = Decision> {
        let called = self.packages.map_or(&[][..], |packages| &packages.installers);
        called.iter().map(|called| Decision {
            what: "installer".to_owned(),
            value: called.requirement.to_string(),
            at: at(&called.file, called.place),
            because: "this line calls it: as one of the packages it installs where they are".to_owned(),
        })
    }

    /// That the Python is from an archive.
    fn on_demand(&self) -> Option<Decision> {
        let (archive, others): (&OnDemand, _) = match (self.base, &self.debs) {
            (Some(Base { python: PythonOf::Archive(archive), from: BaseFrom::Image { .. }, .. }), _) => {
                (archive, "base that fits")
            }
            (Some(Base { python: PythonOf::Base | PythonOf::Package, .. }), _) => return None,
            (Some(Base { python: PythonOf::Archive(archive), from: BaseFrom::Debs(_), .. }), _) => {
                (archive, "release of Debian")
            }
            (None, Some((wished, ..))) => (wished.on_demand.as_ref()?, "release of Debian"),
            (None, None) => return None,
        };
        Some(archive.decision(&named_python(self.said, self.python?), others))
    }

    /// That the base is of Debian packages.
    fn debs(&self) -> Option<Decision> {
        match (self.base.map(|base| &base.from), &self.debs) {
            (Some(BaseFrom::Image { .. }), _) | (None, None) => None,
            (Some(BaseFrom::Debs(set)), _) => Some(Decision {
                what: "base".to_owned(),
                value: format!("{} Debian packages", set.packages.len()),
                at: Some((self.said.named.deb_lock(), 1)),
                because: "the base is to be of such, and the lock file names these for this platform"
                    .to_owned(),
            }),
            (None, Some((wished, at, because))) => Some(Decision {
                what: "base".to_owned(),
                value: format!("Debian packages of {}", wished.inputs.suite),
                at: at.clone(),
                because: (*because).to_owned(),
            }),
        }
    }

    /// That a file of requirements counts which `cog.yaml` does not name.
    fn requirements(&self) -> Option<Decision> {
        let said = self.said;
        let has_own_lock = self.packages.map_or(!said.project.locks.is_empty(), |packages| packages.is_own);
        let does_count = said.is_of_cog && !said.names_packages() && !has_own_lock;
        let file = said.project.requirements.as_ref()?.files.first().filter(|_| does_count)?;
        Some(Decision {
            what: "requirements".to_owned(),
            value: file.to_string(),
            at: Some((file.clone(), 1)),
            because: "`cog.yaml` names no packages, so those of this file count, which cog itself reads only where \
                      `python_requirements` names it"
                .to_owned(),
        })
    }

    fn packages(&self) -> Option<Decision> {
        let packages = self.packages?;
        let because = match (&packages.lock, packages.is_own) {
            (None, _) => "no file requires any",
            (Some(_), false) => "what the lock file names for this Python and these platforms",
            (Some(_), true) => "what the project's own lock file names for this Python and these platforms",
        };
        let count = packages.frameworks.len() + packages.packages.len();
        Some(Decision {
            what: "packages".to_owned(),
            value: match (count, packages.sources.len()) {
                (1, 0) => "1 wheel".to_owned(),
                (count, 0) => format!("{count} wheels"),
                (1, built) => format!("1 wheel, and {built} from sources"),
                (count, built) => format!("{count} wheels, and {built} from sources"),
            },
            at: packages.lock.clone().map(|lock| (lock, 1)),
            because: because.to_owned(),
        })
    }

    fn build_base(&self) -> Option<Decision> {
        let what = "build base".to_owned();
        match (self.build_base, self.packages) {
            (None, Some(packages)) if packages.sources.is_empty() => Some(Decision {
                what,
                value: "none".to_owned(),
                at: None,
                because: "no package is built from sources".to_owned(),
            }),
            (None, _) => None,
            (Some(base), packages) => Some(Decision {
                what,
                value: base.reference.to_string(),
                at: packages.and_then(|packages| packages.lock.clone()).map(|lock| (lock, 1)),
                because: match (packages, base.named_by) {
                    (Some(_), None) => {
                        "packages are built from sources, and this one has a compiler for the base".to_owned()
                    }
                    (Some(_), Some(by)) => by.to_owned(),
                    (None, by) => {
                        let by = by.unwrap_or("this one has a compiler for the base");
                        format!("{by}; packages without wheels are built in it, if the lock has any")
                    }
                },
            }),
        }
    }
}
