//! The edits, a row each: what is edited, how, and how many ops run because of it.

/// One change of a project's folder.
pub enum Change {
    /// In the plan this text, which it has once, becomes that.
    Plan(&'static str, &'static str),
    /// The secret `token` has another value.
    Token(&'static str),
    /// A file has this text, and 0644 if it is new.
    File(&'static str, &'static str),
    /// A file has this mode.
    Mode(&'static str, u32),
    /// A link leads there.
    Link(&'static str, &'static str),
    /// A file was written again as it was.
    Touched(&'static str),
    /// A file is gone.
    Gone(&'static str),
}

impl Change {
    /// Whether it is one of files in contexts, which a plan does not tell.
    pub fn is_of_files(&self) -> bool {
        match self {
            Plan(..) | Token(_) => false,
            File(..) | Mode(..) | Link(..) | Touched(_) | Gone(_) => true,
        }
    }
}

use Change::{File, Gone, Link, Mode, Plan, Token, Touched};

/// One edit of a project.
pub struct Edit {
    pub project: &'static str,
    /// What somebody does.
    pub what: &'static str,
    pub changes: &'static [Change],
    /// How many ops run again.
    pub runs: usize,
    /// Ops that read the same files as before all the same, by what their lines hold.
    pub same: &'static [&'static str],
}

pub(super) const fn edit(
    project: &'static str,
    what: &'static str,
    changes: &'static [Change],
    runs: usize,
) -> Edit {
    Edit { project, what, changes, runs, same: &[] }
}

impl Edit {
    pub(super) const fn but_same(self, same: &'static [&'static str]) -> Self {
        Self { same, ..self }
    }
}

/// Those of what is made for these tests.
pub const OF_MADE: &[Edit] = &[
    edit("service", "a comment", &[Plan("cpk 1\n", "cpk 1\n# said NONCE\n")], 0),
    edit("service", "the layout of the text", &[Plan("cache pip\nsecret", "cache pip\n\n\nsecret")], 0),
    edit("service", "who asked for an op", &[Plan("  run \"echo $MODE", "  by uv at \"x\":3\n  run \"echo $MODE")], 0),
    edit("service", "another label", &[Plan("version = \"1\"", "version = \"2\"")], 0),
    edit("service", "another port", &[Plan("5000/tcp", "8000/tcp")], 0),
    edit("service", "another command", &[Plan("\"-m\", \"app\"", "\"-c\", \"app\"")], 0),
    edit("service", "a user for the image", &[Plan("expose", "user \"7\"\n  expose")], 0),
    edit("service", "a stage is renamed", &[Plan("stage %compile", "stage %wheels"), Plan("from %compile", "from %wheels")], 0),
    edit("service", "stages change places", &[
        Plan("stage %packages from image @base {\n", "stage %nothing from image @base {\n  run \"false\"\n}\n\nstage %packages from image @base {\n"),
    ], 0),
    edit("service", "an image is renamed", &[Plan("image @base = ", "image @os = "), Plan("%packages from image @base", "%packages from image @os"), Plan("%compile from image @base", "%compile from image @os")], 0),
    edit("service", "a variable that no program sees", &[Plan("token at /run/token\n  }\n", "token at /run/token\n  }\n  env LATE = \"1\"\n")], 0),
    edit("service", "a secret that is no longer optional", &[Plan("secret token optional", "secret token")], 1),
    edit("service", "another value of a secret", &[Token("hunter3")], 0),
    edit("service", "a secret elsewhere", &[Plan("token at /run/token", "token at /run/key")], 1),
    edit("service", "a cache elsewhere", &[Plan("at /root/.cache/pip", "at /root/.cache/pip2")], 5),
    edit("service", "another variable before the first program", &[Plan("LANGUAGE = \"en\"", "LANGUAGE = \"de\"")], 5),
    edit("service", "another variable between programs", &[Plan("MODE = \"fast\"", "MODE = \"slow\"")], 4),
    edit("service", "a variable less", &[Plan("  env MODE = \"fast\"\n", "")], 4),
    edit("service", "another program", &[Plan("cat /tmp/requirements.txt >/installed", "cat /tmp/requirements.txt /tmp/requirements.txt >/installed")], 5),
    edit("service", "another last program", &[Plan("cat main.py >", "cat main.py main.py >")], 1),
    edit("service", "another user", &[Plan("1000:1000", "1001:1001")], 1),
    edit("service", "another directory", &[Plan("workdir \"/srv/app\"", "workdir \"/srv/weights\""), Plan("cat main.py", "ls")], 2),
    edit("service", "another program beside", &[Plan("cat /mnt/lib.c >/wheels/lib;", "cat /mnt/lib.c /mnt/lib.c >/wheels/lib;")], 5),
    edit("service", "a shell", &[Plan("  copy \"/wheels\"", "  shell [\"/bin/bash\", \"-c\"]\n  copy \"/wheels\"")], 3),
    edit("service", "a copy elsewhere", &[Plan("to \"/srv/weights\"", "to \"/srv/w\"")], 3),
    edit("service", "a copy is somebody else's", &[Plan("from @weights to \"/srv/weights\"", "from @weights to \"/srv/weights\" owner 5:5")], 3),
    edit("service", "a program is taken away", &[Plan("  run \"cat /wheels/* >/listed\"\n", "")], 2),
    edit("service", "a program is added at the end", &[Plan("\n}\n\nexport", "\n  run \"id >/tmp/id\"\n}\n\nexport")], 1),
    edit("service", "a program is added at the beginning", &[Plan("stage %packages from image @base {\n", "stage %packages from image @base {\n  run \"echo first NONCE >/first\"\n")], 7),
    edit("service", "copies change places", &[Plan("  copy contents \".\" from @weights to \"/srv/weights\"\n  copy contents \"app\" from @src to \"/srv/app\"\n", "  copy contents \"app\" from @src to \"/srv/app\"\n  copy contents \".\" from @weights to \"/srv/weights\"\n")], 2),
    edit("parts", "a small file that is read", &[Plan("one NONCE\\n", "uno NONCE\\n")], 10).but_same(&["/etc/app"]),
    edit("parts", "a small file that nothing reads", &[Plan("two NONCE\\n", "due NONCE\\n")], 0),
    edit("parts", "one of several stages side by side", &[Plan("cat /opt/two >/two", "cat /opt/two /opt/two >/two")], 7).but_same(&["copy \"/one\"", "copy \"/opt\"", "copy \"/etc/app\""]),
    edit("parts", "stages side by side change places", &[Plan("stage %three in tools {\n  copy \"deep\" from @src to \"/opt/deep\"\n}\n\n", ""), Plan("stage %one in tools", "stage %three in tools {\n  copy \"deep\" from @src to \"/opt/deep\"\n}\n\nstage %one in tools")], 4).but_same(&["copy \"/one\"", "copy \"/both\"", "copy \"/opt\"", "copy \"/etc/app\""]),
    edit("parts", "a phase is renamed", &[Plan("phase base\nphase tools parallel after base", "phase ground\nphase tools parallel after ground"), Plan("in base from", "in ground from")], 0),
    edit("parts", "a file of a layer", &[Plan("threads = 2", "threads = 3")], 5).but_same(&["copy \"/both\"", "copy \"/opt\""]),
    edit("parts", "the mode of a directory of a layer", &[Plan("mode 0750", "mode 0700")], 5).but_same(&["copy \"/both\"", "copy \"/opt\""]),
    edit("parts", "a layer is renamed", &[Plan("layer settings", "layer config")], 0),
    edit("parts", "a layer is taken apart", &[Plan("  layer settings {\n", ""), Plan(" = \"2 NONCE\"\n  }", " = \"2 NONCE\"")], 3).but_same(&["copy \"/both\"", "copy \"/opt\"", "copy \"/etc/app\""]),
    edit("parts", "what all stand on", &[Plan("echo NONCE >/made", "echo again NONCE >/made")], 8).but_same(&["copy \"/one\"", "copy \"/both\"", "copy \"/opt\"", "copy \"/etc/app\""]),
    edit("parts", "a stage more side by side", &[Plan("stage %app in app", "stage %four in tools {\n  run \"echo 4 NONCE >/four\"\n}\n\nstage %app in app")], 5).but_same(&["copy \"/one\"", "copy \"/both\"", "copy \"/opt\"", "copy \"/etc/app\""]),
    edit("files", "the text of a file", &[Plan("1 NONCE", "one NONCE")], 8),
    edit("files", "the mode of a file", &[Plan("mode 0600", "mode 0640")], 7),
    edit("files", "a file that is removed again", &[Plan("file \"/etc/name\" = \"NONCE\"", "file \"/etc/name\" = \"name NONCE\"")], 6),
    edit("files", "the owner of a copy", &[Plan("owner 5:6", "owner 5:7")], 5),
    edit("files", "the same owner in other words", &[Plan("owner 5:6", "owner 005:06")], 0),
    edit("files", "the mode of a copy", &[Plan("mode 0755\n  copy \"bin/link\"", "mode 0700\n  copy \"bin/link\"")], 5),
    edit("files", "another last file", &[Plan("\"/etc/one\" = \"1\"", "\"/etc/one\" = \"one\"")], 2),
    edit("files", "another name for a copy", &[Plan("to \"/opt/linked\"", "to \"/opt/link\"")], 5),
    edit("files", "a detour in a path", &[Plan("copy \"tree\" from", "copy \"./tree/\" from")], 0),
    edit("files", "a copy out of a layer", &[Plan("    copy \"/parts/one\" from %parts to \"/srv/one\"\n  }", "  }\n  copy \"/parts/one\" from %parts to \"/srv/one\"")], 6),
    edit("programs", "a program that two stages run", &[Plan("stage %one from image @base {\n  run \"echo NONCE >/out;", "stage %one from image @base {\n  run \"echo one NONCE >/out;")], 7),
    edit("programs", "a variable of what a program stands on and mounts", &[Plan("stage %one from image @base {\n  run \"echo NONCE >/out; echo more >/more\"\n", "stage %one from image @base {\n  run \"echo NONCE >/out; echo more >/more\" {\n    env X = \"1\"\n  }\n")], 1).but_same(&["cat /own/out", "copy \"/owned\"", "cat /a/out"]),
    edit("programs", "a program that mounts what it stands on", &[Plan("echo NONCE >/side", "echo side NONCE >/side")], 1).but_same(&["copy \"/owned\""]),
    edit("programs", "an argument", &[Plan("\"/copied\"]", "\"/copy\"]")], 9),
    edit("programs", "another shell", &[Plan("\"-e\", \"-c\"", "\"-eu\", \"-c\"")], 6).but_same(&["cat /a/out", "from %tools to"]),
    edit("programs", "another user of a program", &[Plan("user \"0:0\"", "user \"7:7\""), Plan("echo end >/end", "echo end >/tmp/end")], 1),
    edit("programs", "no network for a program", &[Plan("    user \"0:0\"\n", "    user \"0:0\"\n    network none\n")], 1),
    edit("programs", "a variable of one program", &[Plan("env B = \"3\"", "env B = \"4\"")], 5),
    edit("programs", "variables in another order", &[Plan("  env A = \"1\"\n  env B = \"2\"\n", "  env B = \"2\"\n  env A = \"1\"\n")], 2).but_same(&["cat /a/out", "from %tools to"]),
    edit("programs", "a variable that is set twice", &[Plan("  env A = \"1\"\n", "  env A = \"0\"\n  env A = \"1\"\n")], 0),
    edit("programs", "a larger tmpfs", &[Plan("size 1m", "size 2m")], 4),
    edit("programs", "another name of a cache", &[Plan("cache work\n\n", "cache works\n\n"), Plan("mount cache work at", "mount cache works at")], 0),
    edit("programs", "how a cache with the name of its place is shared", &[Plan("sharing locked", "sharing shared")], 3),
    edit("programs", "a mount that may be written to", &[Plan("mount %one at /a", "mount %one at /a writable")], 4),
    edit("programs", "a mount of a part", &[Plan("mount %one at /a", "mount %one at /a/out select \"out\"")], 4),
    edit("service", "a source file", &[File("src/app/main.py", "print('other NONCE')\n")], 3),
    edit("service", "a source file, twice as long", &[File("src/app/data/names", "a\nb\na\nb\nNONCE\n")], 3),
    edit("service", "the time of a source file", &[Touched("src/app/main.py")], 0),
    edit("service", "the mode of a source file", &[Mode("src/app/run.sh", 0o755)], 3),
    edit("service", "a new source file", &[File("src/app/views.py", "views = 'NONCE'\n")], 3),
    edit("service", "a source file less", &[Gone("src/app/data/names")], 3),
    edit("service", "a source file is renamed", &[Gone("src/app/run.sh"), File("src/app/start.sh", "exec NONCE\n")], 3),
    edit("service", "a file that the context leaves out", &[File("src/app/README.md", "Read again NONCE.\n")], 0),
    edit("service", "a file that no op takes", &[File("src/tests/test_main.py", "assert not NONCE\n")], 0),
    edit("service", "a new file that no op takes", &[File("src/setup.cfg", "[NONCE]\n")], 0),
    edit("service", "what is installed", &[File("src/requirements.txt", "numpy torch NONCE\n")], 6),
    edit("service", "a file that is mounted", &[File("src/lib/lib.c", "int other; NONCE\n")], 5),
    edit("service", "a new file beside one that is mounted", &[File("src/lib/more.c", "int more; NONCE\n")], 1).but_same(&["copy \"/wheels\""]),
    edit("service", "a large file", &[File("weights/layer-2.bin", "two NONCE\n")], 3),
    edit("service", "a file and a line of the plan", &[File("src/app/main.py", "print('new NONCE')\n"), Plan("version = \"1\"", "version = \"2\"")], 3),
    edit("parts", "a file of one stage", &[File("src/two", "due NONCE\n")], 9).but_same(&["copy \"/one\"", "copy \"/etc/app\""]),
    edit("parts", "a file that the context does not include", &[File("src/three", "tre NONCE\n")], 0),
    edit("parts", "a file deep down", &[File("src/deep/a/b", "bi NONCE\n")], 7).but_same(&["copy \"/one\"", "copy \"/both\"", "copy \"/etc/app\""]),
    edit("parts", "a file less deep down", &[Gone("src/deep/c")], 7).but_same(&["copy \"/one\"", "copy \"/both\"", "copy \"/etc/app\""]),
    edit("files", "a file of a pattern", &[File("src/a.conf", "alpha NONCE\n")], 7),
    edit("files", "one more file of a pattern", &[File("src/c.conf", "c NONCE\n")], 7),
    edit("files", "a file that a copy leaves out", &[File("src/tree/sub/z.tmp", "zeta NONCE\n")], 0),
    edit("files", "what a link leads to", &[File("src/bin/real", "really NONCE\n")], 5),
    edit("files", "where a link leads", &[Link("src/bin/link", "start")], 5),
    edit("files", "a mode that the copy sets", &[Mode("src/bin/start", 0o600)], 0),
    edit("files", "what need not be there", &[File("src/none", "some NONCE\n")], 5),
    edit("files", "a file beside all that is taken", &[File("src/notes", "noted NONCE\n")], 0),
];
