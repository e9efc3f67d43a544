//! Environment markers: for which Pythons, platforms, extras and groups a package is locked.
//!
//! The grammar is that of the specification of dependency specifiers (PEP 508), together with the
//! two sets that lock files add to it (PEP 751): `extras` and `dependency_groups`. Published
//! readers of markers do not know these, which is why there is one here.

use std::collections::BTreeSet;
use std::str::FromStr;

use pep440_rs::{Version, VersionSpecifier};

use crate::file_name::normalised;
use crate::target::{Target, machine};

/// What a marker is asked about.
#[derive(Debug, Clone)]
pub struct Environment<'a> {
    /// The Python and the platform.
    pub target: &'a Target,
    /// The last number of the Python's version.
    pub patch: u32,
    /// The extras that are wanted, by normalised name.
    pub extras: &'a BTreeSet<String>,
    /// The groups that are wanted, by normalised name.
    pub groups: &'a BTreeSet<String>,
}

/// A marker that cannot be read, or that asks for what nobody can know before a build.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMarker {
    /// Something else should stand there.
    #[error("expected {expected}, found `{found}`")]
    Syntax {
        /// What is missing.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// It has no end, or no sense.
    #[error("it is nested more than {DEPTH} deep")]
    Depth,
    /// A variable that says something of the machine that installs.
    #[error("`{0}` is nothing that is known of an image before it runs")]
    Unknowable(String),
    /// A comparison that means nothing.
    #[error("`{0}` compares what cannot be compared so")]
    Comparison(String),
}

/// Brackets in brackets; more than anybody writes, and less than a stack.
const DEPTH: usize = 50;

/// A marker, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker(Expression);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Expression {
    Any(Vec<Self>),
    All(Vec<Self>),
    Compared { left: Operand, operator: String, right: Operand },
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Operand {
    Variable(String),
    Text(String),
}

impl FromStr for Marker {
    type Err = InvalidMarker;

    fn from_str(text: &str) -> Result<Self, InvalidMarker> {
        let mut reader = Reader { rest: text, depth: 0 };
        let expression = reader.any()?;
        if reader.rest.trim_start().is_empty() {
            Ok(Self(expression))
        } else {
            Err(reader.expected("`and` or `or`"))
        }
    }
}

struct Reader<'t> {
    rest: &'t str,
    depth: usize,
}

impl<'t> Reader<'t> {
    fn any(&mut self) -> Result<Expression, InvalidMarker> {
        let mut all = vec![self.all()?];
        while self.takes_word("or") {
            all.push(self.all()?);
        }
        Ok(Expression::Any(all))
    }

    fn all(&mut self) -> Result<Expression, InvalidMarker> {
        let mut all = vec![self.one()?];
        while self.takes_word("and") {
            all.push(self.one()?);
        }
        Ok(Expression::All(all))
    }

    fn one(&mut self) -> Result<Expression, InvalidMarker> {
        if self.takes("(") {
            self.depth += 1;
            if self.depth > DEPTH {
                return Err(InvalidMarker::Depth);
            }
            let inner = self.any()?;
            self.depth -= 1;
            return if self.takes(")") { Ok(inner) } else { Err(self.expected("`)`")) };
        }
        let left = self.operand()?;
        let operator = self.operator()?;
        Ok(Expression::Compared { left, operator, right: self.operand()? })
    }

    fn operator(&mut self) -> Result<String, InvalidMarker> {
        for operator in ["===", "==", "~=", "!=", "<=", ">=", "<", ">"] {
            if self.takes(operator) {
                return Ok(operator.to_owned());
            }
        }
        if self.takes_word("in") {
            return Ok("in".to_owned());
        }
        if self.takes_word("not") && self.takes_word("in") {
            return Ok("not in".to_owned());
        }
        Err(self.expected("a comparison"))
    }

    fn operand(&mut self) -> Result<Operand, InvalidMarker> {
        self.rest = self.rest.trim_start();
        for quote in ['"', '\''] {
            if let Some(text) = self.rest.strip_prefix(quote) {
                let (text, rest) = text.split_once(quote).ok_or_else(|| self.expected("a text that ends"))?;
                self.rest = rest;
                return Ok(Operand::Text(text.to_owned()));
            }
        }
        let word = self.word();
        if word.is_empty() {
            return Err(self.expected("a variable or a text in quotes"));
        }
        self.rest = self.rest.get(word.len()..).unwrap_or_default();
        Ok(Operand::Variable(word.to_owned()))
    }

    fn word(&self) -> &'t str {
        let end = self.rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        self.rest.get(..end.unwrap_or(self.rest.len())).unwrap_or_default()
    }

    fn takes(&mut self, sign: &str) -> bool {
        let rest = self.rest.trim_start().strip_prefix(sign);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn takes_word(&mut self, wanted: &str) -> bool {
        self.rest = self.rest.trim_start();
        self.word() == wanted && self.takes(wanted)
    }

    fn expected(&self, expected: &'static str) -> InvalidMarker {
        let found: String = self.rest.trim_start().chars().take(20).collect();
        let found = if found.is_empty() { "the end".to_owned() } else { found };
        InvalidMarker::Syntax { expected, found }
    }
}

/// What a variable stands for.
enum Value<'a> {
    Text(String),
    Names(&'a BTreeSet<String>),
}

impl Marker {
    /// Whether it holds there.
    pub fn holds(&self, environment: &Environment<'_>) -> Result<bool, InvalidMarker> {
        self.0.holds(environment)
    }
}

impl Expression {
    // Every part is asked, so that a marker is refused, or is not, whatever the environment.
    fn holds(&self, environment: &Environment<'_>) -> Result<bool, InvalidMarker> {
        match self {
            Self::Any(parts) => {
                parts.iter().try_fold(false, |before, part| Ok(part.holds(environment)? || before))
            }
            Self::All(parts) => {
                parts.iter().try_fold(true, |before, part| Ok(part.holds(environment)? && before))
            }
            Self::Compared { left, operator, right } => compared(left, operator, right, environment),
        }
    }
}

fn compared(
    left: &Operand,
    operator: &str,
    right: &Operand,
    environment: &Environment<'_>,
) -> Result<bool, InvalidMarker> {
    let shown = || InvalidMarker::Comparison(format!("{} {operator} {}", left.shown(), right.shown()));
    match (left.value(environment)?, right.value(environment)?) {
        (Value::Text(left), Value::Text(right)) => texts(&left, operator, &right).ok_or_else(shown),
        // `"name" in extras`, and `extra == "name"` as it was written before.
        (Value::Text(name), Value::Names(names)) | (Value::Names(names), Value::Text(name)) => {
            let is_there = names.contains(&normalised(&name));
            match operator {
                "in" | "==" => Ok(is_there),
                "not in" | "!=" => Ok(!is_there),
                _ => Err(shown()),
            }
        }
        (Value::Names(_), Value::Names(_)) => Err(shown()),
    }
}

/// Versions are compared as versions where both sides are; other texts letter by letter.
fn texts(left: &str, operator: &str, right: &str) -> Option<bool> {
    match operator {
        "in" => return Some(right.contains(left)),
        "not in" => return Some(!right.contains(left)),
        _ => {}
    }
    let version = left.parse::<Version>().ok();
    let specifier = format!("{operator}{right}").parse::<VersionSpecifier>().ok();
    if let (Some(version), Some(specifier)) = (version, specifier) {
        return Some(specifier.contains(&version));
    }
    // A version on the right, as in `"3.8" <= python_version`, is read from the right.
    let turned = match operator {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        other => other,
    };
    let version = right.parse::<Version>().ok();
    let specifier = format!("{turned}{left}").parse::<VersionSpecifier>().ok();
    if let (Some(version), Some(specifier)) = (version, specifier) {
        return Some(specifier.contains(&version));
    }
    match operator {
        "==" | "===" => Some(left == right),
        "!=" => Some(left != right),
        _ => None,
    }
}

impl Operand {
    fn shown(&self) -> String {
        match self {
            Self::Variable(name) => name.clone(),
            Self::Text(text) => format!("'{text}'"),
        }
    }

    fn value<'e>(&self, environment: &Environment<'e>) -> Result<Value<'e>, InvalidMarker> {
        let name = match self {
            Self::Variable(name) => name,
            Self::Text(text) => return Ok(Value::Text(text.clone())),
        };
        let target = environment.target;
        let unknowable = || InvalidMarker::Unknowable(name.clone());
        let text = match &**name {
            "python_version" => target.python.to_string(),
            "python_full_version" | "implementation_version" => {
                format!("{}.{}", target.python, environment.patch)
            }
            "os_name" if target.platform.os() == "linux" => "posix".to_owned(),
            "sys_platform" if target.platform.os() == "linux" => "linux".to_owned(),
            "platform_system" if target.platform.os() == "linux" => "Linux".to_owned(),
            "platform_machine" => machine(&target.platform).ok_or_else(unknowable)?.to_owned(),
            "platform_python_implementation" => "CPython".to_owned(),
            "implementation_name" => "cpython".to_owned(),
            "extra" | "extras" => return Ok(Value::Names(environment.extras)),
            "dependency_groups" => return Ok(Value::Names(environment.groups)),
            _ => return Err(unknowable()),
        };
        Ok(Value::Text(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str, patch: u32) -> Result<bool, InvalidMarker> {
        let target = Target {
            python: "3.11".parse().expect("is a release"),
            platform: "linux/arm64".parse().expect("is a platform"),
        };
        let extras = BTreeSet::from(["a-b".to_owned()]);
        let groups = BTreeSet::from(["dev".to_owned()]);
        text.parse::<Marker>()?.holds(&Environment {
            target: &target,
            patch,
            extras: &extras,
            groups: &groups,
        })
    }

    #[test]
    fn markers_hold_or_do_not() {
        for (text, holds) in [
            ("python_version >= '3.9'", true),
            ("python_version < '3.9'", false),
            // As versions: as texts, 3.11 would be before 3.9.
            ("'3.9' < python_version", true),
            ("python_version == '3.*'", true),
            ("python_full_version < '3.11.3'", true),
            ("python_full_version <= '3.11.0a6'", false),
            ("sys_platform == 'win32' or os_name == \"posix\" and platform_machine == 'aarch64'", true),
            ("(sys_platform == 'win32' or os_name == 'posix') and platform_machine == 'x86_64'", false),
            ("platform_machine in 'x86_64 aarch64'", true),
            ("platform_machine not in 'x86_64 aarch64'", false),
            ("implementation_name != 'pypy' and platform_python_implementation=='CPython'", true),
            ("'A_B' in extras", true),
            ("extra == 'a.b'", true),
            ("'c' not in extras", true),
            ("'dev' in dependency_groups and 'docs' not in dependency_groups", true),
        ] {
            assert_eq!(asked(text, 2), Ok(holds), "{text}");
        }
    }

    #[test]
    fn others_are_refused() {
        for (text, said) in [
            ("", "expected a variable or a text in quotes, found `the end`"),
            ("python_version", "expected a comparison, found `the end`"),
            ("python_version >= '3", "expected a text that ends, found `'3`"),
            ("(python_version >= '3'", "expected `)`, found `the end`"),
            (
                "python_version >= '3' xor os_name == 'nt'",
                "expected `and` or `or`, found `xor os_name == 'nt'`",
            ),
            (
                "platform_release > '5'",
                "`platform_release` is nothing that is known of an image before it runs",
            ),
            (
                "os_name == 'posix' or colour == 'red'",
                "`colour` is nothing that is known of an image before it runs",
            ),
            ("os_name > 'nt'", "`os_name > 'nt'` compares what cannot be compared so"),
            (
                "extras == dependency_groups",
                "`extras == dependency_groups` compares what cannot be compared so",
            ),
        ] {
            assert_eq!(asked(text, 0).expect_err("is refused").to_string(), said, "{text}");
        }
        let deep = format!("{}os_name == 'nt'{}", "(".repeat(100_000), ")".repeat(100_000));
        assert_eq!(asked(&deep, 0), Err(InvalidMarker::Depth));
    }
}
