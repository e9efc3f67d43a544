//! What turns one plan into another, for programs: a JSON Patch (RFC 6902) of the plan's JSON form.
//!
//! [`between`] writes `add`, `remove`, `replace` and `move`; [`apply`] takes these and `test`. What
//! is applied to a plan gives the other exactly, in canonical order. Stages are known again by what
//! the comparison holds to be the same stage, so a stage that is renamed is one `replace` of its
//! name, and one that has moved is one `move`.

use cogpack_ir::finding::Finding;
use cogpack_ir::json;
use cogpack_ir::plan::Plan;
use serde_json::{Map, Value};

use crate::sequence;

/// Why edits cannot be applied.
#[derive(Debug, thiserror::Error)]
pub enum Unapplied {
    /// An edit is none of a patch.
    #[error("edit {number} is not one that can be applied: {reason}")]
    Edit {
        /// Counted from 1.
        number: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// What came of them is no plan.
    #[error("what the edits make is no plan")]
    NoPlan(Vec<Finding>),
}

/// What turns `before` into `after`. `same` pairs places of stages in both, each place once.
pub fn between(before: &Plan, after: &Plan, same: &[(usize, usize)]) -> Vec<Value> {
    let (mut old, new) = (as_value(before), as_value(after));
    let mut patch = Patch { edits: Vec::new(), at: Vec::new() };
    let (old_stages, new_stages) = (taken(&mut old, "stages"), stages_of(&new));
    if old_stages.is_empty() && !new_stages.is_empty() {
        // A list that is empty is left out.
        patch.within("stages", |patch| patch.edit("add", Some(&Value::Array(Vec::new()))));
    }
    patch.stages(old_stages, new_stages, same);
    let mut new = new;
    if let Some(object) = new.as_object_mut() {
        object.remove("stages");
    }
    patch.value(&old, &new);
    patch.edits
}

/// The plan that edits make of one.
pub fn apply(plan: &Plan, edits: &[Value]) -> Result<Plan, Unapplied> {
    let mut document = as_value(plan);
    for (place, edit) in edits.iter().enumerate() {
        let number = place + 1;
        apply_one(&mut document, edit).map_err(|reason| Unapplied::Edit { number, reason })?;
    }
    json::read(&document.to_string()).map_err(Unapplied::NoPlan)
}

fn as_value(plan: &Plan) -> Value {
    // What was written as JSON can be read as it.
    serde_json::from_str(&json::write(plan)).unwrap_or_default()
}

fn taken(document: &mut Value, key: &str) -> Vec<Value> {
    match document.as_object_mut().and_then(|object| object.remove(key)) {
        Some(Value::Array(list)) => list,
        Some(_) | None => Vec::new(),
    }
}

fn stages_of(document: &Value) -> &[Value] {
    document.get("stages").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

struct Patch {
    edits: Vec<Value>,
    /// Where the values stand that are compared.
    at: Vec<String>,
}

impl Patch {
    fn edit(&mut self, op: &str, value: Option<&Value>) {
        let mut edit = Map::new();
        edit.insert("op".to_owned(), op.into());
        edit.insert("path".to_owned(), pointer(&self.at).into());
        edit.extend(value.map(|value| ("value".to_owned(), value.clone())));
        self.edits.push(Value::Object(edit));
    }

    fn within(&mut self, key: impl Into<String>, does: impl FnOnce(&mut Self)) {
        self.at.push(key.into());
        does(self);
        self.at.pop();
    }

    /// Stages: those that are gone, then those that have moved or come, then what has changed in each.
    fn stages(&mut self, old: Vec<Value>, new: &[Value], same: &[(usize, usize)]) {
        self.at.push("stages".to_owned());
        let mut of_old: Vec<Option<usize>> = vec![None; old.len()];
        let mut of_new: Vec<Option<usize>> = vec![None; new.len()];
        for (one, other) in same {
            (of_old[*one], of_new[*other]) = (Some(*other), Some(*one));
        }
        for place in (0..old.len()).rev().filter(|place| of_old[*place].is_none()) {
            self.within(place.to_string(), |patch| patch.edit("remove", None));
        }
        // What is left of the old list, each by its place in the new one.
        let mut list: Vec<usize> = of_old.iter().flatten().copied().collect();
        let mut sorted = list.clone();
        sorted.sort_unstable();
        let stay = sequence::common(&list, &sorted);
        let mut stays = vec![false; new.len()];
        stay.iter().for_each(|(place, _)| stays[list[*place]] = true);
        // In order, so what stands before a place is as it will be.
        for (place, stage) in new.iter().enumerate() {
            let key = place.to_string();
            if of_new[place].is_none() {
                self.within(key, |patch| patch.edit("add", Some(stage)));
                list.insert(place, place);
            } else if list.get(place) != Some(&place) {
                // It is behind this place: all before it is in order.
                let Some(from) = list.iter().skip(place).position(|it| *it == place) else { continue };
                let (from, path) = (place + from, [self.at.as_slice(), &[key]].concat());
                if stays[place] {
                    // What is in its way moves instead, to the end; its turn will come.
                    for _ in place..from {
                        let (last, moved) = (list.len() - 1, list.remove(place));
                        self.moved(&path, last);
                        list.push(moved);
                    }
                } else {
                    let mut edit = Map::new();
                    edit.insert("op".to_owned(), "move".into());
                    edit.insert("from".to_owned(), format!("{}/{from}", pointer(&self.at)).into());
                    edit.insert("path".to_owned(), pointer(&path).into());
                    self.edits.push(Value::Object(edit));
                    let moved = list.remove(from);
                    list.insert(place, moved);
                }
            }
        }
        for (place, stage) in new.iter().enumerate() {
            if let Some(before) = of_new[place] {
                self.within(place.to_string(), |patch| patch.value(&old[before], stage));
            }
        }
        self.at.pop();
    }

    /// Moves what stands at `from` to a place of the list.
    fn moved(&mut self, from: &[String], to: usize) {
        let mut edit = Map::new();
        edit.insert("op".to_owned(), "move".into());
        edit.insert("from".to_owned(), pointer(from).into());
        edit.insert("path".to_owned(), format!("{}/{to}", pointer(&self.at)).into());
        self.edits.push(Value::Object(edit));
    }

    fn value(&mut self, old: &Value, new: &Value) {
        match (old, new) {
            _ if old == new => {}
            (Value::Object(old), Value::Object(new)) => {
                for (key, value) in old {
                    match new.get(key) {
                        Some(other) => self.within(key, |patch| patch.value(value, other)),
                        None => self.within(key, |patch| patch.edit("remove", None)),
                    }
                }
                for (key, value) in new.iter().filter(|(key, _)| !old.contains_key(*key)) {
                    self.within(key, |patch| patch.edit("add", Some(value)));
                }
            }
            (Value::Array(old), Value::Array(new)) => self.list(old, new),
            _ => self.edit("replace", Some(new)),
        }
    }

    /// Lists: from the end, so that places before it stay what they are.
    fn list(&mut self, old: &[Value], new: &[Value]) {
        let texts = |list: &[Value]| -> Vec<cogpack_content::Digest> {
            list.iter().map(|value| cogpack_content::Digest::of(value.to_string().as_bytes())).collect()
        };
        let mut pairs = sequence::common(&texts(old), &texts(new));
        pairs.reverse();
        let (mut old_end, mut new_end) = (old.len(), new.len());
        pairs.push((usize::MAX, usize::MAX));
        for (old_same, new_same) in pairs {
            let old_start = if old_same == usize::MAX { 0 } else { old_same + 1 };
            let new_start = if new_same == usize::MAX { 0 } else { new_same + 1 };
            let both = (old_end - old_start).min(new_end - new_start);
            for place in (old_start + both..old_end).rev() {
                self.within(place.to_string(), |patch| patch.edit("remove", None));
            }
            for (more, value) in new[new_start + both..new_end].iter().enumerate() {
                let at = old_start + both + more;
                self.within(at.to_string(), |patch| patch.edit("add", Some(value)));
            }
            for more in 0..both {
                self.within((old_start + more).to_string(), |patch| {
                    patch.value(&old[old_start + more], &new[new_start + more]);
                });
            }
            (old_end, new_end) = (old_same.min(old_end), new_same.min(new_end));
        }
    }
}

fn pointer(at: &[String]) -> String {
    at.iter().fold(String::new(), |path, part| path + "/" + &part.replace('~', "~0").replace('/', "~1"))
}

fn apply_one(document: &mut Value, edit: &Value) -> Result<(), String> {
    let text =
        |key: &str| edit.get(key).and_then(Value::as_str).ok_or_else(|| format!("it has no text `{key}`"));
    let value = || edit.get("value").cloned().ok_or_else(|| "it has no `value`".to_owned());
    match text("op")? {
        "add" => add(document, text("path")?, value()?),
        "remove" => remove(document, text("path")?).map(drop),
        "replace" => {
            let path = text("path")?;
            let place = document.pointer_mut(path).ok_or_else(|| nothing_at(path))?;
            *place = value()?;
            Ok(())
        }
        "move" => {
            let moved = remove(document, text("from")?)?;
            add(document, text("path")?, moved)
        }
        "test" => {
            let path = text("path")?;
            match document.pointer(path) == Some(&value()?) {
                true => Ok(()),
                false => Err(format!("`{path}` is something else")),
            }
        }
        other => Err(format!("`{other}` is no edit")),
    }
}

fn nothing_at(path: &str) -> String {
    format!("there is nothing at `{path}`")
}

/// What holds the value of a path, and the value's own key in it.
fn holder<'d>(document: &'d mut Value, path: &str) -> Result<(&'d mut Value, String), String> {
    let (above, key) = path.rsplit_once('/').ok_or_else(|| format!("`{path}` is no path"))?;
    let holder = document.pointer_mut(above).ok_or_else(|| nothing_at(above))?;
    Ok((holder, key.replace("~1", "/").replace("~0", "~")))
}

fn add(document: &mut Value, path: &str, value: Value) -> Result<(), String> {
    match holder(document, path)? {
        (Value::Object(object), key) => drop(object.insert(key, value)),
        (Value::Array(list), key) if key == "-" => list.push(value),
        (Value::Array(list), key) => match key.parse() {
            Ok(place) if place <= list.len() => list.insert(place, value),
            Ok(_) | Err(_) => return Err(nothing_at(path)),
        },
        (_, _) => return Err(nothing_at(path)),
    }
    Ok(())
}

fn remove(document: &mut Value, path: &str) -> Result<Value, String> {
    match holder(document, path)? {
        (Value::Object(object), key) => object.remove(&key),
        (Value::Array(list), key) => match key.parse() {
            Ok(place) if place < list.len() => Some(list.remove(place)),
            Ok(_) | Err(_) => None,
        },
        (_, _) => None,
    }
    .ok_or_else(|| nothing_at(path))
}
