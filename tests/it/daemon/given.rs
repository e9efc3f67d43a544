//! What the command line gives to a build, on real daemons: a secret on standard input, the network
//! of the machine; and what it asks a daemon before it compiles.

use std::io::Write;
use std::net::TcpListener;
use std::path::Path;

use cogpack_cli::Environment;
use cogpack_tests::engines::{self, Engine};
use cogpack_tests::terminal::{Answer, cogpackc_in, cogpackc_in_with_input};

/// A folder with a plan of one program on the rig's base.
fn folder(program: &str, given: &str) -> Option<tempfile::TempDir> {
    let registry = engines::registry()?;
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let plan = format!(
        "cpk 1\nimage @base = \"{registry}/base/debian:bookworm-slim\"\nsecret token\n\
         stage %app from image @base {{\n  run \"{program}\" {{\n    {given}\n  }}\n}}\nexport from %app\n"
    );
    std::fs::write(folder.path().join("plan.cpk"), plan).expect("is writable");
    Some(folder)
}

fn environment(engine: &Engine) -> Environment {
    let mut environment = Environment::default();
    environment.docker.host = Some(engine.host.clone());
    environment
}

const BUILD: [&str; 6] = ["build", ".", "--progress", "plain", "-o", "type=tar,dest=out.tar"];

fn build(engine: &Engine, folder: &Path, options: &[&str]) -> Answer {
    cogpackc_in(environment(engine), folder, &[&BUILD[..], options].concat())
}

/// What a file of the result holds.
fn made(folder: &Path, path: &str) -> String {
    let archive = std::fs::File::open(folder.join("out.tar")).expect("the result is there");
    let mut archive = tar::Archive::new(archive);
    let mut entries = archive.entries().expect("is a tar").map(|entry| entry.expect("is a tar"));
    let is_it = |entry: &tar::Entry<'_, _>| {
        String::from_utf8_lossy(&entry.path_bytes()).trim_start_matches(['.', '/']) == path
    };
    let mut entry = entries.find(|entry| is_it(entry)).unwrap_or_else(|| panic!("no {path}"));
    std::io::read_to_string(&mut entry).expect("is text")
}

fn engines() -> impl Iterator<Item = Engine> {
    [engines::older(), engines::newer()].into_iter().flatten()
}

#[test]
fn a_secret_comes_from_standard_input() {
    for engine in engines() {
        let value = format!("{} {:?}", engine.name, std::time::SystemTime::now());
        let program = format!("sha256sum </run/token >/said; : {}", value.len());
        let Some(folder) = folder(&program, "mount secret token at /run/token") else { return };
        let options = ["--no-cache", "--secret", "id=token,src=-"];
        let answer = cogpackc_in_with_input(
            environment(&engine),
            folder.path(),
            &[&BUILD[..], &options].concat(),
            &value,
        );
        assert_eq!(answer.code, 0, "{}: {}", engine.name, answer.stderr);
        let digest = cogpack_content::Digest::of(value.as_bytes());
        assert!(made(folder.path(), "said").starts_with(&digest.hex()), "{}", engine.name);
        assert!(!answer.stderr.contains(&value), "{}: {}", engine.name, answer.stderr);
    }
}

#[test]
fn a_program_that_may_use_the_network_of_the_machine_reaches_it() {
    for engine in engines() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
        let port = listener.local_addr().expect("it has one").port();
        let said = format!("{} {:?}", engine.name, std::time::SystemTime::now());
        let told = said.clone();
        // It waits for nobody after the test, whose process ends then.
        std::thread::spawn(move || {
            for caller in listener.incoming() {
                caller.and_then(|mut caller| caller.write_all(told.as_bytes())).expect("somebody calls");
            }
        });
        for (network, reaches) in [("host", true), ("none", false)] {
            let program = format!("bash -c 'cat </dev/tcp/127.0.0.1/{port}' >/said || echo nobody >/said");
            let Some(folder) = folder(&program, &format!("network {network}")) else { return };
            let refused = build(&engine, folder.path(), &[]);
            assert_eq!(refused.code, if reaches { 2 } else { 0 }, "{}: {}", engine.name, refused.stderr);
            assert_eq!(refused.stderr.contains("cpk::build::not-allowed"), reaches, "{}", refused.stderr);
            let answer = build(&engine, folder.path(), &["--allow", "network.host"]);
            assert_eq!(answer.code, 0, "{}: {}", engine.name, answer.stderr);
            let expected = if reaches { said.as_str() } else { "nobody\n" };
            assert_eq!(made(folder.path(), "said"), expected, "{}: {network}", engine.name);
        }
    }
}

#[test]
fn a_daemon_is_asked_what_it_can_do_before_a_plan_is_compiled() {
    for engine in engines() {
        let Some(folder) = folder("true", "mount tmpfs at /scratch size 8m") else { return };
        let compiled = ["plan.cpk", "-o", "llb.txt", "--limits", "probe"];
        let answer = cogpackc_in(environment(&engine), folder.path(), &compiled);
        let expected = if engine.merges { 0 } else { 1 };
        assert_eq!(answer.code, expected, "{}: {}", engine.name, answer.stderr);
        for said in [
            "cpk::unsupported::capability",
            "`exec.mount.tmpfs.size`",
            "[plan.cpk:5:3]",
            "help: leave out `size`",
        ] {
            assert_eq!(
                answer.stderr.contains(said),
                !engine.merges,
                "{}: {said}: {}",
                engine.name,
                answer.stderr
            );
        }
    }
}
