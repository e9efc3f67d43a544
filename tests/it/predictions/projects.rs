//! The projects that are edited: plans as people write them, with cheap programs.
//!
//! `BASE` stands for an image of the rig, `NONCE` for what no other run of the tests says, so that
//! nothing of a project is in a cache before it is built. Programs leave what they were given, so
//! that another program leaves other files, unless an edit says that it does not.

/// A plan and the files beside it.
pub struct Project {
    pub name: &'static str,
    pub source: Source,
}

/// Where a project comes from.
pub enum Source {
    /// It is made for these tests.
    Made {
        plan: &'static str,
        /// Paths with what is there; `-> X` is a link to X.
        files: &'static [(&'static str, &'static str)],
    },
    /// It is one of the tree, with all its files.
    Tree {
        folder: &'static str,
        plan: &'static str,
        /// What its plan says, and what stands there instead so that the rig's engines can build it.
        instead: &'static [(&'static str, &'static str)],
    },
}

pub const MADE: &[Project] = &[
    Project {
        name: "service",
        source: Source::Made {
            plan: r#"cpk 1

image @base = "BASE"
  config empty

context @src = dir "src" {
  exclude "**/*.md"
}
context @weights = dir "weights"

cache pip
secret token optional

stage %packages from image @base {
  env LANGUAGE = "en"
  copy "requirements.txt" from @src to "/tmp/requirements.txt"
  run "cat /tmp/requirements.txt >/installed; echo NONCE" {
    mount cache pip at /root/.cache/pip
  }
  env MODE = "fast"
  run "echo $MODE >/mode"
}

stage %compile from image @base {
  run "mkdir /wheels; cat /mnt/lib.c >/wheels/lib; echo NONCE >/wheels/flags; echo 1 >/notes" {
    mount @src at /mnt select "lib"
  }
}

stage %app from %packages {
  copy "/wheels" from %compile to "/wheels"
  run "cat /wheels/* >/listed"
  copy contents "." from @weights to "/srv/weights"
  copy contents "app" from @src to "/srv/app"
  workdir "/srv/app"
  user "1000:1000"
  run "cat main.py >/tmp/compiled" {
    mount secret token at /run/token
  }
}

export from %app {
  cmd ["python", "-m", "app"]
  expose 5000/tcp
  label org.example.version = "1"
}
"#,
            files: &[
                ("src/requirements.txt", "numpy NONCE\n"),
                ("src/lib/lib.c", "int lib; NONCE\n"),
                ("src/app/main.py", "print('NONCE')\n"),
                ("src/app/data/names", "a\nb\nNONCE\n"),
                ("src/app/run.sh", "exec NONCE\n"),
                ("src/app/README.md", "Read NONCE.\n"),
                ("src/tests/test_main.py", "assert NONCE\n"),
                ("weights/layer-1.bin", "1 NONCE\n"),
                ("weights/layer-2.bin", "2 NONCE\n"),
            ],
        },
    },
    Project {
        name: "parts",
        source: Source::Made {
            plan: r#"cpk 1

image @base = "BASE"
  config empty

context @src = dir "src" {
  include "one" "two" "deep/**"
}
context @settings = files {
  file "etc/one.conf" = "one NONCE\n"
  file "etc/two.conf" = "two NONCE\n"
}

phase base
phase tools parallel after base
phase app after tools

stage %base in base from image @base {
  run "echo NONCE >/made"
}

stage %one in tools {
  copy "etc/one.conf" from @settings to "/etc/one.conf"
  run "cat /etc/one.conf >/one"
}

stage %two in tools {
  copy "two" from @src to "/opt/two"
  run "cat /opt/two >/two"
}

stage %three in tools {
  copy "deep" from @src to "/opt/deep"
}

stage %app in app {
  run "cat /one /two >/both"
  layer settings {
    mkdir "/etc/app" mode 0750
    file "/etc/app/conf" owner 7 = "threads = 2 NONCE\n"
    file "/etc/app.conf" = "2 NONCE"
  }
  copy "/one" from phase tools to "/opt/one"
}

stage %image from scratch {
  copy "/both" from phase app to "/srv/both"
  copy "/opt" from phase app to "/srv/opt"
  copy "/etc/app" from %app to "/srv/app"
  file "/srv/name" = "NONCE"
}

export from %image
"#,
            files: &[
                ("src/one", "one NONCE\n"),
                ("src/two", "two NONCE\n"),
                ("src/three", "three NONCE\n"),
                ("src/deep/a/b", "b NONCE\n"),
                ("src/deep/c", "c NONCE\n"),
            ],
        },
    },
    Project {
        name: "files",
        source: Source::Made {
            plan: r#"cpk 1

context @src = dir "src"

stage %parts from scratch {
  mkdir "/parts" mode 0755
  file "/parts/one" = "1 NONCE"
  file "/parts/two" mode 0600 = "2 NONCE"
  copy "*.conf" from @src into "/parts/conf"
}

stage %image from scratch {
  file "/etc/name" = "NONCE"
  mkdir "/work" mode 0700
  copy "tree" from @src to "/srv/tree" owner 5:6 {
    exclude "**/*.tmp"
  }
  copy "bin/start" from @src to "/usr/bin/start" mode 0755
  copy "bin/link" from @src to "/opt/linked" follow
  copy "none" from @src to "/opt/none" optional
  layer merged {
    copy "/parts" from %parts to "/srv/parts"
    copy "/parts/one" from %parts to "/srv/one"
  }
  copy "/parts/two" from %parts to "/etc/two" replace
  remove "/etc/name"
  file "/etc/one" = "1"
  workdir "/srv"
}

export from %image
"#,
            files: &[
                ("src/a.conf", "a NONCE\n"),
                ("src/b.conf", "b NONCE\n"),
                ("src/tree/x", "x NONCE\n"),
                ("src/tree/sub/y", "y NONCE\n"),
                ("src/tree/sub/z.tmp", "z NONCE\n"),
                ("src/bin/start", "start NONCE\n"),
                ("src/bin/real", "real NONCE\n"),
                ("src/bin/link", "-> real"),
                ("src/notes", "notes NONCE\n"),
            ],
        },
    },
    Project {
        name: "programs",
        source: Source::Made {
            plan: r#"cpk 1

image @base = "BASE"
  config empty

cache work

stage %one from image @base {
  run "echo NONCE >/out; echo more >/more"
}

stage %same from image @base {
  run "echo NONCE >/out; echo more >/more"
}

stage %tools from image @base {
  shell ["/bin/sh", "-e", "-c"]
  run "echo tools NONCE >/tools"
  exec ["/bin/cp", "/tools", "/copied"]
  user "daemon"
  workdir "/work"
  exec ["/usr/bin/id"]
  user "0"
  env A = "1"
  env B = "2"
  run "echo $A$B >/work/ab"
  unset A
  run "echo $B >/work/b" {
    env B = "3"
    network none
  }
}

stage %own from %one {
  run "cat /own/out >/owned; echo NONCE >/side" {
    mount %one at /own
  }
}

stage %image from image @base {
  copy "/owned" from %own to "/owned"
  run "cat /a/out /b/tools >/both" {
    mount %one at /a
    mount %tools at /b
    mount tmpfs at /scratch size 1m
  }
  run "cat /c >/more" {
    mount %same at /c select "more"
    mount cache work at /work sharing locked
  }
  copy "/work" from %tools to "/etc/work" owner daemon:daemon
  run "echo end >/end" {
    user "0:0"
    workdir "/tmp"
  }
}

export from %image {
  entrypoint ["/bin/cat"]
}
"#,
            files: &[],
        },
    },
];
