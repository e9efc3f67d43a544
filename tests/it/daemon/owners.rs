//! Owners and modes that change and nothing with them: what is built is as the plan says now, on a daemon
//! that compares files by their owners too and on one that does not.

use cogpack_tests::engines;
use cogpack_tests::filesystem::list_tar;

use super::build::build;

/// A layer that is laid over its base, stages side by side, and directories of which a plan says only the
/// mode or only the owner.
fn plan(registry: &str, owner: &str) -> String {
    format!(
        "cpk 1\nimage @base = \"{registry}/base/debian:bookworm-slim\"\n\
         context @source = dir \".\" {{ include \"hello\" }}\n\
         phase start\nphase sides parallel after start\nphase rest after sides\n\
         stage %nothing in start from scratch\n\
         stage %one in sides {{\n  copy \"hello\" from @source to \"/one/hello\"\n}}\n\
         stage %two in sides {{\n  copy \"hello\" from @source to \"/two/hello\" owner {owner}\n}}\n\
         stage %sides in rest {{\n  file \"/rest\" = \"\"\n}}\n\
         stage %app from image @base {{\n  copy \"hello\" from @source to \"/srv/app/hello\" owner {owner}\n\
         \x20 copy contents \"/\" from %sides to \"/sides\"\n  mkdir \"/kept\" owner {owner}\n\
         \x20 mkdir \"/kept\" mode 0750\n}}\n"
    )
}

#[test]
fn an_owner_that_changes_is_the_new_one() {
    let registry = engines::registry().unwrap_or_default();
    for engine in [engines::older(), engines::newer()].into_iter().flatten() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let hello = format!("owners {:?}", std::time::SystemTime::now());
        std::fs::write(folder.path().join("hello"), &hello).expect("is writable");
        let files = |owner: &str, export: &str| {
            let plan = format!("{}export from %{export}\n", plan(&registry, owner));
            std::fs::write(folder.path().join("plan.cpk"), plan).expect("is writable");
            let arguments = [".", "-o", "type=tar,dest=out.tar", "--progress", "plain"];
            let answer = build(&engine, folder.path(), &arguments);
            assert_eq!(answer.code, 0, "{}: {owner}: {}", engine.name, answer.stderr);
            list_tar(&std::fs::read(folder.path().join("out.tar")).expect("the result is there"))
        };
        for owner in ["5:6", "7:6", "0:0", "5:6", "5:8"] {
            let is_of = |what: &str| Some(format!("{what} {owner} `{hello}`"));
            let app = files(owner, "app");
            assert_eq!(app.get("srv/app/hello").cloned(), is_of("file 0644"), "{}", engine.name);
            assert_eq!(app.get("kept").cloned(), Some(format!("directory 0750 {owner}")), "{}", engine.name);
            let sides = files(owner, "sides");
            assert_eq!(sides.get("two/hello").cloned(), is_of("file 0644"), "{}", engine.name);
            let root = format!("file 0644 0:0 `{hello}`");
            assert_eq!(sides.get("one/hello"), Some(&root), "{}", engine.name);
        }
    }
}

#[test]
fn what_a_directory_keeps_is_what_it_has_now() {
    let registry = engines::registry().unwrap_or_default();
    for engine in [engines::older(), engines::newer()].into_iter().flatten() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let unique = format!("{:?}", std::time::SystemTime::now());
        for (mode, owner) in [("0700", "1:2"), ("0711", "1:2"), ("0711", "3:4")] {
            let plan = format!(
                "cpk 1\nimage @base = \"{registry}/base/debian:bookworm-slim\"\nstage %app from image @base {{\n  \
                 run \"mkdir -m {mode} /owned /moded; chown {owner} /moded; : {unique}\"\n  \
                 mkdir \"/owned\" owner 5:6\n  mkdir \"/moded\" mode 0750\n}}\nexport from %app\n"
            );
            std::fs::write(folder.path().join("plan.cpk"), plan).expect("is writable");
            let arguments = [".", "-o", "type=tar,dest=out.tar", "--progress", "plain"];
            let answer = build(&engine, folder.path(), &arguments);
            assert_eq!(answer.code, 0, "{}: {}", engine.name, answer.stderr);
            let files = list_tar(&std::fs::read(folder.path().join("out.tar")).expect("the result is there"));
            let is = |path: &str| files.get(path).cloned().unwrap_or_default();
            assert_eq!(is("owned"), format!("directory {mode} 5:6"), "{}", engine.name);
            assert_eq!(is("moded"), format!("directory 0750 {owner}"), "{}", engine.name);
        }
    }
}
