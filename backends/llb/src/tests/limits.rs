//! Less than a current daemon: what becomes of each op without a capability.

use bollard_buildkit_proto::pb;
use cogpack_backends_contract::Unsupported;
use prost::Message as _;

use super::lowering::{block_of, on_image};
use super::{audit, definition, lower_with, without_merges};
use crate::capability::Capability;
use crate::{Limits, LlbImage, listing};

/// A text for a daemon that does what every supported one does.
fn old(text: &str) -> Result<LlbImage, Vec<Unsupported>> {
    lower_with(text, |llb| llb.limits = Limits::baseline())
}

/// The listing of a stage with these ops, for such a daemon.
fn old_listing(ops: &str) -> String {
    let image = old(&on_image(ops)).unwrap_or_else(|gaps| panic!("{ops}: {gaps:?}"));
    let definition = definition(&image);
    assert_eq!(audit::audit(&definition), Vec::<String>::new(), "{ops}");
    let baseline: Vec<&str> = Limits::baseline().ids().collect();
    for need in definition.metadata.values().flat_map(|metadata| metadata.caps.keys()) {
        assert!(baseline.contains(&need.as_str()), "{ops} needs {need}");
    }
    let nameless =
        |of: &&pb::OpMetadata| of.description.get("llb.customname").is_some_and(|it| it.ends_with(": "));
    assert_eq!(definition.metadata.values().filter(nameless).count(), 0, "{ops}: {}", listing(&image));
    listing(&image)
}

const LAID_IN: &str = "contents follow wildcard may-be-empty parents";

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
            "copy \"a\" from @source to \"/etc/a\" { exclude \"b\" }",
            "%app: copy a from @source to /etc/a",
            "file.copy.includeexcludepatterns",
            "`dir` context",
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
        let refused = old(&on_image(&format!("{ops}\n"))).err().unwrap_or_default();
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

#[test]
fn links_and_special_modes_come_out_of_an_archive() {
    let text = old_listing("symlink \"../b\" at \"/etc/a\"");
    assert!(
        block_of(&text, "%app.1").starts_with("file\n  on scratch\n  mkfile \"/thing.tar\" mode 0644 = ")
    );
    assert_eq!(
        block_of(&text, "%app.2"),
        "file\n  on scratch\n  copy \"/thing.tar\" from %app.1 to \"/\" unpack parents"
    );
    assert_eq!(
        block_of(&text, "%app.3"),
        format!("file\n  on @base\n  copy \"/\" from %app.2 to \"/etc/\" {LAID_IN}")
    );
    let text = old_listing("file \"/a\" mode 4755 owner 1:2 = \"x\"");
    assert_eq!(
        block_of(&text, "%app.3"),
        format!("file\n  on @base\n  copy \"/\" from %app.2 to \"/\" {LAID_IN} owner 1:2")
    );
    let text = old_listing("mkdir \"/a\" mode 1777 owner 1:2");
    assert!(block_of(&text, "%app.2").contains("unpack"), "{text}");
    // What a plain action does is made by one.
    let text = old_listing("file \"/a\" mode 0755 = \"x\"");
    assert_eq!(block_of(&text, "%app.1"), "file\n  on scratch\n  mkfile \"/a\" mode 0755 = \"x\"");
}

#[test]
fn programs_of_the_image_do_what_the_daemon_does_wrong() {
    let run = |arguments: &[&str], on: &str| {
        let arguments: String =
            arguments.iter().map(|argument| format!("  argument \"{argument}\"\n")).collect();
        format!(
            "exec\n{arguments}  env \"PATH=/usr/sbin:/usr/bin:/sbin:/bin\"\n  workdir /\n  mount / from {on} changed"
        )
    };
    let text = old_listing("env PATH = \"/venv/bin\"\nuser \"app\"\nworkdir \"/srv\"\nremove \"/etc/a\"");
    assert_eq!(block_of(&text, "%app.2"), run(&["rm", "-r", "--", "/etc/a"], "%app.1"));
    let text = old_listing("copy \"/a\" from %from to \"/etc/a\" replace");
    assert_eq!(block_of(&text, "%app.1"), run(&["rm", "-rf", "--", "/etc/a"], "@base"));
    assert!(block_of(&text, "%app.2").starts_with("file\n  on %app.1\n  copy \"/a\""), "{text}");
    let text = old_listing("layer one {\nmkdir \"/b\" mode 0700\nfile \"/c\" = \"\"\n}");
    assert_eq!(block_of(&text, "%app.1"), "file\n  on @base\n  mkdir \"/b\" mode 0755 parents");
    assert_eq!(block_of(&text, "%app.2"), run(&["chmod", "0700", "/b"], "%app.1"));
    let text = old_listing("mkdir \"/b\" owner 5");
    assert_eq!(block_of(&text, "%app.2"), run(&["chown", "5:5", "/b"], "%app.1"));
    // What starts from nothing has no programs.
    let gaps = old("cpk 1\nstage %a from scratch {\nmkdir \"/a\"\nremove \"/a\"\n}\nexport from %a");
    let gaps = gaps.err().unwrap_or_default();
    assert!(gaps[0].what.contains("`file.rm.nofollowsymlink`") && gaps[0].help.contains("`rm`"), "{gaps:?}");
}

#[test]
fn what_a_copy_excludes_of_a_directory_is_not_sent() {
    let text = old_listing(
        "copy contents \".\" from @source to \"/etc/a\" { exclude \"*.md\" exclude \"x\" }\n\
         copy \"s\" from @source to \"/etc/s\" { exclude \"**/*.pyc\" }",
    );
    assert_eq!(
        block_of(&text, "@source"),
        "source local://source\n  local.excludepatterns = [\"*.md\",\"x\",\".cog\"]\n  \
         local.sharedkeyhint = source without *.md x\n  local.unique = cogpack"
    );
    assert!(block_of(&text, "@source.2").contains("local.followpaths = [\"s\"]"), "{text}");
    assert!(!block_of(&text, "%app.2").contains("exclude"), "{text}");
    for not_the_same in [
        "copy \"s\" from @source to \"/etc/s\" { exclude \"a/*.pyc\" }",
        "copy \"s\" from @source to \"/etc/s\" { exclude \"**/s\" }",
        "copy contents \".\" from @source to \"/etc/s\" { exclude \"a\" include \"a/b\" }",
        "copy contents \".\" from @source to \"/etc/s\" { include \"a\" }",
        "copy \"a*\" from @source into \"/etc/s\" { exclude \"**/b\" }",
    ] {
        let gaps = old(&on_image(not_the_same)).err().unwrap_or_default();
        assert!(gaps.iter().all(|gap| gap.what.contains("includeexcludepatterns")), "{gaps:?}");
        assert_eq!(gaps.len(), 1, "{not_the_same}");
    }
}

#[test]
fn parallel_phases_are_chains_where_there_are_no_merges() {
    let plan = |base: &str, one: &str, two: &str| {
        format!(
            "cpk 1\nimage @base = \"base\" config empty\nphase a\nphase b parallel after a\nphase c after b\n\
             stage %base in a from {base}\nstage %one in b {{\n{one}\n}}\nstage %two in b {{\n{two}\n}}\n\
             stage %end in c {{ run \"end\" }}\nexport from %end"
        )
    };
    let chained = |text: &str| {
        let image =
            lower_with(text, |llb| llb.limits = without_merges()).unwrap_or_else(|gaps| panic!("{gaps:?}"));
        assert_eq!(audit::audit(&definition(&image)), Vec::<String>::new());
        listing(&image)
    };
    let text = chained(&plan("image @base", "run \"one\"", "mkdir \"/two\"\nremove \"/old\" optional"));
    assert_eq!(block_of(&text, "%two.3"), "file\n  on %one.1\n  mkdir \"/two\" mode 0755 parents");
    assert_eq!(block_of(&text, "%two.4"), "file\n  on %two.3\n  rm \"/old\" optional");
    assert!(block_of(&text, "%end.1").contains("mount / from %two.4 changed"), "{text}");

    let text = chained(&plan("scratch", "mkdir \"/one\"", "mkdir \"/two\"\nexec [\"/two/run\"]"));
    assert_eq!(
        block_of(&text, "%two.3"),
        format!("file\n  on %one.1\n  copy \"/\" from %two.2 to \"/\" {LAID_IN}")
    );

    let refused = |two: &str| {
        let text = plan("image @base", "mkdir \"/one\"", two);
        let gaps = lower_with(&text, |llb| llb.limits = without_merges()).err().unwrap_or_default();
        let [gap] = gaps.as_slice() else { panic!("{two}: {gaps:?}") };
        assert_eq!(gap.code, "cpk::unsupported::parallel");
        gap.what.clone()
    };
    let said = refused("run \"rm -r /usr/share/doc\"");
    assert!(said.contains("b %two: run rm -r /usr/share/doc") && said.contains("deleted"), "{said}");
    assert!(refused("mkdir \"/two\" owner app:app").contains("its owner"));
}

#[test]
fn what_a_program_of_ours_finds_made_is_called_by_what_made_it() {
    let listing = old_listing("mkdir \"/sticky\" mode 1777");
    assert!(listing.contains("name %app: mkdir /sticky\n"), "{listing}");
}

#[test]
fn secrets_and_sockets_have_no_input() {
    let text = on_image("run \"make\" { mount secret token at /run/token mount ssh }");
    let inputs = |limits| {
        let image = lower_with(&text, |llb| llb.limits = limits).unwrap_or_else(|gaps| panic!("{gaps:?}"));
        let definition = definition(&image);
        let ops = definition.def.iter().map(|op| pb::Op::decode(op.as_slice()).expect("is an op"));
        let execs = ops.filter_map(|op| match op.op {
            Some(pb::op::Op::Exec(exec)) => Some(exec),
            Some(_) | None => None,
        });
        execs.flat_map(|exec| exec.mounts).map(|mount| mount.input).collect::<Vec<_>>()
    };
    // The first is the root. What another one says of it, daemons take for something about the root.
    assert_eq!(inputs(Limits::all()), [0, -1, -1]);
    assert_eq!(inputs(Limits::baseline()), [0, -1, -1]);
}

#[test]
fn a_copy_that_keeps_owners_is_another_one_where_these_are() {
    let marked = |limits: &Limits, text: &str| {
        let image = lower_with(text, |llb| llb.limits = *limits).unwrap_or_else(|gaps| panic!("{gaps:?}"));
        assert_eq!(audit::audit(&definition(&image)), Vec::<String>::new());
        let text = listing(&image);
        let marks = text.lines().filter(|line| line.contains("cogpack-owners"));
        marks.map(|line| line.trim().to_owned()).collect::<Vec<_>>()
    };
    let copies = |one: &str, two: &str| {
        on_image(&format!(
            "layer one {{\ncopy \"a\" from @source to \"/srv/a\" {one}\n\
             copy \"b\" from @source to \"/srv/b\" {two}\n}}"
        ))
    };
    let mkdir = |owner: &str| {
        on_image(&format!("copy \"a\" from @source to \"/b\" owner {owner}\nmkdir \"/b\" mode 0700"))
    };
    let phase = |owner: &str| {
        format!(
            "cpk 1\nphase a\nphase b parallel after a\nphase c after b\n\
             stage %base in a from scratch\nstage %one in b {{\nmkdir \"/one\"\n}}\n\
             stage %two in b {{\nmkdir \"/two\" owner {owner}\n}}\n\
             stage %end in c {{ mkdir \"/end\" }}\nexport from %end"
        )
    };
    // A daemon with merges, links and patterns, and one without.
    let younger: Vec<&str> =
        Limits::all().ids().filter(|id| *id != Capability::FileRmNoFollow.id()).collect();
    let (younger, oldest) = (Limits::from_ids(younger), Limits::baseline());
    let mut all = Vec::new();
    for (limits, text) in [
        (&oldest, copies("owner 5:6", "owner 7:8")),
        (&oldest, copies("owner 7:8", "owner 5:6")),
        (&oldest, copies("owner 5:6", "")),
        (&oldest, copies("", "owner 5:6")),
        (&oldest, phase("5:6")),
        (&oldest, phase("5:7")),
        (&younger, mkdir("5:6")),
        (&younger, mkdir("5:7")),
    ] {
        let marks = marked(limits, &text);
        assert_eq!(marks, marked(limits, &text));
        assert!(!marks.is_empty(), "{text}");
        all.extend(marks);
    }
    let count = all.len();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), count, "each is a name of its own: {all:?}");
    assert!(all.iter().all(|mark| mark.starts_with("rm \"/.cogpack-owners-") && mark.ends_with(" optional")));
    // Nothing is said where all is root's, and to daemons that look at owners themselves.
    for (limits, text) in [
        (&oldest, copies("", "")),
        (&oldest, copies("owner 0:0", "")),
        (&oldest, phase("0:0")),
        (&younger, mkdir("0:0")),
        (&younger, copies("owner 5:6", "")),
        (&Limits::all(), mkdir("5:6")),
        (&without_merges(), copies("owner 5:6", "")),
        (&without_merges(), phase("5:6")),
    ] {
        assert_eq!(marked(limits, &text), Vec::<String>::new(), "{text}");
    }
}
