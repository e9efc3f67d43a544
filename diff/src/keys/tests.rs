//! What changes which keys.

use std::collections::BTreeMap;

use cogpack_content::Digest;
use cogpack_ir::plan::InputName;
use cogpack_ir::resolve::{KnownConfigs, Resolved, resolve};
use cogpack_ir::syntax::parse;
use cogpack_ir::verify::verify;

use super::{Contents, Keys};

fn resolved(text: &str) -> Resolved {
    let parsed = parse(text);
    assert!(parsed.findings.is_empty(), "{:?}", parsed.findings);
    let verified = verify(parsed.plan).unwrap_or_else(|findings| panic!("{findings:?}"));
    resolve(verified, &KnownConfigs::new()).unwrap_or_else(|findings| panic!("{findings:?}"))
}

/// The keys of all ops of a plan that have one, stages in order.
fn keys(text: &str, contents: &dyn Contents) -> Vec<Digest> {
    let plan = resolved(text);
    let keys = Keys::of(&plan, contents);
    let steps = plan.order().iter().flat_map(|id| keys.steps(*id));
    steps.flatten().map(|key| key.key).collect()
}

/// For each op of the second plan: `=` where one of the first has its key, `!` otherwise.
fn drawn(before: &str, after: &str) -> String {
    let nothing = BTreeMap::new();
    let before = keys(before, &nothing);
    keys(after, &nothing).iter().map(|key| if before.contains(key) { '=' } else { '!' }).collect()
}

const HEAD: &str = "cpk 1\nimage @base = \"debian\"\ncontext @src = dir \".\"\nsecret token\n";

fn of_ops(ops: &str) -> String {
    format!("{HEAD}stage %app from image @base {{ {ops} }} export from %app {{}}")
}

#[test]
fn what_lies_beside_packages_is_part_of_their_key() {
    let hash = |of: &str| Digest::of(of.as_bytes());
    let of = |beside: &str| {
        let deb = format!("deb \"a_1_all.deb\" {{ hash {} }}", hash("deb"));
        let set = format!("context @system = debs {{ {deb} {beside} }}");
        format!(
            "cpk 1\n{set}\nstage %a from scratch {{ copy contents \".\" from @system to \"/\" }} export from %a {{}}"
        )
    };
    let archive =
        |place: &str, bytes: &str| format!("archive \"a.tar\" at {place} {{ hash {} }}", hash(bytes));
    let one = archive("/opt/a", "one");
    for (before, after, expected) in [
        (one.as_str(), one.as_str(), "="),
        ("", &one, "!"),
        (&one, &archive("/opt/b", "one"), "!"),
        (&one, &archive("/opt/a", "two"), "!"),
    ] {
        assert_eq!(drawn(&of(before), &of(after)), expected, "{before}, then {after}");
    }
    let certificate = |name: &str| {
        let text = include_str!("../../../tests/cases/text/certificates.cpk");
        let line = text.lines().find(|line| line.contains("\"own.crt\"")).expect("the case has one");
        line.trim_end_matches(" # ours").replace("own.crt", name)
    };
    assert_eq!(drawn(&of(&certificate("a.crt")), &of(&certificate("a.crt"))), "=");
    assert_eq!(drawn(&of(&certificate("a.crt")), &of(&certificate("b.crt"))), "!");
}

#[test]
fn a_cache_is_known_by_its_place() {
    let of_mount = |mount: &str| {
        let text = of_ops(&format!(r#"run "a" {{ mount cache {mount} }}"#));
        text.replace("secret token\n", "secret token\ncache a\ncache b\n")
    };
    for (before, after, expected) in [
        ("a at /x", "b at /x", "="),
        ("a at /x", "a at /x sharing locked", "="),
        ("a at /x", "a at /y", "!"),
        // One that a Dockerfile would name by nothing but its place.
        ("a at /a", "b at /a", "!"),
        ("a at /a", "a at /a sharing private", "!"),
        ("a at /a sharing locked", "b at /a sharing private", "="),
    ] {
        assert_eq!(drawn(&of_mount(before), &of_mount(after)), expected, "{before}, then {after}");
    }
}

#[test]
fn an_op_runs_again_for_what_it_is_made_of_and_for_nothing_else() {
    for (before, after, expected) in [
        (r#"run "a" run "b""#, r#"run "a" run "b""#, "=="),
        (r#"run "a" run "b""#, r#"run "a" run "c""#, "=!"),
        (r#"run "a" run "b""#, r#"run "c" run "b""#, "!!"),
        (r#"run "a" env A = "1" run "b""#, r#"run "a" env A = "2" run "b""#, "=!"),
        (r#"run "a" env A = "1""#, r#"run "a" env A = "2""#, "="),
        (r#"run "a""#, r#"by uv at "x.py":3 run "a""#, "="),
        (r#"run "a""#, r#"layer other { run "a" }"#, "="),
        // Only programs see variables, and only scripts the shell.
        (r#"env A = "1" file "/f" = "x""#, r#"env A = "2" file "/f" = "x""#, "="),
        (r#"exec ["a"]"#, r#"shell ["/bin/bash", "-c"] exec ["a"]"#, "="),
        (r#"run "a""#, r#"shell ["/bin/bash", "-c"] run "a""#, "!"),
        (r#"run "a""#, r#"user "u" run "a""#, "!"),
        (r#"run "a" { user "v" }"#, r#"user "u" run "a" { user "v" }"#, "="),
        (r#"env A = "1" run "a" { env A = "3" }"#, r#"env A = "2" run "a" { env A = "3" }"#, "="),
        (r#"env A = "1" run "a" { env A = "3" }"#, r#"env A = "1" run "a" { env A = "4" }"#, "!"),
        // However variables came to be what they are, and in which order they are.
        (r#"env A = "1" env B = "1" run "a""#, r#"env A = "0" env B = "1" env A = "1" run "a""#, "="),
        (r#"run "x" env A = "1" run "a""#, r#"run "x" env C = "1" unset C env A = "1" run "a""#, "=="),
        (
            r#"env A = "1" run "x" env B = "1" run "a""#,
            r#"env A = "1" run "x" env B = "0" env B = "1" run "a""#,
            "==",
        ),
        (r#"env A = "1" env B = "2" run "a""#, r#"env B = "2" env A = "1" run "a""#, "!"),
        // A place of a system is looked at, any other is an independent layer.
        (r#"run "a" copy "x" from @src to "/etc/x""#, r#"run "b" copy "x" from @src to "/etc/x""#, "!!"),
        (r#"run "a" copy "x" from @src to "/srv/x""#, r#"run "b" copy "x" from @src to "/srv/x""#, "!="),
        (r#"copy "x" from @src to "/srv/x" run "a""#, r#"copy "y" from @src to "/srv/x" run "a""#, "!!"),
        // Paths are compared without detours, owners by number.
        (r#"copy "x" from @src to "/srv/x""#, r#"copy "./x" from @src to "/srv//x" owner 0"#, "!"),
        (r#"copy "x" from @src to "/srv/x""#, r#"copy "./x" from @src to "/srv//x""#, "="),
        (r#"copy "x" from @src to "/a" owner 5"#, r#"copy "x" from @src to "/a" owner 5:5"#, "="),
        (r#"file "/f" = "x""#, r#"file "/f" mode 0644 = "x""#, "="),
        // Neighbouring file ops of one layer are made together; programs are not.
        (r#"layer l { mkdir "/a" mkdir "/b" }"#, r#"layer l { mkdir "/a" mkdir "/c" }"#, "!!"),
        (r#"mkdir "/a" mkdir "/b""#, r#"mkdir "/a" mkdir "/c""#, "=!"),
        (
            r#"layer l { mkdir "/a" run "x" mkdir "/b" }"#,
            r#"layer l { mkdir "/a" run "x" mkdir "/c" }"#,
            "==!",
        ),
        (
            r#"layer l { file "/etc/passwd" = "x" mkdir "/b" owner app }"#,
            r#"layer l { file "/etc/passwd" = "x" mkdir "/c" owner app }"#,
            "=!",
        ),
        (r#"run "a" { network none }"#, r#"run "a""#, "!"),
        (r#"run "a" { mount secret token at "/t" }"#, r#"run "a" { mount secret token at "/u" }"#, "!"),
        (r#"run "a" { mount @src at "/t" }"#, r#"run "a" { mount @src at "/t" writable }"#, "!"),
        (r#"run "a" { mount ssh }"#, r#"run "a" { mount ssh default }"#, "="),
    ] {
        assert_eq!(drawn(&of_ops(before), &of_ops(after)), expected, "{before} -> {after}");
    }
}

#[test]
fn names_take_no_part_and_declarations_do() {
    let plan = |head: &str, tail: &str| format!("cpk 1\n{head}\n{tail}");
    let app = r#"stage %app from image @base { run "a" } export from %app {}"#;
    for (before, after, expected) in [
        (r#"image @base = "debian""#, r#"image @base = "docker.io/library/debian:latest""#, "="),
        (r#"image @base = "debian""#, r#"image @base = "debian:12""#, "!"),
    ] {
        assert_eq!(drawn(&plan(before, app), &plan(after, app)), expected, "{before} -> {after}");
    }
    let before = format!(
        "{HEAD}stage %a from image @base {{ run \"a\" }} stage %b from %a {{ run \"b\" copy \"x\" from %a to \"/x\" }} \
         export from %b {{}}"
    );
    let renamed =
        before.replace("%a", "%z").replace("%b", "%y").replace("@base", "@other").replace("@src", "@s");
    assert_eq!(drawn(&before, &renamed), "===");
    let split = format!(
        "{HEAD}stage %a from image @base {{ run \"a\" }} stage %b from %a {{ run \"b\" }} \
         stage %c from %b {{ copy \"x\" from %a to \"/x\" }} export from %c {{}}"
    );
    assert_eq!(drawn(&before, &split), "===");
    let changed = before.replace("run \"a\"", "run \"c\"");
    assert_eq!(drawn(&before, &changed), "!!!");
}

#[test]
fn known_contents_stand_for_the_declaration() {
    let text = of_ops(r#"copy "x" from @src to "/x" run "a" { mount @src at "/s" } run "b""#);
    let other = text.replace("dir \".\"", "dir \"./elsewhere\"");
    let name = InputName::new("src").unwrap();
    let with = |content: &str| BTreeMap::from([(name.clone(), Digest::of(content.as_bytes()))]);
    assert_eq!(keys(&text, &with("1")), keys(&other, &with("1")));
    assert_ne!(keys(&text, &BTreeMap::new()), keys(&other, &BTreeMap::new()));
    let (one, two) = (keys(&text, &with("1")), keys(&text, &with("2")));
    assert!(one.iter().zip(&two).all(|(one, two)| one != two));
}

#[test]
fn of_small_files_only_those_that_are_copied_count() {
    let plan = |a: &str, b: &str, copy: &str| {
        format!(
            "cpk 1\ncontext @f = files {{ file \"d/a\" = \"{a}\" file \"b\" = \"{b}\" }}\n\
             stage %app from scratch {{ {copy} }} export from %app {{}}"
        )
    };
    let one = r#"copy "d" from @f to "/x""#;
    assert_eq!(drawn(&plan("1", "1", one), &plan("1", "2", one)), "=");
    assert_eq!(drawn(&plan("1", "1", one), &plan("2", "1", one)), "!");
    let any = r#"copy "*" from @f into "/x""#;
    assert_eq!(drawn(&plan("1", "1", any), &plan("1", "2", any)), "!");
}

#[test]
fn of_stages_side_by_side_each_runs_for_itself() {
    let plan = |a: &str, b: &str| {
        format!(
            "{HEAD}phase p parallel\nphase q after p\nstage %start in p from image @base {{ run \"{a}\" }}\n\
             stage %other in p from image @base {{ run \"{b}\" }}\nstage %end in q {{ run \"end\" }}\n\
             export from %end {{}}"
        )
    };
    let (before, after) = (plan("a", "b"), plan("a", "c"));
    let drawn = drawn(&before, &after);
    assert_eq!(drawn.matches('=').count(), 1, "{drawn}");
    assert!(drawn.ends_with('!'), "{drawn}");
}
