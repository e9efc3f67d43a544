//! One row for each corner of the module's table.

use cogpack_ir::plan::{Copy, CopyForm, Input, PathRule, RuleKind, Spanned, Template};

use super::apply;
use crate::accounts::numeric;
use crate::sketch::{drawn, sketch};
use crate::tree::Ids;

fn template(text: &str) -> Spanned<Template> {
    Spanned::nowhere(Template::literal(text))
}

/// Reads `A to B`, `A… into D` or `contents A to D`, followed by `replace`, `optional`,
/// `follow`, `owner=U:G`, `mode=M`, `+include` and `-exclude`.
fn copy(words: &str) -> Copy {
    let words: Vec<&str> = words.split_whitespace().collect();
    let place =
        words.iter().position(|word| *word == "to" || *word == "into").expect("the copy has a destination");
    let form = match (&words[..place], words[place]) {
        (["contents", directory], _) => {
            CopyForm::Contents { directory: template(directory), destination: template(words[place + 1]) }
        }
        ([source], "to") => {
            CopyForm::To { source: template(source), destination: template(words[place + 1]) }
        }
        (sources, _) => CopyForm::Into {
            sources: sources.iter().map(|source| template(source)).collect(),
            directory: template(words[place + 1]),
        },
    };
    let mut copy = Copy {
        form,
        from: Spanned::nowhere(Input::Scratch),
        replace: false,
        optional: false,
        follow: false,
        owner: None,
        mode: None,
        rules: Vec::new(),
    };
    for word in &words[place + 2..] {
        let rule = |kind| PathRule { kind, pattern: Spanned::nowhere(word[1..].to_owned()) };
        match *word {
            "replace" => copy.replace = true,
            "optional" => copy.optional = true,
            "follow" => copy.follow = true,
            _ if word.starts_with('+') => copy.rules.push(rule(RuleKind::Include)),
            _ if word.starts_with('-') => copy.rules.push(rule(RuleKind::Exclude)),
            _ => match word.split_once('=') {
                Some(("owner", owner)) => copy.owner = owner.parse().ok().map(Spanned::nowhere),
                Some(("mode", mode)) => copy.mode = mode.parse().ok().map(Spanned::nowhere),
                Some(_) | None => panic!("no such modifier: {word}"),
            },
        }
    }
    copy
}

fn after(source: &str, before: &str, words: &str) -> String {
    let copy = copy(words);
    let owner = copy.owner.as_ref().map_or(Some(Ids::ROOT), |owner| numeric(owner));
    let mut tree = sketch(before);
    match apply(&copy, owner.expect("owners here are numbers"), &sketch(source), &mut tree) {
        Ok(()) => drawn(&tree),
        Err(problem) => {
            assert_eq!(drawn(&tree), drawn(&sketch(before)), "a copy that fails changes nothing");
            problem.to_string()
        }
    }
}

#[test]
fn copies_do_what_the_table_says() {
    for (source, before, words, expected) in [
        // Files and links in `to`.
        ("a=1", "", "a to /b", "b=1"),
        ("a=1", "", "/a to /d/e/b", "d/ d/e/ d/e/b=1"),
        ("a=1:0600@5:6", "", "a to /b", "b=1:0600"),
        ("a=1", "b=2:0700", "a to /b", "b=1"),
        ("a=1", "b->c c=2", "a to /b", "b->c c=1"),
        ("a=1", "b->c", "a to /b", "b->c c=1"),
        ("a=1", "d/ l->d", "a to /l/b", "d/ d/b=1 l->d"),
        ("a=1", "b/x=2", "a to /b", "`/a` cannot land on `/b`, which is a directory"),
        ("a=1", "b=2", "a to /b/c", "`/b` is not a directory"),
        ("a=1", "", "a to /", "`/a` cannot land on `/`, which is a directory"),
        ("l->a a=1", "", "l to /b", "b->a"),
        ("l->a a=1", "", "l to /b follow", "b=1"),
        ("l->a", "", "l to /b follow", "`l` is not there to be copied"),
        ("d/a=1 l->d", "", "l/a to /b", "b=1"),
        // Directories in `to`.
        ("a/:0700 a/x=1", "", "a to /b", "b/ b/x=1"),
        ("a/x=1", "", "a to /b owner=5:6 mode=0700", "b/@5:6 b/x=1:0700@5:6"),
        ("a/x=1", "", "a to /d/b owner=5", "d/ d/b/@5:5 d/b/x=1@5:5"),
        ("a/x=1", "b/:0700@5:6 b/y=2", "a to /b", "b/:0700@5:6 b/x=1 b/y=2"),
        ("a/s/:0711 a/s/x=1", "b/s/:0700@5:6 b/s/y=2", "a to /b", "b/ b/s/:0711 b/s/x=1 b/s/y=2"),
        ("a/x=1", "b=2", "a to /b", "the directory `/a` cannot land on `/b`, which is not a directory"),
        (
            "a/s/x=1",
            "b/s=2",
            "a to /b",
            "the directory `/a/s` cannot land on `/b/s`, which is not a directory",
        ),
        ("a/x=1", "b->c c/", "a to /b", "b->c c/ c/x=1"),
        (
            "a/s/x=1",
            "b/s->t b/t/",
            "a to /b",
            "the directory `/a/s` cannot land on `/b/s`, which is not a directory",
        ),
        ("a/x=1", "b/x->y b/y=2", "a to /b", "b/ b/x=1 b/y=2"),
        ("a/x->y a/y=1", "", "a to /b follow", "b/ b/x->y b/y=1"),
        ("a/x=1", "b/x/", "a to /b", "`/a/x` cannot land on `/b/x`, which is a directory"),
        ("a=1", "b=2", ". to /c", "b=2 c/ c/a=1"),
        // Modes.
        ("a=1:4755", "", "a to /b mode=0700", "b=1:0700"),
        ("a/s/:2775 a/s/x=1:4755", "", "a to /b mode=0750", "b/ b/s/:0750 b/s/x=1:0750"),
        ("a=1:0755", "", "a to /b mode=2711", "b=1:2711"),
        ("a->x", "", "a to /b mode=0700 owner=5", "b->x@5:5"),
        // `contents`.
        ("a/x=1 a/s/y=2", "", "contents a to /d", "d/ d/s/ d/s/y=2 d/x=1"),
        ("a/x=1", "b=2", "contents a to /", "b=2 x=1"),
        ("x=1", "", "contents . to /d", "d/ d/x=1"),
        ("a/x=1 l->a", "", "contents l to /d", "d/ d/x=1"),
        ("a=1", "", "contents a to /d", "`/a` is not a directory, so it has no contents to copy"),
        ("", "", "contents a to /d", "`a` is not there to be copied"),
        ("", "", "contents a to /d optional", ""),
        // `into`.
        ("a=1 b/:0700 b/x=2", "", "a b into /d", "d/ d/a=1 d/b/ d/b/x=2"),
        ("s/a=1", "d=2", "s/a into /d", "`/d` is not a directory"),
        ("a=1", "", "a into /d owner=5 mode=0600", "d/@5:5 d/a=1:0600@5:5"),
        ("a=1", "d/a->b", "a into /d", "d/ d/a->b d/b=1"),
        ("a=1", "e/ d->e", "a into /d", "d->e e/ e/a=1"),
        (
            "a=1",
            "",
            ". into /d",
            "`.` has no name to land under; `copy contents` or `copy … to` says where it lands",
        ),
        ("a=1", "", "b into /d", "`b` is not there to be copied"),
        ("", "", "b into /d optional", "d/"),
        ("x/a=1 y/a=2", "", "x/a y/a into /d", "`/x/a` and `/y/a` would both land on `/d/a`"),
        ("x/a=1", "", "x/a x/a into /d", "d/ d/a=1"),
        // Wildcards.
        ("a.py=1 b.py=2 c=3", "", "*.py into /d", "d/ d/a.py=1 d/b.py=2"),
        ("a/:0700 a/x=1", "", "a* into /d", "d/ d/a/:0700 d/a/x=1"),
        ("a/:0700 a/x=1", "", "a* a into /d", "d/ d/a/ d/a/x=1"),
        ("a/:0700 a/x=1", "d/a/:0711", "a* into /d", "d/ d/a/:0711 d/a/x=1"),
        ("a=1", "d/a->b", "a* into /d", "d/ d/a=1"),
        (
            "a/x=1",
            "d/a->b d/b/",
            "a* into /d",
            "the directory `/a` cannot land on `/d/a`, which is not a directory",
        ),
        ("s/a/x=1 s/b/x=2", "", "s/*/x into /d", "`/s/a/x` and `/s/b/x` would both land on `/d/x`"),
        ("s/a/x=1 l->s", "", "l/*/x into /d", "d/ d/x=1"),
        ("l->a a=1", "", "l* into /d", "d/ d/l->a"),
        ("l->a a=1", "", "l* into /d follow", "d/ d/l=1"),
        ("a=1", "", "*.py into /d", "`*.py` is not there to be copied"),
        ("a=1", "", "*.py into /d optional", "d/"),
        ("a*=1 ab=2", "", r"a\* into /d", "d/ d/a*=1"),
        ("a=1", "", "**/a into /d", "`**/a` has `**`, which only `include` and `exclude` know"),
        ("a=1", "", "[ into /d", "`[` is not a pattern: a `[` must have its `]`"),
        // Rules.
        ("a/x.py=1 a/x.pyc=2 a/s/y.pyc=3", "", "a to /b -**/*.pyc", "b/ b/s/ b/x.py=1"),
        ("a/x=1 a/s/:0700 a/s/y=2 a/s/z=3", "", "a to /b -s +s/y", "b/ b/s/:0700 b/s/y=2 b/x=1"),
        ("a/s/:0700 a/s/y=2", "b/s/:0711@7:8", "a to /b -s +s/y", "b/ b/s/:0700@7:8 b/s/y=2"),
        ("a/s/t/y=2 a/u/z=3", "", "contents a to /b +**/y", "b/ b/s/ b/s/t/ b/s/t/y=2"),
        ("a/x=1", "", "a to /b -x", "b/"),
        ("x=1", "", "x to /b -x", "b=1"),
        ("b/x=1 b/y=2", "", "b into /d -y", "d/ d/b/ d/b/x=1"),
        // `replace`.
        ("a/x=1", "b/y=2", "a to /b replace", "b/ b/x=1"),
        ("a=1", "b/y=2", "a to /b replace", "b=1"),
        ("a=1", "b->c c=2", "a to /b replace", "b=1 c=2"),
        ("a=1", "d/y=2", "a into /d replace", "d/ d/a=1"),
        ("a/x=1", "b=2", "contents a to / replace", "`/` cannot be replaced or removed"),
        ("", "b=2", "a to /b replace optional", ""),
    ] {
        assert_eq!(after(source, before, words), expected, "copy {words} from `{source}` over `{before}`");
    }
}
