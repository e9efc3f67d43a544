//! What runtimes can do and are asked for: that programs do not reach out of their containers, and that a
//! runtime which would let them is refused.

use std::os::unix::fs::PermissionsExt;

use cogpack_tests::runtimes;

use super::{ARCHIVE, build, built, folder_with, holds};

#[test]
fn programs_make_no_calls_that_reach_out_of_their_container() {
    // What they need not is refused, and what they would make do without is not there.
    let ops = r#"
  run """
    ! unshare --user true 2>/said
    grep -q 'not permitted' /said
    perl -e 'for (@ARGV) { $! = 0; syscall($_, 0, 0, 0, 0); print $!{EPERM} ? "refused" : $!{ENOSYS} ? "missing" : "done", "\n" }' 246 425 39 >/calls
    setarch linux32 uname -m >/old
    """"#;
    let folder = folder_with(ops);
    if !cfg!(target_arch = "x86_64") {
        eprintln!("skipped: the numbers of calls are those of x86-64");
        return;
    }
    for runtime in runtimes::all() {
        let runtime = runtime.display().to_string();
        let Some(image) = built(folder.path(), &["--no-cache", "--runtime", &runtime]) else { return };
        holds(&image, "calls", "file 0644 0:0 `refused\nmissing\ndone\n`");
        holds(&image, "old", "file 0644 0:0 `i686\n`");
    }
}

#[test]
fn a_runtime_that_passes_over_what_it_is_told_is_refused_before_any_work() {
    let folder = folder_with("  run \"true\"");
    let Some(real) = runtimes::any() else { return };
    let real = real.display();
    // What it says of itself, and whether it keeps the filter.
    let keeps = "";
    let drops = r#"sed -i 's/"seccomp":{/"passed-over":{/' "$bundle/config.json""#;
    let passes_over = "it filters no calls of the kernel, because it was built without seccomp";
    for (said, filter, refused) in [
        (r#"{"linux":{"seccomp":{"enabled":true}}}"#, keeps, None),
        (r#"{"linux":{"seccomp":null}}"#, keeps, None),
        ("nothing", keeps, None),
        ("nothing", drops, Some(passes_over)),
        ("nothing", "exit 0", Some("it starts no program here, and ends with exit code 0")),
        (r#"{"linux":{"seccomp":{"enabled":false}}}"#, keeps, Some(passes_over)),
        (r#"{"linux":{}}"#, drops, Some(passes_over)),
        (
            r#"{"linux":{}}"#,
            "echo broken >&2; exit 3",
            Some("it starts no program here, and ends with exit code 3"),
        ),
        (
            r#"{"linux":{"namespaces":["pid","ipc","uts","mount"]}}"#,
            keeps,
            Some("it makes no namespace `network`"),
        ),
    ] {
        let script = format!(
            "#!/bin/sh\nif [ \"$1\" = features ]; then echo '{said}'; exit; fi\nbundle=\nfor word; do\n  \
             [ \"$last\" = --bundle ] && bundle=$word\n  last=$word\ndone\nif [ -n \"$bundle\" ]; then\n  :\n  \
             {filter}\nfi\nexec {real} \"$@\"\n"
        );
        let runtime = folder.path().join(real.to_string().rsplit('/').next().unwrap_or_default());
        std::fs::write(&runtime, script).expect("is writable");
        std::fs::set_permissions(&runtime, std::fs::Permissions::from_mode(0o755)).expect("can be set");
        let named = format!("./{}", runtime.file_name().unwrap_or_default().display());
        let Some(answer) = build(folder.path(), &[ARCHIVE, &["--runtime", &named]].concat()) else { return };
        match refused {
            None => assert_eq!(answer.code, 0, "{said}: {}", answer.stderr),
            Some(why) => {
                assert_eq!(answer.code, 2, "{said}: {}", answer.stderr);
                assert!(answer.stderr.contains(why), "{said}: {}", answer.stderr);
                assert!(
                    answer.stderr.contains("hint: name another runtime with `--runtime`"),
                    "{}",
                    answer.stderr
                );
                assert!(!folder.path().join("app.tar").exists());
            }
        }
        let _ = std::fs::remove_file(folder.path().join("app.tar"));
    }
}
