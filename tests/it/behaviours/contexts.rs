//! 39–41: contexts on disk. The earlier system copied contexts that were no directories into
//! temporary folders and removed these afterwards, or forgot to. Nothing is copied here.

use cogpack_tests::plans::{folder_with, image_listing, regular_files};
use cogpack_tests::terminal::cogpackc;

#[test]
fn b39_a_directory_is_read_where_it_is() {
    let folder = folder_with(&[
        ("src/a.txt", "a"),
        (
            "plan.cpk",
            "cpk 1\ncontext @s = dir \"src\"\nstage %a from scratch { copy contents \".\" from @s to \"/\" }\nexport from %a\n",
        ),
    ]);
    let answer = cogpackc(folder.path(), &["plan.cpk", "-o", "oci", "-O", "out"]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    let mut left: Vec<_> = std::fs::read_dir(folder.path())
        .expect("can be read")
        .map(|entry| entry.expect("can be read").file_name().into_string().expect("is UTF-8"))
        .collect();
    left.sort();
    assert_eq!(left, ["out", "plan.cpk", "src"]);
}

#[test]
fn b40_files_of_the_plan_itself_may_be_nested() {
    let listing = image_listing(
        "cpk 1\ncontext @f = files {\n file \"a/b/c.txt\" = \"c\"\n file \"d.txt\" = \"d\"\n}\nstage %a from scratch { copy contents \".\" from @f to \"/\" }\nexport from %a\n",
        &[],
    );
    assert_eq!(regular_files(&listing), ["a/b/c.txt", "d.txt"]);
}

/// Closing a context removed a temporary folder; there is none, so the temporary directory of
/// the system stays as it was.
#[test]
fn b41_nothing_is_left_behind() {
    let ours = || {
        let entries = std::fs::read_dir(std::env::temp_dir()).expect("can be read").flatten();
        entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(".cogpackc-")).count()
    };
    let before = ours();
    image_listing(
        "cpk 1\ncontext @f = files {\n file \"a\" = \"a\"\n}\nstage %a from scratch { copy \"a\" from @f to \"/a\" }\nexport from %a\n",
        &[],
    );
    assert_eq!(ours(), before);
}
