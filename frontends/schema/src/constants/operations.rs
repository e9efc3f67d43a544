//! The operations on values that are worked out, as Python does them. `None` is for all others.

use crate::model::Value;

/// Most items that `range` gives.
const LONGEST_RANGE: i128 = 1000;

/// Most memory that `text * number` and `list * number` take, about.
const LARGEST_REPEATED: usize = 1 << 16;

/// How much memory a value takes, about.
pub(super) fn size(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::List(values) => values.iter().map(|value| 16 + size(value)).sum(),
        Value::Dict(pairs) => pairs.iter().map(|(key, value)| 32 + size(key) + size(value)).sum(),
        Value::None | Value::Bool(_) | Value::Integer(_) | Value::Float(_) => 1,
    }
}

/// What keys of a dict have in common that are one key to Python: `1`, `1.0` and `True` are.
pub(super) fn hashed(key: &Value) -> String {
    match key {
        Value::None => "None".to_owned(),
        Value::Bool(is) => i32::from(*is).to_string(),
        Value::Integer(number) => number.to_string(),
        // Written out in full, and zero without its sign.
        Value::Float(number) => format!("{}", number + 0.0),
        Value::Text(text) => format!("{text:?}"),
        Value::List(values) => {
            let parts: Vec<String> = values.iter().map(hashed).collect();
            format!("({})", parts.join(", "))
        }
        // No key at all, to Python.
        Value::Dict(_) => format!("{key:?}"),
    }
}

/// `-a`, `+a`, `~a`
pub(super) fn unary(operator: &str, argument: &Value) -> Option<Value> {
    match (operator, argument) {
        ("-", Value::Integer(number)) => number.checked_neg().map(Value::Integer),
        ("-", Value::Float(number)) => Some(Value::Float(-number)),
        ("+", Value::Integer(_) | Value::Float(_)) => Some(argument.clone()),
        ("~", Value::Integer(number)) => Some(Value::Integer(!number)),
        _ => None,
    }
}

/// `a + b`
pub(super) fn binary(left: &Value, operator: &str, right: &Value) -> Option<Value> {
    match (left, right) {
        (Value::Integer(left), Value::Integer(right)) => integers(*left, operator, *right),
        (Value::Integer(_) | Value::Float(_), Value::Integer(_) | Value::Float(_)) => {
            floats(left.as_number()?, operator, right.as_number()?)
        }
        (Value::Text(left), Value::Text(right)) if operator == "+" => {
            Some(Value::Text(format!("{left}{right}")))
        }
        (Value::List(left), Value::List(right)) if operator == "+" => {
            Some(Value::List(left.iter().chain(right).cloned().collect()))
        }
        (value, Value::Integer(times)) | (Value::Integer(times), value) if repeats(left, operator, right) => {
            repeated(value, *times)
        }
        _ => None,
    }
}

/// Whether this is `text * number` or `list * number`.
pub(super) fn repeats(left: &Value, operator: &str, right: &Value) -> bool {
    let is_sequence = |value: &Value| matches!(value, Value::Text(_) | Value::List(_));
    let is_number = |value: &Value| matches!(value, Value::Integer(_));
    operator == "*" && ((is_sequence(left) && is_number(right)) || (is_number(left) && is_sequence(right)))
}

/// `"-" * 3`; nothing is left where the number is negative.
fn repeated(value: &Value, times: i128) -> Option<Value> {
    let times = usize::try_from(times.max(0)).ok()?;
    size(value).checked_mul(times).filter(|size| *size <= LARGEST_REPEATED)?;
    match value {
        Value::Text(text) => Some(Value::Text(text.repeat(times))),
        Value::List(values) => {
            let times = if values.is_empty() { 0 } else { times };
            Some(Value::List((0..times).flat_map(|_| values.iter().cloned()).collect()))
        }
        Value::None | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Dict(_) => None,
    }
}

fn integers(left: i128, operator: &str, right: i128) -> Option<Value> {
    let whole = match operator {
        "+" => left.checked_add(right),
        "-" => left.checked_sub(right),
        "*" => left.checked_mul(right),
        // Python rounds down, and gives the remainder the sign of the divisor.
        "//" if right > 0 => left.checked_div_euclid(right),
        "%" if right > 0 => left.checked_rem_euclid(right),
        "**" => left.checked_pow(u32::try_from(right).ok()?),
        "<<" => left.checked_mul(2_i128.checked_pow(u32::try_from(right).ok()?)?),
        "/" => {
            return floats(Value::Integer(left).as_number()?, operator, Value::Integer(right).as_number()?);
        }
        _ => None,
    };
    whole.map(Value::Integer)
}

fn floats(left: f64, operator: &str, right: f64) -> Option<Value> {
    let number = match operator {
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        "/" => left / right,
        _ => return None,
    };
    number.is_finite().then_some(Value::Float(number))
}

/// `object[key]`
pub(super) fn item(object: &Value, key: &Value) -> Option<Value> {
    match (object, key) {
        (Value::List(values), Value::Integer(index)) => {
            let from_the_end = i128::try_from(values.len()).ok()?.checked_add(*index)?;
            let index = if *index < 0 { from_the_end } else { *index };
            values.get(usize::try_from(index).ok()?).cloned()
        }
        (Value::Dict(pairs), key) => {
            let key = hashed(key);
            pairs.iter().find(|(known, _)| hashed(known) == key).map(|(_, value)| value.clone())
        }
        _ => None,
    }
}

/// `object.method()`
pub(super) fn method(object: &Value, method: &str) -> Option<Value> {
    match (object, method) {
        (Value::Dict(pairs), "keys") => Some(Value::List(pairs.iter().map(|(key, _)| key.clone()).collect())),
        (Value::Dict(pairs), "values") => {
            Some(Value::List(pairs.iter().map(|(_, value)| value.clone()).collect()))
        }
        (Value::Dict(_) | Value::List(_), "copy") => Some(object.clone()),
        (Value::Text(text), "strip") => Some(Value::Text(text.trim().to_owned())),
        (Value::Text(text), "lower") => Some(Value::Text(text.to_lowercase())),
        (Value::Text(text), "upper") => Some(Value::Text(text.to_uppercase())),
        _ => None,
    }
}

/// `name(arguments)`
pub(super) fn builtin(name: &str, arguments: &[Value]) -> Option<Value> {
    match (name, arguments) {
        ("list" | "tuple", [Value::List(_)]) => arguments.first().cloned(),
        ("list" | "tuple", []) => Some(Value::List(Vec::new())),
        ("sorted", [Value::List(values)]) => sorted(values).map(Value::List),
        ("range", _) => range(arguments),
        ("str", [Value::Text(text)]) => Some(Value::Text(text.clone())),
        ("str", [Value::Integer(number)]) => Some(Value::Text(number.to_string())),
        ("int", [Value::Integer(number)]) => Some(Value::Integer(*number)),
        ("float", [Value::Integer(_) | Value::Float(_)]) => arguments[0].as_number().map(Value::Float),
        ("len", [Value::List(values)]) => i128::try_from(values.len()).ok().map(Value::Integer),
        ("len", [Value::Dict(pairs)]) => i128::try_from(pairs.len()).ok().map(Value::Integer),
        _ => None,
    }
}

fn sorted(values: &[Value]) -> Option<Vec<Value>> {
    let mut texts: Vec<&str> = Vec::new();
    let mut numbers: Vec<i128> = Vec::new();
    for value in values {
        match value {
            Value::Text(text) => texts.push(text),
            Value::Integer(number) => numbers.push(*number),
            Value::None | Value::Bool(_) | Value::Float(_) | Value::List(_) | Value::Dict(_) => return None,
        }
    }
    texts.sort_unstable();
    numbers.sort_unstable();
    match (texts.is_empty(), numbers.is_empty()) {
        (_, true) => Some(texts.into_iter().map(|text| Value::Text(text.to_owned())).collect()),
        (true, false) => Some(numbers.into_iter().map(Value::Integer).collect()),
        (false, false) => None,
    }
}

fn range(arguments: &[Value]) -> Option<Value> {
    let numbers: Option<Vec<i128>> = arguments
        .iter()
        .map(|argument| if let Value::Integer(number) = argument { Some(*number) } else { None })
        .collect();
    let (from, to, step) = match numbers?.as_slice() {
        [to] => (0, *to, 1),
        [from, to] => (*from, *to, 1),
        [from, to, step] => (*from, *to, *step),
        _ => return None,
    };
    let step = usize::try_from(step).ok().filter(|step| *step > 0)?;
    let many = to.checked_sub(from)? / i128::try_from(step).ok()? > LONGEST_RANGE;
    (!many).then(|| Value::List((from..to).step_by(step).map(Value::Integer).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_worked_out_as_python_does() {
        let of = |left, operator, right| binary(&Value::Integer(left), operator, &Value::Integer(right));
        assert_eq!(of(2, "**", 32), Some(Value::Integer(1 << 32)));
        assert_eq!(of(-7, "//", 2), Some(Value::Integer(-4)));
        assert_eq!(of(-7, "%", 2), Some(Value::Integer(1)));
        assert_eq!(of(1, "/", 4), Some(Value::Float(0.25)));
        assert_eq!(of(1, "<<", 20), Some(Value::Integer(1 << 20)));
        for (left, operator, right) in [
            (2, "**", 1000),
            (2, "**", -1),
            (1, "/", 0),
            (1, "//", 0),
            (i128::MAX, "+", 1),
            (1, "<<", 500),
            (1, "@", 1),
        ] {
            assert_eq!(of(left, operator, right), None, "{left} {operator} {right}");
        }
        assert_eq!(unary("-", &Value::Integer(i128::MIN)), None);
    }

    #[test]
    fn texts_and_lists_are_repeated_up_to_a_size() {
        let text = |text: &str| Value::Text(text.to_owned());
        let of = |left: &Value, right: i128| binary(left, "*", &Value::Integer(right));
        assert_eq!(of(&text("ab"), 3), Some(text("ababab")));
        assert_eq!(binary(&Value::Integer(2), "*", &text("é")), Some(text("éé")));
        assert_eq!(of(&text("ab"), -1), Some(text("")));
        assert_eq!(of(&text(""), i128::from(u64::MAX)), Some(text("")));
        assert_eq!(of(&Value::List(vec![text("a")]), 2), Some(Value::List(vec![text("a"), text("a")])));
        assert_eq!(of(&Value::List(vec![]), i128::from(u64::MAX)), Some(Value::List(vec![])));
        assert!(of(&text("x"), 1 << 16).is_some());
        let nested = Value::List(vec![of(&text("x"), 1 << 15).unwrap()]);
        for (value, times) in [(&text("x"), (1 << 16) + 1), (&text("x"), i128::MAX), (&nested, 2)] {
            assert_eq!(of(value, times), None, "{times}");
        }
        assert_eq!(binary(&text("a"), "*", &Value::Float(2.0)), None);
    }

    #[test]
    fn ranges_have_an_end() {
        let integers = |numbers: &[i128]| numbers.iter().copied().map(Value::Integer).collect::<Vec<_>>();
        assert_eq!(builtin("range", &integers(&[2, 9, 3])), Some(Value::List(integers(&[2, 5, 8]))));
        assert_eq!(builtin("range", &integers(&[i128::MAX])), None);
        assert_eq!(builtin("range", &integers(&[i128::MIN, i128::MAX])), None);
        assert_eq!(builtin("range", &integers(&[0, 5, 0])), None);
        assert_eq!(builtin("range", &integers(&[5, 0])), Some(Value::List(vec![])));
    }
}
