//! Which files count for which op.

use std::collections::BTreeMap;

use cogpack_backends_contract::content::Moment;
use cogpack_content::Digest;
use cogpack_ir::plan::{InputName, Mode, Plan};
use cogpack_ir::resolve::{KnownConfigs, Resolved, resolve};
use cogpack_ir::syntax::parse;
use cogpack_ir::verify::verify;

use super::used::used;
use super::{ContextFiles, Entry, Known, Listing, Look};
use crate::keys::Keys;
use crate::{Compared, Difference, Rerun};

fn resolved(ops: &str) -> Resolved {
    read(ops).1
}

/// A plan with one stage, as it was written and resolved.
fn read(ops: &str) -> (Plan, Resolved) {
    let text = format!(
        "cpk 1\nimage @base = \"debian\"\ncontext @src = dir \".\"\n\
         stage %app from image @base {{ {ops} }} export from %app {{}}"
    );
    let parsed = parse(&text);
    assert!(parsed.findings.is_empty(), "{:?}", parsed.findings);
    let verified = verify(parsed.plan.clone()).unwrap_or_else(|findings| panic!("{findings:?}"));
    let resolved = resolve(verified, &KnownConfigs::new()).unwrap_or_else(|findings| panic!("{findings:?}"));
    (parsed.plan, resolved)
}

fn name() -> InputName {
    InputName::new("src").expect("is a name")
}

/// Files by `PATH=CONTENT`, `PATH/` for directories, `PATH>TARGET` for links, ` MODE` behind them.
fn files(all: &[&str]) -> ContextFiles {
    let entry = |text: &&str| {
        let (what, mode) = text.split_once(' ').unwrap_or((text, ""));
        let mode = Mode::new(u32::from_str_radix(mode, 8).unwrap_or(0o644)).expect("is a mode");
        let (path, entry) = match (what.split_once('='), what.split_once('>')) {
            (Some((path, text)), _) => (path, Entry::File { mode, known: known(text) }),
            (None, Some((path, target))) => (path, Entry::Link { target: target.into() }),
            (None, None) => (what.trim_end_matches('/'), Entry::Directory { mode }),
        };
        (path.as_bytes().to_vec(), entry)
    };
    let mut listing = Listing::new(name());
    for (path, entry) in all.iter().map(entry) {
        listing.add(&path, entry).expect("is a tree");
    }
    let mut files = ContextFiles::default();
    files.insert(name(), listing.done());
    files
}

/// `SIZE@SECONDS` is what the disk says of a file, anything else is its text.
fn known(text: &str) -> Known {
    let look = text.split_once('@').and_then(|(size, seconds)| {
        let changed = Moment { seconds: seconds.parse().ok()?, nanoseconds: 0 };
        Some(Look { size: size.parse().ok()?, inode: 1, modified: changed, changed })
    });
    look.map_or_else(|| Known::Digest(Digest::of(text.as_bytes())), Known::Look)
}

/// For each op: `=` where it has the same key with both, `!` otherwise.
fn drawn(ops: &str, before: &[&str], after: &[&str]) -> String {
    let plan = resolved(ops);
    let [before, after] = [before, after].map(|all| {
        let keys = Keys::of(&plan, &files(all));
        let steps = plan.order().iter().flat_map(|id| keys.steps(*id)).flatten();
        steps.map(|key| key.key).collect::<Vec<_>>()
    });
    before.iter().zip(&after).map(|(one, other)| if one == other { '=' } else { '!' }).collect()
}

#[test]
fn an_op_runs_again_for_the_files_that_it_takes_and_for_no_other() {
    let before = ["a=1", "d/b=1", "d/sub/c.pyc=1", "d/l>b"];
    let changed = |from: &str, to: &'static str| {
        let (mut after, from) = (before.to_vec(), from.to_owned());
        after.retain(|entry| *entry != from);
        after.push(to);
        after
    };
    for (ops, from, to, expected) in [
        (r#"copy "a" from @src to "/x""#, "", "new=1", "="),
        (r#"copy "a" from @src to "/x""#, "a=1", "a=2", "!"),
        (r#"copy "a" from @src to "/x""#, "a=1", "a=1 755", "!"),
        (r#"copy "a" from @src to "/x""#, "a=1", "other=1", "!"),
        (r#"copy "a" from @src to "/x" mode 0600"#, "a=1", "a=1 755", "="),
        (r#"copy "a*" from @src into "/x" mode 0600"#, "a=1", "a=1 755", "!"),
        (r#"copy "d" from @src to "/x""#, "a=1", "a=2", "="),
        (r#"copy "d" from @src to "/x""#, "d/b=1", "d/b=2", "!"),
        (r#"copy "d" from @src to "/x""#, "d/l>b", "d/l>c", "!"),
        (r#"copy "d" from @src to "/x""#, "", "d/new/", "!"),
        (r#"copy contents "d" from @src to "/x" { exclude "**/*.pyc" }"#, "", "d/sub/e.pyc=1", "="),
        (r#"copy contents "d" from @src to "/x" { exclude "**/*.pyc" }"#, "", "d/sub/e.py=1", "!"),
        (r#"copy "*.txt" "d" from @src into "/x" optional"#, "", "new.txt=1", "!"),
        (r#"copy "*.txt" "d" from @src into "/x" optional"#, "", "new.py=1", "="),
        (r#"copy "d/l" from @src to "/x" follow"#, "d/b=1", "d/b=2", "!"),
        (r#"copy "d/l" from @src to "/x""#, "d/b=1", "d/b=2", "="),
        (r#"run "a" { mount @src at "/s" } run "b""#, "a=1", "a=2", "!!"),
        (r#"run "a" { mount @src at "/s" select "d" }"#, "a=1", "a=2", "="),
        (r#"run "a" { mount @src at "/s" select "d" }"#, "d/b=1", "d/b=2", "!"),
    ] {
        assert_eq!(drawn(ops, &before, &changed(from, to)), expected, "{ops}: {from} -> {to}");
    }
}

#[test]
fn a_file_that_is_another_one_is_the_cause_of_what_takes_it() {
    let (written, resolved) = read(
        r#"copy "requirements.txt" from @src to "/tmp/r" run "pip" copy contents "." from @src to "/srv" run "compile""#,
    );
    let told = |before: &[&str], after: &[&str]| {
        let [before, after] = [before, after].map(files);
        let of = |contents| Compared { written: &written, resolved: &resolved, contents };
        let found = Difference::between(of(&before), of(&after));
        assert!(found.is_empty());
        let line = |run: &Rerun| {
            let led = run.led_to_by.as_ref().map_or_else(|| "-".to_owned(), |link| link.run.to_string());
            let op: Vec<&str> = run.op.split(' ').take(2).collect();
            format!("{led} {}: {}\n", op.join(" "), run.cause)
        };
        found.runs.iter().map(line).collect::<String>()
    };
    let before = ["requirements.txt=1", "predict.py=1", "gone.py=1"];
    assert_eq!(told(&before, &before), "");
    assert_eq!(
        told(&before, &["requirements.txt=1", "predict.py=2", "gone.py=1"]),
        "- copy contents: `predict.py` of @src is changed\n0 run compile: `predict.py` of @src is changed\n"
    );
    // The second copy is not made because of the first one, although it stands on it.
    assert_eq!(
        told(&before, &["requirements.txt=2", "predict.py=1", "new.py=1"]),
        "- copy \"requirements.txt\": `requirements.txt` of @src is changed\n\
         0 run pip: `requirements.txt` of @src is changed\n\
         - copy contents: `gone.py`, `new.py` and `requirements.txt` of @src are changed\n\
         2 run compile: `gone.py`, `new.py` and `requirements.txt` of @src are changed\n"
    );
    let many: Vec<String> = (0..9).map(|number| format!("d/{number}=1")).collect();
    let many: Vec<&str> = before.iter().copied().chain(many.iter().map(String::as_str)).collect();
    let all = told(&before, &many);
    assert!(all.starts_with("- copy contents: `d/0`, `d/1` and 7 more files of @src are new\n"), "{all}");
}

#[test]
fn a_file_that_nobody_has_read_is_another_one_when_the_disk_says_so() {
    let (written, resolved) = read(r#"copy contents "w" from @src to "/w" run "load""#);
    let told = |before: &[&str], after: &[&str]| {
        let [before, after] = [before, after].map(files);
        let of = |contents| Compared { written: &written, resolved: &resolved, contents };
        let found = Difference::between(of(&before), of(&after));
        found.runs.iter().map(|run| run.cause.to_string()).collect::<Vec<_>>()
    };
    let before = ["w/model=300@1", "w/small=text"];
    assert_eq!(told(&before, &["w/model=300@1", "w/small=text"]), [""; 0]);
    for (now, cause) in [
        ("w/model=300@2", "`w/model` of @src is dated anew"),
        ("w/model=301@2", "`w/model` of @src is changed"),
        ("w/model=300@1 600", "`w/model` of @src is changed"),
        ("w/model>small", "`w/model` of @src is changed"),
        ("w/model/", "`w/model` of @src is changed"),
        ("w/model/part=300@1", "`w/model` and `w/model/part` of @src are changed"),
        ("w/model-2=300@1", "`w/model` and `w/model-2` of @src are changed"),
    ] {
        assert_eq!(told(&before, &[now, "w/small=text"]), [cause; 2], "{now}");
    }
    // Each way back.
    assert_eq!(
        told(&["w/model/part=1"], &["w/model=1"]),
        ["`w/model` and `w/model/part` of @src are changed"; 2]
    );
    assert_eq!(told(&["w/d/", "w/d-e=1"], &["w/d/"]), ["`w/d-e` of @src is gone"; 2]);
    assert_eq!(
        told(&["w/d/", "w/d-e=1"], &["w/d/ 700", "w/d-e=2", "w/d/f=1"]),
        ["`w/d-e` and `w/d/f` of @src are changed"; 2]
    );
}

#[test]
fn only_files_that_are_taken_have_to_be_read() {
    let plan = resolved(r#"copy "d" from @src to "/x" run "a" { mount @src at "/m" select "m" }"#);
    let files = files(&["d/one=1", "d/e/two=2", "m/three=3@3", "four=4"]);
    let trees = BTreeMap::from([(name(), files.get(&name()).expect("is listed").clone())]);
    let used = &used(&plan, &trees)[&name()];
    let taken = ["d/e/two", "d/one", "m/three", "four"].map(|path| used.takes_file(path.as_bytes()));
    assert_eq!(taken, [true, true, true, false]);
    let directories = ["d", "d/e", "m", ""].map(|path| used.takes_directory(path.as_bytes()));
    assert_eq!(directories, [true, true, false, false]);
    assert_eq!((used.sizes().most_within(3), used.sizes().most_within(2)), (u64::MAX, 1));
}

#[test]
fn what_lies_below_a_file_or_twice_at_a_path_is_refused() {
    let file = || Entry::File { mode: Mode::FILE, known: known("") };
    let mut listing = Listing::new(name());
    listing.add(b"a", file()).expect("is free");
    assert!(listing.add(b"a/b", file()).is_err());
    assert!(listing.add(b"a", file()).is_err());
    listing.add(b"d/e", file()).expect("is free");
    assert!(listing.add(b"d", file()).is_err());
    assert!(listing.add(b"", file()).is_err());
}
