//! Small plans, each close to what one pass leans on: a link on the way, a directory with another mode, a program
//! in between, an owner that not everybody has, two inputs that look alike.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// A plan, and the passes that it is close to, which all run on it.
#[derive(Debug, Clone)]
pub(crate) struct Sketch {
    pub(crate) text: String,
    pub(crate) passes: &'static [&'static str],
}

/// One of all kinds.
pub(crate) fn sketch() -> BoxedStrategy<Sketch> {
    prop_oneof![
        3 => ownership(),
        3 => copies(),
        3 => sorted(),
        4 => beside(),
        3 => early(),
        3 => alike(),
        2 => settings(),
        3 => sides(),
        1 => dead(),
        3 => programs(),
        2 => removed(),
    ]
    .boxed()
}

fn of(passes: &'static [&'static str]) -> impl Fn(String) -> Sketch {
    move |text| Sketch { text, passes }
}

fn one_of(texts: &'static [&'static str]) -> BoxedStrategy<String> {
    select(texts).prop_map(str::to_owned).boxed()
}

/// The inputs of all sketches, with what is known of the base's config.
fn head(config: &str) -> String {
    format!(
        "cpk 1\n\
         image @base = \"base\" digest sha256:{}{config}\n\
         image @else = \"else\" digest sha256:{} config empty\n\
         context @source = dir \".\"\n\
         context @again = dir \".\"\n\
         context @other = dir \"other\"\n\
         context @needs = dir \".\" {{ include \"requirements.txt\" }}\n\
         context @written = files {{ file \"src/x.pyc\" = \"written\" file \"a.txt\" = \"written\" }}\n",
        "a".repeat(64),
        "b".repeat(64),
    )
}

const KNOWN: &str = " config empty";

/// The ops of a stage, line by line, each after the other or in a `layer` with the one before.
fn ops(ops: &[(String, bool)]) -> String {
    let mut text = String::new();
    let mut place = 0;
    while place < ops.len() {
        let mut end = place + 1;
        while ops[end - 1].1 && end < ops.len() {
            end += 1;
        }
        let lines: String = ops[place..end].iter().map(|(op, _)| format!("  {op}\n")).collect();
        text += &if end - place > 1 { format!("  layer l{place} {{\n{lines}  }}\n") } else { lines };
        place = end;
    }
    text
}

/// An op, and whether it shares a layer with the next.
fn grouped(op: BoxedStrategy<String>) -> impl Strategy<Value = (String, bool)> {
    (op, prop_oneof![3 => Just(false), 2 => Just(true)])
}

/// What makes it matter whether a copy looks at what is under it.
fn ground() -> BoxedStrategy<String> {
    one_of(&[
        "",
        "",
        "symlink \"/src\" at \"/d\"",
        "symlink \"/src\" at \"/tmp/x\"",
        "symlink \"/new\" at \"/src\"",
        "mkdir \"/src\" mode 0700",
        "mkdir \"/d\" mode 0700",
        "file \"/d/old\" = \"old\"",
        "file \"/src/old\" = \"old\"",
    ])
}

/// A copy of a directory to where directories are, or of something to where mostly nothing is.
fn copy() -> BoxedStrategy<String> {
    let directory =
        (one_of(&["contents \"src\""]), one_of(&["/src", "/src/a", "/d", "/d/src", "/tmp/x", "/new"]));
    let file = (
        one_of(&["\"a.txt\""]),
        one_of(&["/src/a.txt", "/d/a.txt", "/d", "/tmp/x/a.txt", "/etc/app", "/new/b"]),
    );
    (
        prop_oneof![3 => directory, 2 => file],
        one_of(&[
            "@source",
            "@source",
            "@source",
            "@other",
            "@needs",
            "@written",
            "image @base",
            "image @base",
        ]),
        one_of(&["", "", "", "", "", " mode 0600", " owner 5:6", " owner app", " replace", " optional"]),
    )
        .prop_map(|((what, to), from, modifiers)| {
            let what = if from.starts_with('@') { what } else { what.replacen('"', "\"/", 1) };
            format!("copy {what} from {from} to {to:?}{modifiers}")
        })
        .boxed()
}

/// A copy, and a `chown -R` that is meant for it or not.
fn ownership() -> BoxedStrategy<Sketch> {
    let before = one_of(&[
        "",
        "",
        "",
        "file \"/d/old\" = \"old\"",
        "file \"/tmp/x/old\" = \"old\"",
        "file \"/tmp/x/old\" = \"old\"",
        "mkdir \"/d\" mode 0700",
        "user \"app\"",
        "workdir \"/tmp\"",
        "symlink \"/tmp\" at \"/d\"",
    ]);
    let what = one_of(&["\"src\"", "contents \"src\"", "contents \"src\""]);
    let modifiers = one_of(&[
        " replace mode 0644",
        " replace mode 0644",
        " replace mode 0755",
        " replace",
        " mode 0644",
        " replace owner 7:8 mode 0644",
        " replace optional mode 0644",
        " replace mode 4755",
        "",
    ]);
    let between = one_of(&["", "", "", "env A = \"1\"", "run \"make\"", "user \"app\""]);
    let owner = one_of(&["5:6", "5", "app", "app:app"]);
    let at = one_of(&["", "", "", "/a", "/..", "+/etc", "+/tmp"]);
    let inputs = one_of(&["@source", "@source", "@written"]);
    let place = one_of(&["/d", "/d", "/tmp/x", "/tmp/x", "/etc/app", "/home/a"]);
    (one_of(&[KNOWN, KNOWN, KNOWN, ""]), before, (what, inputs, place, modifiers), between, owner, at)
        .prop_map(|(config, before, (what, from, place, modifiers), between, owner, at)| {
            let at = match at.strip_prefix('+') {
                Some(other) => other.to_owned(),
                None => format!("{place}{at}"),
            };
            format!(
                "{}stage %app from image @base {{\n  {before}\n  copy {what} from {from} to {place:?}{modifiers}\n  \
                 {between}\n  run \"chown -R {owner} {at}\"\n}}\nexport from %app {{}}\n",
                head(&config)
            )
        })
        .prop_map(of(&["fold-ownership"]))
        .boxed()
}

/// Copies that land in each other or apart, on links and directories of all kinds.
fn copies() -> BoxedStrategy<Sketch> {
    let op = prop_oneof![
        8 => copy(),
        2 => one_of(&["env A = \"1\"", "env A = \"2\"", "env B = \"1\""]),
        1 => one_of(&["run \"make\""]),
    ];
    (ground(), vec(grouped(op.boxed()), 2..5))
        .prop_map(|(ground, all)| {
            let head = head(KNOWN);
            format!(
                "{head}stage %app from image @base {{\n  {ground}\n{}}}\nexport from %app {{}}\n",
                ops(&all)
            )
        })
        .prop_map(of(&["split-large", "merge-layers"]))
        .boxed()
}

/// A copy of what changes often, and some that may go below it.
fn sorted() -> BoxedStrategy<Sketch> {
    let often = (
        one_of(&["@source", "@source", "@other"]),
        one_of(&["/src", "/src", "/d", "/d/src", "/tmp/x", "/new"]),
        one_of(&["", "", "", "", " owner 5:6", " replace"]),
    )
        .prop_map(|(from, to, modifiers)| format!("copy contents \"src\" from {from} to {to:?}{modifiers}"));
    let seldom = (
        one_of(&["@written", "@written", "image @base", "@needs"]),
        one_of(&["/src", "/src/a", "/d", "/d/src", "/tmp/x", "/tmp/x", "/new"]),
        one_of(&["", "", "", "", "", " owner 5:6", " owner app", " replace"]),
    )
        .prop_map(|(from, to, modifiers)| {
            let what = if from.starts_with('@') { "src" } else { "/src" };
            format!("copy contents {what:?} from {from} to {to:?}{modifiers}")
        });
    let setting = || one_of(&["env A = \"1\"", "env A = \"2\"", "env B = \"1\""]);
    let between =
        prop_oneof![2 => Just(String::new()), 2 => setting(), 1 => copy(), 1 => one_of(&["run \"make\""])];
    let with = prop_oneof![2 => Just(String::new()), 1 => setting()];
    (ground(), often, between, with, seldom)
        .prop_map(|(ground, often, between, with, seldom)| {
            let seldom = match with.as_str() {
                "" => format!("  {seldom}\n"),
                with => format!("  layer both {{\n  {with}\n  {seldom}\n  }}\n"),
            };
            format!(
                "{}stage %app from image @base {{\n  {ground}\n  {often}\n  {between}\n{seldom}}}\n\
                 export from %app {{}}\n",
                head(KNOWN)
            )
        })
        .prop_map(of(&["sort-by-change"]))
        .boxed()
}

/// Copies of one input into one directory.
fn beside() -> BoxedStrategy<Sketch> {
    let modifiers = &["", "", "", "", " optional", " replace", " owner 5:6", " mode 0600", " follow"][..];
    let one = (
        one_of(&["a.txt", "src", "b.txt", "x/a.txt"]),
        one_of(&["", "", "", "", "a.txt", "src"]),
        select(modifiers),
        one_of(&["@source", "@source", "@source", "@source", "@other"]),
    );
    (ground(), one_of(&["/d", "/src", "/tmp/x", ""]), vec(one, 2..4), any::<bool>())
        .prop_map(|(ground, at, mut copies, same)| {
            if same {
                copies.sort();
            }
            let first = copies[0].2;
            let copies: String = copies
                .iter()
                .map(|(source, called, modifiers, from)| {
                    let own = source.rsplit('/').next().unwrap_or(source);
                    let called = if called.is_empty() { own } else { called.as_str() };
                    let modifiers = if same { first } else { modifiers };
                    format!("  copy {source:?} from {from} to \"{at}/{called}\"{modifiers}\n")
                })
                .collect();
            let head = head(KNOWN);
            format!("{head}stage %app from image @base {{\n  {ground}\n{copies}}}\nexport from %app {{}}\n")
        })
        .prop_map(of(&["merge-copies"]))
        .boxed()
}

/// A stage that another one copies from, of which the end may have nothing to do with what is copied.
fn early() -> BoxedStrategy<Sketch> {
    let first =
        one_of(&["run \"make\"", "file \"/d/x.pyc\" = \"old\"", "copy \"src\" from @source to \"/src\""]);
    let last = prop_oneof![
        5 => copy(),
        1 => one_of(&["run \"make\"", "env A = \"1\"", "remove \"/src\" optional"]),
    ];
    let source = one_of(&["/d", "/src", "/d/x.pyc", "/d/x.pyc", "/src/x.pyc", "/d/a.txt", "/new"]);
    let modifiers = one_of(&["", "", " optional", " follow"]);
    let linked = one_of(&["symlink \"/src\" at \"/d\""]);
    (prop_oneof![ground(), linked], first, vec(last, 1..3), source, modifiers)
        .prop_map(|(ground, first, last, source, modifiers)| {
            let last: String = last.iter().map(|op| format!("  {op}\n")).collect();
            format!(
                "{}stage %build from image @base {{\n  {ground}\n  {first}\n{last}}}\n\
                 stage %app from image @else {{\n  copy {source:?} from %build to \"/out\"{modifiers}\n}}\n\
                 export from %app {{}}\n",
                head(KNOWN)
            )
        })
        .prop_map(of(&["parallelise"]))
        .boxed()
}

/// Two stages that do the same with inputs that are the same or not.
fn alike() -> BoxedStrategy<Sketch> {
    const OPS: &[&str] = &[
        "copy contents \"src\" from INPUT to \"/d\"",
        "copy \"a.txt\" from INPUT to \"/d/a.txt\"",
        "run \"make\" { mount INPUT at \"/mnt\" }",
        "run \"make\"",
        "env A = \"1\"",
    ];
    const INPUTS: &[&str] =
        &["@source", "@source", "@again", "@other", "@needs", "@written", "image @base", "image @else"];
    let op = prop_oneof![4 => one_of(&OPS[..3]), 1 => one_of(&OPS[3..])];
    let starts = one_of(&["image @base", "image @base", "image @base", "image @else", "scratch"]);
    let tail = one_of(&["", "", "", "run \"test\"", "remove \"/d\" optional"]);
    (vec(op, 1..4), select(INPUTS), select(INPUTS), (starts.clone(), starts), (tail.clone(), tail))
        .prop_map(|(ops, one, other, starts, tails)| {
            let stage = |name: &str, input: &str, start: &str, tail: &str| {
                let ops = ops.iter().map(|op| format!("  {}\n", with_input(op, input))).collect::<String>();
                format!("stage %{name} from {start} {{\n{ops}  {tail}\n}}\n")
            };
            format!(
                "{}{}{}stage %app from %left {{\n  copy \"/d\" from %left to \"/left\" optional\n  \
                 copy \"/d\" from %right to \"/right\" optional\n}}\nexport from %app {{}}\n",
                head(KNOWN),
                stage("left", one, &starts.0, &tails.0),
                stage("right", other, &starts.1, &tails.1),
            )
        })
        .prop_map(of(&["dedupe-stages"]))
        .boxed()
}

/// Paths in images are absolute.
fn with_input(op: &str, input: &str) -> String {
    let op = op.replace("INPUT", input);
    if input.starts_with('@') {
        op
    } else {
        op.replace("\"src\" from", "\"/src\" from").replace("\"a.txt\" from", "\"/a.txt\" from")
    }
}

/// Variables, users and shells, and programs that see them.
fn settings() -> BoxedStrategy<Sketch> {
    let setting = one_of(&[
        "env A = \"1\"",
        "env A = \"2\"",
        "env A = \"${A}3\"",
        "env B = \"1\"",
        "env B = \"${A}\"",
        "env C = \"1\"",
        "unset A",
        "unset A",
        "unset B",
        "env prepend PATH \"/d\"",
        "user \"app\"",
        "user \"root\"",
        "user \"0\"",
        "shell [\"/bin/bash\", \"-c\"]",
        "shell [\"/bin/sh\", \"-c\"]",
    ]);
    let op = prop_oneof![
        6 => setting,
        1 => one_of(&["run \"make\"", "exec [\"make\"]", "copy \"src\" from @source to \"/src\"", "workdir \"/d\""]),
    ];
    let config = one_of(&["", "", KNOWN, " env A = \"1\" user \"app\"", " env B = \"1\" env A = \"2\""]);
    (config, vec(grouped(op.boxed()), 2..7), any::<Index>(), any::<bool>())
        .prop_map(|(config, all, cut, is_cut)| {
            let all = match is_cut {
                false => format!("{}}}\n", ops(&all)),
                true => {
                    let (one, other) = all.split_at(cut.index(all.len()));
                    format!("{}}}\nstage %next from %app {{\n{}}}\n", ops(one), ops(other))
                }
            };
            let last = if is_cut { "next" } else { "app" };
            format!("{}stage %app from image @base {{\n{all}export from %{last} {{}}\n", head(&config))
        })
        .prop_map(of(&["fold-env"]))
        .boxed()
}

/// Stages side by side, which are joined by what each of their layers has changed.
fn sides() -> BoxedStrategy<Sketch> {
    let op = || {
        one_of(&[
            "copy \"src\" from @source to \"/tmp/x\"",
            "copy contents \"src\" from @source to \"/tmp/x\" replace mode 0644",
            "file \"/tmp/x\" = \"text\"",
            "remove \"/tmp/x\" optional",
            "remove \"/tmp/x\"",
            "run \"chown -R 5:6 /tmp/x\"",
            "copy \"a.txt\" from @source to \"/d/a.txt\"",
            "copy \"b.txt\" from @source to \"/d/b.txt\"",
            "copy contents \"src\" from @written to \"/src\"",
            "run \"apt-get install -y a\"",
            "run \"rm -rf /tmp/x\"",
        ])
    };
    (vec(op(), 1..4), vec(op(), 0..3))
        .prop_map(|(left, right)| {
            let text = |ops: Vec<String>| ops.iter().map(|op| format!("  {op}\n")).collect::<String>();
            format!(
                "{}phase start phase sides parallel after start\n\
                 stage %first in start from image @base {{}}\n\
                 stage %left in sides from %first {{\n{}}}\nstage %right in sides from %first {{\n{}}}\n\
                 stage %app from phase sides {{}}\nexport from %app {{}}\n",
                head(KNOWN),
                text(left),
                text(right)
            )
        })
        .prop_map(of(&[
            "drop-add-then-remove",
            "fold-ownership",
            "merge-copies",
            "merge-runs",
            "sort-by-change",
            "dedupe-stages",
            "merge-layers",
        ]))
        .boxed()
}

/// Inputs and stages that something reads or nothing does.
fn dead() -> BoxedStrategy<Sketch> {
    let input = || one_of(&["@source", "@other", "image @else", "%one", "%other"]);
    let from = one_of(&["image @base", "image @else", "%one", "%other", "%app", "%app"]);
    (input(), input(), from)
        .prop_map(|(one, other, from)| {
            let copy = |from: &str| match from.strip_prefix('@') {
                Some(_) => format!("copy \"src\" from {from} to \"/src\""),
                None => format!("copy \"/src\" from {from} to \"/src\""),
            };
            let early = |from: String| if from.starts_with('%') { "@again".to_owned() } else { from };
            format!(
                "{}stage %one from image @base {{ {} }}\nstage %other from scratch {{ {} }}\n\
                 stage %app from image @else {{ run \"make\" {{ mount {other} at \"/mnt\" }} }}\nexport from {from} {{}}\n",
                head(KNOWN),
                copy(&early(one.clone())),
                copy(&one.replace("%other", "%one")),
            )
        })
        .prop_map(of(&["drop-dead-stages"]))
        .boxed()
}

/// Programs, and what is added for them and removed again.
fn programs() -> BoxedStrategy<Sketch> {
    let program = one_of(&[
        "run \"apt-get install -y a\"",
        "run \"apt-get install -y a\"",
        "run \"apt-get update\"",
        "run \"apk add a\"",
        "run \"rm -rf /var/lib/apt/lists\"",
        "run \"apt-get install -y x\" { mount @source at \"/mnt\" }",
        "run \"make\"",
    ]);
    let added = one_of(&[
        "copy \"a.txt\" from @source to \"/tmp/x/a.txt\"",
        "copy contents \"src\" from @source to \"/d\"",
        "file \"/d/x.pyc\" = \"text\"",
        "symlink \"/d\" at \"/tmp/x/a.txt\"",
        "mkdir \"/tmp/x\" mode 0700",
    ]);
    let removed = one_of(&["remove \"/tmp/x\"", "remove \"/d\"", "remove \"/d/x.pyc\"", "run \"rm -rf /d\""]);
    let other = prop_oneof![one_of(&["env A = \"1\"", "user \"app\"", "workdir \"/d\""]), copy()];
    let line = prop_oneof![6 => program, 2 => added, 2 => removed, 3 => other].boxed();
    let layered = (line, prop_oneof![6 => Just(false), 1 => Just(true)]);
    (ground(), vec(layered, 2..6))
        .prop_map(|(ground, all)| {
            let head = head(KNOWN);
            format!(
                "{head}stage %app from image @base {{\n  {ground}\n{}}}\nexport from %app {{}}\n",
                ops(&all)
            )
        })
        .prop_map(of(&["merge-runs", "drop-add-then-remove"]))
        .boxed()
}

/// What is added, seen by a program or not, and removed again, where it matters what was there before.
fn removed() -> BoxedStrategy<Sketch> {
    let ground = one_of(&[
        "mkdir \"/d\" mode 0700",
        "symlink \"/src\" at \"/d\"",
        "file \"/d/a.txt\" = \"old\"",
        "file \"/tmp/x/a.txt\" = \"old\"",
    ]);
    let place = one_of(&["/d/a.txt", "/d/a.txt", "/tmp/x/a.txt", "/src/a.txt"]);
    let kind =
        one_of(&["copy \"a.txt\" from @source to", "copy contents \"src\" from @source to", "mkdir", "file"]);
    let between =
        one_of(&["", "", "run \"make\"", "user \"app\"", "copy contents \"src\" from @other to \"/src\""]);
    let up = one_of(&["", "", "", "/x.pyc", "/.."]);
    (ground, place, kind, between, up)
        .prop_map(|(ground, place, kind, between, up)| {
            let text = if kind == "file" { " = \"text\"" } else { "" };
            let up = match up.as_str() {
                "/.." => place.trim_end_matches("/a.txt").to_owned(),
                below => format!("{place}{below}"),
            };
            format!(
                "{}stage %app from image @base {{\n  {ground}\n  {kind} {place:?}{text}\n  {between}\n  \
                 remove {up:?}\n}}\nexport from %app {{}}\n",
                head(KNOWN)
            )
        })
        .prop_map(of(&["drop-add-then-remove"]))
        .boxed()
}
