//! Secrets and SSH agents reach the steps that mount them, and nothing else.

use std::process::Command;

use bollard_buildkit_proto::pb;
use cogpack_content::Digest;
use cogpack_io_buildkit::failure::Failure;
use cogpack_io_buildkit::secrets::{self, Secret, Secrets};
use cogpack_io_buildkit::session::Services;
use cogpack_io_buildkit::solve::Request;
use cogpack_io_buildkit::ssh::{self, Agents};

use crate::building::{built, graph_for, printed};
use crate::definitions::Definition;
use crate::found::{connected, daemons, image_with_a_shell, image_with_python, newer_daemons, unheard_of};

fn secret_mount(id: &str, optional: bool) -> pb::Mount {
    pb::Mount {
        input: -1,
        dest: "/run/secrets/value".to_owned(),
        output: -1,
        mount_type: pb::MountType::Secret.into(),
        secret_opt: Some(pb::SecretOpt {
            id: id.to_owned(),
            mode: 0o400,
            optional,
            ..pb::SecretOpt::default()
        }),
        ..pb::Mount::default()
    }
}

/// A build of one script on an image that has a shell.
fn script(text: &str, services: Services, more: impl FnOnce(&mut pb::ExecOp)) -> Request {
    let mut definition = Definition::default();
    let base = definition.source(&image_with_a_shell());
    let arguments = ["/bin/sh", "-euc", &format!("{text} # {}", unheard_of())];
    let run = definition.program(&base, "the script", &arguments, more);
    Request {
        graphs: vec![graph_for("linux/amd64", definition.finish(&run, &[]))],
        services,
        ..Request::default()
    }
}

fn serving(values: &[(&str, &[u8])]) -> Services {
    let mut given = Secrets::default();
    for (id, value) in values {
        given.add(id, Secret::new(*value)).unwrap();
    }
    Services::new().add(given.into_server(), secrets::METHODS)
}

#[tokio::test]
async fn a_secret_is_mounted_whole_and_shown_by_nothing() {
    for found in daemons() {
        let connection = connected(&found).await;
        // As large as may be, of all bytes.
        let value: Vec<u8> = (0..secrets::LARGEST_SECRET).map(|at| (at * 7 / 3) as u8).collect();
        let text = "sha256sum </run/secrets/value; stat -c %a-%u /run/secrets/value";
        let request = script(text, serving(&[("token", &value)]), |exec| {
            exec.mounts.push(secret_mount("token", false))
        });
        let (outcome, news) = built(&connection, request).await;
        outcome.unwrap_or_else(|failure| panic!("{}: {failure}", found.name));
        let printed = printed(&news);
        assert!(printed.contains(&Digest::of(&value).hex()), "{}: {printed}", found.name);
        assert!(printed.contains("400-0"), "{}: {printed}", found.name);
    }
}

#[tokio::test]
async fn an_absent_secret_fails_the_build_unless_it_is_optional() {
    for found in daemons() {
        let connection = connected(&found).await;
        for services in [serving(&[("other", b"x")]), Services::new()] {
            let request = script("test ! -e /run/secrets/value", services, |exec| {
                exec.mounts.push(secret_mount("token", true))
            });
            let (outcome, _) = built(&connection, request).await;
            outcome.unwrap_or_else(|failure| panic!("{}: {failure}", found.name));
        }
        let request = script("true", serving(&[("other", b"x")]), |exec| {
            exec.mounts.push(secret_mount("token", false))
        });
        let (outcome, _) = built(&connection, request).await;
        let failure = outcome.unwrap_err();
        assert!(matches!(failure, Failure::Build(_)), "{}: {failure:?}", found.name);
        assert!(failure.to_string().contains("token"), "{}: {failure}", found.name);
    }
}

#[tokio::test]
async fn a_secret_becomes_a_variable_where_daemons_can() {
    for found in newer_daemons() {
        let connection = connected(&found).await;
        let request =
            script("printf %s \"$TOKEN\" | sha256sum", serving(&[("token", b"of one step")]), |exec| {
                exec.secretenv.push(pb::SecretEnv {
                    id: "token".to_owned(),
                    name: "TOKEN".to_owned(),
                    optional: false,
                });
            });
        let (outcome, news) = built(&connection, request).await;
        outcome.unwrap_or_else(|failure| panic!("{}: {failure}", found.name));
        assert!(printed(&news).contains(&Digest::of(b"of one step").hex()), "{}", found.name);
    }
}

/// Asks the agent as SSH does: for its keys, for a signature, and to forget everything.
const ASK_AGENT: &str = r#"
import socket, struct

agent = socket.socket(socket.AF_UNIX)
agent.connect("/run/agent.sock")
stream = agent.makefile("rb")

def ask(body):
    agent.sendall(struct.pack(">I", len(body)) + body)
    return stream.read(*struct.unpack(">I", stream.read(4)))

def text(data):
    size, = struct.unpack(">I", data[:4])
    return data[4:4 + size], data[4 + size:]

def pack(data):
    return struct.pack(">I", len(data)) + data

keys = ask(b"\x0b")
count, = struct.unpack(">I", keys[1:5])
key, rest = text(keys[5:])
print("kind", keys[0], "keys", count, "comment", text(rest)[0].decode())
signed = ask(b"\x0d" + pack(key) + pack(b"x" * 100000) + struct.pack(">I", 0))
print("signed", signed[0], text(text(signed[1:])[0])[0].decode())
print("forgotten", ask(b"\x13")[0])
print("still", struct.unpack(">I", ask(b"\x0b")[1:5])[0])
"#;

fn agent_mount(id: &str) -> pb::Mount {
    pb::Mount {
        input: -1,
        dest: "/run/agent.sock".to_owned(),
        output: -1,
        mount_type: pb::MountType::Ssh.into(),
        ssh_opt: Some(pb::SshOpt { id: id.to_owned(), mode: 0o600, ..pb::SshOpt::default() }),
        ..pb::Mount::default()
    }
}

#[tokio::test]
async fn a_step_signs_with_a_key_from_a_file_and_cannot_take_it_away() {
    let directory = tempfile::tempdir().unwrap();
    let key = directory.path().join("key");
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "of-a-file", "-f"])
        .arg(&key)
        .status();
    if !made.is_ok_and(|status| status.success()) {
        assert!(std::env::var_os("CI").is_none(), "there is no `ssh-keygen` on this machine");
        println!("skipped: no `ssh-keygen` on this machine");
        return;
    }
    for found in daemons() {
        let connection = connected(&found).await;
        for id in ["default", "deploy"] {
            let mut agents = Agents::default();
            agents.add_keys(id, std::slice::from_ref(&key)).await.unwrap();
            let mut definition = Definition::default();
            let base = definition.source(&image_with_python());
            let program = format!("{ASK_AGENT}\n# {}", unheard_of());
            let run =
                definition.program(&base, "the script", &["/usr/bin/python3", "-c", &program], |exec| {
                    exec.mounts.push(agent_mount(id));
                });
            let request = Request {
                graphs: vec![graph_for("linux/amd64", definition.finish(&run, &[]))],
                services: Services::new().add(agents.into_server(), ssh::METHODS),
                ..Request::default()
            };
            let (outcome, news) = built(&connection, request).await;
            outcome.unwrap_or_else(|failure| panic!("{}: {failure}: {}", found.name, printed(&news)));
            let expected = "kind 12 keys 1 comment of-a-file\nsigned 14 ssh-ed25519\nforgotten 5\nstill 1\n";
            assert_eq!(printed(&news), expected, "{}", found.name);
        }
    }
}
