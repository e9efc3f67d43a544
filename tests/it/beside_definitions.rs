//! What lies beside a definition in a directory: packages that are installed for it, the image
//! config, and how it is solved.

use std::collections::BTreeSet;
use std::path::Path;

use cogpack_tests::packages;
use cogpack_tests::places::files_below;
use cogpack_tests::terminal::{Answer, cogpackc_in};

fn folder(tool: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    write(folder.path(), tool);
    folder
}

/// A plan that reads a directory, a layout that is not looked at, secrets, an agent and a package.
fn write(folder: &Path, tool: &str) {
    let plan = format!(
        "cpk 1
context @source = dir \"source\"
secret token
secret netrc optional
{}stage %app from @system {{
  copy \"a\" from @source to \"/a\"
  run \"tool\" {{
    mount secret token at /run/token
    mount secret netrc at /run/netrc
    mount ssh
    network host
  }}
}}
export from %app {{ cmd [\"/usr/bin/tool\"] }}
",
        packages::context(folder, tool)
    );
    std::fs::create_dir_all(folder.join("source")).expect("is writable");
    std::fs::write(folder.join("source/a"), "a").expect("is writable");
    std::fs::write(folder.join("plan.cpk"), plan).expect("is writable");
}

fn compile(folder: &Path, arguments: &[&str]) -> Answer {
    cogpackc_in(packages::environment(folder), folder, &[&["plan.cpk"], arguments].concat())
}

/// All files in a directory, by path relative to it.
fn files_in(directory: &Path) -> BTreeSet<String> {
    let files = files_below(directory, "").into_iter();
    let relative = |path: std::path::PathBuf| {
        path.strip_prefix(directory).expect("is in it").to_string_lossy().into_owned()
    };
    files.map(relative).collect()
}

fn archives(made: &Path) -> Vec<String> {
    files_in(made).into_iter().filter(|path| path.ends_with(".tar")).collect()
}

#[test]
fn packages_lie_beside_a_definition_and_its_readme_names_all_that_it_reads() {
    let folder = folder("one");
    let answer = compile(folder.path(), &["-o", "llb,llb.txt", "-O", "made/"]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    let made = folder.path().join("made");
    let [archive] = &archives(&made)[..] else { panic!("one archive: {:?}", files_in(&made)) };
    let name = archive.strip_prefix("contexts/system/").expect("it lies in a directory of its own");
    let others: Vec<String> = files_in(&made).into_iter().filter(|path| path != archive).collect();
    assert_eq!(others, ["contexts/.cogpackc-manifest", "image-config.json", "llb.md", "llb.pb", "llb.txt"]);
    let listing = std::fs::read_to_string(made.join("llb.txt")).expect("was written");
    assert!(listing.contains(&format!("local.includepattern = [\"{name}\"]")), "{listing}");
    let readme = std::fs::read_to_string(made.join("llb.md")).expect("was written");
    insta::assert_snapshot!(readme, @r##"
    # A definition made by cogpackc

    `llb.pb` makes the image that `plan.cpk` describes. In this directory:

    ```sh
    buildctl build \
      --local source=../source \
      --local system=contexts/system \
      --secret id=token,src=FILE \
      --ssh default \
      --allow network.host \
      --output "type=oci,dest=image.tar,source-date-epoch=0,rewrite-timestamp=true,\"containerimage.config=$(sed 's/"/""/g' image-config.json)\"" \
      <llb.pb
    ```

    `type=image,name=NAME,push=true` in the place of `type=oci,dest=image.tar` pushes it. `image-config.json` is what the image says of itself (its command, environment, user and so on), which is no part of a definition.

    `src=` names the file that holds a secret.

    It takes this too, and does without: `--secret id=netrc,src=FILE`.

    A daemon that solves several definitions at one time reads directories of one name for all of them once: solve one after the other those whose `--local` have a name in common, or use `cogpackc build`, which tells them apart.

    Change the plan and compile again rather than what is here.
    "##);

    // What somebody has changed is not replaced unasked; what nobody needs any more goes.
    std::fs::write(made.join(archive), "changed").expect("is writable");
    let kept = compile(folder.path(), &["-o", "llb", "-O", "made"]);
    assert_eq!(kept.code, 2, "{}", kept.stderr);
    assert!(kept.stderr.contains("changed since") && kept.stderr.contains("--force"), "{}", kept.stderr);
    write(folder.path(), "another");
    let again = compile(folder.path(), &["-o", "llb", "-O", "made", "--force"]);
    assert_eq!(again.code, 0, "{}", again.stderr);
    let [other] = &archives(&made)[..] else { panic!("one archive: {:?}", files_in(&made)) };
    assert_ne!(other, archive);
    std::fs::write(
        folder.path().join("plan.cpk"),
        "cpk 1\nstage %a from scratch { mkdir \"/a\" }\nexport from %a\n",
    )
    .expect("is writable");
    assert_eq!(compile(folder.path(), &["-o", "llb", "-O", "made"]).code, 0);
    assert_eq!(archives(&made), Vec::<String>::new());
}

#[test]
fn a_definition_that_lies_elsewhere_says_which_directory_stands_where() {
    let folder = folder("one");
    let path = folder.path().join("plan.cpk");
    let plan = std::fs::read_to_string(&path).expect("is there");
    let more = plan
        .replace("context @source", "context @more = dir \"more\"\ncontext @source")
        .replace("  copy ", "  copy \"b\" from @more to \"/b\"\n  copy ");
    std::fs::write(&path, more).expect("is writable");
    let elsewhere = tempfile::tempdir().expect("a temporary folder can be made");
    let made = elsewhere.path().to_str().expect("is UTF-8");
    let answer = compile(folder.path(), &["-o", "llb", "-O", made]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    let readme = std::fs::read_to_string(elsewhere.path().join("llb.md")).expect("was written");
    assert!(readme.contains("--local more=CONTEXT \\\n  --local source=CONTEXT \\\n"), "{readme}");
    let said = "\n`CONTEXT` is a directory that `plan.cpk` reads: for `more=` that of `context @more`, \
                for `source=` that of `context @source`.\n";
    assert!(readme.contains(said), "{readme}");
}

#[test]
fn where_there_is_no_directory_packages_are_refused_with_the_way_out() {
    let folder = folder("one");
    for arguments in [&["-o", "llb"][..], &["-o", "llb", "-O", "plan.llb"], &["-o", "llb.txt"]] {
        let answer = compile(folder.path(), arguments);
        assert_eq!((answer.code, answer.text()), (1, ""), "{}", answer.stderr);
        for said in ["cpk::unsupported::installed-context", "-o llb -O DIR/"] {
            assert!(answer.stderr.contains(said), "{said}: {}", answer.stderr);
        }
    }
    assert!(!folder.path().join("plan.llb").exists());
}

#[test]
fn no_package_is_fetched_for_a_definition_that_is_refused() {
    let folder = folder("one");
    let path = folder.path().join("plan.cpk");
    let plan = std::fs::read_to_string(&path).expect("is there");
    std::fs::write(&path, format!("{plan}platform linux/amd64\nplatform linux/arm64\n"))
        .expect("is writable");
    std::fs::remove_file(folder.path().join(packages::FILE)).expect("is there");
    let answer = compile(folder.path(), &["-o", "llb", "-O", "made/"]);
    assert_eq!(answer.code, 1, "{}", answer.stderr);
    assert!(answer.stderr.contains("cpk::unsupported::platform"), "{}", answer.stderr);
    assert!(!answer.stderr.contains("installed-context"), "{}", answer.stderr);
    assert!(!folder.path().join("made").exists());
}
