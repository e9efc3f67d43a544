//! Keys: a digest for each op of a plan over all that decides what it leaves when BuildKit builds
//! it. While the files of contexts stay the same, an op runs again exactly when its key is new.
//!
//! A key is made of four things, which [`OpKey`] tells apart so that a reader can say which of
//! them is the cause:
//!
//! - what the op says itself;
//! - what it sees of environment, working directory, user and shell. Only programs see any of it;
//! - what it is made on: the key of the op before it, of the image or the stage that its stage
//!   starts from. An [independent layer](cogpack_backends_contract::layers) is made on nothing;
//! - what it reads: the inputs that it copies from or mounts.
//!
//! Neighbouring file ops of one layer are one vertex for BuildKit, so they have one key and run
//! together ([`OpKey::together`]). `env`, `user` and `shell` run nothing and have no key: programs
//! see what they do.
//!
//! Places in the text, `by`, the names of stages, phases, layers, images, contexts and caches take no
//! part, nor do platforms: keys are of one of them, and a platform that is new runs everything.
//! Nor is anything known of what a program will leave: BuildKit compares files that are copied
//! from another stage or mounted by their bytes, so where a program that runs again leaves the same
//! files, what only reads them does not run. [`OpKey::apart`] tells which ops that may spare.

mod inputs;
pub(crate) mod record;
mod says;
#[cfg(test)]
mod tests;
mod variables;

use std::collections::BTreeMap;
use std::ops::Range;

use cogpack_backends_contract::again::owner_by_name;
use cogpack_backends_contract::layers::{LayerPlan, changes_filesystem, layers};
use cogpack_content::Digest;
use cogpack_ir::plan::{Input, InputName, MountKind, Op, OpKind, Template};
use cogpack_ir::resolve::{Resolved, StageId, Step};

pub use inputs::{Contents, Taken};
use record::Record;
use says::Asked;
use variables::Variables;

/// What decides what an op leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpKey {
    /// All of it. Where this is equal, the op need not run again.
    pub key: Digest,
    /// All of it apart from which files are read whose bytes nobody knows before they are made: where
    /// this is equal and the key is not, the op runs unless it reads the same as before, and so does
    /// what it stands on. A program that mounts what it stands on reads that.
    pub apart: Digest,
    /// What the op says itself, as far as it decides whether it runs.
    pub says: Digest,
    /// What it sees of environment, working directory, user and shell.
    pub sees: Digest,
    /// The filesystem that it is made on; that of `scratch` for independent layers.
    pub below: Digest,
    /// What it reads, in the order in which it names it.
    pub reads: Vec<Digest>,
    /// The steps of the stage that are made together with it, itself among them.
    pub together: Range<usize>,
}

/// What decides what a layer of a stage holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerKey {
    /// Where this is equal, the layer need not be made again.
    pub key: Digest,
    /// Its steps in the stage.
    pub steps: Range<usize>,
    /// Whether it is made without looking at what is under it.
    pub independent: bool,
}

/// A filesystem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Left {
    /// Its key.
    key: Digest,
    /// The same [apart](OpKey::apart) from what was read for it.
    apart: Digest,
    /// Whether the key is one of the bytes of its files, so that another key means other files.
    is_of_bytes: bool,
}

impl Left {
    /// A filesystem that nothing was read for.
    fn plain(key: Digest) -> Self {
        Self { key, apart: key, is_of_bytes: false }
    }
}

/// The keys of a stage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct StageKeys {
    /// What it starts from.
    start: Option<Left>,
    /// By step; `None` for those that run nothing.
    steps: Vec<Option<OpKey>>,
    /// Those of its layers that change files.
    layers: Vec<LayerKey>,
    /// What it leaves.
    end: Option<Left>,
}

/// The keys of all ops that an export needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    stages: Vec<StageKeys>,
    image: Digest,
}

impl Keys {
    /// The keys of a plan, with what is known of the files of its contexts.
    pub fn of(plan: &Resolved, contents: &dyn Contents) -> Self {
        let mut walk = Walk {
            plan,
            contents,
            stages: vec![StageKeys::default(); plan.plan().stages.len()],
            variables: vec![Variables::default(); plan.plan().stages.len()],
            phases: BTreeMap::new(),
        };
        for &id in plan.order() {
            walk.stage(id);
        }
        let image = walk.input(&plan.export().from.value, Taken::All).key;
        Self { stages: walk.stages, image }
    }

    /// By step of a stage, as [`Resolved::steps`] gives them: the op's key; `None` for those that
    /// run nothing. Empty for stages that the export does not need.
    pub fn steps(&self, id: StageId) -> &[Option<OpKey>] {
        &self.stages[id.index()].steps
    }

    /// The layers of a stage that change files, in order. Empty likewise.
    pub fn layers(&self, id: StageId) -> &[LayerKey] {
        &self.stages[id.index()].layers
    }

    /// The filesystem that a stage starts from; `None` where the export does not need it.
    pub fn start(&self, id: StageId) -> Option<Digest> {
        self.stages[id.index()].start.map(|start| start.key)
    }

    /// The filesystem that a stage leaves; `None` likewise.
    pub fn end(&self, id: StageId) -> Option<Digest> {
        self.stages[id.index()].end.map(|end| end.key)
    }

    /// The filesystem of the image. Its config is not in it.
    pub fn image(&self) -> Digest {
        self.image
    }
}

struct Walk<'p> {
    plan: &'p Resolved,
    contents: &'p dyn Contents,
    stages: Vec<StageKeys>,
    /// By stage: the variables at its end.
    variables: Vec<Variables>,
    /// By input that is a parallel phase.
    phases: BTreeMap<&'p Input, Left>,
}

/// What each step of a stage says itself, those that run nothing among them, in order. The names of
/// what it reads take no part.
pub fn said(plan: &Resolved, id: StageId) -> Vec<Digest> {
    let says = |step| says::says(step, Asked::All, |name| is_optional(plan, name));
    plan.steps(id).iter().map(says).collect()
}

fn is_optional(plan: &Resolved, secret: &str) -> bool {
    plan.plan().secrets.get(secret).is_some_and(|secret| secret.optional)
}

/// What an op reads, in the order in which it names it, and what it takes of each.
pub(crate) fn read_by(op: &Op) -> Vec<(&Input, Taken<'_>)> {
    if let Some(copy) = op.copy() {
        return vec![(&copy.from.value, Taken::Copied(copy))];
    }
    let mounts = op.execution().map_or(&[][..], |execution| &execution.mounts);
    let bound = mounts.iter().filter_map(|mount| match &mount.kind {
        MountKind::Bind { source, select, .. } => {
            let select = select.as_ref().map(|select| -> &Template { select });
            Some((&source.value, Taken::Mounted(select)))
        }
        MountKind::Cache { .. }
        | MountKind::Secret { .. }
        | MountKind::Ssh { .. }
        | MountKind::Tmpfs { .. } => None,
    });
    bound.collect()
}

/// All that an export's stages take of a context.
pub fn reads<'p>(plan: &'p Resolved, context: &InputName) -> Vec<Taken<'p>> {
    let is_it = |input: &Input| matches!(input, Input::Context(name) if name == context);
    let mut all = Vec::new();
    if is_it(&plan.export().from.value) {
        all.push(Taken::All);
    }
    for id in plan.order() {
        let from = plan.stage(*id).from.as_ref();
        all.extend(from.filter(|from| is_it(&from.value)).map(|_| Taken::All));
        for step in plan.steps(*id) {
            all.extend(
                read_by(step.op).into_iter().filter(|(input, _)| is_it(input)).map(|(_, taken)| taken),
            );
        }
    }
    all
}

/// The key of the empty filesystem.
fn scratch() -> Digest {
    Record::of("scratch").digest()
}

impl<'p> Walk<'p> {
    fn stage(&mut self, id: StageId) {
        let plan = self.plan;
        let start = match &plan.stage(id).from {
            Some(from) => self.input(&from.value, Taken::All),
            None => Left::plain(scratch()),
        };
        let mut made = StageKeys { start: Some(start), ..StageKeys::default() };
        let sees = self.sees(id);
        let mut root = start;
        for layer in layers(plan, id) {
            let first = made.steps.len();
            root = self.layer(&layer, root, &sees, &mut made);
            if layer.changes_filesystem {
                let steps = first..made.steps.len();
                let mut record = Record::of("layer").flag(layer.independent);
                for key in made.steps[steps.clone()].iter().flatten() {
                    record = record.key(&key.key);
                }
                made.layers.push(LayerKey { key: record.digest(), steps, independent: layer.independent });
            }
        }
        made.end = Some(root);
        self.stages[id.index()] = made;
    }

    /// By step of a stage: what it sees of environment, working directory, user and shell.
    fn sees(&mut self, id: StageId) -> Vec<Digest> {
        let plan = self.plan;
        let steps = plan.steps(id);
        let mut variables =
            plan.start_of(id).map_or_else(Variables::default, |start| self.variables[start.index()]);
        let mut sees = Vec::with_capacity(steps.len());
        for (place, step) in steps.iter().enumerate() {
            sees.push(says::sees(step, &mut variables));
            if let OpKind::Env(change) = &step.op.kind {
                let after =
                    steps.get(place + 1).map_or_else(|| plan.end_state(id).as_ref(), |next| next.state);
                variables.change(&change.name, &step.state.env, &after.env);
            }
        }
        self.variables[id.index()] = variables;
        sees
    }

    /// Adds the keys of a layer's steps, of which `sees` has the second part; gives the filesystem after it.
    fn layer(&mut self, layer: &LayerPlan<'p>, root: Left, sees: &[Digest], made: &mut StageKeys) -> Left {
        let mut top = if layer.independent { Left::plain(scratch()) } else { root };
        for together in vertices(layer) {
            top = self.vertex(&layer.steps[together], top, sees, made);
        }
        let over = |root: Digest, top: Digest| Record::of("over").key(&root).key(&top).digest();
        match layer.independent {
            true if root.key == scratch() => top,
            true => {
                Left { key: over(root.key, top.key), apart: over(root.apart, top.apart), is_of_bytes: false }
            }
            false => top,
        }
    }

    /// Adds the keys of steps that are made as one; gives the filesystem after them.
    fn vertex(&mut self, steps: &[Step<'p>], below: Left, sees: &[Digest], made: &mut StageKeys) -> Left {
        let first = made.steps.len();
        let together = first..first + steps.len();
        let mut record = Record::of("op").key(&below.key);
        let mut apart = match steps.iter().any(|step| self.mounts(step.op, below)) {
            // What it stands on is one more thing that it reads.
            true => Record::of("op on what it mounts"),
            false => Record::of("op").key(&below.apart),
        };
        let mut is_made = false;
        for step in steps {
            if !changes_filesystem(&step.op.kind) {
                made.steps.push(None);
                continue;
            }
            let optional = |name: &str| is_optional(self.plan, name);
            let (says, sees) = (says::says(step, Asked::Deciding, optional), sees[made.steps.len()]);
            let reads = read_by(step.op);
            record = record.key(&says).key(&sees).number(reads.len() as u64);
            apart = apart.key(&says).key(&sees).number(reads.len() as u64);
            let mut keys = Vec::with_capacity(reads.len());
            for (input, taken) in reads {
                let read = self.input(input, taken);
                record = record.key(&read.key);
                apart = apart.maybe(read.is_of_bytes.then(|| read.key.to_string()).as_deref());
                keys.push(read.key);
            }
            is_made = true;
            // The key itself is that of all of them.
            let (key, together) = (below.key, together.clone());
            made.steps.push(Some(OpKey { key, apart: key, says, sees, below: key, reads: keys, together }));
        }
        if !is_made {
            return below;
        }
        let left = Left { key: record.digest(), apart: apart.digest(), is_of_bytes: false };
        for step in made.steps[first..].iter_mut().flatten() {
            (step.key, step.apart) = (left.key, left.apart);
        }
        left
    }

    /// Whether an op mounts the very filesystem that it is made on. BuildKit has one input for both, and
    /// compares it by its bytes since 0.13, as what is only mounted.
    fn mounts(&mut self, op: &'p Op, below: Left) -> bool {
        let is_program = op.execution().is_some();
        is_program && read_by(op).into_iter().any(|(input, taken)| self.input(input, taken).key == below.key)
    }

    /// What is taken of an input.
    fn input(&mut self, input: &'p Input, taken: Taken<'_>) -> Left {
        let plan = self.plan;
        let nothing = Left { is_of_bytes: true, ..Left::plain(scratch()) };
        match input {
            Input::Scratch => nothing,
            Input::Image(name) => {
                plan.plan().images.get(name).map_or(nothing, |image| Left::plain(inputs::image(image)))
            }
            Input::Context(name) => plan.plan().contexts.get(name).map_or(nothing, |context| {
                let (key, is_of_bytes) = inputs::context(name, context, taken, self.contents);
                Left { is_of_bytes, ..Left::plain(key) }
            }),
            Input::Stage(name) => self.stages[plan.id(name).index()].end.unwrap_or(nothing),
            Input::Phase(phase) => {
                if let Some(known) = self.phases.get(input) {
                    return *known;
                }
                let merge = plan.merge(phase);
                let base = self.input(&merge.base, Taken::All);
                let ends: Vec<Left> =
                    merge.branches.iter().filter_map(|id| self.stages[id.index()].end).collect();
                let of = |part: fn(&Left) -> Digest| merged(part(&base), ends.iter().map(part));
                let [key, apart] = [of(|left| left.key), of(|left| left.apart)];
                let left = Left { key, apart, is_of_bytes: false };
                self.phases.insert(input, left);
                left
            }
        }
    }
}

/// Stages side by side on a base. One that changes nothing adds nothing, nor does the same again.
fn merged(base: Digest, ends: impl Iterator<Item = Digest>) -> Digest {
    let mut branches: Vec<Digest> = Vec::new();
    for end in ends {
        if end != base && !branches.contains(&end) {
            branches.push(end);
        }
    }
    match branches.as_slice() {
        [] => base,
        [alone] if base == scratch() => *alone,
        several => {
            let record = several.iter().fold(Record::of("merge").key(&base), |record, end| record.key(end));
            record.digest()
        }
    }
}

/// Which steps of a layer are made as one: neighbouring file ops. A program is alone, and so are
/// file ops after one that may have changed who an owner by name is.
fn vertices(layer: &LayerPlan<'_>) -> Vec<Range<usize>> {
    let mut vertices = Vec::new();
    let mut first = 0;
    let mut touches_accounts = false;
    for (place, step) in layer.steps.iter().enumerate() {
        let is_alone = step.op.execution().is_some();
        if is_alone || touches_accounts && owner_by_name(step).is_some() {
            vertices.push(first..place);
            (first, touches_accounts) = (place, false);
        }
        if is_alone {
            vertices.push(place..place + 1);
            first = place + 1;
        }
        touches_accounts |= lands_at(step.op).is_some_and(|path| {
            let path = path.as_literal().map(|path| says::clean(&path));
            path.is_none_or(|path| path == "/" || path == "/etc" || path.starts_with("/etc/"))
        });
    }
    vertices.push(first..layer.steps.len());
    vertices.retain(|steps| !steps.is_empty());
    vertices
}

/// The path that a file op changes.
fn lands_at(op: &Op) -> Option<&Template> {
    match &op.kind {
        OpKind::Copy(copy) => Some(copy.form.destination()),
        OpKind::File(file) => Some(&file.path),
        OpKind::Mkdir(directory) => Some(&directory.path),
        OpKind::Symlink(link) => Some(&link.path),
        OpKind::Remove(remove) => Some(&remove.path),
        OpKind::Workdir(path) => Some(path),
        OpKind::Run { .. }
        | OpKind::Exec { .. }
        | OpKind::Env(_)
        | OpKind::User(_)
        | OpKind::Shell(_)
        | OpKind::Layer(_)
        | OpKind::By(_) => None,
    }
}
