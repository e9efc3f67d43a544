//! Nothing hidden: each op of a plan that is made of a project says which block asked for it, and because of
//! which line of which file.

use std::collections::BTreeMap;

use cogpack_compiler::stacks::{Request, plan};
use cogpack_frontends_source::MemoryProject;
use cogpack_ir::explain::{self, Form};
use cogpack_ir::plan::{Op, OpKind, Plan, Provenance};
use cogpack_tests::cases;
use cogpack_tests::places::{files_below, root};

use crate::explained_projects::Example;
use crate::project::texts_of;

/// The files of all projects that tests have a plan of, by the names of the projects.
fn projects() -> BTreeMap<String, Vec<(String, String)>> {
    let mut projects: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for folder in ["tests/frameworks", "tests/projects", "tests/models"] {
        let folder = root().join(folder);
        for path in files_below(&folder, "") {
            let below = path.strip_prefix(&folder).expect("it is below").to_string_lossy().into_owned();
            let (Some((name, file)), Ok(text)) = (below.split_once('/'), std::fs::read_to_string(&path))
            else {
                continue;
            };
            projects.entry(name.to_owned()).or_default().push((file.to_owned(), text));
        }
    }
    for case in cases::of("project") {
        let texts = texts_of(&case.text).map(|(path, text)| (path.to_owned(), text));
        projects.insert(case.name.clone(), texts.collect());
    }
    for explanation in explain::all().filter(|explanation| explanation.form == Form::Project) {
        for (which, text) in [("breaks", explanation.breaks), ("keeps", explanation.keeps)] {
            let files = Example::of(text).files.into_iter().map(|(path, text)| (path.to_owned(), text));
            projects.insert(format!("{} {which}", explanation.code), files.collect());
        }
    }
    projects
}

/// What an op lacks; nothing where a line of a file asked for it.
fn lacks(by: Option<&Provenance>, texts: &BTreeMap<&str, &str>) -> Option<String> {
    let Some(by) = by else { return Some("nobody asked for it".to_owned()) };
    let Some((file, line)) = &by.at else { return Some(format!("`{}` says no file", by.block.value)) };
    let Some(text) = texts.get(file.as_str()) else { return Some(format!("there is no file `{file}`")) };
    let lines = text.lines().count().max(1);
    (*line == 0 || *line as usize > lines).then(|| format!("`{file}` has no line {line}"))
}

/// How many ops there are; what they lack goes to `wrong`.
fn walk(
    ops: &[Op],
    mut by: Option<Provenance>,
    texts: &BTreeMap<&str, &str>,
    wrong: &mut Vec<String>,
) -> usize {
    let mut seen = 0;
    for op in ops {
        if let OpKind::By(said) = &op.kind {
            by = Some(said.clone());
        } else if let OpKind::Layer(layer) = &op.kind {
            seen += walk(&layer.ops, by.clone(), texts, wrong);
        } else {
            seen += 1;
            wrong.extend(lacks(by.as_ref(), texts).map(|lack| format!("{lack}: {:?}", op.kind)));
        }
    }
    seen
}

fn of_plan(plan: &Plan, texts: &BTreeMap<&str, &str>) -> (usize, Vec<String>) {
    let mut wrong = Vec::new();
    let seen = plan.stages.iter().map(|stage| walk(&stage.ops, None, texts, &mut wrong)).sum();
    (seen, wrong)
}

#[test]
fn each_op_of_a_project_has_its_block_and_its_line() {
    let (mut planned, mut ops, mut unsaid) = (0, 0, Vec::new());
    for (name, files) in projects() {
        let texts: BTreeMap<&str, &str> =
            files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let project = MemoryProject::new(texts.clone()).expect("these are files of a project");
        let Ok(made) = project.plan(|source| plan(source, &Request::plain())) else { continue };
        let (seen, wrong) = of_plan(&made.plan, &texts);
        planned += 1;
        ops += seen;
        unsaid.extend(wrong.into_iter().map(|wrong| format!("{name}: {wrong}")));
    }
    assert!(unsaid.is_empty(), "{}", unsaid.join("\n"));
    assert!(planned > 60 && ops > 500, "only {planned} plans with {ops} ops");
}

#[test]
fn what_the_command_line_asks_for_is_told_by_its_option() {
    let folder = root().join("tests/projects/string-model");
    let files = files_below(&folder, "").into_iter().map(|path| {
        let name = path.strip_prefix(&folder).expect("it is below").to_string_lossy().into_owned();
        (name, std::fs::read_to_string(&path).expect("a file of the model is a text"))
    });
    let files: Vec<(String, String)> = files.collect();
    let texts = files.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let project = MemoryProject::new(texts).expect("these are files of a project");
    let request = Request { precompile: true, ..Request::plain() };
    let made = project.plan(|source| plan(source, &request)).expect("nothing is wrong");
    let text = cogpack_ir::syntax::print(&made.plan);
    assert!(text.contains("  by byte-code at \"--precompile\":1\n"), "{text}");
}
