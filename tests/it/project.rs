//! `# test project`: a project as a few files behind lines `--- PATH`. The answer says what was
//! understood of it, or what a person reads that is wrong with it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use cogpack_compiler::World;
use cogpack_compiler::stacks::{self, NoPlan, Request};
use cogpack_content::Platform;
use cogpack_frontends_cog_yaml::{CogYaml, Strictness, named_files};
use cogpack_frontends_python::lock::Held;
use cogpack_frontends_python::merge;
use cogpack_frontends_python::project::{self, PythonProject};
use cogpack_frontends_python::requirement::PackageName;
use cogpack_frontends_python::requirements::{self, Stated};
use cogpack_frontends_source::{InFile, Kind, MemoryProject, SourcePath, Text};
use cogpack_packages_wheels::lock::marker::Environment;
use cogpack_packages_wheels::target::{PythonVersion, Target};
use cogpack_tests::cases::{self, Case};
use cogpack_tests::places::{files_below, root, shown};
use cogpack_tests::snapshot::Snapshots;
use cogpack_tests::terminal::cogpackc_in;
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, NamedSource, Report};

use crate::explain::alone;
use crate::explained_projects::NOT_LOCKED;

/// What a front end says of a case.
struct Answer {
    /// What was understood, where nothing is wrong.
    understood: String,
    findings: Vec<(SourcePath, Report)>,
}

impl Answer {
    fn found<F: Diagnostic + Clone + Send + Sync + 'static>(&mut self, findings: &[InFile<F>]) {
        for InFile { file, finding } in findings {
            assert!(finding.code().is_some(), "`{finding}` has no code");
            assert!(finding.help().is_some(), "`{finding}` shows no way out");
            let message = finding.to_string();
            let lower = message.chars().next().is_some_and(|first| !first.is_uppercase());
            assert!(
                (lower || message.starts_with("Python")) && !message.ends_with('.'),
                "the message `{message}`"
            );
            self.findings.push((file.clone(), Report::new(finding.clone())));
        }
    }

    fn drawn(self, project: &MemoryProject) -> String {
        let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(100);
        let mut drawn = self.understood;
        for (file, report) in self.findings {
            let text = project.plan(|source| source.text(&file).cloned());
            let text = if let Text::Is(text) = text { text.to_string() } else { String::new() };
            let report = report.with_source_code(NamedSource::new(file.to_string(), text));
            handler.render_report(&mut drawn, report.as_ref()).expect("a String takes all");
            drawn.push('\n');
        }
        drawn
    }
}

/// The files of a case, and what the lines above them say.
fn files_of(text: &str) -> (MemoryProject, BTreeSet<String>) {
    let head = text.split("\n--- ").next().unwrap_or_default();
    let words = head.lines().skip(2).filter_map(|line| line.strip_prefix("# ")).map(str::to_owned).collect();
    let project = texts_of(text).fold(MemoryProject::default(), |project, (path, text)| {
        project.with(path, text.as_bytes()).expect("a case names files of the project")
    });
    (project, words)
}

/// The paths of the files of a case, and what is in each.
pub(crate) fn texts_of(text: &str) -> impl Iterator<Item = (&str, String)> {
    text.split("\n--- ").skip(1).map(|part| {
        let (path, text) = part.split_once('\n').unwrap_or((part, ""));
        // What an editor would not show: `␍` and `␉` stand for what they are called.
        let text = text.replace('␍', "\r").replace('␉', "\t");
        (path, if text.is_empty() || text.ends_with('\n') { text } else { text + "\n" })
    })
}

fn answer(text: &str) -> String {
    let (project, words) = files_of(text);
    let mut answer = Answer { understood: String::new(), findings: Vec::new() };
    let strictness = if words.contains("lenient") { Strictness::Lenient } else { Strictness::Strict };
    let path = SourcePath::new("cog.yaml").expect("is a path");
    if let Text::Is(text) = project.plan(|source| source.text(&path).cloned()) {
        match cogpack_frontends_cog_yaml::read(&path, &text, strictness) {
            Ok((cog_yaml, warnings)) => {
                answer.found(&warnings);
                let absent = project.plan(|source| named_files::named_files(&cog_yaml, &path, source));
                answer.found(&absent);
                if absent.is_empty() {
                    answer.understood.push_str(&listed(&cog_yaml));
                }
            }
            Err(refused) => answer.found(&refused.findings),
        }
    }
    let is_of_cog = matches!(project.plan(|source| source.kind(&path)), Some(Kind::File));
    if !is_of_cog {
        python(&project, &mut answer);
    }
    answer.drawn(&project)
}

/// A Python project, and whether its lock is one of it, for Python 3.12.4 on linux/amd64.
fn python(project: &MemoryProject, answer: &mut Answer) {
    let (python, findings) = project.plan(|source| project::read(&SourcePath::root(), None, source));
    answer.found(&findings);
    let target = Target { python: PythonVersion { major: 3, minor: 12 }, platform: Platform::linux_amd64() };
    let (extras, groups) = (BTreeSet::new(), BTreeSet::new());
    let environment = Environment { target: &target, patch: 4, extras: &extras, groups: &groups };
    let (mut required, mut constraints) = (Vec::new(), Vec::new());
    if let Some(table) = python.pyproject.as_ref().and_then(|pyproject| pyproject.project.as_ref()) {
        required.extend(table.dependencies.iter().cloned());
    }
    if let Some(declared) = &python.declared {
        required.extend(declared.table.dependencies.iter().cloned());
    }
    if let Some(requirements) = &python.requirements {
        required.extend(requirements.required.iter().cloned());
        constraints.extend(requirements.constraints.iter().cloned());
    }
    let (merged, conflicts) =
        merge::merge(&required, &constraints, &environment).expect("markers were looked at before");
    answer.found(&conflicts);
    for lock in &python.locks {
        answer.found(&lock.misfits(&required, &environment));
    }
    if !answer.findings.is_empty() {
        return;
    }
    let said = &mut answer.understood;
    pyproject_listed(&python, said);
    for (what, all) in [("required", required), ("constraint", constraints)] {
        for Stated { requirement, file, place, hashes } in all {
            let hashes = if hashes.is_empty() { String::new() } else { format!(", {} hashes", hashes.len()) };
            writeln!(said, "{what}: {requirement} ({file}:{}{hashes})", place.line)
                .expect("a String takes all");
        }
    }
    let indexes = python.requirements.map(|requirements| requirements.indexes).unwrap_or_default();
    let each = |said: &[requirements::Said<String>]| -> Vec<String> {
        said.iter()
            .map(|said| format!("{} ({}:{})", said.finding.value, said.file, said.finding.place.line))
            .collect()
    };
    for (what, lines) in [
        ("index", each(indexes.index.as_slice())),
        ("one index more", each(&indexes.extra)),
        ("page", each(&indexes.pages)),
        ("only wheels", each(&indexes.only_wheels)),
        ("directory", indexes.directories.iter().map(|said| said.finding.value.to_string()).collect()),
        ("no index", indexes.none.iter().map(|said| said.file.to_string()).collect()),
        ("before their release", indexes.prereleases.iter().map(|said| said.file.to_string()).collect()),
    ] {
        for line in lines {
            writeln!(said, "{what}: {line}").expect("a String takes all");
        }
    }
    for (name, merged) in merged.iter().filter(|(_, merged)| merged.by.len() > 1) {
        let extras = Vec::from_iter(merged.extras.iter().map(String::as_str)).join(",");
        writeln!(said, "together: {name}[{extras}], {} wishes", merged.by.len()).expect("a String takes all");
    }
}

fn pyproject_listed(python: &PythonProject, said: &mut String) {
    let mut lines: Vec<String> = Vec::new();
    macro_rules! say {
        ($name:literal, $value:expr) => {
            lines.extend(
                $value.iter().map(|said| format!("{}: {} (line {})", $name, said.value, said.place.line)),
            )
        };
    }
    if let Some(pyproject) = &python.pyproject {
        let wishes = |stated: &[Stated]| {
            stated.iter().map(|stated| stated.requirement.to_string()).collect::<Vec<_>>().join(", ")
        };
        if let Some(table) = &pyproject.project {
            say!("name", table.name);
            say!("version", table.version);
            say!("requires-python", table.requires_python);
            let extras = table.optional_dependencies.iter();
            lines.extend(extras.map(|(name, stated)| format!("extra {name}: {}", wishes(stated))));
        }
        lines.extend(
            pyproject.groups.iter().map(|(name, stated)| format!("group {name}: {}", wishes(stated))),
        );
        let build = pyproject.build_system.map(|place| place.line);
        lines.extend(
            build.map(|line| format!("built by: {} (line {line})", wishes(&pyproject.build_requires))),
        );
        say!("is a package", pyproject.uv.is_package);
        lines.extend(pyproject.uv.sources.keys().map(|name| format!("from elsewhere: {name}")));
        say!("index", pyproject.uv.indexes);
    }
    let settings = &python.settings;
    say!("base", settings.base);
    say!("python", settings.python);
    say!("user", settings.user);
    say!("precompile", settings.precompile);
    say!("strip", settings.strip);
    say!("target", settings.target);
    let command = settings.command.iter();
    lines.extend(command.map(|said| format!("command: {:?} (line {})", said.value, said.place.line)));
    say!("stack", settings.stack);
    say!("catalogue", settings.catalogue);
    say!("with the extra", settings.extras);
    say!("with the group", settings.groups);
    let version = python.python_version.iter();
    lines
        .extend(version.map(|said| {
            format!("Python {} ({}:{})", said.finding.value, said.file, said.finding.place.line)
        }));
    for lock in &python.locks {
        let of = |(name, held): (&PackageName, &Vec<Held>)| {
            let versions =
                held.iter().map(|held| held.version.as_ref().map_or("-".to_owned(), ToString::to_string));
            format!("{name} {}", versions.collect::<Vec<_>>().join("|"))
        };
        let packages = lock.packages.iter().map(of).collect::<Vec<_>>().join(", ");
        lines.push(format!("lock: {} ({:?}): {packages}", lock.file, lock.kind));
    }
    lines.extend(python.setup.iter().map(|file| format!("there is {file}")));
    if let Some(declared) = &python.declared {
        let table = &declared.table;
        say!("name", table.name);
        say!("version", table.version);
        say!("requires-python", table.requires_python);
        let all = table.optional_dependencies.iter();
        lines.extend(all.map(|(name, stated)| {
            let stated: Vec<String> = stated.iter().map(|stated| stated.requirement.to_string()).collect();
            format!("extra {name}: {}", stated.join(", "))
        }));
        lines.extend(
            table
                .scripts
                .iter()
                .map(|(name, said)| format!("program {name}: {} (line {})", said.value, said.place.line)),
        );
    }
    said.extend(lines.iter().map(|line| format!("{line}\n")));
}

/// What a `cog.yaml` says, one thing a line, with the lines that say it.
fn listed(cog_yaml: &CogYaml) -> String {
    let mut lines: Vec<String> = Vec::new();
    let build = &cog_yaml.build;
    macro_rules! say {
        ($name:literal, $value:expr) => {
            lines.extend(
                $value.iter().map(|said| format!("{}: {} (line {})", $name, said.value, said.place.line)),
            )
        };
    }
    say!("python_version", build.python_version);
    say!("python_requirements", build.python_requirements);
    say!("python_packages", build.python_packages);
    lines.extend(build.system_packages.iter().map(|package| {
        let version = package.version.as_ref().map(|version| format!(", {version} exactly"));
        format!(
            "system package: {}{} (line {})",
            package.name,
            version.unwrap_or_default(),
            package.place.line
        )
    }));
    for command in &build.commands {
        lines.push(format!("command: {} (line {})", command.line.value, command.line.place.line));
        for secret in &command.secrets {
            let line = secret.id.place.line;
            lines.push(format!("  secret {} at {} (line {line})", secret.id.value, secret.target.value));
        }
    }
    say!("gpu", build.gpu);
    say!("cuda", build.cuda);
    say!("cudnn", build.cudnn);
    say!("sdk_version", build.sdk_version);
    say!("image", cog_yaml.image);
    say!("model", cog_yaml.model);
    say!("run", cog_yaml.run);
    say!("train", cog_yaml.train);
    let concurrency = cog_yaml.concurrency.as_ref();
    lines.extend(
        concurrency
            .map(|at_once| format!("at once: {} (line {})", at_once.max.value, at_once.max.place.line)),
    );
    lines.extend(cog_yaml.environment.iter().map(|variable| {
        format!("variable: {}={} (line {})", variable.name, variable.value.value, variable.place.line)
    }));
    for weight in &cog_yaml.weights {
        lines.push(format!(
            "weights: {} at {} (line {})",
            weight.name.value, weight.target.value, weight.name.place.line
        ));
        for source in &weight.sources {
            let patterns = |patterns: &[cogpack_frontends_source::Placed<String>]| {
                patterns.iter().map(|pattern| pattern.value.clone()).collect::<Vec<_>>().join(" ")
            };
            let (include, exclude) = (patterns(&source.include), patterns(&source.exclude));
            lines.push(format!("  {:?}, with [{include}], without [{exclude}]", source.uri.value));
        }
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[test]
fn projects_are_understood_or_refused_as_is_kept() {
    let mut snapshots = Snapshots::default();
    for Case { name, text, .. } in cases::of("project") {
        snapshots.check(&format!("{name}.txt"), &answer(&text));
    }
    snapshots.finish("project");
}

/// All of them are planned too: to a plan that breaks no rule, or to findings with a code and a way out.
#[test]
fn projects_have_a_plan_or_findings() {
    let (mut planned, mut refused) = (0, 0);
    for Case { name, text, .. } in cases::of("project") {
        let (project, _) = files_of(&text);
        match project.plan(|source| stacks::plan(source, &Request::plain())) {
            Ok(made) => {
                planned += 1;
                let text = cogpack_ir::syntax::print(&made.plan);
                let plan = cogpack_compiler::parse(&text).unwrap_or_else(|wrong| panic!("{name}: {wrong:?}"));
                let resolved = cogpack_compiler::compile(plan, &World::default());
                let resolved = resolved.unwrap_or_else(|wrong| panic!("{name}: {wrong:?}"));
                // What front ends write costs nothing that they could spare, but versions of packages that
                // the project names without, and a user that it does not name.
                let mut lints = cogpack_lints::lint(&resolved, &text, &cogpack_lints::OutOfSight);
                lints.retain(|lint| {
                    !["lint::apt::version", "lint::user::root"].contains(&lint.finding.stable_code().as_str())
                });
                assert!(lints.is_empty(), "{name}: {lints:#?}");
            }
            Err(NoPlan { findings, .. }) => {
                refused += 1;
                assert!(findings.iter().any(|found| found.finding.is_error()), "{name} is refused silently");
                for InFile { finding, .. } in &findings {
                    assert!(finding.code().is_some() && finding.help().is_some(), "{name}: {finding}");
                }
            }
        }
    }
    assert!(planned > 0 && refused > 80, "{planned} planned and {refused} refused");
}

/// What is refused is refused before anything is made of it: neither in the project nor in the store is
/// anything new. What is wrong has a place in a file, but where it is something that is not there.
#[test]
fn of_a_refused_project_nothing_is_written() {
    const BUILD: [&str; 8] =
        ["build", ".", "--builder", "direct", "--progress", "quiet", "-o", "type=oci,dest=out.tar"];
    let mut placed = 0;
    for Case { name, text, .. } in cases::of("project") {
        let (project, _) = files_of(&text);
        let planned = project.plan(|source| stacks::plan(source, &Request::plain()));
        let code = |finding: &dyn Diagnostic| finding.code().map(|code| code.to_string());
        let is_wrong = |found: &InFile<_>| code(&found.finding).as_deref() != Some(NOT_LOCKED);
        if planned.err().is_none_or(|none| !none.findings.iter().any(is_wrong)) {
            continue;
        }
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        for (path, text) in texts_of(&text) {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("it is in the folder")).expect("can be made");
            std::fs::write(path, text).expect("can be written");
        }
        let before = files_below(folder.path(), "");
        let answer = cogpackc_in(alone(folder.path()), folder.path(), &BUILD);
        assert_eq!(answer.code, 1, "{name}: {}", answer.stderr);
        let is_placed = texts_of(&text).any(|(path, _)| answer.stderr.contains(&format!("[{path}:")));
        placed += usize::from(is_placed);
        assert_eq!(files_below(folder.path(), ""), before, "{name}");
    }
    assert!(placed >= 80, "only {placed} projects are refused on a line of a file");
}

/// The codes that sources of the front ends give to findings.
fn codes_in_sources() -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for path in files_below(&root().join("frontends"), ".rs") {
        let name = shown(&path);
        if !["/cog-yaml/", "/python/"].iter().any(|room| name.contains(room)) || name.ends_with("tests.rs") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a source is UTF-8");
        codes.extend(text.split('"').filter(|word| word.starts_with("project::")).map(str::to_owned));
    }
    codes
}

#[test]
fn every_code_of_a_project_has_a_case() {
    let codes = codes_in_sources();
    assert!(codes.len() > 30, "the search for codes found only {codes:?}");
    let mut seen = BTreeSet::new();
    for path in files_below(&root().join("snapshots/project"), ".txt") {
        let text = std::fs::read_to_string(&path).expect("a snapshot is UTF-8");
        seen.extend(text.lines().filter(|line| line.starts_with("project::")).map(str::to_owned));
    }
    let without: Vec<&String> = codes.difference(&seen).collect();
    assert!(without.is_empty(), "codes without a case under tests/cases/project: {without:#?}");
}
