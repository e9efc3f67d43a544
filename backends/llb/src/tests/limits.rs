//! Less than a current daemon: what becomes of each op without a capability.

use cogpack_backends_contract::Unsupported;

use super::lower_with;
use crate::Limits;

/// What is refused of a stage with these ops, for a daemon that does what every one does.
fn refused(ops: &str) -> Vec<Unsupported> {
    let text = format!(
        "cpk 1\nimage @base = \"base\" config empty\ncontext @source = dir \".\"\nsecret token\n\
         stage %from from image @base {{ run \"make\" }}\n\
         stage %app from image @base {{\n{ops}\n}}\nexport from %app\n"
    );
    lower_with(&text, |llb| llb.limits = Limits::baseline()).err().unwrap_or_default()
}

#[test]
fn what_an_old_daemon_lacks_is_refused_by_name() {
    for (ops, op, capability, way_out) in [
        (
            "run \"make\" { mount secret token as env TOKEN }",
            "%app: run make",
            "exec.secretenv",
            "mount secret NAME at /run/secrets/NAME",
        ),
        (
            "run \"make\" { mount tmpfs at /t size 1m }",
            "%app: run make",
            "exec.mount.tmpfs.size",
            "leave out `size`",
        ),
        (
            "copy \"/a\" from %from to \"/etc/a\" { exclude \"b\" }",
            "%app: copy /a from %from to /etc/a",
            "file.copy.includeexcludepatterns",
            "`dir` context",
        ),
        (
            "copy \"a\" from @source to \"/etc/a\" mode 4755",
            "%app: set mode of /a",
            "file.symlink.create",
            "`chmod` in a `run`",
        ),
    ] {
        let refused = refused(ops);
        let [gap] = refused.as_slice() else { panic!("{ops}: {refused:?}") };
        assert_eq!(gap.code, "cpk::unsupported::capability", "{ops}");
        assert!(
            gap.what.contains(op) && gap.what.contains(&format!("`{capability}`")),
            "{ops}: {}",
            gap.what
        );
        assert!(gap.help.contains(way_out), "{ops}: {}", gap.help);
        assert!(gap.span.range().is_some(), "{ops}");
    }
}
