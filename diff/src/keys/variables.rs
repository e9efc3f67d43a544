//! The variables that programs see, as a digest.
//!
//! It is a chain: that of all variables is made of that of all but the last and of the last. So one that is
//! new costs one link, and ten thousand that come one after the other cost ten thousand. Where an
//! earlier one changes or goes, all are linked again as soon as a program looks.

use cogpack_content::Digest;
use cogpack_ir::plan::{EnvName, Execution};
use cogpack_ir::resolve::{EnvValue, Environment};

use super::record::Record;

/// The digest of the variables at one point of a stage; nothing where nobody has asked for it yet.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Variables {
    known: Option<Digest>,
}

impl Variables {
    /// Goes on from one environment to the next, which differs in this variable at most.
    pub(super) fn change(&mut self, name: &EnvName, before: &Environment, after: &Environment) {
        self.known = match (before.get(name.as_str()), after.get(name.as_str())) {
            (None, Some(value)) => self.known.map(|known| link(&known, name, Some(value))),
            (before, after) if before == after => self.known,
            (Some(_), _) | (None, None) => None,
        };
    }

    /// What a program sees of them.
    pub(super) fn seen(&mut self, variables: &Environment, execution: &Execution) -> Digest {
        let is_set_anew = |name: &EnvName| execution.env.iter().any(|setting| setting.name.value == *name);
        if execution.env.iter().any(|setting| variables.get(setting.name.as_str()).is_some()) {
            // A variable that the execution sets anew keeps its place, and nothing else.
            let all = variables.iter().map(|(name, value)| (name, (!is_set_anew(name)).then_some(value)));
            return chain(all);
        }
        *self.known.get_or_insert_with(|| chain(variables.iter().map(|(name, value)| (name, Some(value)))))
    }
}

fn chain<'v>(variables: impl Iterator<Item = (&'v EnvName, Option<&'v EnvValue>)>) -> Digest {
    let none = Record::of("variables").digest();
    variables.fold(none, |before, (name, value)| link(&before, name, value))
}

/// One more variable; of one that is set anew the value takes no part.
fn link(before: &Digest, name: &EnvName, value: Option<&EnvValue>) -> Digest {
    let record = Record::of("variable").key(before).text(name.as_str());
    let record = match value {
        None => record.text("set anew"),
        Some(EnvValue::Known(value)) => record.text("known").text(value),
        Some(EnvValue::Open) => record.text("open"),
    };
    record.digest()
}
