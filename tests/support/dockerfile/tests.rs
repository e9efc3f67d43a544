//! The reader's own rules, case by case.

use super::Unreadable;
use super::lines::{Instruction, read};
use super::operands::Operands;
use super::rules::{BUILDAH, BUILDKIT, BUILDKIT_OF_20_10, CLASSIC, Rules};
use super::{flags, mounts, words};

fn instructions(text: &str, rules: &Rules) -> Vec<Instruction> {
    read(text, rules).unwrap_or_else(|why| panic!("{why:?}")).instructions
}

fn one(text: &str, rules: &Rules) -> Operands {
    let mut all = instructions(text, rules);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0).operands
}

fn word(text: &str, rules: &Rules) -> Result<String, Unreadable> {
    words::word(text, rules, &|name| (name == "A").then(|| "1 2".to_owned()))
}

#[test]
fn lines_are_joined_and_comments_left_out() {
    for (text, read) in [
        ("RUN a \\\n  b", "a   b"),
        ("RUN a \\ \t\nb", "a b"),
        ("RUN a \\\n# c\n\n  # d\n b", "a  b"),
        ("# c\n\n  RUN a # b", "a # b"),
        ("\u{feff}", ""),
        ("RUN a\r\n", "a"),
        ("RUN a\\b", "a\\b"),
    ] {
        if read.is_empty() {
            assert!(super::lines::read(text, &BUILDKIT).is_err(), "{text:?}");
        } else {
            assert_eq!(one(text, &BUILDKIT), Operands::Text(read.to_owned()), "{text:?}");
        }
    }
}

#[test]
fn a_doubled_escape_goes_on_only_for_older_readers() {
    let text = "RUN a\\\\\nCMD [\"b\"]";
    assert_eq!(instructions(text, &BUILDKIT).len(), 2);
    assert_eq!(one(text, &BUILDKIT_OF_20_10), Operands::Text("a\\CMD [\"b\"]".to_owned()));
    assert_eq!(one(text, &CLASSIC), one(text, &BUILDAH));
}

#[test]
fn directives_are_only_at_the_very_top() {
    let dockerfile = read("# syntax=a/b:1\n# c=d\n# escape=`\nRUN a\\\nb", &BUILDKIT).expect("is read");
    assert_eq!(dockerfile.syntax.as_deref(), Some("a/b:1"));
    assert!(read("# escape=`\nRUN a", &BUILDKIT).is_err(), "we never write it");
}

#[test]
fn heredocs_are_read_where_the_builder_has_them() {
    let text = "RUN <<'E F' cat <<-G\n# a\nE F\n\tb\n\tG\nUSER c";
    let all = instructions(text, &BUILDKIT);
    let contents: Vec<(&str, &str, bool)> =
        all[0].heredocs.iter().map(|it| (it.name.as_str(), it.content.as_str(), it.expands)).collect();
    assert_eq!(contents, [("E F", "# a\n", false), ("G", "b\n", true)]);
    assert_eq!(all[1].keyword, "USER");
    assert!(read(text, &CLASSIC).is_err(), "the lines below are no instructions");
    assert_eq!(instructions("RUN [\"<<A\"]", &BUILDKIT)[0].heredocs, []);
    assert!(read("COPY <<A /b\nc", &BUILDKIT).is_err(), "it does not end");
}

#[test]
fn quotes_escapes_and_variables_are_read() {
    for (text, read) in [
        (r#""a b"'c "d'\e\"#, r#"a bc "de"#),
        (r#""\a\"\$A\\""#, r#"\a"$A\"#),
        (r"'\'", r"\"),
        ("$A${A}x$B.", "1 21 2x."),
        ("$ $.", "$ $."),
        ("${A:+[$A]}${B:-c}${A:-d}${B:+e}", "[1 2]c1 2"),
    ] {
        assert_eq!(word(text, &BUILDKIT).as_deref(), Ok(read), "{text}");
        assert_eq!(word(text, &BUILDAH).as_deref(), Ok(read), "{text}");
    }
    for text in ["'a", "\"a", "${", "${}", "${A", "${A:+b", "${A!b}", "${B:?c}"] {
        assert!(word(text, &BUILDKIT).is_err(), "{text}");
    }
    assert_eq!(word("$@$$x", &BUILDKIT).as_deref(), Ok("x"));
    assert_eq!(word("$@$$A", &BUILDAH).as_deref(), Ok("$@$1 2"));
    assert_eq!(word("$12", &BUILDKIT).as_deref(), Ok(""));
    assert_eq!(word("$12", &BUILDAH).as_deref(), Ok("2"));
    assert_eq!((word("${A+b}", &BUILDKIT).is_ok(), word("${A+b}", &CLASSIC).is_ok()), (true, false));
}

#[test]
fn names_end_at_the_first_equals_sign() {
    let pairs = |text: &str| one(text, &BUILDKIT);
    let expected = |pairs: &[(&str, &str)]| {
        Operands::Pairs(pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect())
    };
    assert_eq!(pairs(r#"ENV A="b c" D=e\ f"#), expected(&[("A", "\"b c\""), ("D", "e\\ f")]));
    assert_eq!(pairs(r#"LABEL "a=b"="c""#), expected(&[("\"a", "b\"=\"c\"")]));
    assert!(read("ENV A b", &BUILDKIT).is_err());
}

#[test]
fn flags_are_read_byte_by_byte() {
    let (read, rest) = flags::split(r#"--a=b\ c --d="e f" --é -- --g h"#);
    assert_eq!(read, ["a=b c", "d=e f", "Ã©"]);
    assert_eq!(rest.trim(), "--g h");
    assert_eq!(flags::split("-a b"), (Vec::new(), "-a b".to_owned()));
}

#[test]
fn mounts_are_comma_separated() {
    let read = |text: &str, rules| {
        mounts::read(text, rules, &|_| None).map(|options| {
            options.into_iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>()
        })
    };
    assert_eq!(
        read("type=bind,dst=/a,rw", &BUILDKIT),
        Ok(vec!["readwrite=true".to_owned(), "target=/a".to_owned(), "type=bind".to_owned()])
    );
    assert_eq!(read("\"dst=/a,\"\"b\"\"\"", &BUILDKIT), Ok(vec!["target=/a,b".to_owned()]));
    assert!(read("dst=/a\"b", &BUILDKIT).is_err());
    assert_eq!(read("dst=/a\"b", &BUILDAH), Ok(vec!["target=/a\"b".to_owned()]));
}

#[test]
fn ignore_files_leave_out_what_their_last_matching_line_says() {
    let paths = ["a", "b/c.pyc", "b/d", "e/f/g.pyc", "e/keep/h", "i[j", "k", ".cog/l"];
    let mut files = super::copying::Files::empty();
    for path in paths {
        let parts = cogpack_backends_contract::tree::components(path.as_bytes());
        let above = parts.split_last().map_or(&[][..], |(_, above)| above);
        let attributes = cogpack_backends_contract::tree::Attributes::ON_THE_WAY;
        files.make_directories(above, attributes).expect("nothing is in the way");
        let node = cogpack_backends_contract::tree::Node::File { attributes, content: Vec::new() };
        files.insert(&parts, node).expect("nothing is in the way");
    }
    for (ignore_file, left) in [
        ("", &paths[..]),
        ("# a\n\n  k \n/.cog\n", &["a", "b/c.pyc", "b/d", "e/f/g.pyc", "e/keep/h", "i[j"]),
        ("**/*.pyc\nb/d", &["a", "e/keep/h", "i[j", "k", ".cog/l"]),
        ("e\n!e/keep", &["a", "b/c.pyc", "b/d", "e/keep/h", "i[j", "k", ".cog/l"]),
        ("**\n!?", &["a", "b/c.pyc", "b/d", "e/f/g.pyc", "e/keep/h", "k"]),
        ("*\n!i[[]*", &["i[j"]),
    ] {
        let kept =
            super::ignore::without_ignored(&files, ignore_file).unwrap_or_else(|why| panic!("{why:?}"));
        let is_file = |node: &&(_, _)| matches!(node.1, cogpack_backends_contract::tree::Node::File { .. });
        let mut kept: Vec<String> = kept
            .walk()
            .iter()
            .filter(is_file)
            .map(|(path, _)| String::from_utf8_lossy(&path.join(&b'/')).into_owned())
            .collect();
        let mut left: Vec<String> = left.iter().map(|path| (*path).to_owned()).collect();
        kept.sort();
        left.sort();
        assert_eq!(kept, left, "{ignore_file:?}");
    }
}
