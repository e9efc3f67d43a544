//! Asks what only a server can say, for `cogpackc check --fix`: each thing once, whatever it is needed
//! for, in whichever plan, and whether or not the answer came.
//!
//! | question | who is asked |
//! |---|---|
//! | what an image is | its registry, as the pass `pin` asks it |
//! | what a file hashes to | its server ([`servers`]), without a login |
//! | which commit HEAD is | its git server, likewise |
//! | which versions apt takes | the archives that the image names, with the mirrors and keys of the machine ([`archives`]) |

mod archives;
mod servers;

use std::collections::BTreeMap;

use cogpack_content::Platform;
use cogpack_io_packages::hashed::Hashed;
use cogpack_ir::plan::{BaseImage, Spanned};
use cogpack_lints::ask::{AskFile, AskImage, AskVersions, LOOK_AT_VERSIONS};
use cogpack_lints::{Question, Repair};

use super::found::Found;
use crate::commands::build::daemon;
use crate::commands::opt::pins;
use crate::console::Console;
use crate::failure::Failure;
use crate::note::Note;
use crate::packages::Machine;
use crate::progress::text::counted;
use crate::registries;
use crate::report::Format;
use archives::Archives;

/// Why there is no answer.
type Silence = String;

/// Who asks, and what has been answered.
pub struct Asker {
    is_offline: bool,
    with_unsafe: bool,
    format: Format,
    images: BTreeMap<String, Result<BaseImage, Silence>>,
    files: BTreeMap<(String, bool), Result<Hashed, Silence>>,
    commits: BTreeMap<String, Result<String, Silence>>,
    archives: BTreeMap<String, Result<Archives, Silence>>,
}

impl Asker {
    /// One that has asked nothing so far.
    pub fn new(is_offline: bool, with_unsafe: bool, format: Format) -> Self {
        let (images, files, commits, archives) = Default::default();
        Self { is_offline, with_unsafe, format, images, files, commits, archives }
    }

    /// Whether what changes the image is made, too.
    pub fn with_unsafe(&self) -> bool {
        self.with_unsafe
    }

    /// Puts what the answers make of the plan in the place of questions, or why there is none.
    pub fn answer(&mut self, found: &mut [Found], text: &str, console: &mut Console<'_>) {
        let mut platforms: Option<Vec<Platform>> = None;
        for found in found {
            let Repair::Ask(question) = &found.repair else { continue };
            let platforms = platforms.get_or_insert_with(|| platforms_of(text));
            found.repair = match self.withheld(question) {
                Some(why) => Repair::none(why),
                None => self.asked(question, platforms, console).unwrap_or_else(Repair::none),
            };
        }
    }

    /// Why a question is put to nobody.
    fn withheld(&self, question: &Question) -> Option<String> {
        if question.is_unsafe() && !self.with_unsafe {
            return Some(format!(
                "`--fix --unsafe-fixes` asks the archives of the image, and writes what they have; look at {LOOK_AT_VERSIONS}"
            ));
        }
        let whom = match question {
            Question::Image(_) => "its registry",
            Question::File(_) | Question::Commit(_) => "its server",
            Question::Versions(_) => "the archives of the image",
        };
        self.is_offline.then(|| format!("{whom} would be asked, and `--offline` was said"))
    }

    fn asked(
        &mut self,
        question: &Question,
        platforms: &[Platform],
        console: &mut Console<'_>,
    ) -> Result<Repair, Silence> {
        let note = Note::shown(console.stderr_is_terminal && self.format == Format::Text);
        let repair = match question {
            Question::Image(ask) => self.image(ask, platforms, note, console),
            Question::File(ask) => self.file(ask, note, console),
            Question::Commit(ask) => {
                let commit = self.commits.entry(ask.url.clone()).or_insert_with(|| {
                    note.show(&format!("asking for `{}`", ask.url), console);
                    servers::commit(&ask.url)
                });
                commit.clone().map(|commit| ask.answered(&commit))
            }
            Question::Versions(ask) => self.versions(ask, platforms, note, console),
        };
        note.clear(console);
        repair
    }

    fn image(
        &mut self,
        ask: &AskImage,
        platforms: &[Platform],
        note: Note,
        console: &mut Console<'_>,
    ) -> Result<Repair, Silence> {
        let told = self.images.entry(named(&ask.image)).or_insert_with(|| {
            note.show(&format!("asking for `{}`", ask.image.reference.value), console);
            image(&ask.image, platforms, console)
        });
        told.clone().map(|told| ask.answered(&told))
    }

    fn file(&mut self, ask: &AskFile, note: Note, console: &mut Console<'_>) -> Result<Repair, Silence> {
        let key = (ask.url.clone(), ask.is_followed);
        let hashed = self.files.entry(key).or_insert_with(|| {
            note.show(&format!("downloading {}", ask.shown()), console);
            servers::file(ask, note, console)
        });
        let Hashed { bytes, digest } = hashed.clone()?;
        Ok(ask.answered(&digest.hex(), &counted(bytes, "byte")))
    }

    fn versions(
        &mut self,
        ask: &AskVersions,
        platforms: &[Platform],
        note: Note,
        console: &mut Console<'_>,
    ) -> Result<Repair, Silence> {
        let archives = self.archives.entry(named(&ask.image)).or_insert_with(|| {
            note.show(&format!("looking into `{}`", ask.image.reference.value), console);
            Archives::ask(&ask.image, platforms, note, console)
        });
        let archives = archives.as_ref().map_err(Clone::clone)?;
        let versions: Result<BTreeMap<String, String>, Silence> =
            ask.packages.iter().map(|package| Ok((package.clone(), archives.newest(package)?))).collect();
        Ok(ask.answered(&versions?))
    }
}

/// The platforms of a plan; the one that is meant where it says none.
fn platforms_of(text: &str) -> Vec<Platform> {
    let plan = cogpack_compiler::parse(text).ok();
    let said: Vec<Platform> =
        plan.iter().flat_map(|plan| &plan.platforms).map(|platform| platform.value.clone()).collect();
    if said.is_empty() { vec![Platform::linux_amd64()] } else { said }
}

/// An image, with its digest where the plan has one.
fn named(image: &BaseImage) -> String {
    image.reference.normalised(image.digest.as_ref().map(|digest| &digest.value))
}

/// What an image is by its registry.
fn image(image: &BaseImage, platforms: &[Platform], console: &Console<'_>) -> Result<BaseImage, Silence> {
    let asked = || {
        // Credential helpers are programs that are waited for.
        let runtime = daemon::runtime()?;
        let _entered = runtime.enter();
        let puller = registries::puller(Machine::new(None, console), console)?;
        let digest = image.digest.as_ref().map(|digest| digest.value);
        let (first, others) = platforms.split_first().ok_or_else(|| Failure::new("there is no platform"))?;
        pins::pin(&puller, &image.reference.value, digest, first, others)
    };
    let pin = asked().map_err(|failure| silence(&failure))?;
    if pin.config.is_none() && image.config.is_none() {
        return Err(
            "its configs differ from platform to platform, and a plan has one of them; `cogpackc opt --pass \
                    pin` writes the digest alone"
                .to_owned(),
        );
    }
    Ok(BaseImage { digest: Some(Spanned::nowhere(pin.digest)), config: pin.config, ..image.clone() })
}

/// All that a failure says, in one line.
fn silence(failure: &Failure) -> Silence {
    let said = std::iter::once(&failure.message).chain(&failure.causes);
    let lines: Vec<String> = said.map(|said| said.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    lines.join(": ")
}
