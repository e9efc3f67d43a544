//! Writing over what is there.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use cogpack_backends_contract::tree::{Attributes, Ids, Node};
use cogpack_ir::plan::{FileContent, Mode};

use super::*;
use crate::context_files::ContextFiles;

fn eject(texts: &[(&str, &str)]) -> Eject {
    let texts = texts.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect();
    Eject { texts, ..Eject::default() }
}

fn write(texts: &[(&str, &str)], to: &Path, changed: Changed) -> String {
    match eject(texts).write(to, &ContextFiles::default(), changed) {
        Ok(()) => String::new(),
        Err(error) => error.to_string(),
    }
}

/// What is in a directory, the list apart.
fn drawn(directory: &Path) -> String {
    let manifest = Manifest::of(directory).expect("can be listed");
    let names = manifest.entries.keys().filter(|path| path.as_slice() != manifest::NAME.as_bytes());
    let shown = names.map(|path| {
        let path = String::from_utf8_lossy(path).into_owned();
        let text = fs::read_to_string(directory.join(&path)).unwrap_or_default();
        format!("{path}={text}")
    });
    shown.collect::<Vec<_>>().join(" ")
}

#[test]
fn only_what_was_written_before_is_replaced() {
    let folder = tempfile::tempdir().expect("makes a directory");
    let place = folder.path().join("eject");
    assert_eq!(write(&[("Dockerfile", "1"), ("old", "1")], &place, Changed::Keep), "");
    assert_eq!(drawn(&place), "Dockerfile=1 old=1");
    assert_eq!(write(&[("Dockerfile", "2"), ("new", "2")], &place, Changed::Keep), "");
    assert_eq!(drawn(&place), "Dockerfile=2 new=2");
    // Somebody adds a file: it stays, and the rest is still replaced.
    fs::write(place.join("notes"), "mine").expect("is writable");
    assert_eq!(write(&[("Dockerfile", "3")], &place, Changed::Keep), "");
    assert_eq!(drawn(&place), "Dockerfile=3 notes=mine");
    let said = write(&[("Dockerfile", "4"), ("notes", "4")], &place, Changed::Replace);
    assert!(said.ends_with("notes` was in the way, and not written by cogpackc"), "{said}");
    assert_eq!(drawn(&place), "Dockerfile=3 notes=mine");
    let left: Vec<_> = fs::read_dir(folder.path()).expect("can be listed").collect();
    assert_eq!(left.len(), 1, "nothing temporary is left");
}

#[test]
fn what_somebody_changed_is_replaced_only_when_told() {
    let folder = tempfile::tempdir().expect("makes a directory");
    let place = folder.path().join("eject");
    assert_eq!(write(&[("Dockerfile", "1"), ("old", "1")], &place, Changed::Keep), "");
    for changed in ["Dockerfile", "old"] {
        fs::write(place.join(changed), "mine").expect("is writable");
        let said = write(&[("Dockerfile", "2")], &place, Changed::Keep);
        assert!(said.ends_with(&format!("{changed}` was changed since cogpackc wrote it")), "{said}");
        assert_eq!(write(&[("Dockerfile", "1"), ("old", "1")], &place, Changed::Replace), "");
    }
    // What is gone, or has come to be what is wanted, is no change of anybody's.
    fs::remove_file(place.join("old")).expect("is removed");
    fs::write(place.join("Dockerfile"), "2").expect("is writable");
    assert_eq!(write(&[("Dockerfile", "2")], &place, Changed::Keep), "");
    assert_eq!(drawn(&place), "Dockerfile=2");
}

#[test]
fn a_directory_of_others_keeps_what_it_has() {
    let folder = tempfile::tempdir().expect("makes a directory");
    let place = folder.path().join("project");
    fs::create_dir(&place).expect("is made");
    fs::write(place.join("main.py"), "mine").expect("is writable");
    symlink("main.py", place.join("old")).expect("can be linked");
    assert_eq!(write(&[("Dockerfile", "1")], &place, Changed::Keep), "");
    let said = write(&[("Dockerfile", "1"), ("old", "1")], &place, Changed::Keep);
    assert!(said.ends_with("old` was in the way, and not written by cogpackc"), "{said}");
    assert_eq!(write(&[("Other", "1")], &place, Changed::Keep), "");
    assert_eq!(drawn(&place), "Other=1 main.py=mine old=mine");
    fs::write(folder.path().join("file"), "mine").expect("is writable");
    let said = write(&[("Dockerfile", "1")], &folder.path().join("file"), Changed::Keep);
    assert!(said.ends_with("file` was in the way, and not written by cogpackc"), "{said}");
}

#[test]
fn an_archive_says_what_a_folder_cannot() {
    let folder = tempfile::tempdir().expect("makes a directory");
    let place = folder.path().join("eject");
    let mut tree = Tree::empty();
    let attributes =
        Attributes { mode: Mode::new(0o4750).expect("is a mode"), ids: Ids { user: 7, group: 42 } };
    let content = Content::Inline(FileContent(b"text".as_slice().into()).into());
    tree.insert(&[b"tool".to_vec()], Node::File { attributes, content }).expect("nothing is in the way");
    let archives = BTreeMap::from([("packages/system.tar".to_owned(), tree)]);
    let eject = Eject { archives, time: 86_400, ..Eject::default() };
    for _ in 0..2 {
        eject.write(&place, &ContextFiles::default(), Changed::Keep).expect("can be written");
    }
    let listed = std::process::Command::new("tar")
        .args(["--numeric-owner", "--utc", "-tvf"])
        .arg(place.join("packages/system.tar"))
        .output()
        .expect("there is tar");
    let listed = String::from_utf8_lossy(&listed.stdout);
    let words: Vec<&str> = listed.split_whitespace().collect();
    assert_eq!(words, ["-rwsr-x---", "7/42", "4", "1970-01-02", "00:00", "tool"]);
    assert!(drawn(&place).starts_with("packages= packages/system.tar=tool"), "{}", drawn(&place));
}

/// A tree with one file.
fn tree(name: &str, text: &str) -> Tree<Content> {
    let mut tree = Tree::empty();
    let attributes = Attributes { mode: Mode::FILE, ids: Ids::ROOT };
    let content = Content::Inline(FileContent(text.as_bytes().into()).into());
    tree.insert(&[name.as_bytes().to_vec()], Node::File { attributes, content })
        .expect("nothing is in the way");
    tree
}

fn write_trees(trees: &[(&str, &str)], to: &Path, changed: Changed) -> String {
    let trees = trees.iter().map(|(path, name)| ((*path).to_owned(), tree(name, "made"))).collect();
    let eject = Eject { trees, ..eject(&[("Dockerfile", "1")]) };
    eject
        .write(to, &ContextFiles::default(), changed)
        .map_or_else(|error| error.to_string(), |()| String::new())
}

#[test]
fn folders_of_other_names_than_before_take_their_place() {
    let folder = tempfile::tempdir().expect("makes a directory");
    let place = folder.path().join("eject");
    for others in ["", " notes=mine"] {
        assert_eq!(write_trees(&[("contexts/1", "a"), ("contexts/2", "b")], &place, Changed::Keep), "");
        assert_eq!(write_trees(&[("copies/app/srv", "a")], &place, Changed::Keep), "");
        let copies = "copies= copies/app= copies/app/srv= copies/app/srv/a=made";
        assert_eq!(drawn(&place), format!("Dockerfile=1 {copies}{others}"));
        // What was a folder is a file, and the other way round.
        assert_eq!(write(&[("Dockerfile", "1"), ("copies", "2")], &place, Changed::Keep), "");
        assert_eq!(drawn(&place), format!("Dockerfile=1 copies=2{others}"));
        assert_eq!(write_trees(&[("copies", "a")], &place, Changed::Keep), "");
        assert_eq!(drawn(&place), format!("Dockerfile=1 copies= copies/a=made{others}"));
        fs::write(place.join("notes"), "mine").expect("is writable");
    }
}

#[test]
fn a_directory_in_the_place_of_a_file_stays_with_what_others_have_put_into_it() {
    let folder = tempfile::tempdir().expect("makes a directory");
    let place = folder.path().join("eject");
    assert_eq!(write_trees(&[("copies", "a")], &place, Changed::Keep), "");
    fs::remove_file(place.join("Dockerfile")).expect("is removed");
    fs::create_dir(place.join("Dockerfile")).expect("is made");
    fs::write(place.join("Dockerfile/notes"), "mine").expect("is writable");
    let before = drawn(&place);
    for changed in [Changed::Keep, Changed::Replace] {
        let said = write(&[("Dockerfile", "2")], &place, changed);
        assert!(said.ends_with("Dockerfile` was in the way, and not written by cogpackc"), "{said}");
        assert_eq!(drawn(&place), before, "nothing was touched");
    }
    fs::remove_file(place.join("Dockerfile/notes")).expect("is removed");
    let said = write(&[("Dockerfile", "2")], &place, Changed::Keep);
    assert!(said.ends_with("Dockerfile` was changed since cogpackc wrote it"), "{said}");
    assert_eq!(write(&[("Dockerfile", "2")], &place, Changed::Replace), "");
    assert_eq!(drawn(&place), "Dockerfile=2");
}

#[test]
fn nothing_is_touched_behind_links() {
    let folder = tempfile::tempdir().expect("makes a directory");
    let place = folder.path().join("eject");
    let elsewhere = folder.path().join("elsewhere");
    for others in ["", " notes=mine"] {
        assert_eq!(write_trees(&[("copies", "a")], &place, Changed::Keep), "");
        fs::rename(place.join("copies"), &elsewhere).expect("can be renamed");
        symlink(&elsewhere, place.join("copies")).expect("can be linked");
        let said = write(&[("Dockerfile", "1")], &place, Changed::Keep);
        assert!(said.ends_with("copies` was changed since cogpackc wrote it"), "{said}");
        assert_eq!(write(&[("Dockerfile", "1")], &place, Changed::Replace), "");
        assert_eq!(drawn(&place), format!("Dockerfile=1{others}"));
        assert_eq!(drawn(&elsewhere), "a=made");
        fs::remove_dir_all(&elsewhere).expect("is removed");
        fs::write(place.join("notes"), "mine").expect("is writable");
    }
    // The directory itself may be one.
    fs::rename(&place, &elsewhere).expect("can be renamed");
    symlink("elsewhere", &place).expect("can be linked");
    assert_eq!(write(&[("Dockerfile", "2")], &place, Changed::Keep), "");
    assert!(place.is_symlink());
    assert_eq!(drawn(&elsewhere), "Dockerfile=2 notes=mine");
}

#[test]
fn what_is_no_list_is_in_the_way_and_not_waited_for() {
    let folder = tempfile::tempdir().expect("makes a directory");
    let place = folder.path().join("eject");
    let list = place.join(manifest::NAME);
    for command in ["mkdir", "mkfifo"] {
        fs::create_dir(&place).expect("is made");
        let made = std::process::Command::new(command).arg(&list).status().expect("there is such a program");
        assert!(made.success());
        let said = write(&[("Dockerfile", "1")], &place, Changed::Replace);
        assert!(said.ends_with(".cogpackc-manifest` was in the way, and not written by cogpackc"), "{said}");
        assert_eq!(fs::read_dir(&place).expect("can be listed").count(), 1);
        fs::remove_dir_all(&place).expect("is removed");
    }
    fs::write(&place, "mine").expect("is writable");
    let said = write(&[("Dockerfile", "1")], &place.join("below"), Changed::Replace);
    assert!(said.ends_with("eject` was in the way, and not written by cogpackc"), "{said}");
}
