//! The Python itself, where the base has none: unpacked from an archive whose hash the plan has.

use cogpack_ir::plan::context::HttpContext;
use cogpack_ir::plan::{
    Context, ContextKind, Execution, Input, Mount, MountKind, Network, OpKind, Span, Spanned,
};

use super::{PythonFacts, input, literal};
use crate::composer::{Desk, StageParts};
use crate::stacks::block::{Block, Detected};
use crate::stacks::python::facts::{BaseFrom, PythonOf};
use crate::stacks::python::on_demand::{Archive, PREFIX};

/// Unpacks a Python beside whatever the base has.
pub(super) struct Interpreter;

/// What an archive is called in its context, whatever its address says.
const FILE: &str = "python.tar.gz";

impl Block<PythonFacts> for Interpreter {
    fn name(&self) -> &'static str {
        "interpreter"
    }

    fn provides(&self) -> &'static [&'static str] {
        &["interpreter"]
    }

    fn requires(&self) -> &'static [&'static str] {
        &["base"]
    }

    fn after(&self) -> &'static [&'static str] {
        &["environment", "system-packages"]
    }

    fn detect(&self, facts: &PythonFacts) -> Detected {
        match (&facts.base.python, &facts.base.from) {
            (PythonOf::Base, _) => Detected::No("the base has the Python"),
            (PythonOf::Package, _) => Detected::No("the Python is a package of the distribution"),
            (PythonOf::Archive(_), BaseFrom::Debs(_)) => {
                Detected::No("the Python lies beside the packages of the base")
            }
            (PythonOf::Archive(_), BaseFrom::Image { .. }) => Detected::Yes(facts.evidence()),
        }
    }

    fn plan(&self, facts: &PythonFacts, desk: &mut Desk<'_>) {
        let PythonOf::Archive(python) = &facts.base.python else { return };
        desk.at(facts.python.at.clone());
        let mut execution = Execution { network: Network::None, ..Execution::default() };
        let several = python.archives.len() > 1;
        for archive in &python.archives {
            let name = name_of(archive, several);
            let http = HttpContext {
                url: Spanned::nowhere(archive.url.clone()),
                checksum: Some(archive.digest),
                name: Some(Spanned::nowhere(FILE.to_owned())),
                mode: None,
            };
            desk.context(&name, Context { kind: ContextKind::Http(http), span: Span::NOWHERE });
            let directory = match archive.machine.filter(|_| several) {
                Some(machine) => format!("/mnt/{machine}"),
                None => "/mnt".to_owned(),
            };
            let bind = MountKind::Bind {
                source: Spanned::nowhere(Input::Context(input(&name))),
                select: None,
                target: literal(&directory),
                writable: false,
            };
            execution.mounts.push(Mount { kind: bind, span: Span::NOWHERE });
        }
        // Where the image is for several machines, each knows which one it is.
        let from = if several { format!("\"/mnt/$(uname -m)/{FILE}\"") } else { format!("/mnt/{FILE}") };
        let script = format!(
            "set -e\nmkdir -p {PREFIX}\ntar -xzf {from} -C {PREFIX} --strip-components=1 --no-same-owner"
        );
        let run = OpKind::Run { script: Spanned::nowhere(script), execution: Box::new(execution) };
        desk.stage(
            "export.base",
            "interpreter",
            StageParts { ops: vec![(run, None)], ..StageParts::default() },
        );
    }
}

/// What the context of an archive is called.
fn name_of(archive: &Archive, several: bool) -> String {
    match several {
        true => format!("python-{}", archive.platform.to_string().replace('/', "-")),
        false => "python".to_owned(),
    }
}
