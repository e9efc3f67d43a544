//! Owners by name, which BuildKit takes for root where it does not find them.

use super::{BUILT_IN, lower_for, refused, stage, with_base};
use crate::Dialect;

const LOOK: &str =
    r#"RUN ["/bin/sh", "-c", "/bin/grep -q '^app:' /etc/passwd && /bin/grep -q '^staff:' /etc/group"]"#;

fn lowered(dialect: Dialect, ops: &str) -> String {
    lower_for(dialect, &with_base(&stage(ops))).unwrap_or_else(|gaps| panic!("{gaps:?}")).dockerfile
}

#[test]
fn names_are_looked_up_before_buildkit_copies() {
    for (ops, looks) in [
        (r#"copy "a" from @src to "/b" owner app:staff"#, 1),
        (r#"file "/b" owner app:staff = "x\n""#, 1),
        (r#"copy "a" from image @base to "/b" follow owner app:staff"#, 1),
        // Once is enough until names may have gone.
        (r#"file "/b" owner app:staff = "x\n" file "/c" owner app:staff = "x\n""#, 1),
        (r#"file "/b" owner app:staff = "x\n" run "userdel app" file "/c" owner app:staff = "x\n""#, 2),
        (
            r#"file "/b" owner app:staff = "x\n" copy "a" from @src to "/etc/passwd" file "/c" owner app:staff = "x\n""#,
            2,
        ),
        // `install` says it by itself, and numbers need nobody.
        (r#"mkdir "/b" owner app:staff"#, 0),
        (r#"file "/b" owner 5:6 = "x\n""#, 0),
    ] {
        let text = lowered(BUILT_IN, ops);
        assert_eq!(text.matches(LOOK).count(), looks, "{ops}: {text}");
        for dialect in [Dialect::Buildah, Dialect::Legacy] {
            assert!(!lowered(dialect, ops).contains("grep"), "{ops}");
        }
    }
    let text = lowered(BUILT_IN, r#"file "/b" owner 5:a.b$ = "x\n""#);
    assert!(text.contains(r#"RUN ["/bin/sh", "-c", "/bin/grep -q '^a[.]b[$]:' /etc/group"]"#), "{text}");
    let text = lowered(BUILT_IN, r#"user "app" run "a" file "/b" owner app:staff = "x\n""#);
    assert!(text.contains(&format!("USER 0\n{LOOK}\n")), "{text}");
}

#[test]
fn where_nothing_can_look_names_up_they_are_refused() {
    let text = "stage %made from scratch { file \"/b\" owner app:staff = \"x\" } \
                stage %app from image @base { copy \"/b\" from %made to \"/b\" } export from %app {}";
    assert_eq!(
        refused(text),
        ["owner `app:staff` by name in a stage without programs, where nothing can look it up"]
    );
}
