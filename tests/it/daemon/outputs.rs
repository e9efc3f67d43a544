//! Where `cogpackc build` puts what a daemon makes: layouts and directories to their end, engines
//! that are not the daemon's own, and several names at once.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use cogpack_cli::Environment;
use cogpack_content::{Digest, Platform};
use cogpack_io_buildkit::address::Endpoint;
use cogpack_io_docker::engine::{Engine as Docker, EngineImage};
use cogpack_io_layout::read::{Layout, Wanted};
use cogpack_tests::engines::{self, Engine};
use cogpack_tests::filesystem::{Listing, list_tar};
use cogpack_tests::oci;
use cogpack_tests::places::names_in;
use cogpack_tests::terminal::{Answer, cogpackc_in};

use super::build::build;

/// A folder with a plan of every way that a file with two names may go: out of a directory that is
/// sent, and by a copy out of a stage.
fn folder() -> Option<tempfile::TempDir> {
    let registry = engines::registry()?;
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let unheard = format!("{:?} {}", std::time::SystemTime::now(), std::process::id());
    let plan = format!(
        "cpk 1
image @base = \"{registry}/base/debian:bookworm-slim\"
context @source = dir \"source\"
stage %made from image @base {{
  run \"mkdir /made && echo '{unheard}' >/made/one && ln /made/one /made/other && cp /made/one /made/third\"
}}
stage %app from scratch {{
  copy contents \"/made\" from %made to \"/made\"
  copy contents \".\" from @source to \"/sent\"
}}
export from %app {{ cmd [\"none\"] }}
"
    );
    std::fs::write(folder.path().join("plan.cpk"), plan).expect("is writable");
    let source = folder.path().join("source");
    std::fs::create_dir(&source).expect("is writable");
    std::fs::write(source.join("one"), &unheard).expect("is writable");
    std::fs::hard_link(source.join("one"), source.join("other")).expect("is writable");
    std::fs::write(source.join("third"), &unheard).expect("is writable");
    Some(folder)
}

/// What `type=tar` says that the image holds.
fn files_of(engine: &Engine, folder: &Path) -> (Listing, Vec<u8>) {
    let answer = build(engine, folder, &[".", "--progress", "quiet", "-o", "type=tar,dest=files.tar"]);
    assert_eq!(answer.code, 0, "{}: {}", engine.name, answer.stderr);
    let bytes = std::fs::read(folder.join("files.tar")).expect("the result is there");
    (list_tar(&bytes), bytes)
}

/// Which paths of a tar are second names of which, without the `/` that some daemons begin with.
fn hard_links(tar: &[u8]) -> Vec<(String, String)> {
    let mut archive = tar::Archive::new(tar);
    let entries = archive.entries().expect("is a tar").map(|entry| entry.expect("is a tar"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_start_matches(['.', '/']).to_owned();
    let links = entries.filter(|entry| entry.header().entry_type().is_hard_link());
    let links =
        links.map(|link| (text(&link.path_bytes()), text(&link.link_name_bytes().unwrap_or_default())));
    links.collect()
}

#[test]
fn a_file_with_two_names_stays_one_and_a_directory_has_the_files_of_the_image() {
    for engine in [engines::older(), engines::newer()].into_iter().flatten() {
        let Some(folder) = folder() else { return };
        let (listing, tar) = files_of(&engine, folder.path());
        let pair = |folder: &str| (format!("{folder}/other"), format!("{folder}/one"));
        assert_eq!(hard_links(&tar), [pair("made"), pair("sent")], "{}", engine.name);

        let to = folder.path().join("files");
        let answer =
            build(&engine, folder.path(), &[".", "--progress", "quiet", "-o", "type=local,dest=files"]);
        assert_eq!((answer.code, answer.text()), (0, ""), "{}: {}", engine.name, answer.stderr);
        for (path, what) in &listing {
            let found = to.join(path).symlink_metadata().unwrap_or_else(|error| panic!("{path}: {error}"));
            let owner = format!("{}:{}", found.uid(), found.gid());
            let shown = match found.is_dir() {
                true => format!("directory {:04o} {owner}", found.mode() & 0o7777),
                false => {
                    let text = std::fs::read_to_string(to.join(path)).expect("is text");
                    format!("file {:04o} {owner} `{text}`", found.mode() & 0o7777)
                }
            };
            assert_eq!(&shown, what, "{}: {path}", engine.name);
        }
        let (mut open, mut count) = (vec![to.clone()], 0);
        while let Some(directory) = open.pop() {
            for entry in std::fs::read_dir(directory).expect("can be read").map(|it| it.expect("can be read"))
            {
                count += 1;
                open.extend(entry.file_type().expect("can be read").is_dir().then(|| entry.path()));
            }
        }
        assert_eq!(count, listing.len(), "{}: more than the image has", engine.name);
        let file = |path: &str| to.join(path).metadata().expect("is there").ino();
        for folder in ["made", "sent"] {
            assert_eq!(file(&format!("{folder}/one")), file(&format!("{folder}/other")), "{}", engine.name);
            assert_ne!(file(&format!("{folder}/one")), file(&format!("{folder}/third")), "{}", engine.name);
        }
    }
}

#[test]
fn a_layout_has_the_image_under_each_of_its_names() {
    let Some(engine) = engines::newer() else { return };
    let Some(folder) = folder() else { return };
    let build_layout = |names: &[&str]| {
        let names = names.iter().flat_map(|name| ["--tag", name]);
        let rest = [".", "--progress", "quiet", "-o", "type=layout,dest=image"];
        let answer = build(&engine, folder.path(), &rest.into_iter().chain(names).collect::<Vec<_>>());
        assert_eq!(answer.code, 0, "{}", answer.stderr);
        answer.text().trim().parse::<Digest>().expect("the digest is what is written")
    };
    let digest = build_layout(&["wire/outputs:one", "wire/others:two"]);
    let path = folder.path().join("image");
    let layout = Layout::open(&path).expect("is one");
    for tag in ["one", "two"] {
        let image = layout.image(Wanted { digest: None, tag: Some(tag) }, &Platform::linux_amd64());
        assert_eq!(image.expect("is there").manifest, digest, "{tag}");
    }
    // All that the layout has is what its documents say that it is, down to each layer.
    let listed = oci::listing(&path);
    assert!(listed.starts_with("image one\n") && listed.contains("\nimage two\n"), "{listed}");
    let links = listed.lines().filter(|line| line.contains("/other") && line.contains("/one")).count();
    assert_eq!(links, 4, "two files have two names, in two images: {listed}");

    // Whoever builds again has the newer image, and nothing that was only the older one's.
    assert_eq!(build_layout(&["wire/outputs:three"]), digest);
    assert!(oci::listing(&path).starts_with("image three\n"), "{}", oci::listing(&path));
    assert_eq!(names_in(folder.path()), [".cog", "image", "plan.cpk", "source"]);
}

/// What an engine has under a name, which goes with this.
fn taken(engine: &Engine, names: &[String]) -> Vec<EngineImage> {
    let runtime = tokio::runtime::Runtime::new().expect("can be made");
    let endpoint = Endpoint::of_engine(&engine.host, None).expect("is one");
    runtime.block_on(async {
        let engine = Docker::at(&endpoint).expect("is there");
        let mut images = Vec::new();
        for name in names {
            images.push(engine.image(name).await.unwrap_or_else(|error| panic!("{name}: {error}")));
            engine.remove(name).await.expect("it was there");
        }
        images
    })
}

/// `cogpackc build` by the newer engine's BuildKit as if it stood alone, for another engine.
pub fn build_for(engine: &Engine, builder: &Engine, folder: &Path, arguments: &[&str]) -> Answer {
    let mut environment = Environment::default();
    environment.docker.host = Some(engine.host.clone());
    let given = ["build", ".", "--buildkit", &builder.buildkit];
    cogpackc_in(environment, folder, &[&given[..], arguments].concat())
}

#[test]
fn a_daemon_that_stands_alone_loads_into_the_engine_that_docker_uses() {
    let (Some(older), Some(newer)) = (engines::older(), engines::newer()) else { return };
    for engine in [&older, &newer] {
        let Some(folder) = folder() else { return };
        let names = ["one", "two"]
            .map(|tag| format!("wire/loaded-into-{}:{tag}-{}", engine.name, std::process::id()));
        let arguments =
            ["--progress", "plain", "--load", "--tag", &names[0], "--tag", &names[1], "--iidfile", "id"];
        let answer = build_for(engine, &newer, folder.path(), &arguments);
        assert_eq!(answer.code, 0, "{}: {}", engine.name, answer.stderr);
        assert!(answer.stderr.contains(&format!("the engine at {}", engine.host)), "{}", answer.stderr);
        let images = taken(engine, &names);
        assert_eq!(images[0].id, images[1].id, "{}", engine.name);
        assert_eq!(images[0].layers.len(), 2, "{}: {images:#?}", engine.name);
        let id = std::fs::read_to_string(folder.path().join("id")).expect("was written");
        if engine.merges {
            assert_eq!(id, images[0].id.to_string(), "{}", engine.name);
        }
    }
}

#[test]
fn an_engine_knows_its_own_builds_by_all_their_names() {
    for engine in [engines::older(), engines::newer()].into_iter().flatten() {
        let Some(folder) = folder() else { return };
        let names = ["one", "two"].map(|tag| format!("wire/named-{tag}:{}", std::process::id()));
        let (form, ids) = (["--format", "json"], ["--iidfile", "id"]);
        let tags = ["--tag", &names[0], "--tag", &names[1]];
        let arguments = [&[".", "--progress", "quiet"][..], &form, &ids, &tags].concat();
        let answer = build(&engine, folder.path(), &arguments);
        assert_eq!(answer.code, 0, "{}: {}", engine.name, answer.stderr);
        let told: serde_json::Value = serde_json::from_str(answer.text()).expect("is JSON");
        let told = told["layers"].as_array().expect("layers are told");
        let digests: Vec<_> = told.iter().map(|layer| layer["digest"].clone()).collect();
        assert!(told.iter().all(|layer| layer["size"].as_u64() > Some(0)), "{}: {told:#?}", engine.name);
        let id = std::fs::read_to_string(folder.path().join("id")).expect("was written");
        for image in taken(&engine, &names) {
            assert_eq!(image.id.to_string(), id, "{}", engine.name);
            let layers: Vec<_> = image.layers.iter().map(|layer| layer.to_string()).collect();
            assert!(!layers.is_empty() && digests == layers, "{}: {digests:?} {layers:?}", engine.name);
        }
    }
}
