//! Whole ways through: a directory and a plan become a layout, the layout a base, and so on.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use cogpack_backends_contract::Backend;
use cogpack_backends_contract::content::Content;
use cogpack_backends_contract::tree::{Node, Tree, text};
use cogpack_backends_oci_direct::compression::{Compression, Method};
use cogpack_backends_oci_direct::documents::media;
use cogpack_backends_oci_direct::tar::{Entry, EntryKind, TarWriter};
use cogpack_backends_oci_direct::{Assembly, Inputs, OciDirect};
use cogpack_content::{Digest, Platform};
use cogpack_io_project::context_files::ContextFiles;
use cogpack_io_project::walk::walk;
use cogpack_ir::plan::{ContextKind, ImageConfig, InputName};
use cogpack_ir::resolve::{KnownConfigs, resolve};
use cogpack_ir::{syntax, verify};
use rustix::fs::{CWD, Mode, mkfifoat};

use crate::base_files::BaseFiles;
use crate::read::{Layout, ReadError, Wanted};
use crate::told;
use crate::unpack::{check_destination, unpack};
use crate::write::{Image, Named, WriteError, write_archive, write_archive_to, write_directory};

mod large;
mod packed;
mod saved;
mod taken;

/// A plan with what it needs read from below `root`.
struct Read {
    assembly: Assembly,
    files: ContextFiles,
    layouts: Vec<Layout>,
}

fn read(plan: &str, root: &Path) -> Read {
    let parsed = syntax::parse(plan);
    assert!(parsed.findings.is_empty(), "{:?}", parsed.findings);
    let platform = Platform::linux_amd64();
    let (mut known, mut images, mut bases) = (KnownConfigs::new(), BTreeMap::new(), BTreeMap::new());
    for (name, context) in &parsed.plan.contexts {
        if let ContextKind::Oci(oci) = &context.kind {
            let layout = Layout::open(&root.join(&oci.path.value)).expect("is a layout");
            let wanted = Wanted { digest: None, tag: oci.tag.as_ref().map(|tag| tag.as_str()) };
            let image = layout.image(wanted, &platform).expect("has the image");
            known.insert(name.clone(), image.config.clone());
            bases.insert(name.clone(), layout.base(&image).expect("can be read"));
            images.insert(name.clone(), (layout, image));
        }
    }
    let verified = verify::verify(parsed.plan).unwrap_or_else(|findings| panic!("{findings:?}"));
    let resolved = resolve(verified, &known).unwrap_or_else(|findings| panic!("{findings:?}"));
    let recipe =
        OciDirect::default().lower(&resolved).unwrap_or_else(|unsupported| panic!("{unsupported:?}"));
    let mut inputs = Inputs { bases, ..Inputs::default() };
    let mut files = ContextFiles::default();
    for (name, context) in recipe.directories() {
        let ContextKind::Directory(directory) = &context.kind else { panic!("was asked for") };
        let path = root.join(&directory.path.value);
        inputs.directories.insert(name.clone(), walk(&path, name, &directory.rules).expect("can be walked"));
        files.directories.insert(name.clone(), path);
    }
    let assembled = recipe.assemble(&inputs, &BaseFiles::new(&images, &files), 0);
    let assembly = assembled.unwrap_or_else(|problems| panic!("{problems:?}"));
    Read { assembly, files, layouts: images.into_values().map(|(layout, _)| layout).collect() }
}

fn build(plan: &str, root: &Path, destination: &str) -> Result<Digest, WriteError> {
    let read = read(plan, root);
    write_directory(&unnamed(&image(&read)), &root.join(destination)).map(|written| written[0].digest)
}

/// The archive of the layout that `build` makes.
fn archived(plan: &str, root: &Path) -> Vec<u8> {
    let read = read(plan, root);
    let mut made = Vec::new();
    write_archive_to(&unnamed(&image(&read)), root, &mut made).expect("a vector takes all");
    made
}

fn image(read: &Read) -> Image<'_> {
    Image {
        assembly: &read.assembly,
        files: &read.files,
        bases: &read.layouts,
        kept: None,
        compression: Compression::default(),
        told: &told::nobody,
    }
}

/// An image without a name.
fn unnamed<'a>(image: &'a Image<'a>) -> [Named<'a>; 1] {
    [Named { images: std::slice::from_ref(image), names: &[] }]
}

const PLAN: &str = "cpk 1
context @source = dir \"project\"
stage %app from scratch {
  copy contents \".\" from @source to \"/src\"
  file \"/etc/motd\" = \"hello\"
  env A = \"b\"
  workdir \"/src\"
}
export from %app {
  cmd [\"/src/tool\"]
  label a/b = \"c\"
}
";

/// A small project; `backwards` makes its files in another order.
fn project(root: &Path, backwards: bool) {
    let long = "long/".repeat(30) + "naïve";
    let mut files = vec!["tool", "lib/a.py", "lib/b.py", &long, "zero"];
    if backwards {
        files.reverse();
    }
    for file in files {
        let path = root.join("project").join(file);
        fs::create_dir_all(path.parent().expect("is below the root")).expect("is writable");
        let content = if file == "zero" { String::new() } else { file.repeat(1000) };
        fs::write(&path, content).expect("is writable");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("is ours");
    }
    let project = root.join("project");
    fs::set_permissions(project.join("tool"), fs::Permissions::from_mode(0o755)).expect("is ours");
    fs::hard_link(project.join("lib/a.py"), project.join("lib/same.py")).expect("is writable");
    symlink("lib/a.py", project.join("link")).expect("is writable");
}

/// Every file below a directory with its bytes.
fn contents(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(root).expect("is a directory") {
        let path = entry.expect("is an entry").path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            found.insert(path.clone(), fs::read(&path).expect("is a file"));
        }
    }
    found
}

fn relative(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let strip = |path: PathBuf| path.strip_prefix(root).expect("is below the root").to_owned();
    contents(root).into_iter().map(|(path, bytes)| (strip(path), bytes)).collect()
}

fn names(root: &Path) -> Vec<String> {
    let entries = fs::read_dir(root).expect("is a directory");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("is an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn paths(tree: &Tree<Content>) -> Vec<String> {
    let shown = |(path, node): (Vec<_>, Node<Content>)| match node {
        Node::Directory(directory) => format!("{} {}/", directory.attributes.mode, text(&path)),
        Node::File { attributes, content } => {
            format!("{} {} {}", attributes.mode, text(&path), content.size())
        }
        Node::Symlink { target, .. } => format!("{} -> {}", text(&path), String::from_utf8_lossy(&target)),
        Node::Special { .. } => format!("{} is special", text(&path)),
    };
    tree.walk().into_iter().map(shown).collect()
}

#[test]
fn what_is_written_can_be_read_and_is_what_the_plan_said() {
    let root = tempfile::tempdir().expect("makes a directory");
    project(root.path(), false);
    let digest = build(PLAN, root.path(), "out").expect("can be written");
    let layout = Layout::open(&root.path().join("out")).expect("is a layout");
    for wanted in [
        Wanted::default(),
        Wanted { digest: None, tag: Some("latest") },
        Wanted { digest: Some(digest), tag: None },
    ] {
        let image = layout.image(wanted, &Platform::linux_amd64()).expect("is there");
        assert_eq!(image.manifest, digest);
        assert_eq!(image.config.workdir.as_deref(), Some("/src"));
        assert_eq!(image.config.labels["a/b"], "c");
        assert_eq!(image.layers.len(), 2);
        // What is laid over each other again is what the plan made.
        let base = layout.base(&image).expect("can be read");
        let made = read(PLAN, root.path()).assembly;
        assert_eq!(paths(&base.tree), paths(&made.rootfs.tree));
        assert!(paths(&base.tree).contains(&"0755 /src/tool 4000".to_owned()));
    }
    let platform: Platform = "linux/arm64".parse().expect("is a platform");
    assert!(matches!(layout.image(Wanted::default(), &platform), Err(ReadError::NotFound { .. })));
    let other = Wanted { digest: None, tag: Some("1.0") };
    let error = layout.image(other, &Platform::linux_amd64()).expect_err("has no such tag").to_string();
    assert!(error.contains("`1.0`") && error.contains("latest"), "{error}");
}

#[test]
fn the_bytes_do_not_depend_on_where_when_and_how_the_project_was_made() {
    let (one, other) = (tempfile::tempdir().expect("makes one"), tempfile::tempdir().expect("makes one"));
    project(one.path(), false);
    project(other.path(), true);
    build(PLAN, one.path(), "out").expect("can be written");
    build(PLAN, other.path(), "elsewhere").expect("can be written");
    let (first, second) = (relative(&one.path().join("out")), relative(&other.path().join("elsewhere")));
    assert!(first == second);
    // Two layers, a config and a manifest; three files at the top.
    assert_eq!(first.len(), 7);
}

#[test]
fn an_image_is_built_on_another_without_touching_its_layers() {
    let root = tempfile::tempdir().expect("makes a directory");
    project(root.path(), false);
    build(PLAN, root.path(), "base").expect("can be written");
    let on_top = "cpk 1
context @base = oci \"base\" { tag \"latest\" }
stage %app from @base {
  remove \"/src/lib\"
  copy \"/src/link\" from @base to \"/src/other\"
  file \"/src/tool\" mode 0700 = \"new\"
}
export from %app
";
    build(on_top, root.path(), "out").expect("can be written");
    let base = relative(&root.path().join("base/blobs"));
    let out = relative(&root.path().join("out/blobs"));
    assert_eq!(base.keys().filter(|path| out.contains_key(*path)).count(), 2, "the layers of the base");
    let layout = Layout::open(&root.path().join("out")).expect("is a layout");
    let image = layout.image(Wanted::default(), &Platform::linux_amd64()).expect("is there");
    assert_eq!(image.config.cmd, Some(vec!["/src/tool".to_owned()]));
    assert_eq!(image.history.len(), 4 + 3);
    let paths = paths(&layout.base(&image).expect("can be read").tree);
    assert!(paths.contains(&"0700 /src/tool 3".to_owned()), "{paths:?}");
    assert!(paths.contains(&"/src/other -> lib/a.py".to_owned()), "{paths:?}");
    assert!(!paths.iter().any(|path| path.contains("/src/lib")), "{paths:?}");
}

#[test]
fn owners_are_looked_up_in_the_layers_of_a_base() {
    let root = tempfile::tempdir().expect("makes a directory");
    let base = r#"cpk 1
stage %base from scratch {
  file "/etc/passwd" = "app:x:5:5::/:/bin/sh\n"
  file "/etc/passwd" = "root:x:0:0::/:/bin/sh\napp:x:1000:50::/:/bin/sh\n"
  file "/etc/group" = "crew:x:51:\n"
}
export from %base
"#;
    build(base, root.path(), "base").expect("can be written");
    let plan = r#"cpk 1
context @base = oci "base" { tag "latest" }
stage %app from @base {
  file "/a" owner app:crew = "x"
}
export from %app
"#;
    let made = read(plan, root.path()).assembly;
    let Some(Node::File { attributes, .. }) = made.rootfs.tree.get(&[b"a"]) else {
        panic!("there is a file")
    };
    assert_eq!((attributes.ids.user, attributes.ids.group), (1000, 51));
}

#[test]
fn a_layout_is_replaced_and_nothing_else_is() {
    let root = tempfile::tempdir().expect("makes a directory");
    project(root.path(), false);
    let out = root.path().join("out");
    fs::create_dir(&out).expect("is writable");
    build(PLAN, root.path(), "out").expect("an empty directory is free");
    fs::write(root.path().join("project/new"), "new").expect("is writable");
    let second = build(PLAN, root.path(), "out").expect("a layout is replaced");
    let layout = Layout::open(&out).expect("is a layout");
    let image = layout.image(Wanted::default(), &Platform::linux_amd64()).expect("is there");
    assert_eq!(image.manifest, second);
    assert_eq!(names(root.path()), ["out", "project"], "nothing is left beside it");

    let before = contents(root.path());
    fs::write(out.join("notes"), "mine").expect("is writable");
    let error = build(PLAN, root.path(), "out").expect_err("holds notes").to_string();
    assert!(error.contains("`notes`"), "{error}");
    fs::remove_file(out.join("notes")).expect("is writable");
    assert!(matches!(build(PLAN, root.path(), "project"), Err(WriteError::Occupied { .. })));
    assert!(matches!(build(PLAN, root.path(), "project/tool"), Err(WriteError::Occupied { .. })));
    assert!(build(PLAN, root.path(), "missing/out").is_err());
    assert!(contents(root.path()) == before);
}

#[test]
fn what_fails_on_the_way_leaves_nothing_behind() {
    let root = tempfile::tempdir().expect("makes a directory");
    project(root.path(), false);
    build(PLAN, root.path(), "out").expect("can be written");
    let read = read(PLAN, root.path());
    fs::write(root.path().join("project/lib/b.py"), "changed").expect("is writable");
    let before = contents(root.path());
    let error =
        write_directory(&unnamed(&image(&read)), &root.path().join("out")).expect_err("a file changed");
    let error: &dyn std::error::Error = &error;
    let chain: Vec<String> =
        std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect();
    assert!(chain.join(": ").contains("`lib/b.py` of the context `@source`"), "{chain:?}");
    assert!(write_archive(&unnamed(&image(&read)), &root.path().join("out.tar")).is_err());
    assert!(contents(root.path()) == before);
    assert_eq!(names(root.path()), ["out", "project"]);
}

#[test]
fn damaged_layouts_are_refused() {
    let root = tempfile::tempdir().expect("makes a directory");
    project(root.path(), false);
    build(PLAN, root.path(), "out").expect("can be written");
    let out = root.path().join("out");
    let platform = Platform::linux_amd64();
    for (path, bytes) in contents(&out.join("blobs")) {
        for damaged in [[&bytes[..], b" "].concat(), bytes[..bytes.len() - 1].to_vec(), Vec::new()] {
            fs::write(&path, damaged).expect("is writable");
            let layout = Layout::open(&out).expect("is a layout");
            let read = layout.image(Wanted::default(), &platform).and_then(|image| layout.base(&image));
            assert!(read.is_err(), "{}", path.display());
        }
        fs::write(&path, bytes).expect("is writable");
    }
    assert!(Layout::open(root.path()).is_err());
    fs::write(out.join("oci-layout"), r#"{"imageLayoutVersion": "2.0.0"}"#).expect("is writable");
    assert!(matches!(Layout::open(&out), Err(ReadError::NoLayout { .. })));
}

#[test]
fn a_pipe_takes_an_archive_and_stays() {
    let root = tempfile::tempdir().expect("makes a directory");
    project(root.path(), false);
    let read = read(PLAN, root.path());
    let mut streamed = Vec::new();
    write_archive_to(&unnamed(&image(&read)), root.path(), &mut streamed).expect("can be written");
    let pipe = root.path().join("pipe.tar");
    mkfifoat(CWD, &pipe, Mode::RUSR | Mode::WUSR).expect("makes a pipe");
    let reading = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::read(pipe).expect("can be read")
    });
    write_archive(&unnamed(&image(&read)), &pipe).expect("can be written");
    assert!(reading.join().expect("does not panic") == streamed);
    assert!(fs::metadata(&pipe).expect("is there").file_type().is_fifo());
    assert_eq!(names(root.path()), ["pipe.tar", "project"]);
}

#[test]
fn an_archive_holds_the_same_files_as_the_directory() {
    let root = tempfile::tempdir().expect("makes a directory");
    project(root.path(), false);
    build(PLAN, root.path(), "out").expect("can be written");
    let read = read(PLAN, root.path());
    let archive = root.path().join("out.tar");
    write_archive(&unnamed(&image(&read)), &archive).expect("can be written");
    let mut streamed = Vec::new();
    write_archive_to(&unnamed(&image(&read)), root.path(), &mut streamed).expect("can be written");
    assert!(fs::read(&archive).expect("is there") == streamed);
    assert_eq!(names(root.path()), ["out", "out.tar", "project"]);
    let unpacked = root.path().join("unpacked");
    fs::create_dir(&unpacked).expect("is writable");
    // A machine without `tar` has the other tests.
    let Ok(status) = Command::new("tar").arg("-xf").arg(&archive).arg("-C").arg(&unpacked).status() else {
        return;
    };
    assert!(status.success());
    assert!(relative(&unpacked) == relative(&root.path().join("out")));
}

#[test]
fn the_layers_are_what_the_systems_own_tar_makes_of_them() {
    let root = tempfile::tempdir().expect("makes a directory");
    project(root.path(), false);
    build(PLAN, root.path(), "out").expect("can be written");
    let layout = Layout::open(&root.path().join("out")).expect("is a layout");
    let image = layout.image(Wanted::default(), &Platform::linux_amd64()).expect("is there");
    let rootfs = root.path().join("rootfs");
    fs::create_dir(&rootfs).expect("is writable");
    for layer in &image.layers {
        let blob = crate::blobs::path_of(layout.root(), &layer.blob.blob.digest);
        let Ok(status) = Command::new("tar").arg("-xzf").arg(&blob).arg("-C").arg(&rootfs).status() else {
            return;
        };
        assert!(status.success());
    }
    let source = relative(&root.path().join("project"));
    assert!(relative(&rootfs.join("src")) == source);
    assert_eq!(fs::read(rootfs.join("etc/motd")).expect("is there"), b"hello");
    let inode =
        |path: &str| std::os::unix::fs::MetadataExt::ino(&fs::metadata(rootfs.join(path)).expect("is there"));
    assert_eq!(inode("src/lib/a.py"), inode("src/lib/same.py"));
    let name = InputName::new("rootfs").expect("is a name");
    let unpacked = walk(&rootfs, &name, &[]).expect("can be walked");
    let laid = layout.base(&image).expect("can be read").tree;
    assert_eq!(paths(&unpacked), paths(&laid));
}

#[test]
fn an_image_of_nothing_is_an_image() {
    let root = tempfile::tempdir().expect("makes a directory");
    build("cpk 1\nexport from scratch\n", root.path(), "out").expect("can be written");
    let layout = Layout::open(&root.path().join("out")).expect("is a layout");
    let image = layout.image(Wanted::default(), &Platform::linux_amd64()).expect("is there");
    assert_eq!((image.layers.len(), &image.config), (0, &ImageConfig::default()));
}

/// Bytes that follow no rule, as weights have them.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

#[test]
fn layers_are_read_again_however_they_are_compressed() {
    const PLAN: &str = "cpk 1
context @p = dir \"project\"
stage %a from scratch {
  copy \"weights\" from @p to \"/weights\"
  copy \"text\" from @p to \"/text\"
  file \"/small\" = \"hello\"
}
export from %a
";
    let folder = tempfile::tempdir().expect("a folder can be made");
    fs::create_dir(folder.path().join("project")).expect("is writable");
    // A header that compresses, and more than one block.
    let weights = [vec![b' '; 300_000], noise(5_000_000)].concat();
    fs::write(folder.path().join("project/weights"), &weights).expect("is writable");
    fs::write(folder.path().join("project/text"), "a line of text\n".repeat(200_000)).expect("is writable");
    let read = read(PLAN, folder.path());
    let (none, gzip, zstd) = (media::LAYER, media::LAYER_GZIP, media::LAYER_ZSTD);
    let mut trees = Vec::new();
    for (method, expected) in [
        (Method::Auto, [none, gzip, gzip]),
        (Method::Gzip, [gzip; 3]),
        (Method::Zstd, [zstd; 3]),
        (Method::None, [none; 3]),
    ] {
        let destination = folder.path().join("image");
        write_directory(&unnamed(&Image { compression: method.into(), ..image(&read) }), &destination)
            .expect("can be written");
        let layout = Layout::open(&destination).expect("is a layout");
        let stored = layout.image(Wanted::default(), &Platform::linux_amd64()).expect("is there");
        let media_types: Vec<&str> = stored.layers.iter().map(|layer| layer.media_type).collect();
        assert_eq!(media_types, expected, "{method:?}");
        trees.push(layout.base(&stored).expect("all digests are right").tree);
    }
    assert_eq!(trees[0].walk().len(), 3);
    trees.windows(2).for_each(|two| assert_eq!(two[0], two[1]));
}

#[test]
fn an_archive_is_unpacked_to_the_layout_that_it_holds() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    fs::create_dir(folder.path().join("project")).expect("is writable");
    fs::write(folder.path().join("project/a"), vec![b'a'; 100_000]).expect("is writable");
    let read = read(
        "cpk 1\ncontext @p = dir \"project\"\nstage %a from scratch {\n  copy contents \".\" from @p to \"/\"\n}\nexport from %a\n",
        folder.path(),
    );
    let image = image(&read);
    let archive = folder.path().join("image.tar");
    let digest = write_archive(&unnamed(&image), &archive).expect("can be written")[0].digest;

    let layout = folder.path().join("layout");
    let bytes = fs::read(&archive).expect("is there");
    for _ in 0..2 {
        // A layout in the way is replaced.
        unpack(bytes.as_slice(), &layout).expect("is a layout");
        let stored = Layout::open(&layout)
            .and_then(|layout| layout.image(Wanted::default(), &Platform::linux_amd64()));
        assert_eq!(stored.expect("has the image").manifest, digest);
    }
    let left: Vec<_> = fs::read_dir(folder.path()).expect("is there").collect();
    assert_eq!(left.len(), 3, "{left:?}");
}

#[test]
fn an_archive_that_is_no_layout_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let layout = folder.path().join("layout");
    let archive = |entries: &[(&str, &[u8])]| {
        let mut writer = TarWriter::new(Vec::new(), 0);
        for (path, bytes) in entries {
            let kind = EntryKind::File { size: bytes.len() as u64 };
            let entry = Entry { path: path.as_bytes(), kind, mode: 0o644, uid: 0, gid: 0 };
            writer.append_file(&entry, &mut &**bytes).expect("fits");
        }
        writer.finish().expect("is whole")
    };
    let blob = format!("blobs/sha256/{}", Digest::of(b"blob").hex());
    for (entries, said) in [
        (&[("etc/passwd", &b"x"[..])][..], "no part of a layout"),
        (&[("oci-layout", b"{}"), (&blob, b"another")], "damaged"),
        (&[("index.json", b"{}")], "no layout"),
    ] {
        let error = unpack(archive(entries).as_slice(), &layout).expect_err("is refused");
        assert!(error.to_string().contains(said), "{error}");
    }
    let cut = archive(&[("index.json", &[b' '; 2000])]);
    assert!(unpack(&cut[..1000], &layout).is_err());
    assert_eq!(fs::read_dir(folder.path()).expect("is there").count(), 0);

    fs::create_dir(&layout).expect("is writable");
    fs::write(layout.join("notes.txt"), "mine").expect("is writable");
    assert!(check_destination(&layout).is_err());
    assert!(unpack(archive(&[]).as_slice(), &layout).is_err());
    assert!(layout.join("notes.txt").exists());
}
