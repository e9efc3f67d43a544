//! `check --fix` asks servers what only they can say: here servers of the test's own, on this machine.
//! `tests/end-to-end/65-fix.sh` asks a registry and an archive of Debian.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};

use cogpack_cli::Environment;
use cogpack_content::Digest;
use cogpack_tests::plans::folder_with;
use cogpack_tests::terminal::{Answer, cogpackc_in};
use serde_json::Value;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// Serves these paths, each with its type, until the tests end; and remembers what it was asked.
struct Server {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(files: BTreeMap<String, (&'static str, Vec<u8>)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
        let port = listener.local_addr().expect("it has one").port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("somebody calls");
                let lines = BufReader::new(stream.try_clone().expect("is open")).lines();
                let lines: Vec<String> =
                    lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
                // A connection that is closed without a word asks nothing.
                let Some(path) = lines.first().and_then(|line| line.split(' ').nth(1)) else { continue };
                let path = path.to_owned();
                heard.lock().expect("nobody fails with it").push(path.clone());
                let (status, (kind, body)) = match files.get(&path) {
                    Some(file) => ("200 OK", file.clone()),
                    None => ("404 Not Found", ("text/plain", Vec::new())),
                };
                let head = format!(
                    "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                );
                // Whoever has what it wanted may have gone.
                let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
            }
        });
        Self { port, asked }
    }

    /// One with a tool, a repository, and the image `app/base:1`.
    fn with_all() -> Self {
        let config = br#"{"architecture":"amd64","os":"linux","config":{"Env":["PATH=/bin"],"User":"me"},"rootfs":{"type":"layers","diff_ids":[]}}"#;
        let (digest, size) = (Digest::of(config), config.len());
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{digest}","size":{size}}},"layers":[]}}"#
        );
        let refs = format!("001e# service=git-upload-pack\n0000{:04x}{COMMIT} HEAD\n0000", 4 + 40 + 6);
        let pinned = Digest::of(manifest.as_bytes());
        let files = [
            ("/tool".to_owned(), ("text/plain", b"hello".to_vec())),
            ("/repository/info/refs?service=git-upload-pack".to_owned(), ("text/plain", refs.into_bytes())),
            ("/v2/".to_owned(), ("application/json", b"{}".to_vec())),
            ("/v2/app/base/manifests/1".to_owned(), (MANIFEST, manifest.clone().into_bytes())),
            (format!("/v2/app/base/manifests/{pinned}"), (MANIFEST, manifest.into_bytes())),
            (format!("/v2/app/base/blobs/{digest}"), ("application/octet-stream", config.to_vec())),
        ];
        Self::start(files.into_iter().collect())
    }

    fn number_of_requests(&self, path: &str) -> usize {
        self.asked.lock().expect("nobody fails with it").iter().filter(|asked| *asked == path).count()
    }
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A plan with all that can be asked of one server. The lint passes over addresses of the machine itself; this
/// is one that is written otherwise.
fn plan(port: u16) -> String {
    format!(
        r#"cpk 1

platform linux/amd64

# The base.
image @base = "127.0.0.1:{port}/app/base:1"  # of ours

context @source = git "http://127.0.0.1:{port}/repository"

context @tool = http "http://127.0.0.1:{port}/tool" {{
  # A program.
  mode 0755
}}

stage %app from image @base {{
  run """
    set -e
    curl -fsSo /tool http://127.1:{port}/tool  # the tool
    chmod 755 /tool
    """
  run "wget -qO \"/other tool\" http://127.1:{port}/tool && chmod 755 /other*"
  copy "tool" from @tool to "/bin/tool"
  copy contents "." from @source to "/src"
}}

export from %app
"#
    )
}

fn check(folder: &Path, arguments: &[&str]) -> Answer {
    let environment = Environment { store: Some(folder.join("store")), ..Environment::default() };
    cogpackc_in(environment, folder, &[&["check", "plan.cpk"], arguments].concat())
}

#[test]
fn what_servers_say_is_written_into_the_plan() {
    let server = Server::with_all();
    let text = plan(server.port);
    let folder = folder_with(&[("plan.cpk", &text)]);
    let answer = check(folder.path(), &["--fix"]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    let fixed = fs::read_to_string(folder.path().join("plan.cpk")).expect("it is there");
    let port = server.port;
    let hash = Digest::of(b"hello").hex();
    let pinned = fixed.split_once("  digest ").and_then(|(_, rest)| rest.lines().next()).expect("is pinned");
    // All of it, and nothing else.
    let expected = text
        .replace(
            "  # of ours\n",
            &format!("  # of ours\n  digest {pinned}\n  env PATH = \"/bin\"\n  user \"me\"\n"),
        )
        .replace("/repository\"\n", &format!("/repository\" {{\n  commit {COMMIT}\n}}\n"))
        .replace("  # A program.\n", &format!("  checksum sha256:{hash}\n  # A program.\n"))
        .replace(
            &format!("/tool http://127.1:{port}/tool  # the tool"),
            &format!(
                "/tool http://127.1:{port}/tool; echo '{hash}  /tool' | sha256sum -c - || exit 1  # the tool"
            ),
        )
        .replace(
            &format!(r#"/other tool\" http://127.1:{port}/tool && "#),
            &format!(
                r#"/other tool\" http://127.1:{port}/tool && echo '{hash}  /other tool' | sha256sum -c - && "#
            ),
        );
    assert_eq!(fixed, expected);
    let said = format!("5 bytes of `http://127.1:{port}/tool` hash to sha256:{hash} at the moment");
    assert_eq!(answer.stderr.matches(&said).count(), 2, "{}", answer.stderr);
    // What is needed twice is asked for once, in one way of writing it.
    assert_eq!(server.number_of_requests("/tool"), 3, "as the context has it, by curl and by wget");
    let before = server.asked.lock().expect("nobody fails with it").len();
    let again = check(folder.path(), &["--fix", "--deny", "cpk::image,cpk::context,lint::download"]);
    assert_eq!((again.code, again.stderr.contains(": mended ")), (0, false), "{}", again.stderr);
    assert_eq!(
        server.asked.lock().expect("nobody fails with it").len(),
        before,
        "nothing is left to be asked"
    );
}

#[test]
fn nobody_is_asked_without_a_word_or_offline() {
    let server = Server::with_all();
    let text = plan(server.port);
    let folder = folder_with(&[("plan.cpk", &text)]);
    let plain = check(folder.path(), &[]);
    assert!(
        plain.stderr.contains("hint: `--fix` mends 5 of them, as far as servers answer"),
        "{}",
        plain.stderr
    );
    let offline = check(folder.path(), &["--fix", "--offline"]);
    assert_eq!(offline.code, 0, "{}", offline.stderr);
    assert_eq!(
        offline.stderr.matches("would be asked, and `--offline` was said").count(),
        5,
        "{}",
        offline.stderr
    );
    assert_eq!(fs::read_to_string(folder.path().join("plan.cpk")).expect("it is there"), text);
    let asked = server.asked.lock().expect("nobody fails with it");
    assert!(asked.is_empty(), "{asked:?}");
    drop(asked);
    // The option says nothing without the other.
    assert_eq!(check(folder.path(), &["--offline"]).code, 2);
}

#[test]
fn what_does_not_answer_is_left_and_the_rest_is_mended() {
    let server = Server::with_all();
    let port = server.port;
    let text = plan(port)
        .replace("app/base:1", "app/none:1")
        .replace("/repository", "/tool")
        .replace("/tool\" {", "/none\" {\n  name \"tool\"")
        .replace(
            "  run \"wget",
            "  mkdir \"/data\" mode 0777\n  file \"/data/a\" mode 0666 = \"a\"\n  run \"wget",
        );
    let folder = folder_with(&[("plan.cpk", &text)]);
    let answer = check(folder.path(), &["--fix", "--format", "json", "--deny", "cpk::context"]);
    // What is left counts as it does without `--fix`.
    assert_eq!(answer.code, 1, "{}", answer.stderr);
    let mut documents = serde_json::Deserializer::from_slice(&answer.stdout).into_iter::<Value>();
    let said = documents.next().expect("says what was done").expect("is JSON");
    let list = |key: &str| -> Vec<String> {
        let lines = said[key].as_array().expect("is a list").iter();
        lines.map(|line| format!("{} {}", line["code"], line["what"]).replace('"', "")).collect()
    };
    let (mended, left) = (list("mended").join("\n"), list("left").join("\n"));
    assert_eq!(mended.matches("lint::download::checksum").count(), 2, "{mended}");
    assert_eq!(mended.matches("lint::mode::world-writable").count(), 1, "{mended}");
    for reason in [
        format!(
            "cpk::image::unpinned pull the manifest 127.0.0.1:{port}/app/none:1: the registry at 127.0.0.1:{port} answers 404"
        ),
        format!("cpk::context::unpinned `http://127.0.0.1:{port}/none` answers 404"),
        format!("cpk::context::unpinned `http://127.0.0.1:{port}/tool/info/refs` answers 404"),
    ] {
        assert!(left.contains(&reason), "{reason} is not in {left}");
    }
    let fixed = fs::read_to_string(folder.path().join("plan.cpk")).expect("it is there");
    assert!(
        !fixed.contains("digest ") && !fixed.contains("commit ") && fixed.contains("mode 0664"),
        "{fixed}"
    );
    let left = fs::read_dir(folder.path()).expect("can be listed").count();
    assert_eq!(left, 2, "the plan and the store, and nothing that was half-written");
}

#[test]
fn of_a_plan_that_breaks_a_rule_nobody_is_asked() {
    let server = Server::with_all();
    let text = plan(server.port).replace("http://127.0.0.1", "http://me:word@127.0.0.1");
    let folder = folder_with(&[("plan.cpk", &text)]);
    let answer = check(folder.path(), &["--fix"]);
    assert_eq!(answer.code, 1, "{}", answer.stderr);
    let left = "left cpk::context::unpinned: nobody is asked for a plan that breaks a rule\n";
    assert_eq!(answer.stderr.matches(left).count(), 2, "{}", answer.stderr);
    assert!(server.asked.lock().expect("nobody fails with it").is_empty());
    assert_eq!(fs::read_to_string(folder.path().join("plan.cpk")).expect("it is there"), text);
}
