//! Does once what two stages do alike.
//!
//! ```text
//! stage %a from image @base { run "make" }       stage %a from image @base { run "make" }
//! stage %b from image @base { run "make" }   ⇒   stage %app from %a { copy "/out" from %a to "/x" }
//! stage %app from %a { copy "/out" from %b to "/x" }
//! ```
//!
//! Two stages are alike if they start from the same and do the same, whatever they are called, whoever asked for
//! it, and whatever the inputs are called that they read. What they leave is then one, a program being a function
//! of what it sees. With [`Facts::shares_prefixes`] the work that stages have in common at their start is taken out
//! too, into a stage that both go on from; [`across`] does so for several plans together, which then have
//! stages alike to the byte. Left alone: stages of parallel phases, what those start from, and images without a
//! digest under two names.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use cogpack_content::Lookup;
use cogpack_ir::plan::{
    ContextKind, Input, InputName, LayerName, Op, OpKind, PhaseName, Plan, Span, Spanned, Stage, StageName,
    for_each_op, for_each_op_mut,
};
use cogpack_ir::resolve::{Resolved, StageId};
use cogpack_ir::syntax::print;

use crate::facts::Facts;
use crate::note::Note;
use crate::order::{Level, Pass, Rewrite};
use crate::pieces::{self, Piece, pieces, stage_name, stands_beside};

/// The pass.
pub struct DedupeStages;

impl Pass for DedupeStages {
    fn name(&self) -> &'static str {
        "dedupe-stages"
    }

    fn summary(&self) -> &'static str {
        "does once what two stages do alike"
    }

    fn level(&self) -> Level {
        Level::Safe
    }

    fn run(&self, plan: &Resolved, facts: &Facts) -> Rewrite {
        across(&[(plan, "")], facts).pop().unwrap_or_default()
    }
}

/// The same for several plans, each with the directory that it stands in: a directory as a context is the same
/// only beside the same plan.
pub fn across(plans: &[(&Resolved, &str)], facts: &Facts) -> Vec<Rewrite> {
    let shares = facts.shares_prefixes || plans.len() > 1;
    if !shares && plans.iter().all(|(plan, _)| all_differ(plan)) {
        // As nearly always; saying what each does takes longer than seeing that.
        return vec![Rewrite::default(); plans.len()];
    }
    let mut chains = Chains::default();
    let known: Vec<Known<'_>> = plans
        .iter()
        .enumerate()
        .map(|(number, (plan, home))| Known::of(plan, number, home, &mut chains))
        .collect();
    let shared = if shares { shared(&known) } else { BTreeMap::new() };
    known.iter().map(|known| rewrite(known, &shared)).collect()
}

/// Whether no two stages can do the same: by what they run and write, whatever they read.
fn all_differ(plan: &Resolved) -> bool {
    let mut seen = BTreeSet::new();
    plan.order().iter().all(|id| {
        let mut hasher = DefaultHasher::new();
        for_each_op(&plan.stage(*id).ops, &mut |op| match &op.kind {
            OpKind::Run { script, .. } => (0, &script.value).hash(&mut hasher),
            OpKind::Exec { argv, .. } => (1, &argv.value).hash(&mut hasher),
            OpKind::Copy(copy) => {
                (2, copy.form.destination(), copy.form.sources()).hash(&mut hasher);
            }
            OpKind::File(file) => (3, &file.path, &file.content).hash(&mut hasher),
            OpKind::Mkdir(directory) => (4, &directory.path).hash(&mut hasher),
            OpKind::Symlink(link) => (5, &link.path, &link.target).hash(&mut hasher),
            OpKind::Remove(remove) => (6, &remove.path).hash(&mut hasher),
            OpKind::Workdir(path) => (7, path).hash(&mut hasher),
            OpKind::Env(_) | OpKind::User(_) | OpKind::Shell(_) | OpKind::Layer(_) | OpKind::By(_) => {}
        });
        seen.insert(hasher.finish())
    })
}

/// What is known of the work of one plan.
struct Known<'p> {
    plan: &'p Resolved,
    /// By stage that the export needs, in their order.
    stages: Vec<Chain>,
    /// By name of a stage that is done by another: the other.
    instead: BTreeMap<StageName, StageName>,
}

/// The work of one stage.
struct Chain {
    id: StageId,
    pieces: Vec<Piece>,
    /// Which work has been done after each piece, by number; equal numbers are equal work.
    after: Vec<usize>,
    /// Whether it may be taken apart, and others done instead of it.
    is_free: bool,
}

/// Numbers for work: what was done before, and what is done then.
#[derive(Default)]
struct Chains {
    numbers: Lookup<(usize, String), usize>,
    inputs: Lookup<String, usize>,
    next: usize,
}

impl Chains {
    fn number(&mut self, before: usize, what: String) -> usize {
        let key = (before, what);
        if let Some(number) = self.numbers.get(&key) {
            return *number;
        }
        self.next += 1;
        self.numbers.insert(key, self.next);
        self.next
    }

    fn input(&mut self, what: String) -> usize {
        if let Some(number) = self.inputs.get(&what) {
            return *number;
        }
        self.next += 1;
        self.inputs.insert(what, self.next);
        self.next
    }
}

impl<'p> Known<'p> {
    fn of(plan: &'p Resolved, number: usize, home: &str, chains: &mut Chains) -> Self {
        let mut canonical = Canonical { plan, number, home, ends: BTreeMap::new(), inputs: BTreeMap::new() };
        let bases: BTreeSet<StageName> = bases_of_phases(plan);
        let has_parallel = plan.plan().declared_phases.values().any(|phase| phase.parallel);
        let mut stages = Vec::new();
        let mut instead = BTreeMap::new();
        let mut first: Lookup<usize, StageId> = Lookup::default();
        for id in plan.order() {
            let stage = plan.stage(*id);
            let name = &stage.name.value;
            let pieces = pieces(plan, *id);
            let from = stage.from.as_ref().map_or(Input::Scratch, |from| from.value.clone());
            let mut done = canonical.number(&from, chains);
            let mut after = Vec::with_capacity(pieces.len());
            for piece in &pieces {
                let what = canonical.text(piece, chains);
                done = chains.number(done, what);
                after.push(done);
            }
            canonical.ends.insert(name.clone(), done);
            let is_free = !stands_beside(plan, stage) && !bases.contains(name);
            // Where no work is done none is saved, and stages are told apart by their names.
            if is_free && pieces.iter().any(|piece| piece.changes_files) {
                match first.get(&done) {
                    Some(other) => {
                        let other = plan.stage(*other);
                        let same_phase = other.phase == stage.phase;
                        if same_phase || !has_parallel {
                            instead.insert(name.clone(), other.name.value.clone());
                        }
                    }
                    None => drop(first.insert(done, *id)),
                }
            }
            stages.push(Chain { id: *id, pieces, after, is_free });
        }
        Self { plan, stages, instead }
    }
}

/// What the stages of parallel phases start from.
fn bases_of_phases(plan: &Resolved) -> BTreeSet<StageName> {
    let beside = plan.plan().stages.iter().filter(|stage| stands_beside(plan, stage));
    let bases = beside.filter_map(|stage| match &stage.from.as_ref()?.value {
        Input::Stage(name) => Some(name.clone()),
        Input::Scratch | Input::Image(_) | Input::Context(_) | Input::Phase(_) => None,
    });
    bases.collect()
}

/// Says work in a way in which names play no part.
struct Canonical<'p> {
    plan: &'p Resolved,
    number: usize,
    home: &'p str,
    ends: BTreeMap<StageName, usize>,
    inputs: BTreeMap<InputName, usize>,
}

impl Canonical<'_> {
    /// The number of an input.
    fn number(&mut self, input: &Input, chains: &mut Chains) -> usize {
        match input {
            Input::Scratch => chains.input("scratch".to_owned()),
            Input::Stage(name) => match self.ends.get(name) {
                Some(end) => *end,
                None => chains.input(format!("{} {name}", self.number)),
            },
            Input::Phase(name) => chains.input(format!("phase {} {name}", self.number)),
            Input::Image(name) | Input::Context(name) => {
                if let Some(number) = self.inputs.get(name) {
                    return *number;
                }
                let number = chains.input(self.declared(name));
                self.inputs.insert(name.clone(), number);
                number
            }
        }
    }

    /// A declaration without its name, where the name plays no part.
    fn declared(&self, name: &InputName) -> String {
        let mut alone = Plan::empty();
        let input = InputName::new("input").expect("is a name");
        let mut told = String::new();
        if let Some(image) = self.plan.plan().images.get(name) {
            if image.digest.is_none() {
                // Two names may be given two layouts.
                told = format!("{name} ");
            }
            alone.images.insert(input.clone(), image.clone());
        }
        if let Some(context) = self.plan.plan().contexts.get(name) {
            if matches!(context.kind, ContextKind::Directory(_) | ContextKind::Oci(_)) {
                told = format!("{} ", self.home);
            }
            if matches!(context.kind, ContextKind::Oci(_)) {
                told.push_str(name.as_str());
            }
            alone.contexts.insert(input, context.clone());
        }
        told + &print(&alone)
    }

    /// Calls an input by its number.
    fn rename(&mut self, input: &mut Spanned<Input>, chains: &mut Chains) {
        let name = format!("n{}", self.number(&input.value, chains));
        input.value = match input.value {
            Input::Scratch => Input::Scratch,
            Input::Stage(_) => Input::Stage(StageName::new(&name).expect("is a name")),
            Input::Phase(_) => Input::Phase(PhaseName::new(&name).expect("is a name")),
            Input::Image(_) => Input::Image(InputName::new(&name).expect("is a name")),
            Input::Context(_) => Input::Context(InputName::new(&name).expect("is a name")),
        };
    }

    /// The text of what a piece does.
    fn text(&mut self, piece: &Piece, chains: &mut Chains) -> String {
        let mut ops: Vec<Op> = piece.items.iter().map(|item| item.op.clone()).collect();
        for_each_op_mut(&mut ops, &mut |op| op.for_each_input_mut(|input| self.rename(input, chains)));
        if piece.name.is_some() {
            let name = Spanned::nowhere(LayerName::new("layer").expect("is a name"));
            ops =
                vec![Op { kind: OpKind::Layer(cogpack_ir::plan::Layer { name, ops }), span: Span::NOWHERE }];
        }
        let name = Spanned::nowhere(StageName::new("stage").expect("is a name"));
        let stage = Stage { name, phase: None, from: None, provides: BTreeSet::new(), ops };
        print(&Plan { stages: vec![stage], ..Plan::empty() })
    }
}

/// Work that several stages begin with and then go on from in several ways, each with the name of the stage
/// that is to do it.
fn shared(plans: &[Known<'_>]) -> BTreeMap<usize, String> {
    // By work: what comes next, nothing where a stage ends.
    let mut next: BTreeMap<usize, BTreeSet<Option<usize>>> = BTreeMap::new();
    let mut order = Vec::new();
    for known in plans {
        for chain in free(known) {
            for (place, done) in chain.after.iter().enumerate() {
                let ways = next.entry(*done).or_default();
                if ways.is_empty() {
                    order.push(*done);
                }
                ways.insert(chain.after.get(place + 1).copied());
            }
        }
    }
    let mut names = BTreeMap::new();
    for done in order {
        if next[&done].len() > 1 {
            let name = format!("shared-{}", names.len() + 1);
            names.insert(done, name);
        }
    }
    names
}

/// The stages that may be taken apart and that nothing is done instead of.
fn free<'k>(known: &'k Known<'_>) -> impl Iterator<Item = &'k Chain> {
    known
        .stages
        .iter()
        .filter(|chain| chain.is_free && !known.instead.contains_key(&known.plan.stage(chain.id).name.value))
}

fn rewrite(known: &Known<'_>, shared: &BTreeMap<usize, String>) -> Rewrite {
    let plan = known.plan;
    let mut notes = Vec::new();
    let mut rewritten = plan.plan().clone();
    let mut taken: BTreeSet<StageName> =
        rewritten.stages.iter().map(|stage| stage.name.value.clone()).collect();
    // By work: the stage that leaves it.
    let mut leaves: BTreeMap<usize, StageName> = BTreeMap::new();
    for chain in free(known) {
        if let Some(end) = chain.after.last() {
            leaves.entry(*end).or_insert_with(|| plan.stage(chain.id).name.value.clone());
        }
    }
    let mut new = Vec::new();
    for chain in free(known) {
        let stage = &mut rewritten.stages[chain.id.index()];
        let (mut start, mut from) = (0, stage.from.clone());
        for (place, done) in chain.after.iter().enumerate() {
            let is_end = place + 1 == chain.after.len();
            let has_work = chain.pieces[start..=place].iter().any(|piece| piece.changes_files);
            let Some(wish) = shared.get(done).filter(|_| !is_end && has_work) else { continue };
            let name = match leaves.get(done) {
                Some(name) => name.clone(),
                None => {
                    let name = stage_name(wish, &taken);
                    taken.insert(name.clone());
                    leaves.insert(*done, name.clone());
                    new.push(Stage {
                        name: Spanned::new(name.clone(), stage.name.span),
                        phase: None,
                        from: from.clone(),
                        provides: BTreeSet::new(),
                        ops: pieces::ops(chain.pieces[start..=place].to_vec()),
                    });
                    name
                }
            };
            notes.push(Note::did(stage.name.span, format!("{} begins with what {name} does", stage.name)));
            from = Some(Spanned::nowhere(Input::Stage(name)));
            start = place + 1;
        }
        if start > 0 {
            stage.from = from;
            stage.ops = pieces::ops(chain.pieces[start..].to_vec());
        }
    }
    rewritten.stages.extend(new);
    for (name, other) in &known.instead {
        let stage = plan.stage(plan.id(name));
        notes.push(Note::did(stage.name.span, format!("{name} does what {other} does")));
        let other = &mut rewritten.stages[plan.id(other).index()];
        if other.phase != stage.phase {
            // In which phase it stands has told its place among stages, which are all named now.
            other.phase = None;
        }
        other.provides.extend(stage.provides.iter().cloned());
    }
    rewritten.stages.retain(|stage| !known.instead.contains_key(&stage.name.value));
    let replace = |input: &mut Spanned<Input>| {
        if let Input::Stage(name) = &input.value
            && let Some(other) = known.instead.get(name)
        {
            input.value = Input::Stage(other.clone());
        }
    };
    for stage in &mut rewritten.stages {
        stage.for_each_input_mut(replace);
    }
    if let Some(export) = &mut rewritten.export {
        replace(&mut export.from);
    }
    Rewrite { plan: (!notes.is_empty()).then_some(rewritten), notes }
}
