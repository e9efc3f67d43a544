//! Dependency groups (PEP 735), each with what it includes of others.

use std::collections::BTreeMap;

use cogpack_frontends_source::Place;
use cogpack_ir::suggest::{did_you_mean, nearest};
use cogpack_packages_wheels::file_name::normalised;
use toml::de::DeTable;

use super::PyprojectFinding;
use super::tables::{Reading, get};
use crate::requirements::Stated;

/// A line of a group.
enum Item {
    Requirement(Box<Stated>),
    Include(String, Place),
}

/// Longest chain of groups in groups.
const DEPTH: usize = 50;

pub(super) fn read(reading: &mut Reading<'_>, table: &DeTable<'_>) -> BTreeMap<String, Vec<Stated>> {
    let mut groups: BTreeMap<String, Vec<Item>> = BTreeMap::new();
    for (name, value) in table {
        let key = format!("dependency-groups.{}", name.get_ref());
        let mut items = Vec::new();
        for item in reading.list(&key, value) {
            let Some(include) = item.get_ref().as_table() else {
                items.extend(reading.requirement(&key, item).map(|one| Item::Requirement(Box::new(one))));
                continue;
            };
            match get(include, "include-group") {
                Some(included) => {
                    let included = reading.text(&format!("{key}.include-group"), included);
                    items.extend(included.map(|name| Item::Include(normalised(&name), name.place)));
                }
                None => reading.wrong(&key, "a requirement or `{ include-group = … }`", item),
            }
        }
        groups.insert(normalised(name.get_ref()), items);
    }
    let mut flat = BTreeMap::new();
    for name in groups.keys() {
        let mut stated = Vec::new();
        follow(reading, &groups, name, &mut vec![name], &mut stated);
        flat.insert(name.clone(), stated);
    }
    flat
}

fn follow<'g>(
    reading: &mut Reading<'_>,
    groups: &'g BTreeMap<String, Vec<Item>>,
    name: &str,
    open: &mut Vec<&'g String>,
    stated: &mut Vec<Stated>,
) {
    for item in groups.get(name).into_iter().flatten() {
        match item {
            // One that two groups bring is there once.
            Item::Requirement(one) if stated.contains(&**one) => {}
            Item::Requirement(one) => stated.push((**one).clone()),
            Item::Include(included, place) => match groups.get_key_value(included) {
                None => {
                    let names = groups.keys().map(String::as_str);
                    let way_out =
                        did_you_mean(nearest(included, names), "write the group, or take this away");
                    let (name, place) = (included.clone(), *place);
                    told_once(reading, PyprojectFinding::UnknownGroup { name, way_out, place });
                }
                Some((known, _)) if open.contains(&known) || open.len() > DEPTH => {
                    let from = open.iter().position(|open| *open == known).unwrap_or_default();
                    let circle = open.iter().skip(from).copied().chain([known]);
                    let chain = circle.map(String::as_str).collect::<Vec<_>>().join(" → ");
                    told_once(reading, PyprojectFinding::GroupCycle { chain, place: *place });
                }
                Some((known, _)) => {
                    open.push(known);
                    follow(reading, groups, known, open, stated);
                    open.pop();
                }
            },
        }
    }
}

/// Each group leads to the same circle; of each place one finding is enough.
fn told_once(reading: &mut Reading<'_>, finding: PyprojectFinding) {
    let place_of = |finding: &PyprojectFinding| match finding {
        PyprojectFinding::UnknownGroup { place, .. } | PyprojectFinding::GroupCycle { place, .. } => {
            Some(*place)
        }
        PyprojectFinding::Requirement(_)
        | PyprojectFinding::Syntax { .. }
        | PyprojectFinding::WrongType { .. }
        | PyprojectFinding::Name { .. }
        | PyprojectFinding::RequiresPython { .. }
        | PyprojectFinding::Dynamic { .. }
        | PyprojectFinding::Poetry { .. }
        | PyprojectFinding::SettingsTwice { .. }
        | PyprojectFinding::UnknownSetting { .. }
        | PyprojectFinding::Setting { .. } => None,
    };
    let place = place_of(&finding);
    if !reading.findings.iter().any(|known| place_of(known) == place) {
        reading.findings.push(finding);
    }
}
