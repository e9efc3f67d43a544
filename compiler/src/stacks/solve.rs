//! Choosing one of each of several things, so that all wishes hold: a thin face of `resolvo`.
//!
//! A [`Thing`] has choices in the order in which they are liked, and a choice may ask for certain
//! choices of other things. A wish asks for certain choices too. Where no choice keeps all wishes,
//! [`Choices::conflict`] names some that cannot be kept together, and none too many. What things and
//! wishes mean is known to whoever asks.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::future::{Future, ready};

use resolvo::{
    Candidates, Condition, ConditionId, DenseIndex, Dependencies, DependencyProvider,
    HintDependenciesAvailable, Interner, KnownDependencies, NameId, Problem, SolvableId, Solver, SolverCache,
    StringId, VersionSetId, VersionSetUnionId,
};

/// Something of which one choice is taken.
#[derive(Debug, Clone, Default)]
pub struct Thing {
    /// Its choices, the one that is liked best first; each with what it asks for.
    pub choices: Vec<Vec<Need>>,
    /// Whether one of them is taken even where no choice of another thing asks for it.
    pub is_always_taken: bool,
}

/// Certain choices of a thing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// The place of the thing.
    pub of: usize,
    /// The places of its choices that will do.
    pub choices: BTreeSet<usize>,
    /// Whether one of them is to be taken; else they only count where one is taken anyway. What choices
    /// ask for is always taken.
    pub takes: bool,
}

/// What there is to choose from.
#[derive(Debug, Clone, Default)]
pub struct Choices {
    /// The things.
    pub things: Vec<Thing>,
}

impl Choices {
    /// The choice that is taken of each thing that one is taken of, so that all wishes hold.
    pub fn solve(&self, wishes: &[Vec<Need>]) -> Option<BTreeMap<usize, usize>> {
        let mut table = Table::new(self);
        let always = self.things.iter().enumerate().filter(|(_, thing)| thing.is_always_taken);
        let always: Vec<Need> = always
            .map(|(of, thing)| Need { of, choices: (0..thing.choices.len()).collect(), takes: true })
            .collect();
        let (mut taken, mut limits) = (Vec::new(), Vec::new());
        for need in always.iter().chain(wishes.iter().flatten()) {
            let set = table.set(need);
            let sets = if need.takes { &mut taken } else { &mut limits };
            sets.push(set);
        }
        let problem =
            Problem::new().requirements(taken.into_iter().map(Into::into).collect()).constraints(limits);
        let solved = Solver::new(table).solve(problem).ok()?;
        let starts = starts(self);
        let place = |id: SolvableId| {
            let id = id.into_raw() as usize;
            let of = starts.partition_point(|start| *start <= id) - 1;
            (of, id - starts[of])
        };
        Some(solved.into_iter().map(place).collect())
    }

    /// Wishes that cannot be kept together, by their places: without any one of them the others can.
    /// Nothing where all can. Of several such sets it is one that has the later wishes rather than the
    /// earlier ones, and need not be the smallest.
    pub fn conflict(&self, wishes: &[Vec<Need>]) -> Vec<usize> {
        let of = |places: &[usize]| places.iter().map(|place| wishes[*place].clone()).collect::<Vec<_>>();
        let mut places: Vec<usize> = (0..wishes.len()).collect();
        if self.solve(wishes).is_some() {
            return Vec::new();
        }
        for place in 0..wishes.len() {
            let without: Vec<usize> = places.iter().copied().filter(|other| *other != place).collect();
            if self.solve(&of(&without)).is_none() {
                places = without;
            }
        }
        places
    }
}

/// The number of the first choice of each thing, where all choices are counted in a row.
fn starts(choices: &Choices) -> Vec<usize> {
    let mut next = 0;
    let mut start = |thing: &Thing| {
        let start = next;
        next += thing.choices.len();
        start
    };
    choices.things.iter().map(&mut start).collect()
}

/// What `resolvo` asks for, by numbers.
struct Table<'c> {
    choices: &'c Choices,
    starts: Vec<usize>,
    /// Sets of choices; the needs of choices come first.
    sets: Vec<Need>,
    /// Which of the sets each choice asks for.
    needs: Vec<Vec<VersionSetId>>,
}

impl<'c> Table<'c> {
    fn new(choices: &'c Choices) -> Self {
        let mut table = Self { choices, starts: starts(choices), sets: Vec::new(), needs: Vec::new() };
        for choice in choices.things.iter().flat_map(|thing| &thing.choices) {
            let needs = choice.iter().map(|need| table.set(need)).collect();
            table.needs.push(needs);
        }
        table
    }

    fn set(&mut self, need: &Need) -> VersionSetId {
        self.sets.push(need.clone());
        VersionSetId::from_index(self.sets.len() - 1)
    }

    fn thing_of(&self, id: SolvableId) -> usize {
        self.starts.partition_point(|start| *start <= id.into_raw() as usize) - 1
    }

    fn id(&self, of: usize, choice: usize) -> SolvableId {
        // There are as many choices as tables have lines.
        SolvableId::from_raw(u32::try_from(self.starts[of] + choice).unwrap_or(u32::MAX))
    }
}

/// Names are only for what `resolvo` says to people, which is not asked for.
impl Interner for Table<'_> {
    type NameId = NameId;
    type SolvableId = SolvableId;

    fn display_solvable(&self, solvable: SolvableId) -> impl Display + '_ {
        solvable.into_raw()
    }

    fn display_name(&self, name: NameId) -> impl Display + '_ {
        name.into_raw()
    }

    fn display_version_set(&self, set: VersionSetId) -> impl Display + '_ {
        set.to_index()
    }

    fn display_string(&self, text: StringId) -> impl Display + '_ {
        text.to_index()
    }

    fn version_set_name(&self, set: VersionSetId) -> NameId {
        NameId::from_raw(u32::try_from(self.sets[set.to_index()].of).unwrap_or(u32::MAX))
    }

    fn solvable_name(&self, solvable: SolvableId) -> NameId {
        NameId::from_raw(u32::try_from(self.thing_of(solvable)).unwrap_or(u32::MAX))
    }

    fn version_sets_in_union(&self, _: VersionSetUnionId) -> impl Iterator<Item = VersionSetId> {
        // No need is one of several sets.
        std::iter::empty()
    }

    fn resolve_condition(&self, condition: ConditionId) -> Condition {
        // No need has a condition, so nobody has a number of one.
        Condition::Requirement(VersionSetId(condition.as_u32()))
    }
}

impl DependencyProvider for Table<'_> {
    fn filter_candidates(
        &self,
        candidates: &[SolvableId],
        set: VersionSetId,
        inverse: bool,
    ) -> impl Future<Output = Vec<SolvableId>> {
        let need = &self.sets[set.to_index()];
        let is_in = |id: &SolvableId| {
            need.choices.contains(&(id.into_raw() as usize - self.starts[need.of])) != inverse
        };
        ready(candidates.iter().copied().filter(is_in).collect())
    }

    fn get_candidates(&self, name: NameId) -> impl Future<Output = Option<Candidates>> {
        let of = name.into_raw() as usize;
        let candidates = (0..self.choices.things[of].choices.len()).map(|choice| self.id(of, choice));
        ready(Some(Candidates {
            candidates: candidates.collect(),
            hint_dependencies_available: HintDependenciesAvailable::All,
            ..Candidates::default()
        }))
    }

    fn sort_candidates(
        &self,
        _: &SolverCache<Self>,
        solvables: &mut [SolvableId],
    ) -> impl Future<Output = ()> {
        solvables.sort();
        ready(())
    }

    fn get_dependencies(&self, solvable: SolvableId) -> impl Future<Output = Dependencies> {
        let needs = &self.needs[solvable.into_raw() as usize];
        ready(Dependencies::Known(KnownDependencies {
            requirements: needs.iter().map(|set| (*set).into()).collect(),
            constrains: Vec::new(),
        }))
    }
}
