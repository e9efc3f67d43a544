//! Owners by name, looked up before a daemon does: it would take a name that it does not know for
//! root's, and tell nobody.
//!
//! A daemon looks a name up in `/etc/passwd` or `/etc/group` of the filesystem that an op stands on,
//! through links, and takes the first line of the name. So the same is done here as soon as that
//! filesystem has been made, and nothing is made of it where a name is not there.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use cogpack_backends_contract::accounts::{self, Account};
use cogpack_backends_llb::LlbImage;
use cogpack_backends_llb::owners::lookups;
use cogpack_io_buildkit::looking::{Found, Look, Looks};
use cogpack_ir::plan::{Owner, Spanned};
use miette::{Diagnostic, SourceSpan};

/// A user or group that the filesystem of an op does not know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error, Diagnostic)]
#[error("there is no {account} `{name}` in `{}` where the op needs it", account.file())]
#[diagnostic(
    code("cpk::build::unknown-owner"),
    help(
        "write the number, for instance `owner 1000:1000`, or make the {account} in a `run` before this op"
    )
)]
pub struct UnknownOwner {
    /// What it is.
    pub account: Account,
    /// Its name.
    pub name: String,
    /// The owner that names it.
    #[label("the daemon would take root for it")]
    pub span: Option<SourceSpan>,
}

/// Names that were not found, as they are met.
#[derive(Debug, Clone, Default)]
pub struct UnknownOwners(Arc<Mutex<Vec<UnknownOwner>>>);

impl UnknownOwners {
    /// Those so far, in the order of the plan.
    pub fn take(&self) -> Vec<UnknownOwner> {
        let mut unknown = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        unknown.sort_by_key(|it| it.span.map(|span| span.offset()));
        unknown
    }

    fn add(&self, unknown: UnknownOwner) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // What is not there for one platform is mostly not there for the next.
        if !all.contains(&unknown) {
            all.push(unknown);
        }
    }

    fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

/// The owners that one filesystem must know, and what explains their names.
struct Asked {
    owners: Vec<Spanned<Owner>>,
    accounts: BTreeSet<Account>,
}

/// What to look into before images are made, and where names are put that are not found there.
/// `None` where no owner is written by name.
pub fn looks(images: &[LlbImage]) -> Option<(Looks, UnknownOwners)> {
    let mut rounds: Vec<Vec<Look>> = Vec::new();
    let mut asked: Vec<Vec<Asked>> = Vec::new();
    for image in images {
        for (number, round) in lookups(image).into_iter().enumerate() {
            if rounds.len() <= number {
                rounds.push(Vec::new());
                asked.push(Vec::new());
            }
            for lookup in round {
                let names = lookup.owners.iter().flat_map(|owner| accounts::names(&owner.value));
                let accounts: BTreeSet<Account> = names.map(|(account, _)| account).collect();
                let files = accounts.iter().map(|account| account.file().to_owned()).collect();
                rounds[number].push(Look { definition: lookup.definition, files });
                asked[number].push(Asked { owners: lookup.owners.to_vec(), accounts });
            }
        }
    }
    if rounds.is_empty() {
        return None;
    }
    let unknown = UnknownOwners::default();
    let noted = unknown.clone();
    let accept = Box::new(move |number: usize, found: &[Found]| {
        let round = asked.get(number).map(Vec::as_slice).unwrap_or_default();
        for (asked, found) in round.iter().zip(found) {
            asked.judge(found, &noted);
        }
        noted.is_empty()
    });
    Some((Looks { rounds, accept, is_likely: false }, unknown))
}

impl Asked {
    /// Notes the names that are not in the files.
    fn judge(&self, found: &Found, unknown: &UnknownOwners) {
        for owner in &self.owners {
            for (account, name) in accounts::names(&owner.value) {
                let mut files = self.accounts.iter().zip(found);
                let content =
                    files.find(|(explained, _)| **explained == account).and_then(|(_, it)| it.as_ref());
                if content.and_then(|content| accounts::look_up(name, content)).is_none() {
                    unknown.add(UnknownOwner { account, name: name.to_owned(), span: owner.span.place() });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use cogpack_backends_contract::Backend as _;
    use cogpack_backends_llb::{Llb, SourceText};
    use cogpack_ir::{resolve, syntax, verify};

    use super::*;

    const PLAN: &str = r#"cpk 1
image @base = "debian"
  config empty
stage %app from image @base {
  file "/a" owner app:crew = ""
  run "adduser late"
  file "/b" owner late:7 = ""
  file "/c" owner 7:crew = ""
  file "/d" owner 7:7 = ""
}
export from %app
"#;

    fn images(text: &str) -> Vec<LlbImage> {
        let parsed = syntax::parse(text);
        assert!(parsed.findings.is_empty(), "{:?}", parsed.findings);
        let verified = verify::verify(parsed.plan).expect("breaks no rule");
        let resolved = resolve::resolve(verified, &Default::default()).expect("resolves");
        Llb::new(SourceText::default()).lower(&resolved).expect("can be lowered")
    }

    /// What is asked in each round, and what is said when the files hold this.
    fn judged(passwd: Option<&str>, group: Option<&str>) -> (Vec<Vec<Vec<String>>>, Vec<UnknownOwner>) {
        let (looks, unknown) = looks(&images(PLAN)).expect("it has names");
        let asked = looks.rounds.iter().map(|round| round.iter().map(|look| look.files.clone()).collect());
        let asked: Vec<Vec<Vec<String>>> = asked.collect();
        for (number, round) in asked.iter().enumerate() {
            let content = |file: &String| {
                let text = if file == "/etc/passwd" { passwd } else { group };
                text.map(|text| text.as_bytes().to_vec())
            };
            let found: Vec<Found> = round.iter().map(|files| files.iter().map(content).collect()).collect();
            if !(looks.accept)(number, &found) {
                break;
            }
        }
        (asked, unknown.take())
    }

    fn unknown(account: Account, name: &str, owner: &str) -> UnknownOwner {
        let start = PLAN.find(owner).expect("is in the plan");
        UnknownOwner { account, name: name.to_owned(), span: Some((start..start + owner.len()).into()) }
    }

    #[test]
    fn names_are_looked_for_where_the_daemon_would() {
        let (asked, said) = judged(Some("app:x:1::\nlate:x:2::\n"), Some("crew:x:3:\n"));
        let both = vec!["/etc/passwd".to_owned(), "/etc/group".to_owned()];
        // What the first owners are looked up in is there before any name is used, the next is not.
        let second = vec![vec!["/etc/passwd".to_owned()]];
        let third = vec![vec!["/etc/group".to_owned()]];
        assert_eq!(asked, [vec![both], second, third]);
        assert_eq!(said, []);
    }

    #[test]
    fn all_names_of_a_round_are_told_where_the_plan_writes_them() {
        let (_, said) = judged(Some("late:x:2::\n"), Some("crewel:x:3:\n"));
        let expected =
            [unknown(Account::User, "app", "app:crew"), unknown(Account::Group, "crew", "app:crew")];
        assert_eq!(said, expected);
        // Nothing is asked of what a name that is not there would have part in.
        let (_, said) = judged(Some("app:x:1::\n"), Some("crew:x:3:\n"));
        assert_eq!(said, [unknown(Account::User, "late", "late:7")]);
        let (_, said) = judged(None, None);
        assert_eq!(said.len(), 2);
    }

    #[test]
    fn numbers_need_no_look() {
        assert!(
            looks(&images("cpk 1\nstage %a from scratch { mkdir \"/a\" owner 1:2 }\nexport from %a\n"))
                .is_none()
        );
    }

    #[test]
    fn the_code_is_stable() {
        let unknown = unknown(Account::Group, "crew", "app:crew");
        assert_eq!(unknown.code().map(|code| code.to_string()).as_deref(), Some("cpk::build::unknown-owner"));
        assert_eq!(unknown.to_string(), "there is no group `crew` in `/etc/group` where the op needs it");
    }
}
