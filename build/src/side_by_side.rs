//! Stages of parallel phases, compared before their merge is handed over: a daemon would take the
//! later of two files at one path, and tell nobody.

use std::sync::{Arc, Mutex, PoisonError};

use cogpack_backends_llb::LlbImage;
use cogpack_backends_llb::side_by_side::{Changed, comparisons};
use cogpack_io_buildkit::comparing::{Comparison, Comparisons, Meeting, Side};
use cogpack_ir::plan::{PhaseName, Spanned, StageName};
use miette::{Diagnostic, SourceSpan};

/// Paths that are named of those that two stages change.
const MOST_NAMED: usize = 3;

/// Two stages of a parallel phase that change the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
#[error("`{first}` and `{second}` run side by side in the phase `{phase}` and both change {}", named(.paths))]
#[diagnostic(
    code("cpk::build::parallel"),
    help("let only one of the stages change it, or put them one after the other: without `parallel`")
)]
pub struct StagesMeet {
    /// The phase.
    pub phase: PhaseName,
    /// One stage.
    pub first: StageName,
    /// The other.
    pub second: StageName,
    /// What both change; never empty.
    pub paths: Vec<String>,
    /// The first stage.
    #[label("this stage")]
    pub first_span: Option<SourceSpan>,
    /// The second one.
    #[label("and this one")]
    pub second_span: Option<SourceSpan>,
}

fn named(paths: &[String]) -> String {
    let named: Vec<String> = paths.iter().take(MOST_NAMED).map(|path| format!("`{path}`")).collect();
    match paths.len().saturating_sub(MOST_NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

/// Stages that meet, as they are found.
#[derive(Debug, Clone, Default)]
pub struct Meetings(Arc<Mutex<Vec<StagesMeet>>>);

impl Meetings {
    /// Those so far, in the order of the plan.
    pub fn take(&self) -> Vec<StagesMeet> {
        let mut all = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        all.sort_by_key(|it| [it.second_span, it.first_span].map(|span| span.map(|span| span.offset())));
        all
    }
}

/// A phase that is compared.
struct Phase {
    name: PhaseName,
    stages: Vec<Spanned<StageName>>,
}

impl Phase {
    /// What was found of it, each two stages once.
    fn meetings(&self, found: &[Meeting]) -> Vec<StagesMeet> {
        let mut meetings: Vec<StagesMeet> = Vec::new();
        for Meeting { first, second, path } in found {
            let (Some(first), Some(second)) = (self.stages.get(*first), self.stages.get(*second)) else {
                continue;
            };
            let known =
                meetings.iter_mut().find(|it| (&it.first, &it.second) == (&first.value, &second.value));
            match known {
                Some(known) => known.paths.push(path.clone()),
                None => meetings.push(StagesMeet {
                    phase: self.name.clone(),
                    first: first.value.clone(),
                    second: second.value.clone(),
                    paths: vec![path.clone()],
                    first_span: first.span.place(),
                    second_span: second.span.place(),
                }),
            }
        }
        meetings
    }
}

/// What is to be compared of images, and where it is put what is found. `None` where the plan shows
/// that no stages meet.
pub fn compared(images: &[LlbImage]) -> Option<(Comparisons, Meetings)> {
    let (phases, all): (Vec<Phase>, Vec<Comparison>) = images
        .iter()
        .flat_map(comparisons)
        .map(|found| {
            let side = |it: Changed<Vec<u8>>| (it.stage, Side { changes: it.changes, after: it.after });
            let (stages, sides) = found.stages.into_iter().map(side).unzip();
            (Phase { name: found.phase.clone(), stages }, Comparison { before: found.before, sides })
        })
        .unzip();
    if all.is_empty() {
        return None;
    }
    let meetings = Meetings::default();
    let noted = meetings.clone();
    let accept = Box::new(move |place: usize, found: &[Meeting]| {
        let found = phases.get(place).map(|phase| phase.meetings(found)).unwrap_or_default();
        let mut all = noted.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_accepted = found.is_empty();
        // What meets for one platform mostly meets for the next.
        for one in found {
            if !all.contains(&one) {
                all.push(one);
            }
        }
        is_accepted
    });
    Some((Comparisons { all, accept }, meetings))
}

#[cfg(test)]
mod tests {
    use cogpack_backends_contract::Backend as _;
    use cogpack_backends_llb::{Llb, SourceText};
    use cogpack_ir::{resolve, syntax, verify};

    use super::*;

    fn meetings(branches: &str) -> Option<(Comparisons, Meetings)> {
        let text = format!(
            "cpk 1\nimage @base = \"debian\"\n  config empty\nphase one\nphase two parallel after one\n\
             stage %base in one from image @base\n{branches}\nexport from phase two\n"
        );
        let parsed = syntax::parse(&text);
        assert!(parsed.findings.is_empty(), "{:?}", parsed.findings);
        let verified = verify::verify(parsed.plan).expect("breaks no rule");
        let resolved = resolve::resolve(verified, &Default::default()).expect("resolves");
        compared(&Llb::new(SourceText::default()).lower(&resolved).expect("can be lowered"))
    }

    #[test]
    fn stages_that_may_meet_are_compared_and_told_once() {
        let programs = "stage %a in two { run \"a\" }\nstage %b in two { file \"/b\" = \"\" }";
        let (comparisons, meetings) = meetings(programs).expect("a program may write anywhere");
        assert_eq!(comparisons.all.iter().map(|it| it.sides.len()).collect::<Vec<_>>(), [2]);
        assert!((comparisons.accept)(0, &[]));
        let found: Vec<_> = ["/b", "/c", "/d", "/e", "/f"]
            .map(|path| Meeting { first: 0, second: 1, path: path.to_owned() })
            .into();
        assert!(!(comparisons.accept)(0, &found) && !(comparisons.accept)(0, &found));
        let told: Vec<String> = meetings.take().iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            ["`%a` and `%b` run side by side in the phase `two` and both change `/b`, `/c`, `/d` and 2 more"]
        );
    }

    #[test]
    fn what_the_plan_shows_is_not_compared() {
        for apart in [
            "stage %a in two { run \"a\" }\nstage %b in two { env A = \"b\" }",
            "stage %a in two { file \"/a\" = \"\" }\nstage %b in two { file \"/b\" = \"\" }",
            "context @it = dir \".\"\nstage %a in two { copy \"a\" from @it to \"/x/a\" }\n\
             stage %b in two { copy \"a*\" from @it into \"/y\" }",
            "context @it = dir \".\"\nstage %a in two { copy \"a\" \"b\" from @it into \"/x\" }\n\
             stage %b in two { copy \"c\" from @it into \"/x\" }",
        ] {
            assert!(meetings(apart).is_none(), "{apart}");
        }
        for beside in [
            "context @it = dir \".\"\nstage %a in two { copy \"a*\" from @it into \"/x\" }\n\
             stage %b in two { copy \"b*\" from @it into \"/x\" }",
            "context @it = dir \".\"\nstage %a in two { copy \"a\" from @it to \"/x\" }\n\
             stage %b in two { file \"/x/y\" = \"\" }",
        ] {
            assert!(meetings(beside).is_some(), "{beside}");
        }
    }

    #[test]
    fn the_code_is_stable() {
        let name = |name| StageName::new(name).expect("is a name");
        let meet = StagesMeet {
            phase: PhaseName::new("two").expect("is a name"),
            first: name("a"),
            second: name("b"),
            paths: vec!["/x".to_owned()],
            first_span: None,
            second_span: None,
        };
        assert_eq!(meet.code().map(|code| code.to_string()).as_deref(), Some("cpk::build::parallel"));
    }
}
