//! Sets of packages for a daemon, which installs none itself: each becomes an image of its own in a
//! layout, of just the layers that `-o oci` writes of it; and where the daemon reads no layouts, a tar.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use cogpack_backends_contract::content::Content;
use cogpack_backends_contract::inputs::contexts;
use cogpack_backends_contract::tree::Tree;
use cogpack_backends_contract::{Backend, Unsupported};
use cogpack_backends_llb::installed::InstalledContext;
use cogpack_backends_oci_direct::compression::{Compression, Method};
use cogpack_backends_oci_direct::{Inputs, OciDirect};
use cogpack_compiler::World;
use cogpack_content::Platform;
use cogpack_io_layout::read::{Layout, StoredImage, Wanted};
use cogpack_io_layout::told;
use cogpack_io_layout::write::{Image, Named, write_directory};
use cogpack_io_packages::PackageProblem;
use cogpack_io_store::Store;
use cogpack_io_store::work::Work;
use cogpack_ir::plan::{ContextKind, InputName, Spanned};
use cogpack_ir::resolve::Resolved;
use miette::Diagnostic;

use crate::contexts::{ContextContents, Walked};
use crate::failure::Failure;
use crate::packages::{Machine, Sets};

/// In which form a daemon takes what is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As the image of a layout.
    Layout,
    /// As a tar.
    Archive,
}

/// Sets that are to be installed.
pub struct ToInstall {
    sets: Sets,
    platforms: BTreeSet<Spanned<Platform>>,
    store: Store,
    time: u64,
}

/// A tar, alone in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// The directory, which holds nothing else.
    pub directory: PathBuf,
    /// What the tar is called in it.
    pub file: String,
}

/// Sets that are installed. What was made of them goes when this goes.
#[derive(Default)]
pub struct Installed {
    /// What is in each.
    pub trees: BTreeMap<InputName, Tree<Content>>,
    /// The layouts that were made.
    pub layouts: BTreeMap<InputName, PathBuf>,
    /// The archives that were made.
    pub archives: BTreeMap<InputName, Archive>,
    contexts: BTreeMap<InputName, InstalledContext>,
    _work: Option<Work>,
}

impl ToInstall {
    /// The sets that a plan uses; nothing where it uses none. All that is made is dated `time`.
    pub fn of(plan: &Resolved, machine: Machine<'_>, time: u64) -> Result<Option<Self>, Failure> {
        let sets = machine.sets(contexts(plan))?;
        if sets.is_empty() {
            return Ok(None);
        }
        let platforms = plan.plan().platforms.clone();
        Ok(Some(Self { sets, platforms, store: machine.store()?, time }))
    }

    /// How a daemon would get each, before anything is fetched: enough to see what it refuses.
    pub fn foreseen(&self) -> BTreeMap<InputName, InstalledContext> {
        let archive = |name: &InputName| (name.clone(), InstalledContext::Archive("archive.tar".to_owned()));
        self.sets.names().map(archive).collect()
    }

    /// What they are called, for people.
    pub fn shown(&self) -> String {
        let names: Vec<String> = self.sets.names().map(ToString::to_string).collect();
        names.join(", ")
    }

    /// Installs all of them.
    pub fn install(&self, form: Form) -> Result<Result<Installed, Vec<PackageProblem>>, Failure> {
        let mut walked = Walked::default();
        let platforms: Vec<Platform> = self.platforms.iter().map(|it| it.value.clone()).collect();
        if let Err(problems) = self.sets.install(&platforms, &mut walked)? {
            return Ok(Err(problems));
        }
        let Walked { trees, mut layers, files } = walked;
        if form == Form::Archive {
            // One tar holds all of it.
            layers.clear();
        }
        let work = self.store.work().map_err(|error| Failure::of(&error))?;
        let mut installed = Installed::default();
        for (name, tree) in &trees {
            if tree.walk().is_empty() {
                installed.contexts.insert(name.clone(), InstalledContext::Empty);
                continue;
            }
            let parts = layers.remove(name);
            let inputs = Inputs {
                directories: BTreeMap::from([(name.clone(), tree.clone())]),
                layers: parts.map(|parts| (name.clone(), parts)).into_iter().collect(),
                ..Inputs::default()
            };
            let layout = self.write(name, &inputs, &files, form, work.path())?;
            match form {
                Form::Layout => drop(installed.layouts.insert(name.clone(), layout)),
                Form::Archive => {
                    let archive = self.archive(name, &layout, work.path())?;
                    let context = InstalledContext::Archive(archive.file.clone());
                    installed.contexts.insert(name.clone(), context);
                    installed.archives.insert(name.clone(), archive);
                }
            }
        }
        Ok(Ok(Installed { trees, _work: Some(work), ..installed }))
    }

    /// Writes one of them as an image.
    fn write(
        &self,
        name: &InputName,
        inputs: &Inputs,
        files: &ContextContents,
        form: Form,
        work: &Path,
    ) -> Result<PathBuf, Failure> {
        let context = self.sets.context(name).cloned();
        let text = match context.as_ref().map(|context| &context.kind) {
            // Wheels alone are no filesystem to start from.
            Some(ContextKind::Wheels(_)) => format!(
                "cpk 1\nstage %packages from scratch {{ copy contents \".\" from {name} to \"/\" }}\nexport from %packages"
            ),
            Some(_) | None => format!("cpk 1\nexport from {name}"),
        };
        let mut plan = cogpack_compiler::parse(&text).map_err(|it| ours(name, &it))?;
        plan.platforms.clone_from(&self.platforms);
        plan.contexts.extend(context.map(|context| (name.clone(), context)));
        let resolved = cogpack_compiler::compile(plan, &World::default()).map_err(|it| ours(name, &it))?;
        let recipe = OciDirect::default().lower(&resolved).map_err(|it| ours(name, &it))?;
        let assembly = recipe.assemble(inputs, files, self.time).map_err(|it| ours(name, &it))?;
        let compression = match form {
            Form::Layout => Compression::default(),
            Form::Archive => Method::None.into(),
        };
        let kept = Some(&self.store);
        let image = Image { assembly: &assembly, files, bases: &[], kept, compression, told: &told::nobody };
        let layout = work.join(name.as_str());
        write_directory(&[Named { images: &[image], names: &[] }], &layout)
            .map_err(|error| Failure::of(&error))?;
        Ok(layout)
    }

    /// The one layer of an image as a tar in a directory of its own, and what it is called there:
    /// by its digest, because the transfer compares only names, sizes and times.
    fn archive(&self, name: &InputName, layout: &Path, work: &Path) -> Result<Archive, Failure> {
        let platform = self.platforms.first().map_or_else(Platform::linux_amd64, |it| it.value.clone());
        let image = image_of(layout, &platform)?;
        let layer = image.layers.first().ok_or_else(|| ours::<Unsupported>(name, &[]))?;
        let layer = layer.blob.blob.digest.hex();
        let (directory, file) =
            (work.join(format!("{name}-archive", name = name.as_str())), format!("{layer}.tar"));
        let made = fs::create_dir(&directory)
            .and_then(|()| fs::rename(layout.join("blobs/sha256").join(&layer), directory.join(&file)))
            .and_then(|()| File::open(directory.join(&file)))
            .and_then(|archive| archive.set_modified(UNIX_EPOCH + Duration::from_secs(self.time)));
        made.map_err(|error| {
            Failure::new(format!("cannot make an archive of `{name}` in `{}`: {error}", directory.display()))
        })?;
        Ok(Archive { directory, file })
    }
}

impl Installed {
    /// How a daemon gets each, for an image of this platform.
    pub fn contexts(&self, platform: &Platform) -> Result<BTreeMap<InputName, InstalledContext>, Failure> {
        let mut contexts = self.contexts.clone();
        for (name, layout) in &self.layouts {
            let image = image_of(layout, platform)?;
            contexts.insert(name.clone(), InstalledContext::Layout(image.manifest));
        }
        Ok(contexts)
    }
}

fn image_of(layout: &Path, platform: &Platform) -> Result<StoredImage, Failure> {
    let image = Layout::open(layout).and_then(|layout| layout.image(Wanted::default(), platform));
    image.map_err(|error| Failure::of(&error))
}

/// A set that was installed can be an image; where it cannot, the mistake is ours.
fn ours<D: Diagnostic>(name: &InputName, found: &[D]) -> Failure {
    let mut failure = Failure::new(format!("the packages of `{name}` cannot become an image"))
        .with_hint("this is a mistake of cogpackc: please report it together with the plan");
    failure.causes.extend(found.iter().map(ToString::to_string));
    failure
}
