//! `--allow` and `--deny`: which findings are left out, and which ones stop.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use cogpack_ir::{explain, suggest};
use cogpack_lints::allowed::{covers, is_known};

use crate::failure::Failure;

/// The codes that there are.
pub static KNOWN: LazyLock<BTreeSet<&str>> =
    LazyLock::new(|| explain::all().map(|explanation| explanation.code).collect());

/// What the command line says of codes.
pub struct Switches {
    /// Each code or family, with whether it is denied.
    said: Vec<(String, Said)>,
}

/// What is said of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Said {
    /// It is left out.
    Allowed,
    /// It is an error.
    Denied,
}

impl Switches {
    /// What two lists of codes say; codes that nothing has are refused.
    pub fn new(allow: &[String], deny: &[String]) -> Result<Self, Failure> {
        let of =
            |codes: &[String], said: Said| codes.iter().map(|code| (code.clone(), said)).collect::<Vec<_>>();
        let said = [of(allow, Said::Allowed), of(deny, Said::Denied)].concat();
        for (code, said) in &said {
            if !is_known(code, &KNOWN) {
                let option = if *said == Said::Allowed { "--allow" } else { "--deny" };
                let nearest = suggest::nearest(code, KNOWN.iter().copied());
                return Err(Failure::new(format!("`{option} {code}`: no finding has this code"))
                    .with_hint(suggest::did_you_mean(nearest, "`cogpackc explain` lists the codes")));
            }
        }
        Ok(Self { said })
    }

    /// What is said of a code, most closely.
    pub fn of(&self, code: &str) -> Option<Said> {
        let of_it = self.said.iter().filter(|(written, _)| covers(written, code));
        of_it.max_by_key(|(written, said)| (written.len(), *said)).map(|(_, said)| *said)
    }
}
