//! Who the program runs as.

use super::PythonFacts;
use crate::composer::Desk;
use crate::stacks::block::{Block, Detected};
use crate::stacks::detect::{Evidence, Weight};

/// Says the user where somebody asks for one. Files stay root's, so that the program cannot change them.
pub(super) struct User;

impl Block<PythonFacts> for User {
    fn name(&self) -> &'static str {
        "user"
    }

    fn requires(&self) -> &'static [&'static str] {
        &["base"]
    }

    fn detect(&self, facts: &PythonFacts) -> Detected {
        let file = |file: &cogpack_frontends_source::SourcePath| Evidence {
            weight: Weight::Declaration,
            file: file.clone(),
        };
        match &facts.user {
            None => Detected::No("nobody asks for a user: the program runs as that of the base"),
            Some(user) => Detected::Yes(user.at.iter().map(|(path, _)| file(path)).collect()),
        }
    }

    fn plan(&self, facts: &PythonFacts, desk: &mut Desk<'_>) {
        let Some(user) = &facts.user else { return };
        desk.at(user.at.clone());
        desk.export().user(user.value.clone());
    }
}
