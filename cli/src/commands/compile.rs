//! `cogpackc PLAN -o FORMAT… [-O PATH]`: artifacts.
//!
//! Everything is made before anything is written, so a refusal by one backend leaves nothing of
//! another behind.

use std::path::{Path, PathBuf};

use cogpack_io_packages::installed::LockedSet;
use cogpack_io_project::eject::Changed;
use cogpack_ir::plan::Plan;
use miette::Diagnostic;

use crate::arguments::{Artifact, Compile};
use crate::console::Console;
use crate::eject::Wanted;
use crate::emit::{Emission, Product};
use crate::failure::Failure;
use crate::front::Front;
use crate::limits::limits;
use crate::note::Note;
use crate::packages::Machine;
use crate::plan_file::PlanFile;
use crate::project::of_directory::Named;
use crate::report::{self, Format, Stream};
use crate::{DONE, FINDINGS, definition, emit, front, idle_options};

mod several;

/// Compiles a plan.
pub fn run(arguments: &Compile, console: &mut Console<'_>) -> Result<u8, Failure> {
    let mut formats = arguments.formats.clone();
    formats.sort_unstable();
    formats.dedup();
    idle_options::refuse(arguments)?;
    let dialect = arguments.dialect()?;
    let plan = match &arguments.plans[..] {
        [plan] => plan,
        _ => return several::run(arguments, &formats, console),
    };
    let target = Target::of(&formats, arguments.path.as_deref(), &console.directory)?;
    let Some(file) = named(plan, arguments).plan(console)? else { return Ok(FINDINGS) };
    for format in &formats {
        if let Some(path) = target.path_of(*format) {
            file.spare(&path)?;
        }
    }
    let products = if formats.iter().all(|format| format.is_the_plan()) {
        plan_texts(&formats, &file, arguments.format, console)
    } else {
        let eject = Wanted {
            dialect,
            directory: target.path_of(Artifact::Dockerfile),
            self_contained: arguments.self_contained,
            changed: if arguments.force { Changed::Replace } else { Changed::Keep },
            time: console.source_date_epoch()?,
        };
        let definition = definition::Wanted { directory: target.shared(), changed: eject.changed };
        artifacts(&formats, &file, arguments, eject, definition, console)?
    };
    match products {
        Some(products) => {
            write(&products, &target, console)?;
            if !matches!(target, Target::Into(_)) && products.iter().any(Product::leaves_out_a_config) {
                let note = format!(
                    "note: what the image says of itself (its command, environment, user and so on) is no part \
                     of a definition: `-O DIR/` writes it beside, as `{}`",
                    definition::IMAGE_CONFIG
                );
                report::remark(&note, arguments.format, console);
            }
            Ok(DONE)
        }
        None => Ok(FINDINGS),
    }
}

/// One of the plans, as the command line names it.
fn named<'a>(path: &'a Path, arguments: &'a Compile) -> Named<'a> {
    let Compile { project: options, platforms, format, .. } = arguments;
    Named { path, options, platforms, no_network: false, format: *format }
}

/// The plan in other forms. That needs no export and no base, so nothing is resolved.
fn plan_texts(
    formats: &[Artifact],
    file: &PlanFile,
    format: Format,
    console: &mut Console<'_>,
) -> Option<Vec<Product>> {
    let checked = cogpack_compiler::parse(&file.text).and_then(cogpack_ir::verify::verify);
    let (verified, findings) = match checked {
        Ok(verified) => {
            let warnings = verified.warnings().to_vec();
            (Some(verified), warnings)
        }
        Err(findings) => (None, findings),
    };
    let diagnostics: Vec<&dyn Diagnostic> =
        findings.iter().map(|finding| finding as &dyn Diagnostic).collect();
    if !diagnostics.is_empty() {
        report::findings(&diagnostics, file, format, Stream::Talk, console);
    }
    let plan: Plan = verified?.into_plan();
    Some(formats.iter().filter_map(|format| emit::plan_text(*format, &plan)).collect())
}

fn artifacts(
    formats: &[Artifact],
    file: &PlanFile,
    arguments: &Compile,
    eject: Wanted,
    definition: definition::Wanted<'_>,
    console: &mut Console<'_>,
) -> Result<Option<Vec<Product>>, Failure> {
    let time = console.source_date_epoch()?;
    let limits = limits(arguments.limits.as_ref(), console)?;
    let store = arguments.store.as_deref();
    let front =
        front::front_on(&arguments.platforms, file, &arguments.layouts, store, arguments.format, console)?;
    let Some(front) = front else { return Ok(None) };
    let front = front.optimised(arguments.level, arguments.format, console);
    let note = installing(&front, arguments.format, console);
    let packages = Machine::new(arguments.store.as_deref(), console);
    let mut emission = Emission {
        file,
        front: &front,
        layouts: &arguments.layouts,
        time,
        names: &arguments.tags,
        limits,
        eject,
        definition,
        installed: None,
        packages,
        compression: arguments.compression()?,
    };
    let made: Result<Vec<_>, Failure> = formats.iter().map(|format| emission.product(*format)).collect();
    note.clear(console);
    let mut products = Vec::new();
    let mut refusals = Vec::new();
    for made in made? {
        match made {
            Ok(product) => products.push(product),
            Err(refused) => refusals.extend(refused),
        }
    }
    if refusals.is_empty() {
        // A large plan is millions of small values, and giving them back one by one takes as long
        // as a tenth of all the work. The process ends soon, and that gives back everything.
        std::mem::forget(front);
        let mut warnings: Vec<_> = products.iter().flat_map(Product::warnings).collect();
        warnings.dedup();
        if !warnings.is_empty() {
            let warnings: Vec<&dyn Diagnostic> = warnings.iter().map(|it| *it as &dyn Diagnostic).collect();
            report::findings(&warnings, file, arguments.format, Stream::Talk, console);
        }
        let notes: Vec<_> = products.iter().flat_map(Product::notes).collect();
        report::notes(&notes, file, arguments.format, console);
        return Ok(Some(products));
    }
    let diagnostics: Vec<&dyn Diagnostic> = refusals.iter().map(AsRef::as_ref).collect();
    report::findings(&diagnostics, file, arguments.format, Stream::Talk, console);
    Ok(None)
}

/// Says that packages are installed, which can take long, where a plan has some.
fn installing(front: &Front, format: Format, console: &mut Console<'_>) -> Note {
    let note = Note::shown(console.stderr_is_terminal && format == Format::Text);
    let contexts = front.resolved.plan().contexts.iter();
    let sets = contexts.filter(|(_, context)| LockedSet::of(&context.kind).is_some());
    let names: Vec<String> = sets.map(|(name, _)| name.to_string()).collect();
    if !names.is_empty() {
        note.show(&format!("installing the packages of {}", names.join(", ")), console);
    }
    note
}

/// Where products go.
enum Target {
    /// Standard output, for one product that is a single text.
    Standard,
    /// This file or directory itself, for one product.
    Itself(PathBuf),
    /// Into this directory, each under its own name.
    Into(PathBuf),
}

impl Target {
    /// Where a product goes; `None` for standard output.
    fn path_of(&self, format: Artifact) -> Option<PathBuf> {
        match self {
            Self::Standard => None,
            Self::Itself(path) => Some(path.clone()),
            Self::Into(path) => Some(path.join(format.name())),
        }
    }

    /// The directory that products go into under names of their own.
    fn shared(&self) -> Option<&Path> {
        match self {
            Self::Standard | Self::Itself(_) => None,
            Self::Into(path) => Some(path),
        }
    }

    fn of(formats: &[Artifact], path: Option<&Path>, directory: &Path) -> Result<Self, Failure> {
        let several = formats.len() > 1;
        let Some(path) = path.filter(|path| *path != Path::new("-")) else {
            if several {
                return Err(Failure::new("several formats cannot share standard output")
                    .with_hint("`-O DIR` writes each under its own name"));
            }
            if formats.contains(&Artifact::Oci) {
                return Err(Failure::new(
                    "an image layout is a directory, which standard output cannot hold",
                )
                .with_hint("`-O DIR` writes the layout, `-O FILE.tar` a tar of it"));
            }
            return Ok(Self::Standard);
        };
        let is_directory = path.to_string_lossy().ends_with('/');
        let full = directory.join(path);
        // A directory as a product takes the path as its own; a file cannot.
        let is_file = !formats.iter().any(|format| format.is_a_directory());
        if several || is_directory || (is_file && full.is_dir()) {
            return Ok(Self::Into(full));
        }
        Ok(Self::Itself(full))
    }
}

fn write(products: &[Product], target: &Target, console: &mut Console<'_>) -> Result<(), Failure> {
    match target {
        Target::Standard => {
            for product in products {
                product.print(console)?;
            }
        }
        Target::Itself(path) => {
            for product in products {
                product.write(path)?;
            }
        }
        Target::Into(folder) => {
            std::fs::create_dir_all(folder).map_err(|error| Failure::no_directory(folder, &error))?;
            for product in products {
                product.write(&folder.join(product.name()))?;
                product.write_beside(folder)?;
            }
        }
    }
    Ok(())
}
