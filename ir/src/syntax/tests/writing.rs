//! What texts look like when they are printed and formatted.

use crate::syntax::{format, parse, print};

const DESIGN: &str = include_str!("design.cpk");

#[test]
fn a_printed_plan_reads_back_as_it_was() {
    let plan = parse(DESIGN).plan;
    let printed = print(&plan);
    let again = parse(&printed);
    assert_eq!(again.findings, []);
    assert_eq!(again.plan, plan);
    assert_eq!(print(&again.plan), printed);
}

#[test]
fn formatting_keeps_comments_and_changes_nothing_twice() {
    let once = format(DESIGN).expect("has no mistakes");
    assert_eq!(parse(&once).comments.count(), 3);
    assert_eq!(format(&once).as_ref(), Ok(&once));
    assert_eq!(once, include_str!("design.formatted.cpk"));
}

/// What stands together on a line is taken apart where a comment is of a part of it, and only there.
#[test]
fn comments_stay_beside_what_shares_a_line() {
    let hash = format!("sha256:{}", "ab".repeat(32));
    let text = format!(
        "cpk 1\n\nplatform linux/amd64\n\ncontext @files = dir \".\" {{\n  # of a and b\n  exclude \"a\" \"b\"  # of b\n  # of c\n  \
         exclude \"c\" \"d\"\n  include \"a/e\"\n}}\n\ncontext @packages = wheels {{\n  # of a\n  \
         wheel \"a.whl\" {{ hash {hash} url \"https://a.example/a.whl\" }}  # behind a\n  wheel \"b.whl\" {{\n    \
         # inside b\n    hash {hash}\n  }}\n}}\n"
    );
    assert_eq!(parse(&text).findings, []);
    assert_eq!(format(&text).as_ref(), Ok(&text));
    let apart = text
        .replace("exclude \"c\" \"d\"", "exclude \"c\"\n  exclude\n   \"d\"")
        .replace(" url \"https", "\n url \"https");
    assert_eq!(format(&apart).as_ref(), Ok(&text));
    let between = text.replace("exclude \"a\" \"b\"", "exclude \"a\" # of a\n  \"b\"");
    let expected = text.replace("exclude \"a\" \"b\"", "exclude \"a\"  # of a\n  exclude \"b\"");
    assert_eq!(format(&between).as_ref(), Ok(&expected));
}

#[test]
fn stages_of_one_name_are_ordered_once_and_for_all() {
    let text = "cpk 1\nstage %b\nstage %a {\n  copy \"x\" from %a to \"/x\"\n}\nstage %a\n";
    let plan = parse(text).plan;
    let printed = print(&plan);
    assert_eq!(parse(&printed).plan, plan);
    assert_eq!(print(&parse(&printed).plan), printed);
}
