//! Scripts of the project that run before and after its packages are installed: the settings
//! `pre-install` and `post-install`.

use cogpack_ir::plan::{Execution, Input, Mount, MountKind, OpKind, Span, Spanned};

use super::source::project_files;
use super::{PythonFacts, input, literal, names_environment};
use crate::composer::{Desk, Origin, StageParts};
use crate::stacks::block::{Block, Detected};
use crate::stacks::detect::{Evidence, Weight};
use crate::stacks::python::facts::InstallFile;

/// Runs the files of `pre-install`: with the packages of the distribution there, before any of Python's.
pub(super) struct PreInstall;

/// Runs the files of `post-install`: with all packages there, before commands and the project's files.
pub(super) struct PostInstall;

/// Where a script shows while it runs.
const PLACE: &str = "/mnt";

impl Block<PythonFacts> for PreInstall {
    fn name(&self) -> &'static str {
        "pre-install"
    }

    fn requires(&self) -> &'static [&'static str] {
        &["base"]
    }

    fn provides(&self) -> &'static [&'static str] {
        &["pre-install"]
    }

    fn after(&self) -> &'static [&'static str] {
        &["environment", "interpreter", "system-packages"]
    }

    fn detect(&self, facts: &PythonFacts) -> Detected {
        detected(&facts.pre_install, "no file is run before packages are installed")
    }

    fn plan(&self, facts: &PythonFacts, desk: &mut Desk<'_>) {
        runs("pre-install", &facts.pre_install, desk);
    }
}

impl Block<PythonFacts> for PostInstall {
    fn name(&self) -> &'static str {
        "post-install"
    }

    fn requires(&self) -> &'static [&'static str] {
        &["python"]
    }

    fn provides(&self) -> &'static [&'static str] {
        &["post-install"]
    }

    fn after(&self) -> &'static [&'static str] {
        &["built-packages", "framework", "packages"]
    }

    fn detect(&self, facts: &PythonFacts) -> Detected {
        detected(&facts.post_install, "no file is run after packages are installed")
    }

    fn plan(&self, facts: &PythonFacts, desk: &mut Desk<'_>) {
        runs("post-install", &facts.post_install, desk);
    }
}

fn detected(files: &[InstallFile], none: &'static str) -> Detected {
    match files.is_empty() {
        true => Detected::No(none),
        false => {
            let evidence =
                |file: &InstallFile| Evidence { weight: Weight::Declaration, file: file.path.clone() };
            Detected::Yes(files.iter().map(evidence).collect())
        }
    }
}

/// A stage that runs each file, which alone of the project is there: an edit of another runs none again.
fn runs(stage: &str, files: &[InstallFile], desk: &mut Desk<'_>) {
    let block = desk.origin().block;
    let mut ops = Vec::with_capacity(files.len());
    for file in files {
        project_files(desk);
        let target = format!("{PLACE}/{}", file.path);
        let mount = MountKind::Bind {
            source: Spanned::nowhere(Input::Context(input("source"))),
            select: Some(literal(file.path.as_str())),
            target: literal(&target),
            writable: false,
        };
        let mounts = vec![Mount { kind: mount, span: Span::NOWHERE }];
        let argv = ["/bin/sh", "-e", &target].map(str::to_owned).to_vec();
        let env = file.asks_for_no_environment.then(names_environment).into_iter().collect();
        let execution = Box::new(Execution { mounts, env, ..Execution::default() });
        let exec = OpKind::Exec { argv: Spanned::nowhere(argv), execution };
        ops.push((exec, Some(Origin { block: block.clone(), at: file.at.clone() })));
    }
    desk.at(files.first().and_then(|file| file.at.clone()));
    desk.stage("export.runtime", stage, StageParts { ops, ..StageParts::default() });
}
