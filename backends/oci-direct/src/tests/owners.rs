//! Owners by name: where they are looked up, and what is said when nobody knows them.

use super::*;

#[test]
fn names_are_looked_up_in_what_is_there_before_the_op() {
    let ops = r#"
        file "/etc/passwd" = "app:x:1000:50::/:/bin/sh\n"
        symlink "somewhere/group" at /etc/group
        file "/etc/somewhere/group" = "app:x:1001:\ncrew:x:51:\n"
        layer first {
            mkdir "/a" owner app
            file "/etc/passwd" = "app:x:7:7::/:/bin/sh\n"
            file "/b" owner app:crew = ""
        }
        copy "c" from @source to "/c" owner 9:crew
        file "/d" owner app:8 = ""
    "#;
    let listed = listed(&plan("scratch", ops), &inputs("c", ""));
    for line in ["0755 1000:1001 /a/", "0644 7:51 /b (", "0644 9:51 /c (", "0644 7:8 /d ("] {
        assert!(listed.contains(line), "{line} in {listed}");
    }
}

#[test]
fn nobody_takes_root_for_somebody_unknown() {
    let passwd = "file \"/etc/passwd\" = \"app:x:1000:50::/:/bin/sh\\n\"\n";
    for (op, said) in [
        ("mkdir \"/a\" owner else:7", "there is no user `else` in `/etc/passwd` where the op needs it"),
        (
            "file \"/a\" owner app:else = \"\"",
            "there is no group `else` in `/etc/group` where the op needs it",
        ),
        ("file \"/a\" owner app = \"\"", "there is no group `app` in `/etc/group` where the op needs it"),
        (
            "copy \"c\" from @source to \"/c\" owner else:7",
            "there is no user `else` in `/etc/passwd` where the op needs it",
        ),
    ] {
        assert_eq!(problems(&plan("scratch", &format!("{passwd}{op}")), &inputs("c", "")), [said], "{op}");
    }
    let text = plan("@base", "mkdir \"/a\" owner app:7");
    let recipe = OciDirect::default().lower(&resolved(&text)).expect("can be lowered");
    let of_base =
        recipe.assemble(&inputs("", "etc/passwd"), &Letters, 0).expect_err("has a layer that nobody opens");
    let layer = Digest::of(b"base");
    let said = format!("`/etc/passwd` of the image cannot be read: the layer {layer} is not at hand");
    assert_eq!(of_base.iter().map(ToString::to_string).collect::<Vec<_>>(), [said]);
    let code = miette::Diagnostic::code(&of_base[0]).map(|code| code.to_string());
    assert_eq!(code.as_deref(), Some("cpk::oci::accounts"));
}
