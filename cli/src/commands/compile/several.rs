//! `cogpackc PLAN PLAN… -o oci -O PATH`: images of several plans in one layout, which hold what they
//! share once.
//!
//! All images are made before any is written, so one plan with findings leaves nothing of the
//! others behind.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cogpack_backends_llb::Limits;
use cogpack_content::ImageReference;
use cogpack_io_project::eject::Changed;
use miette::Diagnostic;

use crate::arguments::{Artifact, Compile};
use crate::console::Console;
use crate::definition;
use crate::eject::Wanted;
use crate::emit::{Emission, Product};
use crate::failure::Failure;
use crate::oci_image::OciImage;
use crate::packages::Machine;
use crate::plan_file::PlanFile;
use crate::report::{self, Stream};
use crate::{DONE, FINDINGS, front};

/// Compiles several plans.
pub fn run(arguments: &Compile, formats: &[Artifact], console: &mut Console<'_>) -> Result<u8, Failure> {
    if formats != [Artifact::Oci] {
        return Err(Failure::new("several plans share nothing but an OCI layout").with_hint(
            "`-o oci -O DIR` makes one with an image for each; compile to other formats one by one",
        ));
    }
    let Some(path) = arguments.path.as_deref().filter(|path| *path != Path::new("-")) else {
        return Err(Failure::new("an image layout cannot go to standard output")
            .with_hint("`-O DIR` writes the layout, `-O FILE.tar` a tar of it"));
    };
    if arguments.plans.iter().filter(|path| *path == Path::new("-")).count() > 1 {
        return Err(Failure::new("standard input can be read once, and `-` stands for it twice"));
    }
    let read = |path: &PathBuf| super::named(path, arguments).plan(console);
    let files = arguments.plans.iter().map(read).collect::<Result<Option<Vec<_>>, _>>()?;
    let Some(files) = files else { return Ok(FINDINGS) };
    let names = names(&files, &arguments.tags)?;
    let into = path.to_string_lossy().ends_with('/');
    let full = console.directory.join(path);
    for file in &files {
        file.spare(&full)?;
    }
    let layouts = layouts(&files, &arguments.layouts);
    let mut images = Vec::with_capacity(files.len());
    let mut has_findings = false;
    for ((file, name), layouts) in files.iter().zip(&names).zip(&layouts) {
        match image(file, name, layouts, arguments, console)? {
            Some(image) => images.extend(image),
            None => has_findings = true,
        }
    }
    if has_findings {
        return Ok(FINDINGS);
    }
    if into {
        std::fs::create_dir_all(&full).map_err(|error| Failure::no_directory(&full, &error))?;
    }
    OciImage::write(&images, &if into { full.join(Artifact::Oci.name()) } else { full })?;
    Ok(DONE)
}

/// The image of one plan; `None` where it has findings, which are shown.
fn image(
    file: &PlanFile,
    name: &ImageReference,
    layouts: &[String],
    arguments: &Compile,
    console: &mut Console<'_>,
) -> Result<Option<Vec<OciImage>>, Failure> {
    let (time, format) = (console.source_date_epoch()?, arguments.format);
    let store = arguments.store.as_deref();
    let front = front::front_on(&arguments.platforms, file, layouts, store, format, console)?;
    let Some(front) = front else { return Ok(None) };
    let front = front.optimised(arguments.level, format, console);
    let dialect = arguments.dialect()?;
    let note = super::installing(&front, format, console);
    let mut emission = Emission {
        file,
        front: &front,
        layouts,
        time,
        names: std::slice::from_ref(name),
        limits: Limits::default(),
        eject: Wanted { dialect, directory: None, self_contained: false, changed: Changed::Keep, time },
        definition: definition::Wanted { directory: None, changed: Changed::Keep },
        installed: None,
        packages: Machine::new(store, console),
        compression: arguments.compression()?,
    };
    let made = emission.product(Artifact::Oci);
    note.clear(console);
    Ok(match made? {
        Ok(Product::Images(images)) => Some(images),
        Ok(Product::File { .. } | Product::Definition { .. } | Product::Eject(_)) => None,
        Err(refusals) => {
            let refusals: Vec<&dyn Diagnostic> = refusals.iter().map(AsRef::as_ref).collect();
            report::findings(&refusals, file, format, Stream::Talk, console);
            None
        }
    })
}

/// What the images are called: as the command line says, else as the files of the plans.
fn names(files: &[PlanFile], given: &[ImageReference]) -> Result<Vec<ImageReference>, Failure> {
    const GIVE: &str = "give each plan a name: `-t NAME` as often as there are plans, in their order";
    if !given.is_empty() && given.len() != files.len() {
        return Err(Failure::new(format!(
            "there are {} plans, and {} names are given with `-t`",
            files.len(),
            given.len()
        ))
        .with_hint(GIVE));
    }
    let named = |(place, file): (usize, &PlanFile)| match given.get(place) {
        Some(name) => Ok(name.clone()),
        None => of_file(file).ok_or_else(|| {
            Failure::new(format!("no image can be called as `{}` is", file.shown)).with_hint(GIVE)
        }),
    };
    let names = files.iter().enumerate().map(named).collect::<Result<Vec<_>, _>>()?;
    let mut seen: BTreeMap<String, &PlanFile> = BTreeMap::new();
    for (name, file) in names.iter().zip(files) {
        let full = name.normalised(None);
        if let Some(other) = seen.get(&full) {
            let (one, other) = (&other.shown, &file.shown);
            return Err(Failure::new(format!(
                "the images of `{one}` and `{other}` are both called `{full}`"
            ))
            .with_hint(GIVE));
        }
        seen.insert(full, file);
    }
    Ok(names)
}

/// `model` for `plans/model.cpk`.
fn of_file(file: &PlanFile) -> Option<ImageReference> {
    file.path.as_deref()?.file_stem()?.to_str()?.parse().ok()
}

/// The arguments of `--layout` that are for each plan. One that is for none goes to the first,
/// which refuses it by name.
fn layouts(files: &[PlanFile], given: &[String]) -> Vec<Vec<String>> {
    let declared: Vec<Vec<String>> = files
        .iter()
        .map(|file| {
            // What does not parse is told when it is compiled.
            let plan = cogpack_compiler::parse(&file.text).ok();
            let images = plan.iter().flat_map(|plan| plan.images.keys());
            images.map(|name| name.as_str().to_owned()).collect()
        })
        .collect();
    let mut layouts = vec![Vec::new(); files.len()];
    for argument in given {
        let name = argument.split('=').next().unwrap_or_default();
        let name = name.strip_prefix('@').unwrap_or(name);
        let mut is_for_none = true;
        for (declared, layouts) in declared.iter().zip(&mut layouts) {
            if declared.iter().any(|declared| declared == name) {
                layouts.push(argument.clone());
                is_for_none = false;
            }
        }
        if let (true, Some(first)) = (is_for_none, layouts.first_mut()) {
            first.push(argument.clone());
        }
    }
    layouts
}
