//! What becomes of single ops, read from the listing.

use cogpack_ir::{resolve, syntax, verify};

use super::{lower, lower_with, lowered, without_merges};
use crate::known::{Kind, questions};
use crate::listing;

/// The block of one vertex, names and needs apart.
pub(super) fn block(text: &str, title: &str) -> String {
    block_of(&listing(&lowered(text)), title)
}

pub(super) fn block_of(listing: &str, title: &str) -> String {
    let start = format!("\n{title} = ");
    let block = listing.split_once(&start).unwrap_or_else(|| panic!("no {title} in {listing}")).1;
    let block = block.split("\n\n").next().unwrap_or_default();
    let kept = block.lines().filter(|line| {
        !["  name ", "  needs ", "  lines ", "  platform ", "  group "]
            .iter()
            .any(|word| line.starts_with(word))
    });
    kept.collect::<Vec<_>>().join("\n")
}

/// The block of the last vertex of `%app`, without what it only waits for.
fn last(listing: &str) -> String {
    let title = |number: usize| format!("%app.{number}");
    let is_there = |number: &usize| listing.contains(&format!("\n{} = ", title(*number)));
    let number = (1..).take_while(is_there).last().unwrap_or_else(|| panic!("no %app in {listing}"));
    let block = block_of(listing, &title(number));
    let kept = block.lines().filter(|line| !line.contains("/.cogpack-nothin[g]"));
    kept.collect::<Vec<_>>().join("\n")
}

/// A stage with these ops on an image.
pub(super) fn on_image(ops: &str) -> String {
    format!(
        "cpk 1\nimage @base = \"base\" config empty\ncontext @source = dir \".\"\ncontext @none = files\nsecret token\n\
         stage %from from image @base {{ run \"make\" }}\n\
         stage %app from image @base {{\n{ops}\n}}\nexport from %app\n"
    )
}

/// The codes of what cannot be lowered.
fn codes(text: &str) -> Vec<&'static str> {
    lower(text).map_or_else(|gaps| gaps.iter().map(|gap| gap.code).collect(), |_| Vec::new())
}

#[test]
fn copies_have_the_flags_that_the_table_says() {
    let usual = "wildcard may-be-empty parents";
    for (op, expected) in [
        (
            "copy \"a\" from @source to \"/etc/b\"",
            format!("copy \"/a\" from @source to \"/etc/b\" contents {usual}"),
        ),
        (
            "copy \"a\" from @source to \"/etc/b\" follow",
            format!("copy \"/a\" from @source to \"/etc/b\" contents follow {usual}"),
        ),
        (
            "copy contents \"a\" from @source to \"/etc/b\"",
            format!("copy \"/a\" from @source to \"/etc/b/\" contents follow {usual}"),
        ),
        (
            "copy \"/a\" from %from into \"/etc/b\"",
            format!("copy \"/a\" from %from.1 to \"/etc/b/a\" contents {usual} owner 0:0"),
        ),
        (
            "copy \"a*\" from @source into \"/etc/b\"",
            "copy \"/a*\" from @source to \"/etc/b/\" wildcard parents".to_owned(),
        ),
        (
            "copy \"[a]\" from @source to \"/etc/b\"",
            "copy \"/[a]\" from @source to \"/etc/b\" contents parents".to_owned(),
        ),
        (
            "copy \"a\" from @source to \"/etc/b\" replace",
            format!("rm \"/etc/b\" optional\n  copy \"/a\" from @source to \"/etc/b\" contents {usual}"),
        ),
        (
            "copy \"a\" from @source to \"/etc/x/b\" owner 1:2",
            format!(
                "mkdir \"/etc/x\" mode 0755 parents\n  \
                 copy \"/a\" from @source to \"/etc/x/b\" contents {usual} owner 1:2"
            ),
        ),
        (
            "copy \"a\" from @source to \"/etc/b\" owner app:app",
            format!(
                "mkdir \"/etc\" mode 0755 parents\n  copy \"/a\" from @source to \"/etc/b\" contents {usual} \
                 owner app of @base:app of @base"
            ),
        ),
        (
            "copy \"a\" from @source to \"/etc/b\" { include \"x\" exclude \"x/y\" }",
            format!(
                "copy \"/a\" from @source to \"/etc/b\" contents {usual}\n    include \"x\"\n    exclude \"x/y\""
            ),
        ),
    ] {
        let from_a_probe = expected.replace("from @source", "from %app.1");
        let expected = if op.contains("contents") { from_a_probe } else { expected };
        assert_eq!(
            last(&listing(&lowered(&on_image(op)))),
            format!("file\n  on @base\n  {expected}"),
            "{op}"
        );
    }
}

#[test]
fn daemons_are_made_to_look_at_what_is_not_known() {
    let contents = on_image("copy contents \"a\" from @source to \"/etc/b\"");
    let looks =
        "file\n  on @source\n  mkdir \"/a/.cogpack-probe\" mode 0755\n  rm \"/a/.cogpack-probe\" optional";
    assert_eq!(block(&contents, "%app.1"), looks);
    let file = on_image("copy \"a\" from @source to \"/etc/b\"");
    for (vertex, expected) in [
        ("%app.1", "on scratch\n  mkfile \"/.cogpack-probe\" mode 0644 = \"\""),
        ("%app.2", "on @base\n  copy \"/.cogpack-probe\" from %app.1 to \"/etc/b\" parents"),
        (
            "%app.3",
            "on %app.2\n  mkdir \"/.cogpack-found\" mode 0755 parents\n  \
             copy \"/etc/b/[.]cogpack-probe\" from %app.2 to \"/.cogpack-found/a/\" follow wildcard may-be-empty parents",
        ),
        ("%app.4", "on @source\n  copy \"/.cogpack-found\" from %app.3 to \"/\" contents parents"),
    ] {
        assert_eq!(block(&file, vertex), format!("file\n  {expected}"));
    }
    assert!(block(&file, "%app.5").contains("copy \"/.cogpack-nothin[g]\" from %app.4"));
    // Where it is known, nobody has to look.
    let of = |text: &str, kind| {
        let image = lower_with(text, |llb| {
            let name = cogpack_ir::plan::InputName::new("source").expect("is a name");
            llb.known.kinds.insert(name, [("a".to_owned(), kind)].into());
        });
        listing(&image.unwrap_or_else(|gaps| panic!("{gaps:?}")))
    };
    for text in [&contents, &file] {
        assert!(
            block_of(&of(text, Kind::Directory), "%app.1").starts_with("file\n  on @base\n  copy \"/a\"")
        );
    }
    // What is known to be a file is copied from where the daemon has looked, and shares its cache.
    let told = of(&file, Kind::File);
    let copies = "file\n  on @base\n  copy \"/a\" from %app.4 to \"/etc/b\" contents follow wildcard may-be-empty parents";
    assert_eq!(block_of(&told, "%app.5"), copies);
}

#[test]
fn modes_are_given_beside_so_that_no_daemon_gives_them_to_the_destination() {
    let text = on_image("copy \"a\" from @source to \"/etc/b\" mode 4711 { exclude \"x\" }");
    assert_eq!(
        block(&text, "%app.5"),
        "file\n  on scratch\n  copy \"/a\" from @source to \"/a\" wildcard may-be-empty parents mode 4711"
    );
    assert_eq!(
        last(&listing(&lowered(&text))),
        "file\n  on @base\n  copy \"/a\" from %app.5 to \"/etc/b\" contents wildcard may-be-empty parents\n    \
         exclude \"x\""
    );
    let text = on_image("copy \"*.py\" from @source into \"/etc/b\" mode 0700");
    assert_eq!(
        block(&text, "%app.1"),
        "file\n  on @base\n  mkdir \"/etc/b\" mode 0755 parents\n  \
         copy \"/*.py\" from @source to \"/etc/b/\" wildcard parents mode 0700"
    );
}

#[test]
fn directories_above_are_made_for_an_optional_source_only_if_it_is_there() {
    let text = on_image("copy \"a\" from @source to \"/etc/x/b\" optional owner 1:2");
    assert_eq!(
        last(&listing(&lowered(&text))),
        "file\n  on @base\n  \
         copy \"/[a]\" from @source to \"/etc/x/.cogpack-way\" wildcard may-be-empty parents\n    \
         exclude \"**\"\n  rm \"/etc/x/.cogpack-way\" optional\n  \
         copy \"/[a]\" from @source to \"/etc/x/b\" contents wildcard may-be-empty parents owner 1:2"
    );
}

#[test]
fn an_optional_source_is_a_wildcard_below_a_directory_that_is_there() {
    let text = on_image("copy \"x/y/venv\" from @source to \"/etc/b\" optional");
    assert_eq!(block(&text, "%app.5"), "file\n  on @source\n  mkdir \"/x/y\" mode 0755 parents");
    // A link may lead there.
    assert_eq!(
        block(&text, "%app.6"),
        "file\n  on %app.5\n  mkdir \"/.cogpack-found\" mode 0755 parents\n  \
         copy \"/x/y\" from %app.5 to \"/.cogpack-found/\" contents follow parents\n    include \"venv\""
    );
    assert_eq!(
        last(&listing(&lowered(&text))),
        "file\n  on @base\n  \
         copy \"/.cogpack-found/[v]env\" from %app.6 to \"/etc/b\" contents wildcard may-be-empty parents"
    );
    let text = on_image("copy \"venv\" \"*.py\" from @source into \"/etc/b\" optional");
    assert_eq!(
        last(&listing(&lowered(&text))),
        "file\n  on @base\n  mkdir \"/etc/b\" mode 0755 parents\n  \
         copy \"/[v]env\" from @source to \"/etc/b/venv\" contents wildcard may-be-empty parents\n  \
         copy \"/*.py\" from @source to \"/etc/b/\" wildcard may-be-empty parents"
    );
}

#[test]
fn file_ops_are_made_beside_and_laid_in() {
    let lay = "contents follow wildcard may-be-empty parents";
    let text = on_image("file \"/etc/x/a\" mode 0600 owner 1:2 = \"text\"");
    assert_eq!(block(&text, "%app.1"), "file\n  on scratch\n  mkfile \"/a\" mode 0600 = \"text\"");
    assert_eq!(
        block(&text, "%app.2"),
        format!(
            "file\n  on @base\n  mkdir \"/etc/x\" mode 0755 parents\n  \
             copy \"/\" from %app.1 to \"/etc/x/\" {lay} owner 1:2"
        )
    );
    let text = on_image("symlink \"../b\" at \"/a\"");
    assert_eq!(block(&text, "%app.1"), "file\n  on scratch\n  symlink \"../b\" at \"/a\"");
    assert_eq!(block(&text, "%app.2"), format!("file\n  on @base\n  copy \"/\" from %app.1 to \"/\" {lay}"));
    let text = on_image("mkdir \"/a/b\" mode 0700 owner 1:2");
    assert_eq!(block(&text, "%app.1"), "file\n  on scratch\n  mkdir \"/b\" mode 0700 parents");
    let text = on_image("file \"/a\" mode 4755 = \"x\"");
    assert_eq!(block(&text, "%app.1"), "file\n  on scratch\n  mkfile \"/a\" mode 0755 = \"x\"");
    assert_eq!(
        block(&text, "%app.2"),
        format!("file\n  on @base\n  copy \"/\" from %app.1 to \"/\" {lay} mode 4755")
    );
    let text = on_image("mkdir \"/a/b\"");
    assert_eq!(block(&text, "%app.1"), "file\n  on @base\n  mkdir \"/a/b\" mode 0755 parents");
}

#[test]
fn a_directory_keeps_what_is_not_said() {
    let text = on_image("mkdir \"/a/b\" mode 0700");
    assert_eq!(block(&text, "%app.1"), "file\n  on @base\n  mkdir \"/a/b\" mode 0755 parents");
    assert_eq!(
        block(&text, "%app.2"),
        "file\n  on %app.1\n  mkdir \"/.cogpack-alone/in\" mode 0755 parents\n  \
         copy \"/a/b\" from %app.1 to \"/.cogpack-alone/in/b\" follow parents mode 0700\n    exclude \"**\""
    );
    assert_eq!(
        block(&text, "%app.3"),
        "file\n  on @base\n  \
         copy \"/.cogpack-alone/in\" from %app.2 to \"/a/\" contents follow wildcard may-be-empty parents"
    );
}

#[test]
fn on_the_empty_filesystem_the_plain_actions_do() {
    let text = "cpk 1\nstage %app from scratch {\nlayer all {\nfile \"/a/b\" owner 1:2 = \"x\"\n\
                remove \"/a/b\"\n}\n}\nexport from %app";
    assert_eq!(
        block(text, "%app.1"),
        "file\n  on scratch\n  mkdir \"/a\" mode 0755 parents\n  mkfile \"/a/b\" mode 0644 owner 1:2 = \"x\"\n  \
         rm \"/a/b\""
    );
}

#[test]
fn a_layer_of_file_ops_is_one_vertex() {
    let text = on_image(
        "layer one {\ncopy \".\" from @source to \"/etc/a\"\nenv A = \"1\"\nremove \"/etc/b\"\nworkdir \"/srv\"\n}",
    );
    assert_eq!(
        block(&text, "%app.1"),
        "file\n  on @base\n  copy \"/\" from @source to \"/etc/a\" contents follow wildcard may-be-empty parents\n  \
         rm \"/etc/b\"\n  mkdir \"/srv\" mode 0755 parents"
    );
    assert!(!listing(&lowered(&text)).contains("%app.2"));
}

#[test]
fn an_account_that_the_layer_may_make_is_looked_up_after_it() {
    let text = on_image(
        "layer one {\ncopy \"passwd\" from @source to \"/etc/passwd\"\n\
         copy \"a\" from @source to \"/srv\" owner app:app\n}",
    );
    let text = listing(&lowered(&text));
    assert!(last(&text).starts_with("file\n  on %app.5"), "{}", last(&text));
}

#[test]
fn independent_layers_are_merged_one_by_one_as_linked_copies_are() {
    let text = on_image(
        "copy \"a\" from @source to \"/srv/a\"\ncopy \"b\" from @source to \"/srv/b\"\nrun \"make\"",
    );
    assert!(block(&text, "%app.1").starts_with("file\n  on scratch\n"));
    assert_eq!(block(&text, "%app.2"), "merge\n  of @base\n  of %app.1");
    assert!(block(&text, "%app.3").starts_with("file\n  on scratch\n"));
    assert_eq!(block(&text, "%app.4"), "merge\n  of %app.2\n  of %app.3");
    assert!(block(&text, "%app.5").contains("mount / from %app.4 changed"));
    let old = lower_with(&text, |llb| llb.limits = without_merges()).expect("can be lowered");
    let old = listing(&old);
    assert_eq!(
        block_of(&old, "%app.2"),
        "file\n  on @base\n  copy \"/\" from %app.1 to \"/\" contents follow wildcard may-be-empty parents"
    );
    let twice = on_image(
        "copy \"a\" from @source to \"/srv/a\"\ncopy \"b\" from @source to \"/srv/b\"\n\
                          copy \"a\" from @source to \"/srv/a\"",
    );
    assert_eq!(block(&twice, "%app.5"), "merge\n  of %app.4\n  of %app.1");
}

#[test]
fn parallel_phases_are_merges_of_what_each_stage_changes() {
    let text = "cpk 1\nimage @base = \"base\" config empty\nphase a\nphase b parallel after a\nphase c after b\n\
                stage %base in a from image @base { run \"make\" }\n\
                stage %one in b { run \"one\" }\nstage %two in b { run \"two\" }\nstage %none in b\n\
                stage %end in c { run \"end\" }\nexport from %end";
    assert_eq!(block(text, "%one.2"), "diff\n  lower %base.1\n  upper %one.1");
    assert_eq!(block(text, "b"), "merge\n  of %base.1\n  of %one.2\n  of %two.2");
    assert!(block(text, "%end.1").contains("mount / from b changed"));
}

#[test]
fn mounts_and_settings_of_one_execution() {
    let text = on_image(
        "user \"app\"\nenv A = \"1\"\nrun \"make\" {\nmount %from at /b/x select \"/usr\" writable\n\
         mount @source at /b\nmount @none at /c\nuser \"root\"\nenv A = \"2\"\nworkdir \"/w\"\n}",
    );
    assert_eq!(
        block(&text, "%app.1"),
        "exec\n  argument \"/bin/sh\"\n  argument \"-c\"\n  argument \"make\"\n  env \"A=2\"\n  workdir /w\n  \
         user root\n  mount / from @base changed\n  mount /b from @source readonly\n  \
         mount /b/x from %from.1 select /usr writable, changes dropped\n  mount /c from scratch readonly"
    );
    // Another user's working directory is made as root's, before.
    let text = on_image("user \"app\"\nrun \"make\" { workdir \"/w\" }");
    assert_eq!(block(&text, "%app.1"), "file\n  on @base\n  mkdir \"/w\" mode 0755 parents");
}

#[test]
fn contexts_become_sources() {
    let of = |context: &str, title: &str| {
        let text = format!(
            "cpk 1\ncontext @it = {context}\nstage %app from scratch {{ copy \"/\" from @it to \"/it\" }}\nexport from %app"
        );
        block(&text, title)
    };
    let hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(
        of("http \"http://host/a/b.tar?x=1\" { mode 0755 }", "@it"),
        "source http://host/a/b.tar?x=1\n  http.filename = b.tar\n  http.perm = 0755"
    );
    assert_eq!(
        of(
            "git \"https://host/team/repo.git\" { commit 0123456789012345678901234567890123456789 subdir \"a/b\" }",
            "@it"
        ),
        "source git://host/team/repo.git#0123456789012345678901234567890123456789:a/b\n  \
         git.fullurl = https://host/team/repo.git"
    );
    assert_eq!(
        of(&format!("oci \"layout\" {{ digest sha256:{hash} }}"), "@it"),
        format!("source oci-layout://cogpack/it@sha256:{hash}\n  oci.store = it")
    );
    assert_eq!(
        of("files { file \"a/b\" mode 0755 = \"x\" file \"c\" = \"y\" }", "@it"),
        "file\n  on scratch\n  mkdir \"/a\" mode 0755 parents\n  mkfile \"/a/b\" mode 0755 = \"x\"\n  \
         mkfile \"/c\" mode 0644 = \"y\""
    );
}

#[test]
fn what_is_known_to_be_no_link_is_followed_like_a_dockerfile_does() {
    let text = on_image(
        "layer one {\ncopy \"a\" from @source to \"/etc/a\"\ncopy \"x/b\" \"c\" \"*.py\" from @source into \"/etc\"\n}",
    );
    let parsed = syntax::parse(&text);
    let verified = verify::verify(parsed.plan).unwrap_or_else(|findings| panic!("{findings:?}"));
    let resolved = resolve::resolve(verified, &resolve::KnownConfigs::new())
        .unwrap_or_else(|findings| panic!("{findings:?}"));
    let asked = questions(&resolved);
    assert_eq!(asked.len(), 1);
    let (name, paths) = asked.into_iter().next().expect("one context is asked about");
    assert_eq!(name.as_str(), "source");
    assert!(paths.iter().eq(["a", "c", "x/b"]), "{paths:?}");
    let kinds = paths.into_iter().filter(|path| path != "c").map(|path| (path, Kind::Directory)).collect();
    let image = lower_with(&text, |llb| {
        llb.known.kinds.insert(name, kinds);
    })
    .unwrap_or_else(|gaps| panic!("{gaps:?}"));
    let block = last(&listing(&image));
    let follows: Vec<bool> = block.lines().skip(2).map(|line| line.contains(" follow ")).collect();
    assert_eq!(follows, [true, true, false, false], "{block}");
    // A plan's own files are no links.
    let text = "cpk 1\ncontext @it = files { file \"a\" = \"x\" }\n\
                stage %app from scratch { copy \"a\" from @it to \"/etc/a\" }\nexport from %app";
    assert!(last(&listing(&lowered(text))).contains(" follow "));
}

#[test]
fn what_buildkit_cannot_do_is_refused() {
    for (text, code) in [
        ("cpk 1\nstage %app from scratch\nexport from %app".to_owned(), "empty-image"),
        ("cpk 1\ncontext @it = files { file \"a\" mode 4755 = \"x\" }\nstage %app from @it\nexport from %app".to_owned(), "mode-bits"),
        (on_image("copy \"a\" from @source to \"/a\" owner app"), "owner-group"),
        (on_image("copy \"x/*\" \"y/*\" from @source into \"/a\""), "collision"),
        (on_image("copy \"a\" from @none to \"/a\""), "empty-source"),
        ("cpk 1\nstage %app from scratch { mkdir \"/a\" owner app:app }\nexport from %app".to_owned(), "owner-name"),
        ("cpk 1\nimage @base = \"b\"\nstage %app from image @base { run \"make\" { env A = \"${PATH}:/b\" } }\nexport from %app".to_owned(), "open-variable"),
        ("cpk 1\ncontext @it = oci \"layout\" { tag \"latest\" }\nstage %app from @it\nexport from %app".to_owned(), "oci-digest"),
        ("cpk 1\ncontext @it = git \"git@host:team/repo.git\"\nstage %app from @it\nexport from %app".to_owned(), "git-address"),
        ("cpk 1\ncontext @it = wheels { python \"3.11\" }\nstage %app from scratch { copy \"/\" from @it to \"/\" }\nexport from %app".to_owned(), "installed-context"),
    ] {
        assert_eq!(codes(&text), [format!("cpk::unsupported::{code}")], "{text}");
    }
}

#[test]
fn a_variable_that_an_execution_and_the_config_miss_is_told_once() {
    let missed = |ops: &str| {
        codes(&format!(
            "cpk 1\nimage @base = \"b\"\nstage %app from image @base {{ {ops} }}\nexport from %app"
        ))
    };
    assert_eq!(missed("env prepend PATH \"/opt/bin\"\nrun \"make\"").len(), 1);
    assert_eq!(missed("env prepend PATH \"/opt/bin\"").len(), 1);
    assert_eq!(missed("env prepend PATH \"/opt/bin\"\nenv append LANG \"x\"\nrun \"make\"").len(), 2);
}

#[test]
fn all_gaps_are_reported_at_once() {
    let text = on_image(
        "copy \"a\" from @none to \"/a\"\ncopy \"b\" from @none to \"/b\"\ncopy \"x/*\" \"y/*\" from @source into \"/a\"",
    );
    assert_eq!(codes(&text).len(), 3);
}
