//! The project itself as a package, where it lies: `[project]` of a `pyproject.toml`.

use cogpack_ir::plan::{FileContent, Layer, LayerName, MakeFile, Mode, Op, OpKind, Span, Spanned};
use cogpack_packages_wheels::launcher::launcher;

use super::{PythonFacts, VENV, file, literal};
use crate::composer::{Desk, StageParts};
use crate::stacks::block::{Block, Detected};
use crate::stacks::detect::{Evidence, Weight};

/// Writes what an editable installation leaves in the environment: where the modules are, the programs,
/// and what the package says of itself. Nothing of it changes with the project's code.
pub(super) struct InstalledProject;

impl Block<PythonFacts> for InstalledProject {
    fn name(&self) -> &'static str {
        "installed-project"
    }

    fn provides(&self) -> &'static [&'static str] {
        &["installed-project"]
    }

    fn requires(&self) -> &'static [&'static str] {
        &["python"]
    }

    fn after(&self) -> &'static [&'static str] {
        &["built-packages", "commands", "framework", "packages"]
    }

    fn detect(&self, facts: &PythonFacts) -> Detected {
        match &facts.installed {
            None => Detected::No("the project is no package"),
            Some(installed) => Detected::Yes(
                installed
                    .at
                    .iter()
                    .map(|(file, _)| Evidence { weight: Weight::Declaration, file: file.clone() })
                    .collect(),
            ),
        }
    }

    fn plan(&self, facts: &PythonFacts, desk: &mut Desk<'_>) {
        let Some(installed) = &facts.installed else { return };
        desk.at(installed.at.clone());
        let packages = format!("{VENV}/lib/python{}/site-packages", facts.python.value);
        let escaped = installed.name.replace('-', "_");
        let mut made = vec![file(&format!("{packages}/_{escaped}.pth"), &format!("{}\n", installed.modules))];
        if let Some(version) = &installed.version {
            let about = format!("{packages}/{escaped}-{version}.dist-info");
            let metadata = format!("Metadata-Version: 2.1\nName: {}\nVersion: {version}\n", installed.name);
            made.push(file(&format!("{about}/METADATA"), &metadata));
            made.push(file(&format!("{about}/INSTALLER"), "cogpackc\n"));
            let programs: Vec<String> = installed
                .programs
                .iter()
                .map(|program| format!("{} = {}:{}\n", program.name, program.module, program.function))
                .collect();
            if !programs.is_empty() {
                let programs = format!("[console_scripts]\n{}", programs.concat());
                made.push(file(&format!("{about}/entry_points.txt"), &programs));
            }
        }
        for program in &installed.programs {
            let text = launcher(&format!("{VENV}/bin/python"), program);
            made.push(OpKind::File(Box::new(MakeFile {
                path: literal(&format!("{VENV}/bin/{}", program.name)),
                mode: Some(Spanned::nowhere(Mode::new(0o755).expect("the number is a mode"))),
                owner: None,
                content: FileContent(text.as_bytes().into()),
            })));
        }
        let layer = Layer {
            name: Spanned::nowhere(LayerName::new("project").expect("the word is a name")),
            ops: made.into_iter().map(|kind| Op { kind, span: Span::NOWHERE }).collect(),
        };
        let ops = vec![(OpKind::Layer(layer), None)];
        desk.stage("export.app", "installed-project", StageParts { ops, ..StageParts::default() });
    }
}
