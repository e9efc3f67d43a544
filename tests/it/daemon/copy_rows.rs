//! The rows of the copy suite: what is copied, onto what, how, and where an engine differs from the
//! contract. A difference that goes away fails the suite as well, and its row moves up.

use cogpack_tests::solve::Looking;

use super::copies::{From, Onto};

/// A source, what is there before, and the copy of a plan, with `I` for its input.
pub type Row = (&'static str, &'static str, &'static str);

/// What both engines make as the contract says, or fail at where it says that this is an error.
const EQUAL: &[Row] = &[
    // A file.
    ("a=1", "", r#"copy "a" from I to "/b""#),
    ("a=1", "", r#"copy "/a" from I to "/d/e/b""#),
    ("a=1:0600@5:6", "", r#"copy "a" from I to "/b""#),
    ("a=1", "b=2:0700", r#"copy "a" from I to "/b""#),
    ("a=1", "b->c c=2", r#"copy "a" from I to "/b""#),
    ("a=1", "b->c", r#"copy "a" from I to "/b""#),
    ("d/a=1", "", r#"copy "d/a" from I to "/a""#),
    ("d/a=1 l->d", "", r#"copy "l/a" from I to "/b""#),
    ("a=1", "d/:0700@7:8", r#"copy "a" from I to "/d/e/b""#),
    // A directory.
    ("a/:0700 a/x=1", "", r#"copy "a" from I to "/b""#),
    ("a/x=1 a/s/y=2:0755", "", r#"copy "a" from I to "/d/b""#),
    ("a/x=1", "b/:0700@5:6 b/y=2", r#"copy "a" from I to "/b""#),
    ("a/s/:0711 a/s/x=1", "b/s/:0700 b/s/y=2", r#"copy "a" from I to "/b""#),
    ("a/s/:0711@3:4 a/s/x=1", "b/s/:0700@5:6 b/s/y=2", r#"copy "a" from I to "/b""#),
    ("a/x=1", "b/x->y b/y=2", r#"copy "a" from I to "/b""#),
    ("a=1 d/x=2", "b=2", r#"copy "." from I to "/c""#),
    ("a/e/ a/s/", "", r#"copy "a" from I to "/b""#),
    // Contents.
    ("a/x=1 a/s/y=2", "", r#"copy contents "a" from I to "/d""#),
    ("a/:0700 a/x=1", "d/:0711@5:6", r#"copy contents "a" from I to "/d""#),
    ("a/x=1", "b=2", r#"copy contents "a" from I to "/""#),
    ("x=1 y/z=2", "", r#"copy contents "." from I to "/d""#),
    ("a/x=1 l->a", "", r#"copy contents "l" from I to "/d""#),
    ("a/x=1 a/s/y=2", "d/s/:0700 d/s/z=3", r#"copy contents "a" from I to "/d""#),
    // Into.
    ("a=1 b/:0700 b/x=2", "", r#"copy "a" "b" from I into "/d""#),
    ("s/a=1", "d/a=2:0600", r#"copy "s/a" from I into "/d""#),
    ("a=1", "d/a->b", r#"copy "a" from I into "/d""#),
    ("a=1", "", r#"copy "a" from I into "/d/e/f""#),
    // Wildcards.
    ("a.py=1 b.py=2 c=3", "", r#"copy "*.py" from I into "/d""#),
    ("a/:0700 a/x=1", "", r#"copy "a*" from I into "/d""#),
    ("a/:0700 a/x=1", "d/a/:0711", r#"copy "a*" from I into "/d""#),
    ("l->a a=1", "", r#"copy "l*" from I into "/d""#),
    ("a=1", "d/a->b", r#"copy "a*" from I into "/d""#),
    ("a.py=1 s/b=2", "", r#"copy "*.py" "s" from I into "/d""#),
    // Optional.
    ("a=1", "x=2", r#"copy "b" from I to "/b" optional"#),
    ("a=1", "", r#"copy "b" from I into "/d" optional"#),
    ("a=1", "", r#"copy "*.py" "b" from I into "/d" optional"#),
    ("a=1", "x=2", r#"copy contents "b" from I to "/d" optional"#),
    ("a=1", "b=2", r#"copy "a" from I to "/b" optional"#),
    // Replace, where nothing is.
    ("a=1", "", r#"copy "a" from I to "/b" replace"#),
    ("a/x=1", "", r#"copy contents "a" from I to "/d/e" replace"#),
    // Owner and mode.
    ("a=1@3:4", "", r#"copy "a" from I to "/d/b" owner 5:6"#),
    ("a/x=1 a/s/y=2", "", r#"copy "a" from I to "/b" owner 5:6 mode 0700"#),
    ("a/x=1", "b/y=2", r#"copy "a" from I to "/b" owner 5"#),
    ("a=1", "", r#"copy "a" from I into "/d" owner 5 mode 0600"#),
    ("a->x", "", r#"copy "a" from I to "/b" owner 5:6"#),
    ("a=1:4755", "", r#"copy "a" from I to "/b""#),
    ("a=1", "etc/b=2:4711", r#"copy "a" from I to "/etc/b" mode 0640"#),
    ("a/x=1", "b/:2775 b/y=2", r#"copy "a" from I to "/b" mode 0750"#),
    ("a/:1777 a/s/:2755 a/s/x=1", "", r#"copy contents "a" from I to "/b""#),
    (
        "a/x=1",
        "etc/passwd=app:x:1000:50::/:/bin/sh etc/group=staff:x:50:",
        r#"copy "a" from I to "/b" owner app:staff"#,
    ),
    // Links.
    ("l->a a=1", "", r#"copy "l" from I to "/b""#),
    ("l->a a=1", "", r#"copy "l" from I to "/b" follow"#),
    ("l->a a/x=1 a/y->x", "", r#"copy "l" from I to "/b" follow"#),
    ("a/x->y a/y=1 a/z->/nowhere", "", r#"copy "a" from I to "/b""#),
    ("a/x->y a/y=1", "", r#"copy "a" from I to "/b" follow"#),
    ("l->a a=1", "", r#"copy "l" from I into "/d" follow"#),
    ("l->a a=1", "", r#"copy "l*" from I into "/d" follow"#),
    ("l->/d/a d/a=1", "", r#"copy "l" from I to "/b" follow"#),
    // Hard links are files of one content.
    ("a/x=1 a/y=>a/x b/z=>a/x", "", r#"copy "a" from I to "/b""#),
    ("a/x=1 b/y=>a/x", "", r#"copy "b" from I to "/b""#),
    // Odd names.
    ("a[1]=1 a-b,c=2 ü=3", "", r#"copy contents "." from I to "/d""#),
    ("a[1]=1", "", r#"copy "a[1]" from I to "/b""#),
    (
        "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn=1",
        "",
        r#"copy contents "." from I to "/d""#,
    ),
    (
        "d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/x=1",
        "",
        r#"copy "d" from I to "/d""#,
    ),
    ("a[1]/x=1", "etc/b/y=2", r#"copy "a[1]" from I to "/etc/b""#),
    ("a[1]=1 a1=2", "", r#"copy "a[1]" from I to "/b" optional"#),
    ("a1=2", "", r#"copy "a[1]" from I to "/b" optional"#),
    ("a[1]/x=1 a1=2", "", r#"copy "a[1]/x" from I into "/b""#),
    // A file or link and a directory: what is missing is made, what is there is looked at.
    ("a=1", "etc/b=2", r#"copy "a" from I to "/etc/b""#),
    ("a=1", "etc/b->c etc/c=2", r#"copy "a" from I to "/etc/b""#),
    ("a->c c/x=1", "etc/b=2", r#"copy "a" from I to "/etc/b""#),
    ("a->c c/x=1", "etc/b/y=2", r#"copy "a" from I to "/etc/b" follow"#),
    ("a/:0700 a/x=1", "etc/b/:0711@5:6 etc/b/y=2", r#"copy "a" from I to "/etc/b""#),
    ("l->s s/a/x=1", "etc/b/y=2", r#"copy "l/a" from I to "/etc/b""#),
    ("a/x=1", "etc/l->/srv srv/y=2", r#"copy "a" from I to "/etc/l""#),
    ("a/x=1", "etc/a/y=2", r#"copy "a" from I into "/etc""#),
    ("x=1", "etc/b/y=2", r#"copy "a" from I to "/etc/b" optional"#),
    ("a/x=1", "etc/b/y=2", r#"copy "a" from I to "/etc/b" optional"#),
    ("a/e/", "etc/b/y=2", r#"copy contents "a" from I to "/etc/b""#),
    ("a/x=1", "etc/b/y=2", r#"copy contents "a" from I to "/etc/b" optional"#),
    ("l->a a/x=1", "", r#"copy contents "l" from I to "/d" optional"#),
    ("x=1", "etc/b/y=2", r#"copy contents "a/s" from I to "/etc/b" optional"#),
    // What a wildcard, or a path that may be missing, finds behind a link; what is cached of one
    // row must not serve the next.
    ("l->s s/a=11", "", r#"copy "l/a" from I to "/b" optional"#),
    ("l->s s/a=12", "", r#"copy "l/a" from I to "/b" optional"#),
    ("l->s s/c=13", "", r#"copy "l/a" from I to "/b" optional"#),
    ("l->s s/a=14", "", r#"copy "l/*" from I into "/d""#),
    ("l->s s/a=15", "", r#"copy "l/*" from I into "/d""#),
    ("l->s s/a/b=16", "", r#"copy contents "l/a" from I to "/d" optional"#),
    ("l->s s/a/b=17", "", r#"copy contents "l/a" from I to "/d" optional"#),
    // Links that lead in a circle, or out of the root, which they cannot leave.
    ("l->m m->l", "", r#"copy "l" from I to "/b""#),
    ("l->../../../a a=1", "", r#"copy "l" from I to "/b" follow"#),
    ("s/l->../../../d/a d/a=1", "", r#"copy "s/l" from I into "/d" follow"#),
    // What is refused.
    ("l->m m->l", "", r#"copy "l" from I to "/b" follow"#),
    ("l->/etc/hostname a=1", "", r#"copy "l" from I to "/b" follow"#),
    ("l->../../../etc/hostname a=1", "", r#"copy "l" from I to "/b" follow"#),
    ("a=1", "", r#"copy contents "a" from I to "/d""#),
    ("a=1", "", r#"copy contents "a" from I to "/d" optional"#),
    ("l->a a=1", "", r#"copy contents "l" from I to "/d""#),
    ("l->a", "", r#"copy contents "l" from I to "/d""#),
    ("a=1", "etc/b/x=2", r#"copy "a" from I to "/etc/b""#),
    ("a=1", "etc/b/x=2", r#"copy "a" from I to "/etc/b" optional"#),
    ("a=1", "etc/b/x=2", r#"copy "a" from I to "/etc/b" mode 0600"#),
    ("a=1", "etc/b/x=2", r#"copy "a" from I to "/etc/b" owner 5:6"#),
    ("a=1", "etc/x[1]/y=2", r#"copy "a" from I to "/etc/x[1]""#),
    ("a[1]=1", "etc/b/y=2", r#"copy "a[1]" from I to "/etc/b""#),
    ("a=1", "etc/l->/srv srv/y=2", r#"copy "a" from I to "/etc/l""#),
    ("a=1", "a/x=2", r#"copy "a" from I into "/""#),
    ("a=1", "etc/a/x=2", r#"copy "a*" from I into "/etc""#),
    ("a=1 b=2", "etc/b/x=3", r#"copy "a" "b" from I into "/etc""#),
    ("a->c c=1", "etc/b/x=2", r#"copy "a" from I to "/etc/b""#),
    ("a->c c=1", "etc/b/x=2", r#"copy "a" from I to "/etc/b" follow"#),
    ("a->c c/x=1", "etc/b/y=2", r#"copy "a" from I to "/etc/b""#),
    ("a->nowhere", "etc/b/x=2", r#"copy "a" from I to "/etc/b""#),
    ("x=1", "etc/b/y=2", r#"copy "a" from I to "/etc/b""#),
    ("a=1", "", r#"copy "b" from I to "/b""#),
    ("a=1", "", r#"copy "a[1]" from I to "/b""#),
    ("a=1 a1=1", "", r#"copy "a[1]" from I to "/b" follow"#),
    ("a=1", "", r#"copy "a[1]" from I to "/b" mode 0600"#),
    ("a=1", "", r#"copy "d[1]/a" from I to "/b""#),
    ("a=1", "etc/b/x=2", r#"copy "a[1]" from I to "/etc/b""#),
    ("a=1 d1/x=1", "", r#"copy contents "d[1]" from I to "/b""#),
    ("a=1", "", r#"copy "a[[]1]" from I into "/d""#),
    ("a=1", "", r#"copy "a?" "b*" from I into "/d""#),
    ("a=1", "", r#"copy "*.py" from I into "/d""#),
    ("a=1", "", r#"copy contents "b" from I to "/d""#),
    ("l->a", "", r#"copy "l" from I to "/b" follow"#),
    ("s/a/x=1 s/b/x=2", "", r#"copy "s/*/x" from I into "/d""#),
    ("a/x=1", "etc/passwd=app:x:1000:50::/:/bin/sh", r#"copy "a" from I to "/b" owner nobody"#),
];

/// What the older engine is not even sent, where the source is a directory; its copies leave out
/// nothing.
const PATTERNS: &[Row] = &[
    (
        "a/x=1 a/s/:0700 a/s/y=2 a/s/z=3",
        "",
        "copy \"a\" from I to \"/b\" {\nexclude \"s\"\ninclude \"s/y\"\n}",
    ),
    ("a/s/t/y=2 a/u/z=3", "", r#"copy contents "a" from I to "/b" { include "**/y" }"#),
    ("a/s/t/y=2 a/s/z=3 a/y=4", "", r#"copy "a" from I to "/b" { include "s/**/y" }"#),
    ("a/x=1", "", r#"copy "a" from I to "/b" { exclude "x" }"#),
    ("x=1", "", r#"copy "x" from I to "/b" { exclude "x" }"#),
    ("b/x=1 b/y=2", "", r#"copy "b" from I into "/d" { exclude "y" }"#),
    ("a/x/k=1 a/y/k=2 a/y/l=3", "", "copy \"a\" from I to \"/b\" {\ninclude \"**/k\"\nexclude \"x\"\n}"),
    ("a/x.py=1 a/x.pyc=2 a/s/y.pyc=3", "", r#"copy "a" from I to "/b" { exclude "**/*.pyc" }"#),
    ("x=1 y/x=2 y/z=3", "", r#"copy contents "." from I to "/b" { exclude "**/x" }"#),
    // Directories that only hold what is left: made where they are taken themselves.
    ("a/s/x=1 a/t/y=2 a/e/ a/u/v/w=3", "", r#"copy "a" from I to "/b" { include "**/y" }"#),
    ("a/s/x=1 a/t/u/x=2 a/e/", "", r#"copy "a" from I to "/b" { exclude "**/x" }"#),
    ("a/s/x=1", "", r#"copy "a" from I to "/b" { include "**/y" }"#),
    ("a/x=1", "", r#"copy contents "a" from I to "/b" { include "y" }"#),
    // The last match decides.
    (
        "a/s/x=1 a/s/y=2 a/t/x=3",
        "",
        "copy \"a\" from I to \"/b\" {\ninclude \"**/x\"\nexclude \"s\"\ninclude \"s/x\"\n}",
    ),
    (
        "a/s/x=1 a/s/y=2 a/t/x=3",
        "",
        "copy \"a\" from I to \"/b\" {\nexclude \"s\"\ninclude \"**/x\"\nexclude \"s/x\"\n}",
    ),
    ("s/t/x=1 s/x=2 y=3", "", "copy contents \".\" from I to \"/b\" {\ninclude \"s/**\"\nexclude \"s/x\"\n}"),
    ("s/a/x=1 s/a/y=2", "", r#"copy "s/a" from I to "/b" { exclude "x" }"#),
];

/// A directory that is there keeps its owner, which one that is sent would take away. In a layer of
/// its own nothing is there.
const OWNERS_KEPT: &[Row] = &[(
    "a/s/:0700 a/s/y=2",
    "b/s/:0711@7:8",
    "copy \"a\" from I to \"/b\" {\nexclude \"s\"\ninclude \"s/y\"\n}",
)];

/// What needs patterns even where the source is a directory: a link leads to what is copied.
const PATTERNS_ALONE: &[Row] = &[
    ("a/x=1 l->a", "", r#"copy contents "l" from I to "/b" { exclude "x" }"#),
    ("a/x=1 a/y=18 l->a", "", r#"copy contents "l" from I to "/b" { exclude "x" }"#),
    ("a/x=1 a/y=19 l->a", "", r#"copy contents "l" from I to "/b" { exclude "x" }"#),
    ("a/x=1 a/y=20 l->a", "", r#"copy "l" from I to "/b" follow { include "y" }"#),
    ("a/x=1 a/y=21 l->a", "", r#"copy "l" from I to "/b" follow { include "y" }"#),
    ("a/x=1 a/y=25 l->a", "", r#"copy contents "l" from I to "/b" optional { include "y" }"#),
    ("a/x=1 a/y=26 l->a", "", r#"copy contents "l" from I to "/b" optional { include "y" }"#),
    ("a/x=1 a/y=27 l->a", "", r#"copy "l*" from I into "/b" follow { include "y" }"#),
    ("a/x=1 a/y=28 l->a", "", r#"copy "l*" from I into "/b" follow { include "y" }"#),
    ("l->s s/a/x=1 s/a/y=22", "", r#"copy "l/a" from I to "/b" { include "y" }"#),
    ("l->s s/a/x=1 s/a/y=23", "", r#"copy "l/a" from I to "/b" { include "y" }"#),
    ("l->s s/a/x=1 s/a/y=24", "", r#"copy "l/a" from I to "/b" { exclude "x" }"#),
    ("l->s s/a/x=1 s/a/y=2", "", r#"copy "l/a" from I to "/b" { exclude "x" }"#),
];

/// What the older engine cannot remove: it would follow a link.
const REPLACEMENTS: &[Row] = &[
    ("a/x=1", "b/y=2", r#"copy "a" from I to "/b" replace"#),
    ("a=1", "b/y=2", r#"copy "a" from I to "/b" replace"#),
    ("a=1", "b->c c=2", r#"copy "a" from I to "/b" replace"#),
    ("a=1", "d/y=2", r#"copy "a" from I into "/d" replace"#),
    ("a/x=1", "d/:0700@5:6 d/y=2", r#"copy contents "a" from I to "/d" replace"#),
    ("a=1", "b=2", r#"copy "c" from I to "/b" replace optional"#),
];

/// Sources that may give two files of one name: of a directory it is looked up, and of a stage no
/// engine here can tell.
const COLLISIONS: &[Row] = &[
    ("s/a/x=1 s/b/y=2", "", r#"copy "s/*/?" from I into "/d""#),
    ("s/a/x=1 l->s", "", r#"copy "l/*/x" from I into "/d""#),
    ("a.py=1 s/b.py=2 t/c.py/x=3", "", r#"copy "*.py" "s/*.py" "t/*" from I into "/d""#),
    ("a.py=1 s/b=2 s/c=3", "e/c=4", r#"copy "a.*" "s/*" from I into "/e" mode 0600 owner 5:6"#),
    ("a.py=1 s/b.py=2", "", r#"copy "a.*" "s/*.py" "t/?.py" from I into "/d" optional"#),
];

/// The same where two files have one name.
const COLLIDING: &[Row] = &[
    ("s/a/x=1 s/b/x=2", "", r#"copy "s/*/?" from I into "/d""#),
    ("a.py=1 s/a.py=2", "", r#"copy "*.py" "s/*" from I into "/d""#),
    ("a/x=1 s/a/y=2", "", r#"copy "a" "s/*" from I into "/d""#),
];

/// Modes above 0777, for which no engine here has the means.
const MODES: &[Row] = &[("a=1:0755", "", r#"copy "a" from I to "/b" mode 2711"#)];

/// An owner without a group: the plan means the group of that name, of which there is none, and
/// BuildKit would take the one that the user's line has.
const GROUPS: &[Row] =
    &[("a/x=1", "etc/passwd=app:x:1000:50::/:/bin/sh", r#"copy "a" from I to "/b" owner app"#)];

/// Copies that are layers on their own. Without merges they are made on their base instead, where
/// something may be in the way: then they fail, and never give anything else.
const IN_THE_WAY: &[Row] = &[
    ("a=1", "d/ l->d", r#"copy "a" from I to "/l/b""#),
    ("a=1", "d/ l->/d/../d", r#"copy "a" from I to "/l/x/b""#),
    ("a/x=1", "b->c c/", r#"copy "a" from I to "/b""#),
    ("a=1", "e/ d->e", r#"copy "a" from I into "/d""#),
    ("a/x=1", "b=2", r#"copy "a" from I to "/b""#),
    ("a/s/x=1", "b/s=2", r#"copy "a" from I to "/b""#),
    ("a/x=1", "b/x/", r#"copy "a" from I to "/b""#),
    ("a=1", "b=2", r#"copy "a" from I to "/b/c""#),
    ("a=1", "b/x=2", r#"copy "a" from I to "/b""#),
    ("a->c c=1", "b/x=2", r#"copy "a" from I to "/b""#),
    ("a=1", "e/b/x=2 d->e", r#"copy "a" from I to "/d/b""#),
];

/// Modes of what may have setuid, setgid or sticky: without a `chmod` the older engine cannot take
/// these away.
const SPECIAL: &[Row] = &[
    ("a=1:4755", "", r#"copy "a" from I to "/b" mode 0700"#),
    ("a=1:4755", "", r#"copy "a*" from I into "/b" mode 0700"#),
    ("a/s/:2775 a/s/x=1:4755 a/l->s", "", r#"copy "a" from I to "/b" mode 0750"#),
];

/// What a row gives on an engine.
#[derive(Debug, Clone, Copy)]
pub enum Expected {
    /// What the contract says, or no image where it says that there is none.
    Contract,
    /// The same, or a refusal, because nobody has looked at what is copied.
    ContractOrRefused,
    /// A refusal with these words, before anything is sent.
    Refused(&'static str),
    /// A failure of the build.
    Failed,
}

/// All rows, in all four ways, with what each gives on an engine that can `merge` or not.
pub fn rows(merge: bool, looks: Looking) -> Vec<(Row, From, Onto, Expected)> {
    let older = |expected| if merge { Expected::Contract } else { expected };
    let both = |expected| [(Onto::Base, expected), (Onto::Layer, expected)];
    let no_patterns = older(Expected::Refused("file.copy.includeexcludepatterns"));
    let may_collide = Expected::Refused("cpk::unsupported::collision");
    let in_the_way = [(Onto::Base, older(Expected::Failed)), (Onto::Layer, Expected::Contract)];
    let mut all = Vec::new();
    for from in [From::Context, From::Stage] {
        // Of a stage nobody knows more than the plan says.
        if looks == Looking::AtThePlan && from == From::Stage {
            continue;
        }
        let (excluded, not_seen, collides) = match from {
            From::Context => {
                (Expected::Contract, Expected::Contract, Expected::Refused("would both land on"))
            }
            From::Stage => (no_patterns, may_collide, may_collide),
        };
        for (group, (rows, expectations)) in [
            (EQUAL, both(Expected::Contract)),
            (PATTERNS, both(excluded)),
            (OWNERS_KEPT, [(Onto::Base, excluded), (Onto::Layer, no_patterns)]),
            (PATTERNS_ALONE, both(no_patterns)),
            (SPECIAL, both(older(Expected::Refused("cpk::unsupported::mode-bits")))),
            (REPLACEMENTS, both(older(Expected::Refused("file.rm.nofollowsymlink")))),
            (COLLISIONS, both(not_seen)),
            (COLLIDING, both(collides)),
            (MODES, both(Expected::Refused("file.symlink.create"))),
            (GROUPS, both(Expected::Refused("cpk::unsupported::owner-group"))),
            (IN_THE_WAY, in_the_way),
        ]
        .into_iter()
        .enumerate()
        {
            for (row, (onto, expected)) in rows.iter().flat_map(|row| expectations.map(|it| (row, it))) {
                let expected = match (looks, expected) {
                    (Looking::AtThePlan, Expected::Failed) => Expected::Failed,
                    // The first group needs no look; an older daemon sets modes only of what is known.
                    (Looking::AtThePlan, _) if group > 0 => Expected::ContractOrRefused,
                    (Looking::AtThePlan, _) if !merge && row.2.contains(" mode ") => {
                        Expected::ContractOrRefused
                    }
                    (Looking::AtThePlan | Looking::AtAll, expected) => expected,
                };
                all.push((*row, from, onto, expected));
            }
        }
    }
    all
}
