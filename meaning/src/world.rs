//! What a plan's meaning leans on and the plan does not say: the files of its inputs, and what programs do.

use std::collections::{BTreeMap, BTreeSet};

use cogpack_backends_contract::glob::has_wildcard;
use cogpack_backends_contract::tree::{Ids, Name};
use cogpack_content::Digest;
use cogpack_ir::plan::{
    BaseImage, Context, ContextKind, Copy, CopyForm, EnvEdit, EnvName, ImageConfig, Input, InputName, Mode,
    MountKind, OpKind, Plan, Span,
};
use cogpack_ir::resolve::{KnownConfigs, Resolved};
use cogpack_ir::syntax::print;

use crate::filesystem::{Failure, Filesystem, Node, Path, names, shown};
use crate::ownership;
use crate::program::Seen;
use crate::text::known_or_written;

/// Answers what a plan does not say. Equal questions have equal answers.
pub trait World {
    /// The files of an image.
    fn image(&self, image: &BaseImage) -> Filesystem;
    /// The files of a context of another kind than `files`.
    fn context(&self, context: &ContextKind) -> Filesystem;
    /// What a program leaves of the filesystem that it runs on, without what is mounted, unless it fails.
    fn program(&self, seen: &Seen) -> Result<Filesystem, Failure>;
}

/// A world that is made up for a plan, so that most of what the plan copies is there.
///
/// Inputs are told apart by what they are and not by what the plan calls them: a directory with these
/// rules, an image of this name and digest. What a program does follows from all that it sees, and from
/// that alone: it leaves a file that says which it was, one or two others are changed or gone, and of what the
/// plan copies out of stages it makes what is missing. One program is known: [`chown -R`](crate::ownership).
#[derive(Debug, Clone)]
pub struct Invented {
    seed: u64,
    /// By input, as [`identity`] writes it: what is copied and mounted of it.
    of_inputs: BTreeMap<String, BTreeSet<Wanted>>,
    /// What is copied and mounted of stages.
    of_stages: BTreeSet<Wanted>,
    /// The variables that the plan speaks of, with a value that it gives to one of them.
    variables: BTreeMap<EnvName, String>,
}

/// A path that something is wanted at, and whether that is to be a directory, where it is known.
type Wanted = (Path, Option<bool>);

impl Invented {
    /// A world for a plan; each seed gives another.
    pub fn of(plan: &Resolved, seed: u64) -> Self {
        let mut world =
            Self { seed, of_inputs: BTreeMap::new(), of_stages: BTreeSet::new(), variables: BTreeMap::new() };
        for id in plan.order() {
            for step in plan.steps(*id) {
                if let OpKind::Copy(copy) = &step.op.kind {
                    for wanted in wanted(copy) {
                        // What may be missing sometimes is.
                        let told = shown(&wanted.0);
                        if copy.optional && Choices::of(seed, &told).next(2) == 0 {
                            continue;
                        }
                        world.want(plan, &copy.from.value, wanted);
                    }
                }
                if let OpKind::Env(change) = &step.op.kind {
                    let value = match &change.edit {
                        EnvEdit::Set(value) => value.as_literal(),
                        EnvEdit::Prepend(_) | EnvEdit::Append(_) | EnvEdit::Unset => None,
                    };
                    let value = value.map_or_else(|| "made up".to_owned(), std::borrow::Cow::into_owned);
                    world.variables.entry(change.name.value.clone()).or_insert(value);
                }
                for mount in step.op.execution().into_iter().flat_map(|execution| &execution.mounts) {
                    if let MountKind::Bind { source, select: Some(select), .. } = &mount.kind {
                        let path = names(known_or_written(select).as_bytes());
                        world.want(plan, &source.value, (path, None));
                    }
                }
            }
        }
        world
    }

    fn want(&mut self, plan: &Resolved, input: &Input, wanted: Wanted) {
        match input {
            Input::Scratch => {}
            Input::Stage(_) | Input::Phase(_) => drop(self.of_stages.insert(wanted)),
            Input::Image(name) | Input::Context(name) => {
                if let Some(identity) = identity(plan, name) {
                    self.of_inputs.entry(identity).or_default().insert(wanted);
                }
            }
        }
    }

    /// What the configs of bases say of which nothing is known: variables that the plan speaks of, a user and a
    /// shell. What is known stays.
    pub fn configs(&self, plan: &Resolved) -> KnownConfigs {
        let inputs = plan.plan();
        let images = inputs.images.keys().map(|name| (name, Input::Image(name.clone())));
        let contexts = inputs.contexts.keys().map(|name| (name, Input::Context(name.clone())));
        let bases = images.chain(contexts).filter_map(|(name, input)| {
            let state = plan.state_of(&input);
            let identity = identity(plan, name)?;
            let config = if state.base_known { (*state.inherited).clone() } else { self.config(&identity) };
            Some((name.clone(), config))
        });
        bases.collect()
    }

    fn config(&self, identity: &str) -> ImageConfig {
        let mut choices = Choices::of(self.seed, &format!("config {identity}"));
        let mut env = Vec::new();
        for (name, value) in &self.variables {
            match choices.next(3) {
                0 => {}
                1 => env.push((name.clone(), value.clone())),
                _ => env.insert(0, (name.clone(), choices.word())),
            }
        }
        let user = [None, Some("app"), Some("0")][choices.next(3)];
        let shell = (choices.next(2) == 0).then(|| ["/bin/bash", "-c"].map(str::to_owned).to_vec());
        ImageConfig { env, user: user.map(str::to_owned), shell, ..ImageConfig::default() }
    }

    fn input(&self, identity: &str) -> Filesystem {
        let mut choices = Choices::of(self.seed, identity);
        let mut filesystem = Filesystem::default();
        let accounts =
            format!("root:x:0:\napp:x:{}:\nnobody:x:65534:\nnogroup:x:65534:\n", 100 + choices.next(3));
        for file in ["passwd", "group"] {
            place(
                &[b"etc".to_vec(), file.as_bytes().to_vec()],
                file_of(accounts.as_bytes()),
                &mut filesystem,
            );
        }
        if let Some(wanted) = self.of_inputs.get(identity) {
            make_wanted(wanted, &mut choices, &mut filesystem);
        }
        for name in [&b"a.txt"[..], b"b.txt", b"c.md", b"src"] {
            if choices.next(2) == 0 {
                let node = choices.node(name);
                place(&[name.to_vec()], node, &mut filesystem);
            }
        }
        filesystem
    }
}

impl World for Invented {
    fn image(&self, image: &BaseImage) -> Filesystem {
        self.input(&identity_of_image(image))
    }

    fn context(&self, context: &ContextKind) -> Filesystem {
        self.input(&identity_of_context(context))
    }

    fn program(&self, seen: &Seen) -> Result<Filesystem, Failure> {
        if let Some(left) = ownership::changed(seen) {
            return left;
        }
        let mut choices = Choices::of(self.seed, &format!("{seen:?}"));
        let mut left = seen.root.clone();
        let is_mounted = |path: &[Name]| {
            seen.mounts.keys().any(|target| {
                let target = names(target.as_bytes());
                path.starts_with(&target) || target.starts_with(path)
            })
        };
        let free: Vec<Path> = left
            .iter()
            .filter(|(path, node)| !path.is_empty() && !node.is_directory() && !is_mounted(path))
            .map(|(path, _)| path.clone())
            .collect();
        if !free.is_empty() {
            let changed = &free[choices.next(free.len())];
            let bytes = choices.word();
            left.put(changed, file_of(bytes.as_bytes()));
            if choices.next(3) == 0 {
                left.remove(&free[choices.next(free.len())]);
            }
        }
        let wanted: BTreeSet<Wanted> =
            self.of_stages.iter().filter(|(path, _)| !is_mounted(path)).cloned().collect();
        make_wanted(&wanted, &mut choices, &mut left);
        place(&[b"programs".to_vec(), choices.word().into_bytes()], file_of(b"ran"), &mut left);
        Ok(left)
    }
}

/// What of an input a copy names, without what wildcards may match.
fn wanted(copy: &Copy) -> Vec<Wanted> {
    let path = |template| names(known_or_written(template).as_bytes());
    match &copy.form {
        CopyForm::To { source, .. } => vec![(path(source), None)],
        CopyForm::Contents { directory, .. } => vec![(path(directory), Some(true))],
        CopyForm::Into { sources, .. } => {
            let named = sources.iter().filter(|source| !has_wildcard(source.as_written()));
            named.map(|source| (path(source), None)).collect()
        }
    }
}

/// Makes what is wanted and missing. What does not fit what is there is left out.
fn make_wanted(wanted: &BTreeSet<Wanted>, choices: &mut Choices, on: &mut Filesystem) {
    for (path, is_directory) in wanted {
        let Some(name) = path.last() else { continue };
        if on.get(path).is_some() || path.iter().any(|name| name == b"..") {
            continue;
        }
        match is_directory.unwrap_or_else(|| choices.next(2) == 0) {
            true => {
                place(path, Node::DIRECTORY, on);
                let inside = choices.word().into_bytes();
                place(&[path.as_slice(), &[inside]].concat(), file_of(name), on);
                let node = choices.node(name);
                place(&[path.as_slice(), &[b"x.pyc".to_vec()]].concat(), node, on);
            }
            false => place(path, choices.node(name), on),
        }
    }
}

/// Puts something where it fits.
fn place(path: &[Name], node: Node, on: &mut Filesystem) {
    let fits = on.make_way_to(path).is_ok() && (node.is_directory() || !on.has_directory(path));
    if fits {
        on.put(path, node);
    }
}

fn file_of(bytes: &[u8]) -> Node {
    Node::File(Mode::FILE, Ids::ROOT, bytes.to_vec())
}

fn identity(plan: &Resolved, name: &InputName) -> Option<String> {
    let context = plan.plan().contexts.get(name).map(|context| identity_of_context(&context.kind));
    context.or_else(|| plan.plan().images.get(name).map(identity_of_image))
}

fn identity_of_image(image: &BaseImage) -> String {
    image.reference.normalised(image.digest.as_ref().map(|digest| &digest.value))
}

fn identity_of_context(context: &ContextKind) -> String {
    // As a plan with nothing else would write it: where it stands in a text, and under which name, is no
    // part of what it is.
    let name = InputName::new("input").expect("is a name");
    let declared = Context { kind: context.clone(), span: Span::NOWHERE };
    print(&Plan { contexts: BTreeMap::from([(name, declared)]), ..Plan::empty() })
}

/// Choices that follow from a text: a chain of digests.
struct Choices {
    state: Digest,
    used: usize,
}

impl Choices {
    fn of(seed: u64, text: &str) -> Self {
        Self { state: Digest::of(format!("{seed} {text}").as_bytes()), used: 0 }
    }

    fn byte(&mut self) -> u8 {
        if self.used == 32 {
            self.state = Digest::of(self.state.sha256());
            self.used = 0;
        }
        self.used += 1;
        self.state.sha256()[self.used - 1]
    }

    /// A number below `bound`.
    fn next(&mut self, bound: usize) -> usize {
        (usize::from(self.byte()) << 8 | usize::from(self.byte())) % bound.max(1)
    }

    fn word(&mut self) -> String {
        (0..8).map(|_| char::from(b'a' + self.byte() % 26)).collect()
    }

    /// A file or a link, of any mode and owner.
    fn node(&mut self, name: &[u8]) -> Node {
        let mode = [Mode::FILE, Mode::DIRECTORY][self.next(2)];
        let owner = [Ids::ROOT, Ids { user: 7, group: 8 }][self.next(2)];
        match self.next(4) {
            0 => Node::Symlink(owner, [&b"/"[..], b"../up", b"missing"][self.next(3)].to_vec()),
            _ => Node::File(mode, owner, [name, self.word().as_bytes()].concat()),
        }
    }
}
