//! The virtual environment that packages go to, as plain files.

use cogpack_ir::plan::file_ops::MakeSymlink;
use cogpack_ir::plan::{EnvEdit, Layer, LayerName, Op, OpKind, Span, Spanned};

use super::{PythonFacts, VENV, env, file, literal, variable};
use crate::composer::{Desk, StageParts};
use crate::stacks::block::{Block, Detected};

/// Makes a virtual environment on the base's own Python, without running it (PEP 405: a
/// `pyvenv.cfg` beside `bin/python` is one).
pub(super) struct Python;

impl Block<PythonFacts> for Python {
    fn name(&self) -> &'static str {
        "python"
    }

    fn provides(&self) -> &'static [&'static str] {
        &["python"]
    }

    fn requires(&self) -> &'static [&'static str] {
        &["base"]
    }

    fn after(&self) -> &'static [&'static str] {
        &["environment", "interpreter", "pre-install", "system-packages"]
    }

    fn detect(&self, _: &PythonFacts) -> Detected {
        Detected::Yes(Vec::new())
    }

    fn plan(&self, facts: &PythonFacts, desk: &mut Desk<'_>) {
        desk.at(facts.python.at.clone());
        let interpreter = &facts.base.interpreter;
        let home = interpreter.rsplit_once('/').map_or("/", |(home, _)| home);
        let settings = format!(
            "home = {home}\ninclude-system-site-packages = false\nversion = {}\n",
            facts.python.value
        );
        let link = |target: &str, name: &str| {
            OpKind::Symlink(Box::new(MakeSymlink {
                target: literal(target),
                path: literal(&format!("{VENV}/bin/{name}")),
            }))
        };
        let made = [
            file(&format!("{VENV}/pyvenv.cfg"), &settings),
            link(interpreter, "python"),
            link("python", "python3"),
            // Whoever calls it by its version means this one too, and not the base's, which sees none of the packages.
            link("python", &format!("python{}", facts.python.value)),
        ];
        let layer = Layer {
            name: Spanned::nowhere(LayerName::new("venv").expect("the word is a name")),
            ops: made.into_iter().map(|kind| Op { kind, span: Span::NOWHERE }).collect(),
        };
        let ops = [
            OpKind::Layer(layer),
            env(variable("VIRTUAL_ENV"), EnvEdit::Set, VENV),
            env(variable("PATH"), EnvEdit::Prepend, &format!("{VENV}/bin")),
        ];
        let ops = ops.into_iter().map(|kind| (kind, None)).collect();
        desk.stage(
            "export.runtime",
            "python",
            StageParts { ops, provides: ["python".to_owned()].into(), ..StageParts::default() },
        );
    }
}
