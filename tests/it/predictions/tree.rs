//! Projects of the tree and their edits: plans and files as they stand there.
//!
//! Every file ends in a line that no other run has, so that no engine knows it. The bases are the rig's,
//! which have neither `uv` nor `npm` and no archive of packages: small programs of those names leave
//! what they read, as the real ones leave what it asks for. Programs with a note at their end leave the same
//! whatever else they are told.

use super::edits::Change::{File, Gone, Mode, Plan, Touched};
use super::edits::{Edit, edit};
use super::projects::{Project, Source};

pub const PROJECTS: &[Project] = &[
    Project {
        name: "uv-project",
        source: Source::Tree {
            folder: "tests/projects/uv-project",
            plan: "plan.cpk",
            instead: &[
                (
                    "\"docker.io/library/python:3.11\"\n  digest sha256:3f8a3c1f9d1c5d5a6b0a1f7f7d2c7b9b6a4f6f5c1f0e9d8c7b6a594837261504\n",
                    "\"BASE\"\n",
                ),
                (
                    "\"docker.io/library/python:3.11-slim\"\n  digest sha256:4f8a3c1f9d1c5d5a6b0a1f7f7d2c7b9b6a4f6f5c1f0e9d8c7b6a594837261504\n",
                    "\"PYTHON\"\n",
                ),
                (
                    "stage %build-base in build.base from image @build\n",
                    r#"stage %build-base in build.base from image @build {
  file "/usr/local/bin/uv" mode 0755 = """
    #!/bin/sh
    # NONCE
    case $1 in
    venv) mkdir "$2" && echo "$@" >"$2/made" ;;
    sync) cat /mnt/project/uv.lock /mnt/project/pyproject.toml >/venv/packages ;;
    esac
    """
}
"#,
                ),
            ],
        },
    },
    Project {
        name: "node-project",
        source: Source::Tree {
            folder: "tests/projects/node-project",
            plan: "plan.cpk",
            instead: &[
                ("platform linux/arm64\n", ""),
                (
                    "\"docker.io/library/node:22-slim\"\n  digest sha256:5f8a3c1f9d1c5d5a6b0a1f7f7d2c7b9b6a4f6f5c1f0e9d8c7b6a594837261504\n",
                    "\"BASE\"\n",
                ),
                (
                    "from image @node {\n",
                    r#"from image @node {
  file "/usr/local/bin/npm" mode 0755 = """
    #!/bin/sh
    # NONCE
    mkdir node_modules && cp package-lock.json node_modules
    """
"#,
                ),
            ],
        },
    },
    Project {
        name: "apt-project",
        source: Source::Tree {
            folder: "tests/projects/apt-project",
            plan: "plan.cpk",
            instead: &[
                (
                    "\"docker.io/library/debian:bookworm-slim\"\n  digest sha256:6f8a3c1f9d1c5d5a6b0a1f7f7d2c7b9b6a4f6f5c1f0e9d8c7b6a594837261504\n",
                    "\"BASE\"\n",
                ),
                (
                    "stage %base in export.base from image @debian\n",
                    r#"stage %base in export.base from image @debian {
  file "/usr/local/bin/apt-get" mode 0755 = """
    #!/bin/sh
    # NONCE
    echo "$@" >>/var/lib/dpkg/installed
    """
}
"#,
                ),
            ],
        },
    },
    Project {
        name: "shared-weights",
        source: Source::Tree { folder: "tests/projects/shared-weights", plan: "plan.cpk", instead: &[] },
    },
    Project {
        name: "language-detector",
        source: Source::Tree {
            folder: "examples/language-detector",
            plan: "plan.cpk",
            instead: &[("\"docker.io/library/python:3.11-slim\"", "\"PYTHON\"")],
        },
    },
    Project {
        name: "language-detector alone",
        source: Source::Tree { folder: "examples/language-detector", plan: "app.cpk", instead: &[] },
    },
];

/// What a project is called in [`EDITS`].
const UV: &str = "uv-project";
const NODE: &str = "node-project";
const APT: &str = "apt-project";
const WEIGHTS: &str = "shared-weights";
const DETECTOR: &str = "language-detector";
const ALONE: &str = "language-detector alone";

/// What takes what `uv` leaves, and what takes what `npm` does.
const VENV: &[&str] = &["copy \"/venv\""];
const MODULES: &[&str] = &["copy \"/app/node_modules\""];

pub const EDITS: &[Edit] = &[
    edit(UV, "a comment", &[Plan("cpk 1\n", "cpk 1\n# said NONCE\n")], 0),
    edit(UV, "another label", &[Plan("\"uv project\"", "\"project of uv\"")], 0),
    edit(UV, "another port", &[Plan("5000/tcp", "8000/tcp")], 0),
    edit(
        UV,
        "another variable of the image",
        &[Plan("VIRTUAL_ENV = \"/venv\"", "VIRTUAL_ENV = \"/env\"")],
        0,
    ),
    edit(
        UV,
        "a line of a file that asked for an op",
        &[Plan("\"pyproject.toml\":4", "\"pyproject.toml\":5")],
        0,
    ),
    edit(UV, "a stage is renamed", &[Plan("stage %uv-sync", "stage %uv-packages")], 0),
    edit(UV, "a layer is renamed", &[Plan("layer deps", "layer packages")], 0),
    edit(UV, "how uv links", &[Plan("UV_LINK_MODE = \"copy\"", "UV_LINK_MODE = \"hardlink\"")], 2)
        .but_same(VENV),
    edit(UV, "another Python", &[Plan("--python 3.11\"", "--python 3.12\"")], 4),
    edit(UV, "one argument more", &[Plan("--no-install-project", "--no-install-project --no-dev")], 1)
        .but_same(VENV),
    edit(UV, "a secret elsewhere", &[Plan("at /root/.netrc", "at /root/netrc")], 1).but_same(VENV),
    edit(UV, "how a cache is shared", &[Plan("sharing locked", "sharing shared")], 0),
    edit(
        UV,
        "a mount that may be written to",
        &[Plan("@source at /mnt/project", "@source at /mnt/project writable")],
        1,
    )
    .but_same(VENV),
    edit(UV, "another base for what runs", &[Plan("\"PYTHON\"", "\"BASE\"")], 2),
    edit(
        UV,
        "another place for the environment",
        &[Plan("to \"/venv\" replace", "to \"/opt/venv\" replace")],
        2,
    ),
    edit(UV, "another directory", &[Plan("workdir \"/src\"", "workdir \"/srv\"")], 1),
    edit(
        UV,
        "a program after the packages",
        &[Plan(
            "at /mnt/project\n    }\n  }\n",
            "at /mnt/project\n    }\n  }\n  run \"echo done >/venv/done\"\n",
        )],
        3,
    ),
    edit(
        UV,
        "a rule for files that are not there",
        &[Plan("exclude \"plan.cpk\"", "exclude \"plan.cpk\" \"*.orig\"")],
        0,
    )
    .but_same(&["uv sync", "copy contents \"src\"", "copy \"/venv\""]),
    edit(UV, "a source file", &[File("src/app/__main__.py", "print('NONCE')\n")], 3).but_same(VENV),
    edit(UV, "the mode of a source file", &[Mode("src/app/__init__.py", 0o755)], 3).but_same(VENV),
    edit(UV, "the time of a source file", &[Touched("src/app/__main__.py")], 0),
    edit(UV, "a source file less", &[Gone("src/app/__init__.py")], 3).but_same(VENV),
    edit(UV, "the lock", &[File("uv.lock", "version = 1\n# NONCE\n")], 3),
    edit(UV, "the project's own file", &[File("pyproject.toml", "[project]\n# NONCE\n")], 3),
    edit(UV, "a new file that only a mount reaches", &[File("README.md", "Read NONCE.\n")], 1).but_same(VENV),
    edit(UV, "a file that the context leaves out", &[File("src/app/__pycache__/main.pyc", "NONCE\n")], 0),
    edit(NODE, "a comment", &[Plan("cpk 1\n", "cpk 1\n# said NONCE\n")], 0),
    edit(
        NODE,
        "another variable of the image",
        &[Plan("NODE_ENV = \"production\"", "NODE_ENV = \"test\"")],
        0,
    ),
    edit(NODE, "another user of the image", &[Plan("user \"node\"", "user \"1000\"")], 0),
    edit(NODE, "another command", &[Plan("\"lib/index.js\"", "\"lib/other.js\"")], 0),
    edit(NODE, "one argument less", &[Plan("npm ci --omit=dev", "npm ci")], 1).but_same(MODULES),
    edit(NODE, "another variable of the base", &[Plan("\"22.11.0\"", "\"22.12.0\"")], 1).but_same(MODULES),
    edit(NODE, "a cache elsewhere", &[Plan("at /root/.npm", "at /root/npm")], 1).but_same(MODULES),
    edit(NODE, "the owner of the lock", &[Plan("into \"/app\"\n", "into \"/app\" owner 5:6\n")], 2)
        .but_same(MODULES),
    edit(
        NODE,
        "copies change places",
        &[Plan(
            "  copy \"/app/node_modules\" from %deps to \"/app/node_modules\"\n  copy \"lib\" from @source to \"/app/lib\"\n",
            "  copy \"lib\" from @source to \"/app/lib\"\n  copy \"/app/node_modules\" from %deps to \"/app/node_modules\"\n",
        )],
        1,
    ),
    edit(NODE, "a copy elsewhere", &[Plan("to \"/app/lib\"", "to \"/app/src\"")], 2),
    edit(NODE, "a source file", &[File("lib/index.js", "// NONCE\n")], 2),
    edit(NODE, "a new source file", &[File("lib/more.js", "// NONCE\n")], 2),
    edit(NODE, "the mode of a source file", &[Mode("lib/index.js", 0o755)], 2),
    edit(NODE, "the time of the lock", &[Touched("package-lock.json")], 0),
    edit(NODE, "the package's own file", &[File("package.json", "{\"name\": \"NONCE\"}\n")], 2)
        .but_same(MODULES),
    edit(NODE, "the lock", &[File("package-lock.json", "{\"name\": \"NONCE\"}\n")], 4),
    edit(NODE, "a file that the context does not include", &[File("test.js", "// NONCE\n")], 0),
    edit(APT, "a comment", &[Plan("cpk 1\n", "cpk 1\n# said NONCE\n")], 0),
    edit(APT, "a layer is renamed", &[Plan("layer packages", "layer jq")], 0),
    edit(APT, "another user of the image", &[Plan("65534:65534", "65533:65533")], 0),
    edit(APT, "no volume", &[Plan("  volume \"/work\"\n", "")], 0),
    edit(APT, "one package more", &[Plan("recommends jq", "recommends jq bc")], 3),
    edit(APT, "another variable of a program", &[Plan("\"noninteractive\"", "\"readline\"")], 3),
    edit(
        APT,
        "how a cache is shared",
        &[Plan("/var/cache/apt sharing locked", "/var/cache/apt sharing private")],
        0,
    ),
    edit(APT, "the mode of a directory", &[Plan("mode 1777", "mode 0777")], 2),
    edit(APT, "another directory", &[Plan("workdir \"/work\"", "workdir \"/tmp\"")], 1),
    edit(APT, "the mode of a copy", &[Plan("sorted\" mode 0755", "sorted\" mode 0555")], 3),
    edit(APT, "a copy elsewhere", &[Plan("to \"/usr/local/bin/sorted\"", "to \"/usr/bin/sorted\"")], 3),
    edit(
        APT,
        "a program at the end",
        &[Plan("  user \"65534:65534\"\n", "  user \"65534:65534\"\n  run \"echo NONCE >/work/made\"\n")],
        1,
    ),
    edit(APT, "the script", &[File("sorted.sh", "#!/bin/sh\n# NONCE\n")], 3),
    edit(APT, "a mode that the copy sets", &[Mode("sorted.sh", 0o700)], 0),
    edit(APT, "a file that the context does not include", &[File("README.md", "NONCE\n")], 0),
    edit(WEIGHTS, "a comment", &[Plan("cpk 1\n", "cpk 1\n# said NONCE\n")], 0),
    edit(WEIGHTS, "another annotation", &[Plan("example.org/shared-weights", "example.org/weights")], 0),
    edit(
        WEIGHTS,
        "a variable of the image",
        &[Plan("env PATH = ", "env WHERE = \"here\"\n  env PATH = ")],
        0,
    ),
    edit(WEIGHTS, "a small file", &[Plan("threads = 2", "threads = 3")], 3),
    edit(
        WEIGHTS,
        "where a link leads",
        &[Plan("symlink \"weights/latest.bin\"", "symlink \"weights/newest.bin\"")],
        2,
    ),
    edit(WEIGHTS, "where a link is", &[Plan("at /src/model.bin", "at /src/weights.bin")], 2),
    edit(WEIGHTS, "another directory", &[Plan("workdir \"/src\"", "workdir \"/etc\"")], 1),
    edit(
        WEIGHTS,
        "a stage more side by side",
        &[Plan(
            "stage %model in whole",
            "stage %more in parts from scratch {\n  file \"/etc/more\" = \"NONCE\"\n}\n\nstage %model in whole",
        )],
        3,
    ),
    edit(
        WEIGHTS,
        "a file before a copy",
        &[Plan(
            "in parts from scratch {\n  copy \"weights\"",
            "in parts from scratch {\n  mkdir \"/NONCE\"\n  copy \"weights\"",
        )],
        3,
    ),
    edit(WEIGHTS, "the program", &[File("model.py", "# NONCE\n")], 4),
    edit(WEIGHTS, "the weights", &[File("weights/latest.bin", "NONCE\n")], 3),
    edit(WEIGHTS, "weights more", &[File("weights/first.bin", "NONCE\n")], 3),
    edit(WEIGHTS, "the time of the weights", &[Touched("weights/latest.bin")], 0),
    edit(WEIGHTS, "a file that the context does not include", &[File("train.py", "# NONCE\n")], 0),
    edit(DETECTOR, "a comment", &[Plan("cpk 1\n", "cpk 1\n# said NONCE\n")], 0),
    edit(DETECTOR, "another port", &[Plan("PORT = \"5000\"", "PORT = \"8000\"")], 0),
    edit(DETECTOR, "another command", &[Plan("\"serve.py\"]", "\"predict.py\"]")], 0),
    edit(DETECTOR, "another base", &[Plan("\"PYTHON\"", "\"BASE\"")], 1),
    edit(
        DETECTOR,
        "copies change places",
        &[
            Plan("  copy \"weights\" from @project to \"/src/weights\"\n", ""),
            Plan(
                "into \"/src\"\n  }\n",
                "into \"/src\"\n  }\n  copy \"weights\" from @project to \"/src/weights\"\n",
            ),
        ],
        1,
    ),
    edit(
        DETECTOR,
        "a layer is taken apart",
        &[Plan("  layer code {\n", ""), Plan("into \"/src\"\n  }\n", "into \"/src\"\n")],
        3,
    ),
    edit(DETECTOR, "a copy elsewhere", &[Plan("to \"/src/weights\"", "to \"/src/data\"")], 2),
    edit(DETECTOR, "the program", &[File("predict.py", "# NONCE\n")], 3),
    edit(DETECTOR, "a module", &[File("detector/model.py", "# NONCE\n")], 3),
    edit(DETECTOR, "a new module", &[File("detector/more.py", "# NONCE\n")], 3),
    edit(DETECTOR, "the weights", &[File("weights/trigrams.json", "{\"NONCE\": 1}\n")], 2),
    edit(DETECTOR, "the mode of the weights", &[Mode("weights/trigrams.json", 0o600)], 2),
    edit(DETECTOR, "the time of the weights", &[Touched("weights/trigrams.json")], 0),
    edit(DETECTOR, "what it was trained with", &[File("corpus/en.txt", "NONCE\n")], 0),
    edit(
        DETECTOR,
        "a file that the context leaves out",
        &[File("detector/__pycache__/model.pyc", "NONCE\n")],
        0,
    ),
    edit(ALONE, "a variable of the image", &[Plan("PORT = \"5000\"", "PORT = \"8000\"")], 0),
    edit(
        ALONE,
        "copies change places",
        &[
            Plan("  copy \"weights\" from @project to \"/src/weights\"\n", ""),
            Plan(
                "into \"/src\"\n  }\n",
                "into \"/src\"\n  }\n  copy \"weights\" from @project to \"/src/weights\"\n",
            ),
        ],
        1,
    ),
    edit(ALONE, "another directory", &[Plan("workdir \"/src\"", "workdir \"/src/weights\"")], 1),
    edit(ALONE, "the program", &[File("serve.py", "# NONCE\n")], 3),
    edit(ALONE, "a module less", &[Gone("detector/__init__.py")], 3),
    edit(ALONE, "the weights", &[File("weights/trigrams.json", "{\"NONCE\": 1}\n")], 2),
    edit(ALONE, "the plan of another image", &[File("plan.cpk.orig", "NONCE\n")], 0),
];
