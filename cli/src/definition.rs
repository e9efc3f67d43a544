//! A definition on its way out, and in a directory what lies beside it: the image config, the sets
//! of packages that are installed for it, and how it is solved.
//!
//! No daemon installs packages, and a definition names what is installed by its digest. So they
//! are installed where there is a directory for them, each as an archive alone in a directory
//! that the definition reads under the context's name: `contexts/NAME/`. The daemon unpacks it
//! with owners and all bits of modes, which a directory on this disk could not have.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::rc::Rc;

use cogpack_backends_llb::{LlbImage, Needs};
use cogpack_io_project::eject::manifest;
use cogpack_io_project::eject::{Changed, Eject as Directory};
use cogpack_ir::plan::{ContextKind, InputName};
use cogpack_ir::resolve::Resolved;

use crate::contexts::ContextContents;
use crate::eject::not_written;
use crate::emit::write_file;
use crate::failure::Failure;
use crate::installed::Installed;
use crate::plan_file::PlanFile;
use crate::ways::{ELSEWHERE, settled, way};

/// What a definition is called in a directory.
pub const NAME: &str = "llb.pb";

/// What the image config is called that goes with it.
pub const IMAGE_CONFIG: &str = "image-config.json";

/// What the text is called that says how it is solved.
pub const README: &str = "llb.md";

/// The directory of what is installed for it.
const CONTEXTS: &str = "contexts";

/// A definition in a directory.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The directory; `None` where the definition goes to a file or to standard output.
    pub directory: Option<&'a Path>,
    /// What to do with what was installed by an earlier run and that somebody has changed.
    pub changed: Changed,
}

/// What lies beside a definition.
pub struct Beside {
    readme: String,
    installed: Rc<Installed>,
    /// The sets that the definition reads.
    read: BTreeSet<InputName>,
    changed: Changed,
}

impl Beside {
    /// What lies beside the definition of a plan in a directory.
    pub fn of(
        directory: &Path,
        changed: Changed,
        image: &LlbImage,
        plan: &Resolved,
        file: &PlanFile,
        installed: Rc<Installed>,
    ) -> Self {
        let read = installed.archives.keys().filter(|name| image.needs.directories.contains(*name));
        let read: BTreeSet<InputName> = read.cloned().collect();
        let readme = readme(&image.needs, &places(&image.needs, &read, plan, directory, file), file);
        Self { readme, installed, read, changed }
    }

    /// Writes it into the directory.
    pub fn write(&self, directory: &Path, image: &LlbImage) -> Result<(), Failure> {
        let contexts = directory.join(CONTEXTS);
        // Where there are none and never were, there is nothing to take away either.
        if !self.read.is_empty() || contexts.join(manifest::NAME).exists() {
            let archives = self.installed.archives.iter().filter(|(name, _)| self.read.contains(*name));
            let mut files = BTreeMap::new();
            for (name, archive) in archives {
                files.insert(
                    format!("{}/{}", name.as_str(), archive.file),
                    archive.directory.join(&archive.file),
                );
            }
            let eject = Directory { files, ..Directory::default() };
            let written = eject.write(&contexts, &ContextContents::default(), self.changed);
            written.map_err(not_written)?;
        }
        write_file(&directory.join(IMAGE_CONFIG), &image.config)?;
        write_file(&directory.join(README), self.readme.as_bytes())
    }
}

/// Where a client finds each directory and each layout that the definition reads.
struct Places {
    directories: BTreeMap<InputName, String>,
    layouts: BTreeMap<InputName, String>,
}

fn places(
    needs: &Needs,
    installed: &BTreeSet<InputName>,
    plan: &Resolved,
    directory: &Path,
    file: &PlanFile,
) -> Places {
    let from = settled(directory);
    // Elsewhere than below the plan, the way would say where on this machine both lie.
    let is_below = from.starts_with(settled(&file.directory));
    let written = |path: &str| match way(&from, &settled(&file.directory.join(path))) {
        _ if !is_below => ELSEWHERE.to_owned(),
        Some(here) if here.is_empty() => ".".to_owned(),
        Some(way) => way,
        None => ELSEWHERE.to_owned(),
    };
    let place = |name: &InputName| match plan.plan().contexts.get(name).map(|context| &context.kind) {
        Some(ContextKind::Directory(it)) => written(&it.path.value),
        Some(ContextKind::Oci(it)) => written(&it.path.value),
        Some(_) | None if installed.contains(name) => format!("{CONTEXTS}/{}", name.as_str()),
        Some(_) | None => ELSEWHERE.to_owned(),
    };
    let placed = |names: &BTreeSet<InputName>| names.iter().map(|name| (name.clone(), place(name))).collect();
    Places { directories: placed(&needs.directories), layouts: placed(&needs.layouts) }
}

/// The text that says how it is solved.
fn readme(needs: &Needs, places: &Places, file: &PlanFile) -> String {
    let mut words = vec!["buildctl build".to_owned()];
    let named = |option: &'static str, places: &BTreeMap<InputName, String>| -> Vec<String> {
        places.iter().map(|(name, place)| format!("{option} {}={place}", name.as_str())).collect()
    };
    words.extend(named("--local", &places.directories));
    words.extend(named("--oci-layout", &places.layouts));
    let secret = |name: &str| format!("--secret id={name},src=FILE");
    let (optional, needed): (Vec<_>, Vec<_>) = needs.secrets.iter().partition(|(_, optional)| **optional);
    words.extend(needed.iter().map(|(name, _)| secret(name.as_str())));
    words.extend(needs.agents.iter().map(|id| format!("--ssh {id}")));
    words.extend(needs.entitlements.iter().map(|entitlement| format!("--allow {entitlement}")));
    // The config is a field of CSV, in which a quotation mark is written twice.
    words.push(format!(
        "--output \"type=oci,dest=image.tar,source-date-epoch=0,rewrite-timestamp=true,\
         \\\"containerimage.config=$(sed 's/\"/\"\"/g' {IMAGE_CONFIG})\\\"\""
    ));
    words.push(format!("<{NAME}"));
    let plan = file.own_name();
    let mut text = format!(
        "# A definition made by cogpackc\n\n`{NAME}` makes the image that `{plan}` describes. In this directory:\n\n\
         ```sh\n{}\n```\n\n\
         `type=image,name=NAME,push=true` in the place of `type=oci,dest=image.tar` pushes it. `{IMAGE_CONFIG}` is \
         what the image says of itself (its command, environment, user and so on), which is no part of a \
         definition.\n",
        words.join(" \\\n  ")
    );
    let placed = places.directories.iter().chain(&places.layouts);
    let elsewhere: Vec<String> = placed
        .filter(|(_, place)| *place == ELSEWHERE)
        .map(|(name, _)| format!("for `{0}=` that of `context @{0}`", name.as_str()))
        .collect();
    if !elsewhere.is_empty() {
        text.push_str(&format!(
            "\n`{ELSEWHERE}` is a directory that `{plan}` reads: {}.\n",
            elsewhere.join(", ")
        ));
    }
    if !needed.is_empty() {
        text.push_str("\n`src=` names the file that holds a secret.\n");
    }
    if !optional.is_empty() {
        let optional: Vec<String> =
            optional.iter().map(|(name, _)| format!("`{}`", secret(name.as_str()))).collect();
        text.push_str(&format!("\nIt takes this too, and does without: {}.\n", optional.join(", ")));
    }
    if !places.directories.is_empty() {
        text.push_str(
            "\nA daemon that solves several definitions at one time reads directories of one name for all of them \
             once: solve one after the other those whose `--local` have a name in common, or use `cogpackc build`, \
             which tells them apart.\n",
        );
    }
    text.push_str("\nChange the plan and compile again rather than what is here.\n");
    text
}
