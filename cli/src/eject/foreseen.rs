//! What a builder would make of a Dockerfile otherwise than the plan means, as far as the plan
//! and its contexts show it.
//!
//! `COPY` looks neither at what it copies nor at where that lands: a file goes inside a directory
//! in its way, a link is followed, and some builders lay one tree over another whatever is in
//! there. The contract's copies do look, so they are done here too, on all that is known. What an
//! image has, and what programs make, is not known: nothing is said of it.

use std::collections::BTreeMap;

use cogpack_backends_contract::accounts::numeric;
use cogpack_backends_contract::content::Content;
use cogpack_backends_contract::copy::{self, CopyProblem};
use cogpack_backends_contract::file_ops;
use cogpack_backends_contract::glob::has_wildcard;
use cogpack_backends_contract::layers::layers;
use cogpack_backends_contract::tree::{Ids, Node, Tree};
use cogpack_content::Lookup;
use cogpack_ir::plan::{Copy, CopyForm, Input, InputName, OpKind, Span, StageName, Template};
use cogpack_ir::resolve::{Resolved, Step};

use super::gather::{Differs, GATHERED};

/// A filesystem, as far as it is known.
type Known = Tree<Content>;

/// All that can be foreseen of a plan whose contexts hold `contexts`, for a builder that lets a
/// file land where a link points to, or not.
pub fn foreseen(plan: &Resolved, contexts: &BTreeMap<InputName, Known>, follows_links: bool) -> Vec<Differs> {
    let mut foresight =
        Foresight { contexts, follows_links, stages: Lookup::default(), differences: Vec::new() };
    for id in plan.order() {
        let stage = plan.stage(*id);
        let from = stage.from.as_ref().and_then(|from| foresight.input(&from.value));
        let mut tree = from.cloned().unwrap_or_default();
        for layer in layers(plan, *id) {
            if layer.independent {
                let mut alone = Known::empty();
                layer.steps.iter().for_each(|step| foresight.step(step, &mut alone));
                tree.overlay(&alone);
            } else {
                layer.steps.iter().for_each(|step| foresight.step(step, &mut tree));
            }
        }
        foresight.stages.insert(stage.name.value.clone(), tree);
    }
    foresight.differences
}

struct Foresight<'p> {
    contexts: &'p BTreeMap<InputName, Known>,
    follows_links: bool,
    stages: Lookup<StageName, Known>,
    differences: Vec<Differs>,
}

impl Foresight<'_> {
    /// What is known of an input; `None` for nothing.
    fn input(&self, input: &Input) -> Option<&Known> {
        match input {
            Input::Stage(name) => self.stages.get(name),
            Input::Context(name) => self.contexts.get(name),
            Input::Scratch | Input::Phase(_) | Input::Image(_) => None,
        }
    }

    fn step(&mut self, step: &Step<'_>, tree: &mut Known) {
        let ids = |owner: Option<_>| owner.and_then(numeric);
        // What an op does to what is not known may fail here, and then changes nothing that is.
        let _ = match &step.op.kind {
            OpKind::Copy(it) => {
                self.copy(it, step.op.span, tree);
                Ok(())
            }
            OpKind::File(it) => {
                let owner = ids(it.owner.as_deref()).unwrap_or(Ids::ROOT);
                file_ops::make_file(it, owner, Content::Inline(it.content.clone().into()), tree)
            }
            OpKind::Mkdir(it) => file_ops::make_directory(it, ids(it.owner.as_deref()), tree),
            OpKind::Symlink(it) => file_ops::make_symlink(it, tree),
            OpKind::Remove(it) => file_ops::remove(it, tree),
            OpKind::Workdir(path) => match path.as_literal() {
                Some(path) => file_ops::make_working_directory(&path, tree),
                None => Ok(()),
            },
            OpKind::Run { .. } | OpKind::Exec { .. } => {
                *tree = Known::empty();
                Ok(())
            }
            OpKind::Env(_) | OpKind::User(_) | OpKind::Shell(_) | OpKind::Layer(_) | OpKind::By(_) => Ok(()),
        };
    }

    fn copy(&mut self, copy: &Copy, span: Span, tree: &mut Known) {
        let owner = copy.owner.as_deref().and_then(numeric).unwrap_or(Ids::ROOT);
        let source = self.input(&copy.from.value);
        let mut found = source.and_then(|source| self.links(copy, source, tree));
        let gathered = source.and_then(|source| gathered_lands(copy, owner, source, tree));
        let done = source.map(|source| copy::apply(copy, owner, source, tree));
        if let (Some(Ok(())), Some(gathered)) = (&done, &gathered)
            && gathered != tree
        {
            let what = "a directory that rules leave, with something below it that they take, is there and \
                        keeps its owner: `COPY` would change it";
            found =
                Some((what.to_owned(), "copy with `exclude` alone, or give the directory its owner later"));
        }
        let problem = match done {
            Some(Ok(())) => None,
            Some(Err(problem)) => Some(problem),
            None => Some(CopyProblem::Missing(String::new())),
        };
        if problem.is_some() && copy.replace {
            // What is gone is known, if not what is there instead.
            let at =
                path_of(copy.form.destination()).and_then(|path| tree.resolve(path.as_bytes(), false).ok());
            let _ = at.map(|at| tree.remove(&at));
        }
        if let Some(
            problem @ (CopyProblem::NoContents(_)
            | CopyProblem::OntoDirectory { .. }
            | CopyProblem::OntoFile { .. }),
        ) = problem
        {
            found = Some((problem.to_string(), "copy to another place, or say `replace`"));
            if let CopyProblem::NoContents(_) = problem {
                found = Some((problem.to_string(), "leave out `contents` to copy a file"));
            }
        }
        self.differences.extend(found.map(|(what, help)| Differs {
            code: GATHERED,
            what,
            help: help.to_owned(),
            span,
        }));
    }

    /// A link that is copied from or to, and that the builder takes in another way.
    fn links(&self, copy: &Copy, source: &Known, tree: &Known) -> Option<(String, &'static str)> {
        let named: Vec<(String, String)> = match &copy.form {
            CopyForm::To { source, destination } => vec![(path_of(source)?, path_of(destination)?)],
            CopyForm::Contents { .. } => Vec::new(),
            CopyForm::Into { sources, directory } => {
                let directory = path_of(directory)?;
                let named = sources.iter().filter_map(path_of).filter(|it| !has_wildcard(it));
                let landing = |source: String| {
                    let name = source.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
                    let landing = format!("{directory}/{name}");
                    (source, landing)
                };
                named.map(landing).collect()
            }
        };
        let is_stage = matches!(copy.from.value, Input::Stage(_));
        named.into_iter().find_map(|(from, to)| {
            if is_stage && !copy.follow && is_link(source, &from) {
                let what = format!(
                    "`{from}` of `{}` is a link: `COPY` follows it, the plan keeps it",
                    copy.from.value
                );
                return Some((what, "write `follow`, or copy the directory that it is in"));
            }
            let is_file = source
                .resolve(from.as_bytes(), copy.follow)
                .is_ok_and(|at| source.get(&at).is_some() && source.directory(&at).is_none());
            (is_file && !self.follows_links && is_link(tree, &to)).then(|| {
                let what = format!("`{to}` is a link: this builder replaces it, the plan what it points to");
                (what, "copy to what the link points to")
            })
        })
    }
}

/// What stands there after a copy with rules that was done on nothing first, beside the
/// Dockerfile, if it is one of a directory.
fn gathered_lands(copy: &Copy, owner: Ids, source: &Known, tree: &Known) -> Option<Known> {
    if copy.rules.is_empty() || !matches!(copy.from.value, Input::Context(_)) {
        return None;
    }
    let landing = copy.form.destination();
    let mut alone = Known::empty();
    copy::apply(copy, owner, source, &mut alone).ok()?;
    let form = CopyForm::Contents { directory: landing.clone(), destination: landing.clone() };
    let all = Copy { form, rules: Vec::new(), mode: None, ..copy.clone() };
    let mut result = tree.clone();
    copy::apply(&all, owner, &alone, &mut result).ok().map(|()| result)
}

/// Whether a path leads to a link, through links in directories or not.
pub fn is_link(tree: &Known, path: &str) -> bool {
    let at = tree.resolve(path.as_bytes(), false);
    at.is_ok_and(|at| matches!(tree.get(&at), Some(Node::Symlink { .. })))
}

fn path_of(template: &impl std::ops::Deref<Target = Template>) -> Option<String> {
    template.as_literal().map(std::borrow::Cow::into_owned)
}
