//! `PIP_INDEX_URL` and `PIP_EXTRA_INDEX_URL`: what pip is told of package indexes, said to `uv` by variables of
//! its own, which it reads instead.
//!
//! What uv is told itself goes before. Where a file of the project names the index, that counts, as with pip;
//! uv would take what a variable says.

use std::fmt;

/// What the machine says of package indexes. Any of it may hold a login.
#[derive(Clone, Default)]
pub struct Indexes {
    /// `PIP_INDEX_URL`, where uv is told of no index.
    default: Option<String>,
    /// `PIP_EXTRA_INDEX_URL`, and behind it `UV_EXTRA_INDEX_URL`.
    extra: Vec<String>,
}

impl Indexes {
    /// What the variables say that `said` gives by name.
    pub fn of(said: impl Fn(&'static str) -> Option<String>) -> Self {
        let is_said_to_uv = ["UV_DEFAULT_INDEX", "UV_INDEX_URL"].into_iter().any(|name| said(name).is_some());
        // Both lists are divided at white space.
        let list = |name| said(name).unwrap_or_default();
        let lists = [list("PIP_EXTRA_INDEX_URL"), list("UV_EXTRA_INDEX_URL")];
        Self {
            default: said("PIP_INDEX_URL").filter(|_| !is_said_to_uv),
            extra: lists.iter().flat_map(|list| list.split_whitespace()).map(str::to_owned).collect(),
        }
    }

    /// The variables that tell uv the same. `names_index` is whether a file of the project names the index.
    pub fn for_uv(&self, names_index: bool) -> Vec<(&'static str, String)> {
        let default = self.default.clone().filter(|_| !names_index);
        let extra = Some(self.extra.join(" ")).filter(|list| !list.is_empty());
        let variables = [("UV_DEFAULT_INDEX", default), ("UV_EXTRA_INDEX_URL", extra)];
        variables.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

impl fmt::Debug for Indexes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} indexes", self.extra.len() + usize::from(self.default.is_some()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(said: &[(&str, &str)], names_index: bool) -> String {
        let value = |name| said.iter().find(|(of, _)| *of == name).map(|(_, value)| (*value).to_owned());
        let variables = Indexes::of(value).for_uv(names_index);
        variables.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(", ")
    }

    const PIP: (&str, &str) = ("PIP_INDEX_URL", "https://a.example/simple");
    const MORE: (&str, &str) = ("PIP_EXTRA_INDEX_URL", "https://b.example/simple\n https://c.example/simple");

    #[test]
    fn uv_is_told_what_pip_is_told_and_what_it_is_told_itself_goes_before() {
        assert_eq!(told(&[], false), "");
        assert_eq!(told(&[PIP], false), "UV_DEFAULT_INDEX=https://a.example/simple");
        assert_eq!(told(&[PIP, ("UV_DEFAULT_INDEX", "https://d.example/simple")], false), "");
        assert_eq!(told(&[PIP, ("UV_INDEX_URL", "https://d.example/simple")], false), "");
        assert_eq!(
            told(&[MORE, ("UV_EXTRA_INDEX_URL", "https://d.example/simple")], false),
            "UV_EXTRA_INDEX_URL=https://b.example/simple https://c.example/simple https://d.example/simple"
        );
    }

    #[test]
    fn the_index_that_the_project_names_counts() {
        assert_eq!(
            told(&[PIP, MORE], true),
            "UV_EXTRA_INDEX_URL=https://b.example/simple https://c.example/simple"
        );
    }

    #[test]
    fn no_login_is_shown() {
        let said = |name| (name == "PIP_INDEX_URL").then(|| "https://name:word@a.example/simple".to_owned());
        assert_eq!(format!("{:?}", Indexes::of(said)), "1 indexes");
    }
}
