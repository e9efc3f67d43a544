//! Edits of projects, of which a daemon shows which ops they run again: what is told of that
//! beforehand must be so, see `daemon/predictions.rs`. Here is what needs no daemon: that keys and the
//! vertices of a graph are new for the same edits.

pub mod edits;
pub mod projects;
pub mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cogpack_backends_contract::Backend;
use cogpack_backends_llb::{Llb, SourceText};
use cogpack_content::Digest;
use cogpack_diff::keys::Keys;
use cogpack_ir::plan::InputName;
use cogpack_tests::places::{files_below, root};
use cogpack_tests::plans::resolved;
use cogpack_tests::vertices::vertices;
use edits::{Change, Edit, OF_MADE};
use projects::{MADE, Project, Source};

/// All projects.
pub fn projects() -> impl Iterator<Item = &'static Project> {
    MADE.iter().chain(tree::PROJECTS)
}

/// The edits of a project.
pub fn edits_of(project: &Project) -> impl Iterator<Item = &'static Edit> {
    OF_MADE.iter().chain(tree::EDITS).filter(move |edit| edit.project == project.name)
}

/// A project in a folder, before or after an edit.
pub struct Written {
    /// The plan as it is there.
    pub plan: String,
    /// What the secret `token` is.
    pub token: &'static str,
}

/// Writes a project, with what is asked for in the place of `BASE`, `PYTHON` and `NONCE`.
pub fn write(
    project: &Project,
    edit: Option<&Edit>,
    words: &dyn Fn(&str) -> String,
    folder: &Path,
) -> Written {
    let mut plan = match &project.source {
        Source::Made { plan, files } => {
            for (path, content) in *files {
                match content.strip_prefix("-> ") {
                    Some(target) => {
                        let path = made_way(folder, path);
                        std::os::unix::fs::symlink(target, path).expect("can be made");
                    }
                    None => put(folder, path, words(content)),
                }
            }
            (*plan).to_owned()
        }
        Source::Tree { folder: from, plan, instead } => {
            let from = root().join(from);
            for path in files_below(&from, "") {
                let mut content = std::fs::read(&path).expect("can be read");
                content.extend_from_slice(words("\nNONCE\n").as_bytes());
                let path = path.strip_prefix(&from).expect("it is below");
                put(folder, path.to_str().expect("it is text"), content);
            }
            let plan = std::fs::read_to_string(from.join(plan)).expect("can be read");
            instead.iter().fold(plan, |plan, (before, after)| replaced(project, &plan, before, after))
        }
    };
    let mut token = "hunter2";
    for change in edit.map_or(&[][..], |edit| edit.changes) {
        match change {
            Change::Plan(before, after) => plan = replaced(project, &plan, before, after),
            Change::Token(value) => token = value,
            Change::File(path, content) => put(folder, path, words(content)),
            Change::Mode(path, mode) => {
                let mode = std::fs::Permissions::from_mode(*mode);
                std::fs::set_permissions(folder.join(path), mode).expect("is there");
            }
            Change::Link(path, target) => {
                std::fs::remove_file(folder.join(path)).expect("is there");
                std::os::unix::fs::symlink(target, folder.join(path)).expect("can be made");
            }
            Change::Touched(path) => {
                let earlier = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
                let file = std::fs::File::options().write(true).open(folder.join(path));
                file.and_then(|file| file.set_modified(earlier)).expect("is there");
            }
            Change::Gone(path) => std::fs::remove_file(folder.join(path)).expect("is there"),
        }
    }
    let plan = words(&plan);
    std::fs::write(folder.join("plan.cpk"), &plan).expect("can be written");
    Written { plan, token }
}

/// A plan with something else for what it says once.
fn replaced(project: &Project, plan: &str, before: &str, after: &str) -> String {
    let count = plan.matches(before).count();
    assert_eq!(count, 1, "{}: {before:?} is in the plan {count} times", project.name);
    plan.replace(before, after)
}

fn put(folder: &Path, path: &str, content: impl AsRef<[u8]>) {
    std::fs::write(made_way(folder, path), content).expect("can be written");
}

/// A path below a folder, with the directories that lead to it.
fn made_way(folder: &Path, path: &str) -> PathBuf {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().expect("it is in a folder")).expect("can be made");
    path
}

#[test]
fn no_two_edits_are_the_same() {
    for edits in [OF_MADE, tree::EDITS] {
        assert!(edits.len() >= 60, "{}", edits.len());
    }
    let all: Vec<(&str, &str)> =
        projects().flat_map(edits_of).map(|edit| (edit.project, edit.what)).collect();
    assert_eq!(all.len(), OF_MADE.len() + tree::EDITS.len());
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
}

/// What is in a vertex and in no key: of the files of a plan, which are one vertex, those that no op takes;
/// and of a cache its name and how it is shared.
const IN_NO_KEY: &[&str] =
    &["a small file that nothing reads", "another name of a cache", "how a cache is shared"];

/// Digests of ops, each with the first line of its op.
type Ops = BTreeSet<(Digest, u32)>;

/// The keys of a plan's ops, and what the vertices of its graph say and stand on. The files of its
/// directories are the same in all plans.
fn keys_and_vertices(text: &str) -> [Ops; 2] {
    let plan = resolved(text);
    let contexts = plan.plan().contexts.iter();
    let directories = contexts.filter(|(name, _)| name.as_str() != "settings");
    let files: BTreeMap<InputName, Digest> =
        directories.map(|(name, _)| (name.clone(), Digest::of(b"the same"))).collect();
    let keys = Keys::of(&plan, &files);
    let line = |start: usize| u32::try_from(text[..start].matches('\n').count()).expect("is small") + 1;
    let of_steps = plan.order().iter().flat_map(|id| {
        let steps = plan.steps(*id);
        keys.steps(*id)
            .iter()
            .zip(steps)
            .filter_map(|(key, step)| Some((key.as_ref()?.key, line(step.op.span.range()?.start))))
    });
    let source = SourceText { name: "plan.cpk".to_owned(), text: Arc::new(text.to_owned()) };
    let images = Llb::new(source).lower(&plan).expect("can be lowered");
    let of_vertices = vertices(&images[0])
        .into_iter()
        .flat_map(|vertex| vertex.lines.into_iter().map(move |line| (vertex.own, line)));
    [of_steps.collect(), of_vertices.collect()]
}

/// The lines of ops that the old plan has not.
fn new_lines(old: &Ops, new: &Ops) -> BTreeSet<u32> {
    let old: BTreeSet<Digest> = old.iter().map(|(digest, _)| *digest).collect();
    new.iter().filter(|(digest, _)| !old.contains(digest)).map(|(_, line)| *line).collect()
}

#[test]
fn keys_are_new_where_vertices_are() {
    let words = |text: &str| {
        let text = text.replace("BASE", "debian:bookworm").replace("PYTHON\"", "python:3.11\"");
        text.replace("NONCE", "once")
    };
    for project in projects() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let old = keys_and_vertices(&write(project, None, &words, folder.path()).plan);
        let of_plans = |edit: &Edit| !edit.changes.iter().any(Change::is_of_files);
        for edit in edits_of(project).filter(|edit| of_plans(edit)) {
            let folder = tempfile::tempdir().expect("a temporary folder can be made");
            let new = keys_and_vertices(&write(project, Some(edit), &words, folder.path()).plan);
            let [keys, vertices] = [0, 1].map(|place| new_lines(&old[place], &new[place]));
            if IN_NO_KEY.contains(&edit.what) {
                assert!(keys.is_empty() && !vertices.is_empty());
            } else {
                assert_eq!(keys, vertices, "{}: {}", project.name, edit.what);
            }
        }
    }
}
