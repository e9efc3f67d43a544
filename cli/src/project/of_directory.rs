//! The plan that a command line names by a directory: the one that is written there, or what is planned of
//! the project.

use std::path::{Path, PathBuf};

use cogpack_compiler::stacks::{ImageName, Request};
use cogpack_content::Platform;
use cogpack_frontends_schema::Signature;

use super::options::ProjectOptions;
use super::{Project, meant_by, request, without_bases};
use crate::commands::lock;
use crate::console::Console;
use crate::failure::Failure;
use crate::plan_file::{self, FILE_NAME, PlanFile};
use crate::report::Format;

/// What a command line says of a plan or a project.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// A plan, or a directory; `-` is standard input.
    pub path: &'a Path,
    /// How a project is read.
    pub options: &'a ProjectOptions,
    /// What it is planned for.
    pub platforms: &'a [Platform],
    /// Whether `--no-network` was said.
    pub no_network: bool,
    /// How findings are shown.
    pub format: Format,
}

impl Named<'_> {
    /// The plan; `None` where a project has errors, which are shown. Nothing is asked of anybody: a
    /// project whose packages are not locked has no plan.
    pub fn plan(&self, console: &mut Console<'_>) -> Result<Option<PlanFile>, Failure> {
        match self.written(console)? {
            Some(plan) => Ok(Some(plan)),
            None => {
                let Some(request) = self.request(console)? else { return Ok(None) };
                let planned =
                    self.of_project(Project::open(self.path, self.options, console)?, &request, console)?;
                Ok(planned.map(|(plan, _)| plan))
            }
        }
    }

    /// The same for whoever builds. Who does so for the first time has not locked the project, so that is
    /// done; a lock that is there is never made anew here. With it comes what the project says of the name
    /// of its image, which `check` is told, with the directory, before anything is locked or planned.
    pub fn plan_to_build(
        &self,
        check: impl Fn(&ImageName, &Path) -> Result<(), Failure>,
        console: &mut Console<'_>,
    ) -> Result<Option<(PlanFile, ImageName)>, Failure> {
        if let Some(plan) = self.written(console)? {
            check(&ImageName::Unsaid, &plan.directory)?;
            return Ok(Some((plan, ImageName::Unsaid)));
        }
        let Some(request) = self.request(console)? else { return Ok(None) };
        let mut project = Project::open(self.path, self.options, console)?;
        // What of it cannot be read is found, and told, by whoever plans.
        if let Some(image) = project.image_name(&request) {
            check(&image, project.directory())?;
        }
        match project.lacks(&request) {
            Ok(None) => {}
            Ok(Some(lacking)) => {
                let Some((needs, debs)) = project.lock_inputs(&request, self.format, console)? else {
                    return Ok(None);
                };
                if lacking.packages
                    && !lock::project::write(&project, &needs, false, false, self.format, console)?
                {
                    return Ok(None);
                }
                if let Some(debs) = debs.filter(|_| lacking.debs) {
                    lock::project_debs::write(&project, &debs, None, self.format, console)?;
                }
                project = Project::open(self.path, self.options, console)?;
            }
            Err(findings) => {
                project.show(&findings, self.format, console);
                return Ok(None);
            }
        }
        self.of_project(project, &request, console)
    }

    /// What the model takes, as its Python files or a document in their place say it, with the project;
    /// or as a plan says it by the label of this name. Nothing where neither does: then whoever plans or
    /// builds it finds out why.
    pub fn signature(
        &self,
        label: &str,
        console: &mut Console<'_>,
    ) -> Result<Option<(Signature, Option<Project>)>, Failure> {
        if let Some(written) = self.written(console)? {
            let plan = cogpack_compiler::parse(&written.text).ok();
            let labels = plan.and_then(|plan| plan.export).map(|export| export.labels.added);
            let label = labels.into_iter().flatten().find(|(key, _)| key.value == label);
            let document = label.and_then(|(_, text)| serde_json::from_str(&text).ok());
            let signature = document.as_ref().and_then(Signature::of_document);
            return Ok(signature.map(|signature| (signature, None)));
        }
        let request = without_bases(self.options, console)?;
        let mut project = Project::open(self.path, self.options, console)?;
        let signature = project.signature(&request);
        Ok(signature.map(|signature| (signature, Some(project))))
    }

    fn request(&self, console: &mut Console<'_>) -> Result<Option<Request>, Failure> {
        let request = request(self.options, self.platforms, self.format, console)?;
        Ok(request.map(|request| Request { no_network: self.no_network, ..request }))
    }

    fn of_project(
        &self,
        mut project: Project,
        request: &Request,
        console: &mut Console<'_>,
    ) -> Result<Option<(PlanFile, ImageName)>, Failure> {
        let planned = project.plan(request, self.format, console)?;
        // Wheels that lie in the project are looked for there, whatever the machine names.
        for directory in planned.iter().flat_map(|planned| &planned.packages) {
            let directory = project.directory().join(directory.as_str());
            console.environment.find_links.put_first(&directory);
        }
        Ok(planned.map(|planned| (project.as_plan_file(&planned), planned.image)))
    }

    /// Whether it is a directory without a plan.
    pub fn is_project(&self, console: &Console<'_>) -> bool {
        self.written_path(console).is_none()
    }

    /// The plan that somebody wrote: the one that is named, or the one in the directory.
    fn written(&self, console: &mut Console<'_>) -> Result<Option<PlanFile>, Failure> {
        let Some(path) = self.written_path(console) else { return Ok(None) };
        refuse_options(self.options, &path)?;
        plan_file::read(&path, console).map(Some)
    }

    fn written_path(&self, console: &Console<'_>) -> Option<PathBuf> {
        let named = meant_by(self.path, self.options, console);
        let is_directory = self.path != Path::new("-") && console.directory.join(&named).is_dir();
        let path = match is_directory {
            true if *named == *Path::new(".") => PathBuf::from(FILE_NAME),
            true => named.join(FILE_NAME),
            false => return Some(self.path.to_owned()),
        };
        console.directory.join(&path).is_file().then_some(path)
    }
}

/// Refuses options of projects, where a plan is named.
pub fn refuse_options(options: &ProjectOptions, plan: &Path) -> Result<(), Failure> {
    match options.first_given() {
        None => Ok(()),
        Some(option) => {
            let message = format!("`{option}` is for projects, and `{}` is a plan", plan.display());
            Err(Failure::new(message).with_hint(
                "a plan says all of it itself: leave the option away, or name a project's directory",
            ))
        }
    }
}
