//! From a project to a composed plan: which stack it belongs to, and what that stack's blocks make of it.
//!
//! A [`Stack`] recognises projects of one kind by evidence: files, each with a weight. The heaviest
//! evidence decides, and two stacks with equally heavy evidence are an error that says how to choose,
//! because a guess would become an image. A stack gathers the facts of a project once; its [`Block`]s
//! each do one thing with them and do not know each other ([`composer`](crate::composer)).

pub mod block;
pub mod detect;
pub mod file;
pub mod finding;
pub mod python;
pub mod request;
mod solve;
pub mod why;

#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeSet;

use cogpack_content::ImageReference;
use cogpack_frontends_python::project::{PythonFinding, settings};
use cogpack_frontends_python::pyproject::{PyprojectFinding, Settings};
use cogpack_frontends_schema::Signature;
use cogpack_frontends_source::{InFile, Source, SourcePath, Unread};
use cogpack_ir::plan::Plan;
use miette::Diagnostic;

pub use block::{Block, Detected, compose};
pub use detect::{Evidence, Weight};
pub(crate) use file::text;
pub use finding::{ProjectFinding, StackFinding};
pub use request::{BaseWish, ConfigFile, Request};
pub use why::{Candidate, Why};

/// Findings of one or several files of a project.
pub type Findings = Vec<InFile<ProjectFinding>>;

/// A planned project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The composed plan.
    pub plan: Plan,
    /// What was decided, and what decided it.
    pub why: Why,
    /// What its image is called where whoever builds says nothing else.
    pub image: ImageName,
    /// What its author should know.
    pub warnings: Findings,
    /// Directories of the project with files of packages that the plan names.
    pub packages: BTreeSet<SourcePath>,
}

/// A project that has no plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoPlan {
    /// What was decided all the same; nothing where not even a stack was chosen.
    pub why: Option<Box<Why>>,
    /// All that is wrong with it, with what its author should know.
    pub findings: Findings,
}

impl NoPlan {
    /// That no stack was chosen.
    fn of_no_stack(finding: InFile<ProjectFinding>) -> Self {
        Self { why: None, findings: vec![finding] }
    }
}

/// What a project says of the name of its image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageName {
    /// This one.
    Image(ImageReference),
    /// The repository of its model, in which each push gives a tag of its own.
    Model(ImageReference),
    /// Nothing, and its tool goes by the name of its directory then.
    OfDirectory,
    /// Nothing.
    Unsaid,
}

/// A kind of projects.
pub trait Stack {
    /// Its name, as `--stack` takes it.
    fn name(&self) -> &'static str;

    /// What of the project speaks for this stack; nothing where it is none of its projects. That it
    /// cannot be seen whether it is one is an error.
    #[allow(clippy::type_complexity)]
    fn detect(
        &self,
        source: &Source,
        config: &ConfigFile,
    ) -> Result<Result<Vec<Evidence>, InFile<ProjectFinding>>, Unread>;

    /// The plan of a project of this stack, or all that is wrong with the project.
    fn plan(
        &self,
        source: &Source,
        request: &Request,
        evidence: Vec<Evidence>,
    ) -> Result<Result<Planned, NoPlan>, Unread>;

    /// What the model of a project takes for a prediction; nothing where it has no model, or one of which
    /// planning finds that this cannot be said.
    fn signature(&self, source: &Source, request: &Request) -> Result<Option<Signature>, Unread>;

    /// What a project says of the name of its image; nothing where planning finds that it cannot be read.
    fn image_name(&self, source: &Source, request: &Request) -> Result<Option<ImageName>, Unread>;
}

/// The stacks that are known.
pub fn all() -> Vec<Box<dyn Stack>> {
    vec![Box::new(python::PythonStack)]
}

/// Plans a project by one of the known stacks.
pub fn plan(source: &Source, request: &Request) -> Result<Result<Planned, NoPlan>, Unread> {
    plan_by(&all(), source, request)
}

/// The same by one of `stacks`.
pub fn plan_by(
    stacks: &[Box<dyn Stack>],
    source: &Source,
    request: &Request,
) -> Result<Result<Planned, NoPlan>, Unread> {
    let settings = settings(&SourcePath::root(), source)?;
    if let (None, Some(named), Some(stated)) = (&request.stack, &settings.stack, &settings.stated)
        && stacks.iter().all(|stack| stack.name() != named.value)
    {
        let way_out = "it is the name of a stack, as `--stack` takes it: `python`";
        let (key, text, place) = ("stack".to_owned(), named.value.clone(), named.place);
        let finding = PythonFinding::from(PyprojectFinding::Setting { key, text, way_out, place });
        return Ok(Err(NoPlan::of_no_stack(InFile::new(&stated.file, finding.into()))));
    }
    match detect::choose(stacks, source, &request.config, named(request, &settings))? {
        Ok((stack, evidence)) => {
            let planned = stack.plan(source, request, evidence)?;
            Ok(match planned {
                Ok(planned) => Ok(Planned { warnings: in_order(planned.warnings), ..planned }),
                Err(none) => Err(NoPlan { findings: in_order(none.findings), ..none }),
            })
        }
        Err(finding) => Ok(Err(NoPlan::of_no_stack(finding))),
    }
}

/// Findings in the order in which people read them: by file, and in each by place; what is about no place goes
/// before.
fn in_order(mut findings: Findings) -> Findings {
    findings.sort_by_cached_key(|found| {
        let place = found.finding.labels().and_then(|mut labels| labels.next());
        (found.file.clone(), place.map(|place| place.offset()))
    });
    findings
}

/// The stack that somebody names: whoever plans, or else the settings.
fn named<'n>(request: &'n Request, settings: &'n Settings) -> Option<&'n str> {
    request.stack.as_deref().or(settings.stack.as_ref().map(|named| named.as_str()))
}

/// What a project says of the name of its image, before anything of it is locked or planned.
pub fn image_name(source: &Source, request: &Request) -> Result<Option<ImageName>, Unread> {
    let settings = settings(&SourcePath::root(), source)?;
    match detect::choose(&all(), source, &request.config, named(request, &settings))? {
        Ok((stack, _)) => stack.image_name(source, request),
        Err(_) => Ok(None),
    }
}

/// What the model of a project takes for a prediction, before anything of it is locked or planned.
pub fn signature(source: &Source, request: &Request) -> Result<Option<Signature>, Unread> {
    signature_by(&all(), source, request)
}

/// The same by one of `stacks`.
pub fn signature_by(
    stacks: &[Box<dyn Stack>],
    source: &Source,
    request: &Request,
) -> Result<Option<Signature>, Unread> {
    let settings = settings(&SourcePath::root(), source)?;
    match detect::choose(stacks, source, &request.config, named(request, &settings))? {
        Ok((stack, _)) => stack.signature(source, request),
        Err(_) => Ok(None),
    }
}
