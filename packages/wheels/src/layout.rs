//! Where the parts of a wheel go, below the prefix of an environment (`/usr`, `/usr/local`, `/venv`).
//!
//! | part of the wheel | place |
//! |---|---|
//! | its root, `NAME.data/purelib`, `NAME.data/platlib` | `lib/pythonX.Y/site-packages` |
//! | `NAME.data/scripts`, programs of entry points | `bin` |
//! | `NAME.data/headers` | `include/site/pythonX.Y/PACKAGE` |
//! | `NAME.data/data` | the prefix itself |

use crate::target::PythonVersion;

/// Where things go for one Python.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    python: PythonVersion,
}

/// A part of a wheel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Modules.
    Modules,
    /// Programs.
    Scripts,
    /// What C programs include.
    Headers,
    /// Anything else, from the prefix on.
    Data,
}

/// A directory of a wheel that installers know nothing of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayoutProblem {
    /// Something stands beside the parts.
    #[error("it is in no part of `{0}` that is known: `purelib`, `platlib`, `scripts`, `headers`, `data`")]
    UnknownPart(String),
    /// Programs are in no directories.
    #[error("a script stands in a directory, and all programs stand in one")]
    ScriptBelow,
    /// Two files of the wheel land on one path.
    #[error("it lands on `{0}`, and so does another file of the wheel")]
    Landing(String),
}

impl Layout {
    /// For this Python.
    pub fn new(python: PythonVersion) -> Self {
        Self { python }
    }

    /// Where modules go.
    pub fn modules(self) -> String {
        format!("lib/python{}/site-packages", self.python)
    }

    /// Where a file of a part goes.
    pub fn place(self, part: Part, package: &str, below: &str) -> String {
        match part {
            Part::Modules => format!("{}/{below}", self.modules()),
            Part::Scripts => format!("bin/{below}"),
            Part::Headers => format!("include/site/python{}/{package}/{below}", self.python),
            Part::Data => below.to_owned(),
        }
    }

    /// A place as `RECORD` says it: seen from where modules are.
    pub fn in_record(self, place: &str) -> String {
        match place.strip_prefix(&format!("{}/", self.modules())) {
            Some(below) => below.to_owned(),
            None => {
                // What `lib/…` and `lib/python3.12/…` have in common with it needs no climbing.
                let from = self.modules();
                let from: Vec<&str> = from.split('/').collect();
                let to: Vec<&str> = place.split('/').collect();
                let common = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
                let climb = std::iter::repeat_n("..", from.len() - common);
                climb.chain(to[common..].iter().copied()).collect::<Vec<_>>().join("/")
            }
        }
    }
}

/// The part that a file of the wheel belongs to, and its name in there. `data` is the name of the
/// wheel's own data directory.
pub fn part_of<'n>(name: &'n str, data: &str) -> Result<(Part, &'n str), LayoutProblem> {
    let Some(inside) = name.strip_prefix(data).and_then(|rest| rest.strip_prefix('/')) else {
        return Ok((Part::Modules, name));
    };
    let unknown = || LayoutProblem::UnknownPart(data.to_owned());
    let (part, below) = inside.split_once('/').ok_or_else(unknown)?;
    Ok(match part {
        "purelib" | "platlib" => (Part::Modules, below),
        "scripts" if below.contains('/') => return Err(LayoutProblem::ScriptBelow),
        "scripts" => (Part::Scripts, below),
        "headers" => (Part::Headers, below),
        "data" => (Part::Data, below),
        _ => return Err(unknown()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_go_to_their_places() {
        let layout = Layout::new("3.12".parse().expect("is a release"));
        let place = |name: &str| {
            let (part, below) = part_of(name, "a-1.data")?;
            let place = layout.place(part, "a", below);
            Ok::<_, LayoutProblem>((layout.in_record(&place), place))
        };
        let pair = |record: &str, place: &str| Ok((record.to_owned(), place.to_owned()));
        assert_eq!(place("a/b.py"), pair("a/b.py", "lib/python3.12/site-packages/a/b.py"));
        assert_eq!(place("b-1.data/x"), pair("b-1.data/x", "lib/python3.12/site-packages/b-1.data/x"));
        assert_eq!(place("a-1.data/platlib/b"), pair("b", "lib/python3.12/site-packages/b"));
        assert_eq!(place("a-1.data/scripts/s"), pair("../../../bin/s", "bin/s"));
        assert_eq!(
            place("a-1.data/headers/h.h"),
            pair("../../../include/site/python3.12/a/h.h", "include/site/python3.12/a/h.h")
        );
        assert_eq!(place("a-1.data/data/etc/c"), pair("../../../etc/c", "etc/c"));
        assert_eq!(place("a-1.data/data/lib/x"), pair("../../x", "lib/x"));
        assert_eq!(place("a-1.data/other/x"), Err(LayoutProblem::UnknownPart("a-1.data".to_owned())));
        assert_eq!(place("a-1.data/x"), Err(LayoutProblem::UnknownPart("a-1.data".to_owned())));
        assert_eq!(place("a-1.data/scripts/d/s"), Err(LayoutProblem::ScriptBelow));
    }
}
