//! Plans of four stages, with all that passes have something to do with on few paths.

use std::fmt::Write as _;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Ops that passes have something to do with, on few paths.
fn op() -> BoxedStrategy<String> {
    let place =
        || select(&["/src", "/src/a", "/venv", "/a.txt", "/d/a.txt", "/d/b.txt", "/d/src", "/tmp/x"][..]);
    let source = select(&["a.txt", "src", "b.txt", "requirements.txt", "x/a.txt"][..]);
    let input = select(&["@source", "@other", "@again", "image @base", "%first", "%first"][..]);
    let modifiers = select(
        &["", "", "", "", " replace", " optional", " follow", " owner 5:6", " mode 0644", " mode 4755"][..],
    );
    let copy =
        (source, input, place(), modifiers, 0..5).prop_map(|(source, input, place, modifiers, form)| {
            let source = if input.starts_with('@') { source.to_owned() } else { format!("/{source}") };
            match form {
                0 => format!("copy contents {source:?} from {input} to {place:?}{modifiers}"),
                1 => format!("copy {source:?} \"c.md\" from {input} into {place:?}{modifiers}"),
                _ => format!("copy {source:?} from {input} to {place:?}{modifiers}"),
            }
        });
    // A copy, what changes its owner, and what takes it away again, close to each other.
    let owned = (
        select(&["a.txt", "src"][..]),
        select(&["/src", "/tmp/x", "/home/a", "/etc/app", "/venv"][..]),
        select(
            &[
                "",
                " replace",
                " mode 0644",
                " mode 0644",
                " replace mode 0644",
                " replace mode 0644",
                " replace mode 4755",
            ][..],
        ),
        0..6,
    )
        .prop_map(|(source, place, modifiers, kind)| {
            let copy = format!("copy {source:?} from @source to {place:?}{modifiers}");
            match kind {
                0 => format!("{copy}\n    run \"chown -R 5:6 {place}\""),
                1 => format!("{copy}\n    run \"chown -R app {place}\""),
                2 => format!("{copy}\n    remove {place:?}"),
                4 => format!("{copy}\n    run \"chown -R 5:6 /etc\""),
                3 => format!(
                    "file \"{place}/old\" = \"old\"\n    \
                     copy contents \"src\" from @source to {place:?}{modifiers}\n    \
                     run \"chown -R 5:6 {place}\""
                ),
                _ => format!("{copy}\n    run \"sh {place}\"\n    remove {place:?}"),
            }
        });
    let beside = (
        select(&["a.txt", "x/a.txt"][..]),
        select(&["b.txt", "src"][..]),
        select(&["/d", "/src", "/tmp", "/new", ""][..]),
        select(&["", "", "", " optional", " replace", " owner 5:6", " mode 0600", " follow"][..]),
        select(&["", "", "", " mode 0600"][..]),
    )
        .prop_map(|(one, other, at, modifiers, more)| {
            let more = if modifiers.is_empty() { more } else { modifiers };
            let name = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
            format!(
                "copy {one:?} from @source to \"{at}/{}\"{modifiers}\n    \
                 copy {other:?} from @source to \"{at}/{}\"{more}",
                name(one),
                name(other)
            )
        });
    // Names that are links to where other copies land.
    let linked = select(
        &[
            "symlink \"/src\" at \"/d\"\n    copy contents \"src\" from @source to \"/src\"",
            "symlink \"/src\" at \"/tmp/x\"\n    copy contents \"src\" from @source to \"/src\"\n    \
             copy contents \"src\" from @other to \"/tmp/x\"",
            "copy \"a.txt\" from @source to \"/d/a.txt\"\n    copy \"src\" from @source to \"/d/b.txt\"",
        ][..],
    )
    .prop_map(str::to_owned);
    let run = select(
        &[
            "run \"apt-get install -y a\"\n    run \"apt-get install -y b\"",
            "run \"apt-get update && apt-get install -y git\"",
            "run \"apt-get install -y curl\"",
            "run \"rm -rf /var/lib/apt/lists\"",
            "run \"make\"",
            "run \"make\" { user \"app\" }",
            "run \"apt-get install -y x\" { mount @source at \"/mnt\" }",
            "exec [\"make\", \"install\"] { network none }",
        ][..],
    )
    .prop_map(str::to_owned);
    let setting = select(
        &[
            "env A = \"1\"",
            "env A = \"2\"",
            "env B = \"1\"",
            "env LANG = \"C\"",
            "unset A",
            "unset LANG",
            "env prepend PATH \"/venv/bin\"",
            "user \"app\"",
            "user \"0\"",
            "shell [\"/bin/bash\", \"-c\"]",
            "shell [\"/bin/sh\", \"-c\"]",
        ][..],
    )
    .prop_map(str::to_owned);
    let own = (place(), 0..5).prop_map(|(place, kind)| match kind {
        0 => format!("file {place:?} = \"text\""),
        1 => format!("mkdir {place:?} mode 0700"),
        2 => format!("symlink \"/src\" at {place:?}"),
        3 => format!("remove {place:?} optional"),
        _ => format!("workdir {place:?}"),
    });
    prop_oneof![6 => copy, 6 => owned, 2 => beside, 2 => linked, 5 => run, 4 => setting, 3 => own].boxed()
}

/// The ops of a stage, some of them in layers.
fn block() -> BoxedStrategy<String> {
    let group = (vec(op(), 1..4), any::<bool>());
    vec(group, 0..4)
        .prop_map(|groups| {
            let mut text = String::new();
            for (place, (ops, is_layer)) in groups.iter().enumerate() {
                let ops: String = ops.iter().map(|op| format!("    {op}\n")).collect();
                match is_layer {
                    true => write!(text, "  layer l{place} {{\n{ops}  }}\n").expect("a String takes all"),
                    false => text.push_str(&ops),
                }
            }
            text
        })
        .boxed()
}

/// Plans in which stages are alike, begin alike, are read by nobody, or stand side by side.
pub(crate) fn plan() -> BoxedStrategy<String> {
    let starts = select(&["scratch", "image @base", "image @base", "@source"][..]);
    let config = select(
        &[" config empty", " config empty", " config empty", " env LANG = \"C\" user \"app\"", ""][..],
    );
    let phases = select(&[0, 0, 0, 1][..]);
    (starts, config, (block(), block(), block()), (any::<bool>(), any::<bool>(), 0..4usize), phases)
        .prop_map(|(start, config, (one, other, tail), (alike, begins, app), phases)| {
            let mut text = format!(
                "cpk 1\nimage @base = \"base\" digest \
                 sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855{config}\n\
                 context @source = dir \".\"\ncontext @other = dir \"other\" {{ include \"requirements.txt\" }}\n\
                 context @again = dir \".\"\n"
            );
            if phases == 1 {
                text.push_str("phase start phase sides parallel after start\n");
            }
            let within = |phase: &str| if phases == 1 { format!(" in {phase}") } else { String::new() };
            writeln!(text, "stage %first{} from {start} {{\n{}}}", within("start"), one.replace("%first", "@again"))
                .expect("a String takes all");
            let second = match (alike, begins) {
                (true, _) => other.clone(),
                (false, true) => format!("{other}{}", tail.replace("layer l", "layer m")),
                (false, false) => tail.replace("layer l", "layer m"),
            };
            writeln!(text, "stage %left{} from %first {{\n{other}}}", within("sides")).expect("a String takes all");
            writeln!(text, "stage %right{} from %first {{\n{second}}}", within("sides"))
                .expect("a String takes all");
            let from = if phases == 1 { "phase sides" } else { ["%left", "%right", "%first", "image @base"][app] };
            let last = "    copy \"/src\" from %left to \"/left\" optional\n    copy \"/src\" from %right to \"/right\" optional\n    \
                        copy \"/d/x.pyc\" from %right to \"/deep\" optional\n";
            writeln!(text, "stage %app from {from} {{\n{tail}{last}}}\nexport from %app {{}}").expect("a String takes all");
            text
        })
        .boxed()
}
