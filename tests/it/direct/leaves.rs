//! What programs leave beside what they write, and what of it no image can hold.

use cogpack_tests::image::saved;
use cogpack_tests::runtimes;
use cogpack_tests::terminal::cogpackc_in;

use super::{ARCHIVE, build, folder_with};

#[test]
fn a_root_without_the_kernels_directories_has_them_after_a_program() {
    let runtimes = runtimes::all();
    let Some(program) = runtimes::static_program().filter(|_| !runtimes.is_empty()) else { return };
    for runtime in runtimes {
        // What the plan makes before, and the program's mount; what of it is otherwise in the image.
        for (ops, mount, dev) in [
            ("", "", Some("directory 0755 0:0")),
            ("mkdir \"/dev\" mode 0700 owner 5:6", "", Some("directory 0700 5:6")),
            // What is made for a mount of the plan goes with it.
            ("", "{\nmount tmpfs at /dev/shm\n}", None),
        ] {
            let folder = tempfile::tempdir().expect("a temporary folder can be made");
            let plan = format!(
                "cpk 1\ncontext @s = dir \"s\"\nstage %app from scratch {{\ncopy \"program\" from @s to \
                 \"/program\" mode 0755\n{ops}\nexec [\"/program\"] {mount}\n}}\nexport from %app\n"
            );
            std::fs::write(folder.path().join("plan.cpk"), plan).expect("is writable");
            std::fs::create_dir(folder.path().join("s")).expect("can be made");
            std::fs::write(folder.path().join("s/program"), &program).expect("is writable");
            let runtime = runtime.to_string_lossy();
            let arguments = ["build", ".", "--builder", "direct", "--store", "store", "--runtime", &*runtime];
            let arguments = [&arguments[..], ARCHIVE, &["--progress", "quiet"]].concat();
            let answer = cogpackc_in(runtimes::environment(), folder.path(), &arguments);
            assert_eq!(answer.code, 0, "{runtime}, {ops}{mount}: {}", answer.stderr);
            let (_, mut image) = saved(&folder.path().join("app.tar")).pop_first().expect("one was written");
            assert!(image.files.remove("program").is_some());
            let left: Vec<(&str, &str)> =
                image.files.iter().map(|(path, what)| (path.as_str(), what.as_str())).collect();
            let dev = dev.map(|what| ("dev", what));
            let others = ["proc", "sys"].map(|path| (path, "directory 0755 0:0"));
            assert_eq!(left, dev.into_iter().chain(others).collect::<Vec<_>>(), "{runtime}, {ops}{mount}");
        }
    }
}

#[test]
fn what_no_image_can_hold_is_told_by_the_op_that_has_left_it() {
    for (ops, words) in [
        (
            "  layer things {\n    file \"/a\" = \"\"\n    run \"touch /tmp/.wh.foo\"\n  }",
            &[
                "cpk::oci::layer",
                "`/tmp/.wh.foo` starts with `.wh.`",
                "run \"touch /tmp/.wh.foo\"",
                "this leaves it",
                "have the program give it another name",
            ][..],
        ),
        (
            "  run \"mkdir -p /$(printf 'd/%.0s' $(seq 1001))\"",
            &[
                "%app: `run mkdir -p",
                "d/d…/d/d",
                "has more than 1000 parts",
                "this failed",
                "fewer directories",
            ],
        ),
    ] {
        let folder = folder_with(ops);
        // The second build finds nothing of the first that it would take for a result.
        for _ in 0..2 {
            let Some(answer) = build(folder.path(), &["-o", "type=layout,dest=out"]) else { return };
            assert_eq!(answer.code, 1, "{}", answer.stderr);
            // However its lines are broken.
            let squeezed =
                |text: &str| text.chars().filter(|it| !it.is_whitespace() && *it != '│').collect::<String>();
            let said = squeezed(&answer.stderr);
            for words in words {
                assert!(said.contains(&squeezed(words)), "{words}: {}", answer.stderr);
            }
            // The error, which comes after what is warned of.
            let error = answer.stderr.rfind("cpk::").map(|at| &answer.stderr[at..]);
            assert!(error.is_some_and(|error| error.len() < 1200), "{}", answer.stderr);
            assert!(!folder.path().join("out").exists());
        }
    }
}
