//! The cases of copies of what programs have made: what is made, what is copied, and what it gives on
//! each engine. Where nothing else is said, both give what the contract says.

/// One case.
pub struct Case {
    /// What a program makes in the stage `%made`, which is the rig's Debian.
    pub made: &'static str,
    /// What the stage starts from that the ops are in.
    pub onto: &'static str,
    /// The ops.
    pub ops: &'static str,
    /// What the older engine gives.
    pub older: Gives,
    /// What the newer one gives.
    pub newer: Gives,
}

/// What a case gives.
#[derive(Debug)]
pub enum Gives {
    /// These files in `/b`, `/etc/b` and `/srv`.
    Files(&'static [&'static str]),
    /// A failure of the build with these words.
    Failure(&'static str),
    /// A refusal with these words, before anything is sent.
    Refusal(&'static str),
    /// As many refusals as there are words, in their order.
    Refusals(&'static [&'static str]),
}

use Gives::{Failure, Files, Refusal, Refusals};

/// What the context `@source` holds.
pub const SOURCE: &str = "d/x=1 d/s/:0700 d/s/y=2 t/x=1:4755 t/g/:2755 t/g/y=2";

/// A case that both engines make the same of.
const fn same(
    made: &'static str,
    onto: &'static str,
    ops: &'static str,
    files: &'static [&'static str],
) -> Case {
    Case { made, onto, ops, older: Files(files), newer: Files(files) }
}

const fn fails(made: &'static str, onto: &'static str, ops: &'static str, words: &'static str) -> Case {
    Case { made, onto, ops, older: Failure(words), newer: Failure(words) }
}

/// A case that is refused before anything is made of what the names are looked up in.
const fn refused(
    made: &'static str,
    onto: &'static str,
    ops: &'static str,
    words: &'static [&'static str],
) -> Case {
    Case { made, onto, ops, older: Refusals(words), newer: Refusals(words) }
}

/// A user and a group that no image has.
const NAMES: &str = "echo app:x:4000:5000::/:/bin/sh >> /etc/passwd; echo crew:x:5001: >> /etc/group";

/// A pipe, devices and a socket, of others than root.
const SPECIAL: &str = "mkdir -m 0750 /m; mkfifo -m 0640 /m/pipe; mknod -m 0600 /m/null c 1 3; \
    mknod -m 0660 /m/loop b 7 5; chown 3:4 /m/pipe /m/null /m/loop";
const SOCKET: &str = "mkdir -m 0750 /m; \
    perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => \"/m/socket\", Listen => 1) or die'; \
    test -S /m/socket; chmod 0640 /m/socket; echo 1 > /m/x";

/// Names and a link that are no text.
const NO_TEXT: &str = "mkdir /m; printf 1 > \"$(printf '/m/x\\377')\"; printf 22 > /m/xa; printf 333 > /m/y; \
    ln -s \"$(printf 't\\376')\" /m/l";

/// Setuid, setgid, sticky.
const SPECIAL_MODES: &str =
    "mkdir -m 2755 /m; printf 1 > /m/x; chmod 4755 /m/x; mkdir -m 1777 /m/t; ln -s x /m/l";

/// All cases.
pub const CASES: &[Case] = &[
    // Owners by names that a program has made.
    same(
        NAMES,
        "%made",
        r#"copy "d" from @source to "/b" owner app:crew"#,
        &[
            "b directory 755 4000:5001",
            "b/s directory 700 4000:5001",
            "b/s/y file 644 4000:5001 1",
            "b/x file 644 4000:5001 1",
        ],
    ),
    same(
        "true",
        "image @base",
        r#"layer all {
run "echo app:x:4000:5000::/:/bin/sh >> /etc/passwd; echo crew:x:5001: >> /etc/group"
copy "d/x" from @source to "/b/x" owner app:crew
}"#,
        &["b directory 755 0:0", "b/x file 644 4000:5001 1"],
    ),
    // Each copy takes the number that the name has there and then.
    same(
        NAMES,
        "%made",
        r#"copy "d/x" from @source to "/b/one" owner app:crew
run "sed -i s/4000/4002/ /etc/passwd"
copy "d/x" from @source to "/b/two" owner app:crew"#,
        &["b directory 755 0:0", "b/one file 644 4000:5001 1", "b/two file 644 4002:5001 1"],
    ),
    same(
        NAMES,
        "%made",
        "mkdir \"/b\" mode 0700 owner app:crew\nfile \"/b/x\" owner app:crew = \"x\"",
        &["b directory 700 4000:5001", "b/x file 644 4000:5001 1"],
    ),
    // Names that are not there, of which all are looked for before anything is made of them.
    refused(
        "true",
        "image @base",
        r#"copy "d" from @source to "/b" owner app:crew"#,
        &["no user `app` in `/etc/passwd`", "no group `crew` in `/etc/group`"],
    ),
    refused(
        NAMES,
        "%made",
        "run \"sed -i /^app:/d /etc/passwd\"\ncopy \"d/x\" from @source to \"/b\" owner app:crew\nrun \"exit 7\"",
        &["no user `app`"],
    ),
    refused(NAMES, "%made", r#"file "/b" owner 0:crews = "1""#, &["no group `crews`"]),
    refused("true", "image @base", "mkdir \"/b\" owner root:crew", &["no group `crew`"]),
    refused(
        "true",
        "image @base",
        "copy \"none\" from @source to \"/b\" owner app:root optional",
        &["no user `app`"],
    ),
    // No number, and no file at all; the first line of a name decides.
    refused(
        "echo app:x::7::/:/bin/sh >> /etc/passwd; echo app:x:4000:5000::/:/bin/sh >> /etc/passwd",
        "%made",
        r#"copy "d/x" from @source to "/b" owner app:root"#,
        &["no user `app`"],
    ),
    refused(
        "rm /etc/passwd /etc/group",
        "%made",
        r#"copy "d/x" from @source to "/b" owner root:root"#,
        &["no user `root`", "no group `root`"],
    ),
    refused(
        "rm /etc/passwd; ln -s nowhere /etc/passwd",
        "%made",
        r#"copy "d/x" from @source to "/b" owner root:root"#,
        &["no user `root`"],
    ),
    // Through links, as the daemon goes.
    same(
        "mv /etc/passwd /opt/users; ln -s /opt/users /etc/passwd; echo app:x:4000:5000::/:/bin/sh >> /opt/users",
        "%made",
        r#"copy "d/x" from @source to "/b" owner app:root"#,
        &["b file 644 4000:0 1"],
    ),
    // A name of a file that the same layer has brought.
    same(
        "true",
        "image @base",
        r#"layer all {
file "/etc/passwd" = "app:x:4000:5000::/:/bin/sh"
copy "d/x" from @source to "/b" owner app:root
}"#,
        &["b file 644 4000:0 1"],
    ),
    // Names of where the files come from say nothing.
    refused(NAMES, "image @base", r#"copy "/etc/passwd" from %made to "/b" owner app:7"#, &["no user `app`"]),
    // Pipes and devices. Wrong: the older engine leaves pipes out and makes empty files of devices,
    // and the newer one makes devices for characters of those for blocks.
    Case {
        made: SPECIAL,
        onto: "scratch",
        ops: r#"copy "/m" from %made to "/b""#,
        older: Files(&["b directory 755 0:0", "b/loop file 660 0:0 0", "b/null file 600 0:0 0"]),
        newer: Files(&[
            "b directory 755 0:0",
            "b/loop character special file 660 0:0 7:5",
            "b/null character special file 600 0:0 1:3",
            "b/pipe pipe 640 0:0",
        ]),
    },
    Case {
        made: SPECIAL,
        onto: "scratch",
        ops: r#"copy "/m/pipe" from %made to "/b""#,
        older: Files(&[]),
        newer: Files(&["b pipe 640 0:0"]),
    },
    Case {
        made: SPECIAL,
        onto: "scratch",
        ops: r#"copy "/m/pipe" "/m/null" from %made into "/b""#,
        older: Files(&["b directory 755 0:0", "b/null file 600 0:0 0"]),
        newer: Files(&[
            "b directory 755 0:0",
            "b/null character special file 600 0:0 1:3",
            "b/pipe pipe 640 0:0",
        ]),
    },
    Case {
        made: SPECIAL,
        onto: "scratch",
        ops: r#"copy "/m/p*" from %made into "/b" owner 5:6"#,
        older: Failure("not found"),
        newer: Files(&["b directory 755 5:6", "b/pipe pipe 640 5:6"]),
    },
    Case {
        made: SPECIAL,
        onto: "image @base",
        ops: r#"copy "/m/pipe" from %made to "/b" mode 0604"#,
        older: Failure("not found"),
        newer: Files(&["b pipe 604 0:0"]),
    },
    fails(SPECIAL, "scratch", r#"copy contents "/m/pipe" from %made to "/b""#, "not a directory"),
    fails(
        "mkdir -p /m /etc/b/x; mkfifo /m/x",
        "%made",
        r#"copy "/m/x" from %made to "/etc/b/x""#,
        "directory",
    ),
    // Something else in their place replaces them, and they replace it.
    same(
        "mkdir /etc/b; mkfifo /etc/b/x",
        "%made",
        r#"copy "d/x" from @source to "/etc/b/x""#,
        &["etc/b directory 755 0:0", "etc/b/x file 644 0:0 1"],
    ),
    same(
        "mkdir /etc/b; mkfifo /etc/b/x",
        "%made",
        r#"copy contents "d" from @source to "/etc/b""#,
        &[
            "etc/b directory 755 0:0",
            "etc/b/s directory 700 0:0",
            "etc/b/s/y file 644 0:0 1",
            "etc/b/x file 644 0:0 1",
        ],
    ),
    Case {
        made: "mkdir /m /etc/b; mkfifo /m/x; echo 1 > /etc/b/x",
        onto: "%made",
        ops: r#"copy "/m/x" from %made to "/etc/b/x""#,
        older: Files(&["etc/b directory 755 0:0"]),
        newer: Files(&["etc/b directory 755 0:0", "etc/b/x pipe 644 0:0"]),
    },
    // A socket, which no layer can hold. Wrong: the newer engine makes an empty file of it.
    Case {
        made: SOCKET,
        onto: "scratch",
        ops: r#"copy "/m" from %made to "/b""#,
        older: Files(&["b directory 755 0:0", "b/x file 644 0:0 2"]),
        newer: Files(&["b directory 755 0:0", "b/socket file 640 0:0 0", "b/x file 644 0:0 2"]),
    },
    // Names that are no text.
    same(
        NO_TEXT,
        "scratch",
        r#"copy "/m" from %made to "/b""#,
        &[
            "b directory 755 0:0",
            r"b/l link 0:0 t\xfe",
            r"b/xa file 644 0:0 2",
            r"b/x\xff file 644 0:0 1",
            "b/y file 644 0:0 3",
        ],
    ),
    same(
        NO_TEXT,
        "scratch",
        r#"copy "/m/x?" from %made into "/b""#,
        &["b directory 755 0:0", "b/xa file 644 0:0 2", r"b/x\xff file 644 0:0 1"],
    ),
    Case {
        made: NO_TEXT,
        onto: "scratch",
        ops: r#"copy "/m" from %made to "/b" { include "x*" }"#,
        older: Refusal("file.copy.includeexcludepatterns"),
        newer: Files(&["b directory 755 0:0", "b/xa file 644 0:0 2", r"b/x\xff file 644 0:0 1"]),
    },
    // A mode is all that what is copied has.
    same(
        SPECIAL_MODES,
        "image @base",
        r#"copy "/m" from %made to "/b" mode 0750"#,
        &["b directory 755 0:0", "b/l link 0:0 x", "b/t directory 750 0:0", "b/x file 750 0:0 1"],
    ),
    same(
        SPECIAL_MODES,
        "scratch",
        r#"copy "/m" from %made to "/b" mode 0750 owner 5:6"#,
        &["b directory 755 5:6", "b/l link 5:6 x", "b/t directory 750 5:6", "b/x file 750 5:6 1"],
    ),
    same(SPECIAL_MODES, "scratch", r#"copy "/m/x" from %made to "/b" mode 0640"#, &["b file 640 0:0 1"]),
    same(
        SPECIAL_MODES,
        "image @base",
        r#"copy "/m/*" from %made into "/b" mode 0700"#,
        &["b directory 755 0:0", "b/l link 0:0 x", "b/t directory 700 0:0", "b/x file 700 0:0 1"],
    ),
    same(
        "true",
        "image @base",
        r#"copy "t" from @source to "/b" mode 0750"#,
        &["b directory 755 0:0", "b/g directory 750 0:0", "b/g/y file 750 0:0 1", "b/x file 750 0:0 1"],
    ),
    same(
        "true",
        "image @base",
        r#"copy "t/*" from @source into "/b" mode 0750"#,
        &["b directory 755 0:0", "b/g directory 750 0:0", "b/g/y file 750 0:0 1", "b/x file 750 0:0 1"],
    ),
    same("true", "image @base", r#"copy "/none" from %made to "/b" mode 0750 optional"#, &[]),
    Case {
        made: SPECIAL_MODES,
        onto: "image @base",
        ops: r#"copy "/m/x" from %made to "/b" mode 4711"#,
        older: Refusal("file.symlink.create"),
        newer: Refusal("file.symlink.create"),
    },
    // What is removed first; what a link points to stays.
    same(
        "mkdir /etc/b; echo 1 > /etc/b/old",
        "%made",
        r#"copy "d/x" from @source to "/etc/b" replace"#,
        &["etc/b file 644 0:0 1"],
    ),
    same(
        "mkdir /srv/b; ln -s /srv/b /etc/b",
        "%made",
        r#"copy "d/x" from @source to "/etc/b" replace"#,
        &["etc/b file 644 0:0 1", "srv/b directory 755 0:0"],
    ),
    // Wrong: the newer engine looks where the link would lead on its own machine.
    Case {
        made: "mkdir /srv/b; ln -s /srv/b /etc/b",
        onto: "%made",
        ops: "remove \"/etc/b\"",
        older: Files(&["srv/b directory 755 0:0"]),
        newer: Failure("/etc/b: no such file or directory"),
    },
    same(
        "mkdir /srv/b; ln -s /srv/b /etc/b",
        "%made",
        "remove \"/etc/b\" optional",
        &["srv/b directory 755 0:0"],
    ),
    same("ln -s /nowhere /etc/b", "%made", "remove \"/etc/b\" optional", &[]),
    same("true", "%made", "remove \"/etc/b\" optional", &[]),
    fails("true", "%made", "remove \"/etc/b\"", "/etc/b"),
    // Half of what a directory is.
    same(
        "mkdir -m 0711 /etc/b; chown 5:6 /etc/b",
        "%made",
        "mkdir \"/etc/b\" mode 0700",
        &["etc/b directory 700 5:6"],
    ),
    same(
        "mkdir -m 0711 /etc/b; chown 5:6 /etc/b; echo 1 > /etc/b/x; chown 3:4 /etc/b/x",
        "%made",
        "mkdir \"/etc/b\" mode 0700",
        &["etc/b directory 700 5:6", "etc/b/x file 644 3:4 2"],
    ),
    same(
        "mkdir -m 0711 -p /srv/b/c; chown 7:8 /srv/b; chown 5:6 /srv/b/c",
        "%made",
        "mkdir \"/srv/b/c\" mode 2750",
        &["srv/b directory 755 7:8", "srv/b/c directory 2750 5:6"],
    ),
    same(
        "mkdir -m 0711 /etc/b; chown 5:6 /etc/b",
        "%made",
        "mkdir \"/etc/b\" owner 7:8",
        &["etc/b directory 711 7:8"],
    ),
];
