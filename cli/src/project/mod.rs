//! A project's directory as a plan: reads what planning asks for, and shows what it finds.

pub mod of_directory;
pub mod options;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs;
use std::iter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cogpack_compiler::stacks::python::debs::{self, DebInputs};
use cogpack_compiler::stacks::python::debs_finding::DebsFinding;
use cogpack_compiler::stacks::python::finding::PythonFinding;
use cogpack_compiler::stacks::python::lock_inputs::Needs;
use cogpack_compiler::stacks::python::{lock, lock_inputs};
use cogpack_compiler::stacks::{
    self, BaseWish, ConfigFile, Findings, ImageName, NoPlan, Planned, ProjectFinding, Request,
};
use cogpack_content::{ImageReference, Platform};
use cogpack_frontends_cog_yaml::Strictness;
use cogpack_frontends_schema::Signature;
use cogpack_frontends_source::{Source, SourcePath};
use cogpack_io_project::project_files::ProjectDirectory;
use cogpack_ir::plan::Owner;
use cogpack_ir::syntax;
use miette::Diagnostic;
use options::ProjectOptions;

use crate::catalogues;
use crate::console::Console;
use crate::failure::Failure;
use crate::plan_file::PlanFile;
use crate::report::{self, Format, Stream};

/// Files by which a directory is a project, or has a plan.
const MANIFESTS: [&str; 9] = [
    "cog.yaml",
    "plan.cpk",
    "pyproject.toml",
    "cogpack.toml",
    "requirements.txt",
    "uv.lock",
    "pylock.toml",
    "setup.py",
    "setup.cfg",
];

/// How many directories above this one may hold the `cog.yaml` of the model that it belongs to: as many as
/// cog looks into.
const LEVELS: usize = 100;

/// The directory that a command line means by `named`: of `.`, where nothing of a project lies, the nearest
/// one above that has a `cog.yaml`, as with cog; or the file that is named in its place.
pub fn meant_by<'a>(named: &'a Path, options: &ProjectOptions, console: &Console<'_>) -> Cow<'a, Path> {
    let here = &console.directory;
    let is_here = match &options.file {
        Some(file) => here.join(file).exists(),
        None => MANIFESTS.iter().any(|name| here.join(name).exists()),
    };
    if named != Path::new(".") || is_here {
        return Cow::Borrowed(named);
    }
    let file = options.file.as_deref().unwrap_or(Path::new("cog.yaml"));
    let above = here.ancestors().skip(1).take(LEVELS).position(|above| above.join(file).is_file());
    above
        .map_or(Cow::Borrowed(named), |skipped| iter::repeat_n("..", skipped + 1).collect::<PathBuf>().into())
}

/// A project, and all that was read of it.
pub struct Project {
    /// As it was named.
    shown: PathBuf,
    /// Its directory.
    directory: PathBuf,
    /// The file that says how it is built.
    config: ConfigFile,
    files: ProjectDirectory,
    source: Source,
}

/// Which locks a project lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lacking {
    /// That of its Python packages.
    pub packages: bool,
    /// That of its Debian packages.
    pub debs: bool,
}

impl Project {
    /// The project in the directory `named`, or the model around it: see [`meant_by`].
    pub fn open(named: &Path, options: &ProjectOptions, console: &Console<'_>) -> Result<Self, Failure> {
        let config = config(options)?;
        let named = &*meant_by(named, options, console);
        let directory = console.directory.join(named);
        let files = ProjectDirectory::open(&directory).map_err(|error| {
            let mut failure = Failure::new(format!("read the project `{}`", named.display()));
            failure.causes.push(error.to_string());
            failure.with_hint("name the directory of a project, `.` for this one")
        })?;
        if options.file.is_some() && !directory.join(config.path().as_str()).is_file() {
            let message =
                format!("there is no file `{}` in the project `{}`", config.path(), named.display());
            return Err(Failure::new(message).with_hint(FROM_THE_PROJECT));
        }
        Ok(Self { shown: named.to_owned(), directory, config, files, source: Source::default() })
    }

    /// Its directory on this machine.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The file that says how it is built.
    pub fn config(&self) -> &ConfigFile {
        &self.config
    }

    /// What its locks are to be made of, that of Debian packages only where its base is of them; `None`
    /// where that cannot be said, which is shown.
    pub fn lock_inputs(
        &mut self,
        request: &Request,
        format: Format,
        console: &mut Console<'_>,
    ) -> Result<Option<(Needs, Option<DebInputs>)>, Failure> {
        let inputs = self.files.plan(&mut self.source, |source| lock_inputs::inputs(source, request));
        let debs = self.files.plan(&mut self.source, |source| debs::inputs(source, request));
        match (inputs, debs) {
            (Ok(inputs), Ok(debs)) => Ok(Some((inputs, debs))),
            // What is wrong with what both read is told by both.
            (Err(findings), _) | (Ok(_), Err(findings)) => {
                self.show(&findings, format, console);
                Ok(None)
            }
        }
    }

    /// Whether it has a lock of Debian packages.
    pub fn has_deb_lock(&self) -> bool {
        self.directory.join(self.config.deb_lock().as_str()).is_file()
    }

    /// Whether its lock is there and was made of what the project asks for now; if not, that is shown.
    pub fn has_fresh_lock(
        &mut self,
        request: &Request,
        format: Format,
        console: &mut Console<'_>,
    ) -> Result<bool, Failure> {
        let mut checked = self.files.plan(&mut self.source, |source| lock::is_fresh(source, request));
        checked.extend(self.files.plan(&mut self.source, |source| debs::is_fresh(source, request)));
        self.show(&checked, format, console);
        Ok(checked.is_empty())
    }

    /// The locks that it lacks for a plan, if any, for whoever makes those; or, where something else is wrong, too,
    /// all that is but for them.
    pub fn lacks(&mut self, request: &Request) -> Result<Option<Lacking>, Findings> {
        let Err(NoPlan { mut findings, .. }) = self.planned(request) else { return Ok(None) };
        let mut lacking = Lacking { packages: false, debs: false };
        findings.retain(|found| {
            let finding = &found.finding;
            let packages = matches!(finding, ProjectFinding::Python(PythonFinding::NoLock { .. }));
            let debs = matches!(finding, ProjectFinding::Debs(DebsFinding::NoDebLock { .. }));
            lacking.packages |= packages;
            lacking.debs |= debs;
            !packages && !debs
        });
        match findings.iter().any(|found| found.finding.is_error()) {
            true => Err(findings),
            false => Ok(Some(lacking)),
        }
    }

    /// What it says of the name of its image, where that can be read.
    pub fn image_name(&mut self, request: &Request) -> Option<ImageName> {
        self.files.plan(&mut self.source, |source| stacks::image_name(source, request))
    }

    /// What its model takes for a prediction, where that can be said.
    pub fn signature(&mut self, request: &Request) -> Option<Signature> {
        self.files.plan(&mut self.source, |source| stacks::signature(source, request))
    }

    /// Its plan, or why it has none. Nothing of it is shown.
    pub fn planned(&mut self, request: &Request) -> Result<Planned, NoPlan> {
        self.files.plan(&mut self.source, |source| stacks::plan(source, request))
    }

    /// Its plan; `None` where it has errors, which are shown, as warnings are in either case.
    pub fn plan(
        &mut self,
        request: &Request,
        format: Format,
        console: &mut Console<'_>,
    ) -> Result<Option<Planned>, Failure> {
        match self.planned(request) {
            Ok(planned) => {
                self.show(&planned.warnings, format, console);
                Ok(Some(planned))
            }
            Err(none) => {
                self.show(&none.findings, format, console);
                Ok(None)
            }
        }
    }

    /// Shows findings, each in the text of its file.
    pub fn show(&self, findings: &Findings, format: Format, console: &mut Console<'_>) {
        let placed = findings.iter().map(|found| (&found.file, &found.finding as &dyn Diagnostic));
        self.show_each(placed.collect(), format, console);
    }

    /// Shows what is wrong at places of its files.
    pub fn show_each(
        &self,
        found: Vec<(&SourcePath, &dyn Diagnostic)>,
        format: Format,
        console: &mut Console<'_>,
    ) {
        let files: BTreeSet<&SourcePath> = found.iter().map(|(file, _)| *file).collect();
        for file in files {
            let text = self.source.shown(file);
            let shown = self.shown_path(file);
            let of_file = found.iter().filter(|(other, _)| *other == file);
            let diagnostics: Vec<&dyn Diagnostic> = of_file.map(|(_, finding)| *finding).collect();
            let about = PlanFile {
                shown,
                path: None,
                text: Arc::new(text.to_owned()),
                directory: self.directory.clone(),
            };
            report::findings(&diagnostics, &about, format, Stream::Talk, console);
        }
    }

    /// A file of it as somebody who named the project would name it.
    pub fn shown_path(&self, file: &SourcePath) -> String {
        match (self.shown == Path::new("."), file.as_str()) {
            (true, "") => ".".to_owned(),
            (true, file) => file.to_owned(),
            (false, "") => self.shown.display().to_string(),
            (false, file) => self.shown.join(file).display().to_string(),
        }
    }

    /// The plan as a file of plans is: its text, which nobody has written.
    pub fn as_plan_file(&self, planned: &Planned) -> PlanFile {
        PlanFile {
            shown: format!("the plan of {}", self.shown.display()),
            path: None,
            text: Arc::new(syntax::print(&planned.plan)),
            directory: self.directory.clone(),
        }
    }
}

/// What is asked of a plan by the command line; `None` where a catalogue has findings, which are shown.
pub fn request(
    options: &ProjectOptions,
    platforms: &[Platform],
    format: Format,
    console: &mut Console<'_>,
) -> Result<Option<Request>, Failure> {
    let plain = Request::plain();
    let Some((catalogue, named)) = catalogues::all(&options.catalogues, format, console)? else {
        return Ok(None);
    };
    let platforms = match platforms.is_empty() {
        true => plain.platforms,
        false => platforms.iter().cloned().collect(),
    };
    Ok(Some(Request {
        platforms,
        stack: options.stack.clone(),
        config: config(options)?,
        strictness: if options.lenient { Strictness::Lenient } else { Strictness::Strict },
        catalogue,
        named,
        base: options.base.as_deref().map(base_wish).transpose()?,
        build_base: options.build_base.as_deref().map(build_base).transpose()?,
        openapi_schema: options.openapi_schema.as_deref().map(|path| schema(path, console)).transpose()?,
        user: options.user.as_deref().map(user).transpose()?,
        precompile: options.precompile,
        no_network: false,
    }))
}

/// How `-f` names a file.
const FROM_THE_PROJECT: &str =
    "`-f` names a file of the project, by its path from the project's directory on, as in `-f other.yaml`";

/// The file that says how a model is built.
fn config(options: &ProjectOptions) -> Result<ConfigFile, Failure> {
    let Some(file) = &options.file else { return Ok(ConfigFile::default()) };
    let path = file.to_str().map(SourcePath::new);
    match path {
        Some(Ok(path)) if path != SourcePath::root() => Ok(ConfigFile::new(path)),
        Some(Ok(_) | Err(_)) | None => {
            let message = format!("`{}` is no file of a project", file.display());
            Err(Failure::new(message).with_hint(FROM_THE_PROJECT))
        }
    }
}

/// The same as far as it says what a model is: nothing of what its image starts from.
fn without_bases(options: &ProjectOptions, console: &Console<'_>) -> Result<Request, Failure> {
    Ok(Request {
        stack: options.stack.clone(),
        config: config(options)?,
        strictness: if options.lenient { Strictness::Lenient } else { Strictness::Strict },
        openapi_schema: options.openapi_schema.as_deref().map(|path| schema(path, console)).transpose()?,
        ..Request::plain()
    })
}

fn base_wish(text: &str) -> Result<BaseWish, Failure> {
    match text {
        "catalogue" => Ok(BaseWish::Catalogue),
        "debian" => Ok(BaseWish::Debian),
        image => image.parse().map(BaseWish::Image).map_err(|error| {
            Failure::of(&error).with_hint("`--base` takes `catalogue`, `debian`, or the name of an image")
        }),
    }
}

/// An account as plans name one.
fn user(text: &str) -> Result<String, Failure> {
    match text.parse::<Owner>() {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(Failure::of(&error)
            .with_hint("`--user` takes a name or a number, as in `--user app` or `--user 1000:1000`")),
    }
}

fn build_base(image: &str) -> Result<ImageReference, Failure> {
    image.parse().map_err(|error| Failure::of(&error).with_hint("`--build-base` takes the name of an image"))
}

/// The document in one line, as the image's label has it.
fn schema(path: &Path, console: &Console<'_>) -> Result<String, Failure> {
    let failed = |cause: String| {
        let mut failure = Failure::new(format!("read the OpenAPI document `{}`", path.display()));
        failure.causes.push(cause);
        failure
    };
    let text = fs::read_to_string(console.directory.join(path)).map_err(|error| failed(error.to_string()))?;
    let document: serde_json::Value = serde_json::from_str(&text).map_err(|error| {
        failed(error.to_string()).with_hint("it is JSON, as `/openapi.json` of a running model answers")
    })?;
    // By these its server judges inputs, and `predict` does.
    let schemas = &document["components"]["schemas"];
    if ["Input", "TrainingInput"].iter().any(|name| schemas[name].is_object()) {
        return Ok(document.to_string());
    }
    let lacks = "it has neither `Input` nor `TrainingInput` below `components` and `schemas`";
    Err(failed(lacks.to_owned()).with_hint("it is all that `/openapi.json` of a running model answers"))
}
