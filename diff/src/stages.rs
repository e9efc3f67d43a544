//! Which stages of two plans are the same stage.
//!
//! In this order, each stage once: those of one name that say the same; those that say the same
//! under another name; those of one name; and of the rest those of which at least half is the same,
//! the most alike first. Where two are as good, the earlier one goes first, so the answer is always
//! the same.

use std::cmp::Reverse;

use cogpack_content::{Digest, Lookup};
use cogpack_ir::plan::StageName;

use crate::side::Side;

/// More stages than these that share an op say nothing of which is which.
const MOST_ALIKE: usize = 16;

/// By place: the stage of the other plan.
#[derive(Debug, Default)]
pub(crate) struct Pairs {
    pub(crate) old: Vec<Option<usize>>,
    pub(crate) new: Vec<Option<usize>>,
}

impl Pairs {
    fn pair(&mut self, old: usize, new: usize) {
        (self.old[old], self.new[new]) = (Some(new), Some(old));
    }

    /// All pairs, by place in the new plan.
    pub(crate) fn all(&self) -> Vec<(usize, usize)> {
        let pairs = self.new.iter().enumerate();
        pairs.filter_map(|(new, old)| Some(((*old)?, new))).collect()
    }
}

/// The pairs of two plans.
pub(crate) fn pairs(old: &Side<'_>, new: &Side<'_>) -> Pairs {
    let mut pairs = Pairs { old: vec![None; old.count()], new: vec![None; new.count()] };
    let names: Lookup<&StageName, usize> =
        (0..old.count()).map(|place| (&old.stage(place).name.value, place)).collect();
    let named = |new_place: usize| names.get(&new.stage(new_place).name.value).copied();
    for place in 0..new.count() {
        if let Some(other) = named(place).filter(|other| old.said[*other] == new.said[place]) {
            pairs.pair(other, place);
        }
    }
    let mut alike: Lookup<&[Digest], Vec<usize>> = Lookup::default();
    for place in (0..old.count()).rev().filter(|place| !old.said[*place].is_empty()) {
        if pairs.old[place].is_none() {
            match alike.get_mut(&*old.said[place]) {
                Some(places) => places.push(place),
                None => drop(alike.insert(&old.said[place], vec![place])),
            }
        }
    }
    for place in 0..new.count() {
        if pairs.new[place].is_none()
            && let Some(other) = alike.get_mut(&*new.said[place]).and_then(Vec::pop)
        {
            pairs.pair(other, place);
        }
    }
    for place in 0..new.count() {
        if pairs.new[place].is_none()
            && let Some(other) = named(place).filter(|other| pairs.old[*other].is_none())
        {
            pairs.pair(other, place);
        }
    }
    similar(old, new, &mut pairs);
    pairs
}

/// Pairs stages of which at least half is the same.
fn similar(old: &Side<'_>, new: &Side<'_>, pairs: &mut Pairs) {
    let mut holding: Lookup<Digest, Vec<usize>> = Lookup::default();
    for place in (0..old.count()).filter(|place| pairs.old[*place].is_none()) {
        for says in &old.said[place] {
            match holding.get_mut(says) {
                Some(places) if places.len() <= MOST_ALIKE => places.push(place),
                Some(_) => {}
                None => drop(holding.insert(*says, vec![place])),
            }
        }
    }
    let mut found = Vec::new();
    for place in (0..new.count()).filter(|place| pairs.new[*place].is_none()) {
        let mut others: Vec<usize> = Vec::new();
        for says in &new.said[place] {
            let places = holding.get(says).filter(|places| places.len() <= MOST_ALIKE);
            others.extend(places.into_iter().flatten());
        }
        others.sort_unstable();
        for others in others.chunk_by(|one, other| one == other) {
            let all = new.said[place].len() + old.said[others[0]].len();
            let shared = others.len().min(all / 2);
            if shared * 4 >= all {
                found.push((Reverse(shared * 1000 / all), others[0], place));
            }
        }
    }
    found.sort_unstable();
    for (_, other, place) in found {
        if pairs.old[other].is_none() && pairs.new[place].is_none() {
            pairs.pair(other, place);
        }
    }
}
