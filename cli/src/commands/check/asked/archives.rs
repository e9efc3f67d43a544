//! Asks the archives that apt would ask in an image: those that the image names, for all platforms of a plan.
//!
//! The image is looked into as `cogpackc catalogue add` does, and nothing of it is run. A suite that the machine
//! names as well is asked where the machine says, with the keys that the machine trusts, as `cogpackc lock`
//! does; another one where the image says, with the image's own keys. Each index is signed by one of them, or
//! nothing of it counts.

use cogpack_catalogue::look::Filesystem;
use cogpack_content::Platform;
use cogpack_io_packages::apt::{self, SignedBy, Source};
use cogpack_io_packages::lock::{Asking, Suite};
use cogpack_io_packages::newest::newest;
use cogpack_io_packages::web::Web;
use cogpack_ir::plan::BaseImage;

use super::{Silence, silence};
use crate::commands::catalogue::image::{Files, Image};
use crate::commands::lock::{architecture, telling};
use crate::console::Console;
use crate::failure::Failure;
use crate::note::Note;
use crate::packages::Machine;

/// Systems whose archives are asked, by the `ID` of their `os-release`, and what these archives call themselves.
const SYSTEMS: [(&str, &str); 2] = [("debian", "Debian"), ("ubuntu", "Ubuntu")];

/// What the archives of an image have.
pub struct Archives {
    by_platform: Vec<(Platform, Vec<Suite>)>,
}

impl Archives {
    /// Asks them.
    pub fn ask(
        image: &BaseImage,
        platforms: &[Platform],
        note: Note,
        console: &mut Console<'_>,
    ) -> Result<Self, Silence> {
        let suites = |platform: &Platform| {
            let suites = suites(image, platform, note, console).map_err(|failure| silence(&failure))?;
            Ok((platform.clone(), suites))
        };
        Ok(Self { by_platform: platforms.iter().map(suites).collect::<Result<_, Silence>>()? })
    }

    /// The version of a package that apt takes on every platform.
    pub fn newest(&self, package: &str) -> Result<String, Silence> {
        let mut found: Option<String> = None;
        for (platform, suites) in &self.by_platform {
            let version = newest(suites, package).map_err(|error| error.to_string())?.to_string();
            match &found {
                Some(other) if *other != version => {
                    return Err(format!("`{package}` is {version} on {platform}, and {other} elsewhere"));
                }
                Some(_) | None => found = Some(version),
            }
        }
        found.ok_or_else(|| "there is no platform to ask for".to_owned())
    }
}

/// The suites of an image on one platform.
fn suites(
    image: &BaseImage,
    platform: &Platform,
    note: Note,
    console: &mut Console<'_>,
) -> Result<Vec<Suite>, Failure> {
    let architecture = architecture(platform)?;
    let reference = &image.reference.value;
    let digest = image.digest.as_ref().map(|digest| digest.value).or(reference.digest());
    let looked = Image::of_registry(reference, digest, platform, console)?;
    let named = looked.named();
    let inside = Inside(looked.files(&named));
    let origin = inside.system()?;
    inside.has_no_preferences()?;
    let mut sources = inside.sources()?;
    sources.retain(|source| source.is_for(architecture));
    if sources.is_empty() {
        return Err(Failure::new(format!("`{reference}` names no archive in `/etc/apt`")));
    }
    let machine = Machine::new(None, console);
    let (store, apt, machines) = (machine.store()?, machine.apt(), machine.archives()?);
    let web = Web::new();
    let asking = Asking { apt: &apt, architecture, web: &web, store: &store };
    let mut told = telling(note, console);
    let mut suites = Vec::new();
    for (number, source) in sources.iter().enumerate() {
        if source.components.is_empty() {
            let what = format!("the archive `{}` of `{reference}` has no suites", source.suite);
            return Err(Failure::new(what));
        }
        // Others have suites of that name, too: it must be the system's own.
        let same = machines.iter().filter(|one| one.suite == source.suite && one.is_for(architecture));
        let mut found = None;
        for one in same {
            let asked = Source { components: source.components.clone(), ..one.clone() };
            let suite = asking.suite(number, &asked, &mut told).map_err(|error| Failure::of(&error))?;
            if suite.release.get("Origin") == Some(origin) {
                found = Some(suite);
                break;
            }
        }
        let mut suite = match found {
            Some(suite) => suite,
            None => {
                let asked = Source { signed_by: Some(inside.keys(source)?), ..source.clone() };
                asking.suite(number, &asked, &mut told).map_err(|error| Failure::of(&error))?
            }
        };
        // Only names and versions are asked for.
        for package in &mut suite.packages {
            (package.needs, package.conflicts) = (Vec::new(), Vec::new());
        }
        suites.push(suite);
    }
    Ok(suites)
}

/// An image, as apt in it would read it.
struct Inside<'a>(Files<'a>);

impl Inside<'_> {
    fn bytes(&self, path: &str) -> Result<Option<Vec<u8>>, Failure> {
        self.0.bytes(path).map_err(|error| Failure::new(format!("read `{path}` of the image: {error}")))
    }

    fn text(&self, path: &str) -> Result<Option<String>, Failure> {
        Ok(self.bytes(path)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// The files of a directory with one of these endings, in the order of their names.
    fn paths(&self, directory: &str, endings: &[&str]) -> Vec<String> {
        let mut names = self.0.names(directory);
        names.retain(|name| {
            endings.iter().any(|ending| name.strip_suffix(ending).is_some_and(|name| !name.is_empty()))
        });
        names.sort();
        names.into_iter().map(|name| format!("{directory}/{name}")).collect()
    }

    /// What the archives of its system call themselves.
    fn system(&self) -> Result<&'static str, Failure> {
        let release = match self.text("/etc/os-release")? {
            Some(release) => release,
            None => self.text("/usr/lib/os-release")?.unwrap_or_default(),
        };
        let id = release.lines().find_map(|line| line.strip_prefix("ID=")).unwrap_or("unknown");
        let id = id.trim().trim_matches('"');
        let system = SYSTEMS.iter().find(|(known, _)| *known == id);
        system.map(|(_, origin)| *origin).ok_or_else(|| {
            Failure::new(format!(
                "the system of the image is `{id}`, and only archives of Debian and Ubuntu are asked"
            ))
        })
    }

    /// Refuses what makes apt take another version than the latest one.
    fn has_no_preferences(&self) -> Result<(), Failure> {
        let mut files = self.paths("/etc/apt/preferences.d", &[""]);
        files.push("/etc/apt/preferences".to_owned());
        for path in files {
            if self.bytes(&path)?.is_some() {
                return Err(Failure::new(format!(
                    "the image has preferences of its own for apt, in `{path}`"
                )));
            }
        }
        let mut files = self.paths("/etc/apt/apt.conf.d", &[""]);
        files.push("/etc/apt/apt.conf".to_owned());
        for path in files {
            if self.text(&path)?.is_some_and(|text| text.contains("Default-Release")) {
                return Err(Failure::new(format!("the image tells apt in `{path}` which release to prefer")));
            }
        }
        Ok(())
    }

    /// The archives that it names.
    fn sources(&self) -> Result<Vec<Source>, Failure> {
        let mut found = apt::of_list(&self.text("/etc/apt/sources.list")?.unwrap_or_default());
        for path in self.paths("/etc/apt/sources.list.d", &[".list", ".sources"]) {
            let text = self.text(&path)?.unwrap_or_default();
            found.extend(match path.ends_with(".list") {
                true => apt::of_list(&text),
                false => apt::of_paragraphs(&text),
            });
        }
        Ok(found)
    }

    /// The keys that it trusts for one of them.
    fn keys(&self, source: &Source) -> Result<SignedBy, Failure> {
        let paths: Vec<String> = match &source.signed_by {
            Some(signed_by @ (SignedBy::Key(_) | SignedBy::Read(_))) => return Ok(signed_by.clone()),
            Some(SignedBy::Files(paths)) => paths.iter().map(|path| path.display().to_string()).collect(),
            None => {
                let mut paths = self.paths("/etc/apt/trusted.gpg.d", &[".gpg", ".asc"]);
                paths.push("/etc/apt/trusted.gpg".to_owned());
                paths
            }
        };
        let mut keys = Vec::new();
        for path in paths {
            keys.extend(self.bytes(&path)?);
        }
        Ok(SignedBy::Read(keys))
    }
}
