//! `--format json`: what a person sees of any command, a program can read. `docs/json.md` says how.

use std::collections::BTreeSet;

use cogpack_tests::places::root;
use cogpack_tests::terminal::{Answer, cogpackc, cogpackc_with_input};
use serde_json::{Value, json};

const PLAN: &str = "cpk 1\n\nplatform linux/amd64\n\nstage %app from scratch {\n  env PATH = \"/bin\"\n  file \"/a\" = \"a\"\n}\n\nexport from %app\n";

fn folder_with(plan: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    std::fs::write(folder.path().join("plan.cpk"), plan).expect("can be written");
    folder
}

/// The objects of a stream, one after another; whatever else stands there is an error.
fn objects(stream: &[u8]) -> Vec<Value> {
    let read: Result<Vec<Value>, _> = serde_json::Deserializer::from_slice(stream).into_iter().collect();
    let objects =
        read.unwrap_or_else(|error| panic!("not JSON ({error}): {}", String::from_utf8_lossy(stream)));
    for object in &objects {
        assert_eq!(object["version"], 1, "{object}");
    }
    objects
}

/// The one thing that was said on standard error.
fn said(answer: &Answer) -> Value {
    let mut said = objects(answer.stderr.as_bytes());
    assert_eq!(said.len(), 1, "{}", answer.stderr);
    said.remove(0)
}

#[test]
fn what_cannot_run_says_why_in_json() {
    let folder = folder_with(PLAN);
    for (arguments, message, hint) in [
        (&["missing.cpk", "-o", "llb"][..], "missing.cpk", "name a plan"),
        (&["plan.cpk", "-o", "llb,json"], "standard output", "`-O DIR`"),
        (&["plan.cpk", "-o", "nonsense"], "invalid value 'nonsense'", "--help"),
        (&["plan.cpk", "-o", "llb", "--limits", "missing.txt"], "missing.txt", "`--limits` takes"),
        (&["check"], "<PLANS>", "Usage: cogpackc check"),
        (&["check", "missing.cpk"], "missing.cpk", "name a plan"),
        (&["fmt", "missing.cpk"], "missing.cpk", "name a plan"),
        (&["resolve", "missing.cpk"], "missing.cpk", "name a plan"),
        (&["resolve", "plan.cpk", "--layout", "x"], "`--layout x`", "for instance"),
        (&["graph", "missing.cpk"], "missing.cpk", "name a plan"),
        (&["graph", "plan.cpk", "--as", "svg"], "--as", "Usage"),
        (&["build", "missing.cpk"], "missing.cpk", "name a plan"),
        (&["build", "plan.cpk", "--allow", "all"], "`--allow all`", "network.host"),
        (&["explain", "cpk::stage::cycel"], "cpk::stage::cycel", "did you mean `cpk::stage::cycle`?"),
    ] {
        for format in [&["--format", "json"][..], &["--format=json"]] {
            let answer = cogpackc(folder.path(), &[arguments, format].concat());
            assert_eq!((answer.code, answer.text()), (2, ""), "{arguments:?}: {}", answer.stderr);
            let failure = said(&answer)["failure"].take();
            let has = |key: &str, words: &str| failure[key].as_str().is_some_and(|it| it.contains(words));
            assert!(has("message", message) && has("hint", hint), "{arguments:?}: {failure:#}");
            assert!(failure["causes"].is_array(), "{failure:#}");
        }
        let text = cogpackc(folder.path(), arguments);
        assert!(text.code != 2 || text.stderr.starts_with("error: "), "{}", text.stderr);
    }
    let missing = said(&cogpackc(folder.path(), &["check", "missing.cpk", "--format", "json"]));
    assert_eq!(
        missing,
        json!({
            "version": 1,
            "failure": {
                "message": "read the plan `missing.cpk`",
                "causes": ["No such file or directory (os error 2)"],
                "hint": "name a plan, for instance `plan.cpk`; `-` is standard input",
            },
        })
    );
}

#[test]
fn a_word_after_the_options_asks_for_no_format() {
    let folder = folder_with(PLAN);
    let answer = cogpackc(folder.path(), &["check", "--nonsense", "--", "--format=json"]);
    assert_eq!(answer.code, 2);
    assert!(answer.stderr.starts_with("error: unexpected argument"), "{}", answer.stderr);
}

#[test]
fn notes_of_a_dockerfile_are_told_on_their_places() {
    let folder = folder_with(
        "cpk 1\nimage @b = \"b\"\n  env PATH = \"/bin\"\nstage %app from image @b {\n  layer all {\n    \
         run \"a\"\n    run \"b\"\n  }\n}\nexport from %app\n",
    );
    let arguments = ["plan.cpk", "-o", "dockerfile", "--dialect", "legacy", "--format", "json"];
    let answer = cogpackc(folder.path(), &arguments);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    let said = objects(answer.stderr.as_bytes());
    let note = said.iter().flat_map(|report| report["findings"].as_array().expect("a list"));
    let note = note.filter(|finding| finding["severity"] == "note").collect::<Vec<_>>();
    assert_eq!(note.len(), 1, "{}", answer.stderr);
    assert_eq!(
        note[0]["message"],
        "`layer all` of `%app` makes 2 layers: a Dockerfile joins no instructions"
    );
    assert_eq!((&note[0]["code"], &note[0]["labels"][0]["line"]), (&Value::Null, &json!(5)));
}

#[test]
fn fmt_tells_of_each_plan() {
    let loose = "cpk 1 stage %app from scratch{file \"/a\"=\"a\"} # why\nexport from %app\n";
    let folder = folder_with(loose);
    std::fs::write(folder.path().join("good.cpk"), PLAN).expect("can be written");
    std::fs::write(folder.path().join("broken.cpk"), "cpk 1\nstag %a\n").expect("can be written");
    let run = |switches: &[&str]| {
        let arguments = ["fmt", "plan.cpk", "broken.cpk", "good.cpk", "--format", "json"];
        cogpackc(folder.path(), &[&arguments[..], switches].concat())
    };
    let came = |file: &str, canonical: bool, written: bool| json!({ "version": 1, "file": file, "canonical": canonical, "written": written });
    let check = run(&["--check"]);
    assert_eq!(check.code, 1);
    assert_eq!(objects(&check.stdout), [came("plan.cpk", false, false), came("good.cpk", true, false)]);
    let broken = said(&check);
    assert_eq!(
        (&broken["file"], &broken["findings"][0]["labels"][0]["line"]),
        (&json!("broken.cpk"), &json!(2))
    );

    let diff = objects(&run(&["--diff"]).stdout);
    let text = cogpackc(folder.path(), &["fmt", "--diff", "plan.cpk"]);
    assert_eq!(diff[0]["diff"], text.text());
    assert!(text.text().starts_with("--- plan.cpk\n"), "{}", text.text());
    assert_eq!(diff[1], came("good.cpk", true, false));

    let written = run(&[]);
    assert_eq!(objects(&written.stdout), [came("plan.cpk", false, true), came("good.cpk", true, false)]);
    let now = std::fs::read_to_string(folder.path().join("plan.cpk")).expect("can be read");
    assert!(now.contains("# why") && now != loose);
    let piped = cogpackc_with_input(folder.path(), &["fmt", "-", "--format", "json"], loose);
    let piped = objects(&piped.stdout);
    assert_eq!((&piped[0]["file"], &piped[0]["text"]), (&json!("<stdin>"), &json!(now)));
    assert_eq!((&piped[0]["canonical"], &piped[0]["written"]), (&json!(false), &json!(false)));
}

#[test]
fn graph_tells_what_a_drawing_shows() {
    let plan = "cpk 1\ncontext @c = dir \".\"\nphase one\nphase two after one\n\
                stage %a in one from scratch {\n  layer code {\n    copy \"x\" from @c to \"/x\"\n  }\n}\n\
                stage %b in two\nstage %c in two from scratch\nexport from %b\n";
    let folder = folder_with(plan);
    let answer = cogpackc(folder.path(), &["graph", "plan.cpk", "--format", "json"]);
    assert_eq!((answer.code, answer.stderr.as_str()), (0, ""));
    let graph = &objects(&answer.stdout)[0];
    let nodes = graph["nodes"].as_array().expect("a list");
    let drawn = cogpackc(folder.path(), &["graph", "plan.cpk"]);
    for node in nodes {
        let title = node["title"].as_str().expect("a text");
        assert!(drawn.text().contains(title), "`{title}` is not drawn");
    }
    let place = |title: &str| nodes.iter().position(|node| node["title"] == title).expect("is there");
    assert_eq!(nodes[place("%c")]["needed"], false);
    assert_eq!(nodes[place("@c")]["kind"], "context");
    assert_eq!(
        nodes[place("%a")]["rows"],
        json!([
            { "kind": "layer", "depth": 0, "text": "layer code" },
            { "kind": "op", "depth": 1, "text": "copy x → /x" },
        ])
    );
    let lanes: Vec<_> = graph["lanes"].as_array().expect("a list").iter().map(|it| &it["nodes"]).collect();
    assert_eq!(lanes, [&json!([place("%a")]), &json!([place("%b"), place("%c")])]);
    let copy = json!({
        "from": place("@c"), "to": place("%a"), "row": 1, "kind": "copy", "certain": true,
        "label": "%a: copy x → /x, from @c",
    });
    let edges = graph["edges"].as_array().expect("a list");
    assert!(edges.contains(&copy), "{edges:#?}");
    assert_eq!(edges.len(), drawn.text().matches(" -> ").count());

    let file = cogpackc(folder.path(), &["graph", "plan.cpk", "--format", "json", "-O", "graph.json"]);
    assert_eq!((file.code, file.stdout.len()), (0, 0));
    let written = std::fs::read(folder.path().join("graph.json")).expect("was written");
    assert_eq!(written, answer.stdout);
    std::fs::write(folder.path().join("plan.cpk"), "cpk 1\nstag %a\n").expect("can be written");
    let broken = cogpackc(folder.path(), &["graph", "plan.cpk", "--format", "json"]);
    assert_eq!((broken.code, broken.text()), (1, ""));
    assert_eq!(said(&broken)["findings"][0]["code"], "cpk::syntax::expected");
}

/// Every key that the objects of a plan with everything have is described, and every example of
/// the description has the shape of what is written.
#[test]
fn the_description_names_every_key() {
    let described = std::fs::read_to_string(root().join("docs/json.md")).expect("can be read");
    let folder = folder_with("cpk 1\nstage %base from scratch\nexport from %bass\n");
    let whole = "cpk 1\nstage %base from scratch {\n  file \"/a\" = \"b\"\n}\nexport from %base\n";
    std::fs::write(folder.path().join("whole.cpk"), whole).expect("is writable");
    let packing = ["whole.cpk", "-o", "oci", "-O", "image", "--store", "kept"];
    assert_eq!(cogpackc_with_input(folder.path(), &packing, "").code, 0);
    let mut keys = BTreeSet::new();
    for arguments in [
        &["check", "plan.cpk"][..],
        &["store", "du", "--store", "kept"],
        &["store", "verify", "--store", "kept"],
        &["store", "gc", "--store", "kept"],
        &["check", "missing.cpk"],
        &["fmt", "plan.cpk", "--diff"],
        &["fmt", "-"],
        &["graph", "plan.cpk"],
        &["explain", "cpk::stage::cycle"],
    ] {
        let answer =
            cogpackc_with_input(folder.path(), &[arguments, &["--format", "json"]].concat(), "cpk 1 ");
        for stream in [&answer.stdout[..], answer.stderr.as_bytes()] {
            for document in serde_json::Deserializer::from_slice(stream).into_iter() {
                keys_of(&document.expect("is JSON"), &mut keys);
            }
        }
    }
    assert!(keys.len() > 38, "{keys:?}");
    for key in keys {
        assert!(
            described.contains(&format!("`{key}`")) || described.contains(&format!("\"{key}\"")),
            "docs/json.md does not name `{key}`"
        );
    }
}

fn keys_of(value: &Value, keys: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                keys.insert(key.clone());
                keys_of(value, keys);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| keys_of(value, keys)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
