//! One meaning: every case and every project gives the same image, its root filesystem and its config, however it
//! is built, before it is rewritten by passes and after.
//!
//! Three tests say so together. [`ejects`](crate::daemon::ejects) builds each plan's Dockerfile with every tool in
//! its dialect, as it is written and, where that makes another Dockerfile, rewritten as far as `-O2` goes, and
//! compares both with what its LLB gives as it is written. [`direct`](crate::daemon::direct) compares what is made
//! without a daemon, as it is written. Here the two builds that are left are compared with that: LLB and without a
//! daemon, of each plan that passes rewrite.
//!
//! A fault was put into each backend once, and taken out again:
//!
//! | backend | fault | what turned red |
//! |---|---|---|
//! | without a daemon | what is removed leaves no whiteout | `direct` (`backends/file-ops`: `+ opt/kept/gone file 0644 0:0`), and this test (`backends/hostile`) |
//! | Dockerfile | no `LABEL` is written | `ejects`, with BuildKit, the classic builder and buildah (`backends/config`: `"lost":"old"` for `"lost":"new"`) |
//! | LLB | directories are made 0755 whatever the plan says | `direct` (`awkward`, `backends/hostile`), and this test |

use std::collections::BTreeMap;
use std::fmt::Write as _;

use cogpack_tests::engines;
use cogpack_tests::image::{Image, differences};
use cogpack_tests::runtimes;
use cogpack_tests::terminal::cogpackc;
use cogpack_tests::tools::Tool;

use crate::daemon::direct;
use crate::daemon::ejects::{Unbuilt, World, codes, mount_points, named, plans, without_mount_points};

#[test]
fn what_passes_make_of_plans_gives_the_same_images() {
    let (Some(newer), Some(world)) = (engines::newer(), World::new()) else { return };
    let reader = Tool::newer_buildkit().expect("the newer engine is there");
    let runtime = runtimes::any();
    let store = tempfile::tempdir().expect("a temporary folder can be made");
    let mut wrong = String::new();
    let mut complain = |name: &str, what: &str| {
        // A String takes whatever is written to it.
        let _ = writeln!(wrong, "{name}: {what}");
    };
    // By plan: what it is as it is written, and rewritten by the engine and here.
    let mut built: BTreeMap<String, (String, String, Option<Image>)> = BTreeMap::new();
    for (name, plan) in plans() {
        let folder = world.copy(&name, &plan);
        let listing = |level| cogpackc(&folder, &["opt", "built.cpk", level]);
        let rewritten = listing("-O2");
        assert_eq!(rewritten.code, 0, "{name}: {}", rewritten.stderr);
        if rewritten.text() == listing("-O0").text() {
            continue;
        }
        let tag = format!("{}-{}", name.replace('/', "-"), std::process::id());
        let references =
            ["-O0", "-O2"].map(|level| format!("cogpack-equivalence/llb{level}:{tag}").to_lowercase());
        let builds = ["-O0", "-O2"].into_iter().zip(&references);
        let mut is_built = true;
        for (level, reference) in builds {
            match world.build_at(level, &newer, &folder, reference) {
                Ok(()) => {}
                Err(Unbuilt::Failed(said)) => complain(&name, &format!("{level} cannot be built: {said}")),
                // A daemon that cannot do it cannot do it in either form.
                Err(Unbuilt::Refused(_)) => is_built = false,
            }
        }
        if !is_built {
            continue;
        }
        let [written, rewritten] = references;
        let here = runtime.as_ref().and_then(|_| {
            match direct::build(&world, "-O2", &folder, store.path(), &rewritten) {
                Ok(image) => Some(image),
                Err(answer) if answer.code == 1 && !codes(&answer.stderr).is_empty() => None,
                Err(answer) => {
                    complain(&name, &format!("rewritten it cannot be built here: {}", answer.stderr));
                    None
                }
            }
        });
        built.insert(name, (written, rewritten, here));
    }
    let references: Vec<String> =
        built.values().flat_map(|(written, rewritten, _)| [written.clone(), rewritten.clone()]).collect();
    let images = reader.images(&references);
    reader.remove(&references);
    let (mut compared, mut compared_here) = (0, 0);
    for (name, (written, rewritten, here)) in &built {
        let wanted = named(&images, written);
        let differ = differences(wanted, named(&images, rewritten));
        compared += 1;
        if !differ.is_empty() {
            complain(name, &format!("rewritten it is another image by LLB:\n{differ}"));
        }
        if let Some(here) = here {
            let points = mount_points(&world.folder_of(name).join("built.cpk"));
            let differ = differences(&without_mount_points(wanted, here, &points), here);
            compared_here += 1;
            if !differ.is_empty() {
                complain(name, &format!("rewritten it is another image without a daemon:\n{differ}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(compared >= 5, "only {compared} plans are rewritten and built");
    assert!(runtime.is_none() || compared_here >= 5, "only {compared_here} of these were built here");
}
