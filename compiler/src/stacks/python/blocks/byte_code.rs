//! Byte code of the packages, where somebody asks for it.

use cogpack_ir::plan::{Execution, Network, OpKind, Spanned};

use super::{PythonFacts, VENV, option};
use crate::composer::{Desk, StageParts};
use crate::stacks::block::{Block, Detected};
use crate::stacks::detect::{Evidence, Weight};
use crate::stacks::python::facts::PythonOf;
use crate::stacks::python::on_demand::PREFIX;

/// Has the image's own Python compile what is in the virtual environment. Each file of byte code says of
/// which source it is by a hash and not by a time, so it is the same whenever it is made.
pub(super) struct ByteCode;

/// What some packages bring as `.py` is a template or of another Python. It compiles nowhere, and nobody
/// imports it, so it is passed over.
const SCRIPT: &str = "import compileall, py_compile, sys; compileall.compile_dir(sys.argv[1], quiet=2, \
                      invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)";

impl Block<PythonFacts> for ByteCode {
    fn name(&self) -> &'static str {
        "byte-code"
    }

    fn provides(&self) -> &'static [&'static str] {
        &["byte-code"]
    }

    fn requires(&self) -> &'static [&'static str] {
        &["python"]
    }

    fn after(&self) -> &'static [&'static str] {
        &["built-packages", "framework", "packages", "post-install"]
    }

    fn detect(&self, facts: &PythonFacts) -> Detected {
        match &facts.precompile {
            None => Detected::No("nobody asks for byte code: Python makes it where and when it needs it"),
            Some(at) => {
                let file = |(file, _): &(_, u32)| Evidence {
                    weight: Weight::Declaration,
                    file: cogpack_frontends_source::SourcePath::clone(file),
                };
                Detected::Yes(at.iter().map(file).collect())
            }
        }
    }

    fn plan(&self, facts: &PythonFacts, desk: &mut Desk<'_>) {
        let Some(at) = &facts.precompile else { return };
        // What no line of the project says, the command line does.
        desk.at(at.clone().or_else(|| option("--precompile")));
        let python = facts.python.value;
        let mut directories = vec![format!("{VENV}/lib/python{python}/site-packages")];
        // Archives of Python have no byte code.
        if let PythonOf::Archive(_) = &facts.base.python {
            directories.push(format!("{PREFIX}/lib/python{python}"));
        }
        let compiled = |directory| {
            let words = vec![format!("{VENV}/bin/python"), "-c".to_owned(), SCRIPT.to_owned(), directory];
            let execution = Execution { network: Network::None, ..Execution::default() };
            (OpKind::Exec { argv: Spanned::nowhere(words), execution: Box::new(execution) }, None)
        };
        let ops = directories.into_iter().map(compiled).collect();
        desk.stage("export.runtime", "byte-code", StageParts { ops, ..StageParts::default() });
    }
}
