//! Commits of repositories that git's own server gives, on this machine.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cogpack_io_store::Store;
use cogpack_ir::plan::context::GitContext;
use cogpack_ir::plan::{InputName, Span, Spanned};
use miette::Diagnostic as _;

use crate::checkout::{Checkout, CheckoutError, Repositories};
use crate::program::Cancel;

/// A server with repositories. It serves as long as the test runs.
struct Origin {
    folder: tempfile::TempDir,
    port: u16,
}

impl Origin {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it listens").port();
        let base = folder.path().to_owned();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                serve(&base, stream);
            }
        });
        Self { folder, port }
    }

    fn url(&self, name: &str) -> String {
        format!("git://127.0.0.1:{}/{name}", self.port)
    }

    /// A new repository.
    fn repository(&self, name: &str) -> Repository {
        let path = self.folder.path().join(name);
        fs::create_dir(&path).expect("can be made");
        let repository = Repository { path };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository
    }
}

/// Answers one client, as `inetd` has git do it.
fn serve(base: &Path, stream: TcpStream) {
    let input = OwnedFd::from(stream.try_clone().expect("can be copied"));
    let mut server = Command::new("git");
    server.arg("daemon").args(["--inetd", "--export-all"]).arg(format!("--base-path={}", base.display()));
    let output = OwnedFd::from(stream);
    let served = server.stdin(input).stdout(output).stderr(Stdio::null()).status();
    served.expect("git has its own server");
}

struct Repository {
    path: PathBuf,
}

impl Repository {
    fn git(&self, words: &[&str]) -> String {
        self.git_with(words, "")
    }

    fn git_with(&self, words: &[&str], input: &str) -> String {
        let mut git = Command::new("git");
        git.current_dir(&self.path).args(["-c", "user.name=test", "-c", "user.email=test@localhost"]);
        let piped = git.args(words).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut running = piped.spawn().expect("git is installed");
        let mut stdin = running.stdin.take().expect("is piped");
        stdin.write_all(input.as_bytes()).expect("git reads it");
        drop(stdin);
        let answer = running.wait_with_output().expect("git ends");
        assert!(answer.status.success(), "git {words:?}");
        String::from_utf8(answer.stdout).expect("is text").trim().to_owned()
    }

    fn write(&self, path: &str, text: &str) -> &Self {
        let path = self.path.join(path);
        fs::create_dir_all(path.parent().expect("is below")).expect("can be made");
        fs::write(path, text).expect("can be written");
        self
    }

    /// Commits all that is there, and says as what.
    fn commit(&self) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", "a commit"]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Notes a commit of another repository.
    fn name_submodule(&self, path: &str, url: &str, commit: &str) -> &Self {
        self.git(&["config", "--file", ".gitmodules", &format!("submodule.{path}.path"), path]);
        self.git(&["config", "--file", ".gitmodules", &format!("submodule.{path}.url"), url]);
        self.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},{path}")]);
        fs::create_dir_all(self.path.join(path)).expect("can be made");
        self
    }
}

fn context(url: &str, commit: Option<&str>, subdir: Option<&str>) -> GitContext {
    let text = |text: &str| Spanned::nowhere(text.to_owned());
    GitContext { url: text(url), commit: commit.map(text), subdir: subdir.map(text) }
}

fn fetch(store: &Store, context: GitContext, cancel: &Cancel) -> Result<Checkout, CheckoutError> {
    fetch_by(std::env::var_os("PATH"), store, context, cancel)
}

/// Fetches by the git on this search path.
fn fetch_by(
    path: Option<OsString>,
    store: &Store,
    context: GitContext,
    cancel: &Cancel,
) -> Result<Checkout, CheckoutError> {
    let name = InputName::new("code").expect("is a name");
    let contexts = vec![(name, context, Span::NOWHERE)];
    let mut fetched = Repositories { store: store.clone(), path, contexts }.fetch(cancel);
    fetched.pop().expect("one was asked for").1
}

fn problem(store: &Store, context: GitContext) -> String {
    told(fetch(store, context, &Cancel::default()))
}

/// The code and the words of what the plan is told.
fn told(fetched: Result<Checkout, CheckoutError>) -> String {
    match fetched {
        Err(CheckoutError::Plan(problem)) => {
            let code = problem.code().expect("has a code").to_string();
            format!("{code}: {problem}")
        }
        other => panic!("{other:?}"),
    }
}

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let store = Store::open(folder.path()).expect("can be made");
    (folder, store)
}

/// All that is below a directory, with modes, links and texts.
fn listed(root: &Path) -> Vec<String> {
    let (mut lines, mut waiting) = (Vec::new(), vec![root.to_owned()]);
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(&directory).expect("can be listed") {
            let path = entry.expect("can be listed").path();
            let name = path.strip_prefix(root).expect("is below").display().to_string();
            let metadata = fs::symlink_metadata(&path).expect("is there");
            let mode = metadata.permissions().mode() & 0o7777;
            lines.push(match () {
                () if metadata.is_dir() => format!("{name}/ {mode:o}"),
                () if metadata.is_symlink() => {
                    format!("{name} -> {}", fs::read_link(&path).expect("is one").display())
                }
                () => format!("{name} {mode:o} {:?}", fs::read_to_string(&path).expect("is text")),
            });
            if metadata.is_dir() {
                waiting.push(path);
            }
        }
    }
    lines.sort();
    lines
}

#[test]
fn a_commit_becomes_its_files_and_is_fetched_once() {
    let (origin, (_folder, store)) = (Origin::new(), store());
    let below = origin.repository("below");
    let deep = below.write("deep", "deep\n").commit();
    let library = origin.repository("library");
    library.write("code", "code\n").name_submodule("more", "../below", &deep);
    let of_library = library.commit();
    let whole = origin.repository("whole");
    whole.write("tool", "#!/bin/sh\n").write("kept/ignored.txt", "ignored\n");
    whole.write(".gitignore", "x\n").write(".dockerignore", "kept\n");
    whole.write(".gitattributes", "*.txt text eol=crlf\n");
    fs::set_permissions(whole.path.join("tool"), fs::Permissions::from_mode(0o700)).expect("is ours");
    symlink("/etc/passwd", whole.path.join("link")).expect("can be made");
    whole.name_submodule("vendor/library", "../library", &of_library);
    let wanted = whole.commit();
    let newest = whole.write("tool", "too new\n").commit();
    let url = origin.url("whole");
    let fetched = fetch(&store, context(&url, Some(&wanted), None), &Cancel::default()).expect("is fetched");
    assert_eq!(
        listed(&fetched.root).into_iter().filter(|line| !line.starts_with(".gitmodules")).collect::<Vec<_>>(),
        [
            ".dockerignore 644 \"kept\\n\"",
            ".gitattributes 644 \"*.txt text eol=crlf\\n\"",
            ".gitignore 644 \"x\\n\"",
            "kept/ 755",
            "kept/ignored.txt 644 \"ignored\\r\\n\"",
            "link -> /etc/passwd",
            "tool 755 \"#!/bin/sh\\n\"",
            "vendor/ 755",
            "vendor/library/ 755",
            "vendor/library/.gitmodules 644 \"[submodule \\\"more\\\"]\\n\\tpath = more\\n\\turl = ../below\\n\"",
            "vendor/library/code 644 \"code\\n\"",
            "vendor/library/more/ 755",
            "vendor/library/more/deep 644 \"deep\\n\"",
        ]
    );
    // Without a commit it is what HEAD names, and a directory of it is what was asked for.
    let head = fetch(&store, context(&url, None, Some("/vendor/../kept")), &Cancel::default());
    assert_eq!(listed(&head.expect("is fetched").root), ["ignored.txt 644 \"ignored\\r\\n\""]);
    let of_newest = fetch(&store, context(&url, Some(&newest), None), &Cancel::default());
    let tool = of_newest.expect("is fetched").root.join("tool");
    assert_eq!(fs::read_to_string(tool).expect("is there"), "too new\n");
    // What is there is not asked for, however it is written.
    for repository in [whole, library, below] {
        fs::remove_dir_all(&repository.path).expect("can be removed");
    }
    let again = fetch(&store, context(&url, Some(&wanted.to_uppercase()), None), &Cancel::default());
    assert_eq!(again.expect("is kept").root, fetched.root);
    assert!(problem(&store, context(&url, None, None)).starts_with("cpk::git::fetch: "));
    assert_eq!(store.faults().expect("can be read"), []);
    assert!(store.is_settled(), "what was fetched is on the disk");
}

#[test]
fn what_cannot_be_fetched_is_told() {
    let (origin, (_folder, store)) = (Origin::new(), store());
    let code = origin.repository("code");
    symlink("/", code.path.join("out")).expect("can be made");
    let commit = code.write("a/file", "a\n").commit();
    code.git(&["tag", "--annotate", "--message", "a tag", "v1"]);
    let tag = code.git(&["rev-parse", "v1"]);
    let url = origin.url("code");
    let none = "0123456789012345678901234567890123456789";
    let of = |commit: &str, subdir| problem(&store, context(&url, Some(commit), subdir));
    assert_eq!(
        of(&tag, None),
        format!("cpk::git::commit: the repository `{url}` has no commit `{tag}`: that is a tag")
    );
    // Whoever asks for what is not there is told so by the server, or by what is missing in the end.
    assert_eq!(of(none, None), format!("cpk::git::commit: the repository `{url}` has no commit `{none}`"));
    assert_eq!(of(&commit, Some("b")), "cpk::git::directory: `b` is not in the commit");
    assert_eq!(of(&commit, Some("a/file")), "cpk::git::directory: `a/file` is a file of the commit");
    assert_eq!(of(&commit, Some("a/file/b")), "cpk::git::directory: `a/file/b` is not in the commit");
    assert_eq!(of(&commit, Some("out")), "cpk::git::directory: `out` leads out of the repository");
    assert_eq!(of(&commit, Some("out/etc")), "cpk::git::directory: `out/etc` leads out of the repository");
    for address in
        [code.path.display().to_string(), format!("file://{}", code.path.display()), "ext::sh".to_owned()]
    {
        let said = problem(&store, context(&address, Some(&commit), None));
        assert_eq!(
            said,
            format!(
                "cpk::git::fetch: the repository `{address}` cannot be fetched: it is not the address of a server"
            )
        );
    }
    let said = problem(&store, context("http://me:word@127.0.0.1:1/a", Some(&commit), None));
    assert!(said.starts_with("cpk::git::fetch: the repository `http://…@127.0.0.1:1/a` cannot"), "{said}");
    assert!(!said.contains("word"), "{said}");
    let nowhere = Some(origin.folder.path().join("none").into_os_string());
    let said = told(fetch_by(nowhere, &store, context(&url, Some(none), None), &Cancel::default()));
    assert!(said.starts_with("cpk::git::program: "), "{said}");
}

#[test]
fn submodules_lead_to_servers_alone() {
    let (origin, (_folder, store)) = (Origin::new(), store());
    let secret = origin.repository("secret");
    let commit = secret.write("file", "secret\n").commit();
    let paths = [secret.path.display().to_string(), format!("file://{}", secret.path.display())];
    for (place, said) in paths.iter().chain([&"../../../../x".to_owned()]).enumerate() {
        let name = format!("leads-{place}");
        let leading = origin.repository(&name);
        let wanted = leading.write("file", "a\n").name_submodule("sub", said, &commit).commit();
        let told = problem(&store, context(&origin.url(&name), Some(&wanted), None));
        assert!(
            told.starts_with("cpk::git::submodule: the submodule `sub` of ")
                && told.contains("none of a server"),
            "{told}"
        );
    }
    let unnamed = origin.repository("unnamed");
    unnamed.write("file", "a\n").git(&[
        "update-index",
        "--add",
        "--cacheinfo",
        &format!("160000,{commit},sub"),
    ]);
    fs::create_dir(unnamed.path.join("sub")).expect("can be made");
    let wanted = unnamed.commit();
    let told = problem(&store, context(&origin.url("unnamed"), Some(&wanted), None));
    assert!(told.ends_with("has no address in `.gitmodules`"), "{told}");
    let left_out = origin.repository("left-out");
    left_out.write("file", "a\n").name_submodule("sub", "/nowhere", &commit);
    left_out.git(&["config", "--file", ".gitmodules", "submodule.sub.update", "none"]);
    let wanted = left_out.commit();
    let url = origin.url("left-out");
    let fetched = fetch(&store, context(&url, Some(&wanted), None), &Cancel::default()).expect("is fetched");
    assert!(listed(&fetched.root).contains(&"sub/ 755".to_owned()));
}

#[test]
fn a_commit_that_names_one_file_a_million_times_is_not_laid_out() {
    let (origin, (folder, store)) = (Origin::new(), store());
    let bomb = origin.repository("bomb");
    let mut id = bomb.git_with(&["hash-object", "-w", "--stdin"], "a\n");
    let mut entry = "100644 blob";
    for _ in 0..7 {
        let tree: String = (0..10).map(|name| format!("{entry} {id}\t{name}\n")).collect();
        (id, entry) = (bomb.git_with(&["mktree"], &tree), "040000 tree");
    }
    let commit = bomb.git(&["commit-tree", "-m", "a bomb", &id]);
    bomb.git(&["update-ref", "refs/heads/main", &commit]);
    let told = problem(&store, context(&origin.url("bomb"), Some(&commit), None));
    assert!(told.starts_with("cpk::git::large: ") && told.ends_with("has more than 2000000 files"), "{told}");
    let left: Vec<_> = fs::read_dir(folder.path().join("work")).expect("is there").collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_server_that_is_silent_is_left_when_nobody_wants_it_any_more() {
    let (_folder, store) = store();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let url = format!("git://{}/silent", listener.local_addr().expect("it listens"));
    let cancel = Cancel::default();
    let told = cancel.clone();
    let silent = std::thread::spawn(move || {
        let connected = listener.accept().expect("git comes");
        told.cancel();
        connected
    });
    let commit = "0123456789012345678901234567890123456789";
    let fetched = fetch(&store, context(&url, Some(commit), None), &cancel);
    assert!(matches!(fetched, Err(CheckoutError::Cancelled)), "{fetched:?}");
    drop(silent.join().expect("does not panic"));
}
