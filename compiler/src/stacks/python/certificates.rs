//! Authorities that a project trusts beside those of its distribution: the setting `ca-certificates`.
//!
//! Each certificate is a part of the plan, and gets a file of its own, because that is how OpenSSL and
//! `update-ca-certificates` take them. A file with a private key is refused before anything of it is
//! written anywhere.

use cogpack_catalogue::Entry;
use cogpack_content::{Certificate, PemProblem};
use cogpack_frontends_source::{FileFinding, InFile, Source, Unread};

use super::facts::{Base, BaseFrom, PythonOf};
use super::finding::PythonFinding;
use super::said::Said;
use crate::composer::desk::At;
use crate::stacks::{Findings, ProjectFinding, Request, text};

/// The package of a distribution that brings public authorities, and what adds others to them.
pub const PACKAGE: &str = "ca-certificates";

/// Where `update-ca-certificates` looks for certificates that are of no package.
pub const DIRECTORY: &str = "/usr/local/share/ca-certificates";

/// What is known of public authorities in an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Public {
    /// Its package is there.
    There,
    /// It is not, and apt is there to install it.
    Installable,
    /// Neither is.
    Absent,
    /// Nobody has looked, and nobody says it.
    Unknown,
}

impl Public {
    /// That of an image of the catalogue.
    pub(super) fn of(entry: &Entry) -> Self {
        let has_apt = || entry.has("apt").unwrap_or(matches!(entry.os.id.as_str(), "debian" | "ubuntu"));
        match entry.has(PACKAGE) {
            Some(true) => Self::There,
            Some(false) if has_apt() => Self::Installable,
            Some(false) => Self::Absent,
            None => Self::Unknown,
        }
    }
}

/// Whether packages are installed by apt, and public authorities with them where the base is not known to
/// have any: because the project asks for packages, because the base's distribution has the Python, or
/// because authorities of the project's own stand beside public ones.
pub(super) fn are_installed_beside(said: &Said, base: &Base, own: &[Authority]) -> bool {
    let lacks_public = match &base.from {
        BaseFrom::Image { public, .. } => *public != Public::There,
        BaseFrom::Debs(_) => false,
    };
    !said.cog.build.system_packages.is_empty()
        || base.python == PythonOf::Package
        || (!own.is_empty() && lacks_public)
}

/// What becomes of public authorities where nothing else is installed by apt.
#[derive(Debug)]
pub(super) enum Alone {
    /// The base has them.
    Nothing,
    /// Apt runs for them.
    Installed,
    /// The model will have none, which is told.
    Warned(Box<InFile<ProjectFinding>>),
}

/// The same of this base.
pub(super) fn alone(request: &Request, said: &Said, base: &Base) -> Alone {
    let BaseFrom::Image { reference, public, .. } = &base.from else { return Alone::Nothing };
    let image = reference.to_string();
    let (known, way_out) = match public {
        Public::There => return Alone::Nothing,
        Public::Installable if !request.no_network => return Alone::Installed,
        Public::Installable => (
            "has no certificates of public authorities",
            "leave `--no-network` away, and apt installs them; or take another base: `--base debian` has them, and \
             nothing is run for that",
        ),
        Public::Absent => (
            "has no certificates of public authorities, nor apt to install them",
            "take another base: `--base debian` has them, and so have the images of Python",
        ),
        Public::Unknown => (
            "is not known to have certificates of public authorities",
            "if they are there, say so: `cogpackc catalogue add IMAGE` looks, and `ca-certificates = \"\"` below \
             `[image.packages]` of its entry says it; if not, let apt install them, by `ca-certificates` in \
             `build.system_packages`, or take another base: `--base debian` has them",
        ),
    };
    let finding = PythonFinding::NoAuthorities { image, known, way_out };
    Alone::Warned(Box::new(InFile::new(&said.config, finding.into())))
}

/// The certificate of an authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// The name of its file in the image, which ends in `.crt`.
    pub file: String,
    /// The certificate, as PEM.
    pub text: String,
    /// Which line asks for it.
    pub at: At,
}

/// The certificates that the settings name. What is wrong with them goes to `slips`.
pub(super) fn read(source: &Source, said: &Said, slips: &mut Findings) -> Result<Vec<Authority>, Unread> {
    let mut authorities: Vec<Authority> = Vec::new();
    for named in &said.settings().ca_certificates {
        let (path, place) = (named.value.to_string(), named.place.into());
        let finding: ProjectFinding = match text(source, &named.value)? {
            Ok(Some(text)) => match Certificate::all_of(text) {
                Ok(certificates) => {
                    for certificate in certificates {
                        let text = certificate.pem();
                        if authorities.iter().all(|there| there.text != text) {
                            let file = file_name(&path, &authorities);
                            authorities.push(Authority { file, text, at: said.at_setting(named.place) });
                        }
                    }
                    continue;
                }
                Err(problem @ PemProblem::PrivateKey { .. }) => {
                    PythonFinding::PrivateKey { path, problem, place }.into()
                }
                Err(problem) => {
                    let problem = problem.to_string();
                    PythonFinding::Certificate { path, problem, place }.into()
                }
            },
            Ok(None) => PythonFinding::NoInstallFile { path, place }.into(),
            // The label of another file would lead nowhere: what is wrong is told where it is named.
            Err(InFile { finding: ProjectFinding::File(FileFinding::NotText { at, .. }), .. }) => {
                let problem = format!("it is not text: its {at} cannot be read");
                PythonFinding::Certificate { path, problem, place }.into()
            }
            Err(found) => {
                slips.push(found);
                continue;
            }
        };
        slips.push(InFile::new(said.settings_file(), finding));
    }
    Ok(authorities)
}

/// The name of the file of a certificate that comes from `path`: the same for the same project.
fn file_name(path: &str, taken: &[Authority]) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let plain = |letter: char| match letter {
        letter if letter.is_ascii_alphanumeric() => letter,
        '-' | '.' => letter,
        _ => '_',
    };
    let stem: String = stem.chars().map(plain).collect();
    let stem = stem.trim_start_matches(|letter: char| !letter.is_ascii_alphanumeric());
    let stem = if stem.is_empty() { "authority" } else { stem };
    let names =
        std::iter::once(format!("{stem}.crt")).chain((2..).map(|number| format!("{stem}-{number}.crt")));
    let mut free = names.filter(|name| taken.iter().all(|there| there.file != *name));
    // The names do not end.
    free.next().unwrap_or_default()
}
