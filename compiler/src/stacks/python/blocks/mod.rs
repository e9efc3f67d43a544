//! The blocks of a Python model. Each file is one; what order they take turns in follows from what
//! they require and provide, and not from this list.

mod base;
mod built;
mod byte_code;
mod certificates;
mod command;
mod commands;
mod environment;
mod framework;
mod init;
mod install_files;
mod installed;
mod interpreter;
mod model;
mod packages;
mod python;
mod schema;
mod source;
mod system_packages;
mod user;
mod weights;

use cogpack_frontends_source::SourcePath;
use cogpack_ir::plan::context::{LockedFile, WheelsContext};
use cogpack_ir::plan::execution::EnvSetting;
use cogpack_ir::plan::{Context, Span};
use cogpack_ir::plan::{
    ContextKind, Copy, CopyForm, EnvChange, EnvEdit, EnvName, FileContent, Input, InputName, MakeFile,
    OpKind, Spanned, Template,
};
use cogpack_packages_wheels::lock::LockedWheel;

use super::facts::PythonFacts;
use crate::composer::At;
use crate::stacks::block::Block;

/// All of them.
pub(super) fn all() -> Vec<Box<dyn Block<PythonFacts>>> {
    vec![
        Box::new(base::BaseImageBlock),
        Box::new(system_packages::SystemPackages),
        Box::new(certificates::Certificates),
        Box::new(environment::Environment),
        Box::new(interpreter::Interpreter),
        Box::new(install_files::PreInstall),
        Box::new(python::Python),
        Box::new(framework::Framework),
        Box::new(packages::Packages),
        Box::new(built::BuiltPackages),
        Box::new(install_files::PostInstall),
        Box::new(commands::Commands),
        Box::new(installed::InstalledProject),
        Box::new(schema::SchemaFile),
        Box::new(source::SourceCopy),
        Box::new(weights::WeightTargets),
        Box::new(model::Model),
        Box::new(command::Command),
        Box::new(byte_code::ByteCode),
        Box::new(init::Init),
        Box::new(user::User),
    ]
}

/// Where the packages of a model are: a virtual environment of our own, so that it is the same tree
/// on each base and nothing of the base's packages shows through.
pub(super) const VENV: &str = "/venv";

/// The package of an init.
pub(super) const INIT: &str = init::PACKAGE;

/// Whether the image has it.
pub(super) use init::has_init;

/// Where the files of a project are.
pub(super) const PROJECT: &str = "/src";

/// The place of what an option of the command line asks for: plans have it where a file would stand.
fn option(name: &str) -> At {
    SourcePath::new(name).ok().map(|option| (option, 1))
}

/// Text that stands for itself, from no text.
fn literal(text: &str) -> Spanned<Template> {
    Spanned::nowhere(Template::literal(text))
}

fn file(path: &str, text: &str) -> OpKind {
    OpKind::File(Box::new(MakeFile {
        path: literal(path),
        mode: None,
        owner: None,
        content: FileContent(text.as_bytes().into()),
    }))
}

fn workdir(path: &str) -> OpKind {
    OpKind::Workdir(literal(path))
}

fn env(name: EnvName, edit: fn(Spanned<Template>) -> EnvEdit, value: &str) -> OpKind {
    OpKind::Env(EnvChange { name: Spanned::nowhere(name), edit: edit(literal(value)) })
}

/// What tells uv, for one program, that the environment is the Python that it installs for.
fn names_environment() -> EnvSetting {
    let (name, value) = (variable("UV_PYTHON"), literal(&format!("{VENV}/bin/python")));
    EnvSetting { name: Spanned::nowhere(name), value, span: Span::NOWHERE }
}

/// The name of a variable that is written in our own code.
fn variable(name: &str) -> EnvName {
    EnvName::new(name).expect("a name of a variable that this code writes")
}

/// The name of an input that is written in our own code.
fn input(name: &str) -> InputName {
    InputName::new(name).expect("a name of an input that this code writes")
}

/// `copy contents "." from @context to "destination"`
fn copy_all(context: &str, destination: &str) -> OpKind {
    OpKind::Copy(Box::new(Copy {
        form: CopyForm::Contents { directory: literal("."), destination: literal(destination) },
        from: Spanned::nowhere(Input::Context(input(context))),
        replace: false,
        optional: false,
        follow: false,
        owner: None,
        mode: None,
        rules: Vec::new(),
    }))
}

/// A context of these wheels, to be copied into the virtual environment.
fn wheels(python: &str, wheels: &[LockedWheel]) -> Context {
    let locked = |wheel: &LockedWheel| {
        let file = LockedFile {
            digest: Some(wheel.digest),
            url: wheel.url.clone().map(Spanned::nowhere),
            span: Span::NOWHERE,
        };
        (wheel.file.to_string(), file)
    };
    let kind = ContextKind::Wheels(WheelsContext {
        python: Some(Spanned::nowhere(python.to_owned())),
        interpreter: Some(Spanned::nowhere(format!("{VENV}/bin/python"))),
        wheels: wheels.iter().map(locked).collect(),
    });
    Context { kind, span: Span::NOWHERE }
}
