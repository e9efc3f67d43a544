//! The files of `-o llb -O DIR/`, solved by a daemon for a client that knows nothing of the plan.

use std::collections::BTreeMap;
use std::io::{Read as _, Write};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use bollard_buildkit_proto::pb;
use cogpack_content::{Digest, Platform};
use cogpack_io_buildkit::address::Address;
use cogpack_io_buildkit::connection::Connection;
use cogpack_io_buildkit::directories::{Directories, Directory};
use cogpack_io_buildkit::exports::{METHODS, ToFile};
use cogpack_io_buildkit::session::Services;
use cogpack_io_buildkit::solve::{Exporter, Graph, Request, Solved, solve};
use cogpack_io_buildkit::update::Update;
use cogpack_tests::engines::{self, Engine};
use cogpack_tests::filesystem::{Listing, list_tar};
use cogpack_tests::packages;
use cogpack_tests::terminal::{cogpackc, cogpackc_in};
use prost::Message as _;
use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;

/// The same definition, with all that it does to files to be done anew: ops keep their digests.
///
/// Nothing is pruned for this: BuildKit then also drops what builds that go on have found in its cache.
/// Sources are left as they are: builds that go on and share one would look nothing up that stands on it.
fn anew(definition: &[u8]) -> Vec<u8> {
    let mut definition = pb::Definition::decode(definition).expect("it is a definition");
    for bytes in &definition.def {
        let op = pb::Op::decode(bytes.as_slice()).expect("it is an op");
        if let Some(pb::op::Op::Exec(_) | pb::op::Op::File(_)) = op.op {
            let described = definition.metadata.entry(Digest::of(bytes).to_string()).or_default();
            described.ignore_cache = true;
        }
    }
    definition.encode_to_vec()
}

/// A stream of which what was written is there afterwards.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("nobody fails with it").extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The directories that the command of `llb.md` sends, by the names that it sends them under.
fn told_to_send(made: &Path) -> BTreeMap<String, Directory> {
    let readme = std::fs::read_to_string(made.join("llb.md")).expect("was written");
    let options = readme.lines().filter_map(|line| line.trim().strip_prefix("--local "));
    let directory = |option: &str| {
        let (name, place) = option.trim_end_matches(" \\").split_once('=').expect("reads NAME=DIR");
        (name.to_owned(), Directory::open(&made.join(place)).expect("it is a directory"))
    };
    options.map(directory).collect()
}

/// What a daemon is to do with a definition.
type Ask = fn(&[u8]) -> Vec<u8>;

/// Solves the definition in a directory with what its `llb.md` says; gives what the exporter
/// answers and sends, and the programs that ran.
async fn solved(
    connection: &Connection,
    made: &Path,
    ask: Ask,
    exporter: &str,
) -> (Solved, Vec<u8>, Vec<String>) {
    let read = |name: &str| std::fs::read(made.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let directories = Directories::new(told_to_send(made));
    let kept = Kept::default();
    let image = ToFile::to_stream(kept.clone());
    let attributes = [("source-date-epoch", "0"), ("rewrite-timestamp", "true")];
    let attributes = attributes.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let request = Request {
        graphs: vec![Graph {
            platform: Platform::linux_amd64(),
            definition: ask(&read("llb.pb")),
            config: read("image-config.json"),
            base_config: Vec::new(),
        }],
        exporters: vec![Exporter { kind: exporter.to_owned(), attributes: attributes.into() }],
        services: Services::new()
            .add(directories.to_server(), Directories::METHODS)
            .add(image.to_server(), METHODS),
        ..Request::default()
    };
    let (updates, mut news) = unbounded_channel();
    let solved = solve(connection, request, updates, CancellationToken::new()).await.expect("it builds");
    let mut ran = Vec::new();
    while let Some(update) = news.recv().await {
        if let Update::Vertex { name, completed: Some(_), cached: false, .. } = update
            && name.contains(": run ")
        {
            ran.push(name);
        }
    }
    let sent = std::mem::take(&mut *kept.0.lock().expect("nobody fails with it"));
    (solved, sent, ran)
}

/// The command of `llb.md`, run with BuildKit's own client where it says; gives the digest of the image.
fn image_by_command(engine: &Engine, buildctl: &str, made: &Path) -> String {
    let readme = std::fs::read_to_string(made.join("llb.md")).expect("was written");
    let command = readme.split("```sh\n").nth(1).and_then(|rest| rest.split("\n```").next());
    let command = command.expect("the text has a command");
    let programs = Path::new(buildctl).parent().expect("it lies in a directory").to_owned();
    let path = std::env::var_os("PATH").expect("is set");
    let path = std::env::join_paths(std::iter::once(programs).chain(std::env::split_paths(&path)));
    let done = Command::new("timeout")
        .args(["120", "sh", "-c", command])
        .current_dir(made)
        .env("PATH", path.expect("is a list of directories"))
        .env("BUILDKIT_HOST", &engine.buildkit)
        .output()
        .expect("a shell can be started");
    assert!(done.status.success(), "{command}: {}", String::from_utf8_lossy(&done.stderr));
    let archive = std::fs::File::open(made.join("image.tar")).expect("was written");
    let mut archive = tar::Archive::new(archive);
    let mut index = String::new();
    for entry in archive.entries().expect("it is an archive") {
        let mut entry = entry.expect("it is an archive");
        if entry.path().expect("it is an archive").as_ref() == Path::new("index.json") {
            entry.read_to_string(&mut index).expect("it is a text");
        }
    }
    let index: serde_json::Value = serde_json::from_str(&index).expect("the image has an index");
    index["manifests"][0]["digest"].as_str().expect("the index names the image").to_owned()
}

/// The digest of the image of a definition, and the programs that ran.
async fn image_of(connection: &Connection, made: &Path, ask: Ask) -> (String, Vec<String>) {
    let (solved, _, ran) = solved(connection, made, ask, "oci").await;
    (solved.exporter_response["containerimage.digest"].clone(), ran)
}

#[test]
fn the_files_of_a_definition_give_one_image_when_all_of_it_is_made_anew() {
    let (Some(engine), Some(registry)) = (engines::newer(), engines::registry()) else { return };
    let buildctl = engines::buildctl().expect("the rig has made it");
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mark = format!("wire-definitions-{}", std::process::id());
    let plan = format!(
        "cpk 1
image @base = \"{registry}/base/debian:bookworm-slim\"
context @source = dir \"source\"
stage %made from image @base {{
  run \"mkdir /made; echo {mark} >/made/said\"
}}
stage %app from image @base {{
  copy contents \".\" from @source to \"/src/{mark}\"
  copy \"/made/said\" from %made to \"/said/{mark}\"
  run \"cat /said/{mark} /src/{mark}/hello >/both\"
}}
export from %app {{ cmd [\"cat\", \"/both\"] label said = \"{mark}\" }}
"
    );
    std::fs::write(folder.path().join("plan.cpk"), plan).expect("is writable");
    let source = folder.path().join("source");
    std::fs::create_dir(&source).expect("is writable");
    std::fs::write(source.join("hello"), &mark).expect("is writable");
    let answer = cogpackc(folder.path(), &["plan.cpk", "-o", "llb", "-O", "made/"]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    let made = folder.path().join("made");

    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be made");
    runtime.block_on(async {
        let address = Address::of_engine(&engine.host, None).expect("the rig's address is one");
        let connection = Connection::open(&address).await.expect("the rig's engine is up");
        let (first, ran) = image_of(&connection, &made, <[u8]>::to_vec).await;
        assert_eq!(ran.len(), 2, "{ran:?}");
        let (_, again) = image_of(&connection, &made, <[u8]>::to_vec).await;
        assert!(again.is_empty(), "{again:?}");
        let (second, ran) = image_of(&connection, &made, anew).await;
        assert_eq!(ran.len(), 2, "not all was made anew: {ran:?}");
        assert_eq!(first, second);
        assert_eq!(image_by_command(&engine, &buildctl, &made), first);
    });
}

#[test]
fn packages_beside_a_definition_become_what_a_build_makes_of_them() {
    for (engine, limits) in [(engines::older(), &["--limits", "none"][..]), (engines::newer(), &[])] {
        let Some(engine) = engine else { return };
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        // Definitions that are solved at one time must not read directories of one name: see `local.unique`.
        let tool = format!("{} {:?}", engine.name, std::time::SystemTime::now());
        let plan = format!(
            "cpk 1
context @hello = dir \"source\"
{}stage %app from @system {{
  copy \"usr/bin/tool\" from @system to \"/opt/tool\"
  copy contents \"etc\" from @system to \"/srv\"
  copy contents \".\" from @hello to \"/src\"
}}
export from %app {{ cmd [\"/opt/tool\"] }}
",
            packages::context(folder.path(), &tool)
        );
        std::fs::write(folder.path().join("plan.cpk"), plan).expect("is writable");
        std::fs::create_dir(folder.path().join("source")).expect("is writable");
        std::fs::write(folder.path().join("source/hello"), &tool).expect("is writable");
        let mut environment = packages::environment(folder.path());
        environment.docker.host = Some(engine.host.clone());
        let cogpackc = |arguments: &[&str]| {
            let answer = cogpackc_in(environment.clone(), folder.path(), arguments);
            assert_eq!(answer.code, 0, "{}: {}", engine.name, answer.stderr);
        };
        cogpackc(&["build", "plan.cpk", "--progress", "quiet", "-o", "type=tar,dest=files.tar"]);
        let built = std::fs::read(folder.path().join("files.tar")).expect("the result is there");
        cogpackc(&[&["plan.cpk", "-o", "llb", "-O", "made/"], limits].concat());

        let runtime = tokio::runtime::Runtime::new().expect("a runtime can be made");
        let sent = runtime.block_on(async {
            let address = Address::of_engine(&engine.host, None).expect("the rig's address is one");
            let connection = Connection::open(&address).await.expect("the rig's engine is up");
            solved(&connection, &folder.path().join("made"), <[u8]>::to_vec, "tar").await.1
        });
        let files: Listing = list_tar(&sent);
        assert_eq!(files, list_tar(&built), "{}", engine.name);
        for (path, what) in [
            ("usr/bin/tool", "file 4755 0:0"),
            ("usr/bin/name", "file 4755 0:0"),
            ("opt/tool", "file 4755 0:0"),
            ("etc/key", "file 0640 0:42"),
            ("srv/key", "file 0640 0:0"),
            ("var/mail", "directory 2775 0:8"),
            ("usr/bin/link", "link 0:0"),
            ("src/hello", "file 0644 0:0"),
        ] {
            let found = files.get(path).unwrap_or_else(|| panic!("{}: no {path}: {files:#?}", engine.name));
            assert!(found.starts_with(what), "{}: {path}: {found}", engine.name);
        }
    }
}
