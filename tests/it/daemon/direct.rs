//! Builds without a daemon: what a plan's programs leave, run by an OCI runtime of this machine, is
//! what BuildKit makes of the same plan.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use cogpack_tests::engines;
use cogpack_tests::image::{Image, differences, saved};
use cogpack_tests::runtimes;
use cogpack_tests::terminal::{Answer, cogpackc_in};
use cogpack_tests::tools::Tool;

use crate::equivalence::{LEVELS, List, level_alike, texts};

use super::ejects::{Unbuilt, World, codes, mount_points, named, plans, without_mount_points};

/// What a program can do to a filesystem, and does in no case.
const AWKWARD: &str = r#"cpk 1

image @base = "docker.io/library/debian:bookworm-slim"
  env PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

stage %below from image @base {
  file "/data/kept" = "kept"
  file "/data/gone" = "gone"
  file "/emptied/old" = "old"
  file "/emptied/deep/old" = "old"
  file "/mode" = "mode"
  symlink "kept" at "/data/link"
}

stage %app from %below {
  run """
    set -e
    rm /data/gone
    rm -r /emptied
    mkdir -m 0700 /emptied
    echo new >/emptied/new
    chmod 4711 /mode
    chown 12:34 /data/kept
    rm /data/link
    mkdir /data/link
    echo below >/data/link/below
    mkdir -p /made/sub/below
    echo one >/made/file
    ln /made/file /made/other
    chown -h 5:6 /made/file
    ln -s nowhere /made/link
    mknod -m 0640 /made/null c 1 3
    mknod -m 0600 /made/disk b 7 200
    mkfifo /made/pipe
    truncate -s 1M /made/sparse
    touch "/made/$(printf 'n\\303\\244me')"
    mv /etc/skel /etc/moved
    rm -r /usr/share/base-files
    rm /etc/debian_version
    chmod 0711 /
    groupadd --gid 5001 crew
    useradd --uid 5000 --gid crew --no-create-home app
    """
  file "/owned/by-program" owner app:crew = "owned"
  mkdir /owned/by-base mode 0750 owner www-data:crew
  run "rm -r /made/sub && echo file >/made/sub && rm /emptied/new && rmdir /emptied && ln -s data /emptied"
}

export from %app
"#;

/// Roots that lack what every container mounts on, or have something else there: what a plan makes before a
/// program that does nothing, and what that mounts.
const BARE: [(&str, &str, &str); 6] = [
    ("bare", "", ""),
    ("bare-twice", "exec [\"/program\"]\nfile \"/between\" = \"\"", ""),
    ("bare-removed", "exec [\"/program\"]\nremove \"/dev\"\nfile \"/between\" = \"\"", ""),
    ("partly-bare", "mkdir \"/dev\" mode 0700 owner 5:6\nfile \"/sys/kept\" = \"\"", ""),
    ("bare-with-a-link", "mkdir \"/real\" mode 0711\nsymlink \"real\" at \"/dev\"", ""),
    ("bare-with-mounts", "", "mount tmpfs at /dev/shm\nmount tmpfs at /made/deep"),
];

/// Writes the plans of these, and the program, each into a folder of its own in `folder`.
fn write_bare(folder: &Path, program: &[u8]) -> BTreeMap<String, PathBuf> {
    let mut plans = BTreeMap::new();
    for (name, ops, mounts) in BARE {
        let folder = folder.join(name);
        std::fs::create_dir(&folder).expect("can be made");
        std::fs::write(folder.join("program"), program).expect("can be written");
        let mounts = if mounts.is_empty() { String::new() } else { format!("{{\n{mounts}\n}}") };
        let plan = format!(
            "cpk 1\n\ncontext @s = dir \".\"\n\nstage %app from scratch {{\n  copy \"program\" from @s to \
             \"/program\" mode 0755\n{ops}\n  exec [\"/program\"] {mounts}\n}}\n\nexport from %app\n"
        );
        std::fs::write(folder.join("plan.cpk"), plan).expect("can be written");
        plans.insert(name.to_owned(), folder.join("plan.cpk"));
    }
    plans
}

/// Options by which a plan's images are read from layouts.
pub fn build(world: &World, level: &str, folder: &Path, store: &Path, image: &str) -> Result<Image, Answer> {
    let plan = std::fs::read_to_string(folder.join("built.cpk")).expect("was written");
    let mut arguments: Vec<String> = [
        "build",
        "built.cpk",
        level,
        "--builder",
        "direct",
        "--progress",
        "quiet",
        "--platform",
        "linux/amd64",
        "--output",
        "type=docker,dest=direct.tar",
        "--tag",
        image,
    ]
    .map(str::to_owned)
    .into();
    arguments.extend(["--store".to_owned(), store.display().to_string()]);
    for layout in world.bases.layouts(&plan) {
        arguments.extend(["--layout".to_owned(), layout]);
    }
    for (id, path) in &world.given.secrets {
        arguments.extend(["--secret".to_owned(), format!("id={id},src={}", path.display())]);
    }
    if let Some(agent) = &world.given.agent {
        arguments.extend(["--ssh".to_owned(), format!("default={}", agent.display())]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let answer = cogpackc_in(runtimes::environment(), folder, &arguments);
    if answer.code != 0 {
        return Err(answer);
    }
    let mut images = saved(&folder.join("direct.tar"));
    images.pop_first().map(|(_, image)| image).ok_or(answer)
}

#[test]
fn programs_leave_what_buildkit_makes_of_them() {
    let (Some(runtime), Some(newer), Some(world)) = (runtimes::any(), engines::newer(), World::new()) else {
        return;
    };
    let reader = Tool::newer_buildkit().expect("the newer engine is there");
    let store = tempfile::tempdir().expect("a temporary folder can be made");
    let awkward = tempfile::tempdir().expect("a temporary folder can be made");
    let path = awkward.path().join("plan.cpk");
    std::fs::write(&path, AWKWARD).expect("can be written");
    let mut plans = plans();
    plans.insert("awkward".to_owned(), path);
    let bare = tempfile::tempdir().expect("a temporary folder can be made");
    let Some(program) = runtimes::static_program() else { return };
    plans.extend(write_bare(bare.path(), &program));
    let (mut wrong, mut list) = (String::new(), List::default());
    let mut built: BTreeMap<String, Built> = BTreeMap::new();
    for (name, plan) in plans {
        let folder = world.copy(&name, &plan);
        let tag = format!("{}-{}", name.replace('/', "-"), std::process::id());
        let reference = format!("cogpack-runtime/llb:{tag}");
        let is_wanted = match world.build(&newer, &folder, &reference) {
            Ok(()) => true,
            Err(Unbuilt::Refused(_)) => false,
            Err(Unbuilt::Failed(said)) => {
                // A String takes whatever is written to it.
                let _ = writeln!(wrong, "{name}: it cannot be built by the engine: {said}");
                continue;
            }
        };
        let texts = texts(&folder);
        let mut images = Vec::new();
        for level in LEVELS {
            if let Some(first) = level_alike(&texts, level) {
                list.same(&name, level, first);
                continue;
            }
            match build(&world, level, &folder, store.path(), &reference) {
                Ok(image) if is_wanted => {
                    images.push((level, image));
                    list.compared(&name, level);
                }
                Ok(_) => list.note(&name, level, "built, and there is nothing to compare with".to_owned()),
                Err(answer) => {
                    let codes = codes(&answer.stderr);
                    if answer.code == 1 && !codes.is_empty() && images.is_empty() {
                        list.refused(&name, level, &codes);
                    } else {
                        let _ = writeln!(wrong, "{name}: {level} cannot be built here: {}", answer.stderr);
                    }
                }
            }
        }
        if is_wanted {
            let points = mount_points(&folder.join("built.cpk"));
            built.insert(name, Built { reference, images, points });
        }
    }
    let references: Vec<String> = built.values().map(|built| built.reference.clone()).collect();
    let wanted = reader.images(&references);
    reader.remove(&references);
    for (name, Built { reference, images, points }) in &built {
        for (level, direct) in images {
            // What the daemon leaves of what it mounts on is no part of what the plan means.
            let wanted = without_mount_points(named(&wanted, reference), direct, points);
            let differences = differences(&wanted, direct);
            if !differences.is_empty() {
                let _ =
                    writeln!(wrong, "{name}: {level} differs from what the plan's LLB gives:\n{differences}");
            }
        }
    }
    assert!(wrong.is_empty(), "with {}, of {} that were built:\n{wrong}", runtime.display(), built.len());
    list.check("direct");
}

/// A plan that was built.
struct Built {
    /// What LLB makes of it as it is written.
    reference: String,
    /// By level: what is made here.
    images: Vec<(&'static str, Image)>,
    points: BTreeSet<String>,
}
